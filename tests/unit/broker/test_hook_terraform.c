/* SPDX-License-Identifier: Apache-2.0 */
/* Terraform plans to intents: where a resource will stand, by which evidence and how surely; what a
 * change does; how references are followed; and every way in which a document is not a plan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/hook/reader.h"

static struct gl_hook_mapping *mapping;

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
    gl_mapping_free(mapping);
    return 0;
}

static int read_with(const char *text, size_t length, struct gl_hook_options options,
                     struct gl_hook_plan *out, struct gl_error *err)
{
    struct gl_feed *feed = gl_feed_of_bytes(text, length, "p.json");
    int status;

    options.mapping = mapping;
    *out = (struct gl_hook_plan){0};
    status = gl_reader_terraform.read(feed, &options, out, err);
    gl_feed_close(feed);
    return status;
}

static void read_plan(const char *text, struct gl_hook_plan *out)
{
    struct gl_error err = {0};

    if (read_with(text, strlen(text), (struct gl_hook_options){0}, out, &err) != 0)
        fail_msg("%s", err.text);
}

/* ---- plans in pieces ---- */

#define HEAD       "{\"format_version\":\"1.2\",\"terraform_version\":\"1.9.5\","
#define HEAD_OLD   "{\"format_version\":\"0.1\",\"terraform_version\":\"0.14.11\","
#define CHANGES(x) "\"resource_changes\":[" x "]"
/* One aws_instance: address, module prefix included; actions; attributes after. */
#define INSTANCE(address, actions, after)                                                \
    "{\"address\":\"" address "\",\"mode\":\"managed\",\"type\":\"aws_instance\","       \
    "\"provider_name\":\"registry.terraform.io/hashicorp/aws\",\"change\":{\"actions\":" \
    "[" actions "],\"before\":null,\"after\":{" after "},\"after_unknown\":{}}}"
#define CREATE(address, after) INSTANCE(address, "\"create\"", after)
#define T3                     "\"instance_type\":\"t3.micro\""
#define CONFIG(x)              ",\"configuration\":{" x "}}"
#define PROVIDERS(x)           "\"provider_config\":{" x "},"
#define PROVIDER(key, region) \
    "\"" key "\":{\"name\":\"aws\",\"expressions\":{\"region\":" region "}}"
#define CONSTANT(text)    "{\"constant_value\":\"" text "\"}"
#define REFERENCES(names) "{\"references\":[" names "]}"
#define ROOT(x)           "\"root_module\":{" x "}"
#define BLOCK(name, key)                                                          \
    "{\"address\":\"aws_instance." name "\",\"mode\":\"managed\",\"type\":"       \
    "\"aws_instance\",\"name\":\"" name "\",\"provider_config_key\":\"" key "\"," \
    "\"expressions\":{\"instance_type\":{\"constant_value\":\"t3.micro\"}}}"

struct place_case {
    const char *what, *plan, *region, *evidence;
    enum gl_surety surety;
};

