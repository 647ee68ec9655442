/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/serve/admission.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define API     "admission.k8s.io/v1"
#define MESSAGE 2000 /* bytes of a refusal */

/* ---- questions ---- */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

static const json_t *object_of(const json_t *object, const char *key)
{
    const json_t *member = json_object_get(object, key);

    return json_is_object(member) ? member : NULL;
}

static int take_operation(const json_t *request, struct gl_admission *review, struct gl_error *err)
{
    static const char *const words[] = {"CREATE", "UPDATE", "DELETE", "CONNECT"};
    const char *word = text_of(request, "operation");
    char shown[GL_TEXT_SHOWN];

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i], word) == 0) {
            review->operation = (enum gl_admission_operation)i;
            return 0;
        }
    return gl_fail(err, GL_E_BAD_VALUE, "the operation \"%s\" is not known",
                   gl_text_show(word, shown));
}

/* Copied into the answer and a log. */
static int take_uid(const json_t *request, struct gl_admission *review, struct gl_error *err)
{
    const char *uid = text_of(request, "uid");
    size_t length = strlen(uid);

    if (length == 0 || length >= sizeof review->uid)
        return gl_fail(err, GL_E_BAD_VALUE, "the request has no uid");
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)uid[i] <= ' ' || (unsigned char)uid[i] >= 0x7f)
            return gl_fail(err, GL_E_BAD_VALUE, "the uid is none");
    memcpy(review->uid, uid, length + 1);
    return 0;
}

static int take(struct gl_admission *review, struct gl_error *err)
{
    const json_t *request = object_of(review->document, "request"), *kind;

    if (strcmp(text_of(review->document, "kind"), "AdmissionReview") != 0 ||
        strcmp(text_of(review->document, "apiVersion"), API) != 0)
        return gl_fail(err, GL_E_BAD_VALUE, "no AdmissionReview of " API);
    if (request == NULL)
        return gl_fail(err, GL_E_BAD_VALUE, "the AdmissionReview has no request");
    if (take_uid(request, review, err) != 0 || take_operation(request, review, err) != 0)
        return -1;
    review->object = object_of(request, "object");
    review->old_object = object_of(request, "oldObject");
    kind = object_of(request, "kind");
    review->kind = kind != NULL ? text_of(kind, "kind") : text_of(review->object, "kind");
    review->namespace = text_of(request, "namespace");
    review->name = text_of(request, "name");
    review->is_dry_run = json_is_true(json_object_get(request, "dryRun"));
    review->is_status = text_of(request, "subResource")[0] != '\0' &&
                        strcmp(text_of(request, "subResource"), "scale") != 0;
    if (review->object == NULL &&
        (review->operation == GL_ADMIT_CREATE || review->operation == GL_ADMIT_UPDATE))
        return gl_fail(err, GL_E_BAD_VALUE, "the request has no object");
    return 0;
}

int gl_admission_parse(struct gl_view body, struct gl_admission *out, struct gl_error *err)
{
    struct gl_admission review = {0};
    struct gl_error why = {0};

    if (body.length > GL_ADMISSION_MAX_BYTES)
        return gl_fail(err, GL_E_TOO_LARGE, "the AdmissionReview is too large");
    review.document = gl_json_parse(body.text, body.length, "AdmissionReview", &why);
    if (review.document == NULL) /* what the parser says may show a value */
        return gl_fail(err, GL_E_SYNTAX, "the body is no JSON");
    if (take(&review, err) == 0) {
        *out = review;
        return 0;
    }
    gl_admission_done(&review);
    return -1;
}

void gl_admission_done(struct gl_admission *review)
{
    json_decref(review->document);
    *review = (struct gl_admission){0};
}

static bool is_among(const char *text, const char *const *globs)
{
    for (; globs != NULL && *globs != NULL; globs++)
        if (gl_glob_match(*globs, text))
            return true;
    return false;
}

/* Status, labels, finalizers and the like start nothing. */
static bool has_same_spec(const struct gl_admission *review)
{
    const json_t *before = json_object_get(review->old_object, "spec");
    const json_t *after = json_object_get(review->object, "spec");

    return before != NULL && after != NULL && json_equal(before, after);
}

