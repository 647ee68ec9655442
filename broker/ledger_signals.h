/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_LEDGER_SIGNALS_H
#define GL_BROKER_LEDGER_SIGNALS_H

/* What the files of the projection of demand signals share. Nobody else includes it. */

#include "base/jsonpull.h"
#include "broker/demand.h"
#include "broker/ledger_file.h"

/* The events that it is made of. */
#define GL_SIGNAL_KINDS "kind IN ('demand','demand-cost')"

/* A row: text numbers, figures, key and words, little end first. Its id is that of its event times
 * GL_DEMAND_PLACES, plus its place among them; without bytes it stands for an event that cannot be
 * read. */
#define GL_SIGNAL_TEXTS 5
#define GL_SIGNAL_BYTES 88
struct gl_signal_row {
    int64_t id, at_ms; /* of the event */
    bool is_open;
    const uint8_t *bytes;
    size_t length;
};

/* By id, from 1 on. */
struct gl_signal_texts {
    size_t count, capacity;
    struct gl_signal_text {
        char *text;
        size_t length;
    } * items;
};

void gl_signal_pack(const struct gl_demand *demand, const uint32_t ids[GL_SIGNAL_TEXTS],
                    uint8_t out[GL_SIGNAL_BYTES]);
/* False: it points at texts that are not there or too long. What the words say is not checked. */
bool gl_signal_unpack(const struct gl_signal_texts *pool, const uint8_t *row,
                      struct gl_demand *out);
/* All but its texts. */
void gl_signal_unpack_rest(const uint8_t *row, struct gl_demand *out);

/* What a row, or with mark -1 a text, adds to the sum of all. */
uint64_t gl_signal_sum(int64_t id, int64_t mark, const void *bytes, size_t length);
static inline uint64_t gl_signal_row_sum(const struct gl_signal_row *row)
{
    return gl_signal_sum(row->id, row->at_ms * 2 + row->is_open, row->bytes, row->length);
}

struct gl_signal_head {
    int64_t upto; /* the last event that was taken in; 0 = none */
    char hash[GL_HASH_HEX];
    uint64_t digest;
};
/* All zero when there is none. */
int gl_signal_head_read(struct gl_ledger *ledger, const char *schema, struct gl_signal_head *out,
                        struct gl_error *err);

struct gl_signal_event {
    int64_t seq, at_ms;
    const char *body;
    size_t length;
};
/* What an event "demand-cost" says. */
struct gl_signal_cost {
    int64_t seq, lost_ms, extra_ug;
    char launch_key[16];
};
bool gl_signal_cost_of(struct gl_jtree *tree, const struct gl_signal_event *event,
                       struct gl_signal_cost *out);

#endif
