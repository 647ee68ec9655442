/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_text.h"

#include "policy/yaml.h"

static struct gl_arena arena;

static const struct gl_node *read_bytes(const char *text, size_t length)
{
    struct gl_source source;

    memset(&found, 0, sizeof found);
    source = gl_source_of((struct gl_view){text, length}, "t.yaml", &found);
    return gl_yaml_read(&source, &arena);
}

static const struct gl_node *read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static int done(void **state)
{
    (void)state;
    gl_arena_done(&arena);
    return 0;
}

static void assert_refused(const char *text, enum gl_errc code, uint32_t line, uint32_t column,
                           const char *piece)
{
    read_text(text);
    assert_error(0, code, line, column, piece);
}

static void keeps_places(void **state)
{
    const struct gl_node *root = read_text("a: 1\nlist:\n  - x\n  - \"y z\"\nmap: {k: v}\n");
    const struct gl_node *list, *map;

    (void)state;
    assert_non_null(root);
    assert_int_equal(root->kind, GL_NODE_MAP);
    assert_int_equal(root->count, 3);
    assert_int_equal(root->mark.width, 1);
    list = gl_yaml_member(root, "list");
    assert_int_equal(list->kind, GL_NODE_LIST);
    assert_int_equal(list->key_mark.line, 2);
    assert_int_equal(list->key_mark.width, 4);
    assert_int_equal(list->count, 2);
    assert_string_equal(list->first->text, "x");
    assert_true(list->first->is_plain);
    assert_string_equal(list->first->next->text, "y z");
    assert_false(list->first->next->is_plain);
    assert_int_equal(list->first->next->mark.line, 4);
    assert_int_equal(list->first->next->mark.column, 5);
    assert_int_equal(list->first->next->mark.width, 5);
    map = gl_yaml_member(root, "map");
    assert_string_equal(gl_yaml_member(map, "k")->text, "v");
    assert_int_equal(map->mark.column, 6);
    assert_null(gl_yaml_member(map, "x"));
    assert_null(gl_yaml_member(list, "x"));
    assert_null(gl_yaml_member(NULL, "x"));
}

/* What a YAML 1.1 reader would turn into other types stays as written. */
static void scalars_stay_text(void **state)
{
    static const char *const words[] = {"NO",   "no", "yes",  "on",   "1e3",        "012",  "12:30",
                                        "1.10", "~",  "null", "0x1F", "2027-01-01", ".inf", "True"};
    char text[64];

    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        snprintf(text, sizeof text, "k: %s\n", words[i]);
        assert_string_equal(gl_yaml_member(read_text(text), "k")->text, words[i]);
    }
}

static void reads_what_editors_write(void **state)
{
    (void)state;
    assert_string_equal(gl_yaml_member(read_text("\xef\xbb\xbf"
                                                 "a: b\r\nc: d\r\n"),
                                       "c")
                            ->text,
                        "d");
    assert_string_equal(gl_yaml_member(read_text("---\na: |\n  x\n  y\n...\n"), "a")->text,
                        "x\ny\n");
    assert_string_equal(gl_yaml_member(read_text("# only\na: 'it''s'  # c\n"), "a")->text, "it's");
    assert_string_equal(gl_yaml_member(read_text("a: K\xc3\xbchlschrank\n"), "a")->text,
                        "K\xc3\xbchlschrank");
    assert_string_equal(gl_yaml_member(read_text("a:\n"), "a")->text, "");
    assert_string_equal(gl_yaml_member(read_text("a: \"x\\ty\"\n"), "a")->text, "x\ty");
}

/* Columns count characters, so that editors jump to the right one. */
static void columns_are_characters(void **state)
{
    (void)state;
    read_text("a: {\xc3\xbc: 1, \xc3\xbc: 2}\n");
    assert_error(0, GL_E_DUPLICATE_KEY, 1, 11, "line 1 has it already");
}

