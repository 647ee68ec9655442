/* SPDX-License-Identifier: Apache-2.0 */
/* Every member of a receipt's evidence has one type, whoever signed it. */
#include "tests/unit/broker/receipt_bench.h"

/* What plans and runs add to the least that a receipt needs. */
static const char whole_evidence[] =
    "{\"simulated\":false,\"pue_source\":\"a test\","
    "\"request\":{\"start_s\":1,\"load_ppm\":500000,\"count\":1,\"min_vcpus\":0,"
    "\"min_memory_mib\":0,\"clouds\":[\"file\"],\"regions\":[\"here\"],\"types\":[\"small\"],"
    "\"command\":[\"true\"]},"
    "\"decision\":{\"verdict\":\"allow\",\"digest\":\"HASH\",\"policy_digest\":\"HASH\",\"grade\":"
    "\"D\","
    "\"has_warning\":false,\"rules\":[{\"id\":\"r\",\"limits\":[{\"key\":\"k\",\"limit\":\"l\"}]}],"
    "\"offers_judged\":2,\"offers_allowed\":1},"
    "\"offer\":{\"country\":\"XX\",\"vcpus\":1,\"memory_mib\":256,\"price_u_usd_per_h\":7,"
    "\"power_source\":\"\"},"
    "\"guarantee\":{\"method\":\"m\",\"grade\":\"D\",\"probability_ppm\":900000,\"on_lapse\":"
    "\"notify\","
    "\"series\":[],\"promise\":{\"start_s\":0,\"hours\":1,\"level_ppm\":1,\"own_chance_ppm\":1,"
    "\"issues\":1}},"
    "\"embodied\":{\"source\":\"a test\"},"
    "\"budget\":{\"accounts\":[\"org\"],\"caps\":[{\"path\":\"org\",\"zone\":\"UTC\",\"period\":"
    "\"day\","
    "\"at_cap\":\"refuse\",\"advisory\":false,\"ug\":1,\"u_usd\":null,\"warn_ppm\":[800000]}],"
    "\"futures\":{\"cloud\":\"file\",\"region\":\"here\",\"from_s\":1,\"until_s\":2,\"p_ppm\":"
    "950000,"
    "\"paths\":3,\"path_u\":4},\"override\":{\"why\":\"w\",\"by\":\"b\"}},"
    "\"timetable\":{\"work_s\":1,\"deadline_s\":2,\"runs\":[{\"from_s\":1,\"until_s\":2}]},"
    "\"meter\":{\"note\":\"a test\"},"
    "\"instance\":{\"cloud\":\"file\",\"region\":\"here\",\"type\":\"small\",\"how\":\"invented\","
    "\"expires_ms\":1,\"interruption\":{\"ended_it\":true,\"kind\":\"spot\",\"seen_ms\":1},"
    "\"identity\":{\"grade\":\"C\",\"provider\":\"file\",\"document_sha256\":\"HASH\",\"verified_"
    "s\":1,"
    "\"region\":\"here\",\"availability_zone\":\"a\",\"instance\":\"i-1\"}}}";

static const char *const hash_text =
    "00000000000000000000000000000000000000000000000000000000000000ff";

static void put_hashes(json_t *object)
{
    const char *name;
    json_t *item;

    json_object_foreach(object, name, item)
    {
        if (json_is_string(item) && strcmp(json_string_value(item), "HASH") == 0)
            json_string_set(item, hash_text);
        put_hashes(item);
    }
}

static json_t *whole_document(void)
{
    struct gl_error err = {0};
    json_t *more = gl_json_parse(whole_evidence, strlen(whole_evidence), "more", &err);
    json_t *whole = document(), *evidence = json_object_get(whole, "evidence"), *made;
    char *text;

    put_hashes(more);
    json_object_update_recursive(evidence, more);
    json_decref(more);
    fake_tie(evidence);
    text = gl_receipt_make(evidence, &secret, &key, &err);
    if (text == NULL)
        fail_msg("%s", err.text);
    made = gl_json_parse(text, strlen(text), "receipt", &err);
    free(text);
    json_decref(whole);
    return made;
}

