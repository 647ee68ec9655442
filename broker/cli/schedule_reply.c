/* SPDX-License-Identifier: Apache-2.0 */
/* A plan as a reply: verdict, figures, and the command that carries it out. */
#include <string.h>

#include "base/time.h"
#include "broker/cli/again.h"
#include "broker/cli/rented.h"
#include "broker/cli/schedule.h"
#include "broker/cli/start_instance.h"
#include "broker/render/decision.h"
#include "broker/render/text.h"

/* ---- the verdict ---- */

/* Now, later, not at all, or nothing known: by the plan, and where rules limit the grid by the
 * promise too. */
enum gl_verdict gl_schedule_verdict(const struct gl_schedule_ask *ask,
                                    const struct gl_schedule *schedule)
{
    const struct gl_schedule_green *green = &schedule->green;

    if (schedule->has_plan && ask->may_pause && !ask->may_move)
        return !schedule->plan.is_feasible   ? GL_REFUSE
               : schedule->plan.start_h == 0 ? GL_ALLOW
                                             : GL_LATER;

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
    else if (verdict == GL_ALLOW && schedule->plan.starts > 1)
        gl_str_add(out, "now is the best time for the first stretch");
    else if (ask->may_pause && !ask->may_move)
        gl_str_add(out, verdict == GL_ALLOW ? "now is the best time" : "a later start emits less");
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

static const char *carry_out_words(bool is_here, bool is_now)
{
    if (!is_here)
        return "wait for it";
    return is_now ? "run it, with its pauses" : "wait until then and run it";
}

/* When: with pauses the deadline, up to which it is planned anew; else the plan's start. */
static void add_time(struct gl_again *again, const struct gl_ask_result *asked,
                     const struct gl_plan *plan, bool has_pauses)
{
    char at[GL_INSTANT_TEXT];

    if (has_pauses) {
        gl_again_add(again, "--interruptible");
        return;
    }
    gl_instant_text(gl_schedule_at(asked, plan->start_h), at);
    gl_again_add(again, "--not-before");
    gl_again_add(again, gl_arena_text(&again->arena, at, strlen(at)));
}

static void add_where(struct gl_again *again, const struct gl_ask *ask,
                      const struct gl_ask_result *asked, const struct gl_offer *offer)
{
    struct gl_error no_rule = {0};

    if (gl_start_check_rules(asked->policy, false, &no_rule) != 0)
        gl_again_add(again, "--no-rules");
    if (strcmp(offer->place->cloud, "local") == 0) {
        gl_again_add(again, "--");
        gl_again_add(again, "COMMAND");
        return;
    }
    if (ask->clouds.count == 0) {
        gl_again_add(again, "--cloud");
        gl_again_add(again, offer->place->cloud);
    }
    if (ask->regions.count == 0) {
        gl_again_add(again, "--region");
        gl_again_add(again, offer->place->region);
    }
    if (ask->types.count == 0) {
        gl_again_add(again, "--type");
        gl_again_add(again, offer->type->name);
    }
}

static const struct gl_schedule_place *first_place(const struct gl_schedule *schedule)
{
    return &schedule->places[schedule->plan.where[schedule->plan.start_h]];
}

/* With pauses it is planned as far as the forecast reaches, where no end was given. */
static void fix_times(const struct gl_ask_result *asked, const struct gl_plan *plan,
                      bool has_pauses, struct gl_again_clock *clock, struct gl_ask *when)
{
    gl_again_times(asked, clock, when);
    if (has_pauses && when->finish_by == NULL && when->start_by == NULL)
        when->finish_by =
            gl_instant_text(gl_schedule_at(asked, plan->forecast_h), clock->finish_by);
}

/* The command that waits for the plan's start and for the rules. Elsewhere than here it only waits.
 * A run with pauses is planned anew by the command that carries it out. */
static void next_later(struct gl_context *context, const struct gl_ask *ask,
                       const struct gl_ask_result *asked, const struct gl_schedule_ask *wish,
                       const struct gl_schedule *schedule)
{
    const struct gl_plan *plan = &schedule->plan;
    const struct gl_offer *offer = &asked->offers->offers[first_place(schedule)->offer];
    bool is_here = strcmp(offer->place->cloud, "local") == 0, is_now = plan->start_h == 0;
    bool has_pauses = wish->may_pause && !wish->may_move && is_here;
    struct gl_ask when = *ask;
    struct gl_again_clock clock;
    struct gl_again again;

    if (is_now && !has_pauses && plan->starts > 1)
        return; /* there is nothing to wait for, and nobody here pauses it there */
    fix_times(asked, plan, has_pauses, &clock, &when);
    if (context->start != NULL) { /* it says all but the time */
        gl_again_start(&again, context, is_now ? context->command : "wait", &when);
    } else {
        gl_again_ask(&again, is_now && has_pauses ? "run" : "wait", &when,
                     schedule->green.has_rule && !has_pauses ? wish->confidence : 0);
        add_time(&again, asked, plan, has_pauses);
        add_where(&again, ask, asked, offer);
    }
    gl_next(context, carry_out_words(is_here, is_now && has_pauses), again.words);
    gl_str_addf(&context->reply.text, "%s:\n", carry_out_words(is_here, is_now && has_pauses));
    gl_again_show(context, again.words);
    gl_again_done(&again);
}

/* Where the plan, or a better one, needs a cloud that is not set up. */
static void next_cloud(struct gl_context *context, const struct gl_ask_result *asked,
                       uint32_t offer)
{
    const char *cloud = asked->offers->offers[offer].place->cloud;

    if (gl_cloud_is_remote(cloud))
        gl_next(context, "add the cloud, so that plans may use it",
                (const char *const[]){"provider", "add", cloud, NULL});
}

int gl_schedule_reply(struct gl_context *context, const struct gl_ask *ask,
                      const struct gl_ask_result *asked, const struct gl_schedule_ask *wish,
                      const struct gl_schedule *schedule)
{
    enum gl_verdict verdict = gl_schedule_verdict(wish, schedule);
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
    if (schedule->has_plan && schedule->plan.is_feasible && !first_place(schedule)->is_ready)
        next_cloud(context, asked, first_place(schedule)->offer);
    if (verdict == GL_LATER ||
        (verdict == GL_ALLOW && schedule->plan.starts > 1 && !wish->may_move))
        next_later(context, ask, asked, wish, schedule);
    if (schedule->other.is_found)
        next_cloud(context, asked, schedule->other.offer);
    return gl_verdict_exit(verdict);
}
