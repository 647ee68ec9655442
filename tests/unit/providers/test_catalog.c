/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds of catalogue calls with adapters of our own: pages, throttles, clouds without credentials
 * or with dead ones, tokens fetched once for all, rows filled in from several answers. */
#include "providers/cloud/catalog.h"

#include "base/http_part.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* ---- a transport that knows four clouds by their host ---- */

struct net {
    struct gl_http http;
    unsigned calls, token_calls, throttles;
    bool is_token_dead;
    int64_t slow_ms; /* of "slow" */
    struct gl_world *world;
};

static int net_send(struct gl_http *http, const struct gl_http_request *request,
                    struct gl_http_reply *out, struct gl_error *err)
{
    struct net *net = (struct net *)http;
    const char *host = strstr(request->url, "://") + 3;

    net->calls++;
    *out = (struct gl_http_reply){.status = 200, .retry_after_s = -1};
    snprintf(out->content_type, sizeof out->content_type, "application/json");
    if (strncmp(host, "dead", 4) == 0)
        return gl_fail(err, GL_E_NETWORK, "GET dead: no route");
    if (strncmp(host, "slow", 4) == 0)
        net->world->sleep_ms(net->world->cookie, net->slow_ms);
    if (strncmp(host, "token", 5) == 0) {
        net->token_calls++;
        out->status = net->is_token_dead ? 400 : 200;
    }
    if (strncmp(host, "busy", 4) == 0 && net->throttles > 0) {
        net->throttles--;
        out->status = 429;
        out->retry_after_s = 3;
    }
    out->body = gl_strdup(strstr(request->url, "page=1") != NULL ? "{\"next\":2}" : "{}");
    out->body_length = strlen(out->body);
    return 0;
}

static const struct gl_http_ops net_ops = {.name = "net", .send = net_send};

/* ---- adapters ---- */

struct fake {
    struct gl_remote remote; /* first */
    const char *host;
    bool has_token, needs_token, lacks_credentials;
    unsigned authorized;
};

static int token_ask(struct gl_remote *remote, bool is_renewed, struct gl_remote_call *out,
                     struct gl_error *err)
{
    struct fake *fake = (struct fake *)remote;

    (void)err;
    if (!fake->needs_token || (fake->has_token && !is_renewed))
        return 0;
    out->method = "POST";
    gl_str_add(&out->url, "https://token/new");
    return 1;
}

static int token_read(struct gl_remote *remote, const struct gl_remote_call *call,
                      struct gl_error *err)
{
    (void)call, (void)err;
    ((struct fake *)remote)->has_token = true;
    return 0;
}

static int authorize(struct gl_remote *remote, struct gl_remote_call *call, bool is_renewed,
                     struct gl_error *err)
{
    (void)call, (void)is_renewed;
    if (((struct fake *)remote)->lacks_credentials)
        return gl_fail(err, GL_E_NO_CREDENTIAL, "set FAKE_TOKEN");
    ((struct fake *)remote)->authorized++;
    return 0;
}

static const struct gl_remote_ops remote_ops = {
    .authorize = authorize, .token_ask = token_ask, .token_read = token_read};

static void ask(struct fake *fake, struct gl_catalog_round *round, const char *region, int page)
{
    struct gl_remote_call call = {.method = "GET"};

    gl_str_addf(&call.url, "https://%s/%s?page=%d", fake->host, region, page);
    gl_catalog_ask(round, &call, page, region);
}

static int begin(struct gl_cloud *cloud, struct gl_catalog_round *round, struct gl_error *err)
{
    struct fake *fake = (struct fake *)cloud;

    (void)err;
    for (int i = 0; i < 3; i++)
        ask(fake, round, i == 0 ? "one" : i == 1 ? "two" : "three", 1);
    return 0;
}

