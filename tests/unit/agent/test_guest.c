/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/guest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"

#include "tests/unit/agent/guest_bench.h"

static void reconnect(struct bench *bench)
{
    if (bench->fd >= 0)
        close(bench->fd);
    connect_to(bench);
    send_text(bench, 'W', "");
}

/* ---- tests ---- */

static void test_hello_until_config(void **state)
{
    struct bench *bench = *state;
    struct gl_error err = {0};
    const char *word;
    json_t *hello;

    connect_to(bench);
    assert_true(hear(bench));
    assert_int_equal(bench->type, 'H');
    hello = gl_json_parse(gl_str_text(&bench->payload), bench->payload.length, "hello", &err);
    assert_non_null(hello);
    assert_int_equal(gl_json_string(hello, "state", &word, &err), 0);
    assert_string_equal(word, "waiting");
    assert_int_equal(gl_json_string(hello, "meter", &word, &err), 0);
    assert_int_equal(strspn(word, "0123456789abcdef"), 16);
    assert_int_equal(gl_json_string(hello, "boot", &word, &err), 0);
    assert_int_equal(strlen(word), 36);
    {
        GL_AUTO(gl_auto_free) char *canonical = gl_json_canonical(hello, &err);
        assert_string_equal(canonical, gl_str_text(&bench->payload));
    }
    json_decref(hello);
    assert_true(hear(bench)); /* and again after a second */
    assert_int_equal(bench->type, 'H');
    configure(bench, "null", "null", 60000);
    send_text(bench, 'W', "");
    hear_until(bench, 'H');
    while (strstr(gl_str_text(&bench->payload), "waiting") != NULL)
        hear_until(bench, 'H');
    assert_non_null(strstr(gl_str_text(&bench->payload), "\"state\":\"ready\""));
    assert_int_equal(stop(bench), 0);
}

static void test_command(void **state)
{
    struct bench *bench = *state;

    run(bench, "[\"/bin/sh\",\"-c\",\"cat; echo trouble >&2; echo $HOME; exit 5\"]");
    send_text(bench, 'I', "one ");
    send_text(bench, 'I', "two\n");
    send_text(bench, 'I', "");
    hear_until(bench, 'X');
    expect_status(bench, 5);
    assert_string_equal(gl_str_text(&bench->out), "one two\n/root\n");
    assert_string_equal(gl_str_text(&bench->err), "trouble\n");
    send_text(bench, 'W', "");
    hear_until(bench, 'H');
    assert_non_null(strstr(gl_str_text(&bench->payload), "\"state\":\"exited\",\"status\":5"));
    assert_int_equal(stop(bench), 0);
}

static void test_command_by_signal(void **state)
{
    struct bench *bench = *state;

    run(bench, "[\"/bin/sh\",\"-c\",\"kill -SEGV $$\"]");
    hear_until(bench, 'X');
    expect_status(bench, 128 + SIGSEGV);
}

static void test_command_not_there(void **state)
{
    struct bench *bench = *state;

    run(bench, "[\"no-such-program\"]");
    hear_until(bench, 'X');
    expect_status(bench, 127);
    assert_non_null(strstr(gl_str_text(&bench->err), "cannot run no-such-program"));
}

static void test_background_children_do_not_hold_the_exit(void **state)
{
    struct bench *bench = *state;
    int64_t start = now_ms();

    run(bench, "[\"/bin/sh\",\"-c\",\"sleep 30 & echo done\"]");
    hear_until(bench, 'X');
    expect_status(bench, 0);
    assert_string_equal(gl_str_text(&bench->out), "done\n");
    assert_true(now_ms() - start < 15000);
    assert_int_equal(stop(bench), 0);
}

static void test_a_megabyte_through_cat(void **state)
{
    struct bench *bench = *state;
    char *block = gl_alloc(GL_FRAME_MAX);
    uint64_t random = 88172645463325252ULL;
    GL_AUTO(gl_str_done) struct gl_str sent = {0};
    pid_t writer;

    run(bench, "[\"cat\"]");
    for (int i = 0; i < 20; i++) {
        for (size_t at = 0; at < GL_FRAME_MAX; at += 8) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            memcpy(block + at, &random, 8);
        }
        gl_str_add_bytes(&sent, block, GL_FRAME_MAX);
    }
    writer = fork(); /* writes while the test reads: neither may stall the other */
    if (writer == 0) {
        for (int i = 0; i < 20; i++)
            send_frame(bench, 'I', sent.text + (size_t)i * GL_FRAME_MAX, GL_FRAME_MAX);
        send_text(bench, 'I', "");
        _exit(0);
    }
    pause_ms(300); /* a host that is slow, but there: it gets everything */
    hear_until(bench, 'X');
    expect_status(bench, 0);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
    assert_int_equal(bench->out.length, sent.length);
    assert_memory_equal(bench->out.text, sent.text, sent.length);
    assert_int_equal(bench->err.length, 0);
    free(block);
}

