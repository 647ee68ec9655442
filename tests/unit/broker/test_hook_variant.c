/* SPDX-License-Identifier: Apache-2.0 */
/* Resources of a type that may be any say in an attribute what they are; schedules reach their
 * group through what scales it; services that stand on the machines of others are told, not
 * counted. */
#include "tests/unit/broker/hook_read.h"

#define BEGIN                   "{\"format_version\":\"1.2\",\"resource_changes\":["
#define CHANGE                  "\",\"mode\":\"managed\",\"change\":{\"actions\":[\"create\"],\"before\":null,"
#define ADDRESS(name)           "{\"address\":\"" name CHANGE
#define VALUES(text)            "\"after\":{" text "},"
#define LATER(text)             "\"after_unknown\":{" text "}}}"
#define CREATED(name, text)     ADDRESS(name) VALUES(text) LATER("")
#define TYPED(type)             "\"type\":\"" type "@2024-03-01\",\"location\":\"swedencentral\","
#define AZAPI(name, type, body) CREATED("azapi_resource." name, TYPED(type) "\"body\":" body)
#define VM                      "{\"properties\":{\"hardwareProfile\":{\"vmSize\":\"Standard_D2s_v5\"}}}"
#define SECRET                  "\\\"osProfile\\\":{\\\"adminPassword\\\":\\\"" PLANTED "\\\"}"
#define PROFILE                 "\\\"hardwareProfile\\\":{\\\"vmSize\\\":\\\"Standard_D4s_v5\\\"}"
#define VM_TEXT                 "\"{\\\"properties\\\":{" PROFILE "," SECRET "}}\""
#define DISK                    "{\"sku\":{\"name\":\"Premium_LRS\"}}"
#define RACK                    "{\"properties\":{\"shelves\":[{\"vmSize\":\"big\"}]}}"
/* Behind the changes: the configuration, with blocks. */
#define PROVIDER "\"aws\":{\"expressions\":{\"region\":{\"constant_value\":\"eu-north-1\"}}}"
#define BLOCKS \
    "],\"configuration\":{\"provider_config\":{" PROVIDER "},\"root_module\":{\"resources\":["
#define BLOCK(type, name, text)                                                \
    "{\"address\":\"" type "." name "\",\"mode\":\"managed\",\"type\":\"" type \
    "\",\"name\":\"" name "\",\"provider_config_key\":\"aws\",\"expressions\":{" text "}}"
#define RESOURCE_ID(of) "\"resource_id\":{\"references\":[\"" of ".id\",\"" of "\"]}"

static void read_plan(const char *text, struct gl_hook_plan *out)
{
    read_text(&gl_reader_terraform, text, (struct gl_hook_options){0}, out);
}

static void expect_machine(const struct gl_hook_plan *plan, const char *address, const char *type)
{
    const struct gl_intent *intent = intent_of(plan, address);

    assert_true(intent->is_launch);
    if (type == NULL)
        assert_null(intent->machine.type);
    else
        assert_string_equal(intent->machine.type, type);
}

static const char kinds[] = BEGIN AZAPI("vm", "Microsoft.Compute/virtualMachines", VM) "," AZAPI(
    "text", "microsoft.compute/VIRTUALMACHINES",
    VM_TEXT) "," AZAPI("disk", "Microsoft.Compute/disks",
                       DISK) "," AZAPI("new", "Microsoft.Acme/racks", RACK) "]}";

static void what_it_is_decides(void **state)
{
    struct gl_hook_plan plan;

    (void)state;
    read_plan(kinds, &plan);
    assert_int_equal(plan.count, 2);
    assert_int_equal(plan.resources, 4);
    expect_machine(&plan, "azapi_resource.vm", "Standard_D2s_v5");
    expect_machine(&plan, "azapi_resource.text", "Standard_D4s_v5");
    assert_string_equal(plan.intents[0].place.region, "swedencentral");
    assert_string_equal(plan.intents[0].type, "azapi_resource");
    assert_true(says(plan.intents[0].notes, "Microsoft.Compute/virtualMachines"));
    assert_true(says(plan.unmapped, "Microsoft.Acme/racks"));
    assert_false(says(plan.unmapped, "disks"));
    gl_hook_plan_done(&plan);
}

#define AKS                 TYPED("Microsoft.ContainerService/managedClusters")
#define POOLS               "{\"properties\":{\"agentPoolProfiles\":[{\"count\":9}]}}"
#define UPDATED(name, body) CREATED("azapi_update_resource." name, AKS "\"body\":" body)
#define NO_UPDATE           ADDRESS("azapi_update_resource.later") VALUES(AKS "\"name\":\"a\"")
static const char updates[] =
    BEGIN UPDATED("version", "{\"properties\":{\"version\":\"1.29\"}}") "," UPDATED(
        "pools", POOLS) "," NO_UPDATE LATER("\"body\":true") "]}";

