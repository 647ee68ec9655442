/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/decide.h"
#include "policy_text.h"

#define POLICY                                                                                    \
    "greenlaunch: 1\n"                                                                            \
    "max_waiver: 100d\n"                                                                          \
    "rules:\n"                                                                                    \
    "  - {id: clean-grid, max_intensity: 100 g/kWh, min_renewable: 50%, green_below: 90 g/kWh}\n" \
    "  - {id: sizes, max_vcpus: 4}\n"                                                             \
    "  - max_count: 5\n"

#define HEAD "greenlaunch_waivers: 1\nwaivers:\n"
#define REST "reason: Contract, owner: a@b.example, created: 2026-01-01, expires: 2026-02-01"

static struct gl_policy *policy;

static int set_up(void **state)
{
    (void)state;
    policy = parse_good(POLICY);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gl_policy_free(policy);
    return 0;
}

static void add_good(const char *text)
{
    if (gl_policy_add_waivers(policy, view_of(text), "w.yaml", &found))
        print_found();
    assert_int_equal(found.count, 0);
}

/* One error; the policy stays as it was. */
static void assert_bad_waivers(const char *text, enum gl_errc code, uint32_t line, uint32_t column,
                               const char *piece)
{
    struct gl_hash before = policy->digest;
    size_t count = policy->waiver_count;

    assert_int_equal(gl_policy_add_waivers(policy, view_of(text), "w.yaml", &found), -1);
    assert_error(0, code, line, column, piece);
    assert_int_equal(found.count, 1);
    assert_int_equal(policy->waiver_count, count);
    assert_true(gl_hash_equal(&before, &policy->digest));
}

static void whole_waiver_is_read(void **state)
{
    struct gl_hash before = policy->digest;
    const struct gl_waiver *waiver;

    (void)state;
    add_good(HEAD "  - rule: clean-grid\n"
                  "    target: aws/us-east-1/p4d.*\n"
                  "    reason: Licence bound to the place\n"
                  "    owner: team@example.com\n"
                  "    approved_by: board\n"
                  "    created: 2026-01-01\n"
                  "    expires: 2026-04-11T00:00:00Z\n"
                  "    cap: 300 gCO2e/kWh\n");
    assert_int_equal(policy->waiver_count, 1);
    waiver = &policy->waivers[0];
    assert_string_equal(waiver->rule, "clean-grid");
    assert_string_equal(waiver->target, "aws/us-east-1/p4d.*");
    assert_string_equal(waiver->reason, "Licence bound to the place");
    assert_string_equal(waiver->owner, "team@example.com");
    assert_string_equal(waiver->approved_by, "board");
    assert_int_equal(waiver->created.unix_s, 1767225600);
    assert_int_equal(waiver->expires.unix_s, 1767225600 + 100 * 86400); /* the longest allowed */
    assert_int_equal(waiver->cap.key->id, GL_KEY_MAX_INTENSITY);
    assert_int_equal(waiver->cap.number, 300000000);
    assert_int_equal(waiver->pos.line, 3);
    assert_string_equal(waiver->pos.file, "w.yaml");
    assert_false(gl_hash_equal(&before, &policy->digest));
}

static void several_files_add_up(void **state)
{
    const struct gl_waiver *first;

    (void)state;
    add_good(HEAD "  - {rule: sizes, address: aws/*/x, " REST "}\n");
    first = policy->waivers;
    add_good(HEAD "  - {rule: sizes, target: gcp/r/t, " REST "}\n"
                  "  - {rule: clean-grid, target: gcp/r/t, " REST ", cap: 40%}\n");
    assert_int_equal(policy->waiver_count, 3);
    assert_string_equal(policy->waivers[0].target, "aws/*/x");
    assert_string_equal(first[0].target, "aws/*/x"); /* readers of the old array are safe */
    assert_string_equal(policy->waivers[0].approved_by, "");
    assert_null(policy->waivers[0].cap.key);
    assert_int_equal(policy->waivers[2].cap.key->id, GL_KEY_MIN_RENEWABLE);
    add_good(HEAD "  []\n");
    assert_int_equal(policy->waiver_count, 3);
}

