/* SPDX-License-Identifier: Apache-2.0 */
/* Rules from flags, `policy explain` and the examples that stand alone. */
#include "policy_text.h"

#define HEAD "greenlaunch: 1\nrules:\n"

/* ---- flags ---- */

static struct gl_policy *with_flags(struct gl_policy *policy, const char *a, const char *b,
                                    const char *c, const char *d)
{
    const char *limits[] = {a, b, c, d, NULL};
    struct gl_error err = {0};
    struct gl_policy *result = gl_policy_with_flags(policy, "flags", limits, &err);

    if (result == NULL)
        print_message("%s: %s\n", err.pos.file, err.text);
    assert_non_null(result);
    return result;
}

static void assert_bad_flags(const char *name, const char *text, enum gl_errc code,
                             const char *place, const char *piece)
{
    const char *limits[] = {name, text, NULL};
    struct gl_error err = {0};

    assert_null(gl_policy_with_flags(NULL, "flags", limits, &err));
    assert_int_equal(err.code, code);
    assert_string_equal(err.pos.file, place);
    assert_non_null(strstr(err.text, piece));
}

static void flags_make_a_rule(void **state)
{
    struct gl_policy *policy =
        with_flags(NULL, "regions", "eu-north-1,eu-west-*", "max_intensity", "100g/kWh");
    const struct gl_rule *rule = &policy->rules[0];

    (void)state;
    assert_int_equal(policy->rule_count, 1);
    assert_string_equal(rule->id, "flags");
    assert_int_equal(rule->level, GL_HARD);
    assert_int_equal(rule->constraints[0].number, 100000000);
    assert_string_equal(rule->constraints[0].pos.file, "--max-intensity");
    assert_int_equal(rule->constraints[0].pos.line, 0);
    assert_string_equal(rule->constraints[1].globs[0], "eu-north-1");
    assert_string_equal(rule->constraints[1].globs[1], "eu-west-*");
    assert_null(rule->constraints[1].globs[2]);
    gl_policy_free(policy);
}

static void no_flags_make_no_rule(void **state)
{
    const char *none[] = {NULL};
    struct gl_error err = {0};
    struct gl_policy *policy = gl_policy_with_flags(NULL, "flags", none, &err);
    struct gl_str text = {0};

    (void)state;
    assert_non_null(policy);
    assert_int_equal(policy->rule_count, 0);
    assert_ptr_equal(gl_policy_with_flags(policy, NULL, NULL, &err), policy);
    gl_policy_explain(policy, 400, &text);
    assert_non_null(strstr(gl_str_text(&text), "policy of the command line\n"));
    gl_str_done(&text);
    gl_policy_free(policy);
}

static void flags_add_to_a_policy(void **state)
{
    struct gl_policy *policy = parse_good("greenlaunch: 1\n"
                                          "defaults: {accounting: market, min_grade: A}\n"
                                          "rules:\n"
                                          "  - {id: flags, max_count: 4}\n");
    struct gl_hash before = policy->digest;

    (void)state;
    assert_ptr_equal(with_flags(policy, "min_renewable", "95%", NULL, NULL), policy);
    assert_int_equal(policy->rule_count, 2);
    assert_string_equal(policy->rules[0].id, "flags");
    assert_string_equal(policy->rules[1].id,
                        "--flags"); /* waivers of the file's rule stay its own */
    /* What a file says about its rules says nothing about a flag's. */
    assert_int_equal(gl_rule_number(&policy->rules[1], GL_KEY_ACCOUNTING), GL_LOCATION);
    assert_int_equal(gl_rule_number(&policy->rules[1], GL_KEY_MIN_GRADE), GL_GRADE_C);
    assert_false(gl_hash_equal(&before, &policy->digest));
    gl_policy_free(policy);
}

