/* SPDX-License-Identifier: Apache-2.0 */
/* The meter of a simulated instance, read as the broker reads any meter; and one whole life through
 * the journal, with a receipt that verifies. */
#include "base/file.h"
#include "broker/launch.h"
#include "broker/meterlog.h"
#include "broker/receipt.h"
#include "broker/sim/sim_meter.h"
#include "tests/support/make_batches.c"
#include "tests/support/make_evidence.c"
#include "tests/support/scratch.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define START_MS INT64_C(1781049600000)
#define HOUR_MS  INT64_C(3600000)

static struct gl_sim_guest guest_of(const struct gl_instance_span *spans, size_t count,
                                    int64_t until_ms, bool is_final)
{
    struct gl_sim_guest guest = {.launch_id = "gl-sim",
                                 .type = "sim-2",
                                 .vcpus = 2,
                                 .memory_mib = 4096,
                                 .interval_s = 600,
                                 .spans = spans,
                                 .span_count = count,
                                 .until_ms = until_ms,
                                 .is_final = is_final};

    memset(guest.enrol, 7, sizeof guest.enrol);
    return guest;
}

static void listen(const struct gl_sim_guest *guest, struct gl_str *out_text,
                   struct gl_meterlog *out)
{
    static struct gl_sim_meter meter;

    meter = (struct gl_sim_meter){.per_batch = 4};
    gl_sim_meter_console(&meter, guest, out_text);
    gl_meterlog_init(out, "gl-sim", guest->enrol, sizeof guest->enrol);
    gl_meterlog_feed(out, gl_str_text(out_text), out_text->length);
    assert_int_equal(out->rejected + out->forked + out->orphaned + out->repeated, 0);
}

static const struct gl_instance_span paused[] = {
    {START_MS, START_MS + HOUR_MS, true, "a"},
    {START_MS + HOUR_MS, START_MS + 3 * HOUR_MS, false, "a"},
    {START_MS + 3 * HOUR_MS, INT64_MAX, true, "b"},
};

static void test_readings(void **state)
{
    struct gl_sim_guest guest = guest_of(paused, 1, START_MS + 2 * HOUR_MS, true);
    struct gl_str text = {0};
    struct gl_meterlog log;
    int64_t energy_uj = 0;
    double mean_w;

    (void)state;
    listen(&guest, &text, &log);
    assert_true(log.is_final);
    /* every ten minutes from half a second on, and a goodbye */
    assert_int_equal(log.count, 7);
    for (size_t i = 0; i < log.count; i++)
        for (size_t c = 0; c < log.readings[i].component_count; c++) {
            assert_int_equal(log.readings[i].components[c].tier, GL_TIER_S);
            energy_uj += log.readings[i].components[c].delta_uj;
        }
    mean_w = (double)energy_uj / 1e6 / 3600;
    assert_float_equal(mean_w, gl_sim_meter_watts(2, 4096, gl_sim_meter_load(&guest)).central,
                       0.01);
    gl_meterlog_done(&log);
    gl_str_done(&text);
}

/* What it said is not taken back, and what it had not sealed when its place went down is not heard.
 */
static void test_console_only_grows(void **state)
{
    static const struct gl_instance_span always[] = {{START_MS, INT64_MAX, true, "a"}};
    struct gl_str before = {0}, after = {0};
    struct gl_meterlog log;
    struct gl_sim_guest guest = guest_of(always, 1, START_MS + HOUR_MS * 9 / 10, false);

    (void)state;
    listen(&guest, &before, &log);
    assert_int_equal(log.count, 4); /* six were made, a batch holds four */
    assert_false(log.is_final);
    gl_meterlog_done(&log);
    guest.until_ms += HOUR_MS;
    listen(&guest, &after, &log);
    gl_meterlog_done(&log);
    assert_true(after.length > before.length);
    assert_memory_equal(gl_str_text(&before), gl_str_text(&after), before.length);
    gl_str_done(&before);
    gl_str_done(&after);
}

