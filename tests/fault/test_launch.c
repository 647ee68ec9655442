/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's promises one by one: what it does with names, unproven launches, liars, forgetful
 * providers and other brokers. Kill points are in test_journal and test_journal_disk. */
#include "tests/fault/launch_bench.h"

#include "broker/finish.h"
#include "tests/support/make_evidence.h"

#include <sys/wait.h>
#include <unistd.h>

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

static void what_this_machine_lacks_is_not_tried_again(void **state)
{
    static const enum gl_errc codes[] = {GL_E_DISK_FULL, GL_E_IO, GL_E_LOCKED, GL_E_NO_LOCAL};
    struct gl_instance instance;

    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        gl_error_clear(&err);
        fault(GL_MEMORY_LAUNCH, 2, codes[i], false);
        assert_int_equal(journal_bench_start(&bench, "", &instance, &err), -1);
        assert_int_equal(err.code, codes[i]);
        assert_int_equal(journal_bench_events(&bench, NULL, "intent"), i + 1);
        assert_int_equal(journal_bench_events(&bench, NULL, "failed"), i + 1);
    }
    assert_int_equal(bench.cloud->store->launched, 0);
}

static void seven_seconds_of_booting(void *cookie, const char *step)
{
    (void)cookie;
    if (strcmp(step, "send-failed") == 0)
        bench.cloud->true_ms += 7000;
}

static void it_ends_by_itself(void *cookie, const char *step)
{
    (void)cookie;
    if (strcmp(step, "send-failed") == 0)
        bench.cloud->store->instances[0].seen.state = GL_STATE_ENDED;
}

/* The provider took it on, and says that it could not be made: that is no launch. */
static void what_was_accepted_and_never_ran_is_told_as_failed(void **state)
{
    struct gl_instance instance;

    (void)state;
    fault(GL_MEMORY_LAUNCH, 1, GL_E_LAUNCH, true);
    bench.launcher.checkpoint = it_ends_by_itself;
    assert_int_equal(journal_bench_start(&bench, "", &instance, &err), -1);
    assert_int_equal(err.code, GL_E_LAUNCH);
    assert_int_equal(journal_bench_events(&bench, NULL, "failed"), 1);
    assert_int_equal(bench.cloud->store->launched, 1);
    assert_int_equal(gl_memory_running(bench.cloud->store), 0);
}

/* Ctrl-C or --timeout: nothing of it runs, and what it used until then is charged. */
static void what_is_ended_while_it_starts_has_a_receipt(void **state)
{
    struct gl_instance instance = {.launch_id = ""};
    GL_AUTO(gl_auto_free) char *receipt = NULL;

    (void)state;
    fault(GL_MEMORY_LAUNCH, 9, GL_E_INTERRUPTED, false);
    bench.launcher.checkpoint = seven_seconds_of_booting;
    assert_int_equal(journal_bench_start(&bench, "", &instance, &err), -1);
    assert_int_equal(err.code, GL_E_INTERRUPTED);
    assert_int_equal(journal_bench_events(&bench, NULL, "intent"), 1);
    assert_int_equal(journal_bench_events(&bench, instance.launch_id, "ended"), 1);
    assert_true(journal_bench_footprint(&bench, instance.launch_id, "energy_mj") > 7 * 14700);
    assert_true(journal_bench_footprint(&bench, instance.launch_id, "energy_mj") <= 7 * 14750);
    assert_int_equal(finish(instance.launch_id, &receipt), 0);
    assert_non_null(strstr(receipt, "\"note\":\"it was ended while it was starting\""));
    assert_int_equal(journal_bench_events(&bench, instance.launch_id, "ended"), 1);
    assert_int_equal(bench.cloud->store->launched, 0);
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

/* ---- other brokers, other moments ---- */

/* What was promised ends so long after the decision: the time until the start is part of it. */
static void a_lease_ends_with_what_was_promised(void **state)
{
    static const int64_t given[][2] = {{0, 60}, {57, 57}, {-5, 1}, {70, 60}}; /* seconds from now */
    const struct gl_world *world = &bench.cloud->world;
    int64_t now_s = world->now_ms(world->cookie) / 1000;
    GL_AUTO(gl_auto_json) json_t *plan = fake_plan(now_s, now_s + 60);
    struct gl_order order = {
        .name = "",
        .cloud = "memory",
        .zone = "XX",
        .plan = plan,
        .launch = {.region = GL_MEMORY_REGION, .type = GL_MEMORY_TYPE, .lease = {60}}};

    (void)state;
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        struct gl_launch_rows rows;
        struct gl_instance instance;

        order.launch.expires.unix_s = given[i][0] == 0 ? 0 : now_s + given[i][0];
        if (gl_launch_start(&bench.launcher, &order, &instance, &err) != 0)
            fail_msg("%s", err.text);
        assert_int_equal(instance.expires.unix_s, now_s + given[i][1]);
        assert_int_equal(gl_ledger_launches(bench.ledger, instance.launch_id, &rows, &err), 0);
        assert_int_equal(rows.rows[0].expires_ms, (now_s + given[i][1]) * 1000);
        gl_launch_rows_free(&rows);
    }
    bench.cloud->true_ms += 61000;
    journal_bench_assert_over(&bench);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_whole_life_is_written_down),
        CASE(the_enrolment_token_is_not_in_the_ledger),
        CASE(attempts_are_counted_and_given_up),
        CASE(what_this_machine_lacks_is_not_tried_again),
        CASE(what_was_accepted_and_never_ran_is_told_as_failed),
        CASE(what_is_ended_while_it_starts_has_a_receipt),
        CASE(a_state_is_no_name),
        CASE(a_name_means_the_one_live_launch),
        CASE(an_unproven_launch_is_not_called_stopped),
        CASE(what_never_started_stays_ended),
        CASE(an_order_that_cannot_be_accounted_for_is_not_sent),
        CASE(a_lease_ends_with_what_was_promised),
        CASE(a_second_receipt_is_never_signed),
        CASE(what_another_broker_ended_meanwhile_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
