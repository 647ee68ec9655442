/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_files.h"

#include "policy/value.h"

#define CHILD "greenlaunch: 1\ninclude: [floor.yaml]\n"
#define FLOOR "greenlaunch: 1\nrules:\n"

static void included_rules_come_first(void **state)
{
    struct gl_policy *policy =
        parse_two_good(CHILD "id: child\ndefaults: {min_grade: A}\n"
                             "rules:\n  - {id: b, max_intensity: 5 g/kWh}\n",
                       "greenlaunch: 1\nid: floor\ndefaults: {max_data_age: 1h}\n"
                       "rules:\n  - {id: a, max_intensity: 9 g/kWh}\n");

    (void)state;
    assert_string_equal(policy->id, "child");
    assert_int_equal(policy->rule_count, 2);
    assert_string_equal(policy->rules[0].id, "a");
    assert_string_equal(policy->rules[0].pos.file, "floor.yaml");
    assert_string_equal(policy->rules[1].id, "b");
    /* Defaults are those of the file. */
    assert_int_equal(gl_rule_number(&policy->rules[0], GL_KEY_MIN_GRADE), GL_GRADE_C);
    assert_int_equal(gl_rule_number(&policy->rules[0], GL_KEY_MAX_DATA_AGE), 3600);
    assert_int_equal(gl_rule_number(&policy->rules[1], GL_KEY_MIN_GRADE), GL_GRADE_A);
    assert_int_equal(gl_rule_number(&policy->rules[1], GL_KEY_MAX_DATA_AGE), 3 * 3600);
    gl_policy_free(policy);
    policy = parse_two_good(CHILD, FLOOR "  - max_count: 1\n  - max_count: 2\n");
    assert_int_equal(policy->rule_count, 2);
    assert_string_equal(policy->rules[0].id, "max_count@floor.yaml:3:5");
    gl_policy_free(policy);
}

/* ---- tightening, for every key of the table ---- */

struct step {
    const char *base, *tighter, *looser; /* NULL: there is none */
};

static const struct step steps[GL_KEYS] = {
    [GL_KEY_MAX_INTENSITY] = {"100 g/kWh", "99.9 g/kWh", "0.2 kg/kWh"},
    [GL_KEY_MIN_RENEWABLE] = {"80%", "80.01%", "79%"},
    [GL_KEY_MIN_CARBON_FREE] = {"80%", "100%", "0%"},
    [GL_KEY_MIN_GRADE] = {"B", "A", "C"},
    [GL_KEY_MAX_DATA_AGE] = {"2h", "119min", "3h"},
    [GL_KEY_GREEN_FOR] = {"4h", "5h", "1h"},
    [GL_KEY_GREEN_BELOW] = {"80 g/kWh", "70 g/kWh", "90 g/kWh"},
    [GL_KEY_CONFIDENCE] = {"90%", "95%", "89.9%"},
    [GL_KEY_ON_LAPSE] = {"pause", NULL, "notify"},
    [GL_KEY_ACCOUNTING] = {"market", NULL, "location"},
    [GL_KEY_RATE] = {"average", NULL, "short_run_marginal"},
    [GL_KEY_BOUNDARY] = {"lifecycle", NULL, "direct"},
    [GL_KEY_BIOMASS] = {"false", NULL, "true"},
    [GL_KEY_REGIONS] = {"[eu-*, us-west-2]", "[eu-north-*, us-west-2]", "[eu-north-1, us-west-1]"},
    [GL_KEY_NOT_REGIONS] = {"[us-*]", "[us-*, ap-*]", "[us-east-*]"},
    [GL_KEY_COUNTRIES] = {"[NO, SE]", "[SE]", "[NO, FI]"},
    [GL_KEY_NOT_COUNTRIES] = {"[PL, DE]", "[DE, PL, CZ]", "[PL]"},
    [GL_KEY_MIN_VCPUS] = {"2", "3", "1"},
    [GL_KEY_MAX_VCPUS] = {"8", "4", "9"},
    [GL_KEY_MAX_MEMORY] = {"64 GiB", "64 GB", "65 GiB"},
    [GL_KEY_MAX_COUNT] = {"4", "0", "5"},
    [GL_KEY_MAX_PRICE] = {"0.40 USD/h", "$9 per day", "10 USD per day"},
    [GL_KEY_MAX_RATE] = {"50 g/h", "1 kg per day", "2 kg per day"},
    [GL_KEY_MAX_TOTAL] = {"2 kg", "1999 g", "2.001 kg"},
};

