/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "providers/cloud/local.h"
#include "providers/cloud/local_config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS     200
#define COUNT_MS    1000
#define ASK_MS      5000  /* a silent guest is asked for a sign of life this often */
#define SILENCE_MS  30000 /* and given up after this long */
#define LINGER_MS   2000  /* the exit frame follows the last output; a lost one is not waited for */
#define SEE_END_MS  5000  /* from the last reading to the end of the process */
#define INPUT_BYTES ((size_t)16 << 10)

/* ---- the end, written down ---- */

struct ending {
    bool has_exit, is_ended;
    int exit_status;
    int64_t cpu_ms; /* -1 = keep what is there */
};

static bool write_ending(void *cookie, struct gl_local_record *record)
{
    const struct ending *ending = cookie;
    struct gl_process process;

    /* A launcher that died may have left a child that became visible only now: until its exec the
     * child held the lock that we have. */
    if (ending->is_ended && gl_local_find_alive(record, &process))
        gl_local_kill(&process);

    if (ending->has_exit) {
        record->has_exit = true;
        record->exit_status = ending->exit_status;
    }
    if (ending->cpu_ms >= 0)
        record->host_cpu_ms = ending->cpu_ms;
    if (ending->is_ended) {
        record->state = GL_STATE_ENDED;
        record->process = (struct gl_process){0};
    }
    return true;
}

static int note_ending(const char *folder, struct ending *ending, struct gl_error *err)
{
    if (ending->is_ended)
        gl_local_clean_folder(folder);
    return gl_local_update(folder, write_ending, ending, err);
}

/* ---- attach ---- */

struct follow {
    const struct gl_attach *attach;
    const char *folder;
    struct gl_link *link;
    struct gl_local_record record;
    int stdin_fd; /* -1 once it has ended */
    bool has_begun, has_exit, is_stopped, is_stop_sent, is_cancelled;
    int status;
    int64_t heard_ms, asked_ms, exited_ms;
    int64_t cpu_ms, counted_ms;
};

static void say(const struct follow *follow, const char *what)
{
    if (follow->attach->on_state != NULL)
        follow->attach->on_state(follow->attach->cookie, what);
}

static void on_hello(struct follow *follow, const struct gl_frame *frame)
{
    struct gl_error ignored = {0};
    struct gl_guest_hello hello;

    if (gl_guest_hello_parse(frame->payload, frame->length, &hello, &ignored) < 0)
        return;
    if (strcmp(hello.state, "exited") == 0 && follow->exited_ms == 0) {
        follow->exited_ms = gl_local_clock_ms();
        follow->status = hello.status;
    }
    /* The launcher died between writing "running" and sending 'G'. */
    if (strcmp(hello.state, "ready") == 0 && hello.has_command)
        gl_link_put(follow->link, 'G', NULL, 0, &ignored);
    if (!follow->has_begun && strcmp(hello.state, "running") == 0) {
        follow->has_begun = true;
        say(follow, "command running");
    }
}

static void on_frame(struct follow *follow, const struct gl_frame *frame)
{
    const struct gl_attach *attach = follow->attach;
    struct gl_error ignored = {0};

    switch (frame->type) {
    case 'O':
        if (attach->on_stdout != NULL && frame->length > 0)
            attach->on_stdout(attach->cookie, frame->payload, frame->length);
        break;
    case 'R':
        if (attach->on_stderr != NULL && frame->length > 0)
            attach->on_stderr(attach->cookie, frame->payload, frame->length);
        break;
    case 'H':
        on_hello(follow, frame);
        break;
    case 'X':
        follow->has_exit =
            gl_guest_exit_parse(frame->payload, frame->length, &follow->status, &ignored) == 0;
        break;
    case 'Z':
        follow->is_stopped = true;
        say(follow, "final reading written");
        break;
    default: /* nothing a guest could send makes us do anything else */
        break;
    }
}

/* What the guest sent while its launcher was leaving; told once. */
static void replay_early(struct follow *follow)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(follow->folder, GL_LOCAL_EARLY);
    GL_AUTO(gl_auto_free) struct gl_frame_reader *reader = NULL;
    GL_AUTO(gl_auto_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct gl_frame frame;
    ssize_t got = 1;

    if (fd < 0)
        return;
    unlink(path);
    reader = gl_alloc(sizeof *reader);
    while (got > 0) {
        size_t room;
        char *space = gl_frame_reader_space(reader, &room);

        got = read(fd, space, room);
        gl_frame_reader_fed(reader, got > 0 ? (size_t)got : 0);
        while (gl_frame_reader_next(reader, &frame))
            on_frame(follow, &frame);
    }
    follow->has_exit = false; /* the guest says it again, after the rest of the output */
}

