/* SPDX-License-Identifier: Apache-2.0 */
/* A plan for people and as data: what to do, what it saves, how sure that is, what is not known. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "broker/cli/rented.h"
#include "broker/cli/show_strip.h"
#include "broker/render/text.h"

#define LABEL      11 /* columns */
#define RUNS_SHOWN 24

/* ---- words ---- */

static void add_line(struct gl_context *context, const char *label, const struct gl_str *text)
{
    gl_str_addf(&context->reply.text, "  %-*s", LABEL - 2, label);
    gl_render_hang(gl_str_text(text), LABEL, context->columns, &context->reply.text);
}

/* "now", "2023-06-02T09:00:00Z (in 16 h 30 min)". */
static void add_when(struct gl_str *out, const struct gl_ask_result *asked, struct gl_instant at)
{
    char text[GL_INSTANT_TEXT], span[GL_QUANTITY_TEXT];

    if (at.unix_s <= asked->now.unix_s) {
        gl_str_add(out, "now");
        return;
    }
    gl_str_addf(out, "%s (in %s)", gl_instant_text(at, text),
                gl_span_text((struct gl_span){at.unix_s - asked->now.unix_s}, span));
}

static void add_place(struct gl_str *out, const struct gl_ask_result *asked,
                      const struct gl_schedule *schedule, int place)
{
    const struct gl_offer *offer = &asked->offers->offers[schedule->places[place].offer];

    gl_str_addf(out, "%s (%s/%s/%s%s)", schedule->places[place].name, offer->place->cloud,
                offer->place->region, offer->type->name,
                schedule->places[place].is_ready ? "" : ", not set up here");
}

static void add_start(struct gl_context *context, const struct gl_ask_result *asked,
                      const struct gl_schedule *schedule)
{
    const struct gl_plan *plan = &schedule->plan;
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    add_when(&line, asked, gl_schedule_at(asked, plan->start_h));
    gl_str_add(&line, " in ");
    add_place(&line, asked, schedule, plan->where[plan->start_h]);
    /* What no promise covers is no advice. */
    add_line(context, schedule->green.has_rule && !schedule->green.is_found ? "cleanest" : "start",
             &line);
}

static void add_end(struct gl_context *context, const struct gl_ask_result *asked,
                    const struct gl_schedule *schedule)
{
    const struct gl_plan *plan = &schedule->plan;
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    bool is_elsewhere = plan->where[plan->start_h] != 0;
    size_t moves = plan->moves - is_elsewhere;
    char at[GL_INSTANT_TEXT];

    gl_str_add(&line, gl_instant_text(gl_schedule_end(asked, plan, plan->end_h), at));
    if (plan->starts > 1)
        gl_str_addf(&line, ", in %zu stretches", plan->starts);
    if (moves > 0)
        gl_str_addf(&line, ", moved %zu time%s", moves, moves == 1 ? "" : "s");
    if (is_elsewhere)
        gl_str_addf(&line, "; its data are copied from %s before", schedule->places[0].name);
    add_line(context, "end", &line);
}

/* When it runs, for a plan that an eye cannot read off the strip; who listens has it in sentences.
 */
static void add_runs(struct gl_context *context, const struct gl_ask_result *asked,
                     const struct gl_schedule *schedule)
{
    struct gl_stretch one = {0};
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char from[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT], day[11] = "";
    size_t left = RUNS_SHOWN;

    if (schedule->plan.starts + schedule->plan.moves < 2 || context->globals.is_accessible)
        return;
    for (; left > 0 && gl_stretch_next(asked, schedule, &one); left--) {
        gl_instant_text(one.from, from);
        gl_instant_text(one.until, until);
        gl_str_add(&line, line.length > 0 ? ", " : "");
        if (strncmp(day, from, 10) != 0)
            gl_str_addf(&line, "%.10s ", from);
        snprintf(day, sizeof day, "%.10s", from);
        gl_str_addf(&line, "%.5s-%.5s", from + 11, until + 11);
        if (schedule->plan.moves > 0)
            gl_str_addf(&line, " in %s", schedule->places[one.place].name);
    }
    if (gl_stretch_next(asked, schedule, &one))
        gl_str_add(&line, " and further ones (--json has all)");
    gl_str_add(&line, " UTC");
    add_line(context, "runs", &line);
}

