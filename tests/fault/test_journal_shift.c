/* SPDX-License-Identifier: Apache-2.0 */
/* Pausing, resuming and moving through the journal: what is written down and charged, a provider
 * whose answers get lost, leases that end meanwhile. */
#define JOURNAL_CASE "test_journal_shift"
#include "tests/fault/journal_case.h"

#include "base/file.h"
#include "broker/shift.h"
#include "broker/tie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void wait_ms(int64_t ms)
{
    bench.cloud->world.sleep_ms(bench.cloud, ms);
}

/* ---- a launch, and what is known of it ---- */

static char launch[GL_CLOUD_ID];

static void start(const char *name)
{
    struct gl_instance instance;
    struct gl_error err = {0};

    if (journal_bench_start(&bench, name, &instance, &err) != 0)
        fail_msg("%s", err.text);
    snprintf(launch, sizeof launch, "%s", instance.launch_id);
}

static void must(int result, const struct gl_error *err)
{
    if (result != 0)
        fail_msg("%s", err->text);
}

static void assert_state(const char *state, const char *region, const char *zone)
{
    struct gl_launch_rows rows;
    struct gl_error err = {0};

    must(gl_ledger_launches(bench.ledger, launch, &rows, &err), &err);
    assert_string_equal(rows.rows[0].state, state);
    assert_string_equal(rows.rows[0].region, region);
    assert_string_equal(rows.rows[0].zone, zone);
    gl_launch_rows_free(&rows);
}

static json_t *receipt(void)
{
    GL_AUTO(gl_auto_free) char *path = gl_receipt_path(bench.folder, launch);
    struct gl_error err = {0};
    json_t *document = NULL;
    char *text;
    size_t length;

    must(gl_file_read(path, 1 << 22, &text, &length, &err), &err);
    document = gl_json_parse(text, length, "receipt", &err);
    free(text);
    assert_non_null(document);
    return document;
}

static const json_t *at(const json_t *document, const char *a, const char *b)
{
    const json_t *found = json_object_get(json_object_get(document, a), b);

    assert_non_null(found);
    return found;
}

static int64_t number(const json_t *object, const char *key)
{
    assert_true(json_is_integer(json_object_get(object, key)));
    return json_integer_value(json_object_get(object, key));
}

static void fault(enum gl_memory_op op, enum gl_errc code, bool acts_first)
{
    bench.cloud->store->faults[op] =
        (struct gl_memory_fault){.times = 1, .code = code, .acts_first = acts_first};
}

/* ---- what is written down ---- */

static void paused_time_is_neither_charged_nor_a_gap(void **state)
{
    struct gl_error err = {0};
    const json_t *spans;
    json_t *document;

    (void)state;
    start("");
    wait_ms(5000);
    must(journal_bench_pause(&bench, launch, &err), &err);
    assert_state("paused", GL_MEMORY_REGION, "XX");
    wait_ms(100000);
    must(journal_bench_resume(&bench, launch, &err), &err);
    assert_state("running", GL_MEMORY_REGION, "XX");
    wait_ms(5000);
    must(journal_bench_finish(&bench, launch, 5, &err), &err);
    assert_int_equal(journal_bench_events(&bench, launch, "pause"), 1);
    assert_int_equal(journal_bench_events(&bench, launch, "paused"), 1);
    assert_int_equal(journal_bench_events(&bench, launch, "resume"), 1);
    assert_int_equal(journal_bench_events(&bench, launch, "resumed"), 1);
    assert_int_equal(journal_bench_footprint(&bench, launch, "energy_mj"), 100000);
    document = receipt();
    spans = json_object_get(at(document, "evidence", "instance"), "spans");
    assert_int_equal(json_array_size(spans), 3);
    assert_false(json_is_true(json_object_get(json_array_get(spans, 1), "is_running")));
    assert_int_equal(number(json_array_get(spans, 1), "until_ms") -
                         number(json_array_get(spans, 1), "from_ms"),
                     100000);
    assert_int_equal(json_array_size(at(document, "derived", "gaps")), 0);
    assert_int_equal(number(at(document, "derived", "run"), "running_ms"), 10000);
    assert_int_equal(number(at(document, "derived", "run"), "still_ms"), 100000);
    assert_string_equal(
        json_string_value(json_object_get(at(document, "derived", "guarantee"), "state")), "kept");
    json_decref(document);
    journal_bench_assert_over(&bench);
}

