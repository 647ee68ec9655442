/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_text.h"

#include "base/time.h"
#include "policy/guard.h"

#define HEAD "greenlaunch: 1\nrules:\n"

/* What the example of every key means, worked out by hand: millionths, seconds, enum, 0 or 1. */
static const int64_t example_numbers[GL_KEYS] = {
    [GL_KEY_MAX_INTENSITY] = 100000000,
    [GL_KEY_MIN_RENEWABLE] = 800000,
    [GL_KEY_MIN_CARBON_FREE] = 900000,
    [GL_KEY_MIN_GRADE] = GL_GRADE_B,
    [GL_KEY_MAX_DATA_AGE] = 7200,
    [GL_KEY_GREEN_FOR] = 14400,
    [GL_KEY_GREEN_BELOW] = 80000000,
    [GL_KEY_CONFIDENCE] = 950000,
    [GL_KEY_ON_LAPSE] = 1, /* pause */
    [GL_KEY_ACCOUNTING] = GL_LOCATION,
    [GL_KEY_RATE] = GL_AVERAGE,
    [GL_KEY_BOUNDARY] = GL_LIFECYCLE,
    [GL_KEY_BIOMASS] = 0,
    [GL_KEY_MIN_VCPUS] = 2000000,
    [GL_KEY_MAX_VCPUS] = 16000000,
    [GL_KEY_MAX_MEMORY] = INT64_C(68719476736000000),
    [GL_KEY_MAX_COUNT] = 4000000,
    [GL_KEY_MAX_PRICE] = 400000,
    [GL_KEY_MAX_RATE] = 50000000,
    [GL_KEY_MAX_TOTAL] = INT64_C(2000000000),
};

/* A rule with the key as given and, where that alone limits nothing, a limit beside it. */
static char *rule_text(const struct gl_key *key, const char *value, bool is_short)
{
    bool is_alone =
        key->standard == GL_UNKNOWN && key->id != GL_KEY_GREEN_FOR && key->id != GL_KEY_CONFIDENCE;
    const char *indent = is_short ? "    " : "      ";
    struct gl_str text = {0};

    gl_str_add(&text, HEAD "  - id: r\n");
    if (!is_short)
        gl_str_add(&text, "    require:\n");
    gl_str_addf(&text, "%s%s: %s\n", indent, key->name, value);
    if (!is_alone)
        gl_str_addf(&text, "%smax_intensity: 300 g/kWh\n", indent);
    return gl_str_take(&text);
}

static void every_example_is_understood(void **state)
{
    size_t count;
    const struct gl_key *keys = gl_keys(&count);

    (void)state;
    assert_int_equal(count, GL_KEYS);
    for (size_t i = 0; i < count * 2; i++) {
        const struct gl_key *key = &keys[i / 2];
        char *text = rule_text(key, key->example, i % 2);
        struct gl_policy *policy = parse_good(text);
        const struct gl_constraint *limit = constraint_of(&policy->rules[0], key->id);

        assert_non_null(limit);
        assert_ptr_equal(limit->key, key);
        assert_ptr_equal(gl_key_named(key->name), key);
        assert_int_equal(key->id, i / 2);
        assert_int_equal(limit->number, example_numbers[key->id]);
        assert_int_equal(limit->globs != NULL, key->kind == GL_KIND_GLOBS);
        assert_int_equal(limit->pos.line, i % 2 ? 4 : 5);
        assert_int_equal(gl_rule_number(&policy->rules[0], key->id), limit->number);
        assert_true(key->help[0] >= 'A' && key->help[0] <= 'Z');
        assert_true(key->help[strlen(key->help) - 1] != '.');
        gl_policy_free(policy);
        free(text);
    }
    assert_null(gl_key_named("max_intensit"));
}

static void words_are_those_of_the_facts(void **state)
{
    size_t count;
    const struct gl_key *keys = gl_keys(&count);

    (void)state;
    assert_string_equal(keys[GL_KEY_BOUNDARY].words[GL_DIRECT], gl_boundary_word(GL_DIRECT));
    assert_string_equal(keys[GL_KEY_BOUNDARY].words[GL_LIFECYCLE], gl_boundary_word(GL_LIFECYCLE));
    assert_string_equal(keys[GL_KEY_RATE].words[GL_LONG_RUN_MARGINAL], "long_run_marginal");
    assert_string_equal(keys[GL_KEY_ACCOUNTING].words[GL_RESIDUAL], "residual");
    for (int grade = GL_GRADE_A; grade <= GL_GRADE_E; grade++)
        assert_int_equal(keys[GL_KEY_MIN_GRADE].words[grade][0],
                         gl_grade_letter((enum gl_grade)grade));
    assert_string_equal(gl_level_word(GL_SOFT), "soft");
    assert_string_equal(gl_on_unknown_word(GL_UNKNOWN_ASSUME_WORST), "assume-worst");
    assert_string_equal(gl_level_word((enum gl_level)7), "unknown");
    assert_string_equal(gl_on_unknown_word((enum gl_on_unknown)7), "unknown");
}

