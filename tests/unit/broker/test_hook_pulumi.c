/* SPDX-License-Identifier: Apache-2.0 */
/* Previews of Pulumi to intents: what each operation does, where a resource will stand, and what is
 * not known yet. */
#include "tests/unit/broker/hook_read.h"

#define URN(type, name)     "urn:pulumi:dev::app::" type "::" name
#define EC2                 "aws:ec2/instance:Instance"
#define PROVIDER(name)      URN("pulumi:providers:aws", name) "::04da6b54-80e4-46f7-96ec-b56ff0331ba9"
#define LATER               "\"04da6b54-80e4-46f7-96ec-b56ff0331ba9\""
#define STATE(inputs)       "{\"type\":\"x\",\"inputs\":{" inputs "},\"outputs\":{}}"
#define STEP(op, urn, rest) "{\"op\":\"" op "\",\"urn\":\"" urn "\"," rest "}"
#define CREATE(name, inputs)       \
    STEP("create", URN(EC2, name), \
         "\"provider\":\"" PROVIDER("default_6_0_2") "\",\"newState\":" STATE(inputs))
#define T3                     "\"instanceType\":\"t3.micro\""
#define PREVIEW(config, steps) "{\"config\":{" config "},\"steps\":[" steps "]}"
#define CONFIG                 "\"aws:region\":\"eu-north-1\",\"app:password\":\"" PLANTED "\""

static const struct gl_hook_reader *const reader = &gl_reader_pulumi;

struct place_case {
    const char *what, *preview, *region, *evidence;
    enum gl_surety surety;
};

static const struct place_case places[] = {
    {"a zone", PREVIEW("", CREATE("a", T3 ",\"availabilityZone\":\"us-west-2a\"")), "us-west-2",
     "zone", GL_SURE_CERTAIN},
    {"a zone elsewhere than the config",
     PREVIEW(CONFIG, CREATE("a", T3 ",\"availabilityZone\":\"us-west-2a\"")), NULL, "none",
     GL_SURE_NOT},
    {"the resource says its region", PREVIEW(CONFIG, CREATE("a", T3 ",\"region\":\"eu-west-3\"")),
     "eu-west-3", "attribute", GL_SURE_CERTAIN},
    {"config of the default provider", PREVIEW(CONFIG, CREATE("a", T3)), "eu-north-1", "provider",
     GL_SURE_HIGH},
    {"config without a provider: the older form",
     PREVIEW(CONFIG, STEP("create", URN(EC2, "a"), "\"inputs\":{" T3 "}")), "eu-north-1",
     "provider", GL_SURE_MEDIUM},
    {"an explicit provider",
     PREVIEW(CONFIG,
             STEP("same", URN("pulumi:providers:aws", "paris"),
                  "\"newState\":" STATE("\"region\":\"eu-west-3\",\"secretKey\":\"" PLANTED
                                        "\"")) "," STEP("create", URN(EC2, "a"),
                                                        "\"provider\":\"" PROVIDER(
                                                            "paris") "\",\"newState\":" STATE(T3))),
     "eu-west-3", "provider", GL_SURE_HIGH},
    {"an explicit provider without a region has it from its environment, not from the config",
     PREVIEW(
         CONFIG,
         STEP("create", URN("pulumi:providers:aws", "other"), "\"newState\":" STATE("")) "," STEP(
             "create", URN(EC2, "a"),
             "\"provider\":\"" PROVIDER("other") "\",\"newState\":" STATE(T3))),
     NULL, "none", GL_SURE_NOT},
    {"a region that is known later",
     PREVIEW("", STEP("create", URN("pulumi:providers:aws", "new"),
                      "\"newState\":" STATE(
                          "\"region\":" LATER)) "," STEP("create", URN(EC2, "a"),
                                                         "\"provider\":\"" PROVIDER(
                                                             "new") "\",\"newState\":" STATE(T3))),
     NULL, "none", GL_SURE_NOT},
    {"a subnet of the same preview",
     PREVIEW(
         "",
         STEP("create", URN("aws:ec2/subnet:Subnet", "s"),
              "\"newState\":" STATE(
                  "\"availabilityZone\":\"eu-west-1c\"")) "," STEP("create", URN(EC2, "a"),
                                                                   "\"newState\":{\"inputs\":{" T3
                                                                   ",\"subnetId\":" LATER
                                                                   "},\"propertyDependencies\":"
                                                                   "{\"subnetId\":[\"" URN(
                                                                       "aws:ec2/subnet:Subnet",
                                                                       "s") "\"]}}")),
     "eu-west-1", "parent", GL_SURE_HIGH},
    {"nothing", PREVIEW("", CREATE("a", T3)), NULL, "none", GL_SURE_NOT},
};

