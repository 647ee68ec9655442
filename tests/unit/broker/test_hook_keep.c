/* SPDX-License-Identifier: Apache-2.0 */
/* What readers keep of a plan: pruned trees, equal ones once, and names to numbers. */
#include "broker/hook/mapping_part.h"
#include "broker/hook/terraform_part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct gl_jtree parse(const char *text)
{
    struct gl_jtree tree = {0};
    struct gl_error err = {0};

    assert_int_equal(gl_jtree_parse(&tree, text, strlen(text), "test", &err), 0);
    return tree;
}

static bool wants_all_but_x(const void *cookie, const struct gl_jtree *tree,
                            const struct gl_jnode *member)
{
    ++*(size_t *)(uintptr_t)cookie;
    return strcmp(gl_jnode_key(tree, member), "x") != 0;
}

static struct gl_jtree share(struct gl_arena *arena, struct gl_reader_trees *trees,
                             const char *text, size_t *asked)
{
    struct gl_jtree tree = parse(text);
    struct gl_jtree out =
        *gl_reader_prune_shared(arena, trees, &tree, gl_jtree_root(&tree),
                                &(struct gl_reader_choice){wants_all_but_x, asked});

    gl_jtree_done(&tree);
    return out;
}

static void test_equal_trees_once(void **state)
{
    struct gl_arena arena = {0};
    struct gl_reader_trees trees = {0};
    size_t asked = 0;
    struct gl_jtree first, same, other, longer;

    (void)state;
    first = share(&arena, &trees, "{\"a\":[1,\"two\"],\"x\":\"password\"}", &asked);
    assert_int_equal(asked, 2); /* each member once */
    same = share(&arena, &trees, "{\"x\":{\"y\":[]},\"a\":[1,\"two\"]}", &asked);
    assert_ptr_equal(first.nodes, same.nodes);
    assert_ptr_equal(first.text, same.text);
    /* The same texts in another shape, and other texts in the same shape. */
    other = share(&arena, &trees, "{\"a\":[\"1\",\"two\"]}", &asked);
    assert_ptr_not_equal(first.nodes, other.nodes);
    assert_ptr_equal(first.text, other.text);
    other = share(&arena, &trees, "{\"a\":[1,\"six\"]}", &asked);
    assert_ptr_equal(first.nodes, other.nodes);
    assert_ptr_not_equal(first.text, other.text);
    longer = share(&arena, &trees, "{\"a\":[1,\"two\"],\"b\":{\"c\":null}}", &asked);
    assert_ptr_not_equal(first.nodes, longer.nodes);
    assert_string_equal(
        other.text + gl_jnode_at(&other, gl_jnode_get(&other, other.nodes, "a"), 1)->text, "six");
    assert_string_equal(
        gl_jnode_text(&same, gl_jnode_at(&same, gl_jnode_get(&same, same.nodes, "a"), 1)), "two");
    assert_true(gl_jnode_is(gl_jnode_get(&longer, gl_jnode_get(&longer, longer.nodes, "b"), "c"),
                            GL_JNULL));
    assert_null(gl_jnode_get(&same, same.nodes, "x"));
    gl_reader_trees_done(&trees);
    gl_arena_done(&arena);
}

/* None is taken for another, however many there are; few are found again as they are held. */
static void share_many(size_t many, bool is_held)
{
    enum { MOST = 5000 };
    struct gl_arena arena = {0};
    struct gl_reader_trees trees = {0};
    static const char *texts[MOST];
    size_t asked = 0;

    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < many; i++) {
            struct gl_jtree kept;
            char text[64];

            snprintf(text, sizeof text, "{\"number\":%zu,\"x\":%d}", i, round);
            kept = share(&arena, &trees, text, &asked);
            snprintf(text, sizeof text, "%zu", i);
            assert_string_equal(kept.text + gl_jnode_get(&kept, kept.nodes, "number")->text, text);
            if (round == 0)
                texts[i] = kept.text;
            if (is_held)
                assert_ptr_equal(texts[i], kept.text);
        }
    gl_reader_trees_done(&trees);
    gl_arena_done(&arena);
}

