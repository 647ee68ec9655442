/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "broker/cli/backtest_part.h"
#include "broker/cli/help.h"
#include "broker/interrupt.h"

#define AT(field)  offsetof(struct backtest_values, field)
#define DAY_S      INT64_C(86400)
#define WARM_DAYS  65 /* of evidence behind the first promise, policy/guarantee/forecast.h */
#define LIMITS_MAX 10

/* clang-format off: a row an option */
static const struct gl_option options[] = {
    {"trace", 0, GL_OPT_LIST, AT(traces), "FILE",
     "recorded figures, CSV or JSON as in docs/signals.md; may be given again", "History", NULL,
     NULL, 0, 0, 0, "file"},
    {"from", 0, GL_OPT_TEXT, AT(from), "TIME",
     "first arrival (default: once 65 days of evidence lie behind)", "History", NULL, NULL, 0, 0, 0,
     NULL},
    {"until", 0, GL_OPT_TEXT, AT(until), "TIME",
     "no arrival from then on (default: end of history)", "History", NULL, NULL, 0, 0, 0, NULL},
    {"lag", 0, GL_OPT_SPAN, AT(lag_s), "SPAN",
     "how late figures are known (default: as the trace shows, else 3h)", "History", NULL, NULL, 0,
     0, 0, NULL},
    {"jobs", 0, GL_OPT_TEXT, AT(jobs), "FILE",
     "table of jobs, CSV, with arrival and length at least", "Jobs", NULL, NULL, 0, 0, 0, "file"},
    {"job", 0, GL_OPT_TEXT, AT(job), "LENGTH,every=SPAN",
     "the same job again and again (default 6h,every=6h)", "Jobs", NULL, NULL, 0, 0, 0, NULL},
    {"power", 0, GL_OPT_QUANTITY, AT(power_u), "POWER",
     "of a running job, or of one CPU of it (default 1kW)", "Jobs", NULL, NULL, 0, 0, GL_DIM_POWER,
     NULL},
    {"finish-by", 0, GL_OPT_SPAN, AT(finish_by_s), "SPAN",
     "each job has to be over so long after it arrives", "Jobs", NULL, NULL, 0, 0, 0, NULL},
    {"slack", 0, GL_OPT_SPAN, AT(slack_s), "SPAN",
     "each job may end so much later than it could (default 24h)", "Jobs", NULL, NULL, 0, 0, 0,
     NULL},
    {"interruptible", 0, GL_OPT_FLAG, AT(is_interruptible), NULL, "jobs may be paused", "Jobs",
     NULL, NULL, 0, 0, 0, NULL},
    {"start-energy", 0, GL_OPT_QUANTITY, AT(start_energy_u), "ENERGY",
     "of every start and resume (default 0)", "Jobs", NULL, NULL, 0, 0, GL_DIM_ENERGY, NULL},
    {"data", 0, GL_OPT_QUANTITY, AT(data_bytes_u), "SIZE",
     "that a job takes along to another place (default none)", "Jobs", NULL, NULL, 0, 0,
     GL_DIM_SIZE, NULL},
    {"zone", 0, GL_OPT_TEXT, AT(home), "ZONE",
     "where jobs start (default: the first of the traces)", "Places", NULL, NULL, 0, 0, 0, "zone"},
    {"place", 0, GL_OPT_LIST, AT(places), "ZONES",
     "where else they may run (default: every zone of the traces)", "Places", NULL, NULL, 0, 0, 0,
     "zone"},
    {"pue", 0, GL_OPT_QUANTITY, AT(pue_u), "RATIO", "of all places (default 1)", "Places", NULL,
     NULL, 0, 0, GL_DIM_COUNT, NULL},
    {"renewable-only", 0, GL_OPT_OPTIONAL, AT(renewable_only), "SHARE",
     "renewable share at least 95% (or SHARE)", "Rules", "95%", NULL, 0, 0, 0, NULL},
    {"max-intensity", 0, GL_OPT_TEXT, AT(max_intensity), "INTENSITY",
     "carbon intensity at most this, as in 300gCO2e/kWh", "Rules", NULL, NULL, 0, 0, 0, NULL},
    {"min-renewable", 0, GL_OPT_TEXT, AT(min_renewable), "SHARE", "renewable share at least this",
     "Rules", NULL, NULL, 0, 0, 0, NULL},
    {"min-cfe", 0, GL_OPT_TEXT, AT(min_carbon_free), "SHARE",
     "carbon-free share (renewable and nuclear) at least this", "Rules", NULL, NULL, 0, 0, 0, NULL},
    {"no-biomass", 0, GL_OPT_FLAG, AT(has_no_biomass), NULL, "biomass does not count as renewable",
     "Rules", NULL, NULL, 0, 0, 0, NULL},
    {"boundary", 0, GL_OPT_TEXT, AT(boundary), "BOUNDARY",
     "lifecycle (default) or direct emissions", "Rules", NULL, "lifecycle|direct", 0, 0, 0, NULL},
    {"green-for", 0, GL_OPT_TEXT, AT(green_for), "SPAN",
     "the limits must be promised this long, even for shorter jobs", "Rules", NULL, NULL, 0, 0, 0,
     NULL},
    {"on-lapse", 0, GL_OPT_TEXT, AT(on_lapse), "ACT",
     "what the guard does before a promise lapses (default move)", "Rules", NULL,
     "notify|pause|move|stop", 0, 0, 0, NULL},
    {"confidence", 0, GL_OPT_QUANTITY, AT(confidence_ppm), "SHARE",
     "of promises kept, and of plans (default 95%)", "Rules", NULL, NULL, 0, 0, GL_DIM_SHARE, NULL},
    {"replan", 0, GL_OPT_SPAN, AT(replan_s), "SPAN",
     "how often a waiting or pausing job is planned anew (default: only when it must)", "Rules",
     NULL, NULL, 0, 0, 0, NULL},
    {"html", 0, GL_OPT_TEXT, AT(html), "FILE", "also write a report that works without a network",
     "Output", NULL, NULL, 0, 0, 0, "file"},
    {"week", 0, GL_OPT_TEXT, AT(week), "DATE", "the week that is drawn (default: the first)",
     "Output", NULL, NULL, 0, 0, 0, NULL},
    {"runs", 0, GL_OPT_FLAG, AT(has_runs), NULL, "with --json: every job by every strategy",
     "Output", NULL, NULL, 0, 0, 0, NULL},
    {0},
};
/* clang-format on */

