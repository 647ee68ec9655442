/* SPDX-License-Identifier: Apache-2.0 */
#include "base/option.h"

#include "base/unit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct values {
    bool is_quiet, is_dry, is_no_wait;
    const char *food, *color;
    struct gl_option_list regions, whole;
    int verbosity;
    int64_t count, ceiling, wait_s;
};

static const struct gl_option own[] = {
    {.name = "quiet",
     .letter = 'q',
     .kind = GL_OPT_FLAG,
     .offset = offsetof(struct values, is_quiet),
     .help = "Say less"},
    {.name = "dry-run",
     .letter = 0,
     .kind = GL_OPT_FLAG,
     .offset = offsetof(struct values, is_dry),
     .help = "Do nothing",
     .group = "Safety"},
    {.name = "food",
     .letter = 'f',
     .kind = GL_OPT_TEXT,
     .offset = offsetof(struct values, food),
     .argument = "NAME",
     .help = "What to eat"},
    {.name = "color",
     .letter = 'c',
     .kind = GL_OPT_OPTIONAL,
     .offset = offsetof(struct values, color),
     .argument = "WHEN",
     .bare = "always",
     .choices = "auto|always|never",
     .help = "Use colour"},
    {.name = "region",
     .letter = 'r',
     .kind = GL_OPT_LIST,
     .offset = offsetof(struct values, regions),
     .argument = "REGION",
     .help = "Where",
     .group = "Place"},
    {.name = "count",
     .letter = 'n',
     .kind = GL_OPT_INTEGER,
     .offset = offsetof(struct values, count),
     .argument = "N",
     .low = -5,
     .high = 100,
     .help = "How many"},
    {.name = "max-intensity",
     .kind = GL_OPT_QUANTITY,
     .offset = offsetof(struct values, ceiling),
     .argument = "QUANTITY",
     .dim = GL_DIM_INTENSITY,
     .help = "Refuse a place above this, whatever its price, its distance or its colour",
     .group = "Place"},
    {.name = "wait",
     .letter = 'w',
     .kind = GL_OPT_SPAN,
     .offset = offsetof(struct values, wait_s),
     .help = "Wait this long"},
    {.name = "secret-debug", .kind = GL_OPT_FLAG, .offset = offsetof(struct values, is_no_wait)},
    {0},
};

static const struct gl_option global[] = {
    {.name = "verbose",
     .letter = 'v',
     .kind = GL_OPT_COUNT,
     .offset = offsetof(struct values, verbosity),
     .help = "Say more"},
    {.name = "kind",
     .letter = 'k',
     .kind = GL_OPT_LIST,
     .offset = offsetof(struct values, regions),
     .choices = "vm|job",
     .help = "Kinds"},
    {.name = "value",
     .kind = GL_OPT_LIST,
     .offset = offsetof(struct values, whole),
     .low = GL_OPT_WHOLE,
     .help = "Values"},
    {0},
};

struct outcome {
    struct values own, global;
    struct gl_operands operands;
    struct gl_error err;
    int status;
};

#define MAX_WORDS 80

/* Parse words given as one array ended by NULL. */
static void run(struct outcome *out, const char *const *words)
{
    const char *argv[MAX_WORDS] = {"program"};
    int argc = 1;

    memset(out, 0, sizeof *out);
    gl_options_clear(own, &out->own);
    gl_options_clear(global, &out->global);
    while (words[argc - 1] != NULL) {
        argv[argc] = words[argc - 1];
        argc++;
    }
    out->operands.count = 999; /* to see it written */
    out->status = gl_options_parse(global, &out->global, own, &out->own, argc, argv, &out->operands,
                                   &out->err);
    if (out->status == 0)
        assert_int_equal(out->err.code, GL_OK);
}

#define RUN(out, ...) run(out, (const char *const[]){__VA_ARGS__, NULL})

static void test_clear(void **state)
{
    struct values values;

    (void)state;
    memset(&values, 0x5a, sizeof values);
    gl_options_clear(own, &values);
    assert_false(values.is_quiet);
    assert_null(values.food);
    assert_null(values.color);
    assert_int_equal(values.regions.count, 0);
    assert_true(values.count == INT64_MIN && values.ceiling == INT64_MIN);
    assert_true(values.wait_s == INT64_MIN);
    memset(&values, 0x5a, sizeof values);
    gl_options_clear(global, &values);
    assert_int_equal(values.verbosity, 0);
    gl_options_clear(NULL, NULL);
}