static const struct place_case places[] = {
    {"the resource says a zone",
     HEAD CHANGES(CREATE("aws_instance.a", T3 ",\"availability_zone\":"
                                              "\"eu-west-3b\"")) "}",
     "eu-west-3", "zone", GL_SURE_CERTAIN},
    {"a local zone belongs to its parent",
     HEAD CHANGES(CREATE("aws_instance.a", T3 ",\"availability_zone\":\"us-east-1-bos-1a\"")) "}",
     "us-east-1", "zone", GL_SURE_CERTAIN},
    {"the resource says its region (AWS provider 6)",
     HEAD CHANGES(CREATE("aws_instance.a", T3 ",\"region\":\"eu-north-1\"")) CONFIG(PROVIDERS(
         PROVIDER("aws", CONSTANT("us-east-1"))) ROOT("\"resources\":[" BLOCK("a", "aws") "]")),
     "eu-north-1", "attribute", GL_SURE_CERTAIN},
    {"the provider is told",
     HEAD CHANGES(CREATE("aws_instance.a", T3)) CONFIG(PROVIDERS(
         PROVIDER("aws", CONSTANT("eu-west-1"))) ROOT("\"resources\":[" BLOCK("a", "aws") "]")),
     "eu-west-1", "provider", GL_SURE_HIGH},
    {"an aliased provider, not the default one",
     HEAD CHANGES(CREATE("aws_instance.a", T3))
         CONFIG(PROVIDERS(PROVIDER("aws", CONSTANT("us-east-1")) "," PROVIDER(
             "aws.paris", CONSTANT("eu-west-3")))
                    ROOT("\"resources\":[" BLOCK("a", "aws.paris") "]")),
     "eu-west-3", "provider", GL_SURE_HIGH},
    {"a variable",
     HEAD
     "\"variables\":{\"place\":{\"value\":\"eu-south-1\"}}," CHANGES(CREATE("aws_instance.a", T3))
         CONFIG(PROVIDERS(PROVIDER("aws", REFERENCES("\"var.place\"")))
                    ROOT("\"resources\":[" BLOCK("a", "aws") "]")),
     "eu-south-1", "provider", GL_SURE_HIGH},
    {"two names: a guess",
     HEAD "\"variables\":{\"x\":{\"value\":\"eu-south-1\"},\"y\":{\"value\":\"b\"}}," CHANGES(
         CREATE("aws_instance.a", T3))
         CONFIG(PROVIDERS(PROVIDER("aws", REFERENCES("\"var.x\",\"var.y\"")))
                    ROOT("\"resources\":[" BLOCK("a", "aws") "]")),
     "eu-south-1", "provider", GL_SURE_MEDIUM},
    {"a variable passed through a module",
     HEAD "\"variables\":{\"place\":{\"value\":\"eu-central-2\"}}," CHANGES(
         CREATE("module.m.aws_instance.a", T3))
         CONFIG(PROVIDERS(PROVIDER("module.m:aws", REFERENCES("\"var.where\""))) ROOT(
             "\"module_calls\":{\"m\":{\"expressions\":{\"where\":" REFERENCES(
                 "\"var.place\"") "},\"module\":{\"resources\":[" BLOCK("a",
                                                                        "module.m:aws") "],"
                                                                                        "\"variable"
                                                                                        "s\":{"
                                                                                        "\"where\":"
                                                                                        "{}}}}}")),
     "eu-central-2", "provider", GL_SURE_HIGH},
    {"the default of a module's variable",
     HEAD CHANGES(CREATE("module.m.aws_instance.a", T3))
         CONFIG(PROVIDERS(PROVIDER("module.m:aws", REFERENCES("\"var.where\""))) ROOT(
             "\"module_calls\":{\"m\":{\"module\":{\"resources\":[" BLOCK(
                 "a",
                 "module.m:aws") "],\"variables\":{\"where\":{\"default\":\"sa-east-1\"}}}}}")),
     "sa-east-1", "provider", GL_SURE_HIGH},
    {"the output of a module",
     HEAD CHANGES(CREATE("aws_instance.a", T3))
         CONFIG(PROVIDERS(PROVIDER("aws", REFERENCES("\"module.n.region\",\"module.n\""))) ROOT(
             "\"resources\":[" BLOCK("a", "aws") "],\"module_calls\":{\"n\":{\"module\":{"
                                                 "\"outputs\":{\"region\":{\"expression\":"
                                                 "{\"constant_value\":\"eu-north-1\"}}}}}}")),
     "eu-north-1", "provider", GL_SURE_HIGH},
    {"a provider that a module is given (1.1 and later says whose it is)",
     HEAD CHANGES(CREATE("module.m[0].aws_instance.a[\\\"x.y\\\"]", T3))
         CONFIG(PROVIDERS(PROVIDER("aws", CONSTANT("us-east-1")) "," PROVIDER(
             "aws.backup", CONSTANT("eu-west-2")))
                    ROOT("\"module_calls\":{\"m\":{\"module\":{\"resources\":[" BLOCK(
                        "a", "aws.backup") "]}}}")),
     "eu-west-2", "provider", GL_SURE_HIGH},
    {"an old plan: climb to the root",
     HEAD_OLD CHANGES(CREATE("module.m.module.n.aws_instance.a", T3))
         CONFIG(PROVIDERS(PROVIDER("aws", CONSTANT("ap-south-1"))) ROOT(
             "\"module_calls\":{\"m\":{\"module\":{\"module_calls\":{\"n\":{\"module\":{"
             "\"resources\":[" BLOCK("a", "n:aws") "]}}}}}}")),
     "ap-south-1", "provider", GL_SURE_HIGH},
    {"an old plan with an alias: which one the module was given is not recorded",
     HEAD_OLD CHANGES(CREATE("module.m.aws_instance.a", T3))
         CONFIG(PROVIDERS(
             PROVIDER("aws", CONSTANT("ap-south-1")) "," PROVIDER("aws.b", CONSTANT("eu-north-1")))
                    ROOT("\"module_calls\":{\"m\":{\"module\":{\"resources\":[" BLOCK(
                        "a", "m:aws") "]}}}")),
     "ap-south-1", "provider", GL_SURE_MEDIUM},
    {"a data source that was read",
     HEAD CHANGES(CREATE("aws_instance.a",
                         T3)) ",\"prior_state\":{\"values\":{\"root_module\":{"
                              "\"resources\":[{\"address\":\"data.aws_region.h\","
                              "\"mode\":\"data\",\"type\":\"aws_region\","
                              "\"values\":{\"name\":\"eu-west-1\"}}]}}}" CONFIG(
                                  PROVIDERS(PROVIDER("aws", REFERENCES("\"data.aws_region.h."
                                                                       "name\",\"data.aws_"
                                                                       "region.h\"")))
                                      ROOT("\"resources\":[" BLOCK("a", "aws") "]")),
     "eu-west-1", "provider", GL_SURE_MEDIUM},
    {"a variable that refers to itself ends",
     HEAD CHANGES(CREATE("module.m.aws_instance.a", T3))
         CONFIG(PROVIDERS(PROVIDER("module.m:aws", REFERENCES("\"module.m.o\""))) ROOT(
             "\"module_calls\":{\"m\":{\"module\":{\"resources\":[" BLOCK(
                 "a", "module.m:aws") "],\"outputs\":{\"o\":{\"expression\":{\"references\":"
                                      "[\"module.m.o\"]}}},\"module_calls\":{\"m\":{\"module\":{"
                                      "\"outputs\":{\"o\":{\"expression\":{\"references\":[\"var."
                                      "z\"]}}},\"variables\":{\"z\":{}}}}}}}}")),
     NULL, "none", GL_SURE_NOT},
    {"no region anywhere: never a default",
     HEAD CHANGES(CREATE("aws_instance.a", T3)) CONFIG(
         PROVIDERS("\"aws\":{\"name\":\"aws\"}") ROOT("\"resources\":[" BLOCK("a", "aws") "]")),
     NULL, "none", GL_SURE_NOT},
    {"a module whose own provider block names none: not the root's",
     HEAD CHANGES(CREATE("module.m.aws_instance.a", T3)) CONFIG(
         PROVIDERS(PROVIDER("aws", CONSTANT("us-east-1")) ",\"module.m:aws\":{\"name\":\"aws\"}")
             ROOT("\"module_calls\":{\"m\":{\"module\":{\"resources\":[" BLOCK(
                 "a", "module.m:aws") "]}}}")),
     NULL, "none", GL_SURE_NOT},
    {"a local is not in the plan",
     HEAD CHANGES(CREATE("aws_instance.a", T3)) CONFIG(PROVIDERS(PROVIDER(
         "aws", REFERENCES("\"local.region\""))) ROOT("\"resources\":[" BLOCK("a", "aws") "]")),
     NULL, "none", GL_SURE_NOT},
    {"no configuration at all", HEAD CHANGES(CREATE("aws_instance.a", T3)) "}", NULL, "none",
     GL_SURE_NOT},
};

