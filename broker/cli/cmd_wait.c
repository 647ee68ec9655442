/* SPDX-License-Identifier: Apache-2.0 */
/* wait: until the rules allow; then, with a command, what run does. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "broker/cli/demand_reply.h"
#include "broker/cli/help.h"
#include "broker/cli/run_command.h"
#include "broker/cli/stretches.h"
#include "broker/interrupt.h"
#include "broker/render/decision.h"
#include "broker/render/text.h"
#include "policy/judge.h"
#include "providers/signal/store.h"

#define HOUR_S     3600
#define SETTLE_S   60  /* after the hour, until sources have the new one */
#define SHORTEST_S 300 /* between two looks */
#define JUMP_S     120 /* backwards: the clock was set */
#define STEP_MS    1000
#define LONGEST_S  ((int64_t)48 * HOUR_S) /* without a latest start: as far as forecasts reach */

struct wait_values {
    struct gl_run_values run;
    const char *not_before;
};

static const struct gl_option options[] = {
#include "broker/cli/ask_options.def"
#include "broker/cli/run_options.def"
#include "broker/cli/start_options.def"
    {"not-before", 0, GL_OPT_TEXT, offsetof(struct wait_values, not_before), "TIME",
     "wait until then at least, as plan says: RFC 3339, or from now", "Request", NULL, NULL, 0, 0,
     0, NULL},
    {0},
};

struct waiting {
    struct gl_context *context;
    struct gl_ask ask;            /* with times as instants */
    char latest[GL_INSTANT_TEXT]; /* of ask.start_by */
    char finish[GL_INSTANT_TEXT]; /* of ask.finish_by: of a plan with pauses only */
    int64_t begun_s, not_before_s;
    int64_t deadline_s; /* latest start */
    int64_t told_s;     /* the expected start that was said last; GL_UNKNOWN = none */
    unsigned looks;
    bool may_lack_rules;
    bool is_interruptible;
    struct gl_demand needs[GL_DEMAND_PLACES]; /* that it waits for, as they were at first */
    size_t need_count;
};

static int64_t now_s(const struct waiting *waiting)
{
    return gl_now(&waiting->context->world).unix_s;
}

/* ---- what a look says ---- */

static int64_t expected_s(const struct gl_ask_result *asked)
{
    const struct gl_decision *decision = asked->decision;

    for (size_t i = 0; i < decision->alternative_count; i++)
        if (decision->alternatives[i].kind == GL_ALT_TIME)
            return decision->alternatives[i].start.unix_s;
    return GL_UNKNOWN;
}

/* Does any source say what is, and will be, in a zone of the offer? */
static bool has_source(const struct gl_ask_result *asked, const struct gl_offer *offer)
{
    size_t count;
    const struct gl_signal_report *reports = gl_signal_store_reports(asked->signals, &count);

    for (size_t z = 0; z < offer->place->zone_count; z++)
        for (size_t i = 0; i < count; i++)
            if (strcmp(reports[i].zone, offer->place->zones[z]->zone) == 0 &&
                !reports[i].is_skipped && strcmp(reports[i].source, "builtin") != 0)
                return true;
    return false;
}

/* Could another hour bring another answer? */
static bool may_change(const struct gl_ask_result *asked)
{
    const struct gl_decision *decision = asked->decision;

    for (size_t i = 0; i < decision->judged; i++) {
        const struct gl_judgement *one = &decision->judgements[i];

        if ((one->outcome == GL_VIOLATED || one->outcome == GL_OUTCOME_UNKNOWN) &&
            one->reason.constraint != NULL && gl_key_is_timely(one->reason.constraint->key->id) &&
            has_source(asked, &asked->offers->offers[i]))
            return true;
    }
    return false;
}

static void tell(struct waiting *waiting, const struct gl_ask_result *asked)
{
    int64_t expected = expected_s(asked);
    char at[GL_INSTANT_TEXT];

    if (waiting->need_count == 0)
        waiting->need_count = gl_demand_of_ask(waiting->context, asked, waiting->needs);
    if (waiting->looks > 1 && expected == waiting->told_s)
        return;
    waiting->told_s = expected;
    if (expected == GL_UNKNOWN)
        gl_say(waiting->context, "not yet: %s; when is not known", gl_render_gist(asked->decision));
    else
        gl_say(waiting->context, "not yet: expected from %s",
               gl_instant_text((struct gl_instant){expected}, at));
}

