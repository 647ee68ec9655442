/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/hook_install.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The file afterwards, fresh; NULL when it is refused. */
static char *edited(const char *place, const char *text, const char *policy)
{
    struct gl_config_edit edit = {0};
    struct gl_error err = {0};
    char *out = NULL;

    if (gl_hook_place_edit(gl_hook_place_named(place), text, policy, &edit, &err) == 0)
        out = gl_strdup(gl_str_text(&edit.text));
    else
        assert_int_equal(err.code, GL_E_USAGE);
    gl_config_edit_done(&edit);
    return out;
}

struct file_row {
    const char *place, *text;
    const char *line; /* that the file has afterwards; NULL: refused */
};

static const struct file_row files[] = {
    {"terraform", "",
     "exec greenlaunch hook terraform --run --policy \"$here/p.yaml\" -- \"$tool\" \"$@\""},
    {"terraform", "#!/bin/sh\necho mine\n", NULL},
    {"github", "name: mine\n", NULL},
    {"github", "", "name: greenlaunch"},
    {"pre-commit", "", "  - repo: local"},
    {"pre-commit", "repos:\n- repo: meta\n", "- repo: local"},
    {"pre-commit", "repos:\n    # a\n\n    - repo: meta\n", "    - repo: local"},
    {"pre-commit", "repos: [] \n", NULL},
    {"pre-commit", "repos: # ours\n  - repo: meta\n", "  - repo: local"},
    {"pre-commit", "ci: {}", "  - repo: local"},
    {"gitlab", "build: {script: [make]}\n", "greenlaunch:"},
    {"atlantis", "version: 3\n", "  greenlaunch:"},
    {"atlantis", "", "version: 3"},
    {"atlantis", "workflows:\n   a: {}\nversion: 3\n", "   greenlaunch:"},
    {"terragrunt", "", "  before_hook \"greenlaunch\" {"},
    {"terragrunt", "inputs = {}\nterraform {\n    source = \".\"\n}\n",
     "    before_hook \"greenlaunch\" {"},
    {"terragrunt", "terraform { source = \".\" }\n", NULL},
    {"gitlab", "# greenlaunch: end\n", NULL},
    {"gitlab", "# greenlaunch: begin, kept by `greenlaunch hook install`\n", NULL},
};

static bool has_line(const char *text, const char *line)
{
    size_t length = strlen(line);

    for (const char *at = text; (at = strstr(at, line)) != NULL; at++)
        if ((at == text || at[-1] == '\n') && at[length] == '\n')
            return true;
    return false;
}

static void test_puts_its_block_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char *after = edited(files[i].place, files[i].text, "p.yaml");

        if ((after == NULL) != (files[i].line == NULL))
            fail_msg("row %zu: %s", i, after == NULL ? "refused" : "not refused");
        if (after != NULL && !has_line(after, files[i].line))
            fail_msg("row %zu has no line \"%s\":\n%s", i, files[i].line, after);
        free(after);
    }
}

static void test_again_changes_nothing_and_out_again_restores(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char *once = edited(files[i].place, files[i].text, "p.yaml"), *twice, *without;
        size_t length = strlen(files[i].text);

        if (once == NULL)
            continue;
        twice = edited(files[i].place, once, "p.yaml");
        without = edited(files[i].place, once, NULL);
        assert_string_equal(twice, once);
        assert_memory_equal(without, files[i].text, length); /* a last line gets its end */
        assert_true(without[length] == '\0' || strcmp(without + length, "\n") == 0);
        free(once);
        free(twice);
        free(without);
    }
}

/* Atlantis wants to be told once which form its file has. */
static void test_says_the_version_once(void **state)
{
    char *after = edited("atlantis", "version: 3\n", "p.yaml"),
         *first = strstr(after, "version: 3");

    (void)state;
    assert_null(strstr(first + 1, "version: 3"));
    free(after);
}

static void test_another_policy_replaces_the_block_where_it_stands(void **state)
{
    char *first = edited("gitlab", "a: 1\n", "p.yaml"), *second, *moved = NULL;
    struct gl_str with_more = {0};

    (void)state;
    gl_str_addf(&with_more, "%sb: 2\n", first);
    second = edited("gitlab", gl_str_text(&with_more), "q.yaml");
    assert_non_null(strstr(second, "--policy q.yaml"));
    assert_null(strstr(second, "p.yaml"));
    moved = strstr(second, "b: 2\n");
    assert_non_null(moved);
    assert_string_equal(moved, "b: 2\n");
    free(first);
    free(second);
    gl_str_done(&with_more);
}

static void test_nothing_to_take_out(void **state)
{
    char *after = edited("gitlab", "a: 1\n", NULL);

    (void)state;
    assert_string_equal(after, "a: 1\n");
    free(after);
    assert_null(gl_hook_place_named("jenkins"));
    for (size_t i = 0; gl_hook_place_names()[i] != NULL; i++)
        assert_string_equal(gl_hook_place_named(gl_hook_place_names()[i])->name,
                            gl_hook_place_names()[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_puts_its_block_in),
        cmocka_unit_test(test_again_changes_nothing_and_out_again_restores),
        cmocka_unit_test(test_says_the_version_once),
        cmocka_unit_test(test_another_policy_replaces_the_block_where_it_stands),
        cmocka_unit_test(test_nothing_to_take_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
