/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench.h"
#include "tests/bench/bench_paper.h"

#include <math.h>
#include <stdlib.h>

/* DACF (e-Energy 2022), table 4: error of day-ahead forecasts of direct intensity in six regions
 * over 184 days. The mean is over all hours; median and percentiles are of the daily means, between
 * the two days around them. */

#define HOURS_A_DAY 24
#define MOST_DAYS   400

static int by_value(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;

    return a < b ? -1 : a > b;
}

static double percentile(const double *sorted, size_t count, double share)
{
    const double rank = share * (double)(count - 1);
    const size_t below = (size_t)floor(rank);

    if (below + 1 >= count)
        return sorted[count - 1];
    return sorted[below] + (sorted[below + 1] - sorted[below]) * (rank - (double)below);
}

/* Mean, median, 90 and 95 % of the absolute percentage error. */
static void errors_of(const struct bench_csv *csv, double out[4])
{
    double day[MOST_DAYS] = {0}, sum = 0;
    const size_t days = csv->rows / HOURS_A_DAY < MOST_DAYS ? csv->rows / HOURS_A_DAY : MOST_DAYS;

    for (size_t i = 0; i < days * HOURS_A_DAY; i++) {
        const double actual = csv->value[i * csv->columns],
                     guess = csv->value[i * csv->columns + 1];
        const double error = 100 * fabs(guess - actual) / actual;

        sum += error;
        day[i / HOURS_A_DAY] += error / HOURS_A_DAY;
    }
    qsort(day, days, sizeof *day, by_value);
    out[0] = sum / (double)(days * HOURS_A_DAY);
    out[1] = percentile(day, days, 0.5);
    out[2] = percentile(day, days, 0.9);
    out[3] = percentile(day, days, 0.95);
}

int bench_dacf(const char *folder, struct gl_error *err)
{
    static const struct {
        const char *region;
        double paper[4];
    } rows[] = {
        {"CISO", {7.41, 6.30, 12.21, 14.04}}, {"PJM", {3.30, 2.71, 5.80, 6.89}},
        {"ERCO", {8.05, 6.40, 14.55, 20.76}}, {"ISNE", {4.44, 3.51, 8.35, 9.75}},
        {"SE", {6.47, 5.14, 11.39, 14.32}},   {"DE", {9.08, 6.44, 19.84, 24.86}},
    };
    static const char *const names[] = {"mean", "median", "90 %", "95 %"};

    bench_table_title("DACF (e-Energy 2022), table 4: error of its forecasts, %");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[64];
        struct bench_csv csv;
        double errors[4], before;

        snprintf(text, sizeof text, "dacf/%s_dayahead_direct_2021H2.csv.gz", rows[i].region);
        if (bench_csv_read(folder, text, &csv, err) != 0)
            return -1;
        before = bench_now_s();
        errors_of(&csv, errors);
        before = bench_now_s() - before;
        for (size_t j = 0; j < 4; j++) {
            snprintf(text, sizeof text, "DACF %s, %s", rows[i].region, names[j]);
            bench_table_row(&(struct bench_row){.what = text,
                                                .paper = rows[i].paper[j],
                                                .ours = errors[j],
                                                .digits = 2,
                                                .seconds = j == 0 ? before : -1});
        }
        bench_csv_done(&csv);
    }
    return 0;
}
