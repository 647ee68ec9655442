/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/demand_reply.h"
#include "broker/cli/migrate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "base/unit.h"
#include "broker/evidence.h"
#include "broker/interrupt.h"
#include "broker/relocate.h"
#include "broker/relocate_cost.h"
#include "providers/cloud/setting_list.h"
#include "providers/data/data.h"

#define DEFAULT_DISK_GB \
    10 /* as providers/cloud/gcp_wire.c and the smallest of the others make it */
#define LOST_WORK_S 3600

/* All that is known of the move before it begins. */
struct outlook {
    const char *region, *zones[2], *here_zones[2];
    char said[GL_CLOUD_ID]; /* the grid zone of the region, by its user */
    size_t zone_count;
    json_t *here, *there; /* grid series */
    bool is_default_disk, is_anew;
    struct gl_relocate_ask ask;
    struct gl_relocate_estimate made;
};

static void outlook_done(struct outlook *outlook)
{
    json_decref(outlook->here);
    json_decref(outlook->there);
}

/* ---- the grids ---- */

static bool has_zone(const char *zone)
{
    return zone != NULL && zone[0] != '\0';
}

/* As many as a plan can hold: a zone whose series are left out is not known. */
static void add_series(json_t *list, const json_t *series)
{
    for (size_t i = 0; i < json_array_size(series); i++)
        if (json_array_size(list) < GL_EVIDENCE_SERIES_MAX)
            json_array_append(list, json_array_get(series, i));
}

/* Where it stands by the tables; a region that they do not know has its one zone. */
static void find_zones(const struct gl_shift_subject *subject, const char *region,
                       const char *fallback, const char *out[2])
{
    const struct gl_region_row *row = gl_data_region(subject->row->cloud, region);

    out[0] = row != NULL ? row->zones[0] : fallback;
    out[1] = row != NULL ? row->zones[1] : NULL;
}

/* What the user says of a region of their own cloud; "" = nothing. */
static void find_said(const struct gl_context *context, const char *cloud, struct outlook *outlook)
{
    const struct gl_config_section *section = gl_config_cloud(&context->config, cloud);

    gl_cloud_setting_item(gl_config_setting(section, GL_CLOUD_ZONE_KEY), outlook->region,
                          outlook->said, sizeof outlook->said);
}

static int series_here(struct gl_context *context, const struct gl_shift_subject *subject,
                       struct outlook *outlook, struct gl_error *err)
{
    struct gl_signal_query query = {.from = gl_now(&context->world),
                                    .until = {subject->row->expires_ms / 1000},
                                    .wants_history = true};
    struct gl_signal_store *store;

    find_zones(subject, subject->row->region, subject->row->zone, outlook->here_zones);
    store = gl_context_signals(context, err);
    if (store == NULL)
        return -1;
    outlook->here = json_array();
    for (size_t i = 0; i < 2 && has_zone(outlook->here_zones[i]); i++) {
        GL_AUTO(gl_auto_json) json_t *series = NULL;

        snprintf(query.zone, sizeof query.zone, "%s", outlook->here_zones[i]);
        series = gl_evidence_place(gl_signal_store_zone(store, &query), query.from, query.until);
        add_series(outlook->here, series);
    }
    gl_signal_store_free(store);
    return 0;
}

/* Every candidate zone of a disputed region must hold the rules. */
static int judge(struct gl_context *context, const struct gl_shift_subject *subject,
                 struct outlook *outlook, struct gl_error *err)
{
    if (gl_relocate_check_rules(subject->row->launch, subject->plan, err) != 0)
        return -1;
    find_said(context, subject->row->cloud, outlook);
    find_zones(subject, outlook->region, outlook->said, outlook->zones);
    if (!has_zone(outlook->zones[0]))
        return gl_fail(
            err, GL_E_UNKNOWN_NAME,
            "where the region %s of %s stands is not known; a cloud of one's own says it "
            "in the configuration: clouds: {%s: {" GL_CLOUD_ZONE_KEY ": %s=ZONE}}",
            outlook->region, subject->row->cloud, subject->row->cloud, outlook->region);
    outlook->zone_count = has_zone(outlook->zones[1]) ? 2 : 1;
    outlook->there = json_array();
    for (size_t i = 0; i == 0 || i < outlook->zone_count; i++) {
        GL_AUTO(gl_auto_json) json_t *series = NULL;
        int status =
            gl_shift_judge(context, subject, outlook->region, outlook->zones[i], &series, err);

        if (status != 0)
            return status;
        add_series(outlook->there, series);
    }
    return 0;
}