/* Ten joules a second at 100 and at 40 g/kWh. */
static void energy_meets_the_intensity_of_where_it_was_used(void **state)
{
    const json_t *slots, *there;
    struct gl_error err = {0};
    json_t *document;

    (void)state;
    start("");
    wait_ms(36000);
    must(journal_bench_move(&bench, launch, GL_MEMORY_REGION_2, &err), &err);
    assert_state("running", GL_MEMORY_REGION_2, "YY");
    wait_ms(72000);
    must(journal_bench_finish(&bench, launch, 5, &err), &err);
    document = receipt();
    slots = at(document, "derived", "slots");
    assert_int_equal(json_array_size(slots), 2);
    there = json_array_get(slots, 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(slots, 0), "zone")), "XX");
    assert_string_equal(json_string_value(json_object_get(there, "zone")), "YY");
    assert_int_equal(
        json_integer_value(json_array_get(json_object_get(there, "intensity_u_g_per_kwh"), 1)),
        40000000);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(there, "energy_mj"), 1)),
                     720000);
    /* 360 J at 100 and 720 J at 40 g/kWh, PUE 1.2: 12 and 9.6 mg. */
    assert_int_equal(journal_bench_footprint(&bench, launch, "operational_ug"), 21600);
    assert_string_equal(
        json_string_value(json_object_get(at(document, "derived", "guarantee"), "state")), "kept");
    assert_string_equal(
        json_string_value(json_object_get(at(document, "evidence", "instance"), "zone")), "YY");
    json_decref(document);
    journal_bench_assert_over(&bench);
}

static void a_move_into_the_unknown_has_no_carbon_and_keeps_nothing(void **state)
{
    struct gl_error err = {0};
    const json_t *footprint;
    json_t *document;

    (void)state;
    start("");
    wait_ms(5000);
    must(gl_launch_move(&bench.launcher, launch,
                        &(struct gl_shift_place){GL_MEMORY_REGION_2, "YY", NULL},
                        &(struct gl_shift_reason){"person", "", NULL}, &err),
         &err);
    wait_ms(5000);
    must(journal_bench_finish(&bench, launch, 5, &err), &err);
    document = receipt();
    footprint = at(document, "derived", "footprint");
    assert_true(json_is_null(json_object_get(footprint, "total_ug")));
    assert_int_equal(journal_bench_footprint(&bench, launch, "energy_mj"), 100000);
    assert_string_equal(
        json_string_value(json_object_get(at(document, "derived", "guarantee"), "state")),
        "unknown");
    json_decref(document);
    journal_bench_assert_over(&bench);
}

static void assert_not_of_the_ledger(json_t *document, const char *bytes, const char *what)
{
    struct gl_error err = {0};
    bool is_seen;

    assert_int_equal(gl_tie_receipt(bench.ledger, document, bytes, &is_seen, &err), -1);
    assert_int_equal(err.code, GL_E_TAMPERED);
    if (strstr(err.text, what) == NULL)
        fail_msg("%s", err.text);
    json_decref(document);
}

static json_t *item(json_t *document, const char *list, size_t index)
{
    json_t *evidence = json_object_get(document, "evidence");

    return json_array_get(json_object_get(json_object_get(evidence, "instance"), list), index);
}

/* The bytes are those that the ledger knows, so that only the moves can tell. */
static void a_move_that_the_ledger_does_not_know_is_found(void **state)
{
    GL_AUTO(gl_auto_free) char *path = NULL;
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    struct gl_error err = {0};
    json_t *changed, *points;
    size_t length;

    (void)state;
    start("");
    wait_ms(5000);
    must(journal_bench_move(&bench, launch, GL_MEMORY_REGION_2, &err), &err);
    wait_ms(5000);
    must(journal_bench_finish(&bench, launch, 5, &err), &err);
    path = gl_receipt_path(bench.folder, launch);
    must(gl_file_read(path, 1 << 22, &bytes, &length, &err), &err);
    changed = receipt();
    json_object_set_new(item(changed, "spans", 1), "zone", json_string("ZZ"));
    assert_not_of_the_ledger(changed, bytes, "spans[1]");
    changed = receipt();
    json_object_set_new(item(changed, "spans", 1), "move", json_integer(99));
    assert_not_of_the_ledger(changed, bytes, "spans[1]");
    changed = receipt();
    points = json_object_get(item(changed, "series", 0), "points");
    json_array_set_new(json_array_get(points, 0), 2, json_integer(1));
    assert_not_of_the_ledger(changed, bytes, "series[0]");
    journal_bench_assert_over(&bench);
}

