/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_REQUEST_H
#define GL_BROKER_REQUEST_H

/* Provider requests: one for each fingerprint of demand, from its first draft to its answer. What
 * is known of them follows from the ledger's events "request" alone. Sending takes an approval of a
 * person bound to the digest of the last preview, writes the intent before and the outcome behind
 * it, and never sends again what may have arrived before its absence is proven. One process at a
 * time previews or sends (a lock in the state folder).
 *
 * An event's member "op" is one of:
 *   drafted    fingerprint, provider, region, capability, rule
 *   previewed  fingerprint, action, venue, settings, target, drafted_s, draft, digest, place
 *   approved   fingerprint, action, digest, place, by, retry, steps: the intent, and what is sent
 *   outcome    fingerprint, action, digest, place, result, went_out, answer, id, url, note ...
 *   settled    fingerprint, is_there, reference, by: what a person found, of what is not known
 *   closed     fingerprint, by: a person says that it is over
 *   polled     fingerprint, place, and what the venue said, or why it did not
 *   granted    fingerprint, cloud, region, type: an offer there satisfies the rule now
 *   searched   place, answer, wait_s, error: a search there met a hard stop
 *   lifted     place, by, why: a person has looked, the hard stop of that place ends */

#include "broker/ledger.h"
#include "broker/request_text.h"
#include "providers/venue/rate.h"

/* ---- what is known of them ---- */

enum gl_request_state {
    GL_REQUEST_NONE, /* observed or due, never drafted */
    GL_REQUEST_DRAFTED,
    GL_REQUEST_PREVIEWED,
    GL_REQUEST_APPROVED, /* may have been sent, or is with a person who sends it by hand */
    GL_REQUEST_FILED,
    GL_REQUEST_JOINED,
    GL_REQUEST_REPLIED, /* "answered" */
    GL_REQUEST_GRANTED,
    GL_REQUEST_ENDED, /* "closed" */
    GL_REQUEST_WITHDRAWN,
    GL_REQUEST_STATES
};
extern const char *const gl_request_state_words[]; /* NULL-terminated */

/* Of its last sending. */
enum gl_request_attempt {
    GL_ATTEMPT_NONE,
    GL_ATTEMPT_UNKNOWN, /* it may have arrived: no outcome, or nobody knows it */
    GL_ATTEMPT_BY_HAND, /* a person was given what to send, and has not said what became of it */
    GL_ATTEMPT_DONE,
    GL_ATTEMPT_FAILED, /* it did not arrive */
};

#define GL_REQUEST_NAME 64

struct gl_request_record {
    char fingerprint[GL_HASH_HEX];
    char id[GL_VENUE_TAG];
    enum gl_request_state state;
    char provider[GL_REQUEST_NAME], region[GL_REQUEST_NAME], capability[GL_REQUEST_NAME];
    char rule[GL_DEMAND_RULE];
    json_t *preview;   /* body of the last "previewed", NULL = none; borrowed with the book */
    int64_t drafted_s; /* of the first preview: nothing of ours is older */
    enum gl_request_attempt attempt;
    enum gl_venue_action action; /* of the attempt */
    char attempt_digest[GL_HASH_HEX];
    struct gl_instant tried; /* when it may have been sent */
    json_t *venue;           /* preview of what was filed or joined: venue and settings */
    char place[GL_VENUE_PLACE];
    char venue_id[GL_VENUE_ID], url[GL_VENUE_URL], etag[128], reason[64];
    int64_t comments, votes;       /* -1 = not said */
    int64_t polled_ms, changed_ms; /* 0 = never */
};

/* What is known of a place. */
struct gl_request_place {
    char place[GL_VENUE_PLACE];
    enum gl_venue_answer last;
    unsigned failures;
    struct gl_instant failed;
    int64_t told_wait_s;
};

/* What was sent, or may have been. */
struct gl_request_past {
    char fingerprint[GL_HASH_HEX], digest[GL_HASH_HEX], place[GL_VENUE_PLACE];
    struct gl_instant at, before; /* of its last try, and of the one before that */
    bool has_before, is_settled;
};

struct gl_requests {
    size_t count, place_count, past_count;
    struct gl_request_record *records;
    struct gl_request_place *places;
    struct gl_request_past *past;
};

/* Pure: one event more. Unknown kinds and members are left aside; BAD_REPLY when one of ours is
 * broken. */
int gl_requests_fold(struct gl_requests *requests, const json_t *event, struct gl_error *err);
void gl_requests_done(struct gl_requests *requests);
/* Every request of the ledger. */
int gl_requests_read(struct gl_ledger *ledger, struct gl_requests *out, struct gl_error *err);
/* By fingerprint; NULL when there is none. */
const struct gl_request_record *gl_requests_of(const struct gl_requests *requests,
                                               const char *fingerprint);
