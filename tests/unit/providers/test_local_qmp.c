/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_qmp.h"

#include "base/file.h"
#include "providers/cloud/local_golden.h"
#include "providers/cloud/local_link.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[128];

static int set_up(void **state)
{
    const char *build = getenv("BUILD_DIR");
    struct gl_error err = {0};
    char sockets[160];

    (void)state;
    snprintf(folder, sizeof folder, "%s/tmp/local_qmp_%ld", build ? build : "build",
             (long)getpid());
    snprintf(sockets, sizeof sockets, "%s/io", folder);
    return gl_dir_remove(folder, &err) || gl_dir_make(sockets, &err);
}

static int tear_down(void **state)
{
    struct gl_error err = {0};

    (void)state;
    return gl_dir_remove(folder, &err);
}

static void test_messages(void **state)
{
    static const struct {
        const char *line;
        enum gl_qmp_kind kind;
        int64_t id;
        const char *text;
    } rows[] = {
        {"{\"QMP\": {\"version\": {\"qemu\": {\"major\": 7}}, \"capabilities\": [\"oob\"]}}",
         GL_QMP_GREETING, -1, ""},
        {"{\"return\": {}, \"id\": 3}", GL_QMP_RETURN, 3, ""},
        {"{\"return\": [1.5], \"id\": 4}\r", GL_QMP_RETURN, 4, ""},
        {"{\"error\": {\"class\": \"GenericError\", \"desc\": \"no such thing\"}, \"id\": 5}",
         GL_QMP_ERROR, 5, "no such thing"},
        {"{\"error\": {}}", GL_QMP_ERROR, -1, ""},
        {"{\"timestamp\": {\"seconds\": 1}, \"event\": \"STOP\"}", GL_QMP_EVENT, -1, "STOP"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gl_qmp_message message;
        struct gl_error err = {0};

        assert_int_equal(gl_qmp_parse(rows[i].line, strlen(rows[i].line), &message, &err), 0);
        assert_int_equal(message.kind, rows[i].kind);
        assert_int_equal(message.id, rows[i].id);
        assert_string_equal(message.text, rows[i].text);
        assert_int_equal(message.body != NULL, rows[i].kind == GL_QMP_RETURN);
        gl_qmp_message_done(&message);
    }
}

static void test_no_messages(void **state)
{
    static const char *const bad[] = {"",
                                      "{",
                                      "[]",
                                      "{}",
                                      "\"x\"",
                                      "{\"QMP\":1}",
                                      "{\"id\":1}",
                                      "{\"return\":{}} x",
                                      "{\"return\":1,\"return\":2}"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct gl_qmp_message message;
        struct gl_error err = {0};

        assert_int_equal(gl_qmp_parse(bad[i], strlen(bad[i]), &message, &err), -1);
        assert_int_not_equal(err.code, GL_OK);
    }
}

/* A QEMU in a child: sends the lines of `script`, one after each line it gets (the first at once).
 */
static pid_t play(const char *const *script)
{
    struct gl_error err = {0};
    int listening = gl_local_listen(folder, "io/qmp.sock", &err);
    pid_t pid;

    assert_true(listening >= 0);
    pid = fork();
    if (pid == 0) {
        int fd = -1;
        char bytes[4096];

        while (fd < 0)
            fd = accept(listening, NULL, NULL);
        for (size_t i = 0; script[i] != NULL; i++) {
            if (i > 0 && read(fd, bytes, sizeof bytes) <= 0)
                _exit(1);
            if (write(fd, script[i], strlen(script[i])) < 0)
                _exit(1);
        }
        _exit(read(fd, bytes, sizeof bytes) < 0);
    }
    close(listening);
    return pid;
}

static void test_talk(void **state)
{
    static const char *const script[] = {
        "{\"QMP\":{}}\n", "{\"return\":{},\"id\":1}\n",
        "{\"event\":\"STOP\"}\n{\"return\":{},\"id\":77}\n{\"return\":{\"status\":\"paused\"},"
        "\"id\":2}\n",
        "{\"error\":{\"desc\":\"not now\"},\"id\":3}\n", NULL};
    pid_t pid = play(script);
    struct gl_qmp qmp;
    struct gl_error err = {0};
    json_t *reply = NULL;

    (void)state;
    assert_int_equal(gl_qmp_open(&qmp, folder, "io/qmp.sock", 5000, &err), 0);
    assert_int_equal(gl_qmp_command(&qmp, "query-status", NULL, -1, &reply, &err), 0);
    assert_string_equal(json_string_value(json_object_get(reply, "status")), "paused");
    json_decref(reply);
    assert_int_equal(
        gl_qmp_command(&qmp, "migrate", json_pack("{s:s}", "uri", "fd:x"), -1, NULL, &err), -1);
    assert_int_equal(err.code, GL_E_LAUNCH);
    assert_non_null(strstr(err.text, "not now"));
    gl_qmp_close(&qmp);
    waitpid(pid, NULL, 0);
}

static void test_peer_that_misbehaves(void **state)
{
    static const char *const no_greeting[] = {"{\"return\":{},\"id\":1}\n", NULL};
    static const char *const garbage[] = {"220 smtp ready\n", NULL};
    static const char *const mute[] = {"", NULL};
    static const char *const *const scripts[] = {no_greeting, garbage, mute};

    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        pid_t pid = play(scripts[i]);
        struct gl_qmp qmp;
        struct gl_error err = {0};

        assert_int_equal(gl_qmp_open(&qmp, folder, "io/qmp.sock", 200, &err), -1);
        assert_int_not_equal(err.code, GL_OK);
        waitpid(pid, NULL, 0);
    }
    struct gl_qmp qmp;
    struct gl_error err = {0};

    assert_int_equal(gl_qmp_open(&qmp, folder, "io/qmp.sock", 200, &err), -1); /* nobody listens */
    assert_int_equal(err.code, GL_E_IO);
}