static void built_in_values_hold(void **state)
{
    struct gl_policy *policy = parse_good(HEAD "  - max_intensity: 1 g/kWh\n");
    const struct gl_rule *rule = &policy->rules[0];

    (void)state;
    assert_int_equal(gl_rule_number(rule, GL_KEY_ACCOUNTING), GL_LOCATION);
    assert_int_equal(gl_rule_number(rule, GL_KEY_RATE), GL_AVERAGE);
    assert_int_equal(gl_rule_number(rule, GL_KEY_BOUNDARY), GL_LIFECYCLE);
    assert_int_equal(gl_rule_number(rule, GL_KEY_MIN_GRADE), GL_GRADE_C);
    assert_int_equal(gl_rule_number(rule, GL_KEY_MAX_DATA_AGE), 3 * 3600);
    assert_int_equal(gl_rule_number(rule, GL_KEY_BIOMASS), 1);
    assert_int_equal(gl_rule_number(rule, GL_KEY_MIN_RENEWABLE), GL_UNKNOWN);
    assert_int_equal(rule->level, GL_HARD);
    assert_int_equal(rule->on_unknown, GL_UNKNOWN_REFUSE);
    assert_int_equal(rule->enforce_from.unix_s, 0);
    assert_false(rule->has_exclude);
    assert_string_equal(rule->description, "");
    assert_int_equal(rule->count, 1);
    gl_policy_free(policy);
}

static void whole_rule_is_read(void **state)
{
    struct gl_policy *policy = parse_good(
        "greenlaunch: 1\n"
        "id: all\n"
        "rules:\n"
        "  - id: clean\n"
        "    description: What for\n"
        "    match: {cloud: [aws, gcp], region: eu-*, type: \"m7g.*\", tag: {env: prod, v: 1.10},\n"
        "            min_vcpus: 2, accelerator: \"*\"}\n"
        "    exclude: {region: eu-central-1, accelerator: true}\n"
        "    require: {min_carbon_free: 99.5%, regions: [eu-north-1, \"eu-west-*\"]}\n"
        "    max_count: 3\n"
        "    level: soft\n"
        "    on_unknown: assume-worst\n"
        "    enforce_from: 2027-01-01\n"
        "    message: Ask\n");
    const struct gl_rule *rule = &policy->rules[0];

    (void)state;
    assert_string_equal(policy->id, "all");
    assert_string_equal(rule->id, "clean");
    assert_string_equal(rule->description, "What for");
    assert_string_equal(rule->message, "Ask");
    assert_string_equal(rule->match.clouds[1], "gcp");
    assert_null(rule->match.clouds[2]);
    assert_string_equal(rule->match.regions[0], "eu-*");
    assert_string_equal(rule->match.types[0], "m7g.*");
    assert_string_equal(rule->match.tags[0], "env=prod");
    assert_string_equal(rule->match.tags[1], "v=1.10");
    assert_null(rule->match.tags[2]);
    assert_int_equal(rule->match.min_vcpus, 2);
    assert_true(rule->match.needs_gpu);
    assert_true(rule->has_exclude);
    assert_true(rule->exclude.needs_gpu);
    assert_null(rule->exclude.clouds);
    assert_int_equal(rule->count, 3); /* in order of key id */
    assert_int_equal(rule->constraints[0].key->id, GL_KEY_MIN_CARBON_FREE);
    assert_int_equal(rule->constraints[0].number, 995000);
    assert_string_equal(rule->constraints[0].written, "99.5%");
    assert_int_equal(rule->constraints[1].key->id, GL_KEY_REGIONS);
    assert_string_equal(rule->constraints[1].globs[1], "eu-west-*");
    assert_string_equal(rule->constraints[1].written, "[eu-north-1, eu-west-*]");
    assert_int_equal(rule->constraints[2].number, 3000000);
    assert_int_equal(rule->level, GL_SOFT);
    assert_int_equal(rule->on_unknown, GL_UNKNOWN_ASSUME_WORST);
    assert_int_equal(rule->enforce_from.unix_s, 1798761600);
    assert_int_equal(rule->pos.line, 4);
    assert_int_equal(rule->pos.column, 5);
    assert_string_equal(rule->pos.file, "p.yaml");
    gl_policy_free(policy);
}

