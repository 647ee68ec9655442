/* SPDX-License-Identifier: Apache-2.0 */
/* What the AWS adapter writes and reads, without sending. */
#include "providers/cloud/aws_part.h"
#include "providers/cloud/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- codes ---- */

static void words_become_codes(void **state)
{
    static const struct {
        int status;
        const char *word;
        enum gl_errc code;
    } cases[] = {
        {503, "RequestLimitExceeded", GL_E_RATE_LIMIT},
        {503, "EC2ThrottledException", GL_E_RATE_LIMIT},
        {400, "Throttling", GL_E_RATE_LIMIT},
        {400, "RequestThrottledException", GL_E_RATE_LIMIT},
        {500, "InsufficientInstanceCapacity", GL_E_CAPACITY},
        {400, "InsufficientFreeAddressesInSubnet", GL_E_CAPACITY},
        {400, "Unsupported", GL_E_CAPACITY},
        {400, "VcpuLimitExceeded", GL_E_QUOTA},
        {400, "MaxSpotInstanceCountExceeded", GL_E_QUOTA},
        {400, "IdempotentInstanceTerminated", GL_E_TOKEN},
        {400, "IdempotentParameterMismatch", GL_E_TOKEN},
        {403, "UnauthorizedOperation", GL_E_PERMISSION},
        {400, "AccessDeniedException", GL_E_PERMISSION},
        {401, "AuthFailure", GL_E_NO_CREDENTIAL},
        {400, "ExpiredTokenException", GL_E_NO_CREDENTIAL},
        {400, "RequestExpired", GL_E_NO_CREDENTIAL},
        {400, "InvalidInstanceID.NotFound", GL_E_NOT_FOUND},
        {400, "InvalidAMIID.Malformed", GL_E_NOT_FOUND},
        {400, "SpotMaxPriceTooLow", GL_E_PRICE},
        {500, "InternalError", GL_E_PROVIDER},
        {400, "SomethingNew", GL_E_BAD_VALUE},
    };
    enum gl_reach reach;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (gl_remote_code(gl_aws_rules, cases[i].status, cases[i].word, NULL, &reach) !=
            cases[i].code)
            fail_msg("%s", cases[i].word);
    assert_int_equal(gl_remote_code(gl_aws_rules, 400, "InvalidParameterValue",
                                    "Invalid value 'x' for InstanceType.", &reach),
                     GL_E_UNKNOWN_NAME);
    assert_int_equal(gl_remote_code(gl_aws_rules, 400, "InvalidParameterValue", "other", &reach),
                     GL_E_BAD_VALUE);
}

static bool read_error(const char *body, const char *content_type, struct gl_remote_word *out)
{
    struct gl_http_reply reply = {.status = 400, .body = (char *)(uintptr_t)body};

    reply.body_length = strlen(body);
    snprintf(reply.content_type, sizeof reply.content_type, "%s", content_type);
    return gl_aws_read_error(&reply, out);
}

/* REST services name the type in a header; a gateway names none. */
static void a_type_in_a_header(void **state)
{
    static char body[] = "{\"message\":\"not authorized to perform sustainability:Get\"}";
    static char headers[] = "content-type: application/json\n"
                            "x-amzn-errortype: AccessDeniedException:http://internal.amazon.com/\n";
    struct gl_http_reply reply = {.status = 403,
                                  .body = body,
                                  .body_length = sizeof body - 1,
                                  .content_type = "application/json",
                                  .header_text = headers};
    struct gl_remote_word word;

    (void)state;
    assert_true(gl_aws_read_error(&reply, &word));
    assert_string_equal(word.word, "AccessDeniedException");
    assert_string_equal(word.text, "not authorized to perform sustainability:Get");
    reply.header_text = NULL;
    assert_true(gl_aws_read_error(&reply, &word));
    assert_string_equal(word.word, "");
    assert_string_equal(word.text, "not authorized to perform sustainability:Get");
}

static void errors_in_all_their_spellings(void **state)
{
    static const char *const good[][2] = {
        {"text/xml", "<Response><Errors><Error><Code>Some.Code</Code><Message>choosing us-east-1b, "
                     "us-east-1c.</Message></Error></Errors><RequestID>r</RequestID></Response>"},
        {"text/xml", "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>"
                     "<Type>Sender</Type><Code>Some.Code</Code><Message>choosing us-east-1b, "
                     "us-east-1c</Message></Error><RequestId>r</RequestId></ErrorResponse>"},
        {"text/xml", "<ErrorResponse><Errors><Error><Code>Some.Code</Code><Message>choosing "
                     "us-east-1b, us-east-1c</Message></Error></Errors></ErrorResponse>"},
        {"application/x-amz-json-1.1", "{\"__type\":\"com.amazonaws.x#Some.Code\",\"Message\":"
                                       "\"choosing us-east-1b, us-east-1c\"}"},
        {"application/x-amz-json-1.1",
         "{\"__type\":\"Some.Code\",\"message\":\"choosing us-east-1b, us-east-1c\"}"},
        {"application/json",
         "{\"code\":\"Some.Code\",\"message\":\"choosing us-east-1b, us-east-1c\"}"}};
    static const char *const bad[][2] = {{"text/html", "<!DOCTYPE html><html></html>"},
                                         {"text/xml", "<Response></Response>"},
                                         {"text/xml", "<Response>"},
                                         {"application/json", "{}"},
                                         {"application/json", "[1"},
                                         {"text/plain", ""}};
    struct gl_remote_word word;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(read_error(good[i][1], good[i][0], &word));
        assert_string_equal(word.word, "Some.Code");
        assert_string_equal(word.places[0], "us-east-1b");
        assert_string_equal(word.places[1], "us-east-1c");
        assert_string_equal(word.places[2], "");
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(read_error(bad[i][1], bad[i][0], &word));
}