static void test_many_trees(void **state)
{
    (void)state;
    share_many(100, true);
    share_many(5000, false);
}

static void test_names(void **state)
{
    struct gl_arena arena = {0};
    struct gl_reader_index index = {0};
    size_t cursor = 0, number;

    (void)state;
    for (size_t i = 0; i < 3000; i++)
        gl_reader_index_add(&index, gl_reader_say(&arena, "name %zu", i % 1000), i);
    for (size_t i = 0; i < 3; i++) {
        assert_true(gl_reader_index_next(&index, "name 7", &cursor, &number));
        assert_int_equal(number, 7 + i * 1000);
    }
    assert_false(gl_reader_index_next(&index, "name 7", &cursor, &number));
    cursor = 0;
    assert_false(gl_reader_index_next(&index, "name 1000", &cursor, &number));
    assert_true(gl_reader_index_last(&index, "name 7", &number));
    assert_int_equal(number, 2007);
    assert_false(gl_reader_index_last(&index, "name 1000", &number));
    gl_reader_index_done(&index);
    assert_false(gl_reader_index_last(&index, "name 7", &number));
    assert_false(gl_reader_index_next(&index, "name 7", &cursor, &number));
    gl_arena_done(&arena);
}

/* Large pieces do not waste the rest of the chunk that small ones come from. */
static void test_arena_keeps_its_rest(void **state)
{
    struct gl_arena arena = {0};
    const char *first, *second, *third;

    (void)state;
    memset(gl_arena_take(&arena, 500), 1, 500);
    first = gl_arena_take(&arena, 64);
    memset(gl_arena_take(&arena, 100000), 2, 100000);
    second = gl_arena_take(&arena, 64);
    assert_ptr_equal(first + 64, second);
    memset(gl_arena_take(&arena, 8192), 3, 8192);
    third = gl_arena_take(&arena, 64);
    assert_ptr_equal(second + 64, third);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(first[i] | second[i] | third[i], 0);
    gl_arena_done(&arena);
}

/* ---- intents ---- */

static void fill(struct gl_arena *arena, struct gl_intent *out, const char *tag)
{
    const char **zones = gl_arena_take(arena, 3 * sizeof *zones);
    const char **tags = gl_arena_take(arena, 3 * sizeof *tags);

    zones[0] = gl_reader_say(arena, "eu-north-%s", "1a");
    zones[1] = gl_reader_say(arena, "eu-north-%s", "1b");
    tags[0] = gl_reader_say(arena, "Team=%s", "shop");
    tags[1] = gl_reader_say(arena, "Name=%s", tag);
    *out = gl_reader_blank();
    out->cloud = gl_reader_say(arena, "%s", "aws");
    out->place.region = gl_reader_say(arena, "eu-north-%d", 1);
    out->place.zone = zones[0];
    out->place.zones = zones;
    out->machine.type = gl_reader_say(arena, "m7g.%s", "large");
    out->count.how = gl_reader_say(arena, "%d per zone", 2);
    out->tags = tags;
    out->place_before = gl_arena_take(arena, sizeof *out->place_before);
    *out->place_before = out->place;
    out->count_before = gl_arena_take(arena, sizeof *out->count_before);
    *out->count_before = out->count;
}

