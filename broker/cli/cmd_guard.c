/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "broker/carried.h"
#include "broker/cli/act.h"
#include "broker/cli/grid.h"
#include "broker/cli/help.h"
#include "broker/finish.h"
#include "broker/guard.h"
#include "broker/interrupt.h"
#include "broker/learnt.h"
#include "broker/render/text.h"

#define EVERY_S           300
#define TICK_MS           250
#define FOREGROUND_LATE_S 60
#define INDENT            2

struct guard_values {
    bool is_once, is_dry, is_any_price;
    int64_t every_s, lead_s;
    const char *launch;
};

#define AT(field) offsetof(struct guard_values, field)
static const struct gl_option options[] = {
    {"once", 0, GL_OPT_FLAG, AT(is_once), NULL, "look once and end, for cron", NULL, NULL, NULL, 0,
     0, 0, NULL},
    {"every", 0, GL_OPT_SPAN, AT(every_s), "SPAN",
     "time between two looks (default 5min); with --once: between two calls", NULL, NULL, NULL, 1,
     86400, 0, NULL},
    {"launch", 0, GL_OPT_TEXT, AT(launch), "ID", "with --once: look at this launch only", NULL,
     NULL, NULL, 0, 0, 0, NULL},
    {"lead", 0, GL_OPT_SPAN, AT(lead_s), "SPAN",
     "act when a promise lapses within this; longer than the time between two looks (default 1h)",
     NULL, NULL, NULL, 1, 86400, 0, NULL},
    {"dry-run", 0, GL_OPT_FLAG, AT(is_dry), NULL, "say what would be done and do nothing", NULL,
     NULL, NULL, 0, 0, 0, NULL},
    {"any-move-cost", 0, GL_OPT_FLAG, AT(is_any_price), NULL,
     "move rented machines whatever it costs in money, and where no price is known", NULL, NULL,
     NULL, 0, 0, 0, NULL},
    {0},
};

/* What one look needs. */
struct look {
    struct gl_grid grid;
    json_t *launches, *promises; /* of data; borrowed */
    bool is_dry, is_once;
};

static const struct gl_zone_facts *facts(void *cookie, const char *zone)
{
    return gl_grid_zone(&((struct look *)cookie)->grid, zone);
}

/* This machine's other places, and the other regions of a rented machine's cloud. */
static size_t places(void *cookie, const struct gl_launch_row *row, struct gl_cloud_place *out,
                     size_t capacity)
{
    const struct gl_config *config = &((struct look *)cookie)->grid.context->config;
    size_t count = config->place_count < capacity ? config->place_count : capacity;

    if (strcmp(row->cloud, "local") != 0)
        return gl_guard_regions(row, out, capacity);
    memcpy(out, config->places, count * sizeof *out);
    return count;
}

/* ---- a launch in words ---- */

static void add_instant(struct gl_str *line, int64_t unix_s)
{
    char text[GL_INSTANT_TEXT];

    gl_str_add(line, gl_instant_text((struct gl_instant){unix_s}, text));
}

static void add_foreign(struct gl_str *line, const char *text)
{
    gl_str_add_printable(line, text, strlen(text));
}

/* Until when, and by what. */
static void add_until(struct gl_str *line, const struct gl_guard_report *report)
{
    int64_t until_s = report->here != NULL ? report->here->until_s : GL_UNKNOWN;

    if (report->here != NULL && report->here->gap != GL_GAP_NONE)
        gl_str_addf(line, "; %s", gl_gap_sentence(report->here->gap));
    if (until_s == GL_UNKNOWN)
        return;
    gl_str_add(line, " (rule ");
    add_foreign(line, report->rule);
    gl_str_add(line, ": green until ");
    add_instant(line, until_s);
    if (report->promise != NULL)
        gl_str_addf(line, ", p %.4g %%)", report->promise->probability * 100);
    else
        gl_str_add(line, " by the data at hand)");
}