static void say_plan(struct waiting *waiting, int64_t expected)
{
    char at[GL_INSTANT_TEXT];

    if (waiting->looks == 1 || expected != waiting->told_s)
        gl_say(waiting->context, "not yet: the first stretch of the plan begins at %s",
               gl_instant_text((struct gl_instant){expected}, at));
    waiting->told_s = expected;
}

/* ---- time ---- */

/* When new data can be there: with each full hour; when the expected start has come; every few
 * minutes once it has passed or nobody knows one. */
static int64_t next_look(const struct waiting *waiting, int64_t expected)
{
    int64_t now = now_s(waiting), next = now + SHORTEST_S;
    int64_t hour = now / HOUR_S * HOUR_S + HOUR_S + SETTLE_S;

    if (expected != GL_UNKNOWN && expected > now)
        next = expected < hour || hour < next ? expected : hour;
    else if (hour > next && hour < next + SHORTEST_S)
        next = hour;
    if (now < waiting->not_before_s)
        next = waiting->not_before_s;
    return next > waiting->deadline_s - 1 ? waiting->deadline_s - 1 : next;
}

static void say_wait(struct waiting *waiting, int64_t expected, int64_t next)
{
    char from[GL_INSTANT_TEXT], at[GL_INSTANT_TEXT];

    gl_instant_text((struct gl_instant){next}, at);
    if (expected == GL_UNKNOWN)
        gl_progress(waiting->context, "waiting; next look at %s", at);
    else
        gl_progress(waiting->context, "waiting, expected from %s; next look at %s",
                    gl_instant_text((struct gl_instant){expected}, from), at);
}

/* Until then, or until somebody interrupts or sets the clock back. */
static void sleep_until(struct waiting *waiting, int64_t until)
{
    struct gl_world *world = &waiting->context->world;
    int64_t before = now_s(waiting), now = before;

    while (now < until && !gl_interrupted() && now >= before - JUMP_S) {
        before = now;
        world->sleep_ms(world->cookie, STEP_MS);
        if (waiting->context->is_live)
            gl_progress_tick(waiting->context);
        now = now_s(waiting);
    }
    gl_progress_end(waiting->context);
}

/* ---- the answer ---- */

/* It was had in the end, but later: what that cost in time. */
static void note_needs(struct waiting *waiting)
{
    int64_t now_ms = waiting->context->world.now_ms(waiting->context->world.cookie);

    for (size_t i = 0; i < waiting->need_count; i++) {
        struct gl_demand *need = &waiting->needs[i];

        need->kind = GL_DEMAND_LATER;
        need->instead = GL_INSTEAD_WAITED;
        need->lost_ms = now_ms > need->at_ms ? now_ms - need->at_ms : 0;
    }
    gl_demand_note(waiting->context, waiting->needs, waiting->need_count);
}

static int answer_allowed(struct waiting *waiting, const struct gl_ask_result *asked)
{
    struct gl_context *context = waiting->context;
    const struct gl_question question = gl_ask_question(asked);
    const struct gl_decision *decision = asked->decision;
    char at[GL_INSTANT_TEXT], span[GL_QUANTITY_TEXT];
    const struct gl_offer *best;

    note_needs(waiting);
    context->reply.verdict = gl_verdict_word(GL_ALLOW);
    best = &question.offers[decision->ranked[0]];
    gl_render_verdict(GL_ALLOW, context->is_color, &context->reply.text);
    gl_str_addf(&context->reply.text, ": %s/%s/%s fits now, %s, after %s.\n", best->place->cloud,
                best->place->region, best->type->name, gl_instant_text(asked->now, at),
                gl_span_text((struct gl_span){asked->now.unix_s - waiting->begun_s}, span));
    context->reply.data = json_pack("{s:s,s:I,s:I,s:o}", "now", at, "waited_s",
                                    (json_int_t)(asked->now.unix_s - waiting->begun_s), "looks",
                                    (json_int_t)waiting->looks, "offer",
                                    gl_render_offer_json(&question, decision, decision->ranked[0]));
    return GL_EXIT_OK;
}

static bool is_last(const struct waiting *waiting)
{
    return now_s(waiting) >= waiting->deadline_s - 1;
}