/* Why it stays although it might go. */
static void add_home(struct gl_context *context, const struct gl_schedule_ask *ask,
                     const struct gl_schedule *schedule)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char size[GL_RENDER_NUMBER];

    if (!ask->may_place || schedule->count < 2 || schedule->plan.moves > 0)
        return;
    gl_str_addf(&line, "stays in %s: elsewhere is no better once %s GB of data are copied (--data)",
                schedule->places[0].name, gl_render_real_text(ask->data_gb, size));
    add_line(context, "place", &line);
}

static void add_emission(struct gl_context *context, const struct gl_schedule *schedule)
{
    const struct gl_plan_figures *figures = &schedule->plan.figures;
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char most[GL_RENDER_NUMBER];

    gl_render_band(&figures->emitted_g, &line);
    gl_str_addf(&line, " gCO2e; at most %s gCO2e with %.3g %%",
                gl_render_real_text(figures->emitted_g.high, most), figures->confidence * 100);
    add_line(context, "emits", &line);
}

static void add_signed(struct gl_str *out, double number)
{
    char text[GL_RENDER_NUMBER];

    gl_str_addf(out, "%s%s", number < 0 ? "-" : "", gl_render_real_text(fabs(number), text));
}

/* A saving may be a loss: gl_render_band() takes what is below zero as unknown. */
static void add_spread(struct gl_str *out, const struct gl_band *band)
{
    add_signed(out, band->central);
    gl_str_add(out, " (");
    add_signed(out, band->low);
    gl_str_add(out, "..");
    add_signed(out, band->high);
    gl_str_add_char(out, ')');
}

/* ---- money ---- */

/* USD of the hours that a plan runs; false when a price of them is not known. */
static bool cost_of(const struct gl_ask_result *asked, const struct gl_schedule *schedule,
                    double *out_usd)
{
    const struct gl_plan *plan = &schedule->plan;
    double usd = 0;

    for (size_t h = plan->start_h; h < plan->end_h; h++) {
        int64_t price_u;

        if (plan->where[h] == GL_REGION_NONE)
            continue;
        price_u = asked->offers->offers[schedule->places[plan->where[h]].offer].price_u_usd_per_h;
        if (price_u == GL_UNKNOWN)
            return false;
        usd += (double)price_u / 1e6 * asked->request.count;
    }
    *out_usd = usd;
    return true;
}

static void add_cost(struct gl_context *context, const struct gl_ask_result *asked,
                     const struct gl_schedule *schedule)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char text[GL_RENDER_NUMBER];
    double usd;

    if (!cost_of(asked, schedule, &usd) || !(usd > 0))
        return;
    gl_str_addf(&line, "%s USD for %zu h", gl_render_real_text(usd, text),
                (size_t)gl_hours_up(asked->request.duration.s));
    add_line(context, "costs", &line);
}

/* ---- places that nothing can be launched in yet ---- */

static void add_way_in(struct gl_str *line, const struct gl_offer *offer)
{
    if (gl_cloud_is_remote(offer->place->cloud))
        gl_str_addf(line, "; to add it: greenlaunch provider add %s", offer->place->cloud);
    else
        gl_str_addf(line, "; this version ranks %s but cannot launch there", offer->place->cloud);
}

/* A better plan somewhere that is not set up is said, not chosen. */
static void add_other(struct gl_context *context, const struct gl_ask_result *asked,
                      const struct gl_schedule *schedule)
{
    const struct gl_schedule_other *other = &schedule->other;
    const struct gl_offer *offer;
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    if (!other->is_found)
        return;
    offer = &asked->offers->offers[other->offer];
    gl_render_band(&other->emitted_g, &line);
    gl_str_addf(&line, " gCO2e with %s, which is not set up here: in %s (%s/%s/%s), a start ",
                offer->place->cloud, other->name, offer->place->cloud, offer->place->region,
                offer->type->name);
    add_when(&line, asked, gl_schedule_at(asked, other->start_h));
    add_way_in(&line, offer);
    add_line(context, "also", &line);
}

/* The plan itself needs a cloud that is not set up, because nothing else was asked for. */
static void add_unready(struct gl_context *context, const struct gl_ask_result *asked,
                        const struct gl_schedule *schedule)
{
    const struct gl_schedule_place *place =
        &schedule->places[schedule->plan.where[schedule->plan.start_h]];
    const struct gl_offer *offer = &asked->offers->offers[place->offer];
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    if (place->is_ready)
        return;
    gl_str_addf(&line, "%s is not set up here and nothing else was asked for", offer->place->cloud);
    add_way_in(&line, offer);
    add_line(context, "note", &line);
}