static void defaults_fill_what_rules_leave_open(void **state)
{
    struct gl_policy *policy = parse_good("greenlaunch: 1\n"
                                          "defaults: {accounting: market, rate: short_run_marginal,"
                                          " boundary: direct, min_grade: B, max_data_age: 1h,"
                                          " biomass: false, level: advisory, on_unknown: warn}\n"
                                          "rules:\n"
                                          "  - {id: a, max_intensity: 1 g/kWh}\n"
                                          "  - {id: b, min_renewable: 50%, min_grade: D,"
                                          " rate: average, level: hard, on_unknown: refuse}\n"
                                          "  - {id: c, countries: [NO]}\n");
    const struct gl_rule *rules = policy->rules;

    (void)state;
    assert_int_equal(gl_rule_number(&rules[0], GL_KEY_ACCOUNTING), GL_MARKET);
    assert_int_equal(gl_rule_number(&rules[0], GL_KEY_RATE), GL_SHORT_RUN_MARGINAL);
    assert_int_equal(gl_rule_number(&rules[0], GL_KEY_BOUNDARY), GL_DIRECT);
    assert_int_equal(gl_rule_number(&rules[0], GL_KEY_MIN_GRADE), GL_GRADE_B);
    assert_int_equal(gl_rule_number(&rules[0], GL_KEY_MAX_DATA_AGE), 3600);
    assert_int_equal(gl_rule_number(&rules[0], GL_KEY_BIOMASS), 0);
    assert_int_equal(constraint_of(&rules[0], GL_KEY_MIN_GRADE)->pos.line, 2);
    assert_int_equal(rules[0].level, GL_ADVISORY);
    assert_int_equal(rules[0].on_unknown, GL_UNKNOWN_WARN);
    assert_int_equal(gl_rule_number(&rules[1], GL_KEY_MIN_GRADE), GL_GRADE_D);
    assert_int_equal(gl_rule_number(&rules[1], GL_KEY_RATE), GL_AVERAGE);
    assert_int_equal(gl_rule_number(&rules[1], GL_KEY_ACCOUNTING), GL_MARKET);
    assert_int_equal(rules[1].level, GL_HARD);
    assert_int_equal(rules[1].on_unknown, GL_UNKNOWN_REFUSE);
    /* A rule about places rests on no evidence and must not begin to demand any. */
    assert_int_equal(rules[2].count, 1);
    assert_int_equal(rules[2].level, GL_ADVISORY);
    gl_policy_free(policy);
}

static void short_rules_get_an_id_from_key_and_place(void **state)
{
    struct gl_policy *policy = parse_good(HEAD "  - max_intensity: 1 g/kWh\n"
                                               "  - {regions: eu-*, max_count: 2}\n"
                                               "  - require: {min_renewable: 5%}\n");

    (void)state;
    assert_string_equal(policy->rules[0].id, "max_intensity@p.yaml:3:5");
    assert_string_equal(policy->rules[1].id, "regions@p.yaml:4:5");
    assert_string_equal(policy->rules[2].id, "min_renewable@p.yaml:5:5");
    assert_string_equal(policy->id, "p.yaml");
    gl_policy_free(policy);
}

static void error_text_is_exact(void **state)
{
    struct gl_policy *policy =
        parse("greenlaunch: 1\n"
              "rules:\n"
              "  - id: a\n"
              "    description: x\n"
              "    require: {\n"
              "  max_intensity: 100\n"
              "    , not\xc3\xbc: 1, \xe6\x97\xa5\xe6\x9c\xac: \"2\x09\"}\n");
    struct gl_str text = {0};

    (void)state;
    assert_null(policy);
    gl_diagnostics_text(&found, 400, &text);
    assert_string_equal(
        gl_str_text(&text),
        "p.yaml:6:18: error GL2007: unit missing in \"max_intensity: 100\": write the unit, as in "
        "100 gCO2e/kWh\n"
        "    6 |   max_intensity: 100\n"
        "      |                  ^^^\n"
        "p.yaml:7:7: error GL2004: unknown key \"not\xc3\xbc\" in require\n"
        "    7 |     , not\xc3\xbc: 1, \xe6\x97\xa5\xe6\x9c\xac: \"2 \"}\n"
        "      |       ^^^^\n"
        "p.yaml:7:16: error GL2004: unknown key \"\xe6\x97\xa5\xe6\x9c\xac\" in require\n"
        "    7 |     , not\xc3\xbc: 1, \xe6\x97\xa5\xe6\x9c\xac: \"2 \"}\n"
        "      |                ^^^^\n");
    gl_str_done(&text);
}

