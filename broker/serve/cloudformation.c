/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/serve/cloudformation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sign.h"

#define ARN_REGION 3 /* fields before it: arn:aws:cloudformation:REGION: */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

/* Letters, digits and dashes of the fourth field. */
static void region_of(const char *arn, char out[GL_CFN_REGION])
{
    size_t length;

    if (strncmp(arn, "arn:", 4) != 0)
        return;
    for (int field = 0; field < ARN_REGION && arn != NULL; field++) {
        arn = strchr(arn, ':');
        arn = arn != NULL ? arn + 1 : NULL;
    }
    length = arn != NULL ? strcspn(arn, ":") : 0;
    if (length > 0 && length < GL_CFN_REGION &&
        strspn(arn, "abcdefghijklmnopqrstuvwxyz0123456789-") >= length)
        snprintf(out, GL_CFN_REGION, "%.*s", (int)length, arn);
}

/* ---- the event ---- */

static void write_template(const char *name, const char *type, json_t *properties,
                           struct gl_str *out)
{
    GL_AUTO(gl_auto_json)
    json_t *template = json_pack("{s:s,s:{s:{s:s,s:O}}}", "AWSTemplateFormatVersion", "2010-09-09",
                                 "Resources", name, "Type", type, "Properties", properties);
    char *text = json_dumps(template, JSON_COMPACT);

    if (text != NULL) {
        out->text = text;
        out->length = strlen(text);
        out->capacity = out->length + 1;
    }
}

static int take_data(const json_t *data, struct gl_cfn_hook *hook, struct gl_error *err)
{
    const json_t *model = json_object_get(data, "targetModel");
    json_t *after = json_object_get(model, "resourceProperties");
    json_t *before = json_object_get(model, "previousResourceProperties");
    const char *type = text_of(data, "targetType"), *name = text_of(data, "targetLogicalId");

    if (!json_is_object(data))
        return gl_fail(err, GL_E_BAD_VALUE, "the event has no requestData");
    if (!json_is_object(after))
        return gl_fail(err, GL_E_BAD_VALUE, "%s",
                       text_of(data, "payload")[0] != '\0'
                           ? "a hook on stacks hands over an address, no template: set the "
                             "hook's target to resources, or judge the template in its "
                             "pipeline (greenlaunch hook cloudformation)"
                           : "the event has no properties of a resource");
    if (type[0] == '\0')
        return gl_fail(err, GL_E_BAD_VALUE, "the event does not say which type it is about");
    name = name[0] != '\0' ? name : "Resource";
    write_template(name, type, after, &hook->after);
    if (json_is_object(before))
        write_template(name, type, before, &hook->before);
    return hook->after.length > 0 ? 0 : gl_fail(err, GL_E_BAD_VALUE, "a name is not UTF-8");
}

static int take(const json_t *event, struct gl_cfn_hook *hook, struct gl_error *err)
{
    const char *point = text_of(event, "actionInvocationPoint"), *stack = text_of(event, "stackId");

    snprintf(hook->token, sizeof hook->token, "%s", text_of(event, "clientRequestToken"));
    hook->is_cloud_control = stack[0] == '\0';
    region_of(text_of(json_object_get(event, "hookModel"), "LambdaFunction"), hook->region);
    region_of(stack, hook->region);
    if (point[0] == '\0')
        return gl_fail(err, GL_E_BAD_VALUE, "no event of a CloudFormation hook");
    hook->is_delete = strncmp(point, "DELETE", strlen("DELETE")) == 0;
    return hook->is_delete ? 0 : take_data(json_object_get(event, "requestData"), hook, err);
}

int gl_cfn_parse(struct gl_view body, struct gl_cfn_hook *out, struct gl_error *err)
{
    struct gl_error why = {0};
    GL_AUTO(gl_auto_json) json_t *event = NULL;

    *out = (struct gl_cfn_hook){0};
    if (body.length > GL_CFN_MAX_BYTES)
        return gl_fail(err, GL_E_TOO_LARGE, "the event is too large");
    event = gl_json_parse(body.text, body.length, "event", &why);
    if (!json_is_object(event)) /* what the parser says may show a value */
        return gl_fail(err, GL_E_SYNTAX, "the event is no JSON object");
    return take(event, out, err);
}

static void wipe(struct gl_str *text)
{
    if (text->text != NULL)
        gl_wipe(text->text, text->length);
    gl_str_done(text);
}

void gl_cfn_done(struct gl_cfn_hook *hook)
{
    wipe(&hook->after);
    wipe(&hook->before);
    *hook = (struct gl_cfn_hook){0};
}

/* ---- answers ---- */

static char *answer(const struct gl_cfn_hook *hook, const char *status, const char *code,
                    const char *message)
{
    GL_AUTO(gl_str_done)
    struct gl_str shown = {.ceiling =
                               hook->is_cloud_control ? GL_CFN_MESSAGE_CLOUD : GL_CFN_MESSAGE};
    GL_AUTO(gl_auto_json) json_t *document = json_pack("{s:s}", "hookStatus", status);

    gl_str_add_printable(&shown, message, strlen(message));
    json_object_set_new(document, "message", gl_json_text(gl_str_text(&shown), shown.length));
    if (code != NULL)
        json_object_set_new(document, "errorCode", json_string(code));
    if (hook->token[0] != '\0')
        json_object_set_new(document, "clientRequestToken", json_string(hook->token));
    return json_dumps(document, JSON_COMPACT);
}

char *gl_cfn_succeeded(const struct gl_cfn_hook *hook, const char *message)
{
    return answer(hook, "SUCCESS", NULL, message);
}

char *gl_cfn_failed(const struct gl_cfn_hook *hook, const char *why)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_addf(&text, "greenlaunch: not judged, so not passed: %s", why);
    return answer(hook, "FAILED", "InternalFailure", gl_str_text(&text));
}

char *gl_cfn_judged(const struct gl_cfn_hook *hook, const struct gl_hook_report *report,
                    bool is_advisory, bool *out_passed)
{
    bool is_fine = report->verdict == GL_ALLOW, has_passed = is_fine || is_advisory;
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_addf(&text, "greenlaunch: %s%s%s",
                report->is_demo ? "demonstration data, nothing is real: " : "",
                !is_fine && is_advisory ? "advisory, not blocked: " : "", report->headline);
    for (size_t i = 0; i < report->finding_count; i++)
        if (report->findings[i].state == GL_FINDING_BROKEN ||
            report->findings[i].state == GL_FINDING_UNKNOWN ||
            report->findings[i].state == GL_FINDING_WARNED)
            gl_str_addf(&text, "; %s", report->findings[i].message);
    if (out_passed != NULL)
        *out_passed = has_passed;
    return answer(hook, has_passed ? "SUCCESS" : "FAILED", has_passed ? NULL : "NonCompliant",
                  gl_str_text(&text));
}
