/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jsonpull_part.h"

#include "tests/support/json_bench.h"
#include "tests/support/json_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>

/* The reader's calls: order, ceilings, places, documents one after the other. */

static void assert_key(struct bench *bench, const char *key)
{
    struct gl_view view = {0};
    bool has = false;

    assert_int_equal(gl_jsonpull_member(bench->pull, &view, &has, &bench->err), 0);
    assert_int_equal(has, key != NULL);
    if (key != NULL) {
        assert_int_equal(view.length, strlen(key));
        assert_memory_equal(view.text, key, view.length);
    }
}

static void test_steps(void **state)
{
    struct bench bench =
        open_text("{\"a\": [true, \"x\", 3], \"skip\": {\"b\": [{}]},\n \"c\": false}");
    struct gl_view view;
    enum gl_jkind kind;
    bool has, is_true;

    (void)state;
    assert_int_equal(gl_jsonpull_peek(bench.pull, &kind, &bench.err), 0);
    assert_int_equal(kind, GL_JOBJECT);
    assert_int_equal(gl_jsonpull_enter(bench.pull, GL_JOBJECT, &bench.err), 0);
    assert_key(&bench, "a");
    assert_int_equal(gl_jsonpull_enter(bench.pull, GL_JARRAY, &bench.err), 0);
    assert_int_equal(gl_jsonpull_item(bench.pull, &has, &bench.err), 0);
    assert_int_equal(gl_jsonpull_bool(bench.pull, &is_true, &bench.err), 0);
    assert_true(has && is_true);
    assert_int_equal(gl_jsonpull_item(bench.pull, &has, &bench.err), 0);
    assert_int_equal(gl_jsonpull_string(bench.pull, &view, &bench.err), 0);
    assert_memory_equal(view.text, "x", 1);
    assert_int_equal(gl_jsonpull_item(bench.pull, &has, &bench.err), 0);
    assert_int_equal(gl_jsonpull_peek(bench.pull, &kind, &bench.err), 0);
    assert_int_equal(kind, GL_JNUMBER);
    assert_int_equal(gl_jsonpull_skip(bench.pull, &bench.err), 0);
    assert_int_equal(gl_jsonpull_item(bench.pull, &has, &bench.err), 0);
    assert_false(has);
    assert_key(&bench, "skip");
    assert_int_equal(gl_jsonpull_skip(bench.pull, &bench.err), 0);
    assert_key(&bench, "c");
    assert_int_equal(gl_jsonpull_line(bench.pull), 2);
    assert_int_equal(gl_jsonpull_bool(bench.pull, &is_true, &bench.err), 0);
    assert_false(is_true);
    assert_key(&bench, NULL);
    assert_int_equal(gl_jsonpull_more(bench.pull, &has, &bench.err), 0);
    assert_false(has);
    done(&bench);
    gl_jsonpull_free(NULL);
}

static void test_kinds(void **state)
{
    static const struct {
        const char *text;
        enum gl_jkind kind;
    } rows[] = {{"null", GL_JNULL},   {"false", GL_JFALSE}, {"true", GL_JTRUE},
                {"-1", GL_JNUMBER},   {"0", GL_JNUMBER},    {"9", GL_JNUMBER},
                {"\"\"", GL_JSTRING}, {"[]", GL_JARRAY},    {" {}", GL_JOBJECT}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench bench = open_text(rows[i].text);
        enum gl_jkind kind;

        assert_int_equal(gl_jsonpull_peek(bench.pull, &kind, &bench.err), 0);
        assert_int_equal(kind, rows[i].kind);
        assert_int_equal(gl_jsonpull_peek(bench.pull, &kind, &bench.err), 0);
        assert_int_equal(gl_jsonpull_skip(bench.pull, &bench.err), 0);
        done(&bench);
    }
}

static int as_string(struct gl_jsonpull *pull, struct gl_error *err)
{
    struct gl_view view;

    return gl_jsonpull_string(pull, &view, err);
}

static int as_bool(struct gl_jsonpull *pull, struct gl_error *err)
{
    bool is_true;

    return gl_jsonpull_bool(pull, &is_true, err);
}

static int as_object(struct gl_jsonpull *pull, struct gl_error *err)
{
    return gl_jsonpull_enter(pull, GL_JOBJECT, err);
}

