/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char *root; /* below build/, fresh for every test */

static char *below(const char *name)
{
    return gl_path_join(root, name);
}

static int set_up(void **state)
{
    const char *build = getenv("BUILD_DIR");
    struct gl_error err = {0};
    char name[64];

    (void)state;
    snprintf(name, sizeof name, "tmp/unit_file_%ld", (long)getpid());
    root = gl_path_join(build && *build ? build : "build", name);
    return gl_dir_remove(root, &err) || gl_dir_make(root, &err);
}

static int tear_down(void **state)
{
    struct gl_error err = {0};
    int result = gl_dir_remove(root, &err);

    (void)state;
    free(root);
    return result;
}

static void write_text(const char *name, const char *text)
{
    char *path = below(name);
    struct gl_error err = {0};

    if (gl_file_write(path, text, strlen(text), 0600, &err) != 0)
        fail_msg("%s", err.text);
    free(path);
}

static void assert_text(const char *name, const char *expected)
{
    char *path = below(name);
    char *text = NULL;
    size_t length = 0;
    struct gl_error err = {0};

    if (gl_file_read(path, 1 << 20, &text, &length, &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(text, expected);
    assert_int_equal(length, strlen(expected));
    free(text);
    free(path);
}

static unsigned entries(const char *path)
{
    DIR *dir = opendir(path);
    unsigned count = 0;

    assert_non_null(dir);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count - 2;
}

static void test_write_and_read(void **state)
{
    char *path = below("a.txt");
    struct stat info;
    struct gl_error err = {0};

    (void)state;
    write_text("a.txt", "first");
    assert_text("a.txt", "first");
    write_text("a.txt", "");
    assert_text("a.txt", "");
    assert_int_equal(gl_file_write(path, "x\0y", 3, 0640, &err), 0);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
    assert_int_equal(info.st_size, 3);
    assert_int_equal(entries(root), 1); /* no temporary file stays */
    free(path);
}

static void test_read_ceiling(void **state)
{
    char *path = below("a.txt");
    char *text = NULL;
    size_t length = 77;
    struct gl_error err = {0};

    (void)state;
    write_text("a.txt", "12345");
    assert_int_equal(gl_file_read(path, 5, &text, &length, &err), 0);
    assert_int_equal(length, 5);
    free(text);
    text = NULL;
    assert_int_equal(gl_file_read(path, 4, &text, &length, &err), -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    assert_null(text);
    assert_int_equal(length, 5);
    gl_error_clear(&err);
    assert_int_equal(gl_file_read(path, 0, &text, &length, &err), -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    gl_error_clear(&err);
    write_text("a.txt", "");
    assert_int_equal(gl_file_read(path, 0, &text, &length, &err), 0);
    assert_string_equal(text, "");
    free(text);
    free(path);
}

/* Larger than one read, so that the parts are joined. */
static void test_read_large(void **state)
{
    const size_t size = 300000;
    char *path = below("large"), *bytes = gl_alloc(size), *back = NULL;
    size_t length = 0;
    struct gl_error err = {0};

    (void)state;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    assert_int_equal(gl_file_write(path, bytes, size, 0600, &err), 0);
    assert_int_equal(gl_file_read(path, size, &back, &length, &err), 0);
    assert_int_equal(length, size);
    assert_memory_equal(back, bytes, size);
    free(back);
    free(bytes);
    free(path);
}

static void assert_unreadable(const char *path, int sys, const char *says)
{
    char *text = NULL;
    size_t length = 0;
    struct gl_error err = {0};

    assert_int_equal(gl_file_read(path, 100, &text, &length, &err), -1);
    assert_int_equal(err.code, GL_E_IO);
    assert_int_equal(err.sys, sys);
    if (strstr(err.text, says) == NULL)
        fail_msg("%s", err.text);
    assert_null(text);
}

static void test_read_refusals(void **state)
{
    char *fifo = below("fifo");
    char *missing = below("missing");

    (void)state;
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_unreadable(missing, ENOENT, "cannot open");
    assert_unreadable(root, 0, "not a regular file");
    assert_unreadable("/dev/zero", 0, "not a regular file");
    assert_unreadable(fifo, 0, "not a regular file"); /* and does not wait for a writer */
    free(fifo);
    free(missing);
}

static void test_read_stdin(void **state)
{
    int kept = dup(STDIN_FILENO), fds[2];
    char *text = NULL;
    size_t length = 0;
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "piped", 5), 5);
    close(fds[1]);
    assert_true(dup2(fds[0], STDIN_FILENO) >= 0);
    close(fds[0]);
    assert_int_equal(gl_file_read("-", 100, &text, &length, &err), 0);
    assert_string_equal(text, "piped");
    free(text);
    fds[0] = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* a read that fails */
    dup2(fds[0], STDIN_FILENO);
    close(fds[0]);
    assert_int_equal(gl_file_read("-", 100, &text, &length, &err), -1);
    assert_int_equal(err.sys, EISDIR);
    close(STDIN_FILENO);
    gl_error_clear(&err);
    assert_int_equal(gl_file_read("-", 100, &text, &length, &err), -1);
    assert_int_equal(err.sys, EBADF);
    if (kept >= 0) {
        dup2(kept, STDIN_FILENO);
        close(kept);
    }
}

static void test_write_failures(void **state)
{
    char *folder = below("folder"), *nowhere = below("missing/a");
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_dir_make(folder, &err), 0);
    assert_int_equal(gl_file_write(folder, "x", 1, 0600, &err), -1);
    assert_int_equal(err.code, GL_E_IO);
    assert_non_null(strstr(err.text, folder));
    assert_int_equal(entries(root), 1); /* the temporary file is gone */
    gl_error_clear(&err);
    assert_int_equal(gl_file_write(nowhere, "x", 1, 0600, &err), -1);
    assert_int_equal(err.sys, ENOENT);
    gl_error_clear(&err);
    assert_int_equal(gl_file_write("/proc/gl-test", "x", 1, 0600, &err), -1);
    assert_int_equal(err.code, GL_E_IO);
    free(folder);
    free(nowhere);
}

/* A pipe or a device is never replaced; who names one, also by a link, has it written to. */
static void test_pipes_and_devices_stay(void **state)
{
    char *pipe = below("pipe"), *link = below("link");
    struct gl_error err = {0};
    struct stat info;
    char got[4] = "";
    int fd;

    (void)state;
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(symlink("pipe", link), 0);
    fd = open(pipe, O_RDONLY | O_NONBLOCK);
    assert_true(fd >= 0);
    assert_int_equal(gl_file_write(pipe, "a", 1, 0600, &err), -1);
    assert_int_equal(err.code, GL_E_IO);
    gl_error_clear(&err);
    assert_int_equal(gl_file_write_given(pipe, "b", 1, 0600, &err), 0);
    assert_int_equal(gl_file_write_given(link, "c", 1, 0600, &err), 0);
    assert_int_equal(read(fd, got, sizeof got), 2);
    assert_memory_equal(got, "bc", 2);
    assert_int_equal(lstat(pipe, &info), 0);
    assert_true(S_ISFIFO(info.st_mode));
    assert_int_equal(gl_file_write_given("/dev/null", "d", 1, 0600, &err), 0);
    assert_int_equal(stat("/dev/null", &info), 0);
    assert_true(S_ISCHR(info.st_mode));
    close(fd);
    free(pipe);
    free(link);
}

/* A link in the place of the file is replaced; what it pointed to stays as it was. */
static void test_write_does_not_follow(void **state)
{
    char *link = below("link"), *target = below("target");
    struct stat info;

    (void)state;
    write_text("target", "precious");
    assert_int_equal(symlink("target", link), 0);
    write_text("link", "new");
    assert_text("target", "precious");
    assert_text("link", "new");
    assert_int_equal(lstat(link, &info), 0);
    assert_true(S_ISREG(info.st_mode));
    free(link);
    free(target);
}

/* A writer killed at any moment leaves the old or the new bytes, never a mixture. */
static void test_write_is_atomic(void **state)
{
    enum { SIZE = 100000 };
    char *path = below("whole"), *bytes = gl_alloc(SIZE), *back = NULL;
    size_t length = 0;
    struct gl_error err = {0};

    (void)state;
    memset(bytes, 'a', SIZE);
    assert_int_equal(gl_file_write(path, bytes, SIZE, 0600, &err), 0);
    for (int round = 0; round < 10; round++) {
        pid_t child = fork();

        if (child == 0)
            for (char c = 'b';; c = c == 'z' ? 'a' : (char)(c + 1)) {
                memset(bytes, c, SIZE);
                gl_file_write(path, bytes, SIZE, 0600, &err);
            }
        usleep(2000u + (unsigned)round * 700u);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        assert_int_equal(gl_file_read(path, SIZE, &back, &length, &err), 0);
        assert_int_equal(length, SIZE);
        for (size_t i = 1; i < SIZE; i++)
            if (back[i] != back[0])
                fail_msg("a mixture at byte %zu", i);
        free(back);
    }
    free(bytes);
    free(path);
}

static void test_dir_make(void **state)
{
    char *deep = below("x/y/z"), *again = below("x/y/"), *link = below("link");
    char *through = below("link/made"), *in_file = below("file/sub"), *file = below("file");
    struct stat info;
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_dir_make(deep, &err), 0);
    assert_int_equal(stat(deep, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(gl_dir_make(deep, &err), 0);
    assert_int_equal(gl_dir_make(again, &err), 0);
    assert_int_equal(symlink("x", link), 0);
    assert_int_equal(gl_dir_make(through, &err), 0);
    write_text("file", "");
    assert_int_equal(gl_dir_make(in_file, &err), -1);
    assert_int_equal(err.code, GL_E_IO);
    gl_error_clear(&err);
    assert_int_equal(gl_dir_make(file, &err), -1);
    assert_int_equal(err.sys, EEXIST);
    gl_error_clear(&err);
    assert_int_equal(gl_dir_make("", &err), -1);
    assert_int_equal(err.code, GL_E_IO);
    gl_error_clear(&err);
    assert_int_equal(gl_dir_make("/", &err), 0);
    free(deep);
    free(again);
    free(link);
    free(through);
    free(in_file);
    free(file);
}

static void test_dir_remove(void **state)
{
    char *tree = below("tree"), *deep = below("tree/a/b/c"), *link = below("tree/a/link");
    char *locked = below("tree/locked"), *kept = below("kept"), *fifo = below("tree/fifo");
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_dir_make(deep, &err), 0);
    assert_int_equal(gl_dir_make(kept, &err), 0);
    assert_int_equal(gl_dir_make(locked, &err), 0);
    write_text("kept/file", "precious");
    write_text("tree/a/b/c/file", "x");
    write_text("tree/locked/file", "x");
    assert_int_equal(symlink("../../kept", link), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(chmod(locked, 0500), 0);
    assert_int_equal(gl_dir_remove(tree, &err), 0);
    assert_false(gl_file_exists(tree));
    assert_text("kept/file", "precious");
    assert_int_equal(gl_dir_remove(tree, &err), 0); /* gone already: fine */
    free(tree);
    free(deep);
    free(link);
    free(locked);
    free(kept);
    free(fifo);
}

static void test_dir_remove_many(void **state)
{
    char *tree = below("many");
    char name[64];
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_dir_make(tree, &err), 0);
    for (int i = 0; i < 3000; i++) {
        int fd;
        char *path;

        snprintf(name, sizeof name, "many/a-rather-long-name-%d", i);
        path = below(name);
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        close(fd);
        free(path);
    }
    assert_int_equal(gl_dir_remove(tree, &err), 0);
    assert_false(gl_file_exists(tree));
    free(tree);
}

static void test_dir_remove_refusals(void **state)
{
    char *kept = below("kept"), *link = below("link"), *slashed = below("link//");
    char *file = below("file");
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_dir_make(kept, &err), 0);
    write_text("kept/file", "precious");
    write_text("file", "precious");
    assert_int_equal(symlink("kept", link), 0);
    assert_int_equal(gl_dir_remove(link, &err), -1);
    assert_int_equal(err.code, GL_E_IO);
    gl_error_clear(&err);
    assert_int_equal(gl_dir_remove(slashed, &err), -1);
    assert_text("kept/file", "precious");
    gl_error_clear(&err);
    assert_int_equal(gl_dir_remove(file, &err), -1);
    assert_text("file", "precious");
    free(kept);
    free(link);
    free(slashed);
    free(file);
}

