/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/serve/runtask.h"

#define TIMEOUT_MS      30000
#define FIRST_WAIT_MS   1000
#define LONGEST_WAIT_MS 15000
#define PLAN_MS         1500000 /* 25 min for a plan to be ready: a run task may take 60 */
#define RUNNING_MS      240000 /* a word at least so often; without one for 10 min it is given up */
#define REDIRECTS_MAX   3
#define TRIES_MAX       4 /* of a callback */
#define SLICE_MS        200

static int64_t clock_ms(const struct gl_runtask_work *work)
{
    return work->world->monotonic_ms(work->world->cookie);
}

/* In slices, so that an end is heard. */
static int wait_ms(const struct gl_runtask_work *work, int64_t ms, struct gl_error *err)
{
    int64_t until = clock_ms(work) + ms;

    while (clock_ms(work) < until) {
        if (work->is_stopped(work->cookie))
            return gl_fail(err, GL_E_TERMINATED, "greenlaunch is being stopped");
        work->world->sleep_ms(work->world->cookie, SLICE_MS);
    }
    return 0;
}

/* ---- one exchange ---- */

struct question {
    const char *method, *url;
    bool has_bearer;
    struct gl_view body; /* of a callback */
    size_t body_ceiling;
};

static int ask(const struct gl_runtask_work *work, const struct gl_runtask *task,
               const struct question *question, struct gl_http_reply *out, struct gl_error *err)
{
    struct gl_str bearer = {.text = gl_alloc(task->token.length + 32),
                            .capacity = task->token.length + 32};
    const char *headers[4] = {"Accept: application/json, application/vnd.api+json"};
    size_t count = 1;
    int result;

    if (question->body.text != NULL)
        headers[count++] = "Content-Type: application/vnd.api+json";
    if (question->has_bearer) {
        gl_str_addf(&bearer, "Authorization: Bearer %s", (const char *)task->token.bytes);
        headers[count++] = gl_str_text(&bearer);
    }
    result = gl_http_send(work->http,
                          &(struct gl_http_request){.method = question->method,
                                                    .url = question->url,
                                                    .headers = headers,
                                                    .body = question->body.text,
                                                    .body_length = question->body.length,
                                                    .timeout_ms = TIMEOUT_MS,
                                                    .body_ceiling = question->body_ceiling,
                                                    .carries_secret = true,
                                                    .ca_pem = work->ca_pem},
                          out, err);
    gl_wipe(bearer.text, bearer.capacity);
    gl_str_done(&bearer);
    return result;
}

static bool is_worth_again(int status)
{
    return status == 429 || status == 408 || status >= 500;
}

/* ---- the callback ---- */

static int send_once(const struct gl_runtask_work *work, const struct gl_runtask *task,
                     const char *body, bool *out_again, struct gl_error *err)
{
    struct gl_http_reply reply = {0};
    int status;

    *out_again = true;
    if (ask(work, task,
            &(struct question){"PATCH", task->callback_url, true, {body, strlen(body)}, 64 << 10},
            &reply, err) != 0)
        return -1;
    status = reply.status;
    gl_http_reply_done(&reply);
    if (status >= 200 && status < 300)
        return 0;
    *out_again = is_worth_again(status);
    return gl_fail(err, GL_E_PROVIDER, "the callback answers %d", status);
}

/* The same result twice is one result, so it is sent until it arrives. */
static int report(const struct gl_runtask_work *work, const struct gl_runtask *task,
                  const char *body, struct gl_error *err)
{
    bool again = true;

    for (int64_t try = 0; try < TRIES_MAX && again; try++) {
        gl_error_clear(err);
        if (send_once(work, task, body, &again, err) == 0)
            return 0;
        if (work->is_stopped(work->cookie))
            return -1;
        if (again && try + 1 < TRIES_MAX)
            work->world->sleep_ms(work->world->cookie, FIRST_WAIT_MS << try);
    }
    return -1;
}

int gl_runtask_give_up(const struct gl_runtask_work *work, const struct gl_runtask *task,
                       const char *why, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str message = {0};
    GL_AUTO(gl_auto_free) char *body = NULL;

    work->http->is_cancelled = NULL; /* this one is to arrive */
    gl_str_addf(&message, "not judged, so not passed: %s", why);
    body = gl_runtask_ended(false, gl_str_text(&message));
    return report(work, task, body, err);
}

/* ---- the plan ---- */

/* Where a redirect leads: only to a host of the list, and the bearer stays behind. */
static int follow(const struct gl_runtask_work *work, const struct gl_runtask *task,
                  struct gl_http_reply *reply, struct gl_error *err)
{
    char location[GL_RUNTASK_MAX_URL];