/* ---- rules ---- */

static int make_policy(struct backtest *bt, struct gl_error *err)
{
    const struct backtest_values *values = bt->values;
    const char *limits[2 * LIMITS_MAX + 1] = {NULL};
    const struct {
        const char *key, *text;
    } rows[] = {
        {"min_renewable",
         values->renewable_only != NULL ? values->renewable_only : values->min_renewable},
        {"max_intensity", values->max_intensity},
        {"min_carbon_free", values->min_carbon_free},
        {"biomass", values->has_no_biomass ? "false" : NULL},
        {"boundary", values->boundary},
        {"green_for", values->green_for},
        {"on_lapse", values->on_lapse},
    };
    bool has_limit = rows[0].text != NULL || rows[1].text != NULL || rows[2].text != NULL;
    size_t count = 0;

    for (size_t i = 0; has_limit && i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].text != NULL) {
            limits[count++] = rows[i].key;
            limits[count++] = rows[i].text;
        }
    if (!has_limit && (values->green_for != NULL || values->on_lapse != NULL))
        return gl_fail(err, GL_E_USAGE,
                       "--green-for and --on-lapse need a limit, as in "
                       "--max-intensity 300gCO2e/kWh");
    bt->policy = gl_context_policy(
        bt->context, values->renewable_only != NULL ? "renewable-only" : "command-line", limits,
        err);
    return bt->policy != NULL || err->code == GL_OK ? 0 : -1;
}

