/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/remote_part.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FIRST_WAIT_MS 200
#define SLOW_WAIT_MS  1000 /* where the provider asks for time */
#define WAIT_MAX_MS   10000
#define JITTER_MS     250 /* on top of a time that was told */

/* ---- codes ---- */

static enum gl_errc code_of_status(int status, const char *word, enum gl_reach *out_reach)
{
    *out_reach = GL_REACH_CALL;
    if (status == 0)
        return word == NULL || word[0] == '\0' ? GL_OK : GL_E_PROVIDER;
    if (status == 401 || status == 403) {
        *out_reach = GL_REACH_ACCOUNT;
        return status == 401 ? GL_E_NO_CREDENTIAL : GL_E_PERMISSION;
    }
    if (status >= 200 && status < 300)
        return GL_OK;
    switch (status) {
    case 404:
        return GL_E_NOT_FOUND;
    case 408:
        return GL_E_PROVIDER;
    case 409:
        return GL_E_BUSY;
    case 429:
        return GL_E_RATE_LIMIT;
    default:
        return status >= 500 ? GL_E_PROVIDER : status >= 400 ? GL_E_BAD_VALUE : GL_E_BAD_REPLY;
    }
}

enum gl_errc gl_remote_code(const struct gl_remote_rule *rules, int status, const char *word,
                            const char *text, enum gl_reach *out_reach)
{
    enum gl_reach ignored, *reach = out_reach != NULL ? out_reach : &ignored;

    for (const struct gl_remote_rule *rule = rules; rule != NULL && rule->code != GL_OK; rule++) {
        if (rule->status != 0 && rule->status != status)
            continue;
        if (rule->word != NULL && (word == NULL || !gl_glob_match(rule->word, word)))
            continue;
        if (rule->text != NULL && (text == NULL || strstr(text, rule->text) == NULL))
            continue;
        *reach = rule->reach;
        return rule->code;
    }
    return code_of_status(status, word, reach);
}

/* ---- what next ---- */

/* Of a call that creates: is it open whether something was made? */
static bool is_in_doubt(const struct gl_remote_case *at)
{
    switch (at->code) {
    case GL_E_NETWORK:
    case GL_E_TIMEOUT:
        return !at->is_unsent;
    case GL_E_PROVIDER:
    case GL_E_BAD_REPLY:
    case GL_E_TOO_LARGE:
    case GL_E_INTERRUPTED:
        return true;
    default:
        return false;
    }
}

static bool is_worth_another(const struct gl_remote_case *at)
{
    switch (at->code) {
    case GL_E_RATE_LIMIT:
        return true;
    case GL_E_BUSY:
    case GL_E_PROVIDER:
    case GL_E_TIMEOUT:
    case GL_E_NETWORK:
        return !at->is_create;
    default:
        return false;
    }
}

/* Doubled with each try, half of it random: callers that failed together do not come back
 * together. */
static int64_t wait_of(const struct gl_remote_case *at)
{
    bool is_slow = at->code == GL_E_RATE_LIMIT || at->code == GL_E_BUSY;
    int64_t wait = (int64_t)(is_slow ? SLOW_WAIT_MS : FIRST_WAIT_MS)
                   << (at->tries < 8 ? at->tries - 1 : 7);

    if (at->told_ms >= 0)
        return at->told_ms + (int64_t)(at->random % JITTER_MS);
    if (wait > WAIT_MAX_MS)
        wait = WAIT_MAX_MS;
    return wait / 2 + (int64_t)(at->random % (uint64_t)(wait / 2 + 1));
}

struct gl_remote_decision gl_remote_decide(const struct gl_remote_case *at)
{
    struct gl_remote_decision out = {GL_REMOTE_DONE, at->code, 0};

    if (at->code == GL_E_NO_CREDENTIAL && !at->is_renewed) {
        out.next = GL_REMOTE_RENEW;
        return out;
    }
    if (at->is_create && is_in_doubt(at))
        out.code = GL_E_OUTCOME;
    if (!is_worth_another(at) || at->tries >= GL_REMOTE_TRIES || at->budget < 1)
        return out;
    out.wait_ms = wait_of(at);
    if (out.wait_ms >= at->left_ms)
        out.wait_ms = 0;
    else
        out.next = GL_REMOTE_AGAIN;
    return out;
}

/* ---- budgets ---- */

/* One that is told to take the place of all others when there are too many. */
static struct gl_remote_budget *budget_of(struct gl_remote *remote, const char *region)
{
    const char *name = region != NULL ? region : "";
    struct gl_remote_budget *budget = remote->budgets;

    for (size_t i = 0; i < remote->budget_count; i++)
        if (strncmp(remote->budgets[i].region, name, sizeof remote->budgets[i].region - 1) == 0)
            return &remote->budgets[i];
    if (remote->budget_count == GL_REMOTE_BUDGETS)
        return &remote->budgets[GL_REMOTE_BUDGETS - 1];
    budget = &remote->budgets[remote->budget_count++];
    snprintf(budget->region, sizeof budget->region, "%s", name);
    budget->left = GL_REMOTE_BUDGET;
    return budget;
}

/* ---- judging ---- */

