/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/json_bench.h"

#include <stdio.h>

/* What stands before, between and behind documents: noise, and talk of other programs. */

static void test_noise(void **state)
{
    static const struct {
        const char *text;
        size_t dropped;
        bool has;
    } rows[] = {
        {"{\"a\":1}", 0, true},
        {" \n\t {\"a\":1}", 0, true},
        {"{}", 0, true},
        {"{\n\n  \"a\": 1}", 0, true},
        {"[ [1] ]", 0, true},
        {"[\n  {}\n]", 0, true},
        {"[\"a\"]", 0, true},
        {"[]", 0, true},
        {"[command]/usr/bin/terraform show -json plan\n{\"a\":1}", 44, true},
        {"\n\nhello\n{\"a\":1}", 6, true},
        {"two\nlines\r\n[{}]", 11, true},
        {"indented is noise:\n  {\"a\":1}\n{\"b\":2}", 29, true},
        {"{not json}\n[2026-11-22] log\n{}{\n{\"a\":1}", 28, true},
        {"no document", 11, false},
        {"no document\n", 12, false},
        {"", 0, false},
        {"   \n", 0, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench bench = open_text(rows[i].text);
        size_t dropped = 99;
        bool has;

        assert_int_equal(gl_jsonpull_find(bench.pull, 64, &dropped, &bench.err), 0);
        if (dropped != rows[i].dropped)
            fail_msg("%s: %zu dropped", rows[i].text, dropped);
        assert_int_equal(gl_jsonpull_more(bench.pull, &has, &bench.err), 0);
        assert_int_equal(has, rows[i].has);
        if (has)
            assert_int_equal(gl_jsonpull_skip(bench.pull, &bench.err), 0);
        done(&bench);
    }
}

/* ---- talk between documents ---- */

static const struct gl_jsonpull_talk talk = {.mark = "::", .never = "\"plan\"", .max_bytes = 64};

static bool is_more(struct bench *bench)
{
    bool has;

    assert_int_equal(gl_jsonpull_drop_talk(bench->pull, &talk, &bench->err), 0);
    assert_int_equal(gl_jsonpull_more(bench->pull, &has, &bench->err), 0);
    return has;
}

/* Lines of the mark may be long and hold documents; what touches a document is still told. */
static void test_marked_lines(void **state)
{
    static char text[40000];
    struct bench bench;
    bool has;

    (void)state;
    snprintf(text, sizeof text, "{}\n::%036000d{\"plan\":1}\n ::\n{} 12x", 7);
    bench = open_text(text);
    for (int i = 0; i < 2; i++) {
        assert_true(is_more(&bench));
        assert_int_equal(gl_jsonpull_skip(bench.pull, &bench.err), 0);
    }
    assert_int_equal(gl_jsonpull_line(bench.pull), 4);
    assert_true(is_more(&bench)); /* in the line of the document: no talk */
    assert_int_equal(gl_jsonpull_skip(bench.pull, &bench.err), 0);
    assert_int_equal(gl_jsonpull_drop_talk(bench.pull, &talk, &bench.err), 0);
    assert_failed(&bench, gl_jsonpull_more(bench.pull, &has, &bench.err), GL_E_SYNTAX, "the end");
    done(&bench);
}

/* Behind "{}": what is dropped to the end, and what is left to be read, by its first byte. */
static void test_talk(void **state)
{
    static const struct {
        const char *text;
        char next; /* '\0' = nothing */
    } rows[] = {
        {"", '\0'},
        {"\n", '\0'},
        {" \r\n\t\n\n", '\0'},
        {"\nReleasing state lock. This may take a few moments...\n", '\0'},
        {"\ntime=2026 level=info msg=\"{done}\"", '\0'},
        {"\n[command] x\n[2026] y {}\n", '\0'},
        {"\n::debug::{\"plan\":1}\n\ntalk\n::x", '\0'},
        {"\ntalk\n{\"a\":1}", '{'},
        {"\ntalk\n  {\"a\":1}", '{'},
        {"\ntalk\n{not json}\n", '{'},
        {"\ntalk\n[{}]", '['},
        {"\n}\n", '}'},
        {"\ntalk\n ], 2", ']'},
        {"\n,\"a\":1}", ','},
        {"\n\"a\":1}", '"'},
        {" talk", 't'},
        {" ::talk", ':'},
        {"{}", '{'},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        GL_AUTO(gl_str_done) struct gl_str text = {0};
        struct bench bench;

        gl_str_addf(&text, "{}%s", rows[i].text);
        bench = open_text(gl_str_text(&text));
        assert_int_equal(gl_jsonpull_skip(bench.pull, &bench.err), 0);
        if (is_more(&bench) != (rows[i].next != '\0'))
            fail_msg("\"%s\": another end", rows[i].text);
        if (rows[i].next == '{' || rows[i].next == '[') {
            enum gl_jkind kind;

            assert_int_equal(gl_jsonpull_peek(bench.pull, &kind, &bench.err), 0);
            assert_int_equal(kind, rows[i].next == '{' ? GL_JOBJECT : GL_JARRAY);
        }
        done(&bench);
    }
}

/* A document may hide in a line, wherever the window ends, and talk has a ceiling. */
static void test_hidden_document(void **state)
{
    (void)state;
    for (int length = 32740; length < 32790; length++) {
        static char text[40000];
        const struct gl_jsonpull_talk wide = {"::", "\"plan\"", sizeof text};
        struct bench bench;

        snprintf(text, sizeof text, "{}\n%0*d{\"plan\":1}\n", length, 7);
        bench = open_text(text);
        assert_int_equal(gl_jsonpull_skip(bench.pull, &bench.err), 0);
        assert_failed(&bench, gl_jsonpull_drop_talk(bench.pull, &wide, &bench.err), GL_E_SYNTAX,
                      "a document within a line");
        done(&bench);
        snprintf(text, sizeof text, "{}\n%0*d\n{}", length, 7);
        bench = open_text(text);
        assert_int_equal(gl_jsonpull_skip(bench.pull, &bench.err), 0);
        assert_int_equal(gl_jsonpull_drop_talk(bench.pull, &wide, &bench.err), 0);
        assert_int_equal(gl_jsonpull_skip(bench.pull, &bench.err), 0);
        done(&bench);
        bench = open_text(text);
        assert_int_equal(gl_jsonpull_skip(bench.pull, &bench.err), 0);
        assert_failed(&bench, gl_jsonpull_drop_talk(bench.pull, &talk, &bench.err), GL_E_SYNTAX,
                      "too much text");
        done(&bench);
    }
}

/* Behind a document as well, and in lines longer than the window. */
static void test_noise_around(void **state)
{
    struct gl_str text = {0};
    struct bench bench;
    size_t dropped;
    bool has;

    (void)state;
    for (int i = 0; i < 20000; i++)
        gl_str_add(&text, "noise {}");
    gl_str_add(&text, "\n{\"a\":1}\n::debug::Terraform exited with code 0.\n");
    bench = open_bytes(text.text, text.length);
    assert_int_equal(gl_jsonpull_find(bench.pull, 160001, &dropped, &bench.err), 0);
    assert_int_equal(dropped, 160001);
    assert_int_equal(gl_jsonpull_line(bench.pull), 2);
    assert_int_equal(gl_jsonpull_skip(bench.pull, &bench.err), 0);
    assert_int_equal(gl_jsonpull_find(bench.pull, 160001, &dropped, &bench.err), 0);
    assert_int_equal(dropped, strlen("::debug::Terraform exited with code 0.\n"));
    assert_int_equal(gl_jsonpull_more(bench.pull, &has, &bench.err), 0);
    assert_false(has);
    done(&bench);
    bench = open_bytes(text.text, text.length);
    assert_failed(&bench, gl_jsonpull_find(bench.pull, 160000, &dropped, &bench.err), GL_E_SYNTAX,
                  "no JSON document begins in its first 160000 bytes");
    done(&bench);
    gl_str_done(&text);
}

/* More white space behind the bracket than is looked at. */
static void test_wide_document(void **state)
{
    struct gl_str text = {0};
    struct bench bench;
    size_t dropped = 1;

    (void)state;
    gl_str_add(&text, "{");
    for (int i = 0; i < 40000; i++)
        gl_str_add(&text, " ");
    gl_str_add(&text, "\"a\":1}");
    bench = open_bytes(text.text, text.length);
    assert_int_equal(gl_jsonpull_find(bench.pull, 10, &dropped, &bench.err), 0);
    assert_int_equal(dropped, 0);
    assert_int_equal(gl_jsonpull_skip(bench.pull, &bench.err), 0);
    done(&bench);
    gl_str_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_noise),        cmocka_unit_test(test_marked_lines),
        cmocka_unit_test(test_talk),         cmocka_unit_test(test_hidden_document),
        cmocka_unit_test(test_noise_around), cmocka_unit_test(test_wide_document),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