static void many_errors_are_shown_and_the_rest_counted(void **state)
{
    struct gl_str text = {0}, shown = {0};

    (void)state;
    gl_str_add(&text, HEAD "  - max_count: 1\n");
    for (int i = 0; i < 25; i++)
        gl_str_addf(&text, "    zz%d: 1\n", i);
    assert_null(parse(gl_str_text(&text)));
    assert_int_equal(found.count, GL_POLICY_MAX_ERRORS);
    assert_int_equal(found.beyond, 5);
    for (uint32_t i = 0; i < GL_POLICY_MAX_ERRORS; i++)
        assert_error(i, GL_E_UNKNOWN_KEY, i + 4, 5, "unknown key");
    gl_diagnostics_text(&found, 400, &shown);
    assert_non_null(strstr(gl_str_text(&shown), "\nand 5 more errors\n"));
    gl_str_done(&shown);
    gl_str_done(&text);
    text = (struct gl_str){0};
    gl_str_add(&text, HEAD "  - max_count: 1\n");
    for (int i = 0; i < 21; i++)
        gl_str_addf(&text, "    zz%d: 1\n", i);
    assert_null(parse(gl_str_text(&text)));
    gl_diagnostics_text(&found, 400, &shown);
    assert_non_null(strstr(gl_str_text(&shown), "\nand 1 more error\n"));
    gl_str_done(&shown);
    gl_str_done(&text);
}

static void long_lines_show_carets_only_where_they_are(void **state)
{
    struct gl_str text = {0}, shown = {0};

    (void)state;
    gl_str_add(&text, HEAD "  - {max_count: 1, description: ");
    for (int i = 0; i < 200; i++)
        gl_str_add(&text, "\xc3\xbc");
    gl_str_add(&text, ", zz: 1}\n");
    assert_null(parse(gl_str_text(&text)));
    assert_error(0, GL_E_UNKNOWN_KEY, 3, 235, "zz");
    assert_true(strlen(found.source_lines[0]) >= 158);
    gl_diagnostics_text(&found, 400, &shown);
    assert_null(strchr(gl_str_text(&shown), '^'));
    gl_str_done(&shown);
    gl_str_done(&text);
}

/* The value an error message proposes must be good itself. */
static void bare_numbers_are_refused_with_a_fix_that_works(void **state)
{
    size_t count, tried = 0;
    const struct gl_key *keys = gl_keys(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        bool has_unit = keys[i].kind == GL_KIND_SPAN || keys[i].kind == GL_KIND_QUANTITY;
        const char *bare = keys[i].id == GL_KEY_CONFIDENCE ? "95" : "5";
        char *text = has_unit ? rule_text(&keys[i], bare, true) : NULL;
        const char *fix;

        if (!has_unit)
            continue;
        assert_bad(text, GL_E_UNIT_MISSING, 4, (uint32_t)strlen(keys[i].name) + 7, "\": write ");
        fix = strstr(found.errors[0].text, "as in ");
        assert_non_null(fix);
        free(text);
        text = rule_text(&keys[i], fix + strlen("as in "), true);
        gl_policy_free(parse_good(text));
        free(text);
        tried++;
    }
    assert_int_equal(tried, 11);
    assert_bad(HEAD "  - min_renewable: 0.8\n", GL_E_UNIT_MISSING, 3, 20, "as in 80%");
    assert_bad(HEAD "  - min_renewable: 0.9995\n", GL_E_UNIT_MISSING, 3, 20, "as in 99.95%");
    assert_bad(HEAD "  - min_renewable: 1\n", GL_E_UNIT_MISSING, 3, 20, "as in 100%");
    assert_bad(HEAD "  - min_renewable: 80\n", GL_E_UNIT_MISSING, 3, 20, "as in 80%");
}

