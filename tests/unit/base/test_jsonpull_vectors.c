/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jsonpull.h"

#include "tests/support/json_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

/* What RFC 8259 takes and refuses, each document by all three ways to read it, and cut at every
 * place: by the pieces it comes in, and by the end of the reader's window. */

#define WINDOW ((size_t)32 << 10) /* of base/jsonpull_part.h; if that changes, cuts are lost */

static const struct {
    const char *document, *events;
} accepted[] = {
    {"null", "n "},
    {"true", "t "},
    {"false", "f "},
    {" \t\r\n null \t\r\n ", "n "},
    {"0", "#1:0 "},
    {"-0", "#2:-0 "},
    {"1234567890123456789012345678901234567890", "#40:1234567890123456789012345678901234567890 "},
    {"-12.340e+05", "#11:-12.340e+05 "},
    {"0.0E-0", "#6:0.0E-0 "},
    {"1e1", "#3:1e1 "},
    {"1E999", "#5:1E999 "},
    {"\"\"", "s0: "},
    {"\"abc\"", "s3:abc "},
    {"\"0123456789abcdef0123456789abcdef0\"", "s33:0123456789abcdef0123456789abcdef0 "},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "s8:\"\\/\b\f\n\r\t "},
    {"\"\\u0041\\u00e4\\u20AC\\ud83c\\udf31\"", "s10:A\xc3\xa4\xe2\x82\xac\xf0\x9f\x8c\xb1 "},
    {"\"\\uD800\\uDC00\\uDBFF\\uDFFF\"", "s8:\xf0\x90\x80\x80\xf4\x8f\xbf\xbf "},
    {"\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"",
     "s11:\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf "},
    {"\"\x7f\"", "s1:\x7f "},
    /* The ends of each row of Unicode 15 table 3-7. */
    {"\"\xc2\x80\xdf\xbf\"", "s4:\xc2\x80\xdf\xbf "},
    {"\"\xe0\xa0\x80\xe0\xbf\xbf\xe1\x80\x80\xec\xbf\xbf\"",
     "s12:\xe0\xa0\x80\xe0\xbf\xbf\xe1\x80\x80\xec\xbf\xbf "},
    {"\"\xed\x80\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\"",
     "s12:\xed\x80\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf "},
    {"\"\xf0\x90\x80\x80\xf0\xbf\xbf\xbf\xf1\x80\x80\x80\xf3\xbf\xbf\xbf\"",
     "s16:\xf0\x90\x80\x80\xf0\xbf\xbf\xbf\xf1\x80\x80\x80\xf3\xbf\xbf\xbf "},
    {"\"\xf4\x80\x80\x80\xf4\x8f\xbf\xbf\"", "s8:\xf4\x80\x80\x80\xf4\x8f\xbf\xbf "},
    {"\"a\xc3\xa4 plain text behind it, and then \xe2\x82\xac\"",
     "s38:a\xc3\xa4 plain text behind it, and then \xe2\x82\xac "},
    {"[]", "a[ ] "},
    {"[ ]", "a[ ] "},
    {"{}", "o{ } "},
    {"{ \n }", "o{ } "},
    {"[1]", "a[ #1:1 ] "},
    {"[1 ,\"a\", null,[ ] , {}]", "a[ #1:1 s1:a n a[ ] o{ } ] "},
    {"[[[[1]],2],3]", "a[ a[ a[ a[ #1:1 ] ] #1:2 ] #1:3 ] "},
    {"{\"a\":1}", "o{ k1:a #1:1 } "},
    {"{ \"a\" : 1 , \"b\" : [true,false] }", "o{ k1:a #1:1 k1:b a[ t f ] } "},
    {"{\"\":{\"\":{}}}", "o{ k0: o{ k0: o{ } } } "},
    {"{\"\\u0061\\n\":\"x\"}", "o{ k2:a\n s1:x } "},
    {"{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":2}}",
     "o{ k1:a o{ k1:a o{ k1:a #1:1 } } k1:b o{ k1:a #1:2 } } "},
    {"{\"A\":1,\"a\":2}", "o{ k1:A #1:1 k1:a #1:2 } "},
    /* U+FEFF is white space to nobody, but a letter of a string like any other. */
    {"\"\xef\xbb\xbf\"", "s3:\xef\xbb\xbf "},
};

#define BYTES(text) (text), sizeof(text) - 1