static void refuses_what_hides_meaning(void **state)
{
    (void)state;
    assert_refused("a: &x 1\n", GL_E_SYNTAX, 1, 4, "anchors");
    assert_refused("a: [&x b]\n", GL_E_SYNTAX, 1, 5, "anchors");
    assert_refused("a: &x {b: c}\n", GL_E_SYNTAX, 1, 4, "anchors");
    assert_refused("a: *x\n", GL_E_SYNTAX, 1, 4, "aliases");
    assert_refused("a: !!str 1\n", GL_E_SYNTAX, 1, 4, "tags");
    assert_refused("a: !x [b]\n", GL_E_SYNTAX, 1, 4, "tags");
    assert_refused("a: !!map {b: c}\n", GL_E_SYNTAX, 1, 4, "tags");
    assert_refused("<<: {a: b}\n", GL_E_SYNTAX, 1, 1, "merge");
    assert_refused("[a, b]: c\n", GL_E_SYNTAX, 1, 1, "key must be a word");
    assert_refused("? {a: b}\n: c\n", GL_E_SYNTAX, 1, 3, "key must be a word");
    assert_refused("%YAML 1.1\n---\na: b\n", GL_E_SYNTAX, 1, 1, "directives");
    assert_refused("%TAG ! tag:x,2000:\n---\na: b\n", GL_E_SYNTAX, 1, 1, "directives");
    assert_refused("a: b\n---\nc: d\n", GL_E_SYNTAX, 2, 1, "one document");
    assert_refused("a: b\nc: d\na: e\n", GL_E_DUPLICATE_KEY, 3, 1, "line 1 has it already");
    assert_refused("a: b\n\"a\": e\n", GL_E_DUPLICATE_KEY, 2, 1, "duplicate key \"a\"");
}

static void refuses_what_is_no_text(void **state)
{
    (void)state;
    read_bytes("a: b\0c\n", 7);
    assert_error(0, GL_E_SYNTAX, 1, 5, "byte 00");
    assert_refused("a: b\x1b[31m\n", GL_E_SYNTAX, 1, 5, "byte 1b");
    assert_refused("a: b\x7f\n", GL_E_SYNTAX, 1, 5, "byte 7f");
    assert_refused("a: b\rc: d\n", GL_E_SYNTAX, 1, 5, "byte 0d");
    assert_refused("a: b\nc: \xc2\x85\n", GL_E_SYNTAX, 2, 4, "byte c2");
    assert_refused("a: \xe2\x80\xae\n", GL_E_SYNTAX, 1, 4, "invisible");
    assert_refused("a: \xe2\x80\xa8\n", GL_E_SYNTAX, 1, 4, "invisible");
    assert_refused("a: \xe2\x81\xa6x\n", GL_E_SYNTAX, 1, 4, "invisible");
    assert_refused("a: x\xef\xbb\xbf\n", GL_E_SYNTAX, 1, 5, "invisible");
    assert_refused("a: \xff\n", GL_E_SYNTAX, 1, 4, "not UTF-8");
    assert_refused("a: \xc0\xaf\n", GL_E_SYNTAX, 1, 4, "not UTF-8");
    assert_refused("a: \xed\xa0\x80\n", GL_E_SYNTAX, 1, 4, "not UTF-8");
    assert_refused("a: \xe2\x80", GL_E_SYNTAX, 1, 4, "not UTF-8");
    assert_refused("a: \"x\\0y\"\n", GL_E_SYNTAX, 1, 4, "escape");
    assert_refused("a: \"\\u202e\"\n", GL_E_SYNTAX, 1, 4, "escape");
    assert_refused("a: \"\\e[31m\"\n", GL_E_SYNTAX, 1, 4, "escape");
    assert_refused("\"a\\0\": b\n", GL_E_SYNTAX, 1, 1, "escape");
    read_bytes("a\0:\0 \0b\0", 8); /* UTF-16 */
    assert_error(0, GL_E_SYNTAX, 1, 2, "byte 00");
}

