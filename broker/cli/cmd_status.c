/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "broker/account.h"
#include "broker/cli/show_output.h"
#include "broker/cli/show_told.h"
#include "broker/cli/unknown.h"
#include "broker/output.h"
#include "broker/relocate.h"
#include "broker/render/table.h"
#include "broker/render/text.h"
#include "broker/tenant.h"

#define ONE_PLACE "this-machine" /* of a local cloud without a list of places */

struct status_values {
    bool is_all;
};

static const struct gl_option options[] = {
    {"all", 'a', GL_OPT_FLAG, offsetof(struct status_values, is_all), NULL, "ended launches too",
     NULL, NULL, NULL, 0, 0, 0, NULL},
    {0},
};

static const struct gl_column columns[] = {
    {"LAUNCH", false, 0},    {"NAME", false, 5},    {"WHERE", false, 1},    {"STATE", false, 0},
    {"LEASE LEFT", true, 4}, {"READINGS", true, 7}, {"ENERGY Wh", true, 6}, {"gCO2e", true, 0},
    {"LOW..HIGH", true, 2},  {"GRADE", false, 3},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

/* What is known of one launch now, whatever could be written down. */
struct known {
    const char *state; /* as it is seen; the ledger's where nobody can be asked */
    bool is_unwritten; /* the ledger still says otherwise */
    bool is_so_far;    /* the figures are of a run that goes on */
    size_t readings;
    double energy_wh[3]; /* low, central, high; NAN = unknown */
    double grams[3];
    char grade;         /* 0 = none */
    char guarantee[16]; /* kept, breached, unknown; "" = none */
    struct gl_told told;
};

static void take_band(const json_t *band, double scale, double out[3])
{
    for (size_t i = 0; i < 3; i++) {
        const json_t *item = json_array_get(band, i);

        out[i] = json_is_integer(item) ? (double)json_integer_value(item) * scale : NAN;
    }
}

static void take_derived(const json_t *derived, struct known *out)
{
    const json_t *footprint = json_object_get(derived, "footprint");
    const char *kept =
        json_string_value(json_object_get(json_object_get(derived, "guarantee"), "state"));

    out->readings =
        (size_t)json_integer_value(json_object_get(json_object_get(derived, "meter"), "readings"));
    take_band(json_object_get(footprint, "energy_mj"), 1 / 3.6e6, out->energy_wh);
    take_band(json_object_get(footprint, "total_ug"), 1e-6, out->grams);
    out->grade = derived != NULL ? gl_account_total_grade(derived) : '\0';
    snprintf(out->guarantee, sizeof out->guarantee, "%s", kept != NULL ? kept : "");
}

static void of_receipt(const struct gl_launch_row *row, struct known *out)
{
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json)
    json_t *document = gl_json_parse(row->receipt, strlen(row->receipt), "receipt", &ignored);

    take_derived(json_object_get(document, "derived"), out);
}

/* Is it there, or gone for sure? */
static bool is_certain(struct gl_launcher *launcher, const struct gl_launch_row *row,
                       struct gl_cloud *cloud, struct gl_instance *out, struct gl_error *why)
{
    struct gl_error ignored = {0};

    return cloud->ops->describe(cloud, row->instance, out, why) == 0 ||
           (why->code == GL_E_NOT_FOUND && gl_tenant_check(launcher, row, cloud, &ignored) == 0);
}

/* As its cloud sees it: on a full disk the ledger may not know yet that it has ended. */
static void of_cloud(struct gl_launcher *launcher, const struct gl_launch_row *row,
                     struct known *out)
{
    struct gl_error why = {0};
    struct gl_cloud *cloud = launcher->open(launcher->cookie, row->cloud, row->zone, &why);
    GL_AUTO(gl_auto_json) json_t *derived = NULL;
    struct gl_instance instance = {.state = GL_STATE_LOST};

    if (cloud == NULL)
        return;
    if (!is_certain(launcher, row, cloud, &instance, &why)) {
        gl_launcher_note_silence(launcher, row->cloud, &why);
        gl_cloud_close(cloud);
        return;
    }
    out->is_unwritten = gl_instance_is_over(&instance);
    out->is_so_far = !out->is_unwritten;
    if (out->is_unwritten)
        out->state = gl_instance_state_word(instance.state);
    if (gl_launch_so_far(launcher, row, cloud, &derived, &why) == 0)
        take_derived(derived, out);
    else
        gl_launcher_note_silence(launcher, row->cloud, &why);
    gl_cloud_close(cloud);
}

