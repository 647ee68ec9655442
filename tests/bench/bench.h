/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_BENCH_H
#define GL_TESTS_BENCH_H

/* Measurements for `make bench`. They print figures and assert none: a time
 * belongs to the machine it was taken on. Each returns 0, or -1 when it could not measure. */

#include "base/error.h"

/* Whole runs of the program at `greenlaunch`, as multiples of /bin/true; at least 200 each. */
int bench_start(const char *greenlaunch, struct gl_error *err);
/* Ranking 20,000 offers, and refusing them on live evidence: time, time per offer, memory. */
int bench_offers(struct gl_error *err);
/* 30 simulated days of RAPL counters: what our rule counts beside two rules of others. */
int bench_energy(const char *folder, struct gl_error *err);
/* Published figures recomputed by policy/footprint. */
int bench_papers(struct gl_error *err);
/* Papers computed again by policy/schedule (bench_paper.h); the data's folders come from
 * GREENLAUNCH_BENCH_PAPERS and GREENLAUNCH_BENCH_AWHILE. */
int bench_planning(struct gl_error *err);
/* The promise backtest over the series in `folder` (guarantee_data.h); `only` is the number of one
 * suite, or NULL for all. */
int bench_guarantee(const char *folder, const char *only, struct gl_error *err);
/* A plan by the streaming JSON reader beside jansson's tree: MB/s and memory. The plan comes from
 * GREENLAUNCH_BENCH_PLAN, or is made up. */
int bench_json(struct gl_error *err);
/* A million demand signals to clusters: time and memory. */
int bench_demand(struct gl_error *err);
/* The same out of a ledger of a million events in `folder`: opened, read and clustered. */
int bench_demand_ledger(const char *folder, struct gl_error *err);
/* Verifications a second of the receipt in `path`. */
int bench_receipt(const char *path, struct gl_error *err);
/* Launches by the whole command beside the AWS CLI's, as tests/bench/aws.sh prepared them in
 * `folder`. */
int bench_aws(const char *folder, struct gl_error *err);

/* Commands over one plan, as tests/bench/hook.sh wrote them to `path`, a line each: rounds, title
 * and words, with tabs between. Times are medians, ratios are to the first. */
int bench_hook(const char *path, struct gl_error *err);
/* A plan of that many resources to standard output. */
int bench_hook_plan(const char *count, struct gl_error *err);
/* jansson's tree of a file, as a process of its own. */
int bench_hook_jansson(const char *path, struct gl_error *err);
/* The streaming reader over the plan, nothing kept. */
int bench_hook_reader(const char *path, struct gl_error *err);

/* Monotonic seconds. */
double bench_now_s(void);
/* The same of the processor this process had. */
double bench_processor_s(void);
/* Peak resident set of this process in KiB since bench_peak_reset(), -1 when not known. */
void bench_peak_reset(void);
long bench_peak_kib(void);

#endif