static struct gl_policy *parse_step(const struct gl_key *key, const char *base, const char *now)
{
    struct gl_str floor = {0}, child = {0};
    struct gl_policy *policy;

    gl_str_addf(&floor, FLOOR "  - id: r\n    require:\n      %s: %s\n", key->name, base);
    if (key->standard != GL_UNKNOWN || key->id == GL_KEY_GREEN_FOR || key->id == GL_KEY_CONFIDENCE)
        gl_str_add(&floor, "      max_intensity: 1 kg/kWh\n");
    gl_str_addf(&child, CHILD "rules:\n  - id: r\n    override: true\n    %s: %s\n", key->name,
                now);
    policy = parse_two(gl_str_text(&child), gl_str_text(&floor));
    gl_str_done(&floor);
    gl_str_done(&child);
    return policy;
}

static void assert_step(const struct gl_key *key, const char *base, const char *now, bool is_good)
{
    struct gl_policy *policy = parse_step(key, base, now);

    if (!is_good) {
        assert_null(policy);
        assert_error(0, GL_E_LOOSENS, 6, (uint32_t)strlen(key->name) + 7, "floor.yaml:5:");
        assert_string_equal(found.errors[0].pos.file, "child.yaml");
        assert_int_equal(found.count, 1);
        return;
    }
    if (policy == NULL)
        print_found();
    assert_non_null(policy);
    assert_int_equal(policy->rule_count, 1);
    assert_string_equal(constraint_of(&policy->rules[0], key->id)->pos.file, "child.yaml");
    gl_policy_free(policy);
}

static void overrides_only_tighten(void **state)
{
    size_t count;
    const struct gl_key *keys = gl_keys(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const struct step *step = &steps[i];

        assert_non_null(step->base);
        assert_step(&keys[i], step->base, step->base, true);
        if (step->tighter != NULL)
            assert_step(&keys[i], step->base, step->tighter, true);
        assert_step(&keys[i], step->base, step->looser, false);
    }
}

static void override_keeps_what_it_does_not_say(void **state)
{
    struct gl_policy *policy = parse_two_good(
        CHILD "defaults: {max_data_age: 9h, level: advisory, on_unknown: allow}\nrules:\n"
              "  - {id: r, override: true, max_intensity: 50 g/kWh, max_count: 3, message: New}\n",
        FLOOR "  - {id: r, description: Old, match: {cloud: aws}, max_intensity: 90 g/kWh,"
              " min_grade: B}\n");
    const struct gl_rule *rule = &policy->rules[0];

    (void)state;
    assert_int_equal(policy->rule_count, 1);
    assert_int_equal(rule->count, 3);
    assert_int_equal(gl_rule_number(rule, GL_KEY_MAX_INTENSITY), 50000000);
    assert_int_equal(gl_rule_number(rule, GL_KEY_MIN_GRADE), GL_GRADE_B);
    assert_int_equal(gl_rule_number(rule, GL_KEY_MAX_COUNT), 3000000);
    assert_int_equal(gl_rule_number(rule, GL_KEY_MAX_DATA_AGE), 3 * 3600);
    assert_string_equal(constraint_of(rule, GL_KEY_MIN_GRADE)->pos.file, "floor.yaml");
    assert_string_equal(rule->match.clouds[0], "aws");
    assert_string_equal(rule->description, "Old");
    assert_string_equal(rule->message, "New");
    assert_string_equal(rule->pos.file, "child.yaml");
    assert_int_equal(rule->level, GL_HARD);
    assert_int_equal(rule->on_unknown, GL_UNKNOWN_REFUSE);
    gl_policy_free(policy);
}