static void add_where(struct gl_str *line, const struct gl_guard_report *report)
{
    if (report->to_region[0] == '\0')
        return;
    gl_str_add(line, " to ");
    add_foreign(line, report->to_region);
    gl_str_add(line, " in ");
    add_foreign(line, report->to_zone);
    if (report->continued[0] != '\0')
        gl_str_addf(line, " as %s", report->continued);
}

static void add_again(struct gl_str *line, const struct gl_guard_report *report)
{
    if (report->tries > 0)
        gl_str_addf(line, "; %s %u time%s",
                    report->failed != NULL ? "failed" : "what was asked for failed", report->tries,
                    report->tries == 1 ? "" : "s");
    if (report->retry_s != GL_UNKNOWN) {
        gl_str_add(line, ", not tried again before ");
        add_instant(line, report->retry_s);
    }
    if (report->told_s != GL_UNKNOWN) {
        gl_str_add(line, "; told before, ");
        add_instant(line, report->told_s);
    }
    if (report->choice.was_refused_gain)
        gl_str_add(line,
                   "; another place is green, but moving costs more than is known to be saved");
    if (report->choice.was_refused_price)
        gl_str_add(line, "; another region is green, but getting there costs more money than the "
                         "rest of the lease, or nobody knows how much");
    if (report->unmoved[0] != '\0') {
        gl_str_add(line, "; not moved: ");
        add_foreign(line, report->unmoved);
    }
}

/* Of a plan with pauses: until when it stays as it is. */
static void add_next(struct gl_str *line, const struct gl_guard_report *report)
{
    if (report->next_s == GL_UNKNOWN || report->choice.act == GL_GUARD_STOP)
        return;
    gl_str_add(line, "; as planned until ");
    add_instant(line, report->next_s);
}

static void add_report(struct gl_str *line, const struct gl_guard_report *report, bool is_dry)
{
    static const char *const did[] = {"stays", "moved", "paused", "resumed", "stopped", "NOTICE"};
    enum gl_guard_act act = report->choice.act;

    gl_str_addf(line, "%s  ", report->row->launch);
    if (report->failed != NULL)
        gl_str_addf(line, "FAILED to %s", gl_guard_act_word(act));
    else if (is_dry && act != GL_GUARD_STAY)
        gl_str_addf(line, "would %s", gl_guard_act_word(act));
    else
        gl_str_add(line, did[act]);
    add_where(line, report);
    gl_str_addf(line, ": %s", gl_guard_why_sentence(report->choice.why));
    add_until(line, report);
    add_next(line, report);
    if (report->failed != NULL) {
        gl_str_add(line, "; ");
        add_foreign(line, report->failed->text);
    }
    add_again(line, report);
}

static json_t *instant_json(int64_t unix_s)
{
    char text[GL_INSTANT_TEXT];

    return unix_s == GL_UNKNOWN ? json_null()
                                : json_string(gl_instant_text((struct gl_instant){unix_s}, text));
}

static json_t *text_json(const char *text)
{
    GL_AUTO(gl_str_done) struct gl_str shown = {0};

    if (text == NULL || text[0] == '\0')
        return json_null();
    add_foreign(&shown, text);
    return json_string(gl_str_text(&shown));
}

static json_t *report_json(const struct gl_guard_report *report, bool is_dry)
{
    const struct gl_outlook *here = report->here;
    json_t *json = json_pack(
        "{s:s,s:o,s:o,s:o,s:s,s:s,s:b,s:o,s:o,s:o}", "launch", report->row->launch, "name",
        text_json(report->row->name), "region", text_json(report->row->region), "zone",
        text_json(report->row->zone), "act", gl_guard_act_word(report->choice.act), "why",
        gl_guard_why_sentence(report->choice.why), "done", report->failed == NULL && !is_dry, "to",
        text_json(report->to_region), "to_zone", text_json(report->to_zone), "rule",
        text_json(report->rule));

    json_object_set_new(json, "until", instant_json(here != NULL ? here->until_s : GL_UNKNOWN));
    json_object_set_new(json, "probability",
                        report->promise != NULL ? json_real(report->promise->probability)
                                                : json_null());
    json_object_set_new(json, "error",
                        text_json(report->failed != NULL ? report->failed->text : NULL));
    json_object_set_new(json, "tries", json_integer((json_int_t)report->tries));
    json_object_set_new(json, "retry", instant_json(report->retry_s));
    json_object_set_new(json, "plan_until", instant_json(report->next_s));
    json_object_set_new(json, "told", instant_json(report->told_s));
    json_object_set_new(json, "continued_by", text_json(report->continued));
    json_object_set_new(json, "unmoved", text_json(report->unmoved));
    json_object_set_new(json, "gain_g",
                        report->choice.place != SIZE_MAX ? json_real(report->choice.gain_g)
                                                         : json_null());
    return json;
}

