/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/signal/fetch.h"

#include "providers/signal/ahead.h"

#include "base/file.h"
#include "base/http_date.h"
#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The sources publish every 5 to 30 minutes: a younger answer is not worth a question. */
#define YOUNG_S 300
/* Our own clock may be put right by this much without an answer being "of the future". */
#define CLOCK_TOLERANCE_S 120
/* One request a second for each source that asks for no other rate, after a burst for the first
 * question: 24 requests, or 24 seconds' worth of them. */
#define BURST_MS   24000
#define REQUEST_MS 1000
/* A server's error is often gone at once (NESO: api-definitions issues 14, 18, 19): ask once more,
 * after 100 to 200 ms, so that many of us do not come back together. */
#define PAUSE_MS        100
#define REQUEST_HEADERS 8 /* without secrets */
#define NO_CONTENT      204
#define NOT_OFFERED     501
/* 410 is meant for good: the same service is asked again a day later, by whatever process. */
#define GONE_S 86400

static struct gl_cache_key key_of(const struct gl_fetch *fetch,
                                  const struct gl_fetch_source *source,
                                  const struct gl_fetch_want *want)
{
    return (struct gl_cache_key){fetch->cache_folder, source->name, want->url, want->slot};
}

/* Where to look for what was kept earlier. */
static struct gl_cache_key kept_key_of(const struct gl_fetch *fetch,
                                       const struct gl_fetch_source *source,
                                       const struct gl_fetch_want *want)
{
    struct gl_cache_key key = key_of(fetch, source, want);

    if (fetch->is_cache_empty)
        key.folder = NULL;
    return key;
}

static int64_t monotonic_ms(const struct gl_fetch *fetch)
{
    return fetch->world->monotonic_ms(fetch->world->cookie);
}

/* A dead source stays dead; its reason is every later question's error. */
static int die(struct gl_fetch_source *source, struct gl_error *err)
{
    source->is_dead = true;
    source->death = *err;
    return -1;
}

static int64_t request_ms(const struct gl_access *access)
{
    unsigned per_minute = access != NULL ? access->ops->per_minute : 0;

    return per_minute > 0 ? 60000 / (int64_t)per_minute : REQUEST_MS;
}

static int take_turn(struct gl_fetch *fetch, struct gl_fetch_source *source,
                     const struct gl_access *access, struct gl_error *err)
{
    int64_t now_ms = monotonic_ms(fetch);
    int64_t given_ms = now_ms - source->used_at_ms;

    if (source->is_dead) {
        *err = source->death;
        return -1;
    }
    source->used_ms -= given_ms < source->used_ms ? given_ms : source->used_ms;
    source->used_at_ms = now_ms;
    if (source->used_ms + request_ms(access) > BURST_MS)
        return gl_fail(err, GL_E_RATE_LIMIT, "%s is asked at most %d times a minute", source->name,
                       (int)(60000 / request_ms(access)));
    source->used_ms += request_ms(access);
    return 0;
}

/* Half of the budget at most goes into one request, so that one silent source leaves time for the
 * others. */
static int64_t timeout_ms(const struct gl_fetch *fetch)
{
    int64_t left_ms = fetch->deadline_ms - fetch->spent_ms;
    int64_t half_ms = (fetch->deadline_ms + 1) / 2;

    return left_ms < half_ms ? left_ms : half_ms;
}

/* What was asked ahead, else a request of its own. */
static int send_once(struct gl_fetch *fetch, const struct gl_http_request *request,
                     struct gl_http_reply *out, struct gl_error *err)
{
    struct gl_http_request timed = *request;
    int64_t left_ms = fetch->deadline_ms - fetch->spent_ms;
    int64_t began_ms = monotonic_ms(fetch);
    int rc;

    if (gl_ahead_is_chosen(fetch->ahead)) {
        rc = gl_ahead_take(fetch->ahead, fetch->deadline_ms, out, err);
        fetch->spent_ms += monotonic_ms(fetch) - began_ms;
        return rc;
    }
    if (left_ms <= 0)
        return gl_fail(err, GL_E_TIMEOUT, "the %" PRId64 " ms for live signals are used up",
                       fetch->deadline_ms);
    timed.timeout_ms = timeout_ms(fetch);
    rc = gl_http_send(fetch->world->http, &timed, out, err);
    fetch->spent_ms += monotonic_ms(fetch) - began_ms;
    return rc;
}

