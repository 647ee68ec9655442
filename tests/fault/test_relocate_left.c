/* SPDX-License-Identifier: Apache-2.0 */
/* Images of a move whose answer was lost or that stay: found again by name and deleted, whoever was
 * killed meanwhile; and what a launch takes along: its price cap, spot, the end of its account. */
#define JOURNAL_CASE "test_relocate_left"
#include "tests/fault/relocate_case.h"

#define LEASE_S 7200

/* A launch of two hours for at most `cap_u_usd`, and by a rule of its plan `rule` (NULL = none). */
static void begin_with(bool is_spot, int64_t cap_u_usd, const char *rule)
{
    int64_t now_s;
    GL_AUTO(gl_auto_json) json_t *plan = NULL;
    struct gl_instance instance;
    struct gl_error err = {0};
    struct gl_order order = {
        .name = "nightly", .cloud = "memory", .zone = "XX", .launch = {.region = GL_MEMORY_REGION}};

    again();
    now_s = bench.cloud->world.now_ms(bench.cloud) / 1000;
    plan = fake_plan(now_s, now_s + LEASE_S);
    if (rule != NULL)
        json_object_set_new(json_object_get(plan, "decision"), "rules",
                            json_pack("[{s:s,s:[{s:s,s:s}]}]", "id", "flags", "limits", "key",
                                      "max_price", "limit", rule));
    order.plan = plan;
    order.launch.type = GL_MEMORY_TYPE;
    order.launch.lease.s = LEASE_S;
    order.launch.is_spot = is_spot;
    order.launch.max_price_u_usd = cap_u_usd;
    if (gl_launch_start(&bench.launcher, &order, &instance, &err) != 0)
        fail_msg("%s", err.text);
    snprintf(old_id, sizeof old_id, "%s", instance.launch_id);
    wait_ms(4000);
}

static void begin_long(void)
{
    begin_with(false, 0, NULL);
}

/* Nothing of it runs when its lease is over. */
static void assert_over(void)
{
    wait_ms(LEASE_S * INT64_C(1000));
    journal_bench_assert_over(&bench);
}

/* ---- images whose answer was lost, and images that stay ---- */

#define STUCK ((struct gl_memory_fault){1000000, GL_E_NETWORK, false, false})
#define LOST  ((struct gl_memory_fault){1, GL_E_TIMEOUT, true, false})

static bool has_mark(void)
{
    GL_AUTO(gl_auto_free) char *folder = gl_path_join(bench.folder, "left");
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, old_id);

    return gl_file_exists(path);
}

/* Nobody says whether the machine is off, just when that must be known. */
static void be_silent(void *cookie, const char *step)
{
    struct metered_cloud *cloud = cookie;

    if (strcmp(step, "relocate-failing") == 0) {
        cloud->store->faults[GL_MEMORY_DESCRIBE] = (struct gl_memory_fault){1, GL_E_NETWORK, 0, 0};
        cloud->store->faults[GL_MEMORY_IMAGE_FIND] =
            (struct gl_memory_fault){1, GL_E_NETWORK, 0, 0};
    }
}

static void an_image_whose_answer_was_lost_is_found(void **state)
{
    struct gl_error err = {0};

    (void)state;
    begin();
    bench.cloud->store->faults[GL_MEMORY_IMAGE_CREATE] = LOST;
    bench.launcher.checkpoint = be_silent;
    assert_int_equal(move(&bench, &err), -1);
    bench.launcher.checkpoint = NULL;
    assert_int_equal(gl_memory_images(bench.cloud->store), 1);
    assert_int_equal(gl_memory_on(bench.cloud->store), 0); /* until it is known */
    assert_int_equal(journal_bench_events(&bench, old_id, "relocate-imaging"), 1);
    assert_false(is_there_and_sound());
}

/* Somebody switches it on in between, so that it cannot be asked for again. */
static void switch_on(void *cookie, const char *step)
{
    struct gl_memory_store *store = ((struct metered_cloud *)cookie)->store;

    if (strcmp(step, "relocate-failing") == 0)
        store->instances[0].seen.state = GL_STATE_RUNNING;
}

/* What does not show yet may still come: a provider is late with what it was asked for. */
static void an_image_that_shows_late_is_waited_for(void **state)
{
    struct gl_memory_image *late;
    struct gl_error err = {0};

    (void)state;
    begin();
    bench.cloud->store->faults[GL_MEMORY_IMAGE_CREATE] =
        (struct gl_memory_fault){1, GL_E_TIMEOUT, false, false};
    bench.launcher.checkpoint = switch_on;
    assert_int_equal(move(&bench, &err), -1);
    bench.launcher.checkpoint = NULL;
    assert_int_equal(journal_bench_events(&bench, old_id, "relocate-failed"), 0);
    late = &bench.cloud->store->images[0];
    *late = (struct gl_memory_image){.is_there = true, .seen = {.state = GL_IMAGE_READY}};
    snprintf(late->name, sizeof late->name, "%.40s-move1", old_id);
    snprintf(late->region, sizeof late->region, "%s", GL_MEMORY_REGION);
    snprintf(late->seen.id, sizeof late->seen.id, "%s/img-late", GL_MEMORY_REGION);
    assert_false(is_there_and_sound());
}