static void test_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const struct place_case *row = &places[i];
        struct gl_hook_plan plan;
        const struct gl_intent_place *place;

        read_text(reader, row->preview, (struct gl_hook_options){0}, &plan);
        place = &intent_of(&plan, EC2 "::a")->place;
        if ((place->region == NULL) != (row->region == NULL) ||
            (row->region != NULL && strcmp(place->region, row->region) != 0) ||
            strcmp(place->evidence, row->evidence) != 0 || place->surety != row->surety)
            fail_msg("%s: %s by %s (%d), %s", row->what, place->region, place->evidence,
                     (int)place->surety, place->how);
        gl_hook_plan_done(&plan);
    }
}

#define BOTH(before, after) "\"oldState\":" STATE(before) ",\"newState\":" STATE(after)
#define LARGE               "\"instanceType\":\"m5.4xlarge\""

struct op_case {
    const char *steps;
    enum gl_change change;
    bool is_launch;
};

static const struct op_case ops[] = {
    {STEP("create", URN(EC2, "a"), "\"newState\":" STATE(T3)), GL_CHANGE_CREATE, true},
    {STEP("same", URN(EC2, "a"), BOTH(T3, T3)), GL_CHANGE_NONE, false},
    {STEP("update", URN(EC2, "a"), BOTH(T3, T3)), GL_CHANGE_UPDATE, false},
    {STEP("update", URN(EC2, "a"), BOTH(T3, LARGE)), GL_CHANGE_GROW, true},
    {STEP("update", URN(EC2, "a"), "\"type\":\"x\""), GL_CHANGE_UNKNOWN, true},
    {STEP("delete", URN(EC2, "a"), "\"oldState\":" STATE(T3)), GL_CHANGE_DELETE, false},
    {STEP("import", URN(EC2, "a"), "\"newState\":" STATE(T3)), GL_CHANGE_NONE, false},
    {STEP("conjure", URN(EC2, "a"), "\"newState\":" STATE(T3)), GL_CHANGE_UNKNOWN, true},
    {STEP("refresh", URN(EC2, "a"), BOTH(T3, T3)) "," STEP("update", URN(EC2, "a"),
                                                           BOTH(T3, LARGE)),
     GL_CHANGE_GROW, true},
    {STEP("delete-replaced", URN(EC2, "a"), "\"oldState\":" STATE(T3)) "," STEP(
         "replace", URN(EC2, "a"), BOTH(T3, LARGE)) "," STEP("create-replacement", URN(EC2, "a"),
                                                             "\"newState\":" STATE(LARGE)),
     GL_CHANGE_REPLACE, true},
    {STEP("create-replacement", URN(EC2, "a"), "\"newState\":" STATE(T3)) "," STEP(
         "replace", URN(EC2, "a"), BOTH(T3, T3)) "," STEP("delete-replaced", URN(EC2, "a"),
                                                          "\"oldState\":" STATE(LARGE)),
     GL_CHANGE_REPLACE, true},
};

static void test_operations(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        GL_AUTO(gl_str_done) struct gl_str text = {0};
        struct gl_hook_plan plan;

        gl_str_addf(&text, "{\"steps\":[%s]}", ops[i].steps);
        read_text(reader, gl_str_text(&text), (struct gl_hook_options){0}, &plan);
        if (plan.count != 1 || plan.resources != 1 || plan.intents[0].change != ops[i].change ||
            plan.intents[0].is_launch != ops[i].is_launch)
            fail_msg("%s: %zu intents, %s", ops[i].steps, plan.count,
                     gl_change_word(plan.intents[0].change));
        assert_int_equal(plan.launches, ops[i].is_launch);
        gl_hook_plan_done(&plan);
    }
}

static void test_replacement_keeps_both_states(void **state)
{
    struct gl_hook_plan plan;

    (void)state;
    read_text(
        reader,
        PREVIEW("", STEP("delete-replaced", URN(EC2, "a"), "\"oldState\":" STATE(T3)) "," STEP(
                        "create-replacement", URN(EC2, "a"), "\"newState\":" STATE(LARGE))),
        (struct gl_hook_options){0}, &plan);
    assert_string_equal(plan.intents[0].machine.type, "m5.4xlarge");
    assert_string_equal(plan.intents[0].machine_before->type, "t3.micro");
    gl_hook_plan_done(&plan);
}

static void test_same_name_twice_is_two(void **state)
{
    struct gl_hook_plan plan;

    (void)state;
    read_text(reader, PREVIEW("", CREATE("a", T3) "," CREATE("a", LARGE)),
              (struct gl_hook_options){0}, &plan);
    assert_int_equal(plan.launches, 2);
    assert_string_equal(intent_of(&plan, EC2 "::a (2)")->machine.type, "m5.4xlarge");
    gl_hook_plan_done(&plan);
}

