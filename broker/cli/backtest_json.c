/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/backtest_part.h"

#include <math.h>

#include "base/time.h"

static json_t *time_json(int64_t unix_s)
{
    char text[GL_INSTANT_TEXT];

    return json_string(gl_instant_text((struct gl_instant){unix_s}, text));
}

static json_t *grams_json(const struct backtest *bt, const struct gl_band *band)
{
    const struct gl_history *history = bt->places[0].intensity;
    const struct gl_quantity_facts facts = {
        .value = band->central,
        .low = fmin(band->low, band->high),
        .high = fmax(band->low, band->high),
        .unit = "gCO2e",
        .accounting = "location",
        .source = history->dataset,
        .grade = gl_backtest_grade(history),
        .age_s = GL_UNKNOWN,
    };

    return gl_quantity_json(&facts);
}

static json_t *trace_json(const struct backtest *bt, size_t place)
{
    const struct gl_history *history = bt->places[place].intensity;
    char grade[2] = {gl_backtest_grade(history), '\0'};

    return json_pack(
        "{s:s,s:b,s:s,s:s,s:s,s:s,s:o,s:o,s:I,s:I,s:I,s:I,s:s}", "zone", history->zone, "home",
        place == bt->home, "dataset", history->dataset, "licence", history->licence, "boundary",
        gl_boundary_word(history->meaning.boundary), "gases", gl_gases_word(history->meaning.gases),
        "from", time_json(bt->first_s), "until", time_json(bt->end_s), "missing_hours",
        (json_int_t)gl_backtest_holes(bt, history), "estimated_hours",
        (json_int_t)history->estimated_count, "lag_h", (json_int_t)history->actuals.lag_h,
        "forecasts", (json_int_t)history->issues.count, "grade", grade);
}

static json_t *spread_json(const struct gl_backtest_spread *of)
{
    return json_pack("{s:f,s:f,s:f,s:f,s:f,s:f,s:f}", "least", of->least, "p5", of->p5, "p25",
                     of->p25, "p50", of->p50, "p75", of->p75, "p95", of->p95, "most", of->most);
}

static json_t *counts_json(const struct gl_backtest_total *total)
{
    json_t *object = json_object();

    for (int end = 0; end < GL_BACKTEST_ABSENT; end++)
        json_object_set_new(object, gl_backtest_end_word((enum gl_backtest_end)end),
                            json_integer((json_int_t)total->ends[end]));
    return object;
}

static json_t *whys_json(const struct gl_backtest_total *total)
{
    json_t *list = json_array();

    for (int why = 1; why < GL_BACKTEST_WHYS; why++)
        if (total->whys[why] > 0)
            json_array_append_new(list,
                                  json_pack("{s:s,s:I}", "why",
                                            gl_backtest_why_sentence((enum gl_backtest_why)why),
                                            "jobs", (json_int_t)total->whys[why]));
    return list;
}

static json_t *waits_json(const struct gl_backtest_total *total)
{
    json_t *list = json_array();

    for (size_t i = 0; i < GL_BACKTEST_WAITS; i++) {
        uint32_t low, high;

        gl_backtest_wait_bar(i, &low, &high);
        json_array_append_new(
            list, json_pack("{s:I,s:o,s:I}", "from_h", (json_int_t)low, "to_h",
                            high == UINT32_MAX ? json_null() : json_integer((json_int_t)high),
                            "jobs", (json_int_t)total->waits[i]));
    }
    return list;
}

static json_t *promises_json(const struct gl_backtest_total *total)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "issued", (json_int_t)total->issued, "kept",
                     (json_int_t)total->kept, "breached", (json_int_t)total->breached, "unsettled",
                     (json_int_t)total->unsettled, "running_hours", (json_int_t)total->running_h,
                     "hours_outside_limits", (json_int_t)total->outside_h);
}

static json_t *strategy_json(const struct backtest *bt, enum gl_backtest_strategy s)
{
    const struct gl_backtest_total *total = &bt->result.totals[s];
    json_t *object =
        json_pack("{s:s,s:s,s:b,s:o,s:I,s:o,s:o,s:o,s:o}", "strategy", gl_backtest_word(s), "title",
                  gl_backtest_title(s), "is_bound", s == GL_BACKTEST_ORACLE, "jobs",
                  counts_json(total), "compared", (json_int_t)total->compared, "emitted",
                  grams_json(bt, &total->emitted_g), "baseline", grams_json(bt, &total->baseline_g),
                  "saved", grams_json(bt, &total->saved_g), "saved_percent",
                  total->baseline_g.central > 0 ? json_real(total->saved_percent) : json_null());

    json_object_set_new(object, "bound_saved_g", json_real(total->bound_g));
    json_object_set_new(object, "saved_percent_by_job", spread_json(&total->saved_share));
    json_object_set_new(object, "better", json_integer((json_int_t)total->better));
    json_object_set_new(object, "equal", json_integer((json_int_t)total->equal));
    json_object_set_new(object, "worse", json_integer((json_int_t)total->worse));
    json_object_set_new(object, "wait_h", spread_json(&total->wait_h));
    json_object_set_new(object, "mean_wait_h", json_real(total->mean_wait_h));
    json_object_set_new(object, "waits", waits_json(total));
    json_object_set_new(object, "pauses", json_integer((json_int_t)total->pauses));
    json_object_set_new(object, "timetable",
                        json_pack("{s:I,s:I,s:I}", "pauses", (json_int_t)total->plan_pauses,
                                  "held_h", (json_int_t)total->held_h, "made_up_h",
                                  (json_int_t)total->made_up_h));
    json_object_set_new(object, "moves", json_integer((json_int_t)total->moves));
    json_object_set_new(object, "lost_g", json_real(total->lost_g));
    json_object_set_new(object, "unplanned", json_integer((json_int_t)total->unplanned));
    json_object_set_new(object, "refused_because", whys_json(total));
    json_object_set_new(object, "refused_though_green",
                        json_integer((json_int_t)total->refused_though_green));
    json_object_set_new(object, "promises", promises_json(total));
    return object;
}

