/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_VENUE_H
#define GL_PROVIDERS_VENUE_H

/* Where a provider request can be filed: one const struct a venue, listed in registry.c. A venue
 * turns a draft into the exact bytes that would be sent (pure), sends what was approved and nothing
 * else, finds it again by its fingerprint, and reads what became of it. It never decides whether to
 * file, never tries again, never answers anybody, keeps no ledger.
 *
 * Approval binds to the digest of the preview: gl_venue_send() refuses every other preview. What
 * was sent with an unknown outcome is not sent again before gl_venue_find() has proven its absence:
 * the title carries the tag "[GL-7f3a91c2]". */

#include "base/http.h"
#include "base/setting.h"
#include "base/world.h"
#include "providers/venue/preview.h"

/* ---- what a venue can ---- */

enum gl_venue_cap {
    GL_VENUE_OFFLINE = 1,     /* sending needs no network: a file or an address comes out */
    GL_VENUE_BY_HAND = 2,     /* what comes out a person still has to send */
    GL_VENUE_PUBLIC = 4,      /* everybody can read it */
    GL_VENUE_SEARCH = 8,      /* gl_venue_search() */
    GL_VENUE_JOIN = 16,       /* GL_VENUE_JOINING: a vote, where there are votes, and a comment */
    GL_VENUE_FIND = 32,       /* gl_venue_find() can prove absence */
    GL_VENUE_IDEMPOTENT = 64, /* the same sent twice is there once, by the venue's own word */
    GL_VENUE_STATUS = 128,    /* gl_venue_status() */
    GL_VENUE_WITHDRAW = 256,  /* GL_VENUE_WITHDRAWING: closes it */
    GL_VENUE_PAID = 512,      /* takes a support contract */
};

/* ---- a venue that is open ---- */

struct gl_venue_options {
    const struct gl_world *world; /* transport, clock and environment */
    const struct gl_setting *settings;
    size_t setting_count;
    const char *folder; /* of files that venues write, and of the kill switch; NULL = none */
};

/* What the venue's last answer means for what comes next. */
enum gl_venue_answer {
    GL_ANSWER_NONE, /* nothing was asked yet */
    GL_ANSWER_OK,
    GL_ANSWER_RATE_LIMITED, /* hard stop */
    GL_ANSWER_FORBIDDEN,    /* hard stop: no right, or not wanted */
    GL_ANSWER_LOGIN,        /* the credentials are missing or rejected */
    GL_ANSWER_PERSON,       /* a consent box, a login page, a captcha: open the browser */
    GL_ANSWER_GONE,         /* there, but closed for good (410, 451) */
    GL_ANSWER_ABSENT,       /* nothing there, or not for us to see (404) */
    GL_ANSWER_REFUSED,      /* the venue does not take what was sent */
    GL_ANSWER_UNCLEAR,      /* no answer, a broken one, or its own failure */
    GL_ANSWERS
};
/* "rate limited" ... */
const char *gl_venue_answer_word(enum gl_venue_answer answer);

struct gl_venue;
struct gl_venue_ops;

/* The venues there are. */
const struct gl_venue_ops *const *gl_venue_registry(size_t *out_count);
const struct gl_venue_ops *gl_venue_find_ops(const char *name); /* NULL when there is none */
const char *gl_venue_ops_name(const struct gl_venue_ops *ops);
const char *gl_venue_ops_title(const struct gl_venue_ops *ops);
const char *gl_venue_ops_docs(const struct gl_venue_ops *ops); /* address of the API's page */
unsigned gl_venue_ops_caps(const struct gl_venue_ops *ops);
const struct gl_setting_key *gl_venue_ops_keys(const struct gl_venue_ops *ops);

/* Checks the settings and asks nothing; of a cloud's venue its credential files are found.
 * UNKNOWN_NAME, CONFIG, NO_CREDENTIAL. Options and what they
 * point to are borrowed until gl_venue_close(). */
struct gl_venue *gl_venue_open(const char *name, const struct gl_venue_options *options,
                               struct gl_error *err);