static void what_an_update_leaves_out_stays(void **state)
{
    struct gl_hook_plan plan;

    (void)state;
    read_plan(updates, &plan);
    assert_int_equal(plan.count, 2);
    assert_int_equal(intent_of(&plan, "azapi_update_resource.pools")->count.max, 9);
    expect_machine(&plan, "azapi_update_resource.later", NULL);
    gl_hook_plan_done(&plan);
}

#define NO_BODY                 \
    ADDRESS("azapi_resource.a") \
    VALUES("\"type\":\"Microsoft.Compute/virtualMachines@1\"") LATER("\"body\":true")
#define NO_TYPE ADDRESS("azapi_resource.b") VALUES("") LATER("\"type\":true,\"body\":true")
static const char open_ones[] = BEGIN NO_BODY
    "," NO_TYPE "," AZAPI("c", "Microsoft.Compute/virtualMachines", "\"{no JSON\"") "]}";

/* What cannot be told is a machine, or something that cannot be seen: never nothing. */
static void what_is_not_known_stays_open(void **state)
{
    struct gl_hook_plan plan;

    (void)state;
    read_plan(open_ones, &plan);
    assert_int_equal(plan.count, 3);
    expect_machine(&plan, "azapi_resource.a", NULL);
    assert_true(says(intent_of(&plan, "azapi_resource.a")->unknown, "body"));
    assert_int_equal(intent_of(&plan, "azapi_resource.b")->role, GL_ROLE_OPAQUE);
    expect_machine(&plan, "azapi_resource.c", NULL);
    gl_hook_plan_done(&plan);
}

#define CONTROL        "aws_cloudcontrolapi_resource"
#define NAMED(type)    "\"type_name\":\"" type "\",\"desired_state\":"
#define INSTANCE_STATE "\"{\\\"InstanceType\\\":\\\"m7g.large\\\"}\""
static const char controlled[] =
    BEGIN CREATED(CONTROL ".i", NAMED("AWS::EC2::Instance") INSTANCE_STATE) "," CREATED(
        CONTROL ".b", NAMED("AWS::S3::Bucket") "\"{}\"") BLOCKS BLOCK(CONTROL, "i", "") "]}}}";

/* The row is one of another provider's, whose paths begin in what the attribute holds. */
static void another_provider_says_what_it_is(void **state)
{
    struct gl_hook_plan plan;

    (void)state;
    read_plan(controlled, &plan);
    assert_int_equal(plan.count, 1);
    expect_machine(&plan, CONTROL ".i", "m7g.large");
    assert_string_equal(plan.intents[0].place.region, "eu-north-1");
    gl_hook_plan_done(&plan);
}

#define SERVICE   "aws_ecs_service"
#define TARGET    "aws_appautoscaling_target"
#define SCHEDULED "aws_appautoscaling_scheduled_action"
#define BOUNDS    "\"scalable_target_action\":[{\"min_capacity\":1,\"max_capacity\":50}]"
#define FARGATE   "\"desired_count\":2,\"launch_type\":\"FARGATE\""
static const char schedule[] = BEGIN CREATED(SERVICE ".s", FARGATE) "," ADDRESS(TARGET ".t")
    VALUES("\"min_capacity\":2,\"max_capacity\":6") LATER("\"resource_id\":true") "," ADDRESS(
        SCHEDULED ".d") VALUES(BOUNDS) LATER("\"resource_id\":true")
        BLOCKS BLOCK(SERVICE, "s", "") "," BLOCK(TARGET, "t", RESOURCE_ID(SERVICE ".s")) "," BLOCK(
            SCHEDULED, "d", RESOURCE_ID(TARGET ".t")) "]}}}";

static void a_schedule_reaches_the_group(void **state)
{
    struct gl_hook_plan plan;
    const struct gl_intent *intent;

    (void)state;
    read_plan(schedule, &plan);
    intent = intent_of(&plan, SERVICE ".s");
    assert_int_equal(intent->count.min, 1);
    assert_int_equal(intent->count.desired, 2);
    assert_int_equal(intent->count.max, 50);
    gl_hook_plan_done(&plan);
}

static const char elsewhere[] = BEGIN ADDRESS(SERVICE ".e")
    VALUES("\"desired_count\":40,\"launch_type\":\"EC2\"") LATER("\"task_definition\":true") "]}";

static void tasks_on_machines_of_others_are_told(void **state)
{
    struct gl_hook_plan plan;
    const struct gl_intent *intent;

    (void)state;
    read_plan(elsewhere, &plan);
    intent = intent_of(&plan, SERVICE ".e");
    assert_int_equal(intent->role, GL_ROLE_OPAQUE);
    assert_false(intent->is_launch);
    assert_true(says(intent->notes, "machines of the cluster"));
    assert_null(intent->unknown);
    gl_hook_plan_done(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_is_decides),
        cmocka_unit_test(what_an_update_leaves_out_stays),
        cmocka_unit_test(what_is_not_known_stays_open),
        cmocka_unit_test(another_provider_says_what_it_is),
        cmocka_unit_test(a_schedule_reaches_the_group),
        cmocka_unit_test(tasks_on_machines_of_others_are_told),
    };

    return cmocka_run_group_tests(tests, open_mapping, close_mapping);
}
