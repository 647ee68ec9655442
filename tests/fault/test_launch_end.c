/* SPDX-License-Identifier: Apache-2.0 */
/* How launches end: what is charged until when, what is ended, whatever is missing or full. */
#include "tests/fault/launch_bench.h"

#include "broker/finish.h"

#include <unistd.h>

/* A provider on this machine may lack the space to note the stop: then force. What may have been
 * heard is the caller's to try again. */
static void a_stop_that_cannot_be_noted_is_made_good(void **state)
{
    char id[GL_CLOUD_ID];

    (void)state;
    snprintf(id, sizeof id, "%s", started("", 5000));
    fault(GL_MEMORY_STOP, 1, GL_E_TIMEOUT, false);
    assert_int_equal(finish(id, NULL), -1);
    assert_int_equal(err.code, GL_E_TIMEOUT);
    assert_int_equal(gl_memory_running(bench.cloud->store), 1);
    fault(GL_MEMORY_STOP, 1, GL_E_DISK_FULL, false);
    assert_int_equal(finish(id, NULL), 0);
    assert_int_equal(gl_memory_running(bench.cloud->store), 0);
    journal_bench_assert_over(&bench);
}

/* A guest's goodbye that comes before we saw it alive is charged until then. */
static void a_goodbye_does_not_end_what_was_seen_alive(void **state)
{
    char id[GL_CLOUD_ID];

    (void)state;
    bench.cloud->goodbye_ms = 3000;
    snprintf(id, sizeof id, "%s", started("", 100000));
    assert_int_equal(finish(id, NULL), 0);
    /* 30 J by its readings, and 97 s at the high bound of 14.75 W */
    assert_true(journal_bench_footprint(&bench, id, "energy_mj") > 30000 + 97 * 14700);
    assert_int_equal(journal_bench_footprint(&bench, id, "energy_mj") / 1000000, 1);
    journal_bench_assert_over(&bench);
}

static void ends_by_itself(void)
{
    bench.cloud->store->instances[0].seen.state = GL_STATE_ENDED;
    bench.cloud->guests[0].asked_ms = bench.cloud->true_ms;
    bench.cloud->guests[0].is_orderly = true;
}

/* Seen soon after its goodbye, there is no room for anything that came later. */
static void what_is_seen_to_have_ended_is_charged_until_its_goodbye(void **state)
{
    char id[GL_CLOUD_ID];

    (void)state;
    snprintf(id, sizeof id, "%s", started("", 20000));
    ends_by_itself();
    bench.cloud->jump_ms += 9000;
    journal_bench_assert_sound(&bench);
    assert_int_equal(journal_bench_footprint(&bench, id, "energy_mj"), 200000);
    assert_int_equal(journal_bench_events(&bench, id, "stopping"), 0);
}

/* A guest may say goodbye, go on, and switch itself off when it likes: nobody saw that. */
static void a_goodbye_that_nobody_saw_ends_nothing(void **state)
{
    char id[GL_CLOUD_ID];

    (void)state;
    bench.cloud->goodbye_ms = 3000;
    snprintf(id, sizeof id, "%s", started("", 100000));
    ends_by_itself();
    bench.cloud->jump_ms += 50000;
    journal_bench_assert_sound(&bench);
    /* 30 J by its readings, and 147 s at the high bound of 14.75 W */
    assert_true(journal_bench_footprint(&bench, id, "energy_mj") > 30000 + 147 * 14700);
    assert_true(journal_bench_footprint(&bench, id, "energy_mj") < 30000 + 147 * 14800);
    assert_int_equal(journal_bench_events(&bench, id, "stopping"), 0);
}

/* Without a goodbye until now, at most until the lease is over. */
static void what_vanished_is_charged_until_the_lease_is_over(void **state)
{
    struct gl_reconciled counts;
    char id[GL_CLOUD_ID];
    int64_t most_mj = (JOURNAL_LEASE_S + 60) * 14750;

    (void)state;
    snprintf(id, sizeof id, "%s", started("", 20000));
    bench.cloud->store->instances[0].is_there = false;
    bench.cloud->jump_ms += 10 * 86400 * INT64_C(1000);
    assert_int_equal(gl_launch_reconcile(&bench.launcher, &counts, &err), 0);
    assert_int_equal(counts.lost, 1);
    assert_state(id, "lost");
    assert_true(journal_bench_footprint(&bench, id, "energy_mj") > most_mj * 99 / 100);
    assert_true(journal_bench_footprint(&bench, id, "energy_mj") <= most_mj);
}

/* A wall clock a day ahead ends nothing that has just begun. */
static void a_clock_that_jumped_ahead_reaps_nothing(void **state)
{
    struct gl_reconciled counts;
    char id[GL_CLOUD_ID];

    (void)state;
    snprintf(id, sizeof id, "%s", started("", 20000));
    bench.cloud->jump_ms += 86400 * INT64_C(1000);
    assert_int_equal(gl_launch_reconcile(&bench.launcher, &counts, &err), 0);
    assert_int_equal(counts.reaped, 0);
    assert_state(id, "running");
    bench.cloud->true_ms += (JOURNAL_LEASE_S + 1) * 1000;
    assert_int_equal(gl_launch_reconcile(&bench.launcher, &counts, &err), 0);
    assert_int_equal(counts.reaped, 1);
}

