/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/backtest_part.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "broker/render/html.h"
#include "broker/render/series.h"
#include "broker/render/text.h"

#define JOB_ROWS 500 /* of the table of jobs; the rest is counted */

/* Figures of the strategies that apply, in their order. */
struct figures {
    size_t count;
    enum gl_backtest_strategy strategy[GL_BACKTEST_STRATEGIES];
    const char *labels[GL_BACKTEST_STRATEGIES];
    double value[3][GL_BACKTEST_STRATEGIES];
};

static struct figures strategies_of(const struct backtest *bt)
{
    struct figures figures = {0};

    for (int s = 0; s < GL_BACKTEST_STRATEGIES; s++) {
        if (bt->result.totals[s].is_absent)
            continue;
        figures.strategy[figures.count] = (enum gl_backtest_strategy)s;
        figures.labels[figures.count++] = gl_backtest_title((enum gl_backtest_strategy)s);
    }
    return figures;
}

static size_t not_done(const struct gl_backtest_total *total)
{
    return total->ends[GL_BACKTEST_REFUSED] + total->ends[GL_BACKTEST_MISSED] +
           total->ends[GL_BACKTEST_STOPPED];
}

/* ---- head ---- */

static void add_cards(const struct backtest *bt, struct gl_str *out)
{
    enum gl_backtest_strategy best = gl_backtest_best(bt);
    const struct gl_backtest_total *total = &bt->result.totals[best];
    char value[72], note[160], grams[GL_QUANTITY_TEXT];

    gl_html_cards_begin(out);
    gl_backtest_percent(total->saved_percent, 1, value);
    snprintf(note, sizeof note,
             "%s, by \"%s\", against starting the same %zu jobs now in the same "
             "place",
             gl_mass_text((struct gl_mass){total->saved_g.central}, grams), gl_backtest_title(best),
             total->compared);
    gl_html_card(out, "would have been saved", total->compared > 0 ? value : "-", note);
    if (total->bound_g > 0) {
        gl_backtest_percent(gl_backtest_of_bound(total), 0, value);
        gl_html_card(out, "of the bound", value,
                     "what a perfect forecast would have saved of these jobs");
    }
    snprintf(value, sizeof value, "%.1f h", total->mean_wait_h);
    snprintf(note, sizeof note, "mean; half waited at most %.0f h, 95 of 100 at most %.0f h",
             total->wait_h.p50, total->wait_h.p95);
    gl_html_card(out, "waited", value, note);
    if (total->kept + total->breached > 0) {
        snprintf(value, sizeof value, "%.1f %%",
                 100 * (double)total->kept / (double)(total->kept + total->breached));
        snprintf(note, sizeof note, "of %" PRIu64 " settled; asked for in the long run: %g %%",
                 total->kept + total->breached, bt->result.probability * 100);
        gl_html_card(out, "promises kept", value, note);
    }
    gl_html_cards_end(out);
}

static void add_sources(const struct backtest *bt, struct gl_str *out)
{
    static const char *const heads[] = {"zone",    "file and credit", "meaning",    "hours",
                                        "missing", "grade",           "known after"};
    const size_t columns = sizeof heads / sizeof heads[0];
    const char **cells = gl_alloc(bt->place_count * columns * sizeof *cells);
    struct gl_str *texts = gl_alloc(bt->place_count * 5 * sizeof *texts);

    for (size_t p = 0; p < bt->place_count; p++) {
        const struct gl_history *history = bt->places[p].intensity;
        const char **row = cells + p * columns;
        struct gl_str *text = texts + p * 5;

        gl_str_addf(&text[0], "%s; %s; %s", history->dataset, history->attribution,
                    history->licence);
        gl_render_meaning(&history->meaning, &text[1]);
        gl_str_addf(&text[2], "%zu", (size_t)((bt->end_s - bt->first_s) / GL_HOUR_S));
        gl_str_addf(&text[3], "%zu", gl_backtest_holes(bt, history));
        row[0] = history->zone;
        for (size_t c = 0; c < 4; c++)
            row[c + 1] = gl_str_text(&text[c]);
        row[5] = gl_backtest_grade(history) == 'A' ? "A, measured" : "B, partly estimated";
        gl_str_addf(&text[4], "%u h", (unsigned)history->actuals.lag_h);
        row[6] = gl_str_text(&text[4]);
    }
    gl_html_table(
        out, &(struct gl_html_table){"Recorded figures", heads, columns, cells, bt->place_count});
    for (size_t i = 0; i < bt->place_count * 5; i++)
        gl_str_done(&texts[i]);
    free(texts);
    free(cells);
}