static struct known look_at(struct gl_launcher *launcher, const struct gl_launch_row *row)
{
    struct known known = {
        .state = row->state, .energy_wh = {NAN, NAN, NAN}, .grams = {NAN, NAN, NAN}};

    if (row->receipt[0] != '\0')
        of_receipt(row, &known);
    else if (row->instance[0] != '\0' && !gl_launcher_is_silent(launcher, row->cloud))
        of_cloud(launcher, row, &known);
    gl_told_find(launcher->ledger, row, &known.told);
    return known;
}

static void number_or_dash(double number, char out[GL_QUANTITY_TEXT])
{
    if (isfinite(number))
        gl_number_text(number, out);
    else
        snprintf(out, GL_QUANTITY_TEXT, "-");
}

/* ---- until when ---- */

static json_t *instant_json(int64_t unix_s)
{
    char text[GL_INSTANT_TEXT];

    return json_string(gl_instant_text((struct gl_instant){unix_s}, text));
}

/* The newest promise of a launch, as the ledger keeps it. NULL when there is none. */
static json_t *given_promise(struct gl_ledger *ledger, const char *launch)
{
    GL_AUTO(gl_guarantee_rows_free) struct gl_guarantee_rows rows = {0};
    GL_AUTO(gl_auto_json) json_t *body = NULL;
    struct gl_error ignored = {0};
    json_int_t ppm;

    if (gl_ledger_guarantees(ledger, launch, &rows, &ignored) != 0 || rows.count == 0)
        return NULL;
    body = gl_json_parse(rows.rows[0].body, strlen(rows.rows[0].body), "promise", &ignored);
    ppm = json_integer_value(json_object_get(body, "probability_ppm"));
    return json_pack("{s:s,s:s,s:o,s:f,s:O?,s:O?}", "id", rows.rows[0].id, "state",
                     rows.rows[0].state, "until", instant_json(rows.rows[0].until_s), "probability",
                     (double)ppm / 1e6, "rule", json_object_get(body, "rule"), "zone",
                     json_object_get(body, "zone"));
}

/* Without one: for how long the rules held by the data of the decision. */
static json_t *held_by_data(const struct gl_launch_row *row)
{
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json)
    json_t *plan = gl_json_parse(row->plan, strlen(row->plan), "plan", &ignored);
    const json_t *guarantee = json_object_get(plan, "guarantee");
    const json_t *until = json_object_get(guarantee, "until_s");

    if (!json_is_integer(until))
        return json_null();
    return json_pack("{s:n,s:s,s:o,s:n,s:O?}", "id", "state", "by the data at hand", "until",
                     instant_json(json_integer_value(until)), "probability", "rule",
                     json_object_get(guarantee, "rule"));
}

static json_t *promise_json(struct gl_launcher *launcher, const struct gl_launch_row *row)
{
    json_t *given = given_promise(launcher->ledger, row->launch);

    return given != NULL ? given : held_by_data(row);
}

/* " in DE" of a promise that speaks of another zone than it is in now. */
static void add_zone(const struct gl_launch_row *row, const json_t *promise, struct gl_str *line)
{
    const char *zone = json_string_value(json_object_get(promise, "zone"));
    char shown[GL_TEXT_SHOWN];

    if (zone != NULL && strcmp(zone, row->zone) != 0)
        gl_str_addf(line, " in %s", gl_text_show(zone, shown));
}

/* "gl-4k2p (nightly) ends by itself at T; green until T (p 90 %, open)" */
static void add_until(struct gl_context *context, const struct gl_launch_row *row,
                      const json_t *promise, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    const json_t *probability = json_object_get(promise, "probability");
    char until[GL_INSTANT_TEXT], shown[GL_TEXT_SHOWN];

    gl_str_addf(&line, "%s%s%s%s ends by itself at %s; ", row->launch,
                row->name[0] != '\0' ? " (" : "", gl_text_show(row->name, shown),
                row->name[0] != '\0' ? ")" : "",
                gl_instant_text((struct gl_instant){row->expires_ms / 1000}, until));
    if (json_is_null(promise))
        gl_str_add(&line, "nothing was promised");
    else
        gl_str_addf(&line, "green until %s", json_string_value(json_object_get(promise, "until")));
    add_zone(row, promise, &line);
    if (!json_is_null(promise))
        gl_str_add(&line, " (");
    if (json_is_real(probability))
        gl_str_addf(&line, "p %.4g %%, ", json_real_value(probability) * 100);
    if (!json_is_null(promise))
        gl_str_addf(&line, "%s)", json_string_value(json_object_get(promise, "state")));
    gl_str_add(out, "  ");
    gl_render_hang(gl_str_text(&line), 4, context->columns, out);
}

