/* SPDX-License-Identifier: Apache-2.0 */
/* Terraform plans in which something only seems to be known: none of it may become a place, a
 * number or a machine that a rule could be kept with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/hook/reader.h"

static struct gl_hook_mapping *mapping;
static struct gl_hook_plan plan;

static int open_mapping(void **state)
{
    struct gl_error err = {0};

    (void)state;
    mapping = gl_mapping_open(NULL, &err);
    return mapping == NULL;
}

static int close_mapping(void **state)
{
    (void)state;
    gl_hook_plan_done(&plan);
    gl_mapping_free(mapping);
    return 0;
}

static int try_read(const char *text, struct gl_error *err)
{
    struct gl_feed *feed = gl_feed_of_bytes(text, strlen(text), "p.json");
    const struct gl_hook_options options = {.mapping = mapping};
    int status;

    gl_hook_plan_done(&plan);
    status = gl_reader_terraform.read(feed, &options, &plan, err);
    gl_feed_close(feed);
    return status;
}

#define BLOCK_OF(type, name, expressions)                                            \
    "{\"address\":\"" type "." name "\",\"mode\":\"managed\",\"type\":\"" type "\"," \
    "\"provider_config_key\":\"p\",\"expressions\":{" expressions "}}"
#define AS(after, actions, unknown)                                           \
    "\"change\":{\"actions\":[" actions "],\"before\":null,\"after\":{" after \
    "},\"after_unknown\":{" unknown "}}"
#define CREATE(address, after, unknown) \
    "{\"address\":\"" address "\"," AS(after, "\"create\"", unknown) "}"
#define REFERENCES(names) "{\"references\":[" names "]}"

/* With a version, changes, variables, the root's members and the region of provider "p". */
static void read_as(const char *version, const char *changes, const char *variables,
                    const char *root, const char *region)
{
    struct gl_error err = {0};
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_addf(&text,
                "{\"format_version\":\"1.2\",\"terraform_version\":\"%s\",\"variables\":{%s},"
                "\"resource_changes\":[%s],\"configuration\":{\"provider_config\":{\"p\":{\"name\":"
                "\"aws\",\"expressions\":{%s%s}}},\"root_module\":{%s}}}",
                version, variables, changes, region[0] != '\0' ? "\"region\":" : "", region, root);
    if (try_read(gl_str_text(&text), &err) != 0)
        fail_msg("%s", err.text);
}

static const struct gl_intent *intent_of(const char *address)
{
    for (size_t i = 0; i < plan.count; i++)
        if (strcmp(plan.intents[i].address, address) == 0)
            return &plan.intents[i];
    fail_msg("no %s", address);
    return NULL;
}

/* ---- places ---- */

#define INSTANCE       CREATE("aws_instance.a", "\"instance_type\":\"m5.large\"", "")
#define INSTANCE_BLOCK "\"resources\":[" BLOCK_OF("aws_instance", "a", "") "]"
#define TWO                                                            \
    "\"regions\":{\"value\":[\"eu-north-1\",\"us-east-1\"]},"          \
    "\"by\":{\"value\":{\"us\":\"us-east-1\",\"eu\":\"eu-north-1\"}}," \
    "\"stage\":{\"value\":\"prod\"},\"a\":{\"value\":\"eu-north-1\"}," \
    "\"b\":{\"value\":\"us-east-1\"},\"same\":{\"value\":[\"us-east-1\",\"us-east-1\"]}"

static void items_of_variables_are_told_apart(void **state)
{
    static const struct {
        const char *names, *region;
    } rows[] = {
        {"\"var.regions[1]\",\"var.regions\"", "us-east-1"},
        {"\"var.regions[0]\",\"var.regions\"", "eu-north-1"},
        {"\"var.regions[7]\",\"var.regions\"", NULL},
        {"\"var.regions\",\"count.index\"", NULL},
        {"\"var.same\",\"count.index\"", "us-east-1"},
        {"\"var.by[\\\"us\\\"]\",\"var.by\"", "us-east-1"},
        {"\"var.by.us\",\"var.by\"", "us-east-1"},
        {"\"var.by\",\"var.stage\"", NULL}, /* "prod" is no region */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        GL_AUTO(gl_str_done) struct gl_str region = {0};
        const char *is;

        gl_str_addf(&region, "{\"references\":[%s]}", rows[i].names);
        read_as("1.9.0", INSTANCE, TWO, INSTANCE_BLOCK, gl_str_text(&region));
        is = intent_of("aws_instance.a")->place.region;
        if ((is == NULL) != (rows[i].region == NULL) || (is != NULL && strcmp(is, rows[i].region)))
            fail_msg("%s: %s", rows[i].names, is != NULL ? is : "unknown");
    }
}

