/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "providers/cloud/local_config.h"
#include "providers/cloud/local_task.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS     200
#define AWAY_MS     100 /* how soon it is seen to run again */
#define COUNT_MS    1000
#define RECORD_MS   1000  /* for the one who ended it to write that down */
#define ASK_MS      5000  /* a silent guest is asked for a sign of life this often */
#define SILENCE_MS  30000 /* and given up after this long */
#define LINGER_MS   2000  /* the exit frame follows the last output; a lost one is not waited for */
#define INPUT_BYTES ((size_t)16 << 10)

/* ---- attach ---- */

/* An instance that is suspended or moved is let go of, and taken up again when it runs. */
enum follow_mode {
    FOLLOW_ON,
    FOLLOW_QUIETING, /* the guest was told to hold its output */
    FOLLOW_LEAVING,  /* it does; we send no more, and read to the end */
    FOLLOW_AWAY,     /* there is nobody to speak to */
};

struct follow {
    const struct gl_local *local;
    const struct gl_attach *attach;
    const char *folder;
    struct gl_link *link;
    struct gl_local_record record;
    enum follow_mode mode;
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
    if (follow->mode == FOLLOW_QUIETING && hello.is_held && gl_link_pending(follow->link) == 0 &&
        gl_link_shut(follow->link, &ignored) == 0)
        follow->mode = FOLLOW_LEAVING;
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

/* Somebody is about to suspend or move it, or has thought better of it. */
static void heed_hold(struct follow *follow)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(follow->folder, GL_LOCAL_HOLD);
    bool is_asked = gl_file_exists(path);
    struct gl_error ignored = {0};

    if (follow->mode == FOLLOW_ON && is_asked &&
        gl_link_put(follow->link, 'B', NULL, 0, &ignored) == 0)
        follow->mode = FOLLOW_QUIETING;
    else if (follow->mode == FOLLOW_QUIETING && !is_asked &&
             gl_link_put(follow->link, 'W', NULL, 0, &ignored) == 0)
        follow->mode = FOLLOW_ON;
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

static void tick(struct follow *follow)
{
    if (follow->attach->on_tick != NULL && !follow->attach->on_tick(follow->attach->cookie))
        follow->is_cancelled = true;
}

static void step(struct follow *follow)
{
    bool can_take = follow->mode == FOLLOW_ON && gl_link_pending(follow->link) < INPUT_BYTES;
    bool has_input;
    struct gl_frame frame;

    gl_link_wait(follow->link, can_take ? follow->stdin_fd : -1, TICK_MS, &has_input);
    if (has_input)
        forward_input(follow);
    while (gl_link_next(follow->link, &frame)) {
        follow->heard_ms = gl_local_clock_ms();
        on_frame(follow, &frame);
    }
    heed_hold(follow);
    if (follow->mode == FOLLOW_ON) {
        pass_stop_on(follow);
        ask_if_silent(follow);
    }
    tick(follow);
}

static int lost(const struct follow *follow, const char *what, struct gl_error *err)
{
    gl_fail(err, GL_E_GUEST, "%s; its console is %s/%s", what, follow->folder, GL_LOCAL_CONSOLE);
    gl_local_add_tail(follow->folder, GL_LOCAL_CONSOLE, err);
    return -1;
}

/* It has ended, and what became of its command is not known. Past the lease that is a limit of
 * time, whatever the guest could still say: it may have ended before the command began, or before
 * anybody listened. */
static int gone(const struct follow *follow, const char *what, struct gl_error *err)
{
    if (follow->record.expires_s > gl_now(follow->local->world).unix_s)
        return lost(follow, what, err);
    return gl_fail(err, GL_E_TIMEOUT, "the lease of %s ended before its command did",
                   follow->record.launch_id);
}

/* ---- while it is suspended or moved ---- */

/* Has it gone somewhere, or ended? */
static bool has_gone_away(struct follow *follow)
{
    struct gl_local_record record;
    struct gl_error ignored = {0};

    if (gl_local_record_load(follow->folder, &record, &ignored) < 0)
        return false;
    return record.state == GL_STATE_SUSPENDED || gl_task_is_due(&record) ||
           (record.process.pid > 0 && record.process.pid != follow->record.process.pid);
}

static void go_away(struct follow *follow)
{
    gl_link_close(follow->link);
    follow->mode = FOLLOW_AWAY;
    say(follow, "standing still");
}

static bool is_held(const struct follow *follow)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(follow->folder, GL_LOCAL_HOLD);

    return gl_file_exists(path);
}