static void test_forms(void **state)
{
    struct outcome out;

    (void)state;
    RUN(&out, "--food=rice", "-n", "7", "-w90s", "--max-intensity", "100 gCO2e/kWh");
    assert_int_equal(out.status, 0);
    assert_string_equal(out.own.food, "rice");
    assert_int_equal(out.own.count, 7);
    assert_int_equal(out.own.wait_s, 90);
    assert_int_equal(out.own.ceiling, 100000000);
    RUN(&out, "-fwater");
    assert_string_equal(out.own.food, "water");
    RUN(&out, "--food=");
    assert_string_equal(out.own.food, "");
    RUN(&out, "--food=--odd");
    assert_string_equal(out.own.food, "--odd");
    RUN(&out, "--food", "-");
    assert_string_equal(out.own.food, "-");
    RUN(&out, "-qvv", "--verbose");
    assert_true(out.own.is_quiet);
    assert_int_equal(out.global.verbosity, 3);
    RUN(&out, "-vn5");
    assert_int_equal(out.own.count, 5);
}

static void test_flags(void **state)
{
    struct outcome out;

    (void)state;
    RUN(&out, "--quiet", "--no-quiet", "--dry-run");
    assert_int_equal(out.status, 0);
    assert_false(out.own.is_quiet);
    assert_true(out.own.is_dry);
    RUN(&out, "--quiet=yes");
    assert_int_equal(out.err.code, GL_E_USAGE);
    assert_string_equal(out.err.text, "--quiet takes no value");
    RUN(&out, "--no-food");
    assert_int_equal(out.err.code, GL_E_USAGE);
    RUN(&out, "--no-quiet=1");
    assert_int_equal(out.err.code, GL_E_USAGE);
    RUN(&out, "--no-");
    assert_int_equal(out.err.code, GL_E_USAGE);
}

static void test_optional(void **state)
{
    struct outcome out;

    (void)state;
    RUN(&out, "--color", "word");
    assert_string_equal(out.own.color, "always");
    assert_int_equal(out.operands.count, 1); /* it never takes the next word */
    RUN(&out, "--color=never");
    assert_string_equal(out.own.color, "never");
    RUN(&out, "-c");
    assert_string_equal(out.own.color, "always");
    RUN(&out, "-cauto");
    assert_string_equal(out.own.color, "auto");
    RUN(&out, "--color=alway");
    assert_int_equal(out.err.code, GL_E_USAGE);
    assert_string_equal(out.err.text, "--color: \"alway\" is not one of auto|always|never");
    RUN(&out, "--color=");
    assert_int_equal(out.err.code, GL_E_USAGE);
    RUN(&out, "--color=auto|always");
    assert_int_equal(out.err.code, GL_E_USAGE);
}

static void test_lists(void **state)
{
    const char *words[MAX_WORDS] = {0};
    struct outcome out;

    (void)state;
    RUN(&out, "--region", "se,no,fr", "-r", "is");
    assert_int_equal(out.status, 0);
    assert_int_equal(out.own.regions.count, 4);
    assert_string_equal(out.own.regions.items[0], "se");
    assert_string_equal(out.own.regions.items[2], "fr");
    assert_string_equal(out.own.regions.items[3], "is");
    gl_options_done(own, &out.own);
    RUN(&out, "--region=");
    assert_int_equal(out.err.code, GL_E_USAGE);
    assert_non_null(strstr(out.err.text, "empty"));
    RUN(&out, "--kind", "vm", "--kind", "job");
    assert_int_equal(out.global.regions.count, 2);
    RUN(&out, "--value", "A=1,2", "--value=,B,");
    assert_int_equal(out.global.whole.count, 2);
    assert_string_equal(out.global.whole.items[0], "A=1,2");
    assert_string_equal(out.global.whole.items[1], ",B,");
    RUN(&out, "--kind", "pod");
    assert_string_equal(out.err.text, "--kind: \"pod\" is not one of vm|job");
    for (int i = 0; i <= GL_OPTION_LIST_MAX; i++)
        words[i] = "-rx";
    run(&out, words);
    assert_int_equal(out.err.code, GL_E_USAGE);
    assert_non_null(strstr(out.err.text, "more than 64 items"));
}

