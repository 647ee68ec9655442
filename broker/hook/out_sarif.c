/* SPDX-License-Identifier: Apache-2.0 */
/* SARIF 2.1.0 (OASIS, errata 01) within the limits of GitHub code scanning: 25,000 results a run,
 * of which the first 5,000 are shown; relative URIs; fingerprints that do not move with lines. */
#include <string.h>

#include "base/time.h"
#include "broker/hook/output_part.h"

#define RESULTS_MAX ((size_t)25000)
#define SHOWN_MAX   ((size_t)5000)
#define STDIN_URI   "standard-input"

static const char *const level_words[] = {"error", "warning", "note"};

/* ---- rules ---- */

/* The rules of the policy, then the row for what no rule was reached on. */
static size_t rule_index(const struct gl_hook_report *report, const struct gl_rule *rule)
{
    const struct gl_policy *policy = report->policy;

    for (size_t i = 0; i < policy->rule_count; i++)
        if (&policy->rules[i] == rule)
            return i;
    return policy->rule_count + (rule == &gl_hook_budgets);
}

static bool has_budgets(const struct gl_hook_report *report)
{
    for (size_t i = 0; i < report->finding_count; i++)
        if (report->findings[i].rule == &gl_hook_budgets)
            return true;
    return false;
}

static json_t *rule_json(const char *id, const char *text)
{
    return json_pack("{s:o,s:{s:o},s:{s:s},s:{s:[s,s]}}", "id", gl_hook_text_json(id),
                     "shortDescription", "text", gl_hook_text_json(text), "defaultConfiguration",
                     "level", "error", "properties", "tags", "carbon", "infrastructure-as-code");
}

static json_t *rules_json(const struct gl_hook_report *report)
{
    const struct gl_policy *policy = report->policy;
    json_t *rules = json_array();

    for (size_t i = 0; i < policy->rule_count; i++) {
        GL_AUTO(gl_str_done) struct gl_str text = {0};

        gl_str_addf(&text, "A launch must meet rule %s of the carbon policy", policy->rules[i].id);
        json_array_append_new(rules, rule_json(policy->rules[i].id, gl_str_text(&text)));
    }
    json_array_append_new(
        rules, rule_json(GL_HOOK_NOT_JUDGED, "A launch must be known well enough to be judged"));
    if (has_budgets(report))
        json_array_append_new(
            rules, rule_json(gl_hook_budgets.id, "A change must fit the budgets of its accounts"));
    return rules;
}

/* ---- results ---- */

static json_t *location_json(const struct gl_hook_finding *finding)
{
    GL_AUTO(gl_str_done) struct gl_str uri = {0};
    bool is_stdin = strcmp(finding->at.file, "-") == 0;

    gl_escape_uri(is_stdin ? STDIN_URI : finding->at.file, &uri);
    return json_pack("{s:{s:{s:s},s:{s:I}},s:[{s:o,s:s}]}", "physicalLocation", "artifactLocation",
                     "uri", gl_str_text(&uri), "region", "startLine",
                     (json_int_t)(finding->at.line > 0 ? finding->at.line : 1), "logicalLocations",
                     "fullyQualifiedName", gl_hook_text_json(gl_hook_subject(finding)), "kind",
                     "resource");
}

/* What let a finding pass, as a suppression from outside the code. */
static void add_suppression(const struct gl_hook_finding *finding, json_t *result)
{
    const struct gl_waiver *waiver = finding->reason.waiver;
    GL_AUTO(gl_str_done) struct gl_str why = {0};

    if (finding->state == GL_FINDING_KNOWN) {
        gl_str_add(&why, "known: in the baseline, and not worse");
    } else if (finding->state == GL_FINDING_WAIVED) {
        char until[GL_INSTANT_TEXT];

        gl_str_add(&why, "waived");
        if (waiver != NULL)
            gl_str_addf(&why, " by %s until %.10s: %s", waiver->owner,
                        gl_instant_text(waiver->expires, until), waiver->reason);
    } else {
        return;
    }
    json_object_set_new(result, "suppressions",
                        json_pack("[{s:s,s:s,s:o}]", "kind", "external", "status", "accepted",
                                  "justification", gl_hook_text_json(gl_str_text(&why))));
}

/* Viewers make a link of [words](target): SARIF 2.1.0, 3.11.6 has the brackets escaped then. */
static json_t *message_json(const char *text)
{
    GL_AUTO(gl_str_done) struct gl_str out = {0};

    if (strstr(text, "](") == NULL)
        return gl_hook_text_json(text);
    for (; *text != '\0'; text++)
        gl_str_addf(&out, *text == '[' || *text == ']' ? "\\%c" : "%c", *text);
    return gl_hook_text_json(gl_str_text(&out));
}