static void test_unknown_and_secret_values(void **state)
{
    static const char *const types[] = {
        LATER, "\"[secret]\"",
        "{\"4dabf18193072939515e22adb298388d\":"
        "\"1b47061264138c4ac30d75fd1eb44270\",\"plaintext\":\"" PLANTED "\"}"};

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        GL_AUTO(gl_str_done) struct gl_str text = {0};
        struct gl_hook_plan plan;

        gl_str_addf(&text,
                    PREVIEW("", STEP("create", URN(EC2, "a"),
                                     "\"newState\":{\"inputs\":{"
                                     "\"userData\":\"" PLANTED "\",\"instanceType\":%s}}")),
                    types[i]);
        read_text(reader, gl_str_text(&text), (struct gl_hook_options){0}, &plan);
        assert_null(plan.intents[0].machine.type);
        assert_true(says(plan.intents[0].unknown, "instance_type"));
        assert_true(plan.intents[0].is_launch);
        gl_hook_plan_done(&plan);
    }
}

static void test_asserted_region(void **state)
{
    static const char *const regions[] = {"*::a=eu-south-2", NULL};
    struct gl_hook_plan plan;

    (void)state;
    read_text(reader, PREVIEW(CONFIG, CREATE("a", T3)),
              (struct gl_hook_options){.regions = regions}, &plan);
    assert_string_equal(plan.intents[0].place.region, "eu-south-2");
    assert_int_equal(plan.intents[0].place.surety, GL_SURE_ASSERTED);
    gl_hook_plan_done(&plan);
}

static void test_parents_and_suspects(void **state)
{
    struct gl_hook_plan plan;

    (void)state;
    read_text(
        reader,
        PREVIEW("",
                STEP("create", URN("my:x:Stack$" EC2, "a"), "\"newState\":" STATE(T3)) "," STEP(
                    "create", URN("aws:new/thing:Thing", "t"),
                    "\"newState\":" STATE(T3)) "," STEP("create", URN("aws:s3/bucket:Bucket", "b"),
                                                        "\"newState\":" STATE(""))),
        (struct gl_hook_options){0}, &plan);
    assert_int_equal(plan.count, 1);
    assert_string_equal(plan.intents[0].address, "my:x:Stack$" EC2 "::a");
    assert_string_equal(plan.intents[0].type, "aws_instance");
    assert_string_equal(plan.unmapped[0], "aws:new/thing:Thing");
    assert_null(plan.unmapped[1]);
    assert_int_equal(plan.resources, 3);
    gl_hook_plan_done(&plan);
}

/* As previews of azure-native hold them: names of Azure Resource Manager, a version of the API. */
#define RG_TYPE "azure-native:resources:ResourceGroup"
#define CLUSTER "azure-native:containerservice:ManagedCluster"
#define VM_OLD  "azure-native:compute/v20240301:VirtualMachine"
#define VM_NEW  "azure-native_compute_v20240301:compute:VirtualMachine"
#define IN_GROUP                                                 \
    "\"resourceGroupName\":" LATER "},\"propertyDependencies\":" \
    "{\"resourceGroupName\":[\"" URN(RG_TYPE, "rg") "\"]"
#define NATIVE(type, inputs) \
    STEP("create", URN(type, "rg"), "\"newState\":{\"type\":\"x\",\"inputs\":{" inputs "}}")
#define POOL    "{\"count\":2,\"maxCount\":3,\"minCount\":1,\"vmSize\":\"Standard_B2s\"}"
#define POOLS   "\"agentPoolProfiles\":[" POOL "]"
#define SWEDEN  "\"location\":\"swedencentral\""
#define PROFILE "\"hardwareProfile\":{\"vmSize\":\"Standard_D2s_v3\"}"
#define ADMIN   "\"osProfile\":{\"adminPassword\":\"" PLANTED "\"}"

static const char *const natives[] = {
    NATIVE(RG_TYPE, "\"location\":\"WestEurope\""),
    NATIVE(CLUSTER, POOLS "," IN_GROUP),
    NATIVE(VM_OLD, SWEDEN "," PROFILE "," ADMIN),
    NATIVE(VM_NEW, SWEDEN),
    NATIVE("aws-native:ec2:Instance", T3),
    NATIVE("acme:x:Pool", "\"pools\":[{\"vmSize\":\"big\"}]"),
    NATIVE("acme:x:Disk", "\"disk\":{\"size\":\"big\"}"),
};

