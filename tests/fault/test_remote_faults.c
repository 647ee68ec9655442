/* SPDX-License-Identifier: Apache-2.0 */
/* Hetzner, DigitalOcean and Scaleway when things go wrong: whatever is cut, lost, refused or late,
 * there is one instance of a token or none, never two, nothing is left behind, and no secret is in
 * what is said. Waiting happens on a clock of our own. */
#include "tests/conformance/cloud_vps_bench.h"

#include "providers/cloud/remote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- a create whose answer is lost or spoilt ---- */

static void test_done_but_not_answered(void **state)
{
    static const struct gl_fake_fault faults[] = {
        {.kind = GL_FAKE_CUT_AFTER},
        {.kind = GL_FAKE_LOST, .status = 502},
        {.kind = GL_FAKE_LOST, .status = 504},
        {.kind = GL_FAKE_TRUNCATED},
        {.kind = GL_FAKE_WRONG_TYPE},
        {.kind = GL_FAKE_GARBAGE},
        {.kind = GL_FAKE_HUGE},
        {.kind = GL_FAKE_SLOW, .delay_ms = 700},
    };

    (void)state;
    GL_VPS_EACH(words)
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct gl_fake_fault fault = faults[i];
        struct gl_vps_bench bench;

        gl_vps_bench_open(&bench, words);
        fault.on = words->create;
        fault.times = 1;
        gl_vps_bench_fault(&bench, fault);
        gl_vps_bench_launch(&bench);
        if (bench.got < 0)
            fail_msg("%s, kind %d: %s", words->name, (int)fault.kind, bench.err.text);
        assert_string_equal(bench.made.token, GL_VPS_TOKEN);
        assert_int_equal(bench.fake->created, 1);
        gl_vps_bench_close(&bench, 1);
    }
}

static void test_not_done_and_not_answered(void **state)
{
    static const struct gl_fake_fault faults[] = {
        {.kind = GL_FAKE_CUT_BEFORE},
        {.kind = GL_FAKE_REFUSED, .status = 500},
        {.kind = GL_FAKE_REFUSED, .status = 503},
        {.kind = GL_FAKE_REFUSED, .status = 302, .headers = "Location: https://127.0.0.1/\r\n"},
    };

    (void)state;
    GL_VPS_EACH(words)
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct gl_fake_fault fault = faults[i];
        struct gl_vps_bench bench;

        gl_vps_bench_open(&bench, words);
        fault.on = words->create;
        fault.times = 100;
        gl_vps_bench_fault(&bench, fault);
        gl_vps_bench_launch(&bench);
        assert_int_equal(bench.got, -1);
        assert_int_equal(bench.err.code, GL_E_OUTCOME);
        assert_int_equal(bench.fake->faults[0].times, 99); /* sent once */
        assert_true(gl_vps_slept_ms >= GL_REMOTE_SETTLE_MS - 2000);
        gl_vps_bench_close(&bench, 0);
    }
}

/* Lists lag behind: what was cut off is found all the same, and made once. */
static void test_late_lists(void **state)
{
    (void)state;
    GL_VPS_EACH(words)
    {
        struct gl_vps_bench bench;

        gl_vps_bench_open(&bench, words);
        bench.fake->hides = 4;
        gl_vps_bench_fault(&bench, (struct gl_fake_fault){
                                       .on = words->create, .kind = GL_FAKE_CUT_AFTER, .times = 1});
        gl_vps_bench_launch(&bench);
        assert_int_equal(bench.got, 0);
        assert_int_equal(bench.fake->created, 1);
        gl_vps_bench_close(&bench, 1);

        gl_vps_bench_open(&bench, words); /* 404 after an answered create */
        bench.fake->hides = 2;
        gl_vps_bench_launch(&bench);
        if (words->ops == &gl_fake_scaleway && bench.got < 0)
            fail_msg("%s", bench.err.text);
        assert_int_equal(bench.got, 0);
        assert_int_equal(bench.fake->created, 1);
        gl_vps_bench_close(&bench, 1);
    }
}

/* ---- refusals ---- */

static void test_refused(void **state)
{
    (void)state;
    GL_VPS_EACH(words)
    {
        const struct {
            int status;
            const char *body;
            enum gl_errc code;
        } rows[] = {
            {words->capacity_status, words->capacity, GL_E_CAPACITY},
            {words->quota_status, words->quota, GL_E_QUOTA},
            {400, words->quote, GL_E_BAD_VALUE},
        };

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            struct gl_vps_bench bench;

            gl_vps_bench_open(&bench, words);
            gl_vps_bench_fault(&bench, (struct gl_fake_fault){.on = words->create,
                                                              .kind = GL_FAKE_REFUSED,
                                                              .times = 100,
                                                              .status = rows[i].status,
                                                              .body = rows[i].body});
            gl_vps_bench_launch(&bench);
            assert_int_equal(bench.got, -1);
            assert_int_equal(bench.err.code, rows[i].code);
            assert_int_equal(bench.fake->faults[0].times, 99);
            assert_string_not_equal(bench.cloud->failure.word, "");
            gl_vps_bench_close(&bench, 0);
        }
    }
}