/* Does a person mean that fingerprint? "GL-7f3a91c2", in any case, with or without "GL-", of its
 * digits GL_REQUEST_ID_MIN or more. */
#define GL_REQUEST_ID_MIN 4
bool gl_request_is_named(const char *fingerprint, const char *id);
/* Which of `count` fingerprints a person means: its place. `what` is what there is none of, or two:
 * "request". UNKNOWN_NAME, with the nearest one, and where to see all. */
int gl_request_pick(const char *const *fingerprints, size_t count, const char *id, const char *what,
                    size_t *out, struct gl_error *err);
/* By what a person writes. UNKNOWN_NAME. */
const struct gl_request_record *gl_requests_named(const struct gl_requests *requests,
                                                  const char *id, struct gl_error *err);
/* It is with the provider, or may be: no other of that fingerprint may be filed. */
bool gl_request_is_open(const struct gl_request_record *record);
/* A vote and a comment under a request of somebody else's. */
bool gl_request_is_joined(const struct gl_request_record *record);

/* Pure: may something be sent to that place now? A retry of `digest` does not count against
 * itself; NULL = none. */
void gl_requests_pace(const struct gl_requests *requests, const char *place, const char *digest,
                      struct gl_instant now, bool is_stopped, struct gl_venue_pace_answer *out);

/* ---- acting ---- */

/* Where it is done. `folder` holds lock and kill switch. */
struct gl_request_desk {
    struct gl_ledger *ledger;
    const struct gl_world *world;
    const char *folder;
};

/* A venue with the settings that it keeps a copy of. */
#define GL_REQUEST_SETTINGS 24
struct gl_request_venue {
    struct gl_venue *venue; /* NULL = not open */
    struct gl_venue_options options;
    struct gl_setting settings[GL_REQUEST_SETTINGS];
};
/* Of a "previewed" event, or of a venue with settings. Errors as gl_venue_open(). Closed by
 * gl_request_venue_done(). */
int gl_request_venue_open(const struct gl_request_desk *desk, const char *venue,
                          const json_t *settings, struct gl_request_venue *out,
                          struct gl_error *err);
void gl_request_venue_done(struct gl_request_venue *venue);

/* Note that a draft was written; once is enough. */
int gl_request_note_draft(const struct gl_request_desk *desk, const struct gl_cluster *cluster,
                          struct gl_error *err);

/* What is to be previewed. */
struct gl_request_plan {
    enum gl_venue_action action;
    const char *fingerprint;
    const struct gl_request_text *text; /* of filing and joining; NULL of withdrawing */
    const char *venue;                  /* NULL of withdrawing: where it is */
    const json_t *settings;             /* object of texts; NULL of withdrawing */
    const char *target;                 /* of joining */
};
/* Make and keep the preview; it is what may be approved from now on. *out is freed with
 * gl_venue_preview_done(). USAGE when there is an open request or an attempt that nobody knows the
 * outcome of. Errors also: of gl_venue_open() and gl_venue_preview(). */
int gl_request_preview(const struct gl_request_desk *desk, const struct gl_request_plan *plan,
                       struct gl_venue_preview *out, struct gl_error *err);
/* The kept preview once more, from what the ledger holds. NOT_VERIFIED when it does not come out
 * as it was kept. */
int gl_request_preview_again(const struct gl_request_desk *desk,
                             const struct gl_request_record *record, struct gl_venue_preview *out,
                             struct gl_error *err);

/* What became of an approval. */
struct gl_request_sent {
    char id[GL_VENUE_TAG];
    enum gl_venue_may may; /* WAIT and STOP: nothing was done, `pace` says why */
    struct gl_venue_pace_answer pace;
    enum gl_request_state state;
    struct gl_venue_receipt receipt;
};
/* Send the last preview of the request, once. `digest` is that of the preview, or its first
 * GL_REQUEST_DIGEST_MIN digits or more; `by` who approved. NOT_VERIFIED: another digest. After an
 * outcome that nobody knows the same call tries again, and proves absence first. Errors also: USAGE
 * (nothing to approve, sent already), those of gl_venue_send(), of the ledger, LOCKED. */
#define GL_REQUEST_DIGEST_MIN 16
struct gl_request_approval {
    const char *id, *digest, *by;
};
int gl_request_send(const struct gl_request_desk *desk, const struct gl_request_approval *approval,
                    struct gl_request_sent *out, struct gl_error *err);

/* Events of requests go under this name of a launch, which no launch has. */
#define GL_REQUEST_LAUNCH "request"

#endif
