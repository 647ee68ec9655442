/* SPDX-License-Identifier: Apache-2.0 */
/* A rented machine moved to another region through the real adapter (Google's) and a counterpart:
 * killed at every step there is one machine, no image is left, and both receipts verify. */
#include "tests/support/rented_bench.h"

#include "base/file.h"
#include "broker/receipt.h"
#include "broker/relocate.h"
#include "tests/support/make_evidence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/no_sync.h"

#define THERE "us-east9"

static struct rented_bench bench;
static struct gl_error err;
static char old_id[GL_CLOUD_ID];
static unsigned kill_at, steps;

static int set_up(void **state)
{
    struct gl_instance instance;

    (void)state;
    rented_bench_open(&bench, "test_relocate_rented");
    gl_error_clear(&err);
    if (rented_bench_start(&bench, RENTED_TYPE, &instance, &err) != 0)
        fail_msg("%s", err.text);
    snprintf(old_id, sizeof old_id, "%s", instance.launch_id);
    bench.clock->slept_ms += 20000;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rented_bench_close(&bench);
    return 0;
}

static int move(struct gl_relocated *out)
{
    static const char *const zones[] = {"YY"}, *const command[] = {"true", NULL};
    static const struct gl_shift_reason reason = {"person", "greener there", NULL};
    int64_t now_s = bench.world.now_ms(bench.world.cookie) / 1000, hour_s = now_s - now_s % 3600;
    GL_AUTO(gl_auto_json) json_t *old = fake_plan(now_s, now_s + 200);
    GL_AUTO(gl_auto_json)
    json_t *series = json_pack("[o,o]", fake_series_json("YY", hour_s, hour_s + 7200, 40000000),
                               fake_shares_json("YY", hour_s, hour_s + 7200, 990000));
    const struct gl_relocate_place place = {"gcp", THERE, zones, 1, series};
    GL_AUTO(gl_auto_json)
    json_t *plan = gl_relocate_plan(old, &place, (struct gl_instant){now_s},
                                    (struct gl_instant){now_s + 200}, &err);
    const struct gl_relocate_order order = {.region = THERE,
                                            .zone = "YY",
                                            .reason = &reason,
                                            .plan = plan,
                                            .command = command,
                                            .meter = &bench.meter,
                                            .verify_wait_s = 60};

    return gl_launch_relocate(&bench.launcher, old_id, &order, out, &err);
}

/* ---- what must hold ---- */

static unsigned machines(bool is_on)
{
    unsigned count = 0;

    for (size_t i = 0; i < bench.fake.count; i++) {
        const char *status = json_string_value(json_object_get(bench.fake.instances[i], "status"));

        count += status != NULL && (!is_on || strcmp(status, "RUNNING") == 0);
    }
    return count;
}

static void assert_receipt(const char *launch)
{
    GL_AUTO(gl_auto_free) char *path = gl_receipt_path(bench.folder, launch);
    GL_AUTO(gl_auto_free) char *public_path = gl_path_join(bench.folder, "broker.pub");
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_receipt_check check;
    struct gl_public_key key;
    size_t length;

    if (gl_file_read(path, GL_RECEIPT_MAX_BYTES, &text, &length, &err) != 0 ||
        gl_public_key_read(public_path, &key, &err) != 0 ||
        gl_receipt_verify(text, length, &key, &check, &err) != 0)
        fail_msg("launch %s: %s", launch, err.text);
    json_decref(check.receipt);
}

/* The one launch that is not over, where it runs; the receipts of the others hold. */
static void assert_one(char region[40])
{
    struct gl_launch_rows rows;
    unsigned live = 0;

    assert_int_equal(machines(false), 1);
    assert_int_equal(machines(true), 1);
    assert_int_equal(json_object_size(bench.fake.images), 0);
    assert_int_equal(gl_ledger_launches(bench.ledger, NULL, &rows, &err), 0);
    for (size_t i = 0; i < rows.count; i++)
        if (!gl_launch_row_is_over(&rows.rows[i])) {
            assert_string_equal(rows.rows[i].state, "running");
            assert_non_null(rented_bench_instance(&bench, rows.rows[i].launch));
            snprintf(region, 40, "%s", rows.rows[i].region);
            live++;
        } else if (rows.rows[i].instance[0] != '\0')
            assert_receipt(rows.rows[i].launch);
    assert_int_equal(live, 1);
    gl_launch_rows_free(&rows);
}

