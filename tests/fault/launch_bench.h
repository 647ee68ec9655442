/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_LAUNCH_BENCH_H
#define GL_TESTS_LAUNCH_BENCH_H

/* The journal's bench with short words for what most of its tests do. For test_launch*.c, one
 * program each. */

#include "tests/support/journal_bench.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT ((struct gl_span){1})

static struct journal_bench bench;
static struct gl_error err;

static inline int set_up(void **state)
{
    (void)state;
    journal_bench_open(&bench, "test_launch");
    gl_error_clear(&err);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    journal_bench_close(&bench);
    return 0;
}

/* Started and run for `ms`; its id. */
static inline const char *started(const char *name, int64_t ms)
{
    static struct gl_instance instance;

    if (journal_bench_start(&bench, name, &instance, &err) != 0)
        fail_msg("%s", err.text);
    bench.cloud->true_ms += ms;
    return instance.launch_id;
}

static inline int finish(const char *name, char **out_receipt)
{
    struct gl_ending ending = {.wait = WAIT, .exit_status = -1};
    int result;

    gl_error_clear(&err);
    result = gl_launch_finish(&bench.launcher, name, &ending, &err);
    if (result != 0)
        assert_null(ending.receipt);
    else
        assert_true(ending.is_over);
    if (out_receipt != NULL)
        *out_receipt = ending.receipt;
    else
        free(ending.receipt);
    return result;
}

static inline void fault(enum gl_memory_op op, unsigned times, enum gl_errc code, bool acts_first)
{
    bench.cloud->store->faults[op] =
        (struct gl_memory_fault){.times = times, .code = code, .acts_first = acts_first};
}

/* The only launch, or the newest. */
static inline struct gl_launch_rows rows_now(void)
{
    struct gl_launch_rows rows;

    assert_int_equal(gl_ledger_launches(bench.ledger, NULL, &rows, &err), 0);
    return rows;
}

static inline void assert_state(const char *launch, const char *state)
{
    struct gl_launch_rows rows = rows_now();
    bool is_found = false;

    for (size_t i = 0; i < rows.count; i++)
        if (strcmp(rows.rows[i].launch, launch) == 0) {
            assert_string_equal(rows.rows[i].state, state);
            is_found = true;
        }
    assert_true(is_found);
    gl_launch_rows_free(&rows);
}

static inline int64_t all_events(void)
{
    struct gl_ledger_check check;

    assert_int_equal(gl_ledger_check(bench.ledger, &check, &err), 0);
    return check.events;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