/* A list with an empty item in the middle is refused; what was copied is still to be freed. */
static void test_list_with_empty_item(void **state)
{
    struct outcome out;

    (void)state;
    RUN(&out, "--region", "se,,fr");
    assert_int_equal(out.err.code, GL_E_USAGE);
    assert_int_equal(out.own.regions.count, 1);
    gl_options_done(own, &out.own);
}

static void test_integers(void **state)
{
    static const char *const refused[] = {
        "101", "-6", "x", "5x", "", " 5", "+5", "1e2", "99999999999999999999", "-"};
    struct outcome out;

    (void)state;
    RUN(&out, "--count=100");
    assert_int_equal(out.own.count, 100);
    RUN(&out, "--count", "-5");
    assert_int_equal(out.own.count, -5);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const char *words[] = {"--count", refused[i], NULL};

        run(&out, words);
        assert_int_equal(out.err.code, GL_E_USAGE);
        assert_non_null(strstr(out.err.text, "is not a whole number from -5 to 100"));
    }
}

static void test_quantities(void **state)
{
    struct outcome out;

    (void)state;
    RUN(&out, "--max-intensity=100");
    assert_int_equal(out.err.code, GL_E_UNIT_MISSING);
    assert_string_equal(out.err.text, "--max-intensity: write the unit, as in \"100 gCO2e/kWh\"");
    assert_true(out.own.ceiling == INT64_MIN);
    RUN(&out, "-w", "5m");
    assert_int_equal(out.err.code, GL_E_UNIT_MISSING);
    assert_non_null(strstr(out.err.text, "-w: "));
    assert_true(out.own.wait_s == INT64_MIN);
}

static void test_missing_value(void **state)
{
    struct outcome out;

    (void)state;
    RUN(&out, "--food");
    assert_int_equal(out.err.code, GL_E_USAGE);
    assert_string_equal(out.err.text, "--food needs a value: --food=NAME");
    RUN(&out, "-f", "--quiet");
    assert_string_equal(out.err.text, "-f needs a value, and \"--quiet\" looks like an option; if "
                                      "it is the value, write --food=--quiet");
    RUN(&out, "--food", "--");
    assert_int_equal(out.err.code, GL_E_USAGE);
    RUN(&out, "--count", "-x");
    assert_int_equal(out.err.code, GL_E_USAGE);
    RUN(&out, "--wait");
    assert_string_equal(out.err.text, "--wait needs a value: --wait=VALUE");
}

/* No letter of an option is a digit, so a dash and a digit begin a value. */
static void test_value_with_a_dash(void **state)
{
    struct outcome out;

    (void)state;
    RUN(&out, "-f", "-5");
    assert_string_equal(out.own.food, "-5");
    RUN(&out, "--food", "-.5x");
    assert_string_equal(out.own.food, "-.5x");
    RUN(&out, "--wait", "-1h");
    assert_int_equal(out.err.code, GL_E_BAD_VALUE);
    assert_non_null(strstr(out.err.text, "--wait: "));
    assert_non_null(strstr(out.err.text, "negative"));
    RUN(&out, "--max-intensity", "-5g/kWh");
    assert_non_null(strstr(out.err.text, "negative"));
}

static void test_given_twice(void **state)
{
    struct outcome out;

    (void)state;
    RUN(&out, "--food", "tea", "-f", "cake");
    assert_int_equal(out.err.code, GL_E_USAGE);
    assert_string_equal(out.err.text, "-f is given twice: \"tea\" and \"cake\"; keep one");
    RUN(&out, "--food", "tea", "-f", "tea");
    assert_string_equal(out.own.food, "tea");
    RUN(&out, "--wait", "1h", "--wait", "2h");
    assert_string_equal(out.err.text, "--wait is given twice: \"1h\" and \"2h\"; keep one");
    RUN(&out, "-n", "1", "--count=2");
    assert_int_equal(out.err.code, GL_E_USAGE);
    RUN(&out, "--color", "--color=never");
    assert_string_equal(out.err.text, "--color is given twice: \"always\" and \"never\"; keep one");
    RUN(&out, "--color", "--color=always");
    assert_string_equal(out.own.color, "always");
}

