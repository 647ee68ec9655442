/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_HTTP_PART_H
#define GL_BASE_HTTP_PART_H

/* What the transports share; not for callers of base/http.h. */

#include "base/http.h"

#define GL_HTTP_TIMEOUT_MS   2000
#define GL_HTTP_BODY_CEILING ((size_t)8 << 20)

/* Header lines of one answer. Retry-After may be a date (RFC 9110 section 10.2.3): it counts from
 * the answer's own Date, so that neither our clock nor a replay matters. */
struct gl_http_headers {
    struct gl_http_reply *reply;
    int64_t date_s, retry_at_s; /* -1 = absent */
};

/* Begin an answer: *reply becomes empty with `status`. */
void gl_http_headers_init(struct gl_http_headers *headers, struct gl_http_reply *reply, int status);
/* One line without its line end. A value that does not fit is dropped, never cut. */
void gl_http_headers_line(struct gl_http_headers *headers, const char *line, size_t length);
void gl_http_headers_end(struct gl_http_headers *headers);

/* "HTTP/1.1 200 OK" -> 200, or -1. */
int gl_http_status_parse(const char *line, size_t length);

/* "METHOD URL" for messages: without user information, query and fragment, which may be secret. */
#define GL_HTTP_WHAT 200
char *gl_http_what(const struct gl_http_request *request, char out[GL_HTTP_WHAT]);

size_t gl_http_ceiling(const struct gl_http_request *request);

#endif