/* Once: the reply. In the foreground: talk, of what is new only. */
static void show(struct look *look, const struct gl_str *line, bool is_new)
{
    struct gl_context *context = look->grid.context;

    if (look->is_once)
        gl_render_hang(gl_str_text(line), INDENT, context->columns, &context->reply.text);
    else if (is_new)
        gl_say(context, "%s", gl_str_text(line));
}

static void warn(struct gl_context *context, const char *what, const struct gl_error *err)
{
    char code[16];

    snprintf(code, sizeof code, "GL%04d", (int)err->code);
    gl_warn(context, code, "%s: %s", what, err->text);
}

static void tell(void *cookie, const struct gl_guard_report *report)
{
    struct look *look = cookie;
    struct gl_context *context = look->grid.context;
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    context->is_demo |= report->row->is_demo;
    add_report(&line, report, look->is_dry);
    show(look, &line, report->choice.act != GL_GUARD_STAY && report->told_s == GL_UNKNOWN);
    if (report->untold != NULL)
        warn(context, report->row->launch, report->untold);
    json_array_append_new(look->launches, report_json(report, look->is_dry));
}

/* ---- a promise in words ---- */

static void add_news(struct gl_str *line, const struct gl_promise_news *news)
{
    bool is_broken = strcmp(news->state, "breached") == 0,
         is_open = strcmp(news->state, "open") == 0;

    gl_str_addf(line, "%s  %s of %s in ",
                is_broken && news->was_there ? "BREACHED"
                : is_open                    ? "broken by preliminary figures"
                                             : news->state,
                news->row->id, news->row->launch);
    add_foreign(line, news->row->zone);
    if (news->hour_s != GL_UNKNOWN) {
        gl_str_add(line, is_broken || is_open ? ": the limit was broken in the hour of "
                                              : ": nothing is known of the hour of ");
        add_instant(line, news->hour_s);
    }
    if (is_broken && !news->was_there)
        gl_str_add(line, "; the launch had been moved, paused or ended by then");
}

static void tell_news(void *cookie, const struct gl_promise_news *news)
{
    struct look *look = cookie;
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    look->grid.context->is_demo |= news->row->is_demo;
    add_news(&line, news);
    show(look, &line, strcmp(news->state, "open") != 0);
    json_array_append_new(
        look->promises,
        json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:b}", "id", news->row->id, "launch", news->row->launch,
                  "zone", news->row->zone, "state", news->state, "hour", instant_json(news->hour_s),
                  "was_there",
                  news->hour_s != GL_UNKNOWN ? json_boolean(news->was_there) : json_null(),
                  "on_estimates", news->on_estimates));
}

/* ---- looking ---- */

static void say_troubles(struct gl_context *context, const struct gl_guarded *guarded)
{
    if (guarded->reconciled.unknown > 0)
        gl_warn(context, "GL5002", "%u launch%s cannot be asked now", guarded->reconciled.unknown,
                guarded->reconciled.unknown == 1 ? "" : "es");
    if (guarded->reconciled.failed > 0)
        warn(context, "not settled", &guarded->reconciled.first);
    if (guarded->swept.left > 0)
        warn(context, "not deleted yet", &guarded->swept.first);
    if (guarded->settled.failed > 0)
        warn(context, "a promise cannot be settled", &guarded->settled.first);
}