/* ---- cost and gain ---- */

static int64_t price_there(const struct gl_shift_subject *subject, const char *region)
{
    const struct gl_type_row *type = gl_data_type(subject->row->cloud, subject->row->type);
    const struct gl_region_row *row = gl_data_region(subject->row->cloud, region);
    int64_t price = type != NULL && row != NULL ? gl_data_price(type, row, NULL) : -1;

    return price >= 0 ? price : GL_UNKNOWN;
}

static int estimate(struct gl_context *context, const struct gl_shift_subject *subject,
                    const struct gl_migrate_values *values, struct outlook *outlook,
                    struct gl_error *err)
{
    const struct gl_region_row *row = gl_data_region(subject->row->cloud, outlook->region);
    const struct gl_instant now = gl_now(&context->world);
    int64_t ran_s = now.unix_s - subject->row->started_ms / 1000;

    double disk_gb = values->disk_bytes_millionths != INT64_MIN
                         ? (double)values->disk_bytes_millionths / 1e15
                         : DEFAULT_DISK_GB;

    outlook->is_default_disk = values->disk_bytes_millionths == INT64_MIN;
    outlook->ask = (struct gl_relocate_ask){
        .cloud = subject->row->cloud,
        .plan = subject->plan,
        .here = outlook->here,
        .there = outlook->there,
        .here_zones = {outlook->here_zones[0], outlook->here_zones[1]},
        .there_zones = {outlook->zones[0], outlook->zones[1]},
        .pue_there_milli = row != NULL ? row->pue_milli : 0,
        .is_anew = values->is_anew,
        .disk_gb = values->is_anew ? 0 : disk_gb,
        .lost_work_s = values->lost_work_s != INT64_MIN         ? values->lost_work_s
                       : values->is_anew || ran_s < LOST_WORK_S ? ran_s
                                                                : LOST_WORK_S,
        .price_u_usd_per_h = price_there(subject, outlook->region),
        .now = now,
        .until = {subject->row->expires_ms / 1000},
    };
    if (outlook->ask.lost_work_s < 0)
        outlook->ask.lost_work_s = 0;
    return gl_relocate_estimate(&outlook->ask, &outlook->made, err);
}

static void add_usd(struct gl_str *out, const char *name, int64_t u_usd, const char *what)
{
    if (u_usd == GL_UNKNOWN)
        gl_str_addf(out, "  %-9s not known: %s\n", name, what);
    else
        gl_str_addf(out, "  %-9s at most %.4f USD, %s\n", name, (double)u_usd / 1e6, what);
}

static void show_way(struct gl_str *out, const struct gl_launch_row *row,
                     const struct outlook *outlook)
{
    char span[GL_QUANTITY_TEXT], lost[GL_QUANTITY_TEXT];

    gl_span_text((struct gl_span){outlook->made.still_s}, span);
    gl_span_text((struct gl_span){outlook->ask.lost_work_s}, lost);
    if (outlook->is_anew) {
        gl_str_addf(out,
                    "Beginning %s anew in %s: its command starts from the beginning, nothing of "
                    "its disk goes along:\n",
                    row->launch, outlook->region);
        gl_str_addf(out,
                    "  runs      in both for up to %s, until the new one is heard of; work of %s "
                    "is done again\n",
                    span, lost);
        return;
    }
    gl_str_addf(out, "Moving %s from %s to %s, by an image of its disk (%.3g GB%s):\n", row->launch,
                row->region, outlook->region, outlook->ask.disk_gb,
                outlook->is_default_disk ? ", assumed: say --disk" : "");
    gl_str_addf(out, "  stands    still for about %s; work of %s is done again\n", span, lost);
}

static void show(struct gl_context *context, const struct gl_shift_subject *subject,
                 const struct outlook *outlook)
{
    const struct gl_relocate_estimate *made = &outlook->made;
    struct gl_str *out = &context->reply.text;

    show_way(out, subject->row, outlook);
    if (made->has_grams) {
        gl_str_addf(out, "  grid      %.0f gCO2e/kWh here, %.0f there\n", made->here_g_per_kwh,
                    made->there_g_per_kwh);
        gl_str_addf(out,
                    "  costs     %.3g gCO2e: copy %.3g kWh at each end, start and lost work %.3g"
                    " kWh\n",
                    made->cost_g, made->copy_kwh, made->lost_kwh);
        gl_str_addf(out, "  gains     %.3g gCO2e by the end of the lease\n", made->gain_g);
    } else
        gl_str_add(out, "  gains     not known: one of the two grids is not\n");
    if (!outlook->is_anew)
        add_usd(out, "egress", made->egress_u_usd,
                made->egress_from != NULL ? made->egress_from
                                          : "no price of this cloud is at hand");
    add_usd(out, "both", made->overlap_u_usd, "for the time that both machines are there");
}