static const struct {
    const char *document;
    size_t length;
} refused[] = {
    {BYTES("")},
    {BYTES(" \n ")},
    {BYTES("nul")},
    {BYTES("nulL")},
    {BYTES("True")},
    {BYTES("truE")},
    {BYTES("truefalse")},
    {BYTES("falsE")},
    {BYTES("NaN")},
    {BYTES("Infinity")},
    {BYTES("-Infinity")},
    {BYTES("undefined")},
    {BYTES("-")},
    {BYTES("+1")},
    {BYTES("01")},
    {BYTES("-01")},
    {BYTES("00")},
    {BYTES("1.")},
    {BYTES(".5")},
    {BYTES("-.5")},
    {BYTES("1.e5")},
    {BYTES("1e")},
    {BYTES("1e+")},
    {BYTES("1E-")},
    {BYTES("1.5e")},
    {BYTES("0x10")},
    {BYTES("1_000")},
    {BYTES("1 2")},
    {BYTES("--1")},
    {BYTES("1a")},
    {BYTES("[1a]")},
    {BYTES("[01]")},
    {BYTES("'a'")},
    {BYTES("\"")},
    {BYTES("\"abc")},
    {BYTES("\"\\")},
    {BYTES("\"\\\"")},
    {BYTES("\"\\x41\"")},
    {BYTES("\"\\'\"")},
    {BYTES("\"\\U0041\"")},
    {BYTES("\"\\\0\"")},
    {BYTES("\"\\u\"")},
    {BYTES("\"\\u004\"")},
    {BYTES("\"\\u004g\"")},
    {BYTES("\"\\u00-1\"")},
    {BYTES("\"\\u 041\"")},
    {BYTES("\"\\ud800\"")},
    {BYTES("\"\\ud800x\"")},
    {BYTES("\"\\ud800\\n\"")},
    {BYTES("\"\\ud800\\u0041\"")},
    {BYTES("\"\\ud800\\ud800\"")},
    {BYTES("\"\\ud800\\udc0\"")},
    {BYTES("\"\\udc00\"")},
    {BYTES("\"\\udc00\\ud800\"")},
    {BYTES("\"\\udfff\"")},
    {BYTES("\"\t\"")},
    {BYTES("\"\n\"")},
    {BYTES("\"\r\"")},
    {BYTES("\"\x1f\"")},
    {BYTES("\"\0\"")},
    {BYTES("\"abcdefghijklmnop\x01\"")},
    /* UTF-8 that is none: continuations alone, overlong, surrogates, too large, cut. */
    {BYTES("\"\x80\"")},
    {BYTES("\"\xbf\"")},
    {BYTES("\"\xc0\x80\"")},
    {BYTES("\"\xc1\xbf\"")},
    {BYTES("\"\xc3\"")},
    {BYTES("\"\xc3\xc3\"")},
    {BYTES("\"\xe0\x80\x80\"")},
    {BYTES("\"\xe0\x9f\xbf\"")},
    {BYTES("\"\xe1\x80\"")},
    {BYTES("\"\xe1\x80\x7f\"")},
    {BYTES("\"\xe1\x80\xc0\"")},
    {BYTES("\"\xed\xa0\x80\"")},
    {BYTES("\"\xed\xbf\xbf\"")},
    {BYTES("\"\xf0\x80\x80\x80\"")},
    {BYTES("\"\xf0\x8f\xbf\xbf\"")},
    {BYTES("\"\xf1\x80\x80\"")},
    {BYTES("\"\xf1\x80\x80\x7f\"")},
    {BYTES("\"\xf4\x90\x80\x80\"")},
    {BYTES("\"\xf5\x80\x80\x80\"")},
    {BYTES("\"\xf8\x88\x80\x80\x80\"")},
    {BYTES("\"\xff\"")},
    {BYTES("\"\xc3")},
    {BYTES("[")},
    {BYTES("]")},
    {BYTES("[1")},
    {BYTES("[1,")},
    {BYTES("[1,]")},
    {BYTES("[,1]")},
    {BYTES("[,]")},
    {BYTES("[1 2]")},
    {BYTES("[1,,2]")},
    {BYTES("[1}")},
    {BYTES("[}")},
    {BYTES("{]")},
    {BYTES("[1]]")},
    {BYTES("[\"a\":1]")},
    {BYTES("[\"a\"\"b\"]")},
    {BYTES("[[]")},
    {BYTES("{")},
    {BYTES("}")},
    {BYTES("{\"a\"}")},
    {BYTES("{\"a\":}")},
    {BYTES("{\"a\":1")},
    {BYTES("{\"a\":1,}")},
    {BYTES("{\"a\":1]")},
    {BYTES("{\"a\" 1}")},
    {BYTES("{\"a\"::1}")},
    {BYTES("{,\"a\":1}")},
    {BYTES("{\"a\":1,,\"b\":2}")},
    {BYTES("{\"a\":1 \"b\":2}")},
    {BYTES("{\"a\":1;\"b\":2}")},
    {BYTES("{a:1}")},
    {BYTES("{'a':1}")},
    {BYTES("{1:1}")},
    {BYTES("{null:1}")},
    {BYTES("{[]:1}")},
    {BYTES("{\"a\":1}}")},
    {BYTES("{\"a\":1}x")},
    {BYTES("{\"a\":1} # end")},
    {BYTES("{\"a\":1} // end")},
    {BYTES("/* c */ 1")},
    {BYTES("1\0")},
    {BYTES("[1\0]")},
    {BYTES("\0[1]")},
    {BYTES("{\"a\0\":1}")},
    {BYTES("[1\x0b]")},
    {BYTES("[1\x0c]")},
    {BYTES("[\xc2\xa0"
           "1]")},
    {BYTES("[\xef\xbb\xbf"
           "1]")},
};

