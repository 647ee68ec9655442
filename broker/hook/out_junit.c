/* SPDX-License-Identifier: Apache-2.0 */
/* JUnit XML as CI servers read it: a suite a plan, a case a launch and rule. Broken is a failure,
 * unknown an error, what was let pass is skipped, a launch that meets every rule is a case that
 * passed. */
#include <string.h>

#include "base/time.h"
#include "broker/hook/output_part.h"

struct counts {
    size_t cases, failures, errors, skipped;
};

static const char *element_of(enum gl_finding_state state)
{
    static const char *const elements[] = {
        [GL_FINDING_PASSED] = NULL,      [GL_FINDING_BROKEN] = "failure",
        [GL_FINDING_UNKNOWN] = "error",  [GL_FINDING_WARNED] = NULL,
        [GL_FINDING_WAIVED] = "skipped", [GL_FINDING_KNOWN] = "skipped"};

    return elements[state];
}

static void count_finding(enum gl_finding_state state, struct counts *counts)
{
    counts->cases++;
    counts->failures += state == GL_FINDING_BROKEN;
    counts->errors += state == GL_FINDING_UNKNOWN;
    counts->skipped += state == GL_FINDING_WAIVED || state == GL_FINDING_KNOWN;
}

static void add_attribute(const char *name, const char *value, struct gl_str *out)
{
    gl_str_addf(out, " %s=\"", name);
    gl_escape_add(GL_ESCAPE_XML, value, out);
    gl_str_add_char(out, '"');
}

static void add_counts(const struct counts *counts, struct gl_str *out)
{
    gl_str_addf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\"",
                counts->cases, counts->failures, counts->errors, counts->skipped);
}

static void open_case(const char *class, const char *name, const struct gl_source_place *at,
                      struct gl_str *out)
{
    gl_str_add(out, "    <testcase");
    add_attribute("classname", class, out);
    add_attribute("name", name, out);
    if (at != NULL)
        add_attribute("file", at->file, out);
    if (at != NULL && at->is_sure)
        gl_str_addf(out, " line=\"%u\"", at->line);
}

static void add_finding(const struct gl_hook_report *report, const struct gl_hook_finding *finding,
                        const struct gl_judged *judged, struct gl_str *out)
{
    const char *element = element_of(finding->state);
    GL_AUTO(gl_str_done) struct gl_str story = {0};
    GL_AUTO(gl_str_done) struct gl_str name = {0};

    gl_hook_add_story(report, finding, judged, &story);
    gl_str_addf(&name, "%s: %s", gl_hook_subject(finding), gl_hook_rule_id(finding));
    open_case(gl_hook_rule_id(finding), gl_str_text(&name), &finding->at, out);
    gl_str_add(out, ">\n      ");
    if (element != NULL) {
        gl_str_addf(out, "<%s", element);
        if (strcmp(element, "skipped") != 0)
            add_attribute("type", gl_finding_word(finding->state), out);
        add_attribute("message", gl_str_text(&story), out);
        gl_str_add(out, "/>");
    } else {
        gl_str_add(out, "<system-out>");
        gl_escape_add(GL_ESCAPE_XML, gl_str_text(&story), out);
        gl_str_add(out, "</system-out>");
    }
    gl_str_add(out, "\n    </testcase>\n");
}

/* Launches of the plan, or of none: the whole change. */
struct suite {
    const struct gl_hook_report *report;
    const struct gl_hook_plan *plan;
    struct gl_hook_lookup lookup;
    struct counts counts;
    struct gl_str cases;
};

static void add_passed(struct suite *suite, const struct gl_judged *judged)
{
    GL_AUTO(gl_str_done) struct gl_str evidence = {0};
    GL_AUTO(gl_str_done) struct gl_str name = {0};

    suite->counts.cases++;
    gl_hook_add_evidence(&judged->intensity, &evidence);
    gl_str_addf(&name, "%s: every rule", judged->intent->address);
    open_case("every-rule", gl_str_text(&name), &judged->at, &suite->cases);
    gl_str_addf(&suite->cases, ">\n      <system-out>%s", suite->report->is_demo ? "DEMO: " : "");
    gl_escape_add(GL_ESCAPE_XML, gl_str_text(&evidence), &suite->cases);
    gl_str_add(&suite->cases, "</system-out>\n    </testcase>\n");
}

static void fill_suite(struct suite *suite)
{
    const struct gl_hook_report *report = suite->report;

    for (size_t i = 0; i < report->finding_count; i++) {
        const struct gl_hook_finding *finding = &report->findings[i];

        if (finding->plan != suite->plan)
            continue;
        count_finding(finding->state, &suite->counts);
        add_finding(report, finding, gl_hook_lookup_find(&suite->lookup, finding->intent),
                    &suite->cases);
    }
    for (size_t i = 0; i < report->judged_count; i++)
        if (report->judged[i].plan == suite->plan && gl_hook_lookup_is_clean(&suite->lookup, i))
            add_passed(suite, &report->judged[i]);
}

static void add_property(const char *name, const char *value, struct gl_str *out)
{
    gl_str_add(out, "      <property");
    add_attribute("name", name, out);
    add_attribute("value", value, out);
    gl_str_add(out, "/>\n");
}

static void add_properties(const struct gl_hook_report *report, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    char digest[GL_HASH_HEX];

    gl_str_add(out, "    <properties>\n");
    gl_hook_add_headline(report, &text);
    add_property("verdict", gl_str_text(&text), out);
    gl_str_clear(&text);
    gl_hook_add_method(report, &text);
    add_property("method", gl_str_text(&text), out);
    add_property("digest", gl_hash_hex(&report->digest, digest), out);
    if (report->is_demo)
        add_property("demo", GL_HOOK_DEMO, out);
    for (const char *const *source = report->sources; source != NULL && *source != NULL; source++)
        add_property("source", *source, out);
    gl_str_add(out, "    </properties>\n");
}

void gl_hook_out_junit(const struct gl_hook_report *report, unsigned columns, struct gl_str *out)
{
    char at[GL_INSTANT_TEXT];
    struct counts all = {0};
    GL_AUTO(gl_str_done) struct gl_str suites = {0};
    struct suite suite = {.report = report};

    (void)columns;
    gl_hook_lookup_init(report, &suite.lookup);
    for (size_t i = 0; i < report->plan_count; i++) {
        suite.plan = report->plans[i];
        suite.counts = (struct counts){0};
        gl_str_clear(&suite.cases);
        fill_suite(&suite);
        gl_str_add(&suites, "  <testsuite");
        add_attribute("name", suite.plan->file, &suites);
        add_counts(&suite.counts, &suites);
        gl_str_addf(&suites, " time=\"0\" timestamp=\"%.19s\">\n", gl_instant_text(report->at, at));
        add_properties(report, &suites);
        gl_str_addf(&suites, "%s  </testsuite>\n", gl_str_text(&suite.cases));
        all.cases += suite.counts.cases;
        all.failures += suite.counts.failures;
        all.errors += suite.counts.errors;
        all.skipped += suite.counts.skipped;
    }
    gl_str_add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"greenlaunch\"");
    add_counts(&all, out);
    gl_str_addf(out, " time=\"0\">\n%s</testsuites>\n", gl_str_text(&suites));
    gl_hook_lookup_done(&suite.lookup);
    gl_str_done(&suite.cases);
}