static int as_array(struct gl_jsonpull *pull, struct gl_error *err)
{
    return gl_jsonpull_enter(pull, GL_JARRAY, err);
}

static int as_peeked(struct gl_jsonpull *pull, struct gl_error *err)
{
    enum gl_jkind kind;

    return gl_jsonpull_peek(pull, &kind, err);
}

static void test_other_kind(void **state)
{
    static const struct {
        const char *text;
        int (*read)(struct gl_jsonpull *pull, struct gl_error *err);
        const char *says;
    } rows[] = {{"{}", as_string, "expected a string"},
                {"\"true\"", as_bool, "expected true or false"},
                {"[]", as_object, "expected an object"},
                {"{}", as_array, "expected an array"},
                {"x", as_peeked, "expected a value"},
                {"", as_peeked, "expected a value, but the input ends"},
                {"x", gl_jsonpull_skip, "expected a value"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench bench = open_text(rows[i].text);

        assert_failed(&bench, rows[i].read(bench.pull, &bench.err), GL_E_SYNTAX, rows[i].says);
        done(&bench);
    }
}

/* A caller's mistake is said as what it is, and ends the reading. */
static void test_out_of_order(void **state)
{
    struct bench bench = open_text("[1]");
    struct gl_view view;
    bool has;

    (void)state;
    assert_failed(&bench, gl_jsonpull_item(bench.pull, &has, &bench.err), GL_E_INTERNAL, "order");
    done(&bench);
    bench = open_text("[1]");
    assert_int_equal(as_array(bench.pull, &bench.err), 0);
    assert_failed(&bench, gl_jsonpull_skip(bench.pull, &bench.err), GL_E_INTERNAL, "order");
    done(&bench);
    bench = open_text("[1]");
    assert_int_equal(as_array(bench.pull, &bench.err), 0);
    assert_failed(&bench, gl_jsonpull_member(bench.pull, &view, &has, &bench.err), GL_E_INTERNAL,
                  "order");
    done(&bench);
    bench = open_text("[1]");
    assert_int_equal(as_array(bench.pull, &bench.err), 0);
    assert_failed(&bench, gl_jsonpull_more(bench.pull, &has, &bench.err), GL_E_INTERNAL, "order");
    done(&bench);
    bench = open_text("1 2");
    assert_int_equal(gl_jsonpull_skip(bench.pull, &bench.err), 0);
    assert_failed(&bench, gl_jsonpull_skip(bench.pull, &bench.err), GL_E_INTERNAL, "order");
    done(&bench);
}

static void test_errors_stay(void **state)
{
    struct bench bench = open_text("[\n 1,\n  tru]");
    struct gl_error again = {0};
    size_t dropped;
    bool has;

    (void)state;
    assert_failed(&bench, gl_jsonpull_skip(bench.pull, &bench.err), GL_E_SYNTAX,
                  "plan.json is not valid JSON: expected a value");
    assert_string_equal(bench.err.pos.file, "plan.json");
    assert_int_equal(bench.err.pos.line, 3);
    assert_int_equal(bench.err.pos.column, 3);
    assert_int_equal(gl_jsonpull_more(bench.pull, &has, &again), -1);
    assert_memory_equal(&again, &bench.err, sizeof again);
    gl_error_clear(&again);
    assert_int_equal(gl_jsonpull_find(bench.pull, 100, &dropped, &again), -1);
    assert_int_equal(again.pos.line, 3);
    done(&bench);
}

/* Errors of the feed pass through. */
static void test_feed_fails(void **state)
{
    struct bench bench = open_text("[1, 2, 3]");

    (void)state;
    gl_feed_limit(bench.feed, 5);
    assert_failed(&bench, gl_jsonpull_skip(bench.pull, &bench.err), GL_E_TOO_LARGE,
                  "plan.json is larger than 5 bytes");
    done(&bench);
    bench = open_text("\x1f\x8b rubbish");
    assert_failed(&bench, gl_jsonpull_skip(bench.pull, &bench.err), GL_E_SYNTAX, "gzip");
    done(&bench);
}

/* Lines and columns far into a document, wherever the window ends. */
static void test_places(void **state)
{
    (void)state;
    for (uint32_t lines = 0; lines < 9000; lines += 97) {
        struct gl_str text = {0};
        struct bench bench;

        gl_str_add(&text, "[");
        for (uint32_t i = 0; i < lines; i++)
            gl_str_addf(&text, "\"line %u\",%s\n", i, i % 3 == 0 ? " " : "");
        gl_str_add(&text, "0, 1, ?]");
        bench = open_bytes(text.text, text.length);
        assert_int_equal(gl_jsonpull_skip(bench.pull, &bench.err), -1);
        assert_int_equal(bench.err.pos.line, lines + 1);
        assert_int_equal(bench.err.pos.column, lines == 0 ? 8 : 7);
        done(&bench);
        gl_str_done(&text);
    }
}

/* One line, as most plans are. */
static void test_far_column(void **state)
{
    struct gl_str text = {0};
    struct bench bench;

    (void)state;
    gl_str_add(&text, "\n[");
    for (int i = 0; i < 50000; i++)
        gl_str_add(&text, "12,");
    gl_str_add(&text, "?]");
    bench = open_bytes(text.text, text.length);
    assert_int_equal(gl_jsonpull_skip(bench.pull, &bench.err), -1);
    assert_int_equal(bench.err.pos.line, 2);
    assert_int_equal(bench.err.pos.column, 150002);
    done(&bench);
    gl_str_done(&text);
}

/* ---- ceilings ---- */

static int read_nested(unsigned depth, enum way way, struct gl_error *err)
{
    struct gl_str text = {0}, out = {0};
    int rc;

    for (unsigned i = 0; i < depth; i++)
        gl_str_add(&text, i % 2 == 0 ? "[" : "{\"a\":");
    gl_str_add(&text, "1");
    for (unsigned i = depth; i-- > 0;)
        gl_str_add(&text, i % 2 == 0 ? "]" : "}");
    rc = event_bytes(text.text, text.length, way, &out, err);
    gl_str_done(&text);
    gl_str_done(&out);
    return rc;
}

static void test_depth(void **state)
{
    (void)state;
    for (int way = 0; way < WAYS; way++) {
        struct gl_error err = {0};

        assert_int_equal(read_nested(GL_JSONPULL_MAX_DEPTH, (enum way)way, &err), 0);
        assert_int_equal(read_nested(GL_JSONPULL_MAX_DEPTH + 1, (enum way)way, &err), -1);
        assert_int_equal(err.code, GL_E_TOO_LARGE);
        assert_non_null(strstr(err.text, "nested too deeply"));
    }
}

/* A string of `length` bytes of text, whole or with an escape in it. */
static void long_string(size_t length, bool has_escape, struct gl_str *out)
{
    char *bytes = gl_alloc(length);

    memset(bytes, 'x', length);
    gl_str_clear(out);
    gl_str_add_char(out, '"');
    gl_str_add_bytes(out, bytes, has_escape ? length - 1 : length);
    gl_str_add(out, has_escape ? "\\n\"" : "\"");
    free(bytes);
}

static void test_long_strings(void **state)
{
    struct gl_str text = {0}, out = {0};

    (void)state;
    for (int round = 0; round < 4; round++) {
        bool fits = round % 2 == 0;
        struct gl_error err = {0};

        long_string(GL_JSONPULL_MAX_STRING + !fits, round >= 2, &text);
        gl_str_clear(&out);
        assert_int_equal(event_bytes(text.text, text.length, WAY_STEPS, &out, &err), fits ? 0 : -1);
        gl_str_clear(&out);
        assert_int_equal(event_bytes(text.text, text.length, WAY_TREE, &out, &err), fits ? 0 : -1);
        assert_int_equal(err.code, fits ? GL_OK : GL_E_TOO_LARGE);
        gl_error_clear(&err);
        assert_int_equal(event_bytes(text.text, text.length, WAY_SKIP, &out, &err), 0);
    }
    gl_str_done(&text);
    gl_str_done(&out);
}

/* What is skipped takes no memory, however long its strings are. */
static void test_skip_keeps_nothing(void **state)
{
    struct gl_str text = {0};
    struct bench bench;

    (void)state;
    long_string((size_t)40 << 20, true, &text);
    bench = open_bytes(text.text, text.length);
    assert_int_equal(gl_jsonpull_skip(bench.pull, &bench.err), 0);
    assert_int_equal(bench.pull->text.capacity, 0);
    done(&bench);
    gl_str_done(&text);
}

static void test_long_numbers(void **state)
{
    char *text = gl_alloc(GL_JSCAN_WINDOW * 3);

    (void)state;
    memset(text, '7', GL_JSCAN_WINDOW * 3);
    for (int way = 0; way < WAYS; way++) {
        GL_AUTO(gl_str_done) struct gl_str out = {0};
        struct gl_error err = {0};

        assert_int_equal(event_bytes(text, GL_JSONPULL_MAX_NUMBER, (enum way)way, &out, &err), 0);
        assert_int_equal(event_bytes(text, GL_JSONPULL_MAX_NUMBER + 1, (enum way)way, &out, &err),
                         -1);
        assert_int_equal(err.code, GL_E_TOO_LARGE);
        gl_error_clear(&err);
        assert_int_equal(event_bytes(text, GL_JSCAN_WINDOW * 3, (enum way)way, &out, &err), -1);
        assert_int_equal(err.code, GL_E_TOO_LARGE);
    }
    free(text);
}

/* ---- U+0000 ---- */

static void test_nul(void **state)
{
    struct bench bench = open_text("\"a\\u0000b\"");
    struct gl_view view;

    (void)state;
    assert_int_equal(gl_jsonpull_string(bench.pull, &view, &bench.err), 0);
    assert_int_equal(view.length, 3);
    assert_memory_equal(view.text, "a\0b", 3);
    done(&bench);
    bench = open_text("{\"a\\u0000b\": 1}");
    assert_int_equal(as_object(bench.pull, &bench.err), 0);
    assert_failed(&bench, gl_jsonpull_member(bench.pull, &view, &(bool){false}, &bench.err),
                  GL_E_SYNTAX, "a name with U+0000");
    done(&bench);
    bench = open_text("{\"a\\u0000b\": 1}");
    assert_int_equal(gl_jsonpull_skip(bench.pull, &bench.err), 0);
    done(&bench);
}

/* ---- documents one after the other ---- */

static void test_documents(void **state)
{
    struct bench bench = open_text("  {\"a\":1}\n{\"b\":2}{\"c\":3}[4] \"x\" 5\n\n");
    unsigned count = 0;
    bool has = true;

    (void)state;
    while (has) {
        assert_int_equal(gl_jsonpull_more(bench.pull, &has, &bench.err), 0);
        assert_int_equal(gl_jsonpull_more(bench.pull, &has, &bench.err), 0);
        if (has) {
            assert_int_equal(gl_jsonpull_skip(bench.pull, &bench.err), 0);
            count++;
        }
    }
    assert_int_equal(count, 6);
    done(&bench);
    bench = open_text("12");
    assert_int_equal(gl_jsonpull_skip(bench.pull, &bench.err), 0);
    assert_int_equal(gl_jsonpull_more(bench.pull, &has, &bench.err), 0);
    assert_false(has);
    done(&bench);
    bench = open_text("01");
    assert_int_equal(gl_jsonpull_skip(bench.pull, &bench.err), 0);
    assert_failed(&bench, gl_jsonpull_more(bench.pull, &has, &bench.err), GL_E_SYNTAX,
                  "expected white space or the end");
    done(&bench);
}

/* Values are secrets: no error shows what it stumbled over. */
static void test_errors_show_nothing(void **state)
{
    static const char document[] =
        "{\"hunter2\": [\"hunter2\", 48151623, \"hunter2\\u00e4hunter2\"]}";

    (void)state;
    for (size_t length = 0; length < sizeof document - 1; length++) {
        char bytes[sizeof document];

        memcpy(bytes, document, sizeof bytes);
        bytes[length] = '\x01';
        for (int way = 0; way < WAYS; way++) {
            GL_AUTO(gl_str_done) struct gl_str out = {0};
            struct gl_error err = {0};

            assert_int_equal(event_bytes(bytes, sizeof bytes - 1, (enum way)way, &out, &err), -1);
            assert_null(strstr(err.text, "hunt"));
            assert_null(strstr(err.text, "4815"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_other_kind),
        cmocka_unit_test(test_out_of_order),
        cmocka_unit_test(test_errors_stay),
        cmocka_unit_test(test_feed_fails),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_far_column),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_long_strings),
        cmocka_unit_test(test_skip_keeps_nothing),
        cmocka_unit_test(test_long_numbers),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_errors_show_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
