/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/rented_bench.h"

#include "base/file.h"
#include "base/http.h"
#include "base/time.h"
#include "providers/cloud/drivers.h"
#include "tests/support/make_evidence.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PER_BATCH 8

/* ---- the world ---- */

static struct gl_world real;

static int64_t now_ms(void *cookie)
{
    return real.now_ms(real.cookie) + ((const struct rented_clock *)cookie)->slept_ms;
}

static int64_t monotonic_ms(void *cookie)
{
    return real.monotonic_ms(real.cookie) + ((const struct rented_clock *)cookie)->slept_ms;
}

static void sleep_ms(void *cookie, int64_t ms)
{
    ((struct rented_clock *)cookie)->slept_ms += ms;
}

static void random_bytes(void *cookie, void *out, size_t length)
{
    struct rented_clock *clock = cookie;
    uint8_t *bytes = out;

    for (size_t i = 0; i < length; i++) {
        clock->random = clock->random * UINT64_C(6364136223846793005) + 1442695040888963407;
        bytes[i] = (uint8_t)(clock->random >> 56);
    }
}

static const char *no_environment(void *cookie, const char *name)
{
    (void)cookie;
    (void)name;
    return NULL;
}

/* ---- guests ---- */

static int64_t instant_ms(const json_t *instance, const char *member, int64_t otherwise)
{
    const char *text = json_string_value(json_object_get(instance, member));
    struct gl_instant at;
    struct gl_error ignored = {0};

    return text != NULL && gl_instant_parse(text, &at, &ignored) == 0 ? at.unix_s * 1000
                                                                      : otherwise;
}

static bool read_token(const struct rented_bench *bench, const char *launch, uint8_t out[32])
{
    char path[512];
    char *text = NULL;
    size_t length;
    struct gl_error ignored = {0};
    bool is_there;

    snprintf(path, sizeof path, "%s/tokens/%s", bench->folder, launch);
    is_there = gl_file_read(path, 256, &text, &length, &ignored) == 0 &&
               gl_hex_parse(text, out, 32, &ignored) == 0;
    free(text);
    return is_there;
}

/* What its meter has said from the start until now, or until it was stopped. */
void rented_bench_console(void *cookie, const json_t *instance, struct gl_str *out)
{
    static struct fake_meter meter;
    struct rented_bench *bench = cookie;
    const json_t *labels = json_object_get(instance, "labels");
    const char *launch = json_string_value(json_object_get(labels, "greenlaunch-request"));
    bool is_off = strcmp(json_string_value(json_object_get(instance, "status")), "TERMINATED") == 0;
    int64_t from = instant_ms(instance, "creationTimestamp", 0);
    int64_t until = is_off ? instant_ms(instance, "lastStopTimestamp", from) : now_ms(bench->clock);
    size_t seconds = until > from + 2000 ? (size_t)(until - from) / 1000 - 1 : 0;

    gl_str_add(out, "[    0.000000] a kernel\r\n");
    if (launch == NULL || bench->is_mute)
        return;
    fake_meter_init(&meter, launch, 7, from);
    if (!read_token(bench, launch, meter.token))
        return;
    seconds = seconds < FAKE_READINGS_MAX - 1 ? seconds : FAKE_READINGS_MAX - 1;
    fake_meter_read_many(&meter, seconds);
    if (is_off || bench->is_done)
        fake_meter_read_final(&meter);
    fake_add_enrolment(&meter, out);
    for (size_t i = 0; i < meter.count; i += PER_BATCH)
        fake_add_batch(&meter, i, meter.count - i < PER_BATCH ? meter.count - i : PER_BATCH, out);
    if (bench->identity != NULL)
        gl_str_addf(out, "%s\r\n", bench->identity);
    if (bench->is_done)
        gl_str_addf(out,
                    "greenlaunch: | first line\r\ngreenlaunch: | second line\r\n"
                    "GLX1 {\"exit\":%d,\"launch\":\"%s\"}\r\n",
                    bench->exit_status, launch);
}

/* ---- the bench ---- */

static struct gl_cloud *open_cloud(void *cookie, const char *name, const char *zone,
                                   struct gl_error *err)
{
    struct rented_bench *bench = cookie;

    (void)zone;
    if (strcmp(name, "gcp") != 0) {
        gl_fail(err, GL_E_UNKNOWN_NAME, "no %s here", name);
        return NULL;
    }
    return gl_gcp_open(&(struct gl_cloud_options){.world = &bench->world,
                                                  .settings = bench->settings,
                                                  .setting_count = 4},
                       err);
}

/* What is in the folder: the ledger's name and the clock, which is a file so that other programs
 * can have it too. */