static void says_where_syntax_breaks(void **state)
{
    (void)state;
    assert_refused("a:\n\tb: c\n", GL_E_SYNTAX, 2, 1, "tabs may not indent");
    assert_refused("a: [b\nc: d\n", GL_E_SYNTAX, 2, 2, "not YAML");
    assert_refused("a: \"b\n", GL_E_SYNTAX, 1, 6, "not YAML");
    assert_refused("a: b: c\n", GL_E_SYNTAX, 1, 5, "mapping values are not allowed");
    assert_refused("", GL_E_SYNTAX, 1, 1, "empty");
    assert_refused("# nothing\n", GL_E_SYNTAX, 1, 10, "empty");
    assert_refused("a: b\nc: [\xc3\xbc, \n\n", GL_E_SYNTAX, 2, 7, "ends in the middle");
    assert_null(read_text("}"));
}

static char *repeated(const char *head, const char *piece, size_t times, const char *tail)
{
    struct gl_str text = {0};

    gl_str_add(&text, head);
    for (size_t i = 0; i < times; i++)
        gl_str_add(&text, piece);
    gl_str_add(&text, tail);
    return gl_str_take(&text);
}

static void has_ceilings(void **state)
{
    char *deep = repeated("", "[", GL_POLICY_MAX_DEPTH, "x");
    char *fine = repeated(deep, "]", GL_POLICY_MAX_DEPTH, "");
    char *wide = repeated("[", "x,", GL_YAML_MAX_MEMBERS + 1, "]");
    struct gl_str keys = {0};
    char *large = repeated("a: b #", "x", GL_POLICY_MAX_BYTES - 5, "");

    (void)state;
    assert_non_null(read_text(fine));
    free(fine);
    fine = repeated("[", deep, 1, "");
    assert_null(read_text(fine));
    assert_error(0, GL_E_TOO_LARGE, 1, GL_POLICY_MAX_DEPTH + 1, "nested too deeply");
    assert_null(read_text(wide));
    assert_error(0, GL_E_TOO_LARGE, 1, GL_YAML_MAX_MEMBERS * 2 + 2, "4096");
    for (int i = 0; i < GL_YAML_MAX_KEYS; i++)
        gl_str_addf(&keys, "k%d: v\n", i);
    assert_non_null(read_text(gl_str_text(&keys)));
    gl_str_add(&keys, "more: v\n");
    assert_null(read_text(gl_str_text(&keys)));
    assert_error(0, GL_E_TOO_LARGE, GL_YAML_MAX_KEYS + 1, 7, "256 members in one map");
    gl_str_done(&keys);
    assert_int_equal(strlen(large), GL_POLICY_MAX_BYTES + 1);
    assert_null(read_text(large));
    assert_error(0, GL_E_TOO_LARGE, 0, 0, "256 KiB");
    large[GL_POLICY_MAX_BYTES] = '\0';
    assert_non_null(read_text(large));
    free(deep);
    free(fine);
    free(wide);
    free(large);
}

static void arena_gives_aligned_zeroed_memory(void **state)
{
    int *items = NULL;

    (void)state;
    for (size_t i = 0; i < 3000; i++) {
        char *byte = gl_arena_take(&arena, 1 + i % 40);

        assert_int_equal((uintptr_t)byte % _Alignof(max_align_t), 0);
        assert_int_equal(byte[i % 40], 0);
        byte[i % 40] = 'x';
        items = gl_arena_grow(&arena, items, i, sizeof *items);
        items[i] = (int)i;
    }
    for (int i = 0; i < 3000; i++)
        assert_int_equal(items[i], i);
    assert_non_null(gl_arena_take(&arena, 1 << 20));
    assert_string_equal(gl_arena_text(&arena, "abcdef", 3), "abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(keeps_places, done),
        cmocka_unit_test_teardown(scalars_stay_text, done),
        cmocka_unit_test_teardown(reads_what_editors_write, done),
        cmocka_unit_test_teardown(columns_are_characters, done),
        cmocka_unit_test_teardown(refuses_what_hides_meaning, done),
        cmocka_unit_test_teardown(refuses_what_is_no_text, done),
        cmocka_unit_test_teardown(says_where_syntax_breaks, done),
        cmocka_unit_test_teardown(has_ceilings, done),
        cmocka_unit_test_teardown(arena_gives_aligned_zeroed_memory, done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