/* Under the sanitizers a list whose copies nobody frees is a failure. */
static void test_done(void **state)
{
    struct outcome out;

    (void)state;
    RUN(&out, "-r", "a,b", "-r", "c", "--region=d,e,f");
    assert_int_equal(out.own.regions.count, 6);
    assert_int_equal(out.own.regions.copy_count, 2);
    gl_options_done(own, &out.own);
    assert_int_equal(out.own.regions.count, 0);
    assert_int_equal(out.own.regions.copy_count, 0);
    gl_options_done(own, &out.own);
    gl_options_done(NULL, NULL);
    RUN(&out, "-r", "a,,b"); /* due after a failure too */
    assert_int_equal(out.own.regions.copy_count, 1);
    gl_options_done(own, &out.own);
}

static void test_unknown(void **state)
{
    struct outcome out;

    (void)state;
    RUN(&out, "--foo");
    assert_int_equal(out.err.code, GL_E_USAGE);
    assert_string_equal(out.err.text, "unknown option --foo; did you mean --food?");
    RUN(&out, "--regoin=se");
    assert_string_equal(out.err.text, "unknown option --regoin; did you mean --region?");
    RUN(&out, "--max"); /* an abbreviation is refused, and understood */
    assert_string_equal(out.err.text, "unknown option --max; did you mean --max-intensity?");
    RUN(&out, "--verbos");
    assert_string_equal(out.err.text, "unknown option --verbos; did you mean --verbose?");
    RUN(&out, "--xyzzy");
    assert_string_equal(out.err.text, "unknown option --xyzzy");
    RUN(&out, "--=x");
    assert_int_equal(out.err.code, GL_E_USAGE);
    RUN(&out, "-x");
    assert_string_equal(out.err.text, "unknown option -x");
    RUN(&out, "-qx");
    assert_string_equal(out.err.text, "unknown option -x");
    RUN(&out, "-5");
    assert_string_equal(out.err.text, "unknown option -5");
    RUN(&out, "--\x1b[2J");
    assert_null(strchr(out.err.text, '\x1b'));
    RUN(&out, "---");
    assert_int_equal(out.err.code, GL_E_USAGE);
    assert_int_equal(out.operands.count, 0);
    RUN(&out, "--quiet", "ls", "-x", "more");
    assert_string_equal(out.err.text, "unknown option -x");
    assert_int_equal(out.operands.count, 1);
    assert_string_equal(out.operands.words[0], "ls");
}

static void test_operands(void **state)
{
    const char *words[MAX_WORDS] = {0};
    struct outcome out;

    (void)state;
    RUN(&out, "a", "-q", "b", "-", "--", "cmd", "-x");
    assert_int_equal(out.status, 0);
    assert_int_equal(out.operands.count, 3);
    assert_string_equal(out.operands.words[1], "b");
    assert_string_equal(out.operands.words[2], "-");
    assert_true(out.operands.has_rest);
    assert_int_equal(out.operands.rest, 6);
    RUN(&out, "a");
    assert_false(out.operands.has_rest);
    assert_int_equal(out.operands.rest, 2);
    RUN(&out, "--");
    assert_true(out.operands.has_rest);
    assert_int_equal(out.operands.rest, 2);
    for (int i = 0; i < 65; i++)
        words[i] = "w";
    run(&out, words);
    assert_int_equal(out.err.code, GL_E_USAGE);
    assert_string_equal(out.err.text, "more than 64 operands");
    words[64] = NULL;
    run(&out, words);
    assert_int_equal(out.status, 0);
    assert_int_equal(out.operands.count, 64);
}

static void test_absent_tables(void **state)
{
    static const char *const argv[] = {"program", "word", "-q", NULL};
    struct gl_operands operands;
    struct gl_error err = {0};
    struct values values;

    (void)state;
    gl_options_clear(own, &values);
    assert_int_equal(gl_options_parse(NULL, NULL, own, &values, 3, argv, &operands, &err), 0);
    assert_true(values.is_quiet);
    assert_int_equal(gl_options_parse(own, &values, NULL, NULL, 3, argv, &operands, &err), 0);
    assert_int_equal(gl_options_parse(NULL, NULL, NULL, NULL, 2, argv, &operands, &err), 0);
    assert_int_equal(operands.count, 1);
    assert_int_equal(gl_options_parse(NULL, NULL, NULL, NULL, 0, argv, &operands, &err), 0);
    assert_int_equal(operands.count, 0);
    assert_int_equal(gl_options_parse(NULL, NULL, NULL, NULL, 3, argv, &operands, &err), -1);
}