static void add_what(const struct backtest *bt, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str jobs = {0};
    GL_AUTO(gl_str_done) struct gl_str rules = {0};
    GL_AUTO(gl_str_done) struct gl_str pauses = {0};
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    gl_backtest_jobs_text(bt, &jobs);
    gl_html_paragraph(out, gl_str_text(&jobs));
    gl_backtest_rules_text(bt, &rules);
    if (rules.length > 0)
        gl_str_addf(&line, "Rules: %s. A job starts only where its whole run can be promised.",
                    gl_str_text(&rules));
    else
        gl_str_add(&line, "No rules: nothing had to be promised.");
    gl_html_paragraph(out, gl_str_text(&line));
    gl_backtest_pauses_text(bt, &pauses);
    if (pauses.length > 0)
        gl_html_paragraph(out, gl_str_text(&pauses));
}

/* ---- plots ---- */

static void plot_total(const struct backtest *bt, struct gl_str *out)
{
    struct figures figures = {0};
    const struct gl_html_series series[] = {{"saved", figures.value[0]}};

    for (int s = GL_BACKTEST_WAIT; s < GL_BACKTEST_STRATEGIES; s++) {
        if (bt->result.totals[s].is_absent || bt->result.totals[s].compared == 0)
            continue;
        figures.value[0][figures.count] = bt->result.totals[s].saved_percent;
        figures.labels[figures.count++] = gl_backtest_title((enum gl_backtest_strategy)s);
    }
    gl_html_chart(out, &(struct gl_html_chart){
                           .kind = GL_HTML_BARS,
                           .id = "total",
                           .title = "Saved in all",
                           .summary = "Of the emissions of the same jobs started now in the same "
                                      "place; jobs that a strategy refused count on neither side. "
                                      "\"perfect forecast\" is the bound: the most that was "
                                      "possible had the future been known.",
                           .label = "strategy",
                           .unit = "% of the baseline",
                           .labels = figures.labels,
                           .count = figures.count,
                           .series = series,
                           .series_count = 1,
                           .decimals = 1,
                       });
}

static void plot_saved(const struct backtest *bt, struct gl_str *out)
{
    struct figures figures = {0};
    const struct gl_html_series series[] = {
        {"5 of 100 save less", figures.value[0]},
        {"95 of 100 save at most", figures.value[1]},
        {"half save at most", figures.value[2]},
    };

    for (int s = GL_BACKTEST_WAIT; s < GL_BACKTEST_STRATEGIES; s++) {
        const struct gl_backtest_total *total = &bt->result.totals[s];

        if (total->is_absent || total->compared == 0)
            continue;
        figures.value[0][figures.count] = total->saved_share.p5;
        figures.value[1][figures.count] = total->saved_share.p95;
        figures.value[2][figures.count] = total->saved_share.p50;
        figures.labels[figures.count++] = gl_backtest_title((enum gl_backtest_strategy)s);
    }
    gl_html_chart(out,
                  &(struct gl_html_chart){
                      .kind = GL_HTML_RANGES,
                      .id = "saved",
                      .title = "Saved by each job",
                      .summary = "Against starting the same job now in the same place. The bar "
                                 "holds 90 of 100 jobs, the mark the job in the middle; left "
                                 "of 0 a job emitted more than if it had started at once.",
                      .label = "strategy",
                      .unit = "% of its baseline",
                      .labels = figures.labels,
                      .count = figures.count,
                      .series = series,
                      .series_count = 3,
                      .decimals = 1,
                  });
}

static void plot_waits(const struct backtest *bt, struct gl_str *out)
{
    enum gl_backtest_strategy best = gl_backtest_best(bt);
    char texts[GL_BACKTEST_WAITS][32], summary[160];
    const char *labels[GL_BACKTEST_WAITS];
    double value[GL_BACKTEST_WAITS];
    const struct gl_html_series series = {"jobs", value};
    size_t last = 0;

    for (size_t i = 0; i < GL_BACKTEST_WAITS; i++) {
        uint32_t low, high;

        gl_backtest_wait_bar(i, &low, &high);
        if (high == UINT32_MAX)
            snprintf(texts[i], sizeof texts[i], "%u h and more", low);
        else if (low == high)
            snprintf(texts[i], sizeof texts[i], "%u h", low);
        else
            snprintf(texts[i], sizeof texts[i], "%u to %u h", low, high);
        labels[i] = texts[i];
        value[i] = (double)bt->result.totals[best].waits[i];
        last = value[i] > 0 ? i : last;
    }
    snprintf(summary, sizeof summary,
             "Hours from a job's arrival until it started, strategy "
             "\"%s\".",
             gl_backtest_title(best));
    gl_html_chart(out, &(struct gl_html_chart){
                           .kind = GL_HTML_BARS,
                           .id = "waits",
                           .title = "How long jobs waited",
                           .summary = summary,
                           .label = "wait",
                           .unit = "jobs",
                           .labels = labels,
                           .count = last + 1,
                           .series = &series,
                           .series_count = 1,
                       });
}