static void of_several_names_any_may_count(void **state)
{
    const struct gl_intent_place *place;

    (void)state;
    read_as("1.9.0", INSTANCE, TWO, INSTANCE_BLOCK,
            REFERENCES("\"var.stage\",\"var.a\",\"var.b\""));
    place = &intent_of("aws_instance.a")->place;
    assert_string_equal(place->region, "eu-north-1");
    assert_int_equal(place->surety, GL_SURE_MEDIUM);
    assert_string_equal(place->candidates[0], "us-east-1");
    assert_null(place->candidates[1]);
}

/* `var.flag ? "us-east-1" : var.a`: what is written out between names is not in the plan, and what
 * a local value comes to neither. */
static void names_beside_what_is_not_in_the_plan_are_no_answer(void **state)
{
    static const struct {
        const char *names, *region, *candidate;
    } rows[] = {
        {"\"var.flag\",\"var.a\"", NULL, NULL},
        {"\"var.stage\",\"var.a\"", NULL, NULL},
        {"\"terraform.workspace\",\"var.a\"", NULL, NULL},
        {"\"var.none\",\"var.a\"", NULL, NULL},
        {"\"var.flag\",\"local.x\",\"var.a\",\"var.b\"", NULL, NULL},
        {"\"data.aws_region.here.name\",\"data.aws_region.here\",\"var.a\"", NULL, NULL},
        {"\"var.flag\",\"var.a\",\"var.b\"", "eu-north-1", "us-east-1"},
        {"\"var.letter\",\"var.a\"", "eu-north-1", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        GL_AUTO(gl_str_done) struct gl_str region = {0};
        const struct gl_intent_place *place;

        gl_str_addf(&region, "{\"references\":[%s]}", rows[i].names);
        read_as("1.9.0", INSTANCE,
                TWO ",\"flag\":{\"value\":true},\"none\":{\"value\":null},\"letter\":{\"value\":"
                    "\"a\"}",
                INSTANCE_BLOCK, gl_str_text(&region));
        place = &intent_of("aws_instance.a")->place;
        if ((place->region == NULL) != (rows[i].region == NULL))
            fail_msg("%s: %s", rows[i].names, place->region != NULL ? place->region : "unknown");
        if (rows[i].candidate != NULL)
            assert_string_equal(place->candidates[0], rows[i].candidate);
    }
}

/* A module is told something that is not in the plan: its default does not count. */
static void defaults_count_only_where_nothing_is_told(void **state)
{
    static const char *const told[] = {"{}", "{\"constant_value\":null}",
                                       "{\"constant_value\":{\"a\":1}}", ""};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        GL_AUTO(gl_str_done) struct gl_str root = {0};
        const char *is;

        gl_str_addf(
            &root,
            "\"module_calls\":{\"m\":{\"expressions\":{%s%s},\"module\":{\"variables\":{\"zone\":"
            "{\"default\":\"eu-north-1a\"}},\"resources\":[%s]}}}",
            told[i][0] != '\0' ? "\"zone\":" : "", told[i],
            BLOCK_OF("aws_instance", "a", "\"availability_zone\":" REFERENCES("\"var.zone\"")));
        read_as("1.9.0", CREATE("module.m.aws_instance.a", "\"instance_type\":\"m5.large\"", ""),
                "", gl_str_text(&root), "");
        is = intent_of("module.m.aws_instance.a")->place.region;
        assert_true(told[i][0] != '\0' ? is == NULL : strcmp(is, "eu-north-1") == 0);
    }
}

