/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/learnt.h"
#include "tests/support/scratch.c"

#define SIZE 5000

static char *folder;
static struct gl_learnt learnt;
static struct gl_hash key;
static unsigned char state_bytes[SIZE], got[SIZE];

static int setup(void **state)
{
    (void)state;
    folder = scratch_make("learnt");
    gl_learnt_init(&learnt, folder);
    gl_hash_of("a rule", 6, &key);
    for (size_t i = 0; i < SIZE; i++)
        state_bytes[i] = (unsigned char)(i * 7);
    memset(got, 0xEE, sizeof got);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    gl_learnt_done(&learnt);
    scratch_remove(folder);
    return 0;
}

static void save(void)
{
    learnt.memory.save(learnt.memory.cookie, &key, state_bytes, SIZE);
}

static bool load(void)
{
    return learnt.memory.load(learnt.memory.cookie, &key, got, SIZE);
}

static char *path_of(void)
{
    char name[GL_HASH_HEX];
    char *inner = gl_path_join(folder, "learnt");
    char *path = gl_path_join(inner, gl_hash_hex(&key, name));

    free(inner);
    return path;
}

/* The stored file with the byte at `at` changed, cut to `length`. */
static void spoil(size_t at, size_t length)
{
    char *path = path_of(), *text;
    size_t before;
    struct gl_error err = {0};

    save();
    assert_int_equal(gl_file_read(path, 100000, &text, &before, &err), 0);
    assert_true(length <= before);
    if (at < before)
        text[at] = (char)(text[at] ^ 1);
    assert_int_equal(gl_file_write(path, text, length, 0600, &err), 0);
    free(text);
    free(path);
}

static size_t stored_size(void)
{
    char *path = path_of();
    struct stat about;
    int result = stat(path, &about);

    free(path);
    return result == 0 ? (size_t)about.st_size : 0;
}

static void what_was_saved_is_loaded(void **state)
{
    (void)state;
    assert_false(load());
    save();
    assert_true(load());
    assert_memory_equal(got, state_bytes, SIZE);
    gl_learnt_done(&learnt); /* another process */
    gl_learnt_init(&learnt, folder);
    assert_true(load());
}

static void another_key_or_size_is_not_it(void **state)
{
    (void)state;
    save();
    assert_false(learnt.memory.load(learnt.memory.cookie, &key, got, SIZE - 1));
    gl_hash_of("another", 7, &key);
    assert_false(load());
    assert_int_equal(got[0], 0xEE); /* untouched */
}

static void a_torn_file_is_as_good_as_none(void **state)
{
    (void)state;
    save();
    for (size_t length = 0; length < stored_size(); length += 997) {
        spoil(SIZE_MAX, length);
        assert_false(load());
    }
    assert_int_equal(got[0], 0xEE);
    save();
    assert_true(load());
}

static void any_changed_byte_is_noticed(void **state)
{
    size_t whole;

    (void)state;
    save();
    whole = stored_size();
    for (size_t at = 0; at < whole; at += at < 70 ? 1 : 613) { /* hash, version, bytes */
        spoil(at, whole);
        assert_false(load());
    }
}

/* The version is inside what is hashed: an older build's file is whole and yet not ours. */
static void a_file_of_another_version_is_learnt_anew(void **state)
{
    char *path = path_of(), *text;
    struct gl_error err = {0};
    struct gl_hash hash;
    size_t length;

    (void)state;
    save();
    assert_int_equal(gl_file_read(path, 100000, &text, &length, &err), 0);
    text[sizeof hash.bytes] ^= 1;
    gl_hash_of(text + sizeof hash.bytes, length - sizeof hash.bytes, &hash);
    memcpy(text, hash.bytes, sizeof hash.bytes);
    assert_int_equal(gl_file_write(path, text, length, 0600, &err), 0);
    assert_false(load());
    free(text);
    free(path);
}

/* No byte can be written: nothing is stored, nothing is broken, the old file stays. */
static void a_full_disk_keeps_what_was_there(void **state)
{
    struct rlimit before, none;

    (void)state;
    save();
    state_bytes[0] ^= 1;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = before;
    none.rlim_cur = 1000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    save();
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(load());
    assert_int_equal(got[0], state_bytes[0] ^ 1);
}

static size_t count_files(void)
{
    char *inner = gl_path_join(folder, "learnt");
    DIR *dir = opendir(inner);
    size_t count = 0;

    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    free(inner);
    return count - 2;
}

static void there_is_a_ceiling_and_the_oldest_goes(void **state)
{
    struct gl_hash first = key;

    (void)state;
    for (int i = 0; i < GL_LEARNT_FILES + 20; i++) {
        char name[16];

        snprintf(name, sizeof name, "rule %d", i);
        gl_hash_of(name, strlen(name), &key);
        if (i == 0)
            first = key;
        learnt.memory.save(learnt.memory.cookie, &key, state_bytes, 10);
    }
    assert_int_equal(count_files(), GL_LEARNT_FILES);
    assert_true(learnt.memory.load(learnt.memory.cookie, &key, got, 10));
    assert_false(learnt.memory.load(learnt.memory.cookie, &first, got, 10));
}

static void without_a_state_folder_nothing_is_kept(void **state)
{
    struct gl_learnt nowhere;

    (void)state;
    gl_learnt_init(&nowhere, NULL);
    assert_null(nowhere.folder);
    gl_learnt_done(&nowhere);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_saved_is_loaded),
        TEST(another_key_or_size_is_not_it),
        TEST(a_torn_file_is_as_good_as_none),
        TEST(any_changed_byte_is_noticed),
        TEST(a_file_of_another_version_is_learnt_anew),
        TEST(a_full_disk_keeps_what_was_there),
        TEST(there_is_a_ceiling_and_the_oldest_goes),
        TEST(without_a_state_folder_nothing_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
