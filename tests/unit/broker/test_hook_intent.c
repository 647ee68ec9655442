/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "broker/hook/mapping.h"
#include "broker/hook/reader_part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

/* ---- before against after ---- */

static struct gl_intent machine(const char *type, int64_t count)
{
    return (struct gl_intent){
        .cloud = "aws",
        .place = {.region = "eu-west-1"},
        .machine = {.type = type,
                    .catalogue = type,
                    .vcpus_u = GL_UNKNOWN,
                    .memory_mib = GL_UNKNOWN,
                    .accelerator_count = GL_UNKNOWN},
        .count = {.min = count, .desired = count, .max = count, .unit = "machine"},
        .interruptible = -1,
        .duration_s = GL_UNKNOWN,
    };
}

static void changes_in_place_are_judged_by_size_and_number(void **state)
{
    static const struct {
        const char *was;
        int64_t was_count;
        const char *is;
        int64_t is_count;
        enum gl_change change;
    } rows[] = {
        {"m5.large", 1, "m5.large", 1, GL_CHANGE_UPDATE},
        {"m5.large", 1, "m5.xlarge", 1, GL_CHANGE_GROW},
        {"m5.xlarge", 1, "m5.large", 1, GL_CHANGE_SHRINK},
        {"m5.large", 1, "m5.large", 2, GL_CHANGE_GROW},
        {"m5.large", 2, "m5.large", 1, GL_CHANGE_SHRINK},
        {"m5.xlarge", 1, "m5.large", 2, GL_CHANGE_GROW},
        {"m5.large", 1, "acme.huge", 1, GL_CHANGE_GROW},
        {"m5.large", 1, NULL, 1, GL_CHANGE_UNKNOWN},
        {"m5.large", 1, "m5.large", GL_UNKNOWN, GL_CHANGE_UNKNOWN},
        {NULL, 1, NULL, 1, GL_CHANGE_UPDATE},
        {"m5.large", GL_UNKNOWN, "m5.large", 2, GL_CHANGE_UPDATE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_intent before = machine(rows[i].was, rows[i].was_count);
        struct gl_intent after = machine(rows[i].is, rows[i].is_count);

        if (gl_intent_compare(&before, &after) != rows[i].change)
            fail_msg("row %zu: %s", i, gl_change_word(gl_intent_compare(&before, &after)));
    }
}

static void another_region_is_a_move_and_a_gpu_is_more(void **state)
{
    static const char *const both[] = {"m5.large", "m5a.large", NULL};
    struct gl_intent before = machine("m5.large", 1), after = machine("m5.large", 1);

    (void)state;
    after.place.region = "eu-north-1";
    assert_int_equal(gl_intent_compare(&before, &after), GL_CHANGE_MOVE);
    after.place.region = NULL;
    assert_int_equal(gl_intent_compare(&before, &after), GL_CHANGE_UPDATE);
    after.machine.accelerator = "nvidia-t4";
    after.machine.accelerator_count = 1;
    assert_int_equal(gl_intent_compare(&before, &after), GL_CHANGE_GROW);
    before = after;
    after.machine.accelerator_count = 2;
    assert_int_equal(gl_intent_compare(&before, &after), GL_CHANGE_GROW);
    after = before;
    after.machine.candidates = both;
    assert_int_equal(gl_intent_compare(&before, &after), GL_CHANGE_GROW);
    before.machine.candidates = both;
    assert_int_equal(gl_intent_compare(&before, &after), GL_CHANGE_UPDATE);
    before.role = GL_ROLE_OPAQUE;
    assert_int_equal(gl_intent_compare(&before, &after), GL_CHANGE_GROW);
    before.role = after.role;
    before.machine.memory_mib = 128;
    after.machine.memory_mib = 256;
    assert_int_equal(gl_intent_compare(&before, &after), GL_CHANGE_GROW);
}

/* ---- what a resource says ---- */

static int is_written(void *cookie, const struct gl_attributes *from, const char *attribute)
{
    (void)from;
    return strcmp(cookie, attribute) == 0;
}

struct read {
    struct gl_jtree values, later, sensitive;
    struct gl_arena arena;
    struct gl_intent intent;
};

static void read_resource(struct read *read, const char *type, const char *values,
                          const char *later, const char *written)
{
    struct gl_error err = {0};
    struct gl_hook_mapping *mapping = gl_mapping_open(NULL, &err);
    char name[32] = "";
    struct gl_follower follower = {.cookie = name, .is_written = is_written, .hides = true};
    struct gl_attributes from = {.tree = &read->values, .unknown_tree = &read->later};

    strncpy(name, written, sizeof name - 1);
    assert_int_equal(gl_jtree_parse(&read->values, values, strlen(values), "values", &err), 0);
    assert_int_equal(gl_jtree_parse(&read->later, later, strlen(later), "later", &err), 0);
    from.values = gl_jtree_root(&read->values);
    from.unknown = gl_jtree_root(&read->later);
    gl_reader_hide(&read->values, from.values, &read->sensitive, gl_jtree_root(&read->sensitive));
    gl_mapping_extract(mapping, gl_mapping_row(mapping, type), &from, &follower, &read->arena,
                       &read->intent);
    gl_mapping_free(mapping);
}

static void drop(struct read *read)
{
    gl_jtree_done(&read->values);
    gl_jtree_done(&read->later);
    gl_jtree_done(&read->sensitive);
    gl_arena_done(&read->arena);
}

#define GROUP "{\"min_size\":2,\"max_size\":10}"

static void a_count_that_was_not_written_is_the_least(void **state)
{
    struct read unwritten = {0}, written = {0};

    (void)state;
    read_resource(&unwritten, "aws_autoscaling_group", GROUP, "{\"desired_capacity\":true}",
                  "none");
    assert_int_equal(unwritten.intent.count.desired, 2);
    assert_null(unwritten.intent.unknown);
    read_resource(&written, "aws_autoscaling_group", GROUP, "{\"desired_capacity\":true}",
                  "desired_capacity");
    assert_int_equal(written.intent.count.desired, GL_UNKNOWN);
    assert_int_equal(written.intent.count.max, 10);
    assert_string_equal(written.intent.unknown[0], "desired_capacity");
    drop(&unwritten);
    drop(&written);
}

/* What is hidden and would make them more, or more powerful, leaves them unknown. */
static void what_is_hidden_is_no_fewer(void **state)
{
    static const struct {
        const char *type, *values, *sensitive, *name;
        int64_t max;
        bool has_type;
    } rows[] = {
        {"google_container_node_pool",
         "{\"node_count\":2,\"node_locations\":[\"europe-north1-a\"],"
         "\"node_config\":[{\"machine_type\":\"e2-micro\"}]}",
         "{\"node_locations\":true}", "node_locations", GL_UNKNOWN, true},
        {"google_container_cluster",
         "{\"initial_node_count\":1,\"cluster_autoscaling\":[{\"enabled\":false}]}",
         "{\"cluster_autoscaling\":[{\"enabled\":true}]}", "cluster_autoscaling.enabled",
         GL_UNKNOWN, true},
        {"google_compute_instance",
         "{\"machine_type\":\"e2-micro\",\"guest_accelerator\":[{\"type\":\"nvidia\",\"count\":8}]"
         "}",
         "{\"guest_accelerator\":true}", "guest_accelerator", 1, false},
        {"aws_autoscaling_group", "{\"min_size\":1,\"max_size\":9}", "{\"max_size\":true}",
         "max_size", GL_UNKNOWN, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct read read = {.sensitive = {0}};
        struct gl_error err = {0};

        assert_int_equal(gl_jtree_parse(&read.sensitive, rows[i].sensitive,
                                        strlen(rows[i].sensitive), "sensitive", &err),
                         0);
        read_resource(&read, rows[i].type, rows[i].values, "{}", "none");
        assert_int_equal(read.intent.count.max, rows[i].max);
        assert_int_equal(read.intent.machine.type != NULL, rows[i].has_type);
        assert_non_null(read.intent.sensitive);
        assert_string_equal(read.intent.sensitive[0], rows[i].name);
        drop(&read);
    }
}

static void secret_tags_stay_behind(void **state)
{
    static const struct {
        const char *type, *values, *sensitive;
        size_t tags;
    } rows[] = {
        {"aws_instance", "{\"tags\":{\"a\":\"open\",\"b\":\"hunter2\"}}", "{\"tags\":{\"b\":true}}",
         1},
        {"aws_instance", "{\"tags\":{\"b\":\"hunter2\"}}", "{\"tags\":true}", 0},
        {"aws_instance", "{\"tags\":{\"b\":\"hunter2\"}}", "true", 0},
        {"aws_instance", "{\"tags\":{\"a\":\"open\"}}", "{\"tags\":{}}", 1},
        {"aws_autoscaling_group",
         "{\"tag\":[{\"key\":\"a\",\"value\":\"open\"},{\"key\":\"b\",\"value\":\"hunter2\"}]}",
         "{\"tag\":[{},{\"value\":true}]}", 1},
        {"aws_autoscaling_group", "{\"tag\":[{\"key\":\"b\",\"value\":\"hunter2\"}]}",
         "{\"tag\":true}", 0},
        {"aws_autoscaling_group", "{\"tag\":[{\"key\":\"a\",\"value\":\"open\"}]}",
         "{\"tag\":[{}]}", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct read read = {0};
        struct gl_error err = {0};
        size_t count = 0;

        assert_int_equal(gl_jtree_parse(&read.sensitive, rows[i].sensitive,
                                        strlen(rows[i].sensitive), "sensitive", &err),
                         0);
        read_resource(&read, rows[i].type, rows[i].values, "{}", "none");
        for (; read.intent.tags != NULL && read.intent.tags[count] != NULL; count++)
            assert_null(strstr(read.intent.tags[count], "hunter2"));
        assert_int_equal(count, rows[i].tags);
        drop(&read);
    }
}

/* Counts that nobody can mean are not believed, and nothing overflows. */
static void absurd_counts_are_unknown(void **state)
{
    struct read read = {0};

    (void)state;
    read_resource(&read, "aws_elasticache_replication_group",
                  "{\"num_node_groups\":9000000,\"replicas_per_node_group\":9000000}", "{}",
                  "none");
    assert_int_equal(read.intent.count.desired, GL_UNKNOWN);
    drop(&read);
    read = (struct read){0};
    read_resource(&read, "aws_ec2_capacity_reservation", "{\"instance_count\":9223372036854775807}",
                  "{}", "none");
    assert_int_equal(read.intent.count.desired, GL_UNKNOWN);
    drop(&read);
}

/* ---- JSON ---- */

/* Are all members of `value` named in the schema, and all that it asks for there? Enough of JSON
 * Schema for docs/hook-facts.schema.json: properties, required, items, type, $ref. */
static void conform(const json_t *root, const json_t *schema, const json_t *value, const char *name)
{
    const char *reference = json_string_value(json_object_get(schema, "$ref"));
    const json_t *properties, *required, *item;
    const char *key;
    json_t *member;
    size_t index;

    if (reference != NULL)
        schema = json_object_get(json_object_get(root, "$defs"), strrchr(reference, '/') + 1);
    assert_non_null(schema);
    if (json_is_null(value)) {
        char *types = json_dumps(json_object_get(schema, "type"), JSON_ENCODE_ANY);

        if (types == NULL || strstr(types, "null") == NULL)
            fail_msg("%s is null", name);
        free(types);
        return;
    }
    json_array_foreach(value, index, item)
        conform(root, json_object_get(schema, "items"), item, name);
    if (!json_is_object(value))
        return;
    properties = json_object_get(schema, "properties");
    required = json_object_get(schema, "required");
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        if (json_object_get(properties, key) == NULL)
            fail_msg("the schema has no %s.%s", name, key);
        conform(root, json_object_get(properties, key), member, key);
    }
    json_array_foreach(required, index,
                       item) if (json_object_get(value, json_string_value(item)) == NULL)
        fail_msg("%s has no %s", name, json_string_value(item));
}

static void facts_are_as_their_schema_says(void **state)
{
    static const char *const zones[] = {"eu-west-1a", NULL}, *const tags[] = {"a=b", NULL};
    struct gl_intent intents[2] = {machine("m5.large", 2), machine(NULL, GL_UNKNOWN)};
    struct gl_hook_plan plan = {.file = "plan.json",
                                .reader = "terraform",
                                .version = "Terraform 1.14.2",
                                .intents = intents,
                                .count = 2,
                                .launches = 1};
    struct gl_error err = {0};
    GL_AUTO(gl_auto_free) char *text = NULL;
    json_t *schema, *facts;
    size_t length;

    (void)state;
    intents[0].place.zones = zones;
    intents[0].tags = tags;
    intents[0].machine.vcpus_u = 500000;
    intents[0].place_before = &intents[0].place;
    intents[0].address = intents[1].address = "aws_instance.web";
    assert_int_equal(gl_file_read("docs/hook-facts.schema.json", 1 << 20, &text, &length, &err), 0);
    schema = gl_json_parse(text, length, "schema", &err);
    assert_non_null(schema);
    facts = gl_hook_plan_json(&plan);
    conform(schema, schema, facts, "facts");
    assert_int_equal(json_integer_value(json_object_get(facts, "greenlaunch_intents")),
                     GL_INTENT_VERSION);
    assert_int_equal(json_array_size(json_object_get(facts, "intents")), 2);
    json_decref(facts);
    json_decref(schema);
}

static void words_stand_for_every_value(void **state)
{
    (void)state;
    assert_string_equal(gl_role_word(GL_ROLE_MACHINE), "launch");
    assert_string_equal(gl_role_word(GL_ROLE_OPAQUE), "opaque");
    assert_null(gl_role_words[GL_ROLE_OPAQUE + 1]);
    assert_string_equal(gl_change_word(GL_CHANGE_MOVE), "move");
    assert_string_equal(gl_change_word(GL_CHANGE_UNKNOWN), "unknown");
    assert_null(gl_change_words[GL_CHANGE_UNKNOWN + 1]);
    assert_string_equal(gl_surety_word(GL_SURE_HINT), "hint");
    assert_string_equal(gl_surety_word(GL_SURE_ASSERTED), "asserted");
    assert_null(gl_surety_words[GL_SURE_ASSERTED + 1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_in_place_are_judged_by_size_and_number),
        cmocka_unit_test(another_region_is_a_move_and_a_gpu_is_more),
        cmocka_unit_test(a_count_that_was_not_written_is_the_least),
        cmocka_unit_test(what_is_hidden_is_no_fewer),
        cmocka_unit_test(secret_tags_stay_behind),
        cmocka_unit_test(absurd_counts_are_unknown),
        cmocka_unit_test(facts_are_as_their_schema_says),
        cmocka_unit_test(words_stand_for_every_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