static bool is_baseline(const struct gl_schedule *schedule)
{
    return schedule->plan.start_h == 0 && schedule->plan.starts == 1 && schedule->plan.moves == 0 &&
           schedule->plan.where[0] == 0;
}

static void add_saving(struct gl_context *context, const struct gl_schedule *schedule)
{
    const struct gl_plan_figures *figures = &schedule->plan.figures;
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    const char *home = schedule->places[0].name;

    if (is_baseline(schedule)) {
        gl_str_add(&line, "nothing: the plan is to start now in the same place");
    } else if (!figures->has_baseline) {
        gl_str_addf(&line,
                    "unknown: a run that starts now in %s lasts through hours without a figure",
                    home);
    } else {
        add_spread(&line, &figures->saved_g);
        gl_str_add(&line, " of ");
        gl_render_band(&figures->baseline_g, &line);
        gl_str_add(&line, " gCO2e");
        if (figures->has_percent) {
            gl_str_add(&line, ", or ");
            add_spread(&line, &figures->saved_percent);
            gl_str_add(&line, " %");
        }
        gl_str_addf(&line, ", against starting now in %s; it saves in %.0f of %zu futures", home,
                    figures->saves_share * (double)schedule->plan.paths, schedule->plan.paths);
    }
    add_line(context, "saves", &line);
}

static void add_basis(struct gl_context *context, const struct gl_ask_result *asked,
                      const struct gl_schedule *schedule)
{
    const struct gl_plan *plan = &schedule->plan;
    const struct gl_history *history = schedule->places[0].intensity[0];
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    GL_AUTO(gl_str_done) struct gl_str source = {0};
    char age[GL_RENDER_NUMBER];

    gl_str_add_printable(&source, history->dataset, strlen(history->dataset));
    gl_str_addf(&line, "%zu past errors laid on today's forecast for %zu h; figures of %s until %s",
                plan->paths, plan->forecast_h, gl_str_text(&source),
                gl_render_age(asked->now.unix_s - history->newest_actual_s - GL_HOUR_S, age));
    gl_str_addf(&line, " ago; location-based, %s",
                history->meaning.boundary == GL_LIFECYCLE ? "lifecycle" : "direct");
    add_line(context, "basis", &line);
}

/* ---- the promise ---- */

static void add_unpromised(struct gl_str *line, const struct gl_schedule_green *green,
                           double confidence)
{
    gl_str_addf(line,
                "no start in the next %zu h can be promised green for the whole run with %.4g %%",
                green->within, confidence * 100);
    if (green->kept > 0)
        gl_str_addf(line, "; the best start keeps the rules in %u of %u futures", green->kept,
                    green->paths);
}

static bool limits_grams(const struct gl_policy *policy)
{
    for (size_t r = 0; r < policy->rule_count; r++)
        if (gl_book_limits_grams(&policy->rules[r]))
            return true;
    return false;
}

static void add_green(struct gl_context *context, const struct gl_ask_result *asked,
                      const struct gl_schedule_ask *ask, const struct gl_schedule *schedule)
{
    const struct gl_schedule_green *green = &schedule->green;
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    if (!green->has_rule)
        return;
    if (!green->is_known) {
        gl_str_addf(&line, "unknown: %s", gl_gap_sentence(green->gap));
    } else if (!green->is_found) {
        add_unpromised(&line, green, ask->confidence);
    } else {
        gl_str_add(&line, "a start ");
        add_when(&line, asked, gl_schedule_at(asked, green->start));
        gl_str_addf(&line, " in %s %s promised green for the whole run%s (p %.4g %%)",
                    schedule->places[green->place].name,
                    green->start == 0 ? "can be" : "is the earliest that would be",
                    ask->may_pause || ask->may_move ? ", without pauses or moves" : "",
                    ask->confidence * 100);
        if (schedule->is_green_plan && schedule->plan.start_h != green->start)
            gl_str_add(&line, "; so would the start of this plan");
    }
    if (limits_grams(asked->policy))
        gl_str_add(&line, "; grams are promised at the upper bound of the watts");
    add_line(context, "promise", &line);
}

/* ---- what is not planned on ---- */

static const char *const lack_words[] = {
    [GL_SCHEDULE_SHORT] = "history too short",
    [GL_SCHEDULE_MEANING] = "figures of another meaning",
    [GL_SCHEDULE_SIZE] = "no machine as large as at home",
    [GL_SCHEDULE_OLD] = "history ends too long ago",
};

