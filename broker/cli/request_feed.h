/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_REQUEST_FEED_H
#define GL_BROKER_CLI_REQUEST_FEED_H

/* `request feed`: the demand of this machine as a signed document, many of them merged into one
 * that speaks of no organisation alone, and such a document checked (broker/feed.h). Nothing is
 * written without a name that consents. */

#include "broker/context.h"

struct gl_feed_ask {
    bool is_own, is_merge, is_check; /* exactly one, else USAGE */
    const char *consent;             /* own: who lets it go */
    const char *out;                 /* own, merge: file to write; NULL = the reply itself */
    const char *key;                 /* check: a file or 64 hex digits; NULL = the document's own */
    const char *members;             /* merge: file of the keys that may take part; NULL = any */
    int64_t k;                       /* merge: organisations a cell rests on; INT64_MIN = 10 */
    const char *const *files;        /* merge: files and folders of *.json; check: one file */
    size_t file_count;
};

/* Fills context->reply; returns the exit status, or -1 with *err. The rows of these members stand
 * in request_feed_options.def, to be included in the option table of a command whose values struct
 * has `struct gl_feed_ask feed` and defines GL_FEED_AT(field) as offsetof(VALUES, feed.field);
 * `files` is set from the operands after the word "feed". */
int gl_request_feed(struct gl_context *context, const struct gl_feed_ask *ask,
                    struct gl_error *err);

#endif