/* The wait before a second try in milliseconds, -1 when there shall be none. */
static int64_t pause_of(const struct gl_fetch *fetch, const struct gl_http_reply *reply)
{
    uint8_t jitter = 0;
    int64_t pause_ms;

    if (reply->status < 500 || reply->status == NOT_OFFERED)
        return -1;
    fetch->world->random(fetch->world->cookie, &jitter, sizeof jitter);
    pause_ms = PAUSE_MS + jitter * PAUSE_MS / 256;
    if (reply->retry_after_s > 0)
        pause_ms = reply->retry_after_s * 1000;
    return pause_ms < (fetch->deadline_ms - fetch->spent_ms) / 2 ? pause_ms : -1;
}

static int send_patiently(struct gl_fetch *fetch, struct gl_fetch_source *source,
                          const struct gl_http_request *request, struct gl_http_reply *out,
                          struct gl_error *err)
{
    int64_t pause_ms;

    if (send_once(fetch, request, out, err)) {
        bool is_ours = fetch->spent_ms >= fetch->deadline_ms && err->code == GL_E_TIMEOUT;

        if (!is_ours && (err->code == GL_E_NETWORK || err->code == GL_E_TIMEOUT))
            die(source, err);
        return -1;
    }
    pause_ms = pause_of(fetch, out);
    if (pause_ms < 0)
        return 0;
    gl_http_reply_done(out);
    fetch->world->sleep_ms(fetch->world->cookie, pause_ms);
    fetch->spent_ms += pause_ms;
    return send_once(fetch, request, out, err) ? die(source, err) : 0;
}

/* ---- services that are gone ---- */

/* The file that says so, fresh: one a source and server, so that another endpoint is another. */
static char *gone_path(const struct gl_fetch *fetch, const struct gl_fetch_source *source,
                       const char *url)
{
    const char *host = strstr(url, "://");
    size_t length = host != NULL ? strcspn(host + 3, "/?#") + (size_t)(host + 3 - url) : 0;
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_hash hash;
    char name[GL_HASH_HEX + 8], hex[GL_HASH_HEX];

    gl_str_addf(&text, "%s ", source->name);
    gl_str_add_bytes(&text, url, length);
    gl_hash_of(gl_str_text(&text), text.length, &hash);
    snprintf(name, sizeof name, "%s.gone", gl_hash_hex(&hash, hex));
    return gl_path_join(fetch->cache_folder, name);
}

/* Best effort: without the note the next process asks once more. */
static void note_gone(const struct gl_fetch *fetch, const struct gl_fetch_source *source,
                      const char *url)
{
    GL_AUTO(gl_auto_free) char *path = NULL;
    struct gl_error ignored = {0};
    char at[GL_INSTANT_TEXT];

    if (fetch->cache_folder == NULL || gl_dir_make(fetch->cache_folder, &ignored))
        return;
    path = gone_path(fetch, source, url);
    gl_instant_text(gl_now(fetch->world), at);
    gl_file_write(path, at, strlen(at), 0600, &ignored);
}

/* Did the service say within the last day that it is gone? Then the source is dead. */
static int check_gone(const struct gl_fetch *fetch, struct gl_fetch_source *source, const char *url,
                      struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = NULL;
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_error ignored = {0};
    struct gl_instant at;
    int64_t age_s;
    size_t length;

    if (fetch->cache_folder == NULL || source->is_dead)
        return 0;
    path = gone_path(fetch, source, url);
    if (gl_file_read(path, GL_INSTANT_TEXT, &text, &length, &ignored) ||
        gl_instant_parse(text, &at, &ignored))
        return 0;
    age_s = gl_now(fetch->world).unix_s - at.unix_s;
    if (age_s < 0 || age_s >= GONE_S)
        return 0;
    gl_fail(err, GL_E_NOT_FOUND, "%s answered with status 410 at %s: the service is gone for good",
            source->name, text);
    return die(source, err);
}

/* Does the adapter know what this refusal says? True when *err is filled; *out_is_narrow: it is
 * about this question only. */
static bool is_told(const struct gl_access *access, const struct gl_http_reply *reply,
                    bool *out_is_narrow, struct gl_error *err)
{
    int status = reply->status;

    if (access == NULL || status < 400 || status > 499 || status == 410 || status == 429)
        return false;
    if (access->ops->refuse != NULL)
        *out_is_narrow = access->ops->refuse(status, reply->body, reply->body_length, err);
    else if (access->ops->keys != NULL && (status == 401 || status == 403))
        gl_fail(err, GL_E_NO_CREDENTIAL, "the source does not accept the %s (status %d)",
                access->ops->keys[0].what, status);
    return err->code != GL_OK;
}

