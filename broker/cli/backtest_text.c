/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/backtest_part.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "broker/render/series.h"
#include "broker/render/table.h"
#include "broker/render/text.h"

#define LABEL 10 /* columns of "trace     " */

static void field(struct backtest *bt, const char *label, const char *text)
{
    struct gl_str *out = &bt->context->reply.text;
    GL_AUTO(gl_str_done) struct gl_str safe = {0};

    gl_str_add_printable(&safe, text, strlen(text));
    gl_str_addf(out, "%-*s", LABEL, label);
    gl_render_hang(gl_str_text(&safe), LABEL, bt->context->columns, out);
}

/* ---- what was replayed ---- */

static void describe_trace(struct backtest *bt, size_t place)
{
    const struct gl_history *history = bt->places[place].intensity;
    size_t hours = (size_t)((bt->end_s - bt->first_s) / GL_HOUR_S);
    size_t holes = gl_backtest_holes(bt, history);
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    char first[GL_INSTANT_TEXT], last[GL_INSTANT_TEXT];

    gl_instant_text((struct gl_instant){bt->first_s}, first);
    gl_instant_text((struct gl_instant){bt->end_s - 1}, last);
    gl_str_addf(&text, "%s%s, %s (", history->zone, place == bt->home ? " (home)" : "",
                history->dataset);
    gl_render_meaning(&history->meaning, &text);
    gl_str_addf(&text, "), grade %c, %zu hours %.10s to %.10s, %zu missing",
                gl_backtest_grade(history), hours, first, last, holes);
    gl_str_addf(&text, ", known %u h late, ", (unsigned)history->actuals.lag_h);
    if (history->issues.count > 0)
        gl_render_count(&text, history->issues.count, "stored forecast");
    else
        gl_str_add(&text, "forecast by the built-in forecaster");
    field(bt, place == 0 ? "trace" : "", gl_str_text(&text));
}

static void describe(struct backtest *bt)
{
    GL_AUTO(gl_str_done) struct gl_str jobs = {0};
    GL_AUTO(gl_str_done) struct gl_str rules = {0};

    gl_render_wrap(BACKTEST_MARK " Each hour is decided by what was known in that hour.", 0,
                   bt->context->columns, &bt->context->reply.text);
    for (size_t p = 0; p < bt->place_count; p++)
        describe_trace(bt, p);
    gl_backtest_jobs_text(bt, &jobs);
    field(bt, "jobs", gl_str_text(&jobs));
    gl_backtest_rules_text(bt, &rules);
    field(bt, "rules", rules.length > 0 ? gl_str_text(&rules) : "none: nothing had to be promised");
    gl_str_add_char(&bt->context->reply.text, '\n');
}

/* ---- the table of strategies ---- */

