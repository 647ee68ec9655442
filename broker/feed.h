/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_FEED_H
#define GL_BROKER_FEED_H

/* The demand feed (docs/demand-feed.md, docs/demand.schema.json): what is missing where, as one
 * signed canonical JSON document that a provider can read without talking to us. "own" is the
 * demand of one organisation; "shared" is made of many such and holds no cell that fewer than k of
 * them speak of, with noise in every figure. A cell is one need (policy/demand.h) in one month and
 * holds words of tables, a rule in normal form and counts rounded in steps of 1-2-5: no account,
 * host, tag, price, address or person has a place in it, and a document with a member more is
 * refused. An organisation is told by its key, and by nothing else. */

#include "base/world.h"
#include "broker/demand.h"
#include "broker/seal.h"

#define GL_DEMAND_FEED_MAX_BYTES ((size_t)64 << 20)
#define GL_DEMAND_CELLS_MAX      100000
#define GL_DEMAND_K              10    /* least organisations behind a cell of a shared feed */
#define GL_DEMAND_K_MAX          10000 /* and no more than that may be asked for */
#define GL_DEMAND_MONTHS         24    /* own: this month and those before it */

/* low <= count < high, both of 1, 2, 5, 10 ...; 0 and 0: none. */
struct gl_demand_range {
    int64_t low, high;
};

/* One need in one month. */
struct gl_demand_cell {
    char fingerprint[GL_HASH_HEX];
    int month; /* twelve times the year, and the month from 0 */
    enum gl_capability capability;
    char provider[GL_DEMAND_NAME], region[GL_DEMAND_NAME], rule[GL_DEMAND_RULE];
    struct gl_demand_range organisations; /* shared */
    struct gl_demand_range launches, hours, gpu_hours;
    enum gl_grade grade; /* own: the worst evidence it rests on */
};

/* A document that was read. Cells in order of fingerprint and month, each once. */
struct gl_demand_feed {
    bool is_shared, is_demo;
    int64_t issued_s;               /* Unix time */
    int64_t k;                      /* shared */
    char key[2 * GL_KEY_BYTES + 1]; /* that signed it */
    struct gl_hash hash;            /* of its bytes */
    size_t count;
    struct gl_demand_cell *cells;
};
/* Read and check a document: form, every text, rounding, order, k, signature; `key` NULL takes its
 * own, which proves that it is whole and not who signed it. TOO_LARGE, SYNTAX for what is no feed,
 * TAMPERED for a signature, NOT_VERIFIED naming the first thing that may not stand there. */
int gl_demand_feed_read(const char *bytes, size_t length, const struct gl_public_key *key,
                        struct gl_demand_feed *out, struct gl_error *err);
void gl_demand_feed_done(struct gl_demand_feed *feed);

/* The demand of this ledger as a document without signature: every need above the threshold, a
 * cell a month. New reference, *out_count cells. Errors of the ledger, TOO_LARGE. */
struct gl_demand_own {
    struct gl_instant now;
    struct gl_demand_threshold threshold; /* said in the document: at least 2 and 1 */
    bool is_demo;                         /* of demonstrations alone, and says so */
};
json_t *gl_demand_feed_own(struct gl_ledger *ledger, const struct gl_demand_own *own,
                           size_t *out_count, struct gl_error *err);

/* Keys that may take part, one a line, "#" begins a comment. */
struct gl_demand_members {
    size_t count;
    struct gl_public_key *keys;
};
int gl_demand_members_read(const char *path, struct gl_demand_members *out, struct gl_error *err);
void gl_demand_members_done(struct gl_demand_members *members);

/* ---- merging ---- */

#define GL_DEMAND_CONTRIBUTIONS_MAX 10000

struct gl_demand_merge_options {
    int64_t k;                               /* at least GL_DEMAND_K */
    struct gl_instant now;                   /* months that are not over take no part */
    const struct gl_demand_members *members; /* NULL = any key */
};
/* NULL: USAGE for a k out of range. */
struct gl_demand_merge *gl_demand_merge_new(const struct gl_demand_merge_options *options,
                                            struct gl_error *err);
/* Take one organisation's document. *out_is_newest false: a newer one of that key was there, and
 * it counts for nothing. BAD_VALUE for what is no contribution (shared, a demonstration, of no
 * member), TOO_LARGE: nothing of it was taken. */
int gl_demand_merge_add(struct gl_demand_merge *merge, const struct gl_demand_feed *feed,
                        bool *out_is_newest, struct gl_error *err);
/* The shared document without signature; new reference. `secret`: of 32 bytes, known to nobody
 * else; the same contributions and secret give the same figures, so that asking again averages no
 * noise away. TOO_LARGE. */
json_t *gl_demand_merge_end(struct gl_demand_merge *merge, const uint8_t secret[32],
                            size_t *out_count, struct gl_error *err);
size_t gl_demand_merge_organisations(const struct gl_demand_merge *merge);
void gl_demand_merge_free(struct gl_demand_merge *merge);

/* ---- noise ---- */

/* What one organisation adds to a figure of a cell at most: what the noise is measured by. */
#define GL_DEMAND_EPSILON        1 /* a figure of a cell */
#define GL_DEMAND_LAUNCHES_BOUND 100
#define GL_DEMAND_HOURS_BOUND    1000 /* of GPU too */

/* A stream of bits made of a secret and what it is for: HMAC-SHA-256 in counter mode. */
struct gl_noise {
    uint8_t key[GL_HASH_BYTES], block[GL_HASH_BYTES];
    uint64_t counter;
    size_t used; /* bytes of the block */
};
void gl_noise_begin(struct gl_noise *noise, const uint8_t secret[32],
                    const struct gl_hash *purpose);
/* A number from the discrete Laplace distribution, P(x) ~ exp(-|x|/scale), scale 1 to 2^20, exact
 * in integers. Source: Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy",
 * 2020, algorithms 1 and 2. */
int64_t gl_noise_laplace(struct gl_noise *noise, int64_t scale);

#endif
