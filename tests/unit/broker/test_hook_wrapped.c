/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/hook_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECRET "planted-secret"

struct call_row {
    const char *words[12];
    const char *plan, *apply; /* joined by spaces; NULL: refused */
    const char *file;
    bool is_approved;
};

static const struct call_row calls[] = {
    {{"terraform", "apply"}, "", "", NULL, false},
    {{"/opt/tofu", "-chdir=x", "apply", "-auto-approve"}, "", "", NULL, true},
    {{"terraform", "apply", "-auto-approve=false"}, "", "", NULL, false},
    {{"terraform", "apply", "--auto-approve=true"}, "", "", NULL, true},
    {{"terraform", "apply", "-var", "a=" SECRET, "-var-file=v.tfvars", "-lock=false"},
     "-var a=" SECRET " -var-file=v.tfvars -lock=false",
     "-lock=false",
     NULL,
     false},
    {{"terraform", "apply", "-target", "-odd", "-parallelism", "2", "-backup=b"},
     "-target -odd -parallelism 2",
     "-parallelism 2 -backup=b",
     NULL,
     false},
    {{"terraform", "apply", "-lock=false", "tfplan"},
     "-lock=false",
     "-lock=false",
     "tfplan",
     false},
    {{"terraform", "apply", "-var", "a=b", "tfplan"}, NULL, NULL, NULL, false},
    {{"terraform", "apply", "one", "two"}, NULL, NULL, NULL, false},
    {{"terraform", "apply", "-var"}, NULL, NULL, NULL, false},
    {{"terraform", "apply", "-out=x"}, NULL, NULL, NULL, false},
    {{"terraform", "apply", "-new-thing=" SECRET}, NULL, NULL, NULL, false},
    {{"terraform", "destroy"}, NULL, NULL, NULL, false},
    {{"terraform"}, NULL, NULL, NULL, false},
    {{NULL}, NULL, NULL, NULL, false},
};

static void assert_words(const char *const *words, const char *joined)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    for (size_t i = 0; words[i] != NULL; i++)
        gl_str_addf(&text, "%s%s", i > 0 ? " " : "", words[i]);
    assert_string_equal(gl_str_text(&text), joined);
}

static void test_words_go_where_they_belong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        struct gl_hook_wrapped wrapped;
        struct gl_error err = {0};
        int result = gl_hook_wrapped_parse(calls[i].words, &wrapped, &err);

        if ((result == 0) != (calls[i].plan != NULL))
            fail_msg("row %zu: %s", i, result == 0 ? "taken" : err.text);
        if (result != 0) {
            assert_int_equal(err.code, GL_E_USAGE);
            assert_null(strstr(err.text, SECRET));
            continue;
        }
        assert_words(wrapped.plan, calls[i].plan);
        assert_words(wrapped.apply, calls[i].apply);
        assert_int_equal(wrapped.is_approved, calls[i].is_approved);
        if (calls[i].file != NULL)
            assert_string_equal(wrapped.plan_file, calls[i].file);
        else
            assert_null(wrapped.plan_file);
        assert_string_equal(wrapped.tool.program, calls[i].words[0]);
    }
}

static void test_too_many_words(void **state)
{
    const char *words[GL_HOOK_WORDS_MAX + 4] = {"terraform", "apply"};
    struct gl_hook_wrapped wrapped;
    struct gl_error err = {0};

    (void)state;
    for (size_t i = 2; i < GL_HOOK_WORDS_MAX + 3; i++)
        words[i] = "-lock=false";
    assert_int_equal(gl_hook_wrapped_parse(words, &wrapped, &err), -1);
    assert_int_equal(err.code, GL_E_USAGE);
    words[GL_HOOK_WORDS_MAX] = NULL;
    assert_int_equal(gl_hook_wrapped_parse(words, &wrapped, &err), 0);
}

static void test_a_binary_plan_is_known_by_its_mark(void **state)
{
    (void)state;
    assert_false(gl_hook_is_binary("/nonexistent"));
    assert_false(gl_hook_is_binary("/dev/null"));
    assert_false(gl_hook_is_binary("/proc/self/exe"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_go_where_they_belong),
        cmocka_unit_test(test_too_many_words),
        cmocka_unit_test(test_a_binary_plan_is_known_by_its_mark),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