static void bad_flags_name_the_flag(void **state)
{
    struct gl_policy *policy = parse_good(HEAD "  - max_count: 4\n");
    const char *bad[] = {"max_count", "x", NULL};
    const char *twice[] = {"max_count", "1", "max_count", "2", NULL};
    const char *good[] = {"max_count", "1", NULL};
    struct gl_error err = {0};
    struct gl_hash before = policy->digest;

    (void)state;
    assert_bad_flags("max_intensity", "100", GL_E_UNIT_MISSING, "--max-intensity", "100 gCO2e/kWh");
    assert_bad_flags("max_intensity", "", GL_E_BAD_VALUE, "--max-intensity", "no value");
    assert_bad_flags("min_grade", "Z", GL_E_BAD_VALUE, "--min-grade", "A, B, C, D or E");
    assert_bad_flags("regions", "a,,b", GL_E_BAD_VALUE, "--regions", "no value");
    assert_bad_flags("max_color", "1", GL_E_UNKNOWN_KEY, "--max-color", "max_color");
    assert_bad_flags("accounting", "location", GL_E_BAD_VALUE, "the command line", "nothing");
    assert_null(gl_policy_with_flags(policy, "flags", bad, &err));
    gl_error_clear(&err);
    assert_null(gl_policy_with_flags(policy, "flags", twice, &err));
    assert_int_equal(err.code, GL_E_DUPLICATE_KEY);
    assert_int_equal(policy->rule_count, 1); /* as it was */
    assert_true(gl_hash_equal(&before, &policy->digest));
    gl_error_clear(&err);
    assert_non_null(gl_policy_with_flags(policy, "flags", good, &err));
    assert_non_null(gl_policy_with_flags(policy, "flags", good, &err));
    assert_null(gl_policy_with_flags(policy, "flags", good, &err));
    assert_int_equal(err.code, GL_E_DUPLICATE_KEY);
    assert_string_equal(policy->rules[2].id, "--flags");
    gl_policy_free(policy);
}

static void flags_count_in_the_digest_by_meaning(void **state)
{
    struct gl_policy *a = with_flags(NULL, "max_intensity", "100 gCO2e/kWh", "max_count", "4");
    struct gl_policy *b = with_flags(NULL, "max_count", "4", "max_intensity", "0.1 kg/kWh");
    struct gl_policy *c = with_flags(NULL, "max_count", "4", "max_intensity", "101 g/kWh");
    struct gl_policy *d = with_flags(NULL, "regions", "a,b", NULL, NULL);
    struct gl_policy *e = with_flags(NULL, "regions", "a,c", NULL, NULL);

    (void)state;
    assert_true(gl_hash_equal(&a->digest, &b->digest));
    assert_false(gl_hash_equal(&a->digest, &c->digest));
    assert_false(gl_hash_equal(&d->digest, &e->digest));
    gl_policy_free(a);
    gl_policy_free(b);
    gl_policy_free(c);
    gl_policy_free(d);
    gl_policy_free(e);
}

/* ---- explain and the examples ---- */

static void explain_says_who_set_what(void **state)
{
    struct gl_policy *policy = parse_good("greenlaunch: 1\n"
                                          "id: org\n"
                                          "defaults: {min_grade: B}\n"
                                          "rules:\n"
                                          "  - id: clean\n"
                                          "    match: {cloud: aws, min_vcpus: 2}\n"
                                          "    exclude: {tag: {env: dev}, accelerator: true}\n"
                                          "    max_intensity: 100 g/kWh\n"
                                          "    enforce_from: 2027-01-01T06:00:00+01:00\n"
                                          "    message: Ask\n"
                                          "  - {id: sizes, max_vcpus: 4, level: advisory}\n");
    struct gl_str text = {0};
    const char *rest;

    (void)state;
    gl_policy_explain(policy, 400, &text);
    rest = strstr(gl_str_text(&text), "  max_waiver ");
    assert_non_null(strstr(gl_str_text(&text), "policy org\n  digest\n    sha256 "));
    assert_non_null(rest);
    assert_string_equal(rest, "  max_waiver       180 d                    built in\n"
                              "\n"
                              "rule clean (hard)  p.yaml:5:5\n"
                              "  for              cloud aws; min_vcpus 2\n"
                              "  not for          tag env=dev; accelerator\n"
                              "  max_intensity    100 g/kWh                p.yaml:8:20\n"
                              "  min_grade        B                        p.yaml:3:23\n"
                              "  max_data_age     3 h                      built in\n"
                              "  accounting       location                 built in\n"
                              "  rate             average                  built in\n"
                              "  boundary         lifecycle                built in\n"
                              "  biomass          true                     built in\n"
                              "  on_lapse         notify                   built in\n"
                              "  on_unknown       refuse\n"
                              "  enforce_from     2027-01-01T05:00:00Z     advisory before\n"
                              "  message          Ask\n"
                              "\n"
                              "rule sizes (advisory)  p.yaml:11:5\n"
                              "  for              everything\n"
                              "  max_vcpus        4                        p.yaml:11:28\n"
                              "  on_unknown       refuse\n");
    gl_str_done(&text);
    gl_policy_free(policy);
}

