/* SPDX-License-Identifier: Apache-2.0 */
/* A launch moved to another region by image, while brokers are killed at every step and the cloud
 * fails at every call: one machine at the end, no image left, nothing lost. */
#define JOURNAL_CASE "test_relocate"
#include "tests/fault/relocate_case.h"

/* ---- as it should be ---- */

static void it_goes_on_there_and_both_receipts_stand(void **state)
{
    struct gl_relocate_kin kin;
    struct gl_launch_rows rows = {0};
    struct gl_relocated out;
    struct gl_error err = {0};

    (void)state;
    begin();
    bench.cloud->store->image_steps = 3;
    if (move_with(&bench, (struct gl_relocate_order){.region = NULL}, &out, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(out.unsettled.code, GL_OK);
    assert_string_not_equal(out.launch, "");
    assert_int_equal(journal_bench_events(&bench, old_id, "relocate-verified"), 1);
    assert_int_equal(journal_bench_events(&bench, old_id, "ended"), 1);
    assert_true(journal_bench_footprint(&bench, old_id, "energy_mj") > 0);
    assert_int_equal(gl_ledger_launches(bench.ledger, NULL, &rows, &err), 0);
    for (size_t i = 0; i < rows.count; i++) {
        bool is_old = strcmp(rows.rows[i].launch, old_id) == 0;

        assert_int_equal(gl_relocate_kin(&bench.launcher, &rows.rows[i], &kin, &err), 0);
        assert_string_equal(is_old ? kin.to : kin.from, is_old ? out.launch : old_id);
        assert_string_equal(is_old ? kin.from : kin.to, "");
        if (!is_old) /* the lease is the old one's */
            assert_true(rows.rows[i].expires_ms <= METERED_EPOCH_MS + JOURNAL_LEASE_S * 1000);
    }
    gl_launch_rows_free(&rows);
    assert_true(is_there_and_sound());
    assert_true(journal_bench_footprint(&bench, out.launch, "energy_mj") > 0);
}

static void what_cannot_be_moved_is_left_alone(void **state)
{
    struct gl_error err = {0};

    (void)state;
    begin();
    assert_int_equal(move(&bench, &err), 0);
    gl_error_clear(&err);
    assert_int_equal(move(&bench, &err), -1); /* it has ended */
    assert_int_equal(err.code, GL_E_NOT_FOUND);
    begin();
    gl_error_clear(&err);
    assert_int_equal(journal_bench_pause(&bench, old_id, &err), 0);
    assert_int_equal(move(&bench, &err), -1);
    assert_int_equal(err.code, GL_E_USAGE);
    assert_int_equal(bench.cloud->store->calls[GL_MEMORY_HALT], 0);
}

/* A cloud that is asked first, and says no. */
static struct gl_cloud_ops asked_ops;
static unsigned asked;

static int say_no(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_error *err)
{
    (void)cloud;
    asked++;
    assert_non_null(launch->launch_id);
    assert_non_null(launch->token);
    assert_non_null(launch->enrol_token);
    assert_true(launch->lease.s > 0 && launch->expires.unix_s > 0);
    assert_string_equal(launch->region, GL_MEMORY_REGION_2);
    return gl_fail(err, GL_E_QUOTA, "no room there");
}

static struct gl_cloud *open_asked(void *cookie, const char *name, const char *zone,
                                   struct gl_error *err)
{
    struct gl_cloud *cloud = metered_cloud_open(cookie, name, zone, err);

    asked_ops = *cloud->ops;
    asked_ops.caps |= GL_CLOUD_CHECKS;
    asked_ops.check = say_no;
    cloud->ops = &asked_ops;
    return cloud;
}

static void a_place_that_would_not_take_it_costs_nothing(void **state)
{
    struct gl_error err = {0};

    (void)state;
    begin();
    asked = 0;
    bench.launcher.open = open_asked;
    assert_int_equal(move(&bench, &err), -1);
    assert_int_equal(err.code, GL_E_QUOTA);
    assert_int_equal(asked, 1);
    assert_int_equal(bench.cloud->store->calls[GL_MEMORY_HALT], 0);
    assert_int_equal(journal_bench_events(&bench, old_id, "relocate-intended"), 0);
}

static bool is_asked_to_stop(void *cookie)
{
    return gl_memory_images(((struct metered_cloud *)cookie)->store) > 0;
}

static void interrupted_while_it_is_copied_it_is_undone(void **state)
{
    struct gl_error err = {0};

    (void)state;
    begin();
    bench.cloud->store->image_steps = 5;
    bench.launcher.is_interrupted = is_asked_to_stop;
    assert_int_equal(move(&bench, &err), -1);
    assert_int_equal(err.code, GL_E_INTERRUPTED);
    bench.launcher.is_interrupted = NULL;
    assert_int_equal(gl_memory_on(bench.cloud->store), 1);
    assert_int_equal(gl_memory_images(bench.cloud->store), 0);
    assert_false(is_there_and_sound());
}

static void an_image_that_takes_too_long_is_undone(void **state)
{
    struct gl_relocated out;
    struct gl_error err = {0};

    (void)state;
    begin();
    bench.cloud->store->image_steps = 1000000;
    assert_int_equal(move_with(&bench, (struct gl_relocate_order){.image_wait_s = 60}, &out, &err),
                     -1);
    assert_int_equal(err.code, GL_E_TIMEOUT);
    assert_false(is_there_and_sound());
}

/* ---- undone ---- */

static void a_silent_machine_is_ended_and_the_old_one_goes_on(void **state)
{
    struct gl_relocated out;
    struct gl_error err = {0};

    (void)state;
    begin();
    bench.cloud->is_mute = true;
    assert_int_equal(move_with(&bench, (struct gl_relocate_order){.region = NULL}, &out, &err), -1);
    assert_int_equal(err.code, GL_E_TIMEOUT);
    assert_non_null(strstr(err.text, "runs again"));
    bench.cloud->is_mute = false;
    assert_false(is_there_and_sound());

    begin(); /* the cloud's word alone */
    bench.cloud->is_mute = true;
    assert_int_equal(
        move_with(&bench, (struct gl_relocate_order){.is_describe_enough = true}, &out, &err), 0);
    bench.cloud->is_mute = false;
    assert_true(is_there_and_sound());
}

/* The cloud puts it somewhere else than it was told. */
static void put_elsewhere(void *cookie, const char *step, int64_t waited_s)
{
    struct gl_memory_store *store = cookie;

    (void)waited_s;
    if (strncmp(step, "waiting", 7) != 0)
        return;
    for (size_t i = 0; i < GL_MEMORY_INSTANCES; i++)
        if (store->instances[i].is_there && strcmp(store->instances[i].seen.launch_id, old_id) != 0)
            strcpy(store->instances[i].seen.region, GL_MEMORY_REGION);
}

static void one_in_the_wrong_region_is_ended(void **state)
{
    struct gl_relocated out;
    struct gl_error err = {0};

    (void)state;
    begin();
    bench.cloud->is_mute = true;
    assert_int_equal(move_with(&bench,
                               (struct gl_relocate_order){.progress = put_elsewhere,
                                                          .cookie = bench.cloud->store},
                               &out, &err),
                     -1);
    assert_non_null(strstr(err.text, "and not in " GL_MEMORY_REGION_2));
    bench.cloud->is_mute = false;
    assert_false(is_there_and_sound());
}

static void what_cannot_start_again_stays_off_and_is_not_ended(void **state)
{
    struct gl_memory_store *store;
    struct gl_reconciled counts;
    struct gl_error err = {0};

    (void)state;
    begin();
    store = bench.cloud->store;
    store->faults[GL_MEMORY_IMAGE_COPY] = (struct gl_memory_fault){99, GL_E_QUOTA, false, false};
    store->faults[GL_MEMORY_START] = (struct gl_memory_fault){3, GL_E_CAPACITY, false, false};
    assert_int_equal(move(&bench, &err), -1);
    assert_non_null(strstr(err.text, "NOT UNDONE"));
    assert_non_null(strstr(err.text, "could not be started again"));
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(gl_launch_reconcile(&bench.launcher, &counts, &err), 0);
        assert_int_equal(counts.failed, 1);
        assert_non_null(strstr(counts.first.text, "powered off"));
        assert_int_equal(gl_memory_on(store), 0);
        assert_int_equal(gl_memory_running(store), 1); /* there still, with its disk */
    }
    assert_false(is_there_and_sound());
}

static void an_image_that_stays_is_told_and_tried_again(void **state)
{
    struct gl_relocated out;
    struct gl_error err = {0};

    (void)state;
    begin();
    bench.cloud->store->faults[GL_MEMORY_IMAGE_DELETE] =
        (struct gl_memory_fault){1, GL_E_BUSY, false, false};
    assert_int_equal(move_with(&bench, (struct gl_relocate_order){.region = NULL}, &out, &err), 0);
    assert_int_equal(out.unsettled.code, GL_E_BUSY);
    assert_int_equal(gl_memory_on(bench.cloud->store), 1);
    assert_true(is_there_and_sound());
}

static void stopped_by_hand_in_between_nothing_is_left(void **state)
{
    struct gl_error err = {0};

    (void)state;
    begin();
    bench.cloud->store->faults[GL_MEMORY_IMAGE_COPY] =
        (struct gl_memory_fault){99, GL_E_NETWORK, false, false};
    bench.cloud->store->faults[GL_MEMORY_START] =
        (struct gl_memory_fault){99, GL_E_CAPACITY, false, false};
    assert_int_equal(move(&bench, &err), -1);
    memset(bench.cloud->store->faults, 0, sizeof bench.cloud->store->faults);
    gl_error_clear(&err);
    assert_int_equal(journal_bench_finish(&bench, old_id, 5, &err), 0);
    assert_int_equal(gl_memory_running(bench.cloud->store), 0);
    assert_int_equal(gl_memory_images(bench.cloud->store), 0);
    journal_bench_assert_sound(&bench);
}

/* ---- killed ---- */

static void killed_at_any_step_there_is_one(void **state)
{
    unsigned points = 0, there = 0;
    bool lived = false;

    (void)state;
    for (unsigned k = 1; !lived && k < 60; k++) {
        begin();
        bench.cloud->store->image_steps = 1;
        lived = child_lives(k, move);
        wait_ms(5000);
        there += is_there_and_sound();
        points += !lived;
    }
    print_message("killed at %u steps, there %u times\n", points, there);
    assert_true(points >= 14);
    assert_true(there >= 5 && there < points);
}

static void killed_again_while_it_is_settled(void **state)
{
    unsigned points = 0;

    (void)state;
    for (unsigned first = 1; first <= 20; first++) {
        bool lived = false;

        for (unsigned k = 1; !lived && k < 30; k++) {
            begin();
            child_lives(first, move);
            wait_ms(5000);
            lived = child_lives(k, reconcile_life);
            wait_ms(5000);
            is_there_and_sound();
            points += !lived;
        }
    }
    print_message("killed again at %u steps\n", points);
    assert_true(points >= 30);
}

/* ---- a fault at call N of each kind ---- */

static const enum gl_memory_op ops[] = {
    GL_MEMORY_LAUNCH,     GL_MEMORY_DESCRIBE,   GL_MEMORY_FIND,         GL_MEMORY_STOP,
    GL_MEMORY_CONSOLE,    GL_MEMORY_HALT,       GL_MEMORY_START,        GL_MEMORY_IMAGE_CREATE,
    GL_MEMORY_IMAGE_COPY, GL_MEMORY_IMAGE_LOOK, GL_MEMORY_IMAGE_DELETE, GL_MEMORY_TERMINATE,
    GL_MEMORY_IMAGE_FIND};
#define OPS (sizeof ops / sizeof *ops)

static void a_call_that_fails_leaves_one(void **state)
{
    static const enum gl_errc codes[] = {GL_E_NETWORK, GL_E_CAPACITY, GL_E_PERMISSION};
    unsigned runs = 0;

    (void)state;
    for (size_t o = 0; o < OPS; o++)
        for (size_t c = 0; c < 3; c++)
            for (unsigned mode = 0; mode < 4; mode++) {
                struct gl_error err = {0};

                if (mode % 2 == 1 && codes[c] != GL_E_NETWORK) /* who says no has done nothing */
                    continue;
                begin();
                bench.cloud->store->image_steps = 1;
                bench.cloud->store->faults[ops[o]] =
                    (struct gl_memory_fault){mode < 2 ? 1 : 4, codes[c], mode % 2 == 1, false};
                move(&bench, &err);
                memset(bench.cloud->store->faults, 0, sizeof bench.cloud->store->faults);
                wait_ms(20000);
                is_there_and_sound();
                runs++;
            }
    print_message("%u runs with faults\n", runs);
}

static void killed_within_a_call_there_is_one(void **state)
{
    (void)state;
    for (size_t o = 0; o < OPS; o++)
        for (unsigned mode = 0; mode < 2; mode++) {
            begin();
            bench.cloud->store->faults[ops[o]] =
                (struct gl_memory_fault){1, GL_E_TIMEOUT, mode == 1, true};
            child_lives(0, move);
            memset(bench.cloud->store->faults, 0, sizeof bench.cloud->store->faults);
            wait_ms(20000);
            is_there_and_sound();
        }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(it_goes_on_there_and_both_receipts_stand),
        CASE(what_cannot_be_moved_is_left_alone),
        CASE(a_place_that_would_not_take_it_costs_nothing),
        CASE(interrupted_while_it_is_copied_it_is_undone),
        CASE(an_image_that_takes_too_long_is_undone),
        CASE(a_silent_machine_is_ended_and_the_old_one_goes_on),
        CASE(one_in_the_wrong_region_is_ended),
        CASE(what_cannot_start_again_stays_off_and_is_not_ended),
        CASE(an_image_that_stays_is_told_and_tried_again),
        CASE(stopped_by_hand_in_between_nothing_is_left),
        CASE(killed_at_any_step_there_is_one),
        CASE(killed_again_while_it_is_settled),
        CASE(a_call_that_fails_leaves_one),
        CASE(killed_within_a_call_there_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