static void what_is_past_its_lease_is_reaped(void **state)
{
    struct gl_reconciled counts;

    (void)state;
    started("", JOURNAL_LEASE_S * 1000 - 1000);
    assert_int_equal(gl_launch_reconcile(&bench.launcher, &counts, &err), 0);
    assert_int_equal(counts.reaped, 0);
    bench.cloud->true_ms += 1000;
    assert_int_equal(gl_launch_reconcile(&bench.launcher, &counts, &err), 0);
    assert_int_equal(counts.reaped, 1);
    journal_bench_assert_over(&bench);
}

/* Without the token no reading can be told from a forged one: the launch is closed all the same,
 * and silence does not pay. */
static void a_launch_without_its_token_is_closed_and_charged(void **state)
{
    GL_AUTO(gl_auto_free) char *path = NULL;
    GL_AUTO(gl_auto_free) char *receipt = NULL;
    static const char *const tokens[] = {NULL, "no token"};
    char id[GL_CLOUD_ID];

    (void)state;
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        snprintf(id, sizeof id, "%s", started("", 20000));
        free(path);
        path = gl_enrol_token_path(bench.folder, id);
        assert_int_equal(unlink(path), 0);
        if (tokens[i] != NULL)
            assert_int_equal(gl_file_write(path, tokens[i], strlen(tokens[i]), 0600, &err), 0);
        free(receipt);
        assert_int_equal(finish(id, &receipt), 0);
        assert_state(id, "ended");
        assert_non_null(strstr(receipt, "\"note\":\"the enrolment token of this launch is gone"));
        assert_non_null(strstr(receipt, "\"batches\":[]"));
        assert_true(journal_bench_footprint(&bench, id, "energy_mj") > 20 * 14700);
        assert_true(journal_bench_footprint(&bench, id, "energy_mj") <= 20 * 14750);
    }
    journal_bench_assert_over(&bench);
}

static int64_t so_far(const char *key)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = rows_now();
    struct gl_cloud *cloud = metered_cloud_open(bench.cloud, "memory", NULL, &err);
    GL_AUTO(gl_auto_json) json_t *derived = NULL;
    const json_t *band;

    assert_int_equal(gl_launch_so_far(&bench.launcher, &rows.rows[0], cloud, &derived, &err), 0);
    gl_cloud_close(cloud);
    band = json_object_get(json_object_get(derived, "footprint"), key);
    assert_int_equal(json_array_size(band), 3);
    return json_integer_value(json_array_get(band, 1));
}

/* By the readings at hand; a meter that has fallen silent is charged, as it will be in the end. */
static void what_runs_is_accounted_for_so_far(void **state)
{
    int64_t events;

    (void)state;
    started("", 20500);
    events = all_events();
    assert_int_equal(so_far("energy_mj"), 200000); /* of 20 readings; the 21st is under way */
    assert_true(so_far("total_ug") > 0);
    bench.cloud->is_mute = true;
    assert_true(so_far("energy_mj") > 205 * 1470 && so_far("energy_mj") <= 205 * 1475);
    assert_int_equal(all_events(), events);
    assert_int_equal(gl_memory_running(bench.cloud->store), 1);
}

static void one_launch_in_trouble_does_not_keep_the_others(void **state)
{
    GL_AUTO(gl_auto_free) char *path = NULL;
    struct gl_reconciled counts;
    char first[GL_CLOUD_ID], second[GL_CLOUD_ID], third[GL_CLOUD_ID];

    (void)state;
    snprintf(first, sizeof first, "%s", started("", 1000));
    snprintf(second, sizeof second, "%s", started("", 1000));
    snprintf(third, sizeof third, "%s", started("", 1000));
    path = gl_enrol_token_path(bench.folder, second);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(gl_dir_make(path, &err), 0); /* unreadable, which may pass: not gone */
    bench.cloud->true_ms += JOURNAL_LEASE_S * 1000;
    assert_int_equal(gl_launch_reconcile(&bench.launcher, &counts, &err), 0);
    assert_int_equal(counts.reaped, 2);
    assert_int_equal(counts.failed, 1);
    assert_non_null(strstr(counts.first.text, second));
    assert_int_equal(gl_memory_running(bench.cloud->store), 0);
    assert_state(first, "ended");
    assert_state(third, "ended");
}

/* It did not stand where it was sent. */
static void what_its_cloud_ended_is_told_and_then_closed(void **state)
{
    struct gl_reconciled counts;
    char id[GL_CLOUD_ID];

    (void)state;
    snprintf(id, sizeof id, "%s", started("", 1000));
    bench.cloud->store->instances[0].seen.state = GL_STATE_ENDED;
    fault(GL_MEMORY_DESCRIBE, 1, GL_E_LAUNCH, false);
    assert_int_equal(gl_launch_reconcile(&bench.launcher, &counts, &err), 0);
    assert_int_equal(counts.failed, 1);
    assert_int_equal(counts.first.code, GL_E_LAUNCH);
    assert_int_equal(gl_launch_reconcile(&bench.launcher, &counts, &err), 0);
    assert_int_equal(counts.finished, 1);
    assert_state(id, "ended");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_stop_that_cannot_be_noted_is_made_good),
        CASE(a_goodbye_does_not_end_what_was_seen_alive),
        CASE(what_is_seen_to_have_ended_is_charged_until_its_goodbye),
        CASE(a_goodbye_that_nobody_saw_ends_nothing),
        CASE(a_launch_without_its_token_is_closed_and_charged),
        CASE(what_runs_is_accounted_for_so_far),
        CASE(what_vanished_is_charged_until_the_lease_is_over),
        CASE(a_clock_that_jumped_ahead_reaps_nothing),
        CASE(what_is_past_its_lease_is_reaped),
        CASE(one_launch_in_trouble_does_not_keep_the_others),
        CASE(what_its_cloud_ended_is_told_and_then_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