/* Nothing of an intent stays in passing memory, and what two of them say alike is held once. */
static void test_settled(void **state)
{
    struct gl_arena arena = {0}, passing = {0};
    struct gl_reader_pieces pieces = {0};
    struct gl_intent first, second;

    (void)state;
    fill(&passing, &first, "web-1");
    gl_reader_settle(&arena, &pieces, &passing, &first);
    fill(&passing, &second, "web-2");
    gl_reader_settle(&arena, &pieces, &passing, &second);
    gl_arena_done(&passing);
    assert_string_equal(first.cloud, "aws");
    assert_string_equal(first.place.how, "nothing says it");
    assert_string_equal(first.place.zones[1], "eu-north-1b");
    assert_null(first.place.zones[2]);
    assert_ptr_equal(first.place.zone, first.place.zones[0]);
    assert_string_equal(first.count.how, "2 per zone");
    assert_string_equal(first.tags[1], "Name=web-1");
    assert_string_equal(second.tags[1], "Name=web-2");
    assert_null(first.notes);
    assert_string_equal(first.place_before->region, "eu-north-1");
    assert_null(first.machine_before);
    assert_string_equal(second.count_before->how, "2 per zone");
    assert_ptr_equal(first.cloud, second.cloud);
    assert_ptr_equal(first.place.zones, second.place.zones);
    assert_ptr_equal(first.machine.type, second.machine.type);
    assert_ptr_equal(first.tags[0], second.tags[0]);
    assert_ptr_not_equal(first.tags, second.tags);
    gl_reader_pieces_done(&pieces);
    gl_arena_done(&arena);
}

/* Of nodes: "." hidden, else their kind; members and items in order, what is below one is gone. */
static void shape_of(const struct gl_jtree *tree, const struct gl_jnode *node, struct gl_str *out)
{
    static const char kinds[] = "0ft1s[{.";

    gl_str_addf(out, "%c", kinds[node->kind]);
    for (const struct gl_jnode *child = gl_jnode_first(tree, node); child != NULL;
         child = gl_jnode_next(tree, node, child))
        shape_of(tree, child, out);
}

static void test_hidden(void **state)
{
    static const struct {
        const char *values, *marks, *shape;
    } rows[] = {
        {"{\"a\":\"secret\",\"b\":1}", "{\"a\":true}", "{.1"},
        {"{\"a\":\"open\",\"b\":1}", "{\"a\":false,\"b\":null,\"c\":true}", "{s1"},
        {"{\"a\":{\"secret\":[\"secret\"]},\"b\":[2]}", "{\"a\":true}", "{.[1"},
        {"{\"a\":[{\"b\":\"secret\",\"c\":2},{\"b\":\"open\"}]}", "{\"a\":[{\"b\":true},{}]}",
         "{[{.1{s"},
        {"{\"a\":\"secret\"}", "true", "."},
        {"{\"a\":null}", "{\"a\":true}", "{."},
        /* Marks of another shape hide all they may mean, and so does what is no mark. */
        {"{\"a\":[\"secret\",1],\"b\":1}", "{\"a\":[true]}", "{.1"},
        {"{\"a\":[\"secret\"]}", "{\"a\":{\"x\":true}}", "{."},
        {"{\"a\":\"secret\"}", "{\"a\":[true]}", "{."},
        {"{\"a\":\"secret\"}", "{\"a\":\"no\"}", "{."},
        {"{\"a\":[1]}", "{\"a\":{}}", "{[1"},
        /* In another order, and of some. */
        {"{\"a\":1,\"b\":\"secret\",\"c\":1,\"d\":\"secret\"}", "{\"d\":true,\"b\":true}", "{1.1."},
        {"{\"a\":1,\"b\":\"secret\",\"c\":[1,\"secret\"]}", "{\"b\":true,\"c\":[false,true]}",
         "{1.[1."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_jtree tree = parse(rows[i].values), marks = parse(rows[i].marks), kept;
        struct gl_arena arena = {0};
        GL_AUTO(gl_str_done) struct gl_str shape = {0};
        bool has_hidden =
            gl_reader_hide(&tree, gl_jtree_root(&tree), &marks, gl_jtree_root(&marks));

        kept = gl_reader_prune(&arena, &tree, gl_jtree_root(&tree), NULL, NULL);
        shape_of(&kept, gl_jtree_root(&kept), &shape);
        assert_string_equal(gl_str_text(&shape), rows[i].shape);
        assert_int_equal(has_hidden, strchr(rows[i].shape, '.') != NULL);
        assert_null(memmem(kept.text, kept.text_length, "secret", 6));
        gl_jtree_done(&tree);
        gl_jtree_done(&marks);
        gl_arena_done(&arena);
    }
    assert_false(gl_reader_hide(NULL, NULL, NULL, NULL));
}

#define LONG_LIST 500000

static struct gl_jtree parse_list(const char *item, const char *last)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_add(&text, "[");
    for (size_t i = 1; i < LONG_LIST; i++)
        gl_str_addf(&text, "%s,", item);
    gl_str_addf(&text, "%s]", last);
    return parse(gl_str_text(&text));
}