/* What an included rule leaves open is not open: the built-in value holds. */
static void built_in_values_cannot_be_loosened(void **state)
{
    static const char floor[] = FLOOR "  - {id: r, max_intensity: 90 g/kWh}\n";

    (void)state;
    assert_two_bad(CHILD "rules: [{id: r, override: true, min_grade: D}]\n", floor, GL_E_LOOSENS, 3,
                   44, "min_grade: D loosens the built-in C");
    assert_two_bad(CHILD "rules: [{id: r, override: true, max_data_age: 4h}]\n", floor,
                   GL_E_LOOSENS, 3, 47, "built-in 3 h");
    assert_two_bad(CHILD "rules: [{id: r, override: true, accounting: market}]\n", floor,
                   GL_E_LOOSENS, 3, 45, "built-in location");
    gl_policy_free(
        parse_two_good(CHILD "rules: [{id: r, override: true, biomass: false}]\n", floor));
    gl_policy_free(parse_two_good(CHILD "rules: [{id: r, override: true, min_grade: B}]\n", floor));
}

static void words_of_a_rule_only_tighten(void **state)
{
    static const char strict[] = FLOOR "  - {id: r, max_count: 9, enforce_from: 2027-01-01}\n";
    static const char lax[] = FLOOR
        "  - {id: r, max_count: 9, level: advisory, on_unknown: allow, enforce_from: 2027-01-01}\n";
    struct gl_policy *policy =
        parse_two_good(CHILD "rules: [{id: r, override: true, level: soft, on_unknown: warn,"
                             " enforce_from: 2026-06-01}]\n",
                       lax);

    (void)state;
    assert_int_equal(policy->rules[0].level, GL_SOFT);
    assert_int_equal(policy->rules[0].on_unknown, GL_UNKNOWN_WARN);
    assert_int_equal(policy->rules[0].enforce_from.unix_s, 1780272000);
    gl_policy_free(policy);
    assert_two_bad(CHILD "rules: [{id: r, override: true, level: soft}]\n", strict, GL_E_LOOSENS, 3,
                   40, "level: soft loosens the hard of floor.yaml:3:5");
    assert_two_bad(CHILD "rules: [{id: r, override: true, on_unknown: assume-worst}]\n", strict,
                   GL_E_LOOSENS, 3, 45, "refuse of floor.yaml:3:5");
    assert_two_bad(CHILD "rules: [{id: r, override: true, enforce_from: 2027-01-02}]\n", strict,
                   GL_E_LOOSENS, 3, 47, "2027-01-01T00:00:00Z of floor.yaml:3:5");
    assert_two_bad(CHILD "rules: [{id: r, override: true, enforce_from: 2027-01-02}]\n",
                   FLOOR "  - {id: r, max_count: 9}\n", GL_E_LOOSENS, 3, 47, "immediate force");
    assert_two_bad(CHILD "rules: [{id: r, override: true, match: {cloud: aws}}]\n", strict,
                   GL_E_LOOSENS, 3, 33, "keeps the match");
    assert_two_bad(CHILD "rules: [{id: r, override: true, exclude: {cloud: aws}}]\n", strict,
                   GL_E_LOOSENS, 3, 33, "keeps the exclude");
    assert_two_bad(CHILD "rules: [{id: r, override: true, min_vcpus: 5}]\n",
                   FLOOR "  - {id: r, max_vcpus: 4}\n", GL_E_BAD_VALUE, 3, 9, "above max_vcpus");
}

/* A grade alone demands evidence of the intensity; a share beside it would take its place. */
static void demands_for_evidence_stay(void **state)
{
    static const char floor[] = FLOOR "  - {id: r, min_grade: B}\n";

    (void)state;
    assert_two_bad(CHILD "rules: [{id: r, override: true, min_renewable: 1%}]\n", floor,
                   GL_E_LOOSENS, 3, 9, "no longer demand evidence");
    gl_policy_free(parse_two_good(
        CHILD "rules: [{id: r, override: true, min_renewable: 1%, max_rate: 1 g/h}]\n", floor));
    gl_policy_free(parse_two_good(CHILD "rules: [{id: r, override: true, regions: [a]}]\n", floor));
    gl_policy_free(parse_two_good(CHILD "rules: [{id: r, override: true, min_renewable: 1%}]\n",
                                  FLOOR "  - {id: r, min_grade: B, min_carbon_free: 1%}\n"));
}

