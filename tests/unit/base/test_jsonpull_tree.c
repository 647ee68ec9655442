/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jsonpull_tree.c" /* with what is static in it: names can be made to collide */

#include "tests/support/json_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

/* One value as a tree: looking around, names that come twice, whole numbers, ceilings. */

static struct gl_jtree parse(const char *text)
{
    struct gl_jtree tree = {0};
    struct gl_error err = {0};

    if (gl_jtree_parse(&tree, text, strlen(text), "doc", &err) != 0)
        fail_msg("%s: %s", text, err.text);
    return tree;
}

static void assert_tree_refused(const char *text, size_t length, enum gl_errc code,
                                const char *says)
{
    struct gl_jtree tree = parse("[1]");
    struct gl_error err = {0};

    if (gl_jtree_parse(&tree, text, length, "doc", &err) == 0)
        fail_msg("%.80s was taken", text);
    assert_null(gl_jtree_root(&tree));
    if (err.code != code || strstr(err.text, says) == NULL)
        fail_msg("%.80s: %s", text, err.text);
    gl_jtree_done(&tree);
}

static void test_looking_around(void **state)
{
    struct gl_jtree tree =
        parse("{\"a\": [1, \"two\", {\"b\": null}], \"\": true, \"c\": {}, \"d\": []}");
    const struct gl_jnode *root = gl_jtree_root(&tree), *a = gl_jnode_get(&tree, root, "a");
    const struct gl_jnode *child = gl_jnode_first(&tree, root);

    (void)state;
    assert_int_equal(root->count, 4);
    assert_string_equal(gl_jnode_key(&tree, root), "");
    assert_ptr_equal(child, a);
    assert_string_equal(gl_jnode_key(&tree, a), "a");
    assert_int_equal(a->count, 3);
    assert_true(gl_jnode_is(gl_jnode_at(&tree, a, 0), GL_JNUMBER));
    assert_string_equal(gl_jnode_text(&tree, gl_jnode_at(&tree, a, 1)), "two");
    assert_true(gl_jnode_is(gl_jnode_get(&tree, gl_jnode_at(&tree, a, 2), "b"), GL_JNULL));
    assert_null(gl_jnode_at(&tree, a, 3));
    assert_string_equal(gl_jnode_key(&tree, gl_jnode_at(&tree, a, 0)), "");
    child = gl_jnode_next(&tree, root, child);
    assert_string_equal(gl_jnode_key(&tree, child), "");
    assert_true(gl_jnode_is(child, GL_JTRUE));
    assert_ptr_equal(child, gl_jnode_get(&tree, root, ""));
    child = gl_jnode_next(&tree, root, gl_jnode_next(&tree, root, child));
    assert_string_equal(gl_jnode_key(&tree, child), "d");
    assert_null(gl_jnode_first(&tree, child));
    assert_null(gl_jnode_next(&tree, root, child));
    gl_jtree_done(&tree);
    assert_null(gl_jtree_root(&tree));
}

/* Nothing is found where nothing can be. */
static void test_nothing_there(void **state)
{
    struct gl_jtree tree = parse("{\"a\": \"text\", \"n\": 3, \"l\": [0]}"), fresh = {0};
    const struct gl_jnode *root = gl_jtree_root(&tree);
    const struct gl_jnode *text = gl_jnode_get(&tree, root, "a");
    int64_t number = 7;

    (void)state;
    assert_null(gl_jtree_root(&fresh));
    assert_null(gl_jnode_get(&tree, root, "A"));
    assert_null(gl_jnode_get(&tree, root, "ab"));
    assert_null(gl_jnode_get(&tree, NULL, "a"));
    assert_null(gl_jnode_get(&tree, text, "a"));
    assert_null(gl_jnode_get(&tree, gl_jnode_get(&tree, root, "l"), ""));
    assert_null(gl_jnode_at(&tree, root, 0));
    assert_null(gl_jnode_at(&tree, NULL, 0));
    assert_null(gl_jnode_first(&tree, text));
    assert_null(gl_jnode_first(&tree, NULL));
    assert_null(gl_jnode_text(&tree, NULL));
    assert_null(gl_jnode_text(&tree, root));
    assert_null(gl_jnode_text(&tree, gl_jnode_get(&tree, root, "n")));
    assert_false(gl_jnode_int(&tree, NULL, &number));
    assert_false(gl_jnode_int(&tree, root, &number));
    assert_false(gl_jnode_int(&tree, text, &number));
    assert_int_equal(number, 7);
    assert_false(gl_jnode_is(NULL, GL_JNULL));
    gl_jtree_done(&tree);
    gl_jtree_done(&fresh);
}

