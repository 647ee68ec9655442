/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "providers/signal/cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "build/tmp/test_signal_cache"

static int set_up(void **state)
{
    struct gl_error err = {0};

    (void)state;
    return gl_dir_remove(FOLDER, &err);
}

static struct gl_cache_key key(const char *url)
{
    return (struct gl_cache_key){FOLDER, "neso", url, "GB|0"};
}

static void keep(const char *url, const char *body, int64_t retrieved_s, int64_t max_bytes)
{
    const struct gl_cache_key k = key(url);
    struct gl_cached cached = {.retrieved_s = retrieved_s, .checked_s = retrieved_s + 1};
    struct gl_error err = {0};

    cached.body = gl_strdup(body);
    cached.length = strlen(body);
    snprintf(cached.etag, sizeof cached.etag, "\"e-%s\"", body);
    snprintf(cached.last_modified, sizeof cached.last_modified, "Sat, 10 Jan 2026 12:00:00 GMT");
    assert_int_equal(gl_cache_keep(&k, &cached, max_bytes, &err), 0);
    gl_cached_done(&cached);
}

static bool find(const char *url, struct gl_cached *out)
{
    const struct gl_cache_key k = key(url);

    return gl_cache_find(&k, out);
}

static void test_round_trip(void **state)
{
    struct gl_cached found;

    (void)state;
    keep("http://a/", "body with\nlines and \"quotes\"", 1000, GL_CACHE_MAX_BYTES);
    assert_true(find("http://a/", &found));
    assert_string_equal(found.body, "body with\nlines and \"quotes\"");
    assert_int_equal(found.length, strlen(found.body));
    assert_int_equal(found.retrieved_s, 1000);
    assert_int_equal(found.checked_s, 1001);
    assert_string_equal(found.last_modified, "Sat, 10 Jan 2026 12:00:00 GMT");
    gl_cached_done(&found);
    assert_false(find("http://b/", &found));
}

static void test_latest(void **state)
{
    const struct gl_cache_key k = key("http://c/");
    struct gl_cached found;

    (void)state;
    assert_false(gl_cache_find_latest(&k, &found));
    keep("http://a/", "one", 1000, GL_CACHE_MAX_BYTES);
    keep("http://b/", "two", 2000, GL_CACHE_MAX_BYTES);
    assert_true(gl_cache_find_latest(&k, &found));
    assert_string_equal(found.body, "two");
    gl_cached_done(&found);
}

static void test_no_folder(void **state)
{
    const struct gl_cache_key k = {NULL, "neso", "http://a/", "GB|0"};
    struct gl_cached cached = {0};
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_cache_keep(&k, &cached, 1, &err), 0);
    assert_false(gl_cache_find(&k, &cached));
    assert_false(gl_cache_find_latest(&k, &cached));
}

/* Sources do not see each other's answers, not even to the same URL. */
static void test_other_source(void **state)
{
    const struct gl_cache_key k = {FOLDER, "energinet", "http://a/", "GB|0"};
    struct gl_cached found;

    (void)state;
    keep("http://a/", "one", 1000, GL_CACHE_MAX_BYTES);
    assert_false(gl_cache_find(&k, &found));
    assert_false(gl_cache_find_latest(&k, &found));
}

static void file_of(const char *suffix, char out[512])
{
    DIR *dir = opendir(FOLDER);
    const struct dirent *entry;

    assert_non_null(dir);
    out[0] = '\0';
    while ((entry = readdir(dir)) != NULL)
        if (strstr(entry->d_name, suffix) != NULL)
            snprintf(out, 512, "%s/%s", FOLDER, entry->d_name);
    closedir(dir);
    assert_true(out[0] != '\0');
}

/* Cut the file at every byte and flip every byte: never an answer. */
static void test_damage(void **state)
{
    struct gl_error err = {0};
    struct gl_cached found;
    char path[512], *bytes;
    size_t length;

    (void)state;
    keep("http://a/", "{\"data\":[1]}", 1000, GL_CACHE_MAX_BYTES);
    file_of(".answer", path);
    assert_int_equal(gl_file_read(path, 1 << 20, &bytes, &length, &err), 0);
    for (size_t i = 0; i < length; i++) {
        FILE *file = fopen(path, "wb");

        assert_int_equal(fwrite(bytes, 1, i, file), i);
        fclose(file);
        assert_false(find("http://a/", &found));
    }
    for (size_t i = 0; i < length; i++) {
        FILE *file = fopen(path, "wb");

        bytes[i] ^= 1;
        assert_int_equal(fwrite(bytes, 1, length, file), length);
        fclose(file);
        bytes[i] ^= 1;
        assert_false(find("http://a/", &found));
    }
    free(bytes);
}

/* One answer under another's name: the file says itself what it answers. */
static void test_renamed(void **state)
{
    struct gl_cached found;
    char a[512], b[512];

    (void)state;
    keep("http://b/", "two", 1000, GL_CACHE_MAX_BYTES);
    file_of(".answer", b);
    assert_int_equal(unlink(b), 0);
    keep("http://a/", "one", 1000, GL_CACHE_MAX_BYTES);
    file_of(".answer", a);
    assert_int_equal(rename(a, b), 0);
    assert_false(find("http://b/", &found));
}

static void test_large_body(void **state)
{
    const struct gl_cache_key k = key("http://a/");
    struct gl_cached cached = {.length = ((size_t)8 << 20) + 1}, found;
    struct gl_error err = {0};

    (void)state;
    cached.body = gl_alloc(cached.length + 1);
    memset(cached.body, 'x', cached.length);
    assert_int_equal(gl_cache_keep(&k, &cached, GL_CACHE_MAX_BYTES, &err), 0);
    assert_false(find("http://a/", &found)); /* too large to keep */
    gl_cached_done(&cached);
}

static void set_age(const char *path, int64_t seconds)
{
    const struct timespec times[2] = {{seconds, 0}, {seconds, 0}};

    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void test_oldest_goes_first(void **state)
{
    struct gl_cached found;
    char body[3000], path[512];

    (void)state;
    memset(body, 'x', sizeof body - 1);
    body[sizeof body - 1] = '\0';
    keep("http://old/", body, 1000, GL_CACHE_MAX_BYTES);
    file_of(".answer", path);
    set_age(path, 1000);
    body[0] = 'y';
    keep("http://new/", body, 2000, 5000); /* room for one answer */
    assert_false(find("http://old/", &found));
    assert_true(find("http://new/", &found));
    gl_cached_done(&found);
}

/* What is not ours stays, whatever the cache weighs. */
static void test_foreign_files_stay(void **state)
{
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_dir_make(FOLDER, &err), 0);
    assert_int_equal(gl_file_write(FOLDER "/notes.answer", "mine", 4, 0600, &err), 0);
    keep("http://a/", "one", 1000, 1);
    assert_true(gl_file_exists(FOLDER "/notes.answer"));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip),
        TEST(test_latest),
        TEST(test_no_folder),
        TEST(test_other_source),
        TEST(test_damage),
        TEST(test_renamed),
        TEST(test_large_body),
        TEST(test_oldest_goes_first),
        TEST(test_foreign_files_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
