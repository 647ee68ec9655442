/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of commands and options, and all that is made from them. */
#include "broker/cli/completion.h"
#include "broker/cli/help.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool is_hidden(const struct gl_command *command)
{
    return command->group == NULL;
}

static void assert_holds(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("lacks \"%s\"", part);
}

/* ---- rows ---- */

static void every_command_is_complete(void **state)
{
    (void)state;
    for (size_t i = 0; gl_commands[i] != NULL; i++) {
        const struct gl_command *command = gl_commands[i];

        assert_ptr_equal(gl_command_find(command->name), command);
        assert_non_null(command->run);
        assert_non_null(command->operands);
        assert_true(strlen(command->summary) > 0 && strlen(command->summary) < 80);
        assert_true(strlen(command->description) > 0);
        assert_holds(command->example, "greenlaunch");
        assert_int_not_equal(command->summary[strlen(command->summary) - 1], '.');
        assert_true(command->options == NULL || command->values_size > 0);
    }
    assert_null(gl_command_find("nothing"));
    assert_null(gl_command_find(""));
}

static size_t size_of_kind(enum gl_option_kind kind)
{
    switch (kind) {
    case GL_OPT_FLAG:
        return sizeof(bool);
    case GL_OPT_COUNT:
        return sizeof(int);
    case GL_OPT_LIST:
        return sizeof(struct gl_option_list);
    case GL_OPT_TEXT:
    case GL_OPT_OPTIONAL:
        return sizeof(const char *);
    default:
        return sizeof(int64_t);
    }
}

static bool is_known_completion(const char *word)
{
    static const char *const kinds[] = {"file", "zone", "region", "cloud", "instance", "offer"};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i], word) == 0)
            return true;
    return false;
}

static void check_option(const struct gl_option *options, const struct gl_option *one, size_t size)
{
    for (const struct gl_option *other = options; other != one; other++) {
        assert_string_not_equal(other->name, one->name);
        assert_true(one->letter == 0 || other->letter != one->letter);
    }
    /* The value lies inside the struct. */
    assert_true(one->offset + size_of_kind(one->kind) <= size);
    assert_non_null(one->help);
    assert_true(islower((unsigned char)one->help[0]) || isupper((unsigned char)one->help[1]));
    assert_int_not_equal(one->help[strlen(one->help) - 1], '.');
    assert_true(one->complete == NULL || is_known_completion(one->complete));
    if (one->kind == GL_OPT_INTEGER)
        assert_true(one->low < one->high);
    if (one->kind == GL_OPT_OPTIONAL)
        assert_non_null(one->bare);
    if (one->kind != GL_OPT_FLAG && one->kind != GL_OPT_COUNT)
        assert_non_null(one->argument);
}

static void every_option_is_sound(void **state)
{
    (void)state;
    for (size_t i = 0; gl_commands[i] != NULL; i++) {
        const struct gl_option *options = gl_commands[i]->options;

        for (const struct gl_option *one = options; one != NULL && one->name != NULL; one++)
            check_option(options, one, gl_commands[i]->values_size);
    }
    for (const struct gl_option *one = gl_global_options; one->name != NULL; one++)
        check_option(gl_global_options, one, sizeof(struct gl_globals));
}

static void no_option_hides_a_global_one(void **state)
{
    (void)state;
    for (size_t i = 0; gl_commands[i] != NULL; i++) {
        const struct gl_option *options = gl_commands[i]->options;

        for (const struct gl_option *one = options; one != NULL && one->name != NULL; one++)
            for (const struct gl_option *all = gl_global_options; all->name != NULL; all++) {
                assert_string_not_equal(one->name, all->name);
                assert_true(one->letter == 0 || one->letter != all->letter);
            }
    }
}

/* ---- help ---- */

static void help_shows_every_row(void **state)
{
    (void)state;
    for (size_t i = 0; gl_commands[i] != NULL; i++) {
        const struct gl_command *command = gl_commands[i];
        struct gl_context context = {.columns = 80};
        char flag[80];

        if (is_hidden(command))
            continue;
        assert_int_equal(gl_help_command(&context, command), GL_EXIT_OK);
        assert_holds(gl_str_text(&context.reply.text), command->name);
        for (const struct gl_option *one = command->options; one && one->name; one++) {
            snprintf(flag, sizeof flag, "--%s", one->name);
            assert_holds(gl_str_text(&context.reply.text), flag);
        }
        assert_true(json_is_object(context.reply.data));
        gl_str_done(&context.reply.text);
        json_decref(context.reply.data);
    }
}