static void ids_are_unique_across_files(void **state)
{
    static const char floor[] = FLOOR "  - {id: clean-grid, max_count: 9}\n";

    (void)state;
    assert_two_bad(CHILD "rules: [{id: clean-grid, max_count: 3}]\n", floor, GL_E_DUPLICATE_KEY, 3,
                   14, "already: floor.yaml:3:5; to tighten it, add override: true");
    assert_two_bad(CHILD "rules: [{id: clean-gird, override: true, max_count: 3}]\n", floor,
                   GL_E_UNKNOWN_NAME, 3, 14, "did you mean clean-grid?");
    assert_two_bad(CHILD "rules: [{id: xyz, override: true, max_count: 3}]\n", floor,
                   GL_E_UNKNOWN_NAME, 3, 14, "no included rule has the id \"xyz\"");
    assert_two_bad(CHILD "rules: [{override: true, max_count: 3}]\n", floor, GL_E_UNKNOWN_NAME, 3,
                   9, "no included rule");
    assert_two_bad(CHILD "rules:\n  - {id: clean-grid, override: true, max_count: 3}\n"
                         "  - {id: clean-grid, override: true, max_count: 2}\n",
                   floor, GL_E_DUPLICATE_KEY, 5, 10, "already: child.yaml:4:5");
}

/* The account of a rule is named by the file that wrote it: without an id there, a budget that
 * comes by an override would stand under the file's name. */
static void an_added_budget_needs_the_id_of_the_base(void **state)
{
    static const char child[] =
        CHILD "id: child\nrules: [{id: r, override: true, budget: {limit: 1 kg per 30d}}]\n";
    static const char by_share[] =
        CHILD "rules: [{id: r, override: true, budget: {max_increase: 1 kg}}]\n";
    const char *chain[] = {"top",
                           "greenlaunch: 1\nid: top\ninclude: mid\nrules: [{id: r, override: "
                           "true, budget: {money: 5 USD per 30d}}]\n",
                           "mid",
                           "greenlaunch: 1\nid: mid\ninclude: base\nrules: [{id: r, override: "
                           "true, max_count: 3}]\n",
                           "base",
                           "greenlaunch: 1\nrules: [{id: r, max_count: 4}]\n",
                           NULL};
    struct gl_policy *policy;

    (void)state;
    assert_two_bad(child, FLOOR "  - {id: r, max_count: 9}\n", GL_E_BAD_VALUE, 4, 9,
                   "the file that wrote \"r\" has none");
    assert_null(parse_files(chain));
    assert_error(0, GL_E_BAD_VALUE, 4, 9, "the file that wrote \"r\" has none");
    assert_int_equal(found.count, 1);
    policy = parse_two_good(
        child, "greenlaunch: 1\nid: floor\ndefaults: {min_grade: D}\nrules:\n  - {id: r, "
               "max_count: 9}\n");
    assert_string_equal(policy->rules[0].policy, "floor");
    gl_policy_free(policy);
    gl_policy_free(parse_two_good(by_share, FLOOR "  - {id: r, max_count: 9}\n"));
}

/* ---- files ---- */

static void includes_nest_and_each_file_counts_once(void **state)
{
    const char *pairs[] = {
        "top",
        "greenlaunch: 1\ninclude: [left, {file: right}]\nrules: [{id: t, max_count: 1}]\n",
        "left",
        "greenlaunch: 1\ninclude: base\nrules: [{id: l, max_count: 2}]\n",
        "right",
        "greenlaunch: 1\ninclude: [base]\nrules: [{id: b, override: true, max_count: 3}]\n",
        "base",
        "greenlaunch: 1\nrules: [{id: b, max_count: 4}]\n",
        NULL};
    struct gl_policy *policy = parse_files(pairs);

    (void)state;
    assert_non_null(policy);
    assert_int_equal(policy->rule_count, 3);
    assert_string_equal(policy->rules[0].id, "b");
    assert_int_equal(gl_rule_number(&policy->rules[0], GL_KEY_MAX_COUNT), 3000000);
    assert_string_equal(policy->rules[1].id, "l");
    assert_string_equal(policy->rules[2].id, "t");
    gl_policy_free(policy);
}

static void cycles_are_refused(void **state)
{
    const char *self[] = {"a", "greenlaunch: 1\ninclude: [a]\nrules: [{max_count: 1}]\n", NULL};
    const char *two[] = {"a", "greenlaunch: 1\ninclude: [b]\nrules: [{max_count: 1}]\n", "b",
                         "greenlaunch: 1\ninclude: [a]\nrules: [{max_count: 1}]\n", NULL};

    (void)state;
    assert_null(parse_files(self));
    assert_error(0, GL_E_INCLUDE, 2, 11, "includes go round: a > a");
    assert_null(parse_files(two));
    assert_error(0, GL_E_INCLUDE, 2, 11, "includes go round: a > b > a");
    assert_string_equal(found.errors[0].pos.file, "b");
}

