/* SPDX-License-Identifier: Apache-2.0 */
/* Templates of CloudFormation to intents: short and long forms, parameters and functions, where
 * what is deployed will stand, CDK assemblies, and templates that are made to do harm. */
#include "tests/unit/broker/hook_read.h"

#include "base/file.h"
#include "broker/hook/yamltree.h"

#include <sys/stat.h>
#include <unistd.h>

static const struct gl_hook_reader *const reader = &gl_reader_cloudformation;

#define ONE(properties)              \
    "Resources:\n"                   \
    "  A:\n"                         \
    "    Type: AWS::EC2::Instance\n" \
    "    Properties: {" properties ", UserData: !Base64 " PLANTED "}\n"

struct value_case {
    const char *what, *template; /* machine type of A is this: */
    const char *type;            /* NULL = unknown */
    enum gl_surety surety;
};

static const struct value_case values[] = {
    {"written", ONE("InstanceType: t3.micro"), "t3.micro", GL_SURE_CERTAIN},
    {"a default",
     "Parameters: {Size: {Type: String, Default: t3.small}}\n" ONE("InstanceType: !Ref Size"),
     "t3.small", GL_SURE_ASSUMED},
    {"no default", "Parameters: {Size: {Type: String}}\n" ONE("InstanceType: !Ref Size"), NULL,
     GL_SURE_NOT},
    {"the default names where it is stored",
     "Parameters: {Size: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /size}}\n" ONE(
         "InstanceType: !Ref Size"),
     NULL, GL_SURE_NOT},
    {"a map",
     "Mappings: {M: {prod: {Size: m5.large}}}\n" ONE("InstanceType: !FindInMap [M, prod, Size]"),
     "m5.large", GL_SURE_CERTAIN},
    {"a map by a default",
     "Parameters: {Env: {Type: String, Default: prod}}\nMappings: {M: {prod: {Size: "
     "m5.large}}}\n" ONE("InstanceType: !FindInMap [M, !Ref Env, Size]"),
     "m5.large", GL_SURE_ASSUMED},
    {"a map by an unknown key",
     "Mappings: {M: {prod: {Size: m5.large}}}\n" ONE(
         "InstanceType: !FindInMap [M, !Ref 'AWS::Region', Size]"),
     NULL, GL_SURE_NOT},
    {"put together", ONE("InstanceType: !Join [., [!Select [1, [t2, t3]], !Sub 'mi${!}${x}'], x]"),
     NULL, GL_SURE_NOT},
    {"joined", ONE("InstanceType: !Join [., [!Select [1, [t2, t3]], micro]]"), "t3.micro",
     GL_SURE_CERTAIN},
    {"substituted",
     "Parameters: {Size: {Type: String, Default: large}}\n" ONE("InstanceType: !Sub 'm5.${Size}'"),
     "m5.large", GL_SURE_ASSUMED},
    {"substituted by its own", ONE("InstanceType: !Sub ['${F}.large', {F: m5}]"), "m5.large",
     GL_SURE_CERTAIN},
    {"split", ONE("InstanceType: !Select [0, !Split ['|', 'm5.large|x']]"), "m5.large",
     GL_SURE_CERTAIN},
    {"imported", ONE("InstanceType: !ImportValue Size"), NULL, GL_SURE_NOT},
    {"looked up in the deployment", ONE("InstanceType: '{{resolve:ssm:/size:1}}'"), NULL,
     GL_SURE_NOT},
    {"a part of it looked up", ONE("InstanceType: !Sub 'm5.{{resolve:ssm:size}}'"), NULL,
     GL_SURE_NOT},
    {"a condition on what is looked up",
     "Conditions: {Maybe: !Equals ['{{resolve:ssm:env}}', prod]}\n" ONE(
         "InstanceType: !If [Maybe, m5.large, t3.micro]"),
     NULL, GL_SURE_NOT},
    {"a condition that holds",
     "Conditions: {Holds: !Not [!Equals [a, b]]}\n" ONE(
         "InstanceType: !If [Holds, m5.large, t3.micro]"),
     "m5.large", GL_SURE_CERTAIN},
    {"a condition that cannot be told",
     "Conditions: {Maybe: !Equals [!Ref 'AWS::AccountId', b]}\n" ONE(
         "InstanceType: !If [Maybe, m5.large, t3.micro]"),
     NULL, GL_SURE_NOT},
    {"one that decides",
     "Conditions: {Fails: !And [!Equals [!Ref 'AWS::AccountId', b], !Equals [a, b]]}\n" ONE(
         "InstanceType: !If [Fails, m5.large, t3.micro]"),
     "t3.micro", GL_SURE_CERTAIN},
    {"a cycle of conditions",
     "Conditions: {A: {Condition: B}, B: !Condition A}\n" ONE(
         "InstanceType: !If [A, m5.large, t3.micro]"),
     NULL, GL_SURE_NOT},
    {"an attribute of another",
     ONE("InstanceType: !GetAtt B.InstanceType") "  B: {Type: 'AWS::EC2::LaunchTemplate', "
                                                 "Properties: "
                                                 "{InstanceType: t3.nano}}\n",
     "t3.nano", GL_SURE_CERTAIN},
    {"an attribute of itself", ONE("InstanceType: !GetAtt A.InstanceType"), NULL, GL_SURE_NOT},
    {"a launch template",
     "Parameters: {Size: {Type: String, Default: t3.small}}\n" ONE(
         "LaunchTemplate: {LaunchTemplateId: !Ref L}") "  L: {Type: 'AWS::EC2::LaunchTemplate', "
                                                       "Properties: {LaunchTemplateData: "
                                                       "{InstanceType: !Ref Size}}}\n",
     "t3.small", GL_SURE_ASSUMED},
    {"a launch template by name",
     ONE("LaunchTemplate: {LaunchTemplateName: web}") "  L: {Type: 'AWS::EC2::LaunchTemplate', "
                                                      "Properties: {LaunchTemplateName: web, "
                                                      "LaunchTemplateData: {InstanceType: "
                                                      "t3.large}}}\n",
     "t3.large", GL_SURE_HIGH},
    {"an alias", "Metadata: {x: &t t3.micro}\n" ONE("InstanceType: *t"), "t3.micro",
     GL_SURE_CERTAIN},
};

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const struct value_case *row = &values[i];
        const struct gl_intent *intent;
        struct gl_hook_plan plan;

        read_text(reader, row->template, (struct gl_hook_options){0}, &plan);
        intent = intent_of(&plan, "A");
        if ((intent->machine.type == NULL) != (row->type == NULL) ||
            (row->type != NULL && strcmp(intent->machine.type, row->type) != 0) ||
            intent->machine.surety != row->surety)
            fail_msg("%s: %s, %s", row->what, intent->machine.type,
                     gl_surety_word(intent->machine.surety));
        if (row->type == NULL && intent->unknown == NULL)
            fail_msg("%s: not told as unknown", row->what);
        assert_true(intent->is_launch);
        gl_hook_plan_done(&plan);
    }
}

