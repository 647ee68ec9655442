/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/cloud_vps_bench.h"

#include "base/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const struct gl_vps_words gl_vps_clouds[GL_VPS_CLOUDS] = {
    {.name = "hetzner",
     .ops = &gl_fake_hetzner,
     .region = "fsn1",
     .type = "cax11",
     .create = "POST /servers",
     .list = "GET /servers",
     .erase = "DELETE /servers/*",
     .capacity = "{\"error\":{\"code\":\"resource_unavailable\",\"message\":\"error during "
                 "placement\"}}",
     .capacity_status = 412,
     .quota = "{\"error\":{\"code\":\"resource_limit_exceeded\",\"message\":\"server limit "
              "reached\"}}",
     .quota_status = 403,
     .throttle = "{\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"limit reached\"}}",
     .reset = "RateLimit-Reset",
     .busy = "{\"error\":{\"code\":\"locked\",\"message\":\"server is locked\"}}",
     .busy_status = 423,
     .quote = "{\"error\":{\"code\":\"invalid_input\",\"message\":\"no: Bearer " GL_FAKE_TOKEN
              " and " GL_VPS_ENROL "\"}}"},
    {.name = "digitalocean",
     .ops = &gl_fake_digitalocean,
     .region = "ams3",
     .type = "g-2vcpu-8gb",
     .create = "POST /v2/droplets",
     .list = "GET /v2/droplets",
     .erase = "DELETE /v2/droplets/*",
     .capacity = "{\"id\":\"unprocessable_entity\",\"message\":\"Size is not available in this "
                 "region.\"}",
     .capacity_status = 422,
     .quota = "{\"id\":\"unprocessable_entity\",\"message\":\"creating this/these droplet(s) will "
              "exceed your droplet limit\"}",
     .quota_status = 422,
     .throttle = "{\"id\":\"too_many_requests\",\"message\":\"API rate limit exceeded.\"}",
     .reset = "ratelimit-reset",
     .busy = "{\"id\":\"unprocessable_entity\",\"message\":\"Droplet already has a pending "
             "event.\"}",
     .busy_status = 422,
     .quote = "{\"id\":\"bad_request\",\"message\":\"no: Bearer " GL_FAKE_TOKEN " and " GL_VPS_ENROL
              "\"}"},
    {.name = "scaleway",
     .ops = &gl_fake_scaleway,
     .region = "fr-par",
     .type = "DEV1-S",
     .create = "POST /instance/v1/zones/*/servers",
     .list = "GET /instance/v1/zones/*/servers",
     .erase = "POST /instance/v1/zones/*/servers/*/action",
     .capacity = "{\"type\":\"out_of_stock\",\"resource\":\"DEV1-S\",\"message\":\"out of "
                 "stock\"}",
     .capacity_status = 503,
     .quota = "{\"type\":\"quotas_exceeded\",\"message\":\"quota exceeded\",\"details\":[{"
              "\"resource\":\"servers\",\"quota\":2,\"current\":2}]}",
     .quota_status = 403,
     .throttle = "{\"type\":\"too_many_requests\",\"message\":\"slow down\"}",
     .reset = "X-Nothing",
     .busy = "{\"type\":\"transient_state\",\"message\":\"server is busy\"}",
     .busy_status = 409,
     .quote = "{\"type\":\"invalid_arguments\",\"message\":\"no: " GL_FAKE_TOKEN
              " and " GL_VPS_ENROL "\"}"},
};

/* The clock runs on while somebody sleeps. */
int64_t gl_vps_slept_ms;
static struct gl_world real;

static int64_t now_ms(void *cookie)
{
    return real.now_ms(cookie) + gl_vps_slept_ms;
}

static int64_t monotonic_ms(void *cookie)
{
    return real.monotonic_ms(cookie) + gl_vps_slept_ms;
}

static void sleep_ms(void *cookie, int64_t ms)
{
    (void)cookie;
    gl_vps_slept_ms += ms;
}