/* Is a signature refused because of our clock? Then *err says so. */
static bool is_clock_off(const struct gl_fetch *fetch, const struct gl_access *access,
                         const struct gl_http_reply *reply, struct gl_error *err)
{
    const struct gl_signal_signer *signer = access != NULL ? access->ops->signer : NULL;
    int64_t theirs_s, ahead_s;

    if (signer == NULL || reply->status != 401 || !gl_http_reply_date(reply, &theirs_s))
        return false;
    ahead_s = gl_now(fetch->world).unix_s - theirs_s;
    if (llabs(ahead_s) <= signer->skew_s)
        return false;
    gl_fail(err, GL_E_NO_CREDENTIAL,
            "the signature is not accepted: this machine's clock is %" PRId64
            " s %s the service's, and at most %" PRId64 " s are allowed; set the clock",
            (int64_t)llabs(ahead_s), ahead_s > 0 ? "ahead of" : "behind", signer->skew_s);
    return true;
}

/* What a status other than 200 and 304 means. */
static int fail_status(const struct gl_fetch *fetch, struct gl_fetch_source *source,
                       const struct gl_access *access, const struct gl_http_reply *reply,
                       struct gl_error *err)
{
    enum gl_errc code = GL_E_BAD_REPLY;
    bool is_narrow = false;

    if (is_clock_off(fetch, access, reply, err))
        return die(source, err);
    if (is_told(access, reply, &is_narrow, err))
        return is_narrow ? -1 : die(source, err);
    if (reply->status == NO_CONTENT || reply->status == NOT_OFFERED)
        return gl_fail(err, GL_E_UNKNOWN_DATA, "%s has nothing to say of this (status %d)",
                       source->name, reply->status);
    if (reply->status == 429)
        code = GL_E_RATE_LIMIT;
    else if (reply->status == 404 || reply->status == 410)
        code = GL_E_NOT_FOUND;
    else if (reply->status >= 400)
        code = GL_E_PROVIDER;
    gl_fail(err, code, "%s answered with status %d%s", source->name, reply->status,
            reply->status == 410 ? ": the service is gone for good" : "");
    /* 404 and 422 are about this question only. */
    return reply->status == 404 || reply->status == 422 ? -1 : die(source, err);
}

/* ---- sessions ---- */

static int log_in(struct gl_fetch *fetch, struct gl_fetch_source *source, struct gl_access *access,
                  struct gl_error *err)
{
    struct gl_ahead *ahead = fetch->ahead;
    struct gl_access_dress dress;
    struct gl_http_request request = {.method = "GET", .carries_secret = true};
    struct gl_http_reply reply;
    int rc;

    gl_access_login(access, &dress);
    request.url = dress.url;
    request.headers = (const char *const *)dress.headers;
    fetch->ahead = NULL; /* this is none of the questions in it */
    rc = send_patiently(fetch, source, &request, &reply, err);
    fetch->ahead = ahead;
    gl_access_dress_done(&dress);
    if (rc)
        return -1;
    if (reply.status == 401 || reply.status == 403)
        rc = gl_fail(err, GL_E_NO_CREDENTIAL, "%s does not accept the user name and password",
                     source->name);
    else if (reply.status != 200)
        rc = gl_fail(err, reply.status == 429 ? GL_E_RATE_LIMIT : GL_E_PROVIDER,
                     "the login of %s answered with status %d", source->name, reply.status);
    else
        rc = gl_access_take(access, (struct gl_view){reply.body, reply.body_length},
                            monotonic_ms(fetch), err);
    gl_http_reply_done(&reply);
    return rc ? die(source, err) : 0;
}

/* A question as it is sent: with the secrets of its source. */
struct known {
    const char *headers[REQUEST_HEADERS + GL_ACCESS_HEADERS + 1];
    struct gl_http_request request;
    struct gl_access_dress dress;
};

static int dress_up(const struct gl_access *access, const struct gl_http_request *request,
                    struct known *out, struct gl_error *err)
{
    size_t count = 0;

    if (gl_access_dress(access, request->url, &out->dress, err))
        return -1;
    for (; request->headers[count] != NULL; count++)
        out->headers[count] = request->headers[count];
    for (size_t i = 0; out->dress.headers[i] != NULL; i++)
        out->headers[count++] = out->dress.headers[i];
    out->headers[count] = NULL;
    out->request = *request;
    out->request.url = out->dress.url;
    out->request.headers = out->headers;
    out->request.carries_secret = access->ops->keys != NULL || access->ops->signer != NULL;
    return 0;
}

/* Send with the secrets of the source, in a session where it has them. A token that does not hold
 * any more is replaced, once. */