static void test_places(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const struct place_case *row = &places[i];
        struct gl_hook_plan plan;
        const struct gl_intent_place *place;

        read_plan(row->plan, &plan);
        assert_int_equal(plan.count, 1);
        place = &plan.intents[0].place;
        if ((place->region == NULL) != (row->region == NULL) ||
            (row->region != NULL && strcmp(place->region, row->region) != 0) ||
            place->surety != row->surety || strcmp(place->evidence, row->evidence) != 0) {
            print_message("%s: %s by %s, %s (%s)\n", row->what,
                          place->region != NULL ? place->region : "unknown", place->evidence,
                          gl_surety_word(place->surety), place->how);
            wrong++;
        }
        gl_hook_plan_done(&plan);
    }
    assert_int_equal(wrong, 0);
}

/* An old module may have been given another configuration: both are named. */
static void test_alternatives(void **state)
{
    struct gl_hook_plan plan;

    (void)state;
    read_plan(HEAD_OLD CHANGES(CREATE("module.m.aws_instance.a", T3))
                  CONFIG(PROVIDERS(PROVIDER("aws", CONSTANT("ap-south-1")) "," PROVIDER(
                      "aws.b", CONSTANT("eu-north-1")))
                             ROOT("\"module_calls\":{\"m\":{\"module\":{\"resources\":[" BLOCK(
                                 "a", "m:aws") "]}}}")),
              &plan);
    assert_non_null(plan.intents[0].place.candidates);
    assert_string_equal(plan.intents[0].place.candidates[0], "eu-north-1");
    gl_hook_plan_done(&plan);
}

