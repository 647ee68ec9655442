/* SPDX-License-Identifier: Apache-2.0 */
/* Questions asked at once: none waits for another, one that hangs, dies or defies costs the others
 * nothing but the deadline, and no child is left. */
#include "broker/together.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MANY    5
#define LARGE   ((size_t)1 << 20)
#define WAITS   200 /* of 50 ms: whoever is asked after the others have ended hears of none */
#define FOREVER 3600

/* Shared with the children. */
struct seen {
    atomic_uint begun, apart;
    atomic_int pids[MANY];
};
static struct seen *seen;

static int set_up(void **state)
{
    (void)state;
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return seen == MAP_FAILED ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    return munmap(seen, sizeof *seen);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void apart(void *cookie)
{
    (void)cookie;
    atomic_fetch_add(&seen->apart, 1);
}

static void begin(size_t index)
{
    atomic_store(&seen->pids[index], getpid());
    atomic_fetch_add(&seen->begun, 1);
}

static void none_is_left(void)
{
    for (size_t i = 0; i < MANY; i++) {
        pid_t pid = atomic_load(&seen->pids[i]);

        if (pid != 0 && pid != getpid()) {
            assert_int_equal(kill(pid, 0), -1);
            assert_int_equal(errno, ESRCH);
        }
    }
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void finish(struct gl_str *answers, size_t count)
{
    none_is_left();
    for (size_t i = 0; i < count; i++)
        gl_str_done(&answers[i]);
}

/* Answers when all have been asked. */
static void ask_with_the_others(void *cookie, size_t index, struct gl_str *out)
{
    const struct timespec pause = {.tv_nsec = 50000000};

    (void)cookie;
    begin(index);
    for (unsigned i = 0; i < WAITS && atomic_load(&seen->begun) < MANY; i++)
        nanosleep(&pause, NULL);
    gl_str_addf(out, "%zu of %u", index, atomic_load(&seen->begun));
}

static void all_are_asked_before_one_has_answered(void **state)
{
    const struct gl_together how = {.ask = ask_with_the_others, .apart = apart};
    struct gl_str answers[MANY] = {{0}};

    (void)state;
    gl_together(&how, MANY, answers);
    for (size_t i = 0; i < MANY; i++) {
        char expected[32];

        snprintf(expected, sizeof expected, "%zu of %d", i, MANY);
        assert_string_equal(gl_str_text(&answers[i]), expected);
    }
    assert_int_equal(atomic_load(&seen->apart), MANY);
    finish(answers, MANY);
}

static void ask_badly(void *cookie, size_t index, struct gl_str *out)
{
    (void)cookie;
    begin(index);
    gl_str_add(out, "well");
    if (index == 1)
        raise(SIGKILL);
    if (index == 2)
        signal(SIGTERM, SIG_IGN);
    if (index == 2 || index == 3)
        sleep(FOREVER);
}

static void one_that_hangs_or_dies_has_no_answer(void **state)
{
    const struct gl_together how = {.ask = ask_badly, .apart = apart, .deadline_ms = 1500};
    struct gl_str answers[MANY] = {{0}};

    (void)state;
    gl_together(&how, MANY, answers);
    for (size_t i = 0; i < MANY; i++)
        assert_string_equal(gl_str_text(&answers[i]), i == 0 || i == 4 ? "well" : "");
    finish(answers, MANY);
}

/* More than a pipe holds. */
static void ask_for_much(void *cookie, size_t index, struct gl_str *out)
{
    (void)cookie;
    begin(index);
    for (size_t i = 0; i < LARGE; i++)
        gl_str_add_char(out, (char)('a' + index));
}

static void a_large_answer_comes_whole(void **state)
{
    const struct gl_together how = {.ask = ask_for_much, .apart = apart};
    struct gl_str answers[2] = {{0}};

    (void)state;
    gl_together(&how, 2, answers);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(answers[i].length, LARGE);
        assert_int_equal(answers[i].text[LARGE - 1], 'a' + (int)i);
    }
    finish(answers, 2);
}

static void a_single_question_needs_no_child(void **state)
{
    const struct gl_together how = {.ask = ask_badly, .apart = apart};
    struct gl_str answer = {0};

    (void)state;
    gl_together(&how, 1, &answer);
    assert_string_equal(gl_str_text(&answer), "well");
    assert_int_equal(atomic_load(&seen->pids[0]), getpid());
    assert_int_equal(atomic_load(&seen->apart), 0);
    finish(&answer, 1);
}

static bool has_begun(void *cookie)
{
    (void)cookie;
    return atomic_load(&seen->begun) == MANY;
}

static void who_waits_may_give_up(void **state)
{
    const struct gl_together how = {.ask = ask_badly, .apart = apart, .is_cancelled = has_begun};
    struct gl_str answers[MANY] = {{0}};
    struct gl_error err = {0};

    (void)state;
    gl_together(&how, MANY, answers);
    assert_int_equal(answers[3].length, 0);
    assert_int_equal(gl_together_fail("aws", true, &err), -1);
    assert_int_equal(err.code, GL_E_INTERRUPTED);
    gl_error_clear(&err);
    gl_together_fail("aws", false, &err);
    assert_int_equal(err.code, GL_E_TIMEOUT);
    assert_string_equal(err.text, "aws did not answer within 60 s");
    finish(answers, MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(all_are_asked_before_one_has_answered),
        CASE(one_that_hangs_or_dies_has_no_answer),
        CASE(a_large_answer_comes_whole),
        CASE(a_single_question_needs_no_child),
        CASE(who_waits_may_give_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
