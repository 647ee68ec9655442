/* SPDX-License-Identifier: Apache-2.0 */
/* A launch begun anew in another region, on a cloud that makes no images: while brokers are killed
 * at every step and the cloud fails at every call there is one machine at the end, and the old one
 * is never powered off before the new one is verified. */
#define JOURNAL_CASE "test_relocate_anew"
#include "tests/fault/relocate_case.h"

static struct gl_cloud_ops plain_ops;
static unsigned most_on;

static struct gl_cloud *open_plain(void *cookie, const char *name, const char *zone,
                                   struct gl_error *err)
{
    struct gl_cloud *cloud = metered_cloud_open(cookie, name, zone, err);

    plain_ops = *cloud->ops;
    plain_ops.caps &= ~(uint32_t)(GL_CLOUD_IMAGES | GL_CLOUD_HALTS);
    plain_ops.halt = plain_ops.start = NULL;
    plain_ops.image_create = NULL;
    plain_ops.image_copy = NULL;
    plain_ops.image_look = NULL;
    plain_ops.image_delete = NULL;
    plain_ops.image_find = NULL;
    cloud->ops = &plain_ops;
    return cloud;
}

static void count_on(void *cookie, const char *step, int64_t waited_s)
{
    unsigned on = gl_memory_on(cookie);

    (void)step;
    (void)waited_s;
    most_on = on > most_on ? on : most_on;
}

static void begin_plain(void)
{
    begin();
    bench.launcher.open = open_plain;
    most_on = 0;
}

static int move_anew(struct journal_bench *own, struct gl_error *err)
{
    struct gl_relocated out;

    own->launcher.open = open_plain;
    return move_with(own,
                     (struct gl_relocate_order){
                         .is_anew = true, .progress = count_on, .cookie = own->cloud->store},
                     &out, err);
}

static int settle_plain(struct journal_bench *own, struct gl_error *err)
{
    own->launcher.open = open_plain;
    return reconcile_life(own, err);
}