static bool hears_more(struct bench *bench)
{
    struct pollfd readable = {.fd = bench->fd, .events = POLLIN};

    return poll(&readable, 1, 700) > 0 && hear(bench);
}

/* The launcher goes on to leave, and gets nothing that is meant for whoever attaches. Somebody who
 * fetches a file does not, either. */
static void test_output_waits_for_who_asks(void **state)
{
    struct bench *bench = *state;

    connect_to(bench);
    configure(bench, "[\"/bin/sh\",\"-c\",\"echo out; echo err >&2; exit 3\"]", "null", 60000);
    send_text(bench, 'G', "");
    while (hears_more(bench))
        assert_int_equal(bench->type, 'H');
    close(bench->fd);
    bench->fd = -1;
    connect_to(bench);
    send_text(bench, 'Q', "{\"path\":\"relative\"}");
    assert_true(hear(bench));
    assert_int_equal(bench->type, 'R');
    assert_true(hear(bench));
    assert_int_equal(bench->type, 'F');
    assert_false(hears_more(bench));
    gl_str_clear(&bench->err);
    reconnect(bench);
    hear_until(bench, 'X');
    expect_status(bench, 3);
    assert_string_equal(gl_str_text(&bench->out), "out\n");
    assert_string_equal(gl_str_text(&bench->err), "err\n");
    /* again for the next one, and only when that one asks */
    close(bench->fd);
    bench->fd = -1;
    connect_to(bench);
    assert_false(hears_more(bench));
    send_text(bench, 'W', "");
    hear_until(bench, 'X');
}

/* Told that the host will be back, or the time, the guest holds its output, and the command waits
 * rather than lose any. */
static void hold_output(struct bench *bench, int i)
{

    run(bench, "[\"/bin/sh\",\"-c\",\"read x; head -c 2000000 /dev/zero; echo last >&2\"]");
    send_text(bench, 'T', "{\"lease_ms\":60000,\"now_ms\":1}"); /* refused */
    if (i == 0)
        send_text(bench, 'B', "");
    else
        send_text(bench, 'T', "{\"lease_ms\":60000,\"now_ms\":1000,\"v\":1}");
    do
        hear_until(bench, 'H');
    while (strstr(gl_str_text(&bench->payload), "\"held\":true") == NULL);
    send_text(bench, 'I', "go\n");
    assert_false(hears_more(bench));
    reconnect(bench);
    hear_until(bench, 'X');
    expect_status(bench, 0);
    assert_int_equal(bench->out.length, 2000000);
    assert_string_equal(gl_str_text(&bench->err), "last\n");
}

static void test_back_soon_holds_output(void **state)
{
    hold_output(*state, 0);
}

static void test_time_holds_output(void **state)
{
    hold_output(*state, 1);
}

static void test_time_ends_the_lease(void **state)
{
    struct bench *bench = *state;
    GL_AUTO(gl_auto_free) char *console = NULL;
    int64_t start = now_ms();
    int status;

    run(bench, "[\"sleep\",\"600\"]");
    send_text(bench, 'T', "{\"lease_ms\":700,\"now_ms\":1000,\"v\":1}");
    assert_int_equal(waitpid(bench->guest, &status, 0), bench->guest);
    bench->guest = 0;
    assert_true(now_ms() - start >= 600);
    console = read_console(bench);
    assert_non_null(strstr(console, "the lease has ended"));
}

