/* SPDX-License-Identifier: Apache-2.0 */
/* GitLab code quality: a list of issues; description, check_name, fingerprint, severity and
 * location are what GitLab reads. */
#include <string.h>

#include "broker/hook/output_part.h"

static const char *severity_of(enum gl_finding_state state)
{
    static const char *const words[] = {
        [GL_FINDING_PASSED] = "info",   [GL_FINDING_BROKEN] = "critical",
        [GL_FINDING_UNKNOWN] = "major", [GL_FINDING_WARNED] = "minor",
        [GL_FINDING_WAIVED] = "info",   [GL_FINDING_KNOWN] = "info"};

    return words[state];
}

static json_t *issue_json(const char *description, const char *check, const char *fingerprint,
                          const char *severity, const struct gl_source_place *at)
{
    const char *path = at->file;

    while (path[0] == '.' && path[1] == '/')
        path += 2;
    return json_pack("{s:o,s:o,s:s,s:s,s:{s:o,s:{s:I}}}", "description",
                     gl_hook_text_json(description), "check_name", gl_hook_text_json(check),
                     "fingerprint", fingerprint, "severity", severity, "location", "path",
                     gl_hook_text_json(path), "lines", "begin",
                     (json_int_t)(at->line > 0 ? at->line : 1));
}

/* How it was judged, as an issue of its own: the format has no other place for it. */
static json_t *summary_json(const struct gl_hook_report *report)
{
    const struct gl_source_place at = {
        .file = report->plan_count > 0 ? report->plans[0]->file : "-", .line = 1};
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    char digest[GL_HASH_HEX];

    gl_hook_add_headline(report, &text);
    gl_str_add(&text, "; ");
    gl_hook_add_method(report, &text);
    return issue_json(gl_str_text(&text), "greenlaunch-method",
                      gl_hash_hex(&report->digest, digest), "info", &at);
}

void gl_hook_out_gitlab(const struct gl_hook_report *report, unsigned columns, struct gl_str *out)
{
    json_t *issues = json_array();
    struct gl_hook_lookup lookup;

    (void)columns;
    gl_hook_lookup_init(report, &lookup);
    for (size_t i = 0; i < report->finding_count; i++) {
        const struct gl_hook_finding *finding = &report->findings[i];
        GL_AUTO(gl_str_done) struct gl_str text = {0};

        gl_hook_add_story(report, finding, gl_hook_lookup_find(&lookup, finding->intent), &text);
        json_array_append_new(issues, issue_json(gl_str_text(&text), gl_hook_rule_id(finding),
                                                 finding->fingerprint, severity_of(finding->state),
                                                 &finding->at));
    }
    gl_hook_lookup_done(&lookup);
    if (report->finding_count > 0 || report->is_demo)
        json_array_append_new(issues, summary_json(report));
    gl_hook_add_json(issues, out);
}