/* One of those others cannot be read: nobody knows. */
static void test_alternatives_unread(void **state)
{
    struct gl_hook_plan plan;

    (void)state;
    read_plan(HEAD_OLD CHANGES(CREATE("module.m.aws_instance.a", T3))
                  CONFIG(PROVIDERS(PROVIDER("aws", CONSTANT("ap-south-1")) "," PROVIDER(
                      "aws.b", "{\"references\":[\"local.b\"]}"))
                             ROOT("\"module_calls\":{\"m\":{\"module\":{\"resources\":[" BLOCK(
                                 "a", "m:aws") "]}}}")),
              &plan);
    assert_null(plan.intents[0].place.region);
    assert_null(plan.intents[0].place.candidates);
    gl_hook_plan_done(&plan);
}

/* A zone that contradicts the region that binds it: it may be either, and is known to be neither.
 */
static void test_conflict(void **state)
{
    struct gl_hook_plan plan;

    (void)state;
    read_plan(HEAD CHANGES(CREATE("aws_instance.a", T3 ",\"availability_zone\":\"us-east-1a\""))
                  CONFIG(PROVIDERS(PROVIDER("aws", CONSTANT("us-west-2")))
                             ROOT("\"resources\":[" BLOCK("a", "aws") "]")),
              &plan);
    assert_null(plan.intents[0].place.region);
    assert_string_equal(plan.intents[0].place.candidates[0], "us-east-1");
    assert_string_equal(plan.intents[0].place.candidates[1], "us-west-2");
    assert_string_equal(plan.intents[0].place.conflict, "provider aws says us-west-2");
    gl_hook_plan_done(&plan);
}

static const char *environment(void *cookie, const char *name)
{
    (void)cookie;
    return strcmp(name, "AWS_REGION") == 0 ? "eu-west-1" : NULL;
}

/* The environment counts when asked for, and the user's word before everything. */
static void test_asserted(void **state)
{
    static const char text[] = HEAD CHANGES(
        CREATE("module.m.aws_instance.a",
               T3 ",\"availability_zone\":\"us-east-1a\"") "," CREATE("aws_instance.b", T3)) "}";
    const char *const regions[] = {"module.m.*=eu-north-1", NULL};
    struct gl_hook_options options = {
        .regions = regions, .wants_environment = true, .environment = environment};
    struct gl_hook_plan plan;
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(read_with(text, strlen(text), options, &plan, &err), 0);
    assert_string_equal(plan.intents[0].place.region, "eu-north-1");
    assert_int_equal(plan.intents[0].place.surety, GL_SURE_ASSERTED);
    assert_string_equal(plan.intents[1].place.region, "eu-west-1");
    assert_int_equal(plan.intents[1].place.surety, GL_SURE_HINT);
    gl_hook_plan_done(&plan);
}

/* ---- what a change does ---- */

struct change_case {
    const char *actions;
    enum gl_change change;
    bool is_launch;
};

