/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_VENUE_FAKE_H
#define GL_TESTS_VENUE_FAKE_H

/* Counterparts of our own of every venue behind HTTP: they keep requests in memory, are strict
 * about method, path, headers, credentials and fields (what is wrong is a complaint, which a test
 * demands to be none), and misbehave to order. What they say is hostile: Markdown, escapes, links.
 */

#include "base/json.h"
#include "base/world.h"
#include "providers/venue/venue.h"
#include "tests/support/http_server.h"

#define VENUE_SECRET "planted-secret-0123456789-abcdefghij"
#define VENUE_WEIRD \
    "\x1b]0;owned\x07[click](javascript:alert(1)) <script>alert(1)</script> | `rm -rf`"

enum venue_fault {
    VENUE_FINE,
    VENUE_CUT_BEFORE, /* the connection ends, nothing done */
    VENUE_CUT_AFTER,  /* done, and the connection ends without an answer */
    VENUE_TRUNCATED,  /* done, half an answer */
    VENUE_HUGE,       /* done, an answer without end */
    VENUE_GARBAGE,    /* done, 2xx and no JSON */
    VENUE_WRONG,      /* done, 2xx and JSON of another kind */
    VENUE_PAGE,       /* done, 2xx and a web page */
    VENUE_SILENT,     /* done, and no answer ever */
    VENUE_ANSWER,     /* nothing done, `status`, `headers` and `body` */
};

struct venue_item {
    int64_t id;
    char title[600], name[200];
    char texts[8][2048]; /* comments */
    unsigned text_count, votes;
    bool is_closed;
};

struct venue_fake;
struct venue_fake_ops {
    const char *venue;
    /* Settings and environment with "URL" for the fake's address; NULL-terminated pairs and
     * "NAME=value" lines. */
    const char *const *settings, *const *environment;
    const char *target; /* of the first request that is filed, for joining by hand */
    unsigned search_most;
    /* One request; *out_created true when it made something. */
    void (*answer)(struct venue_fake *fake, const struct gl_test_request *request,
                   struct gl_test_answer *out);
};

struct venue_fake {
    const struct venue_fake_ops *ops;
    struct gl_test_server *server;
    struct gl_world *world;
    struct venue_item items[16];
    size_t item_count;
    unsigned comments; /* made in all */
    bool is_lagging;   /* lists do not show anything yet */
    char complaint[400];
    enum venue_fault fault; /* of the next request that would make something */
    int status;
    const char *headers, *body;
};

extern const struct venue_fake_ops venue_fake_github;
extern const struct venue_fake_ops venue_fake_gitlab;
extern const struct venue_fake_ops venue_fake_jira;
extern const struct venue_fake_ops venue_fake_aws;
extern const struct venue_fake_ops venue_fake_google;
extern const struct venue_fake_ops venue_fake_azure;
extern const struct venue_fake_ops venue_fake_ovh;
extern const struct venue_fake_ops venue_fake_zendesk;
extern const struct venue_fake_ops venue_fake_webhook;
extern const struct venue_fake_ops *const venue_fakes[]; /* NULL-terminated */

void venue_fake_complain(struct venue_fake *fake, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Complain unless the header is there with that value (NULL = any but none). */
void venue_fake_header(struct venue_fake *fake, const struct gl_test_request *request,
                       const char *name, const char *value);
/* The body as an object whose members are only these, separated by blanks (a "!" before one that
 * must be there); {} after a complaint. To be freed. */
json_t *venue_fake_body(struct venue_fake *fake, const struct gl_test_request *request,
                        const char *members);
struct venue_item *venue_fake_add(struct venue_fake *fake, const char *title);
struct venue_item *venue_fake_at(struct venue_fake *fake, int64_t id); /* NULL = none */
void venue_fake_comment(struct venue_fake *fake, struct venue_item *item, const char *text);
/* Answer JSON (taken). */
void venue_fake_json(struct gl_test_answer *out, int status, json_t *body);
/* Something was made and may now go wrong on its way back; before the answer is filled. False:
 * nothing may be made, *out is the answer. */
bool venue_fake_may_create(struct venue_fake *fake, struct gl_test_answer *out);
/* Misbehave with an answer that was filled. */
void venue_fake_spoil(struct venue_fake *fake, struct gl_test_answer *out);
/* Decoded value of a query parameter, "" if absent. */
void venue_fake_query(const struct gl_test_request *request, const char *name, char *out,
                      size_t size);

#endif
