/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/cloud_azure_bench.h"

#include "providers/cloud/drivers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct gl_azure_bench *current;

static const char *getenv_of_test(void *cookie, const char *name)
{
    size_t length = strlen(name);

    (void)cookie;
    for (size_t i = 0; current->environment[i] != NULL; i++)
        if (strncmp(current->environment[i], name, length) == 0 &&
            current->environment[i][length] == '=')
            return current->environment[i] + length + 1;
    return NULL;
}

struct gl_cloud *gl_azure_bench_cloud(struct gl_azure_bench *bench)
{
    const char *url = gl_test_server_url(bench->fake.server);
    struct gl_setting *settings = bench->settings;

    settings[0] = (struct gl_setting){"endpoint", url};
    settings[1] = (struct gl_setting){"prices-endpoint", url};
    settings[2] = (struct gl_setting){"resource-group", "Green"};
    settings[3] = (struct gl_setting){"ssh-key", "ssh-ed25519 AAAA test"};
    settings[4] = (struct gl_setting){"admin", "green-1"};
    return gl_azure_open(&(struct gl_cloud_options){.world = &bench->world,
                                                    .settings = settings,
                                                    .setting_count = 5},
                         &bench->err);
}

void gl_azure_bench_secret(struct gl_azure_bench *bench)
{
    memset(bench->environment, 0, sizeof bench->environment);
    bench->environment[0] = "AZURE_SUBSCRIPTION_ID=" FAKE_AZURE_SUBSCRIPTION;
    bench->environment[1] = bench->authority;
    bench->environment[2] = "AZURE_TENANT_ID=" FAKE_AZURE_TENANT;
    bench->environment[3] = "AZURE_CLIENT_ID=" FAKE_AZURE_CLIENT;
    bench->environment[4] = "AZURE_CLIENT_SECRET=" FAKE_AZURE_SECRET;
}

void gl_azure_bench_open(struct gl_azure_bench *bench)
{
    *bench = (struct gl_azure_bench){.cloud = NULL};
    current = bench;
    fake_azure_start(&bench->fake);
    snprintf(bench->authority, sizeof bench->authority, "AZURE_AUTHORITY_HOST=%s",
             gl_test_server_url(bench->fake.server));
    gl_azure_bench_secret(bench);
    gl_world_real(&bench->world);
    bench->world.getenv = getenv_of_test;
    bench->world.http = gl_http_curl_new();
    bench->cloud = gl_azure_bench_cloud(bench);
    if (bench->cloud == NULL)
        fail_msg("%s", bench->err.text);
}

void gl_azure_bench_clean(const char *text)
{
    assert_null(strstr(text, "planted"));
}

void gl_azure_bench_close(struct gl_azure_bench *bench)
{
    if (bench->err.code != GL_OK)
        print_message("# %s\n", bench->err.text);
    gl_azure_bench_clean(bench->err.text);
    gl_cloud_close(bench->cloud);
    gl_http_close(bench->world.http);
    if (bench->fake.complaints.length > 0)
        fail_msg("the counterpart complains: %s", gl_str_text(&bench->fake.complaints));
    fake_azure_stop(&bench->fake);
}

struct gl_launch gl_azure_bench_launch(const char *type, const char *token)
{
    return (struct gl_launch){.token = token,
                              .launch_id = "gl-4k2p9x",
                              .region = "swedencentral",
                              .type = type,
                              .attempt = 1,
                              .expires = {1800000000},
                              .lease = {3600},
                              .vcpus = 1};
}

struct gl_instance gl_azure_bench_start(struct gl_azure_bench *bench, const char *type)
{
    const struct gl_launch launch = gl_azure_bench_launch(type, AZURE_TOKEN);
    struct gl_instance out;

    if (bench->cloud->ops->launch(bench->cloud, &launch, &out, &bench->err) != 0)
        fail_msg("%s", bench->err.text);
    return out;
}

void gl_azure_bench_fail(struct gl_azure_bench *bench, const char *type, enum gl_errc code,
                         size_t there)
{
    const struct gl_launch launch = gl_azure_bench_launch(type, AZURE_TOKEN);
    struct gl_instance out;

    gl_error_clear(&bench->err);
    assert_int_equal(bench->cloud->ops->launch(bench->cloud, &launch, &out, &bench->err), -1);
    if (bench->err.code != code)
        fail_msg("%d: %s", (int)bench->err.code, bench->err.text);
    gl_azure_bench_clean(bench->err.text);
    assert_int_equal(fake_azure_running(&bench->fake), there);
}

enum gl_instance_state gl_azure_bench_state(struct gl_azure_bench *bench)
{
    struct gl_instance seen;

    if (bench->cloud->ops->describe(bench->cloud, AZURE_ID, &seen, &bench->err) != 0)
        fail_msg("%s", bench->err.text);
    return seen.state;
}

/* ---- in the conformance suite ---- */

static char suite_authority[160];
static const char *const suite_environment[] = {"AZURE_SUBSCRIPTION_ID=" FAKE_AZURE_SUBSCRIPTION,
                                                suite_authority,
                                                "AZURE_TENANT_ID=" FAKE_AZURE_TENANT,
                                                "AZURE_CLIENT_ID=" FAKE_AZURE_CLIENT,
                                                "AZURE_CLIENT_SECRET=" FAKE_AZURE_SECRET,
                                                NULL};
static char suite_prices[128];
static const struct gl_setting suite_settings[] = {{"resource-group", FAKE_AZURE_GROUP},
                                                   {"prices-endpoint", suite_prices}};

static void *suite_start(void)
{
    struct fake_azure *fake = gl_alloc(sizeof *fake);

    fake_azure_start(fake);
    snprintf(suite_prices, sizeof suite_prices, "%s", gl_test_server_url(fake->server));
    snprintf(suite_authority, sizeof suite_authority, "AZURE_AUTHORITY_HOST=%s", suite_prices);
    return fake;
}

static void suite_stop(void *counterpart)
{
    struct fake_azure *fake = counterpart;

    if (fake->complaints.length > 0)
        fail_msg("the counterpart complains: %s", gl_str_text(&fake->complaints));
    fake_azure_stop(fake);
    free(fake);
}

static const char *suite_url(const void *counterpart)
{
    return gl_test_server_url(((const struct fake_azure *)counterpart)->server);
}

const struct gl_remote_fixture gl_remote_fixture_azure = {.start = suite_start,
                                                          .stop = suite_stop,
                                                          .url = suite_url,
                                                          .environment = suite_environment,
                                                          .settings = suite_settings,
                                                          .setting_count = 2};