/* In the foreground it wakes when a plan changes; a caller of --once comes when it comes. */
static int64_t late_of(const struct guard_values *values)
{
    int64_t every_s = values->every_s == INT64_MIN ? EVERY_S : values->every_s;

    return values->is_once || every_s < FOREGROUND_LATE_S ? every_s : FOREGROUND_LATE_S;
}

static bool has_capped(const struct gl_capped *capped)
{
    return capped->paused + capped->resumed + capped->stopped + capped->failed + capped->warned > 0;
}

static json_t *capped_json(const struct gl_capped *capped)
{
    json_t *warnings = json_array();

    for (unsigned i = 0; i < capped->warned && i < GL_CAPPED_WARNINGS; i++)
        json_array_append_new(warnings, json_string(capped->warnings[i]));
    return json_pack("{s:i,s:i,s:i,s:i,s:i,s:o,s:o}", "paused", (int)capped->paused, "stopped",
                     (int)capped->stopped, "resumed", (int)capped->resumed, "grown",
                     (int)capped->grown, "failed", (int)capped->failed, "error",
                     text_json(capped->failed > 0 ? capped->first.text : NULL), "warnings",
                     warnings);
}

static void say_capped(struct gl_context *context, const struct gl_capped *capped)
{
    char code[16];

    if (capped->paused + capped->resumed + capped->stopped > 0)
        gl_say(context,
               "by their budgets: %u paused, %u stopped, %u resumed; see greenlaunch budget "
               "show",
               capped->paused, capped->stopped, capped->resumed);
    for (unsigned i = 0; i < capped->warned && i < GL_CAPPED_WARNINGS; i++)
        gl_warn(context, "GL7001", "%s", capped->warnings[i]);
    snprintf(code, sizeof code, "GL%d", (int)capped->first.code);
    if (capped->failed > 0)
        gl_warn(context, code, "%u launch%s of a spent budget go%s on: %s", capped->failed,
                capped->failed == 1 ? "" : "es", capped->failed == 1 ? "es" : "",
                capped->first.text);
}

static int look_once(struct gl_context *context, const struct guard_values *values, bool is_locked,
                     struct gl_guarded *out, struct gl_error *err)
{
    struct gl_launcher launcher;
    struct gl_learnt learnt;
    char only[GL_CLOUD_ID];
    struct look look = {.is_dry = values->is_dry, .is_once = values->is_once};
    const struct gl_carried_meter *meter = &context->config.meter;
    struct gl_guard guard = {.launcher = &launcher,
                             .cookie = &look,
                             .facts = facts,
                             .places = places,
                             .report = tell,
                             .news = tell_news,
                             .meter = gl_carried_is_any(meter) ? meter : NULL,
                             .is_any_price = values->is_any_price,
                             .memory = &learnt.memory,
                             .lead_s = values->lead_s == INT64_MIN ? 0 : values->lead_s,
                             .margin = -1,
                             .only = values->launch != NULL ? only : NULL,
                             .late_s = late_of(values),
                             .is_dry = values->is_dry,
                             .is_locked = is_locked};
    int result;

    json_decref(context->reply.data);
    context->reply.data = json_pack("{s:[],s:[]}", "launches", "promises");
    look.launches = json_object_get(context->reply.data, "launches");
    look.promises = json_object_get(context->reply.data, "promises");
    if (gl_act_launcher(context, &launcher, err) != 0 ||
        (values->launch != NULL && gl_launch_named(&launcher, values->launch, only, err) != 0) ||
        gl_grid_open(&look.grid, context, err) != 0)
        return -1;
    gl_learnt_init(&learnt, launcher.state_folder);
    gl_progress(context, "looking at what runs");
    result = gl_guard_once(&guard, out, err);
    gl_progress_end(context);
    gl_learnt_done(&learnt);
    gl_grid_close(&look.grid);
    say_troubles(context, out);
    say_capped(context, &out->capped);
    json_object_set_new(context->reply.data, "budgets", capped_json(&out->capped));
    return result;
}

