/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_REQUEST_FOLLOW_H
#define GL_BROKER_REQUEST_FOLLOW_H

/* What becomes of requests after they were sent: what only a person knows, what the venue says, an
 * offer at last; and all that was ever sent. Never answers anybody. */

#include "broker/request.h"

/* What a person found out about an attempt by hand or of unknown outcome. `reference` is where it
 * is, NULL = it is not there. USAGE when there is no such attempt. */
int gl_request_settle(const struct gl_request_desk *desk, const char *id, const char *reference,
                      const char *by, struct gl_error *err);
/* A person says that an open request is over: closed by hand, or granted and thanked for. USAGE
 * when it is not open. */
int gl_request_close(const struct gl_request_desk *desk, const char *id, const char *by,
                     struct gl_error *err);
/* A person has looked at the place: its hard stop ends, waits do not. UNKNOWN_NAME: it has none. */
int gl_request_lift(const struct gl_request_desk *desk, const char *place, const char *by,
                    const char *why, struct gl_error *err);

/* Search an open venue for requests alike, as gl_venue_search(). A place with a hard stop is not
 * asked (PROVIDER), and an answer that is one is written down as such. */
int gl_request_search(const struct gl_request_desk *desk, struct gl_venue *venue, const char *words,
                      struct gl_venue_candidate out[GL_VENUE_CANDIDATES], size_t *out_count,
                      struct gl_error *err);

/* Ask the venue of a request what became of it; conditional where the venue can. Not before
 * GL_REQUEST_POLL_S after the last time unless `is_forced`. */
#define GL_REQUEST_POLL_S (7 * 24 * 3600)
enum gl_request_polled {
    GL_POLL_NOT_DUE,
    GL_POLL_NO_WAY,  /* that venue cannot be asked, or has no id of it */
    GL_POLL_STOPPED, /* hard stop of that place */
    GL_POLL_SAME,
    GL_POLL_CHANGED,
    GL_POLL_FAILED, /* *err says why; written down too */
};
int gl_request_poll(const struct gl_request_desk *desk, const char *fingerprint, bool is_forced,
                    enum gl_request_polled *out, struct gl_error *err);
/* Note that an offer satisfies the rule now. */
int gl_request_grant(const struct gl_request_desk *desk, const char *fingerprint, const char *cloud,
                     const char *region, const char *type, struct gl_error *err);

/* Everything ever sent: an array, oldest first, of intents with their outcome. New reference. */
json_t *gl_requests_export(struct gl_ledger *ledger, struct gl_error *err);
/* Every demand feed that was let go, oldest first: kind, who consented or how many stand behind it,
 * cells, where it was written, the hash of the document. New reference. */
json_t *gl_requests_export_feeds(struct gl_ledger *ledger, struct gl_error *err);

#endif