static json_t *result_json(const struct gl_hook_report *report,
                           const struct gl_hook_finding *finding, const struct gl_judged *judged)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    json_t *result;

    gl_hook_add_story(report, finding, judged, &text);
    result = json_pack("{s:o,s:I,s:s,s:s,s:{s:o},s:[o],s:{s:s,s:s},s:{s:s,s:o}}", "ruleId",
                       gl_hook_text_json(gl_hook_rule_id(finding)), "ruleIndex",
                       (json_int_t)rule_index(report, finding->rule), "level",
                       level_words[gl_hook_level_of(finding)], "kind", "fail", "message", "text",
                       message_json(gl_str_text(&text)), "locations", location_json(finding),
                       "partialFingerprints", "primaryLocationLineHash", finding->fingerprint,
                       "greenlaunch/v1", finding->fingerprint, "properties", "state",
                       gl_finding_word(finding->state), "rulePlace",
                       gl_hook_text_json(finding->rule_place));
    add_suppression(finding, result);
    return result;
}

static json_t *results_json(const struct gl_hook_report *report)
{
    json_t *results = json_array();
    struct gl_hook_lookup lookup;

    gl_hook_lookup_init(report, &lookup);
    for (size_t i = 0; i < report->finding_count && i < RESULTS_MAX; i++)
        json_array_append_new(
            results, result_json(report, &report->findings[i],
                                 gl_hook_lookup_find(&lookup, report->findings[i].intent)));
    gl_hook_lookup_done(&lookup);
    return results;
}

/* ---- the run ---- */

static void add_notice(json_t *list, const char *level, const struct gl_str *text)
{
    json_array_append_new(list, json_pack("{s:s,s:{s:o}}", "level", level, "message", "text",
                                          message_json(gl_str_text(text))));
}

static json_t *notices_json(const struct gl_hook_report *report)
{
    json_t *list = json_array();
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    if (report->is_demo) {
        gl_str_add(&text, GL_HOOK_DEMO);
        add_notice(list, "warning", &text);
        gl_str_clear(&text);
    }
    gl_str_add(&text, "Method: ");
    gl_hook_add_method(report, &text);
    add_notice(list, "note", &text);
    for (const char *const *note = report->notes; note != NULL && *note != NULL; note++) {
        gl_str_clear(&text);
        gl_str_add(&text, *note);
        add_notice(list, "note", &text);
    }
    gl_str_clear(&text);
    if (report->finding_count > RESULTS_MAX)
        gl_str_addf(&text, "%zu of %zu results are left out, none of them worse",
                    report->finding_count - RESULTS_MAX, report->finding_count);
    else if (report->finding_count > SHOWN_MAX)
        gl_str_addf(&text, "code scanning shows the first %zu of %zu results, the worst", SHOWN_MAX,
                    report->finding_count);
    if (text.length > 0)
        add_notice(list, "warning", &text);
    return list;
}

static json_t *invocation_json(const struct gl_hook_report *report)
{
    char at[GL_INSTANT_TEXT];
    GL_AUTO(gl_str_done) struct gl_str headline = {0};

    gl_hook_add_headline(report, &headline);
    return json_pack(
        "{s:b,s:i,s:o,s:s,s:o}", "executionSuccessful", 1, "exitCode", gl_hook_exit(report),
        "exitCodeDescription", gl_hook_text_json(gl_str_text(&headline)), "endTimeUtc",
        gl_instant_text(report->at, at), "toolExecutionNotifications", notices_json(report));
}

void gl_hook_out_sarif(const struct gl_hook_report *report, unsigned columns, struct gl_str *out)
{
    char digest[GL_HASH_HEX];
    json_t *run = json_pack("{s:{s:{s:s,s:s,s:o}},s:s,s:{s:s},s:[o],s:o,s:{s:s,s:b}}", "tool",
                            "driver", "name", "greenlaunch", "version", GL_VERSION, "rules",
                            rules_json(report), "columnKind", "utf16CodeUnits", "automationDetails",
                            "id", "greenlaunch/hook/", "invocations", invocation_json(report),
                            "results", results_json(report), "properties", "digest",
                            gl_hash_hex(&report->digest, digest), "isDemo", report->is_demo);

    (void)columns;
    gl_hook_add_json(json_pack("{s:s,s:s,s:[o]}", "$schema",
                               "https://json.schemastore.org/sarif-2.1.0.json", "version", "2.1.0",
                               "runs", run),
                     out);
}