/* Is what was decided the answer, for better or worse? Then it stands in the reply. */
static int settle(struct waiting *waiting, const struct gl_ask_result *asked, int *out_status,
                  struct gl_error *err)
{
    bool is_allowed = asked->decision->verdict == GL_ALLOW;

    if (gl_start_check_rules(asked->policy, waiting->may_lack_rules, err) != 0)
        return -1;
    if (is_allowed && now_s(waiting) >= waiting->not_before_s) {
        *out_status = answer_allowed(waiting, asked);
        return 1;
    }
    if (is_allowed || (may_change(asked) && !is_last(waiting)))
        return 0;
    *out_status = gl_act_refusal(waiting->context, asked, err);
    if (*out_status >= 0 && !may_change(asked))
        gl_render_wrap("Waiting would not change that: no source at hand speaks of the coming "
                       "hours there.",
                       0, waiting->context->columns, &waiting->context->reply.text);
    return *out_status < 0 ? -1 : 1;
}

/* 1 when there is nothing to wait for any more: *out_status holds the answer. */
static int look(struct waiting *waiting, int64_t *out_expected, int *out_status,
                struct gl_error *err)
{
    struct gl_ask ask = waiting->ask;
    struct gl_ask_result asked;
    int is_over;

    waiting->looks++;
    if (is_last(waiting))
        ask.start_by = NULL; /* what comes after the deadline is worth telling */
    if (gl_ask_decide(waiting->context, &ask, &asked, err) != 0)
        return -1;
    *out_expected = expected_s(&asked);
    is_over = settle(waiting, &asked, out_status, err);
    if (is_over == 0 && asked.decision->verdict != GL_ALLOW)
        tell(waiting, &asked);
    gl_ask_result_done(&asked);
    return is_over;
}

static void forget_reply(struct gl_context *context)
{
    gl_str_clear(&context->reply.text);
    json_decref(context->reply.data);
    context->reply.data = NULL;
    json_decref(context->reply.next);
    context->reply.next = NULL;
}

/* A plan with pauses, made anew with each look: 1 when its first stretch begins and its rules hold,
 * or when there is none in time. */
static int look_at_plan(struct waiting *waiting, int64_t *out_expected, int *out_status,
                        struct gl_error *err)
{
    struct gl_stretches stretches;
    struct gl_ask_result asked;
    int status, is_over;

    waiting->looks++;
    forget_reply(waiting->context);
    status = gl_stretches_plan(waiting->context, &waiting->ask, &stretches, err);
    *out_expected = stretches.start_s;
    if (status == GL_EXIT_LATER && !is_last(waiting)) {
        say_plan(waiting, stretches.start_s);
        return 0;
    }
    *out_status = status;
    if (status != GL_EXIT_OK)
        return status < 0 ? -1 : 1;
    if (gl_ask_decide(waiting->context, &stretches.first, &asked, err) != 0)
        return -1;
    is_over = settle(waiting, &asked, out_status, err);
    if (is_over == 0 && asked.decision->verdict != GL_ALLOW)
        tell(waiting, &asked);
    gl_ask_result_done(&asked);
    return is_over;
}

static int wait_for_it(struct waiting *waiting, int *out_status, struct gl_error *err)
{
    for (;;) {
        int64_t expected = GL_UNKNOWN, next;
        int is_over = waiting->is_interruptible ? look_at_plan(waiting, &expected, out_status, err)
                                                : look(waiting, &expected, out_status, err);

        if (is_over != 0)
            return is_over < 0 ? -1 : 0;
        next = next_look(waiting, expected);
        say_wait(waiting, expected, next);
        sleep_until(waiting, next);
        if (gl_interrupted())
            return gl_interrupt_fail(err, "waiting; nothing was started");
    }
}

/* ---- the question ---- */

static int parse_not_before(const char *text, struct waiting *waiting, struct gl_error *err)
{
    struct gl_error ignored = {0};
    struct gl_instant at;
    struct gl_span span;

    waiting->not_before_s = waiting->begun_s;
    if (text == NULL)
        return 0;
    if (gl_span_parse(text, &span, &ignored) == 0)
        at.unix_s = waiting->begun_s + span.s;
    else if (gl_instant_parse(text, &at, err) != 0)
        return gl_wrap(err, "--not-before %s", text);
    waiting->not_before_s = at.unix_s;
    return 0;
}

