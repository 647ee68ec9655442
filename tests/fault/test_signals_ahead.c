/* SPDX-License-Identifier: Apache-2.0 */
/* Questions of many zones under way at once, over real connections: the answers are those of asking
 * one after another, in the time of one, and a silent source costs its time once. */
#include "base/http.h"
#include "base/json.h"
#include "providers/signal/store.h"
#include "tests/support/http_server.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define LATENCY_MS 100
#define ZONES      (sizeof zones / sizeof *zones)

static const char *const zones[] = {"DE", "FR", "ES", "AT", "BE", "NL", "PL", "CZ"};
static struct gl_world world;
static int64_t hour_s;

/* Shares of the running hour, told apart by the country's first letter. */
static void answer(const struct gl_test_request *request, struct gl_test_answer *out, void *cookie)
{
    const bool *is_silent = cookie;
    GL_AUTO(gl_str_done) struct gl_str body = {0};
    const char *country = strstr(request->query, "country=");
    int share = country != NULL ? country[8] : 0;

    out->is_silent = *is_silent;
    gl_str_addf(&body,
                "{\"unix_seconds\":[%" PRId64 ",%" PRId64 "],\"share\":[%d,%d],\"signal\":[1,1],"
                "\"substitute\":false,\"deprecated\":false}",
                hour_s, hour_s + 3600, share - 60, share - 60);
    gl_test_answer_text(out, strcmp(request->path, "/signal") == 0 ? 200 : 404, "application/json",
                        body.text);
    out->delay_ms = LATENCY_MS;
}

static struct gl_signal_query query_of(const char *zone)
{
    struct gl_signal_query query = {.from = {hour_s}, .until = {hour_s + 3600}};

    snprintf(query.zone, sizeof query.zone, "%s", zone);
    return query;
}

static int64_t now_ms(void)
{
    return world.monotonic_ms(world.cookie);
}

/* What all zones know, as text; how long it took. */
static int64_t ask_all(const char *endpoint, bool is_ahead, struct gl_str *out)
{
    const struct gl_signal_config source = {.name = "energy-charts", .endpoint = endpoint};
    struct gl_signal_store *store = gl_signal_store_new(
        &(struct gl_signal_store_options){.world = &world, .sources = &source, .source_count = 1});
    int64_t began_ms = now_ms(), took_ms;

    for (size_t i = 0; is_ahead && i < ZONES; i++) {
        const struct gl_signal_query query = query_of(zones[i]);

        gl_signal_store_ahead(store, &query);
        gl_signal_store_ahead(store, &query);
    }
    for (size_t i = 0; i < ZONES; i++) {
        const struct gl_signal_query query = query_of(zones[i]);
        const struct gl_zone_facts *facts = gl_signal_store_zone(store, &query);

        for (size_t s = 0; s < facts->count; s++)
            gl_str_addf(out, "%s %s %zu %" PRId64 "\n", facts->zone, facts->series[s]->dataset,
                        facts->series[s]->count,
                        facts->series[s]->count > 0 ? facts->series[s]->points[0].value_u : -1);
    }
    took_ms = now_ms() - began_ms;
    gl_signal_store_free(store);
    return took_ms;
}

static int fresh(void **state)
{
    (void)state;
    gl_world_real(&world);
    world.http = gl_http_curl_new();
    hour_s = time(NULL) / 3600 * 3600;
    return 0;
}

static int done(void **state)
{
    (void)state;
    gl_http_close(world.http);
    return 0;
}

static void the_same_answers_in_the_time_of_one(void **state)
{
    bool is_silent = false;
    struct gl_test_server *server = gl_test_server_start(answer, &is_silent);
    GL_AUTO(gl_str_done) struct gl_str together = {0}, apart = {0};
    int64_t together_ms = ask_all(gl_test_server_url(server), true, &together);
    unsigned requests = gl_test_server_requests(server);
    int64_t apart_ms = ask_all(gl_test_server_url(server), false, &apart);

    (void)state;
    assert_string_equal(gl_str_text(&together), gl_str_text(&apart));
    assert_non_null(strstr(together.text, "DE "));
    assert_int_equal(2 * requests, gl_test_server_requests(server)); /* none twice */
    print_message("# %zu zones: %" PRId64 " ms together, %" PRId64 " ms apart\n", ZONES,
                  together_ms, apart_ms);
    assert_true(together_ms < apart_ms / 2);
    gl_test_server_stop(server);
}

static void a_silent_source_costs_its_time_once(void **state)
{
    bool is_silent = true;
    struct gl_test_server *server = gl_test_server_start(answer, &is_silent);
    GL_AUTO(gl_str_done) struct gl_str told = {0};
    int64_t took_ms = ask_all(gl_test_server_url(server), true, &told);

    (void)state;
    assert_true(took_ms >= 900 && took_ms < 2500); /* the budget is two seconds */
    gl_test_server_stop(server);
}

/* What was asked and never fetched leaves nothing behind. */
static void nobody_need_take_the_answers(void **state)
{
    bool is_silent = false;
    struct gl_test_server *server = gl_test_server_start(answer, &is_silent);
    const struct gl_signal_config source = {.name = "energy-charts",
                                            .endpoint = gl_test_server_url(server)};
    struct gl_signal_store *store = gl_signal_store_new(
        &(struct gl_signal_store_options){.world = &world, .sources = &source, .source_count = 1});

    (void)state;
    for (size_t i = 0; i < ZONES; i++) {
        const struct gl_signal_query query = query_of(zones[i]);

        gl_signal_store_ahead(store, &query);
    }
    gl_signal_store_free(store);
    gl_test_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_answers_in_the_time_of_one, fresh, done),
        cmocka_unit_test_setup_teardown(a_silent_source_costs_its_time_once, fresh, done),
        cmocka_unit_test_setup_teardown(nobody_need_take_the_answers, fresh, done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