static void test_providers_of_an_api(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str preview = {0};
    const struct gl_intent *cluster;
    struct gl_hook_plan plan;

    (void)state;
    gl_str_add(&preview, "{\"config\":{},\"steps\":[");
    for (size_t i = 0; i < sizeof natives / sizeof natives[0]; i++)
        gl_str_addf(&preview, "%s%s", i > 0 ? "," : "", natives[i]);
    gl_str_add(&preview, "]}");
    read_text(reader, gl_str_text(&preview), (struct gl_hook_options){0}, &plan);
    assert_int_equal(plan.count, 4);
    cluster = intent_of(&plan, CLUSTER "::rg");
    assert_true(cluster->is_launch);
    assert_string_equal(cluster->machine.type, "Standard_B2s");
    assert_string_equal(cluster->place.region, "westeurope");
    assert_int_equal(cluster->count.max, 3);
    assert_string_equal(intent_of(&plan, VM_OLD "::rg")->place.region, "swedencentral");
    assert_string_equal(intent_of(&plan, VM_OLD "::rg")->machine.type, "Standard_D2s_v3");
    assert_true(intent_of(&plan, VM_NEW "::rg")->is_launch);
    assert_false(says(plan.unmapped, "aws-native:ec2:Instance"));
    assert_true(says(plan.unmapped, "acme:x:Pool"));
    assert_false(says(plan.unmapped, "acme:x:Disk"));
    gl_hook_plan_done(&plan);
}

static void test_refused(void **state)
{
    (void)state;
    expect_error(reader, "[\"a\"]", GL_E_USAGE, "not a JSON object");
    expect_error(reader, "{\"planned_values\":{}}", GL_E_USAGE, "no steps");
    expect_error(reader, PREVIEW("", "{\"op\":\"create\"}"), GL_E_SYNTAX, "URN");
    expect_error(reader, "{\"steps\":[],\"maybeCorrupt\":true}", GL_E_DOCUMENT, "corrupt");
    expect_error(reader,
                 "{\"steps\":[],\"diagnostics\":[{\"severity\":\"error\",\"message\":\"" PLANTED
                 "\"}]}",
                 GL_E_DOCUMENT, "failed");
    read_prefixes(reader, PREVIEW(CONFIG, CREATE("a", T3)));
}

static void test_recognise(void **state)
{
    static const char preview[] = PREVIEW(CONFIG, CREATE("a", T3));
    static const char log[] = "{\"sequence\":1,\"preludeEvent\":{}}";
    static const char state_text[] =
        "{\"deployment\":{\"resources\":[{\"urn\":\"urn:pulumi:a::b::c::d\"}]}}";
    const char *why;

    (void)state;
    assert_int_equal(reader->recognise(preview, strlen(preview), &why), 100);
    assert_int_equal(reader->recognise(log, strlen(log), &why), 0);
    assert_non_null(strstr(why, "event log"));
    assert_int_equal(reader->recognise(state_text, strlen(state_text), &why), 0);
    assert_non_null(strstr(why, "state"));
}

/* ---- scalers ---- */

#define GROUP                                                                 \
    STEP("create", URN("aws:autoscaling/group:Group", "g"),                   \
         "\"newState\":" STATE("\"name\":\"g\",\"minSize\":1,\"maxSize\":10," \
                               "\"desiredCapacity\":2"))
#define SCHEDULE(op, which, max)                                \
    "," STEP(op, URN("aws:autoscaling/schedule:Schedule", "s"), \
             "\"" which "\":" STATE("\"autoscalingGroupName\":\"g\",\"maxSize\":" max))

static void test_scalers(void **state)
{
    static const struct {
        const char *steps;
        int64_t max;
    } cases[] = {
        {GROUP SCHEDULE("create", "newState", "40"), 40},
        {GROUP SCHEDULE("create", "newState", "4"), 10},
        {GROUP SCHEDULE("create", "newState", LATER), GL_UNKNOWN},
        {GROUP SCHEDULE("delete", "oldState", "40"), 10},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        GL_AUTO(gl_str_done) struct gl_str text = {0};
        struct gl_hook_plan plan;

        gl_str_addf(&text, "{\"steps\":[%s]}", cases[i].steps);
        read_text(reader, gl_str_text(&text), (struct gl_hook_options){0}, &plan);
        assert_int_equal(plan.count, 2);
        assert_int_equal(plan.intents[0].count.max, cases[i].max);
        assert_int_equal(plan.intents[0].count.min, 1);
        gl_hook_plan_done(&plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_scalers),
        cmocka_unit_test(test_replacement_keeps_both_states),
        cmocka_unit_test(test_same_name_twice_is_two),
        cmocka_unit_test(test_unknown_and_secret_values),
        cmocka_unit_test(test_asserted_region),
        cmocka_unit_test(test_parents_and_suspects),
        cmocka_unit_test(test_providers_of_an_api),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_recognise),
    };

    return cmocka_run_group_tests(tests, open_mapping, close_mapping);
}
