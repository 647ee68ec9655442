/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_SIGNAL_AHEAD_H
#define GL_PROVIDERS_SIGNAL_AHEAD_H

/* Questions that are under way before anybody waits for their answers. A row is named by its source
 * and its URL without secrets. Only for fetch.c. */

#include "base/http.h"

struct gl_ahead;

struct gl_ahead *gl_ahead_new(struct gl_http *http);
void gl_ahead_add(struct gl_ahead *ahead, const char *source, const char *url,
                  const struct gl_http_request *request);
/* Is there such a question, taken or not? `ahead` may be NULL, here and below. */
bool gl_ahead_has(const struct gl_ahead *ahead, const char *source, const char *url);
/* The same of those whose answer nobody took: it is then the one that is taken next. */
bool gl_ahead_choose(struct gl_ahead *ahead, const char *source, const char *url);
bool gl_ahead_is_chosen(const struct gl_ahead *ahead);
/* Wait for the chosen one, at most until deadline_ms after gl_ahead_new(). As gl_http_send(). */
int gl_ahead_take(struct gl_ahead *ahead, int64_t deadline_ms, struct gl_http_reply *out,
                  struct gl_error *err);
void gl_ahead_free(struct gl_ahead *ahead); /* NULL is fine */

#endif