/* ---- names ---- */

static void settings_for_regions(void **state)
{
    static const char setting[] = "sg-all, eu-west-1=sg-west,eu-north-1=sg-north , eu-west-1=sg-2";
    char item[128];

    (void)state;
    assert_true(gl_aws_item(setting, "eu-west-1", 0, item));
    assert_string_equal(item, "sg-all");
    assert_true(gl_aws_item(setting, "eu-west-1", 2, item));
    assert_string_equal(item, "sg-2");
    assert_false(gl_aws_item(setting, "eu-west-1", 3, item));
    assert_true(gl_aws_item(setting, "eu-north-1", 1, item));
    assert_string_equal(item, "sg-north");
    assert_false(gl_aws_item(setting, "eu-west-12", 1, item));
    assert_false(gl_aws_item("eu-west-1=", "eu-west-1", 0, item));
    assert_false(gl_aws_item("", "eu-west-1", 0, item));
    assert_false(gl_aws_item(NULL, "eu-west-1", 0, item));
}

static void architectures(void **state)
{
    static const char *const arm[] = {"a1.large",      "t4g.nano",      "m7gd.large", "c6gn.metal",
                                      "im4gn.large",   "is4gen.medium", "g5g.xlarge", "x2gd.large",
                                      "hpc7g.4xlarge", "m99g.large"};
    static const char *const x86[] = {"t3.micro",      "g4dn.xlarge",  "m7i-flex.large",
                                      "x2iedn.xlarge", "u-6tb1.metal", "p5.48xlarge",
                                      "gr6.4xlarge",   "m99i.large"};

    (void)state;
    for (size_t i = 0; i < sizeof arm / sizeof *arm; i++)
        if (strcmp(gl_aws_arch(arm[i]), "arm64") != 0)
            fail_msg("%s", arm[i]);
    for (size_t i = 0; i < sizeof x86 / sizeof *x86; i++)
        if (strcmp(gl_aws_arch(x86[i]), "x86_64") != 0)
            fail_msg("%s", x86[i]);
}

static void services_by_their_marks(void **state)
{
    (void)state;
    assert_string_equal(gl_aws_service_of("", "Action=RunInstances&Version=2016-11-15&X=1"), "ec2");
    assert_string_equal(gl_aws_service_of("", "Action=GetCallerIdentity&Version=2011-06-15"),
                        "sts");
    assert_string_equal(
        gl_aws_service_of("A: b\nX-Amz-Target: AWSPriceListService.GetProducts\n", "{}"),
        "pricing");
}

/* ---- answers ---- */

static void money(void **state)
{
    static const struct {
        const char *text;
        int64_t u;
    } good[] = {{"0.0416000000", 41600},     {"1", 1000000}, {"0.0000005", 1}, {"0.0000004999", 0},
                {"98.3200000000", 98320000}, {"0.", 0}};
    static const char *const bad[] = {"", ".5", "-1", "1e3", "1.5x", "NaN", "12345678901"};
    int64_t u;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(gl_aws_read_money(good[i].text, &u));
        assert_int_equal(u, good[i].u);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (gl_aws_read_money(bad[i], &u))
            fail_msg("taken: %s", bad[i]);
}

#define PRODUCT(price)                                                                         \
    "{\"product\":{\"attributes\":{\"instanceType\":\"p4d.24xlarge\",\"vcpu\":\"96\","         \
    "\"memory\":\"1,152 GiB\",\"gpu\":\"8\",\"regionCode\":\"us-east-1\"}},\"terms\":{"        \
    "\"Reserved\":{},\"OnDemand\":{\"S.T\":{\"priceDimensions\":{\"S.T.Q\":{\"unit\":\"Hrs\"," \
    "\"pricePerUnit\":{" price "}}}}}}}"