static json_t *run_json(const struct backtest *bt, size_t job, enum gl_backtest_strategy s)
{
    const struct gl_backtest_run *run = &bt->result.runs[s][job];
    const bool has_grams = run->end == GL_BACKTEST_DONE;
    json_t *object = json_pack("{s:s,s:s}", "strategy", gl_backtest_word(s), "end",
                               gl_backtest_end_word((enum gl_backtest_end)run->end));

    if (run->why != GL_BACKTEST_WHY_NONE)
        json_object_set_new(object, "why",
                            json_string(gl_backtest_why_sentence((enum gl_backtest_why)run->why)));
    if (!has_grams)
        return object;
    json_object_set_new(object, "start",
                        time_json(bt->jobs[job].arrival_s + (int64_t)run->wait_h * GL_HOUR_S));
    json_object_set_new(object, "ended",
                        time_json(bt->jobs[job].arrival_s + (int64_t)run->span_h * GL_HOUR_S));
    json_object_set_new(object, "place", json_string(bt->places[run->first_place].zone->zone));
    json_object_set_new(object, "pauses", json_integer(run->pauses));
    json_object_set_new(object, "held_h", json_integer(run->held_h));
    json_object_set_new(object, "made_up_h", json_integer(run->made_up_h));
    json_object_set_new(object, "moves", json_integer(run->moves));
    json_object_set_new(object, "emitted", grams_json(bt, &run->emitted_g));
    if (run->has_baseline)
        json_object_set_new(object, "saved", grams_json(bt, &run->saved_g));
    json_object_set_new(object, "promises_kept", json_integer(run->kept));
    json_object_set_new(object, "promises_breached", json_integer(run->breached));
    return object;
}

static json_t *runs_json(const struct backtest *bt)
{
    json_t *list = json_array();

    for (size_t i = 0; i < bt->job_count; i++) {
        const struct gl_backtest_job *job = &bt->jobs[i];
        json_t *runs = json_array();

        for (int s = 0; s < GL_BACKTEST_STRATEGIES; s++)
            if (!bt->result.totals[s].is_absent)
                json_array_append_new(runs, run_json(bt, i, (enum gl_backtest_strategy)s));
        json_array_append_new(
            list,
            json_pack("{s:o,s:I,s:I,s:f,s:b,s:s,s:o}", "arrival", time_json(job->arrival_s),
                      "hours", (json_int_t)job->work_h, "deadline_h", (json_int_t)job->deadline_h,
                      "kwh", (double)job->kwh_per_hour * job->work_h, "interruptible",
                      job->may_pause, "home", bt->places[job->home].zone->zone, "runs", runs));
    }
    return list;
}

json_t *gl_backtest_json(const struct backtest *bt)
{
    GL_AUTO(gl_str_done) struct gl_str rules = {0};
    json_t *traces = json_array(), *strategies = json_array(), *data;

    gl_backtest_rules_text(bt, &rules);
    for (size_t p = 0; p < bt->place_count; p++)
        json_array_append_new(traces, trace_json(bt, p));
    for (int s = 0; s < GL_BACKTEST_STRATEGIES; s++)
        if (!bt->result.totals[s].is_absent)
            json_array_append_new(strategies, strategy_json(bt, (enum gl_backtest_strategy)s));
    data =
        json_pack("{s:b,s:b,s:s,s:o,s:I,s:I,s:o,s:f,s:o,s:I,s:o}", "backtest", 1, "simulated", 1,
                  "baseline", gl_backtest_title(GL_BACKTEST_NOW), "traces", traces, "jobs",
                  (json_int_t)bt->job_count, "jobs_rounded_to_hours", (json_int_t)bt->notes.rounded,
                  "rules", rules.length > 0 ? json_string(gl_str_text(&rules)) : json_null(),
                  "confidence", bt->result.probability, "from", time_json(bt->result.from_s),
                  "forecast_h", (json_int_t)bt->result.horizon_h, "strategies", strategies);
    if (bt->values->has_runs)
        json_object_set_new(data, "runs", runs_json(bt));
    return data;
}
