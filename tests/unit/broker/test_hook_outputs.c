/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/broker/hook_world.h"

#include <ctype.h>
#include <expat.h>

#include "base/json.h"

#define CLEAN "greenlaunch: 1\nid: p\nrules:\n  - {id: clean, max_intensity: 100 g/kWh}\n"
/* Whoever opens a pull request names resources. */
#define HOSTILE                                                                                \
    "a\x1b[2J\n::error::x\n##vso[task.setvariable]y @all <img src=x> `b` |c| [d](http://e) # " \
    "SKIP "                                                                                    \
    "\xe2\x80\xae"                                                                             \
    "f"

static struct hook_world world;
static struct gl_policy *policy;
static struct gl_hook_report *report;
static struct gl_str out;

static void begin(void)
{
    gl_hook_report_free(report);
    gl_policy_free(policy);
    report = NULL;
    policy = world_policy(CLEAN);
    world_init(&world, policy);
}

static void judge(void)
{
    gl_hook_report_free(report);
    report = gl_hook_judge(&world.ask);
}

static int end(void **state)
{
    (void)state;
    gl_hook_report_free(report);
    gl_policy_free(policy);
    gl_str_done(&out);
    report = NULL;
    policy = NULL;
    return 0;
}

static const char *render_of(const struct gl_hook_report *of, const char *name)
{
    const struct gl_hook_output *output = gl_hook_output_named(name);

    assert_non_null(output);
    gl_str_clear(&out);
    output->render(of, 80, &out);
    assert_false(out.is_cut);
    return gl_str_text(&out);
}

static const char *render(const char *name)
{
    return render_of(report, name);
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;

    for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what))
        count++;
    return count;
}

/* One clean, one dirty, one of unknown place. */
static void three(void)
{
    begin();
    world_add(&world, GL_CHANGE_CREATE, "eu-north-1", "m5.large");
    world_add(&world, GL_CHANGE_CREATE, "us-east-1", "m5.large");
    world_add(&world, GL_CHANGE_CREATE, NULL, "m5.large");
    judge();
}

/* The report with its findings so many times, worst first. */
static struct gl_hook_report many(size_t count, struct gl_hook_finding **out_findings)
{
    struct gl_hook_report big = *report;
    struct gl_hook_finding *findings = gl_alloc(count * sizeof *findings);

    for (size_t i = 0; i < count; i++) {
        findings[i] = report->findings[0];
        snprintf(findings[i].fingerprint, sizeof findings[i].fingerprint, "%032zx", i);
    }
    big.findings = *out_findings = findings;
    big.finding_count = count;
    return big;
}

/* ---- what holds for all ---- */

static void every_format_says_demo_method_and_source(void **state)
{
    size_t count;
    const struct gl_hook_output *outputs = gl_hook_outputs(&count);

    (void)state;
    three();
    for (size_t i = 0; i < count; i++)
        assert_null(strstr(render(outputs[i].name), "DEMO"));
    world.ask.is_demo = true;
    judge();
    for (size_t i = 0; i < count; i++) {
        bool is_json = strcmp(outputs[i].name, "json") == 0;
        const char *text = render(outputs[i].name);

        assert_non_null(strstr(text, is_json ? "\"is_demo\": true" : "DEMO: simulated"));
        assert_non_null(strstr(text, is_json ? "\"accounting\": \"location\"" : "location-based"));
        assert_non_null(strstr(text, is_json ? "\"grade\"" : "grade"));
        assert_non_null(strstr(text, is_json ? "\"age_s\"" : " old"));
    }
}

static void check_hostile(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        assert_true(*c == '\n' || ((unsigned char)*c >= 0x20 && *c != 0x7f));
    assert_null(strstr(text, "\xe2\x80\xae"));
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += strspn(line, " \n");
        assert_int_not_equal(strncmp(line, "::error::x", 10), 0);
    }
    assert_null(strstr(text, "##vso[task.setvariable]"));
}

static void no_format_obeys_a_name(void **state)
{
    size_t count;
    const struct gl_hook_output *outputs = gl_hook_outputs(&count);

    (void)state;
    begin();
    world_add(&world, GL_CHANGE_CREATE, "us-east-1", "m5.large")->address = HOSTILE;
    world_add(&world, GL_CHANGE_CREATE, "eu-north-1", "m5.large")->address = HOSTILE "2";
    world_add(&world, GL_CHANGE_CREATE, HOSTILE, HOSTILE);
    world.plan.file = "p\n::error::x.json";
    judge();
    for (size_t i = 0; i < count; i++)
        check_hostile(render(outputs[i].name));
    assert_null(strstr(render("junit"), "<img"));
    /* In Markdown a name is in a code span, in which nothing counts, and the table stays one. */
    render("markdown");
    for (const char *row = strstr(out.text, "\n| "); row != NULL; row = strstr(row + 1, "\n| ")) {
        size_t pipes = 0;

        for (const char *c = row + 1; *c != '\n'; c++)
            pipes += *c == '|' && c[-1] != '\\';
        assert_true(pipes == 6 || pipes == 9);
    }
}

