/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/output_part.h"

#include <string.h>

/* Lines go to logs, which runners read for commands. */
static void lines_of_text(const struct gl_hook_report *report, unsigned columns, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_hook_out_text(report, columns, &text);
    gl_escape_lines(&text);
    gl_str_add_bytes(out, gl_str_text(&text), text.length);
}

static const struct gl_hook_output outputs[] = {
    {"text", "for people (default)", lines_of_text, false, false},
    {"json", "the report as data; on standard output in the common envelope", gl_hook_out_json,
     true, true},
    {"sarif", "SARIF 2.1.0, for code scanning", gl_hook_out_sarif, true, true},
    {"junit", "JUnit XML, for test reports of CI servers", gl_hook_out_junit, true, true},
    {"tap", "Test Anything Protocol 13", gl_hook_out_tap, true, false},
    {"markdown", "one comment on a pull request, to be updated in place", gl_hook_out_markdown,
     true, true},
    {"github", "annotations of GitHub Actions", gl_hook_out_github, true, false},
    {"gitlab", "code quality report of GitLab", gl_hook_out_gitlab, true, true},
    {"atlantis", "custom policy check of Atlantis", gl_hook_out_atlantis, true, false},
    {"azuredevops", "issues in the log of Azure Pipelines", gl_hook_out_azure, true, false},
};

const struct gl_hook_output *gl_hook_outputs(size_t *out_count)
{
    *out_count = sizeof outputs / sizeof outputs[0];
    return outputs;
}

const struct gl_hook_output *gl_hook_output_named(const char *name)
{
    for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++)
        if (strcmp(outputs[i].name, name) == 0)
            return &outputs[i];
    return NULL;
}
