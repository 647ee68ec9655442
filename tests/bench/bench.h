/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_BENCH_H
#define GL_TESTS_BENCH_H

/* Measurements inside one process, for `make bench`. They print figures and assert none: a time
 * belongs to the machine it was taken on. Each returns 0, or -1 when it could not measure. */

#include "base/error.h"

/* Ranking 20,000 offers: time, time per offer, memory. */
int bench_offers(struct gl_error *err);
/* 30 simulated days of RAPL counters: what our rule counts beside two rules of others. */
int bench_energy(const char *folder, struct gl_error *err);
/* Published figures recomputed by policy/footprint. */
int bench_papers(struct gl_error *err);
/* Verifications a second of the receipt in `path`. */
int bench_receipt(const char *path, struct gl_error *err);

/* Monotonic seconds. */
double bench_now_s(void);
/* Peak resident set of this process in KiB since bench_peak_reset(), -1 when not known. */
void bench_peak_reset(void);
long bench_peak_kib(void);

#endif
