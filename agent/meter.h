/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_METER_H
#define GL_AGENT_METER_H

/* The meter itself: looks at the sensors in time, turns the looks into chained records and the
 * records into signed batches on a console, in a file or in a spool. After its start it allocates
 * nothing. It computes energy only: carbon is the broker's. */

#include "agent/batch.h"
#include "agent/chain.h"
#include "agent/config.h"
#include "agent/ladder.h"
#include "agent/model.h"
#include "agent/sink.h"
#include "agent/spool.h"

#define GL_BATCH_MS        60000 /* a batch spans at most this ... */
#define GL_BATCH_INTERVALS 2     /* ... or this many intervals, so that short ones are seen soon */
#define GL_FIRST_RECORD_MS 500   /* the first record comes this soon */

/* Shared by a meter process and the guest that restarts it: the chain as far as it was really
 * handed over. Two slots, so that a meter killed between two writes leaves a whole one. */
struct gl_meter_progress {
    int64_t power_off_ns; /* boot clock: switch the machine off then, 0 = never */
    uint32_t turn;        /* slot turn % 2 is valid */
    struct gl_chain_head slots[2];
};

struct gl_meter_setup {
    struct gl_place place;
    struct gl_chain_names names;
    struct gl_config_machine machine;
    uint32_t interval_ms;
    enum gl_load_scope load_scope;
    pid_t load_root; /* for GL_LOAD_TREE: its descendants are metered */
    const char *gpu_helper;
    uint8_t seed[32]; /* of the Ed25519 key */
    bool has_token;
    uint8_t token[GL_TOKEN_BYTES];
    const struct gl_source *const *sources;
    size_t source_count;
    struct gl_spool *spool;             /* open, NULL = none; its key seed is in `seed` */
    struct gl_meter_progress *progress; /* NULL = none */
};

struct gl_meter {
    struct gl_meter_setup setup;
    struct gl_secret_key key;
    struct gl_public_key public_key;
    struct gl_model model;
    struct gl_ladder ladder;
    struct gl_load load;
    struct gl_gather gather;
    struct gl_chain_head head;
    struct gl_sink sink;
    struct gl_batch *batch; /* 160 KiB, of which only what is used is resident */
    struct gl_moment looked_at;
    int64_t next_record_ns, batch_due_ns;
    bool is_first_record, has_stalled;
};

/* The seconds-old chain goes on where progress or the spool left it. The first look is taken, the
 * enrolment line written. setup is copied. */
void gl_meter_begin(struct gl_meter *meter, const struct gl_meter_setup *setup,
                    const struct gl_sink *sink, struct gl_moment now);
/* One look, and a record when it is due. */
void gl_meter_step(struct gl_meter *meter, struct gl_moment now);
/* The record that would come now; nothing is handed over, and its energy stays gathered. */
void gl_meter_peek(struct gl_meter *meter, struct gl_moment now, struct gl_reading *out);
/* Nanoseconds (boot clock) of the next look that is due. */
int64_t gl_meter_next_ns(const struct gl_meter *meter);
/* A last look and the final record; write what is held back, trying for wait_ms each time; wipe the
 * key; release all. True if the final record was handed over. */
bool gl_meter_end(struct gl_meter *meter, struct gl_moment now, int64_t wait_ms);

/* Release all without a last word, as a kill would. */
void gl_meter_abandon(struct gl_meter *meter);

/* Step until SIGTERM, SIGINT or the end of `child` (0 = none). Those signals and SIGCHLD must be
 * blocked; the child gets the first two too. Returns its wait status, 0 without one. */
int gl_meter_loop(struct gl_meter *meter, pid_t child);

/* Names that the machine gives: agent hash of this program, boot id, model hash. */
void gl_chain_names_init(struct gl_chain_names *names, const char *launch);

#endif
