/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http_part.h"
#include "base/sign.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Many exchanges over one transport: over its flights where it has them, else one after another. */

int64_t gl_http_clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_cancelled(const struct gl_http *http)
{
    return http->is_cancelled != NULL && http->is_cancelled(http->cancel_cookie);
}

static int fail_interrupted(const struct gl_http_request *request, struct gl_error *err)
{
    char what[GL_HTTP_WHAT];

    return gl_fail(err, GL_E_INTERRUPTED, "%s: interrupted", gl_http_what(request, what));
}

/* ---- flights ---- */

void gl_http_flight_finish(struct gl_http_flight *flight)
{
    struct gl_http_flights *home = flight->home;

    flight->next = NULL;
    if (home->last != NULL)
        home->last->next = flight;
    else
        home->first = flight;
    home->last = flight;
}

struct gl_http_flight *gl_http_flights_take(struct gl_http_flights *flights)
{
    struct gl_http_flight *flight = flights->first;

    if (flight == NULL)
        return NULL;
    flights->first = flight->next;
    if (flights->first == NULL)
        flights->last = NULL;
    return flight;
}

int gl_http_flight_send(struct gl_http *http, const struct gl_http_request *request,
                        struct gl_http_reply *out, struct gl_error *err)
{
    struct gl_http_flights finished = {0};
    struct gl_http_flight flight = {.request = request, .home = &finished};

    if (is_cancelled(http))
        return fail_interrupted(request, err);
    http->flights->start(http, &flight);
    while (finished.first == NULL) {
        http->flights->run(http, GL_HTTP_SLICE_MS);
        if (finished.first == NULL && is_cancelled(http)) {
            http->flights->drop(http, &flight);
            return fail_interrupted(request, err);
        }
    }
    if (!flight.is_done)
        return gl_fail(err, flight.err.code, "%s", flight.err.text);
    *out = flight.reply;
    return 0;
}

void gl_http_cancel_like(struct gl_http *inner, const struct gl_http *outer)
{
    inner->is_cancelled = outer->is_cancelled;
    inner->cancel_cookie = outer->cancel_cookie;
}

/* ---- a request of our own ---- */

/* Into the block at *at; the block is zeroed, so that a NUL follows. */
static const char *put(char **at, const void *bytes, size_t length)
{
    char *start = *at;

    if (bytes == NULL)
        return NULL;
    memcpy(start, bytes, length);
    *at += length + 1;
    return start;
}

static const char *put_text(char **at, const char *text)
{
    return put(at, text, text != NULL ? strlen(text) : 0);
}

static size_t header_count(const struct gl_http_request *request)
{
    size_t count = 0;

    while (request->headers != NULL && request->headers[count] != NULL)
        count++;
    return count;
}

static size_t copy_size(const struct gl_http_request *request)
{
    const char *const texts[] = {
        request->method,         request->url,       request->ca_pem,  request->client_cert_pem,
        request->client_key_pem, request->proxy_url, request->tls_name};
    size_t count = header_count(request);
    size_t size = (count + 1) * sizeof(char *) + request->body_length + 1;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        size += texts[i] != NULL ? strlen(texts[i]) + 1 : 0;
    for (size_t i = 0; i < count; i++)
        size += strlen(request->headers[i]) + 1;
    return size;
}

/* All of a request in one block, so that it can be wiped as a whole: *out points into the block,
 * which is returned with its size. */
static void *request_copy(const struct gl_http_request *request, struct gl_http_request *out,
                          size_t *out_size)
{
    size_t count = header_count(request);
    size_t size = copy_size(request);
    const char **headers = gl_alloc(size);
    char *at = (char *)(headers + count + 1);

    *out = *request;
    for (size_t i = 0; i < count; i++)
        headers[i] = put_text(&at, request->headers[i]);
    out->headers = headers;
    out->method = put_text(&at, request->method);
    out->url = put_text(&at, request->url);
    out->ca_pem = put_text(&at, request->ca_pem);
    out->client_cert_pem = put_text(&at, request->client_cert_pem);
    out->client_key_pem = put_text(&at, request->client_key_pem);
    out->proxy_url = put_text(&at, request->proxy_url);
    out->tls_name = put_text(&at, request->tls_name);
    out->body = put(&at, request->body, request->body_length);
    *out_size = size;
    return headers;
}

