/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_SIGNAL_CACHE_H
#define GL_PROVIDERS_SIGNAL_CACHE_H

/* Answers of signal sources on disk, one file a (source, URL), so that a source is asked again only
 * when there is something to ask, and still speaks, with its age, when it is dead or we are
 * offline. A file that is not exactly what was written is as good as absent. Only answers that
 * parsed are kept.
 *
 * File: the SHA-256 of all that follows; a line of JSON {"checked_s", "etag", "last_modified",
 * "retrieved_s", "source", "url"}; the body. Name: SHA-256 of "source URL". Beside it a file
 * "<SHA-256 of the slot>.latest" names the newest answer to one question whose URL changes with
 * time; the slot is the question without its time. */

#include "base/sign.h"

#define GL_CACHE_MAX_BYTES ((int64_t)64 << 20)

struct gl_cached {
    char etag[128], last_modified[64]; /* validators, "" when the server gave none */
    int64_t retrieved_s;               /* when the body came */
    int64_t checked_s;                 /* when the server last said that it still holds */
    char *body;                        /* NUL-terminated; owned */
    size_t length;
};

/* Which answer. */
struct gl_cache_key {
    const char *folder; /* NULL = no cache: nothing is found, nothing is kept */
    const char *source, *url;
    const char *slot;
};

/* Is nothing kept there? Then no name need be looked up. */
bool gl_cache_is_empty(const char *folder);
/* The answer kept for exactly this URL. */
bool gl_cache_find(const struct gl_cache_key *key, struct gl_cached *out);
/* The newest answer kept for the slot, whatever its URL. */
bool gl_cache_find_latest(const struct gl_cache_key *key, struct gl_cached *out);
/* Keep an answer, then remove the oldest files while the folder is above `max_bytes`. The folder is
 * made when it does not exist. Errors: IO, DISK_FULL; the cache is then as it was. */
int gl_cache_keep(const struct gl_cache_key *key, const struct gl_cached *cached, int64_t max_bytes,
                  struct gl_error *err);
void gl_cached_done(struct gl_cached *cached);

#endif
