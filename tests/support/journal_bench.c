/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/journal_bench.h"

#include "base/file.h"
#include "broker/receipt.h"
#include "broker/shift.h"
#include "broker/tie.h"
#include "tests/support/make_evidence.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- set-up ---- */

void journal_bench_open(struct journal_bench *bench, const char *name)
{
    struct gl_error err = {0};

    *bench = (struct journal_bench){.cloud = metered_cloud_new(), .folder = scratch_make(name)};
    bench->ledger_path = gl_path_join(bench->folder, "ledger.db");
    if (!journal_bench_ledger(bench, 0, &err))
        fail_msg("%s", err.text);
}

void journal_bench_close(struct journal_bench *bench)
{
    gl_ledger_close(bench->ledger);
    metered_cloud_free(bench->cloud);
    free(bench->ledger_path);
    scratch_remove(bench->folder);
}

bool journal_bench_ledger(struct journal_bench *bench, int max_pages, struct gl_error *err)
{
    gl_ledger_close(bench->ledger);
    bench->ledger = gl_ledger_open(bench->ledger_path, &bench->cloud->world, max_pages, err);
    bench->launcher.world = &bench->cloud->world;
    bench->launcher.ledger = bench->ledger;
    bench->launcher.state_folder = bench->folder;
    bench->launcher.cookie = bench->cloud;
    bench->launcher.open = metered_cloud_open;
    return bench->ledger != NULL;
}

/* ---- a life ---- */

int journal_bench_start(struct journal_bench *bench, const char *name, struct gl_instance *out,
                        struct gl_error *err)
{
    const struct gl_world *world = &bench->cloud->world;
    int64_t now_s = world->now_ms(world->cookie) / 1000;
    GL_AUTO(gl_auto_json) json_t *plan = fake_plan(now_s, now_s + JOURNAL_LEASE_S);
    const struct gl_order order = {
        .name = name,
        .cloud = "memory",
        .zone = "XX",
        .plan = plan,
        .launch = {.region = GL_MEMORY_REGION, .type = GL_MEMORY_TYPE, .lease = {JOURNAL_LEASE_S}}};

    if (bench->charge != NULL)
        json_object_set_new(plan, "budget", json_deep_copy(bench->charge));
    return gl_launch_start(&bench->launcher, &order, out, err);
}

int journal_bench_finish(struct journal_bench *bench, const char *launch, int64_t wait_s,
                         struct gl_error *err)
{
    struct gl_ending ending = {.wait = {wait_s}};
    int result = gl_launch_finish(&bench->launcher, launch, &ending, err);

    assert_true(result != 0 || ending.is_over);
    free(ending.receipt);
    return result;
}

int journal_bench_life(struct journal_bench *bench, struct gl_error *err)
{
    struct gl_instance instance;

    if (journal_bench_start(bench, "", &instance, err) != 0)
        return -1;
    bench->cloud->world.sleep_ms(bench->cloud, 12000);
    return journal_bench_finish(bench, instance.launch_id, 5, err);
}

/* ---- paused and moved ---- */

static json_t *shift_evidence(void)
{
    return json_pack("{s:s}", "promise", "expected to lapse");
}

int journal_bench_pause(struct journal_bench *bench, const char *launch, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *evidence = shift_evidence();

    return gl_launch_pause(&bench->launcher, launch,
                           &(struct gl_shift_reason){"guard", "a test", evidence}, err);
}

int journal_bench_resume(struct journal_bench *bench, const char *launch, struct gl_error *err)
{
    return gl_launch_resume(&bench->launcher, launch,
                            &(struct gl_shift_reason){"person", "a test", NULL}, err);
}

int journal_bench_move(struct journal_bench *bench, const char *launch, const char *region,
                       struct gl_error *err)
{
    const struct gl_world *world = &bench->cloud->world;
    int64_t now_s = world->now_ms(world->cookie) / 1000, hour_s = now_s - now_s % 3600;
    bool is_home = strcmp(region, GL_MEMORY_REGION) == 0;
    const char *zone = is_home ? "XX" : "YY";
    GL_AUTO(gl_auto_json)
    json_t *series = json_pack(
        "[o,o]", fake_series_json(zone, hour_s, hour_s + 7200, is_home ? 100000000 : 40000000),
        fake_shares_json(zone, hour_s, hour_s + 7200, 990000));