static void say_failure(const struct gl_remote *remote, struct gl_remote_call *call, int status,
                        const struct gl_remote_word *word, enum gl_errc code)
{
    char what[GL_REMOTE_WHAT], shown[GL_TEXT_SHOWN], text[sizeof word->text], wait[64] = "";
    struct gl_str clean = {.ceiling = sizeof text - 1};

    snprintf(text, sizeof text, "%s", word->text);
    gl_remote_redact(call, text);
    gl_str_add_printable(&clean, text, strlen(text));
    if (call->failure.retry_after_ms >= 0)
        snprintf(wait, sizeof wait, "; asks to wait %lld s",
                 (long long)(call->failure.retry_after_ms + 999) / 1000);
    gl_error_clear(&call->err);
    gl_fail(&call->err, code, "%s: %s%s%s (HTTP %d)%s", gl_remote_what(remote, call, what),
            word->word[0] != '\0' ? gl_text_show(word->word, shown) : "failed",
            clean.length > 0 ? ": " : "", gl_str_text(&clean), status, wait);
    gl_str_done(&clean);
}

/* The code of an answer, and what is told beside it. */
static enum gl_errc read_answer(const struct gl_remote *remote, struct gl_remote_call *call,
                                const struct gl_http_reply *reply, struct gl_remote_word *word)
{
    struct gl_cloud_failure *failure = &call->failure;
    int64_t told = -1;
    enum gl_errc code;

    if (remote->ops->read_error == NULL || !remote->ops->read_error(reply, word))
        *word = (struct gl_remote_word){0};
    code =
        gl_remote_code(remote->ops->rules, reply->status, word->word, word->text, &failure->reach);
    if (reply->retry_after_s >= 0)
        told = reply->retry_after_s * 1000;
    else if (remote->ops->wait_ms != NULL && code == GL_E_RATE_LIMIT)
        told = remote->ops->wait_ms(reply, remote->world->now_ms(remote->world->cookie));
    failure->retry_after_ms = told >= 0 ? told : -1;
    snprintf(failure->word, sizeof failure->word, "%.63s", word->word);
    memcpy(failure->places, word->places, sizeof failure->places);
    return code != GL_OK ? code : GL_E_BAD_REPLY;
}

static struct gl_remote_decision decide(struct gl_remote *remote, const struct gl_remote_call *call,
                                        const struct gl_remote_tried *tried, enum gl_errc code,
                                        bool is_unsent)
{
    struct gl_remote_case at = {.code = code,
                                .is_create = call->is_create,
                                .is_unsent = is_unsent,
                                .is_renewed = tried->is_renewed || call->is_open,
                                .tries = call->is_once ? GL_REMOTE_TRIES : tried->tries,
                                .budget = budget_of(remote, call->region)->left,
                                .told_ms = call->failure.retry_after_ms,
                                .left_ms = gl_remote_left_ms(remote)};

    remote->world->random(remote->world->cookie, &at.random, sizeof at.random);
    return gl_remote_decide(&at);
}

static enum gl_remote_next follow(struct gl_remote *remote, const struct gl_remote_call *call,
                                  struct gl_remote_tried *tried,
                                  const struct gl_remote_decision *decision)
{
    if (decision->next == GL_REMOTE_AGAIN)
        budget_of(remote, call->region)->left -= 1;
    if (decision->next == GL_REMOTE_RENEW) {
        tried->is_renewed = true;
        tried->must_renew = tried->renewals == remote->renewals;
        remote->renewals += tried->must_renew;
    }
    tried->wait_ms = decision->wait_ms;
    return decision->next;
}

static bool is_success(const struct gl_remote_call *call, int status)
{
    return (status >= 200 && status < 300) || (call->has_fixed_status && status >= 200);
}

static void refund(struct gl_remote *remote, const struct gl_remote_call *call)
{
    struct gl_remote_budget *budget = budget_of(remote, call->region);

    budget->left = budget->left + 0.5 < GL_REMOTE_BUDGET ? budget->left + 0.5 : GL_REMOTE_BUDGET;
}

static void say_transport(const struct gl_remote *remote, struct gl_remote_call *call,
                          enum gl_errc code, const struct gl_error *sent)
{
    gl_error_clear(&call->err);
    gl_fail(&call->err, code, "%s%s%s: %s", remote->cloud.ops->name,
            call->region != NULL ? " in " : "", call->region != NULL ? call->region : "",
            sent->text);
    call->err.sys = sent->sys;
}

static bool never_connected(int sys)
{
    return sys == ECONNREFUSED || sys == ENETUNREACH || sys == EHOSTUNREACH;
}

enum gl_remote_next gl_remote_judge(struct gl_remote *remote, struct gl_remote_call *call,
                                    struct gl_remote_tried *tried, struct gl_http_reply *reply,
                                    const struct gl_error *sent)
{
    struct gl_remote_decision decision;
    struct gl_remote_word word = {0};
    enum gl_errc code = sent->code;

    tried->tries++;
    gl_error_clear(&call->err);
    call->failure = (struct gl_cloud_failure){.retry_after_ms = -1};
    if (code == GL_OK && is_success(call, reply->status)) {
        refund(remote, call);
        call->reply = *reply;
        *reply = (struct gl_http_reply){.retry_after_s = -1};
        return GL_REMOTE_DONE;
    }
    if (code == GL_OK)
        code = read_answer(remote, call, reply, &word);
    decision = decide(remote, call, tried, code, never_connected(sent->sys));
    if (decision.next == GL_REMOTE_DONE && sent->code == GL_OK)
        say_failure(remote, call, reply->status, &word, decision.code);
    else if (decision.next == GL_REMOTE_DONE)
        say_transport(remote, call, decision.code, sent);
    if (sent->code == GL_OK)
        gl_http_reply_done(reply);
    return follow(remote, call, tried, &decision);
}
