/* SPDX-License-Identifier: Apache-2.0 */
/* Words that the output formats share. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "broker/hook/output_part.h"
#include "broker/render/decision.h"
#include "broker/render/text.h"

#define SUBJECT_MOST 256 /* bytes of an address in a line */

enum gl_hook_level gl_hook_level_of(const struct gl_hook_finding *finding)
{
    static const enum gl_hook_level levels[] = {
        [GL_FINDING_PASSED] = GL_HOOK_NOTE,   [GL_FINDING_BROKEN] = GL_HOOK_ERROR,
        [GL_FINDING_UNKNOWN] = GL_HOOK_ERROR, [GL_FINDING_WARNED] = GL_HOOK_WARNING,
        [GL_FINDING_WAIVED] = GL_HOOK_NOTE,   [GL_FINDING_KNOWN] = GL_HOOK_NOTE};

    return levels[finding->state];
}

const char *gl_hook_rule_id(const struct gl_hook_finding *finding)
{
    return finding->rule != NULL ? finding->rule->id : GL_HOOK_NOT_JUDGED;
}

const char *gl_hook_subject(const struct gl_hook_finding *finding)
{
    return finding->intent != NULL ? finding->intent->address : "the whole change";
}

int gl_hook_exit(const struct gl_hook_report *report)
{
    return report->is_advisory ? GL_EXIT_OK : report->exit;
}

size_t gl_hook_violations(const struct gl_hook_report *report)
{
    size_t count = 0;

    for (size_t i = 0; i < report->finding_count; i++)
        count += gl_hook_level_of(&report->findings[i]) == GL_HOOK_ERROR;
    return count;
}

/* ---- evidence and method ---- */

static void add_meaning(const struct gl_meaning *meaning, struct gl_str *out)
{
    gl_str_addf(out, "%s-based %s over %s", gl_accounting_word(meaning->accounting),
                gl_rate_word(meaning->rate),
                meaning->boundary == GL_DIRECT ? "direct emissions" : "the lifecycle");
}

void gl_hook_add_evidence(const struct gl_figure *figure, struct gl_str *out)
{
    char number[GL_RENDER_NUMBER];

    if (figure->series == NULL || figure->value_u == GL_UNKNOWN) {
        gl_str_addf(out, "intensity not known: %s", gl_gap_sentence(figure->gap));
        return;
    }
    gl_str_addf(out, "%s gCO2e/kWh, ", gl_render_number(figure->value_u, 1e-6, number));
    add_meaning(&figure->series->meaning, out);
    gl_str_addf(out, ", grade %c, ", gl_grade_letter(figure->grade));
    gl_render_dated(figure->series, figure->age_s, out);
    gl_str_addf(out, ", by %s",
                figure->series->dataset[0] != '\0' ? figure->series->dataset
                                                   : figure->series->provider);
}

struct method {
    const struct gl_meaning *meaning;
    enum gl_grade best, worst;
    int64_t oldest_s; /* GL_UNKNOWN = none with an age */
    bool has_years, is_mixed;
};

static void take_method(struct method *method, const struct gl_figure *figure)
{
    const struct gl_meaning *meaning = &figure->series->meaning;

    if (method->meaning == NULL) {
        method->meaning = meaning;
        method->best = method->worst = figure->grade;
    }
    method->is_mixed |= meaning->accounting != method->meaning->accounting ||
                        meaning->rate != method->meaning->rate ||
                        meaning->boundary != method->meaning->boundary;
    method->best = figure->grade < method->best ? figure->grade : method->best;
    method->worst = figure->grade > method->worst ? figure->grade : method->worst;
    if (gl_render_year(figure->series) != 0)
        method->has_years = true;
    else if (figure->age_s != GL_UNKNOWN &&
             (method->oldest_s == GL_UNKNOWN || figure->age_s > method->oldest_s))
        method->oldest_s = figure->age_s;
}

void gl_hook_add_method(const struct gl_hook_report *report, struct gl_str *out)
{
    struct method method = {.oldest_s = GL_UNKNOWN};
    char age[GL_RENDER_NUMBER];

    for (size_t i = 0; i < report->judged_count; i++)
        if (report->judged[i].intensity.series != NULL)
            take_method(&method, &report->judged[i].intensity);
    if (method.meaning == NULL) {
        gl_str_add(out, "no evidence was used");
        return;
    }
    add_meaning(method.meaning, out);
    if (method.is_mixed)
        gl_str_add(out, ", and others");
    gl_str_addf(out, "; grade %c", gl_grade_letter(method.best));
    if (method.worst != method.best)
        gl_str_addf(out, " to %c", gl_grade_letter(method.worst));
    if (method.oldest_s != GL_UNKNOWN)
        gl_str_addf(out, "; evidence up to %s old", gl_render_age(method.oldest_s, age));
    if (method.has_years)
        gl_str_add(out,
                   method.oldest_s != GL_UNKNOWN ? " and yearly averages" : "; yearly averages");
}