static void test_given_parameters(void **state)
{
    static const char *const given[] = {"Size=m6i.large", NULL};
    struct gl_hook_plan plan;

    (void)state;
    read_text(
        reader,
        "Parameters: {Size: {Type: String, Default: t3.small}}\n" ONE("InstanceType: !Ref Size"),
        (struct gl_hook_options){.parameters = given}, &plan);
    assert_string_equal(plan.intents[0].machine.type, "m6i.large");
    assert_int_equal(plan.intents[0].machine.surety, GL_SURE_CERTAIN);
    assert_string_equal(plan.intents[0].machine.how, "parameter Size");
    gl_hook_plan_done(&plan);
}

struct place_case {
    const char *template, *deploy, *region, *evidence;
    bool has_conflict;
};

static const struct place_case places[] = {
    {ONE("InstanceType: t3.micro"), NULL, NULL, "none", false},
    {ONE("InstanceType: t3.micro"), "eu-north-1", "eu-north-1", "asserted", false},
    {ONE("InstanceType: t3.micro, AvailabilityZone: eu-west-1a"), NULL, "eu-west-1", "zone", false},
    {ONE("InstanceType: t3.micro, AvailabilityZone: eu-west-1a"), "eu-north-1", NULL, "none", true},
    {ONE("InstanceType: t3.micro, AvailabilityZone: !Sub '${AWS::Region}a'"), NULL, NULL, "none",
     false},
    {ONE("InstanceType: t3.micro, AvailabilityZone: !Sub '${AWS::Region}a'"), "eu-north-1",
     "eu-north-1", "zone", false},
    {ONE("InstanceType: t3.micro, AvailabilityZone: !Select [0, !GetAZs '']"), NULL, NULL, "none",
     false},
    {ONE("InstanceType: t3.micro, AvailabilityZone: !Ref 'AWS::NoValue'"), NULL, NULL, "none",
     false},
};