static const char *getenv_of_test(void *cookie, const char *name)
{
    size_t length = strlen(name);

    (void)cookie;
    for (size_t i = 0; gl_fake_environment[i] != NULL; i++)
        if (strncmp(gl_fake_environment[i], name, length) == 0 &&
            gl_fake_environment[i][length] == '=')
            return gl_fake_environment[i] + length + 1;
    return NULL;
}

void gl_vps_bench_open(struct gl_vps_bench *bench, const struct gl_vps_words *words)
{
    gl_vps_bench_open_rate(bench, words, NULL);
}

void gl_vps_bench_open_rate(struct gl_vps_bench *bench, const struct gl_vps_words *words,
                            const char *usd_per_eur)
{
    struct gl_setting settings[2] = {{"endpoint", NULL}, {"usd_per_eur", usd_per_eur}};
    struct gl_cloud_options options = {
        .world = &bench->world, .settings = settings, .setting_count = usd_per_eur != NULL ? 2 : 1};

    memset(bench, 0, sizeof *bench);
    gl_vps_slept_ms = 0;
    gl_world_real(&real);
    bench->words = words;
    bench->fake = gl_fake_start(words->ops);
    bench->world = real;
    bench->world.now_ms = now_ms;
    bench->world.monotonic_ms = monotonic_ms;
    bench->world.sleep_ms = sleep_ms;
    bench->world.getenv = getenv_of_test;
    bench->world.http = gl_http_curl_new();
    settings[0].value = gl_fake_url(bench->fake);
    bench->cloud = gl_cloud_open(words->name, &options, &bench->err);
    assert_non_null(bench->cloud);
    bench->launch = (struct gl_launch){.token = GL_VPS_TOKEN,
                                       .launch_id = "gl-4k2p9x",
                                       .region = words->region,
                                       .type = words->type,
                                       .attempt = 1,
                                       .expires = {gl_now(&bench->world).unix_s + 3600},
                                       .lease = {3600},
                                       .enrol_token = GL_VPS_ENROL,
                                       .interval_s = 10};
}

void gl_vps_bench_launch(struct gl_vps_bench *bench)
{
    gl_error_clear(&bench->err);
    bench->got = bench->cloud->ops->launch(bench->cloud, &bench->launch, &bench->made, &bench->err);
    assert_null(strstr(bench->err.text, GL_FAKE_TOKEN));
    assert_null(strstr(bench->err.text, GL_VPS_ENROL));
    if (bench->got < 0)
        assert_non_null(strstr(bench->err.text, bench->words->name));
}

int gl_vps_bench_find(struct gl_vps_bench *bench)
{
    struct gl_instance seen;
    struct gl_error err = {0};
    int found = bench->cloud->ops->find_by_request(bench->cloud, bench->words->region, GL_VPS_TOKEN,
                                                   &seen, &err);

    if (found < 0)
        fail_msg("%s", err.text);
    return found;
}

/* One that runs and is found, or none: and nothing remains afterwards. */
void gl_vps_bench_close(struct gl_vps_bench *bench, unsigned running)
{
    struct gl_instance seen;
    struct gl_error err = {0};

    memset(bench->fake->faults, 0, sizeof bench->fake->faults);
    assert_int_equal(gl_fake_running(bench->fake), running);
    assert_int_equal(gl_vps_bench_find(bench), running);
    if (running == 1) {
        assert_int_equal(
            bench->cloud->ops->find_by_request(bench->cloud, NULL, GL_VPS_TOKEN, &seen, &err), 1);
        assert_int_equal(bench->cloud->ops->terminate(bench->cloud, seen.id, &err), 0);
    }
    assert_int_equal(gl_fake_running(bench->fake), 0);
    assert_int_equal(bench->fake->volumes_left, 0);
    assert_string_equal(bench->fake->complaint, "");
    gl_cloud_close(bench->cloud);
    gl_http_close(bench->world.http);
    gl_fake_stop(bench->fake);
}

void gl_vps_bench_fault(struct gl_vps_bench *bench, struct gl_fake_fault fault)
{
    for (size_t i = 0; i < 4; i++)
        if (bench->fake->faults[i].on == NULL) {
            bench->fake->faults[i] = fault;
            return;
        }
    fail();
}