static void the_overview_has_every_command_and_no_hidden_one(void **state)
{
    struct gl_context context = {.columns = 80};

    (void)state;
    assert_int_equal(gl_help_overview(&context), GL_EXIT_OK);
    for (size_t i = 0; gl_commands[i] != NULL; i++) {
        char line[80];

        snprintf(line, sizeof line, "\n  %s ", gl_commands[i]->name);
        assert_true((strstr(gl_str_text(&context.reply.text), line) != NULL) ==
                    !is_hidden(gl_commands[i]));
    }
    gl_str_done(&context.reply.text);
    json_decref(context.reply.data);
}

static void words_that_fit_nothing_are_answered(void **state)
{
    struct gl_error err = {0};

    (void)state;
    assert_string_equal(gl_help_nearest("ofers"), "offers");
    assert_null(gl_help_nearest("xyzzy"));
    assert_null(gl_help_nearest("star")); /* the hidden one is never proposed */
    assert_int_equal(gl_help_no_operand(gl_command_find("start"), "ofers", &err), -1);
    assert_int_equal(err.code, GL_E_USAGE);
    assert_string_equal(err.text, "unknown command \"ofers\"; did you mean \"offers\"?");
    gl_error_clear(&err);
    assert_int_equal(gl_help_no_operand(gl_command_find("offers"), "a\033b", &err), -1);
    assert_string_equal(err.text, "offers takes no operand: \"a\\x1bb\"");
}

static int check_operands(size_t count, size_t low, size_t high, bool has_rest)
{
    struct gl_operands operands = {.words = {"a", "b", "c"}, .count = count};
    const char *const rest[] = {"make", NULL};
    struct gl_call call = {.operands = &operands, .rest = has_rest ? rest : NULL};
    struct gl_error err = {0};

    return gl_help_operands(gl_command_find("why"), &call, low, high, &err);
}

static void operands_are_counted(void **state)
{
    (void)state;
    assert_int_equal(check_operands(1, 1, 1, false), 0);
    assert_int_equal(check_operands(0, 0, 2, false), 0);
    assert_int_equal(check_operands(0, 1, 1, false), -1);
    assert_int_equal(check_operands(2, 1, 1, false), -1);
    assert_int_equal(check_operands(1, 0, 0, false), -1);
    assert_int_equal(check_operands(1, 1, 1, true), -1);
}

static void the_json_flag_counts_only_before_the_dashes(void **state)
{
    const char *const before[] = {"gl", "offers", "--json", "--", "x"};
    const char *const after[] = {"gl", "run", "--", "--json"};

    (void)state;
    assert_true(gl_has_json_flag(5, before));
    assert_false(gl_has_json_flag(4, after));
    assert_false(gl_has_json_flag(1, before));
}

/* ---- manual pages ---- */

static void the_manual_has_every_command_option_and_status(void **state)
{
    struct gl_str page = {0};
    unsigned count;
    const struct gl_exit_row *exits = gl_exit_rows(&count);
    char text[96];

    (void)state;
    gl_man_program(&page);
    for (size_t i = 0; gl_commands[i] != NULL; i++) {
        const struct gl_option *options = gl_commands[i]->options;

        snprintf(text, sizeof text, "\n.Cm %s\n", gl_commands[i]->name);
        assert_true((strstr(gl_str_text(&page), text) != NULL) == !is_hidden(gl_commands[i]));
        for (const struct gl_option *one = options; one != NULL && one->name != NULL; one++) {
            snprintf(text, sizeof text, "Fl -%s", one->name);
            assert_holds(gl_str_text(&page), text);
        }
    }
    for (unsigned i = 0; i < count; i++) {
        snprintf(text, sizeof text, ".It %d\n%s: ", (int)exits[i].status, exits[i].name);
        assert_holds(gl_str_text(&page), text);
    }
    gl_str_done(&page);
}

