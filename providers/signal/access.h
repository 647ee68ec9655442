/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_SIGNAL_ACCESS_H
#define GL_PROVIDERS_SIGNAL_ACCESS_H

/* What a source wants to know of its caller: secrets from the environment or a file, the token of a
 * login, or a key that signs each request. Read when the network is really asked, kept in memory,
 * wiped; never part of a URL that is stored, an error, or what a source is called. Sends nothing
 * itself (fetch.c does). */

#include "base/sign.h"
#include "providers/signal/signal.h"

#define GL_ACCESS_KEYS    2
#define GL_ACCESS_HEADERS 3 /* one a key, and the token's */

/* State of one source; zeroed at first, but for the two pointers. */
struct gl_access {
    const struct gl_signal_ops *ops;
    const struct gl_signal_config *config;
    bool is_read;
    struct gl_error trouble;
    struct gl_secret keys[GL_ACCESS_KEYS]; /* in the order of ops->keys */
    struct gl_signal_credential signer;    /* of ops->signer */
    const struct gl_world *world;          /* whose clock dates signatures */
    struct gl_secret token;
    int64_t token_at_ms; /* monotonic: when it was given */
};

/* A request with its secrets. */
struct gl_access_dress {
    char *url;
    char *headers[GL_ACCESS_HEADERS + 1]; /* NULL-terminated */
};

/* Read the secrets, once. NO_CREDENTIAL naming the variable to set, or the file; what else the
 * signer says; fine when none is needed. */
int gl_access_open(struct gl_access *access, const struct gl_world *world, struct gl_error *err);
/* Must a login come first, because there is no token or it is older than ops->login->renew_s? */
bool gl_access_wants_login(const struct gl_access *access, int64_t monotonic_ms);
/* The request that opens a session; only after gl_access_open(). */
void gl_access_login(const struct gl_access *access, struct gl_access_dress *out);
/* Take the token out of the answer to it. BAD_REPLY without repeating any of it. */
int gl_access_take(struct gl_access *access, struct gl_view body, int64_t monotonic_ms,
                   struct gl_error *err);
void gl_access_forget(struct gl_access *access); /* the token */
/* Overwrite in place what of an answer repeats a secret (some services quote the question): answers
 * are kept in files. */
void gl_access_blot(const struct gl_access *access, char *bytes, size_t length);
/* `url` and the headers as they are sent; only after gl_access_open(). NO_CREDENTIAL when the key
 * does not sign, and *out is empty. */
int gl_access_dress(const struct gl_access *access, const char *url, struct gl_access_dress *out,
                    struct gl_error *err);

void gl_access_dress_done(struct gl_access_dress *dress); /* wipes */
void gl_access_done(struct gl_access *access);            /* wipes */

#endif
