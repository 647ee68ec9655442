/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http_curl_part.h"
#include "base/http_queue.h"
#include "base/sign.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One multi handle and its connections for single sends and batches alike. */

/* A secret's answer has room from the start, so that no half of it is left behind by growing. */
#define SECRET_ROOM ((size_t)16 << 10)

struct curl_http {
    struct gl_http http;
    struct gl_curl curl;
    CURLM *multi;
    CURL *spare; /* of the exchange before: it keeps TLS sessions */
    struct gl_http_queue queue;
};

/* What belongs to one exchange until it is over. */
struct transfer {
    struct gl_http_queue_item item; /* first: an item is its transfer */
    struct gl_http_flight *flight;
    CURL *easy; /* NULL while it waits for its turn */
    struct gl_curl_question question;
    int64_t began_ms;
    struct gl_http_headers headers;
    struct gl_http_reply reply;
    struct gl_str body;
    char trouble[CURL_ERROR_SIZE];
};

/* ---- callbacks ---- */

/* A short count makes curl stop with CURLE_WRITE_ERROR. */
static size_t on_header(char *line, size_t size, size_t count, void *cookie)
{
    struct transfer *transfer = cookie;
    size_t length = size * count;
    size_t bare = length;
    int status;

    while (bare > 0 && (line[bare - 1] == '\n' || line[bare - 1] == '\r'))
        bare--;
    status = gl_http_status_parse(line, bare);
    if (status >= 0) /* also of a proxy or an interim answer: the last block counts */
        gl_http_headers_init(&transfer->headers, &transfer->reply, status);
    else
        gl_http_headers_line(&transfer->headers, line, bare);
    return transfer->headers.text.is_cut ? 0 : length;
}

/* gl_str grows by realloc(), which leaves the old bytes behind. */
static void grow_wiped(struct gl_str *str, size_t more)
{
    size_t capacity = str->capacity;
    char *text;

    while (capacity < str->length + more + 1)
        capacity *= 2;
    if (capacity == str->capacity)
        return;
    text = gl_alloc(capacity);
    memcpy(text, str->text, str->length);
    gl_wipe(str->text, str->length);
    free(str->text);
    str->text = text;
    str->capacity = capacity;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *cookie)
{
    struct transfer *transfer = cookie;

    if (size * count > transfer->body.ceiling - transfer->body.length)
        transfer->body.is_cut = true;
    else if (transfer->flight->request->carries_secret)
        grow_wiped(&transfer->body, size * count);
    gl_str_add_bytes(&transfer->body, bytes, size * count);
    return transfer->body.is_cut ? 0 : size * count;
}

/* ---- transfers ---- */

static void set_room(struct gl_str *str, size_t room)
{
    str->text = gl_alloc(room);
    str->capacity = room;
}

static struct transfer *transfer_new(struct gl_http_flight *flight)
{
    struct transfer *transfer = gl_alloc(sizeof *transfer);

    transfer->flight = flight;
    transfer->body.ceiling = gl_http_ceiling(flight->request);
    if (flight->request->carries_secret) {
        set_room(&transfer->body, SECRET_ROOM);
        set_room(&transfer->headers.text, GL_HTTP_HEADER_CEILING + 1);
    }
    gl_http_headers_init(&transfer->headers, &transfer->reply, 0);
    flight->transfer = transfer;
    return transfer;
}

static void release_easy(struct curl_http *self, CURL *easy)
{
    self->curl.easy_reset(easy); /* it points at what will be gone */
    if (self->spare == NULL)
        self->spare = easy;
    else
        self->curl.easy_cleanup(easy);
}

/* Out of curl and the queue; the flight is told nothing. */
static void transfer_end(struct curl_http *self, struct transfer *transfer, bool is_shared)
{
    struct gl_http_flight *flight = transfer->flight;

    if (transfer->easy != NULL) {
        flight->took_ms = gl_http_clock_ms() - transfer->began_ms;
        self->curl.multi_remove_handle(self->multi, transfer->easy);
        release_easy(self, transfer->easy);
        gl_curl_question_done(&self->curl, &transfer->question);
    }
    gl_http_queue_remove(&self->queue, &transfer->item, is_shared);
    gl_http_headers_done(&transfer->headers);
    if (flight->request->carries_secret && transfer->body.text != NULL)
        gl_wipe(transfer->body.text, transfer->body.length);
    gl_str_done(&transfer->body);
    free(transfer);
}

