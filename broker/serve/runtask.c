/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/serve/runtask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEST_TOKEN "test-token"
#define TOKEN_MAX  4096
#define HOST_MAX   256

static const struct gl_runtask_stage stages[] = {
    {"pre_plan", false, GL_AT_PLAN, "there is no plan yet: judged after the plan"},
    {"post_plan", true, GL_AT_PLAN, "judged at plan time; again before the apply"},
    {"pre_apply", true, GL_AT_APPLY, "judged by what is known right before the apply"},
    {"post_apply", false, GL_AT_APPLY, "already applied: nothing to judge"},
};

const struct gl_runtask_stage *gl_runtask_stage_named(const char *word)
{
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        if (strcmp(stages[i].word, word) == 0)
            return &stages[i];
    return NULL;
}

bool gl_runtask_is_signed(const struct gl_secret *key, struct gl_view body, const char *signature)
{
    uint8_t mac[GL_SHA512_BYTES];
    char hex[2 * GL_SHA512_BYTES + 1];
    struct gl_secret wanted;
    bool is_equal;

    if (signature == NULL || key->length == 0)
        return false;
    gl_hmac_sha512(key->bytes, key->length, body.text, body.length, mac);
    gl_hex_text(mac, sizeof mac, hex);
    gl_secret_init(&wanted, hex, sizeof hex - 1);
    is_equal = gl_secret_equal(&wanted, signature, strlen(signature));
    gl_secret_done(&wanted);
    gl_wipe(hex, sizeof hex);
    gl_wipe(mac, sizeof mac);
    return is_equal;
}

/* ---- addresses ---- */

/* "host" or "host:port" of an https address, without the default port; false where it is none. */
static bool host_of(const char *url, char out[HOST_MAX])
{
    const char *host = url + strlen("https://");
    size_t length;

    if (strncmp(url, "https://", strlen("https://")) != 0 || strlen(url) > GL_RUNTASK_MAX_URL)
        return false;
    for (const char *c = url; *c != '\0'; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f || *c == '\\')
            return false;
    length = strcspn(host, "/?#");
    if (length > 4 && strncmp(host + length - 4, ":443", 4) == 0)
        length -= 4;
    if (length == 0 || length >= HOST_MAX || memchr(host, '@', length) != NULL)
        return false;
    memcpy(out, host, length);
    out[length] = '\0';
    return true;
}

bool gl_runtask_may_ask(const char *url, const char *const *hosts)
{
    char host[HOST_MAX];

    if (!host_of(url, host))
        return false;
    for (; *hosts != NULL; hosts++)
        if (strcasecmp(*hosts, host) == 0)
            return true;
    return false;
}

/* ---- the request ---- */

/* Letters, digits and dashes, as ids are: they are logged. */
static bool is_id(const char *text)
{
    size_t length = strlen(text);

    return length > 0 && length < GL_RUNTASK_ID &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
               length;
}

static void take_name(const json_t *object, const char *key, char out[GL_RUNTASK_ID])
{
    const char *text = json_string_value(json_object_get(object, key));
    GL_AUTO(gl_str_done) struct gl_str shown = {0};

    if (text != NULL)
        gl_str_add_printable(&shown, text, strlen(text));
    snprintf(out, GL_RUNTASK_ID, "%s", gl_str_text(&shown));
}

static int take_url(const json_t *object, const char *key, const char *const *hosts, char **out,
                    struct gl_error *err)
{
    const char *url;
    char host[HOST_MAX], shown[GL_TEXT_SHOWN];

    if (gl_json_string(object, key, &url, err) != 0)
        return -1;
    if (!host_of(url, host))
        return gl_fail(err, GL_E_BAD_VALUE, "%s is no https address", key);
    if (!gl_runtask_may_ask(url, hosts))
        return gl_fail(err, GL_E_BAD_VALUE,
                       "%s: the host %s is not one of those to ask (--allow-host)", key,
                       gl_text_show(host, shown));
    *out = gl_strdup(url);
    return 0;
}

static int take_stage(const json_t *object, struct gl_runtask *task, struct gl_error *err)
{
    const char *word;
    char shown[GL_TEXT_SHOWN];

    if (gl_json_string(object, "stage", &word, err) != 0)
        return -1;
    task->stage = gl_runtask_stage_named(word);
    if (task->stage == NULL)
        return gl_fail(err, GL_E_BAD_VALUE, "the stage \"%s\" is not known",
                       gl_text_show(word, shown));
    return 0;
}

static int take_id(const json_t *object, struct gl_runtask *task, struct gl_error *err)
{
    const char *id;

    if (gl_json_string(object, "task_result_id", &id, err) != 0)
        return -1;
    if (!is_id(id))
        return gl_fail(err, GL_E_BAD_VALUE, "task_result_id is no id");
    snprintf(task->id, sizeof task->id, "%s", id);
    return 0;
}

static int take(const json_t *object, const char *const *hosts, struct gl_runtask *task,
                struct gl_error *err)
{
    const char *level = json_string_value(json_object_get(object, "task_result_enforcement_level"));
    int64_t version;

    if (gl_json_int(object, "payload_version", 1, 1, &version, err) != 0 ||
        take_stage(object, task, err) != 0 || take_id(object, task, err) != 0 ||
        take_url(object, "task_result_callback_url", hosts, &task->callback_url, err) != 0)
        return -1;
    if (task->stage->has_plan &&
        take_url(object, "plan_json_api_url", hosts, &task->plan_url, err) != 0)
        return -1;
    task->is_speculative = json_is_true(json_object_get(object, "is_speculative"));
    task->is_mandatory = level != NULL && strcmp(level, "mandatory") == 0;
    take_name(object, "run_id", task->run);
    take_name(object, "workspace_name", task->workspace);
    return 0;
}

/* Out of the document and wiped there. */
static int take_token(json_t *object, struct gl_runtask *task, struct gl_error *err)
{
    json_t *member = json_object_get(object, "access_token");
    const char *token = json_string_value(member);
    size_t length = json_string_length(member);

    if (token == NULL || length == 0 || length > TOKEN_MAX || strlen(token) != length ||
        strcspn(token, "\r\n") != length)
        return gl_fail(err, GL_E_BAD_VALUE, "access_token is missing, or no token");
    gl_secret_init(&task->token, token, length + 1);
    gl_wipe((char *)(uintptr_t)token, length);
    task->is_test = gl_secret_equal(&task->token, TEST_TOKEN, sizeof TEST_TOKEN);
    return 0;
}

int gl_runtask_parse(struct gl_view body, const char *const *hosts, struct gl_runtask *out,
                     struct gl_error *err)
{
    struct gl_error why = {0};
    struct gl_runtask task = {0};
    GL_AUTO(gl_auto_json) json_t *object = NULL;

    if (body.length > GL_RUNTASK_MAX_BYTES)
        return gl_fail(err, GL_E_TOO_LARGE, "the request is too large");
    object = gl_json_parse(body.text, body.length, "request", &why);
    if (!json_is_object(object)) /* what the parser says may show a piece of it */
        return gl_fail(err, GL_E_SYNTAX, "the request is no JSON object");
    if (take_token(object, &task, err) == 0 &&
        (task.is_test || take(object, hosts, &task, err) == 0)) {
        *out = task;
        return 0;
    }
    gl_runtask_done(&task);
    return -1;
}

void gl_runtask_done(struct gl_runtask *task)
{
    gl_secret_done(&task->token);
    free(task->plan_url);
    free(task->callback_url);
    *task = (struct gl_runtask){0};
}
