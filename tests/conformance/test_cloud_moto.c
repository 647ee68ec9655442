/* SPDX-License-Identifier: Apache-2.0 */
/* The AWS adapter against moto, a counterpart that others wrote: tests/integration/moto.sh starts
 * it behind its strict door and runs this. MOTO_URL is the door; MOTO_SECRET_OF_LOOKER (with
 * MOTO_KEY_OF_LOOKER) is of a user who may only look, in signed mode. */
#include "tests/conformance/cloud_bench.h"

#include "base/http.h"
#include "base/sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOME_REGION  "eu-north-1"
#define OTHER_REGION "eu-west-1"

static struct gl_world world;
static const char *key, *secret; /* that this handle uses */

static const char *getenv_of_test(void *cookie, const char *name)
{
    (void)cookie;
    if (strcmp(name, "AWS_ACCESS_KEY_ID") == 0)
        return key;
    if (strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0)
        return secret;
    return strcmp(name, "AWS_EC2_METADATA_DISABLED") == 0 ? "true" : NULL;
}

static struct gl_cloud *open_as(const char *its_key, const char *its_secret)
{
    const struct gl_setting settings[] = {{"endpoint", getenv("MOTO_URL")},
                                          {"region", HOME_REGION},
                                          {"regions", HOME_REGION "," OTHER_REGION},
                                          {"image", getenv("MOTO_AMI")},
                                          {"settle", "1"}};
    const struct gl_cloud_options options = {
        .world = &world, .settings = settings, .setting_count = 5};
    struct gl_error err = {0};
    struct gl_cloud *cloud;

    key = its_key;
    secret = its_secret;
    cloud = gl_cloud_open("aws", &options, &err);
    if (cloud == NULL)
        fail_msg("open: %s", err.text);
    return cloud;
}

static struct gl_cloud *open_all(void)
{
    return open_as(getenv("MOTO_KEY"), getenv("MOTO_SECRET"));
}

#define NEED(variable)                                                                         \
    do {                                                                                       \
        if (getenv(variable) == NULL)                                                          \
            GL_BENCH_SKIP("moto", variable " is not set (tests/integration/moto.sh sets it)"); \
    } while (0)

static struct gl_launch launch_of(struct gl_bench_names *names)
{
    struct gl_launch launch = {.attempt = 1,
                               .region = HOME_REGION,
                               .type = "t3.micro",
                               .lease = {3600},
                               .token = names->token,
                               .launch_id = names->id,
                               .enrol_token = names->enrol};
    struct gl_hash bytes[2];

    world.random(world.cookie, bytes, sizeof bytes);
    gl_hash_hex(&bytes[0], names->token);
    gl_hash_hex(&bytes[1], names->enrol);
    snprintf(names->id, sizeof names->id, "gl-%.6s", names->token);
    launch.expires = (struct gl_instant){gl_now(&world).unix_s + 3600};
    return launch;
}

static struct gl_instance must_launch(struct gl_cloud *cloud, const struct gl_launch *launch)
{
    struct gl_instance made;
    struct gl_error err = {0};

    if (cloud->ops->launch(cloud, launch, &made, &err) < 0)
        fail_msg("%s", err.text);
    return made;
}

static void must(int result, const struct gl_error *err)
{
    if (result < 0)
        fail_msg("%s", err->text);
}

static enum gl_instance_state state_of(struct gl_cloud *cloud, const char *id)
{
    struct gl_instance seen;
    struct gl_error err = {0};

    must(cloud->ops->describe(cloud, id, &seen, &err), &err);
    return seen.state;
}