/* A tree that is too deep is an error, and shallower removal of it works. */
static void test_dir_remove_depth(void **state)
{
    struct gl_str path = {0};
    struct gl_error err = {0};
    char *top = below("d");

    (void)state;
    gl_str_add(&path, root);
    for (int i = 0; i < 140; i++)
        gl_str_add(&path, "/d");
    assert_int_equal(gl_dir_make(gl_str_text(&path), &err), 0);
    assert_int_equal(gl_dir_remove(top, &err), -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    gl_str_clear(&path);
    gl_str_add(&path, root);
    for (int i = 0; i < 60; i++)
        gl_str_add(&path, "/d");
    gl_error_clear(&err);
    assert_int_equal(gl_dir_remove(gl_str_text(&path), &err), 0);
    assert_int_equal(gl_dir_remove(top, &err), 0);
    gl_str_done(&path);
    free(top);
}

static void test_exists(void **state)
{
    char *link = below("dangling"), *missing = below("missing");

    (void)state;
    assert_int_equal(symlink("nowhere", link), 0);
    assert_true(gl_file_exists(root));
    assert_true(gl_file_exists(link));
    assert_false(gl_file_exists(missing));
    free(link);
    free(missing);
}

static void test_lock(void **state)
{
    char *path = below("lock"), *link = below("link");
    struct gl_error err = {0};
    struct stat info;
    int fd = gl_file_lock(path, 0, &err);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(gl_file_lock(path, 0, &err), -1);
    assert_int_equal(err.code, GL_E_LOCKED);
    gl_error_clear(&err);
    assert_int_equal(gl_file_lock(path, 50, &err), -1);
    assert_int_equal(err.code, GL_E_LOCKED);
    gl_error_clear(&err);
    close(fd);
    fd = gl_file_lock(path, 0, &err);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(symlink("lock", link), 0);
    assert_int_equal(gl_file_lock(link, 0, &err), -1);
    assert_int_equal(err.sys, ELOOP);
    free(path);
    free(link);
}

static void test_lock_waits(void **state)
{
    char *path = below("lock");
    struct gl_error err = {0};
    int fds[2], fd;
    pid_t child;
    char byte;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    child = fork();
    if (child == 0) {
        fd = gl_file_lock(path, 0, &err);
        if (fd < 0 || write(fds[1], "x", 1) != 1)
            _exit(1);
        usleep(60000);
        _exit(0); /* the kernel lets go of the lock */
    }
    assert_int_equal(read(fds[0], &byte, 1), 1);
    fd = gl_file_lock(path, 20000, &err);
    assert_true(fd >= 0);
    close(fd);
    close(fds[0]);
    close(fds[1]);
    waitpid(child, NULL, 0);
    free(path);
}

static void test_paths(void **state)
{
    static const struct {
        const char *folder, *name, *joined;
    } rows[] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"a//", "//b", "a/b"}, {"/", "b", "/b"},
        {"", "b", "b"},    {"", "/b", "/b"},   {"a", "", "a/"},       {"/a/b", "c/d", "/a/b/c/d"},
    };
    const char *program = gl_path_of_program();
    char *self = gl_path_join(program, "test_file");

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *joined = gl_path_join(rows[i].folder, rows[i].name);

        assert_string_equal(joined, rows[i].joined);
        free(joined);
    }
    assert_int_equal(program[0], '/');
    assert_true(gl_file_exists(self));
    assert_ptr_equal(gl_path_of_program(), program);
    free(self);
}