static json_t *known(double value, bool is_known)
{
    return is_known ? json_real(value) : json_null();
}

static json_t *estimate_json(const struct outlook *outlook)
{
    const struct gl_relocate_estimate *made = &outlook->made;

    return json_pack(
        "{s:b,s:f,s:I,s:I,s:f,s:f,s:o,s:o,s:o,s:o,s:o,s:o,s:b}", "is_anew", outlook->is_anew,
        "disk_gb", outlook->ask.disk_gb, "still_s", (json_int_t)made->still_s, "lost_work_s",
        (json_int_t)outlook->ask.lost_work_s, "copy_kwh", made->copy_kwh, "lost_kwh",
        made->lost_kwh, "here_g_per_kwh", known(made->here_g_per_kwh, made->has_grams),
        "there_g_per_kwh", known(made->there_g_per_kwh, made->has_grams), "cost_g",
        known(made->cost_g, made->has_grams), "gain_g", known(made->gain_g, made->has_grams),
        "egress_usd", known((double)made->egress_u_usd / 1e6, made->egress_u_usd != GL_UNKNOWN),
        "overlap_usd", known((double)made->overlap_u_usd / 1e6, made->overlap_u_usd != GL_UNKNOWN),
        "is_worth_it", made->is_worth_it);
}

static int refuse(struct gl_context *context, const struct outlook *outlook)
{
    bool is_unknown = !outlook->made.has_grams;

    context->reply.verdict = gl_verdict_word(is_unknown ? GL_VERDICT_UNKNOWN : GL_REFUSE);
    gl_str_add(&context->reply.text,
               is_unknown ? "UNKNOWN: whether the move gains anything cannot be told; it stays\n"
                          : "REFUSED: the gain is not 1.5 times what the move costs; it stays\n");
    return is_unknown ? GL_EXIT_UNKNOWN : GL_EXIT_REFUSED;
}

/* ---- may it be done? ---- */

static int ask_person(struct gl_context *context, bool is_anew, struct gl_error *err)
{
    char line[16] = "";

    if (context->globals.is_yes)
        return GL_EXIT_OK;
    if (context->globals.has_no_input || context->globals.is_json || isatty(STDIN_FILENO) != 1)
        return gl_fail(err, GL_E_USAGE,
                       is_anew ? "its command begins anew with this: say --yes"
                               : "the machine is powered off for this: say --yes");
    gl_progress_end(context);
    fprintf(stderr, "%sMove it? y or n: ", gl_str_text(&context->reply.text));
    if (fgets(line, sizeof line, stdin) == NULL && gl_interrupted())
        return gl_interrupt_fail(err, "nothing was moved");
    if (line[0] == 'y' || line[0] == 'Y')
        return GL_EXIT_OK;
    gl_str_add(&context->reply.text, "Nothing was moved.\n");
    return GL_EXIT_DECLINED;
}

/* ---- doing it ---- */

static void on_progress(void *cookie, const char *step, int64_t waited_s)
{
    struct gl_context *context = cookie;

    if (waited_s < 1)
        gl_progress(context, "%s", step);
    gl_progress_tick(context);
}

static int reply(struct gl_context *context, const struct gl_shift_subject *subject,
                 const struct outlook *outlook, const struct gl_relocated *done)
{
    struct gl_str *out = &context->reply.text;

    gl_progress_end(context);
    context->is_demo |= subject->row->is_demo;
    gl_str_addf(out,
                outlook->is_anew ? "Begun %s anew: it runs in %s as %s, under the same lease\n"
                                 : "Moved %s: it goes on in %s as %s, under the same lease\n",
                subject->row->launch, outlook->region, done->launch);
    gl_str_addf(out, "  the receipt of %s covers it until it was %s\n", subject->row->launch,
                outlook->is_anew ? "ended" : "powered off");
    json_object_set_new(context->reply.data, "launch", json_string(done->launch));
    json_object_set_new(context->reply.data, "continues", json_string(subject->row->launch));
    json_object_set_new(context->reply.data, "region", json_string(outlook->region));
    if (done->unsettled.code != GL_OK)
        gl_warn(context, "GL5001", "not put away yet, `greenlaunch status` goes on with it: %s",
                done->unsettled.text);
    gl_next(context, "stop it and see what it cost",
            (const char *const[]){"stop", done->launch, NULL});
    return GL_EXIT_OK;
}

