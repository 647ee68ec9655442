/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/time.h"
#include "broker/cli/again.h"
#include "broker/cli/help.h"
#include "broker/cli/schedule.h"
#include "broker/cli/start_instance.h"
#include "broker/interrupt.h"
#include "broker/render/decision.h"
#include "broker/render/text.h"

static const struct gl_option options[] = {
#include "broker/cli/ask_options.def"
#include "broker/cli/when_options.def"
    {0},
};

/* ---- the verdict ---- */

/* Now, later, not at all, or nothing known: by the plan, and where rules limit the grid by the
 * promise too. */
static enum gl_verdict verdict_of(const struct gl_schedule *schedule)
{
    const struct gl_schedule_green *green = &schedule->green;

    if (!schedule->has_plan || (green->has_rule && !green->is_known))
        return GL_VERDICT_UNKNOWN;
    if (!schedule->plan.is_feasible || (green->has_rule && !green->is_found))
        return GL_REFUSE;
    return schedule->plan.start_h == 0 && green->start == 0 ? GL_ALLOW : GL_LATER;
}

static void add_unknown(struct gl_str *out, const struct gl_schedule_ask *ask,
                        const struct gl_schedule *schedule)
{
    if (schedule->has_plan && schedule->green.gap == GL_GAP_HORIZON)
        gl_str_addf(out, "a run this long cannot be promised: promises reach %d h",
                    GL_BOOK_HORIZON_H);
    else if (schedule->has_plan)
        gl_str_addf(out, "whether the rules can be promised is not known: %s",
                    gl_gap_sentence(schedule->green.gap));
    else if (schedule->is_home_missing)
        gl_str_addf(out,
                    "%s, where this machine stands, has no history long enough to plan on; "
                    "--anywhere plans elsewhere",
                    ask->home_zone);
    else
        gl_str_add(out, "no zone asked for has a history long enough to plan on");
}

static void add_gist(struct gl_str *out, const struct gl_schedule_ask *ask,
                     const struct gl_schedule *schedule, enum gl_verdict verdict)
{
    const struct gl_schedule_green *green = &schedule->green;

    if (verdict == GL_VERDICT_UNKNOWN)
        add_unknown(out, ask, schedule);
    else if (!schedule->plan.is_feasible && ask->work_s > (int64_t)schedule->plan.forecast_h * 3600)
        gl_str_addf(out, "the run is longer than the %zu h that are forecast",
                    schedule->plan.forecast_h);
    else if (!schedule->plan.is_feasible)
        gl_str_add(out, "it does not fit into the time that is left and forecast");
    else if (verdict == GL_REFUSE)
        gl_str_add(out, "no start in time can be promised green");
    else if (verdict == GL_ALLOW)
        gl_str_add(out, "now is the best time");
    else if (green->has_rule && green->start > 0)
        gl_str_add(out, "the rules can be promised later, not now");
    else
        gl_str_add(out, "a later start emits less");
}

/* ---- what to do ---- */

static void next_unknown(struct gl_context *context, const struct gl_schedule_ask *ask,
                         const struct gl_schedule *schedule)
{
    const char *zone = schedule->gap_count > 0  ? schedule->gaps[0].zone
                       : ask->home_zone != NULL ? ask->home_zone
                                                : "ZONE";

    if (schedule->has_plan)
        return;
    gl_render_wrap("A plan needs 24 days of hourly figures, a promise is better with a year: fetch "
                   "what a source has of the past, or name a file of yours under `sources` in the "
                   "configuration "
                   "(greenlaunch signals --explain ZONE shows what is stored).",
                   2, context->columns, &context->reply.text);
    gl_str_addf(&context->reply.text, "  greenlaunch signals --backfill 90d --zone %s\n", zone);
    gl_next(context, "fetch what a source measured before",
            (const char *const[]){"signals", "--backfill", "90d", "--zone", zone, NULL});
    gl_next(context, "see which sources speak of the zone and what is stored",
            (const char *const[]){"signals", "--explain", zone, NULL});
}

/* The command that waits for the plan's start and for the rules. Elsewhere than here it only
 * waits. */