static void test_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const struct place_case *row = &places[i];
        struct gl_hook_plan plan;
        const struct gl_intent_place *place;

        read_text(reader, row->template, (struct gl_hook_options){.deployment_region = row->deploy},
                  &plan);
        place = &plan.intents[0].place;
        if ((place->region == NULL) != (row->region == NULL) ||
            (row->region != NULL && strcmp(place->region, row->region) != 0) ||
            strcmp(place->evidence, row->evidence) != 0 ||
            (place->conflict != NULL) != row->has_conflict)
            fail_msg("case %zu: %s by %s", i, place->region, place->evidence);
        gl_hook_plan_done(&plan);
    }
}

/* The long form in JSON is the same template. */
static void test_long_form(void **state)
{
    static const char text[] =
        "{\"Parameters\":{\"N\":{\"Type\":\"Number\",\"Default\":3}},\"Conditions\":{\"C\":{\"Fn::"
        "Equals\":"
        "[{\"Ref\":\"N\"},\"4\"]}},\"Resources\":{\"G\":{\"Type\":\"AWS::AutoScaling::"
        "AutoScalingGroup\","
        "\"Properties\":{\"MinSize\":\"1\",\"MaxSize\":{\"Ref\":\"N\"},\"AvailabilityZones\":"
        "[\"eu-west-1a\",\"eu-west-1b\"]}},\"X\":{\"Type\":\"AWS::EC2::Instance\",\"Condition\":"
        "\"C\"},"
        "\"Y\":{\"Type\":\"AWS::EC2::Instance\",\"Condition\":\"Unheard\"},"
        "\"Z\":{\"Type\":\"AWS::Other::Thing\",\"Properties\":{\"InstanceType\":\"m5.large\"}},"
        "\"M\":{\"Type\":\"My::Own::Servers::MODULE\"},"
        "\"Fn::ForEach::L\":[\"i\",[\"a\"]]}}";
    const struct gl_intent *intent;
    struct gl_hook_plan plan;

    (void)state;
    read_text(reader, text, (struct gl_hook_options){0}, &plan);
    intent = intent_of(&plan, "G");
    assert_int_equal(intent->count.max, 3);
    assert_int_equal(intent->count.surety, GL_SURE_ASSUMED);
    assert_string_equal(intent->place.zones[1], "eu-west-1b");
    intent = intent_of(&plan, "X");
    assert_int_equal(intent->change, GL_CHANGE_NONE);
    assert_true(says(intent->notes, "default of parameter N"));
    intent = intent_of(&plan, "Y");
    assert_true(intent->is_launch);
    assert_true(says(intent->notes, "not known"));
    assert_int_equal(intent_of(&plan, "Fn::ForEach::L")->role, GL_ROLE_OPAQUE);
    assert_true(intent_of(&plan, "Fn::ForEach::L")->is_mapped); /* told with what is opaque */
    assert_true(plan.is_partial);
    assert_string_equal(plan.unmapped[0], "AWS::Other::Thing");
    assert_string_equal(plan.unmapped[1], "My::Own::Servers::MODULE");
    assert_int_equal(plan.resources, 6);
    gl_hook_plan_done(&plan);
}

