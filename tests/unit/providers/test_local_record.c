/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local.h"
#include "providers/cloud/local_record.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct gl_local_record sample(void)
{
    return (struct gl_local_record){.token = TOKEN,
                                    .launch_id = "gl-4k2p9x",
                                    .region = "this-machine",
                                    .type = "small",
                                    .how = "qemu/tcg",
                                    .tag = "01234567-89ab-8def-8123-456789abcdef",
                                    .boot = "11111111-2222-3333-4444-555555555555",
                                    .attempt = 2,
                                    .vcpus = 1,
                                    .memory_mib = 256,
                                    .started_s = 1789000000,
                                    .expires_s = 1789003600,
                                    .state = GL_STATE_RUNNING,
                                    .process = {.pid = 4711, .start_ticks = 123456789012},
                                    .has_exit = true,
                                    .exit_status = 137,
                                    .host_cpu_ms = -1};
}

static void assert_tail(const char *log, size_t length, const char *wanted)
{
    struct gl_error err = {.text = "it ended"};
    struct gl_error ignored = {0};

    assert_int_equal(gl_file_write("build/tmp/test_local_tail", log, length, 0600, &ignored), 0);
    gl_local_add_tail("build/tmp", "test_local_tail", &err);
    unlink("build/tmp/test_local_tail");
    assert_string_equal(err.text, wanted);
}

/* What a person can read of a console: batches of readings are not. */
static void test_tail(void **state)
{
    static const char mixed[] = "[ 0.1] a kernel\r\nGLM1 {\"a\":1}\n\n[ 0.2] panics\r\nGLM1 {\"b";
    static const char readings[] = "\r\nGLE1 {}\nGLM1 {}\n";
    struct gl_str large = {0};

    (void)state;
    assert_tail(mixed, sizeof mixed - 1, "it ended; the end of it: [ 0.1] a kernel [ 0.2] panics");
    assert_tail(readings, sizeof readings - 1, "it ended");
    assert_tail("", 0, "it ended");
    gl_str_add(&large, "GLM1 ");
    for (size_t i = 0; i < 100000; i++)
        gl_str_add_char(&large, 'x');
    gl_str_add(&large, "\nlast words\n");
    assert_tail(gl_str_text(&large), large.length, "it ended; the end of it: last words");
    gl_str_done(&large);
}

static void test_round_trip(void **state)
{
    const struct gl_local_record before = sample();
    struct gl_local_record after;
    struct gl_error err = {0};
    char *text = gl_local_record_text(&before, &err), *again;

    (void)state;
    assert_non_null(text);
    assert_int_equal(gl_local_record_parse(text, strlen(text), "test", &after, &err), 0);
    again = gl_local_record_text(&after, &err);
    assert_string_equal(text, again); /* every member is in the text */
    assert_int_equal(after.process.start_ticks, 123456789012);
    assert_int_equal(after.state, GL_STATE_RUNNING);
    assert_int_equal(after.exit_status, 137);
    assert_true(after.has_exit);
    assert_int_equal(after.host_cpu_ms, -1);
    assert_int_equal(after.attempt, 2);
    free(text);
    free(again);
}

static struct gl_local_record sample_away(void)
{
    struct gl_local_record record = sample();

    record.state = GL_STATE_SUSPENDED;
    record.cpu_before_ms = 1234;
    record.cpu_boot_ms = 234;
    record.has_network = record.has_disk = true;
    record.away = (struct gl_local_away){.phase = GL_PHASE_WAKING,
                                         .is_live = true,
                                         .from = "a",
                                         .target = "b",
                                         .path = "/state/gl-4k2p9x.mig",
                                         .seal = {.length = 86012878},
                                         .console_bytes = 4096,
                                         .still_ms = 1789000123456,
                                         .other = {.pid = 4712, .start_ticks = 987654321}};
    gl_hash_of("state", 5, &record.away.seal.hash);
    return record;
}