/* There, back and there again: each visit is charged by what was known when it began. */
static void each_visit_has_its_own_move(void **state)
{
    static const char *const there[] = {GL_MEMORY_REGION_2, GL_MEMORY_REGION, GL_MEMORY_REGION_2};
    struct gl_error err = {0};
    int64_t last = 0;
    json_t *document;

    (void)state;
    start("");
    for (size_t i = 0; i < 3; i++) {
        wait_ms(5000);
        if (i == 2) { /* one that fails in between belongs to none */
            fault(GL_MEMORY_MOVE, GL_E_NETWORK, false);
            assert_int_equal(journal_bench_move(&bench, launch, there[i], &err), -1);
            gl_error_clear(&err);
        }
        must(journal_bench_move(&bench, launch, there[i], &err), &err);
    }
    wait_ms(5000);
    must(journal_bench_finish(&bench, launch, 5, &err), &err);
    document = receipt();
    for (size_t i = 1; i < 4; i++) {
        assert_true(number(item(document, "spans", i), "move") > last);
        last = number(item(document, "spans", i), "move");
    }
    assert_null(item(document, "spans", 4));
    assert_int_equal(
        json_array_size(json_object_get(at(document, "evidence", "instance"), "series")), 6);
    /* 50 J each at 100, 40, 100 and 40 g/kWh, PUE 1.2. */
    assert_int_equal(journal_bench_footprint(&bench, launch, "operational_ug"), 4667);
    json_decref(document);
    journal_bench_assert_over(&bench);
}

static void what_is_so_already_is_fine_and_leaves_no_event(void **state)
{
    struct gl_error err = {0};

    (void)state;
    start("twice");
    wait_ms(5000);
    must(journal_bench_resume(&bench, "twice", &err), &err);
    must(journal_bench_move(&bench, "twice", GL_MEMORY_REGION, &err), &err);
    must(journal_bench_pause(&bench, "twice", &err), &err);
    must(journal_bench_pause(&bench, "twice", &err), &err);
    assert_int_equal(journal_bench_events(&bench, launch, "pause"), 1);
    assert_int_equal(journal_bench_events(&bench, launch, "resume"), 0);
    assert_int_equal(journal_bench_events(&bench, launch, "move"), 0);
    journal_bench_assert_over(&bench);
}

/* Wrong usage, exit 2: what was asked for cannot be, and it says why. */
static void assert_refused(struct gl_error *err, const char *what, const char *why)
{
    assert_int_equal(err->code, GL_E_USAGE);
    assert_int_equal(gl_errc_row(err->code)->exit, GL_EXIT_USAGE);
    if (strstr(err->text, what) == NULL || strstr(err->text, why) == NULL)
        fail_msg("expected \"%s\" and \"%s\", got: %s", what, why, err->text);
    gl_error_clear(err);
}