/* ---- batch ---- */

struct entry {
    struct gl_http_flight flight; /* first: a flight is its entry */
    struct gl_http_request request;
    void *block; /* what the request points into; NULL = the caller's */
    size_t block_size;
    void *cookie;
    struct entry *previous, *next; /* under way */
    bool is_under_way;
};

struct gl_http_batch {
    struct gl_http *http;
    int64_t began_ms;
    struct entry *first, *last; /* under way, in the order of adding */
    struct gl_http_flights finished;
    struct entry *given; /* whose request the caller may still look at */
};

struct gl_http_batch *gl_http_batch_new(struct gl_http *http)
{
    struct gl_http_batch *batch = gl_alloc(sizeof *batch);

    batch->http = http;
    batch->began_ms = gl_http_clock_ms();
    return batch;
}

static void entry_free(struct entry *entry)
{
    if (entry == NULL)
        return;
    if (entry->block != NULL &&
        (entry->request.carries_secret || entry->request.client_key_pem != NULL))
        gl_wipe(entry->block, entry->block_size);
    free(entry->block);
    free(entry);
}

static void link_entry(struct gl_http_batch *batch, struct entry *entry)
{
    entry->is_under_way = true;
    entry->previous = batch->last;
    if (batch->last != NULL)
        batch->last->next = entry;
    else
        batch->first = entry;
    batch->last = entry;
}

static void unlink_entry(struct gl_http_batch *batch, struct entry *entry)
{
    if (!entry->is_under_way)
        return;
    *(entry->previous != NULL ? &entry->previous->next : &batch->first) = entry->next;
    *(entry->next != NULL ? &entry->next->previous : &batch->last) = entry->previous;
    entry->is_under_way = false;
}

static void add_entry(struct gl_http_batch *batch, struct entry *entry)
{
    entry->flight.request = &entry->request;
    entry->flight.home = &batch->finished;
    if (gl_http_check(&entry->request, &entry->flight.err) < 0) {
        gl_http_flight_finish(&entry->flight);
        return;
    }
    link_entry(batch, entry);
    if (batch->http->flights != NULL)
        batch->http->flights->start(batch->http, &entry->flight);
}

void gl_http_batch_add(struct gl_http_batch *batch, const struct gl_http_request *request,
                       void *cookie)
{
    struct entry *entry = gl_alloc(sizeof *entry);

    entry->block = request_copy(request, &entry->request, &entry->block_size);
    entry->cookie = cookie;
    add_entry(batch, entry);
}

/* One after another: the oldest is sent within what is left of the time. */
static void send_first(struct gl_http_batch *batch, int64_t left_ms)
{
    struct entry *entry = batch->first;
    struct gl_http_flight *flight = &entry->flight;
    struct gl_http_request request = entry->request;
    int64_t began_ms = gl_http_clock_ms();

    if (left_ms < gl_http_timeout_ms(&request))
        request.timeout_ms = left_ms;
    unlink_entry(batch, entry);
    flight->is_done = gl_http_send(batch->http, &request, &flight->reply, &flight->err) == 0;
    flight->took_ms = gl_http_clock_ms() - began_ms;
    gl_http_flight_finish(flight);
}

static void fail_late(struct gl_http_flight *flight, int64_t deadline_ms)
{
    char what[GL_HTTP_WHAT];

    gl_fail(&flight->err, GL_E_TIMEOUT, "%s: %s within %" PRId64 " ms for all requests together",
            gl_http_what(flight->request, what), flight->took_ms > 0 ? "no answer" : "not sent",
            deadline_ms);
}

/* Finish all that is under way: the time is up, or (deadline_ms < 0) the user does not wait. */
static void end_all(struct gl_http_batch *batch, int64_t deadline_ms)
{
    while (batch->first != NULL) {
        struct entry *entry = batch->first;

        if (batch->http->flights != NULL)
            batch->http->flights->drop(batch->http, &entry->flight);
        unlink_entry(batch, entry);
        if (deadline_ms < 0)
            fail_interrupted(&entry->request, &entry->flight.err);
        else
            fail_late(&entry->flight, deadline_ms);
        gl_http_flight_finish(&entry->flight);
    }
}