static void test_time_is_strict(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{\"lease_ms\":1,\"v\":1}",
        "{\"lease_ms\":0,\"now_ms\":1,\"v\":1}",
        "{\"lease_ms\":1,\"now_ms\":-1,\"v\":1}",
        "{\"lease_ms\":1,\"lease_ms\":2,\"now_ms\":1,\"v\":1}",
        "{\"lease_ms\":1,\"more\":2,\"now_ms\":1,\"v\":1}",
        "{\"lease_ms\":1,\"now_ms\":1,\"v\":2}",
        "{\"lease_ms\":1,\"now_ms\":1,\"v\":1} x",
    };
    static const char good[] = "{\"lease_ms\":5,\"now_ms\":7,\"v\":1}";
    struct gl_guest_time time = {-7, -7};
    struct gl_error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gl_error_clear(&err);
        assert_int_equal(gl_guest_time_parse(bad[i], strlen(bad[i]), &time, &err), -1);
        assert_int_equal(err.code, GL_E_BAD_VALUE);
        assert_int_equal(time.now_ms, -7);
    }
    gl_error_clear(&err);
    assert_int_equal(gl_guest_time_parse(good, strlen(good), &time, &err), 0);
    assert_int_equal(time.lease_ms, 5);
    assert_int_equal(time.now_ms, 7);
}

/* Twins of one snapshot have the kernel's boot id in common, and nothing else. */
static void test_boot_names_differ(void **state)
{
    const uint8_t one[64] = {1}, two[64] = {2};
    char names[4][40];

    (void)state;
    gl_guest_boot_name("kernel", one, "gl-a", names[0]);
    gl_guest_boot_name("kernel", two, "gl-a", names[1]);
    gl_guest_boot_name("kernel", one, "gl-b", names[2]);
    gl_guest_boot_name("kernel", one, "gl-a", names[3]);
    assert_int_equal(strlen(names[0]), 36);
    assert_int_equal(names[0][14], '8');
    assert_string_not_equal(names[0], names[1]);
    assert_string_not_equal(names[0], names[2]);
    assert_string_equal(names[0], names[3]);
}

/* Nobody reads for longer than the guest's patience: the command runs on, the newest output is
 * kept, the loss is told, and so is the exit status. */
static void test_host_goes_away_and_comes_back(void **state)
{
    struct bench *bench = *state;

    run(bench, "[\"/bin/sh\",\"-c\",\"i=0; while [ $i -lt 20000 ]; do echo line $i of many more "
               "lines than fit; i=$((i+1)); done; echo the end\"]");
    close(bench->fd);
    bench->fd = -1;
    pause_ms(1000);
    reconnect(bench);
    hear_until(bench, 'X');
    expect_status(bench, 0);
    assert_non_null(strstr(gl_str_text(&bench->out), "line 19999 of"));
    assert_non_null(strstr(gl_str_text(&bench->out), "the end\n"));
    assert_true(bench->out.length <= GL_RING_BYTES + GL_FRAME_MAX);
    assert_non_null(strstr(gl_str_text(&bench->err), "bytes of output were dropped"));
    /* and once more for a third host */
    reconnect(bench);
    hear_until(bench, 'X');
    expect_status(bench, 0);
    send_text(bench, 'W', "");
    hear_until(bench, 'H');
    assert_int_equal(stop(bench), 0);
}

static void test_a_host_that_only_stands_there(void **state)
{
    struct bench *bench = *state;

    run(bench, "[\"/bin/sh\",\"-c\",\"head -c 3000000 /dev/zero; echo last words >&2\"]");
    pause_ms(12000); /* connected, and reading nothing for longer than the guest has patience */
    hear_until(bench, 'X');
    expect_status(bench, 0);
    assert_true(bench->out.length < 3000000);
    assert_non_null(strstr(gl_str_text(&bench->err), "last words"));
    assert_non_null(strstr(gl_str_text(&bench->err), "were dropped"));
}

static void test_stop_kills_what_does_not_listen(void **state)
{
    struct bench *bench = *state;
    int64_t start;

    run(bench, "[\"/bin/sh\",\"-c\",\"trap '' TERM; echo up; while :; do sleep 0.1; done\"]");
    hear_until(bench, 'O');
    start = now_ms();
    send_text(bench, 'S', "");
    hear_until(bench, 'X');
    expect_status(bench, 128 + SIGKILL);
    assert_true(now_ms() - start >= 1900);
    hear_until(bench, 'Z');
    assert_int_equal(waitpid(bench->guest, NULL, 0), bench->guest);
    bench->guest = 0;
}

/* What the command left in a session of its own holds its output open for longer than the meter
 * takes to end: its exit status comes all the same, and before the last word. */