    return gl_launch_move(&bench->launcher, launch, &(struct gl_shift_place){region, zone, series},
                          &(struct gl_shift_reason){"guard", "greener there", NULL}, err);
}

static int shifts(struct journal_bench *bench, const char *launch, struct gl_error *err)
{
    const struct gl_world *world = &bench->cloud->world;

    world->sleep_ms(world->cookie, 4000);
    if (journal_bench_pause(bench, launch, err) != 0)
        return -1;
    world->sleep_ms(world->cookie, 60000);
    if (journal_bench_resume(bench, launch, err) != 0)
        return -1;
    world->sleep_ms(world->cookie, 4000);
    if (journal_bench_move(bench, launch, GL_MEMORY_REGION_2, err) != 0)
        return -1;
    world->sleep_ms(world->cookie, 4000);
    if (journal_bench_pause(bench, launch, err) != 0)
        return -1;
    world->sleep_ms(world->cookie, 30000);
    if (journal_bench_move(bench, launch, GL_MEMORY_REGION, err) != 0 ||
        journal_bench_resume(bench, launch, err) != 0)
        return -1;
    world->sleep_ms(world->cookie, 4000);
    return 0;
}

int journal_bench_shift_life(struct journal_bench *bench, struct gl_error *err)
{
    struct gl_instance instance;

    if (journal_bench_start(bench, "", &instance, err) != 0 ||
        shifts(bench, instance.launch_id, err) != 0)
        return -1;
    return journal_bench_finish(bench, instance.launch_id, 5, err);
}

/* ---- what must hold ---- */

static struct gl_ledger_check must_check(struct journal_bench *bench)
{
    struct gl_ledger_check check;
    struct gl_error err = {0};

    if (gl_ledger_check(bench->ledger, &check, &err) != 0)
        fail_msg("%s", err.text);
    return check;
}

static struct gl_reconciled must_reconcile(struct journal_bench *bench)
{
    struct gl_reconciled counts;
    struct gl_error err = {0};

    if (gl_launch_reconcile(&bench->launcher, &counts, &err) != 0)
        fail_msg("%s", err.text);
    if (counts.failed > 0)
        fail_msg("%s", counts.first.text);
    return counts;
}

struct counting {
    const char *kind;
    unsigned count;
};

static int count_kind(void *cookie, const json_t *event)
{
    struct counting *counting = cookie;

    counting->count +=
        strcmp(json_string_value(json_object_get(event, "kind")), counting->kind) == 0;
    return 0;
}

unsigned journal_bench_events(struct journal_bench *bench, const char *launch, const char *kind)
{
    struct counting counting = {kind, 0};
    struct gl_error err = {0};

    assert_int_equal(gl_ledger_events(bench->ledger, launch, &counting, count_kind, &err), 0);
    return counting.count;
}

static json_t *verified(struct journal_bench *bench, const struct gl_launch_row *row)
{
    GL_AUTO(gl_auto_free) char *path = gl_receipt_path(bench->folder, row->launch);
    GL_AUTO(gl_auto_free) char *public_path = gl_path_join(bench->folder, "broker.pub");
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_receipt_check check;
    struct gl_public_key key;
    struct gl_error err = {0};
    bool is_seen = false;
    size_t length;

    if (gl_file_read(path, GL_RECEIPT_MAX_BYTES, &text, &length, &err) != 0 ||
        gl_public_key_read(public_path, &key, &err) != 0 ||
        gl_receipt_verify(text, length, &key, &check, &err) != 0)
        fail_msg("launch %s: %s", row->launch, err.text);
    assert_string_equal(check.launch, row->launch);
    assert_string_equal(text, row->receipt);
    if (gl_tie_receipt(bench->ledger, check.receipt, text, &is_seen, &err) != 0)
        fail_msg("launch %s: %s", row->launch, err.text);
    assert_true(is_seen);
    return check.receipt;
}

static int64_t footprint_of(const json_t *receipt, const char *key)
{
    const json_t *derived = json_object_get(receipt, "derived");
    const json_t *band = json_object_get(json_object_get(derived, "footprint"), key);

    assert_int_equal(json_array_size(band), 3);
    return json_integer_value(json_array_get(band, 1));
}