/* A chain of `length` files, each including the next; "f0" is first. */
static struct gl_policy *parse_chain(size_t length)
{
    struct gl_str texts[40] = {{0}}, names[40] = {{0}};
    const char *pairs[81] = {NULL};
    struct gl_policy *policy;

    for (size_t i = 0; i < length; i++) {
        gl_str_addf(&names[i], "f%zu", i);
        gl_str_add(&texts[i], "greenlaunch: 1\n");
        if (i + 1 < length)
            gl_str_addf(&texts[i], "include: [f%zu]\n", i + 1);
        gl_str_addf(&texts[i], "rules: [{id: r%zu, max_count: 1}]\n", i);
        pairs[i * 2] = gl_str_text(&names[i]);
        pairs[i * 2 + 1] = gl_str_text(&texts[i]);
    }
    policy = parse_files(pairs);
    for (size_t i = 0; i < length; i++) {
        gl_str_done(&texts[i]);
        gl_str_done(&names[i]);
    }
    return policy;
}

static void sixteen_includes_are_enough(void **state)
{
    struct gl_policy *policy = parse_chain(GL_POLICY_MAX_INCLUDES + 1);

    (void)state;
    assert_non_null(policy);
    assert_int_equal(policy->rule_count, GL_POLICY_MAX_INCLUDES + 1);
    assert_string_equal(policy->rules[0].id, "r16");
    gl_policy_free(policy);
    assert_null(parse_chain(GL_POLICY_MAX_INCLUDES + 2));
    assert_error(0, GL_E_INCLUDE, 2, 11, "more than 16 includes");
    assert_string_equal(found.errors[0].pos.file, "f16");
}

static void errors_name_the_included_file(void **state)
{
    (void)state;
    assert_null(parse_two(CHILD "rules: [{max_cuont: 1}]\n", FLOOR "  - max_count: x\n"));
    assert_int_equal(found.count, 2);
    assert_string_equal(found.errors[0].pos.file, "child.yaml");
    assert_string_equal(found.errors[1].pos.file, "floor.yaml");
    assert_string_equal(found.source_lines[1], "  - max_count: x");
    assert_two_bad(CHILD, "greenlaunch: 1\nrules: [\n", GL_E_SYNTAX, 2, 9, "not YAML");
    /* An id that only the broken file would have is no error of its own. */
    assert_two_bad(CHILD "rules: [{id: r, override: true, max_count: 1}]\n",
                   FLOOR "  - {id: r, max_count: x}\n", GL_E_BAD_VALUE, 3, 24, "max_count");
    assert_two_bad("greenlaunch: 1\ninclude: [gone.yaml]\n", "", GL_E_INCLUDE, 2, 11,
                   "include: no file \"gone.yaml\"");
    assert_two_bad("greenlaunch: 1\ninclude: []\nrules: [{max_count: 1}, {max_cuont: 1}]\n", "",
                   GL_E_UNKNOWN_KEY, 3, 26, "max_count");
    assert_two_bad("greenlaunch: 1\ninclude: [[floor.yaml]]\nrules: [{max_count: 1}]\n", "",
                   GL_E_BAD_VALUE, 2, 11, "an include is a map");
    assert_two_bad("greenlaunch: 1\ninclude: {sha256: x}\nrules: [{max_count: 1}]\n", "",
                   GL_E_BAD_VALUE, 2, 10, "needs \"file\"");
    assert_bad(CHILD "rules: [{max_count: 1}]\n", GL_E_INCLUDE, 2, 11, "not possible here");
}

static void pins_are_checked(void **state)
{
    static const char floor[] = FLOOR "  - max_count: 1\n";
    struct gl_str good = {0}, bad = {0};
    char hex[GL_HASH_HEX];
    struct gl_hash hash;

    (void)state;
    gl_hash_of(floor, strlen(floor), &hash);
    gl_hash_hex(&hash, hex);
    gl_str_addf(&good, "greenlaunch: 1\ninclude: [{file: floor.yaml, sha256: %s}]\n", hex);
    gl_policy_free(parse_two_good(gl_str_text(&good), floor));
    hex[0] = hex[0] == 'a' ? 'b' : 'a';
    gl_str_addf(&bad, "greenlaunch: 1\ninclude: [{file: floor.yaml, sha256: %s}]\n", hex);
    gl_hash_hex(&hash, hex);
    assert_two_bad(gl_str_text(&bad), floor, GL_E_INCLUDE, 2, 11, hex);
    assert_two_bad("greenlaunch: 1\ninclude: [{file: floor.yaml, sha256: 12}]\n", floor,
                   GL_E_BAD_VALUE, 2, 11, "64 hexadecimal digits, letters in lower case");
    gl_str_done(&good);
    gl_str_done(&bad);
}