static void a_waiver_names_one_rule(void **state)
{
    (void)state;
    assert_bad_waivers(HEAD "  - {rule: clean-gird, target: a/b/c, " REST "}\n", GL_E_UNKNOWN_NAME,
                       3, 12, "no rule \"clean-gird\"; did you mean clean-grid?");
    assert_bad_waivers(HEAD "  - {rule: xyz, target: a/b/c, " REST "}\n", GL_E_UNKNOWN_NAME, 3, 12,
                       "no rule \"xyz\"");
    assert_bad_waivers(HEAD "  - {rule: \"clean-*\", target: a/b/c, " REST "}\n", GL_E_BAD_VALUE, 3,
                       12, "patterns are not allowed");
    assert_bad_waivers(HEAD "  - {rule: \"*\", target: a/b/c, " REST "}\n", GL_E_BAD_VALUE, 3, 12,
                       "patterns are not allowed");
    assert_string_equal(policy->rules[2].id, "max_count@p.yaml:6:5");
    assert_bad_waivers(HEAD "  - {rule: \"max_count@p.yaml:6:5\", target: a/b/c, " REST "}\n",
                       GL_E_BAD_VALUE, 3, 12, "give the rule an id of its own");
}

static void a_waiver_names_its_target(void **state)
{
    static const char *const bare[] = {"*", "**", "*/*/*", "?", "**/*", "/"};
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof bare / sizeof bare[0]; i++) {
        snprintf(text, sizeof text, HEAD "  - {rule: sizes, target: \"%s\", " REST "}\n", bare[i]);
        assert_bad_waivers(text, GL_E_BAD_VALUE, 3, 27, "is everything");
    }
    assert_bad_waivers(HEAD "  - {rule: sizes, target: [a, b], " REST "}\n", GL_E_BAD_VALUE, 3, 27,
                       "not a list");
    assert_bad_waivers(HEAD "  - {rule: sizes, target: \"a b\", " REST "}\n", GL_E_BAD_VALUE, 3, 27,
                       "space");
    assert_bad_waivers(HEAD "  - {rule: sizes, " REST "}\n", GL_E_BAD_VALUE, 3, 5,
                       "a waiver needs \"target\" or \"address\"");
    assert_bad_waivers(HEAD "  - {rule: sizes, address: \"**.*\", " REST "}\n", GL_E_BAD_VALUE, 3,
                       28, "is everything");
}

static void a_waiver_may_name_an_address_and_a_plan(void **state)
{
    const struct gl_waiver *waiver;

    (void)state;
    add_good(HEAD "  - {rule: sizes, address: 'module.db.aws_instance.x[\"a,b\"]', plan: prod/eu, "
                  "target: aws/*/x, " REST "}\n"
                  "  - {rule: sizes, address: aws/us-east-1/p4d.24xlarge, " REST "}\n");
    waiver = policy->waivers;
    assert_string_equal(waiver[0].address, "module.db.aws_instance.x[\"a,b\"]");
    assert_string_equal(waiver[0].plan, "prod/eu");
    assert_string_equal(waiver[0].target, "aws/*/x");
    assert_false(waiver[0].is_either);
    assert_string_equal(waiver[1].target, "aws/us-east-1/p4d.24xlarge");
    assert_true(waiver[1].is_either);
}

static void a_waiver_ends(void **state)
{
    (void)state;
    assert_bad_waivers(HEAD "  - {rule: sizes, target: a, reason: x, owner: y,"
                            " created: 2026-01-01, expires: 2026-04-12}\n",
                       GL_E_BAD_VALUE, 3, 81, "at most 100 days (max_waiver)");
    assert_bad_waivers(HEAD "  - {rule: sizes, target: a, reason: x, owner: y,"
                            " created: 2026-01-01, expires: 2026-01-01}\n",
                       GL_E_BAD_VALUE, 3, 81, "ends after it was created");
    assert_bad_waivers(HEAD "  - {rule: sizes, target: a, reason: x, owner: y,"
                            " created: 2026-01-01, expires: never}\n",
                       GL_E_BAD_VALUE, 3, 81, "date");
    assert_bad_waivers(HEAD "  - {rule: sizes, target: a, reason: x, owner: y,"
                            " created: 2026-01-01}\n",
                       GL_E_BAD_VALUE, 3, 5, "a waiver needs \"expires\"");
    assert_bad_waivers(HEAD "  - {rule: sizes, target: a, reason: x, owner: y,"
                            " expires: 2026-01-01}\n",
                       GL_E_BAD_VALUE, 3, 5, "needs \"created\"");
}