/* A path without a folder is a file of the working folder. */
static void test_write_in_working_folder(void **state)
{
    char *before = getcwd(NULL, 0);
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(chdir(root), 0);
    assert_int_equal(gl_file_write("plain", "x", 1, 0600, &err), 0);
    assert_true(gl_file_exists("plain"));
    assert_int_equal(chdir(before), 0);
    free(before);
    assert_text("plain", "x");
}

static void test_path_below_root(void **state)
{
    static const struct {
        const char *name, *expected;
    } rows[] = {{"a/b", "a/b"}, {"/a/b", "a/b"}, {"./a/b/", "a/b/"}, {"././/./a", "a"}, {".", ""},
                {"./", ""},     {"", ""},        {".a", ".a"},       {"../a", "../a"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(gl_path_below_root(rows[i].name), rows[i].expected);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_write_and_read),
        TEST(test_read_ceiling),
        TEST(test_read_large),
        TEST(test_read_refusals),
        TEST(test_read_stdin),
        TEST(test_write_failures),
        TEST(test_pipes_and_devices_stay),
        TEST(test_write_does_not_follow),
        TEST(test_write_is_atomic),
        TEST(test_write_in_working_folder),
        TEST(test_dir_make),
        TEST(test_dir_remove),
        TEST(test_dir_remove_many),
        TEST(test_dir_remove_refusals),
        TEST(test_dir_remove_depth),
        TEST(test_exists),
        TEST(test_lock),
        TEST(test_lock_waits),
        TEST(test_paths),
        TEST(test_path_below_root),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
