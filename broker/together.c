/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/together.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "broker/child.h"

#define SLICE_MS 100
#define GRACE_MS 1000 /* to give up in order: what a child has started ends with it */
#define PIECE    65536

struct lane {
    const struct gl_together *how;
    size_t index;
    pid_t child; /* 0 = none (any more) */
    int fd;      /* its answer; in the child the way out */
    struct gl_str *answer;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the child ---- */

static bool write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t wrote = write(fd, bytes, length);

        if (wrote < 0 && errno != EINTR)
            return false;
        if (wrote > 0) {
            bytes += wrote;
            length -= (size_t)wrote;
        }
    }
    return true;
}

static int answer(void *cookie)
{
    const struct lane *lane = cookie;
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    lane->how->apart(lane->how->cookie);
    lane->how->ask(lane->how->cookie, lane->index, &text);
    return text.is_cut || !write_all(lane->fd, gl_str_text(&text), text.length);
}

/* ---- the parent ---- */

/* Without a child it is asked here. */
static bool start(struct lane *lane)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    lane->fd = ends[1];
    lane->child = gl_child_start(answer, lane, ends[1]);
    close(ends[1]);
    lane->fd = ends[0];
    if (lane->child > 0)
        return true;
    close(ends[0]);
    lane->child = 0;
    return false;
}

/* What it said counts only when it came to its end. */
static void end(struct lane *lane)
{
    int status = 0;
    pid_t ended;

    close(lane->fd);
    while ((ended = waitpid(lane->child, &status, 0)) < 0 && errno == EINTR) {
    }
    if (ended != lane->child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        gl_str_done(lane->answer);
    lane->child = 0;
}

/* False when there is no more of it. */
static bool read_some(const struct lane *lane)
{
    char bytes[PIECE];
    ssize_t got = read(lane->fd, bytes, sizeof bytes);

    if (got > 0)
        gl_str_add_bytes(lane->answer, bytes, (size_t)got);
    return got > 0 || (got < 0 && errno == EINTR);
}

/* One look at all; false when none is left. */
static bool attend(struct lane *lanes, size_t count, struct pollfd *watched)
{
    bool is_any = false;

    for (size_t i = 0; i < count; i++) {
        watched[i] =
            (struct pollfd){.fd = lanes[i].child != 0 ? lanes[i].fd : -1, .events = POLLIN};
        is_any |= lanes[i].child != 0;
    }
    if (!is_any || poll(watched, count, SLICE_MS) <= 0)
        return is_any;
    for (size_t i = 0; i < count; i++)
        if (lanes[i].child != 0 && watched[i].revents != 0 && !read_some(&lanes[i]))
            end(&lanes[i]);
    return true;
}

static void signal_all(const struct lane *lanes, size_t count, int number)
{
    for (size_t i = 0; i < count; i++)
        if (lanes[i].child != 0)
            kill(lanes[i].child, number);
}

/* Too late: whatever they still say is not heard. */
static void give_up(struct lane *lanes, size_t count, struct pollfd *watched)
{
    int64_t until = now_ms() + GRACE_MS;
    struct gl_str unheard = {0};

    for (size_t i = 0; i < count; i++)
        if (lanes[i].child != 0) {
            gl_str_done(lanes[i].answer);
            lanes[i].answer = &unheard;
        }
    signal_all(lanes, count, SIGTERM);
    while (now_ms() < until && attend(lanes, count, watched)) {
    }
    signal_all(lanes, count, SIGKILL);
    while (attend(lanes, count, watched)) {
    }
    gl_str_done(&unheard);
}

static bool is_cancelled(const struct gl_together *how)
{
    return how->is_cancelled != NULL && how->is_cancelled(how->cookie);
}

void gl_together(const struct gl_together *how, size_t count, struct gl_str *answers)
{
    struct lane *lanes = gl_alloc((count + 1) * sizeof *lanes);
    struct pollfd *watched = gl_alloc((count + 1) * sizeof *watched);
    int64_t until = now_ms() + (how->deadline_ms > 0 ? how->deadline_ms : GL_TOGETHER_MS);

    for (size_t i = 0; i < count; i++) {
        lanes[i] = (struct lane){.how = how, .index = i, .answer = &answers[i]};
        if (count == 1 || !start(&lanes[i]))
            how->ask(how->cookie, i, &answers[i]);
    }
    while (now_ms() < until && !is_cancelled(how) && attend(lanes, count, watched)) {
    }
    give_up(lanes, count, watched);
    free(watched);
    free(lanes);
}

int gl_together_fail(const char *cloud, bool was_cancelled, struct gl_error *err)
{
    if (was_cancelled)
        return gl_fail(err, GL_E_INTERRUPTED, "%s: given up while waiting", cloud);
    return gl_fail(err, GL_E_TIMEOUT, "%s did not answer within %d s", cloud,
                   GL_TOGETHER_MS / 1000);
}
