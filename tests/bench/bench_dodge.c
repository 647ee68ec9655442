/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/pause.h"
#include "policy/schedule/window.h"
#include "tests/bench/bench.h"
#include "tests/bench/bench_paper.h"

#include <stdlib.h>

/* Dodge et al. (FAccT 2022, arXiv 2206.05229), "flexible start" and "pause and resume". Their
 * marginal intensities are not public, so their figures cannot be computed again; the same two
 * procedures run here on hourly average intensity of 2022 in 16 zones, 9 in North America, 6 in
 * Europe and 1 in Australia as theirs, from 60 starts 146 h apart. The reference is an analogue of
 * the same kind that names neither its 16 zones nor its first start; only how many runs fit into
 * the year is determined, and is what is compared. Its savings stand beside ours without a verdict.
 * Mean over zones and starts of the share saved. */

#define YEAR   8760
#define STARTS 60
#define ZONES  16

static const char *const names[ZONES] = {
    "US-CAL-CISO", "US-TEX-ERCO",  "US-MIDA-PJM", "US-MIDW-MISO", "US-NE-ISNE", "US-NY-NYIS",
    "US-NW-PACW",  "US-CENT-SWPP", "CA-ON",       "DE",           "GB",         "FR",
    "NL",          "IE",           "SE-SE3",      "AU-NSW",
};

static const struct row {
    const char *what;
    size_t work, slack;
    double published[2]; /* marginal intensity: flexible start, pause and resume */
    double analogue[2];  /* average intensity, 16 zones that are not named */
    size_t runs;         /* of the analogue, that fit into the year */
} rows[] = {
    {"BERT finetune, 6 h, +24 h", 6, 24, {14.5, 19.0}, {15.9, 16.8}, 960},
    {"BERT finetune, 6 h, +100 %", 6, 6, {7.0, 9.5}, {6.2, 7.0}, 960},
    {"ViT Tiny, 19 h, +24 h", 19, 24, {5.6, 12.5}, {7.8, 13.2}, 960},
    {"ViT Tiny, 19 h, +100 %", 19, 19, {5.0, 11.0}, {6.7, 11.4}, 960},
    {"ViT Base, 21 h, +24 h", 21, 24, {4.2, 11.7}, {7.0, 12.8}, 960},
    {"ViT Base, 21 h, +100 %", 21, 21, {3.9, 10.8}, {6.3, 11.7}, 960},
    {"BERT LM, 36 h, +24 h", 36, 24, {3.4, 8.5}, {6.0, 10.0}, 960},
    {"BERT LM, 36 h, +100 %", 36, 36, {4.1, 11.0}, {7.8, 12.9}, 960},
    {"ViT Large, 90 h, +24 h", 90, 24, {1.3, 4.7}, {2.8, 6.3}, 960},
    {"ViT Large, 90 h, +100 %", 90, 90, {3.3, 11.4}, {7.3, 14.5}, 944},
    {"6B transformer, 192 h, +24 h", 192, 24, {0.5, 2.5}, {1.2, 3.7}, 944},
    {"6B transformer, 192 h, +100 %", 192, 192, {2.6, 11.4}, {6.6, 15.7}, 928},
    {"ViT Huge, 216 h, +24 h", 216, 24, {0.5, 2.4}, {1.1, 3.5}, 944},
    {"ViT Huge, 216 h, +100 %", 216, 216, {3.0, 11.3}, {6.6, 15.8}, 912},
};

#define ROWS (sizeof rows / sizeof rows[0])

struct gains {
    double start, pause;
    size_t count;
};

static void add_start(const int64_t *cost, const int64_t *sum, const struct row *row, size_t at,
                      struct gains *gains)
{
    const size_t span = row->work + row->slack;
    const struct gl_window_ask ask = {
        .length = row->work, .earliest = at, .latest = at + row->slack};
    const double now = (double)(sum[at + row->work] - sum[at]);
    struct gl_window window;
    int64_t room[2 * 216], paused;
    bool run[2 * 216];

    if (!gl_window_best(sum, YEAR, &ask, &window) ||
        !gl_pause_cheapest(cost + at, span, row->work, room, run, &paused))
        return;
    gains->start += 100 * (1 - (double)window.cost / now);
    gains->pause += 100 * (1 - (double)paused / now);
    gains->count++;
}

static void print_row(const struct row *row, const struct gains *gains, double seconds)
{
    bench_table_row(&(struct bench_row){.what = row->what,
                                        .paper = (double)row->runs,
                                        .ours = (double)gains->count,
                                        .digits = 0,
                                        .seconds = seconds});
}

static void note_row(const struct row *row, const struct gains *gains)
{
    bench_table_note("  %-30s start %5.1f | %4.1f | %4.1f %%, pause %5.1f | %4.1f | %4.1f %%",
                     row->what, row->published[0], row->analogue[0],
                     gains->start / (double)gains->count, row->published[1], row->analogue[1],
                     gains->pause / (double)gains->count);
}

static int run_rows(const struct bench_csv *csv, struct gains *gains, struct gl_error *err)
{
    int64_t *cost[ZONES] = {0}, *sum[ZONES] = {0};
    int result = 0;

    for (size_t i = 0; i < ZONES && result == 0; i++) {
        const size_t column = bench_csv_column(csv, names[i]);

        if (column == SIZE_MAX) {
            result = gl_fail(err, GL_E_IO, "no zone %s", names[i]);
            continue;
        }
        cost[i] = bench_csv_line(csv, column);
        sum[i] = gl_alloc((YEAR + 1) * sizeof *sum[i]);
        gl_window_prefix(cost[i], YEAR, sum[i]);
    }
    for (size_t r = 0; r < ROWS && result == 0; r++) {
        const double before = bench_now_s();

        for (size_t i = 0; i < ZONES; i++)
            for (size_t at = 12; at + rows[r].work + rows[r].slack <= YEAR; at += YEAR / STARTS)
                add_start(cost[i], sum[i], &rows[r], at, &gains[r]);
        print_row(&rows[r], &gains[r], bench_now_s() - before);
    }
    for (size_t i = 0; i < ZONES; i++) {
        free(cost[i]);
        free(sum[i]);
    }
    return result;
}

int bench_dodge(const char *folder, struct gl_error *err)
{
    struct gains gains[ROWS] = {0};
    struct bench_csv csv;
    int result;

    if (bench_csv_read(folder, "ci2022-123zones/ci_2022_hourly_123zones.csv.gz", &csv, err) != 0)
        return -1;
    if (csv.rows != YEAR) {
        bench_csv_done(&csv);
        return gl_fail(err, GL_E_IO, "the zones' file does not hold the hours of a year");
    }
    bench_table_title(
        "Open analogue of Dodge et al. (FAccT 2022): runs that fit into the year; \"paper\" = an "
        "analogue");
    result = run_rows(&csv, gains, err);
    bench_csv_done(&csv);
    if (result != 0)
        return -1;
    bench_table_note("Saved: as published on marginal intensities that are not public | by an "
                     "analogue in 16 zones that are not named | by ours");
    for (size_t r = 0; r < ROWS; r++)
        note_row(&rows[r], &gains[r]);
    return 0;
}