static int64_t lead_of(const struct guard_values *values)
{
    return values->lead_s == INT64_MIN ? GL_GUARD_LEAD_S : values->lead_s;
}

/* What called it and calls it again is not ours: a gap between two looks is said. */
static void warn_of_gap(struct gl_context *context, const struct guard_values *values,
                        const struct gl_guarded *guarded)
{
    const bool is_said = values->every_s != INT64_MIN;
    const int64_t gap_s = is_said ? values->every_s : guarded->unseen_s;
    char gap[GL_QUANTITY_TEXT], lead[GL_QUANTITY_TEXT];

    if (gap_s == GL_UNKNOWN || gap_s < lead_of(values) || guarded->watched == 0)
        return;
    gl_span_text((struct gl_span){gap_s}, gap);
    gl_span_text((struct gl_span){lead_of(values)}, lead);
    gl_warn(context, "GL2006",
            "%s %s, and a promise that lapses within %s is acted on: one can lapse between two "
            "looks with nothing done; look more often, or give a longer --lead",
            is_said ? "called every" : "nobody has looked for", gap, lead);
}

static int status_of(const struct gl_guarded *guarded)
{
    if (guarded->settled.met > 0 || guarded->settled.failed > 0)
        return GL_EXIT_BREACH;
    if (guarded->failed > 0 && guarded->failed == guarded->over_budget &&
        guarded->reconciled.failed == 0)
        return GL_EXIT_BUDGET;
    if (guarded->undone > 0 && guarded->undone == guarded->watched)
        return GL_EXIT_REMOTE;
    return guarded->failed > 0 || guarded->reconciled.failed > 0 ? GL_EXIT_PARTIAL : GL_EXIT_OK;
}

static int once(struct gl_context *context, const struct guard_values *values, struct gl_error *err)
{
    struct gl_guarded guarded = {0};

    if (look_once(context, values, false, &guarded, err) != 0)
        return -1;
    if (gl_interrupted())
        return gl_interrupt_fail(err, "the look was broken off between two launches");
    warn_of_gap(context, values, &guarded);
    if (guarded.watched == 0 && !has_capped(&guarded.capped))
        gl_render_hang(
            "Nothing to guard: no launch runs under a promise, a limit on the grid or a plan with "
            "pauses.",
            0, context->columns, &context->reply.text);
    return status_of(&guarded);
}

/* ---- in the foreground ---- */

/* Waits until the next look; false when something asked us to stop. */
static bool wait_for(struct gl_context *context, int64_t seconds)
{
    const struct gl_world *world = &context->world;
    int64_t until_ms = world->monotonic_ms(world->cookie) + seconds * 1000;

    while (!gl_interrupted() && world->monotonic_ms(world->cookie) < until_ms) {
        world->sleep_ms(world->cookie, TICK_MS);
        if (context->is_live)
            gl_progress_tick(context);
    }
    gl_progress_end(context);
    return !gl_interrupted();
}

/* The sign of life: a line that is redrawn, or one a look. */
static void say_alive(struct gl_context *context, const struct gl_guarded *guarded, int64_t every_s)
{
    char at[GL_INSTANT_TEXT], span[GL_QUANTITY_TEXT];

    gl_instant_text(gl_now(&context->world), at);
    gl_span_text((struct gl_span){every_s}, span);
    if (context->is_live)
        gl_progress(context, "guarding %u, looked at %s, every %s", guarded->watched, at, span);
    else
        gl_say(context, "%s  guarding %u: %u stay, %u moved, %u paused, %u resumed, %u stopped", at,
               guarded->watched, guarded->stayed, guarded->moved, guarded->paused, guarded->resumed,
               guarded->stopped);
}

static void forget_talk(struct gl_context *context)
{
    gl_str_clear(&context->reply.text);
    json_decref(context->reply.warnings);
    context->reply.warnings = NULL;
}

