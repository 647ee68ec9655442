/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/remote_part.h"

#include <stdlib.h>
#include <string.h>

/* Many calls at once, of one cloud or of several. What has to wait (a throttle, a token that is
 * still being fetched) waits beside the others, never before them. */

#define SLICE_MS 200
#define LOOK_MS  20 /* between two looks at a program that fetches credentials */

/* What one cloud's calls share. */
struct entry {
    struct entry *next;
    struct gl_remote *remote;
    bool is_asking;  /* a token call is under way */
    bool must_renew; /* for the next question */
    unsigned steps;
    struct gl_error err;     /* no credentials: nothing of it is sent */
    struct gl_error awaited; /* GL_OK, or the program or host that is to bring them */
};

struct job {
    struct job *next;
    struct entry *entry;
    struct gl_remote_call *call;
    void *cookie;
    struct gl_remote_tried tried;
    int64_t due_ms;             /* monotonic */
    struct gl_remote_call *own; /* a token call is ours; else NULL */
};

struct queue {
    struct job *first, **end;
};

struct gl_remote_flight {
    struct gl_http *http;
    const struct gl_world *world;
    struct gl_http_batch *batch;
    struct queue waiting, done;
    struct entry *entries;
    int64_t started_ms, deadline_ms; /* the second counts from the first; 0 = none */
    size_t under_way;
    bool (*before)(void *cookie); /* of the transport */
    void *before_cookie;
};

static void push(struct queue *queue, struct job *job)
{
    job->next = NULL;
    *queue->end = job;
    queue->end = &job->next;
}

static struct job *pop(struct queue *queue)
{
    struct job *job = queue->first;

    if (job != NULL) {
        queue->first = job->next;
        if (queue->first == NULL)
            queue->end = &queue->first;
    }
    return job;
}

static int64_t now_ms(const struct gl_remote_flight *flight)
{
    return flight->world->monotonic_ms(flight->world->cookie);
}

static bool is_cancelled(void *cookie)
{
    const struct gl_remote_flight *flight = cookie;

    for (const struct entry *entry = flight->entries; entry != NULL; entry = entry->next)
        if (entry->remote->is_cancelled != NULL &&
            entry->remote->is_cancelled(entry->remote->cookie))
            return true;
    return false;
}

struct gl_remote_flight *gl_remote_flight_new(struct gl_http *http, const struct gl_world *world,
                                              int64_t deadline_ms)
{
    struct gl_remote_flight *flight = gl_alloc(sizeof *flight);

    flight->http = http;
    flight->world = world;
    flight->waiting.end = &flight->waiting.first;
    flight->done.end = &flight->done.first;
    flight->started_ms = now_ms(flight);
    flight->deadline_ms = deadline_ms;
    if (http != NULL) {
        flight->before = http->is_cancelled;
        flight->before_cookie = http->cancel_cookie;
        http->is_cancelled = is_cancelled;
        http->cancel_cookie = flight;
        flight->batch = gl_http_batch_new(http);
    }
    return flight;
}

static void job_free(struct job *job)
{
    if (job->own != NULL)
        gl_remote_call_done(job->own);
    free(job->own);
    free(job);
}

void gl_remote_flight_free(struct gl_remote_flight *flight)
{
    void *cookie;
    struct job *job;

    if (flight == NULL)
        return;
    flight->deadline_ms = 1; /* what is under way comes back at once */
    while (gl_remote_flight_next(flight, &cookie) != NULL) {
    }
    while ((job = pop(&flight->done)) != NULL || (job = pop(&flight->waiting)) != NULL)
        job_free(job);
    gl_http_batch_free(flight->batch);
    if (flight->http != NULL) {
        flight->http->is_cancelled = flight->before;
        flight->http->cancel_cookie = flight->before_cookie;
    }
    for (struct entry *entry = flight->entries, *next; entry != NULL; entry = next) {
        next = entry->next;
        free(entry);
    }
    free(flight);
}

static struct entry *entry_of(struct gl_remote_flight *flight, struct gl_remote *remote)
{
    struct entry *entry;

    for (entry = flight->entries; entry != NULL; entry = entry->next)
        if (entry->remote == remote)
            return entry;
    entry = gl_alloc(sizeof *entry);
    entry->remote = remote;
    entry->next = flight->entries;
    flight->entries = entry;
    return entry;
}

void gl_remote_flight_add(struct gl_remote_flight *flight, struct gl_remote *remote,
                          struct gl_remote_call *call, void *cookie)
{
    struct job *job = gl_alloc(sizeof *job);

