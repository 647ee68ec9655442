/* SPDX-License-Identifier: Apache-2.0 */
/* Running a test file: every case against the policy and, when asked, against every loosened one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/context.h"
#include "broker/interrupt.h"
#include "broker/policytest/policytest.h"

#define REASONS_MAX       256
#define REFUSED_LOOKED_AT 50 /* best-ranked offers whose every reason counts as coverage */

/* A suite under way. */
struct suite {
    struct gl_test_file file;
    struct gl_test_world world;
    struct gl_policy *policy;
    struct gl_arena arena;
    struct gl_test_mutant *mutants;
    size_t mutant_count;
    size_t *allowed, *refused; /* cases, by rule */
    struct gl_test_report *report;
};

static void suite_done(struct suite *suite)
{
    gl_policy_free(suite->policy);
    gl_test_world_done(&suite->world);
    gl_test_done(&suite->file);
    gl_arena_done(&suite->arena);
    free(suite->allowed);
    free(suite->refused);
}

/* Takes `message`. */
static void add_point(struct suite *suite, const char *name, char *message, const char *verdict)
{
    struct gl_test_report *report = suite->report;

    report->points = gl_realloc(report->points, (report->count + 1) * sizeof *report->points);
    report->points[report->count++] =
        (struct gl_test_point){gl_strdup(suite->file.path), gl_strdup(name), message, verdict};
    report->failed += message != NULL;
}

/* ---- coverage ---- */

/* What one offer says of each rule: bit 0 satisfied, bit 1 not. */
static void mark_rules(const struct gl_question *question, uint32_t offer, unsigned char *marks)
{
    GL_AUTO(gl_auto_free) struct gl_reason *reasons = gl_alloc(REASONS_MAX * sizeof *reasons);
    size_t count = gl_judge_all(question, offer, reasons, REASONS_MAX);

    for (size_t i = 0; i < count; i++)
        for (size_t r = 0; reasons[i].rule != NULL && r < question->policy->rule_count; r++)
            if (&question->policy->rules[r] == reasons[i].rule)
                marks[r] |= reasons[i].outcome == GL_SATISFIED ? 1 : 2;
}

/* A rule allows in a case when the offer that comes first is allowed and it speaks about it; it
 * refuses when nothing is allowed and it holds against an offer. */
static void note_coverage(struct suite *suite, const struct gl_question *question,
                          const struct gl_decision *decision)
{
    size_t rules = suite->policy->rule_count;
    size_t ranked = decision->judged - decision->not_asked;
    GL_AUTO(gl_auto_free) unsigned char *marks = gl_alloc(rules + 1);

    if (decision->verdict == GL_ALLOW)
        mark_rules(question, decision->ranked[0], marks);
    for (size_t i = 0; decision->verdict != GL_ALLOW && i < ranked && i < REFUSED_LOOKED_AT; i++)
        mark_rules(question, decision->ranked[i], marks);
    for (size_t r = 0; r < rules; r++) {
        suite->allowed[r] += decision->verdict == GL_ALLOW && (marks[r] & 1) != 0;
        suite->refused[r] += decision->verdict != GL_ALLOW && (marks[r] & 2) != 0;
    }
}

static void report_coverage(struct suite *suite, bool is_required)
{
    for (size_t r = 0; r < suite->policy->rule_count; r++) {
        const char *id = suite->policy->rules[r].id;
        GL_AUTO(gl_str_done) struct gl_str name = {0};
        struct gl_str message = {0};

        json_array_append_new(suite->report->coverage,
                              json_pack("{s:s,s:s,s:I,s:I}", "file", suite->file.path, "rule", id,
                                        "allowed", (json_int_t)suite->allowed[r], "refused",
                                        (json_int_t)suite->refused[r]));
        if (!is_required)
            continue;
        gl_str_addf(&name, "coverage of rule %s", id);
        if (suite->allowed[r] == 0)
            gl_str_add(&message, "no case that it allows");
        if (suite->refused[r] == 0)
            gl_str_addf(&message, "%sno case that it refuses", message.length > 0 ? ", " : "");
        add_point(suite, gl_str_text(&name), message.length > 0 ? gl_str_take(&message) : NULL,
                  NULL);
    }
}