/* Looked up one by one the items of such a list take minutes. */
static void test_long_lists(void **state)
{
    struct gl_jtree tree = parse_list("1", "1"), marks = parse_list("false", "true"),
                    texts = parse_list("\"a\"", "\"a\"");
    const struct gl_jnode *found;

    (void)state;
    assert_true(gl_reader_hide(&tree, gl_jtree_root(&tree), &marks, gl_jtree_root(&marks)));
    assert_int_equal(tree.nodes[LONG_LIST - 1].kind, GL_JNUMBER);
    assert_int_equal(tree.nodes[LONG_LIST].kind, GL_JHIDDEN);
    found = gl_tf_value_at(&texts, gl_jtree_root(&texts), "");
    assert_string_equal(gl_jnode_text(&texts, found), "a");
    gl_jtree_done(&tree);
    gl_jtree_done(&marks);
    gl_jtree_done(&texts);
}

#define MANY_TYPES 5000

/* The list is not copied for each. */
static void test_unmapped_types(void **state)
{
    struct gl_hook_plan plan = {0};
    const char *const *list = NULL;
    size_t copies = 0, count = 0;

    (void)state;
    for (size_t i = 0; i < 2 * MANY_TYPES; i++) {
        char type[32];

        snprintf(type, sizeof type, "cloud_type%zu_vm", i % MANY_TYPES);
        gl_reader_add_unmapped(&plan, type);
        copies += plan.unmapped != list;
        list = plan.unmapped;
    }
    while (list[count] != NULL)
        count++;
    assert_int_equal(count, MANY_TYPES);
    assert_string_equal(list[MANY_TYPES - 1], "cloud_type4999_vm");
    assert_true(copies < 16);
    gl_hook_plan_done(&plan);
}

/* Of types that nobody reads nothing is kept, however many a plan has. */
static void test_reads_of_many_types(void **state)
{
    struct gl_error err = {0};
    struct gl_hook_mapping *mapping = gl_mapping_open(NULL, &err);
    const struct gl_mapping_reads *machine = gl_mapping_reads_of(mapping, "aws_instance");
    const struct gl_mapping_reads *nothing = gl_mapping_reads_of(mapping, "cloud_thing");

    (void)state;
    for (size_t i = 0; i < MANY_TYPES; i++) {
        char type[160];

        snprintf(type, sizeof type, "cloud_%0*zu", i % 2 == 0 ? 100 : 1, i);
        assert_ptr_equal(gl_mapping_reads_of(mapping, type), nothing);
    }
    assert_ptr_equal(gl_mapping_reads_of(mapping, "aws_instance"), machine);
    assert_true(gl_mapping_reads(mapping, "aws_instance", "instance_type"));
    assert_false(gl_mapping_reads(mapping, "cloud_thing", "name"));
    gl_mapping_free(mapping);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_trees_once),
        cmocka_unit_test(test_many_trees),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_settled),
        cmocka_unit_test(test_hidden),
        cmocka_unit_test(test_long_lists),
        cmocka_unit_test(test_unmapped_types),
        cmocka_unit_test(test_reads_of_many_types),
        cmocka_unit_test(test_arena_keeps_its_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