static void test_standing_still_costs_nothing(void **state)
{
    struct gl_sim_guest guest = guest_of(paused, 3, START_MS + 4 * HOUR_MS, true);
    struct gl_str text = {0};
    struct gl_meterlog log;
    unsigned jumps = 0;

    (void)state;
    listen(&guest, &text, &log);
    for (size_t i = 0; i < log.count; i++) {
        const struct gl_reading *reading = &log.readings[i];

        assert_false(reading->wall_ms > START_MS + HOUR_MS &&
                     reading->wall_ms < START_MS + 3 * HOUR_MS);
        jumps += (reading->components[0].flags & GL_FLAG_JUMPED) != 0;
    }
    assert_int_equal(jumps, 1);
    assert_int_equal(log.readings[log.count - 1].boottime_ns, 2 * HOUR_MS * 1000000);
    assert_int_equal(log.readings[log.count - 1].wall_ms, guest.until_ms);
    gl_meterlog_done(&log);
    gl_str_done(&text);
}

/* ---- one life ---- */

static struct gl_cloud *open_sim(void *cookie, const char *name, const char *zone,
                                 struct gl_error *err)
{
    (void)name;
    (void)zone;
    (void)err;
    return gl_sim_open(cookie);
}

static char *live(const char *folder, struct gl_world *world, struct gl_sim *sim)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, "ledger.db");
    int64_t now_s = world->now_ms(world->cookie) / 1000;
    GL_AUTO(gl_auto_json) json_t *plan = fake_plan(now_s, now_s + 2 * 3600);
    struct gl_error err = {0};
    struct gl_ledger *ledger = gl_ledger_open(path, world, 0, &err);
    struct gl_launcher launcher = {
        .world = world, .ledger = ledger, .state_folder = folder, .cookie = sim, .open = open_sim};
    const struct gl_order order = {
        .name = "",
        .cloud = GL_SIM_NAME,
        .zone = "XX",
        .plan = plan,
        .is_demo = true,
        .launch = {
            .region = "simulated-here", .type = "sim-2", .lease = {2 * 3600}, .interval_s = 600}};
    struct gl_ending ending = {.exit_status = -1};
    struct gl_instance instance;

    assert_non_null(ledger);
    json_object_set_new(plan, "machine",
                        json_pack("{s:s,s:i,s:i,s:i,s:i}", "family", GL_SIM_CPU_FAMILY,
                                  "threads_milli", 2000, "memory_mb", 4294, "gpu_count", 0,
                                  "gpu_watts", 0));
    json_object_set_new(json_object_get(plan, "meter"), "interval_ms", json_integer(600000));
    if (gl_launch_start(&launcher, &order, &instance, &err) != 0)
        fail_msg("%s", err.text);
    world->sleep_ms(world->cookie, HOUR_MS);
    if (gl_launch_finish(&launcher, instance.launch_id, &ending, &err) != 0)
        fail_msg("%s", err.text);
    gl_ledger_close(ledger);
    return ending.receipt;
}

static void test_one_life(void **state)
{
    static const struct gl_sim_place places[] = {{.name = "simulated-here"}};
    char *folder = scratch_make("test_sim_meter");
    struct gl_world *world = gl_world_fixed_new(START_MS, 1, NULL);
    struct gl_sim_meter meter = {.per_batch = 4};
    struct gl_error err = {0};
    struct gl_sim *sim = gl_sim_new(&(struct gl_sim_options){.world = world,
                                                             .places = places,
                                                             .place_count = 1,
                                                             .cookie = &meter,
                                                             .console = gl_sim_meter_console},
                                    &err);
    char *receipt = live(folder, world, sim);
    struct gl_receipt_check check;
    const json_t *derived;

    (void)state;
    if (gl_receipt_verify(receipt, strlen(receipt), NULL, &check, &err) != 0)
        fail_msg("%s", err.text);
    assert_true(check.is_demo);
    assert_int_equal(check.readings, 7);
    derived = json_object_get(check.receipt, "derived");
    assert_string_equal(json_string_value(json_object_get(derived, "grade")), "E");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(derived, "meter"), "tier")), "S");
    assert_int_equal(json_array_size(json_object_get(derived, "gaps")), 0);
    gl_receipt_check_done(&check);
    free(receipt);
    gl_sim_free(sim);
    gl_world_fixed_free(world);
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readings),
        cmocka_unit_test(test_console_only_grows),
        cmocka_unit_test(test_standing_still_costs_nothing),
        cmocka_unit_test(test_one_life),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