/* Keys that a trace of figures says nothing about are named, not passed over in silence. */
static void warn_of_rules(struct backtest *bt)
{
    GL_AUTO(gl_str_done) struct gl_str names = {0};

    for (size_t r = 0; bt->policy != NULL && r < bt->policy->rule_count; r++)
        for (size_t c = 0; c < bt->policy->rules[r].count; c++) {
            const struct gl_constraint *one = &bt->policy->rules[r].constraints[c];
            bool is_judged = one->key->id <= GL_KEY_ON_LAPSE;

            if (!is_judged && strstr(gl_str_text(&names), one->key->name) == NULL)
                gl_str_addf(&names, "%s%s", names.length > 0 ? ", " : "", one->key->name);
        }
    if (names.length > 0)
        gl_warn(bt->context, "GL2006",
                "not replayed, because recorded figures of a grid do not say it: %s",
                gl_str_text(&names));
}

/* ---- when ---- */

static int read_time(const char *flag, const char *text, int64_t *out_s, struct gl_error *err)
{
    struct gl_instant at;

    if (text == NULL)
        return 0;
    if ((strlen(text) == 10 ? gl_date_parse(text, &at, err) : gl_instant_parse(text, &at, err)) !=
        0)
        return gl_wrap(err, "--%s %s", flag, text);
    *out_s = at.unix_s;
    return 0;
}

/* Without --from the first arrival has evidence behind it; in a short trace, a third of it. */
static int choose_times(struct backtest *bt, struct gl_error *err)
{
    int64_t length_s = bt->end_s - bt->first_s, warm_s = WARM_DAYS * DAY_S;

    if (warm_s > length_s / 2)
        warm_s = length_s / 3 / DAY_S * DAY_S;
    bt->from_s = bt->first_s + warm_s;
    bt->until_s = bt->end_s;
    if (read_time("from", bt->values->from, &bt->from_s, err) != 0 ||
        read_time("until", bt->values->until, &bt->until_s, err) != 0)
        return -1;
    if (bt->from_s >= bt->until_s)
        return gl_fail(err, GL_E_USAGE, "--from is not before --until");
    bt->week_s = (bt->from_s + DAY_S - 1) / DAY_S * DAY_S;
    return read_time("week", bt->values->week, &bt->week_s, err);
}

/* ---- the replay ---- */

static bool show(void *cookie, size_t done, size_t all)
{
    struct gl_context *context = cookie;

    gl_progress_tick(context);
    (void)done;
    (void)all;
    return !gl_interrupted();
}

static void fill_options(struct backtest *bt)
{
    const struct backtest_values *values = bt->values;
    double watts = values->power_u == INT64_MIN ? BACKTEST_POWER_W : (double)values->power_u / 1e6;

    bt->options = (struct gl_backtest_options){
        .places = bt->places,
        .place_count = bt->place_count,
        .jobs = bt->jobs,
        .job_count = bt->job_count,
        .policy = bt->policy,
        .confidence =
            values->confidence_ppm == INT64_MIN ? 0.95 : (double)values->confidence_ppm / 1e6,
        .replan_h =
            values->replan_s == INT64_MIN ? 0 : (uint32_t)((values->replan_s + 3599) / 3600),
        .start_kwh = values->start_energy_u == INT64_MIN ? 0 : (double)values->start_energy_u / 1e9,
        .copy = {.data_gb = values->data_bytes_u == INT64_MIN
                                ? 0
                                : (double)values->data_bytes_u / 1e6 / 1e9,
                 .kwh_per_gb = GL_COPY_KWH_WORST,
                 .gbit_per_s = BACKTEST_GBIT,
                 .idle_kwh_per_hour = BACKTEST_IDLE_PART * watts / 1000},
        .guard = {.lead_h = 1,
                  .min_stay_h = 1,
                  .margin = BACKTEST_MARGIN,
                  .on_lapse = GL_LAPSE_MOVE},
        .tick = show,
        .cookie = bt->context,
    };
}

static int replay(struct backtest *bt, struct gl_error *err)
{
    fill_options(bt);
    if (bt->options.copy.data_gb > 0 && gl_region_copy_hours(&bt->options.copy) >= 1)
        return gl_fail(err, GL_E_TOO_LARGE,
                       "--data: a copy that takes an hour or more at %g "
                       "Gbit/s is not replayed",
                       BACKTEST_GBIT);
    gl_progress(bt->context, "replaying %zu jobs in %zu zone%s", bt->job_count, bt->place_count,
                bt->place_count == 1 ? "" : "s");
    if (gl_backtest_run(&bt->options, &bt->arena, &bt->result, err) != 0) {
        if (err->code != GL_E_INTERRUPTED)
            return -1;
        gl_error_clear(err);
        return gl_interrupt_fail(err, "the replay");
    }
    gl_progress_end(bt->context);
    return 0;
}

