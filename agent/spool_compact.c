/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/record.h"
#include "agent/segment.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Making room. A merged copy of all records that have not arrived is written behind the old ones,
 * between a BASE and a BASE_END chunk, and only then are the old ones dropped: a kill at any time
 * leaves one whole chain. */

/* The copy under way. */
struct copy {
    struct gl_spool *spool;  /* writes the new segments */
    uint64_t after_seq;      /* records up to this seq have arrived: dropped */
    uint64_t merge_until;    /* records up to this seq are merged in pairs */
    uint64_t verbatim_until; /* records up to this seq may have been seen: as they are */
    bool has_held;
    struct gl_reading held;    /* first of a pair */
    int64_t before_ns;         /* boot time of the record before the held one */
    struct gl_chain_head head; /* end of the new chain */
    bool has_head, has_failed;
};

static bool put_text(struct copy *copy, const struct gl_reading *reading, const char *text,
                     size_t length)
{
    char chunk[GL_CHUNK_MAX];
    struct gl_hash hash;

    gl_hash_of(text, length, &hash);
    copy->has_failed =
        copy->has_failed ||
        !gl_spool_put(copy->spool, chunk, gl_chunk_write(GL_CHUNK_RECORD, text, length, chunk));
    copy->head.seq = reading->seq;
    copy->head.hash = hash;
    copy->before_ns = reading->boottime_ns;
    copy->has_head = true;
    return !copy->has_failed;
}

/* A record in the new chain: next number, and the hash of the one before. */
static bool put_linked(struct copy *copy, struct gl_reading *reading)
{
    char text[GL_RECORD_MAX];

    if (copy->has_head) {
        reading->seq = copy->head.seq + 1;
        reading->previous = copy->head.hash;
    }
    return put_text(copy, reading, text, gl_reading_write(reading, text));
}

static bool put_held(struct copy *copy)
{
    copy->has_held = false;
    return put_linked(copy, &copy->held);
}

static bool take_record(void *cookie, const struct gl_reading *reading, const char *text,
                        size_t length, const struct gl_hash *hash)
{
    struct copy *copy = cookie;
    struct gl_reading next = *reading;

    (void)hash;
    if (reading->seq <= copy->verbatim_until)
        return put_text(copy, reading, text, length);
    if (copy->has_held) {
        if (gl_record_merge(&copy->held, reading, copy->before_ns, &next)) {
            copy->has_held = false;
            return put_linked(copy, &next);
        }
        if (!put_held(copy))
            return false;
    }
    if (reading->seq > copy->merge_until)
        return put_linked(copy, &next);
    copy->held = next;
    copy->has_held = true;
    return true;
}

/* Write one copy of the marks that must outlive the old segments. */
static bool put_number(struct gl_spool *spool, enum gl_chunk type, uint64_t number)
{
    char chunk[GL_CHUNK_MAX];

    return gl_spool_put(spool, chunk, gl_chunk_write_number(type, number, chunk));
}

static bool write_copy(struct copy *copy, struct gl_spool *old)
{
    struct gl_spool *spool = copy->spool;

    if (!gl_spool_begin_segment(spool, old->segment + 1) ||
        !put_number(spool, GL_CHUNK_BASE, old->segment) ||
        !put_number(spool, GL_CHUNK_SENDING, old->sending_seq) ||
        !put_number(spool, GL_CHUNK_SENT, old->sent_seq))
        return false;
    /* The last record stays in any case: the chain goes on from it. */
    gl_spool_each(old, copy->after_seq, take_record, copy);
    if (copy->has_held)
        put_held(copy);
    return !copy->has_failed && put_number(spool, GL_CHUNK_BASE_END, old->segment) &&
           gl_spool_sync(spool);
}

bool gl_spool_compact(struct gl_spool *spool)
{
    struct gl_spool written = *spool;
    uint64_t last = spool->head.seq, before = spool->total;
    uint64_t after = last > 0 && spool->sent_seq >= last ? last - 1 : spool->sent_seq;
    struct copy copy = {
        .spool = &written,
        .after_seq = after,
        .verbatim_until = spool->sending_seq,
        .merge_until = after + (last - after) / 2,
    };

    spool->unsent_segment = spool->first_segment; /* walk over all of it */
    spool->unsent_offset = 0;
    written.fd = dup(spool->fd); /* the writer closes its own when it begins a segment */
    if (written.fd < 0)
        return false;
    if (!write_copy(&copy, spool) || !copy.has_head) {
        gl_spool_drop_segments(&written, spool->segment + 1, written.segment + 1);
        close(written.fd);
        return false;
    }
    close(spool->fd);
    gl_spool_drop_segments(&written, spool->first_segment, spool->segment + 1);
    written.first_segment = written.unsent_segment = spool->segment + 1;
    written.unsent_offset = 0;
    written.head.seq = copy.head.seq;
    written.head.hash = copy.head.hash;
    *spool = written;
    return spool->total < before;
}

void gl_spool_make_room(struct gl_spool *spool, struct gl_chain_head *head)
{
    if (spool->total < spool->live_most || !gl_spool_compact(spool))
        return;
    head->seq = spool->head.seq;
    head->hash = spool->head.hash;
}
