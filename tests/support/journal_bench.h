/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_SUPPORT_JOURNAL_BENCH_H
#define GL_TESTS_SUPPORT_JOURNAL_BENCH_H

/* A launch journal on the metered cloud, and what must hold for it whatever was killed, cut or full
 * before: asserted with cmocka, so only for its tests. */

#include "broker/launch.h"
#include "tests/support/metered_cloud.h"

#define JOURNAL_LEASE_S 300

struct journal_bench {
    struct metered_cloud *cloud;
    char *folder, *ledger_path;
    struct gl_ledger *ledger; /* open unless a test closed it */
    struct gl_launcher launcher;
    const json_t *charge; /* the member "budget" of its plans; NULL = none */
};

void journal_bench_open(struct journal_bench *bench, const char *name);
void journal_bench_close(struct journal_bench *bench);
/* Open the ledger again, with at most so many pages (0 = any); false when that failed (*err). */
bool journal_bench_ledger(struct journal_bench *bench, int max_pages, struct gl_error *err);

/* Launch one instance called `name` for the lease above. */
int journal_bench_start(struct journal_bench *bench, const char *name, struct gl_instance *out,
                        struct gl_error *err);
/* Finish a launch whose command ended well. */
int journal_bench_finish(struct journal_bench *bench, const char *launch, int64_t wait_s,
                         struct gl_error *err);
/* Pause, resume, or move to the other place of the cloud (zone YY) and back (zone XX), with its
 * grid series. */
int journal_bench_pause(struct journal_bench *bench, const char *launch, struct gl_error *err);
int journal_bench_resume(struct journal_bench *bench, const char *launch, struct gl_error *err);
int journal_bench_move(struct journal_bench *bench, const char *launch, const char *region,
                       struct gl_error *err);
/* A life with a pause of a minute, a move, and a move while it is paused; between them it runs four
 * seconds each. 0 or the first failure; then it ends there. */
int journal_bench_shift_life(struct journal_bench *bench, struct gl_error *err);
/* The whole life: launch, run twelve seconds, finish; 0 or the first failure. */
int journal_bench_life(struct journal_bench *bench, struct gl_error *err);

/* Reconcile, and assert: a second time changes nothing; at most one instance a launch; nothing runs
 * that the ledger does not know as running or paused, in that very place; nothing is left
 * undecided; the chain holds; every ended launch that ran has one end, and a receipt that verifies,
 * that the ledger holds word for word and that charges at least what was used. */
void journal_bench_assert_sound(struct journal_bench *bench);
/* The same after all leases are over: nothing runs any more. */
void journal_bench_assert_over(struct journal_bench *bench);

/* Events of a kind, of one launch or of all (NULL). */
unsigned journal_bench_events(struct journal_bench *bench, const char *launch, const char *kind);
/* The receipt of a launch and a number of it: derived.footprint.KEY[1]. */
int64_t journal_bench_footprint(struct journal_bench *bench, const char *launch, const char *key);

#endif