struct loop_case {
    const char *what, *template;
    const char *made; /* address, type, zone and most of every instance */
};

#define LOOP(list, body)                                                                          \
    "Resources:\n  'Fn::ForEach::L': [Zone, " list ", {'A${Zone}': {Type: 'AWS::EC2::Instance', " \
    "Properties: {" body "}}}]\n"

static const struct loop_case loops[] = {
    {"a list", LOOP("[a, b]", "InstanceType: m5.large, AvailabilityZone: !Sub 'eu-west-1${Zone}'"),
     "Aa m5.large eu-west-1a 1;Ab m5.large eu-west-1b 1;"},
    {"the variable itself", LOOP("[t3.micro, m5.large]", "InstanceType: !Ref Zone"),
     "At3.micro t3.micro - 1;Am5.large m5.large - 1;"},
    {"a list of a parameter",
     "Parameters: {Zones: {Type: CommaDelimitedList, Default: 'a,b'}}\n" LOOP(
         "!Ref Zones", "InstanceType: m5.large"),
     "Aa m5.large - 1;Ab m5.large - 1;"},
    {"a list that is not known: how many is not either",
     "Parameters: {Zones: {Type: CommaDelimitedList}}\n" LOOP("!Ref Zones",
                                                              "InstanceType: m5.large"),
     "A${Zone} m5.large - ?;"},
    {"nothing of an empty list", LOOP("[]", "InstanceType: m5.large"), ""},
    {"a loop in a loop",
     "Resources:\n  'Fn::ForEach::L': [X, [a, b], {'Fn::ForEach::M': [Y, [c.d], {'A${X}&{Y}': "
     "{Type: 'AWS::EC2::Instance', Properties: {InstanceType: m5.large, AvailabilityZone: !Sub "
     "'eu-west-1${X}'}}}]}]\n",
     "Aacd m5.large eu-west-1a 1;Abcd m5.large eu-west-1b 1;"},
    {"a map by the variable",
     "Mappings: {M: {a: {Size: t3.micro}, b: {Size: m5.large}}}\n" LOOP(
         "[a, b]", "InstanceType: !FindInMap [M, !Ref Zone, Size]"),
     "Aa t3.micro - 1;Ab m5.large - 1;"},
};

static void test_loops(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof loops / sizeof loops[0]; i++) {
        GL_AUTO(gl_str_done) struct gl_str made = {0};
        struct gl_hook_plan plan;

        read_text(reader, loops[i].template, (struct gl_hook_options){0}, &plan);
        for (size_t j = 0; j < plan.count; j++) {
            const struct gl_intent *intent = &plan.intents[j];

            assert_true(intent->is_launch);
            gl_str_addf(&made, "%s %s %s ", intent->address, intent->machine.type,
                        intent->place.zone != NULL ? intent->place.zone : "-");
            if (intent->count.max == GL_UNKNOWN)
                gl_str_add(&made, "?;");
            else
                gl_str_addf(&made, "%d;", (int)intent->count.max);
        }
        if (strcmp(gl_str_text(&made), loops[i].made) != 0)
            fail_msg("%s: %s", loops[i].what, gl_str_text(&made));
        gl_hook_plan_done(&plan);
    }
}

static void write_file(const char *folder, const char *name, const char *text)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, name);
    struct gl_error err = {0};

    assert_int_equal(gl_file_write(path, text, strlen(text), 0600, &err), 0);
}

