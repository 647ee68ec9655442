/* SPDX-License-Identifier: Apache-2.0 */
/* Suspending, resuming and moving a local machine, interrupted after every single step: whoever
 * does it is killed, or the QEMU it leaves, or the one it goes to, or all of them at once.
 * Afterwards there is one running instance (or a suspended one, or, where its memory was nowhere
 * else, one that has ended), the same request succeeds, and no reading is lost or told twice. */
#include "tests/conformance/cloud_bench.h"
#include "tests/conformance/cloud_readings.h"

#include "base/file.h"
#include "providers/cloud/local.h"
#include "tests/support/processes.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define STEPS_MAX 32

static struct gl_bench bench;
static const char *no_vm;
static char there[600]; /* the folder of the second place */
static struct gl_cloud_place places[] = {{.name = "here", .zone = "DE"},
                                         {.name = "there", .zone = "FR", .folder = there}};

static int set_up(void **state)
{
    struct gl_error err = {0};

    (void)state;
    gl_bench_open(&bench, "local_moves", false);
    snprintf(there, sizeof there, "%s/there", bench.folder);
    assert_int_equal(gl_dir_make(there, &err), 0);
    gl_bench_set_places(&bench, places, 2);
    no_vm = gl_bench_no_vm(&bench);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gl_bench_close(&bench);
    return 0;
}

/* ---- one instance, as long as it lives ---- */

static struct gl_bench_names names;
static char id[GL_CLOUD_ID];
static bool is_launched;

static void launch(void)
{
    struct gl_launch wanted = gl_bench_launch(&bench, &names, NULL);
    struct gl_instance made;
    struct gl_error err = {0};

    if (bench.cloud->ops->launch(bench.cloud, &wanted, &made, &err) < 0)
        fail_msg("launch: %s", err.text);
    snprintf(id, sizeof id, "%s", made.id);
    is_launched = true;
}

static struct gl_instance look(void)
{
    struct gl_instance seen;
    struct gl_error err = {0};

    if (bench.cloud->ops->describe(bench.cloud, id, &seen, &err) < 0)
        fail_msg("describe: %s", err.text);
    return seen;
}

static void load_record(struct gl_local_record *out)
{
    char folder[700];
    struct gl_error err = {0};

    snprintf(folder, sizeof folder, "%s/local/%s", bench.folder, id);
    if (gl_local_record_load(folder, out, &err) < 0)
        fail_msg("record: %s", err.text);
}

/* Processes that carry the instance's tag; the pids of at most two of them. */
static unsigned count_processes(int out_pids[2])
{
    struct gl_local_record record;

    load_record(&record);
    return gl_test_processes_with(record.tag, out_pids);
}

/* What it told is one chain without a hole, each reading once. */
static void check_readings(bool is_ended_in_order)
{
    GL_AUTO(gl_auto_free) char *console = gl_bench_console(&bench, id);
    struct gl_readings readings;

    gl_readings_of(console, &names, &readings);
    assert_int_equal(readings.refused, 0);
    assert_int_equal(readings.gap_ms, 0);
    if (!is_ended_in_order)
        return;
    assert_true(readings.is_final);
    assert_true(readings.is_whole);
}

/* Files that hold a machine's state. */
static unsigned count_states(void)
{
    char path[700];
    unsigned count = 0;

    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, i < 2 ? "%s/local/%s/machine.mig%s" : "%s/there/%s.mig%s",
                 bench.folder, id, i % 2 == 0 ? "" : ".part");
        count += gl_file_exists(path);
    }
    return count;
}

static void stop(void)
{
    gl_bench_stop(&bench, id);
    assert_int_equal(count_processes(NULL), 0);
    assert_int_equal(count_states(), 0);
    check_readings(true);
    is_launched = false;
}

/* ---- what is done with it ---- */

enum deed { SUSPEND, RESUME, MOVE, MOVE_LIVE, CARRY };

static const char *other_place(void)
{
    return strcmp(look().region, "here") == 0 ? "there" : "here";
}

