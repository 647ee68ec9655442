/* SPDX-License-Identifier: Apache-2.0 */
#include "base/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* The world first, so that the public pointer is the allocation. */
struct fixed_world {
    struct gl_world world;
    int64_t now_ms;
    int64_t monotonic_ms;
    uint64_t counter; /* of the random stream */
    const char *const *environment;
};

static int64_t read_clock(clockid_t clock)
{
    struct timespec now = {0};

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t real_now_ms(void *cookie)
{
    (void)cookie;
    return read_clock(CLOCK_REALTIME);
}

static int64_t real_monotonic_ms(void *cookie)
{
    (void)cookie;
    return read_clock(CLOCK_BOOTTIME); /* CLOCK_MONOTONIC stands still in a suspend */
}

/* Returns early at a signal, so that Ctrl-C is seen at once; callers look at the clock anyway. */
static void real_sleep_ms(void *cookie, int64_t ms)
{
    struct timespec pause = {ms / 1000, (long)(ms % 1000) * 1000000};

    (void)cookie;
    if (ms > 0)
        nanosleep(&pause, NULL);
}

static void real_random(void *cookie, void *out, size_t length)
{
    unsigned char *bytes = out;

    (void)cookie;
    while (length > 0) {
        ssize_t got = getrandom(bytes, length, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) { /* no secret can be made: going on would be worse than ending */
            fprintf(stderr, "greenlaunch: the kernel gives no random bytes: %s\n", strerror(errno));
            _exit(GL_EXIT_INTERNAL);
        }
        bytes += got;
        length -= (size_t)got;
    }
}

static const char *real_getenv(void *cookie, const char *name)
{
    (void)cookie;
    return getenv(name);
}

void gl_world_real(struct gl_world *out)
{
    *out = (struct gl_world){
        .now_ms = real_now_ms,
        .monotonic_ms = real_monotonic_ms,
        .sleep_ms = real_sleep_ms,
        .random = real_random,
        .getenv = real_getenv,
    };
}

static int64_t fixed_now_ms(void *cookie)
{
    const struct fixed_world *fixed = cookie;

    return fixed->now_ms;
}

static int64_t fixed_monotonic_ms(void *cookie)
{
    const struct fixed_world *fixed = cookie;

    return fixed->monotonic_ms;
}

static void fixed_sleep_ms(void *cookie, int64_t ms)
{
    struct fixed_world *fixed = cookie;

    if (ms <= 0)
        return;
    fixed->now_ms += ms;
    fixed->monotonic_ms += ms;
}

/* SplitMix64 (Steele, Lea and Flood 2014) of a counter. For tests and replay only: predictable. */
static uint64_t mix(uint64_t counter)
{
    uint64_t z = counter * UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void fixed_random(void *cookie, void *out, size_t length)
{
    struct fixed_world *fixed = cookie;
    unsigned char *bytes = out;

    for (size_t i = 0; i < length; i++) {
        uint64_t word = mix(fixed->counter + i / 8 + 1);

        bytes[i] = (unsigned char)(word >> (i % 8 * 8));
    }
    fixed->counter += (length + 7) / 8;
}

static const char *fixed_getenv(void *cookie, const char *name)
{
    const struct fixed_world *fixed = cookie;
    size_t length = strlen(name);

    for (const char *const *entry = fixed->environment; entry && *entry; entry++)
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
            return *entry + length + 1;
    return NULL;
}

struct gl_world *gl_world_fixed_new(int64_t now_ms, uint64_t seed, const char *const *environment)
{
    struct fixed_world *fixed = gl_alloc(sizeof *fixed);

    *fixed = (struct fixed_world){
        .world =
            {
                .cookie = fixed,
                .now_ms = fixed_now_ms,
                .monotonic_ms = fixed_monotonic_ms,
                .sleep_ms = fixed_sleep_ms,
                .random = fixed_random,
                .getenv = fixed_getenv,
            },
        .now_ms = now_ms,
        .counter = mix(seed),
        .environment = environment,
    };
    return &fixed->world;
}

void gl_world_fixed_free(struct gl_world *world)
{
    free(world);
}