static int read_folder(const char *folder, struct gl_hook_plan *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, "manifest.json");
    struct gl_hook_options options = {.mapping = mapping};
    struct gl_feed *feed = gl_feed_open(path, path, err);
    int status;

    *out = (struct gl_hook_plan){0};
    status = reader->read(feed, &options, out, err);
    gl_feed_close(feed);
    return status;
}

#define STACK(name, environment, file)                                                         \
    "\"" name "\":{\"type\":\"aws:cloudformation:stack\",\"environment\":\"" environment "\"," \
    "\"properties\":{\"templateFile\":\"" file "\",\"parameters\":{\"Size\":\"m5.large\"}}}"

static void test_cdk(void **state)
{
    static const char template[] = "{\"Parameters\":{\"Size\":{\"Type\":\"String\"}},\"Resources\":"
                                   "{\"A1\":{\"Type\":\"AWS::EC2::Instance\","
                                   "\"Properties\":{\"InstanceType\":{\"Ref\":\"Size\"}},"
                                   "\"Metadata\":{\"aws:cdk:path\":\"Web/A/Resource\"}},"
                                   "\"B2\":{\"Type\":\"AWS::EC2::Instance\"}}}";
    char folder[] = "/tmp/hook-cdk-XXXXXX";
    struct gl_hook_plan plan;
    struct gl_error err = {0};
    struct gl_hash before;
    GL_AUTO(gl_auto_free) char *linked = NULL;

    (void)state;
    assert_non_null(mkdtemp(folder));
    write_file(folder, "Web.template.json", template);
    write_file(folder, "manifest.json",
               "{\"version\":\"36.0.0\",\"artifacts\":{\"Tree\":{\"type\":\"cdk:tree\"}," STACK(
                   "Web", "aws://123456789012/eu-north-1", "Web.template.json") "}}");
    assert_int_equal(read_folder(folder, &plan, &err), 0);
    assert_string_equal(intent_of(&plan, "Web/A/Resource")->place.region, "eu-north-1");
    assert_string_equal(intent_of(&plan, "Web/A/Resource")->machine.type, "m5.large");
    assert_string_equal(intent_of(&plan, "Web/B2")->place.evidence, "provider");
    before = plan.digest;
    gl_hook_plan_done(&plan);
    write_file(folder, "Web.template.json", "{\"Resources\":{}}");
    assert_int_equal(read_folder(folder, &plan, &err), 0);
    assert_false(gl_hash_equal(&plan.digest, &before)); /* of the templates too */
    gl_hook_plan_done(&plan);
    write_file(folder, "Web.template.json", "{\"Parameters\":{}}"); /* an empty stack */
    assert_int_equal(read_folder(folder, &plan, &err), 0);
    assert_int_equal(plan.count, 0);
    gl_hook_plan_done(&plan);
    write_file(folder, "Web.template.json", template);

    write_file(folder, "manifest.json",
               "{\"artifacts\":{" STACK("Web", "aws://unknown-account/unknown-region",
                                        "Web.template.json") "}}");
    assert_int_equal(read_folder(folder, &plan, &err), 0);
    assert_null(intent_of(&plan, "Web/B2")->place.region);
    gl_hook_plan_done(&plan);

    write_file(folder, "manifest.json", "{\"artifacts\":{" STACK("Web", "", "../secret") "}}");
    assert_int_equal(read_folder(folder, &plan, &err), -1);
    assert_int_equal(err.code, GL_E_BAD_VALUE);
    gl_hook_plan_done(&plan);

    linked = gl_path_join(folder, "link.json");
    assert_int_equal(symlink("/etc/passwd", linked), 0);
    write_file(folder, "manifest.json", "{\"artifacts\":{" STACK("Web", "", "link.json") "}}");
    assert_int_equal(read_folder(folder, &plan, &err), -1);
    assert_int_equal(err.code, GL_E_BAD_VALUE);
    gl_hook_plan_done(&plan);
    {
        GL_AUTO(gl_str_done) struct gl_str command = {0};

        gl_str_addf(&command, "rm -r %s", folder);
        assert_int_equal(system(gl_str_text(&command)), 0);
    }
}