/* The same name must always be the same text. */
static int load_changing(void *cookie, const char *from, const char *path, struct gl_view *out_text,
                         const char **out_name, struct gl_error *err)
{
    static const char *const texts[] = {FLOOR "  - max_count: 1\n", FLOOR "  - max_count: 2\n"};
    int *loads = cookie;

    (void)from;
    (void)path;
    (void)err;
    *out_text = view_of(texts[(*loads)++ % 2]);
    *out_name = "floor.yaml";
    return 0;
}

static void a_file_that_changes_meanwhile_is_refused(void **state)
{
    int loads = 0;
    struct gl_policy_loader loader = {&loads, load_changing};

    (void)state;
    assert_null(gl_policy_parse(view_of("greenlaunch: 1\ninclude: [a, b]\n"), "child.yaml", &loader,
                                &found));
    assert_error(0, GL_E_INCLUDE, 2, 14, "changed while it was read");
}

static void digest_covers_included_texts(void **state)
{
    struct gl_policy *a = parse_two_good(CHILD, FLOOR "  - max_count: 1\n");
    struct gl_policy *b = parse_two_good(CHILD, FLOOR "  - max_count: 2\n");

    (void)state;
    assert_false(gl_hash_equal(&a->digest, &b->digest));
    gl_policy_free(a);
    gl_policy_free(b);
}

/* ---- how long waivers may last ---- */

static void assert_max_waiver(const char *child, const char *floor, const char *wanted)
{
    struct gl_policy *policy = parse_two_good(child, floor);
    struct gl_str text = {0};
    char line[64];

    gl_policy_explain(policy, 400, &text);
    snprintf(line, sizeof line, "  max_waiver       %s ", wanted);
    if (strstr(gl_str_text(&text), line) == NULL)
        print_message("%s", gl_str_text(&text));
    assert_non_null(strstr(gl_str_text(&text), line));
    gl_str_done(&text);
    gl_policy_free(policy);
}

static void max_waiver_only_shortens(void **state)
{
    static const char plain[] = "greenlaunch: 1\nrules: [{max_count: 1}]\n";
    static const char month[] = "greenlaunch: 1\nmax_waiver: 30d\nrules: [{max_count: 1}]\n";
    static const char year[] = "greenlaunch: 1\nmax_waiver: 360d\nrules: [{max_count: 1}]\n";

    (void)state;
    assert_max_waiver(CHILD, plain, "180 d");
    assert_max_waiver(CHILD, month, "30 d");
    assert_max_waiver(CHILD, year, "360 d");
    assert_max_waiver(CHILD "max_waiver: 10d\n", month, "10 d");
    assert_max_waiver(year, plain, "360 d");
    assert_two_bad(CHILD "max_waiver: 31d\n", month, GL_E_LOOSENS, 3, 13,
                   "720 h (floor.yaml:2:13)");
    assert_two_bad(CHILD "max_waiver: 181d\n", plain, GL_E_LOOSENS, 3, 13, "4320 h (built in)");
}

static void the_shortest_of_several_holds(void **state)
{
    const char *pairs[] = {"top", "greenlaunch: 1\ninclude: [a, b]\n",
                           "a",   "greenlaunch: 1\nmax_waiver: 30d\nrules: [{max_count: 1}]\n",
                           "b",   "greenlaunch: 1\nmax_waiver: 360d\nrules: [{max_count: 1}]\n",
                           NULL};
    struct gl_policy *policy = parse_files(pairs);
    struct gl_str text = {0};

    (void)state;
    assert_non_null(policy);
    gl_policy_explain(policy, 400, &text);
    assert_non_null(
        strstr(gl_str_text(&text), "  max_waiver       30 d                     a:2:13"));
    gl_str_done(&text);
    gl_policy_free(policy);
}