static void plot_kept(const struct backtest *bt, struct gl_str *out)
{
    struct figures figures = {0};
    char summary[200];
    const struct gl_html_series series = {"kept", figures.value[0]};

    for (int s = GL_BACKTEST_WAIT; s < GL_BACKTEST_ORACLE; s++) {
        const struct gl_backtest_total *total = &bt->result.totals[s];

        if (total->kept + total->breached == 0)
            continue;
        figures.value[0][figures.count] =
            100 * (double)total->kept / (double)(total->kept + total->breached);
        figures.labels[figures.count++] = gl_backtest_title((enum gl_backtest_strategy)s);
    }
    if (figures.count == 0)
        return;
    snprintf(summary, sizeof summary,
             "Of the promises issued at the start of runs and settled by what came; asked for: "
             "%g %% in the long run.",
             bt->result.probability * 100);
    gl_html_chart(out, &(struct gl_html_chart){
                           .kind = GL_HTML_BARS,
                           .id = "kept",
                           .title = "Promises kept",
                           .summary = summary,
                           .label = "strategy",
                           .unit = "%",
                           .labels = figures.labels,
                           .count = figures.count,
                           .series = &series,
                           .series_count = 1,
                           .decimals = 1,
                       });
}

/* ---- the week ---- */

struct week {
    char texts[BACKTEST_WEEK_H][GL_INSTANT_TEXT];
    const char *labels[BACKTEST_WEEK_H];
    double value[GL_HTML_SERIES_MAX][BACKTEST_WEEK_H];
    struct gl_html_series series[GL_HTML_SERIES_MAX];
    size_t count;
};

static void week_labels(const struct backtest *bt, struct week *week)
{
    for (size_t h = 0; h < BACKTEST_WEEK_H; h++) {
        char full[GL_INSTANT_TEXT];

        gl_instant_text((struct gl_instant){bt->week_s + (int64_t)h * GL_HOUR_S}, full);
        snprintf(week->texts[h], sizeof week->texts[h], "%.10s %.5s", full, full + 11);
        week->labels[h] = week->texts[h];
    }
    week->count = 0;
}

static void week_chart(struct gl_str *out, const struct week *week,
                       const struct gl_html_chart *words)
{
    struct gl_html_chart chart = *words;

    chart.label = "hour (UTC)";
    chart.labels = week->labels;
    chart.count = BACKTEST_WEEK_H;
    chart.series = week->series;
    chart.series_count = week->count;
    gl_html_chart(out, &chart);
}

static void plot_intensity(const struct backtest *bt, struct week *week, struct gl_str *out)
{
    week_labels(bt, week);
    for (size_t p = 0; p < bt->place_count && week->count < GL_HTML_SERIES_MAX; p++) {
        double *value = week->value[week->count];

        for (size_t h = 0; h < BACKTEST_WEEK_H; h++) {
            float at = NAN;

            gl_actual_at(&bt->places[p].intensity->actuals, bt->week_s + (int64_t)h * GL_HOUR_S,
                         &at);
            value[h] = (double)at;
        }
        week->series[week->count++] = (struct gl_html_series){bt->places[p].zone->zone, value};
    }
    week_chart(out, week,
               &(struct gl_html_chart){
                   .kind = GL_HTML_LINES,
                   .id = "intensity",
                   .title = "Carbon intensity in the week drawn",
                   .summary = bt->place_count > GL_HTML_SERIES_MAX
                                  ? "Hour by hour, the first eight places. Gaps are missing hours."
                                  : "Hour by hour. Gaps are missing hours.",
                   .unit = "gCO2e/kWh"});
}