static void bad_values_say_what_is_good(void **state)
{
    (void)state;
    assert_bad(HEAD "  - max_intensity: 100 kg\n", GL_E_UNIT_MISSING, 3, 20, "max_intensity: ");
    assert_bad(HEAD "  - max_intensity: 300 kg/kWh\n", GL_E_BAD_VALUE, 3, 20,
               "did you mean 300 gCO2e/kWh?");
    assert_bad(HEAD "  - max_intensity: 3000.1 g/kWh\n", GL_E_BAD_VALUE, 3, 20,
               "no grid emits more than 3000 gCO2e/kWh");
    assert_bad(HEAD "  - max_intensity: 1e3 g/kWh\n", GL_E_BAD_VALUE, 3, 20, "exponent");
    assert_bad(HEAD "  - max_intensity: -5 g/kWh\n", GL_E_BAD_VALUE, 3, 20, "negative");
    assert_bad(HEAD "  - max_intensity: .nan\n", GL_E_BAD_VALUE, 3, 20, "max_intensity");
    assert_bad(HEAD "  - max_intensity: [1, 2]\n", GL_E_BAD_VALUE, 3, 20, "not a list");
    assert_bad(HEAD "  - max_intensity: {a: 2}\n", GL_E_BAD_VALUE, 3, 20, "not a map");
    assert_bad(HEAD "  - max_intensity:\n", GL_E_BAD_VALUE, 3, 5, "has no value");
    assert_bad(HEAD "  - max_intensity: \"  \"\n", GL_E_BAD_VALUE, 3, 5, "has no value");
    assert_bad(HEAD "  - min_renewable: 101%\n", GL_E_BAD_VALUE, 3, 20, "at most 100%");
    gl_policy_free(parse_good(HEAD "  - min_renewable: 100%\n"));
    assert_bad(HEAD "  - max_count: 1.5\n", GL_E_BAD_VALUE, 3, 16, "whole number");
    assert_bad(HEAD "  - max_count: 4 kg\n", GL_E_BAD_VALUE, 3, 16, "without a unit");
    assert_bad(HEAD "  - min_grade: F\n", GL_E_BAD_VALUE, 3, 16, "A, B, C, D or E, not \"F\"");
    assert_bad(HEAD "  - min_grade: b\n", GL_E_BAD_VALUE, 3, 16, "not \"b\"");
    assert_bad(HEAD "  - {boundary: na, max_count: 1}\n", GL_E_BAD_VALUE, 3, 16,
               "direct or lifecycle");
    assert_bad(HEAD "  - {boundary: \"\", max_count: 1}\n", GL_E_BAD_VALUE, 3, 6, "no value");
    assert_bad(HEAD "  - {rate: marginal, max_count: 1}\n", GL_E_BAD_VALUE, 3, 12,
               "short_run_marginal");
    assert_bad(HEAD "  - {biomass: no, max_count: 1}\n", GL_E_BAD_VALUE, 3, 15, "false or true");
    assert_bad(HEAD "  - {biomass: False, max_count: 1}\n", GL_E_BAD_VALUE, 3, 15, "\"False\"");
    assert_bad(HEAD "  - countries: [NO, no]\n", GL_E_BAD_VALUE, 3, 21, "country");
    /* A slip of the pen would keep nobody out. */
    assert_bad(HEAD "  - not_countries: [SE, SW]\n", GL_E_BAD_VALUE, 3, 25, "\"SW\" is no country");
    assert_bad(HEAD "  - countries: [EU]\n", GL_E_BAD_VALUE, 3, 17, "\"EU\" is no country");
    assert_bad(HEAD "  - countries: UK\n", GL_E_BAD_VALUE, 3, 16, "GB");
    assert_bad(HEAD "  - countries: [N*]\n", GL_E_BAD_VALUE, 3, 17, "country");
    assert_bad(HEAD "  - regions: []\n", GL_E_BAD_VALUE, 3, 14, "empty list");
    assert_bad(HEAD "  - regions: \"a,b\"\n", GL_E_BAD_VALUE, 3, 14, "comma");
    assert_bad(HEAD "  - regions: \"eu-[12]\"\n", GL_E_BAD_VALUE, 3, 14, "bracket");
    assert_bad(HEAD "  - regions: [[a]]\n", GL_E_BAD_VALUE, 3, 15, "not a list");
    assert_bad(HEAD "  - regions: [\"a b\"]\n", GL_E_BAD_VALUE, 3, 15, "space");
    assert_bad(HEAD "  - {green_for: 4 m, max_count: 1}\n", GL_E_UNIT_MISSING, 3, 17, "minute");
    assert_bad(HEAD "  - {max_count: 1, level: hrad}\n", GL_E_BAD_VALUE, 3, 27, "soft or hard");
    assert_bad(HEAD "  - {max_count: 1, on_unknown: x}\n", GL_E_BAD_VALUE, 3, 32, "assume-worst");
    assert_bad(HEAD "  - {max_count: 1, enforce_from: tomorrow}\n", GL_E_BAD_VALUE, 3, 34, "date");
    assert_bad(HEAD "  - {max_count: 1, enforce_from: 2026-01-01T10:00}\n", GL_E_BAD_VALUE, 3, 34,
               "zone");
    assert_bad(HEAD "  - {max_count: 1, override: yes}\n", GL_E_BAD_VALUE, 3, 30, "false or true");
    assert_bad(HEAD "  - {max_count: 1, id: \"a b\"}\n", GL_E_BAD_VALUE, 3, 24, "is no id");
    assert_bad(HEAD "  - {max_count: 1, id: \"-a\"}\n", GL_E_BAD_VALUE, 3, 24, "is no id");
    assert_bad(HEAD "  - {max_count: 1, match: []}\n", GL_E_BAD_VALUE, 3, 27, "is a map");
    assert_bad(HEAD "  - {max_count: 1, match: {tag: prod}}\n", GL_E_BAD_VALUE, 3, 33,
               "{env: prod}");
    assert_bad(HEAD "  - {max_count: 1, match: {tag: {a: [b]}}}\n", GL_E_BAD_VALUE, 3, 37,
               "not a list");
    assert_bad(HEAD "  - {max_count: 1, match: {accelerator: false}}\n", GL_E_BAD_VALUE, 3, 41,
               "accelerator is true");
    assert_bad(HEAD "  - {max_count: 1, match: {min_vcpus: 2000000}}\n", GL_E_BAD_VALUE, 3, 39,
               "at most 1000000");
    assert_bad("greenlaunch: 1\nmax_waiver: 30\nrules: [{max_count: 1}]\n", GL_E_UNIT_MISSING, 2,
               13, "max_waiver");
}