static int act(enum deed deed, const char *to, struct gl_error *err)
{
    const struct gl_cloud_ops *ops = bench.cloud->ops;

    switch (deed) {
    case SUSPEND:
        return ops->suspend(bench.cloud, id, err);
    case RESUME:
        return ops->resume(bench.cloud, id, err);
    case MOVE:
    case MOVE_LIVE:
    case CARRY:
        break;
    }
    return ops->move(bench.cloud, id, to, err);
}

static void must(int got, const struct gl_error *err)
{
    if (got < 0)
        fail_msg("%s", err->text);
}

/* Into the state that the deed begins with. */
static void prepare(enum deed deed)
{
    struct gl_error err = {0};

    if (!is_launched || look().state == GL_STATE_ENDED)
        launch();
    if (deed == RESUME || deed == CARRY)
        must(bench.cloud->ops->suspend(bench.cloud, id, &err), &err);
    else
        must(bench.cloud->ops->resume(bench.cloud, id, &err), &err);
}

/* ---- interrupted ---- */

enum victim { NOBODY, DOER, LEFT, ARRIVING, EVERYBODY };
static const char *const victim_words[] = {"nobody", "doer", "left", "arriving", "everybody"};

struct plan {
    enum victim victim;
    unsigned at;  /* the step after which it is killed */
    int left_pid; /* QEMU before the deed; 0 = none */
    FILE *steps;  /* their names, a line each */
    unsigned seen;
};

static void kill_qemus(const struct plan *plan)
{
    int pids[2] = {0, 0};

    count_processes(pids);
    for (int i = 0; i < 2; i++)
        if (pids[i] > 0 &&
            (plan->victim == EVERYBODY || (plan->victim == LEFT) == (pids[i] == plan->left_pid)))
            gl_test_kill(pids[i]);
}

static void at_step(void *cookie, const char *step)
{
    struct plan *plan = cookie;

    fprintf(plan->steps, "%s\n", step);
    fflush(plan->steps);
    if (plan->seen++ != plan->at || plan->victim == NOBODY)
        return;
    if (plan->victim != DOER)
        kill_qemus(plan);
    if (plan->victim == DOER || plan->victim == EVERYBODY)
        kill(getpid(), SIGKILL);
}