static void products(void **state)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "{}",
                                      PRODUCT("\"USD\":\"0.0000000000\""),
                                      PRODUCT("\"USD\":\"x\""),
                                      PRODUCT("\"EUR\":\"1.0\"")};
    struct gl_catalog_row row;

    (void)state;
    assert_true(gl_aws_read_product(PRODUCT("\"USD\":\"21.9576450000\""), &row));
    assert_string_equal(row.type, "p4d.24xlarge");
    assert_string_equal(row.region, "us-east-1");
    assert_int_equal(row.vcpus, 96);
    assert_int_equal(row.memory_mib, 1152 * 1024);
    assert_int_equal(row.gpu_count, 8);
    assert_int_equal(row.price_u_usd, 21957645);
    assert_string_equal(row.currency, "USD");
    assert_true(gl_aws_read_product(PRODUCT("\"CNY\":\"1.5\""), &row));
    assert_true(row.price_u_usd == GL_UNKNOWN); /* yuan are no dollars */
    assert_int_equal(row.price_u_own, 1500000);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(gl_aws_read_product(bad[i], &row));
}

static int read_list(const char *body, struct gl_aws_instances *out, char next[1024],
                     struct gl_error *err)
{
    struct gl_http_reply reply = {.status = 200, .body = (char *)(uintptr_t)body};

    reply.body_length = strlen(body);
    return gl_aws_read_instances(&reply, "eu-north-1", out, next, err);
}

#define TAG(key, value) "<item><key>" key "</key><value>" value "</value></item>"
#define HALF            "00112233445566778899aabbccddeeff"
#define TAGS                                 \
    TAG("greenlaunch-request", "gl-x")       \
    TAG("greenlaunch-attempt", "2")          \
    TAG("greenlaunch-expires", "1900000000") \
    TAG("greenlaunch-token-a", HALF) TAG("greenlaunch-token-b", HALF)
#define ITEM(state, tags)                                                                          \
    "<item><instancesSet><item><instanceId>i-0a</instanceId><instanceType>t3.micro</instanceType>" \
    "<instanceState><code>16</code><name>" state "</name></instanceState><launchTime>"             \
    "2026-01-02T03:04:05.000Z</launchTime><placement><availabilityZone>eu-north-1b"                \
    "</availabilityZone></placement><stateReason><code>Server.SpotInstanceTermination</code>"      \
    "</stateReason><tagSet>" tags "</tagSet></item></instancesSet></item>"

static void instances(void **state)
{
    static const struct {
        const char *body;
        enum gl_instance_state state;
    } states[] = {
        {"<R><reservationSet>" ITEM("pending", TAGS) "</reservationSet></R>", GL_STATE_LAUNCHING},
        {"<R><reservationSet>" ITEM("shutting-down", TAGS) "</reservationSet></R>",
         GL_STATE_STOPPING},
        {"<R><reservationSet>" ITEM("stopped", TAGS) "</reservationSet></R>", GL_STATE_HALTED},
        {"<R><reservationSet>" ITEM("terminated", TAGS) "</reservationSet></R>", GL_STATE_ENDED},
        {"<R><reservationSet>" ITEM("new-word", TAGS) "</reservationSet></R>", GL_STATE_RUNNING}};
    struct gl_error err = {0};
    char next[1024];

    (void)state;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        struct gl_aws_instances list = {0};

        assert_int_equal(read_list(states[i].body, &list, next, &err), 0);
        assert_int_equal(list.count, 1);
        assert_int_equal(list.items[0].state, states[i].state);
        assert_string_equal(list.items[0].id, "eu-north-1/i-0a");
        assert_string_equal(list.items[0].zone, "eu-north-1b");
        assert_string_equal(list.items[0].token, HALF HALF);
        assert_int_equal(list.items[0].attempt, 2);
        assert_int_equal(list.items[0].started.unix_s, 1767323045);
        assert_string_equal(list.items[0].why, states[i].state == GL_STATE_LAUNCHING ||
                                                       states[i].state == GL_STATE_RUNNING
                                                   ? ""
                                                   : "Server.SpotInstanceTermination");
        free(list.items);
    }
}

static void lists_that_are_none(void **state)
{
    static const char *const bad[] = {"", "<R/>", "<R><reservationSet>", "{}"};
    struct gl_aws_instances list = {0};
    struct gl_error err = {0};
    char next[1024] = "";

    (void)state;
    assert_int_equal(
        read_list(
            "<R><reservationSet>" ITEM(
                "running", TAG("Name", "x")) "</reservationSet><nextToken>more</nextToken></R>",
            &list, next, &err),
        0);
    assert_int_equal(list.count, 0); /* somebody else's */
    assert_string_equal(next, "more");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gl_error_clear(&err);
        assert_int_equal(read_list(bad[i], &list, next, &err), -1);
        assert_int_equal(err.code, GL_E_BAD_REPLY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_codes),
        cmocka_unit_test(errors_in_all_their_spellings),
        cmocka_unit_test(a_type_in_a_header),
        cmocka_unit_test(settings_for_regions),
        cmocka_unit_test(architectures),
        cmocka_unit_test(services_by_their_marks),
        cmocka_unit_test(money),
        cmocka_unit_test(products),
        cmocka_unit_test(instances),
        cmocka_unit_test(lists_that_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
