/* SPDX-License-Identifier: Apache-2.0 */
/* Custom policy check of Atlantis, which reads the verdict from the text, not from the exit status:
 * nothing, a beginning "FAIL" or "N failure" is a refusal, and its manual says that the word in any
 * case is. So what passes never writes it, not even within a name, and what does not begins with
 * the number of failures. One violation a line, for policy_item_regex. */
#include "broker/hook/output_part.h"

static void add_line(enum gl_escape how, const char *label, const char *text, struct gl_str *out)
{
    gl_str_add(out, label);
    gl_escape_add(how, text, out);
    gl_str_add_char(out, '\n');
}

static void add_method(const struct gl_hook_report *report, enum gl_escape how, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_hook_add_method(report, &text);
    add_line(how, "method: ", gl_str_text(&text), out);
    for (const char *const *source = report->sources; source != NULL && *source != NULL; source++)
        add_line(how, "source: ", *source, out);
}

/* What did not stop it is told all the same: warned, waived, known, and all of it when advisory. */
static void add_findings(const struct gl_hook_report *report, enum gl_escape how, bool is_passing,
                         struct gl_str *out)
{
    struct gl_hook_lookup lookup;

    gl_hook_lookup_init(report, &lookup);
    for (size_t i = 0; i < report->finding_count; i++) {
        const struct gl_hook_finding *finding = &report->findings[i];
        bool is_violation = !is_passing && gl_hook_level_of(finding) == GL_HOOK_ERROR;
        GL_AUTO(gl_str_done) struct gl_str text = {0};

        gl_hook_add_story(report, finding, gl_hook_lookup_find(&lookup, finding->intent), &text);
        add_line(how, is_violation ? "violation: " : "note: ", gl_str_text(&text), out);
    }
    gl_hook_lookup_done(&lookup);
}

void gl_hook_out_atlantis(const struct gl_hook_report *report, unsigned columns, struct gl_str *out)
{
    bool is_passing = gl_hook_exit(report) == 0;
    enum gl_escape how = is_passing ? GL_ESCAPE_QUIET : GL_ESCAPE_LOG;
    size_t violations = gl_hook_violations(report);
    GL_AUTO(gl_str_done) struct gl_str headline = {0};

    (void)columns;
    gl_hook_add_headline(report, &headline);
    if (is_passing) {
        gl_str_add(out, "greenlaunch: passed; ");
    } else {
        violations = violations > 0 ? violations : 1;
        gl_str_addf(out, "%zu failure%s; ", violations, violations == 1 ? "" : "s");
    }
    add_line(how, "", gl_str_text(&headline), out);
    add_findings(report, how, is_passing, out);
    add_method(report, how, out);
}