static void add_gaps(struct gl_context *context, const struct gl_ask_result *asked,
                     const struct gl_schedule_ask *ask, const struct gl_schedule *schedule)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char age[GL_RENDER_NUMBER];

    if (schedule->is_home_missing && schedule->has_plan)
        gl_str_addf(&line,
                    "%s, where this machine stands, cannot be compared with: \"now, same place\" "
                    "is %s",
                    ask->home_zone, schedule->places[0].name);
    for (size_t i = 0; i < schedule->gap_count; i++) {
        const struct gl_schedule_gap *gap = &schedule->gaps[i];

        gl_str_addf(&line, "%s%s (", line.length > 0 ? "; " : "", gap->zone);
        gl_str_add(&line, lack_words[gap->lack]);
        if (gap->lack == GL_SCHEDULE_SHORT)
            gl_str_addf(&line, ": %zu h", gap->hours);
        if (gap->lack == GL_SCHEDULE_OLD)
            gl_str_addf(&line, ": %s",
                        gl_render_age(asked->now.unix_s - gap->newest_s - GL_HOUR_S, age));
        gl_str_add_char(&line, ')');
    }
    if (schedule->without > 0 && schedule->has_plan) {
        gl_str_add(&line, line.length > 0 ? "; " : "");
        gl_render_count(&line, schedule->without, "zone");
        gl_str_add(&line, " without any history");
    }
    if (line.length > 0)
        add_line(context, "left out", &line);
}

static void add_reach(struct gl_context *context, const struct gl_schedule *schedule)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    if (schedule->plan.uncovered_h == 0)
        return;
    gl_str_addf(&line,
                "the forecast reaches %zu h; the %zu h after it until the deadline are not "
                "planned in",
                schedule->plan.forecast_h, schedule->plan.uncovered_h);
    add_line(context, "reach", &line);
}

/* ---- JSON ---- */

static json_t *band_json(const struct gl_band *band, const char *unit)
{
    return gl_quantity_json(&(struct gl_quantity_facts){.value = band->central,
                                                        .low = band->low,
                                                        .high = band->high,
                                                        .unit = unit,
                                                        .accounting = "location",
                                                        .grade = 'C',
                                                        .age_s = GL_UNKNOWN});
}

static json_t *plain_json(const struct gl_band *band, const char *unit)
{
    return gl_quantity_json(&(struct gl_quantity_facts){.value = band->central,
                                                        .low = band->low,
                                                        .high = band->high,
                                                        .unit = unit,
                                                        .age_s = GL_UNKNOWN});
}

static json_t *stretches_json(const struct gl_ask_result *asked, const struct gl_schedule *schedule)
{
    struct gl_stretch one = {0};
    json_t *list = json_array();
    char from[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT];

    while (gl_stretch_next(asked, schedule, &one)) {
        const struct gl_offer *offer = &asked->offers->offers[schedule->places[one.place].offer];

        json_array_append_new(
            list,
            json_pack("{s:s,s:s,s:s,s:s,s:b,s:s,s:s}", "zone", schedule->places[one.place].name,
                      "cloud", offer->place->cloud, "region", offer->place->region, "type",
                      offer->type->name, "is_set_up", schedule->places[one.place].is_ready, "from",
                      gl_instant_text(one.from, from), "until", gl_instant_text(one.until, until)));
    }
    return list;
}

static json_t *cost_json(const struct gl_ask_result *asked, const struct gl_schedule *schedule)
{
    double usd;

    return cost_of(asked, schedule, &usd) ? json_real(usd) : json_null();
}

static json_t *other_json(const struct gl_ask_result *asked, const struct gl_schedule *schedule)
{
    const struct gl_schedule_other *other = &schedule->other;
    const struct gl_offer *offer;
    char at[GL_INSTANT_TEXT];

    if (!other->is_found)
        return json_null();
    offer = &asked->offers->offers[other->offer];
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:f,s:b}", "zone", other->name, "cloud",
                     offer->place->cloud, "region", offer->place->region, "type", offer->type->name,
                     "start", gl_instant_text(gl_schedule_at(asked, other->start_h), at), "emitted",
                     band_json(&other->emitted_g, "gCO2e"), "confidence", other->confidence,
                     "can_be_added", gl_cloud_is_remote(offer->place->cloud));
}