static int send_known(struct gl_fetch *fetch, struct gl_fetch_source *source,
                      struct gl_access *access, const struct gl_http_request *request,
                      struct gl_http_reply *out, struct gl_error *err)
{
    bool is_renewed = false;

    if (gl_access_open(access, fetch->world, err))
        return die(source, err);
    for (;;) {
        struct known known;
        int rc;

        if (gl_access_wants_login(access, monotonic_ms(fetch))) {
            is_renewed = true;
            if (log_in(fetch, source, access, err))
                return -1;
        }
        if (dress_up(access, request, &known, err))
            return die(source, err);
        rc = send_patiently(fetch, source, &known.request, out, err);
        gl_access_dress_done(&known.dress);
        if (rc || out->status != 401 || access->ops->login == NULL || is_renewed)
            return rc;
        gl_http_reply_done(out);
        gl_access_forget(access);
    }
}

static void fill(const struct gl_fetch *fetch, struct gl_http_reply *reply, struct gl_cached *out)
{
    *out = (struct gl_cached){.body = reply->body, .length = reply->body_length};
    snprintf(out->etag, sizeof out->etag, "%s", reply->etag);
    snprintf(out->last_modified, sizeof out->last_modified, "%s", reply->last_modified);
    out->retrieved_s = gl_now(fetch->world).unix_s;
    out->checked_s = out->retrieved_s;
    reply->body = NULL;
}

/* Headers of a question, conditional when `kept` is there; the texts live in the two buffers. */
struct question {
    char match[160], since[96];
    const char *headers[REQUEST_HEADERS + 1];
    bool is_conditional;
};

static void ask_for(const struct gl_access *access, const struct gl_cached *kept,
                    struct question *out)
{
    const char *const *own = access != NULL ? access->ops->headers : NULL;
    size_t count = 0;

    if (own == NULL)
        out->headers[count++] = "Accept: application/json";
    for (; own != NULL && own[count] != NULL && count < REQUEST_HEADERS - 1; count++)
        out->headers[count] = own[count];
    snprintf(out->match, sizeof out->match, "If-None-Match: %s", kept->etag);
    snprintf(out->since, sizeof out->since, "If-Modified-Since: %s", kept->last_modified);
    if (kept->body != NULL && kept->etag[0] != '\0')
        out->headers[count++] = out->match;
    else if (kept->body != NULL && kept->last_modified[0] != '\0')
        out->headers[count++] = out->since;
    out->is_conditional = kept->body != NULL && (kept->etag[0] || kept->last_modified[0]);
    out->headers[count] = NULL;
}

/* Ask the server; `kept` (may be without body) turns the question into a conditional one and is
 * moved out when the server says that it still holds. */
static int ask(struct gl_fetch *fetch, struct gl_fetch_source *source,
               const struct gl_fetch_want *want, struct gl_cached *kept, struct gl_cached *out,
               struct gl_error *err)
{
    struct question question;
    struct gl_http_request request = {.method = "GET", .url = want->url};
    struct gl_http_reply reply;
    int rc = 0;

    ask_for(want->access, kept, &question);
    request.headers = question.headers;
    if (want->access != NULL ? send_known(fetch, source, want->access, &request, &reply, err)
                             : send_patiently(fetch, source, &request, &reply, err))
        return -1;
    if (want->access != NULL)
        gl_access_blot(want->access, reply.body, reply.body_length);
    if (reply.status == 200) {
        fill(fetch, &reply, out);
    } else if (reply.status == 304 && question.is_conditional) {
        *out = *kept;
        out->checked_s = gl_now(fetch->world).unix_s;
        kept->body = NULL;
    } else {
        rc = fail_status(fetch, source, want->access, &reply, err);
        if (reply.status == 410)
            note_gone(fetch, source, want->url);
    }
    gl_http_reply_done(&reply);
    return rc;
}

/* An answer from before the clock went back is no basis for a question or for trust. */
static bool is_sound(const struct gl_cached *cached, int64_t now_s)
{
    return cached->body != NULL && cached->checked_s <= now_s + CLOCK_TOLERANCE_S;
}

/* 1 and *out when a kept answer is young enough; else *kept may hold an older one. */
static int look_kept(const struct gl_fetch *fetch, const struct gl_fetch_source *source,
                     const struct gl_fetch_want *want, struct gl_cached *kept)
{
    const struct gl_cache_key key = kept_key_of(fetch, source, want);
    int64_t now_s = gl_now(fetch->world).unix_s;

    if (gl_cache_find(&key, kept) && !is_sound(kept, now_s))
        gl_cached_done(kept);
    return kept->body != NULL && now_s - kept->checked_s < YOUNG_S;
}

