/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_TEST_CLOCK_H
#define GL_TESTS_TEST_CLOCK_H

/* What time it is for our counterparts: the machine's clock, or so far ahead of it as a test that
 * lets time pass says. */

#include <stdint.h>
#include <time.h>

/* From now on the counterparts' clock is *ahead_ms ahead; NULL = not. Borrowed. */
void test_clock_follow(const int64_t *ahead_ms);
time_t test_clock_now(void);

#endif
