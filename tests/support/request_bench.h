/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_REQUEST_BENCH_H
#define GL_TESTS_REQUEST_BENCH_H

/* Requests before a GitHub of our own that counts: a ledger in a folder, a clock that the test
 * moves, a venue that keeps what was filed and misbehaves to order. What the venue says is hostile.
 * A process that acts may be killed at the n-th look at its clock or environment. */

#include "broker/request_follow.h"
#include "tests/support/http_server.h"

#define REQUEST_SECRET "planted-secret-0123456789-abcdefghij"
#define REQUEST_WEIRD  "\x1b]0;owned\x07[click](javascript:alert(1)) <script>alert(1)</script>"
#define REQUEST_LAG_MS 4000 /* until its lists show what was made */
#define REQUEST_REPOS  3
#define REQUEST_ISSUES 64

enum request_fault {
    REQUEST_FINE,
    REQUEST_CUT_BEFORE,  /* the connection ends, nothing done */
    REQUEST_CUT_AFTER,   /* done, and no answer */
    REQUEST_FORBIDDEN,   /* 403, nothing done */
    REQUEST_LIMITED,     /* 429, nothing done */
    REQUEST_BROKEN,      /* 500, nothing done */
    REQUEST_KILL_BEFORE, /* the process of `victim` ends by SIGKILL, nothing done */
    REQUEST_KILL_AFTER,  /* done, then that */
};

struct request_issue {
    int repo; /* "o/r0" ... */
    int64_t number;
    char title[600];
    bool is_closed;
    unsigned comments;
    int64_t at_ms; /* of the bench's own clock, which never goes back */
};

struct request_bench {
    char *folder, *path;
    struct gl_world *inner, world; /* `world` looks at `now_ms` and counts */
    int64_t now_ms;                /* what the machine's clock says */
    int64_t true_ms;               /* what it is */
    bool tells_date;               /* the venue says what it is */
    unsigned looks, die_at;        /* 0 = never */
    char endpoint[200];
    struct gl_test_server *server;
    enum request_fault fault; /* of the next create or search */
    unsigned faults_left;     /* so many of them */
    int victim;               /* process id; 0 = the one that asks is not known */
    struct request_issue issues[REQUEST_ISSUES];
    size_t issue_count;
    unsigned posts; /* creates that came in, done or not */
    unsigned searches;
    struct gl_ledger *ledger;
    struct gl_request_desk desk;
};

void request_bench_up(struct request_bench *bench, const char *name);
void request_bench_down(struct request_bench *bench);
/* Ledger and desk anew, as another process would. */
void request_bench_reopen(struct request_bench *bench);

/* A cluster of `launches` refused launches on three days, with the fingerprint of `region`; freed
 * with gl_clustering_free(). */
struct gl_clustering *request_bench_demand(const char *region, int launches, int64_t now_ms,
                                           const struct gl_cluster **out);
/* Preview the demand of that region at a repository; the digest into `out`. */
int request_bench_preview(struct request_bench *bench, const char *region, int repo,
                          char out[GL_HASH_HEX], struct gl_error *err);
/* The fingerprint of that region's demand. */
void request_bench_fingerprint(const char *region, char out[GL_HASH_HEX]);
/* Issues whose title holds the tag of a fingerprint. */
unsigned request_bench_filed(const struct request_bench *bench, const char *fingerprint);

#endif
