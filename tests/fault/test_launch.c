/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's promises one by one: what it does with names, unproven launches, liars, forgetful
 * providers and other brokers. Kill points are in test_journal and test_journal_disk. */
#include "tests/support/journal_bench.h"

#include "base/file.h"
#include "broker/finish.h"
#include "tests/support/make_evidence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT ((struct gl_span){1})

static struct journal_bench bench;
static struct gl_error err;

static int set_up(void **state)
{
    (void)state;
    journal_bench_open(&bench, "test_launch");
    gl_error_clear(&err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    journal_bench_close(&bench);
    return 0;
}

/* Started and run for `ms`; its id. */
static const char *started(const char *name, int64_t ms)
{
    static struct gl_instance instance;

    if (journal_bench_start(&bench, name, &instance, &err) != 0)
        fail_msg("%s", err.text);
    bench.cloud->true_ms += ms;
    return instance.launch_id;
}

static int finish(const char *name, char **out_receipt)
{
    gl_error_clear(&err);
    return gl_launch_finish(&bench.launcher, name, WAIT, -1, out_receipt, &err);
}

static void fault(enum gl_memory_op op, unsigned times, enum gl_errc code, bool acts_first)
{
    bench.cloud->store->faults[op] =
        (struct gl_memory_fault){.times = times, .code = code, .acts_first = acts_first};
}

/* The only launch, or the newest. */
static struct gl_launch_rows rows_now(void)
{
    struct gl_launch_rows rows;

    assert_int_equal(gl_ledger_launches(bench.ledger, NULL, &rows, &err), 0);
    return rows;
}

static void assert_state(const char *launch, const char *state)
{
    struct gl_launch_rows rows = rows_now();
    bool is_found = false;

    for (size_t i = 0; i < rows.count; i++)
        if (strcmp(rows.rows[i].launch, launch) == 0) {
            assert_string_equal(rows.rows[i].state, state);
            is_found = true;
        }
    assert_true(is_found);
    gl_launch_rows_free(&rows);
}

static int64_t all_events(void)
{
    struct gl_ledger_check check;

    assert_int_equal(gl_ledger_check(bench.ledger, &check, &err), 0);
    return check.events;
}

static void a_whole_life_is_written_down(void **state)
{
    char id[GL_CLOUD_ID], *receipt = NULL, *same = NULL;
    struct gl_launch_rows rows;
    int64_t events;

    (void)state;
    snprintf(id, sizeof id, "%s", started("first", 12000));
    bench.cloud->store->instances[0].seen.has_exit = true;
    bench.cloud->store->instances[0].seen.exit_status = 3;
    assert_state(id, "running");
    assert_int_equal(finish(id, &receipt), 0);
    assert_int_equal(journal_bench_events(&bench, id, "intent"), 1);
    assert_int_equal(journal_bench_events(&bench, id, "launched"), 1);
    assert_int_equal(journal_bench_events(&bench, id, "stopping"), 1);
    assert_int_equal(journal_bench_events(&bench, id, "ended"), 1);
    events = all_events();
    assert_int_equal(events, 4);
    rows = rows_now();
    assert_string_equal(rows.rows[0].receipt, receipt);
    assert_string_equal(rows.rows[0].name, "first");
    assert_string_equal(rows.rows[0].cloud, "memory");
    assert_int_equal(rows.rows[0].exit_status, 3);
    assert_int_equal(rows.rows[0].ended_ms, METERED_EPOCH_MS + 12000);
    gl_launch_rows_free(&rows);
    assert_int_equal(finish(id, &same), 0); /* again: the same, and nothing new */
    assert_string_equal(receipt, same);
    assert_int_equal(all_events(), events);
    assert_int_equal(journal_bench_footprint(&bench, id, "energy_mj"), 120000);
    journal_bench_assert_over(&bench);
    free(receipt);
    free(same);
}

static int find_text(void *cookie, const json_t *event)
{
    struct gl_error ignored = {0};
    char *text = gl_json_canonical(event, &ignored);

    assert_null(strstr(text, cookie));
    free(text);
    return 0;
}

static void the_enrolment_token_is_not_in_the_ledger(void **state)
{
    GL_AUTO(gl_auto_free) char *path = NULL;
    GL_AUTO(gl_auto_free) char *token = NULL;
    struct gl_launch_rows rows;
    size_t length;

    (void)state;
    path = gl_enrol_token_path(bench.folder, started("", 1000));
    assert_int_equal(gl_file_read(path, 128, &token, &length, &err), 0);
    assert_int_equal(length, 64);
    assert_int_equal(gl_ledger_events(bench.ledger, NULL, token, find_text, &err), 0);
    rows = rows_now();
    assert_null(strstr(rows.rows[0].plan, token));
    assert_string_not_equal(rows.rows[0].token, token);
    gl_launch_rows_free(&rows);
}

/* Each attempt has a token of its own; only what is proven absent is sent again. */
static void attempts_are_counted_and_given_up(void **state)
{
    struct gl_instance instance;

    (void)state;
    fault(GL_MEMORY_LAUNCH, 2, GL_E_RATE_LIMIT, false);
    assert_int_equal(journal_bench_start(&bench, "", &instance, &err), 0);
    assert_int_equal(instance.attempt, 3);
    assert_int_equal(journal_bench_events(&bench, instance.launch_id, "intent"), 3);
    fault(GL_MEMORY_LAUNCH, 3, GL_E_RATE_LIMIT, false);
    assert_int_equal(journal_bench_start(&bench, "", &instance, &err), -1);
    assert_int_equal(err.code, GL_E_RATE_LIMIT);
    assert_int_equal(journal_bench_events(&bench, NULL, "failed"), 1);
    assert_int_equal(bench.cloud->store->launched, 1);
    journal_bench_assert_over(&bench);
}

/* ---- names ---- */

static void a_state_is_no_name(void **state)
{
    (void)state;
    started("", 1000);
    assert_int_equal(finish("running", NULL), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    assert_int_equal(gl_memory_running(bench.cloud->store), 1);
}

static void a_name_means_the_one_live_launch(void **state)
{
    char first[GL_CLOUD_ID], second[GL_CLOUD_ID], third[GL_CLOUD_ID];

    (void)state;
    snprintf(first, sizeof first, "%s", started("job", 1000));
    assert_int_equal(finish("job", NULL), 0);
    snprintf(second, sizeof second, "%s", started("job", 1000));
    assert_int_equal(finish("job", NULL), 0); /* the live one, though both have the name */
    assert_state(second, "ended");
    snprintf(second, sizeof second, "%s", started("job", 1000));
    snprintf(third, sizeof third, "%s", started("job", 1000));
    assert_int_equal(finish("job", NULL), -1);
    assert_int_equal(err.code, GL_E_USAGE);
    assert_int_equal(gl_memory_running(bench.cloud->store), 2);
    assert_int_equal(finish(third, NULL), 0);
    assert_int_equal(finish("job", NULL), 0);
    assert_state(second, "ended");
    snprintf(first, sizeof first, "%s", started("", 1000));
    snprintf(second, sizeof second, "%s", started(first, 1000)); /* called as another's id */
    assert_int_equal(finish(first, NULL), 0);
    assert_state(first, "ended");
    assert_state(second, "running");
    journal_bench_assert_over(&bench);
}

/* ---- launches that are not proven ---- */

static void an_unproven_launch_is_not_called_stopped(void **state)
{
    struct gl_instance instance;
    struct gl_launch_rows rows;

    (void)state;
    fault(GL_MEMORY_LAUNCH, 1, GL_E_TIMEOUT, true);
    fault(GL_MEMORY_FIND, 2, GL_E_NETWORK, false);
    assert_int_equal(journal_bench_start(&bench, "job", &instance, &err), -1);
    assert_non_null(strstr(err.text, "not known"));
    assert_int_equal(finish("job", NULL), -1); /* the provider cannot be asked */
    assert_int_equal(err.code, GL_E_PROVIDER);
    rows = rows_now();
    assert_string_equal(rows.rows[0].state, "launching");
    gl_launch_rows_free(&rows);
    assert_int_equal(gl_memory_running(bench.cloud->store), 1);
    bench.cloud->true_ms += 5000;
    assert_int_equal(finish("job", NULL), 0); /* now it can: found by its token and ended */
    assert_int_equal(gl_memory_running(bench.cloud->store), 0);
    journal_bench_assert_over(&bench);
}

static void what_never_started_stays_ended(void **state)
{
    struct gl_instance instance;
    int64_t events;

    (void)state;
    fault(GL_MEMORY_LAUNCH, 1, GL_E_NO_CREDENTIAL, false);
    assert_int_equal(journal_bench_start(&bench, "job", &instance, &err), -1);
    events = all_events();
    assert_int_equal(finish("job", NULL), -1);
    assert_int_equal(err.code, GL_E_NOT_FOUND);
    assert_int_equal(all_events(), events);
    journal_bench_assert_over(&bench);
}

static void an_order_that_cannot_be_accounted_for_is_not_sent(void **state)
{
    json_t *plan = fake_plan(METERED_EPOCH_MS / 1000, METERED_EPOCH_MS / 1000 + 300);
    struct gl_order order = {.name = "",
                             .cloud = "memory",
                             .zone = "XX",
                             .plan = plan,
                             .launch = {.region = GL_MEMORY_REGION, .type = GL_MEMORY_TYPE}};
    static const int64_t leases[] = {0, -1, INT64_MAX, 366 * 86400};
    struct gl_instance instance;

    (void)state;
    for (size_t i = 0; i < sizeof leases / sizeof leases[0]; i++) {
        gl_error_clear(&err);
        order.launch.lease.s = leases[i];
        assert_int_equal(gl_launch_start(&bench.launcher, &order, &instance, &err), -1);
        assert_int_equal(err.code, GL_E_USAGE);
    }
    order.launch.lease.s = 300;
    json_object_set_new(json_object_get(plan, "embodied"), "platform_g",
                        json_pack("[i,i,i]", 3, 2, 1));
    gl_error_clear(&err);
    assert_int_equal(gl_launch_start(&bench.launcher, &order, &instance, &err), -1);
    assert_non_null(strstr(err.text, "accounted"));
    assert_int_equal(bench.cloud->store->launched, 0);
    assert_int_equal(all_events(), 0);
    json_decref(plan);
}

/* ---- ends ---- */

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

/* One that ended by itself is charged until its goodbye, however late we look. */
static void what_ended_by_itself_is_charged_until_its_goodbye(void **state)
{
    char id[GL_CLOUD_ID];

    (void)state;
    snprintf(id, sizeof id, "%s", started("", 20000));
    bench.cloud->store->instances[0].seen.state = GL_STATE_ENDED;
    bench.cloud->guests[0].asked_ms = bench.cloud->true_ms;
    bench.cloud->guests[0].is_orderly = true;
    bench.cloud->jump_ms += 200000;
    journal_bench_assert_sound(&bench);
    assert_int_equal(journal_bench_footprint(&bench, id, "energy_mj"), 200000);
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
    bench.cloud->true_ms += JOURNAL_LEASE_S * 1000;
    assert_int_equal(gl_launch_reconcile(&bench.launcher, &counts, &err), 0);
    assert_int_equal(counts.reaped, 2);
    assert_int_equal(counts.failed, 1);
    assert_non_null(strstr(counts.first.text, second));
    assert_int_equal(gl_memory_running(bench.cloud->store), 0);
    assert_state(first, "ended");
    assert_state(third, "ended");
}

/* ---- other brokers, other moments ---- */

static void die_after_the_receipt(void *cookie, const char *step)
{
    (void)cookie;
    if (strcmp(step, "receipt-written") == 0)
        _exit(77);
}

/* A crash between the receipt and the ledger: whoever has that receipt already keeps a true one. */
static void a_second_receipt_is_never_signed(void **state)
{
    GL_AUTO(gl_auto_free) char *path = NULL;
    GL_AUTO(gl_auto_free) char *before = NULL;
    GL_AUTO(gl_auto_free) char *after = NULL;
    char id[GL_CLOUD_ID];
    size_t length;
    int status;
    pid_t child;

    (void)state;
    bench.cloud->is_mute = true; /* without readings the end would be another one later */
    snprintf(id, sizeof id, "%s", started("", 12000));
    gl_ledger_close(bench.ledger);
    bench.ledger = NULL;
    child = fork();
    if (child == 0) {
        if (!journal_bench_ledger(&bench, 0, &err))
            _exit(1);
        bench.launcher.checkpoint = die_after_the_receipt;
        finish(id, NULL);
        _exit(2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 77);
    assert_true(journal_bench_ledger(&bench, 0, &err));
    path = gl_receipt_path(bench.folder, id);
    assert_int_equal(gl_file_read(path, 1 << 20, &before, &length, &err), 0);
    bench.cloud->true_ms += 50000;
    journal_bench_assert_sound(&bench);
    assert_int_equal(gl_file_read(path, 1 << 20, &after, &length, &err), 0);
    assert_string_equal(before, after);
}

/* What another broker does after we have read the launches and before we lock the second one. */
static struct gl_cloud *open_while_another_reconciles(void *cookie, const char *name,
                                                      const char *zone, struct gl_error *error)
{
    struct gl_launcher other = bench.launcher;
    struct gl_reconciled counts;
    struct gl_error other_error = {0};

    bench.launcher.open = metered_cloud_open;
    other.open = metered_cloud_open;
    other.ledger = gl_ledger_open(bench.ledger_path, other.world, 0, &other_error);
    assert_non_null(other.ledger);
    assert_int_equal(gl_launch_reconcile(&other, &counts, &other_error), 0);
    assert_int_equal(counts.reaped, 1); /* not the one that we hold */
    gl_ledger_close(other.ledger);
    return metered_cloud_open(cookie, name, zone, error);
}

static void what_another_broker_ended_meanwhile_is_left_alone(void **state)
{
    struct gl_reconciled counts;

    (void)state;
    started("", 1000);
    started("", 1000);
    bench.cloud->true_ms += JOURNAL_LEASE_S * 1000;
    bench.launcher.open = open_while_another_reconciles;
    assert_int_equal(gl_launch_reconcile(&bench.launcher, &counts, &err), 0);
    assert_int_equal(counts.reaped, 1);
    assert_int_equal(journal_bench_events(&bench, NULL, "ended"), 2);
    journal_bench_assert_over(&bench);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_whole_life_is_written_down),
        CASE(the_enrolment_token_is_not_in_the_ledger),
        CASE(attempts_are_counted_and_given_up),
        CASE(a_state_is_no_name),
        CASE(a_name_means_the_one_live_launch),
        CASE(an_unproven_launch_is_not_called_stopped),
        CASE(what_never_started_stays_ended),
        CASE(an_order_that_cannot_be_accounted_for_is_not_sent),
        CASE(a_goodbye_does_not_end_what_was_seen_alive),
        CASE(what_ended_by_itself_is_charged_until_its_goodbye),
        CASE(what_vanished_is_charged_until_the_lease_is_over),
        CASE(a_clock_that_jumped_ahead_reaps_nothing),
        CASE(what_is_past_its_lease_is_reaped),
        CASE(one_launch_in_trouble_does_not_keep_the_others),
        CASE(a_second_receipt_is_never_signed),
        CASE(what_another_broker_ended_meanwhile_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
