/* SPDX-License-Identifier: Apache-2.0 */
#include "base/process.h"

#include "base/sign.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* The output of short helper programs. */

#define SLICE_MS 60000 /* of waits without an end */

struct gl_capture {
    struct gl_process process;
    char name[160]; /* for messages */
    int fd;
    bool is_running; /* ours to reap */
    bool is_read;    /* it has closed its output */
    int64_t end_ms;  /* -1 = none */
    struct gl_str text;
};

static int64_t monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct gl_capture *gl_capture_start(const struct gl_spawn *spawn, size_t ceiling,
                                    int64_t timeout_ms, struct gl_error *err)
{
    struct gl_spawn used = *spawn;
    struct gl_process process;
    struct gl_capture *capture;
    int ends[2], started;

    if (pipe2(ends, O_CLOEXEC) < 0) {
        gl_fail_sys(err, GL_E_IO, errno, "cannot start %s", spawn->argv[0]);
        return NULL;
    }
    used.stdout_fd = ends[1];
    started = gl_process_start(&used, &process, err);
    close(ends[1]);
    if (started < 0) {
        close(ends[0]);
        return NULL;
    }
    capture = gl_alloc(sizeof *capture);
    *capture = (struct gl_capture){.process = process,
                                   .fd = ends[0],
                                   .is_running = true,
                                   .end_ms = timeout_ms < 0 ? -1 : monotonic_ms() + timeout_ms,
                                   .text = {.ceiling = ceiling}};
    snprintf(capture->name, sizeof capture->name, "%s", spawn->argv[0]);
    return capture;
}

/* What is left until `until_ms` (-1 = no such end). */
static int64_t left_ms(int64_t until_ms)
{
    int64_t left = until_ms < 0 ? SLICE_MS : until_ms - monotonic_ms();

    return left < 0 ? 0 : left < SLICE_MS ? left : SLICE_MS;
}

/* What is there of its output: 1 it has ended, 0 more may come, -1. */
static int read_some(struct gl_capture *capture, struct gl_error *err)
{
    char bytes[4096];
    ssize_t got = read(capture->fd, bytes, sizeof bytes);

    if (got < 0 && errno != EINTR)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot read its output");
    if (got > 0 && (size_t)got > capture->text.ceiling - capture->text.length)
        return gl_fail(err, GL_E_TOO_LARGE, "it wrote more than %zu bytes", capture->text.ceiling);
    if (got > 0)
        gl_str_add_bytes(&capture->text, bytes, (size_t)got);
    gl_wipe(bytes, sizeof bytes);
    return got == 0;
}

/* Read its output to the end: 1, 0 not by then, -1. */
static int collect(struct gl_capture *capture, int64_t until_ms, struct gl_error *err)
{
    while (!capture->is_read) {
        struct pollfd watched = {.fd = capture->fd, .events = POLLIN};
        int64_t left = left_ms(until_ms);
        int got = 0;

        if (poll(&watched, 1, (int)left) > 0)
            got = read_some(capture, err);
        else if (left == 0)
            return 0;
        if (got < 0)
            return -1;
        capture->is_read = got > 0;
    }
    return 1;
}

/* 1 with *out_status, 0 not by then, -1. */
static int attend(struct gl_capture *capture, int64_t until_ms, int *out_status,
                  struct gl_error *err)
{
    int got = collect(capture, until_ms, err);

    if (got <= 0)
        return got;
    if (gl_process_wait(&capture->process, until_ms < 0 ? -1 : left_ms(until_ms), out_status) != 1)
        return 0;
    capture->is_running = false;
    return 1;
}

int gl_capture_take(struct gl_capture *capture, int64_t wait_ms, struct gl_str *out,
                    int *out_status, struct gl_error *err)
{
    int64_t until = wait_ms < 0 ? -1 : monotonic_ms() + wait_ms;
    int got;

    if (capture->end_ms >= 0 && (until < 0 || capture->end_ms < until))
        until = capture->end_ms;
    got = attend(capture, until, out_status, err);
    if (got == 0 && capture->end_ms >= 0 && monotonic_ms() >= capture->end_ms)
        got = gl_fail(err, GL_E_TIMEOUT, "it did not end in time");
    if (got < 0)
        return gl_wrap(err, "%s", capture->name);
    if (got > 0)
        gl_str_add_bytes(out, capture->text.text, capture->text.length);
    return got;
}

void gl_capture_free(struct gl_capture *capture)
{
    int status;

    if (capture == NULL)
        return;
    if (capture->is_running) {
        /* Our unreaped child: its pid cannot have been recycled. */
        kill(capture->process.pid, SIGKILL);
        gl_process_wait(&capture->process, -1, &status);
    }
    close(capture->fd);
    if (capture->text.text != NULL)
        gl_wipe(capture->text.text, capture->text.capacity);
    gl_str_done(&capture->text);
    free(capture);
}

int gl_process_capture(const char *const *argv, size_t ceiling, int64_t timeout_ms,
                       struct gl_str *out, int *out_status, struct gl_error *err)
{
    const struct gl_spawn spawn = {.argv = argv,
                                   .stdin_fd = -1,
                                   .stderr_fd = -1,
                                   .uid = -1,
                                   .gid = -1,
                                   .dies_with_parent = true};

    return gl_process_capture_spawn(&spawn, ceiling, timeout_ms, out, out_status, err);
}

int gl_process_capture_spawn(const struct gl_spawn *spawn, size_t ceiling, int64_t timeout_ms,
                             struct gl_str *out, int *out_status, struct gl_error *err)
{
    struct gl_capture *capture = gl_capture_start(spawn, ceiling, timeout_ms, err);
    int got;

    if (capture == NULL)
        return -1;
    got = gl_capture_take(capture, -1, out, out_status, err);
    gl_capture_free(capture);
    return got == 1 ? 0 : -1;
}