static void test_snapshot_companion(void **state)
{
    struct gl_machine_seal seal = {.length = 85242660}, read;
    struct gl_error err = {0};
    char *text;

    (void)state;
    gl_hash_of("abc", 3, &seal.hash);
    text = gl_golden_text(&seal, &err);
    assert_int_equal(gl_golden_parse(text, strlen(text), &read, &err), 0);
    assert_int_equal(read.length, 85242660);
    assert_true(gl_hash_equal(&seal.hash, &read.hash));
    for (size_t i = 0; i < strlen(text); i++) {
        struct gl_error why = {0};

        assert_int_equal(gl_golden_parse(text, i, &read, &why), -1);
    }
    free(text);
}

static void write_text(const char *name, const char *text)
{
    char path[256];
    struct gl_error err = {0};

    snprintf(path, sizeof path, "%s/golden/%s", folder, name);
    assert_int_equal(gl_file_write(path, text, strlen(text), 0600, &err), 0);
}

static bool is_there(const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/golden/%s", folder, name);
    return gl_file_exists(path);
}

/* A snapshot that is short, long, or changed is found out and, where its length tells, removed. */
static void test_damaged_snapshots(void **state)
{
    struct gl_machine_seal seal = {.length = 6};
    struct gl_golden golden;
    struct gl_error err = {0};
    char path[256], *text;

    (void)state;
    snprintf(path, sizeof path, "%s/golden", folder);
    assert_int_equal(gl_dir_make(path, &err), 0);
    crypto_generichash(seal.hash.bytes, sizeof seal.hash.bytes, (const unsigned char *)"memory", 6,
                       NULL, 0);
    text = gl_golden_text(&seal, &err);
    gl_golden_open(folder, "k", &golden);
    assert_int_equal(golden.fd, -1);
    write_text("k.json", text);
    write_text("k.mig", "memory");
    gl_golden_open(folder, "k", &golden);
    assert_true(golden.fd >= 0);
    assert_true(gl_golden_is_whole(&golden));
    gl_golden_close(&golden);
    write_text("k.mig", "mEmory");
    gl_golden_open(folder, "k", &golden);
    assert_true(golden.fd >= 0);
    assert_false(gl_golden_is_whole(&golden));
    gl_golden_close(&golden);
    write_text("k.mig", "memor");
    gl_golden_open(folder, "k", &golden);
    assert_int_equal(golden.fd, -1);
    assert_false(is_there("k.mig"));
    assert_false(is_there("k.json"));
    write_text("k.mig", "memory"); /* without its companion */
    gl_golden_open(folder, "k", &golden);
    assert_int_equal(golden.fd, -1);
    assert_false(is_there("k.mig"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_no_messages),
        cmocka_unit_test_setup_teardown(test_talk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_peer_that_misbehaves, set_up, tear_down),
        cmocka_unit_test(test_snapshot_companion),
        cmocka_unit_test_setup_teardown(test_damaged_snapshots, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("local_qmp", tests, NULL, NULL);
}