static int write_html(struct backtest *bt, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str page = {0};

    if (bt->values->html == NULL)
        return 0;
    gl_backtest_html(bt, &page);
    if (page.is_cut)
        return gl_fail(err, GL_E_TOO_LARGE, "the report would be larger than 64 MB");
    if (gl_file_write_given(bt->values->html, gl_str_text(&page), page.length, 0644, err) != 0)
        return gl_wrap(err, "--html");
    gl_say(bt->context, "wrote %s (%zu kB): open it in a browser, no network is needed",
           bt->values->html, page.length / 1000);
    return 0;
}

/* Jobs that could not be replayed are said, and nothing but them is an unknown. */
static int answer(struct backtest *bt)
{
    const struct gl_backtest_total *now = &bt->result.totals[GL_BACKTEST_NOW];
    size_t unplanned = 0;

    if (now->ends[GL_BACKTEST_BEYOND] > 0)
        gl_warn(bt->context, "GL8001",
                "jobs that could end after the recorded hours and were not replayed: %zu of %zu",
                now->ends[GL_BACKTEST_BEYOND], bt->job_count);
    if (now->ends[GL_BACKTEST_UNKNOWN] > 0)
        gl_warn(
            bt->context, "GL8001",
            "jobs that would have run through hours without a figure, left out of the sums: %zu",
            now->ends[GL_BACKTEST_UNKNOWN]);
    for (int s = GL_BACKTEST_WAIT; s < GL_BACKTEST_ORACLE; s++)
        unplanned =
            bt->result.totals[s].unplanned > unplanned ? bt->result.totals[s].unplanned : unplanned;
    if (unplanned > 0)
        gl_warn(bt->context, "GL8001",
                "jobs that arrived when too little was known to plan (forecasts need some weeks of "
                "history) and started at once: %zu",
                unplanned);
    bt->context->reply.data = gl_backtest_json(bt);
    if (bt->context->globals.is_accessible)
        gl_backtest_accessible(bt);
    else
        gl_backtest_text(bt);
    if (now->compared > 0)
        return GL_EXIT_OK;
    bt->context->reply.verdict = "unknown";
    return GL_EXIT_UNKNOWN;
}

static void done(struct backtest *bt)
{
    gl_arena_done(&bt->arena);
    gl_policy_free(bt->policy);
    gl_backtest_traces_done(bt);
    free(bt->jobs);
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    struct backtest *bt = gl_alloc(sizeof *bt);
    int status = -1;

    bt->context = context;
    bt->values = call->values;
    if (gl_help_operands(&gl_command_backtest, call, 0, 0, err) == 0 && make_policy(bt, err) == 0 &&
        gl_backtest_read_traces(bt, err) == 0 && gl_backtest_choose_places(bt, err) == 0 &&
        choose_times(bt, err) == 0 && gl_backtest_read_jobs(bt, err) == 0 && replay(bt, err) == 0) {
        warn_of_rules(bt);
        status = answer(bt);
        if (write_html(bt, err) != 0)
            status = -1;
    }
    done(bt);
    free(bt);
    return status;
}

const struct gl_command gl_command_backtest = {
    .name = "backtest",
    .group = "Look",
    .summary = "what a policy and plans would have done with jobs over recorded hours",
    .operands = "",
    .description =
        "Replays jobs over recorded figures of one or more grid zones, hour by hour, with the same "
        "forecasts, promises, plans and guard that launches use, and only what was known at each "
        "hour. Compares starting at once in the same place with waiting, pausing, other places and "
        "the guard, and with the least that was possible. Nothing is launched. With rules "
        "(--max-intensity, --policy) jobs start only where their whole run can be promised.",
    .example = "$ greenlaunch backtest --trace de.csv --job 6h,every=6h --html report.html",
    .options = options,
    .values_size = sizeof(struct backtest_values),
    .run = run,
};