static void test_away_round_trip(void **state)
{
    const struct gl_local_record before = sample_away();
    struct gl_local_record after;
    struct gl_error err = {0};
    char *text = gl_local_record_text(&before, &err), *again;

    (void)state;
    assert_non_null(text);
    assert_int_equal(gl_local_record_parse(text, strlen(text), "test", &after, &err), 0);
    again = gl_local_record_text(&after, &err);
    assert_string_equal(text, again);
    assert_int_equal(after.state, GL_STATE_SUSPENDED);
    assert_int_equal(after.away.phase, GL_PHASE_WAKING);
    assert_true(after.away.is_live && after.has_network && after.has_disk);
    assert_string_equal(after.away.from, "a");
    assert_string_equal(after.away.target, "b");
    assert_string_equal(after.away.path, before.away.path);
    assert_int_equal(after.away.seal.length, 86012878);
    assert_true(gl_hash_equal(&after.away.seal.hash, &before.away.seal.hash));
    assert_int_equal(after.away.console_bytes, 4096);
    assert_int_equal(after.away.still_ms, 1789000123456);
    assert_int_equal(after.away.other.pid, 4712);
    assert_int_equal(after.away.other.start_ticks, 987654321);
    assert_int_equal(after.cpu_before_ms, 1234);
    assert_int_equal(after.cpu_boot_ms, 234);
    assert_int_equal(gl_local_cpu_ms(&after, NULL), 1000); /* its boot is not its own */
    free(text);
    free(again);
}

/* A path that cannot be written down must not be left out in silence. */
static void test_away_is_never_left_out(void **state)
{
    struct gl_local_record record = sample_away();
    struct gl_error err = {0};

    (void)state;
    memcpy(record.away.path, "/\xff", 3);
    assert_null(gl_local_record_text(&record, &err));
    assert_int_equal(err.code, GL_E_INTERNAL);
}