/* Each doubles the one before: 2^30 texts if nothing stopped it. */
struct scale_case {
    const char *what, *resources;
    int64_t min, desired, max;
};

#define GROUP \
    "  G: {Type: 'AWS::AutoScaling::AutoScalingGroup', Properties: {MinSize: 2, MaxSize: 4}}\n"
#define SERVICE                                                                         \
    "  G: {Type: 'AWS::ECS::Service', Properties: {ServiceName: web, DesiredCount: 2, " \
    "LaunchType: FARGATE}}\n"
#define SCHEDULED(properties) \
    "  S: {Type: 'AWS::AutoScaling::ScheduledAction', Properties: {" properties "}}\n"
#define SCALABLE(properties)                                                   \
    "  S: {Type: 'AWS::ApplicationAutoScaling::ScalableTarget', Properties: {" \
    "ScalableDimension: 'ecs:service:DesiredCount', " properties "}}\n"

static const struct scale_case scales[] = {
    {"none", GROUP, 2, 2, 4},
    {"a schedule", GROUP SCHEDULED("AutoScalingGroupName: !Ref G, MinSize: 0, MaxSize: 20"), 0, 2,
     20},
    {"a schedule that goes down",
     GROUP SCHEDULED("AutoScalingGroupName: !Ref G, DesiredCapacity: 0"), 0, 2, 4},
    {"a most that is a parameter",
     GROUP SCHEDULED("AutoScalingGroupName: !Ref G, MaxSize: !Ref Most"), 2, 2, GL_UNKNOWN},
    {"joined",
     SERVICE SCALABLE("ResourceId: !Join ['', [service/, !Ref C, /, !GetAtt [G, Name]]], "
                      "MinCapacity: 1, MaxCapacity: 30"),
     1, 2, 30},
    {"substituted",
     SERVICE SCALABLE("ResourceId: !Sub 'service/${C}/${G.Name}', MinCapacity: 1, MaxCapacity: 30"),
     1, 2, 30},
    {"by its name", SERVICE SCALABLE("ResourceId: service/c/web, MinCapacity: 1, MaxCapacity: 30"),
     1, 2, 30},
    {"with actions of its own",
     SERVICE SCALABLE("ResourceId: service/c/web, MinCapacity: 2, MaxCapacity: 3, "
                      "ScheduledActions: [{ScalableTargetAction: {MinCapacity: 1}}, "
                      "{ScalableTargetAction: {MaxCapacity: 30}}, "
                      "{ScalableTargetAction: {MaxCapacity: 9}}]"),
     1, 2, 30},
    {"with an action that is a parameter",
     SERVICE SCALABLE("ResourceId: service/c/web, MinCapacity: 2, MaxCapacity: 3, "
                      "ScheduledActions: [{ScalableTargetAction: {MaxCapacity: !Ref Most}}]"),
     2, 2, GL_UNKNOWN},
    {"another", SERVICE SCALABLE("ResourceId: service/c/other, MinCapacity: 1, MaxCapacity: 30"), 2,
     2, 2},
    {"of another type", GROUP SCALABLE("ResourceId: !Ref G, MinCapacity: 1, MaxCapacity: 30"), 2, 2,
     4},
};