static void test_throttle_storm(void **state)
{
    char headers[64];

    (void)state;
    GL_VPS_EACH(words)
    for (unsigned times = 2; times <= 100; times += 98) {
        struct gl_vps_bench bench;

        gl_vps_bench_open(&bench, words);
        snprintf(headers, sizeof headers, "%s: %lld\r\n", words->reset,
                 (long long)(bench.world.now_ms(bench.world.cookie) / 1000 + 7));
        gl_vps_bench_fault(&bench, (struct gl_fake_fault){.on = words->create,
                                                          .kind = GL_FAKE_REFUSED,
                                                          .times = times,
                                                          .status = 429,
                                                          .body = words->throttle,
                                                          .headers = headers});
        gl_vps_bench_launch(&bench);
        if (words->ops != &gl_fake_scaleway)
            assert_true(gl_vps_slept_ms >= 6000); /* as its own header asks */
        assert_int_equal(bench.got, times == 2 ? 0 : -1);
        if (times > 2)
            assert_int_equal(bench.err.code, GL_E_RATE_LIMIT);
        assert_int_equal(bench.fake->faults[0].times, times > 2 ? 97 : 0);
        gl_vps_bench_close(&bench, times == 2);
    }
}

/* Scaleway is asked by zone, three at once. */
static unsigned places_of(const struct gl_vps_words *words)
{
    return words->ops == &gl_fake_scaleway ? 3 : 1;
}

static void test_wrong_token(void **state)
{
    (void)state;
    GL_VPS_EACH(words)
    {
        struct gl_vps_bench bench;

        gl_vps_bench_open(&bench, words);
        gl_vps_bench_fault(&bench, (struct gl_fake_fault){.on = words->list,
                                                          .kind = GL_FAKE_REFUSED,
                                                          .times = 100,
                                                          .status = 401,
                                                          .body = words->ops->unauthorized});
        gl_vps_bench_launch(&bench);
        assert_int_equal(bench.got, -1);
        assert_int_equal(bench.err.code, GL_E_NO_CREDENTIAL);
        /* Once again, anew: of each call. */
        assert_int_equal(bench.fake->faults[0].times, 100 - 2 * places_of(words));
        assert_int_equal(bench.fake->created, 0);
        gl_vps_bench_close(&bench, 0);
    }
}

/* Without having looked nothing is created; a look that fails now and then is repeated. */
static void test_search_fails(void **state)
{
    (void)state;
    GL_VPS_EACH(words)
    {
        struct gl_vps_bench bench;

        gl_vps_bench_open(&bench, words);
        gl_vps_bench_fault(
            &bench, (struct gl_fake_fault){
                        .on = words->list, .kind = GL_FAKE_REFUSED, .times = 100, .status = 500});
        gl_vps_bench_launch(&bench);
        assert_int_equal(bench.got, -1);
        assert_int_equal(bench.err.code, GL_E_PROVIDER);
        assert_int_equal(bench.fake->faults[0].times, 100 - GL_REMOTE_TRIES * places_of(words));
        assert_int_equal(bench.fake->created, 0);
        gl_vps_bench_close(&bench, 0);

        gl_vps_bench_open(&bench, words);
        gl_vps_bench_fault(&bench, (struct gl_fake_fault){
                                       .on = words->list, .kind = GL_FAKE_CUT_BEFORE, .times = 2});
        gl_vps_bench_launch(&bench);
        assert_int_equal(bench.got, 0);
        gl_vps_bench_close(&bench, 1);
    }
}

/* ---- the end ---- */

static void test_terminate_in_trouble(void **state)
{
    (void)state;
    GL_VPS_EACH(words)
    {
        const struct gl_fake_fault faults[] = {
            {.kind = GL_FAKE_REFUSED, .status = 500, .times = 2},
            {.kind = GL_FAKE_REFUSED,
             .status = words->busy_status,
             .body = words->busy,
             .times = 2},
            {.kind = GL_FAKE_CUT_AFTER, .times = 1},
        };

        for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
            struct gl_fake_fault fault = faults[i];
            struct gl_vps_bench bench;
            struct gl_error err = {0};

            gl_vps_bench_open(&bench, words);
            gl_vps_bench_launch(&bench);
            assert_int_equal(bench.got, 0);
            fault.on = words->erase;
            gl_vps_bench_fault(&bench, fault);
            if (bench.cloud->ops->terminate(bench.cloud, bench.made.id, &err) < 0)
                fail_msg("%s: %s", words->name, err.text);
            assert_int_equal(bench.cloud->ops->terminate(bench.cloud, bench.made.id, &err), 0);
            gl_vps_bench_close(&bench, 0);
        }
    }
}

/* ---- two of one token ---- */

