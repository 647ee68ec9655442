/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_SUPPORT_METERED_CLOUD_H
#define GL_TESTS_SUPPORT_METERED_CLOUD_H

/* The reference cloud with a meter in every instance and a clock of its own, all in memory that
 * child processes share: what a killed broker leaves behind is still there to be looked at. The
 * meter says 10 J a second, one reading a second, and says goodbye when it is stopped in order.
 * While an instance is suspended it uses nothing and its boot clock stands still; its wall clock is
 * told the time when it goes on. */

#include "tests/conformance/cloud_memory.h"

#define METERED_GUESTS   64
#define METERED_EPOCH_MS INT64_C(1767225600000)
#define METERED_UJ_PER_S 10000000
#define METERED_PAUSES   16

/* A guest that stood still: after how much running, for how long. */
struct metered_pause {
    int64_t ran_ms, length_ms;
};

struct metered_guest {
    char token[GL_HASH_HEX], launch_id[GL_CLOUD_ID];
    uint8_t enrol[32];
    int64_t began_ms, asked_ms; /* true time; asked to stop, -1 = not */
    int64_t wall_ms;            /* its own clock when it began */
    bool is_orderly;
    bool is_still;
    int64_t still_since_ms; /* true time */
    size_t pause_count;     /* that are over */
    struct metered_pause pauses[METERED_PAUSES];
};

struct metered_cloud {
    struct gl_memory_store *store;
    struct gl_world world; /* reads the clock below */
    int64_t true_ms;       /* since the epoch above; sleeping moves it */
    int64_t jump_ms;       /* the broker's clock less the true one */
    uint64_t random;
    int64_t goodbye_ms; /* > 0: the meter lies, its goodbye says it ended this early */
    bool lingers;       /* stop() alone does not end an instance */
    bool is_mute;       /* no meter speaks */
    bool hides;         /* from the next suspend, resume or move on, nothing is described */
    bool is_hidden;
    struct metered_guest guests[METERED_GUESTS];
};

struct metered_cloud *metered_cloud_new(void);
void metered_cloud_free(struct metered_cloud *cloud);
/* For gl_launcher.open, with the metered cloud as cookie. */
struct gl_cloud *metered_cloud_open(void *cookie, const char *name, const char *zone,
                                    struct gl_error *err);
/* Instances of a launch that were ever there, and those that run. */
unsigned metered_cloud_count(const struct metered_cloud *cloud, const char *launch,
                             bool is_running);
/* Microjoules that the instances of a launch really used so far. */
int64_t metered_cloud_energy_uj(const struct metered_cloud *cloud, const char *launch);

#endif