static const struct change_case changes[] = {
    {"\"no-op\"", GL_CHANGE_NONE, false},
    {"\"read\"", GL_CHANGE_READ, false},
    {"\"create\"", GL_CHANGE_CREATE, true},
    {"\"delete\"", GL_CHANGE_DELETE, false},
    {"\"forget\"", GL_CHANGE_FORGET, false},
    {"\"delete\",\"create\"", GL_CHANGE_REPLACE, true},
    {"\"create\",\"delete\"", GL_CHANGE_REPLACE, true},
    {"\"create\",\"forget\"", GL_CHANGE_REPLACE, true},
    {"\"invented\"", GL_CHANGE_UNKNOWN, true},
    {"\"create\",\"delete\",\"create\"", GL_CHANGE_UNKNOWN, true},
    {"", GL_CHANGE_UNKNOWN, true},
};

static void test_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct gl_hook_plan plan;
        char text[1024];

        snprintf(text, sizeof text,
                 HEAD CHANGES("{\"address\":\"aws_instance.a\",\"change\":{\"actions\":[%s],"
                              "\"after\":{" T3 "}}}") "}",
                 changes[i].actions);
        read_plan(text, &plan);
        assert_int_equal(plan.intents[0].change, changes[i].change);
        assert_int_equal(plan.intents[0].is_launch, changes[i].is_launch);
        gl_hook_plan_done(&plan);
    }
}

struct update_case {
    const char *before, *after;
    enum gl_change change;
};

static const struct update_case updates[] = {
    {"\"min_size\":1,\"max_size\":3", "\"min_size\":1,\"max_size\":3", GL_CHANGE_UPDATE},
    {"\"min_size\":1,\"max_size\":3", "\"min_size\":1,\"max_size\":5", GL_CHANGE_GROW},
    {"\"min_size\":1,\"max_size\":3", "\"min_size\":1,\"max_size\":2", GL_CHANGE_SHRINK},
};

static void test_updates(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof updates / sizeof updates[0]; i++) {
        struct gl_hook_plan plan;
        char text[1024];

        snprintf(text, sizeof text,
                 HEAD CHANGES("{\"address\":\"aws_autoscaling_group.a\",\"change\":{\"actions\":"
                              "[\"update\"],\"before\":{%s},\"after\":{%s}}}") "}",
                 updates[i].before, updates[i].after);
        read_plan(text, &plan);
        assert_int_equal(plan.intents[0].change, updates[i].change);
        assert_int_equal(plan.intents[0].is_launch, updates[i].change == GL_CHANGE_GROW);
        gl_hook_plan_done(&plan);
    }
}

/* ---- following ---- */

/* The template is referred to by a value known only after apply, so by its name in the
 * configuration, and stands behind the group. */
static void test_template(void **state)
{
    struct gl_hook_plan plan;

    (void)state;
    read_plan(HEAD CHANGES(
                  "{\"address\":\"aws_autoscaling_group.g\",\"change\":{\"actions\":[\"create\"],"
                  "\"before\":null,\"after\":{\"min_size\":1,\"max_size\":4,\"desired_capacity\":2,"
                  "\"launch_template\":[{\"version\":\"$Latest\"}]},\"after_unknown\":"
                  "{\"launch_template\":[{\"id\":true}]}}},"
                  "{\"address\":\"aws_launch_template.t\",\"change\":{\"actions\":[\"create\"],"
                  "\"after\":{\"instance_type\":\"m7g.large\"},\"after_unknown\":{\"id\":true}}}")
                  CONFIG(PROVIDERS(PROVIDER("aws", CONSTANT("eu-north-1"))) ROOT(
                      "\"resources\":[{\"address\":\"aws_autoscaling_group.g\","
                      "\"provider_config_key\":\"aws\",\"expressions\":{\"launch_template\":"
                      "[{\"id\":{\"references\":[\"aws_launch_template.t.id\","
                      "\"aws_launch_template.t\"]}}]}}]")),
              &plan);
    assert_int_equal(plan.count, 2);
    assert_int_equal(plan.launches, 1);
    assert_string_equal(plan.intents[0].machine.type, "m7g.large");
    assert_int_equal(plan.intents[0].count.desired, 2);
    assert_int_equal(plan.intents[0].count.max, 4);
    assert_false(plan.intents[1].is_launch);
    gl_hook_plan_done(&plan);
}