    job->entry = entry_of(flight, remote);
    job->call = call;
    job->cookie = cookie;
    gl_error_clear(&call->err);
    gl_remote_tried_init(&job->tried, call);
    push(&flight->waiting, job);
}

/* ---- tokens ---- */

static void dispatch(struct gl_remote_flight *flight, struct job *job);

/* It is looked at again soon; who hears of the end of the time hears what was waited for. */
static void await_program(const struct gl_remote_flight *flight, struct job *job,
                          struct gl_error *why)
{
    job->entry->awaited = *why;
    job->tried.must_renew = false;
    job->due_ms = now_ms(flight) + LOOK_MS;
    gl_error_clear(why);
}

/* The same of a host that is asked for them. */
static void await_host(struct entry *entry, const struct gl_remote_call *call)
{
    const char *url = gl_str_text(&call->url), *host = strstr(url, "://");

    host = host != NULL ? host + 3 : url;
    gl_fail(&entry->awaited, GL_E_TIMEOUT, "credentials are awaited from %.*s",
            (int)strcspn(host, "/?#"), host);
}

/* 1: its token is being fetched, 0: it can be sent, -1: no credentials. */
static int ask_token(struct gl_remote_flight *flight, struct job *job, struct gl_error *err)
{
    struct entry *entry = job->entry;
    struct job *token;
    int asked;

    if (entry->err.code != GL_OK)
        return gl_fail(err, entry->err.code, "%s", entry->err.text);
    if (entry->is_asking)
        return 1;
    if (entry->remote->ops->token_ask == NULL)
        return 0;
    token = gl_alloc(sizeof *token);
    token->own = gl_alloc(sizeof *token->own);
    token->call = token->own;
    token->entry = entry;
    asked = entry->remote->ops->token_ask(entry->remote, job->tried.must_renew, token->own, err);
    if (asked == GL_REMOTE_TOKEN_WAITS) {
        job_free(token);
        await_program(flight, job, err);
        return 1;
    }
    gl_error_clear(&entry->awaited);
    if (asked > 0 && ++entry->steps > GL_REMOTE_TOKEN_STEPS)
        asked = gl_fail(err, GL_E_BAD_REPLY, "credentials take more than %d steps",
                        GL_REMOTE_TOKEN_STEPS);
    if (asked <= 0) {
        entry->err = *err;
        entry->steps = 0;
        job_free(token);
        return asked;
    }
    job->tried.must_renew = false;
    token->call->is_open = token->call->has_secret = true;
    gl_remote_tried_init(&token->tried, token->call);
    await_host(entry, token->call);
    entry->is_asking = true;
    dispatch(flight, token);
    return 1;
}

static void read_token(struct job *token)
{
    struct entry *entry = token->entry;

    entry->is_asking = false;
    gl_error_clear(&entry->awaited);
    if (token->call->err.code != GL_OK && !entry->remote->ops->hears_failure)
        entry->err = token->call->err;
    else
        entry->remote->ops->token_read(entry->remote, token->call, &entry->err);
    job_free(token);
}

/* ---- sending ---- */

static void finish(struct gl_remote_flight *flight, struct job *job)
{
    if (job->own != NULL)
        read_token(job);
    else
        push(&flight->done, job);
}

static void fail_job(struct gl_remote_flight *flight, struct job *job, const struct gl_error *why)
{
    gl_remote_call_fail(job->entry->remote, job->call, why);
    finish(flight, job);
}

/* Is there nothing to wait for? Else it is back among those who wait. */
static void dispatch(struct gl_remote_flight *flight, struct job *job)
{
    struct gl_remote_request request;
    struct gl_error err = {0};
    int asked = job->call->is_open ? 0 : ask_token(flight, job, &err);

    if (asked > 0) {
        push(&flight->waiting, job);
        return;
    }
    if (asked < 0 ||
        gl_remote_ready(job->entry->remote, job->call, &job->tried, &request, &err) < 0) {
        if (err.code == GL_E_NO_CREDENTIAL && job->entry->err.code == GL_OK)
            job->entry->err = err;
        fail_job(flight, job, &err);
        return;
    }
    flight->under_way++;
    gl_http_batch_add(flight->batch, &request.request, job);
    gl_remote_request_done(&request);
}

static int64_t left_ms(const struct gl_remote_flight *flight)
{
    return flight->deadline_ms == 0 ? INT64_MAX
                                    : flight->started_ms + flight->deadline_ms - now_ms(flight);
}