/* Not to be found for a quarter of an hour: the machine goes on, and the image is looked for. */
static void an_image_that_cannot_be_named_is_left_and_found_later(void **state)
{
    struct gl_relocate_swept swept;
    struct gl_memory_store *store;
    struct gl_error err = {0};

    (void)state;
    begin_long();
    store = bench.cloud->store;
    store->faults[GL_MEMORY_IMAGE_CREATE] = (struct gl_memory_fault){9999, GL_E_TIMEOUT, true, 0};
    store->faults[GL_MEMORY_IMAGE_FIND] = STUCK;
    assert_int_equal(move(&bench, &err), -1);
    assert_non_null(strstr(err.text, "NOT UNDONE"));
    assert_int_equal(gl_memory_on(store), 0);
    wait_ms(16 * 60 * 1000); /* as long as it stays off for it */
    reconcile_life(&bench, &err);
    assert_int_equal(gl_memory_on(store), 1);
    assert_int_equal(journal_bench_events(&bench, old_id, "relocate-failed"), 1);
    assert_int_equal(gl_memory_images(store), 1);
    assert_true(has_mark());
    gl_relocate_sweep(&bench.launcher, &swept);
    assert_int_equal(swept.left, 1);
    assert_non_null(strstr(swept.first.text, old_id));
    memset(store->faults, 0, sizeof store->faults);
    gl_relocate_sweep(&bench.launcher, &swept);
    assert_int_equal(swept.left, 0);
    assert_int_equal(swept.swept, 1);
    assert_int_equal(gl_memory_images(store), 0);
    assert_int_equal(store->imaged, 1); /* it was found, none was made for it */
    assert_false(has_mark());
    assert_int_equal(journal_bench_events(&bench, old_id, "relocate-swept"), 1);
    assert_over();
}

/* Its launch is long over when the cloud lets go of it. */
static void an_image_that_stays_is_swept_by_a_later_look(void **state)
{
    struct gl_relocate_swept swept;
    struct gl_relocated out;
    struct gl_error err = {0};

    (void)state;
    begin_long();
    bench.cloud->store->faults[GL_MEMORY_IMAGE_DELETE] = STUCK;
    assert_int_equal(move_with(&bench, (struct gl_relocate_order){.region = NULL}, &out, &err), 0);
    assert_int_equal(out.unsettled.code, GL_E_NETWORK);
    wait_ms(16 * 60 * 1000);
    reconcile_life(&bench, &err);
    assert_int_equal(journal_bench_events(&bench, old_id, "ended"), 1);
    assert_int_equal(gl_memory_images(bench.cloud->store), 2);
    for (unsigned i = 0; i < 3; i++) {
        gl_relocate_sweep(&bench.launcher, &swept);
        assert_int_equal(swept.left, 1);
    }
    memset(bench.cloud->store->faults, 0, sizeof bench.cloud->store->faults);
    sweep_until_clean();
    assert_int_equal(gl_memory_images(bench.cloud->store), 0);
    assert_false(has_mark());
    gl_relocate_sweep(&bench.launcher, &swept);
    assert_int_equal(swept.swept + swept.left, 0);
    assert_over();
}

static int sweep_life(struct journal_bench *own, struct gl_error *err)
{
    struct gl_relocate_swept swept;

    reconcile_life(own, err);
    gl_relocate_sweep(&own->launcher, &swept);
    return 0;
}

/* Answers lost and images that stay, and killed at every step of the way back as well. */
static void killed_at_any_step_with_answers_lost_no_image_is_left(void **state)
{
    static const enum gl_memory_op lost[] = {GL_MEMORY_IMAGE_CREATE, GL_MEMORY_IMAGE_COPY};
    unsigned points = 0;

    (void)state;
    for (unsigned mode = 0; mode < 4; mode++) {
        bool lived = false;

        for (unsigned k = 1; !lived && k < 60; k++) {
            begin_long();
            bench.cloud->store->faults[lost[mode % 2]] = LOST;
            if (mode >= 2)
                bench.cloud->store->faults[GL_MEMORY_IMAGE_DELETE] = STUCK;
            lived = child_lives(k, move);
            wait_ms(mode >= 2 ? 16 * 60 * 1000 : 5000);
            child_lives(k, sweep_life); /* dies on its way too */
            memset(bench.cloud->store->faults, 0, sizeof bench.cloud->store->faults);
            wait_ms(20000);
            reconcile_until_settled();
            sweep_until_clean();
            assert_int_equal(gl_memory_on(bench.cloud->store), 1);
            assert_int_equal(gl_memory_images(bench.cloud->store), 0);
            assert_false(has_mark());
            assert_over();
            points += !lived;
        }
    }
    print_message("killed at %u steps with answers lost\n", points);
    assert_true(points >= 20);
}