/* What a resource says itself, in words that cannot be followed, is neither where its provider nor
 * where its past is; a zone lies in its provider's region only where that binds. */
static void written_places_are_not_overruled(void **state)
{
    (void)state;
    read_as("1.9.0", INSTANCE, "",
            "\"resources\":[" BLOCK_OF("aws_instance", "a",
                                       "\"region\":" REFERENCES("\"local.r\"")) "]",
            "{\"constant_value\":\"eu-north-1\"}");
    assert_null(intent_of("aws_instance.a")->place.region);
    assert_non_null(strstr(intent_of("aws_instance.a")->place.how, "region is written"));
    read_as("1.9.0", INSTANCE, "",
            "\"resources\":[" BLOCK_OF("aws_instance", "a",
                                       "\"availability_zone\":" REFERENCES("\"local.z\"")) "]",
            "{\"constant_value\":\"eu-north-1\"}");
    assert_string_equal(intent_of("aws_instance.a")->place.region, "eu-north-1");
    read_as(
        "1.9.0",
        CREATE("google_compute_instance.a", "\"machine_type\":\"n1-standard-1\"", "\"zone\":true"),
        "",
        "\"resources\":[" BLOCK_OF("google_compute_instance", "a",
                                   "\"zone\":" REFERENCES("\"local.z\"")) "]",
        "{\"constant_value\":\"europe-north1\"}");
    assert_null(intent_of("google_compute_instance.a")->place.region);
    read_as("1.9.0",
            "{\"address\":\"google_compute_instance.a\",\"change\":{\"actions\":[\"delete\","
            "\"create\"],\"before\":{\"zone\":\"europe-north1-a\"},\"after\":{\"machine_type\":"
            "\"n1-standard-1\"},\"after_unknown\":{\"zone\":true}}}",
            "",
            "\"resources\":[" BLOCK_OF("google_compute_instance", "a",
                                       "\"zone\":" REFERENCES("\"local.z\"")) "]",
            "");
    assert_null(intent_of("google_compute_instance.a")->place.region);
}

/* The name of a subnet or a cluster is no place, whatever it looks like. */
static void names_of_parents_are_no_places(void **state)
{
    (void)state;
    read_as("1.9.0", INSTANCE, "\"s\":{\"value\":\"subnet-eu-north-1\"}",
            "\"resources\":[" BLOCK_OF("aws_instance", "a",
                                       "\"subnet_id\":" REFERENCES("\"var.s\"")) "]",
            "{\"constant_value\":\"us-east-1\"}");
    assert_string_equal(intent_of("aws_instance.a")->place.region, "us-east-1");
}

/* Before 1.1: the module configures its provider itself, in words that cannot be followed. */
static void old_providers_of_modules_do_not_fall_back(void **state)
{
    struct gl_error err = {0};

    (void)state;
    if (try_read(
            "{\"format_version\":\"0.1\",\"terraform_version\":\"0.13.5\","
            "\"resource_changes\":[" CREATE(
                "module.m.aws_instance.a", "\"instance_type\":\"m5.large\"",
                "") "],"
                    "\"configuration\":{\"provider_config\":{\"aws\":{\"name\":\"aws\","
                    "\"expressions\""
                    ":{\"region\":{\"constant_value\":\"eu-north-1\"}}},\"module.m:aws\":{\"name\":"
                    "\"aws\",\"module_address\":\"module.m\",\"expressions\":{"
                    "\"region\":" REFERENCES(
                        "\"local.r\"") "}}},\"root_module\":{\"module_calls\":{\"m\":{\"module\":{"
                                       "\"resources\":[{\"address\":\"aws_instance.a\",\"provider_"
                                       "config_key\":"
                                       "\"m:aws\"}]}}}}}}",
            &err) != 0)
        fail_msg("%s", err.text);
    assert_null(intent_of("module.m.aws_instance.a")->place.region);
}

/* ---- numbers ---- */

#define GROUP                         \
    CREATE("aws_autoscaling_group.g", \
           "\"name\":\"g\",\"min_size\":1,\"desired_capacity\":2,\"max_size\":10", "")
