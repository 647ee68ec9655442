/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/guest.h"

#include "agent/vm.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HELLO_MS     1000
#define PORT_WAIT_MS 3000
#define PATIENCE_MS  10000 /* a host that takes nothing for so long is gone, not only busy */
#define POLL_MOST    10

int64_t gl_guest_now_ms(void)
{
    return gl_moment_now().boottime_ns / 1000000;
}

void gl_guest_note(struct gl_guest *guest, const char *format, ...)
{
    char line[512] = "greenlaunch: ";
    size_t used = strlen(line);
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(line + used, sizeof line - used - 1, format, args);
    va_end(args);
    if (length < 0)
        return;
    used = strlen(line);
    line[used++] = '\n';
    gl_sink_send(&guest->console, line, used);
    guest->console.sent = 0; /* a note is worth no second try */
}

static void note_text(void *cookie, const char *text)
{
    gl_guest_note(cookie, "%s", text);
}

/* ---- start ---- */

static int open_signals(void)
{
    sigset_t signals;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* Memory that the meter process and its successors share with us. */
static struct gl_meter_progress *shared_progress(void)
{
    void *memory = mmap(NULL, sizeof(struct gl_meter_progress), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        gl_die_of_memory();
    return memory;
}

static void boot_vm(struct gl_guest *guest)
{
    struct gl_error err = {0};

    gl_vm_boot(note_text, guest);
    if (gl_sink_open(&guest->console, "/dev/ttyS0", &err) < 0)
        guest->console.fd = 2;
    while (gl_channel_open_port(&guest->channel, PORT_WAIT_MS, &err) < 0) {
        gl_guest_note(guest, "%s", err.text);
        gl_error_clear(&err);
        sleep(1);
    }
}

static int open_process_mode(struct gl_guest *guest, struct gl_error *err)
{
    if (guest->options.console_path != NULL &&
        gl_sink_open(&guest->console, guest->options.console_path, err) < 0)
        return -1;
    return gl_channel_listen(&guest->channel, guest->options.control_path, err);
}

static int begin(struct gl_guest *guest, struct gl_error *err)
{
    guest->is_vm = guest->options.control_path == NULL;
    guest->console.fd = guest->is_vm ? 2 : -1;
    guest->channel.fd = guest->channel.listen_fd = -1;
    guest->command.in_fd = guest->command.out_fd[0] = guest->command.out_fd[1] = -1;
    guest->lease_fd = -1;
    guest->signal_fd = open_signals();
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* whatever the command leaves behind stays ours */
    guest->progress = shared_progress();
    if (guest->is_vm)
        boot_vm(guest);
    else if (open_process_mode(guest, err) < 0)
        return -1;
    gl_chain_names_init(&guest->names, "");
    guest->is_hello_due = true;
    guest->hello_at_ms = gl_guest_now_ms() + HELLO_MS;
    return 0;
}

/* ---- the loop ---- */

static void reap(struct gl_guest *guest)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == guest->command.pid && !guest->command.is_ended)
            gl_command_ended(&guest->command, status, gl_guest_now_ms());
        if (pid == guest->meter) {
            guest->meter = 0;
            guest->meter_at_ms = gl_guest_now_ms() + (int64_t)1000 * guest->meter_starts;
        }
    }
}

static void take_signals(struct gl_guest *guest)
{
    struct signalfd_siginfo info;

    while (read(guest->signal_fd, &info, sizeof info) == sizeof info)
        if (info.ssi_signo != SIGCHLD)
            gl_guest_stop_begin(guest);
    reap(guest);
}

/* Frames are taken only while the largest stdin frame would fit, so that none is ever refused. */
static void take_frames(struct gl_guest *guest)
{
    struct gl_frame frame;

    guest->channel.is_paused = gl_command_in_room(&guest->command) < GL_FRAME_MAX;
    while (!guest->channel.is_paused && gl_channel_next(&guest->channel, &frame)) {
        gl_guest_take(guest, &frame);
        guest->channel.is_paused = gl_command_in_room(&guest->command) < GL_FRAME_MAX;
    }
    if (guest->channel.was_lost) {
        guest->channel.was_lost = false;
        guest->is_exit_told = false; /* the next host has not heard it */
        guest->is_held = true;       /* nor asked for anything */
    }
}