static void settle_all(void)
{
    struct gl_reconciled counts;

    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(gl_launch_reconcile(&bench.launcher, &counts, &err), 0);
        if (counts.failed + counts.unknown == 0)
            return;
        bench.clock->slept_ms += 10000;
    }
    fail_msg("not settled: %u unknown, %s", counts.unknown, counts.first.text);
}

/* ---- tests ---- */

static void it_goes_on_there(void **state)
{
    struct gl_relocated out;
    char region[40] = "";

    (void)state;
    if (move(&out) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(out.unsettled.code, GL_OK);
    assert_one(region);
    assert_string_equal(region, THERE);
    assert_receipt(old_id);
    assert_null(rented_bench_instance(&bench, old_id));
}

static void a_machine_that_says_nothing_is_undone(void **state)
{
    struct gl_relocated out;
    char region[40] = "";

    (void)state;
    bench.is_mute = true;
    assert_int_equal(move(&out), -1);
    assert_int_equal(err.code, GL_E_TIMEOUT);
    bench.is_mute = false;
    settle_all();
    assert_one(region);
    assert_string_equal(region, RENTED_REGION);
}

static void without_a_meter_it_is_not_begun(void **state)
{
    struct gl_relocate_order order = {.region = THERE, .zone = "", .meter = NULL};
    struct gl_relocated out;

    (void)state;
    assert_int_equal(gl_launch_relocate(&bench.launcher, old_id, &order, &out, &err), -1);
    assert_int_equal(err.code, GL_E_USAGE);
    assert_int_equal(machines(true), 1);
}

static void with_a_meter_for_other_machines_it_is_not_begun(void **state)
{
    const struct gl_carried_meter other = {.arm64_url = bench.meter.url,
                                           .arm64_sha256 = bench.meter.sha256};
    struct gl_relocate_order order = {.region = THERE, .zone = "", .meter = &other};
    struct gl_relocated out;

    (void)state;
    assert_int_equal(gl_launch_relocate(&bench.launcher, old_id, &order, &out, &err), -1);
    assert_int_equal(err.code, GL_E_USAGE);
    assert_non_null(strstr(err.text, "the meter named is for arm64"));
    assert_int_equal(machines(true), 1);
}

static void on_step(void *cookie, const char *step)
{
    (void)cookie;
    (void)step;
    if (++steps == kill_at)
        kill(getpid(), SIGKILL);
}

static bool child_lives(unsigned at)
{
    int status = -1;
    pid_t pid;

    rented_bench_detach(&bench);
    pid = fork();
    if (pid == 0) {
        struct gl_relocated out;

        rented_bench_attach(&bench);
        kill_at = at;
        bench.launcher.checkpoint = on_step;
        move(&out);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    rented_bench_attach(&bench);
    return !WIFSIGNALED(status);
}

static void killed_at_any_step_there_is_one(void **state)
{
    unsigned points = 0, there = 0;
    bool lived = false;

    for (unsigned k = 1; !lived && k < 40; k++) {
        char region[40] = "";

        if (k > 1) {
            tear_down(state);
            set_up(state);
        }
        lived = child_lives(k);
        settle_all();
        assert_one(region);
        there += strcmp(region, THERE) == 0;
        points += !lived;
    }
    print_message("killed at %u steps, there %u times\n", points, there);
    assert_true(points >= 14);
    assert_true(there >= 4 && there < points);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(it_goes_on_there),
        CASE(a_machine_that_says_nothing_is_undone),
        CASE(without_a_meter_it_is_not_begun),
        CASE(with_a_meter_for_other_machines_it_is_not_begun),
        CASE(killed_at_any_step_there_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