static const struct gl_column columns[] = {
    {"STRATEGY", false, 0}, {"DONE", true, 3},  {"NOT", true, 4},
    {"EMITTED", true, 0},   {"SAVED", true, 0}, {"OF BOUND", true, 1},
    {"WORSE", true, 5},     {"WAIT", true, 2},  {"KEPT", true, 1},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

static size_t not_done(const struct gl_backtest_total *total)
{
    return total->ends[GL_BACKTEST_REFUSED] + total->ends[GL_BACKTEST_MISSED] +
           total->ends[GL_BACKTEST_STOPPED];
}

static const char *percent(char out[32], size_t part, size_t whole)
{
    if (whole == 0)
        return "-";
    snprintf(out, 32, "%.1f %%", 100 * (double)part / (double)whole);
    return out;
}

static void strategy_row(const struct backtest *bt, enum gl_backtest_strategy s,
                         struct gl_table *table)
{
    const struct gl_backtest_total *total = &bt->result.totals[s];
    char done[32], no[32], emitted[GL_QUANTITY_TEXT], saved[72] = "-", bound[72] = "-";
    char worse[32], wait[32], kept[48];
    const bool is_base = s == GL_BACKTEST_NOW;

    snprintf(done, sizeof done, "%zu", total->ends[GL_BACKTEST_DONE]);
    snprintf(no, sizeof no, "%zu", not_done(total));
    gl_mass_text((struct gl_mass){total->emitted_g.central}, emitted);
    if (!is_base && total->baseline_g.central > 0)
        gl_backtest_percent(total->saved_percent, 1, saved);
    if (!is_base)
        gl_backtest_percent(gl_backtest_of_bound(total), 0, bound);
    snprintf(wait, sizeof wait, "%.1f h", total->mean_wait_h);
    snprintf(kept, sizeof kept, "-");
    if (total->kept + total->breached > 0)
        snprintf(kept, sizeof kept, "%.1f %%",
                 100 * (double)total->kept / (double)(total->kept + total->breached));
    gl_table_row(table,
                 (const char *const[COLUMNS]){
                     gl_backtest_title(s), done, no, emitted, saved, bound,
                     is_base ? "-" : percent(worse, total->worse, total->compared), wait, kept});
}

static void add_strategies(struct backtest *bt)
{
    struct gl_table *table = gl_table_new(columns, COLUMNS);
    GL_AUTO(gl_str_done) struct gl_str pauses = {0};

    for (int s = 0; s < GL_BACKTEST_STRATEGIES; s++)
        if (!bt->result.totals[s].is_absent)
            strategy_row(bt, (enum gl_backtest_strategy)s, table);
    gl_table_text(table, bt->context->columns, bt->context->globals.is_accessible,
                  &bt->context->reply.text);
    gl_table_free(table);
    gl_render_wrap("EMITTED of the jobs done; SAVED against starting the same jobs now in the same "
                   "place; OF BOUND: of what a perfect forecast, the bound of all, would have "
                   "saved of them; WORSE: jobs that emitted more than started now; NOT: refused, "
                   "too late or stopped; KEPT: of the promises that are settled.",
                   0, bt->context->columns, &bt->context->reply.text);
    gl_backtest_pauses_text(bt, &pauses);
    if (pauses.length > 0)
        gl_render_wrap(gl_str_text(&pauses), 0, bt->context->columns, &bt->context->reply.text);
}

/* ---- spread of the saving ---- */

static void add_spread(struct backtest *bt)
{
    static const struct gl_column heads[] = {{"SAVED BY EACH JOB", false, 0},
                                             {"WORST", true, 0},
                                             {"5 %", true, 2},
                                             {"25 %", true, 1},
                                             {"MEDIAN", true, 0},
                                             {"75 %", true, 1},
                                             {"95 %", true, 2},
                                             {"BEST", true, 0}};
    struct gl_table *table = gl_table_new(heads, 8);

    for (int s = GL_BACKTEST_WAIT; s < GL_BACKTEST_STRATEGIES; s++) {
        const struct gl_backtest_total *total = &bt->result.totals[s];
        const struct gl_backtest_spread *of = &total->saved_share;
        const double values[] = {of->least, of->p5, of->p25, of->p50, of->p75, of->p95, of->most};
        char cells[7][72];
        const char *row[8] = {gl_backtest_title((enum gl_backtest_strategy)s)};

        if (total->is_absent || total->compared == 0)
            continue;
        for (size_t i = 0; i < 7; i++) {
            gl_backtest_percent(values[i], 1, cells[i]);
            row[i + 1] = cells[i];
        }
        gl_table_row(table, row);
    }
    gl_str_add_char(&bt->context->reply.text, '\n');
    gl_table_text(table, bt->context->columns, bt->context->globals.is_accessible,
                  &bt->context->reply.text);
    gl_table_free(table);
}

/* ---- a week ---- */

#define CELL_H 3 /* hours of a character */
#define CELLS  (BACKTEST_WEEK_H / CELL_H)

static void intensity_strip(struct backtest *bt, size_t place)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const struct gl_actuals *actuals = &bt->places[place].intensity->actuals;
    struct gl_str *out = &bt->context->reply.text;
    double mean[CELLS], least = INFINITY, most = -INFINITY;
    char low[GL_RENDER_NUMBER], high[GL_RENDER_NUMBER];

    for (size_t c = 0; c < CELLS; c++) {
        double sum = 0;

        for (size_t h = 0; h < CELL_H; h++) {
            float value = NAN;

            gl_actual_at(actuals, bt->week_s + (int64_t)(c * CELL_H + h) * GL_HOUR_S, &value);
            sum += (double)value;
        }
        mean[c] = sum / CELL_H;
        least = fmin(least, mean[c]);
        most = fmax(most, mean[c]);
    }
    gl_str_addf(out, "%-9.9s ", bt->places[place].zone->zone);
    for (size_t c = 0; c < CELLS; c++) {
        double part = most > least ? (mean[c] - least) / (most - least) : 0;

        if (isnan(mean[c]))
            gl_str_add_char(out, '?');
        else if (gl_context_is_utf8(bt->context))
            gl_str_add(out, blocks[(size_t)fmin(7, part * 8)]);
        else
            gl_str_addf(out, "%d", (int)fmin(9, part * 10));
    }
    if (isfinite(least))
        gl_str_addf(out, " %s..%s", gl_render_real_text(round(least), low),
                    gl_render_real_text(round(most), high));
    gl_str_add_char(out, '\n');
}

