/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol of CloudFormation's Lambda hooks. */
#include "broker/serve/cloudformation.h"
#include "tests/unit/broker/hook_world.h"

#define STACK "arn:aws:cloudformation:eu-central-1:123456789012:stack/s/1"
#define RESOURCE                                                                             \
    "\"requestData\":{\"targetName\":\"AWS::EC2::Instance\",\"targetType\":\"AWS::EC2::"     \
    "Instance\","                                                                            \
    "\"targetLogicalId\":\"Web\",\"targetModel\":{\"resourceProperties\":{\"InstanceType\":" \
    "\"m7g.large\",\"UserData\":\"PLANTED\"}%s}}"

static int parse(const char *body, struct gl_cfn_hook *out, struct gl_error *err)
{
    *err = (struct gl_error){0};
    return gl_cfn_parse((struct gl_view){body, strlen(body)}, out, err);
}

static json_t *answer_of(char *text)
{
    json_t *answer = json_loads(text, 0, NULL);

    free(text);
    assert_non_null(answer);
    return answer;
}

static const char *text_of(const json_t *answer, const char *key)
{
    return json_string_value(json_object_get(answer, key));
}

static void a_resource_becomes_a_template(void **state)
{
    struct gl_cfn_hook hook;
    struct gl_error err;
    char body[1024], data[512];

    (void)state;
    snprintf(data, sizeof data, RESOURCE, "");
    snprintf(body, sizeof body,
             "{\"stackId\":\"" STACK "\",\"clientRequestToken\":\"t-1\","
             "\"actionInvocationPoint\":\"CREATE_PRE_PROVISION\",%s}",
             data);
    assert_int_equal(parse(body, &hook, &err), 0);
    assert_string_equal(hook.region, "eu-central-1");
    assert_string_equal(hook.token, "t-1");
    assert_false(hook.is_cloud_control);
    assert_false(hook.is_delete);
    assert_int_equal(hook.before.length, 0);
    assert_string_equal(hook.after.text,
                        "{\"AWSTemplateFormatVersion\":\"2010-09-09\",\"Resources\":{\"Web\":{"
                        "\"Type\":\"AWS::EC2::Instance\",\"Properties\":{\"InstanceType\":"
                        "\"m7g.large\",\"UserData\":\"PLANTED\"}}}}");
    gl_cfn_done(&hook);
    snprintf(data, sizeof data, RESOURCE,
             ",\"previousResourceProperties\":{\"InstanceType\":\"m7g.medium\"}");
    snprintf(body, sizeof body,
             "{\"actionInvocationPoint\":\"UPDATE_PRE_PROVISION\",\"hookModel\":{"
             "\"LambdaFunction\":\"arn:aws:lambda:eu-north-1:123456789012:function:f\"},%s}",
             data);
    assert_int_equal(parse(body, &hook, &err), 0);
    assert_true(hook.is_cloud_control);
    assert_string_equal(hook.region, "eu-north-1");
    assert_non_null(strstr(hook.before.text, "m7g.medium"));
    gl_cfn_done(&hook);
}

static void a_deletion_needs_no_look(void **state)
{
    struct gl_cfn_hook hook;
    struct gl_error err;

    (void)state;
    assert_int_equal(parse("{\"actionInvocationPoint\":\"DELETE_PRE_PROVISION\"}", &hook, &err), 0);
    assert_true(hook.is_delete);
    gl_cfn_done(&hook);
}

static void what_is_no_event_is_told(void **state)
{
    static const char *const bodies[] = {
        "",
        "{",
        "[]",
        "{}",
        "{\"actionInvocationPoint\":\"CREATE_PRE_PROVISION\"}",
        "{\"actionInvocationPoint\":\"CREATE_PRE_PROVISION\",\"requestData\":{\"targetType\":"
        "\"STACK\",\"payload\":\"https://s3/PLANTED\"}}",
        "{\"actionInvocationPoint\":\"CREATE_PRE_PROVISION\",\"requestData\":{\"targetModel\":"
        "{\"resourceProperties\":{}}}}"};
    struct gl_cfn_hook hook;
    struct gl_error err;

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        json_t *answer;

        assert_int_equal(parse(bodies[i], &hook, &err), -1);
        assert_null(strstr(err.text, "PLANTED"));
        answer = answer_of(gl_cfn_failed(&hook, err.text));
        assert_string_equal(text_of(answer, "hookStatus"), "FAILED");
        assert_string_equal(text_of(answer, "errorCode"), "InternalFailure");
        json_decref(answer);
        gl_cfn_done(&hook);
    }
}

static void messages_are_cut_where_the_caller_cuts(void **state)
{
    struct gl_cfn_hook hook = {.token = "t", .is_cloud_control = true};
    char message[8000];
    json_t *answer;

    (void)state;
    for (size_t i = 0; i + 1 < sizeof message; i++)
        message[i] = i % 2 == 0 ? '\xc3' : '\xa9';
    message[sizeof message - 1] = '\0';
    answer = answer_of(gl_cfn_succeeded(&hook, message));
    assert_in_range(json_string_length(json_object_get(answer, "message")), 1020, 1024);
    assert_string_equal(text_of(answer, "clientRequestToken"), "t");
    json_decref(answer);
    hook.is_cloud_control = false;
    answer = answer_of(gl_cfn_succeeded(&hook, message));
    assert_in_range(json_string_length(json_object_get(answer, "message")), 4090, 4096);
    json_decref(answer);
}

static void a_report_becomes_an_answer(void **state)
{
    struct gl_policy *policy =
        world_policy("greenlaunch: 1\nid: p\nrules:\n  - {id: c, max_intensity: 100 g/kWh}\n");
    static struct hook_world world;
    struct gl_cfn_hook hook = {0};
    struct gl_hook_report *report;
    bool has_passed;
    json_t *answer;

    (void)state;
    world_init(&world, policy);
    world_add(&world, GL_CHANGE_CREATE, "us-east-1", "m5.large");
    report = gl_hook_judge(&world.ask);
    answer = answer_of(gl_cfn_judged(&hook, report, false, &has_passed));
    assert_false(has_passed);
    assert_string_equal(text_of(answer, "hookStatus"), "FAILED");
    assert_string_equal(text_of(answer, "errorCode"), "NonCompliant");
    assert_non_null(strstr(text_of(answer, "message"), "above 100"));
    assert_null(json_object_get(answer, "clientRequestToken"));
    json_decref(answer);
    answer = answer_of(gl_cfn_judged(&hook, report, true, &has_passed));
    assert_true(has_passed);
    assert_string_equal(text_of(answer, "hookStatus"), "SUCCESS");
    assert_non_null(strstr(text_of(answer, "message"), "advisory"));
    json_decref(answer);
    gl_hook_report_free(report);
    gl_policy_free(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_resource_becomes_a_template),
        cmocka_unit_test(a_deletion_needs_no_look),
        cmocka_unit_test(what_is_no_event_is_told),
        cmocka_unit_test(messages_are_cut_where_the_caller_cuts),
        cmocka_unit_test(a_report_becomes_an_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