/* Until something is finished, for one slice of time and for `most_ms` at most. */
static void advance(struct gl_http_batch *batch, int64_t deadline_ms, int64_t most_ms)
{
    int64_t left_ms = INT64_MAX;

    if (deadline_ms > 0)
        left_ms = deadline_ms - (gl_http_clock_ms() - batch->began_ms);
    if (batch->http->flights != NULL) {
        int64_t wait_ms = left_ms < GL_HTTP_SLICE_MS ? left_ms : GL_HTTP_SLICE_MS;

        wait_ms = wait_ms < most_ms ? wait_ms : most_ms;
        /* Even when the time is up: an answer may have come while the caller was busy. */
        batch->http->flights->run(batch->http, wait_ms > 0 ? wait_ms : 0);
    }
    if (batch->finished.first != NULL)
        return;
    if (is_cancelled(batch->http))
        end_all(batch, -1);
    else if (left_ms <= 0)
        end_all(batch, deadline_ms);
    else if (batch->http->flights == NULL)
        send_first(batch, left_ms);
}

/* The next finished one, out of the batch; NULL when nothing is left. */
static struct entry *next_entry(struct gl_http_batch *batch, int64_t deadline_ms)
{
    struct entry *entry;

    while (batch->finished.first == NULL && batch->first != NULL)
        advance(batch, deadline_ms, GL_HTTP_SLICE_MS);
    entry = (struct entry *)gl_http_flights_take(&batch->finished);
    if (entry != NULL)
        unlink_entry(batch, entry);
    return entry;
}

bool gl_http_batch_wait(struct gl_http_batch *batch, int64_t deadline_ms, int64_t most_ms)
{
    int64_t until_ms = gl_http_clock_ms() + most_ms, left_ms = most_ms;

    while (batch->finished.first == NULL && batch->first != NULL && left_ms > 0) {
        advance(batch, deadline_ms, left_ms);
        left_ms = until_ms - gl_http_clock_ms();
    }
    return batch->finished.first != NULL || batch->first == NULL;
}

static void fill(const struct entry *entry, struct gl_http_exchange *out)
{
    out->reply = entry->flight.reply;
    out->err = entry->flight.err;
    out->is_done = entry->flight.is_done;
    out->took_ms = entry->flight.took_ms;
}

bool gl_http_batch_next(struct gl_http_batch *batch, int64_t deadline_ms,
                        struct gl_http_exchange *out)
{
    entry_free(batch->given);
    batch->given = next_entry(batch, deadline_ms);
    if (batch->given == NULL)
        return false;
    fill(batch->given, out);
    out->request = batch->given->request;
    out->cookie = batch->given->cookie;
    return true;
}

static void free_finished(struct gl_http_batch *batch)
{
    struct gl_http_flight *flight;

    while ((flight = gl_http_flights_take(&batch->finished)) != NULL) {
        unlink_entry(batch, (struct entry *)flight);
        gl_http_reply_done(&flight->reply);
        entry_free((struct entry *)flight);
    }
}

void gl_http_batch_free(struct gl_http_batch *batch)
{
    if (batch == NULL)
        return;
    free_finished(batch);
    end_all(batch, -1);
    free_finished(batch);
    entry_free(batch->given);
    free(batch);
}

void gl_http_send_all(struct gl_http *http, struct gl_http_exchange *exchanges, size_t count,
                      int64_t deadline_ms)
{
    struct gl_http_batch *batch = gl_http_batch_new(http);
    struct entry *entry;

    for (size_t i = 0; i < count; i++) { /* nothing is copied: it all stays where it is */
        entry = gl_alloc(sizeof *entry);
        entry->request = exchanges[i].request;
        entry->cookie = &exchanges[i];
        add_entry(batch, entry);
    }
    while ((entry = next_entry(batch, deadline_ms)) != NULL) {
        fill(entry, entry->cookie);
        entry_free(entry);
    }
    gl_http_batch_free(batch);
}
