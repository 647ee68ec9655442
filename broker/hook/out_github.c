/* SPDX-License-Identifier: Apache-2.0 */
/* Workflow commands of GitHub Actions and logging commands of Azure Pipelines: annotations beside
 * the code. A runner shows ten a level and step, so the last one says how many more there are. */
#include <string.h>

#include "broker/hook/output_part.h"

#define A_LEVEL ((size_t)10)

struct dialect {
    const char *const *words; /* by level */
    enum gl_escape message, property;
    void (*open)(const struct dialect *dialect, enum gl_hook_level level,
                 const struct gl_source_place *at, const char *title, struct gl_str *out);
};

static void open_github(const struct dialect *dialect, enum gl_hook_level level,
                        const struct gl_source_place *at, const char *title, struct gl_str *out)
{
    gl_str_addf(out, "::%s ", dialect->words[level]);
    if (at != NULL && strcmp(at->file, "-") != 0) {
        gl_str_add(out, "file=");
        gl_escape_add(dialect->property, at->file, out);
        gl_str_addf(out, ",line=%u,", at->line);
    }
    gl_str_add(out, "title=");
    gl_escape_add(dialect->property, title, out);
    gl_str_add(out, "::");
}

static void open_azure(const struct dialect *dialect, enum gl_hook_level level,
                       const struct gl_source_place *at, const char *title, struct gl_str *out)
{
    (void)title;
    if (level == GL_HOOK_NOTE) { /* there is no such type: a plain line */
        gl_str_add(out, "note: ");
        return;
    }
    gl_str_addf(out, "##vso[task.logissue type=%s", dialect->words[level]);
    if (at != NULL && strcmp(at->file, "-") != 0) {
        gl_str_add(out, ";sourcepath=");
        gl_escape_add(dialect->property, at->file, out);
        gl_str_addf(out, ";linenumber=%u", at->line);
    }
    gl_str_add(out, "]");
}

static void add_line(const struct dialect *dialect, enum gl_hook_level level,
                     const struct gl_source_place *at, const char *title, const char *message,
                     struct gl_str *out)
{
    dialect->open(dialect, level, at, title, out);
    gl_escape_add(dialect->message, message, out);
    gl_str_add_char(out, '\n');
}

static void add_level(const struct gl_hook_report *report, const struct gl_hook_lookup *lookup,
                      const struct dialect *dialect, enum gl_hook_level level, struct gl_str *out)
{
    size_t most = level == GL_HOOK_NOTE ? A_LEVEL - 1 : A_LEVEL, count = 0, shown = 0;
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    for (size_t i = 0; i < report->finding_count; i++)
        count += gl_hook_level_of(&report->findings[i]) == level;
    most = count > most ? most - 1 : most;
    for (size_t i = 0; i < report->finding_count && shown < most; i++) {
        const struct gl_hook_finding *finding = &report->findings[i];

        if (gl_hook_level_of(finding) != level)
            continue;
        gl_str_clear(&text);
        gl_hook_add_story(report, finding, gl_hook_lookup_find(lookup, finding->intent), &text);
        add_line(dialect, level, &finding->at, gl_hook_rule_id(finding), gl_str_text(&text), out);
        shown++;
    }
    if (shown == count)
        return;
    gl_str_clear(&text);
    gl_str_addf(&text, "%sand %zu more, none of them worse", report->is_demo ? "DEMO: " : "",
                count - shown);
    add_line(dialect, level, NULL, "greenlaunch", gl_str_text(&text), out);
}

/* The last note of the ten says what was judged, by which method and from which sources. */
static void add_summary(const struct gl_hook_report *report, const struct dialect *dialect,
                        struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_hook_add_headline(report, &text);
    gl_str_add(&text, "; ");
    gl_hook_add_method(report, &text);
    for (const char *const *source = report->sources; source != NULL && *source != NULL; source++)
        gl_str_addf(&text, "; source: %s", *source);
    add_line(dialect, GL_HOOK_NOTE, NULL, "greenlaunch", gl_str_text(&text), out);
}

static void render(const struct gl_hook_report *report, const struct dialect *dialect,
                   struct gl_str *out)
{
    struct gl_hook_lookup lookup;

    gl_hook_lookup_init(report, &lookup);
    for (unsigned level = 0; level < GL_HOOK_LEVELS; level++)
        add_level(report, &lookup, dialect, (enum gl_hook_level)level, out);
    gl_hook_lookup_done(&lookup);
    add_summary(report, dialect, out);
}

void gl_hook_out_github(const struct gl_hook_report *report, unsigned columns, struct gl_str *out)
{
    static const char *const words[] = {"error", "warning", "notice"};
    static const struct dialect github = {words, GL_ESCAPE_COMMAND, GL_ESCAPE_COMMAND_PROPERTY,
                                          open_github};

    (void)columns;
    render(report, &github, out);
}

void gl_hook_out_azure(const struct gl_hook_report *report, unsigned columns, struct gl_str *out)
{
    static const char *const words[] = {"error", "warning", ""};
    static const struct dialect azure = {words, GL_ESCAPE_AZURE, GL_ESCAPE_AZURE_PROPERTY,
                                         open_azure};

    (void)columns;
    render(report, &azure, out);
}