static void forward_input(struct follow *follow)
{
    char bytes[INPUT_BYTES];
    struct gl_error ignored = {0};
    ssize_t got = read(follow->stdin_fd, bytes, sizeof bytes);

    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got <= 0)
        follow->stdin_fd = -1;
    gl_link_put(follow->link, 'I', bytes, got > 0 ? (size_t)got : 0, &ignored);
}

/* Somebody else asked for an orderly end; only one client at a time reaches the guest. */
static void pass_stop_on(struct follow *follow)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(follow->folder, GL_LOCAL_STOP);
    struct gl_error ignored = {0};

    if (follow->is_stop_sent || !gl_file_exists(path))
        return;
    follow->is_stop_sent = gl_link_put(follow->link, 'S', NULL, 0, &ignored) == 0;
    say(follow, "stopping");
}

static void ask_if_silent(struct follow *follow)
{
    int64_t now_ms = gl_local_clock_ms();
    struct gl_error ignored = {0};

    if (now_ms - follow->heard_ms < ASK_MS || now_ms - follow->asked_ms < ASK_MS)
        return;
    follow->asked_ms = now_ms;
    if (gl_link_pending(follow->link) < INPUT_BYTES)
        gl_link_put(follow->link, 'W', NULL, 0, &ignored);
}

static void step(struct follow *follow)
{
    bool can_take = gl_link_pending(follow->link) < INPUT_BYTES, has_input;
    struct gl_frame frame;

    gl_link_wait(follow->link, can_take ? follow->stdin_fd : -1, TICK_MS, &has_input);
    if (has_input)
        forward_input(follow);
    while (gl_link_next(follow->link, &frame)) {
        follow->heard_ms = gl_local_clock_ms();
        on_frame(follow, &frame);
    }
    pass_stop_on(follow);
    ask_if_silent(follow);
    if (follow->attach->on_tick != NULL && !follow->attach->on_tick(follow->attach->cookie))
        follow->is_cancelled = true;
}

static int lost(const struct follow *follow, const char *what, struct gl_error *err)
{
    gl_fail(err, GL_E_GUEST, "%s; its console is %s/%s", what, follow->folder, GL_LOCAL_CONSOLE);
    gl_local_add_tail(follow->folder, GL_LOCAL_CONSOLE, err);
    return -1;
}

/* 1 go on, 0 ended with follow->status, -1 failed. */
static int judge(struct follow *follow, struct gl_error *err)
{
    int64_t now_ms = gl_local_clock_ms();

    if (follow->has_exit)
        return 0;
    if (follow->is_cancelled)
        return gl_fail(err, GL_E_INTERRUPTED, "the instance %s goes on by itself",
                       follow->record.launch_id);
    if (follow->exited_ms != 0 && now_ms - follow->exited_ms > LINGER_MS &&
        now_ms - follow->heard_ms > LINGER_MS)
        return 0;
    if (follow->link->is_closed) {
        if (follow->exited_ms != 0)
            return 0;
        if (follow->is_stopped)
            return gl_fail(err, GL_E_TIMEOUT,
                           "the instance was stopped or its lease ended before "
                           "its command did");
        return lost(follow, "the instance ended without a word", err);
    }
    if (now_ms - follow->heard_ms > SILENCE_MS)
        return lost(follow, "the guest has given no sign of life for 30 s", err);
    return 1;
}

/* Once the process has ended nothing tells what it used. */
static void count_cpu(struct follow *follow)
{
    struct gl_process process;
    int64_t cpu_ms;

    if (follow->counted_ms != 0 && gl_local_clock_ms() - follow->counted_ms < COUNT_MS)
        return;
    follow->counted_ms = gl_local_clock_ms();
    if (!gl_local_find_alive(&follow->record, &process))
        return;
    cpu_ms = gl_local_cpu_ms(&follow->record, &process);
    if (cpu_ms >= 0)
        follow->cpu_ms = cpu_ms;
}

static int run(struct follow *follow, struct gl_error *err)
{
    int got;

    follow->heard_ms = follow->asked_ms = gl_local_clock_ms();
    replay_early(follow);
    if (gl_link_put(follow->link, 'W', NULL, 0, err) < 0)
        return -1;
    do {
        step(follow);
        count_cpu(follow);
        got = judge(follow, err);
    } while (got == 1);
    return got;
}

static int already_ended(const char *folder, const struct gl_local_record *record, int *out_status,
                         struct gl_error *err)
{
    if (!record->has_exit)
        return gl_fail(err, GL_E_GUEST, "the instance %s has ended; its console is %s/%s",
                       record->launch_id, folder, GL_LOCAL_CONSOLE);
    *out_status = record->exit_status;
    return 0;
}

