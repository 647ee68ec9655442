/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/standing.h"

static const struct gl_world *inner_of(void *cookie)
{
    return ((const struct gl_standing_world *)cookie)->inner;
}

static int64_t now_ms(void *cookie)
{
    return ((const struct gl_standing_world *)cookie)->now_ms;
}

static int64_t monotonic_ms(void *cookie)
{
    return inner_of(cookie)->monotonic_ms(inner_of(cookie)->cookie);
}

static void sleep_ms(void *cookie, int64_t ms)
{
    inner_of(cookie)->sleep_ms(inner_of(cookie)->cookie, ms);
}

static void take_random(void *cookie, void *out, size_t length)
{
    inner_of(cookie)->random(inner_of(cookie)->cookie, out, length);
}

static const char *get_environment(void *cookie, const char *name)
{
    return inner_of(cookie)->getenv(inner_of(cookie)->cookie, name);
}

void gl_standing_world_init(struct gl_standing_world *out, const struct gl_world *inner,
                            struct gl_instant at)
{
    *out = (struct gl_standing_world){
        .world = {.cookie = out,
                  .now_ms = now_ms,
                  .monotonic_ms = monotonic_ms,
                  .sleep_ms = sleep_ms,
                  .random = take_random,
                  .getenv = get_environment},
        .inner = inner,
        .now_ms = at.unix_s * 1000,
    };
}