static void unknown_keys_get_the_nearest_known_one(void **state)
{
    (void)state;
    assert_bad(HEAD "  - max_intensty: 1 g/kWh\n", GL_E_UNKNOWN_KEY, 3, 5,
               "in a rule: did you mean max_intensity?");
    assert_bad(HEAD "  - require: {min_renewabel: 1%}\n", GL_E_UNKNOWN_KEY, 3, 15,
               "in require: did you mean min_renewable?");
    assert_bad(HEAD "  - {max_count: 1, matchs: {}}\n", GL_E_UNKNOWN_KEY, 3, 20,
               "did you mean match?");
    assert_bad(HEAD "  - {max_count: 1, match: {clouds: aws}}\n", GL_E_UNKNOWN_KEY, 3, 28,
               "in match: did you mean cloud?");
    assert_bad(HEAD "  - {max_count: 1, exclude: {regoin: aws}}\n", GL_E_UNKNOWN_KEY, 3, 30,
               "in exclude: did you mean region?");
    assert_bad("greenlaunch: 1\ndefault: {level: hard}\nrules: [{max_count: 1}]\n",
               GL_E_UNKNOWN_KEY, 2, 1, "in a policy: did you mean defaults?");
    assert_bad("greenlaunch: 1\ndefaults: {max_count: 1}\nrules: [{max_count: 1}]\n",
               GL_E_UNKNOWN_KEY, 2, 12, "it belongs in a rule's require");
    assert_bad("greenlaunch: 1\ndefaults: {data_max_age: 1h}\nrules: [{max_count: 1}]\n",
               GL_E_UNKNOWN_KEY, 2, 12, "write max_data_age");
    assert_bad(HEAD "  - {max_count: 1, budgets: {limit: 5 kg}}\n", GL_E_UNKNOWN_KEY, 3, 20,
               "write budget in a rule");
    assert_bad(HEAD "  - {max_count: 1, max_increase: 5 kg}\n", GL_E_UNKNOWN_KEY, 3, 20,
               "it belongs in a rule's budget");
    assert_bad(HEAD "  - {max_count: 1, limits: {max_price: 5 USD/h}}\n", GL_E_UNKNOWN_KEY, 3, 20,
               "limits stand in the rule itself, or under require");
    assert_bad("greenlaunch: 1\nrules: [{max_count: 1}]\nwaivers: []\n", GL_E_UNKNOWN_KEY, 3, 1,
               "waivers stand in a file of their own: --waivers FILE");
    assert_bad(HEAD "  - {max_count: 1, xyzzyxyzzy: 1}\n", GL_E_UNKNOWN_KEY, 3, 20,
               "unknown key \"xyzzyxyzzy\" in a rule");
    assert_bad(HEAD "  - {max_count: 1, \"\\t\": 1}\n", GL_E_UNKNOWN_KEY, 3, 20, "unknown key");
}