/* What moving it says of a need; NULL = nothing. */
static json_t *need_of(struct gl_context *context, const struct gl_shift_subject *subject,
                       const struct outlook *outlook)
{
    struct gl_demand need;

    if (!gl_shift_need(context, subject, &need))
        return NULL;
    need.kind = GL_DEMAND_MOVE;
    gl_demand_moved_to(&need, subject->row->cloud, outlook->region);
    if (outlook->made.has_grams)
        need.extra_ug = (int64_t)((outlook->made.cost_g - outlook->made.gain_g) * 1e6);
    return gl_demand_evidence(context, &need);
}

static int do_it(struct gl_context *context, struct gl_shift_subject *subject,
                 const struct gl_migrate_values *values, const struct outlook *outlook,
                 struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *evidence = need_of(context, subject, outlook);
    const struct gl_shift_reason reason = {"person", "asked for by hand", evidence};
    const struct gl_relocate_place place = {subject->row->cloud, outlook->region, outlook->zones,
                                            outlook->zone_count, outlook->there};
    GL_AUTO(gl_auto_json)
    json_t *plan =
        gl_relocate_plan(subject->plan, &place, outlook->ask.now, outlook->ask.until, err);
    const char *words[GL_RELOCATE_WORDS_MAX + 1];
    struct gl_relocated done;
    struct gl_relocate_order order = {
        .is_anew = outlook->is_anew,
        .region = outlook->region,
        .zone = outlook->zones[0],
        .reason = &reason,
        .plan = plan,
        .meter = &context->config.meter,
        .is_describe_enough = values->is_describe_enough,
        .progress = on_progress,
        .cookie = context,
    };

    if (plan == NULL || gl_relocate_command(subject->plan, words, &order.command, err) != 0 ||
        gl_launch_relocate(&subject->launcher, subject->row->launch, &order, &done, err) != 0)
        return -1;
    gl_demand_note_cost(context);
    return reply(context, subject, outlook, &done);
}

/* Said before anything is looked at, for it is no move of what has been done so far. */
static int check_way(const struct gl_launch_row *row, const struct gl_migrate_values *values,
                     struct gl_error *err)
{
    const struct gl_cloud_ops *ops = gl_cloud_find(row->cloud);
    bool is_rented = gl_cloud_is_remote(row->cloud);

    if (values->is_anew && !is_rented)
        return gl_fail(err, GL_E_USAGE, "--anew is for rented machines: %s runs on %s", row->launch,
                       row->cloud);
    if (values->is_anew && values->disk_bytes_millionths != INT64_MIN)
        return gl_fail(err, GL_E_USAGE, "with --anew no disk is copied: leave out --disk");
    if (values->is_anew || !is_rented || gl_relocate_has_images(ops))
        return 0;
    return gl_fail(err, GL_E_USAGE,
                   "%s copies no disk to another region: what %s has done so far stays in %s. Its "
                   "command can begin there from its beginning: say --anew",
                   ops->title, row->launch, row->region);
}

int gl_migrate_region(struct gl_context *context, struct gl_shift_subject *subject,
                      const struct gl_migrate_values *values, struct gl_error *err)
{
    GL_AUTO(outlook_done)
    struct outlook outlook = {.region = values->region, .is_anew = values->is_anew};
    int status;

    if (values->cloud != NULL && strcmp(values->cloud, subject->row->cloud) != 0)
        return gl_fail(err, GL_E_USAGE,
                       "%s runs on %s: its disk goes to another region of that "
                       "cloud, not to another cloud",
                       subject->row->launch, subject->row->cloud);
    if (check_way(subject->row, values, err) != 0)
        return -1;
    status = judge(context, subject, &outlook, err);
    if (status != 0)
        return status;
    if (series_here(context, subject, &outlook, err) != 0 ||
        estimate(context, subject, values, &outlook, err) != 0)
        return -1;
    show(context, subject, &outlook);
    json_decref(context->reply.data);
    context->reply.data = estimate_json(&outlook);
    if (!outlook.made.is_worth_it)
        return refuse(context, &outlook);
    status = ask_person(context, outlook.is_anew, err);
    return status != GL_EXIT_OK ? status : do_it(context, subject, values, &outlook, err);
}