/* A tree is used again and again; nothing of the value before is left. */
static void test_reuse(void **state)
{
    static const char text[] = "[{\"a\":\"first\",\"b\":[1,2,3]},{\"a\":\"second\"},\"third\"]";
    static const char *const events[] = {"o{ k1:a s5:first k1:b a[ #1:1 #1:2 #1:3 ] } ",
                                         "o{ k1:a s6:second } ", "s5:third "};
    struct gl_feed *feed = gl_feed_of_bytes(text, strlen(text), "doc");
    struct gl_jsonpull *pull = gl_jsonpull_new(feed);
    struct gl_jtree tree = {0};
    struct gl_error err = {0};
    bool has;

    (void)state;
    assert_int_equal(gl_jsonpull_enter(pull, GL_JARRAY, &err), 0);
    for (size_t i = 0; i < 3; i++) {
        GL_AUTO(gl_str_done) struct gl_str out = {0};

        assert_int_equal(gl_jsonpull_item(pull, &has, &err), 0);
        assert_int_equal(gl_jsonpull_take(pull, &tree, &err), 0);
        event_node(&tree, gl_jtree_root(&tree), false, &out);
        assert_string_equal(gl_str_text(&out), events[i]);
    }
    assert_int_equal(gl_jsonpull_item(pull, &has, &err), 0);
    assert_false(has);
    gl_jtree_done(&tree);
    gl_jsonpull_free(pull);
    gl_feed_close(feed);
}

static void test_nul(void **state)
{
    struct gl_jtree tree = parse("{\"a\": \"t3.micro\\u0000x\", \"b\": \"whole\"}");
    const struct gl_jnode *root = gl_jtree_root(&tree), *a = gl_jnode_get(&tree, root, "a");

    (void)state;
    assert_null(gl_jnode_text(&tree, a));
    assert_true(a->has_nul);
    assert_int_equal(a->length, 10);
    assert_memory_equal(tree.text + a->text, "t3.micro\0x", 11);
    assert_string_equal(gl_jnode_text(&tree, gl_jnode_get(&tree, root, "b")), "whole");
    gl_jtree_done(&tree);
    assert_tree_refused("{\"a\\u0000\": 1}", 14, GL_E_SYNTAX, "a name with U+0000");
    assert_tree_refused("[1] 2", 5, GL_E_SYNTAX, "expected the end");
    assert_tree_refused("", 0, GL_E_SYNTAX, "the input ends");
}

/* ---- names ---- */