/* ---- what it was launched with ---- */

static struct gl_cloud_ops taking_ops;
static struct gl_launch taken;
static int (*launch_inside)(struct gl_cloud *, const struct gl_launch *, struct gl_instance *,
                            struct gl_error *);

static int take(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_instance *out,
                struct gl_error *err)
{
    taken = *launch;
    return launch_inside(cloud, launch, out, err);
}

static struct gl_cloud *open_taking(void *cookie, const char *name, const char *zone,
                                    struct gl_error *err)
{
    struct gl_cloud *cloud = metered_cloud_open(cookie, name, zone, err);

    taking_ops = *cloud->ops;
    launch_inside = taking_ops.launch;
    taking_ops.launch = take;
    cloud->ops = &taking_ops;
    return cloud;
}

static void price_cap_and_spot_go_along(void **state)
{
    struct gl_error err = {0};

    (void)state;
    begin_with(true, 50000, NULL);
    bench.launcher.open = open_taking;
    assert_int_equal(move(&bench, &err), 0);
    assert_true(taken.is_spot);
    assert_int_equal(taken.max_price_u_usd, 50000);
    begin_with(false, 50000, "0.04 USD/h"); /* the lower of both */
    bench.launcher.open = open_taking;
    assert_int_equal(move(&bench, &err), 0);
    assert_false(taken.is_spot);
    assert_int_equal(taken.max_price_u_usd, 40000);
    begin_with(false, 0, NULL);
    bench.launcher.open = open_taking;
    assert_int_equal(move(&bench, &err), 0);
    assert_int_equal(taken.max_price_u_usd, 0);
    begin_with(false, 0, "nonsense");
    assert_int_equal(move(&bench, &err), -1);
}

static void a_dearer_region_is_refused_before_it_is_powered_off(void **state)
{
    struct gl_error err = {0};

    (void)state;
    begin_with(false, 50000, NULL);
    bench.cloud->store->price_u_usd_per_h = 60000;
    assert_int_equal(move(&bench, &err), -1);
    assert_int_equal(err.code, GL_E_PRICE);
    assert_int_equal(bench.cloud->store->calls[GL_MEMORY_HALT], 0);
    assert_int_equal(journal_bench_events(&bench, old_id, "relocate-intended"), 0);
    bench.cloud->store->price_u_usd_per_h = 50000;
    gl_error_clear(&err);
    assert_int_equal(move(&bench, &err), 0);
}

/* ---- since when the old machine is off ---- */

static int64_t off_since(void)
{
    struct gl_error err = {0};
    int64_t off_ms;

    assert_int_equal(gl_relocate_off_since(bench.ledger, old_id, &off_ms, &err), 0);
    return off_ms;
}

static void what_was_moved_on_is_off_since_it_was_halted(void **state)
{
    int64_t before_ms;
    struct gl_error err = {0};

    (void)state;
    begin();
    bench.cloud->store->image_steps = 20;
    assert_int_equal(off_since(), GL_UNKNOWN);
    before_ms = bench.cloud->world.now_ms(bench.cloud);
    assert_int_equal(move(&bench, &err), 0);
    assert_true(off_since() >= before_ms && off_since() < before_ms + 20000);
    begin(); /* undone: it runs */
    bench.cloud->store->faults[GL_MEMORY_IMAGE_COPY] =
        (struct gl_memory_fault){1, GL_E_QUOTA, false, false};
    assert_int_equal(move(&bench, &err), -1);
    assert_int_equal(off_since(), GL_UNKNOWN);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_image_whose_answer_was_lost_is_found),
        CASE(an_image_that_shows_late_is_waited_for),
        CASE(an_image_that_cannot_be_named_is_left_and_found_later),
        CASE(an_image_that_stays_is_swept_by_a_later_look),
        CASE(killed_at_any_step_with_answers_lost_no_image_is_left),
        CASE(price_cap_and_spot_go_along),
        CASE(a_dearer_region_is_refused_before_it_is_powered_off),
        CASE(what_was_moved_on_is_off_since_it_was_halted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