/* ---- lines ---- */

void gl_hook_add_headline(const struct gl_hook_report *report, struct gl_str *out)
{
    size_t start = out->length;

    gl_str_add(out, report->headline);
    for (size_t i = start; i < out->length && out->text[i] != ':'; i++)
        out->text[i] = (char)toupper((unsigned char)out->text[i]);
    if (report->is_advisory && report->exit != GL_EXIT_OK)
        gl_str_add(out, " (advisory: it does not stop the change)");
    if (report->is_demo)
        gl_str_add(out, " (" GL_HOOK_DEMO ")");
}

void gl_hook_add_story(const struct gl_hook_report *report, const struct gl_hook_finding *finding,
                       const struct gl_judged *judged, struct gl_str *out)
{
    if (report->is_demo)
        gl_str_add(out, "DEMO: ");
    gl_escape_visible(gl_hook_subject(finding), SUBJECT_MOST, out);
    gl_str_addf(out, ": %s [%s, %s]", finding->message, gl_hook_rule_id(finding),
                gl_finding_word(finding->state));
    if (judged != NULL) {
        gl_str_add(out, "; ");
        gl_hook_add_evidence(&judged->intensity, out);
    }
    if (judged != NULL && judged->remedy_count > 0 && gl_hook_level_of(finding) == GL_HOOK_ERROR)
        gl_str_addf(out, "; nearest: %s", judged->remedies[0].sentence);
    if (!finding->at.is_sure)
        gl_str_add(out, "; its block was not found, the plan stands for it");
}

/* ---- look-up ---- */

static int compare(const void *left, const void *right)
{
    const struct gl_judged *const *a = left, *const *b = right;

    return ((*a)->intent > (*b)->intent) - ((*a)->intent < (*b)->intent);
}

void gl_hook_lookup_init(const struct gl_hook_report *report, struct gl_hook_lookup *out)
{
    out->count = report->judged_count;
    out->sorted = gl_alloc((out->count + 1) * sizeof *out->sorted);
    for (size_t i = 0; i < out->count; i++)
        out->sorted[i] = &report->judged[i];
    if (out->count > 0)
        qsort(out->sorted, out->count, sizeof *out->sorted, compare);
    out->has_finding = gl_alloc(out->count + 1);
    for (size_t i = 0; i < report->finding_count; i++) {
        const struct gl_judged *judged = gl_hook_lookup_find(out, report->findings[i].intent);

        if (judged != NULL)
            out->has_finding[judged - report->judged] = true;
    }
}

bool gl_hook_lookup_is_clean(const struct gl_hook_lookup *lookup, size_t index)
{
    return !lookup->has_finding[index];
}

const struct gl_judged *gl_hook_lookup_find(const struct gl_hook_lookup *lookup,
                                            const struct gl_intent *intent)
{
    const struct gl_judged wanted = {.intent = intent}, *key = &wanted;
    const struct gl_judged *const *found = NULL;

    if (intent != NULL && lookup->count > 0)
        found = bsearch(&key, lookup->sorted, lookup->count, sizeof *lookup->sorted, compare);
    return found != NULL ? *found : NULL;
}

void gl_hook_lookup_done(struct gl_hook_lookup *lookup)
{
    free(lookup->sorted);
    free(lookup->has_finding);
    *lookup = (struct gl_hook_lookup){0};
}

/* ---- JSON ---- */

void gl_hook_add_json(json_t *document, struct gl_str *out)
{
    char *pretty = gl_json_pretty(document);
    GL_AUTO(gl_str_done) struct gl_str text = {.ceiling = SIZE_MAX / 2};

    gl_str_add(&text, pretty);
    gl_escape_json(&text);
    gl_str_addf(out, "%s\n", gl_str_text(&text));
    free(pretty);
    json_decref(document);
}

json_t *gl_hook_text_json(const char *text)
{
    GL_AUTO(gl_str_done) struct gl_str visible = {0};

    if (text != NULL)
        gl_str_add_printable(&visible, text, strlen(text));
    return json_string(gl_str_text(&visible));
}
