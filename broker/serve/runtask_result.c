/* SPDX-License-Identifier: Apache-2.0 */
/* What a run task is told, as JSON:API. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "broker/hook/escape.h"
#include "broker/render/text.h"
#include "broker/serve/runtask.h"

#define OUTCOMES_MAX 60 /* worst first; the last one then counts the others */
#define BODY_MAX     ((size_t)64 << 10)

/* ---- the frame ---- */

/* One line beside a result. */
static json_t *line_json(const char *line)
{
    GL_AUTO(gl_str_done) struct gl_str shown = {.ceiling = GL_RUNTASK_MESSAGE};

    gl_str_add_printable(&shown, line, strlen(line));
    return gl_json_text(gl_str_text(&shown), shown.length);
}

/* Takes the outcomes, which may be NULL. */
static char *frame(const char *status, const char *message, json_t *outcomes)
{
    GL_AUTO(gl_auto_json)
    json_t *document = json_pack("{s:{s:s,s:{s:s,s:o}}}", "data", "type", "task-results",
                                 "attributes", "status", status, "message", line_json(message));

    if (outcomes != NULL)
        json_object_set_new(json_object_get(document, "data"), "relationships",
                            json_pack("{s:{s:o}}", "outcomes", "data", outcomes));
    return json_dumps(document, JSON_COMPACT);
}

char *gl_runtask_running(const char *message)
{
    return frame("running", message, NULL);
}

char *gl_runtask_ended(bool has_passed, const char *message)
{
    return frame(has_passed ? "passed" : "failed", message, NULL);
}

/* ---- outcomes ---- */

struct outcome {
    const char *id, *label, *level, *severity;
    const char *description;
    const struct gl_str *body;
};

static json_t *tag(const char *label, const char *level)
{
    return json_pack("[{s:s,s:s}]", "label", label, "level", level);
}

static json_t *outcome_json(const struct outcome *outcome)
{
    return json_pack(
        "{s:s,s:{s:s,s:o,s:o,s:{s:o,s:o}}}", "type", "task-result-outcomes", "attributes",
        "outcome-id", outcome->id, "description", line_json(outcome->description), "body",
        gl_json_text(gl_str_text(outcome->body), outcome->body->length), "tags", "Status",
        tag(outcome->label, outcome->level), "Severity", tag(outcome->severity, outcome->level));
}

/* How a finding looks; an advisory run shows what would have blocked as a warning. */
static const struct look {
    const char *label, *level, *severity;
} looks[] = {
    [GL_FINDING_PASSED] = {"Passed", "info", "None"},
    [GL_FINDING_BROKEN] = {"Refused", "error", "High"},
    [GL_FINDING_UNKNOWN] = {"Unknown", "error", "High"},
    [GL_FINDING_WARNED] = {"Warned", "warning", "Medium"},
    [GL_FINDING_WAIVED] = {"Waived", "info", "Low"},
    [GL_FINDING_KNOWN] = {"In the baseline", "info", "Low"},
};

static const struct gl_judged *judged_of(const struct gl_hook_report *report,
                                         const struct gl_hook_finding *finding)
{
    for (size_t i = 0; i < report->judged_count; i++)
        if (finding->intent != NULL && report->judged[i].intent == finding->intent)
            return &report->judged[i];
    return NULL;
}

static void add_line(struct gl_str *body, const char *label, const char *text)
{
    if (text == NULL)
        return;
    gl_str_addf(body, "- **%s:** ", label);
    gl_escape_add(GL_ESCAPE_MARKDOWN, text, body);
    gl_str_add_char(body, '\n');
}

static void add_judged(const struct gl_judged *judged, struct gl_str *body)
{
    const struct gl_intent *intent = judged->intent;

    add_line(body, "Type", intent->machine.type);
    add_line(body, "Region", intent->place.region);
    add_line(body, "Known by", intent->place.how);
    if (judged->count != GL_UNKNOWN)
        gl_str_addf(body, "- **Machines:** %lld\n", (long long)judged->count);
    if (!isnan(judged->grams_per_h[1]))
        gl_str_addf(body, "- **Expected:** %.3g (%.3g to %.3g) gCO2e per hour\n",
                    judged->grams_per_h[1], judged->grams_per_h[0], judged->grams_per_h[2]);
    for (size_t i = 0; i < judged->remedy_count; i++)
        add_line(body, "Nearest", judged->remedies[i].sentence);
}

