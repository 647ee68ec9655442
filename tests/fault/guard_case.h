/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_GUARD_CASE_H
#define GL_TESTS_GUARD_CASE_H

/* One launch under the guard, and what is said of it. For test_guard*.c, one program each. */

#include "tests/support/guard_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define P90 900000
#define DAY INT64_C(86400)

static struct journal_bench journal;
static struct guard_bench *bench;
static char launch[GL_CLOUD_ID];
static struct gl_guarded guarded;

static inline int set_up(void **state)
{
    (void)state;
    journal_bench_open(&journal, "test_guard");
    journal.cloud->is_mute = true;
    bench = guard_bench_new(&journal);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    guard_bench_free(bench);
    journal_bench_close(&journal);
    return 0;
}

static inline void again(void)
{
    tear_down(NULL);
    set_up(NULL);
}

static inline void start(const char *on_lapse, int64_t probability_ppm, int64_t lease_s)
{
    struct gl_error err = {0};

    if (guard_bench_start(bench, "", on_lapse, probability_ppm, lease_s, launch, &err) != 0)
        fail_msg("%s", err.text);
}

static inline void look(void)
{
    struct gl_error err = {0};

    if (guard_bench_look(bench, &guarded, &err) != 0)
        fail_msg("%s", err.text);
}

static inline void wait_s(int64_t seconds)
{
    journal.cloud->true_ms += seconds * 1000;
}

static inline void fault(enum gl_memory_op op, unsigned times, enum gl_errc code)
{
    journal.cloud->store->faults[op] = (struct gl_memory_fault){.times = times, .code = code};
}

/* The grid of the place where it runs is over the limit now and for good. */
static inline void spike(int grid)
{
    bench->grids[grid].spike = 300;
    bench->grids[grid].spike_from_s = guard_bench_now_s(bench) / 3600 * 3600 - 7200;
}

static inline void assert_told(size_t index, enum gl_guard_act act, enum gl_guard_why why)
{
    assert_true(index < bench->told_count);
    assert_string_equal(gl_guard_act_word(bench->told[index].act), gl_guard_act_word(act));
    assert_string_equal(gl_guard_why_sentence(bench->told[index].why), gl_guard_why_sentence(why));
}

/* It said so, once, and nothing failed. */
static inline void assert_did(enum gl_guard_act act, enum gl_guard_why why)
{
    assert_int_equal(bench->told_count, 1);
    assert_told(0, act, why);
    assert_false(bench->told[0].has_failed);
    assert_int_equal(guarded.failed, 0);
    assert_int_equal(guarded.undone, 0);
}

static inline void assert_state(const char *state, const char *region)
{
    struct gl_launch_rows rows;
    struct gl_error err = {0};

    assert_int_equal(gl_ledger_launches(journal.ledger, launch, &rows, &err), 0);
    assert_int_equal(rows.count, 1);
    assert_string_equal(rows.rows[0].state, state);
    assert_string_equal(rows.rows[0].region, region);
    gl_launch_rows_free(&rows);
}

static inline unsigned events(const char *kind)
{
    return journal_bench_events(&journal, launch, kind);
}

static inline size_t promises(const char *filter)
{
    struct gl_guarantee_rows rows;
    struct gl_error err = {0};
    size_t count;

    assert_int_equal(gl_ledger_guarantees(journal.ledger, filter, &rows, &err), 0);
    count = rows.count;
    gl_guarantee_rows_free(&rows);
    return count;
}

static inline void assert_chain(void)
{
    struct gl_ledger_check check;
    struct gl_error err = {0};

    if (gl_ledger_check(journal.ledger, &check, &err) != 0)
        fail_msg("%s", err.text);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