/* In a process of its own; how many steps there were, and the name of the last. */
static unsigned do_interrupted(enum deed deed, enum victim victim, unsigned at, const char *to,
                               char out_step[64])
{
    struct plan plan = {.victim = victim, .at = at, .steps = tmpfile()};
    struct gl_local_record record;
    char line[64];
    unsigned count = 0;
    pid_t pid;

    assert_non_null(plan.steps);
    load_record(&record);
    plan.left_pid = record.process.pid;
    pid = fork();
    if (pid == 0) {
        struct gl_local *local = gl_local_of(bench.cloud);
        struct gl_error ignored = {0};

        local->at_step = at_step;
        local->step_cookie = &plan;
        local->moves_live = deed == MOVE_LIVE;
        act(deed, to, &ignored);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    rewind(plan.steps);
    out_step[0] = '\0';
    while (fgets(line, sizeof line, plan.steps) != NULL) {
        if (count == at)
            snprintf(out_step, 64, "%.*s", (int)strcspn(line, "\n"), line);
        count++;
    }
    fclose(plan.steps);
    return count;
}

/* Was its memory anywhere else when that QEMU was killed? */
static bool may_end(enum deed deed, enum victim victim, const char *step)
{
    static const char *const ran[] = {"wake-running", "wake-answered", "wake-dropped"};
    static const char *const whole[] = {"suspend-committed", "move-whole",     "move-loaded",
                                        "move-committed",    "wake-intended",  "wake-started",
                                        "wake-loaded",       "wake-committed", "wake-noted"};

    if (victim == DOER || deed == CARRY)
        return false;
    for (size_t i = 0; i < sizeof ran / sizeof *ran; i++)
        if (strcmp(step, ran[i]) == 0) /* a machine that runs is killed: that is its end */
            return victim != LEFT || deed == RESUME;
    if (victim == ARRIVING)
        return false;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (strcmp(step, whole[i]) == 0)
            return deed == MOVE_LIVE && victim == EVERYBODY;
    return true;
}

static bool is_settled_state(enum deed deed, enum gl_instance_state state)
{
    if (state == GL_STATE_RUNNING)
        return deed != CARRY;
    return state == GL_STATE_SUSPENDED && deed != MOVE && deed != MOVE_LIVE;
}

static void check(enum deed deed, enum victim victim, const char *step, const char *to)
{
    struct gl_instance seen = look(), again;
    struct gl_error err = {0};
    unsigned processes = count_processes(NULL);

    check_readings(false);
    if (seen.state == GL_STATE_ENDED && may_end(deed, victim, step)) {
        assert_int_equal(processes, 0);
        assert_int_equal(count_states(), 0);
        is_launched = false;
        return;
    }
    if (!is_settled_state(deed, seen.state))
        fail_msg("%s killed after %s: %s", victim_words[victim], step,
                 gl_instance_state_word(seen.state));
    assert_int_equal(processes, seen.state == GL_STATE_RUNNING);
    assert_int_equal(count_states(), seen.state == GL_STATE_SUSPENDED);
    assert_int_equal(
        bench.cloud->ops->find_by_request(bench.cloud, NULL, names.token, &again, &err), 1);
    assert_int_equal(again.state, seen.state);
    must(act(deed, to, &err), &err); /* asked again, it is done */
    assert_true(is_settled_state(deed, look().state));
    if (to[0] != '\0')
        assert_string_equal(look().region, to);
    assert_int_equal(count_processes(NULL), look().state == GL_STATE_RUNNING);
}

/* On KVM every move of a running machine is a live one. */
static enum deed deed_here(enum deed deed)
{
    struct gl_local_record record;

    if (deed != MOVE)
        return deed;
    load_record(&record);
    return strcmp(record.how, "qemu/kvm") == 0 ? MOVE_LIVE : MOVE;
}

/* One deed, `victim` killed after each of its steps in turn. */
static void interrupt_everywhere(enum deed deed, enum victim victim)
{
    for (unsigned at = 0; at < STEPS_MAX; at++) {
        const char *to = "";
        unsigned count;
        char step[64];

        prepare(deed);
        deed = deed_here(deed);
        if (deed != SUSPEND && deed != RESUME)
            to = other_place();
        count = do_interrupted(deed, victim, at, to, step);
        if (at >= count)
            return;
        if (getenv("GREENLAUNCH_TEST_TALK") != NULL)
            print_message("    %s killed after %s\n", victim_words[victim], step);
        check(deed, victim, step, to);
    }
    fail_msg("there is no end of steps");
}

static void test_suspend_interrupted(void **state)
{
    (void)state;
    GL_BENCH_NEED("suspend_interrupted", no_vm);
    interrupt_everywhere(SUSPEND, DOER);
    interrupt_everywhere(SUSPEND, LEFT);
    interrupt_everywhere(SUSPEND, EVERYBODY);
    if (is_launched)
        stop();
}

static void test_resume_interrupted(void **state)
{
    (void)state;
    GL_BENCH_NEED("resume_interrupted", no_vm);
    interrupt_everywhere(RESUME, DOER);
    interrupt_everywhere(RESUME, ARRIVING);
    interrupt_everywhere(RESUME, EVERYBODY);
    if (is_launched)
        stop();
}

static void test_move_interrupted(void **state)
{
    (void)state;
    GL_BENCH_NEED("move_interrupted", no_vm);
    interrupt_everywhere(MOVE, DOER);
    interrupt_everywhere(MOVE, ARRIVING);
    if (is_launched)
        stop();
}

static void test_move_loses_qemus(void **state)
{
    (void)state;
    GL_BENCH_NEED("move_loses_qemus", no_vm);
    interrupt_everywhere(MOVE, LEFT);
    interrupt_everywhere(MOVE, EVERYBODY);
    if (is_launched)
        stop();
}

/* With a guest that has little to do: under TCG only such a one survives it (docs/local.md). */
static void test_live_move_interrupted(void **state)
{
    (void)state;
    GL_BENCH_NEED("live_move_interrupted", no_vm);
    interrupt_everywhere(MOVE_LIVE, DOER);
    interrupt_everywhere(MOVE_LIVE, ARRIVING);
    interrupt_everywhere(MOVE_LIVE, LEFT);
    if (is_launched)
        stop();
}

static void test_carry_interrupted(void **state)
{
    (void)state;
    GL_BENCH_NEED("carry_interrupted", no_vm);
    interrupt_everywhere(CARRY, DOER);
    if (is_launched)
        stop();
}

/* Nobody can take back what was begun as long as its QEMU does not answer. */
static void test_unsettled_is_said(void **state)
{
    int pids[2] = {0, 0};
    char step[64];

    (void)state;
    GL_BENCH_NEED("unsettled_is_said", no_vm);
    prepare(SUSPEND);
    do_interrupted(SUSPEND, DOER, 0, "", step);
    assert_int_equal(count_processes(pids) == 1 ? kill(pids[0], SIGSTOP) : -1, 0);
    assert_true(look().is_unsettled);
    assert_int_equal(kill(pids[0], SIGCONT), 0);
    assert_false(look().is_unsettled);
    stop();
}

/* ---- places that are not there ---- */

static void fails_and_runs_on(const char *to, enum gl_errc code, const char *words)
{
    struct gl_error err = {0};
    struct gl_instance seen;

    assert_int_equal(bench.cloud->ops->move(bench.cloud, id, to, &err), -1);
    if (err.code != code || strstr(err.text, words) == NULL)
        fail_msg("expected %d with \"%s\", got %d: %s", code, words, err.code, err.text);
    seen = look();
    assert_int_equal(seen.state, GL_STATE_RUNNING);
    assert_string_equal(seen.region, "here");
    assert_int_equal(count_processes(NULL), 1);
    assert_int_equal(count_states(), 0);
}

static void test_place_disappears(void **state)
{
    struct gl_error err = {0};
    char away[700];

    (void)state;
    GL_BENCH_NEED("place_disappears", no_vm);
    prepare(MOVE);
    must(act(MOVE, "here", &err), &err);
    snprintf(away, sizeof away, "%s.away", there);
    assert_int_equal(rename(there, away), 0);
    fails_and_runs_on("there", GL_E_NOT_FOUND, "it has no folder");
    assert_int_equal(rename(away, there), 0);
    /* and while one is suspended in it */
    must(act(MOVE, "there", &err), &err);
    must(act(SUSPEND, "", &err), &err);
    assert_int_equal(rename(there, away), 0);
    assert_int_equal(act(RESUME, "", &err), -1);
    assert_int_equal(err.code, GL_E_NOT_FOUND);
    assert_int_equal(look().state, GL_STATE_SUSPENDED);
    assert_int_equal(rename(away, there), 0);
    gl_error_clear(&err);
    must(act(RESUME, "", &err), &err);
    stop();
}

static void test_no_space_in_the_place(void **state)
{
    struct gl_error err = {0};

    (void)state;
    GL_BENCH_NEED("no_space_in_the_place", no_vm);
    prepare(MOVE);
    must(act(MOVE, "here", &err), &err);
    if (mount("tmpfs", there, "tmpfs", 0, "size=8m") < 0) {
        stop();
        GL_BENCH_SKIP("no_space_in_the_place", "no tmpfs can be mounted here");
    }
    fails_and_runs_on("there", GL_E_DISK_FULL, "was not moved");
    assert_int_equal(umount(there), 0);
    must(act(MOVE, "there", &err), &err);
    stop();
}

/* A saved state that was changed or cut is not run, and the instance is still said to be there. */
static void test_damaged_state(void **state)
{
    struct gl_error err = {0};
    char path[700];
    FILE *file;

    (void)state;
    GL_BENCH_NEED("damaged_state", no_vm);
    prepare(MOVE);
    must(act(MOVE, "here", &err), &err);
    must(act(SUSPEND, "", &err), &err);
    snprintf(path, sizeof path, "%s/local/%s/machine.mig", bench.folder, id);
    file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, 40000000, SEEK_SET), 0);
    assert_int_equal(fputs("something else", file) < 0, 0);
    fclose(file);
    assert_int_equal(act(RESUME, "", &err), -1);
    assert_int_equal(err.code, GL_E_LAUNCH);
    assert_int_equal(look().state, GL_STATE_SUSPENDED);
    assert_int_equal(count_processes(NULL), 0);
    gl_bench_stop(&bench, id); /* without a last reading */
    assert_int_equal(look().state, GL_STATE_ENDED);
    assert_int_equal(count_states(), 0);
    check_readings(false);
    is_launched = false;
}

