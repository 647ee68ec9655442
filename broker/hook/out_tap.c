/* SPDX-License-Identifier: Apache-2.0 */
/* Test Anything Protocol, version 13: a line a launch and rule, and a line a launch that meets
 * every rule. */
#include "broker/hook/output_part.h"

static void add_comment(const char *label, const char *text, struct gl_str *out)
{
    gl_str_addf(out, "# %s", label);
    gl_escape_add(GL_ESCAPE_TAP, text, out);
    gl_str_add_char(out, '\n');
}

static void add_head(const struct gl_hook_report *report, size_t cases, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_addf(out, "TAP version 13\n1..%zu", cases);
    gl_str_add(out, cases == 0 ? " # SKIP nothing is launched\n" : "\n");
    gl_hook_add_headline(report, &text);
    add_comment("", gl_str_text(&text), out);
    gl_str_clear(&text);
    gl_hook_add_method(report, &text);
    add_comment("Method: ", gl_str_text(&text), out);
    for (const char *const *source = report->sources; source != NULL && *source != NULL; source++)
        add_comment("Source: ", *source, out);
}

/* What was let pass is skipped with its reason; a warning is a test that passed, with a comment. */
static void add_finding(const struct gl_hook_report *report, const struct gl_hook_finding *finding,
                        const struct gl_judged *judged, size_t number, struct gl_str *out)
{
    bool is_against = gl_hook_level_of(finding) == GL_HOOK_ERROR;
    GL_AUTO(gl_str_done) struct gl_str story = {0};

    gl_hook_add_story(report, finding, judged, &story);
    gl_str_addf(out, "%sok %zu - ", is_against ? "not " : "", number);
    gl_escape_add(GL_ESCAPE_TAP, gl_hook_subject(finding), out);
    gl_str_add(out, ": ");
    gl_escape_add(GL_ESCAPE_TAP, gl_hook_rule_id(finding), out);
    if (finding->state == GL_FINDING_WAIVED || finding->state == GL_FINDING_KNOWN)
        gl_str_addf(out, " # SKIP %s", gl_finding_word(finding->state));
    gl_str_add_char(out, '\n');
    add_comment("  ", gl_str_text(&story), out);
}

static void add_passed(const struct gl_hook_report *report, const struct gl_judged *judged,
                       size_t number, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str evidence = {0};

    gl_str_addf(&evidence, "%s", report->is_demo ? "DEMO: " : "");
    gl_hook_add_evidence(&judged->intensity, &evidence);
    gl_str_addf(out, "ok %zu - ", number);
    gl_escape_add(GL_ESCAPE_TAP, judged->intent->address, out);
    gl_str_add(out, ": every rule\n");
    add_comment("  ", gl_str_text(&evidence), out);
}

void gl_hook_out_tap(const struct gl_hook_report *report, unsigned columns, struct gl_str *out)
{
    size_t number = 0, cases = report->finding_count;
    struct gl_hook_lookup lookup;

    (void)columns;
    gl_hook_lookup_init(report, &lookup);
    for (size_t i = 0; i < report->judged_count; i++)
        cases += gl_hook_lookup_is_clean(&lookup, i);
    add_head(report, cases, out);
    for (size_t i = 0; i < report->finding_count; i++)
        add_finding(report, &report->findings[i],
                    gl_hook_lookup_find(&lookup, report->findings[i].intent), ++number, out);
    for (size_t i = 0; i < report->judged_count; i++)
        if (gl_hook_lookup_is_clean(&lookup, i))
            add_passed(report, &report->judged[i], ++number, out);
    gl_hook_lookup_done(&lookup);
}