#define SCHEDULE_AS(name, actions, bounds, unknown)  \
    ",{\"address\":\"aws_autoscaling_schedule." name \
    "\"," AS("\"autoscaling_group_name\":\"g\"" bounds, actions, unknown) "}"
#define BOUNDS(min, max) ",\"min_size\":" #min ",\"max_size\":" #max

static void schedules_only_widen(void **state)
{
    const struct gl_intent *group;

    (void)state;
    read_as("1.9.0",
            GROUP SCHEDULE_AS("day", "\"create\"", BOUNDS(4, 40), "")
                SCHEDULE_AS("night", "\"create\"", BOUNDS(0, 0), ""),
            "", "", "");
    group = intent_of("aws_autoscaling_group.g");
    assert_int_equal(group->count.min, 0);
    assert_int_equal(group->count.max, 40);
    assert_true(group->is_launch);
    read_as("1.9.0", GROUP SCHEDULE_AS("same", "\"create\"", BOUNDS(-1, -1), ""), "", "", "");
    assert_int_equal(intent_of("aws_autoscaling_group.g")->count.max, 10);
    read_as("1.9.0", GROUP SCHEDULE_AS("gone", "\"delete\"", BOUNDS(0, 400), ""), "", "", "");
    assert_int_equal(intent_of("aws_autoscaling_group.g")->count.max, 10);
    read_as("1.9.0",
            GROUP SCHEDULE_AS("open", "\"create\"", ",\"min_size\":0", "\"max_size\":true"), "", "",
            "");
    assert_int_equal(intent_of("aws_autoscaling_group.g")->count.max, GL_UNKNOWN);
}

/* ---- machines ---- */

#define TEMPLATE(name, type) \
    CREATE("aws_launch_template." name, "\"name\":\"web\",\"instance_type\":\"" type "\"", "")
#define TEMPLATES TEMPLATE("a", "t3.nano") "," TEMPLATE("b", "p4d.24xlarge") ","

static void templates_of_one_name_are_told_apart(void **state)
{
    const struct gl_intent *intent;

    (void)state;
    read_as("1.9.0",
            TEMPLATES CREATE("aws_instance.a", "\"launch_template\":[{\"name\":\"web\"}]", ""), "",
            "\"resources\":[" BLOCK_OF(
                "aws_instance", "a",
                "\"launch_template\":[{\"name\":" REFERENCES("\"aws_launch_template.b.name\","
                                                             "\"aws_launch_template.b\"") "}]") "]",
            "");
    assert_string_equal(intent_of("aws_instance.a")->machine.type, "p4d.24xlarge");
    read_as("1.9.0", TEMPLATES CREATE("aws_instance.a", "", "\"launch_template\":true"), "",
            "\"resources\":[" BLOCK_OF(
                "aws_instance", "a",
                "\"launch_template\":[{\"id\":" REFERENCES(
                    "\"var.big\",\"aws_launch_template.a.id\",\"aws_launch_template.a\","
                    "\"aws_launch_template.b.id\",\"aws_launch_template.b\"") "}]") "]",
            "");
    intent = intent_of("aws_instance.a");
    assert_string_equal(intent->machine.candidates[0], "t3.nano");
    assert_string_equal(intent->machine.candidates[1], "p4d.24xlarge");
}

static void many_alternatives_are_all_there(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str after = {0};
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    const struct gl_intent *intent;
    size_t count = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        gl_str_addf(&after, "%s{\"instance_type\":\"m5.%d\"}", i > 0 ? "," : "", i);
    gl_str_addf(&text,
                "{\"address\":\"aws_autoscaling_group.g\",\"change\":{\"actions\":[\"create\"],"
                "\"before\":null,\"after\":{\"mixed_instances_policy\":[{\"launch_template\":[{"
                "\"override\":[%s]}]}]},\"after_unknown\":{}}}",
                gl_str_text(&after));
    read_as("1.9.0", gl_str_text(&text), "", "", "");
    intent = intent_of("aws_autoscaling_group.g");
    while (intent->machine.candidates[count] != NULL)
        count++;
    assert_int_equal(count, 100);
}