/* For another connection to the same host, which might be shared: curl then blames the name. */
static bool has_only_waited(const struct transfer *transfer)
{
    return strncmp(transfer->trouble, "Failed to resolve host", 22) == 0;
}

static void fail_transfer(const struct curl_http *self, struct transfer *transfer, CURLcode code)
{
    const struct gl_http_request *request = transfer->flight->request;
    struct gl_error *err = &transfer->flight->err;
    const char *trouble = transfer->trouble;
    char what[GL_HTTP_WHAT];

    gl_http_what(request, what);
    if (transfer->headers.text.is_cut)
        gl_fail(err, GL_E_TOO_LARGE, "%s: the headers are larger than %zu bytes", what,
                GL_HTTP_HEADER_CEILING);
    else if (transfer->body.is_cut || code == CURLE_FILESIZE_EXCEEDED)
        gl_fail(err, GL_E_TOO_LARGE, "%s: the answer is larger than %zu bytes", what,
                gl_http_ceiling(request));
    else if (code == CURLE_OPERATION_TIMEDOUT && has_only_waited(transfer))
        gl_fail(err, GL_E_TIMEOUT, "%s: no connection within %lld ms", what,
                (long long)gl_http_timeout_ms(request));
    else
        gl_fail(err, code == CURLE_OPERATION_TIMEDOUT ? GL_E_TIMEOUT : GL_E_NETWORK, "%s: %s", what,
                trouble[0] != '\0' ? trouble : self->curl.easy_strerror(code));
}

static void take_reply(struct transfer *transfer)
{
    struct gl_http_flight *flight = transfer->flight;

    gl_http_headers_end(&transfer->headers);
    flight->reply = transfer->reply;
    flight->reply.is_secret = flight->request->carries_secret;
    flight->reply.body_length = transfer->body.length;
    flight->reply.body = gl_str_take(&transfer->body);
    flight->is_done = true;
}

static void finish(struct curl_http *self, struct transfer *transfer, CURLcode code)
{
    struct gl_http_flight *flight = transfer->flight;
    long version = 0;

    self->curl.easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version);
    if (code == CURLE_OK)
        take_reply(transfer);
    else
        fail_transfer(self, transfer, code);
    transfer_end(self, transfer, version == CURL_HTTP_VERSION_2_0);
    gl_http_flight_finish(flight);
}

/* Hand it to curl; false when curl does not take it. */
static bool begin(struct curl_http *self, struct transfer *transfer)
{
    CURLcode (*setopt)(CURL *, CURLoption, ...) = self->curl.easy_setopt;
    CURL *easy = self->spare != NULL ? self->spare : self->curl.easy_init();

    if (easy == NULL)
        gl_die_of_memory();
    self->spare = NULL;
    transfer->easy = easy;
    transfer->began_ms = gl_http_clock_ms();
    gl_curl_set(&self->curl, easy, transfer->flight->request, &transfer->question);
    setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    setopt(easy, CURLOPT_HEADERDATA, transfer);
    setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    setopt(easy, CURLOPT_WRITEDATA, transfer);
    setopt(easy, CURLOPT_ERRORBUFFER, transfer->trouble);
    setopt(easy, CURLOPT_PRIVATE, transfer);
    return self->curl.multi_add_handle(self->multi, easy) == CURLM_OK;
}

static void begin_waiting(struct curl_http *self)
{
    struct gl_http_queue_item *item;

    while ((item = gl_http_queue_take(&self->queue)) != NULL)
        if (!begin(self, (struct transfer *)item))
            finish(self, (struct transfer *)item, CURLE_FAILED_INIT);
}