/* ---- SARIF ---- */

static json_t *parse(const char *text)
{
    struct gl_error err = {0};
    json_t *json = gl_json_parse(text, strlen(text), "output", &err);

    assert_non_null(json);
    return json;
}

static const json_t *at(const json_t *json, const char *path)
{
    char name[64];

    while (*path != '\0') {
        size_t length = strcspn(path, ".");

        snprintf(name, sizeof name, "%.*s", (int)length, path);
        json = isdigit((unsigned char)name[0]) ? json_array_get(json, (size_t)atoi(name))
                                               : json_object_get(json, name);
        assert_non_null(json);
        path += length + (path[length] == '.');
    }
    return json;
}

static void check_result(const json_t *run, const json_t *result)
{
    char rule[64];
    const char *uri =
        json_string_value(at(result, "locations.0.physicalLocation.artifactLocation.uri"));

    snprintf(rule, sizeof rule, "tool.driver.rules.%lld.id",
             (long long)json_integer_value(at(result, "ruleIndex")));
    assert_string_equal(json_string_value(at(run, rule)), json_string_value(at(result, "ruleId")));
    assert_true(json_integer_value(at(result, "locations.0.physicalLocation.region.startLine")) >=
                1);
    assert_null(strchr(uri, ':'));
    assert_true(*uri != '/');
    assert_int_equal(
        strlen(json_string_value(at(result, "partialFingerprints.primaryLocationLineHash"))), 32);
    assert_non_null(json_string_value(at(result, "message.text")));
}

static void sarif_has_its_rules_and_places(void **state)
{
    json_t *json;
    const json_t *run, *result;
    size_t i;

    (void)state;
    three();
    json = parse(render("sarif"));
    run = at(json, "runs.0");
    assert_string_equal(json_string_value(at(json, "version")), "2.1.0");
    assert_int_equal(json_integer_value(at(run, "invocations.0.exitCode")), GL_EXIT_REFUSED);
    assert_int_equal(json_array_size(at(run, "results")), 2);
    json_array_foreach(at(run, "results"), i, result)
    {
        check_result(run, result);
        assert_string_equal(json_string_value(at(result, "level")), "error");
        assert_null(json_object_get(result, "suppressions"));
    }
    json_decref(json);
    world.ask.is_advisory = true;
    judge();
    json = parse(render("sarif"));
    assert_int_equal(json_integer_value(at(json, "runs.0.invocations.0.exitCode")), GL_EXIT_OK);
    json_decref(json);
}

static void what_was_let_pass_is_suppressed(void **state)
{
    static const struct gl_waiver waiver = {
        .rule = "clean", .owner = "ops", .reason = "until \x1bthe move", .expires = {NOW + DAY}};
    struct gl_hook_finding *findings;
    struct gl_hook_report big;
    json_t *json;

    (void)state;
    three();
    big = many(3, &findings);
    findings[0].state = GL_FINDING_WAIVED;
    findings[0].reason.waiver = &waiver;
    findings[1].state = GL_FINDING_KNOWN;
    findings[2].state = GL_FINDING_WARNED;
    json = parse(render_of(&big, "sarif"));
    assert_string_equal(json_string_value(at(json, "runs.0.results.0.level")), "note");
    assert_non_null(
        strstr(json_string_value(at(json, "runs.0.results.0.suppressions.0.justification")),
               "by ops until "));
    assert_non_null(
        strstr(json_string_value(at(json, "runs.0.results.0.suppressions.0.justification")),
               "until \\x1bthe move"));
    assert_non_null(at(json, "runs.0.results.1.suppressions.0.kind"));
    assert_string_equal(json_string_value(at(json, "runs.0.results.2.level")), "warning");
    assert_null(json_object_get(at(json, "runs.0.results.2"), "suppressions"));
    json_decref(json);
    render_of(&big, "tap");
    assert_int_equal(count_of(out.text, "# SKIP waived"), 1);
    assert_int_equal(count_of(out.text, "# SKIP known"), 1);
    assert_int_equal(count_of(out.text, "not ok"), 0);
    render_of(&big, "junit");
    assert_int_equal(count_of(out.text, "<skipped"), 2);
    free(findings);
}