static void plot_running(const struct backtest *bt, struct week *week, struct gl_str *out)
{
    const enum gl_backtest_strategy shown[] = {GL_BACKTEST_NOW, gl_backtest_best(bt)};
    uint32_t hours[BACKTEST_WEEK_H];

    week_labels(bt, week);
    for (size_t s = 0; s < sizeof shown / sizeof shown[0]; s++) {
        double *value = week->value[week->count];

        gl_backtest_hours(bt, shown[s], bt->week_s, BACKTEST_WEEK_H, hours);
        for (size_t h = 0; h < BACKTEST_WEEK_H; h++)
            value[h] = hours[h];
        week->series[week->count++] = (struct gl_html_series){gl_backtest_title(shown[s]), value};
    }
    week_chart(out, week,
               &(struct gl_html_chart){
                   .kind = GL_HTML_STEPS,
                   .id = "running",
                   .title = "Jobs running in the same week",
                   .summary = "What waiting does: jobs move out of the dirty hours above into the "
                              "clean ones.",
                   .unit = "jobs"});
}

/* ---- tables without plots ---- */

static void add_refusals(const struct backtest *bt, struct gl_str *out)
{
    static const char *const heads[] = {"strategy", "not run", "why", "jobs"};
    const char *cells[GL_BACKTEST_STRATEGIES * (GL_BACKTEST_WHYS + 3) * 4];
    char numbers[GL_BACKTEST_STRATEGIES * (GL_BACKTEST_WHYS + 3)][24];
    size_t rows = 0;

    for (int s = 0; s < GL_BACKTEST_ORACLE; s++) {
        const struct gl_backtest_total *total = &bt->result.totals[s];
        const struct {
            const char *what, *why;
            size_t jobs;
        } others[] = {
            {"missed", "started, but not over at its deadline", total->ends[GL_BACKTEST_MISSED]},
            {"stopped", "by the guard", total->ends[GL_BACKTEST_STOPPED]},
            {"refused", "of these: in hindsight there was a green start",
             total->refused_though_green},
        };

        for (size_t w = 1; w < GL_BACKTEST_WHYS + 3; w++) {
            const bool is_why = w < GL_BACKTEST_WHYS;
            size_t jobs = is_why ? total->whys[w] : others[w - GL_BACKTEST_WHYS].jobs;

            if (jobs == 0 || total->is_absent)
                continue;
            snprintf(numbers[rows], sizeof numbers[rows], "%zu", jobs);
            cells[4 * rows] = gl_backtest_title((enum gl_backtest_strategy)s);
            cells[4 * rows + 1] = is_why ? "refused" : others[w - GL_BACKTEST_WHYS].what;
            cells[4 * rows + 2] = is_why ? gl_backtest_why_sentence((enum gl_backtest_why)w)
                                         : others[w - GL_BACKTEST_WHYS].why;
            cells[4 * rows + 3] = numbers[rows];
            rows++;
        }
    }
    if (rows == 0)
        return;
    gl_html_heading(out, "Not run");
    gl_html_table(
        out, &(struct gl_html_table){"Jobs that were not run, and why", heads, 4, cells, rows});
}

static void add_summary(const struct backtest *bt, struct gl_str *out)
{
    static const char *const heads[] = {"strategy", "done",   "not run", "emitted",  "saved",
                                        "of bound", "better", "worse",   "mean wait"};
    const size_t columns = sizeof heads / sizeof heads[0];
    const struct figures figures = strategies_of(bt);
    const char *cells[GL_BACKTEST_STRATEGIES * 9];
    char texts[GL_BACKTEST_STRATEGIES][9][GL_QUANTITY_TEXT];
    char percents[GL_BACKTEST_STRATEGIES][2][72];

    for (size_t i = 0; i < figures.count; i++) {
        const struct gl_backtest_total *total = &bt->result.totals[figures.strategy[i]];
        char(*row)[GL_QUANTITY_TEXT] = texts[i];

        snprintf(row[1], sizeof row[1], "%zu", total->ends[GL_BACKTEST_DONE]);
        snprintf(row[2], sizeof row[2], "%zu", not_done(total));
        gl_mass_text((struct gl_mass){total->emitted_g.central}, row[3]);
        gl_backtest_percent(total->saved_percent, 1, percents[i][0]);
        gl_backtest_percent(gl_backtest_of_bound(total), 0, percents[i][1]);
        snprintf(row[6], sizeof row[6], "%zu", total->better);
        snprintf(row[7], sizeof row[7], "%zu", total->worse);
        snprintf(row[8], sizeof row[8], "%.1f h", total->mean_wait_h);
        cells[i * columns] = figures.labels[i];
        for (size_t c = 1; c < columns; c++)
            cells[i * columns + c] = c == 4 || c == 5 ? percents[i][c - 4] : row[c];
    }
    gl_html_heading(out, "Strategies side by side");
    gl_html_table(out, &(struct gl_html_table){"Strategies side by side", heads, columns, cells,
                                               figures.count});
}

