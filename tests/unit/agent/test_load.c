/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/agent/tree.h"

#define SECOND INT64_C(1000000000)

static char root[TREE_PATH];
static const struct gl_place place = {root};

static int set_up(void **state)
{
    (void)state;
    tree_make("test_load", root);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tree_drop(root);
    return 0;
}

static void put_stat(unsigned busy, unsigned idle, unsigned steal)
{
    char text[200];

    /* user nice system idle iowait irq softirq steal guest guest_nice */
    snprintf(text, sizeof text, "cpu  %u 10 20 %u 0 3 7 %u 500 0\ncpu0 1 2 3\n", busy - 40, idle,
             steal);
    tree_put(root, "/proc/stat", text);
}

static void test_machine(void **state)
{
    struct gl_load load = {.scope = GL_LOAD_MACHINE};

    (void)state;
    put_stat(1000, 1000, 100);
    gl_load_open(&load, &place, 0);
    put_stat(1300, 1600, 200); /* 300 busy, 600 idle, 100 stolen */
    gl_load_update(&load, SECOND);
    assert_int_equal(load.busy_ppm, 333333); /* of the 900 that were ours */
    assert_int_equal(load.steal_ppm, 100000);
    gl_load_update(&load, SECOND); /* no tick since: as before */
    assert_int_equal(load.busy_ppm, 333333);
    gl_load_close(&load);
}

static void test_unknown_is_full(void **state)
{
    struct gl_load load = {.scope = GL_LOAD_MACHINE};

    (void)state;
    gl_load_open(&load, &place, 0); /* no /proc/stat there */
    assert_int_equal(load.busy_ppm, 1000000);
    gl_load_close(&load);
    put_stat(1000, 1000, 100);
    gl_load_open(&load, &place, 0);
    tree_put(root, "/proc/stat", "garbage\n");
    gl_load_update(&load, SECOND);
    assert_int_equal(load.busy_ppm, 1000000);
    put_stat(900, 1100, 100); /* backwards */
    gl_load_update(&load, SECOND);
    assert_int_equal(load.busy_ppm, 1000000);
    gl_load_close(&load);
}

static void burn(double seconds)
{
    struct timespec used;
    volatile unsigned sink = 0;

    do {
        for (int i = 0; i < 100000; i++)
            sink += (unsigned)i;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    } while ((double)used.tv_sec + (double)used.tv_nsec * 1e-9 < seconds);
    (void)sink;
}

/* A meter in a child of its own: the tree is that of its parent, without the meter. */
static void test_tree(void **state)
{
    struct gl_load load = {.scope = GL_LOAD_TREE, .threads = 1, .root = getpid()};
    struct gl_place real = {""};
    int go[2], done[2], ppm = 0;
    pid_t meter, worker;
    char c;

    (void)state;
    assert_int_equal(pipe(go) | pipe(done), 0);
    meter = fork();
    if (meter == 0) {
        gl_load_open(&load, &real, 0);
        if (write(done[1], "x", 1) != 1 || read(go[0], &c, 1) != 1)
            _exit(1);
        burn(0.3); /* its own time is not the tree's */
        gl_load_update(&load, SECOND);
        ppm = (int)load.busy_ppm;
        if (write(done[1], &ppm, sizeof ppm) != sizeof ppm || read(go[0], &c, 1) != 1)
            _exit(1);
        gl_load_update(&load, 2 * SECOND);
        ppm = (int)load.busy_ppm;
        _exit(write(done[1], &ppm, sizeof ppm) != sizeof ppm);
    }
    assert_int_equal(read(done[0], &c, 1), 1);
    worker = fork(); /* a grandchild does the work, and is waited for by the child */
    if (worker == 0) {
        pid_t inner = fork();

        if (inner == 0) {
            burn(0.4);
            _exit(0);
        }
        waitpid(inner, NULL, 0);
        if (write(go[1], "x", 1) != 1)
            _exit(1);
        pause();
    }
    assert_int_equal(read(done[0], &ppm, sizeof ppm), sizeof ppm);
    assert_in_range(ppm, 380000, 550000); /* 0.4 s of one second on one thread */
    kill(worker, SIGKILL);
    assert_int_equal(waitpid(worker, NULL, 0), worker);
    worker = fork(); /* the first one's time is ours now; only what came since counts */
    if (worker == 0) {
        burn(0.3);
        _exit(write(go[1], "x", 1) != 1);
    }
    assert_int_equal(waitpid(worker, NULL, 0), worker);
    assert_int_equal(read(done[0], &ppm, sizeof ppm), sizeof ppm);
    assert_in_range(ppm, 280000, 450000);
    assert_int_equal(waitpid(meter, NULL, 0), meter);
}

static void test_what_the_machine_is(void **state)
{
    struct gl_cpu_name cpu;

    (void)state;
    assert_int_equal(gl_cpu_threads(&place), 1);
    assert_int_equal(gl_memory_mb(&place), 1);
    assert_false(gl_cpu_name(&place, &cpu));
    tree_put(root, "/sys/devices/system/cpu/online", "0-3,8,10-11\n");
    assert_int_equal(gl_cpu_threads(&place), 7);
    tree_put(root, "/sys/devices/system/cpu/online", "nonsense\n");
    assert_int_equal(gl_cpu_threads(&place), 1);
    tree_put(root, "/proc/meminfo", "MemTotal:        2048000 kB\n");
    assert_int_equal(gl_memory_mb(&place), 2000);
    tree_put(root, "/proc/cpuinfo",
             "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\n"
             "model name\t: Intel(R) Xeon(R)\nstepping\t: 7\n");
    assert_true(gl_cpu_name(&place, &cpu));
    assert_string_equal(cpu.vendor, "GenuineIntel");
    assert_int_equal(cpu.family, 6);
    assert_int_equal(cpu.model, 85);
    assert_int_equal(cpu.stepping, 7);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_machine),
        CASE(test_unknown_is_full),
        CASE(test_tree),
        CASE(test_what_the_machine_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