static void test_twins(void **state)
{
    static const char *const texts[] = {"{\"a\":1,\"a\":2}",
                                        "{\"a\":1,\"b\":{},\"a\":2}",
                                        "[{\"x\":{\"a\":1,\"\\u0061\":1}}]",
                                        "{\"\":1,\"\":1}",
                                        "{\"abcdefgh\":1,\"abcdefgi\":1,\"abcdefgh\":[[[]]]}",
                                        "{\"a\":1,\"b\":1,\"c\":1,\"c\":1}",
                                        "{\"b\":1,\"a\":1,\"b\":1}",
                                        "{\"\":1,\"a\":1,\"ab\":1,\"ab\":1,\"b\":1}",
                                        "{\"z\":1,\"\xc3\xa4\":1,\"z\":1}",
                                        "{\"a\":1,\"\xc3\xa4\":1,\"\xc3\xa4\":1}"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_tree_refused(texts[i], strlen(texts[i]), GL_E_DUPLICATE_KEY, "name twice");
}

/* In order, out of it, and the beginnings of each other: each is another. */
static void test_no_twins(void **state)
{
    static const char *const texts[] = {"{\"\":1,\"a\":1,\"ab\":1,\"b\":1,\"\xc3\xa4\":1}",
                                        "{\"\xc3\xa4\":1,\"b\":1,\"ab\":1,\"a\":1,\"\":1}",
                                        "{\"ab\":1,\"a\":1,\"abc\":1,\"\":1,\"b\":1}"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct gl_jtree tree = parse(texts[i]);

        assert_int_equal(gl_jtree_root(&tree)->count, 5);
        gl_jtree_done(&tree);
    }
}

/* `count` members, the last with the name of member `twin`. */
static void members(unsigned count, unsigned twin, struct gl_str *out)
{
    gl_str_clear(out);
    gl_str_add(out, "{");
    for (unsigned i = 0; i < count; i++)
        gl_str_addf(out, "%s\"name_of_member_%u\":{\"a\":[%u]}", i > 0 ? "," : "",
                    i + 1 < count ? i : twin, i);
    gl_str_add(out, "}");
}

static void test_twins_of_many(void **state)
{
    static const unsigned counts[] = {2, 3, 4, 5, 127, 128, 129, 200, 1000, 20000};
    struct gl_str text = {0};

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct gl_jtree tree;

        members(counts[i], counts[i], &text);
        tree = parse(text.text);
        assert_int_equal(gl_jtree_root(&tree)->count, counts[i]);
        gl_jtree_done(&tree);
        for (unsigned twin = 0; twin + 1 < counts[i]; twin += counts[i] / 3 + 1) {
            members(counts[i], twin, &text);
            assert_tree_refused(text.text, text.length, GL_E_DUPLICATE_KEY, "name twice");
        }
    }
    gl_str_done(&text);
}

#define COLLIDING 400

/* Names that all want the same slot: the table gives up, sorting decides. */
static void test_colliding_names(void **state)
{
    struct gl_str text = {0};
    struct gl_jtree tree;
    uint32_t *slots = gl_alloc(1024 * sizeof *slots);
    unsigned found = 0;
    char name[16] = "";

    (void)state;
    gl_str_add(&text, "{");
    for (unsigned i = 0; found < COLLIDING; i++) {
        snprintf(name, sizeof name, "n%u", i);
        if ((hash_of(name, strlen(name)) & 1023) != 0)
            continue;
        gl_str_addf(&text, "%s\"%s\":1", found > 0 ? "," : "", name);
        found++;
    }
    gl_str_add(&text, "}");
    tree = parse(text.text);
    assert_int_equal(has_twins_hashed(&tree, tree.nodes, slots, 1023), -1);
    gl_jtree_done(&tree);
    text.length--;
    gl_str_addf(&text, ",\"%s\":2}", name);
    assert_tree_refused(text.text, text.length, GL_E_DUPLICATE_KEY, "name twice");
    gl_str_done(&text);
    free(slots);
}

/* ---- whole numbers ---- */

