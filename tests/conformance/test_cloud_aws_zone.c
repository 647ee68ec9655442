/* SPDX-License-Identifier: Apache-2.0 */
/* An availability zone that was asked for is in the request; where a subnet is set, which is in one
 * zone, no other one is offered. What was accepted and never ran is told as what it is. */
#include "tests/conformance/cloud_fake_aws.h"
#include "tests/conformance/cloud_remote.h"

#include "base/http.h"
#include "base/sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct gl_fake_aws *fake;
static struct gl_world world;
static struct gl_http *real;
static bool is_placed; /* a RunInstances named the zone */
static unsigned runs;

/* The counterpart takes no zones: what is asked of it is looked at on the way. */
static int look(struct gl_http *http, const struct gl_http_request *request,
                struct gl_http_reply *out, struct gl_error *err)
{
    const char *body = request->body != NULL ? request->body : "";
    bool is_run = strstr(body, "Action=RunInstances") != NULL;

    (void)http;
    runs += is_run;
    if (is_run && strstr(body, "Placement.AvailabilityZone=eu-north-1b") != NULL) {
        is_placed = true;
        return gl_fail(err, GL_E_NETWORK, "seen enough");
    }
    return gl_http_send(real, request, out, err);
}

static void keep_open(struct gl_http *http)
{
    (void)http;
}

static const struct gl_http_ops ops = {.name = "look", .send = look, .close = keep_open};
static struct gl_http looking = {.ops = &ops};

static struct gl_cloud *opened(const struct gl_setting *settings, size_t count)
{
    struct gl_cloud_options options = {.world = &world};
    struct gl_setting all[16];
    struct gl_error err = {0};
    struct gl_cloud *cloud;
    size_t n = 0;

    fake = gl_fake_aws_start();
    gl_world_real(&world);
    gl_remote_fixture_set(&gl_remote_fixture_aws, fake, &world, &options);
    for (; n < options.setting_count; n++)
        all[n] = options.settings[n];
    for (size_t i = 0; i < count; i++)
        all[n++] = settings[i];
    options.settings = all;
    options.setting_count = n;
    real = world.http;
    world.http = &looking;
    is_placed = false;
    runs = 0;
    cloud = gl_cloud_open("aws", &options, &err);
    if (cloud == NULL)
        fail_msg("%s", err.text);
    return cloud;
}

static void closed(struct gl_cloud *cloud)
{
    gl_cloud_close(cloud);
    world.http = real;
    gl_remote_fixture_end(&gl_remote_fixture_aws, fake, &world);
}

static int launch(struct gl_cloud *cloud, const char *type, const char *zone, struct gl_error *err)
{
    static char token[GL_HASH_HEX], enrol[GL_HASH_HEX];
    struct gl_hash bytes[2];
    struct gl_instance made;
    const struct gl_launch launch = {.token = token,
                                     .launch_id = "gl-abcdef",
                                     .enrol_token = enrol,
                                     .region = "eu-north-1",
                                     .type = type,
                                     .zone = zone,
                                     .attempt = 1,
                                     .expires = {gl_now(&world).unix_s + 3600},
                                     .lease = {3600}};

    world.random(world.cookie, bytes, sizeof bytes);
    gl_hash_hex(&bytes[0], token);
    gl_hash_hex(&bytes[1], enrol);
    return cloud->ops->launch(cloud, &launch, &made, err);
}

static void a_zone_that_is_asked_for_is_named(void **state)
{
    struct gl_cloud *cloud = opened(NULL, 0);
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(launch(cloud, GL_FAKE_AWS_NO_STOCK, NULL, &err), -1);
    assert_int_equal(err.code, GL_E_CAPACITY);
    assert_false(is_placed);
    assert_int_equal(cloud->failure.reach, GL_REACH_ZONE);
    assert_string_equal(cloud->failure.places[0], "eu-north-1b");
    gl_error_clear(&err);
    assert_int_equal(launch(cloud, "t3.micro", "eu-north-1b", &err), -1);
    assert_true(is_placed);
    closed(cloud);
}

static void a_subnet_is_in_one_zone(void **state)
{
    static const struct gl_setting subnet[] = {{"subnet", "subnet-0123"}};
    struct gl_cloud *cloud = opened(subnet, 1);
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(launch(cloud, GL_FAKE_AWS_NO_STOCK, "eu-north-1b", &err), -1);
    assert_int_equal(err.code, GL_E_CAPACITY);
    assert_false(is_placed);
    assert_int_equal(runs, 1);
    assert_string_equal(cloud->failure.places[0], "");
    closed(cloud);
}

/* EC2 says yes, and a moment later that it cannot. */
static void accepted_and_ended_before_it_ran(void **state)
{
    static const struct {
        const char *reason;
        enum gl_errc code;
        enum gl_reach reach;
    } rows[] = {
        {"Server.InsufficientInstanceCapacity", GL_E_CAPACITY, GL_REACH_ZONE},
        {"Client.VolumeLimitExceeded", GL_E_QUOTA, GL_REACH_REGION},
        {"Server.InternalError", GL_E_LAUNCH, GL_REACH_CALL},
    };
    struct gl_cloud *cloud = opened(NULL, 0);

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gl_error err = {0};

        fake->unborn = rows[i].reason;
        assert_int_equal(launch(cloud, "t3.micro", NULL, &err), -1);
        assert_int_equal(err.code, rows[i].code);
        assert_int_equal(cloud->failure.reach, rows[i].reach);
        assert_string_equal(cloud->failure.word, rows[i].reason);
        assert_int_equal(gl_fake_aws_alive(fake), 0);
        assert_int_equal(runs, i + 1); /* asked for once */
    }
    closed(cloud);
}

/* Ended soon is not unborn: a short command. */
static void what_ran_and_ended_is_a_launch(void **state)
{
    struct gl_cloud *cloud = opened(NULL, 0);
    struct gl_error err = {0};

    (void)state;
    fake->unborn = "Client.InstanceInitiatedShutdown";
    if (launch(cloud, "t3.micro", NULL, &err) != 0)
        fail_msg("%s", err.text);
    closed(cloud);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_that_is_asked_for_is_named),
        cmocka_unit_test(a_subnet_is_in_one_zone),
        cmocka_unit_test(accepted_and_ended_before_it_ran),
        cmocka_unit_test(what_ran_and_ended_is_a_launch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