/* The next look: in time for what a plan changes. */
static int64_t until_next(const struct gl_context *context, const struct gl_guarded *guarded,
                          int64_t every_s)
{
    int64_t left_s;

    if (guarded->next_s == GL_UNKNOWN)
        return every_s;
    left_s = guarded->next_s - gl_now(&context->world).unix_s;
    return left_s < 1 ? 1 : left_s < every_s ? left_s : every_s;
}

/* After a first look that went well a guard goes on whatever happens: what cannot be read or
 * written now can perhaps the next time. */
static int keep_looking(struct gl_context *context, const struct guard_values *values,
                        int64_t every_s, struct gl_error *err)
{
    struct gl_guarded guarded = {0};

    if (look_once(context, values, true, &guarded, err) != 0)
        return -1;
    do {
        say_alive(context, &guarded, every_s);
        if (!wait_for(context, until_next(context, &guarded, every_s)))
            break;
        forget_talk(context);
        if (look_once(context, values, true, &guarded, err) != 0) {
            warn(context, "this look failed", err);
            gl_error_clear(err);
        }
    } while (!gl_interrupted());
    return gl_interrupt_fail(err, "the guard has ended; what runs goes on unguarded");
}

static int in_foreground(struct gl_context *context, const struct guard_values *values,
                         int64_t every_s, struct gl_error *err)
{
    const char *folder = gl_context_state(context, err);
    int lock, result;

    if (folder == NULL)
        return -1;
    lock = gl_guard_lock(folder, err);
    if (lock < 0)
        return -1;
    result = keep_looking(context, values, every_s, err);
    close(lock);
    return result;
}

static int check(const struct gl_context *context, const struct guard_values *values,
                 int64_t every_s, struct gl_error *err)
{
    if (context->globals.at != NULL)
        return gl_fail(err, GL_E_USAGE,
                       "--at looks at another instant, when nothing can be guarded");
    if (every_s < 1 || every_s > 86400 || (values->lead_s != INT64_MIN && values->lead_s < 1))
        return gl_fail(err, GL_E_USAGE, "--every is 1 second to a day, --lead at least a second");
    if (!values->is_once && lead_of(values) <= every_s)
        return gl_fail(
            err, GL_E_USAGE,
            "--lead must be longer than --every: a promise could lapse between two looks");
    if (!values->is_once && values->launch != NULL)
        return gl_fail(err, GL_E_USAGE, "--launch looks at one launch: use it with --once");
    if (!values->is_once && context->globals.is_json)
        return gl_fail(err, GL_E_USAGE, "--json prints one document: use it with --once");
    return 0;
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct guard_values *values = call->values;
    int64_t every_s = values->every_s == INT64_MIN ? EVERY_S : values->every_s;

    if (gl_help_operands(&gl_command_guard, call, 0, 0, err) != 0 ||
        check(context, values, every_s, err) != 0)
        return -1;
    gl_interrupt_catch(context->globals.timeout_s);
    return values->is_once ? once(context, values, err)
                           : in_foreground(context, values, every_s, err);
}

const struct gl_command gl_command_guard = {
    .name = "guard",
    .group = "Act",
    .summary = "watch what runs, and act before a promise breaks",
    .operands = "",
    .description =
        "Issues the promise of every launch again on what is known now; what was launched without "
        "a promise is judged by the data at hand. Before it lapses it does what the launch asked "
        "for with --on-lapse: move to another place, pause until green, stop, or tell. A move is "
        "made only for a gain larger than all that it costs; what cannot be done falls to the "
        "milder act, never to stop. A rented machine is moved by an image of its disk to another "
        "region, as a new launch with the rest of its lease, for no more money than that rest "
        "costs. What a person paused stays paused. A launch with a plan with "
        "pauses (--interruptible) is paused between its stretches, resumed in them and ended when "
        "it has run for as long as it was to. Settles promises that have "
        "come due: exit 9 when one was breached in this look. One guard acts at a time: a second "
        "one ends with exit 5. Runs until Ctrl-C, or once with --once.",
    .example = "greenlaunch guard --once",
    .options = options,
    .values_size = sizeof(struct guard_values),
    .run = run,
};