static void test_scalers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        GL_AUTO(gl_str_done) struct gl_str text = {0};
        const struct gl_intent_count *count;
        struct gl_hook_plan plan;

        gl_str_addf(&text,
                    "Parameters: {Most: {Type: Number}}\nResources:\n"
                    "  C: {Type: 'AWS::ECS::Cluster'}\n%s",
                    scales[i].resources);
        read_text(reader, gl_str_text(&text), (struct gl_hook_options){0}, &plan);
        count = &intent_of(&plan, "G")->count;
        if (count->min != scales[i].min || count->desired != scales[i].desired ||
            count->max != scales[i].max)
            fail_msg("%s: %lld %lld %lld", scales[i].what, (long long)count->min,
                     (long long)count->desired, (long long)count->max);
        assert_int_equal(plan.launches, 1);
        gl_hook_plan_done(&plan);
    }
}

static void test_globals(void **state)
{
#define FUNCTION(name, properties) \
    "  " name ": {Type: 'AWS::Serverless::Function', Properties: {" properties "}}\n"
    struct gl_hook_plan plan;

    (void)state;
    read_text(
        reader,
        "Transform: AWS::Serverless-2016-10-31\nParameters: {Size: {Type: Number, Default: "
        "2048}}\nGlobals: {Function: {MemorySize: !Ref Size, Environment: {Variables: {X: " PLANTED
        "}}}}\nResources:\n" FUNCTION("A", "")
            FUNCTION("B", "MemorySize: 512") "  C: {Type: "
                                             "'AWS::Serverless::Function'}\n  D: {Type: "
                                             "'AWS::Lambda::Function', Properties: {}}\n",
        (struct gl_hook_options){0}, &plan);
    assert_int_equal(intent_of(&plan, "A")->machine.memory_mib, 2048);
    assert_int_equal(intent_of(&plan, "B")->machine.memory_mib, 512);
    assert_int_equal(intent_of(&plan, "C")->machine.memory_mib, 2048);
    assert_int_equal(intent_of(&plan, "D")->machine.memory_mib, GL_UNKNOWN);
    gl_hook_plan_done(&plan);
}

static void test_recognise(void **state)
{
    static const struct {
        const char *text;
        bool is_one;
    } rows[] = {
        {"Resources:\n  A:\n    Type: \"AWS::EC2::Instance\"\n", true},
        {"# a comment\nResources:\n  A:\n    Type: 'AWS::EC2::Instance'\n", true},
        {"{\"Resources\": {\"A\": {\"Type\": \"AWS::EC2::Instance\"}}}", true},
        {"Resources:\n- a\n", false},
        {"kind: Pod\nargs: ['Resources: \"AWS::x\"']\n", false},
    };
    const char *why_not;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((reader->recognise(rows[i].text, strlen(rows[i].text), &why_not) > 0) != rows[i].is_one)
            fail_msg("%s", rows[i].text);
}