/* "gl-9xya continues gl-4k2p, moved to it from there" and the other way round: of a machine that
 * was moved by image the two launches are one run. */
static void add_kin(struct gl_context *context, struct gl_launcher *launcher,
                    const struct gl_launch_row *row, json_t *json, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    struct gl_relocate_kin kin = {.from = "", .to = ""};
    struct gl_error ignored = {0};

    gl_relocate_kin(launcher, row, &kin, &ignored);
    json_object_set_new(json, "continues",
                        kin.from[0] != '\0' ? json_string(kin.from) : json_null());
    json_object_set_new(json, "continued_by",
                        kin.to[0] != '\0' ? json_string(kin.to) : json_null());
    if (kin.from[0] != '\0')
        gl_str_addf(&line, "%s continues %s in %s", row->launch, kin.from, row->region);
    if (kin.to[0] != '\0')
        gl_str_addf(&line, "%s%s goes on as %s", line.length > 0 ? "; " : "",
                    line.length > 0 ? "it" : row->launch, kin.to);
    if (line.length == 0)
        return;
    gl_str_add(out, "  ");
    gl_render_hang(gl_str_text(&line), 4, context->columns, out);
}

/* Of one that was asked for by name: how its command ended, and the last of what it printed where
 * that was kept. */
static void add_end(struct gl_launcher *launcher, const struct gl_launch_row *row, json_t *json,
                    struct gl_str *out)
{
    struct gl_guest_said said;
    bool is_kept = gl_output_read(launcher, row->launch, &said);

    if (gl_launch_row_is_over(row) && row->exit_status >= 0)
        gl_str_addf(out, "  %s: the command ended with status %" PRId64 "\n", row->launch,
                    row->exit_status);
    if (is_kept) {
        gl_str_addf(out, "  %s of what it printed:\n", said.is_tail_cut ? "the last" : "all");
        gl_output_lines(&said, "    ", out);
        gl_output_json(&said, json);
    }
    gl_guest_said_done(&said);
}

static json_t *row_json(const struct gl_launch_row *row, const struct known *known)
{
    json_t *energy = gl_quantity_json(&(struct gl_quantity_facts){.value = known->energy_wh[1],
                                                                  .low = known->energy_wh[0],
                                                                  .high = known->energy_wh[2],
                                                                  .unit = "Wh",
                                                                  .source = "meter",
                                                                  .age_s = GL_UNKNOWN});
    json_t *total = gl_quantity_json(&(struct gl_quantity_facts){.value = known->grams[1],
                                                                 .low = known->grams[0],
                                                                 .high = known->grams[2],
                                                                 .unit = "gCO2e",
                                                                 .accounting = "location",
                                                                 .grade = known->grade,
                                                                 .age_s = GL_UNKNOWN});

    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:b,s:I,s:I,s:I,s:b,s:o,s:o,s:o}", "launch",
                     row->launch, "name", row->name, "cloud", row->cloud, "region", row->region,
                     "type", row->type, "zone", row->zone, "state", known->state, "unwritten",
                     known->is_unwritten, "so_far", known->is_so_far, "expires_ms",
                     (json_int_t)row->expires_ms, "readings", (json_int_t)known->readings,
                     "exit_status", (json_int_t)row->exit_status, "demo", row->is_demo, "energy",
                     energy, "total", total, "guarantee",
                     known->guarantee[0] != '\0' ? json_string(known->guarantee) : json_null());
}

static void band_text(const double band[3], char out[2 * GL_QUANTITY_TEXT + 2])
{
    char low[GL_QUANTITY_TEXT], high[GL_QUANTITY_TEXT];

    number_or_dash(band[0], low);
    number_or_dash(band[2], high);
    snprintf(out, 2 * GL_QUANTITY_TEXT + 2, isfinite(band[1]) ? "%s..%s" : "-", low, high);
}