static struct gl_policy *parse_example(const char *name)
{
    char *text = read_example(name);
    struct gl_policy *policy = parse_good(text);

    free(text);
    return policy;
}

static void examples_say_what_they_promise(void **state)
{
    struct gl_policy *renewable = parse_example("renewable-only.yaml");
    struct gl_policy *cap = parse_example("cap-100g.yaml");
    struct gl_policy *team = parse_example("team-places-and-sizes.yaml");
    struct gl_policy *night = parse_example("night-batch.yaml");

    (void)state;
    assert_int_equal(renewable->rule_count, 1);
    assert_int_equal(gl_rule_number(&renewable->rules[0], GL_KEY_MIN_RENEWABLE), 950000);
    assert_int_equal(gl_rule_number(&renewable->rules[0], GL_KEY_MIN_GRADE), GL_GRADE_C);
    assert_int_equal(cap->rule_count, 1);
    assert_int_equal(gl_rule_number(&cap->rules[0], GL_KEY_MAX_INTENSITY), 100000000);
    assert_int_equal(team->rule_count, 5);
    assert_string_equal(constraint_of(&team->rules[0], GL_KEY_COUNTRIES)->globs[0], "NO");
    assert_int_equal(gl_rule_number(&team->rules[1], GL_KEY_MAX_VCPUS), 16000000);
    assert_true(team->rules[2].match.needs_gpu);
    assert_int_equal(gl_rule_number(&team->rules[3], GL_KEY_MAX_PRICE), 3500000);
    assert_int_equal(team->rules[4].enforce_from.unix_s, 1798761600);
    assert_int_equal(night->rule_count, 2);
    assert_int_equal(gl_rule_number(&night->rules[0], GL_KEY_GREEN_FOR), 6 * 3600);
    assert_string_equal(night->rules[0].match.tags[0], "workload=batch");
    gl_policy_free(renewable);
    gl_policy_free(cap);
    gl_policy_free(team);
    gl_policy_free(night);
}

/* ---- the page ---- */

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

/* Every YAML block of docs/policy.md must be good as it stands; waivers are of the policy before.
 */
static void the_page_shows_good_policies(void **state)
{
    char *floor = read_example("central-floor.yaml");
    struct gl_policy_loader loader = {floor, load_floor};
    struct gl_policy *policy = NULL;
    struct gl_error err = {0};
    size_t length, blocks = 0;
    char *page, *at, *end;

    (void)state;
    assert_int_equal(gl_file_read("docs/policy.md", GL_POLICY_MAX_BYTES, &page, &length, &err), 0);
    for (at = page; (at = strstr(at, "```yaml\n")) != NULL; at = end + 1) {
        struct gl_view text;

        at += strlen("```yaml\n");
        end = strstr(at, "```");
        assert_non_null(end);
        text = (struct gl_view){at, (size_t)(end - at)};
        if (strncmp(at, "greenlaunch: 1", 14) == 0) {
            gl_policy_free(policy);
            policy = gl_policy_parse(text, "page", &loader, &found);
        } else if (strncmp(at, "greenlaunch_waivers: 1", 22) == 0) {
            assert_int_equal(gl_policy_add_waivers(policy, text, "page", &found), 0);
        }
        if (found.count > 0)
            print_found();
        assert_non_null(policy);
        blocks++;
    }
    assert_int_equal(blocks, 6);
    assert_int_equal(policy->waiver_count, 1);
    gl_policy_free(policy);
    free(page);
    free(floor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_make_a_rule),
        cmocka_unit_test(no_flags_make_no_rule),
        cmocka_unit_test(flags_add_to_a_policy),
        cmocka_unit_test(bad_flags_name_the_flag),
        cmocka_unit_test(flags_count_in_the_digest_by_meaning),
        cmocka_unit_test(explain_says_who_set_what),
        cmocka_unit_test(examples_say_what_they_promise),
        cmocka_unit_test(the_page_shows_good_policies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
