/* SPDX-License-Identifier: Apache-2.0 */
#include "base/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* This machine as it would be after a suspend: the boot clock is ahead by what it slept. */
static time_t suspended_s;

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);

    if (result == 0 && (clock == CLOCK_BOOTTIME || clock == CLOCK_REALTIME))
        now->tv_sec += suspended_s;
    return result;
}

static void test_real(void **state)
{
    struct gl_world world;
    unsigned char a[300] = {0}, b[300] = {0};
    int64_t before, slept;

    (void)state;
    gl_world_real(&world);
    assert_null(world.http);
    assert_true(world.now_ms(world.cookie) > INT64_C(1600000000000));
    assert_true(gl_now(&world).unix_s > 1600000000);
    before = world.monotonic_ms(world.cookie);
    world.sleep_ms(world.cookie, 3);
    world.sleep_ms(world.cookie, 0);
    world.sleep_ms(world.cookie, -5);
    slept = world.monotonic_ms(world.cookie) - before;
    assert_true(slept >= 2);
    world.random(world.cookie, a, sizeof a);
    world.random(world.cookie, b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    setenv("GL_TEST_WORLD", "set", 1);
    assert_string_equal(world.getenv(world.cookie, "GL_TEST_WORLD"), "set");
    unsetenv("GL_TEST_WORLD");
    assert_null(world.getenv(world.cookie, "GL_TEST_WORLD"));
}

/* A lease goes on while the laptop that watches it is closed. */
static void test_a_suspend_counts(void **state)
{
    struct gl_world world;
    int64_t before;

    (void)state;
    gl_world_real(&world);
    before = world.monotonic_ms(world.cookie);
    suspended_s = 3600;
    assert_true(world.monotonic_ms(world.cookie) - before >= 3600000);
    suspended_s = 0;
    assert_true(world.monotonic_ms(world.cookie) - before < 3600000);
}

static void test_fixed_clock(void **state)
{
    struct gl_world *world = gl_world_fixed_new(1767268800500, 1, NULL);

    (void)state;
    assert_int_equal(world->now_ms(world->cookie), 1767268800500);
    assert_int_equal(world->now_ms(world->cookie), 1767268800500);
    assert_int_equal(world->monotonic_ms(world->cookie), 0);
    assert_int_equal(gl_now(world).unix_s, 1767268800);
    world->sleep_ms(world->cookie, 1500);
    world->sleep_ms(world->cookie, 0);
    world->sleep_ms(world->cookie, -9);
    assert_int_equal(world->now_ms(world->cookie), 1767268802000);
    assert_int_equal(world->monotonic_ms(world->cookie), 1500);
    assert_null(world->http);
    gl_world_fixed_free(world);
    gl_world_fixed_free(NULL);
}

static void test_fixed_random(void **state)
{
    struct gl_world *one = gl_world_fixed_new(0, 42, NULL);
    struct gl_world *same = gl_world_fixed_new(0, 42, NULL);
    struct gl_world *other = gl_world_fixed_new(0, 43, NULL);
    unsigned char a[37], b[37], c[37];

    (void)state;
    one->random(one->cookie, a, sizeof a);
    same->random(same->cookie, b, sizeof b);
    other->random(other->cookie, c, sizeof c);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_not_equal(a, c, sizeof a);
    one->random(one->cookie, b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a); /* the stream moves on */
    same->random(same->cookie, a, sizeof a);
    assert_memory_equal(a, b, sizeof a);
    gl_world_fixed_free(one);
    gl_world_fixed_free(same);
    gl_world_fixed_free(other);
}

/* No byte value is favoured: 64 Ki bytes, each value about 256 times. */
static void test_fixed_random_is_even(void **state)
{
    static unsigned char bytes[65536];
    struct gl_world *world = gl_world_fixed_new(0, 0, NULL);
    unsigned counts[256] = {0};

    (void)state;
    world->random(world->cookie, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        counts[bytes[i]]++;
    for (int i = 0; i < 256; i++)
        assert_in_range(counts[i], 160, 360); /* six standard deviations */
    gl_world_fixed_free(world);
}

static void test_fixed_environment(void **state)
{
    static const char *const environment[] = {"HOME=/home/x", "EMPTY=", "HOMEPAGE=no", NULL};
    struct gl_world *world = gl_world_fixed_new(0, 0, environment);
    struct gl_world *bare = gl_world_fixed_new(0, 0, NULL);

    (void)state;
    assert_string_equal(world->getenv(world->cookie, "HOME"), "/home/x");
    assert_string_equal(world->getenv(world->cookie, "EMPTY"), "");
    assert_string_equal(world->getenv(world->cookie, "HOMEPAGE"), "no");
    assert_null(world->getenv(world->cookie, "HOM"));
    assert_null(world->getenv(world->cookie, "PATH"));
    assert_null(bare->getenv(bare->cookie, "HOME"));
    gl_world_fixed_free(world);
    gl_world_fixed_free(bare);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real),
        cmocka_unit_test(test_a_suspend_counts),
        cmocka_unit_test(test_fixed_clock),
        cmocka_unit_test(test_fixed_random),
        cmocka_unit_test(test_fixed_random_is_even),
        cmocka_unit_test(test_fixed_environment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