static bool host_is_reading(const struct gl_guest *guest, int64_t now_ms)
{
    if (guest->is_held)
        return now_ms < guest->patient_until_ms;
    return guest->channel.fd >= 0 && !guest->channel.is_deaf &&
           (guest->channel.out_length == 0 || now_ms - guest->channel.progress_ms < PATIENCE_MS);
}

static void lower(int64_t *timeout_ms, int64_t now_ms, int64_t at_ms)
{
    int64_t left = at_ms > now_ms ? at_ms - now_ms : 0;

    if (*timeout_ms < 0 || left < *timeout_ms)
        *timeout_ms = left;
}

static int64_t next_timeout(const struct gl_guest *guest, int64_t now_ms)
{
    int64_t timeout_ms = -1;

    if (guest->phase == GL_GUEST_WAITING)
        lower(&timeout_ms, now_ms, guest->hello_at_ms);
    if (guest->phase == GL_GUEST_CONFIGURED && guest->meter == 0 &&
        guest->meter_starts < GL_GUEST_METERS && guest->stop < GL_STOP_METER)
        lower(&timeout_ms, now_ms, guest->meter_at_ms);
    if (guest->stop != GL_STOP_NONE)
        lower(&timeout_ms, now_ms, guest->stop_at_ms);
    if (guest->command.is_ended && !guest->is_exit_told)
        lower(&timeout_ms, now_ms, now_ms + 100);
    if (guest->command.out[0].used + guest->command.out[1].used > 0)
        lower(&timeout_ms, now_ms, now_ms + 500); /* patience with the host may have ended */
    return timeout_ms;
}

/* Wait for something to happen and hand it to who waits for it. */
static void serve(struct gl_guest *guest)
{
    struct pollfd polled[POLL_MOST];
    int64_t now_ms = gl_guest_now_ms(), timeout_ms = next_timeout(guest, now_ms);
    size_t count = 0, channels, commands;

    polled[count++] = (struct pollfd){.fd = guest->signal_fd, .events = POLLIN};
    polled[count++] = (struct pollfd){.fd = guest->lease_fd, .events = POLLIN};
    polled[count++] = (struct pollfd){
        .fd = guest->fetch.pid > 0 && gl_channel_is_free(&guest->channel) ? guest->fetch.fd : -1,
        .events = POLLIN,
    };
    channels = gl_channel_poll(&guest->channel, now_ms, polled + count, &timeout_ms);
    commands =
        gl_command_poll(&guest->command, host_is_reading(guest, now_ms), polled + count + channels);
    if (poll(polled, (nfds_t)(count + channels + commands), (int)timeout_ms) < 0)
        return;
    if (polled[0].revents != 0)
        take_signals(guest);
    if (polled[1].revents != 0) {
        gl_guest_note(guest, "the lease has ended");
        close(guest->lease_fd);
        guest->lease_fd = -1;
        gl_guest_stop_begin(guest);
    }
    gl_channel_serve(&guest->channel, gl_guest_now_ms(), polled + count, channels);
    gl_command_serve(&guest->command, polled + count + channels, commands);
}

int gl_guest_run(const struct gl_guest_options *options)
{
    struct gl_guest *guest = gl_alloc(sizeof *guest);
    struct gl_error err = {0};

    guest->options = *options;
    if (begin(guest, &err) < 0) {
        dprintf(2, "greenlaunch-meter: %s\n", err.text);
        return (int)gl_errc_row(err.code)->exit;
    }
    while (guest->phase != GL_GUEST_GONE) {
        int64_t now_ms = gl_guest_now_ms();

        if (guest->phase == GL_GUEST_WAITING && now_ms >= guest->hello_at_ms) {
            guest->is_hello_due = true;
            guest->hello_at_ms = now_ms + HELLO_MS;
        }
        gl_guest_start_meter(guest);
        take_frames(guest);
        if (guest->stop != GL_STOP_NONE)
            reap(guest); /* before it is judged late: this machine may have stood still */
        gl_guest_stop_go_on(guest);
        gl_guest_send(guest);
        if (guest->stop == GL_STOP_TOLD)
            gl_guest_stop_go_on(guest); /* nothing is left to wait for */
        if (guest->phase != GL_GUEST_GONE)
            serve(guest);
    }
    gl_channel_close(&guest->channel);
    free(guest);
    return 0;
}