/* A guest that is dead inside cannot be moved, and is not touched. */
static void test_guest_that_does_not_answer(void **state)
{
    static const char *const command[] = {
        "sh", "-c", "kill -STOP 1; echo c >/proc/sysrq-trigger; sleep 60", NULL};
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_launch wanted;
    struct gl_instance made;
    struct gl_error err = {0};
    uint64_t next = 0;

    (void)state;
    GL_BENCH_NEED("guest_that_does_not_answer", no_vm);
    wanted = gl_bench_launch(&bench, &names, command);
    must(bench.cloud->ops->launch(bench.cloud, &wanted, &made, &err), &err);
    snprintf(id, sizeof id, "%s", made.id);
    for (int i = 0; i < 600 && strstr(gl_str_text(&text), "Kernel panic") == NULL; i++) {
        must(bench.cloud->ops->console(bench.cloud, id, next, &text, &next, &err), &err);
        usleep(100000); /* how soon depends on how busy this machine is */
    }
    assert_int_equal(bench.cloud->ops->move(bench.cloud, id, "there", &err), -1);
    assert_int_equal(err.code, GL_E_GUEST);
    assert_string_equal(look().region, "here");
    assert_int_equal(count_states(), 0);
    gl_error_clear(&err);
    assert_int_equal(bench.cloud->ops->terminate(bench.cloud, id, &err), 0);
    is_launched = false;
}

