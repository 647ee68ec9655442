/* SPDX-License-Identifier: Apache-2.0 */
/* A rented machine under the guard: its cloud cannot move it while it runs, only by an image of its
 * disk. It is moved when all that this costs is less than what it gains, and left alone, with the
 * reason, when not; killed at every step there is one machine and no image. */
#include "tests/fault/guard_case.h"

#include "broker/demand.h"
#include "broker/relocate.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/no_sync.h"

#define LEASE (48 * INT64_C(3600))

static struct gl_cloud_ops rented_ops;
static int (*describe_inside)(struct gl_cloud *, const char *, struct gl_instance *,
                              struct gl_error *);
static bool has_no_images;
static const struct gl_carried_meter meter = {.url = "https://meters.example/meter"};

static int describe_rented(struct gl_cloud *cloud, const char *id, struct gl_instance *out,
                           struct gl_error *err)
{
    if (describe_inside(cloud, id, out, err) != 0)
        return -1;
    out->caps &= ~(uint32_t)(GL_CLOUD_MOVES | GL_CLOUD_SUSPENDS);
    return 0;
}

static struct gl_cloud *open_rented(void *cookie, const char *name, const char *zone,
                                    struct gl_error *err)
{
    struct gl_cloud *cloud = metered_cloud_open(cookie, name, zone, err);

    rented_ops = *cloud->ops;
    describe_inside = rented_ops.describe;
    rented_ops.describe = describe_rented;
    rented_ops.caps &= ~(uint32_t)(GL_CLOUD_MOVES | GL_CLOUD_SUSPENDS);
    if (has_no_images)
        rented_ops.caps &= ~(uint32_t)GL_CLOUD_IMAGES;
    cloud->ops = &rented_ops;
    return cloud;
}

/* Under the limit for a minute, then over it for good. */
static void begin(int64_t probability_ppm, int64_t lease_s)
{
    has_no_images = false;
    journal.cloud->is_mute = false;
    bench->grids[0].has_no_history = bench->grids[1].has_no_history = probability_ppm == 0;
    bench->guard.meter = &meter;
    bench->guard.is_any_price = true;
    start("move", probability_ppm, lease_s);
    journal.launcher.open = open_rented;
    wait_s(60);
    bench->grids[0].spike = 3000;
    bench->grids[0].spike_from_s = guard_bench_now_s(bench) / 3600 * 3600 - 7200;
}

/* The one launch that is not over. */
static void live(char out_launch[GL_CLOUD_ID], char out_region[40])
{
    struct gl_launch_rows rows;
    struct gl_error err = {0};
    unsigned count = 0;

    assert_int_equal(gl_ledger_launches(journal.ledger, NULL, &rows, &err), 0);
    for (size_t i = 0; i < rows.count; i++)
        if (!gl_launch_row_is_over(&rows.rows[i])) {
            assert_string_equal(rows.rows[i].state, "running");
            snprintf(out_launch, GL_CLOUD_ID, "%s", rows.rows[i].launch);
            snprintf(out_region, 40, "%s", rows.rows[i].region);
            count++;
        }
    gl_launch_rows_free(&rows);
    assert_int_equal(count, 1);
}

/* Each move that came true has left one signal, and its cost is known. */
static int note_signal(void *cookie, const json_t *event)
{
    const json_t *body = json_object_get(event, "body");
    const char *kind = json_string_value(json_object_get(event, "kind"));
    unsigned *counts = cookie;

    if (strcmp(kind, "demand") == 0) {
        const char *instead = json_string_value(
            json_object_get(json_array_get(json_object_get(body, "signals"), 0), "instead"));

        assert_string_equal(instead, "moved");
        counts[0]++;
    }
    counts[1] += strcmp(kind, "demand-cost") == 0;
    counts[2] += strcmp(kind, "relocate-verified") == 0;
    return 0;
}