static void write_body(const struct gl_hook_report *report, const struct gl_hook_finding *finding,
                       struct gl_str *body)
{
    const struct gl_judged *judged = judged_of(report, finding);

    gl_str_add(body, "### ");
    gl_escape_add(GL_ESCAPE_MARKDOWN, finding->intent != NULL ? finding->intent->address : "plan",
                  body);
    gl_str_add(body, "\n\n");
    gl_escape_add(GL_ESCAPE_MARKDOWN, finding->message, body);
    gl_str_add(body, "\n\n");
    add_line(body, "Rule", finding->rule_place);
    if (judged != NULL)
        add_judged(judged, body);
}

static void add_finding(const struct gl_hook_report *report, const struct gl_hook_finding *finding,
                        bool is_advisory, json_t *outcomes)
{
    const struct look *look = &looks[finding->state];
    bool is_softened = is_advisory && strcmp(look->level, "error") == 0;
    GL_AUTO(gl_str_done) struct gl_str body = {.ceiling = BODY_MAX};
    GL_AUTO(gl_str_done) struct gl_str description = {0};

    write_body(report, finding, &body);
    gl_str_addf(&description, "%s: %s", finding->intent != NULL ? finding->intent->address : "plan",
                finding->message);
    json_array_append_new(outcomes, outcome_json(&(struct outcome){
                                        .id = finding->fingerprint,
                                        .label = look->label,
                                        .level = is_softened ? "warning" : look->level,
                                        .severity = is_softened ? "Medium" : look->severity,
                                        .description = gl_str_text(&description),
                                        .body = &body}));
}

static void add_words(struct gl_str *body, const char *label, const char *const *words)
{
    for (; words != NULL && *words != NULL; words++)
        add_line(body, label, *words);
}

/* What was looked at, and on what the verdict stands: the last outcome, also of a clean plan. */
static void add_summary(const struct gl_hook_report *report, bool is_advisory, size_t left_out,
                        json_t *outcomes)
{
    bool is_fine = report->verdict == GL_ALLOW;
    GL_AUTO(gl_str_done) struct gl_str body = {.ceiling = BODY_MAX};
    char digest[GL_HASH_HEX];

    gl_str_addf(&body,
                "%zu of %zu resources launch; %zu only stand by, %zu are of types that are not "
                "known.\n\n",
                report->launches, report->resources, report->context, report->unmapped);
    if (left_out > 0)
        gl_str_addf(&body, "%zu more findings are not shown.\n\n", left_out);
    if (report->is_demo)
        gl_str_add(&body, "**Demonstration data: nothing here is real.**\n\n");
    add_words(&body, "Source", report->sources);
    add_words(&body, "Waived", report->waivers_applied);
    add_words(&body, "Note", report->notes);
    gl_str_addf(&body, "- **Judged at:** %s\n- **Digest:** `%s`\n", report->point,
                gl_hash_hex(&report->digest, digest));
    json_array_append_new(outcomes,
                          outcome_json(&(struct outcome){.id = "summary",
                                                         .label = is_fine ? "Passed" : "Not green",
                                                         .level = is_fine       ? "info"
                                                                  : is_advisory ? "warning"
                                                                                : "error",
                                                         .severity = is_fine       ? "None"
                                                                     : is_advisory ? "Medium"
                                                                                   : "High",
                                                         .description = report->headline,
                                                         .body = &body}));
}

char *gl_runtask_judged(const struct gl_hook_report *report, bool is_advisory, bool *out_passed)
{
    bool is_fine = report->verdict == GL_ALLOW;
    json_t *outcomes = json_array();
    GL_AUTO(gl_str_done) struct gl_str message = {0};
    size_t shown = report->finding_count < OUTCOMES_MAX ? report->finding_count : OUTCOMES_MAX;

    for (size_t i = 0; i < shown; i++)
        add_finding(report, &report->findings[i], is_advisory, outcomes);
    add_summary(report, is_advisory, report->finding_count - shown, outcomes);
    gl_str_addf(&message, "%s%s", !is_fine && is_advisory ? "advisory, not blocked: " : "",
                report->headline);
    if (out_passed != NULL)
        *out_passed = is_fine || is_advisory;
    return frame(is_fine || is_advisory ? "passed" : "failed", gl_str_text(&message), outcomes);
}