static int read_page(struct gl_cloud *cloud, const struct gl_remote_call *call, int kind,
                     const char *region, struct gl_catalog_round *round, struct gl_catalog *catalog,
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    struct gl_catalog_row row;

    if (call->err.code != GL_OK)
        return 0;
    answer = gl_remote_reply_json(call, err);
    assert_non_null(answer);
    gl_catalog_row_init(&row, region, "small");
    if (kind == 1)
        row.vcpus = 2;
    else
        row.price_u_usd = 1000;
    gl_catalog_add(catalog, &row);
    if (json_object_get(answer, "next") != NULL)
        ask((struct fake *)cloud, round, region, 2);
    return 0;
}

static const struct gl_catalog_ops catalog_ops = {.begin = begin, .read = read_page};
static const struct gl_cloud_ops cloud_ops = {.name = "fake", .catalog = &catalog_ops};

struct bench {
    struct net net;
    struct gl_world *world;
    struct fake fakes[4];
    struct gl_cloud *clouds[4];
    struct gl_catalog *catalogs[4];
    struct gl_catalog_report reports[4];
    size_t count;
};

static void open_bench(struct bench *bench, const char *const *hosts, size_t count)
{
    struct gl_cloud_options options = {.world = NULL};

    memset(bench, 0, sizeof *bench);
    bench->net.http.ops = &net_ops;
    bench->world = gl_world_fixed_new(INT64_C(1800000000000), 1, NULL);
    bench->world->http = &bench->net.http;
    bench->net.world = bench->world;
    bench->count = count;
    options.world = bench->world;
    for (size_t i = 0; i < count; i++) {
        gl_remote_init(&bench->fakes[i].remote, &cloud_ops, &remote_ops, &options);
        bench->fakes[i].host = hosts[i];
        bench->clouds[i] = &bench->fakes[i].remote.cloud;
    }
}

static void refresh(struct bench *bench, int64_t deadline_ms)
{
    gl_catalog_refresh(bench->clouds, bench->count, deadline_ms, bench->catalogs, bench->reports);
}

static void close_bench(struct bench *bench)
{
    for (size_t i = 0; i < bench->count; i++)
        gl_catalog_free(bench->catalogs[i]);
    gl_world_fixed_free(bench->world);
}

/* ---- tests ---- */

static void test_pages_and_rows(void **state)
{
    static const char *const hosts[] = {"good", "busy"};
    const struct gl_catalog_row *rows;
    struct bench bench;

    (void)state;
    open_bench(&bench, hosts, 2);
    bench.net.throttles = 2;
    refresh(&bench, 60000);
    for (size_t i = 0; i < 2; i++) {
        assert_true(bench.reports[i].is_whole);
        assert_int_equal(bench.reports[i].calls, 6);
        assert_int_equal(bench.reports[i].rows, 3);
        assert_int_equal(gl_catalog_rows(bench.catalogs[i], &rows), 3);
        assert_int_equal(rows[2].vcpus, 2);          /* of the first page */
        assert_int_equal(rows[2].price_u_usd, 1000); /* and of the second */
        assert_int_equal(rows[2].spot_u_usd, GL_UNKNOWN);
        assert_int_equal(rows[2].cfe_ppm, -1);
    }
    assert_int_equal(bench.net.calls, 14);
    assert_true(bench.reports[1].took_ms >= 3000);
    assert_true(bench.reports[0].took_ms < 3000); /* it did not wait for the other */
    close_bench(&bench);
}

static void test_others_go_on(void **state)
{
    static const char *const hosts[] = {"dead", "good", "none"};
    struct bench bench;

    (void)state;
    open_bench(&bench, hosts, 3);
    bench.fakes[2].lacks_credentials = true;
    refresh(&bench, 60000);
    assert_false(bench.reports[0].is_whole);
    assert_int_equal(bench.reports[0].failed, 3);
    assert_int_equal(bench.reports[0].first.code, GL_E_NETWORK);
    assert_string_not_equal(bench.reports[0].region, "");
    assert_non_null(strstr(bench.reports[0].first.text, bench.reports[0].region));
    assert_true(bench.reports[1].is_whole);
    assert_int_equal(bench.reports[2].first.code, GL_E_NO_CREDENTIAL);
    assert_non_null(strstr(bench.reports[2].first.text, "FAKE_TOKEN"));
    assert_int_equal(bench.reports[2].rows, 0);
    close_bench(&bench);
}