static void the_version_comes_first(void **state)
{
    (void)state;
    assert_bad("rules:\n  - max_count: 1\n", GL_E_BAD_VALUE, 1, 1, "greenlaunch: 1");
    assert_bad("rules: []\ngreenlaunch: 1\n", GL_E_BAD_VALUE, 1, 1, "first key");
    assert_bad("greenlaunch: 2\nrules:\n  - max_count: 1\n", GL_E_BAD_VALUE, 1, 14,
               "version \"2\" is not known");
    assert_bad("greenlaunch: 1.0\nrules:\n  - max_count: 1\n", GL_E_BAD_VALUE, 1, 14, "1.0");
    assert_bad("greenlaunch_waivers: 1\nwaivers: []\n", GL_E_BAD_VALUE, 1, 1, "waivers file");
    assert_bad("greenlaunch_test: 1\n", GL_E_BAD_VALUE, 1, 1, "policy test");
    assert_bad("- a\n", GL_E_BAD_VALUE, 1, 1, "first key");
    assert_bad("{}\n", GL_E_BAD_VALUE, 1, 1, "first key");
    assert_bad("[]\n", GL_E_BAD_VALUE, 1, 1, "first key");
    assert_bad("word\n", GL_E_BAD_VALUE, 1, 1, "first key");
    assert_bad("greenlaunch: 1\n", GL_E_BAD_VALUE, 0, 0, "no rules");
    assert_bad("greenlaunch: 1\nrules: []\n", GL_E_BAD_VALUE, 0, 0, "no rules");
    assert_bad("greenlaunch: 1\nrules: {a: b}\n", GL_E_BAD_VALUE, 2, 8, "is a list");
    assert_bad("greenlaunch: 1\nrules: [word]\n", GL_E_BAD_VALUE, 2, 9, "a rule is a map");
}

static void rules_that_do_nothing_or_everything_are_refused(void **state)
{
    (void)state;
    assert_bad(HEAD "  - id: a\n", GL_E_BAD_VALUE, 3, 5, "rule \"a\" limits nothing");
    assert_bad(HEAD "  - {id: a, require: {}}\n", GL_E_BAD_VALUE, 3, 5, "limits nothing");
    assert_bad(HEAD "  - {id: a, accounting: location}\n", GL_E_BAD_VALUE, 3, 5, "limits nothing");
    assert_bad("greenlaunch: 1\ndefaults: {min_grade: B}\nrules: [{id: a}]\n", GL_E_BAD_VALUE, 3, 9,
               "limits nothing");
    gl_policy_free(parse_good(HEAD "  - min_grade: B\n"));
    assert_bad(HEAD "  - green_for: 4h\n", GL_E_BAD_VALUE, 3, 5, "what is green");
    assert_bad(HEAD "  - {green_for: 4h, max_total: 1 kg}\n", GL_E_BAD_VALUE, 3, 5, "green");
    assert_bad(HEAD "  - {min_vcpus: 8, max_vcpus: 4}\n", GL_E_BAD_VALUE, 3, 5,
               "min_vcpus above max_vcpus");
    gl_policy_free(parse_good(HEAD "  - {min_vcpus: 4, max_vcpus: 4}\n"));
    assert_bad(HEAD "  - {max_count: 4, exclude: {}}\n", GL_E_BAD_VALUE, 3, 20, "empty exclude");
    gl_policy_free(parse_good(HEAD "  - {max_count: 4, match: {}}\n"));
    assert_bad(HEAD "  - {id: a, max_count: 4}\n  - {id: a, max_count: 3}\n", GL_E_DUPLICATE_KEY, 4,
               10, "rule \"a\" is there already: p.yaml:3:5");
    assert_bad(HEAD "  - {id: a, max_count: 4, require: {max_count: 3}}\n", GL_E_DUPLICATE_KEY, 3,
               37, "line 3 has it already");
    assert_bad(HEAD "  - {max_count: 1, max_count: 2}\n", GL_E_DUPLICATE_KEY, 3, 20, "duplicate");
}