static void fail_late(struct gl_remote_flight *flight, struct job *job)
{
    const char *awaited = job->entry->awaited.code != GL_OK ? job->entry->awaited.text : NULL;
    struct gl_error late = {0};

    if (!job->call->is_open && job->entry->err.code != GL_OK) {
        late = job->entry->err; /* they did not come in time */
        fail_job(flight, job, &late);
        return;
    }
    gl_fail(&late, GL_E_TIMEOUT, "%s%sno time is left for it; it was not sent",
            awaited != NULL ? awaited : "", awaited != NULL ? ": " : "");
    fail_job(flight, job, &late);
}

/* Send what is due; the time until the next one is, INT64_MAX when none waits for its time. */
static int64_t dispatch_due(struct gl_remote_flight *flight)
{
    struct queue all = flight->waiting;
    int64_t now = now_ms(flight), nearest = INT64_MAX;
    struct job *job, *next;

    flight->waiting = (struct queue){NULL, NULL};
    flight->waiting.end = &flight->waiting.first;
    for (job = all.first; job != NULL; job = next) {
        next = job->next;
        if (left_ms(flight) <= 0)
            fail_late(flight, job);
        else if (job->due_ms > now)
            push(&flight->waiting, job);
        else
            dispatch(flight, job);
    }
    for (job = flight->waiting.first; job != NULL; job = job->next)
        if (job->due_ms > now && job->due_ms - now < nearest)
            nearest = job->due_ms - now;
    return nearest;
}

static bool receive(struct gl_remote_flight *flight)
{
    struct gl_http_exchange exchange = {.reply.retry_after_s = -1};
    struct job *job;

    if (!gl_http_batch_next(flight->batch, flight->deadline_ms, &exchange))
        return false;
    flight->under_way--;
    job = exchange.cookie;
    if (gl_remote_judge(job->entry->remote, job->call, &job->tried, &exchange.reply,
                        &exchange.err) == GL_REMOTE_DONE) {
        finish(flight, job);
        return true;
    }
    job->due_ms = now_ms(flight) + job->tried.wait_ms;
    push(&flight->waiting, job);
    return true;
}

static void fail_waiting(struct gl_remote_flight *flight, enum gl_errc code, const char *text)
{
    struct gl_error why = {0};
    struct job *job;

    gl_fail(&why, code, "%s", text);
    while ((job = pop(&flight->waiting)) != NULL)
        fail_job(flight, job, &why);
}

/* Nothing is on the wire, but something waits for its time. */
static void sleep_until(struct gl_remote_flight *flight, int64_t ms)
{
    int64_t slice = ms < SLICE_MS ? ms : SLICE_MS;

    if (is_cancelled(flight))
        fail_waiting(flight, GL_E_INTERRUPTED, "given up while waiting");
    else
        flight->world->sleep_ms(flight->world->cookie, slice);
}

struct gl_remote_call *gl_remote_flight_next(struct gl_remote_flight *flight, void **out_cookie)
{
    struct gl_remote_call *call;
    struct job *job;

    if (flight->http == NULL)
        fail_waiting(flight, GL_E_NETWORK, "not asked: this command is offline");
    while ((job = pop(&flight->done)) == NULL) {
        int64_t nearest = dispatch_due(flight);

        if (flight->done.first != NULL)
            continue;
        if (flight->under_way > 0 &&
            (nearest == INT64_MAX ||
             gl_http_batch_wait(flight->batch, flight->deadline_ms, nearest)))
            receive(flight);
        else if (flight->under_way > 0)
            continue;
        else if (flight->waiting.first == NULL)
            return NULL;
        else if (nearest != INT64_MAX)
            sleep_until(flight, nearest < left_ms(flight) ? nearest : left_ms(flight));
    }
    call = job->call;
    *out_cookie = job->cookie;
    free(job);
    return call;
}

/* ---- all of one cloud ---- */

size_t gl_remote_send_all(struct gl_remote *remote, struct gl_remote_call *calls, size_t count)
{
    int64_t left = gl_remote_left_ms(remote);
    struct gl_remote_flight *flight = gl_remote_flight_new(remote->http, remote->world,
                                                           left == INT64_MAX ? 0
                                                           : left > 0        ? left
                                                                             : 1);
    const struct gl_remote_call *call;
    size_t succeeded = 0;
    void *cookie;

    for (size_t i = 0; i < count; i++)
        gl_remote_flight_add(flight, remote, &calls[i], NULL);
    while ((call = gl_remote_flight_next(flight, &cookie)) != NULL) {
        succeeded += call->err.code == GL_OK;
        if (call->err.code != GL_OK)
            remote->cloud.failure = call->failure;
    }
    gl_remote_flight_free(flight);
    return succeeded;
}
