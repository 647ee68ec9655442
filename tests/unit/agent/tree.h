/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_UNIT_AGENT_TREE_H
#define GL_TESTS_UNIT_AGENT_TREE_H

/* Fixture trees for the meter's tests: small files below one folder of the test program. Include
 * after cmocka. */

#include "base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TREE_PATH 400

/* An empty folder below build/tmp for this program; remove it with tree_drop(). */
static inline void tree_make(const char *name, char out[TREE_PATH])
{
    struct gl_error err = {0};

    snprintf(out, TREE_PATH, "build/tmp/%s-%d", name, (int)getpid());
    if (gl_dir_remove(out, &err) < 0 || gl_dir_make(out, &err) < 0)
        fail_msg("%s", err.text);
}

static inline void tree_drop(const char *root)
{
    struct gl_error err = {0};

    if (gl_dir_remove(root, &err) < 0)
        fail_msg("%s", err.text);
}

/* Write `text` in place, as a counter changes: a program that has the file open sees it. Never
 * through an empty file, which some file systems would write out to disk each time. */
static inline void tree_put(const char *root, const char *path, const char *text)
{
    char full[2 * TREE_PATH], *slash;
    struct gl_error err = {0};
    size_t length = strlen(text);
    int fd;

    snprintf(full, sizeof full, "%s%s", root, path);
    slash = strrchr(full, '/');
    *slash = '\0';
    if (!gl_file_exists(full) && gl_dir_make(full, &err) < 0)
        fail_msg("%s", err.text);
    *slash = '/';
    fd = open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, text, length) != (ssize_t)length || ftruncate(fd, (off_t)length) < 0)
        fail_msg("cannot write %s", full);
    close(fd);
}

static inline void tree_number(const char *root, const char *path, uint64_t number)
{
    char text[32];

    snprintf(text, sizeof text, "%llu\n", (unsigned long long)number);
    tree_put(root, path, text);
}

static inline void tree_remove(const char *root, const char *path)
{
    char full[2 * TREE_PATH];

    snprintf(full, sizeof full, "%s%s", root, path);
    if (unlink(full) < 0)
        fail_msg("cannot remove %s", full);
}

/* The text of a file, to be freed. */
static inline char *tree_read(const char *root, const char *path)
{
    char full[2 * TREE_PATH];
    struct gl_error err = {0};
    char *text;
    size_t length;

    snprintf(full, sizeof full, "%s%s", root, path);
    if (gl_file_read(full, 1 << 24, &text, &length, &err) < 0)
        fail_msg("%s", err.text);
    return text;
}

static inline int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void pause_ms(long ms)
{
    const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

#endif