static void run_strip(struct backtest *bt, enum gl_backtest_strategy strategy)
{
    struct gl_str *out = &bt->context->reply.text;
    uint32_t hours[BACKTEST_WEEK_H];

    gl_backtest_hours(bt, strategy, bt->week_s, BACKTEST_WEEK_H, hours);
    gl_str_addf(out, "%-9.9s ", gl_backtest_word(strategy));
    for (size_t c = 0; c < CELLS; c++) {
        uint32_t sum = 0;

        for (size_t h = 0; h < CELL_H; h++)
            sum += hours[c * CELL_H + h];
        if (sum == 0)
            gl_str_add_char(out, '.');
        else
            gl_str_addf(out, "%c", sum > 9 ? '+' : (char)('0' + sum));
    }
    gl_str_add_char(out, '\n');
}

static void add_week(struct backtest *bt)
{
    struct gl_str *out = &bt->context->reply.text;
    char day[GL_INSTANT_TEXT];

    if (bt->context->columns < LABEL + CELLS)
        return;
    gl_instant_text((struct gl_instant){bt->week_s}, day);
    gl_str_addf(out, "\nThe week from %.10s, %d hours a character: gCO2e/kWh and job-hours run\n",
                day, CELL_H);
    gl_str_addf(out, "%*s", LABEL, "");
    for (int d = 0; d < 7; d++) {
        gl_instant_text((struct gl_instant){bt->week_s + d * INT64_C(86400)}, day);
        gl_str_addf(out, "|%.5s  ", day + 5);
    }
    gl_str_add_char(out, '\n');
    for (size_t p = 0; p < bt->place_count && p < 8; p++)
        intensity_strip(bt, p);
    for (int s = 0; s < GL_BACKTEST_STRATEGIES; s++)
        if (!bt->result.totals[s].is_absent)
            run_strip(bt, (enum gl_backtest_strategy)s);
}

/* ---- waits ---- */

static void wait_label(size_t i, char out[32])
{
    uint32_t low, high;

    gl_backtest_wait_bar(i, &low, &high);
    if (high == UINT32_MAX)
        snprintf(out, 32, "%u h and more", low);
    else if (low == high)
        snprintf(out, 32, "%u h", low);
    else
        snprintf(out, 32, "%u-%u h", low, high);
}

static void add_waits(struct backtest *bt)
{
    enum gl_backtest_strategy best = gl_backtest_best(bt);
    const struct gl_backtest_total *total = &bt->result.totals[best];
    struct gl_str *out = &bt->context->reply.text;
    size_t most = 1, last = 0;

    for (size_t i = 0; i < GL_BACKTEST_WAITS; i++) {
        most = total->waits[i] > most ? total->waits[i] : most;
        last = total->waits[i] > 0 ? i : last;
    }
    gl_str_addf(out, "\nHow long jobs waited, %s\n", gl_backtest_title(best));
    for (size_t i = 0; i <= last; i++) {
        char label[32];
        size_t length = (total->waits[i] * 40 + most - 1) / most;

        wait_label(i, label);
        gl_str_addf(out, "%12s %7zu ", label, total->waits[i]);
        for (size_t c = 0; c < length; c++)
            gl_str_add_char(out, '#');
        gl_str_add_char(out, '\n');
    }
}

/* ---- refusals and promises ---- */

static void add_refusals(struct backtest *bt)
{
    struct gl_str *out = &bt->context->reply.text;
    bool has_head = false;

    for (int s = 0; s < GL_BACKTEST_ORACLE; s++) {
        const struct gl_backtest_total *total = &bt->result.totals[s];
        GL_AUTO(gl_str_done) struct gl_str line = {0};
        char lost[GL_QUANTITY_TEXT];

        if (total->is_absent || not_done(total) == 0)
            continue;
        if (!has_head)
            gl_str_add(out, "\nNot run\n");
        has_head = true;
        gl_str_addf(&line, "%s: ", gl_backtest_title((enum gl_backtest_strategy)s));
        for (size_t w = 1; w < GL_BACKTEST_WHYS; w++)
            if (total->whys[w] > 0)
                gl_str_addf(&line, "%zu %s; ", total->whys[w],
                            gl_backtest_why_sentence((enum gl_backtest_why)w));
        if (total->ends[GL_BACKTEST_MISSED] > 0)
            gl_str_addf(&line, "%zu started but not over in time (%s for nothing); ",
                        total->ends[GL_BACKTEST_MISSED],
                        gl_mass_text((struct gl_mass){total->lost_g}, lost));
        if (total->ends[GL_BACKTEST_STOPPED] > 0)
            gl_str_addf(&line, "%zu stopped by the guard; ", total->ends[GL_BACKTEST_STOPPED]);
        gl_str_addf(&line, "for %zu of the refused there was, in hindsight, a green start",
                    total->refused_though_green);
        gl_render_wrap(gl_str_text(&line), 2, bt->context->columns, out);
    }
}

