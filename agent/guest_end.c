/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/guest.h"

#include "agent/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define TELL_MS       1000     /* for the last frames to go out */
#define LAST_NS       30000000 /* for the devices to pass on what the kernel gave them */
#define METER_WAIT_MS 1000

/* ---- the meter process and the end ---- */

static void keep_alive(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd >= 0 && write(fd, "-900", 4) == 4)
        close(fd);
}

static void meter_setup(const struct gl_guest *guest, struct gl_meter_setup *out)
{
    *out = (struct gl_meter_setup){
        .place = {""},
        .names = guest->names,
        .machine = guest->config.machine,
        .interval_ms = guest->config.interval_ms,
        .load_scope = guest->is_vm ? GL_LOAD_MACHINE : GL_LOAD_TREE,
        .load_root = getppid(),
        .has_token = true,
        .sources = gl_sources,
        .source_count = gl_source_count,
        .progress = guest->progress,
    };
    memcpy(out->seed, guest->seed, sizeof out->seed);
    memcpy(out->token, guest->config.enrol, sizeof out->token);
}

static _Noreturn void meter_main(struct gl_guest *guest, pid_t parent)
{
    struct gl_meter *meter = gl_alloc(sizeof *meter);
    struct gl_meter_setup setup;
    struct gl_error err = {0};
    struct gl_sink sink = {.fd = -1};
    const char *console = guest->is_vm ? "/dev/ttyS0" : guest->options.console_path;

    close_range(3, ~0U, 0);
    prctl(PR_SET_NAME, "greenlaunch-met");
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* process mode: a killed guest leaves no meter behind */
    if (getppid() != parent)
        _exit(0); /* it was killed before we asked */
    if (console != NULL && gl_sink_open(&sink, console, &err) < 0)
        _exit(1);
    meter_setup(guest, &setup);
    gl_meter_begin(meter, &setup, &sink, gl_moment_now());
    gl_wipe(&setup, sizeof setup);
    gl_wipe(guest->seed, sizeof guest->seed);
    gl_meter_loop(meter, 0);
    gl_meter_end(meter, gl_moment_now(), METER_WAIT_MS);
    _exit(0);
}

void gl_guest_start_meter(struct gl_guest *guest)
{
    int64_t now_ms = gl_guest_now_ms();
    pid_t parent, pid;

    if (guest->phase != GL_GUEST_CONFIGURED || guest->meter != 0 ||
        guest->meter_starts >= GL_GUEST_METERS || guest->stop >= GL_STOP_METER ||
        now_ms < guest->meter_at_ms)
        return;
    parent = getpid();
    guest->meter_starts++;
    if (guest->meter_starts > 1)
        gl_guest_note(guest, "the meter died and is started again");
    pid = fork();
    if (pid == 0)
        meter_main(guest, parent);
    if (pid > 0)
        guest->meter = pid;
    else
        guest->meter_at_ms = now_ms + 1000;
    if (guest->is_vm)
        keep_alive();
}

/* ---- stopping: command, then meter, then the last word ---- */

static void next_step(struct gl_guest *guest, enum gl_guest_stop step, int64_t wait_ms)
{
    guest->stop = step;
    guest->stop_at_ms = gl_guest_now_ms() + wait_ms;
}

void gl_guest_stop_begin(struct gl_guest *guest)
{
    if (guest->stop != GL_STOP_NONE)
        return;
    next_step(guest, GL_STOP_ASKED, GL_GUEST_STOP_MS);
    gl_command_signal(&guest->command, SIGTERM);
    gl_command_signal(&guest->command, SIGCONT);
}

static bool command_is_running(const struct gl_guest *guest)
{
    return guest->command.pid > 0 && !guest->command.is_ended;
}

static void end_meter(struct gl_guest *guest)
{
    if (guest->meter > 0)
        kill(guest->meter, SIGTERM);
    next_step(guest, GL_STOP_METER, GL_GUEST_STOP_MS);
}

/* All is written: in a virtual machine this does not return. */
static void leave(struct gl_guest *guest)
{
    const struct timespec pause = {.tv_nsec = LAST_NS};

    guest->phase = GL_GUEST_GONE;
    if (!guest->is_vm)
        return;
    gl_sink_drain(&guest->console, TELL_MS);
    nanosleep(&pause, NULL);
    for (;;) {
        gl_vm_power_off();
        gl_guest_note(guest, "cannot switch off: %s", strerror(errno));
        sleep(1);
    }
}

/* Somebody who follows the command has not heard how it ended: that goes out before the last word,
 * after which nobody listens. What the command left behind may still hold its output open. */
static bool owes_exit(const struct gl_guest *guest)
{
    return guest->command.is_ended && !guest->is_exit_told && !guest->is_held &&
           guest->channel.fd >= 0;
}

/* Everything that is to be told has gone out, or nobody takes it. */
static bool all_is_told(const struct gl_guest *guest)
{
    return guest->channel.fd < 0 || (!guest->is_stopped_due && guest->channel.out_length == 0);
}

void gl_guest_stop_go_on(struct gl_guest *guest)
{
    bool is_late = gl_guest_now_ms() >= guest->stop_at_ms;

    switch (guest->stop) {
    case GL_STOP_NONE:
        break;
    case GL_STOP_ASKED:
        if (!command_is_running(guest)) {
            end_meter(guest);
        } else if (is_late) {
            gl_command_signal(&guest->command, SIGKILL);
            next_step(guest, GL_STOP_KILLED, 1000);
        }
        break;
    case GL_STOP_KILLED:
        if (!command_is_running(guest) || is_late)
            end_meter(guest);
        break;
    case GL_STOP_METER:
        if ((guest->meter > 0 || owes_exit(guest)) && !is_late)
            break;
        if (guest->meter > 0)
            kill(guest->meter, SIGKILL);
        if (guest->is_vm)
            sync();
        guest->is_stopped_due = true;
        next_step(guest, GL_STOP_TOLD, TELL_MS);
        break;
    case GL_STOP_TOLD:
        if (all_is_told(guest) || is_late)
            leave(guest);
        break;
    }
}
