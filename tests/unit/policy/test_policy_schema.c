/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_text.h"

#include "base/json.h"
#include "base/unit.h"

#include <regex.h>

static json_t *schema;

static int set_up(void **state)
{
    struct gl_error err = {0};
    struct gl_str text = {0};

    (void)state;
    gl_policy_schema(&text);
    schema = gl_json_parse(text.text, text.length, "schema", &err);
    assert_non_null(schema);
    gl_str_done(&text);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    json_decref(schema);
    return 0;
}

/* The member at a path of keys, NULL-terminated. */
static json_t *at(json_t *value, ...)
{
    va_list args;

    va_start(args, value);
    for (const char *key = va_arg(args, const char *); key; key = va_arg(args, const char *))
        value = json_object_get(value, key);
    va_end(args);
    return value;
}

static json_t *rule_properties(void)
{
    return at(schema, "else", "properties", "rules", "items", "properties", NULL);
}

static bool is_matching(const json_t *property, const char *text)
{
    const char *pattern = json_string_value(json_object_get(property, "pattern"));
    regex_t regex;
    int result;

    assert_non_null(pattern);
    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    result = regexec(&regex, text, 0, NULL, 0);
    regfree(&regex);
    return result == 0;
}

static void names_its_draft(void **state)
{
    (void)state;
    assert_string_equal(json_string_value(json_object_get(schema, "$schema")),
                        "https://json-schema.org/draft/2020-12/schema");
    assert_string_equal(json_string_value(json_array_get(at(schema, "else", "required", NULL), 0)),
                        "greenlaunch");
    assert_int_equal(
        json_integer_value(at(schema, "else", "properties", "greenlaunch", "const", NULL)), 1);
}

/* Everything that may be written says what it is and takes nothing unknown. */
static void assert_whole(json_t *value, unsigned levels)
{
    json_t *properties = json_object_get(value, "properties");
    const char *key;
    json_t *member;

    assert_true(levels > 0);
    if (properties != NULL)
        assert_false(json_is_true(json_object_get(value, "additionalProperties")));
    json_object_foreach(properties, key, member)
    {
        if (json_object_get(member, "description") == NULL && strcmp(key, "file") != 0 &&
            strcmp(key, "sha256") != 0)
            fail_msg("%s has no description", key);
        if (!json_object_get(member, "type") && !json_object_get(member, "enum") &&
            !json_object_get(member, "const"))
            fail_msg("%s has no type", key);
        assert_whole(member, levels - 1);
        if (json_object_get(member, "items") != NULL)
            assert_whole(json_object_get(member, "items"), levels - 1);
    }
}

static void every_property_is_described(void **state)
{
    (void)state;
    assert_whole(at(schema, "else", NULL), 8);
    assert_whole(at(schema, "then", NULL), 8);
    assert_int_equal(json_object_size(at(schema, "else", "properties", NULL)), 6);
    assert_int_equal(json_object_size(at(rule_properties(), "match", "properties", NULL)), 10);
    assert_int_equal(json_object_size(at(rule_properties(), "exclude", "properties", NULL)), 10);
    assert_int_equal(json_object_size(rule_properties()), 13 + GL_KEYS);
}

static void every_key_is_in_it(void **state)
{
    size_t count;
    const struct gl_key *keys = gl_keys(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        json_t *shorter = at(rule_properties(), keys[i].name, NULL);
        json_t *longer = at(rule_properties(), "require", "properties", keys[i].name, NULL);
        json_t *otherwise =
            at(schema, "else", "properties", "defaults", "properties", keys[i].name, NULL);
        const char *help = json_string_value(json_object_get(longer, "description"));

        assert_non_null(shorter);
        assert_true(json_equal(shorter, longer));
        assert_int_equal(otherwise != NULL, keys[i].standard != GL_UNKNOWN);
        assert_non_null(strstr(help, keys[i].help));
        assert_non_null(strstr(help, keys[i].example));
    }
}