/* ---- documents that are no plans ---- */

struct refusal {
    const char *text, *says;
};

static const struct refusal refusals[] = {
    {"", ""},
    {"nothing here", ""},
    {"[]", "not a JSON object"},
    {"{}", "no format_version"},
    {"{\"resource_changes\":[]}", "no format_version"},
    {"{\"format_version\":\"2.0\",\"resource_changes\":[]}", "format 2.0"},
    {"{\"format_version\":7,\"resource_changes\":[]}", "format without a version"},
    {"{\"format_version\":\"1.0\",\"values\":{}}", "no resource_changes"},
    {"{\"format_version\":\"1.2\",\"errored\":true,\"resource_changes\":[]}", "planning failed"},
    {HEAD CHANGES("{\"change\":{}}") "}", "without an address"},
    {HEAD CHANGES("{\"address\":\"module.\"}") "}", "not the address"},
    {HEAD CHANGES(CREATE("aws_instance.a", T3)), ""},
    {HEAD CHANGES(CREATE("aws_instance.a", T3)) "} trailing words", ""},
    {HEAD CHANGES(CREATE("aws_instance.a", T3)) "}\n::debug::\n{trailing words", "a name"},
    {HEAD CHANGES(CREATE("aws_instance.a", T3)) "}\ndone\n  {\"@level\":\"info\"}",
     "no format_version"},
    {HEAD CHANGES(CREATE("aws_instance.a", T3)) "}\ndone\n[\"a\"]", "not a JSON object"},
    {HEAD CHANGES(CREATE("aws_instance.a", T3)) "}\n}\n", "expected a value"},
    {HEAD CHANGES(CREATE("aws_instance.a", T3)) "}\n[unit] {\"format_version\":\"1.2\"}",
     "within a line"},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct gl_hook_plan plan;
        struct gl_error err = {0};

        if (read_with(refusals[i].text, strlen(refusals[i].text), (struct gl_hook_options){0},
                      &plan, &err) == 0)
            fail_msg("\"%s\" was read", refusals[i].text);
        if (strstr(err.text, refusals[i].says) == NULL)
            fail_msg("\"%s\": %s", refusals[i].text, err.text);
        gl_hook_plan_done(&plan);
    }
}

/* Members in another order, as `jq -S` writes them, come to the same. */
static void test_order(void **state)
{
    static const char sorted[] =
        "{\"configuration\":{\"provider_config\":{\"aws\":{\"expressions\":{\"region\":{"
        "\"constant_value\":\"eu-north-1\"}}}},\"root_module\":{\"resources\":[{\"expressions\":{"
        "\"instance_type\":{\"constant_value\":\"t3.micro\"}},\"provider_config_key\":\"aws\","
        "\"address\":\"aws_instance.a\"}]}},\"format_version\":\"1.2\",\"resource_changes\":[{"
        "\"change\":{\"after\":{" T3 "},\"actions\":[\"create\"]},\"type\":\"aws_instance\","
        "\"address\":\"aws_instance.a\"}],\"terraform_version\":\"1.9.5\"}";
    struct gl_hook_plan plan;

    (void)state;
    read_plan(sorted, &plan);
    assert_int_equal(plan.launches, 1);
    assert_string_equal(plan.intents[0].place.region, "eu-north-1");
    assert_string_equal(plan.intents[0].machine.type, "t3.micro");
    gl_hook_plan_done(&plan);
}

/* Several documents behind each other, and talk of a wrapper before the first. */
static void test_documents(void **state)
{
    static const char text[] = "[command]/opt/terraform show -json p\n" HEAD CHANGES(
        CREATE("aws_instance.a", T3)) "}\n" HEAD CHANGES(CREATE("aws_instance.a", T3)) "}\n";
    struct gl_hook_plan plan;

    (void)state;
    read_plan(text, &plan);
    assert_int_equal(plan.count, 2);
    assert_string_equal(plan.intents[0].file, "p.json");
    assert_string_equal(plan.intents[1].file, "p.json (document 2)");
    gl_hook_plan_done(&plan);
}

