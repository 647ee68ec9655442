/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_UNIT_AGENT_GUEST_BENCH_H
#define GL_TESTS_UNIT_AGENT_GUEST_BENCH_H

/* A guest in process mode, and a host that speaks to it over its socket. Include after cmocka. */

#include "agent/guest.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "tests/unit/agent/tree.h"

#define HEX64   "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define WAIT_MS 20000 /* for anything: only a hang takes so long */

struct bench {
    char folder[TREE_PATH], control[2 * TREE_PATH], console[2 * TREE_PATH], root[3 * TREE_PATH];
    pid_t guest;
    int fd;
    struct gl_frame_reader reader;
    struct gl_str out, err; /* of the command, as far as heard */
    char type;              /* of the last frame */
    struct gl_str payload;
};

static inline int set_up(void **state)
{
    static struct bench bench;
    char cwd[TREE_PATH];

    memset(&bench, 0, sizeof bench);
    tree_make("test_guest", bench.folder);
    assert_non_null(getcwd(cwd, sizeof cwd));
    snprintf(bench.control, sizeof bench.control, "%s/c", bench.folder);
    snprintf(bench.console, sizeof bench.console, "%s/console", bench.folder);
    snprintf(bench.root, sizeof bench.root, "%s/%s/root", cwd, bench.folder);
    bench.fd = -1;
    bench.guest = fork();
    if (bench.guest == 0)
        _exit(gl_guest_run(&(struct gl_guest_options){bench.control, bench.console}));
    *state = &bench;
    return 0;
}

static inline int tear_down(void **state)
{
    struct bench *bench = *state;

    if (bench->fd >= 0)
        close(bench->fd);
    if (bench->guest > 0) {
        kill(bench->guest, SIGKILL);
        waitpid(bench->guest, NULL, 0);
    }
    gl_str_done(&bench->out);
    gl_str_done(&bench->err);
    gl_str_done(&bench->payload);
    tree_drop(bench->folder);
    return 0;
}

static inline void connect_to(struct bench *bench)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int64_t end = now_ms() + WAIT_MS;

    assert_true(strlen(bench->control) < sizeof address.sun_path);
    memcpy(address.sun_path, bench->control, strlen(bench->control) + 1);
    bench->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bench->reader.used = bench->reader.consumed = 0;
    while (connect(bench->fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        if (now_ms() > end)
            fail_msg("the guest does not listen");
        pause_ms(10);
    }
}

static inline void send_bytes(const struct bench *bench, const void *bytes, size_t length)
{
    const char *at = bytes;

    while (length > 0) {
        ssize_t sent = send(bench->fd, at, length, MSG_NOSIGNAL);

        assert_true(sent > 0);
        at += sent;
        length -= (size_t)sent;
    }
}

static inline void send_frame(const struct bench *bench, char type, const void *bytes,
                              size_t length)
{
    char header[GL_FRAME_HEADER];

    gl_frame_header(type, length, header);
    send_bytes(bench, header, sizeof header);
    send_bytes(bench, bytes, length);
}

static inline void send_text(const struct bench *bench, char type, const char *text)
{
    send_frame(bench, type, text, strlen(text));
}

/* The next frame into bench->type and bench->payload; false at the end of the connection. */
static inline bool hear(struct bench *bench)
{
    int64_t end = now_ms() + WAIT_MS;
    struct gl_frame frame;

    while (!gl_frame_reader_next(&bench->reader, &frame)) {
        struct pollfd readable = {.fd = bench->fd, .events = POLLIN};
        size_t room;
        char *space = gl_frame_reader_space(&bench->reader, &room);
        ssize_t got;

        if (poll(&readable, 1, (int)(end - now_ms())) <= 0)
            fail_msg("the guest says nothing");
        got = recv(bench->fd, space, room, 0);
        if (got <= 0)
            return false;
        gl_frame_reader_fed(&bench->reader, (size_t)got);
    }
    bench->type = frame.type;
    gl_str_clear(&bench->payload);
    gl_str_add_bytes(&bench->payload, frame.payload, frame.length);
    if (frame.type == 'O')
        gl_str_add_bytes(&bench->out, frame.payload, frame.length);
    if (frame.type == 'R')
        gl_str_add_bytes(&bench->err, frame.payload, frame.length);
    return true;
}

static inline void hear_until(struct bench *bench, char type)
{
    do
        if (!hear(bench))
            fail_msg("the guest hung up before %c", type);
    while (bench->type != type);
}

/* `command` and `root` are JSON. */
static inline void configure(const struct bench *bench, const char *command, const char *root,
                             int lease_ms)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_addf(&text,
                "{\"command\":%s,\"disk\":null,\"enrol\":\"" HEX64 "\",\"entropy\":\"" HEX64 HEX64
                "\",\"interval_ms\":200,\"launch\":\"gl-guest\",\"lease_ms\":%d,\"machine\":{"
                "\"baseline_permille\":1000,\"family\":\"epyc3\",\"gpu_count\":0,\"gpu_watts\":0,"
                "\"memory_mb\":256,\"threads_milli\":1000},\"network\":false,\"now_ms\":1,"
                "\"payload\":false,\"root\":%s,\"user_data\":null,\"v\":1}",
                command, lease_ms, root);
    send_text(bench, 'C', gl_str_text(&text));
}

static inline void run(struct bench *bench, const char *command)
{
    connect_to(bench);
    configure(bench, command, "null", 60000);
    send_text(bench, 'G', "");
    send_text(bench, 'W', ""); /* or its output is held */
}

static inline void expect_status(const struct bench *bench, int status)
{
    char expected[32];

    snprintf(expected, sizeof expected, "{\"status\":%d}", status);
    assert_string_equal(gl_str_text(&bench->payload), expected);
}

static inline char *read_console(const struct bench *bench)
{
    return tree_read(bench->folder, "/console");
}

/* 'S', and everything up to the end of the guest. Returns its exit status. */
static inline int stop(struct bench *bench)
{
    int status;

    send_text(bench, 'S', "");
    hear_until(bench, 'Z');
    assert_int_equal(waitpid(bench->guest, &status, 0), bench->guest);
    bench->guest = 0;
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

#endif
