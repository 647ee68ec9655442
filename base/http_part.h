/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_HTTP_PART_H
#define GL_BASE_HTTP_PART_H

/* What the transports share; not for callers of base/http.h. */

#include "base/http.h"

#define GL_HTTP_TIMEOUT_MS   2000
#define GL_HTTP_BODY_CEILING ((size_t)8 << 20)

/* Header lines of one answer; zeroed at first. Retry-After may be a date (RFC 9110 section 10.2.3):
 * it counts from the answer's own Date, so that neither our clock nor a replay matters. */
struct gl_http_headers {
    struct gl_http_reply *reply;
    int64_t date_s, retry_at_s; /* -1 = absent */
    struct gl_str text;         /* is_cut: over the ceiling, no whole answer */
};

/* Begin an answer: *reply becomes empty with `status`, lines of an earlier block are forgotten. */
void gl_http_headers_init(struct gl_http_headers *headers, struct gl_http_reply *reply, int status);
/* One line without its line end. A value that does not fit is dropped, never cut. */
void gl_http_headers_line(struct gl_http_headers *headers, const char *line, size_t length);
/* Complete the reply and hand it the text. */
void gl_http_headers_end(struct gl_http_headers *headers);
void gl_http_headers_done(struct gl_http_headers *headers); /* wipes and frees the text */

/* "HTTP/1.1 200 OK" -> 200, or -1. */
int gl_http_status_parse(const char *line, size_t length);

/* "METHOD URL" for messages: without user information, query and fragment, which may be secret. */
#define GL_HTTP_WHAT 200
char *gl_http_what(const struct gl_http_request *request, char out[GL_HTTP_WHAT]);

size_t gl_http_ceiling(const struct gl_http_request *request);
int64_t gl_http_timeout_ms(const struct gl_http_request *request);

/* "https://host:port" of a well-formed address: its length. */
size_t gl_http_origin(const char *url);
/* BAD_VALUE for what no transport may send. */
int gl_http_check(const struct gl_http_request *request, struct gl_error *err);

/* ---- many at once ---- */

/* One exchange under way. */
struct gl_http_flight {
    const struct gl_http_request *request; /* checked; borrowed until finished or dropped */
    struct gl_http_reply reply;
    struct gl_error err;
    bool is_done; /* a whole answer came */
    int64_t took_ms;
    void *transfer; /* the transport's own */

    struct gl_http_flights *home; /* where it goes when finished */
    struct gl_http_flight *next;
};
/* Finished flights in the order of finishing. */
struct gl_http_flights {
    struct gl_http_flight *first, *last;
};
void gl_http_flight_finish(struct gl_http_flight *flight);
struct gl_http_flight *gl_http_flights_take(struct gl_http_flights *flights); /* NULL: none */

struct gl_http_flight_ops {
    /* Never fails: trouble finishes the flight, perhaps at once. */
    void (*start)(struct gl_http *http, struct gl_http_flight *flight);
    /* Move all that is under way; returns early when something finished. */
    void (*run)(struct gl_http *http, int64_t wait_ms);
    /* Forget a flight that is not finished; sets took_ms. */
    void (*drop)(struct gl_http *http, struct gl_http_flight *flight);
};
int64_t gl_http_clock_ms(void); /* monotonic: a transport has no world */
#define GL_HTTP_SLICE_MS 200    /* between two questions for is_cancelled */

/* gl_http_ops.send for a transport with flights. */
int gl_http_flight_send(struct gl_http *http, const struct gl_http_request *request,
                        struct gl_http_reply *out, struct gl_error *err);
/* Wrappers ask as their owner does. */
void gl_http_cancel_like(struct gl_http *inner, const struct gl_http *outer);

#endif