    for (int hop = 0; reply->status >= 300 && reply->status < 400; hop++) {
        bool is_known = gl_http_reply_header(reply, "location", location, sizeof location);

        gl_http_reply_done(reply);
        *reply = (struct gl_http_reply){0};
        if (!is_known || hop == REDIRECTS_MAX)
            return gl_fail(err, GL_E_BAD_REPLY, "the plan is a redirect that leads nowhere");
        if (!gl_runtask_may_ask(location, work->hosts))
            return gl_fail(err, GL_E_BAD_REPLY,
                           "the plan is a redirect to a host that is not one of those to ask "
                           "(--allow-host)");
        if (ask(work, task,
                &(struct question){
                    .method = "GET", .url = location, .body_ceiling = GL_RUNTASK_MAX_PLAN},
                reply, err) != 0)
            return -1;
        gl_wipe(location, sizeof location);
    }
    return 0;
}

enum fetched { FETCHED, NOT_YET, NEVER };

static enum fetched fetch_once(const struct gl_runtask_work *work, const struct gl_runtask *task,
                               struct gl_http_reply *out, struct gl_error *err)
{
    struct gl_http_reply reply = {0};
    int status;

    if (ask(work, task,
            &(struct question){.method = "GET",
                               .url = task->plan_url,
                               .has_bearer = true,
                               .body_ceiling = GL_RUNTASK_MAX_PLAN},
            &reply, err) != 0)
        return err->code == GL_E_TOO_LARGE ? NEVER : NOT_YET;
    if (follow(work, task, &reply, err) != 0)
        return gl_errc_row(err->code)->is_retryable ? NOT_YET : NEVER;
    status = reply.status;
    if (status == 200) {
        *out = reply;
        return FETCHED;
    }
    gl_http_reply_done(&reply);
    if (status == 422)
        gl_fail(err, GL_E_BAD_REPLY,
                "the plan cannot be had as JSON: its Terraform is too old (422)");
    else
        gl_fail(err, GL_E_PROVIDER,
                status == 204 ? "the plan is not ready (%d)" : "the plan's address answers %d",
                status);
    return status == 204 || is_worth_again(status) ? NOT_YET : NEVER;
}

/* A sign of life is no result: whether it arrives does not matter, unless nobody waits any more. */
static bool is_unwanted(const struct gl_runtask_work *work, const struct gl_runtask *task,
                        const char *message)
{
    GL_AUTO(gl_auto_free) char *body = gl_runtask_running(message);
    struct gl_error ignored = {0};
    bool again;

    return send_once(work, task, body, &again, &ignored) != 0 && !again;
}

static int fetch(const struct gl_runtask_work *work, const struct gl_runtask *task,
                 struct gl_http_reply *out, bool *out_unwanted, struct gl_error *err)
{
    int64_t began = clock_ms(work), told = began, pause = FIRST_WAIT_MS;

    for (;;) {
        enum fetched fetched;

        gl_error_clear(err);
        fetched = fetch_once(work, task, out, err);
        if (fetched == FETCHED)
            return 0;
        if (fetched == NEVER || clock_ms(work) - began > PLAN_MS)
            return -1;
        gl_error_clear(err);
        if (wait_ms(work, pause, err) != 0)
            return -1;
        pause = 2 * pause < LONGEST_WAIT_MS ? 2 * pause : LONGEST_WAIT_MS;
        if (clock_ms(work) - told < RUNNING_MS)
            continue;
        told = clock_ms(work);
        *out_unwanted = is_unwanted(work, task, "waiting for the plan");
        if (*out_unwanted)
            return -1;
    }
}

/* ---- all of it ---- */

static char *judge(const struct gl_runtask_work *work, const struct gl_runtask *task,
                   char out_told[GL_RUNTASK_ID], bool *out_unwanted, struct gl_error *err)
{
    struct gl_http_reply reply = {0};
    char *body;

    *out_unwanted = is_unwanted(work, task, "judging the plan");
    if (*out_unwanted || fetch(work, task, &reply, out_unwanted, err) != 0)
        return NULL;
    body = work->judge(work->cookie, task, (struct gl_view){reply.body, reply.body_length},
                       out_told, err);
    gl_http_reply_done(&reply);
    return body;
}

int gl_runtask_do(const struct gl_runtask_work *work, const struct gl_runtask *task,
                  char out_told[GL_RUNTASK_ID], struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *body = NULL;
    struct gl_error why = {0};
    bool is_over = false;

    snprintf(out_told, GL_RUNTASK_ID, "%s", "passed");
    if (!task->stage->has_plan)
        body = gl_runtask_ended(true, task->stage->note);
    else
        body = judge(work, task, out_told, &is_over, &why);
    if (body != NULL)
        return report(work, task, body, err);
    snprintf(out_told, GL_RUNTASK_ID, "%s%.60s",
             is_over ? "not wanted any more" : "not judged: ", why.text);
    return is_over ? 0 : gl_runtask_give_up(work, task, why.text, err);
}