/* A command's own option hides a global one of the same name. */
static void test_own_comes_first(void **state)
{
    static const char *const argv[] = {"program", "--quiet", NULL};
    struct gl_operands operands;
    struct gl_error err = {0};
    struct values a, b;

    (void)state;
    gl_options_clear(own, &a);
    gl_options_clear(own, &b);
    assert_int_equal(gl_options_parse(own, &a, own, &b, 2, argv, &operands, &err), 0);
    assert_true(b.is_quiet);
    assert_false(a.is_quiet);
}

/* 59 columns: the widest line fills them. */
static void test_help(void **state)
{
    struct gl_str out = {0};

    (void)state;
    gl_options_help(own, 59, &out);
    assert_string_equal(gl_str_text(&out),
                        "Options:\n"
                        "  -q, --quiet              Say less\n"
                        "  -f, --food NAME          What to eat\n"
                        "  -c, --color[=WHEN]       Use colour (auto|always|never)\n"
                        "  -n, --count N            How many\n"
                        "  -w, --wait VALUE         Wait this long\n"
                        "\n"
                        "Safety:\n"
                        "      --dry-run            Do nothing\n"
                        "\n"
                        "Place:\n"
                        "  -r, --region REGION,...  Where\n"
                        "      --max-intensity QUANTITY\n"
                        "                           Refuse a place above this,\n"
                        "                           whatever its price, its distance\n"
                        "                           or its colour\n");
    gl_str_done(&out);
}

/* At every width no line is longer, and no word is lost. */
static void test_help_widths(void **state)
{
    (void)state;
    for (unsigned columns = 0; columns <= 120; columns++) {
        unsigned widest = columns == 0 ? 80 : columns < 40 ? 40 : columns;
        struct gl_str out = {0};
        char *text, *rest, *line;

        gl_options_help(own, columns, &out);
        assert_non_null(strstr(gl_str_text(&out), "distance"));
        assert_null(strstr(gl_str_text(&out), "secret-debug"));
        text = gl_str_take(&out);
        rest = text;
        while ((line = strsep(&rest, "\n")) != NULL)
            assert_in_range(gl_text_columns(line), 0, widest);
        free(text);
    }
}

static void test_help_of_long_names(void **state)
{
    static const struct gl_option table[] = {
        {.name = "a-name-much-longer-than-the-column", .help = "Fine"}, {0}};
    struct gl_str out = {0};

    (void)state;
    gl_options_help(table, 80, &out);
    assert_string_equal(gl_str_text(&out), "Options:\n"
                                           "      --a-name-much-longer-than-the-column\n"
                                           "                              Fine\n");
    gl_str_done(&out);
}

static void test_man(void **state)
{
    static const struct gl_option odd[] = {
        {.name = "odd", .help = ".Sh back\\slash", .kind = GL_OPT_FLAG}, {0}};
    struct gl_str out = {0};

    (void)state;
    gl_options_man(own, &out);
    assert_non_null(strstr(gl_str_text(&out), ".Ss Options\n.Bl -tag -width Ds\n"
                                              ".It Fl q , Fl -quiet\nSay less.\n"));
    assert_non_null(strstr(gl_str_text(&out), ".It Fl f , Fl -food Ar NAME\n"));
    assert_non_null(strstr(gl_str_text(&out), ".It Fl c , Fl -color Ns Oo = Ns Ar WHEN Oc\n"
                                              "Use colour (auto|always|never).\n"));
    assert_non_null(strstr(gl_str_text(&out), ".It Fl r , Fl -region Ar REGION Ns ,...\n"));
    assert_non_null(strstr(gl_str_text(&out), ".Ss Safety\n"));
    assert_null(strstr(gl_str_text(&out), "secret-debug"));
    gl_str_clear(&out);
    gl_options_man(odd, &out);
    assert_non_null(strstr(gl_str_text(&out), "\n\\&.Sh back\\eslash.\n"));
    gl_str_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clear),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_optional),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_list_with_empty_item),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_quantities),
        cmocka_unit_test(test_missing_value),
        cmocka_unit_test(test_value_with_a_dash),
        cmocka_unit_test(test_given_twice),
        cmocka_unit_test(test_done),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_operands),
        cmocka_unit_test(test_absent_tables),
        cmocka_unit_test(test_own_comes_first),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_help_widths),
        cmocka_unit_test(test_help_of_long_names),
        cmocka_unit_test(test_man),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