static void what_cannot_be_is_refused_before_anything_is_written(void **state)
{
    static const struct {
        const char *how, *why;
    } unable[] = {{"qemu/tcg", "disk image"},
                  {"qemu/kvm", "disk image"},
                  {"process", "process"},
                  {"rented", "nothing was done"}};
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(journal_bench_pause(&bench, "nobody", &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    gl_error_clear(&err);
    start("");
    bench.cloud->store->instances[0].seen.caps = 0;
    for (size_t i = 0; i < sizeof unable / sizeof *unable; i++) {
        char *how = bench.cloud->store->instances[0].seen.how;

        snprintf(how, sizeof bench.cloud->store->instances[0].seen.how, "%s", unable[i].how);
        assert_int_equal(journal_bench_pause(&bench, launch, &err), -1);
        assert_refused(&err, "cannot be paused", unable[i].why);
        assert_int_equal(journal_bench_move(&bench, launch, GL_MEMORY_REGION_2, &err), -1);
        assert_refused(&err, "cannot be moved", unable[i].why);
    }
    assert_int_equal(journal_bench_events(&bench, launch, "pause"), 0);
    assert_int_equal(journal_bench_events(&bench, launch, "move"), 0);
    must(journal_bench_finish(&bench, launch, 5, &err), &err);
    assert_int_equal(journal_bench_move(&bench, launch, GL_MEMORY_REGION_2, &err), -1);
    assert_int_equal(err.code, GL_E_NOT_FOUND);
    assert_int_equal(journal_bench_events(&bench, launch, "move"), 0);
    journal_bench_assert_over(&bench);
}

/* The lease is one of the wall clock. */
static void a_paused_launch_is_reaped_past_its_lease(void **state)
{
    struct gl_reconciled counts;
    struct gl_error err = {0};

    (void)state;
    start("");
    wait_ms(5000);
    must(journal_bench_pause(&bench, launch, &err), &err);
    wait_ms(60000);
    must(gl_launch_reconcile(&bench.launcher, &counts, &err), &err);
    assert_state("paused", GL_MEMORY_REGION, "XX");
    wait_ms(JOURNAL_LEASE_S * 1000);
    assert_int_equal(journal_bench_resume(&bench, launch, &err), -1);
    gl_error_clear(&err);
    must(gl_launch_reconcile(&bench.launcher, &counts, &err), &err);
    assert_int_equal(counts.reaped, 1);
    assert_state("ended", GL_MEMORY_REGION, "XX");
    /* Of the fifth second no reading came: a gap, as for any that is not ended in order. */
    assert_in_range(journal_bench_footprint(&bench, launch, "energy_mj"), 50000, 57000);
    journal_bench_assert_over(&bench);
}

/* ---- failures of the provider ---- */

static void the_answer_of_the_cloud_decides(void **state)
{
    static const enum gl_memory_op ops[] = {GL_MEMORY_SUSPEND, GL_MEMORY_RESUME, GL_MEMORY_MOVE};

    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (int acts = 0; acts < 2; acts++) {
            struct gl_error err = {0};
            int result;

            again();
            start("");
            wait_ms(4000);
            if (ops[i] == GL_MEMORY_RESUME)
                must(journal_bench_pause(&bench, launch, &err), &err);
            fault(ops[i], GL_E_NETWORK, acts == 1);
            result = i == 0   ? journal_bench_pause(&bench, launch, &err)
                     : i == 1 ? journal_bench_resume(&bench, launch, &err)
                              : journal_bench_move(&bench, launch, GL_MEMORY_REGION_2, &err);
            assert_int_equal(result, acts == 1 ? 0 : -1);
            assert_int_equal(journal_bench_events(&bench, launch, "stayed"), acts == 0);
            wait_ms(4000);
            journal_bench_assert_over(&bench);
        }
}

/* Nobody answers afterwards: "moving" until somebody does. */
static void an_unknown_outcome_is_settled_by_reconcile(void **state)
{
    (void)state;
    for (int acts = 0; acts < 2; acts++) {
        struct gl_reconciled counts;
        struct gl_error err = {0};

        again();
        start("");
        wait_ms(4000);
        must(journal_bench_pause(&bench, launch, &err), &err);
        fault(GL_MEMORY_RESUME, GL_E_TIMEOUT, acts == 1);
        bench.cloud->hides = true;
        assert_int_equal(journal_bench_resume(&bench, launch, &err), -1);
        assert_non_null(strstr(err.text, "it is not known whether it was resumed"));
        bench.cloud->hides = bench.cloud->is_hidden = false;
        assert_state("moving", GL_MEMORY_REGION, "XX");
        gl_error_clear(&err);
        must(gl_launch_reconcile(&bench.launcher, &counts, &err), &err);
        assert_int_equal(counts.shifted, 1);
        assert_state(acts == 1 ? "running" : "paused", GL_MEMORY_REGION, "XX");
        journal_bench_assert_over(&bench);
    }
}

/* Its cloud cannot finish or take back what was interrupted: nothing is concluded, and it is said.
 */
static void what_cannot_be_settled_is_said(void **state)
{
    struct gl_instance *seen;
    struct gl_reconciled counts;
    struct gl_error err = {0};

    (void)state;
    start("");
    wait_ms(4000);
    fault(GL_MEMORY_SUSPEND, GL_E_TIMEOUT, true);
    bench.cloud->hides = true;
    assert_int_equal(journal_bench_pause(&bench, launch, &err), -1);
    bench.cloud->hides = bench.cloud->is_hidden = false;
    seen = &bench.cloud->store->instances[0].seen;
    seen->is_unsettled = true;
    snprintf(seen->why, sizeof seen->why, "the machine does not run on");
    gl_error_clear(&err);
    must(gl_launch_reconcile(&bench.launcher, &counts, &err), &err);
    assert_int_equal(counts.failed, 1);
    assert_int_equal(counts.shifted, 0);
    assert_non_null(
        strstr(counts.first.text, "cannot be settled now: the machine does not run on"));
    assert_state("moving", GL_MEMORY_REGION, "XX");
    seen->is_unsettled = false;
    must(gl_launch_reconcile(&bench.launcher, &counts, &err), &err);
    assert_int_equal(counts.shifted, 1);
    assert_state("paused", GL_MEMORY_REGION, "XX");
    journal_bench_assert_over(&bench);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(paused_time_is_neither_charged_nor_a_gap),
        CASE(energy_meets_the_intensity_of_where_it_was_used),
        CASE(a_move_into_the_unknown_has_no_carbon_and_keeps_nothing),
        CASE(a_move_that_the_ledger_does_not_know_is_found),
        CASE(each_visit_has_its_own_move),
        CASE(what_is_so_already_is_fine_and_leaves_no_event),
        CASE(what_cannot_be_is_refused_before_anything_is_written),
        CASE(a_paused_launch_is_reaped_past_its_lease),
        CASE(the_answer_of_the_cloud_decides),
        CASE(an_unknown_outcome_is_settled_by_reconcile),
        CASE(what_cannot_be_settled_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