static void test_token_is_fetched_once(void **state)
{
    static const char *const hosts[] = {"good", "good"};
    struct bench bench;

    (void)state;
    open_bench(&bench, hosts, 2);
    bench.fakes[0].needs_token = true;
    refresh(&bench, 60000);
    assert_true(bench.reports[0].is_whole);
    assert_int_equal(bench.net.token_calls, 1);
    assert_int_equal(bench.fakes[0].authorized, 6);
    close_bench(&bench);

    open_bench(&bench, hosts, 2);
    bench.fakes[0].needs_token = true;
    bench.net.is_token_dead = true;
    refresh(&bench, 60000);
    assert_int_equal(bench.net.token_calls, 1); /* not once a call */
    assert_int_equal(bench.reports[0].failed, 3);
    assert_int_equal(bench.fakes[0].authorized, 0);
    assert_true(bench.reports[1].is_whole);
    close_bench(&bench);
}

static void test_deadline(void **state)
{
    static const char *const hosts[] = {"slow"};
    struct bench bench;

    (void)state;
    open_bench(&bench, hosts, 1);
    bench.net.slow_ms = 4000;
    refresh(&bench, 9000);
    assert_false(bench.reports[0].is_whole);
    assert_int_equal(bench.reports[0].first.code, GL_E_TIMEOUT);
    assert_true(bench.net.calls < 6);
    close_bench(&bench);
}

static void test_offline(void **state)
{
    static const char *const hosts[] = {"good"};
    struct bench bench;

    (void)state;
    open_bench(&bench, hosts, 1);
    bench.fakes[0].remote.http = NULL;
    refresh(&bench, 1000);
    assert_int_equal(bench.reports[0].first.code, GL_E_NETWORK);
    assert_int_equal(bench.net.calls, 0);
    close_bench(&bench);
}

/* ---- beside a cloud that is dead: on the real clock, over a transport with flights ---- */

struct silent {
    struct gl_http http; /* first */
    struct gl_http_flight *under_way[16];
    int64_t due_ms[16];
};

/* "dead" answers nothing for as long as the test lasts, the others at once. */
static void silent_start(struct gl_http *http, struct gl_http_flight *flight)
{
    struct silent *silent = (struct silent *)http;
    bool is_dead = strstr(flight->request->url, "//dead/") != NULL;
    size_t at = 0;

    while (silent->under_way[at] != NULL)
        assert_true(++at < 16);
    silent->under_way[at] = flight;
    silent->due_ms[at] = is_dead ? INT64_MAX : gl_http_clock_ms();
}

static void silent_run(struct gl_http *http, int64_t wait_ms)
{
    struct silent *silent = (struct silent *)http;
    struct timespec pause = {wait_ms / 1000, wait_ms % 1000 * 1000000};

    for (size_t i = 0; i < 16; i++) {
        struct gl_http_flight *flight = silent->under_way[i];

        if (flight == NULL || silent->due_ms[i] > gl_http_clock_ms())
            continue;
        flight->reply = (struct gl_http_reply){.status = 200, .retry_after_s = -1};
        snprintf(flight->reply.content_type, sizeof flight->reply.content_type, "application/json");
        flight->reply.body = gl_strdup("{}");
        flight->reply.body_length = 2;
        flight->is_done = true;
        silent->under_way[i] = NULL;
        gl_http_flight_finish(flight);
        return;
    }
    nanosleep(&pause, NULL);
}

static void silent_drop(struct gl_http *http, struct gl_http_flight *flight)
{
    struct silent *silent = (struct silent *)http;

    for (size_t i = 0; i < 16; i++)
        if (silent->under_way[i] == flight)
            silent->under_way[i] = NULL;
}