static void assert_told_once(void)
{
    unsigned counts[3] = {0};
    struct gl_error err = {0};

    assert_int_equal(gl_demand_settle(journal.ledger, &err), 0);
    assert_int_equal(gl_ledger_events(journal.ledger, NULL, counts, note_signal, &err), 0);
    assert_int_equal(counts[2], 1);
    assert_int_equal(counts[0], 1);
    assert_int_equal(counts[1], 1);
}

static void assert_one_machine(void)
{
    assert_int_equal(gl_memory_on(journal.cloud->store), 1);
    assert_int_equal(gl_memory_running(journal.cloud->store), 1);
    assert_int_equal(gl_memory_images(journal.cloud->store), 0);
}

/* ---- it is moved ---- */

static void moved_with(int64_t probability_ppm)
{
    char now[GL_CLOUD_ID], region[40];

    begin(probability_ppm, LEASE);
    look();
    assert_did(GL_GUARD_MOVE, GL_WHY_BROKEN);
    assert_string_equal(bench->told[0].to, GL_MEMORY_REGION_2);
    live(now, region);
    assert_string_equal(region, GL_MEMORY_REGION_2);
    assert_string_equal(bench->told[0].continued, now);
    assert_one_machine();
    assert_state("ended", GL_MEMORY_REGION);
    assert_int_equal(events("relocate-ended"), 1);
    assert_chain();
    assert_int_equal(promises(now), probability_ppm > 0);
    look(); /* it is well there, and watched under the same rules */
    assert_did(GL_GUARD_STAY, GL_WHY_PROMISED);
    assert_string_equal(bench->told[0].launch, now);
    assert_int_equal(promises(now), probability_ppm > 0);
}

static void it_goes_on_in_a_green_region(void **state)
{
    (void)state;
    moved_with(0);
}

static void it_takes_its_promise_along(void **state)
{
    (void)state;
    moved_with(P90);
}

static void what_has_just_come_stays(void **state)
{
    char now[GL_CLOUD_ID], region[40];

    (void)state;
    moved_with(0);
    bench->grids[0].spike = 0;
    spike(1);
    wait_s(3600);
    look();
    assert_did(GL_GUARD_NOTIFY, GL_WHY_BROKEN); /* whatever it would gain */
    live(now, region);
    assert_string_equal(region, GL_MEMORY_REGION_2);
    wait_s(2 * 3600);
    bench->grids[1].spike = 3000;
    look();
    assert_told(0, GL_GUARD_MOVE, GL_WHY_BROKEN);
    live(now, region);
    assert_string_equal(region, GL_MEMORY_REGION);
}

/* ---- it is not ---- */

static void assert_stays(void)
{
    char now[GL_CLOUD_ID], region[40];

    live(now, region);
    assert_string_equal(now, launch);
    assert_one_machine();
    assert_int_equal(journal.cloud->store->calls[GL_MEMORY_HALT], 0);
}

static void assert_unmoved(const char *why)
{
    look();
    assert_did(GL_GUARD_NOTIFY, GL_WHY_BROKEN);
    if (strstr(bench->told[0].unmoved, why) == NULL)
        fail_msg("\"%s\" and not \"%s\"", bench->told[0].unmoved, why);
    assert_stays();
}

static void without_images_it_is_told_why(void **state)
{
    (void)state;
    begin(0, LEASE);
    has_no_images = true;
    assert_unmoved("cannot make images");
}

static void without_a_meter_it_is_told_why(void **state)
{
    (void)state;
    begin(0, LEASE);
    bench->guard.meter = NULL;
    assert_unmoved("no meter");
}

static void too_dear_a_move_is_not_made(void **state)
{
    (void)state;
    begin(0, LEASE);
    bench->guard.is_any_price = false; /* no table says what this cloud takes */
    look();
    assert_did(GL_GUARD_NOTIFY, GL_WHY_BROKEN);
    assert_true(bench->told[0].was_refused_price);
    assert_stays();
}

/* The copy, the start and the work done twice cost more than an hour there saves. */
static void a_move_that_does_not_pay_is_not_made(void **state)
{
    (void)state;
    begin(0, 3600);
    look();
    assert_did(GL_GUARD_NOTIFY, GL_WHY_BROKEN);
    assert_true(bench->told[0].was_refused_gain);
    assert_stays();
}

