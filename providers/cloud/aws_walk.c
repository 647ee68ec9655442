/* SPDX-License-Identifier: Apache-2.0 */
/* What the credential chain asks of hosts and programs, beside the calls of other clouds: the walk
 * along the chain is begun anew each time something has been answered, and what it has heard before
 * is not asked for again. */
#include "providers/cloud/aws_credential_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WALK_LIFE_S 120 /* older answers belong to a walk that was given up */

static void step_done(struct gl_aws_step *step)
{
    gl_str_done(&step->url);
    gl_http_reply_done(&step->reply);
}

void gl_aws_walk_forget(struct gl_aws_chain *chain)
{
    struct gl_aws_walk *walk = &chain->walk;

    while (walk->count > 0)
        step_done(&walk->steps[--walk->count]);
    gl_str_done(&walk->asked_url);
    gl_aws_credential_done(&walk->helped);
    *walk = (struct gl_aws_walk){.out = NULL};
}

void gl_aws_walk_begin(struct gl_aws_chain *chain, int64_t now_s)
{
    struct gl_aws_walk *walk = &chain->walk;

    if (walk->began_s != 0 && now_s - walk->began_s > WALK_LIFE_S)
        gl_aws_walk_forget(chain);
    if (walk->began_s == 0)
        walk->began_s = now_s;
    walk->at = 0;
    walk->has_asked = false;
    chain->is_waiting = false;
}

/* ---- programs ---- */

static void copy_secret(struct gl_secret *out, const struct gl_secret *from)
{
    if (from->length > 0)
        gl_secret_init(out, from->bytes, from->length);
}

static void copy_credential(struct gl_aws_credential *out, const struct gl_aws_credential *from)
{
    *out = *from;
    out->keys.secret = out->keys.token = (struct gl_secret){.bytes = NULL};
    copy_secret(&out->keys.secret, &from->keys.secret);
    copy_secret(&out->keys.token, &from->keys.token);
}

bool gl_aws_walk_helped(const struct gl_aws_chain *chain, struct gl_aws_credential *out)
{
    if (chain->walk.has_helped)
        copy_credential(out, &chain->walk.helped);
    return chain->walk.has_helped;
}

void gl_aws_walk_help(struct gl_aws_chain *chain, const struct gl_aws_credential *from)
{
    gl_aws_credential_done(&chain->walk.helped);
    copy_credential(&chain->walk.helped, from);
    chain->walk.has_helped = true;
}

/* ---- exchanges ---- */

static char *copy_text(const char *text, size_t length)
{
    char *copy = gl_alloc(length + 1);

    if (length > 0)
        memcpy(copy, text, length);
    return copy;
}

static void copy_reply(struct gl_http_reply *out, const struct gl_http_reply *from)
{
    *out = *from;
    out->body = copy_text(from->body, from->body_length);
    out->header_text = NULL;
    out->is_secret = true;
}

static int repeat(const struct gl_aws_step *step, struct gl_http_reply *out, struct gl_error *err)
{
    if (step->err.code != GL_OK)
        return gl_fail(err, step->err.code, "%s", step->err.text);
    copy_reply(out, &step->reply);
    return 0;
}

/* The same as a call of the flight. Who is asked only once is the machine itself. */
static void fill_call(const struct gl_http_request *request, struct gl_remote_call *out)
{
    out->method = request->method;
    gl_str_add(&out->url, request->url);
    for (const char *const *line = request->headers; line != NULL && *line != NULL; line++) {
        const char *colon = strchr(*line, ':');
        char name[64];

        snprintf(name, sizeof name, "%.*s", (int)(colon - *line), *line);
        gl_remote_header(out, name, "%s", colon + 1 + strspn(colon + 1, " "));
    }
    if (request->body_length > 0)
        gl_remote_body_text(out, request->body);
    out->timeout_ms = request->timeout_ms;
    out->ceiling = request->body_ceiling;
    out->is_direct = out->is_once = out->has_fixed_status = request->is_direct;
    out->is_open = out->has_secret = true;
}

/* What came of another address is no answer to this question. Those to STS share one: their order
 * tells them apart, for the profiles are read once, before any walk. */
static bool is_answered(struct gl_aws_walk *walk, const char *url)
{
    if (walk->at >= walk->count)
        return false;
    if (strcmp(gl_str_text(&walk->steps[walk->at].url), url) == 0)
        return true;
    while (walk->count > walk->at)
        step_done(&walk->steps[--walk->count]);
    return false;
}

int gl_aws_walk_send(struct gl_aws_chain *chain, const struct gl_http_request *request,
                     struct gl_http_reply *out, struct gl_error *err)
{
    struct gl_aws_walk *walk = &chain->walk;

    if (is_answered(walk, request->url))
        return repeat(&walk->steps[walk->at++], out, err);
    if (walk->count == GL_AWS_STEPS)
        return gl_fail(err, GL_E_NO_CREDENTIAL, "more than %d questions lead to them",
                       GL_AWS_STEPS);
    if (!chain->is_beside)
        return gl_http_send(chain->options.world->http, request, out, err);
    fill_call(request, walk->out);
    gl_str_done(&walk->asked_url);
    gl_str_add(&walk->asked_url, request->url);
    walk->has_asked = chain->is_waiting = true;
    return gl_fail(err, GL_E_TIMEOUT, "it has not answered yet");
}

/* ---- beside others ---- */

int gl_aws_chain_ask(struct gl_aws_chain *chain, bool is_renewed, struct gl_remote_call *out,
                     struct gl_error *err)
{
    const struct gl_aws_credential *ignored;
    bool has_asked;
    int got;

    chain->is_beside = true;
    chain->walk.out = out;
    got = gl_aws_chain_get(chain, is_renewed, &ignored, err);
    chain->is_beside = false;
    chain->walk.out = NULL;
    has_asked = chain->walk.has_asked;
    if (got == 0 || !chain->is_waiting)
        return got;
    if (has_asked)
        gl_error_clear(err);
    return has_asked ? 1 : GL_REMOTE_TOKEN_WAITS;
}

/* What went wrong, in STS's own word where it has one. */
static void take_failure(const struct gl_remote_call *call, struct gl_error *out)
{
    char shown[GL_TEXT_SHOWN];

    if (call->failure.word[0] == '\0')
        gl_fail(out, call->err.code, "%s",
                call->err.text + (strncmp(call->err.text, "aws: ", 5) == 0 ? 5 : 0));
    else
        gl_fail(out,
                gl_errc_row(call->err.code)->is_retryable ? call->err.code : GL_E_NO_CREDENTIAL,
                "STS refuses: %s", gl_text_show(call->failure.word, shown));
}

int gl_aws_chain_take(struct gl_aws_chain *chain, const struct gl_remote_call *call,
                      struct gl_error *err)
{
    const struct gl_aws_credential *ignored;
    struct gl_aws_walk *walk = &chain->walk;
    struct gl_aws_step *step;

    if (walk->count == GL_AWS_STEPS || walk->asked_url.length == 0)
        return 0; /* given up meanwhile */
    step = &walk->steps[walk->count++];
    *step = (struct gl_aws_step){.url = walk->asked_url};
    walk->asked_url = (struct gl_str){0};
    if (call->err.code == GL_OK) {
        copy_reply(&step->reply, &call->reply);
        return 0;
    }
    take_failure(call, &step->err);
    /* The end of this walk: it is made here, so that no later one meets the old failure. */
    return gl_aws_chain_get(chain, false, &ignored, err);
}
