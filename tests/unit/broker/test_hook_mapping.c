/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of the mapping against a resource made for it: tests/fixtures/hook/mapping.json, by
 * type a list of {"in": attributes, "later": what is known after apply, "refs": the resources that
 * references lead to, "out": the intent in one line}. A row without one fails. */
#include "base/file.h"
#include "broker/hook/mapping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#define FIXTURES "tests/fixtures/hook/mapping.json"

struct fixture {
    struct gl_jtree tree;
    const struct gl_jnode *refs;
};

static size_t follow(void *cookie, const struct gl_attributes *from, const char *attribute,
                     const char *type, struct gl_attributes out[GL_FOLLOWED_MAX])
{
    const struct fixture *fixture = cookie;
    const struct gl_jnode *there = gl_jnode_get(&fixture->tree, fixture->refs, type);

    (void)from;
    assert_non_null(attribute);
    if (there == NULL)
        return 0;
    out[0] = (struct gl_attributes){.tree = &fixture->tree, .values = there};
    return 1;
}

static void add_list(struct gl_str *out, const char *name, const char *const *list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
        gl_str_addf(out, "%s%s", i == 0 ? name : ",", list[i]);
}

static void add_number(struct gl_str *out, int64_t number)
{
    if (number == GL_UNKNOWN)
        gl_str_add(out, "?");
    else
        gl_str_addf(out, "%lld", (long long)number);
}

static void add_machine(struct gl_str *out, const struct gl_intent_machine *machine)
{
    gl_str_addf(out, " %s", machine->type != NULL ? machine->type : "-");
    if (machine->type != NULL && strcmp(machine->type, machine->catalogue) != 0)
        gl_str_addf(out, "=%s", machine->catalogue);
    if (machine->candidates != NULL)
        add_list(out, "|", machine->candidates + 1);
    gl_str_addf(out, " (%s)", gl_surety_word(machine->surety));
    if (machine->vcpus_u != GL_UNKNOWN)
        gl_str_addf(out, " %gvcpu", (double)machine->vcpus_u / 1e6);
    if (machine->memory_mib != GL_UNKNOWN)
        gl_str_addf(out, " %lldMiB", (long long)machine->memory_mib);
    if (machine->accelerator != NULL)
        gl_str_addf(out, " %s*%lld", machine->accelerator, (long long)machine->accelerator_count);
}

static void add_place(struct gl_str *out, const struct gl_intent_place *place)
{
    gl_str_addf(out, "; %s", place->region != NULL ? place->region : "?");
    add_list(out, " in ", place->zones);
    add_list(out, place->is_beside ? " and " : " or ", place->candidates);
    gl_str_addf(out, " (%s)", place->evidence);
    if (place->conflict != NULL)
        gl_str_addf(out, " but %s", place->conflict);
}

static void describe(const struct gl_intent *intent, struct gl_str *out)
{
    gl_str_addf(out, "%s %s", intent->cloud != NULL ? intent->cloud : "-",
                gl_role_word(intent->role));
    add_machine(out, &intent->machine);
    add_place(out, &intent->place);
    gl_str_add(out, "; ");
    add_number(out, intent->count.min);
    gl_str_add(out, "/");
    add_number(out, intent->count.desired);
    gl_str_add(out, "/");
    add_number(out, intent->count.max);
    gl_str_addf(out, " %s", intent->count.unit);
    if (intent->count.how != NULL)
        gl_str_addf(out, " (%s)", intent->count.how);
    if (intent->interruptible == 1)
        gl_str_add(out, "; interruptible");
    if (intent->duration_s != GL_UNKNOWN)
        gl_str_addf(out, "; %llds", (long long)intent->duration_s);
    add_list(out, "; tags ", intent->tags);
    add_list(out, "; unknown ", intent->unknown);
}

/* As of a plan without its configuration. */
static int is_written_or_not(void *cookie, const struct gl_attributes *from, const char *attribute)
{
    (void)cookie;
    (void)from;
    (void)attribute;
    return -1;
}

static bool check(const struct gl_hook_mapping *mapping, struct fixture *fixture, const char *type,
                  const struct gl_jnode *item)
{
    const struct gl_mapping_row *row = gl_mapping_row(mapping, type);
    const struct gl_jtree *tree = &fixture->tree;
    const char *expected = gl_jnode_text(tree, gl_jnode_get(tree, item, "out"));
    struct gl_attributes attributes = {.tree = tree,
                                       .values = gl_jnode_get(tree, item, "in"),
                                       .unknown_tree = tree,
                                       .unknown = gl_jnode_get(tree, item, "later")};
    struct gl_follower follower = {
        .cookie = fixture, .follow = follow, .is_written = is_written_or_not};
    struct gl_intent intent = {0};
    struct gl_arena arena = {0};
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    bool is_equal;

    assert_non_null(expected);
    if (row == NULL) {
        print_error("%s: not mapped\n", type);
        return false;
    }
    fixture->refs = gl_jnode_get(tree, item, "refs");
    gl_mapping_extract(mapping, row, &attributes, &follower, &arena, &intent);
    describe(&intent, &text);
    is_equal = strcmp(expected, gl_str_text(&text)) == 0;
    if (!is_equal)
        print_error("%s\n  expected: %s\n  actual:   %s\n", type, expected, gl_str_text(&text));
    gl_arena_done(&arena);
    return is_equal;
}

static void read_fixtures(struct fixture *fixture)
{
    struct gl_error err = {0};
    GL_AUTO(gl_auto_free) char *text = NULL;
    size_t length;

    assert_int_equal(gl_file_read(FIXTURES, 1 << 20, &text, &length, &err), 0);
    if (gl_jtree_parse(&fixture->tree, text, length, FIXTURES, &err))
        fail_msg("%s", err.text);
}

static void every_fixture_gives_its_intent(void **state)
{
    struct gl_error err = {0};
    struct gl_hook_mapping *mapping = gl_mapping_open(NULL, &err);
    struct fixture fixture = {0};
    const struct gl_jnode *root;
    unsigned wrong = 0;

    (void)state;
    read_fixtures(&fixture);
    root = gl_jtree_root(&fixture.tree);
    for (const struct gl_jnode *type = gl_jnode_first(&fixture.tree, root); type != NULL;
         type = gl_jnode_next(&fixture.tree, root, type))
        for (const struct gl_jnode *item = gl_jnode_first(&fixture.tree, type); item != NULL;
             item = gl_jnode_next(&fixture.tree, type, item))
            wrong += !check(mapping, &fixture, gl_jnode_key(&fixture.tree, type), item);
    assert_int_equal(wrong, 0);
    gl_jtree_done(&fixture.tree);
    gl_mapping_free(mapping);
}

static void every_row_has_a_fixture(void **state)
{
    struct gl_error err = {0};
    struct gl_hook_mapping *mapping = gl_mapping_open(NULL, &err);
    struct fixture fixture = {0};
    const struct gl_mapping_row *row;
    size_t count = 0;

    (void)state;
    read_fixtures(&fixture);
    for (; (row = gl_mapping_at(mapping, count)) != NULL; count++)
        if (gl_jnode_get(&fixture.tree, gl_jtree_root(&fixture.tree), row->type) == NULL)
            fail_msg("%s has no fixture", row->type);
    assert_true(count > 200);
    gl_jtree_done(&fixture.tree);
    gl_mapping_free(mapping);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fixture_gives_its_intent),
        cmocka_unit_test(every_row_has_a_fixture),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