/* What the setup-terraform wrapper says behind the plan, the plan itself once more. */
static void test_wrapper(void **state)
{
    static const char text[] = "[command]/opt/terraform show -json p\n" HEAD CHANGES(CREATE(
        "aws_instance.a", T3)) "}\n"
                               "::debug::Terraform exited with code 0.\n"
                               "::debug::stdout: " HEAD CHANGES(CREATE(
                                   "aws_instance.a",
                                   T3)) "}%0A\n"
                                        "::debug::exitcode: 0\n::set-output name=stdout::{}%0A\n"
                                        "::set-output name=exitcode::0";
    struct gl_hook_plan plan;

    (void)state;
    read_plan(text, &plan);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.launches, 1);
    gl_hook_plan_done(&plan);
    read_plan(HEAD CHANGES(CREATE("aws_instance.a", T3)) "}\r\n\n"
                                                         "Releasing state lock. This may take a "
                                                         "few moments...\n"
                                                         "time=2026-11-22T10:00:00Z level=info "
                                                         "msg=done\n\n",
              &plan);
    assert_int_equal(plan.launches, 1);
    gl_hook_plan_done(&plan);
    read_plan("{\"tfplan\":" HEAD CHANGES(CREATE("aws_instance.a", T3)) "}}", &plan);
    assert_int_equal(plan.launches, 1);
    gl_hook_plan_done(&plan);
}

/* A machine that nothing maps is told, not passed over. */
static void test_unmapped(void **state)
{
    struct gl_hook_plan plan;

    (void)state;
    read_plan(HEAD CHANGES("{\"address\":\"acme_server.a\",\"change\":{\"actions\":[\"create\"],"
                           "\"after\":{\"instance_type\":\"huge\"}}},"
                           "{\"address\":\"acme_user.b\",\"change\":{\"actions\":[\"create\"],"
                           "\"after\":{\"login\":\"x\"}}}") "}",
              &plan);
    assert_int_equal(plan.count, 0);
    assert_int_equal(plan.resources, 2);
    assert_non_null(plan.unmapped);
    assert_string_equal(plan.unmapped[0], "acme_server");
    assert_null(plan.unmapped[1]);
    gl_hook_plan_done(&plan);
}

/* Values of a plan may be secret: none of them is in what is kept. */
static void test_secrets(void **state)
{
    struct gl_hook_plan plan;
    json_t *facts;
    char *text;

    (void)state;
    read_plan(HEAD "\"variables\":{\"password\":{\"value\":\"PLANTED\"}}," CHANGES(
                  CREATE("aws_instance.a", T3 ",\"user_data\":\"PLANTED\",\"password_data\":"
                                              "\"PLANTED\"")) "}",
              &plan);
    facts = gl_hook_plan_json(&plan);
    text = json_dumps(facts, 0);
    assert_null(strstr(text, "PLANTED"));
    assert_non_null(strstr(text, "t3.micro"));
    free(text);
    json_decref(facts);
    gl_hook_plan_done(&plan);
}

static void test_recognise(void **state)
{
    static const char log[] = "{\"@level\":\"info\",\"type\":\"version\"}\n";
    const char *why_not = NULL;

    (void)state;
    assert_int_equal(gl_reader_terraform.recognise("PK\x03\x04zip", 7, &why_not), 0);
    assert_non_null(strstr(why_not, "binary plan"));
    assert_int_equal(gl_reader_terraform.recognise(log, strlen(log), &why_not), 0);
    assert_non_null(strstr(why_not, "show -json"));
    assert_true(gl_reader_terraform.recognise(HEAD, strlen(HEAD), &why_not) > 50);
    assert_null(why_not);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_alternatives),
        cmocka_unit_test(test_alternatives_unread),
        cmocka_unit_test(test_conflict),
        cmocka_unit_test(test_asserted),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_updates),
        cmocka_unit_test(test_template),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_wrapper),
        cmocka_unit_test(test_unmapped),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_recognise),
    };

    return cmocka_run_group_tests(tests, open_mapping, close_mapping);
}