static void share_folder(struct rented_bench *bench, char *folder)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, "clock");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    gl_world_real(&real);
    *bench =
        (struct rented_bench){.folder = folder,
                              .ledger_path = gl_path_join(folder, "ledger.db"),
                              .meter = {.url = "https://meters.example/greenlaunch-meter",
                                        .sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef"
                                                  "0123456789abcdef"}};
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, sizeof *bench->clock), 0);
    bench->clock = mmap(NULL, sizeof *bench->clock, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    assert_true(bench->clock != MAP_FAILED);
}

void rented_bench_join(struct rented_bench *bench, const char *folder)
{
    share_folder(bench, gl_strdup(folder));
}

void rented_bench_open(struct rented_bench *bench, const char *name)
{
    const char *url = bench->url;

    share_folder(bench, scratch_make(name));
    fake_gcp_start(&bench->fake, bench->folder);
    bench->fake.cpus_left = 1e9;
    bench->fake.slept_ms = &bench->clock->slept_ms;
    bench->fake.console = rented_bench_console;
    bench->fake.console_cookie = bench;
    snprintf(bench->url, sizeof bench->url, "%s", gl_test_server_url(bench->fake.server));
    bench->settings[0] = (struct gl_setting){"credentials", bench->fake.key_path};
    bench->settings[1] = (struct gl_setting){"endpoint", url};
    bench->settings[2] = (struct gl_setting){"billing-endpoint", url};
    bench->settings[3] = (struct gl_setting){"projects-endpoint", url};
    rented_bench_attach(bench);
}

void rented_bench_attach(struct rented_bench *bench)
{
    struct gl_error err = {0};

    bench->world = (struct gl_world){.cookie = bench->clock,
                                     .now_ms = now_ms,
                                     .monotonic_ms = monotonic_ms,
                                     .sleep_ms = sleep_ms,
                                     .random = random_bytes,
                                     .getenv = no_environment,
                                     .http = gl_http_curl_new()};
    bench->ledger = gl_ledger_open(bench->ledger_path, &bench->world, 0, &err);
    if (bench->ledger == NULL)
        fail_msg("%s", err.text);
    bench->launcher = (struct gl_launcher){.world = &bench->world,
                                           .ledger = bench->ledger,
                                           .state_folder = bench->folder,
                                           .cookie = bench,
                                           .open = open_cloud};
}

void rented_bench_detach(struct rented_bench *bench)
{
    gl_ledger_close(bench->ledger);
    gl_http_close(bench->world.http);
    bench->ledger = NULL;
    bench->world.http = NULL;
}

void rented_bench_close(struct rented_bench *bench)
{
    rented_bench_detach(bench);
    if (bench->fake.complaints.length > 0)
        fail_msg("the counterpart complains: %s", gl_str_text(&bench->fake.complaints));
    fake_gcp_stop(&bench->fake);
    munmap(bench->clock, sizeof *bench->clock);
    free(bench->ledger_path);
    scratch_remove(bench->folder);
}

struct gl_order rented_bench_order(struct rented_bench *bench, const char *type)
{
    static const char *const command[] = {"true", NULL};
    int64_t now_s = now_ms(bench->clock) / 1000;

    return (struct gl_order){.name = "",
                             .cloud = "gcp",
                             .zone = "XX",
                             .plan = fake_plan(now_s, now_s + RENTED_LEASE_S),
                             .launch = {.region = RENTED_REGION,
                                        .type = type,
                                        .lease = {RENTED_LEASE_S},
                                        .vcpus = 2,
                                        .command = command,
                                        .meter = &bench->meter}};
}

int rented_bench_start(struct rented_bench *bench, const char *type, struct gl_instance *out,
                       struct gl_error *err)
{
    struct gl_order order = rented_bench_order(bench, type);
    int result = gl_launch_start(&bench->launcher, &order, out, err);

    json_decref((json_t *)(uintptr_t)order.plan);
    return result;
}

int rented_bench_finish(struct rented_bench *bench, const char *launch, char **out_receipt,
                        struct gl_error *err)
{
    struct gl_ending ending = {.wait = {5}, .exit_status = -1};
    int result = gl_launch_finish(&bench->launcher, launch, &ending, err);

    assert_true(result != 0 || ending.is_over);
    if (out_receipt != NULL)
        *out_receipt = ending.receipt;
    else
        free(ending.receipt);
    return result;
}

json_t *rented_bench_instance(struct rented_bench *bench, const char *launch)
{
    for (size_t i = 0; i < bench->fake.count; i++) {
        const json_t *labels = json_object_get(bench->fake.instances[i], "labels");
        const char *name = json_string_value(json_object_get(labels, "greenlaunch-request"));

        if (name != NULL && strcmp(name, launch) == 0)
            return bench->fake.instances[i];
    }
    return NULL;
}
