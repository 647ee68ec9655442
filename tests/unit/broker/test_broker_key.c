/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/receipt.h"

#include "base/file.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Unit tests link archives only. */
#include "tests/support/scratch.c"

static char *folder;

static int set_up(void **state)
{
    (void)state;
    folder = scratch_make("test_broker_key");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

static void the_key_is_made_once_and_kept_secret(void **state)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, "broker.key");
    GL_AUTO(gl_auto_free) char *public_path = gl_path_join(folder, "broker.pub");
    struct gl_secret_key first, second;
    struct gl_public_key first_key, second_key, read;
    struct gl_error err = {0};
    struct gl_world world;
    struct stat info;

    (void)state;
    gl_world_real(&world);
    assert_int_equal(gl_broker_key(folder, &world, &first, &first_key, &err), 0);
    assert_int_equal(gl_broker_key(folder, &world, &second, &second_key, &err), 0);
    assert_memory_equal(&first, &second, sizeof first);
    assert_memory_equal(&first_key, &second_key, sizeof first_key);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(gl_public_key_read(public_path, &read, &err), 0);
    assert_memory_equal(&read, &first_key, sizeof read);
    assert_int_equal(gl_file_write(path, "short", 5, 0600, &err), 0);
    assert_int_equal(gl_broker_key(folder, &world, &first, &first_key, &err), -1);
    assert_int_equal(err.code, GL_E_CONFIG);
}

static int read_all(int fd, uint8_t out[GL_KEY_BYTES])
{
    return read(fd, out, GL_KEY_BYTES) == GL_KEY_BYTES ? 0 : -1;
}

static void two_processes_make_one_key(void **state)
{
    GL_AUTO(gl_auto_free) char *public_path = gl_path_join(folder, "broker.pub");
    struct gl_public_key read;
    struct gl_error err = {0};
    int pipes[2];
    pid_t children[8];

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    for (size_t i = 0; i < 8; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            struct gl_secret_key mine;
            struct gl_public_key mine_key;
            struct gl_world world;

            gl_world_real(&world);
            if (gl_broker_key(folder, &world, &mine, &mine_key, &err) == 0)
                _exit(write(pipes[1], mine_key.bytes, GL_KEY_BYTES) == GL_KEY_BYTES ? 0 : 2);
            _exit(1);
        }
    }
    for (size_t i = 0; i < 8; i++) {
        int status = -1;

        waitpid(children[i], &status, 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(gl_public_key_read(public_path, &read, &err), 0);
    for (size_t i = 0; i < 8; i++) {
        uint8_t made[GL_KEY_BYTES];

        assert_int_equal(read_all(pipes[0], made), 0);
        assert_memory_equal(made, read.bytes, sizeof made);
    }
    close(pipes[0]);
    close(pipes[1]);
}

static void a_public_key_is_read_from_text_or_file(void **state)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, "key");
    char hex[2 * GL_KEY_BYTES + 1], line[2 * GL_KEY_BYTES + 3];
    static const char *const bad[] = {"", "00", "not a key\n", "\n"};
    struct gl_secret_key secret;
    struct gl_public_key key, read;
    struct gl_error err = {0};

    (void)state;
    gl_key_of_seed((const uint8_t[32]){1}, &secret, &key);
    gl_hex_text(key.bytes, GL_KEY_BYTES, hex);
    assert_int_equal(gl_public_key_read(hex, &read, &err), 0);
    assert_memory_equal(&read, &key, sizeof read);
    snprintf(line, sizeof line, "%s\r\n", hex);
    assert_int_equal(gl_file_write(path, line, strlen(line), 0600, &err), 0);
    memset(&read, 0, sizeof read);
    assert_int_equal(gl_public_key_read(path, &read, &err), 0);
    assert_memory_equal(&read, &key, sizeof read);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        gl_error_clear(&err);
        assert_int_equal(gl_file_write(path, bad[i], strlen(bad[i]), 0600, &err), 0);
        assert_int_equal(gl_public_key_read(path, &read, &err), -1);
    }
    gl_error_clear(&err);
    assert_int_equal(gl_public_key_read("build/tmp/no-such-key", &read, &err), -1);
    assert_int_equal(err.code, GL_E_USAGE);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_key_is_made_once_and_kept_secret),
        CASE(two_processes_make_one_key),
        CASE(a_public_key_is_read_from_text_or_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
