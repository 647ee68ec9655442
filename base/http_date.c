/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http_date.h"

#include "base/http_part.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A flight under way and where it is awaited. */
struct passenger {
    struct gl_http_flight *flight;
    struct gl_http_flights *home;
};

struct dated_http {
    struct gl_http http; /* first */
    struct gl_http *inner;
    const struct gl_world *world;
    bool has_date;
    int64_t ahead_s;
    struct gl_http_flights landed; /* of the inner transport, not yet handed on */
    struct passenger *passengers;
    size_t count, capacity;
};

bool gl_http_reply_date(const struct gl_http_reply *reply, int64_t *out_s)
{
    char text[64];
    struct tm tm = {0};
    const char *end;

    if (!gl_http_reply_header(reply, "date", text, sizeof text))
        return false;
    end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    if (end == NULL || *end != '\0')
        return false;
    *out_s = (int64_t)timegm(&tm);
    return true;
}

static void hear(struct dated_http *self, int64_t ahead_s)
{
    if (!self->has_date || llabs(ahead_s) < llabs(self->ahead_s))
        self->ahead_s = ahead_s;
    self->has_date = true;
}

static void note(struct dated_http *self, const struct gl_http_reply *reply)
{
    int64_t at_s;

    if (gl_http_reply_date(reply, &at_s))
        hear(self, gl_now(self->world).unix_s - at_s);
}

static int send(struct gl_http *http, const struct gl_http_request *request,
                struct gl_http_reply *out, struct gl_error *err)
{
    struct dated_http *self = (struct dated_http *)http;

    gl_http_cancel_like(self->inner, http);
    if (gl_http_send(self->inner, request, out, err) != 0)
        return -1;
    note(self, out);
    return 0;
}

static void close_dated(struct gl_http *http)
{
    struct dated_http *self = (struct dated_http *)http;

    gl_http_cancel_like(self->inner, http);
    free(self->passengers);
    free(self);
}

/* ---- many at once: each flight lands here first ---- */

static struct gl_http_flights *let_off(struct dated_http *self, const struct gl_http_flight *flight)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->passengers[i].flight == flight) {
            struct gl_http_flights *home = self->passengers[i].home;

            self->passengers[i] = self->passengers[--self->count];
            return home;
        }
    return NULL;
}

static void hand_on(struct dated_http *self)
{
    struct gl_http_flight *flight;

    while ((flight = gl_http_flights_take(&self->landed)) != NULL) {
        flight->home = let_off(self, flight);
        if (flight->is_done)
            note(self, &flight->reply);
        gl_http_flight_finish(flight);
    }
}

static void start(struct gl_http *http, struct gl_http_flight *flight)
{
    struct dated_http *self = (struct dated_http *)http;

    if (self->count == self->capacity) {
        self->capacity = self->capacity * 2 + 16;
        self->passengers = gl_realloc(self->passengers, self->capacity * sizeof *self->passengers);
    }
    self->passengers[self->count++] = (struct passenger){flight, flight->home};
    flight->home = &self->landed;
    self->inner->flights->start(self->inner, flight);
    hand_on(self);
}

static void run(struct gl_http *http, int64_t wait_ms)
{
    struct dated_http *self = (struct dated_http *)http;

    gl_http_cancel_like(self->inner, http);
    self->inner->flights->run(self->inner, wait_ms);
    hand_on(self);
}

static void drop(struct gl_http *http, struct gl_http_flight *flight)
{
    struct dated_http *self = (struct dated_http *)http;

    self->inner->flights->drop(self->inner, flight);
    flight->home = let_off(self, flight);
}

struct gl_http *gl_http_dated_new(struct gl_http *inner, const struct gl_world *world)
{
    static const struct gl_http_ops ops = {.name = "dated", .send = send, .close = close_dated};
    static const struct gl_http_flight_ops flights = {.start = start, .run = run, .drop = drop};
    struct dated_http *self = gl_alloc(sizeof *self);

    self->http.ops = &ops;
    self->http.flights = inner->flights != NULL ? &flights : NULL;
    self->inner = inner;
    self->world = world;
    return &self->http;
}

void gl_http_dated_hear(struct gl_http *dated, int64_t ahead_s)
{
    hear((struct dated_http *)dated, ahead_s);
}

bool gl_http_dated_ahead(const struct gl_http *dated, int64_t *out_s)
{
    const struct dated_http *self = (const struct dated_http *)dated;

    if (self->has_date)
        *out_s = self->ahead_s;
    return self->has_date;
}

void gl_http_dated_swap(struct gl_http *dated, struct gl_http **place)
{
    *place = *place == dated ? ((struct dated_http *)dated)->inner : dated;
}