static void a_confidence_is_one_of_something_promisable(void **state)
{
    (void)state;
    assert_bad(HEAD "  - confidence: 95%\n", GL_E_BAD_VALUE, 3, 5,
               "nothing that could be promised");
    assert_bad(HEAD "  - {confidence: 95%, max_price: 1 USD/h}\n", GL_E_BAD_VALUE, 3, 5,
               "max_rate or max_total");
    gl_policy_free(parse_good(HEAD "  - {confidence: 95%, max_total: 1 kg}\n"));
    gl_policy_free(parse_good(HEAD "  - {confidence: 95%, max_rate: 1 g/h}\n"));
    assert_bad(HEAD "  - {confidence: 49%, max_intensity: 9 g/kWh}\n", GL_E_BAD_VALUE, 3, 5,
               "outside 50% to 99.9%");
    assert_bad(HEAD "  - {confidence: 99.95%, max_intensity: 9 g/kWh}\n", GL_E_BAD_VALUE, 3, 5,
               "outside 50% to 99.9%");
    gl_policy_free(parse_good(HEAD "  - {confidence: 50%, max_intensity: 9 g/kWh}\n"));
    gl_policy_free(parse_good(HEAD "  - {confidence: 99.9%, min_carbon_free: 9%}\n"));
    gl_policy_free(parse_good(
        HEAD "  - {confidence: 90%, green_below: 80 g/kWh, green_for: 2h, max_count: 1}\n"));
    assert_bad(HEAD "  - {confidence: 0.95, max_intensity: 9 g/kWh}\n", GL_E_UNIT_MISSING, 3, 18,
               "%");
    assert_bad(HEAD "  - {on_lapse: sleep, max_intensity: 9 g/kWh}\n", GL_E_BAD_VALUE, 3, 16,
               "notify");
    assert_bad(HEAD "  - on_lapse: pause\n", GL_E_BAD_VALUE, 3, 5, "limits nothing");
    for (size_t i = 0; gl_on_lapse_words[i] != NULL; i++) {
        struct gl_str text = {0};
        struct gl_policy *policy;

        gl_str_addf(&text, HEAD "  - {on_lapse: %s, max_intensity: 9 g/kWh}\n",
                    gl_on_lapse_words[i]);
        policy = parse_good(gl_str_text(&text));
        assert_int_equal(gl_rule_number(&policy->rules[0], GL_KEY_ON_LAPSE), i);
        gl_policy_free(policy);
        gl_str_done(&text);
    }
}

static void digest_is_of_the_text(void **state)
{
    struct gl_policy *a = parse_good(HEAD "  - max_count: 4\n");
    struct gl_policy *b = parse_good(HEAD "  - max_count: 4\n");
    struct gl_policy *c = parse_good(HEAD "  - max_count: 4 # x\n");

    (void)state;
    assert_true(gl_hash_equal(&a->digest, &b->digest));
    assert_false(gl_hash_equal(&a->digest, &c->digest));
    gl_policy_free(a);
    gl_policy_free(b);
    gl_policy_free(c);
    gl_policy_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_is_understood),
        cmocka_unit_test(words_are_those_of_the_facts),
        cmocka_unit_test(built_in_values_hold),
        cmocka_unit_test(whole_rule_is_read),
        cmocka_unit_test(defaults_fill_what_rules_leave_open),
        cmocka_unit_test(short_rules_get_an_id_from_key_and_place),
        cmocka_unit_test(error_text_is_exact),
        cmocka_unit_test(many_errors_are_shown_and_the_rest_counted),
        cmocka_unit_test(long_lines_show_carets_only_where_they_are),
        cmocka_unit_test(bare_numbers_are_refused_with_a_fix_that_works),
        cmocka_unit_test(bad_values_say_what_is_good),
        cmocka_unit_test(unknown_keys_get_the_nearest_known_one),
        cmocka_unit_test(the_version_comes_first),
        cmocka_unit_test(rules_that_do_nothing_or_everything_are_refused),
        cmocka_unit_test(a_confidence_is_one_of_something_promisable),
        cmocka_unit_test(digest_is_of_the_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