static const struct {
    const char *text;
    bool is_whole;
    int64_t value;
} whole_numbers[] = {
    {"0", true, 0},
    {"-0", true, 0},
    {"3", true, 3},
    {"-17", true, -17},
    {"3.0", true, 3},
    {"3.000", true, 3},
    {"3.5", false, 0},
    {"0.1", false, 0},
    {"1e3", true, 1000},
    {"1.5E+1", true, 15},
    {"1.55e1", false, 0},
    {"30e-1", true, 3},
    {"35e-1", false, 0},
    {"300e-3", false, 0},
    {"0e99999999999999999999", true, 0},
    {"0.00e-99999999999999999999", true, 0},
    {"1e99999999999999999999", false, 0},
    {"1e-99999999999999999999", false, 0},
    {"9223372036854775807", true, INT64_MAX},
    {"9223372036854775808", false, 0},
    {"-9223372036854775808", true, INT64_MIN},
    {"-9223372036854775809", false, 0},
    {"922337203685477580.7e1", true, INT64_MAX},
    {"-9.223372036854775808e18", true, INT64_MIN},
    {"1e18", true, 1000000000000000000},
    {"1e19", false, 0},
    {"\"3\"", true, 3},
    {"\"-12\"", true, -12},
    {"\"03\"", true, 3},
    {"\"3.0\"", true, 3},
    {"\"1e2\"", true, 100},
    {"\"\"", false, 0},
    {"\"-\"", false, 0},
    {"\"+3\"", false, 0},
    {"\" 3\"", false, 0},
    {"\"3 \"", false, 0},
    {"\"3.\"", false, 0},
    {"\".5\"", false, 0},
    {"\"3e\"", false, 0},
    {"\"3e+\"", false, 0},
    {"\"3e1x\"", false, 0},
    {"\"3\\u0000\"", false, 0},
    {"\"0x10\"", false, 0},
    {"\"three\"", false, 0},
    {"true", false, 0},
    {"null", false, 0},
    {"[3]", false, 0},
};

static void test_whole_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof whole_numbers / sizeof whole_numbers[0]; i++) {
        struct gl_jtree tree = parse(whole_numbers[i].text);
        int64_t value = 99;
        bool is_whole = gl_jnode_int(&tree, gl_jtree_root(&tree), &value);

        if (is_whole != whole_numbers[i].is_whole ||
            value != (is_whole ? whole_numbers[i].value : 99))
            fail_msg("%s: %d, %lld", whole_numbers[i].text, (int)is_whole, (long long)value);
        gl_jtree_done(&tree);
    }
}

/* ---- ceilings ---- */