/* ---- patterns ---- */

/* Text number `n` over a, b of up to four letters. */
static void text_of(unsigned n, char out[8])
{
    size_t length = 0;

    for (; n > 0; n = (n - 1) / 2)
        out[length++] = "ab"[(n - 1) % 2];
    out[length] = '\0';
}

static bool is_really_covered(const char *narrow, const char *wide)
{
    char text[8];

    for (unsigned n = 0; n < 127; n++) {
        text_of(n, text);
        if (gl_glob_match(narrow, text) && !gl_glob_match(wide, text))
            return false;
    }
    return true;
}

/* Over all pairs of patterns of up to four of a, b, *, ?: an accepted narrowing never lets a new
 * text in, and plain cases are not refused. */
static void narrower_patterns_match_nothing_new(void **state)
{
    const struct gl_key *key = gl_key_named("regions");
    unsigned accepted = 0;

    (void)state;
    for (unsigned pair = 0; pair < 341u * 341u; pair++) {
        char narrow[8] = "", wide[8] = "";
        const char *narrow_list[] = {narrow, NULL}, *wide_list[] = {wide, NULL};
        struct gl_constraint now = {.key = key, .globs = narrow_list};
        struct gl_constraint was = {.key = key, .globs = wide_list};
        unsigned a = pair % 341, b = pair / 341;

        for (size_t i = 0; a > 0; a = (a - 1) / 4)
            narrow[i++] = "ab*?"[(a - 1) % 4];
        for (size_t i = 0; b > 0; b = (b - 1) / 4)
            wide[i++] = "ab*?"[(b - 1) % 4];
        if (gl_value_is_as_tight(&now, &was)) {
            accepted++;
            if (!is_really_covered(narrow, wide))
                print_message("%s is not within %s\n", narrow, wide);
            assert_true(is_really_covered(narrow, wide));
        } else if (strpbrk(narrow, "*?") == NULL) {
            assert_false(gl_glob_match(wide, narrow));
        }
    }
    assert_true(accepted > 341);
}

/* ---- the examples ---- */

static void examples_tighten_the_central_floor(void **state)
{
    char *child = read_example("team-on-floor.yaml");
    char *floor = read_example("central-floor.yaml");
    const char *pairs[] = {"team-on-floor.yaml", child, "central-floor.yaml", floor, NULL};
    struct gl_policy *alone = parse_good(floor);
    struct gl_policy *policy = parse_files(pairs);

    (void)state;
    if (policy == NULL)
        print_found();
    assert_non_null(policy);
    assert_int_equal(alone->rule_count, 3);
    assert_int_equal(gl_rule_number(&alone->rules[0], GL_KEY_MAX_INTENSITY), 200000000);
    assert_int_equal(policy->rule_count, 4);
    assert_int_equal(gl_rule_number(&policy->rules[0], GL_KEY_MAX_INTENSITY), 120000000);
    assert_int_equal(gl_rule_number(&policy->rules[0], GL_KEY_MIN_RENEWABLE), 500000);
    gl_policy_free(alone);
    gl_policy_free(policy);
    free(child);
    free(floor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(included_rules_come_first),
        cmocka_unit_test(overrides_only_tighten),
        cmocka_unit_test(override_keeps_what_it_does_not_say),
        cmocka_unit_test(built_in_values_cannot_be_loosened),
        cmocka_unit_test(words_of_a_rule_only_tighten),
        cmocka_unit_test(demands_for_evidence_stay),
        cmocka_unit_test(ids_are_unique_across_files),
        cmocka_unit_test(an_added_budget_needs_the_id_of_the_base),
        cmocka_unit_test(includes_nest_and_each_file_counts_once),
        cmocka_unit_test(cycles_are_refused),
        cmocka_unit_test(sixteen_includes_are_enough),
        cmocka_unit_test(errors_name_the_included_file),
        cmocka_unit_test(pins_are_checked),
        cmocka_unit_test(a_file_that_changes_meanwhile_is_refused),
        cmocka_unit_test(digest_covers_included_texts),
        cmocka_unit_test(max_waiver_only_shortens),
        cmocka_unit_test(the_shortest_of_several_holds),
        cmocka_unit_test(narrower_patterns_match_nothing_new),
        cmocka_unit_test(examples_tighten_the_central_floor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