/* ---- the rest ---- */

/* The first of a type is deleted and says nothing: the second one still looks like a machine. */
static void unmapped_types_are_looked_at_until_one_tells(void **state)
{
    (void)state;
    read_as("1.9.0",
            "{\"address\":\"foo_server.gone\",\"change\":{\"actions\":[\"delete\"],\"before\":{"
            "\"instance_type\":\"x\"},\"after\":null}},"
            "{\"address\":\"foo_server.bare\",\"change\":{\"actions\":[\"create\"],\"before\":null,"
            "\"after\":{\"instance_type\":null}}},"
            "{\"address\":\"foo_server.new\",\"change\":{\"actions\":[\"create\"],\"before\":null,"
            "\"after\":{\"instance_type\":\"x\"}}}",
            "", "", "");
    assert_non_null(plan.unmapped);
    assert_string_equal(plan.unmapped[0], "foo_server");
    assert_null(plan.unmapped[1]);
}

static void replaced_and_forgotten_keeps_the_old_one(void **state)
{
    (void)state;
    read_as("1.9.0",
            "{\"address\":\"aws_instance.a\",\"change\":{\"actions\":[\"create\",\"forget\"],"
            "\"before\":{\"instance_type\":\"m5.large\"},\"after\":{\"instance_type\":\"m5.large\"}"
            "}}",
            "", "", "");
    assert_true(intent_of("aws_instance.a")->keeps_old);
    assert_int_equal(intent_of("aws_instance.a")->change, GL_CHANGE_REPLACE);
    read_as("1.9.0",
            "{\"address\":\"aws_instance.a\",\"change\":{\"actions\":[\"forget\"],\"before\":{"
            "\"instance_type\":\"m5.large\"},\"after\":null}}",
            "", "", "");
    assert_false(intent_of("aws_instance.a")->keeps_old);
}

static void changes_that_say_nothing_are_refused(void **state)
{
    static const char *const rows[] = {"{\"a\":1}", "[{\"address\":\"aws_instance.a\"}]", "\"\"",
                                       "[\"aws_instance.a\"]"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_error err = {0};
        char text[256];

        snprintf(text, sizeof text, "{\"format_version\":\"1.2\",\"resource_changes\":%s}",
                 rows[i]);
        assert_int_equal(try_read(text, &err), -1);
        assert_non_null(strstr(err.text, "change"));
    }
}

static void planned_values_without_changes_are_refused(void **state)
{
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(
        try_read("{\"format_version\":\"1.2\",\"planned_values\":{\"root_module\":{\"resources\":"
                 "[{\"address\":\"aws_instance.a\"}]}},\"configuration\":{\"root_module\":{}}}",
                 &err),
        -1);
    assert_non_null(strstr(err.text, "resource_changes"));
    err = (struct gl_error){0};
    assert_int_equal(try_read("{\"format_version\":\"1.2\",\"planned_values\":{\"root_module\":{}},"
                              "\"configuration\":{\"root_module\":{}}}",
                              &err),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_of_variables_are_told_apart),
        cmocka_unit_test(of_several_names_any_may_count),
        cmocka_unit_test(names_beside_what_is_not_in_the_plan_are_no_answer),
        cmocka_unit_test(defaults_count_only_where_nothing_is_told),
        cmocka_unit_test(written_places_are_not_overruled),
        cmocka_unit_test(names_of_parents_are_no_places),
        cmocka_unit_test(old_providers_of_modules_do_not_fall_back),
        cmocka_unit_test(schedules_only_widen),
        cmocka_unit_test(templates_of_one_name_are_told_apart),
        cmocka_unit_test(many_alternatives_are_all_there),
        cmocka_unit_test(unmapped_types_are_looked_at_until_one_tells),
        cmocka_unit_test(replaced_and_forgotten_keeps_the_old_one),
        cmocka_unit_test(changes_that_say_nothing_are_refused),
        cmocka_unit_test(planned_values_without_changes_are_refused),
    };

    return cmocka_run_group_tests(tests, open_mapping, close_mapping);
}