static void test_stop_tells_the_exit_first(void **state)
{
    struct bench *bench = *state;

    run(bench, "[\"/bin/sh\",\"-c\",\"setsid sleep 600 & echo up; exec sleep 600\"]");
    hear_until(bench, 'O');
    pause_ms(300); /* for its exec */
    send_text(bench, 'S', "");
    do
        assert_true(hear(bench));
    while (bench->type != 'X' && bench->type != 'Z');
    assert_int_equal(bench->type, 'X');
    expect_status(bench, 128 + SIGTERM);
    hear_until(bench, 'Z');
    assert_int_equal(waitpid(bench->guest, NULL, 0), bench->guest);
    bench->guest = 0;
}

static void test_lease_ends_everything(void **state)
{
    struct bench *bench = *state;
    GL_AUTO(gl_auto_free) char *console = NULL;
    int64_t start = now_ms();
    int status;

    connect_to(bench);
    configure(bench, "[\"sleep\",\"600\"]", "null", 1500);
    send_text(bench, 'G', "");
    close(bench->fd); /* nobody is there any more */
    bench->fd = -1;
    assert_int_equal(waitpid(bench->guest, &status, 0), bench->guest);
    bench->guest = 0;
    assert_true(now_ms() - start >= 1400);
    assert_true(now_ms() - start < WAIT_MS);
    console = read_console(bench);
    assert_non_null(strstr(console, "the lease has ended"));
    assert_non_null(strstr(console, "\"final\":true"));
}

static void test_sigterm_is_stop(void **state)
{
    struct bench *bench = *state;
    int status;

    connect_to(bench);
    configure(bench, "null", "null", 60000);
    send_text(bench, 'G', "");
    pause_ms(300);
    kill(bench->guest, SIGTERM);
    hear_until(bench, 'Z');
    assert_int_equal(waitpid(bench->guest, &status, 0), bench->guest);
    bench->guest = 0;
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_nonsense_is_survived(void **state)
{
    struct bench *bench = *state;
    GL_AUTO(gl_auto_free) char *console = NULL;
    char garbage[5000];

    connect_to(bench);
    for (size_t i = 0; i < sizeof garbage; i++)
        garbage[i] = (char)(i * 7919 >> 3);
    send_bytes(bench, garbage, sizeof garbage);
    send_text(bench, 'C', "{\"command\":[");
    send_text(bench, 'C', "");
    send_text(bench, 'G', "");
    send_text(bench, 'P', "not an archive");
    send_text(bench, 'Y', "no such frame");
    send_text(bench, 'Q', "{\"path\":\"relative\"}");
    hear_until(bench, 'F');
    assert_int_equal(bench->payload.length, 0);
    assert_non_null(strstr(gl_str_text(&bench->err), "no absolute path"));
    configure(bench, "[\"echo\",\"alive\"]", "null", 60000);
    configure(bench, "[\"echo\",\"twice\"]", "null", 60000);
    send_text(bench, 'G', "");
    send_text(bench, 'G', "");
    send_text(bench, 'W', "");
    hear_until(bench, 'X');
    assert_string_equal(gl_str_text(&bench->out), "alive\n");
    assert_int_equal(stop(bench), 0);
    console = read_console(bench);
    assert_non_null(strstr(console, "ignored a bad config"));
    assert_non_null(strstr(console, "ignored a second config"));
    assert_non_null(strstr(console, "ignored a go out of turn"));
    assert_non_null(strstr(console, "ignored a payload out of turn"));
    assert_non_null(strstr(console, "ignored a frame of type Y"));
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_hello_until_config),
        CASE(test_command),
        CASE(test_command_by_signal),
        CASE(test_command_not_there),
        CASE(test_background_children_do_not_hold_the_exit),
        CASE(test_a_megabyte_through_cat),
        CASE(test_output_waits_for_who_asks),
        CASE(test_back_soon_holds_output),
        CASE(test_time_holds_output),
        CASE(test_time_ends_the_lease),
        cmocka_unit_test(test_time_is_strict),
        cmocka_unit_test(test_boot_names_differ),
        CASE(test_host_goes_away_and_comes_back),
        CASE(test_a_host_that_only_stands_there),
        CASE(test_stop_kills_what_does_not_listen),
        CASE(test_stop_tells_the_exit_first),
        CASE(test_lease_ends_everything),
        CASE(test_sigterm_is_stop),
        CASE(test_nonsense_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