static const struct gl_http_flight_ops silent_flights = {silent_start, silent_run, silent_drop};

/* Credentials that a program brings at its `looks`-th look. */
static unsigned looks_left;

static int ask_program(struct gl_remote *remote, bool is_renewed, struct gl_remote_call *out,
                       struct gl_error *err)
{
    (void)is_renewed, (void)out;
    if (((struct fake *)remote)->needs_token && looks_left > 0) {
        looks_left--;
        gl_fail(err, GL_E_TIMEOUT, "the program keys has not answered yet");
        return GL_REMOTE_TOKEN_WAITS;
    }
    return 0;
}

static const struct gl_remote_ops program_ops = {.authorize = authorize, .token_ask = ask_program};

/* Of three clouds one is silent, one has a program to wait for, one answers at once. */
static void refresh_beside(struct bench *bench, struct silent *silent, unsigned looks)
{
    static const char *const hosts[] = {"dead", "good", "good"};
    static struct gl_world world;

    open_bench(bench, hosts, 3);
    gl_world_real(&world);
    *silent = (struct silent){.http = {.ops = &net_ops, .flights = &silent_flights}};
    world.http = &silent->http;
    looks_left = looks;
    for (size_t i = 0; i < 3; i++) {
        bench->fakes[i].remote.world = &world;
        bench->fakes[i].remote.http = &silent->http;
        bench->fakes[i].remote.ops = &program_ops;
    }
    bench->fakes[1].needs_token = true;
    refresh(bench, 1500);
}

static void test_programs_run_beside_the_others(void **state)
{
    struct bench bench;
    struct silent silent;

    (void)state;
    refresh_beside(&bench, &silent, 9);
    assert_int_equal(looks_left, 0);
    assert_true(bench.reports[1].is_whole); /* it did not wait for the dead one's end */
    assert_true(bench.reports[2].is_whole);
    assert_int_equal(bench.reports[0].first.code, GL_E_TIMEOUT);
    close_bench(&bench);

    refresh_beside(&bench, &silent, UINT_MAX); /* a program that hangs is named */
    assert_int_equal(bench.reports[1].failed, 3);
    assert_int_equal(bench.reports[1].first.code, GL_E_TIMEOUT);
    assert_non_null(strstr(bench.reports[1].first.text, "the program keys has not answered yet"));
    assert_true(bench.reports[2].is_whole);
    close_bench(&bench);
}

/* Rows without end stop at the ceiling and are found again when there are many. */
static int read_many(struct gl_cloud *cloud, const struct gl_remote_call *call, int kind,
                     const char *region, struct gl_catalog_round *round, struct gl_catalog *catalog,
                     struct gl_error *err)
{
    (void)cloud, (void)call, (void)kind, (void)region, (void)round, (void)err;
    for (int i = 0; i < GL_CATALOG_ROWS + 1000; i++) {
        struct gl_catalog_row row;
        char type[32];

        snprintf(type, sizeof type, "t%d", i);
        gl_catalog_row_init(&row, "r", type);
        gl_catalog_add(catalog, &row);
    }
    return 0;
}

static const struct gl_catalog_ops many_ops = {.begin = begin, .read = read_many};
static const struct gl_cloud_ops many_cloud = {.name = "many", .catalog = &many_ops};

static void test_ceiling(void **state)
{
    static const char *const hosts[] = {"good"};
    struct bench bench;

    (void)state;
    open_bench(&bench, hosts, 1);
    bench.fakes[0].remote.cloud.ops = &many_cloud;
    refresh(&bench, 60000);
    assert_int_equal(bench.reports[0].rows, GL_CATALOG_ROWS);
    assert_false(bench.reports[0].is_whole);
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages_and_rows),
        cmocka_unit_test(test_others_go_on),
        cmocka_unit_test(test_token_is_fetched_once),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_programs_run_beside_the_others),
        cmocka_unit_test(test_offline),
        cmocka_unit_test(test_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