static void the_policy_page_has_every_key(void **state)
{
    struct gl_str page = {0};
    size_t count;
    const struct gl_key *keys = gl_keys(&count);
    char text[96];

    (void)state;
    gl_man_policy(&page);
    for (size_t i = 0; i < count; i++) {
        snprintf(text, sizeof text, ".It Cm %s :", keys[i].name);
        assert_holds(gl_str_text(&page), text);
    }
    for (size_t i = 0; i < page.length; i++) /* sentences are broken over lines */
        page.text[i] = page.text[i] == '\n' ? ' ' : page.text[i];
    for (size_t i = 0; i < count; i++)
        assert_holds(gl_str_text(&page), keys[i].help);
    gl_str_done(&page);
}

/* No line of text may be taken for a request by accident. */
static void no_line_of_a_page_is_an_unknown_request(void **state)
{
    static const char *const known[] = {".Dd", ".Dt", ".Os", ".Sh", ".Ss", ".Nm", ".Nd",
                                        ".Cm", ".Op", ".Ar", ".Fl", ".Li", ".Pp", ".Bd",
                                        ".Ed", ".Bl", ".El", ".It", ".Sx", ".Xr", ".Dl"};
    struct gl_str page = {0};

    (void)state;
    gl_man_program(&page);
    gl_man_policy(&page);
    for (const char *line = gl_str_text(&page); line != NULL;) {
        bool is_known = line[0] != '.' && line[0] != '\'';

        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            is_known = is_known || strncmp(line, known[i], 3) == 0;
        if (!is_known)
            fail_msg("%.40s", line);
        line = strchr(line, '\n');
        line = line != NULL && line[1] != '\0' ? line + 1 : NULL;
    }
    gl_str_done(&page);
}

/* ---- completion ---- */

static void scripts_have_every_command_and_option(void **state)
{
    void (*const writers[])(struct gl_str *) = {gl_completion_bash, gl_completion_zsh,
                                                gl_completion_fish};
    char text[96];

    (void)state;
    for (size_t w = 0; w < 3; w++) {
        struct gl_str script = {0};

        writers[w](&script);
        for (size_t i = 0; gl_commands[i] != NULL; i++) {
            const struct gl_option *options = gl_commands[i]->options;

            if (!is_hidden(gl_commands[i]))
                assert_holds(gl_str_text(&script), gl_commands[i]->name);
            for (const struct gl_option *one = options; one != NULL && one->name != NULL; one++) {
                snprintf(text, sizeof text, w < 2 ? "--%s" : "-l %s", one->name);
                assert_holds(gl_str_text(&script), text);
            }
        }
        gl_str_done(&script);
    }
}

static void operands_and_values_complete_by_kind(void **state)
{
    const struct gl_option choice = {.name = "x", .kind = GL_OPT_TEXT, .choices = "a|b"};
    const struct gl_option zone = {.name = "x", .kind = GL_OPT_TEXT, .complete = "zone"};
    const struct gl_option none = {.name = "x", .kind = GL_OPT_TEXT};
    char text[160], value[64];

    (void)state;
    assert_string_equal(gl_completion_of_operands(gl_command_find("policy"), text),
                        "check|explain|schema|test|@file");
    assert_string_equal(gl_completion_of_operands(gl_command_find("help"), text), "@command|exit");
    assert_string_equal(gl_completion_of_operands(gl_command_find("version"), text), "");
    assert_string_equal(gl_completion_of_operands(gl_command_find("signals"), text), "@zone");
    assert_string_equal(gl_completion_of_option(&choice, value), "a|b");
    assert_string_equal(gl_completion_of_option(&zone, value), "@zone");
    assert_string_equal(gl_completion_of_option(&none, value), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_is_complete),
        cmocka_unit_test(every_option_is_sound),
        cmocka_unit_test(no_option_hides_a_global_one),
        cmocka_unit_test(help_shows_every_row),
        cmocka_unit_test(the_overview_has_every_command_and_no_hidden_one),
        cmocka_unit_test(words_that_fit_nothing_are_answered),
        cmocka_unit_test(operands_are_counted),
        cmocka_unit_test(the_json_flag_counts_only_before_the_dashes),
        cmocka_unit_test(the_manual_has_every_command_option_and_status),
        cmocka_unit_test(the_policy_page_has_every_key),
        cmocka_unit_test(no_line_of_a_page_is_an_unknown_request),
        cmocka_unit_test(scripts_have_every_command_and_option),
        cmocka_unit_test(operands_and_values_complete_by_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