static void take_up(struct follow *follow)
{
    struct gl_error ignored = {0};

    memset(follow->link, 0, sizeof *follow->link);
    if (gl_link_open(follow->link, follow->folder, GL_LOCAL_CONTROL, &ignored) < 0) {
        gl_link_close(follow->link);
        return;
    }
    gl_link_put(follow->link, 'W', NULL, 0, &ignored);
    follow->mode = FOLLOW_ON;
    follow->heard_ms = follow->asked_ms = gl_local_clock_ms();
    say(follow, "running again");
}

static void wait_away(struct follow *follow)
{
    struct gl_local_record *record = &follow->record;
    struct gl_error ignored = {0};

    poll(NULL, 0, AWAY_MS);
    tick(follow);
    if (gl_local_record_load(follow->folder, record, &ignored) < 0)
        return;
    gl_local_settle(follow->local, follow->folder, record);
    if (record->state == GL_STATE_SUSPENDED || gl_task_is_due(record))
        return;
    if (!gl_local_is_alive(record)) {
        follow->has_exit = record->has_exit;
        follow->status = record->exit_status;
        follow->mode = FOLLOW_ON; /* to find out that nobody is there */
    } else if (!is_held(follow)) {
        take_up(follow);
    }
}

/* ---- to the end ---- */

/* Whoever stopped it may have been told the exit status in our place, and is about to write it
 * down.
 */
static bool has_told_another(struct follow *follow)
{
    int64_t end_ms = gl_local_clock_ms() + RECORD_MS;
    struct gl_error ignored = {0};

    for (;;) {
        if (gl_local_record_load(follow->folder, &follow->record, &ignored) < 0)
            return false;
        if (follow->record.has_exit) {
            follow->status = follow->record.exit_status;
            return true;
        }
        if (follow->record.state == GL_STATE_ENDED || gl_local_clock_ms() > end_ms)
            return false;
        poll(NULL, 0, AWAY_MS);
    }
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
    if (follow->mode == FOLLOW_AWAY)
        return 1;
    if (follow->link->is_closed && (follow->mode == FOLLOW_LEAVING || has_gone_away(follow))) {
        go_away(follow);
        return 1;
    }
    if (follow->link->is_closed) {
        if (follow->exited_ms != 0)
            return 0;
        if (has_told_another(follow))
            return 0;
        if (follow->is_stopped)
            return gl_fail(err, GL_E_TIMEOUT,
                           "the instance was stopped or its lease ended before "
                           "its command did");
        return gone(follow, "the instance ended without a word", err);
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
    if (follow->mode == FOLLOW_ON && gl_link_put(follow->link, 'W', NULL, 0, err) < 0)
        return -1;
    do {
        if (follow->mode == FOLLOW_AWAY)
            wait_away(follow);
        else
            step(follow);
        count_cpu(follow);
        got = judge(follow, err);
    } while (got == 1);
    return got;
}

static int already_ended(const struct follow *follow, int *out_status, struct gl_error *err)
{
    if (!follow->record.has_exit)
        return gone(follow, "the instance has ended", err);
    *out_status = follow->record.exit_status;
    return 0;
}

/* Begin with it, or with waiting for it: 1, else the end. */
static int take_hold(struct follow *follow, int *out_status, struct gl_error *err)
{
    struct gl_process process;

    if (gl_local_record_load(follow->folder, &follow->record, err) < 0)
        return -1;
    gl_local_settle(follow->local, follow->folder, &follow->record);
    if (follow->record.state == GL_STATE_SUSPENDED || gl_task_is_due(&follow->record)) {
        go_away(follow);
        return 1;
    }
    if (!gl_local_find_alive(&follow->record, &process))
        return already_ended(follow, out_status, err);
    if (gl_link_open(follow->link, follow->folder, GL_LOCAL_CONTROL, err) < 0)
        return gone(follow, "the instance's control socket does not answer", err);
    return 1;
}

int gl_local_attach(const struct gl_local *local, const char *folder,
                    const struct gl_attach *attach, int *out_status, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct gl_link *link = gl_alloc(sizeof *link);
    struct follow follow = {.local = local,
                            .attach = attach,
                            .folder = folder,
                            .link = link,
                            .stdin_fd = attach->stdin_fd,
                            .cpu_ms = -1};
    struct gl_local_ending ending = {0};
    struct gl_process process;
    struct gl_error ignored = {0};
    int got = take_hold(&follow, out_status, err);

    if (got != 1)
        return got;
    got = run(&follow, err);
    gl_link_close(link);
    ending = (struct gl_local_ending){.has_exit = got == 0,
                                      .exit_status = follow.status,
                                      .is_ended = !gl_local_find_alive(&follow.record, &process),
                                      .cpu_ms = follow.cpu_ms};
    /* What the caller learns does not hang on it. */
    gl_local_note_ending(local, folder, &ending, &ignored);
    if (got == 0)
        *out_status = follow.status;
    return got;
}