static void a_waiver_says_why_and_who(void **state)
{
    static const char dates[] = "created: 2026-01-01, expires: 2026-01-02";
    char text[256];

    (void)state;
    snprintf(text, sizeof text, HEAD "  - {rule: sizes, target: a, owner: y, %s}\n", dates);
    assert_bad_waivers(text, GL_E_BAD_VALUE, 3, 5, "needs \"reason\"");
    snprintf(text, sizeof text, HEAD "  - {rule: sizes, target: a, reason: y, %s}\n", dates);
    assert_bad_waivers(text, GL_E_BAD_VALUE, 3, 5, "needs \"owner\"");
    snprintf(text, sizeof text, HEAD "  - {rule: sizes, owner: a, reason: y, %s}\n", dates);
    assert_bad_waivers(text, GL_E_BAD_VALUE, 3, 5, "needs \"target\"");
    snprintf(text, sizeof text, HEAD "  - {target: a, owner: a, reason: y, %s}\n", dates);
    assert_bad_waivers(text, GL_E_BAD_VALUE, 3, 5, "needs \"rule\"");
    snprintf(text, sizeof text, HEAD "  - {rule: sizes, target: a, reason: \"\", owner: b, %s}\n",
             dates);
    assert_bad_waivers(text, GL_E_BAD_VALUE, 3, 30, "reason has no value");
}

static void a_cap_fits_a_limit_of_the_rule(void **state)
{
    (void)state;
    assert_bad_waivers(HEAD "  - {rule: clean-grid, target: a, " REST ", cap: 5 kg}\n",
                       GL_E_UNIT_MISSING, 3, 120, "fits no limit of rule \"clean-grid\"");
    assert_bad_waivers(HEAD "  - {rule: sizes, target: a, " REST ", cap: 8}\n", GL_E_UNIT_MISSING,
                       3, 115, "fits no limit");
    assert_bad_waivers(HEAD "  - {rule: clean-grid, target: a, " REST ", cap: 200%}\n",
                       GL_E_BAD_VALUE, 3, 120, "at most 100%");
    assert_bad_waivers(HEAD "  - {rule: clean-grid, target: a, " REST ", cap: [1]}\n",
                       GL_E_BAD_VALUE, 3, 120, "not a list");
}

static void the_file_has_its_shape(void **state)
{
    (void)state;
    assert_bad_waivers("greenlaunch: 1\nrules: []\n", GL_E_BAD_VALUE, 1, 1,
                       "greenlaunch_waivers: 1");
    assert_bad_waivers("waivers: []\n", GL_E_BAD_VALUE, 1, 1, "first key");
    assert_bad_waivers("{}\n", GL_E_BAD_VALUE, 1, 1, "first key");
    assert_bad_waivers("greenlaunch_waivers: 3\nwaivers: []\n", GL_E_BAD_VALUE, 1, 22, "version");
    assert_bad_waivers("greenlaunch_waivers: 1\n", GL_E_BAD_VALUE, 1, 1, "needs \"waivers\"");
    assert_bad_waivers("greenlaunch_waivers: 1\nwaivers: x\n", GL_E_BAD_VALUE, 2, 10, "a list");
    assert_bad_waivers(HEAD "  - {rule: sizes, target: a, " REST ", until: 2027-01-01}\n",
                       GL_E_UNKNOWN_KEY, 3, 110, "unknown key \"until\" in a waiver");
    assert_bad_waivers("a: [\n", GL_E_SYNTAX, 1, 5, "not YAML");
}

static void several_errors_are_shown_at_once(void **state)
{
    (void)state;
    assert_int_equal(
        gl_policy_add_waivers(policy,
                              view_of(HEAD "  - {rule: xyz, target: \"*\", " REST "}\n"
                                           "  - {rule: xyz, target: a, reason: b, owner: c,"
                                           " created: 2026-01-01, expires: 2025-01-01}\n"),
                              "w.yaml", &found),
        -1);
    assert_int_equal(found.count, 3);
    assert_error(0, GL_E_BAD_VALUE, 3, 25, "is everything");
    assert_error(1, GL_E_UNKNOWN_NAME, 4, 12, "xyz");
    assert_error(2, GL_E_BAD_VALUE, 4, 79, "ends after");
}