static json_t *plan_json(const struct gl_ask_result *asked, const struct gl_schedule *schedule)
{
    const struct gl_plan *plan = &schedule->plan;
    const struct gl_plan_figures *figures = &plan->figures;
    json_t *baseline = json_null(), *saved = json_null(), *percent = json_null();

    if (!schedule->has_plan || !plan->is_feasible)
        return json_null();
    if (figures->has_baseline) {
        baseline = band_json(&figures->baseline_g, "gCO2e");
        saved = band_json(&figures->saved_g, "gCO2e");
    }
    if (figures->has_percent)
        percent = plain_json(&figures->saved_percent, "%");
    return json_pack(
        "{s:o,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:f,s:o,s:I,s:I,s:I,s:s}", "runs",
        stretches_json(asked, schedule), "stretches", (json_int_t)plan->starts, "moves",
        (json_int_t)plan->moves, "emitted", band_json(&figures->emitted_g, "gCO2e"), "baseline",
        baseline, "saved", saved, "saved_percent", percent, "cost_usd", cost_json(asked, schedule),
        "confidence", figures->confidence, "saves_share",
        figures->has_baseline ? json_real(figures->saves_share) : json_null(), "futures",
        (json_int_t)plan->paths, "forecast_h", (json_int_t)plan->forecast_h, "uncovered_h",
        (json_int_t)plan->uncovered_h, "baseline_zone", schedule->places[0].name);
}

static json_t *green_json(const struct gl_ask_result *asked, const struct gl_schedule_ask *ask,
                          const struct gl_schedule *schedule)
{
    const struct gl_schedule_green *green = &schedule->green;
    char at[GL_INSTANT_TEXT];

    if (!green->has_rule)
        return json_null();
    if (!green->is_known)
        return json_pack("{s:s,s:f,s:s}", "state", "unknown", "probability", ask->confidence, "why",
                         gl_gap_sentence(green->gap));
    return json_pack("{s:s,s:f,s:s?,s:s?,s:I,s:I,s:I}", "state",
                     !green->is_found    ? "none"
                     : green->start == 0 ? "now"
                                         : "later",
                     "probability", ask->confidence, "start",
                     green->is_found ? gl_instant_text(gl_schedule_at(asked, green->start), at)
                                     : NULL,
                     "zone", green->is_found ? schedule->places[green->place].name : NULL,
                     "looked_h", (json_int_t)green->within, "futures_kept", (json_int_t)green->kept,
                     "futures", (json_int_t)green->paths);
}

static json_t *left_out_json(const struct gl_schedule *schedule)
{
    json_t *list = json_array();

    for (size_t i = 0; i < schedule->gap_count; i++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:I}", "zone", schedule->gaps[i].zone,
                                              "why", lack_words[schedule->gaps[i].lack], "hours",
                                              (json_int_t)schedule->gaps[i].hours));
    return list;
}

static void fill_data(struct gl_context *context, const struct gl_ask_result *asked,
                      const struct gl_schedule_ask *ask, const struct gl_schedule *schedule)
{
    char at[GL_INSTANT_TEXT];

    context->reply.data =
        json_pack("{s:s,s:o,s:o,s:o,s:o,s:I}", "now", gl_instant_text(asked->now, at), "plan",
                  plan_json(asked, schedule), "not_set_up", other_json(asked, schedule), "promise",
                  green_json(asked, ask, schedule), "left_out", left_out_json(schedule),
                  "without_history", (json_int_t)schedule->without);
}

/* ---- all of it ---- */

void gl_schedule_show(struct gl_context *context, const struct gl_ask_result *asked,
                      const struct gl_schedule_ask *ask, const struct gl_schedule *schedule)
{
    bool is_shown = schedule->has_plan && schedule->plan.is_feasible;

    fill_data(context, asked, ask, schedule);
    if (is_shown) {
        add_start(context, asked, schedule);
        add_end(context, asked, schedule);
        add_home(context, ask, schedule);
        add_runs(context, asked, schedule);
        add_emission(context, schedule);
        add_saving(context, schedule);
        add_cost(context, asked, schedule);
        add_unready(context, asked, schedule);
    }
    add_other(context, asked, schedule);
    add_green(context, asked, ask, schedule);
    if (is_shown) {
        add_basis(context, asked, schedule);
        add_reach(context, schedule);
    }
    add_gaps(context, asked, ask, schedule);
    if (is_shown)
        gl_schedule_strip(context, asked, schedule);
}