static void sarif_keeps_to_the_limit(void **state)
{
    struct gl_hook_finding *findings;
    struct gl_hook_report big;
    json_error_t error;
    json_t *json;

    (void)state;
    three();
    big = many(25001, &findings);
    json = json_loads(render_of(&big, "sarif"), 0, &error);
    assert_non_null(json);
    assert_int_equal(json_array_size(at(json, "runs.0.results")), 25000);
    assert_non_null(strstr(out.text, "1 of 25001 results are left out"));
    json_decref(json);
    free(findings);
}

/* ---- JUnit, TAP ---- */

struct tally {
    size_t cases, failures, errors, skipped;
    size_t said[4];
};

static void XMLCALL on_start(void *data, const XML_Char *name, const XML_Char **attributes)
{
    static const char *const names[] = {"tests", "failures", "errors", "skipped"};
    struct tally *tally = data;

    tally->cases += strcmp(name, "testcase") == 0;
    tally->failures += strcmp(name, "failure") == 0;
    tally->errors += strcmp(name, "error") == 0;
    tally->skipped += strcmp(name, "skipped") == 0;
    for (; strcmp(name, "testsuites") == 0 && attributes[0] != NULL; attributes += 2)
        for (size_t i = 0; i < 4; i++)
            if (strcmp(attributes[0], names[i]) == 0)
                tally->said[i] = (size_t)atoi(attributes[1]);
}

static void junit_counts_what_it_holds(void **state)
{
    XML_Parser parser = XML_ParserCreate(NULL);
    struct tally tally = {0};

    (void)state;
    three();
    render("junit");
    XML_SetUserData(parser, &tally);
    XML_SetElementHandler(parser, on_start, NULL);
    assert_int_equal(XML_Parse(parser, out.text, (int)out.length, 1), XML_STATUS_OK);
    XML_ParserFree(parser);
    assert_int_equal(tally.cases, 3);
    assert_int_equal(tally.failures, 1);
    assert_int_equal(tally.errors, 1);
    assert_int_equal(tally.said[0], tally.cases);
    assert_int_equal(tally.said[1], tally.failures);
    assert_int_equal(tally.said[2], tally.errors);
    assert_int_equal(tally.said[3], tally.skipped);
}

static void tap_keeps_its_plan(void **state)
{
    (void)state;
    three();
    render("tap");
    assert_memory_equal(out.text, "TAP version 13\n1..3\n", 20);
    assert_int_equal(count_of(out.text, "\nnot ok "), 2);
    assert_int_equal(count_of(out.text, "\nok "), 1);
    begin();
    judge();
    assert_non_null(strstr(render("tap"), "1..0 # SKIP"));
}

/* ---- Markdown ---- */

static void a_comment_fits_and_keeps_its_totals(void **state)
{
    struct gl_hook_finding *findings;
    struct gl_hook_report big;
    struct gl_judged *judged;
    const char *cut;

    (void)state;
    three();
    big = many(5000, &findings);
    judged = gl_alloc(5000 * sizeof *judged);
    for (size_t i = 0; i < 5000; i++)
        judged[i] = report->judged[i % report->judged_count];
    big.judged = judged;
    big.judged_count = 5000;
    render_of(&big, "markdown");
    assert_true(out.length <= 65536);
    assert_true(out.length > 60000);
    assert_non_null(strstr(out.text, "more of 5000 launches are left out"));
    cut = strstr(out.text, "more of 5000 findings are left out");
    assert_non_null(cut);
    while (isdigit((unsigned char)cut[-2]) || cut[-1] != '\n')
        cut--;
    assert_int_equal(count_of(out.text, "\n| broken |") + (size_t)atoi(cut), 5000);
    assert_non_null(strstr(out.text, "3 of 3 resources launch"));
    assert_non_null(strstr(out.text, "digest: `"));
    free(judged);
    free(findings);
}

static void a_comment_is_found_again_by_its_plans(void **state)
{
    char marker[64];

    (void)state;
    three();
    render("markdown");
    snprintf(marker, sizeof marker, "%.*s", (int)strcspn(out.text, "\n"), out.text);
    assert_memory_equal(marker, "<!-- greenlaunch-hook scope=", 28);
    world_add(&world, GL_CHANGE_CREATE, "us-east-1", "m5.large");
    judge();
    assert_memory_equal(render("markdown"), marker, strlen(marker)); /* another judgement */
    world.plan.file = "other.json";
    judge();
    assert_memory_not_equal(render("markdown"), marker, strlen(marker)); /* another project */
}

