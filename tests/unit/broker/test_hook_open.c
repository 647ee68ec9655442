/* SPDX-License-Identifier: Apache-2.0 */
/* Plans in which something is not known, or may be one of several: what is made of it is never less
 * than it may become. tests/fixtures/hook/open.json has them, each with a line of every machine:
 * address, type or types that it may be, number (least/wanted/most), whether it launches. */
#include "base/str.h"
#include "tests/unit/broker/hook_read.h"

#include <jansson.h>

#define FIXTURES "tests/fixtures/hook/open.json"

static void add_number(struct gl_str *out, const char *before, int64_t number)
{
    if (number == GL_UNKNOWN)
        gl_str_addf(out, "%s?", before);
    else
        gl_str_addf(out, "%s%lld", before, (long long)number);
}

static void add_machine(struct gl_str *out, const struct gl_intent_machine *machine)
{
    gl_str_add(out, machine->type != NULL ? machine->type : "?");
    for (size_t i = 1; machine->candidates != NULL && machine->candidates[i] != NULL; i++)
        gl_str_addf(out, "|%s", machine->candidates[i]);
}

static void add_intent(struct gl_str *out, const struct gl_intent *intent)
{
    if (intent->role == GL_ROLE_TEMPLATE)
        return;
    gl_str_addf(out, "%s ", intent->address);
    add_machine(out, &intent->machine);
    add_number(out, " ", intent->count.min);
    add_number(out, "/", intent->count.desired);
    add_number(out, "/", intent->count.max);
    gl_str_add(out, intent->is_launch ? " launches\n" : " stands by\n");
}

static void add_expected(struct gl_str *out, const json_t *lines)
{
    for (size_t i = 0; i < json_array_size(lines); i++)
        gl_str_addf(out, "%s\n", json_string_value(json_array_get(lines, i)));
}

static bool check(const json_t *item)
{
    const char *name = json_string_value(json_object_get(item, "name"));
    char *text = json_dumps(json_object_get(item, "plan"), 0);
    GL_AUTO(gl_str_done) struct gl_str expected = {0};
    GL_AUTO(gl_str_done) struct gl_str actual = {0};
    struct gl_hook_plan plan;
    bool is_equal;

    read_text(gl_hook_reader_named(json_string_value(json_object_get(item, "reader"))), text,
              (struct gl_hook_options){0}, &plan);
    for (size_t i = 0; i < plan.count; i++)
        add_intent(&actual, &plan.intents[i]);
    for (size_t i = 0; plan.unmapped != NULL && plan.unmapped[i] != NULL; i++)
        gl_str_addf(&actual, "unmapped %s\n", plan.unmapped[i]);
    add_expected(&expected, json_object_get(item, "out"));
    is_equal = strcmp(gl_str_text(&expected), gl_str_text(&actual)) == 0;
    if (!is_equal)
        print_error("%s\n expected:\n%s actual:\n%s", name, gl_str_text(&expected),
                    gl_str_text(&actual));
    gl_hook_plan_done(&plan);
    free(text);
    return is_equal;
}

static void what_is_not_known_is_never_less(void **state)
{
    json_error_t fault;
    json_t *items = json_load_file(FIXTURES, 0, &fault);
    size_t wrong = 0;

    (void)state;
    if (items == NULL)
        fail_msg("%s:%d: %s", FIXTURES, fault.line, fault.text);
    assert_true(json_array_size(items) > 30);
    for (size_t i = 0; i < json_array_size(items); i++)
        wrong += !check(json_array_get(items, i));
    json_decref(items);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_known_is_never_less),
    };

    return cmocka_run_group_tests(tests, open_mapping, close_mapping);
}