static void explain_lists_waivers(void **state)
{
    struct gl_str text = {0};
    const char *rest;

    (void)state;
    add_good(HEAD "  - {rule: clean-grid, target: aws/r/t, " REST ", approved_by: us,"
                  " cap: 300 g/kWh}\n");
    gl_policy_explain(policy, 400, &text);
    rest = strstr(gl_str_text(&text), "\nwaiver of");
    assert_non_null(rest);
    assert_string_equal(rest, "\nwaiver of clean-grid  w.yaml:3:5\n"
                              "  target           aws/r/t\n"
                              "  holds            2026-01-01T00:00:00Z to 2026-02-01T00:00:00Z\n"
                              "  max_intensity    300 g/kWh                still holds\n"
                              "  reason           Contract\n"
                              "  owner            a@b.example\n"
                              "  approved_by      us\n");
    gl_str_done(&text);
}

/* ---- the example ---- */

static int load_floor(void *cookie, const char *from, const char *path, struct gl_view *out_text,
                      const char **out_name, struct gl_error *err)
{
    (void)from;
    (void)err;
    assert_string_equal(path, "central-floor.yaml");
    *out_text = view_of(cookie);
    *out_name = path;
    return 0;
}

static void example_fits_its_policy(void **state)
{
    char *floor = read_example("central-floor.yaml");
    char *team = read_example("team-on-floor.yaml");
    char *waivers = read_example("waivers.yaml");
    struct gl_policy_loader loader = {floor, load_floor};
    struct gl_policy *example =
        gl_policy_parse(view_of(team), "team-on-floor.yaml", &loader, &found);

    (void)state;
    assert_non_null(example);
    if (gl_policy_add_waivers(example, view_of(waivers), "waivers.yaml", &found))
        print_found();
    assert_int_equal(example->waiver_count, 2);
    assert_int_equal(example->waivers[0].cap.key->id, GL_KEY_MAX_INTENSITY);
    assert_int_equal(example->waivers[1].cap.key->id, GL_KEY_MAX_RATE);
    assert_int_equal(example->waivers[1].cap.number, 2000000000);
    gl_policy_free(example);
    free(floor);
    free(team);
    free(waivers);
}

/* POLICY's rules again, but one limit each. */
static void cap_that_is_no_looser_allows_nothing(void **state)
{
    static const struct {
        const char *rule, *cap;
        bool loosens;
    } rows[] = {
        {"below", "cap: 101 g/kWh", true},    {"below", "cap: 100 g/kWh", false},
        {"below", "cap: 0.09 kg/kWh", false}, {"above", "cap: 49%", true},
        {"above", "cap: 60%", false},         {"two", "cap: 100 g/kWh", true},
        {"below", "plan: p", true},
    };

    (void)state;
    gl_policy_free(policy);
    policy = parse_good("greenlaunch: 1\nmax_waiver: 100d\nrules:\n"
                        "  - {id: below, max_intensity: 100 g/kWh, min_grade: D}\n"
                        "  - {id: above, min_renewable: 50%}\n"
                        "  - {id: two, max_intensity: 100 g/kWh, max_vcpus: 4}\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256];

        snprintf(text, sizeof text, HEAD "  - {rule: %s, target: aws/a/b, %s, " REST "}\n",
                 rows[i].rule, rows[i].cap);
        add_good(text);
        assert_int_equal(gl_waiver_loosens(policy, &policy->waivers[i]), rows[i].loosens);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whole_waiver_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(several_files_add_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_waiver_names_one_rule, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_waiver_names_its_target, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_waiver_may_name_an_address_and_a_plan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_waiver_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_waiver_says_why_and_who, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cap_fits_a_limit_of_the_rule, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_file_has_its_shape, set_up, tear_down),
        cmocka_unit_test_setup_teardown(several_errors_are_shown_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(explain_lists_waivers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cap_that_is_no_looser_allows_nothing, set_up, tear_down),
        cmocka_unit_test(example_fits_its_policy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
