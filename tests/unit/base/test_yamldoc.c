/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yamldoc.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *parsed(const char *text)
{
    struct gl_error err = {0};
    json_t *value = gl_yamldoc_parse(text, strlen(text), "file", &err);

    if (value == NULL)
        fail_msg("%s", err.text);
    return value;
}

static enum gl_errc refused(const char *text, const char *says)
{
    struct gl_error err = {0};

    assert_null(gl_yamldoc_parse(text, strlen(text), "file", &err));
    if (strstr(err.text, says) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, says);
    return err.code;
}

static void reads_what_other_programs_write(void **state)
{
    struct gl_error err = {0};
    json_t *value = parsed("apiVersion: v1\nclusters:\n- name: here\n  cluster: {server: "
                           "\"https://a:6443\", insecure: true}\nnumber: 0123\nlong: |\n  a\n  b\n"
                           "none:\nnulls: [null, ~, \"null\", 'Null', nulls]\n");
    char *text = gl_json_canonical(value, &err);

    (void)state;
    assert_string_equal(
        text, "{\"apiVersion\":\"v1\",\"clusters\":[{\"cluster\":{\"insecure\":\"true\",\"server\":"
              "\"https://a:6443\"},\"name\":\"here\"}],\"long\":\"a\\nb\\n\",\"none\":\"\","
              "\"nulls\":[null,null,\"null\",\"Null\",\"nulls\"],\"number\":\"0123\"}");
    free(text);
    json_decref(value);
    value = parsed("");
    assert_true(json_is_object(value) && json_object_size(value) == 0);
    json_decref(value);
}

static void refuses_what_could_fill_the_memory(void **state)
{
    char deep[256];

    (void)state;
    assert_int_equal(refused("a: &x [1]\nb: *x\n", "file:1"), GL_E_SYNTAX);
    assert_int_equal(refused("a: !!binary x\n", "tags"), GL_E_SYNTAX);
    assert_int_equal(refused("a: 1\n---\nb: 2\n", "second document"), GL_E_SYNTAX);
    assert_int_equal(refused("a: 1\nb: 2\na: 3\n", "file:3: the same key"), GL_E_DUPLICATE_KEY);
    assert_int_equal(refused("{[a]: 1}\n", "plain text"), GL_E_SYNTAX);
    memset(deep, '[', 100);
    deep[100] = '\0';
    assert_int_equal(refused(deep, "too deeply"), GL_E_SYNTAX);
    assert_int_equal(refused("a: [1, 2\n", "file:1: "), GL_E_SYNTAX);
    assert_int_equal(refused("a: \"x\n  b\n", "file:2: "), GL_E_SYNTAX);
}

static void no_message_holds_a_value(void **state)
{
    struct gl_error err = {0};
    const char *text = "password: hunter2\npassword: hunter2\n";

    (void)state;
    assert_null(gl_yamldoc_parse(text, strlen(text), "file", &err));
    assert_null(strstr(err.text, "hunter2"));
}

static void a_number_of_values_is_enough(void **state)
{
    struct gl_str text = {0};
    struct gl_error err = {0};

    (void)state;
    gl_str_add(&text, "[");
    for (size_t i = 0; i <= GL_YAMLDOC_MAX_NODES; i++)
        gl_str_add(&text, "1,");
    gl_str_add(&text, "1]");
    assert_null(gl_yamldoc_parse(gl_str_text(&text), text.length, "file", &err));
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    gl_str_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_other_programs_write),
        cmocka_unit_test(refuses_what_could_fill_the_memory),
        cmocka_unit_test(no_message_holds_a_value),
        cmocka_unit_test(a_number_of_values_is_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
