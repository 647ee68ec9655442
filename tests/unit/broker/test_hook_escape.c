/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "broker/hook/escape.h"

#include <stdlib.h>
#include <string.h>

static struct gl_str out;

static const char *escaped(enum gl_escape how, const char *text)
{
    gl_str_clear(&out);
    gl_escape_add(how, text, &out);
    return gl_str_text(&out);
}

static int end(void **state)
{
    (void)state;
    gl_str_done(&out);
    return 0;
}

static void each_format_has_its_own(void **state)
{
    static const struct {
        enum gl_escape how;
        const char *text, *wanted;
    } rows[] = {
        {GL_ESCAPE_LOG, "a::b", "a::b"}, /* an address of CloudFormation stays */
        {GL_ESCAPE_LOG, "::error::x", ": :error::x"},
        {GL_ESCAPE_LOG, "x ::error::x", "x : :error::x"},
        {GL_ESCAPE_LOG, "x##vso[task]", "x# #vso[task]"},
        {GL_ESCAPE_LOG, "###VSO[task]", "## #VSO[task]"},
        {GL_ESCAPE_LOG, "##[add-matcher]", "# #[add-matcher]"},
        {GL_ESCAPE_QUIET, "FAILover failure", "F~AILover f~ailure"},
        {GL_ESCAPE_TAP, "a # SKIP \\", "a \\# SKIP \\\\"},
        {GL_ESCAPE_XML, "<a b=\"c\">&'\xef\xbf\xbe", "&lt;a b=&quot;c&quot;&gt;&amp;&#39;\\ufffe"},
        {GL_ESCAPE_MARKDOWN, "a|b`c`<img>", "a\\|b\\`c\\`&lt;img&gt;"},
        {GL_ESCAPE_MARKDOWN, "@all #12",
         "@\xe2\x80\x8b"
         "all \\#\xe2\x80\x8b"
         "12"},
        {GL_ESCAPE_MARKDOWN, "[x](http://e)", "\\[x\\](http:\xe2\x80\x8b//e)"},
        {GL_ESCAPE_MARKDOWN, "WWW.e gh-1", "WWW\xe2\x80\x8b.e gh\xe2\x80\x8b-1"},
        {GL_ESCAPE_COMMAND, "50%: a,b", "50%25: a,b"},
        {GL_ESCAPE_COMMAND_PROPERTY, "50%: a,b", "50%25%3A a%2Cb"},
        {GL_ESCAPE_AZURE, "50%;]", "50%AZP25;]"},
        {GL_ESCAPE_AZURE_PROPERTY, "50%;]", "50%AZP25%3B%5D"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(escaped(rows[i].how, rows[i].text), rows[i].wanted);
    assert_string_equal(escaped(GL_ESCAPE_LOG, NULL), "");
}

/* In every format: no control character, no turned writing, no malformed byte, no end of line. */
static void no_format_lets_steering_through(void **state)
{
    static const char hostile[] = "a\x1b[31m\r\n\xe2\x80\xae"
                                  "gpj\xe2\x80\x8b\x7f\xff\xc0\xaf"
                                  "\xc2\x9b"
                                  "31m\n::error::x\n##vso[task.setvariable]y";

    (void)state;
    for (unsigned how = 0; how <= GL_ESCAPE_AZURE_PROPERTY; how++) {
        const char *text = escaped((enum gl_escape)how, hostile);

        for (const char *c = text; *c != '\0'; c++)
            assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
        assert_null(strstr(text, "\xe2\x80\xae"));
        assert_null(strstr(text, "\xc2\x9b"));
        assert_null(strchr(text, (char)0xff));
        assert_null(strstr(text, " ::"));
        assert_null(strstr(text, "##"));
    }
    gl_str_clear(&out);
    gl_escape_code(hostile, true, &out);
    assert_null(strpbrk(gl_str_text(&out), "\r\n\x1b"));
    assert_null(strstr(gl_str_text(&out), "##vso["));
}

static void code_spans_hold_anything(void **state)
{
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        {"plain", "`plain`"},
        {"a`b", "`` a`b ``"},
        {"``", "``` `` ```"},
        {"a|b", "`a\\|b`"},
        {"a\\|b", "`a\\\\\\|b`"},  /* the cell goes on: the backslash is escaped itself */
        {"a\x1b\\", "`a\\x1b\\`"}, /* any other is shown once */
        {"@all <b> #1", "`@all <b> #1`"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        gl_str_clear(&out);
        gl_escape_code(rows[i].text, true, &out);
        assert_string_equal(gl_str_text(&out), rows[i].wanted);
    }
    gl_str_clear(&out);
    gl_escape_code("a|b\\|", false, &out); /* no cell: nothing to end */
    assert_string_equal(gl_str_text(&out), "`a|b\\|`");
}

static void paths_become_relative_references(void **state)
{
    static const struct {
        const char *path, *wanted;
    } rows[] = {
        {"./a/b.tf", "a/b.tf"},
        {"/abs/b.tf", "abs/b.tf"},
        {"//host/x", "host/x"},
        {"javascript:alert(1)", "javascript%3Aalert%281%29"},
        {"a b?c#d%\xc3\xa9", "a%20b%3Fc%23d%25%C3%A9"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        gl_str_clear(&out);
        gl_escape_uri(rows[i].path, &out);
        assert_string_equal(gl_str_text(&out), rows[i].wanted);
    }
}

static void long_names_are_cut_between_characters(void **state)
{
    char text[GL_ESCAPE_MOST * 2 + 1];

    (void)state;
    text[0] = 'x';
    for (size_t i = 1; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    text[sizeof text - 2] = text[sizeof text - 1] = '\0';
    escaped(GL_ESCAPE_LOG, text);
    assert_int_equal(out.length, GL_ESCAPE_MOST - 1 + strlen("..."));
    assert_null(strchr(out.text, '\\')); /* no half character made visible */
}

static void finished_texts_lose_commands_only(void **state)
{
    (void)state;
    gl_str_clear(&out);
    gl_str_add(&out, "a\n  ::error::b\n##vso[x]\nAWS::EC2\n");
    gl_escape_lines(&out);
    assert_string_equal(gl_str_text(&out), "a\n  : :error::b\n# #vso[x]\nAWS::EC2\n");
    gl_str_clear(&out);
    gl_str_add(&out, "{\"a\": \"##vso[x] ::y\"}");
    gl_escape_json(&out);
    assert_string_equal(gl_str_text(&out), "{\"a\": \"\\u0023\\u0023vso[x] ::y\"}");
    gl_str_clear(&out);
    gl_str_add(&out, "{\"#\": \"\xc3\xa9 \x7f \xc2\x9b \xe2\x80\xa8 \xe2\x80\xae \xef\xbf\xbe "
                     "\xf0\x9d\x84\x9e \xf3\xa0\x81\x81 \xd8\x9c\xc2\xad\"}\n");
    gl_escape_json(&out);
    assert_string_equal(gl_str_text(&out),
                        "{\"#\": \"\xc3\xa9 \\u007f \\u009b \\u2028 \\u202e \\ufffe "
                        "\xf0\x9d\x84\x9e \\udb40\\udc41 \\u061c\\u00ad\"}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(each_format_has_its_own, end),
        cmocka_unit_test_teardown(no_format_lets_steering_through, end),
        cmocka_unit_test_teardown(code_spans_hold_anything, end),
        cmocka_unit_test_teardown(paths_become_relative_references, end),
        cmocka_unit_test_teardown(long_names_are_cut_between_characters, end),
        cmocka_unit_test_teardown(finished_texts_lose_commands_only, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