static void test_bombs(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    GL_AUTO(gl_str_done) struct gl_str doubled = {0};

    (void)state;
    gl_str_add(&text, "Metadata:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 12; i++)
        gl_str_addf(&text, "  a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1,
                    i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    gl_str_add(&text, ONE("InstanceType: t3.micro"));
    expect_error(reader, gl_str_text(&text), GL_E_TOO_LARGE, "aliases");

    gl_str_add(&doubled,
               "Resources:\n  A: {Type: 'AWS::EC2::Instance', Properties: {InstanceType: !GetAtt "
               "R29.T}}\n  R0: {Type: x, Properties: {T: ''}}\n");
    for (int i = 1; i < 30; i++)
        gl_str_addf(&doubled, "  R%d: {Type: x, Properties: {T: !Sub '${R%d.T}${R%d.T}'}}\n", i,
                    i - 1, i - 1);
    expect_error(reader, gl_str_text(&doubled), GL_E_TOO_LARGE, "too much");
}

static void test_refused(void **state)
{
    (void)state;
    expect_error(reader, "a: 1\n", GL_E_USAGE, "no Resources");
    expect_error(reader, "", GL_E_USAGE, "no Resources");
    expect_error(reader, "Resources: {A: {Properties: {}}}\n", GL_E_SYNTAX,
                 "resource A has no Type");
    expect_error(reader, "Resources:\n  A: 1\n  A: 2\n", GL_E_DUPLICATE_KEY, "twice");
    expect_error(reader, "Resources: !!binary " PLANTED "\n", GL_E_SYNTAX, "tag");
    expect_error(reader, "a: &a\n  <<: *a\n", GL_E_SYNTAX, "merge keys");
    expect_error(reader, "a: &a [*a]\n", GL_E_SYNTAX, "alias of nothing");
    expect_error(reader, "? [a]\n: b\n", GL_E_SYNTAX, "key");
    expect_error(reader, "Resources: {}\n---\na: 1\n", GL_E_SYNTAX, "second document");
    read_prefixes(reader, "Parameters: {S: {Type: String, Default: a}}\n" ONE(
                              "InstanceType: !Sub ['${S}', {S: !Ref S}]"));
}

/* The same tree as the long form: tags, scalars, lists. */
static void test_yaml_tree(void **state)
{
    static const char yaml[] =
        "a: !GetAtt X.Y.Z\nb: !Ref c\nd: !Sub\n  - '${e}'\n  - e: yes\nf: [1, 01, 1.5, "
        "0x1, ~, 'no', no, \"q\\\"\"]\ng: |\n  x\n  y\nh: !Condition i\n";
    static const char json[] = "{\"a\":{\"Fn::GetAtt\":[\"X\",\"Y.Z\"]},\"b\":{\"Ref\":\"c\"},"
                               "\"d\":{\"Fn::Sub\":[\"${e}\",{\"e\":true}]},"
                               "\"f\":[1,\"01\",1.5,\"0x1\",null,\"no\",false,\"q\\\"\"],\"g\":"
                               "\"x\\ny\\n\",\"h\":{\"Condition\":\"i\"}}";
    struct gl_yamltree *reading = gl_yamltree_new(yaml, strlen(yaml), "y", true);
    struct gl_jtree got = {0}, expected = {0};
    struct gl_error err = {0};
    bool has = false;

    (void)state;
    assert_int_equal(gl_yamltree_next(reading, &got, &has, &err), 0);
    assert_true(has);
    assert_int_equal(gl_jtree_parse(&expected, json, strlen(json), "j", &err), 0);
    assert_int_equal(got.count, expected.count);
    for (size_t i = 0; i < got.count; i++) {
        const struct gl_jnode *a = &got.nodes[i], *b = &expected.nodes[i];

        assert_int_equal(a->kind, b->kind);
        assert_string_equal(gl_jnode_key(&got, a), gl_jnode_key(&expected, b));
        if (a->kind == GL_JSTRING || a->kind == GL_JNUMBER)
            assert_string_equal(got.text + a->text, expected.text + b->text);
    }
    assert_int_equal(gl_yamltree_next(reading, &got, &has, &err), 0);
    assert_false(has);
    gl_jtree_done(&got);
    gl_jtree_done(&expected);
    gl_yamltree_free(reading);
}

static void test_half_a_file(void **state)
{
    static const char yaml[] = "Resources:\n  A: {Type: [\n\n";
    struct gl_yamltree *reading = gl_yamltree_new(yaml, sizeof yaml - 1, "y", true);
    struct gl_jtree got = {0};
    struct gl_error err = {0};
    bool has = false;

    (void)state;
    assert_int_equal(gl_yamltree_next(reading, &got, &has, &err), -1);
    assert_ptr_equal(strstr(err.text, "y:2: "), err.text);
    gl_jtree_done(&got);
    gl_yamltree_free(reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half_a_file),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_given_parameters),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_loops),
        cmocka_unit_test(test_long_form),
        cmocka_unit_test(test_cdk),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_yaml_tree),
        cmocka_unit_test(test_scalers),
        cmocka_unit_test(test_globals),
        cmocka_unit_test(test_recognise),
    };

    return cmocka_run_group_tests(tests, open_mapping, close_mapping);
}