/* Spans count from the beginning, not from each look. */
static int fix_times(struct waiting *waiting, struct gl_error *err)
{
    struct gl_ask_times times;

    waiting->deadline_s =
        (waiting->not_before_s > waiting->begun_s ? waiting->not_before_s : waiting->begun_s) +
        LONGEST_S;
    if (gl_ask_times_of(&waiting->ask, gl_now(&waiting->context->world), &times, err) != 0)
        return -1;
    if (times.has_latest_start) {
        waiting->deadline_s = times.latest_start.unix_s;
        waiting->ask.start_by = gl_instant_text(times.latest_start, waiting->latest);
        waiting->ask.finish_by = waiting->is_interruptible && times.finish_by.unix_s != GL_UNKNOWN
                                     ? gl_instant_text(times.finish_by, waiting->finish)
                                     : NULL;
        if (waiting->deadline_s <= waiting->not_before_s)
            return gl_fail(err, GL_E_USAGE, "--not-before is after the latest start");
    }
    return 0;
}

/* Can a plan with pauses be carried out? */
static int check_pauses(const struct gl_context *context, const struct wait_values *values,
                        bool has_command, struct gl_error *err)
{
    const struct gl_start_values *start = &values->run.start;

    if (!start->is_interruptible)
        return 0;
    if (!has_command)
        return gl_fail(err, GL_E_USAGE,
                       "--interruptible carries out a plan: say of what, after --");
    return gl_stretches_check(context, &start->ask, start->inside.image, err);
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    struct wait_values values = *(const struct wait_values *)call->values;
    struct gl_ask *ask = &values.run.start.ask;
    bool has_command = call->rest != NULL && call->rest[0] != NULL;
    struct waiting waiting = {.context = context,
                              .begun_s = gl_now(&context->world).unix_s,
                              .may_lack_rules = values.run.start.has_no_rules,
                              .is_interruptible = values.run.start.is_interruptible};
    int status = -1;

    if (call->operands->count > 0)
        return gl_help_no_operand(&gl_command_wait, call->operands->words[0], err);
    if (context->globals.at != NULL)
        return gl_fail(err, GL_E_USAGE, "--at stands still: use it with plan, offers and why");
    if ((has_command || ask->clouds.count + ask->regions.count + ask->types.count == 0) &&
        gl_act_only_launchable(ask, err) != 0)
        return -1;
    if (check_pauses(context, &values, has_command, err) != 0)
        return -1;
    waiting.ask = *ask;
    context->start = call;
    if (parse_not_before(values.not_before, &waiting, err) != 0 || fix_times(&waiting, err) != 0 ||
        wait_for_it(&waiting, &status, err) != 0)
        return -1;
    if (!has_command || status != GL_EXIT_OK)
        return status;
    ask->start_by =
        waiting.is_interruptible && waiting.ask.finish_by == NULL ? waiting.latest : NULL;
    ask->finish_by = waiting.ask.finish_by; /* now is the time, of a run through */
    forget_reply(context);
    return gl_run_command(context, &values.run, call->rest, err);
}

const struct gl_command gl_command_wait = {
    .name = "wait",
    .group = "Act",
    .summary = "block until the rules allow, then run a command or return",
    .operands = "[-- COMMAND [ARG ...]]",
    .description =
        "Decides again and again, whenever new data can be there, until an offer is allowed: with "
        "each full hour, when the start comes that series or promises let expect, and every five "
        "minutes after it. Then ends with 0, or with a command does what run does. --start-by and "
        "--finish-by say how long it is worth waiting, without them 48 h, as far as forecasts "
        "reach: after that it ends as a refusal does, with 6 when a start after that is known, "
        "else 3 or 8. It ends at once where no source could "
        "change the "
        "answer. --timeout ends it with 124. Without --cloud, --region or --type it waits for "
        "this machine. With --interruptible it carries out a plan with pauses up to --finish-by: "
        "planned anew with each full hour until its first stretch begins; then the command is "
        "suspended at the end of a stretch and resumed at the next.",
    .example = "greenlaunch wait --max-intensity 200g/kWh --confidence 90% -d 6h --finish-by 24h "
               "-- make all",
    .options = options,
    .values_size = sizeof(struct wait_values),
    .run = run,
};
