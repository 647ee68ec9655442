/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_BENCH_GUARANTEE_DATA_H
#define GL_TESTS_BENCH_GUARANTEE_DATA_H

/* The public series of the promise backtest, read from a folder that is not part of this
 * repository: `carbonx/` (hourly actuals 2021-2024 and daily 96-hour forecasts of eleven zones) and
 * `forecasts/` with `hourly/` (nine zones of 2020-2021). Files are gzip of CSV. */

#include "base/error.h"
#include "policy/guarantee/guarantee.h"

#define BENCH_ISSUE_HOURS 96

struct bench_zone {
    const char *name;
    int64_t start_s;
    size_t hours;
    float *intensity, *renewable; /* renewable NULL when there is none */
    size_t issue_count;
    float *issue_values; /* BENCH_ISSUE_HOURS each */
    int64_t *issued_s;
};

/* Heap memory for the life of the process. */
int bench_zone_carbonx(const char *folder, const char *name, struct bench_zone *out_zone,
                       struct gl_error *err);
int bench_zone_carboncast(const char *folder, const char *name, struct bench_zone *out_zone,
                          struct gl_error *err);

#endif