static void units_are_compulsory_for_editors_too(void **state)
{
    size_t count;
    const struct gl_key *keys = gl_keys(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        json_t *property = at(rule_properties(), keys[i].name, NULL);

        if (keys[i].kind == GL_KIND_COUNT) {
            assert_true(is_matching(property, keys[i].example));
            assert_false(is_matching(property, "1.5"));
        } else if (keys[i].kind == GL_KIND_QUANTITY || keys[i].kind == GL_KIND_SPAN) {
            assert_string_equal(json_string_value(json_object_get(property, "type")), "string");
            assert_true(is_matching(property, keys[i].example));
            assert_false(is_matching(property, "5"));
            assert_false(is_matching(property, "5 parsecs"));
        } else if (keys[i].kind == GL_KIND_GLOBS) {
            bool is_country = strstr(keys[i].name, "countries") != NULL;

            assert_int_equal(is_matching(property, "NO"), true);
            assert_int_equal(is_matching(property, "eu-*"), !is_country);
            assert_false(is_matching(property, "a b"));
        } else if (keys[i].kind == GL_KIND_BOOL) {
            assert_string_equal(json_string_value(json_object_get(property, "type")), "boolean");
        }
    }
}

static bool is_listed(const json_t *list, const char *word)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(json_string_value(json_array_get(list, i)), word) == 0)
            return true;
    return false;
}

static void words_are_enumerated(void **state)
{
    json_t *boundary = at(rule_properties(), "boundary", "enum", NULL);
    json_t *level = at(rule_properties(), "level", "enum", NULL);

    (void)state;
    assert_int_equal(json_array_size(boundary), 2);
    assert_true(is_listed(boundary, "direct"));
    assert_true(is_listed(boundary, "lifecycle"));
    assert_int_equal(json_array_size(level), 3);
    assert_true(is_listed(level, "advisory"));
    assert_int_equal(json_array_size(at(rule_properties(), "min_grade", "enum", NULL)), 5);
    assert_int_equal(json_array_size(at(rule_properties(), "on_unknown", "enum", NULL)), 4);
}

static void waivers_are_in_it(void **state)
{
    json_t *waiver = at(schema, "then", "properties", "waivers", "items", NULL);
    json_t *properties = json_object_get(waiver, "properties");
    json_t *needed = json_object_get(waiver, "required");

    (void)state;
    assert_int_equal(json_object_size(properties), 10);
    assert_int_equal(json_array_size(needed), 5);
    assert_true(is_listed(needed, "expires"));
    assert_false(is_listed(needed, "cap"));
    assert_true(is_matching(json_object_get(properties, "target"), "aws/r/t"));
    assert_false(is_matching(json_object_get(properties, "target"), "**/*"));
    assert_true(is_matching(json_object_get(properties, "expires"), "2026-12-31"));
    assert_true(is_matching(json_object_get(properties, "expires"), "2026-12-31T10:00:00+01:00"));
    assert_false(is_matching(json_object_get(properties, "expires"), "2026-12-31T10:00:00"));
    assert_true(is_matching(json_object_get(properties, "cap"), "300 gCO2e/kWh"));
    assert_false(is_matching(json_object_get(properties, "cap"), "300"));
}

/* The page for people has every key with its example, the schema's other half. */
static void the_page_has_every_key(void **state)
{
    struct gl_error err = {0};
    size_t count, length;
    const struct gl_key *keys = gl_keys(&count);
    char *page;

    (void)state;
    assert_int_equal(gl_file_read("docs/policy.md", GL_POLICY_MAX_BYTES, &page, &length, &err), 0);
    for (size_t i = 0; i < count; i++) {
        struct gl_str name = {0}, example = {0};

        gl_str_addf(&name, "`%s`", keys[i].name);
        gl_str_addf(&example, "`%s`", keys[i].example);
        if (!strstr(page, gl_str_text(&name)))
            fail_msg("docs/policy.md does not have %s", keys[i].name);
        if (keys[i].standard == GL_UNKNOWN && !strstr(page, gl_str_text(&example)))
            fail_msg("docs/policy.md does not have %s", keys[i].example);
        gl_str_done(&name);
        gl_str_done(&example);
    }
    free(page);
}

static void is_the_same_every_time(void **state)
{
    struct gl_str a = {0}, b = {0};

    (void)state;
    gl_policy_schema(&a);
    gl_policy_schema(&b);
    assert_string_equal(a.text, b.text);
    gl_str_done(&a);
    gl_str_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_its_draft),
        cmocka_unit_test(every_property_is_described),
        cmocka_unit_test(every_key_is_in_it),
        cmocka_unit_test(units_are_compulsory_for_editors_too),
        cmocka_unit_test(words_are_enumerated),
        cmocka_unit_test(waivers_are_in_it),
        cmocka_unit_test(the_page_has_every_key),
        cmocka_unit_test(is_the_same_every_time),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
