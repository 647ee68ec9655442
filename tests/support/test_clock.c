/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_clock.h"

#include <stddef.h>

static const int64_t *ahead;

void test_clock_follow(const int64_t *ahead_ms)
{
    ahead = ahead_ms;
}

time_t test_clock_now(void)
{
    return time(NULL) + (ahead != NULL ? (time_t)(*ahead / 1000) : 0);
}