/* Two at once: one after the other. */
static void test_two_at_once(void **state)
{
    struct gl_error err = {0};
    pid_t pids[2];
    int status;

    (void)state;
    GL_BENCH_NEED("two_at_once", no_vm);
    prepare(MOVE);
    must(act(MOVE, "here", &err), &err);
    for (int i = 0; i < 2; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(act(i == 0 ? MOVE : SUSPEND, "there", &err) < 0);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(look().state, GL_STATE_SUSPENDED);
    assert_string_equal(look().region, "there");
    stop();
}

static void test_nothing_is_left(void **state)
{
    (void)state;
    assert_int_equal(gl_bench_left(&bench), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suspend_interrupted),
        cmocka_unit_test(test_resume_interrupted),
        cmocka_unit_test(test_move_interrupted),
        cmocka_unit_test(test_move_loses_qemus),
        cmocka_unit_test(test_live_move_interrupted),
        cmocka_unit_test(test_carry_interrupted),
        cmocka_unit_test(test_unsettled_is_said),
        cmocka_unit_test(test_place_disappears),
        cmocka_unit_test(test_no_space_in_the_place),
        cmocka_unit_test(test_damaged_state),
        cmocka_unit_test(test_guest_that_does_not_answer),
        cmocka_unit_test(test_two_at_once),
        cmocka_unit_test(test_nothing_is_left),
    };

    /* Where KVM itself is emulated all of them would take hours (tests/support/kvm_inside.sh). */
    if (getenv("GREENLAUNCH_TEST_FILTER") != NULL)
        cmocka_set_test_filter(getenv("GREENLAUNCH_TEST_FILTER"));
    return cmocka_run_group_tests_name("local_moves", tests, set_up, tear_down);
}