/* ---- annotations ---- */

static void annotations_are_ten_a_level(void **state)
{
    struct gl_hook_finding *findings;
    struct gl_hook_report big;

    (void)state;
    three();
    big = many(36, &findings);
    for (size_t i = 12; i < 24; i++)
        findings[i].state = GL_FINDING_WARNED;
    for (size_t i = 24; i < 36; i++)
        findings[i].state = GL_FINDING_KNOWN;
    render_of(&big, "github");
    assert_int_equal(count_of(out.text, "::error "), 10);
    assert_int_equal(count_of(out.text, "::warning "), 10);
    assert_int_equal(count_of(out.text, "::notice "), 10);
    assert_int_equal(count_of(out.text, "and 3 more"), 2);
    assert_int_equal(count_of(out.text, "and 4 more"), 1);
    big.finding_count = 10;
    assert_int_equal(count_of(render_of(&big, "github"), "::error file="), 10);
    assert_null(strstr(out.text, " more,"));
    render_of(&big, "azuredevops");
    assert_int_equal(count_of(out.text, "##vso[task.logissue type=error"), 10);
    free(findings);
}

static void gitlab_fingerprints_are_their_own(void **state)
{
    json_t *json;
    const json_t *issue;
    size_t i;

    (void)state;
    three();
    json = parse(render("gitlab"));
    assert_int_equal(json_array_size(json), 3);
    json_array_foreach(json, i, issue)
    {
        static const char *const paths[] = {"description", "check_name", "fingerprint", "severity",
                                            "location.path"};

        for (size_t p = 0; p < sizeof paths / sizeof paths[0]; p++)
            assert_true(json_string_length(at(issue, paths[p])) > 0);
        assert_true(json_integer_value(at(issue, "location.lines.begin")) >= 1);
        assert_int_equal(count_of(out.text, json_string_value(at(issue, "fingerprint"))), 1);
    }
    json_decref(json);
    begin();
    judge();
    assert_string_equal(render("gitlab"), "[]\n");
}

/* ---- Atlantis ---- */

/* As server/events/project_command_runner.go and the manual read it. */
static bool atlantis_passes(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    if (*text == '\0' || strncmp(text, "FAIL", 4) == 0 || strstr(text, "failures\": [\"") != NULL)
        return false;
    for (const char *c = text; *c != '\0'; c++)
        if (*c >= '1' && *c <= '9' && strstr(c, " failure") == c + strspn(c, "0123456789"))
            return false;
    for (const char *c = text; *c != '\0'; c++)
        if (strncasecmp(c, "fail", 4) == 0)
            return false;
    return true;
}

static void atlantis_reads_the_right_verdict(void **state)
{
    struct gl_intent *intent;

    (void)state;
    three();
    assert_false(atlantis_passes(render("atlantis")));
    assert_memory_equal(out.text, "2 failures; REFUSED", 19);
    assert_int_equal(count_of(out.text, "\nviolation: "), 2);
    begin();
    assert_true((judge(), atlantis_passes(render("atlantis")))); /* nothing is launched */
    intent = world_add(&world, GL_CHANGE_CREATE, "us-east-1", "m5.large");
    intent->address = "aws_instance.FAILover";
    world.ask.is_advisory = true;
    judge();
    assert_int_equal(report->finding_count, 1);
    assert_true(atlantis_passes(render("atlantis")));
    assert_non_null(strstr(out.text, "F~AILover"));
    world.ask.is_advisory = false;
    judge();
    assert_false(atlantis_passes(render("atlantis")));
    assert_non_null(strstr(out.text, "1 failure;"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_format_says_demo_method_and_source, end),
        cmocka_unit_test_teardown(no_format_obeys_a_name, end),
        cmocka_unit_test_teardown(sarif_has_its_rules_and_places, end),
        cmocka_unit_test_teardown(what_was_let_pass_is_suppressed, end),
        cmocka_unit_test_teardown(sarif_keeps_to_the_limit, end),
        cmocka_unit_test_teardown(junit_counts_what_it_holds, end),
        cmocka_unit_test_teardown(tap_keeps_its_plan, end),
        cmocka_unit_test_teardown(a_comment_fits_and_keeps_its_totals, end),
        cmocka_unit_test_teardown(a_comment_is_found_again_by_its_plans, end),
        cmocka_unit_test_teardown(annotations_are_ten_a_level, end),
        cmocka_unit_test_teardown(gitlab_fingerprints_are_their_own, end),
        cmocka_unit_test_teardown(atlantis_reads_the_right_verdict, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
