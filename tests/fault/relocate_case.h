/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_RELOCATE_CASE_H
#define GL_TESTS_RELOCATE_CASE_H

/* A launch that is moved to another region by image, and what must hold whatever came of it. For
 * test_relocate*.c, one program each; define JOURNAL_CASE first. */

#include "tests/fault/journal_child.h"
#include "tests/support/make_evidence.h"
#include "tests/support/no_sync.h"

#include "base/file.h"
#include "broker/relocate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The old launch; in memory of the parent and every child, set before they part. */
static char old_id[GL_CLOUD_ID];
static int64_t there_ug_per_kwh = 40000000;
static const char *const command[] = {"train", "--resume", NULL};

static inline void wait_ms(int64_t ms)
{
    bench.cloud->world.sleep_ms(bench.cloud, ms);
}

static inline void start_old(void)
{
    struct gl_instance instance;
    struct gl_error err = {0};

    if (journal_bench_start(&bench, "nightly", &instance, &err) != 0)
        fail_msg("%s", err.text);
    snprintf(old_id, sizeof old_id, "%s", instance.launch_id);
    wait_ms(4000);
}

static inline void begin(void)
{
    again();
    start_old();
}

/* ---- the move ---- */

static inline json_t *plan_there(struct gl_error *err)
{
    static const char *const zones[] = {"YY"};
    const struct gl_world *world = &bench.cloud->world;
    int64_t now_s = world->now_ms(world->cookie) / 1000, hour_s = now_s - now_s % 3600;
    GL_AUTO(gl_auto_json) json_t *old = fake_plan(now_s - 4, now_s + JOURNAL_LEASE_S - 4);
    GL_AUTO(gl_auto_json)
    json_t *series =
        json_pack("[o,o]", fake_series_json("YY", hour_s, hour_s + 7200, there_ug_per_kwh),
                  fake_shares_json("YY", hour_s, hour_s + 7200, 990000));
    const struct gl_relocate_place place = {"memory", GL_MEMORY_REGION_2, zones, 1, series};

    if (bench.charge != NULL)
        json_object_set(old, "budget", (json_t *)(uintptr_t)bench.charge);
    return gl_relocate_plan(old, &place, (struct gl_instant){now_s},
                            (struct gl_instant){now_s + JOURNAL_LEASE_S - 4}, err);
}

static inline int move_with(struct journal_bench *own, struct gl_relocate_order order,
                            struct gl_relocated *out, struct gl_error *err)
{
    const struct gl_shift_reason reason = {"person", "greener there", NULL};
    GL_AUTO(gl_auto_json) json_t *plan = plan_there(err);

    order.region = GL_MEMORY_REGION_2;
    order.zone = "YY";
    order.reason = &reason;
    order.plan = plan;
    order.command = command;
    order.verify_wait_s = 60;
    return gl_launch_relocate(&own->launcher, old_id, &order, out, err);
}

static inline int move(struct journal_bench *own, struct gl_error *err)
{
    struct gl_relocated out;

    return move_with(own, (struct gl_relocate_order){.region = NULL}, &out, err);
}

/* ---- what must hold ---- */

static inline void reconcile_until_settled(void)
{
    struct gl_reconciled counts;
    struct gl_error err = {0};

    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(gl_launch_reconcile(&bench.launcher, &counts, &err), 0);
        if (counts.failed + counts.unknown == 0)
            break;
        wait_ms(20000);
    }
    if (counts.failed + counts.unknown > 0)
        fail_msg("%u failed, %u unknown: %s", counts.failed, counts.unknown, counts.first.text);
}

static inline unsigned live(struct gl_launch_row *out, char *out_region)
{
    struct gl_launch_rows rows;
    struct gl_error err = {0};
    unsigned count = 0;

    assert_int_equal(gl_ledger_launches(bench.ledger, "nightly", &rows, &err), 0);
    for (size_t i = 0; i < rows.count; i++)
        if (!gl_launch_row_is_over(&rows.rows[i])) {
            assert_string_equal(rows.rows[i].state, "running");
            snprintf(out_region, 40, "%s", rows.rows[i].region);
            count++;
        }
    (void)out;
    gl_launch_rows_free(&rows);
    return count;
}

static inline void sweep_until_clean(void)
{
    struct gl_relocate_swept swept;

    for (unsigned i = 0; i < 8; i++) {
        gl_relocate_sweep(&bench.launcher, &swept);
        if (swept.left == 0)
            return;
        wait_ms(20000);
    }
    fail_msg("%u left: %s", swept.left, swept.first.text);
}

/* One machine on and none off, no image, the ledger right about it; true when it is there. */
static inline bool is_there_and_sound(void)
{
    char region[40] = "";

    reconcile_until_settled();
    sweep_until_clean();
    assert_int_equal(gl_memory_on(bench.cloud->store), 1);
    assert_int_equal(gl_memory_running(bench.cloud->store), 1);
    assert_int_equal(gl_memory_images(bench.cloud->store), 0);
    assert_int_equal(live(NULL, region), 1);
    journal_bench_assert_over(&bench);
    assert_int_equal(gl_memory_images(bench.cloud->store), 0);
    return strcmp(region, GL_MEMORY_REGION_2) == 0;
}

#endif
