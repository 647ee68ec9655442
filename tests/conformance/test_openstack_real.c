/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenStack adapter against the real keystone, nova, glance and placement, which
 * tests/integration/openstack.sh starts: OPENSTACK_URL is keystone's address, OPENSTACK_WHOLE_ID
 * and _SECRET an application credential, OPENSTACK_NARROW_* one that may only list images. Flavors
 * there: tiny, many-cores (over the quota), vast (on no host). Skips without them. */
#include "providers/cloud/openstack.h"

#include "providers/cloud/drivers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define REGION "RegionOne"
#define TOKEN  "00000000aaaaaaaa0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER  "00000001aaaaaaaa0123456789abcdef0123456789abcdef0123456789abcdef"

static struct gl_world world;
static struct gl_cloud *cloud;
static struct gl_error err;
static bool is_application, is_narrow;

static const char *getenv_of_test(void *cookie, const char *name)
{
    static const char *const rows[][2] = {{"OS_USERNAME", "tester"},
                                          {"OS_PASSWORD", "planted-password"},
                                          {"OS_PROJECT_NAME", "green"},
                                          {"OS_USER_DOMAIN_NAME", "Default"}};

    (void)cookie;
    if (strcmp(name, "OS_AUTH_URL") == 0)
        return getenv("OPENSTACK_URL");
    if (is_application && strcmp(name, "OS_APPLICATION_CREDENTIAL_ID") == 0)
        return getenv(is_narrow ? "OPENSTACK_NARROW_ID" : "OPENSTACK_WHOLE_ID");
    if (is_application && strcmp(name, "OS_APPLICATION_CREDENTIAL_SECRET") == 0)
        return getenv(is_narrow ? "OPENSTACK_NARROW_SECRET" : "OPENSTACK_WHOLE_SECRET");
    for (size_t i = 0; !is_application && i < sizeof rows / sizeof *rows; i++)
        if (strcmp(name, rows[i][0]) == 0)
            return rows[i][1];
    return NULL;
}

static int open_as(bool by_application, bool narrowly)
{
    static const struct gl_setting settings[] = {{"image", "tiny"}, {"network", "none"}};

    if (getenv("OPENSTACK_URL") == NULL) {
        cloud = NULL;
        return 0;
    }
    is_application = by_application;
    is_narrow = narrowly;
    gl_error_clear(&err);
    gl_world_real(&world);
    world.getenv = getenv_of_test;
    world.http = gl_http_curl_new();
    cloud = gl_openstack_open(
        &(struct gl_cloud_options){.world = &world, .settings = settings, .setting_count = 2},
        &err);
    if (cloud == NULL)
        fail_msg("%s", err.text);
    return 0;
}

static int with_password(void **state)
{
    (void)state;
    return open_as(false, false);
}

static int with_application(void **state)
{
    (void)state;
    return open_as(true, false);
}

static int with_narrow(void **state)
{
    (void)state;
    return open_as(true, true);
}

static int done(void **state)
{
    (void)state;
    if (cloud == NULL)
        return 0;
    gl_cloud_close(cloud);
    gl_http_close(world.http);
    return 0;
}

#define NEED()                                                                                 \
    do {                                                                                       \
        (void)state;                                                                           \
        if (cloud == NULL) {                                                                   \
            print_message("skip openstack: OPENSTACK_URL is not set (make test-openstack)\n"); \
            skip();                                                                            \
        }                                                                                      \
    } while (0)

static struct gl_launch launch_of(const char *type, const char *token)
{
    return (struct gl_launch){.token = token,
                              .launch_id = "gl-4k2p9x",
                              .region = REGION,
                              .type = type,
                              .attempt = 1,
                              .expires = {time(NULL) + 3600},
                              .lease = {3600}};
}

static void ok(int rc)
{
    if (rc < 0)
        fail_msg("%d: %s", (int)err.code, err.text);
}

static void fails_with(const char *type, enum gl_errc code)
{
    const struct gl_launch launch = launch_of(type, OTHER);
    struct gl_instance out;

    gl_error_clear(&err);
    assert_int_equal(cloud->ops->launch(cloud, &launch, &out, &err), -1);
    if (err.code != code)
        fail_msg("%d: %s", (int)err.code, err.text);
    assert_null(strstr(err.text, "planted"));
    gl_error_clear(&err);
}

static void one_life(void **state)
{
    const struct gl_launch launch = launch_of("tiny", TOKEN);
    struct gl_instance made, again, seen;
    struct gl_str text = {0};
    uint64_t next;
    char who[128];

    NEED();
    ok(cloud->ops->whoami(cloud, who, &err));
    assert_string_equal(who, "green as tester");
    ok(cloud->ops->check(cloud, &launch, &err));
    ok(cloud->ops->launch(cloud, &launch, &made, &err));
    assert_int_equal(made.state, GL_STATE_RUNNING);
    assert_string_equal(made.type, "tiny");
    assert_string_equal(made.token, TOKEN);
    ok(cloud->ops->launch(cloud, &launch, &again, &err));
    assert_string_equal(again.id, made.id);
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, TOKEN, &seen, &err), 1);
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, OTHER, &seen, &err), 0);
    ok(cloud->ops->console(cloud, made.id, 0, &text, &next, &err));
    assert_true(text.length > 0 && next == text.length);
    gl_str_done(&text);
    ok(cloud->ops->stop(cloud, made.id, (struct gl_span){20}, &err));
    ok(cloud->ops->describe(cloud, made.id, &seen, &err));
    assert_int_equal(seen.state, GL_STATE_HALTED);
    ok(cloud->ops->stop(cloud, made.id, (struct gl_span){20}, &err));
    ok(cloud->ops->start(cloud, made.id, &err));
    ok(cloud->ops->describe(cloud, made.id, &seen, &err));
    assert_int_equal(seen.state, GL_STATE_RUNNING);
    ok(cloud->ops->terminate(cloud, made.id, &err));
    ok(cloud->ops->terminate(cloud, made.id, &err));
    assert_int_equal(cloud->ops->describe(cloud, made.id, &seen, &err), -1);
    assert_int_equal(err.code, GL_E_NOT_FOUND);
}

