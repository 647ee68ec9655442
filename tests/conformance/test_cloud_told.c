/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest cannot be told is refused by every cloud's check: before anything is sent, and
 * before anything is written down of the launch. */
#include "tests/conformance/cloud_azure_bench.h"
#include "tests/conformance/cloud_bench.h"
#include "tests/conformance/cloud_fake_kubernetes.h"
#include "tests/conformance/cloud_fake_vps.h"
#include "tests/conformance/cloud_remote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TOO_LONG ((size_t)3 << 19) /* for every cloud */

static const struct {
    const char *cloud;
    const struct gl_remote_fixture *remote;
} fixtures[] = {
    {"aws", &gl_remote_fixture_aws},
    {"gcp", &gl_remote_fixture_gcp},
    {"openstack", &gl_remote_fixture_openstack},
    {"azure", &gl_remote_fixture_azure},
    {"hetzner", &gl_remote_fixture_hetzner},
    {"digitalocean", &gl_remote_fixture_digitalocean},
    {"scaleway", &gl_remote_fixture_scaleway},
    {"kubernetes", &gl_remote_fixture_kubernetes},
};

static char *too_long_script(void)
{
    static const char shebang[] = "#!/bin/sh\n#";
    char *text = gl_alloc(TOO_LONG + 1);

    memset(text, 'x', TOO_LONG);
    memcpy(text, shebang, sizeof shebang - 1);
    text[TOO_LONG] = '\0';
    return text;
}

static void expect_refused(struct gl_bench *bench)
{
    GL_AUTO(gl_auto_free) char *script = too_long_script();
    const struct gl_cloud_ops *ops = bench->cloud->ops;
    struct gl_bench_names names;
    struct gl_launch launch = gl_bench_launch(bench, &names, NULL);
    const char *const *types;
    struct gl_instance *items;
    struct gl_error err = {0};
    size_t count;

    assert_true((ops->caps & GL_CLOUD_CHECKS) != 0 && ops->check != NULL);
    assert_int_equal(ops->types(bench->cloud, launch.region, &types, &err), 0);
    launch.type = types[0];
    launch.user_data = script;
    assert_int_equal(ops->check(bench->cloud, &launch, &err), -1);
    if (err.code != GL_E_TOO_LARGE)
        fail_msg("%s: %s", ops->name, err.text);
    assert_int_equal(ops->list(bench->cloud, &items, &count, &err), 0);
    assert_int_equal(count, 0);
    free(items);
}

static void of_a_rented_machine(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof fixtures / sizeof *fixtures; i++) {
        const struct gl_remote_fixture *remote = fixtures[i].remote;
        struct gl_cloud_options options = {0};
        struct gl_bench bench;
        struct gl_error err = {0};
        void *counterpart;

        gl_bench_open(&bench, fixtures[i].cloud, false);
        gl_cloud_close(bench.cloud);
        counterpart = remote->start();
        options.world = &bench.world;
        options.state_folder = bench.folder;
        gl_remote_fixture_set(remote, counterpart, &bench.world, &options);
        bench.cloud = gl_cloud_open(fixtures[i].cloud, &options, &err);
        if (bench.cloud == NULL)
            fail_msg("%s: %s", fixtures[i].cloud, err.text);
        expect_refused(&bench);
        gl_bench_close(&bench);
        gl_remote_fixture_end(remote, counterpart, &bench.world);
    }
}

static void of_one_on_this_machine(void **state)
{
    struct gl_bench bench;

    (void)state;
    gl_bench_open(&bench, "told", true);
    expect_refused(&bench);
    gl_bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_rented_machine),
        cmocka_unit_test(of_one_on_this_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
