/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_SIGNAL_FETCH_H
#define GL_PROVIDERS_SIGNAL_FETCH_H

/* One answer of one network source: from the cache while it is young, else conditionally from the
 * server, within one time budget for the whole process and a polite rate for each source. A source
 * that did not answer is not asked again. Knows nothing of what the bytes mean. */

#include "base/http.h"
#include "providers/signal/access.h"
#include "providers/signal/cache.h"

/* Shared by all sources of a store. */
struct gl_fetch {
    const struct gl_world *world;
    const char *cache_folder; /* NULL = no cache */
    bool is_cache_empty;      /* it was when the store was opened: nothing is looked up */
    bool is_offline;
    int64_t deadline_ms, spent_ms; /* of all network work */
    struct gl_ahead *ahead;        /* questions sent before their turn; NULL = none yet */
};

/* State of one source; zeroed at first. */
struct gl_fetch_source {
    const char *name;
    bool is_dead;
    struct gl_error death; /* why */
    int64_t used_ms;       /* rate: a request uses a second, a second gives one back */
    int64_t used_at_ms;
};

struct gl_fetch_want {
    const char *url;
    const char *slot; /* the question without its time (cache.h) */
    bool is_cache_only;
    struct gl_access *access; /* secrets, refusals and headers of the source; NULL = none */
};

struct gl_fetched {
    struct gl_cached answer;
    bool is_from_cache; /* not confirmed by the server just now */
    bool is_sent;       /* the server was asked */
};

/* Send the question now and fetch its answer later with gl_fetch_get(), so that many are under way
 * at once. Nothing happens where a young answer is kept, the network may not be asked, or the
 * transport cannot have several under way: gl_fetch_get() then does all of it. */
void gl_fetch_ahead(struct gl_fetch *fetch, struct gl_fetch_source *source,
                    const struct gl_fetch_want *want);
/* 1 and *out filled, 0 when the network may not be asked and nothing young is at hand, -1 when it
 * failed: TIMEOUT, NETWORK, RATE_LIMIT, NOT_FOUND, PROVIDER, BAD_REPLY, NO_CREDENTIAL,
 * UNKNOWN_DATA (nothing there, or no right to it). out->is_sent is always set. */
int gl_fetch_get(struct gl_fetch *fetch, struct gl_fetch_source *source,
                 const struct gl_fetch_want *want, struct gl_fetched *out, struct gl_error *err);
/* What was kept earlier, however old: this URL's answer, else the newest to the same question. */
bool gl_fetch_last(const struct gl_fetch *fetch, const struct gl_fetch_source *source,
                   const struct gl_fetch_want *want, struct gl_fetched *out);
/* Keep an answer that came from the server and made sense. */
int gl_fetch_keep(const struct gl_fetch *fetch, const struct gl_fetch_source *source,
                  const struct gl_fetch_want *want, const struct gl_fetched *fetched,
                  struct gl_error *err);
/* Drop what was asked ahead and never fetched. */
void gl_fetch_done(struct gl_fetch *fetch);

#endif