static void test_places(void **state)
{
    struct gl_cloud *cloud;
    const char *const *regions, *const *types;
    struct gl_error err = {0};
    char who[128];
    size_t count = 0;

    (void)state;
    NEED("MOTO_URL");
    cloud = open_all();
    must(cloud->ops->whoami(cloud, who, &err), &err);
    assert_non_null(strstr(who, "account 123456789012"));
    must(cloud->ops->regions(cloud, &regions, &err), &err);
    assert_string_equal(regions[0], HOME_REGION);
    assert_string_equal(regions[1], OTHER_REGION);
    assert_null(regions[2]);
    must(cloud->ops->types(cloud, HOME_REGION, &types, &err), &err);
    while (types[count] != NULL)
        count++;
    assert_true(count > 100);
    gl_cloud_close(cloud);
}

static void test_one_life(void **state)
{
    struct gl_cloud *cloud;
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_instance made, seen, *list;
    struct gl_error err = {0};
    size_t count;

    (void)state;
    NEED("MOTO_URL");
    cloud = open_all();
    launch = launch_of(&names);
    must(cloud->ops->check(cloud, &launch, &err), &err);
    assert_int_equal(cloud->ops->find_by_request(cloud, HOME_REGION, names.token, &seen, &err), 0);
    made = must_launch(cloud, &launch);
    must(cloud->ops->describe(cloud, made.id, &seen, &err), &err);
    assert_string_equal(seen.token, names.token);
    assert_string_equal(seen.launch_id, names.id);
    assert_int_equal(seen.state, GL_STATE_RUNNING);
    assert_int_equal(seen.expires.unix_s, launch.expires.unix_s);
    assert_int_equal(cloud->ops->find_by_request(cloud, HOME_REGION, names.token, &seen, &err), 1);
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, names.token, &seen, &err), 1);
    assert_string_equal(seen.id, made.id);
    assert_int_equal(cloud->ops->find_by_request(cloud, OTHER_REGION, names.token, &seen, &err), 0);
    must(cloud->ops->list(cloud, &list, &count, &err), &err);
    assert_int_equal(count, 1);
    free(list);
    must(cloud->ops->halt(cloud, made.id, &err), &err);
    assert_int_equal(state_of(cloud, made.id), GL_STATE_HALTED);
    must(cloud->ops->start(cloud, made.id, &err), &err);
    assert_int_equal(state_of(cloud, made.id), GL_STATE_RUNNING);
    must(cloud->ops->stop(cloud, made.id, (struct gl_span){5}, &err), &err);
    must(cloud->ops->terminate(cloud, made.id, &err), &err);
    assert_int_equal(state_of(cloud, made.id), GL_STATE_ENDED);
    gl_cloud_close(cloud);
}

static void test_console_and_spot(void **state)
{
    struct gl_cloud *cloud;
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_instance made;
    struct gl_str text = {0};
    struct gl_error err = {0};
    uint64_t next = 0;

    (void)state;
    NEED("MOTO_URL");
    cloud = open_all();
    launch = launch_of(&names);
    launch.is_spot = true;
    made = must_launch(cloud, &launch);
    must(cloud->ops->console(cloud, made.id, 0, &text, &next, &err), &err);
    assert_int_equal(next, text.length);
    must(cloud->ops->terminate(cloud, made.id, &err), &err);
    gl_str_done(&text);
    gl_cloud_close(cloud);
}