static void next_later(struct gl_context *context, const struct gl_ask *ask,
                       const struct gl_ask_result *asked, const struct gl_schedule *schedule,
                       double confidence)
{
    const struct gl_plan *plan = &schedule->plan;
    int place = plan->where[plan->start_h];
    const struct gl_offer *offer = &asked->offers->offers[schedule->places[place].offer];
    bool is_here = strcmp(offer->cloud, "local") == 0;
    struct gl_ask when = *ask;
    struct gl_error no_rule = {0};
    struct gl_again_clock clock;
    struct gl_again again;
    char at[GL_INSTANT_TEXT];

    gl_again_times(asked, &clock, &when);
    gl_again_ask(&again, "wait", &when, schedule->green.has_rule ? confidence : 0);
    gl_again_add(&again, "--not-before");
    gl_again_add(&again, gl_instant_text(gl_schedule_at(asked, plan->start_h), at));
    if (gl_start_check_rules(asked->policy, false, &no_rule) != 0)
        gl_again_add(&again, "--no-rules");
    if (!is_here && ask->regions.count == 0) {
        gl_again_add(&again, "--region");
        gl_again_add(&again, offer->region);
    }
    if (is_here) {
        gl_again_add(&again, "--");
        gl_again_add(&again, "COMMAND");
    }
    gl_next(context, is_here ? "wait until then and run it" : "wait until then", again.words);
    gl_str_add(&context->reply.text, is_here ? "wait until then and run it:\n" : "wait for it:\n");
    gl_again_show(context, &again);
    gl_again_done(&again);
}

static int show(struct gl_context *context, const struct gl_ask *ask,
                const struct gl_ask_result *asked, const struct gl_schedule_ask *wish,
                const struct gl_schedule *schedule)
{
    enum gl_verdict verdict = verdict_of(schedule);
    GL_AUTO(gl_str_done) struct gl_str head = {0};
    char at[GL_INSTANT_TEXT], span[GL_QUANTITY_TEXT];

    context->reply.verdict = gl_verdict_word(verdict);
    gl_render_verdict(verdict, context->is_color, &head);
    gl_str_add(&head, ": ");
    add_gist(&head, wish, schedule, verdict);
    gl_str_addf(&head, ".\nas of %s, for %s", gl_instant_text(asked->now, at),
                gl_span_text(asked->request.duration, span));
    if (asked->finish_by.unix_s != GL_UNKNOWN)
        gl_str_addf(&head, ", to end by %s", gl_instant_text(asked->finish_by, at));
    gl_render_wrap(gl_str_text(&head), 0, context->columns, &context->reply.text);
    gl_render_rules(asked->policy, 8, context->columns, &context->reply.text);
    gl_schedule_show(context, asked, wish, schedule);
    if (verdict == GL_VERDICT_UNKNOWN)
        next_unknown(context, wish, schedule);
    if (verdict == GL_LATER)
        next_later(context, ask, asked, schedule, wish->confidence);
    return gl_verdict_exit(verdict);
}

/* Without a word of where, this machine if it stands anywhere: what launch would do. */
static int narrow(struct gl_context *context, struct gl_when_values *values, struct gl_error *err)
{
    const struct gl_ask *ask = &values->ask;

    if (ask->clouds.count + ask->regions.count + ask->types.count > 0 || values->when.may_place ||
        values->when.may_move || gl_context_zone(context, ask->zone) == NULL)
        return 0;
    return gl_act_only_launchable(&values->ask, err);
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    struct gl_when_values values = *(const struct gl_when_values *)call->values;
    const struct gl_ask given = values.ask;
    struct gl_ask_result asked;
    struct gl_schedule_ask ask;
    struct gl_schedule schedule;
    int status = -1;

    values.ask.wants_history = values.ask.wants_later = true;
    if (gl_help_operands(&gl_command_plan, call, 0, 0, err) != 0 ||
        narrow(context, &values, err) != 0 || gl_ask_decide(context, &values.ask, &asked, err) != 0)
        return -1;
    ask = gl_schedule_ask_of(context, &asked, &values);
    if (gl_schedule_make(&asked, &ask, &schedule, err) == 0) {
        status = show(context, &given, &asked, &ask, &schedule);
        gl_schedule_done(&schedule);
    }
    if (gl_interrupted())
        status = gl_interrupt_fail(err, "plan: some signals were not asked");
    gl_ask_result_done(&asked);
    return status;
}

const struct gl_command gl_command_plan = {
    .name = "plan",
    .group = "Look",
    .summary = "the greenest start, place and pauses, and how sure that is",
    .operands = "",
    .description =
        "Lays past errors of the forecast on today's forecast of every zone asked for and chooses "
        "when and where the run emits least, inside --start-by and --finish-by: for this machine, "
        "or with --cloud, --region or --anywhere for others; with pauses (--interruptible) or "
        "moves (--movable) where those are allowed. Says what it saves against starting now in "
        "the same place, with its spread, and from when on the rules would be promised for the "
        "whole run; a run without pauses is planned into the promised starts only. Starts "
        "nothing. Exit 0: now; 6: later; 3: not in time; 8: no history to plan on.",
    .example = "$ greenlaunch plan -d 6h --finish-by 40h --interruptible\n"
               "LATER: a later start emits less.",
    .options = options,
    .values_size = sizeof(struct gl_when_values),
    .run = run,
};