static void add_promises(struct backtest *bt)
{
    struct gl_str *out = &bt->context->reply.text;
    char share[32];

    if (bt->result.rule_count == 0)
        return;
    gl_str_add(out, "\nPromises\n");
    for (int s = 0; s < GL_BACKTEST_ORACLE; s++) {
        const struct gl_backtest_total *total = &bt->result.totals[s];
        GL_AUTO(gl_str_done) struct gl_str line = {0};

        if (total->is_absent)
            continue;
        gl_str_addf(&line, "%s: ", gl_backtest_title((enum gl_backtest_strategy)s));
        if (total->issued > 0)
            gl_str_addf(&line,
                        "%" PRIu64 " issued, %" PRIu64 " kept, %" PRIu64 " breached, %" PRIu64
                        " not settled; ",
                        total->issued, total->kept, total->breached, total->unsettled);
        else
            gl_str_add(&line, "none issued; ");
        gl_str_addf(&line, "%s of the running hours broke the limits",
                    percent(share, total->outside_h, total->running_h));
        gl_render_wrap(gl_str_text(&line), 2, bt->context->columns, out);
    }
}

static void add_verdict(struct backtest *bt)
{
    enum gl_backtest_strategy best = gl_backtest_best(bt);
    const struct gl_backtest_total *total = &bt->result.totals[best];
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char grams[GL_QUANTITY_TEXT];

    if (total->compared == 0 || total->saved_g.central <= 0) {
        gl_str_add(&bt->context->reply.text, "\nNothing would have been saved.\n");
        return;
    }
    gl_mass_text((struct gl_mass){total->saved_g.central}, grams);
    gl_str_addf(&line,
                "Most would have been saved by \"%s\": %s, %.1f %% of the same %zu jobs "
                "started now in the same place",
                gl_backtest_title(best), grams, total->saved_percent, total->compared);
    if (total->bound_g > 0)
        gl_str_addf(&line, ", %.0f %% of what a perfect forecast could have saved of them",
                    gl_backtest_of_bound(total));
    gl_str_add(&line, ".");
    gl_str_add_char(&bt->context->reply.text, '\n');
    gl_render_wrap(gl_str_text(&line), 0, bt->context->columns, &bt->context->reply.text);
}

/* Nothing to show but what was asked for. */
static bool is_empty(struct backtest *bt)
{
    if (bt->result.totals[GL_BACKTEST_NOW].compared > 0)
        return false;
    gl_str_add(&bt->context->reply.text, "No job could be replayed.\n");
    return true;
}

void gl_backtest_text(struct backtest *bt)
{
    describe(bt);
    if (is_empty(bt))
        return;
    add_strategies(bt);
    add_spread(bt);
    add_refusals(bt);
    add_promises(bt);
    add_week(bt);
    add_waits(bt);
    add_verdict(bt);
}

/* The same without pictures: tables become blocks by themselves. */
void gl_backtest_accessible(struct backtest *bt)
{
    enum gl_backtest_strategy best = gl_backtest_best(bt);
    const struct gl_backtest_total *total = &bt->result.totals[best];
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    describe(bt);
    if (is_empty(bt))
        return;
    add_strategies(bt);
    add_spread(bt);
    add_refusals(bt);
    add_promises(bt);
    gl_str_addf(&line,
                "With \"%s\" half of the jobs waited at most %.0f hours, 95 of 100 at most %.0f "
                "hours, the longest %.0f hours.",
                gl_backtest_title(best), total->wait_h.p50, total->wait_h.p95, total->wait_h.most);
    gl_str_add_char(&bt->context->reply.text, '\n');
    gl_render_wrap(gl_str_text(&line), 0, bt->context->columns, &bt->context->reply.text);
    add_verdict(bt);
}