static void add_row(struct gl_context *context, struct gl_table *table,
                    const struct gl_launch_row *row, const struct known *known)
{
    bool has_place = strcmp(row->region, ONE_PLACE) != 0;
    int64_t left_ms = row->expires_ms - context->world.now_ms(context->world.cookie);
    char lease[GL_QUANTITY_TEXT] = "-", where[192], readings[24], energy[GL_QUANTITY_TEXT],
         grams[GL_QUANTITY_TEXT], band[2 * GL_QUANTITY_TEXT + 2], state[32],
         grade[2] = {known->grade ? known->grade : '-', '\0'};

    if (!gl_launch_row_is_over(row) && !known->is_unwritten && left_ms > 0)
        gl_span_text((struct gl_span){left_ms / 1000}, lease);
    snprintf(where, sizeof where, "%s%s %s, %s%szone %s", row->is_demo ? "DEMO " : "", row->cloud,
             row->type, has_place ? row->region : "", has_place ? ", " : "",
             row->zone[0] != '\0' ? row->zone : "unknown");
    snprintf(state, sizeof state, "%s%s%s%s", known->state,
             known->is_unwritten ? ", unwritten" : "",
             known->told.was_interrupted ? " by cloud" : "",
             strcmp(known->guarantee, "breached") == 0 ? ", BREACHED" : "");
    snprintf(readings, sizeof readings, "%zu", known->readings);
    number_or_dash(known->energy_wh[1], energy);
    number_or_dash(known->grams[1], grams);
    band_text(known->grams, band);
    gl_table_row(table, (const char *const[COLUMNS]){row->launch, row->name, where, state, lease,
                                                     readings, energy, grams, band, grade});
}

/* *out_has_ended: there are ended launches that were not asked for. */
static int fill(struct gl_context *context, struct gl_launcher *launcher,
                const struct gl_call *call, bool *out_has_ended, struct gl_error *err)
{
    const char *filter = call->operands->count > 0 ? call->operands->words[0] : NULL;
    bool is_all = ((const struct status_values *)call->values)->is_all || filter != NULL;
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    GL_AUTO(gl_str_done) struct gl_str untils = {0};
    size_t named = launcher->silent.count;
    struct gl_table *table;
    json_t *list = json_array();

    context->reply.data = json_pack("{s:o}", "launches", list);
    if (gl_ledger_launches(launcher->ledger, filter, &rows, err) != 0)
        return -1;
    if (filter != NULL && rows.count == 0)
        return gl_fail(err, GL_E_UNKNOWN_NAME, "no launch \"%s\"", filter);
    table = gl_table_new(columns, COLUMNS);
    for (size_t i = 0; i < rows.count; i++) {
        struct known known;
        json_t *json;

        if (gl_launch_row_is_over(&rows.rows[i]) && !is_all) {
            *out_has_ended = true;
            continue;
        }
        known = look_at(launcher, &rows.rows[i]);
        add_row(context, table, &rows.rows[i], &known);
        json = row_json(&rows.rows[i], &known);
        json_object_set_new(json, "until", instant_json(rows.rows[i].expires_ms / 1000));
        json_object_set_new(json, "promise", promise_json(launcher, &rows.rows[i]));
        gl_told_json(&known.told, json);
        json_array_append_new(list, json);
        gl_told_say(context, &rows.rows[i], &known.told, known.is_so_far, &untils);
        add_kin(context, launcher, &rows.rows[i], json, &untils);
        if (filter != NULL)
            add_end(launcher, &rows.rows[i], json, &untils);
        if (!gl_launch_row_is_over(&rows.rows[i]) && !known.is_unwritten)
            add_until(context, &rows.rows[i], json_object_get(json, "promise"), &untils);
    }
    gl_act_warn_silent(context, launcher, named);
    if (json_array_size(list) > 0)
        gl_table_text(table, context->columns, context->globals.is_accessible,
                      &context->reply.text);
    gl_str_add(&context->reply.text, gl_str_text(&untils));
    gl_table_free(table);
    return 0;
}

/* ---- what the ledger does not know ---- */

static const struct gl_column unknown_columns[] = {
    {"UNKNOWN", false, 0}, {"WHERE", false, 1}, {"STATE", false, 2}, {"ENDS BY ITSELF", false, 3}};
