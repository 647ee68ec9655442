/* SPDX-License-Identifier: Apache-2.0 */
/* Requests judged by the vendor's own specification: Prism answers 422 (or 404, 405) to what the
 * specification does not allow, and else the specification's example. It keeps no servers, so that
 * a launch ends as not known; what counts is that nothing we send is refused. Started by
 * tests/integration/prism.sh, which sets GREENLAUNCH_PRISM to its address and
 * GREENLAUNCH_PRISM_CLOUD to whose specification it has. */
#include "providers/cloud/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct judged {
    const char *cloud, *key; /* the variable of its token */
    const char *region, *type, *image;
    const char *says; /* of a create whose answer is the specification's example, not ours */
} clouds[] = {
    {"hetzner", "HCLOUD_TOKEN", "fsn1", "cax11", "fsn1/42", "names no server"},
    {"digitalocean", "DIGITALOCEAN_ACCESS_TOKEN", "nyc3", "s-1vcpu-1gb", "nyc3/d42.gl-4k2p9x",
     "names no droplet"},
};

static struct gl_world world;
static struct gl_cloud *cloud;
static const struct judged *judged = clouds;
static const char *url;

static const char *getenv_of_test(void *cookie, const char *name)
{
    (void)cookie;
    return strcmp(name, judged->key) == 0 ? "a-token-of-the-test" : NULL;
}

/* The clock runs on while somebody sleeps. */
static struct gl_world real;
static int64_t slept_ms;

static void sleep_ms(void *cookie, int64_t ms)
{
    (void)cookie;
    slept_ms += ms;
}

static int64_t monotonic_ms(void *cookie)
{
    return real.monotonic_ms(cookie) + slept_ms;
}

static int open_cloud(void **state)
{
    struct gl_setting setting = {"endpoint", NULL};
    struct gl_cloud_options options = {.world = &world, .settings = &setting, .setting_count = 1};
    struct gl_error err = {0};

    (void)state;
    url = getenv("GREENLAUNCH_PRISM");
    if (url == NULL)
        return 0;
    for (size_t i = 0; i < sizeof clouds / sizeof *clouds; i++)
        if (strcmp(clouds[i].cloud, getenv("GREENLAUNCH_PRISM_CLOUD")) == 0)
            judged = &clouds[i];
    setting.value = url;
    gl_world_real(&real);
    world = real;
    world.sleep_ms = sleep_ms;
    world.monotonic_ms = monotonic_ms;
    world.getenv = getenv_of_test;
    world.http = gl_http_curl_new();
    cloud = gl_cloud_open(judged->cloud, &options, &err);
    return cloud == NULL;
}

static int close_cloud(void **state)
{
    (void)state;
    gl_cloud_close(cloud);
    gl_http_close(world.http);
    return 0;
}

#define NEED()                                                                                \
    do {                                                                                      \
        if (url == NULL) {                                                                    \
            print_message("skip prism: not started; run tests/integration/prism.sh with the " \
                          "specification\n");                                                 \
            skip();                                                                           \
        }                                                                                     \
    } while (0)

/* Whatever came of it, the specification had nothing against the request. */
static void check_allowed(int got, const struct gl_error *err)
{
    if (got < 0 && (err->code == GL_E_BAD_VALUE || err->code == GL_E_NO_CREDENTIAL ||
                    err->code == GL_E_PROVIDER || err->code == GL_E_NETWORK))
        fail_msg("%s", err->text);
}

static void test_reads(void **state)
{
    const struct gl_cloud_ops *ops;
    struct gl_instance *items = NULL, seen;
    struct gl_error err[4] = {{0}};
    size_t count;
    char who[128];

    (void)state;
    NEED();
    ops = cloud->ops;
    check_allowed(ops->whoami(cloud, who, &err[0]), &err[0]);
    if (ops->list(cloud, &items, &count, &err[1]) == 0)
        free(items);
    check_allowed(err[1].code != GL_OK ? -1 : 0, &err[1]);
    check_allowed(ops->describe(cloud, "42", &seen, &err[2]), &err[2]);
    check_allowed(ops->find_by_request(cloud, NULL, TOKEN, &seen, &err[3]), &err[3]);
}

static void test_create(void **state)
{
    struct gl_launch launch = {.token = TOKEN,
                               .launch_id = "gl-4k2p9x",
                               .region = judged->region,
                               .type = judged->type,
                               .attempt = 1,
                               .expires = {1900000000},
                               .lease = {3600},
                               .interval_s = 10};
    struct gl_instance made;
    struct gl_error err = {0};
    int got;

    (void)state;
    NEED();
    got = cloud->ops->launch(cloud, &launch, &made, &err);
    if (got == 0 || err.code != GL_E_OUTCOME) /* the example is not ours */
        fail_msg("%d: %s", got, err.text);
    if (strstr(err.text, judged->says) == NULL)
        fail_msg("%s", err.text);
}

static void test_image_and_check(void **state)
{
    const struct gl_launch launch = {.region = judged->region, .type = judged->type};
    struct gl_cloud_image image;
    struct gl_error err[3] = {{0}};

    (void)state;
    NEED();
    check_allowed(cloud->ops->check(cloud, &launch, &err[0]), &err[0]);
    check_allowed(cloud->ops->image_look(cloud, judged->image, &image, &err[1]), &err[1]);
    check_allowed(cloud->ops->image_delete(cloud, judged->image, &err[2]), &err[2]);
}

static void test_catalogue(void **state)
{
    struct gl_catalog *catalog;
    struct gl_catalog_report report;

    (void)state;
    NEED();
    gl_catalog_refresh(&cloud, 1, 20000, &catalog, &report);
    if (!report.is_whole)
        fail_msg("%s", report.first.text);
    assert_true(report.rows > 0); /* the specification's own example */
    gl_catalog_free(catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_image_and_check),
        cmocka_unit_test(test_catalogue),
        cmocka_unit_test(test_create),
    };

    return cmocka_run_group_tests(tests, open_cloud, close_cloud);
}
