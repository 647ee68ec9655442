/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_HTTP_DATE_H
#define GL_BASE_HTTP_DATE_H

/* A transport that reads the Date header (RFC 9110 section 6.6.1) of every answer that passes
 * through it, so that this machine's clock can be held against the others'. Changes nothing of what
 * passes and asks for nothing itself. */

#include "base/http.h"

/* The Date of an answer in Unix seconds; false when it has none of the form of RFC 9110 section
 * 5.6.7. */
bool gl_http_reply_date(const struct gl_http_reply *reply, int64_t *out_s);

/* Passes through to `inner`, which stays the caller's. Ends by gl_http_close(). */
struct gl_http *gl_http_dated_new(struct gl_http *inner, const struct gl_world *world);

/* How many seconds this machine is ahead of the answer that agreed best; false when none had a
 * date. One server whose clock is wrong does not make ours wrong. */
bool gl_http_dated_ahead(const struct gl_http *dated, int64_t *out_s);
/* Let it know of an answer that another process had. */
void gl_http_dated_hear(struct gl_http *dated, int64_t ahead_s);

/* Put it in the place of its inner transport, or that one back. */
void gl_http_dated_swap(struct gl_http *dated, struct gl_http **place);

#endif