static void stock_and_quota_leave_nothing(void **state)
{
    struct gl_launch launch = launch_of("many-cores", OTHER);
    struct gl_instance *rows;
    size_t count;

    NEED();
    fails_with("vast", GL_E_CAPACITY);
    fails_with("many-cores", GL_E_QUOTA);
    fails_with("no-such", GL_E_UNKNOWN_NAME);
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_QUOTA);
    gl_error_clear(&err);
    ok(cloud->ops->list(cloud, &rows, &count, &err));
    assert_int_equal(count, 0);
    free(rows);
}

static void make_one(struct gl_openstack *os, struct gl_openstack_place *place,
                     const struct gl_launch *launch)
{
    const struct gl_openstack_body wanted = {.launch = launch, .network = "none"};
    struct gl_openstack_body body = wanted;
    struct gl_remote_call call = {.is_create = true};
    json_t *root;
    const json_t *flavor;
    char image[64];

    ok(gl_openstack_flavor(os, place, "tiny", &flavor, &err));
    ok(gl_openstack_image_of(os, place, launch, image, &err));
    body.flavor = json_string_value(json_object_get(flavor, "id"));
    body.image = image;
    body.user_data = "IyEvYmluL3NoCg==";
    root = gl_openstack_server_body(&body);
    gl_openstack_call(place, &call, GL_OPENSTACK_COMPUTE, "POST", "servers");
    gl_remote_body_json(&call, root);
    json_decref(root);
    ok(gl_openstack_tell(os, &call, &err));
}

/* Equal requests do make two; whoever looks ends the younger. */
static void of_two_the_eldest_stays(void **state)
{
    const struct gl_launch launch = launch_of("tiny", TOKEN);
    struct gl_openstack *os;
    struct gl_openstack_place *place;
    struct gl_instance seen, *rows;
    size_t count;

    NEED();
    os = gl_openstack_of(cloud);
    ok(gl_openstack_begin(os, GL_REMOTE_DEADLINE_MS, &err));
    ok(gl_openstack_place(os, REGION, &place, &err));
    make_one(os, place, &launch);
    make_one(os, place, &launch);
    ok(cloud->ops->list(cloud, &rows, &count, &err));
    assert_int_equal(count, 2);
    free(rows);
    ok(cloud->ops->launch(cloud, &launch, &seen, &err));
    ok(cloud->ops->list(cloud, &rows, &count, &err));
    assert_int_equal(count, 1);
    assert_string_equal(rows[0].id, seen.id);
    free(rows);
    ok(cloud->ops->terminate(cloud, seen.id, &err));
}

static void an_image_is_made_and_goes(void **state)
{
    const struct gl_launch launch = launch_of("tiny", TOKEN);
    struct gl_instance made;
    struct gl_cloud_image image, again;

    NEED();
    ok(cloud->ops->launch(cloud, &launch, &made, &err));
    ok(cloud->ops->image_create(cloud, made.id, "gl-move-1", &image, &err));
    ok(cloud->ops->image_create(cloud, made.id, "gl-move-1", &again, &err));
    assert_string_equal(again.id, image.id);
    for (unsigned i = 0; i < 40 && image.state == GL_IMAGE_PENDING; i++) {
        world.sleep_ms(world.cookie, 250);
        ok(cloud->ops->image_look(cloud, image.id, &image, &err));
    }
    print_message("the image is in state %d\n", (int)image.state);
    ok(cloud->ops->image_delete(cloud, image.id, &err));
    ok(cloud->ops->image_delete(cloud, image.id, &err));
    ok(cloud->ops->image_look(cloud, image.id, &image, &err));
    assert_int_equal(image.state, GL_IMAGE_ABSENT);
    ok(cloud->ops->terminate(cloud, made.id, &err));
}

static void access_rules_are_rights(void **state)
{
    const struct gl_launch launch = launch_of("tiny", TOKEN);
    struct gl_instance out;

    NEED();
    assert_int_equal(cloud->ops->launch(cloud, &launch, &out, &err), -1);
    if (err.code != GL_E_PERMISSION)
        fail_msg("%d: %s", (int)err.code, err.text);
    assert_non_null(strstr(err.text, "access rules"));
}

static void flavors_are_listed(void **state)
{
    struct gl_catalog *catalog;
    struct gl_catalog_report report;
    const struct gl_catalog_row *rows;

    NEED();
    gl_catalog_refresh(&cloud, 1, 20000, &catalog, &report);
    if (!report.is_whole)
        fail_msg("%s", report.first.text);
    assert_int_equal(gl_catalog_rows(catalog, &rows), 3);
    gl_catalog_free(catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_life, with_password, done),
        cmocka_unit_test_setup_teardown(flavors_are_listed, with_application, done),
        cmocka_unit_test_setup_teardown(stock_and_quota_leave_nothing, with_application, done),
        cmocka_unit_test_setup_teardown(of_two_the_eldest_stays, with_application, done),
        cmocka_unit_test_setup_teardown(an_image_is_made_and_goes, with_application, done),
        cmocka_unit_test_setup_teardown(access_rules_are_rights, with_narrow, done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