static void test_memory(void **state)
{
    struct gl_jtree tree = {.max_bytes = 4096};
    struct gl_str text = {0};
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_jtree_parse(&tree, "[1,2]", 5, "doc", &err), 0);
    gl_str_add(&text, "[0");
    for (int i = 0; i < 200; i++)
        gl_str_add(&text, ",0");
    gl_str_add(&text, "]");
    assert_int_equal(gl_jtree_parse(&tree, text.text, text.length, "doc", &err), -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    gl_error_clear(&err);
    gl_str_clear(&text);
    gl_str_add(&text, "\"");
    for (int i = 0; i < 4096; i++)
        gl_str_add(&text, "x");
    gl_str_add(&text, "\"");
    assert_int_equal(gl_jtree_parse(&tree, text.text, text.length, "doc", &err), -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    gl_error_clear(&err);
    tree.max_bytes = 8192;
    assert_int_equal(gl_jtree_parse(&tree, text.text, text.length, "doc", &err), 0);
    gl_str_done(&text);
    gl_jtree_done(&tree);
    assert_int_equal(tree.max_bytes, 8192);
}

/* ---- some of a value ---- */

/* Names with a '-' are not wanted; how often and how deep was asked is noted. */
static bool has_no_dash(const void *cookie, unsigned level, struct gl_view name)
{
    unsigned *asked = (unsigned *)(uintptr_t)cookie;

    assert_int_equal(strlen(name.text), name.length);
    asked[level]++;
    return memchr(name.text, '-', name.length) == NULL;
}

static int take_some(const char *text, unsigned levels, unsigned asked[4], struct gl_jtree *tree,
                     struct gl_error *err)
{
    const struct gl_jsonpull_choice choice = {has_no_dash, asked, levels};
    struct gl_feed *feed = gl_feed_of_bytes(text, strlen(text), "doc");
    struct gl_jsonpull *pull = gl_jsonpull_new(feed);
    bool has = true;
    int rc = gl_jsonpull_take_some(pull, &choice, tree, err);

    if (rc == 0)
        rc = gl_jsonpull_more(pull, &has, err);
    assert_true(rc != 0 || !has);
    gl_jsonpull_free(pull);
    gl_feed_close(feed);
    return rc;
}

static void test_some(void **state)
{
    static const struct {
        const char *text, *same; /* as a document that has only what is wanted */
        unsigned levels, asked[4];
    } rows[] = {
        {"{\"-\":{\"a\":[1,{\"b\":2}]},\"c\":{\"-d\":1,\"e\":{\"-f\":2}},\"g-\":[]}",
         "{\"c\":{\"e\":{\"-f\":2}}}",
         2,
         {0, 3, 2, 0}},
        {"{\"a\":[{\"-b\":1,\"c\":2}],\"-\":null}", "{\"a\":[{\"c\":2}]}", 3, {0, 2, 0, 2}},
        {"{\"a\":{\"-\":1}}", "{\"a\":{\"-\":1}}", 1, {0, 1, 0, 0}},
        {"{\"-a\":1,\"-b\":2}", "{}", 1, {0, 2, 0, 0}},
        {"{\"-\":1,\"-\":2}", "{}", 1, {0, 2, 0, 0}},
        {"[1,\"-\"]", "[1,\"-\"]", 2, {0, 0, 0, 0}},
        {"\"-\"", "\"-\"", 2, {0, 0, 0, 0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_jtree some = {0}, whole = parse(rows[i].same);
        unsigned asked[4] = {0};
        struct gl_error err = {0};

        if (take_some(rows[i].text, rows[i].levels, asked, &some, &err) != 0)
            fail_msg("%s: %s", rows[i].text, err.text);
        assert_memory_equal(asked, rows[i].asked, sizeof asked);
        if (some.count != whole.count || some.text_length != whole.text_length ||
            memcmp(some.text, whole.text, whole.text_length) != 0)
            fail_msg("%s: not %s", rows[i].text, rows[i].same);
        for (size_t node = 0; node < whole.count; node++) {
            assert_int_equal(some.nodes[node].kind, whole.nodes[node].kind);
            assert_int_equal(some.nodes[node].count, whole.nodes[node].count);
            assert_int_equal(some.nodes[node].end, whole.nodes[node].end);
            assert_int_equal(some.nodes[node].key, whole.nodes[node].key);
        }
        gl_jtree_done(&some);
        gl_jtree_done(&whole);
    }
}

/* What is dropped is checked as anything else. */
static void test_some_refused(void **state)
{
    static const char *const rows[] = {
        "{\"-\":}",          "{\"-\":{\"a\":01}}", "{\"-\":1,}",       "{\"-\":[1}",
        "{\"-a\\u0000\":1}", "{\"a\":1,\"a\":2}",  "{\"-\":\"\x01\"}", "{\"-\" 1}"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_jtree tree = {0};
        unsigned asked[4] = {0};
        struct gl_error err = {0};

        if (take_some(rows[i], 1, asked, &tree, &err) == 0)
            fail_msg("%s was taken", rows[i]);
        assert_null(gl_jtree_root(&tree));
        gl_jtree_done(&tree);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_looking_around), cmocka_unit_test(test_nothing_there),
        cmocka_unit_test(test_reuse),          cmocka_unit_test(test_nul),
        cmocka_unit_test(test_twins),          cmocka_unit_test(test_twins_of_many),
        cmocka_unit_test(test_no_twins),       cmocka_unit_test(test_colliding_names),
        cmocka_unit_test(test_whole_numbers),  cmocka_unit_test(test_memory),
        cmocka_unit_test(test_some),           cmocka_unit_test(test_some_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