/* Create here, copy there, launch there, verify, end here, clean up. */
static void test_move_between_regions(void **state)
{
    struct gl_cloud *cloud;
    struct gl_bench_names names, names_2;
    struct gl_launch launch, second;
    struct gl_instance made, moved;
    struct gl_cloud_image image, copy, again;
    struct gl_error err = {0};

    (void)state;
    NEED("MOTO_URL");
    if (getenv("MOTO_KEY_OF_LOOKER") != NULL)
        GL_BENCH_SKIP("moto", "the door mends a request for moto, so it cannot be signed");
    cloud = open_all();
    launch = launch_of(&names);
    made = must_launch(cloud, &launch);
    must(cloud->ops->image_create(cloud, made.id, names.token, &image, &err), &err);
    must(cloud->ops->image_create(cloud, made.id, names.token, &again, &err), &err);
    assert_string_equal(again.id, image.id);
    must(cloud->ops->image_look(cloud, image.id, &image, &err), &err);
    assert_int_equal(image.state, GL_IMAGE_READY);
    must(cloud->ops->image_copy(cloud, image.id, OTHER_REGION, names.token, &copy, &err), &err);
    must(cloud->ops->image_look(cloud, copy.id, &copy, &err), &err);
    assert_int_equal(copy.state, GL_IMAGE_READY);
    second = launch_of(&names_2);
    second.region = OTHER_REGION;
    second.image = copy.id;
    moved = must_launch(cloud, &second);
    assert_int_equal(state_of(cloud, moved.id), GL_STATE_RUNNING);
    must(cloud->ops->terminate(cloud, made.id, &err), &err);
    must(cloud->ops->terminate(cloud, moved.id, &err), &err);
    must(cloud->ops->image_delete(cloud, image.id, &err), &err);
    must(cloud->ops->image_delete(cloud, copy.id, &err), &err);
    must(cloud->ops->image_delete(cloud, copy.id, &err), &err);
    must(cloud->ops->image_look(cloud, copy.id, &copy, &err), &err);
    assert_int_equal(copy.state, GL_IMAGE_ABSENT);
    gl_cloud_close(cloud);
}

static void test_unknown_names(void **state)
{
    struct gl_cloud *cloud;
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_instance made;
    struct gl_error err = {0};

    (void)state;
    NEED("MOTO_URL");
    cloud = open_all();
    launch = launch_of(&names);
    launch.type = "t3.vast";
    assert_int_equal(cloud->ops->launch(cloud, &launch, &made, &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    launch.type = "t3.micro";
    launch.image = HOME_REGION "/ami-00000000000000000";
    gl_error_clear(&err);
    assert_int_equal(cloud->ops->launch(cloud, &launch, &made, &err), -1);
    assert_int_equal(err.code, GL_E_NOT_FOUND);
    gl_error_clear(&err);
    assert_int_equal(cloud->ops->describe(cloud, HOME_REGION "/i-00000000000000000", &made, &err),
                     -1);
    assert_int_equal(err.code, GL_E_NOT_FOUND);
    gl_cloud_close(cloud);
}

static void test_wrong_secret(void **state)
{
    struct gl_cloud *cloud;
    struct gl_error err = {0};
    char who[128];

    (void)state;
    NEED("MOTO_KEY_OF_LOOKER"); /* moto looks at signatures in signed mode only */
    cloud = open_as(getenv("MOTO_KEY"), "planted+WRONG/secret/0123456789abcdefghi");
    assert_int_equal(cloud->ops->whoami(cloud, who, &err), -1);
    assert_int_equal(err.code, GL_E_NO_CREDENTIAL);
    assert_null(strstr(err.text, "planted"));
    gl_cloud_close(cloud);
}

static void test_denied(void **state)
{
    struct gl_cloud *cloud;
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_instance made, *list;
    struct gl_error err = {0};
    size_t count;

    (void)state;
    NEED("MOTO_KEY_OF_LOOKER");
    cloud = open_as(getenv("MOTO_KEY_OF_LOOKER"), getenv("MOTO_SECRET_OF_LOOKER"));
    launch = launch_of(&names);
    must(cloud->ops->list(cloud, &list, &count, &err), &err);
    free(list);
    assert_int_equal(cloud->ops->launch(cloud, &launch, &made, &err), -1);
    assert_int_equal(err.code, GL_E_PERMISSION);
    gl_error_clear(&err);
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_PERMISSION);
    gl_cloud_close(cloud);
}

static int set_up(void **state)
{
    (void)state;
    gl_world_real(&world);
    world.getenv = getenv_of_test;
    world.http = gl_http_curl_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gl_http_close(world.http);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),           cmocka_unit_test(test_one_life),
        cmocka_unit_test(test_console_and_spot), cmocka_unit_test(test_move_between_regions),
        cmocka_unit_test(test_unknown_names),    cmocka_unit_test(test_wrong_secret),
        cmocka_unit_test(test_denied),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