bool gl_admission_is_judged(const struct gl_admission *review, const char *const *namespaces,
                            const char *const *not_namespaces)
{
    if (review->operation == GL_ADMIT_DELETE || review->operation == GL_ADMIT_CONNECT)
        return false;
    if (review->is_status || is_among(review->namespace, not_namespaces))
        return false;
    if (namespaces != NULL && *namespaces != NULL && !is_among(review->namespace, namespaces))
        return false;
    return review->operation != GL_ADMIT_UPDATE || !has_same_spec(review);
}

/* ---- answers ---- */

static json_t *line_json(const char *line, size_t most)
{
    GL_AUTO(gl_str_done) struct gl_str shown = {.ceiling = most};

    gl_str_add_printable(&shown, line, strlen(line));
    return gl_json_text(gl_str_text(&shown), shown.length);
}

static json_t *response_of(const struct gl_admission *review, bool is_allowed)
{
    return json_pack("{s:s,s:b}", "uid", review->uid, "allowed", is_allowed);
}

/* Takes the response. */
static char *document_of(json_t *response)
{
    GL_AUTO(gl_auto_json)
    json_t *document = json_pack("{s:s,s:s,s:o}", "apiVersion", API, "kind", "AdmissionReview",
                                 "response", response);

    return json_dumps(document, JSON_COMPACT);
}

static void set_status(json_t *response, int code, const char *reason, const char *message)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_addf(&text, "greenlaunch: %s", message);
    json_object_set_new(response, "status",
                        json_pack("{s:i,s:s,s:o}", "code", code, "reason", reason, "message",
                                  line_json(gl_str_text(&text), MESSAGE)));
}

static void warn(json_t *warnings, const char *message)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_addf(&text, "greenlaunch: %s", message);
    if (json_array_size(warnings) < GL_ADMISSION_WARNINGS)
        json_array_append_new(warnings, line_json(gl_str_text(&text), GL_ADMISSION_WARNING));
}

char *gl_admission_allowed(const struct gl_admission *review)
{
    return document_of(response_of(review, true));
}

char *gl_admission_failed(const struct gl_admission *review, const char *why, bool is_open)
{
    json_t *response = response_of(review, is_open), *warnings = json_array();
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_addf(&text, "not judged%s: %s", is_open ? ", allowed as --failure-policy says" : "",
                why);
    if (is_open) {
        warn(warnings, gl_str_text(&text));
        json_object_set(response, "warnings", warnings);
    } else {
        set_status(response, 500, "InternalError", gl_str_text(&text));
    }
    json_decref(warnings);
    return document_of(response);
}

static bool blocks(const struct gl_hook_finding *finding)
{
    return finding->state == GL_FINDING_BROKEN || finding->state == GL_FINDING_UNKNOWN;
}

/* The headline, and the reasons as far as there is room. */
static void add_refusal(const struct gl_hook_report *report, json_t *response)
{
    GL_AUTO(gl_str_done) struct gl_str text = {.ceiling = MESSAGE};

    gl_str_add(&text, report->headline);
    for (size_t i = 0; i < report->finding_count; i++)
        if (blocks(&report->findings[i]))
            gl_str_addf(&text, "; %s", report->findings[i].message);
    set_status(response, 403, "Forbidden", gl_str_text(&text));
}

char *gl_admission_judged(const struct gl_admission *review, const struct gl_hook_report *report,
                          bool is_advisory, bool *out_allowed)
{
    bool is_fine = report->verdict == GL_ALLOW, is_allowed = is_fine || is_advisory;
    json_t *response = response_of(review, is_allowed), *warnings = json_array();
    char digest[GL_HASH_HEX];

    if (!is_allowed)
        add_refusal(report, response);
    else if (!is_fine)
        warn(warnings, report->headline);
    for (size_t i = 0; i < report->finding_count; i++)
        if ((blocks(&report->findings[i]) && is_allowed) ||
            report->findings[i].state == GL_FINDING_WARNED)
            warn(warnings, report->findings[i].message);
    if (report->is_demo)
        warn(warnings, "judged by demonstration data: nothing of it is real");
    if (json_array_size(warnings) > 0)
        json_object_set(response, "warnings", warnings);
    json_decref(warnings);
    json_object_set_new(response, "auditAnnotations",
                        json_pack("{s:s,s:s}", "verdict", gl_verdict_word(report->verdict),
                                  "digest", gl_hash_hex(&report->digest, digest)));
    if (out_allowed != NULL)
        *out_allowed = is_allowed;
    return document_of(response);
}