enum { UNKNOWN_COLUMNS = sizeof unknown_columns / sizeof unknown_columns[0] };

static void add_unknowns(struct gl_context *context, const struct gl_unknowns *unknowns)
{
    struct gl_table *table = gl_table_new(unknown_columns, UNKNOWN_COLUMNS);
    json_t *list = json_array();

    for (size_t i = 0; i < unknowns->count; i++) {
        const struct gl_instance *instance = &unknowns->items[i].instance;
        char where[160], until[GL_INSTANT_TEXT];

        snprintf(where, sizeof where, "%s %s %s", unknowns->items[i].cloud, instance->region,
                 instance->type);
        gl_instant_text(instance->expires, until);
        gl_table_row(
            table, (const char *const[UNKNOWN_COLUMNS]){
                       instance->launch_id, where, gl_instance_state_word(instance->state), until});
        json_array_append_new(list, gl_unknown_json(&unknowns->items[i]));
    }
    if (unknowns->count > 0)
        gl_table_text(table, context->columns, context->globals.is_accessible,
                      &context->reply.text);
    gl_table_free(table);
    json_object_set_new(context->reply.data, "unknown", list);
    json_object_set_new(context->reply.data, "unknown_instances",
                        unknowns->unasked > 0 ? json_null()
                                              : json_integer((json_int_t)unknowns->count));
}

static void tell_of_unknowns(struct gl_context *context, const struct gl_unknowns *unknowns)
{
    const char *first = unknowns->count > 0 ? unknowns->items[0].instance.launch_id : "";

    if (unknowns->count == 0)
        return;
    gl_str_addf(&context->reply.text,
                "  stop one: greenlaunch stop %s    all: greenlaunch stop --all-mine\n", first);
    gl_warn(context, "GL5008",
            "%zu instance%s with our labels that this ledger does not know: greenlaunch stop "
            "--all-mine ends them",
            unknowns->count, unknowns->count == 1 ? "" : "s");
    gl_next(context, "end one instance the ledger does not know",
            (const char *const[]){"stop", first, NULL});
    gl_next(context, "end every instance of ours",
            (const char *const[]){"stop", "--all-mine", NULL});
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    GL_AUTO(gl_unknowns_done) struct gl_unknowns unknowns = {0};
    struct gl_launcher launcher;
    bool has_ended = false;

    if (gl_act_launcher_to_look(context, &launcher, err) != 0)
        return -1;
    /* All clouds at once; what is known is that which was when they were asked. */
    gl_unknowns_find(context, &launcher, &unknowns);
    launcher.is_roll_called = true;
    if (gl_act_reconcile(context, &launcher, err) != 0 ||
        fill(context, &launcher, call, &has_ended, err) != 0)
        return -1;
    if (context->reply.text.length == 0 && unknowns.count == 0)
        gl_str_addf(&context->reply.text, "Nothing is running%s%s.\n",
                    unknowns.unasked > 0 ? " that this ledger knows of" : "",
                    has_ended ? " (ended launches: greenlaunch status --all)" : "");
    add_unknowns(context, &unknowns);
    tell_of_unknowns(context, &unknowns);
    return gl_act_asked(GL_EXIT_OK, err);
}

const struct gl_command gl_command_status = {
    .name = "status",
    .group = "Act",
    .summary = "what runs, where, until when, and what it has cost so far",
    .operands = "[NAME]",
    .description = "Looks at every launch first and brings the ledger to the truth: adopts what an "
                   "interrupted launch left running, stops what is past its lease, writes the "
                   "receipts of what ended by itself. What runs is charged until now by the "
                   "readings at hand, as its receipt would be: low, central and high. What has "
                   "ended and could not be written down, on a full disk, says so. Instances with "
                   "our labels that the ledger does not know are listed with how to stop them. "
                   "State paused: suspended by pause, it uses no energy; moving: a pause, resume "
                   "or move is under way, or was interrupted and is settled by the next look. Of a "
                   "rented machine it says, too, when its cloud gave notice to end it early, and "
                   "warns when what that signed of its place contradicts the launch. With NAME it "
                   "shows how the command ended and, of a rented machine, the last of what it "
                   "printed.",
    .example = "greenlaunch status --all",
    .options = options,
    .values_size = sizeof(struct status_values),
    .run = run,
};