int gl_local_attach(const char *folder, const struct gl_attach *attach, int *out_status,
                    struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct gl_link *link = gl_alloc(sizeof *link);
    struct follow follow = {.attach = attach,
                            .folder = folder,
                            .link = link,
                            .stdin_fd = attach->stdin_fd,
                            .cpu_ms = -1};
    struct ending ending = {0};
    struct gl_process process;
    struct gl_error ignored = {0};
    int got;

    if (gl_local_record_load(folder, &follow.record, err) < 0)
        return -1;
    if (!gl_local_find_alive(&follow.record, &process))
        return already_ended(folder, &follow.record, out_status, err);
    if (gl_link_open(link, folder, err) < 0)
        return lost(&follow, "the instance's control socket does not answer", err);
    got = run(&follow, err);
    gl_link_close(link);
    ending = (struct ending){.has_exit = got == 0,
                             .exit_status = follow.status,
                             .is_ended = !gl_local_find_alive(&follow.record, &process),
                             .cpu_ms = follow.cpu_ms};
    note_ending(folder, &ending, &ignored); /* what the caller learns does not hang on it */
    if (got == 0)
        *out_status = follow.status;
    return got;
}

/* ---- stop, terminate ---- */

int gl_local_terminate(const char *folder, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *note = gl_path_join(folder, GL_LOCAL_STOP);
    struct ending ending = {.is_ended = true, .cpu_ms = -1};
    struct gl_local_record record;
    struct gl_process process;
    struct gl_error why = {0};

    if (gl_local_record_load(folder, &record, err) < 0)
        return -1;
    /* A launch under way must not go on with another attempt. */
    if (record.state == GL_STATE_LAUNCHING && gl_file_write(note, "", 0, 0600, err) < 0)
        return -1;
    if (gl_local_find_alive(&record, &process)) {
        ending.cpu_ms = gl_local_cpu_ms(&record, &process);
        gl_local_kill(&process);
    } else if (record.state == GL_STATE_ENDED) {
        return 0;
    }
    if (note_ending(folder, &ending, &why) == 0 || why.code == GL_E_NOT_FOUND)
        return 0; /* a launch that failed takes its record away itself */
    *err = why;
    return -1;
}

struct stopping {
    struct gl_link *link;
    struct ending ending;
    bool is_final; /* the final reading is written */
};

static void hear(struct stopping *stopping)
{
    struct gl_error ignored = {0};
    struct gl_frame frame;

    while (gl_link_next(stopping->link, &frame)) {
        if (frame.type == 'X' && gl_guest_exit_parse(frame.payload, frame.length,
                                                     &stopping->ending.exit_status, &ignored) == 0)
            stopping->ending.has_exit = true;
        stopping->is_final |= frame.type == 'Z';
    }
}

/* Until the process has ended by itself, or the time is over. */
static void wait_orderly(struct stopping *stopping, const struct gl_local_record *record,
                         const struct gl_process *process, struct gl_span wait)
{
    int64_t end_ms = gl_local_clock_ms() + wait.s * 1000;

    while (gl_process_is_alive(process) && gl_local_clock_ms() < end_ms) {
        int64_t cpu_ms = gl_local_cpu_ms(record, process);

        if (cpu_ms >= 0)
            stopping->ending.cpu_ms = cpu_ms;
        if (stopping->link->is_closed)
            gl_link_wait(stopping->link, -1, 20, NULL); /* the process is about to end */
        else
            gl_link_wait(stopping->link, -1, 50, NULL);
        hear(stopping);
        if (stopping->is_final && end_ms > gl_local_clock_ms() + SEE_END_MS)
            end_ms = gl_local_clock_ms() + SEE_END_MS;
    }
}

/* The note reaches the guest through whoever is attached; the frame, when nobody is. */
static int ask_to_stop(const char *folder, struct gl_link *link, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, GL_LOCAL_STOP);
    struct gl_error ignored = {0};

    if (gl_file_write(path, "", 0, 0600, err) < 0)
        return -1;
    if (gl_link_open(link, folder, &ignored) == 0)
        return gl_link_put(link, 'S', NULL, 0, err);
    link->is_closed = true;
    link->fd = -1;
    return 0;
}

int gl_local_stop(const char *folder, struct gl_span wait, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct gl_link *link = gl_alloc(sizeof *link);
    struct stopping stopping = {.link = link, .ending = {.is_ended = true, .cpu_ms = -1}};
    struct gl_local_record record;
    struct gl_process process;
    int status;

    if (gl_local_record_load(folder, &record, err) < 0)
        return -1;
    /* While it is still being launched there is nothing to say to it. */
    if (record.state == GL_STATE_LAUNCHING || !gl_local_find_alive(&record, &process))
        return gl_local_terminate(folder, err);
    if (ask_to_stop(folder, link, err) < 0)
        return -1;
    wait_orderly(&stopping, &record, &process, wait);
    gl_link_close(link);
    gl_process_wait(&process, 0, &status); /* reap it if it is our child */
    if (gl_process_is_alive(&process))
        gl_local_kill(&process);
    return note_ending(folder, &stopping.ending, err);
}
