/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/gcp.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WAIT_MS    1000 /* between two looks */
#define OPERATE_MS 300000

/* Credentials that have to be fetched may name the project: one call that needs nothing but them.
 */
int gl_gcp_begin(struct gl_gcp *gcp, struct gl_error *err)
{
    gl_remote_begin(&gcp->remote, GL_REMOTE_DEADLINE_MS);
    for (unsigned step = 0; gcp->project[0] == '\0' && step < GL_REMOTE_TOKEN_STEPS; step++) {
        struct gl_remote_call call = {0};
        int rc = gl_gcp_token_ask(&gcp->credential, gcp->remote.world, false, &call, err);

        call.is_open = call.has_secret = true;
        if (rc > 0)
            rc = gl_remote_send(&gcp->remote, &call, err) != 0 ||
                         gl_gcp_token_read(&gcp->credential, gcp->remote.world, &call, err) != 0
                     ? -1
                     : 1;
        gl_remote_call_done(&call);
        if (rc <= 0)
            break;
        snprintf(gcp->project, sizeof gcp->project, "%s", gcp->credential.project);
    }
    if (gcp->project[0] == '\0')
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "no Google project is named: set GOOGLE_CLOUD_PROJECT, or project in the "
                       "configuration");
    return 0;
}

void gl_gcp_call(const struct gl_gcp *gcp, struct gl_remote_call *call, const char *method,
                 const char *path, ...)
{
    char text[512];
    va_list args;

    va_start(args, path);
    vsnprintf(text, sizeof text, path, args);
    va_end(args);
    call->method = method;
    gl_str_addf(&call->url, "%s/compute/v1/projects/%s/%s", gcp->endpoint, gcp->project, text);
}

int gl_gcp_id(const char *id, char out_zone[48], const char **out_name, struct gl_error *err)
{
    char region[40];
    char shown[GL_TEXT_SHOWN];
    const char *native = gl_remote_id_split(id, region);
    size_t letter = native != NULL ? strcspn(native, "/") : 0;

    /* All of it goes into the path of a call. */
    if (letter == 0 || letter > 4 || native[letter] != '/' || native[letter + 1] == '\0' ||
        strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-/") != strlen(id) ||
        strchr(native + letter + 1, '/') != NULL)
        return gl_fail(err, GL_E_NOT_FOUND, "%s is not the id of a Google instance",
                       gl_text_show(id, shown));
    snprintf(out_zone, 48, "%s-%.*s", region, (int)letter, native);
    *out_name = native + letter + 1;
    return 0;
}

/* ---- operations ---- */

static int fail_operation(struct gl_gcp *gcp, const json_t *operation, struct gl_error *err)
{
    struct gl_remote_word word;
    GL_AUTO(gl_str_done) struct gl_str clean = {.ceiling = sizeof word.text};
    enum gl_reach reach = GL_REACH_CALL;
    char shown[GL_TEXT_SHOWN];
    enum gl_errc code;
    int status;

    if (!gl_gcp_operation_error(operation, &status, &word))
        return 0;
    code = gl_remote_code(gl_gcp_rules, status, word.word, word.text, &reach);
    gcp->remote.cloud.failure = (struct gl_cloud_failure){.reach = reach, .retry_after_ms = -1};
    snprintf(gcp->remote.cloud.failure.word, sizeof gcp->remote.cloud.failure.word, "%.63s",
             word.word);
    memcpy(gcp->remote.cloud.failure.places, word.places, sizeof gcp->remote.cloud.failure.places);
    gl_str_add_printable(&clean, word.text, strlen(word.text));
    return gl_fail(err, code != GL_OK ? code : GL_E_PROVIDER, "gcp: %s: %s",
                   gl_text_show(word.word, shown), gl_str_text(&clean));
}

/* 1 done, 0 not yet, -1 its error. */
static int look_at(struct gl_gcp *gcp, const json_t *operation, struct gl_error *err)
{
    const char *status = json_string_value(json_object_get(operation, "status"));

    if (status == NULL)
        return gl_fail(err, GL_E_OUTCOME, "gcp: the answer is no operation");
    if (strcmp(status, "DONE") != 0)
        return 0;
    return fail_operation(gcp, operation, err) == 0 ? 1 : -1;
}

/* From here on it is accepted: whatever hinders our looking leaves the outcome unknown. */
static int follow(struct gl_gcp *gcp, const char *zone, const char *name, struct gl_error *err)
{
    struct gl_error trouble = {0};

    gl_remote_begin(&gcp->remote, OPERATE_MS);
    for (;;) {
        struct gl_remote_call call = {0};
        json_t *operation;
        int rc = 0;

        if (zone != NULL)
            gl_gcp_call(gcp, &call, "GET", "zones/%s/operations/%s", zone, name);
        else
            gl_gcp_call(gcp, &call, "GET", "global/operations/%s", name);
        operation = gl_remote_json(&gcp->remote, &call, &trouble);
        gl_remote_call_done(&call);
        if (operation == NULL)
            return gl_fail(err, trouble.code == GL_E_INTERRUPTED ? trouble.code : GL_E_OUTCOME,
                           "%s", trouble.text);
        rc = look_at(gcp, operation, err);
        json_decref(operation);
        if (rc != 0)
            return rc > 0 ? 0 : -1;
        if (gl_remote_wait(&gcp->remote, WAIT_MS, &trouble) != 0)
            return gl_fail(err, trouble.code == GL_E_INTERRUPTED ? trouble.code : GL_E_OUTCOME,
                           "%s", trouble.text);
    }
}

int gl_gcp_operate(struct gl_gcp *gcp, struct gl_remote_call *call, const char *zone,
                   struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *operation = gl_remote_json(&gcp->remote, call, err);
    const char *name;
    int rc;

    if (operation == NULL)
        return -1;
    rc = look_at(gcp, operation, err);
    if (rc != 0)
        return rc > 0 ? 0 : -1;
    name = json_string_value(json_object_get(operation, "name"));
    if (name == NULL || strchr(name, '/') != NULL)
        return gl_fail(err, GL_E_OUTCOME, "gcp: the operation has no name");
    return follow(gcp, zone, name, err);
}