static void what_fails_is_undone_told_and_waits(void **state)
{
    (void)state;
    begin(0, LEASE);
    fault(GL_MEMORY_IMAGE_COPY, 1, GL_E_QUOTA);
    look();
    assert_int_equal(bench->told_count, 2);
    assert_told(0, GL_GUARD_MOVE, GL_WHY_BROKEN);
    assert_true(bench->told[0].has_failed);
    assert_int_equal(bench->told[0].code, GL_E_QUOTA);
    assert_told(1, GL_GUARD_NOTIFY, GL_WHY_BROKEN);
    assert_one_machine();
    assert_state("running", GL_MEMORY_REGION);
    look(); /* not again at once */
    assert_did(GL_GUARD_NOTIFY, GL_WHY_BROKEN);
    wait_s(600);
    look();
    assert_did(GL_GUARD_MOVE, GL_WHY_BROKEN);
}

/* ---- it takes long ---- */

static void all_others_are_looked_at_first(void **state)
{
    char first[GL_CLOUD_ID];
    struct gl_error err = {0};

    (void)state;
    for (unsigned i = 0; i < 3; i++) /* the newest comes first, as a rule */
        if (guard_bench_start(bench, "", "notify", 0, LEASE, launch, &err) != 0)
            fail_msg("%s", err.text);
    begin(0, LEASE);
    snprintf(first, sizeof first, "%s", launch);
    look();
    assert_int_equal(bench->told_count, 4);
    assert_int_equal(guarded.watched, 4);
    assert_string_equal(bench->told[3].launch, first);
    assert_told(3, GL_GUARD_MOVE, GL_WHY_BROKEN);
}

/* ---- killed ---- */

static struct {
    unsigned at, count;
} steps;

static void on_step(void *cookie, const char *step)
{
    (void)cookie;
    assert_true(step[0] != '\0');
    if (++steps.count == steps.at)
        kill(getpid(), SIGKILL);
}

/* A look in a process of its own; false when it was killed at that step. */
static bool lives(unsigned kill_at)
{
    struct gl_error err = {0};
    int status = -1;
    pid_t pid;

    gl_ledger_close(journal.ledger);
    journal.ledger = NULL;
    steps.count = 0;
    steps.at = kill_at;
    pid = fork();
    if (pid == 0) {
        if (!journal_bench_ledger(&journal, 0, &err))
            _exit(2);
        journal.launcher.open = open_rented;
        journal.launcher.checkpoint = on_step;
        _exit(guard_bench_look(bench, &guarded, &err) != 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(journal_bench_ledger(&journal, 0, &err));
    journal.launcher.open = open_rented;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void killed_at_any_step_there_is_one(void **state)
{
    unsigned points = 0, there = 0;
    bool lived = false;

    (void)state;
    for (unsigned k = 1; !lived && k < 80; k++) {
        char now[GL_CLOUD_ID], region[40];

        again();
        begin(0, LEASE);
        lived = lives(k);
        for (unsigned i = 0; i < 4; i++) { /* the next looks settle it, and agree */
            wait_s(20);
            look();
        }
        live(now, region);
        assert_one_machine();
        assert_string_equal(region, GL_MEMORY_REGION_2);
        assert_chain();
        assert_told_once();
        there += strcmp(now, launch) != 0;
        points += !lived;
    }
    print_message("killed at %u steps, there %u times\n", points, there);
    assert_true(points >= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(it_goes_on_in_a_green_region),
        CASE(it_takes_its_promise_along),
        CASE(what_has_just_come_stays),
        CASE(without_images_it_is_told_why),
        CASE(without_a_meter_it_is_told_why),
        CASE(too_dear_a_move_is_not_made),
        CASE(a_move_that_does_not_pay_is_not_made),
        CASE(what_fails_is_undone_told_and_waits),
        CASE(all_others_are_looked_at_first),
        CASE(killed_at_any_step_there_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
