/* SPDX-License-Identifier: Apache-2.0 */
/* Catalogues of three clouds at once, each 50 ms away: in the time of the slowest alone and less
 * than three more round trips; a dead one is named and delays nobody beyond the deadline. */
#include "providers/cloud/catalog.h"
#include "providers/cloud/drivers.h"
#include "tests/conformance/cloud_fake_aws.h"
#include "tests/conformance/cloud_fake_vps.h"
#include "tests/support/fake_gcp.h"
#include "tests/support/scratch.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LATENCY_MS  50
#define CLOUDS      3
#define DEADLINE_MS 10000

static const char *const environment[] = {
    "AWS_ACCESS_KEY_ID=" GL_FAKE_AWS_KEY, "AWS_SECRET_ACCESS_KEY=" GL_FAKE_AWS_SECRET,
    "AWS_EC2_METADATA_DISABLED=true", "HCLOUD_TOKEN=" GL_FAKE_TOKEN, NULL};
static char *folder;
static struct gl_fake_aws *aws;
static struct fake_gcp gcp;
static struct gl_fake *hetzner;
static struct gl_world world;
static struct gl_cloud *clouds[CLOUDS];

static const char *getenv_of_test(void *cookie, const char *name)
{
    size_t length = strlen(name);

    (void)cookie;
    for (size_t i = 0; environment[i] != NULL; i++)
        if (strncmp(environment[i], name, length) == 0 && environment[i][length] == '=')
            return environment[i] + length + 1;
    return NULL;
}

static struct gl_cloud *opened(const char *name, const struct gl_setting *settings, size_t count)
{
    struct gl_error err = {0};
    struct gl_cloud *cloud = gl_cloud_open(
        name,
        &(struct gl_cloud_options){.world = &world, .settings = settings, .setting_count = count},
        &err);

    if (cloud == NULL)
        fail_msg("%s", err.text);
    return cloud;
}

static void open_all(void)
{
    const struct gl_setting of_aws[] = {{"endpoint", gl_fake_aws_url(aws)},
                                        {"region", "eu-north-1"}};
    const char *url = gl_test_server_url(gcp.server);
    const struct gl_setting of_gcp[] = {{"credentials", gcp.key_path},
                                        {"endpoint", url},
                                        {"billing-endpoint", url},
                                        {"projects-endpoint", url}};
    const struct gl_setting of_hetzner[] = {{"endpoint", gl_fake_url(hetzner)}};

    clouds[0] = opened("aws", of_aws, 2);
    clouds[1] = opened("gcp", of_gcp, 4);
    clouds[2] = opened("hetzner", of_hetzner, 1);
}

static int fresh(void **state)
{
    (void)state;
    folder = scratch_make("refresh");
    aws = gl_fake_aws_start();
    fake_gcp_start(&gcp, folder);
    hetzner = gl_fake_start(&gl_fake_hetzner);
    gl_world_real(&world);
    world.getenv = getenv_of_test;
    world.http = gl_http_curl_new();
    open_all();
    return 0;
}

static int done(void **state)
{
    (void)state;
    for (size_t i = 0; i < CLOUDS; i++)
        gl_cloud_close(clouds[i]);
    gl_http_close(world.http);
    gl_fake_aws_stop(aws);
    fake_gcp_stop(&gcp);
    gl_fake_stop(hetzner);
    scratch_remove(folder);
    return 0;
}

static int64_t refreshed(struct gl_cloud *const *some, size_t count, int64_t deadline_ms,
                         struct gl_catalog_report *reports)
{
    struct gl_catalog *catalogs[CLOUDS];
    int64_t began_ms = world.monotonic_ms(world.cookie), took_ms;

    gl_catalog_refresh(some, count, deadline_ms, catalogs, reports);
    took_ms = world.monotonic_ms(world.cookie) - began_ms;
    for (size_t i = 0; i < count; i++)
        gl_catalog_free(catalogs[i]);
    return took_ms;
}

static void set_latency(int64_t ms)
{
    gl_test_server_set_latency(aws->server, ms);
    gl_test_server_set_latency(gcp.server, ms);
    gl_test_server_set_latency(hetzner->server, ms);
}

static void three_clouds_take_the_time_of_the_slowest(void **state)
{
    struct gl_catalog_report alone, together[CLOUDS];
    int64_t slowest_ms = 0, all_ms;

    (void)state;
    set_latency(LATENCY_MS);
    for (size_t i = 0; i < CLOUDS; i++) {
        int64_t took_ms = refreshed(&clouds[i], 1, DEADLINE_MS, &alone);

        if (!alone.is_whole)
            fail_msg("%s: %s", clouds[i]->ops->name, alone.first.text);
        slowest_ms = took_ms > slowest_ms ? took_ms : slowest_ms;
    }
    for (size_t i = 0; i < CLOUDS; i++)
        gl_cloud_close(clouds[i]);
    open_all(); /* with nothing fetched yet */
    all_ms = refreshed(clouds, CLOUDS, DEADLINE_MS, together);
    print_message("# slowest alone %" PRId64 " ms, all together %" PRId64 " ms\n", slowest_ms,
                  all_ms);
    for (size_t i = 0; i < CLOUDS; i++) {
        assert_true(together[i].is_whole);
        assert_true(together[i].rows > 0);
    }
    assert_true(all_ms <= slowest_ms + 3 * LATENCY_MS);
}

static void a_dead_cloud_is_named_and_delays_nobody(void **state)
{
    struct gl_catalog_report reports[CLOUDS];
    int64_t took_ms;

    (void)state;
    gl_test_server_set_latency(gcp.server, 60000);
    took_ms = refreshed(clouds, CLOUDS, 1000, reports);
    assert_true(took_ms < 2500);
    assert_true(reports[0].is_whole && reports[2].is_whole);
    assert_true(reports[0].took_ms < 900 && reports[2].took_ms < 900);
    assert_false(reports[1].is_whole);
    assert_int_equal(reports[1].first.code, GL_E_TIMEOUT);
    assert_string_equal(reports[1].cloud, "gcp");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(three_clouds_take_the_time_of_the_slowest, fresh, done),
        cmocka_unit_test_setup_teardown(a_dead_cloud_is_named_and_delays_nobody, fresh, done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
