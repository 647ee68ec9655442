/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_LADDER_H
#define GL_AGENT_LADDER_H

/* The sensors of this machine, best first. Of sources that read the same counters (one group) only
 * the first that opens is used. One that fails GL_LADDER_FAILURES looks in a row gives way to the
 * next of its group; where there is none it is asked on, but its failures no longer count as doubt
 * about an interval (GL_FLAG_BOUNDED): the machine then simply has no such sensor. */

#include "agent/source.h"

#define GL_LADDER_MAX      8
#define GL_LADDER_FAILURES 3

struct gl_rung {
    const struct gl_source *source;
    void *state;       /* NULL = not open */
    unsigned failures; /* looks in a row that gave nothing */
    bool is_spent;     /* gave way: not opened again */
    bool is_fresh;     /* opened during this look: has nothing to say of it yet */
};

struct gl_ladder {
    struct gl_rung rungs[GL_LADDER_MAX];
    size_t count;
    struct gl_source_setup setup;
    bool amd_is_counted; /* the setup points here: a ladder stays where it was opened */
};

/* Open what is there. Never fails: a machine without sensors has an empty ladder. `report`, if not
 * NULL, hears of each source that it opened (error NULL) or could not use, and why. */
void gl_ladder_open(struct gl_ladder *ladder, const struct gl_source_setup *setup,
                    const struct gl_source *const *sources, size_t count,
                    void (*report)(void *cookie, const struct gl_source *source, const void *state,
                                   const struct gl_error *error),
                    void *cookie);
/* One look at all: per kind the first known word, or the flags of the first that failed. */
void gl_ladder_sample(struct gl_ladder *ladder, int64_t dt_ns, struct gl_yield out[GL_KINDS]);
/* The shortest of the sources' longest times between looks, at most `most_ms`. */
int64_t gl_ladder_longest_ms(const struct gl_ladder *ladder, int64_t most_ms);
void gl_ladder_close(struct gl_ladder *ladder);

#endif
