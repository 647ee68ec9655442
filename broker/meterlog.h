/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_METERLOG_H
#define GL_BROKER_METERLOG_H

/* What a meter said, checked: console text in, verified readings out. Takes the key that was
 * enrolled with the one-time token of this launch, and then only batches signed by it whose records
 * chain. Everything else on the console is noise; forged, replayed or forked batches are counted
 * and never used. Says who and in which order, not truth: that is broker/plausible.h. */

#include "agent/reading.h"

#define GL_METERLOG_LINE_MAX (GL_BATCH_MAX + 16)
/* Of accepted batches in one receipt (GL_RECEIPT_MAX_BYTES); what comes later is refused and its
 * time charged as a gap. Some 7,000 readings; meters are asked for at most some 2,000. */
#define GL_METERLOG_BYTES_MAX ((size_t)4 << 20)

struct gl_meterlog {
    char launch[64];
    struct gl_secret token; /* one-time enrolment token */
    bool has_key;
    struct gl_public_key key;
    char boot[40];
    json_t *enrolment; /* the accepted one */
    json_t *batches;   /* array of accepted batches, in order */
    size_t count, capacity;
    size_t bytes;                /* of the accepted batches */
    struct gl_reading *readings; /* in order of seq, no gaps in the chain */
    struct gl_hash head;         /* hash of the last accepted record */
    bool is_final;               /* the meter said goodbye */
    uint32_t rejected;           /* bad signature, other key, malformed, too many */
    uint32_t repeated;           /* already known: replays and re-sends */
    uint32_t forked;             /* same seq, other content (P11) */
    uint32_t orphaned;           /* batches that do not follow from the last accepted record */
    struct gl_str line;          /* of the console, unfinished */
    struct gl_str held;          /* what a kernel message has cut off; its rest may come */
    unsigned cuts;               /* in it */
};

/* `token` is copied. */
void gl_meterlog_init(struct gl_meterlog *log, const char *launch, const void *token,
                      size_t token_length);
void gl_meterlog_done(struct gl_meterlog *log);

/* More console bytes; lines may be cut anywhere, other text and \r are passed over. A line that
 * kernel messages have cut in two or more ("GLM1 {...[   12.345678] random: ...\n" "...}\n") is
 * put together again; whether that was right, its signature says. Returns how many new readings
 * were accepted. */
size_t gl_meterlog_feed(struct gl_meterlog *log, const char *bytes, size_t length);

/* One enrolment or batch as JSON (from a receipt). -1 with NOT_VERIFIED or TAMPERED and the reason
 * when it is not accepted. */
int gl_meterlog_enrol(struct gl_meterlog *log, const json_t *enrolment, struct gl_error *err);
int gl_meterlog_batch(struct gl_meterlog *log, const json_t *batch, struct gl_error *err);

#endif