static void test_two_of_one_token(void **state)
{
    (void)state;
    GL_VPS_EACH(words)
    {
        struct gl_vps_bench bench;
        struct gl_fake_server *twin;

        gl_vps_bench_open(&bench, words);
        gl_vps_bench_launch(&bench);
        assert_int_equal(bench.got, 0);
        twin = &bench.fake->servers[bench.fake->count++];
        *twin = bench.fake->servers[0];
        twin->labels = json_deep_copy(twin->labels);
        twin->id++;
        twin->uuid[35] = 'f';
        twin->created_s += 2;
        assert_int_equal(gl_fake_running(bench.fake), 2);
        assert_int_equal(gl_vps_bench_find(&bench), 1);
        assert_true(bench.fake->servers[0].is_there); /* the eldest counts */
        assert_false(twin->is_there);
        gl_vps_bench_close(&bench, 1);
    }
}

static void test_beaten_by_another(void **state)
{
    (void)state;
    GL_VPS_EACH(words)
    {
        struct gl_vps_bench bench;

        gl_vps_bench_open(&bench, words);
        bench.fake->elder = strcmp(words->name, "digitalocean") == 0 ? "active" : "running";
        gl_vps_bench_launch(&bench);
        if (bench.got != 0)
            fail_msg("%s: %s", words->name, bench.err.text);
        assert_string_equal(bench.made.token, bench.launch.token);
        assert_int_equal(gl_fake_running(bench.fake), 1);
        gl_vps_bench_close(&bench, 1);
    }
}

/* ---- Scaleway: made, but not started ---- */

static void leave_half_made(struct gl_vps_bench *bench)
{
    gl_vps_bench_open(bench, &gl_vps_clouds[2]);
    gl_vps_bench_fault(bench,
                       (struct gl_fake_fault){
                           .on = "PATCH *", .kind = GL_FAKE_REFUSED, .times = 100, .status = 500});
    gl_vps_bench_fault(bench,
                       (struct gl_fake_fault){
                           .on = "DELETE *", .kind = GL_FAKE_REFUSED, .times = 100, .status = 500});
    gl_vps_bench_launch(bench);
    assert_int_equal(bench->got, -1);
    assert_int_equal(bench->err.code, GL_E_OUTCOME); /* something is left, and it is said */
    assert_int_equal(gl_fake_running(bench->fake), 1);
    memset(bench->fake->faults, 0, sizeof bench->fake->faults);
}

static void test_half_made(void **state)
{
    struct gl_vps_bench bench;

    (void)state;
    leave_half_made(&bench); /* nobody comes back: ended by whoever looks */
    assert_int_equal(gl_vps_bench_find(&bench), 0);
    gl_vps_bench_close(&bench, 0);
    leave_half_made(&bench); /* the same launch again: brought to its end */
    gl_vps_bench_launch(&bench);
    assert_int_equal(bench.got, 0);
    assert_int_equal(bench.fake->created, 1);
    assert_true(bench.fake->servers[0].has_user_data);
    assert_string_equal(bench.fake->servers[0].state, "running");
    gl_vps_bench_close(&bench, 1);
}

static void test_no_stock_at_start(void **state)
{
    struct gl_vps_bench bench;

    (void)state;
    gl_vps_bench_open(&bench, &gl_vps_clouds[2]);
    gl_vps_bench_fault(&bench, (struct gl_fake_fault){.on = "POST *action",
                                                      .kind = GL_FAKE_REFUSED,
                                                      .times = 1,
                                                      .status = 503,
                                                      .body = gl_vps_clouds[2].capacity});
    gl_vps_bench_launch(&bench);
    assert_int_equal(bench.got, -1);
    assert_int_equal(bench.err.code, GL_E_CAPACITY);
    gl_vps_bench_close(&bench, 0);
    gl_vps_bench_open(&bench, &gl_vps_clouds[2]); /* the order was heard, its answer was not */
    gl_vps_bench_fault(&bench, (struct gl_fake_fault){
                                   .on = "POST *action", .kind = GL_FAKE_CUT_AFTER, .times = 1});
    gl_vps_bench_launch(&bench);
    assert_int_equal(bench.got, 0);
    gl_vps_bench_close(&bench, 1);
}

/* ---- giving up ---- */

static bool at_once(void *cookie)
{
    struct gl_fake *fake = cookie;

    return fake->created > 0;
}

static void test_cancelled(void **state)
{
    (void)state;
    GL_VPS_EACH(words)
    {
        struct gl_vps_bench bench;

        gl_vps_bench_open(&bench, words);
        bench.launch.is_cancelled = at_once;
        bench.launch.cookie = bench.fake;
        gl_vps_bench_launch(&bench);
        assert_int_equal(bench.got, -1);
        assert_int_equal(bench.err.code, GL_E_INTERRUPTED);
        gl_vps_bench_close(&bench, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_done_but_not_answered),
        cmocka_unit_test(test_not_done_and_not_answered),
        cmocka_unit_test(test_late_lists),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_throttle_storm),
        cmocka_unit_test(test_wrong_token),
        cmocka_unit_test(test_search_fails),
        cmocka_unit_test(test_terminate_in_trouble),
        cmocka_unit_test(test_two_of_one_token),
        cmocka_unit_test(test_beaten_by_another),
        cmocka_unit_test(test_half_made),
        cmocka_unit_test(test_no_stock_at_start),
        cmocka_unit_test(test_cancelled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
