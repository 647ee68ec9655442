/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_JOURNAL_CASE_H
#define GL_TESTS_JOURNAL_CASE_H

/* The journal's bench for each test of test_journal*.c; JOURNAL_CASE names its folder. One program
 * each. */

#include "tests/support/journal_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct journal_bench bench;

static inline int set_up(void **state)
{
    (void)state;
    journal_bench_open(&bench, JOURNAL_CASE);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    journal_bench_close(&bench);
    return 0;
}

static inline void again(void)
{
    journal_bench_close(&bench);
    journal_bench_open(&bench, JOURNAL_CASE);
}

#endif