/* ---- reading one document in every manner ---- */

struct subject {
    const char *bytes;
    size_t length;
    const char *events; /* NULL: it is refused */
};

static void judge(const struct subject *subject, struct gl_feed *feed, enum way way,
                  const char *manner, size_t cut)
{
    GL_AUTO(gl_str_done) struct gl_str out = {0};
    struct gl_error err = {0};
    int rc = event_feed(feed, way, &out, &err);

    gl_feed_close(feed);
    if (subject->events == NULL) {
        if (rc == 0)
            fail_msg("%s %zu, way %d: '%s' was taken", manner, cut, (int)way, subject->bytes);
        assert_int_equal(err.code, GL_E_SYNTAX);
        return;
    }
    if (rc != 0)
        fail_msg("%s %zu, way %d: '%s': %s", manner, cut, (int)way, subject->bytes, err.text);
    if (way != WAY_SKIP && strcmp(gl_str_text(&out), subject->events) != 0)
        fail_msg("%s %zu, way %d: '%s' became %s", manner, cut, (int)way, subject->bytes,
                 gl_str_text(&out));
}

static void judge_pieces(const struct subject *subject, enum way way)
{
    for (size_t cut = 0; cut < subject->length; cut++) {
        int fd = packets(subject->bytes, subject->length, cut, cut == 0 ? 1 : subject->length);

        assert_true(fd >= 0);
        judge(subject, gl_feed_of_fd(fd, "doc"), way, "cut at", cut);
        close(fd);
    }
}

/* White space before it, so that the window ends at every place of it. */
static void judge_window(const struct subject *subject, enum way way)
{
    char *bytes = gl_alloc(WINDOW + subject->length);

    for (size_t cut = 0; cut <= subject->length; cut++) {
        size_t before = WINDOW - cut;

        memset(bytes, cut % 2 == 0 ? ' ' : '\n', before);
        memcpy(bytes + before, subject->bytes, subject->length);
        judge(subject, gl_feed_of_bytes(bytes, before + subject->length, "doc"), way,
              "window ends at", cut);
    }
    free(bytes);
}

static void judge_all(const char *bytes, size_t length, const char *events)
{
    struct subject subject = {bytes, length, events};

    for (int way = 0; way < WAYS; way++) {
        judge(&subject, gl_feed_of_bytes(bytes, length, "doc"), (enum way)way, "whole", 0);
        judge_pieces(&subject, (enum way)way);
        judge_window(&subject, (enum way)way);
    }
}

static void test_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++)
        judge_all(accepted[i].document, strlen(accepted[i].document), accepted[i].events);
}

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        judge_all(refused[i].document, refused[i].length, NULL);
}

/* Every beginning of a container is refused. */
static void test_truncated(void **state)
{
    static const char document[] =
        "{\"a\": [1, -2.5e3, \"\\u00e4\\ud83c\\udf31 \xe2\x82\xac\"], \"b\": {\"c\": null, "
        "\"d\": true, \"e\": false}}";

    (void)state;
    for (size_t length = 0; length < sizeof document - 1; length++) {
        struct subject subject = {document, length, NULL};

        for (int way = 0; way < WAYS; way++)
            judge(&subject, gl_feed_of_bytes(document, length, "doc"), (enum way)way, "truncated",
                  length);
    }
}

/* Each byte of a document put in the place of each other: all ways agree on what is JSON. */
static void test_spoilt(void **state)
{
    static const char document[] = "{\"a\":[1,-2.5e3,\"\\u00e4\xe2\x82\xac\"],\"b\":{\"c\":null}}";
    char bytes[sizeof document];
    unsigned taken = 0;

    (void)state;
    for (size_t at = 0; at < sizeof document - 1; at++)
        for (unsigned byte = 0; byte < 256; byte++) {
            enum gl_errc codes[WAYS];

            memcpy(bytes, document, sizeof bytes);
            bytes[at] = (char)byte;
            for (int way = 0; way < WAYS; way++) {
                GL_AUTO(gl_str_done) struct gl_str out = {0};
                struct gl_error err = {0};

                event_bytes(bytes, sizeof bytes - 1, (enum way)way, &out, &err);
                codes[way] = err.code;
            }
            assert_int_equal(codes[WAY_STEPS], codes[WAY_SKIP]);
            if (codes[WAY_TREE] != codes[WAY_STEPS])
                assert_int_equal(codes[WAY_TREE], GL_E_DUPLICATE_KEY);
            taken += codes[WAY_SKIP] == GL_OK;
        }
    assert_in_range(taken, 500, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_spoilt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