/* Written before there was anything to be away for. */
static void test_older_record(void **state)
{
    static const char text[] =
        "{\"attempt\":1,\"boot\":\"b\",\"exit_status\":-1,\"expires_s\":2,\"has_exit\":false,"
        "\"host_cpu_ms\":-1,\"how\":\"qemu/tcg\",\"launch\":\"gl-1\",\"memory_mib\":256,\"pid\":0,"
        "\"region\":\"this-machine\",\"start_ticks\":0,\"started_s\":1,\"state\":\"ended\","
        "\"tag\":\"t\",\"token\":\"" TOKEN "\",\"type\":\"small\",\"v\":1,\"vcpus\":1}";
    struct gl_local_record record;
    struct gl_error err = {0};

    (void)state;
    if (gl_local_record_parse(text, strlen(text), "test", &record, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(record.away.phase, GL_PHASE_NONE);
    assert_int_equal(record.cpu_before_ms, 0);
    assert_int_equal(record.cpu_boot_ms, 0);
}

/* A record with one byte changed is read, refused, or read as another record: never a crash, and
 * what is cut is always refused. */
static void test_damaged(void **state)
{
    const struct gl_local_record before = sample_away();
    struct gl_local_record after;
    struct gl_error err = {0};
    char *text = gl_local_record_text(&before, &err);
    size_t length = strlen(text);

    (void)state;
    for (size_t i = 0; i < length; i++) {
        struct gl_error why = {0};

        assert_int_equal(gl_local_record_parse(text, i, "test", &after, &why), -1);
    }
    for (size_t i = 0; i < length; i++) {
        struct gl_error why = {0};
        char was = text[i];

        text[i] = '7';
        gl_local_record_parse(text, length, "test", &after, &why);
        text[i] = was;
    }
    free(text);
}

static void test_bad_values(void **state)
{
    static const char *const bad[] = {"{}", "[]", "{\"v\":1}", "{\"v\":2,\"token\":\"x\"}"};
    struct gl_local_record record = sample(), after;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct gl_error err = {0};

        assert_int_equal(gl_local_record_parse(bad[i], strlen(bad[i]), "test", &after, &err), -1);
    }
    struct gl_error err = {0};
    char *text;

    memcpy(record.launch_id, "../../etc", 10);
    text = gl_local_record_text(&record, &err);
    assert_int_equal(gl_local_record_parse(text, strlen(text), "test", &after, &err), -1);
    assert_int_equal(err.code, GL_E_BAD_REPLY);
    free(text);
}

static void test_ids(void **state)
{
    static const char *const good[] = {"gl-1", "gl-4k2p9x", "gl-a-b-2"};
    static const char *const bad[] = {
        "",       "gl-",   "x-1",    "gl-A",
        "gl-a/b", "gl-..", "gl-a b", "gl-0123456789012345678901234567890123456789z",
        "golden"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(gl_local_id_is_valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(gl_local_id_is_valid(bad[i]));
}

static void test_tag(void **state)
{
    char a[GL_LOCAL_TAG], b[GL_LOCAL_TAG], c[GL_LOCAL_TAG];

    (void)state;
    gl_local_tag("/state", TOKEN, a);
    gl_local_tag("/state", TOKEN, b);
    gl_local_tag("/elsewhere", TOKEN, c);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    assert_int_equal(strlen(a), 36);
    assert_int_equal(a[14], '8');
    assert_int_equal(a[8], '-');
}

static void test_alive(void **state)
{
    struct gl_local_record record = sample();
    char boot[GL_LOCAL_TAG];

    (void)state;
    gl_local_boot_id(boot);
    assert_int_equal(strlen(boot), 36);
    record.process = gl_local_process_of(getpid());
    assert_false(gl_local_is_alive(&record)); /* another boot: the pid means nothing */
    memcpy(record.boot, boot, sizeof boot);
    assert_true(gl_local_is_alive(&record));
    record.process.start_ticks++;
    assert_false(gl_local_is_alive(&record)); /* a recycled pid */
    record.process = (struct gl_process){0};
    assert_false(gl_local_is_alive(&record));
}

static void test_found_by_tag(void **state)
{
    static const char tag[] = "d0d0d0d0-0000-8000-8000-000000000001";
    const char *const argv[] = {"/bin/sh", "-c", "read _", tag, NULL};
    int ends[2], piped = pipe(ends);
    struct gl_spawn spawn = {.argv = argv,
                             .stdin_fd = ends[0],
                             .stdout_fd = -1,
                             .stderr_fd = -1,
                             .uid = -1,
                             .gid = -1,
                             .dies_with_parent = true};
    struct gl_process process, found;
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(piped, 0);
    assert_false(gl_local_find_process(tag, &found));
    assert_int_equal(gl_process_start(&spawn, &process, &err), 0);
    assert_true(gl_local_find_process(tag, &found));
    assert_int_equal(found.pid, process.pid);
    assert_int_equal(found.start_ticks, process.start_ticks);
    assert_false(gl_local_find_process("d0d0d0d0", &found)); /* a part of a name is no tag */
    gl_local_kill(&process);
    assert_false(gl_process_is_alive(&process));
    gl_local_kill(&process); /* again is fine */
    assert_false(gl_local_find_process(tag, &found));
    close(ends[0]);
    close(ends[1]);
}

static void test_missing_record(void **state)
{
    struct gl_local_record record;
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_local_record_load("build/no-such-folder", &record, &err), -1);
    assert_int_equal(err.code, GL_E_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tail),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_away_round_trip),
        cmocka_unit_test(test_away_is_never_left_out),
        cmocka_unit_test(test_older_record),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_tag),
        cmocka_unit_test(test_alive),
        cmocka_unit_test(test_found_by_tag),
        cmocka_unit_test(test_missing_record),
    };

    return cmocka_run_group_tests_name("local_record", tests, NULL, NULL);
}
