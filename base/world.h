/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_WORLD_H
#define GL_BASE_WORLD_H

/* Everything that is not a pure function: clock, sleep, randomness, environment, transport. Passed
 * in, never global, so that tests and replay are exact. */

#include "base/unit.h"

struct gl_http;

struct gl_world {
    void *cookie;
    int64_t (*now_ms)(void *cookie);       /* wall clock, Unix milliseconds */
    int64_t (*monotonic_ms)(void *cookie); /* never steps, and goes on while this machine is
                                              suspended, as what it rented does; for timeouts
                                              and leases */
    void (*sleep_ms)(void *cookie, int64_t ms);
    void (*random)(void *cookie, void *out, size_t length); /* cryptographic */
    const char *(*getenv)(void *cookie, const char *name);  /* borrowed; NULL if unset */
    struct gl_http *http; /* transport, loaded on first use; NULL = offline */
};

/* The real world: clock, getrandom(2), process environment; http is NULL until set. */
void gl_world_real(struct gl_world *out);
/* A fixed world for tests and replay: the clock stands at `now_ms` and moves only by sleep_ms();
 * random is a seeded counter stream; environment is the `environment` array of "NAME=value"
 * (NULL-terminated, borrowed). Free with gl_world_fixed_free(). */
struct gl_world *gl_world_fixed_new(int64_t now_ms, uint64_t seed, const char *const *environment);
void gl_world_fixed_free(struct gl_world *world);

static inline struct gl_instant gl_now(const struct gl_world *world)
{
    return (struct gl_instant){world->now_ms(world->cookie) / 1000};
}

#endif