/* Whether any exchange is over. */
static bool collect(struct curl_http *self)
{
    bool is_any = false;
    const CURLMsg *message;
    int left;

    while ((message = self->curl.multi_info_read(self->multi, &left)) != NULL) {
        CURLcode code = message->data.result; /* the message ends with its handle */
        char *private = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        self->curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        finish(self, (struct transfer *)(void *)private, code);
        is_any = true;
    }
    begin_waiting(self);
    return is_any;
}

/* ---- SIGPIPE ---- */

/* TLS libraries write without MSG_NOSIGNAL: a peer that hangs up would end the program. */
struct quiet {
    sigset_t before, pending;
};

static void pipe_block(struct quiet *out)
{
    sigset_t pipe_only;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&out->pending);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &out->before);
}

static void pipe_unblock(const struct quiet *quiet)
{
    const struct timespec no_time = {0};
    sigset_t pipe_only;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    if (!sigismember(&quiet->pending, SIGPIPE))
        sigtimedwait(&pipe_only, NULL, &no_time);
    pthread_sigmask(SIG_SETMASK, &quiet->before, NULL);
}

/* ---- the transport ---- */

static int load(struct curl_http *self, struct gl_error *err)
{
    if (self->multi != NULL)
        return 0;
    if (gl_curl_load(&self->curl, err) < 0)
        return -1;
    self->multi = self->curl.multi_init();
    if (self->multi == NULL)
        return gl_fail(err, GL_E_NETWORK, "libcurl does not start");
    self->curl.multi_setopt(self->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    self->curl.multi_setopt(self->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)GL_HTTP_HOST_MAX);
    self->curl.multi_setopt(self->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)GL_HTTP_TOTAL_MAX);
    self->curl.multi_setopt(self->multi, CURLMOPT_MAXCONNECTS, (long)GL_HTTP_TOTAL_MAX);
    return 0;
}

static void curl_start(struct gl_http *http, struct gl_http_flight *flight)
{
    struct curl_http *self = (struct curl_http *)http;
    struct transfer *transfer;

    if (load(self, &flight->err) < 0) {
        gl_http_flight_finish(flight);
        return;
    }
    transfer = transfer_new(flight);
    gl_http_queue_add(&self->queue, &transfer->item, flight->request->url,
                      gl_http_origin(flight->request->url));
}

/* A signal ends the wait early, which is what a user who interrupts wants. */
static void curl_run(struct gl_http *http, int64_t wait_ms)
{
    struct curl_http *self = (struct curl_http *)http;
    struct quiet quiet;
    int running;

    if (self->multi == NULL)
        return;
    pipe_block(&quiet);
    self->curl.multi_perform(self->multi, &running);
    if (!collect(self) && wait_ms > 0) {
        self->curl.multi_poll(self->multi, NULL, 0, (int)wait_ms, NULL);
        self->curl.multi_perform(self->multi, &running);
        collect(self);
    }
    pipe_unblock(&quiet);
}

static void curl_drop(struct gl_http *http, struct gl_http_flight *flight)
{
    struct curl_http *self = (struct curl_http *)http;
    struct quiet quiet;

    pipe_block(&quiet);
    transfer_end(self, flight->transfer, false);
    pipe_unblock(&quiet);
}

static void curl_close(struct gl_http *http)
{
    struct curl_http *self = (struct curl_http *)http;
    struct quiet quiet;

    pipe_block(&quiet);
    if (self->spare != NULL)
        self->curl.easy_cleanup(self->spare);
    if (self->multi != NULL)
        self->curl.multi_cleanup(self->multi);
    pipe_unblock(&quiet);
    gl_http_queue_done(&self->queue);
    free(self);
}

static const struct gl_http_ops curl_ops = {
    .name = "curl", .send = gl_http_flight_send, .close = curl_close};
static const struct gl_http_flight_ops curl_flights = {
    .start = curl_start, .run = curl_run, .drop = curl_drop};

struct gl_http *gl_http_curl_new(void)
{
    struct curl_http *self = gl_alloc(sizeof *self);

    self->http.ops = &curl_ops;
    self->http.flights = &curl_flights;
    return &self->http;
}