void gl_venue_close(struct gl_venue *venue); /* wipes; NULL is fine */
const struct gl_venue_ops *gl_venue_ops_of(const struct gl_venue *venue);
/* One line that names venue and place ("github ovh/public-cloud-roadmap"): the key of rates. */
const char *gl_venue_place(const struct gl_venue *venue);
enum gl_venue_answer gl_venue_last_answer(const struct gl_venue *venue);
/* Seconds to wait as the last answer told; -1 = it did not. */
int64_t gl_venue_told_wait_s(const struct gl_venue *venue);

/* ---- sending ---- */

struct gl_venue_receipt {
    char id[GL_VENUE_ID]; /* for status and withdrawing; "" = the venue gives none */
    char url[GL_VENUE_URL];
    char note[GL_VENUE_NOTE]; /* what the venue left out: labels without push rights */
    bool was_there;           /* found by its fingerprint: nothing was sent now */
    bool is_by_hand;          /* a person has to send it: url or path in `url` */
};

struct gl_venue_approval {
    const char *digest;      /* as the approver saw it */
    bool is_retry;           /* an earlier try may have been sent: its outcome is unknown */
    struct gl_instant tried; /* when; of a retry */
};

/* Send what was approved. NOT_VERIFIED when the preview is not the approved one, or not of this
 * venue as it is configured now; PERMISSION when the kill switch is there. Looks for the
 * fingerprint first where the venue can, and then sends nothing when it is there. A retry where
 * absence cannot be proven, or not yet (indexes lag), is OUTCOME. Errors also: OUTCOME (unknown
 * whether it arrived: next time is_retry), RATE_LIMIT, PERMISSION, NO_CREDENTIAL, NOT_FOUND,
 * BAD_VALUE, NETWORK, PROVIDER; gl_venue_last_answer() says what the venue meant. No secret stands
 * in any of them. */
int gl_venue_send(struct gl_venue *venue, const struct gl_venue_preview *preview,
                  const struct gl_venue_approval *approval, struct gl_venue_receipt *out,
                  struct gl_error *err);

/* Had the last gl_venue_send() begun to send when it failed? False: nothing went out. */
bool gl_venue_has_begun(const struct gl_venue *venue);

/* Is it there already? 1 and *out, 0 when its absence is proven, -1 when that cannot be said. */
int gl_venue_find(struct gl_venue *venue, const struct gl_venue_preview *preview,
                  struct gl_venue_receipt *out, struct gl_error *err);

/* ---- looking ---- */

struct gl_venue_candidate {
    char id[GL_VENUE_ID];
    char url[GL_VENUE_LINK];
    char title[GL_VENUE_TITLE]; /* printable: foreign text */
    bool is_open;
    int64_t votes; /* -1 = not said */
};

/* Existing requests that `words` occur in, best first; at most GL_VENUE_CANDIDATES. Returns 0 with
 * none found. USAGE when the venue cannot search. */
int gl_venue_search(struct gl_venue *venue, const char *words,
                    struct gl_venue_candidate out[GL_VENUE_CANDIDATES], size_t *out_count,
                    struct gl_error *err);

enum gl_venue_state { GL_REQUEST_OPEN, GL_REQUEST_ANSWERED, GL_REQUEST_CLOSED, GL_REQUEST_GONE };
const char *gl_venue_state_word(enum gl_venue_state state);

struct gl_venue_status {
    bool is_same; /* not changed since `etag`; the rest is then not filled */
    enum gl_venue_state state;
    char reason[64]; /* in the venue's own words: "not_planned", "resolved"; printable */
    char title[GL_VENUE_TITLE];
    char etag[128];            /* for the next time; "" = the venue has none */
    int64_t comments, votes;   /* -1 = not said */
    struct gl_instant updated; /* .unix_s 0 = not said */
};

/* What became of it; asked conditionally where the venue can. `etag` may be NULL. A request that
 * has gone is a state, no error. */
int gl_venue_status(struct gl_venue *venue, const char *id, const char *etag,
                    struct gl_venue_status *out, struct gl_error *err);

/* ---- small things ---- */

/* The name of the file in `folder` whose presence stops all sending. */
#define GL_VENUE_KILL_SWITCH "stop-requests"
bool gl_venue_is_stopped(const char *folder); /* NULL: false */

#endif