static void report_mutants(struct suite *suite)
{
    for (size_t i = 0; i < suite->mutant_count; i++) {
        const struct gl_test_mutant *mutant = &suite->mutants[i];
        GL_AUTO(gl_str_done) struct gl_str name = {0};

        gl_str_addf(&name, "noticed: %s", mutant->text);
        add_point(suite, gl_str_text(&name),
                  mutant->is_noticed ? NULL : gl_strdup("every case still passes"), NULL);
    }
}

/* ---- cases ---- */

/* A loosened policy that fails a case which the original passes is noticed. */
static void try_mutants(struct suite *suite, const struct gl_test_case *one,
                        const struct gl_question *question)
{
    for (size_t i = 0; i < suite->mutant_count; i++) {
        struct gl_test_mutant *mutant = &suite->mutants[i];
        struct gl_question loosened = *question;
        GL_AUTO(gl_auto_free) char *message = NULL;

        if (mutant->is_noticed)
            continue;
        loosened.policy = &mutant->policy;
        message = gl_test_judge(one, &loosened, NULL);
        mutant->is_noticed = message != NULL;
    }
}

static int run_case(struct suite *suite, const struct gl_test_case *one,
                    const struct gl_world *clock, struct gl_error *err)
{
    struct gl_request request = one->request;
    struct gl_test_offers offers;
    struct gl_question question = {.policy = suite->policy, .request = &request};
    struct gl_decision *decision;
    char *message;

    if (gl_interrupted())
        return gl_interrupt_fail(err, "policy test: not every case was judged");
    question.now.unix_s = one->at_s != GL_UNKNOWN ? one->at_s : suite->world.now_s;
    if (question.now.unix_s == GL_UNKNOWN)
        return gl_fail(err, GL_E_BAD_VALUE,
                       "%s: case \"%s\" has no clock: write \"clock\" in the file, \"now\" in the "
                       "world or \"at\" in the case",
                       suite->file.path, one->name);
    request.load = (double)one->load_ppm / 1e6;
    request.start = request.latest_start = question.now;
    if (one->start_by_s != GL_UNKNOWN)
        request.latest_start.unix_s = one->start_by_s;
    if (gl_test_offers_gather(&suite->world, one, &request, clock, &offers, err) != 0)
        return -1;
    question.offers = offers.offers;
    question.offer_count = offers.count;
    message = gl_test_judge(one, &question, &decision);
    note_coverage(suite, &question, decision);
    if (message == NULL)
        try_mutants(suite, one, &question);
    add_point(suite, one->name, message, gl_verdict_word(decision->verdict));
    gl_decision_free(decision);
    gl_test_offers_done(&offers);
    return 0;
}

static int load(struct suite *suite, const char *path, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct gl_diagnostics *diagnostics = gl_alloc(sizeof *diagnostics);
    size_t rules;

    if (gl_test_read(path, &suite->file, err) != 0)
        return -1;
    suite->policy = gl_policy_read(suite->file.policy, suite->file.waivers, diagnostics, err);
    if (suite->policy == NULL ||
        gl_test_world_read(suite->file.world, suite->file.clock_s, &suite->world, err) != 0)
        return -1;
    rules = suite->policy->rule_count;
    suite->allowed = gl_alloc((rules + 1) * sizeof *suite->allowed);
    suite->refused = gl_alloc((rules + 1) * sizeof *suite->refused);
    return 0;
}

int gl_test_run(const char *path, const struct gl_test_options *options,
                const struct gl_world *world, struct gl_test_report *report, struct gl_error *err)
{
    struct suite suite = {.report = report};
    int status = load(&suite, path, err);

    if (report->coverage == NULL)
        report->coverage = json_array();
    if (status == 0 && options->mutates)
        suite.mutant_count = gl_test_mutants(suite.policy, &suite.arena, &suite.mutants);
    for (size_t i = 0; status == 0 && i < suite.file.count; i++)
        status = run_case(&suite, &suite.file.cases[i], world, err);
    if (status == 0) {
        report_coverage(&suite, options->requires_coverage);
        report_mutants(&suite);
    }
    suite_done(&suite);
    return status;
}

void gl_test_report_done(struct gl_test_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        free(report->points[i].file);
        free(report->points[i].name);
        free(report->points[i].message);
    }
    free(report->points);
    json_decref(report->coverage);
    *report = (struct gl_test_report){0};
}