static bool may_ask(const struct gl_fetch *fetch, const struct gl_fetch_want *want)
{
    return !fetch->is_offline && fetch->world->http != NULL && !want->is_cache_only;
}

/* Is there leave to send, and a session where one is needed? */
static int prepare(struct gl_fetch *fetch, struct gl_fetch_source *source,
                   const struct gl_fetch_want *want, struct gl_error *err)
{
    if (check_gone(fetch, source, want->url, err) || take_turn(fetch, source, want->access, err))
        return -1;
    if (want->access == NULL)
        return 0;
    if (gl_access_open(want->access, fetch->world, err))
        return die(source, err);
    return gl_access_wants_login(want->access, monotonic_ms(fetch))
               ? log_in(fetch, source, want->access, err)
               : 0;
}

static void send_ahead(struct gl_fetch *fetch, const struct gl_fetch_source *source,
                       const struct gl_fetch_want *want, const struct gl_cached *kept)
{
    struct question question;
    struct gl_http_request request = {.method = "GET", .url = want->url};
    struct gl_error untold = {0}; /* gl_fetch_get() will meet it again and tell */
    struct known known;

    ask_for(want->access, kept, &question);
    request.headers = question.headers;
    request.timeout_ms = timeout_ms(fetch);
    if (fetch->ahead == NULL)
        fetch->ahead = gl_ahead_new(fetch->world->http);
    if (want->access == NULL) {
        gl_ahead_add(fetch->ahead, source->name, want->url, &request);
        return;
    }
    if (dress_up(want->access, &request, &known, &untold))
        return;
    gl_ahead_add(fetch->ahead, source->name, want->url, &known.request);
    gl_access_dress_done(&known.dress);
}

void gl_fetch_ahead(struct gl_fetch *fetch, struct gl_fetch_source *source,
                    const struct gl_fetch_want *want)
{
    struct gl_cached kept = {0};
    struct gl_error untold = {0}; /* gl_fetch_get() will meet it again and tell */

    if (!may_ask(fetch, want) || fetch->world->http->flights == NULL || source->is_dead ||
        fetch->spent_ms >= fetch->deadline_ms ||
        gl_ahead_has(fetch->ahead, source->name, want->url))
        return;
    if (!look_kept(fetch, source, want, &kept) && prepare(fetch, source, want, &untold) == 0)
        send_ahead(fetch, source, want, &kept);
    gl_cached_done(&kept);
}

void gl_fetch_done(struct gl_fetch *fetch)
{
    gl_ahead_free(fetch->ahead);
    fetch->ahead = NULL;
}

int gl_fetch_get(struct gl_fetch *fetch, struct gl_fetch_source *source,
                 const struct gl_fetch_want *want, struct gl_fetched *out, struct gl_error *err)
{
    struct gl_cached kept = {0};
    bool is_ahead;
    int rc = 0;

    *out = (struct gl_fetched){0};
    if (look_kept(fetch, source, want, &kept)) {
        *out = (struct gl_fetched){.answer = kept, .is_from_cache = true};
        return 1;
    }
    if (!may_ask(fetch, want)) {
        gl_cached_done(&kept);
        return 0;
    }
    is_ahead = gl_ahead_choose(fetch->ahead, source->name, want->url);
    if (!is_ahead)
        rc =
            check_gone(fetch, source, want->url, err) || take_turn(fetch, source, want->access, err)
                ? -1
                : 0;
    if (rc == 0) {
        out->is_sent = is_ahead || fetch->spent_ms < fetch->deadline_ms;
        rc = ask(fetch, source, want, &kept, &out->answer, err);
    }
    gl_cached_done(&kept);
    return rc == 0 ? 1 : -1;
}

bool gl_fetch_last(const struct gl_fetch *fetch, const struct gl_fetch_source *source,
                   const struct gl_fetch_want *want, struct gl_fetched *out)
{
    const struct gl_cache_key key = kept_key_of(fetch, source, want);

    *out = (struct gl_fetched){.is_from_cache = true};
    return gl_cache_find(&key, &out->answer) || gl_cache_find_latest(&key, &out->answer);
}

int gl_fetch_keep(const struct gl_fetch *fetch, const struct gl_fetch_source *source,
                  const struct gl_fetch_want *want, const struct gl_fetched *fetched,
                  struct gl_error *err)
{
    const struct gl_cache_key key = key_of(fetch, source, want);

    return gl_cache_keep(&key, &fetched->answer, GL_CACHE_MAX_BYTES, err);
}