static void it_begins_there_while_the_old_one_runs(void **state)
{
    struct gl_error err = {0};

    (void)state;
    begin_plain();
    if (move_anew(&bench, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(most_on, 2);
    assert_int_equal(bench.cloud->store->calls[GL_MEMORY_HALT], 0);
    assert_int_equal(bench.cloud->store->calls[GL_MEMORY_IMAGE_CREATE], 0);
    assert_int_equal(journal_bench_events(&bench, old_id, "relocate-halted"), 0);
    assert_int_equal(journal_bench_events(&bench, old_id, "relocate-verified"), 1);
    assert_int_equal(journal_bench_events(&bench, old_id, "ended"), 1);
    assert_true(journal_bench_footprint(&bench, old_id, "energy_mj") > 0);
    assert_true(is_there_and_sound());
}

static void only_when_it_is_asked_for(void **state)
{
    struct gl_error err = {0};

    (void)state;
    begin_plain();
    assert_int_equal(move(&bench, &err), -1);
    assert_int_equal(err.code, GL_E_USAGE);
    assert_non_null(strstr(err.text, "cannot make images"));
    assert_int_equal(journal_bench_events(&bench, old_id, "relocate-intended"), 0);
    assert_int_equal(gl_memory_on(bench.cloud->store), 1);
}

static void a_silent_one_is_ended_and_the_old_one_runs_on(void **state)
{
    struct gl_error err = {0};

    (void)state;
    begin_plain();
    bench.cloud->is_mute = true;
    assert_int_equal(move_anew(&bench, &err), -1);
    assert_int_equal(err.code, GL_E_TIMEOUT);
    assert_non_null(strstr(err.text, "runs on"));
    bench.cloud->is_mute = false;
    assert_int_equal(bench.cloud->store->calls[GL_MEMORY_START], 0);
    assert_false(is_there_and_sound());
}

/* What it was started with is asked of the ledger alone. */
static void start_with(const char *user_data)
{
    const struct gl_world *world = &bench.cloud->world;
    int64_t now_s = world->now_ms(world->cookie) / 1000;
    GL_AUTO(gl_auto_json) json_t *plan = fake_plan(now_s, now_s + JOURNAL_LEASE_S);
    const struct gl_order order = {.name = "nightly",
                                   .cloud = "memory",
                                   .zone = "XX",
                                   .plan = plan,
                                   .launch = {.region = GL_MEMORY_REGION,
                                              .type = GL_MEMORY_TYPE,
                                              .user_data = user_data,
                                              .lease = {JOURNAL_LEASE_S}}};
    struct gl_instance instance;
    struct gl_error err = {0};

    again();
    if (gl_launch_start(&bench.launcher, &order, &instance, &err) != 0)
        fail_msg("%s", err.text);
    snprintf(old_id, sizeof old_id, "%s", instance.launch_id);
    wait_ms(4000);
}

static void what_nobody_kept_is_not_left_out(void **state)
{
    struct gl_error err = {0};

    (void)state;
    start_with("#!/bin/sh\nmount-the-data\n");
    assert_int_equal(move_anew(&bench, &err), -1);
    assert_int_equal(err.code, GL_E_USAGE);
    assert_non_null(strstr(err.text, "user data"));
    assert_int_equal(journal_bench_events(&bench, old_id, "relocate-intended"), 0);
    gl_error_clear(&err);
    start_with(NULL);
    assert_int_equal(move_anew(&bench, &err), 0);
}

static void the_image_goes_along(void **state)
{
    struct gl_relocate_terms terms;
    struct gl_launch_rows rows = {0};
    struct gl_error err = {0};
    GL_AUTO(gl_auto_json)
    json_t *intent = json_pack("{s:s}", "image", "registry.example/train:7");
    struct gl_launch_change change = {GL_LAUNCH_KEEP};

    (void)state;
    begin_plain();
    change.launch = old_id;
    assert_int_equal(gl_ledger_append(bench.ledger, "intent", old_id, intent, &change, &err), 0);
    assert_int_equal(gl_ledger_launches(bench.ledger, old_id, &rows, &err), 0);
    assert_int_equal(gl_relocate_terms_read(bench.ledger, &rows.rows[0], &terms, &err), 0);
    gl_launch_rows_free(&rows);
    assert_string_equal(terms.image, "registry.example/train:7");
    assert_false(terms.has_user_data);
    /* The memory cloud has no such image: it is asked for, and refused. */
    assert_int_equal(move_anew(&bench, &err), -1);
    assert_non_null(strstr(err.text, "registry.example/train:7"));
}

static void killed_at_any_step_there_is_one(void **state)
{
    unsigned points = 0, there = 0;
    bool lived = false;

    (void)state;
    for (unsigned k = 1; !lived && k < 40; k++) {
        begin_plain();
        lived = child_lives(k, move_anew);
        wait_ms(5000);
        there += is_there_and_sound();
        assert_int_equal(bench.cloud->store->calls[GL_MEMORY_HALT], 0);
        points += !lived;
    }
    print_message("killed at %u steps, there %u times\n", points, there);
    assert_true(points >= 6);
    assert_true(there >= 3 && there < points);
}

static void killed_again_while_it_is_settled(void **state)
{
    unsigned points = 0;

    (void)state;
    for (unsigned first = 1; first <= 10; first++) {
        bool lived = false;

        for (unsigned k = 1; !lived && k < 30; k++) {
            begin_plain();
            child_lives(first, move_anew);
            wait_ms(5000);
            lived = child_lives(k, settle_plain);
            wait_ms(5000);
            is_there_and_sound();
            points += !lived;
        }
    }
    print_message("killed again at %u steps\n", points);
    assert_true(points >= 10);
}

static void a_call_that_fails_leaves_one(void **state)
{
    static const enum gl_memory_op ops[] = {GL_MEMORY_LAUNCH,  GL_MEMORY_DESCRIBE,
                                            GL_MEMORY_FIND,    GL_MEMORY_STOP,
                                            GL_MEMORY_CONSOLE, GL_MEMORY_TERMINATE};
    static const enum gl_errc codes[] = {GL_E_NETWORK, GL_E_CAPACITY, GL_E_PERMISSION};

    (void)state;
    for (size_t o = 0; o < sizeof ops / sizeof *ops; o++)
        for (size_t c = 0; c < 3; c++)
            for (unsigned mode = 0; mode < 4; mode++) {
                struct gl_error err = {0};

                if (mode % 2 == 1 && codes[c] != GL_E_NETWORK) /* who says no has done nothing */
                    continue;
                begin_plain();
                bench.cloud->store->faults[ops[o]] =
                    (struct gl_memory_fault){mode < 2 ? 1 : 4, codes[c], mode % 2 == 1, false};
                move_anew(&bench, &err);
                memset(bench.cloud->store->faults, 0, sizeof bench.cloud->store->faults);
                wait_ms(20000);
                is_there_and_sound();
            }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(it_begins_there_while_the_old_one_runs),
        CASE(only_when_it_is_asked_for),
        CASE(a_silent_one_is_ended_and_the_old_one_runs_on),
        CASE(what_nobody_kept_is_not_left_out),
        CASE(the_image_goes_along),
        CASE(killed_at_any_step_there_is_one),
        CASE(killed_again_while_it_is_settled),
        CASE(a_call_that_fails_leaves_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