int64_t journal_bench_footprint(struct journal_bench *bench, const char *launch, const char *key)
{
    struct gl_launch_rows rows;
    struct gl_error err = {0};
    json_t *receipt;
    int64_t value;

    assert_int_equal(gl_ledger_launches(bench->ledger, launch, &rows, &err), 0);
    assert_int_equal(rows.count, 1);
    receipt = verified(bench, &rows.rows[0]);
    value = footprint_of(receipt, key);
    json_decref(receipt);
    gl_launch_rows_free(&rows);
    return value;
}

/* No gram is lost: the charge is at least what its meter would have said; a millisecond of slack
 * for the rounding of the last reading. */
static void assert_charged(struct journal_bench *bench, const struct gl_launch_row *row)
{
    json_t *receipt = verified(bench, row);
    int64_t used_uj = metered_cloud_energy_uj(bench->cloud, row->launch);
    int64_t charged_mj = footprint_of(receipt, "energy_mj");

    if (charged_mj * 1000 < used_uj - METERED_UJ_PER_S / 1000)
        fail_msg("launch %s used %" PRId64 " uJ and is charged %" PRId64 " mJ", row->launch,
                 used_uj, charged_mj);
    json_decref(receipt);
}

/* It is where and what the ledger says. */
static void assert_live(struct journal_bench *bench, const struct gl_launch_row *row)
{
    assert_int_equal(metered_cloud_count(bench->cloud, row->launch, true), 1);
    for (size_t i = 0; i < GL_MEMORY_INSTANCES; i++) {
        const struct gl_instance *seen = &bench->cloud->store->instances[i].seen;

        if (strcmp(seen->launch_id, row->launch) != 0)
            continue;
        assert_string_equal(row->state, seen->state == GL_STATE_SUSPENDED ? "paused" : "running");
        assert_string_equal(row->region, seen->region);
        assert_string_equal(row->zone, strcmp(seen->region, GL_MEMORY_REGION) == 0 ? "XX" : "YY");
    }
}

static void assert_row(struct journal_bench *bench, const struct gl_launch_row *row)
{
    bool is_ended = strcmp(row->state, "ended") == 0 || strcmp(row->state, "lost") == 0;
    unsigned ends = journal_bench_events(bench, row->launch, "ended") +
                    journal_bench_events(bench, row->launch, "lost") +
                    journal_bench_events(bench, row->launch, "absent") +
                    journal_bench_events(bench, row->launch, "failed");

    assert_true(metered_cloud_count(bench->cloud, row->launch, false) <= 1);
    assert_int_equal(ends, is_ended);
    if (!is_ended) {
        assert_live(bench, row);
        return;
    }
    assert_int_equal(metered_cloud_count(bench->cloud, row->launch, true), 0);
    if (row->instance[0] != '\0')
        assert_charged(bench, row);
    else
        assert_int_equal(metered_cloud_count(bench->cloud, row->launch, false), 0);
}

static void assert_known(struct journal_bench *bench, const struct gl_launch_rows *rows)
{
    for (size_t i = 0; i < GL_MEMORY_INSTANCES; i++) {
        const struct gl_memory_instance *instance = &bench->cloud->store->instances[i];
        bool is_known = false;

        for (size_t r = 0; r < rows->count; r++)
            is_known |= strcmp(rows->rows[r].launch, instance->seen.launch_id) == 0 &&
                        strcmp(rows->rows[r].instance, instance->seen.id) == 0;
        assert_true(is_known || !instance->is_there);
    }
}

void journal_bench_assert_sound(struct journal_bench *bench)
{
    static const struct gl_reconciled none;
    struct gl_ledger_check first, second;
    struct gl_reconciled again;
    struct gl_launch_rows rows;
    struct gl_error err = {0};

    must_reconcile(bench);
    first = must_check(bench);
    again = must_reconcile(bench);
    second = must_check(bench);
    assert_memory_equal(&again, &none, sizeof none);
    assert_string_equal(first.head, second.head);
    assert_int_equal(gl_ledger_launches(bench->ledger, NULL, &rows, &err), 0);
    assert_known(bench, &rows);
    for (size_t i = 0; i < rows.count; i++)
        assert_row(bench, &rows.rows[i]);
    gl_launch_rows_free(&rows);
}

void journal_bench_assert_over(struct journal_bench *bench)
{
    journal_bench_assert_sound(bench);
    bench->cloud->true_ms += (JOURNAL_LEASE_S + 1) * 1000;
    journal_bench_assert_sound(bench);
    assert_int_equal(gl_memory_running(bench->cloud->store), 0);
}
