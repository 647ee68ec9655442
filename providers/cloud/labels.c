/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_HALF ((GL_HASH_HEX - 1) / 2)

static const char *const names[GL_LABEL_COUNT] = {"greenlaunch-request", "greenlaunch-attempt",
                                                  "greenlaunch-expires", "greenlaunch-token-a",
                                                  "greenlaunch-token-b"};

void gl_labels_of(const struct gl_launch *launch, struct gl_label out[GL_LABEL_COUNT])
{
    for (size_t i = 0; i < GL_LABEL_COUNT; i++)
        out[i].name = names[i];
    snprintf(out[0].value, sizeof out[0].value, "%s", launch->launch_id);
    snprintf(out[1].value, sizeof out[1].value, "%u", (unsigned)launch->attempt);
    snprintf(out[2].value, sizeof out[2].value, "%lld", (long long)launch->expires.unix_s);
    snprintf(out[3].value, sizeof out[3].value, "%.*s", TOKEN_HALF, launch->token);
    snprintf(out[4].value, sizeof out[4].value, "%.*s", TOKEN_HALF, launch->token + TOKEN_HALF);
}

json_t *gl_labels_json(const struct gl_launch *launch)
{
    struct gl_label labels[GL_LABEL_COUNT];
    json_t *out = json_object();

    gl_labels_of(launch, labels);
    for (size_t i = 0; i < GL_LABEL_COUNT; i++)
        json_object_set_new(out, labels[i].name, json_string(labels[i].value));
    return out;
}

/* Digits only, at most 18. */
static bool number(const char *text, int64_t *out)
{
    size_t length = text != NULL ? strspn(text, "0123456789") : 0;

    if (length == 0 || length > 18 || text[length] != '\0')
        return false;
    *out = strtoll(text, NULL, 10);
    return true;
}

/* Whoever may write labels in the account may write anything into them: it is shown to people, and
 * names things here. */
static bool is_request(const char *text)
{
    size_t length = text != NULL ? strlen(text) : 0;

    return length > 0 && length < GL_LABEL_VALUE &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
               length;
}

static bool is_half(const char *text)
{
    return text != NULL && strlen(text) == TOKEN_HALF &&
           strspn(text, "0123456789abcdef") == TOKEN_HALF;
}

bool gl_labels_read(const char *(*get)(void *cookie, const char *name), void *cookie,
                    struct gl_instance *out)
{
    char request[GL_CLOUD_ID], token[GL_HASH_HEX];
    const char *value = get(cookie, names[0]);
    int64_t attempt, expires;

    if (!is_request(value))
        return false;
    snprintf(request, sizeof request, "%s", value);
    if (!number(get(cookie, names[1]), &attempt) || attempt > UINT32_MAX ||
        !number(get(cookie, names[2]), &expires))
        return false;
    if (!is_half(value = get(cookie, names[3])))
        return false;
    memcpy(token, value, TOKEN_HALF);
    if (!is_half(value = get(cookie, names[4])))
        return false;
    memcpy(token + TOKEN_HALF, value, TOKEN_HALF + 1);
    memcpy(out->launch_id, request, sizeof request);
    memcpy(out->token, token, sizeof token);
    out->attempt = (uint32_t)attempt;
    out->expires.unix_s = expires;
    return true;
}

void gl_attempt_name(const struct gl_launch *launch, char out[GL_CLOUD_ID])
{
    snprintf(out, GL_CLOUD_ID, "%s-%u", launch->launch_id, (unsigned)launch->attempt);
}

/* Numbers as ids grow: the shorter one is the older. */
static bool is_elder(const struct gl_instance *a, const struct gl_instance *b)
{
    size_t a_length = strlen(a->id), b_length = strlen(b->id);

    if (a->started.unix_s != b->started.unix_s)
        return a->started.unix_s < b->started.unix_s;
    return a_length != b_length ? a_length < b_length : strcmp(a->id, b->id) < 0;
}

static bool is_over(const struct gl_instance *instance)
{
    return instance->state == GL_STATE_ENDED || instance->state == GL_STATE_LOST;
}

const struct gl_instance *gl_instance_of_token(const struct gl_instance *instances, size_t count,
                                               const char *token)
{
    const struct gl_instance *best = NULL;

    for (size_t i = 0; i < count; i++) {
        const struct gl_instance *item = &instances[i];

        if (strcmp(item->token, token) != 0)
            continue;
        if (best == NULL || (is_over(best) && !is_over(item)) ||
            (is_over(best) == is_over(item) && is_elder(item, best)))
            best = item;
    }
    return best;
}

const char *gl_remote_id_split(const char *id, char out_region[40])
{
    const char *slash = strchr(id, '/');
    size_t length = slash != NULL ? (size_t)(slash - id) : 0;

    if (length == 0 || length >= 40 || slash[1] == '\0')
        return NULL;
    memcpy(out_region, id, length);
    out_region[length] = '\0';
    return slash + 1;
}