static void job_row(const struct backtest *bt, size_t i, char texts[5][GL_QUANTITY_TEXT],
                    const char **cells)
{
    enum gl_backtest_strategy best = gl_backtest_best(bt);
    const struct gl_backtest_run *run = &bt->result.runs[best][i];
    const struct gl_backtest_job *job = &bt->jobs[i];
    char full[GL_INSTANT_TEXT];

    gl_instant_text((struct gl_instant){job->arrival_s}, full);
    snprintf(texts[0], sizeof texts[0], "%.10s %.5s", full, full + 11);
    snprintf(texts[1], sizeof texts[1], "%u h", job->work_h);
    snprintf(texts[2], sizeof texts[2], "%u h", run->wait_h);
    gl_mass_text((struct gl_mass){run->emitted_g.central}, texts[3]);
    gl_mass_text((struct gl_mass){run->saved_g.central}, texts[4]);
    cells[0] = texts[0];
    cells[1] = texts[1];
    cells[2] = run->end == GL_BACKTEST_REFUSED
                   ? gl_backtest_why_sentence((enum gl_backtest_why)run->why)
                   : gl_backtest_end_word((enum gl_backtest_end)run->end);
    cells[3] = run->end == GL_BACKTEST_DONE ? texts[2] : "-";
    cells[4] = run->end == GL_BACKTEST_DONE ? bt->places[run->first_place].zone->zone : "-";
    cells[5] = run->end == GL_BACKTEST_DONE ? texts[3] : "-";
    cells[6] = run->end == GL_BACKTEST_DONE && run->has_baseline ? texts[4] : "-";
}

static void add_jobs(const struct backtest *bt, struct gl_str *out)
{
    static const char *const heads[] = {"arrival (UTC)", "length",  "end",  "wait",
                                        "first place",   "emitted", "saved"};
    size_t count = bt->job_count < JOB_ROWS ? bt->job_count : JOB_ROWS;
    char(*texts)[5][GL_QUANTITY_TEXT] = gl_alloc(count * sizeof *texts);
    const char **cells = gl_alloc(count * 7 * sizeof *cells);
    char caption[128];

    for (size_t i = 0; i < count; i++)
        job_row(bt, i, texts[i], cells + 7 * i);
    snprintf(caption, sizeof caption, "Jobs by \"%s\", the first %zu of %zu",
             gl_backtest_title(gl_backtest_best(bt)), count, bt->job_count);
    gl_html_heading(out, "Jobs");
    gl_html_table(out, &(struct gl_html_table){caption, heads, 7, cells, count});
    free(cells);
    free(texts);
}

static void add_method(const struct backtest *bt, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    gl_html_heading(out, "How this was found");
    gl_str_addf(
        &line,
        "Every hour is decided with what was known in that hour: figures whose delay had "
        "passed and forecasts issued before, %u h ahead. Forecasts, promises, plans and the "
        "guard are the functions that launches use. Grams are energy times the recorded "
        "intensity of the hour and place it was spent in; figures a source may still "
        "revise count with 11.4 %% either way in the low and high sums. The unit is the "
        "whole hour of UTC: arrivals count from the beginning of their hour, lengths are "
        "rounded up, energy is spent evenly. The last word of each source on an hour is "
        "used, not the first. See docs/backtest.md.",
        (unsigned)bt->result.horizon_h);
    gl_html_paragraph(out, gl_str_text(&line));
}

void gl_backtest_html(const struct backtest *bt, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str title = {0};
    struct week *week = gl_alloc(sizeof *week);

    gl_str_addf(&title, "Backtest: %zu jobs in %s", bt->job_count, bt->places[bt->home].zone->zone);
    if (bt->place_count > 1)
        gl_str_addf(&title, " and %zu other place%s", bt->place_count - 1,
                    bt->place_count == 2 ? "" : "s");
    gl_html_begin(out, gl_str_text(&title), BACKTEST_MARK);
    add_cards(bt, out);
    add_what(bt, out);
    add_summary(bt, out);
    plot_total(bt, out);
    plot_saved(bt, out);
    plot_intensity(bt, week, out);
    plot_running(bt, week, out);
    plot_waits(bt, out);
    plot_kept(bt, out);
    add_refusals(bt, out);
    add_jobs(bt, out);
    gl_html_heading(out, "Recorded figures");
    add_sources(bt, out);
    add_method(bt, out);
    gl_html_end(out);
    free(week);
}