static bool ends_with(const char *path, const char *ending)
{
    size_t length = strlen(path), end = strlen(ending);

    return length >= end && strcmp(path + length - end, ending) == 0;
}

/* A number that may be unknown: of a point its value, bounds and last change. */
static bool may_be_null(const char *path)
{
    static const char *const endings[] = {
        ".issued_s", ".u_usd", ".ug", ".price_u_usd_per_h", ".probability_ppm", "][2]",
        "][3]",      "][4]",   "][6]"};

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (ends_with(path, endings[i]))
            return true;
    return false;
}

/* Who has the broker's key signs it again, with plan hash and token that fit. */
static void try_type(const char *path, const json_t *whole, bool is_elsewhere)
{
    json_t *changed = json_deep_copy(whole), *evidence = json_object_get(changed, "evidence");
    struct gl_error err = {0};
    size_t length = strlen(path);

    if (!ends_with(path, "_sha256") && !ends_with(path, "instance.token"))
        fake_tie(evidence);
    sign_again(changed, &secret, &key);
    if (verify_json(changed, &key, &err) == 0)
        fail_msg("%s is of another type and nobody noticed", path);
    assert_int_equal(err.code, GL_E_NOT_VERIFIED);
    if (!is_elsewhere &&
        (strncmp(err.text, path, length) != 0 || strncmp(err.text + length, " is ", 4) != 0))
        fail_msg("%s is of another type, but: %s", path, err.text);
    json_decref(changed);
}

static size_t change_types(const char *path, json_t *whole, json_t *container);

static size_t change_type(const char *path, json_t *whole, json_t *container, const char *name,
                          size_t index)
{
    static const char *const values[] = {"null", "true", "7", "\"x\"", "[]", "{}"};
    json_t *was = json_incref(name != NULL ? json_object_get(container, name)
                                           : json_array_get(container, index));
    size_t changes = 0;

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        json_t *value = json_loads(values[i], JSON_DECODE_ANY, NULL);
        bool is_same = json_typeof(value) == json_typeof(was) ||
                       (json_is_boolean(value) && json_is_boolean(was)) ||
                       (may_be_null(path) && i % 2 == 0 && i <= 2);

        if (is_same) {
            json_decref(value);
            continue;
        }
        put(container, name, index, value);
        try_type(path, whole,
                 i == 0 && (ends_with(path, ".enrolment") || ends_with(path, ".guarantee")));
        changes++;
    }
    put(container, name, index, json_incref(was));
    if (strstr(path, ".batches[") == NULL && !ends_with(path, ".enrolment"))
        changes += change_types(path, whole, was);
    json_decref(was);
    return changes;
}

static size_t change_types(const char *path, json_t *whole, json_t *container)
{
    json_t *names = json_array();
    size_t index, changes = 0;
    char inner[256];
    const char *name;
    json_t *member;

    json_object_foreach(container, name, member) json_array_append_new(names, json_string(name));
    json_array_foreach(names, index, member)
    {
        snprintf(inner, sizeof inner, "%s.%s", path, json_string_value(member));
        changes += change_type(inner, whole, container, json_string_value(member), 0);
    }
    json_decref(names);
    json_array_foreach(container, index, member)
    {
        snprintf(inner, sizeof inner, "%s[%zu]", path, index);
        changes += change_type(inner, whole, container, NULL, index);
    }
    return changes;
}

static void every_member_has_one_type(void **state)
{
    json_t *whole = whole_document();
    size_t changes;

    (void)state;
    changes = change_types("evidence", whole, json_object_get(whole, "evidence"));
    print_message("%zu members of other types, all refused by their path\n", changes);
    assert_true(changes > 500);
    json_decref(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(every_member_has_one_type)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
