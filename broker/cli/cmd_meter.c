/* SPDX-License-Identifier: Apache-2.0 */
/* meter: what a command costs on this machine. The meter runs the command, its signed readings go
 * the same way as an instance's: verified, judged, accounted, receipted. */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/cli/act.h"
#include "broker/cli/help.h"
#include "broker/cli/meter_receive.h"
#include "broker/cli/metered.h"
#include "broker/interrupt.h"

#define LOOK_MS       200
#define ORPHAN_ROUNDS 10000

struct meter_values {
    const char *zone;
    const char *output;
    struct gl_receive_values receive;
};

static const struct gl_option options[] = {
    {"zone", 0, GL_OPT_TEXT, offsetof(struct meter_values, zone), "ZONE",
     "grid zone this machine stands in, as in SE-SE3", NULL, NULL, NULL, 0, 0, 0, "zone"},
    {"output", 'o', GL_OPT_TEXT, offsetof(struct meter_values, output), "FILE",
     "write the receipt here too", NULL, NULL, NULL, 0, 0, 0, "file"},
    {"listen", 0, GL_OPT_TEXT, offsetof(struct meter_values, receive.listen), "HOST:PORT",
     "where it receives (default 127.0.0.1:8444)", "receive", NULL, NULL, 0, 0, 0, NULL},
    {"tls-cert", 0, GL_OPT_TEXT, offsetof(struct meter_values, receive.tls_cert), "FILE",
     "its certificate with those that vouch for it, PEM", "receive", NULL, NULL, 0, 0, 0, "file"},
    {"tls-key", 0, GL_OPT_TEXT, offsetof(struct meter_values, receive.tls_key), "FILE",
     "the key of it, for nobody else to read", "receive", NULL, NULL, 0, 0, 0, "file"},
    {0},
};

static int64_t intent_number(const struct gl_metered *metered, const char *key)
{
    return json_integer_value(json_object_get(metered->intent, key));
}

/* How the meter itself ended, before it is reaped: that its command ended by a signal is an exit of
 * the meter. */
static bool was_killed(const struct gl_process *process, bool *out_has_ended)
{
    siginfo_t info = {0};

    *out_has_ended = waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
                     info.si_pid == process->pid;
    return info.si_pid == process->pid && info.si_code != CLD_EXITED;
}

/* The children of this process, in a list that ends with 0. They stay ours until they are waited
 * for, so that no other process can take such a number meanwhile. */
static pid_t *children(void)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    char path[64], piece[4096];
    pid_t *list = gl_alloc(sizeof *list);
    size_t count = 0;
    ssize_t length;
    char *at, *end;

    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    GL_AUTO(gl_auto_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && (length = read(fd, piece, sizeof piece)) > 0)
        gl_str_add_bytes(&text, piece, (size_t)length);
    at = text.length > 0 ? text.text : path + strlen(path);
    for (long pid = strtol(at, &end, 10); end != at; pid = strtol(at, &end, 10)) {
        list = gl_realloc(list, (count + 2) * sizeof *list);
        list[count++] = (pid_t)pid;
        list[count] = 0;
        at = end;
    }
    return list;
}

static bool is_among(const pid_t *list, pid_t pid)
{
    while (*list != 0 && *list != pid)
        list++;
    return *list != 0;
}

/* What a killed meter leaves of its command falls to us (PR_SET_CHILD_SUBREAPER), one generation
 * after the other: it would run on behind a closed receipt. `before` are the children that were
 * there before the meter, of whoever put us in its place by exec: they are none of ours to end. */
static void end_orphans(const pid_t *before)
{
    bool has_any = true;

    for (int round = 0; has_any && round < ORPHAN_ROUNDS; round++) {
        GL_AUTO(gl_auto_free) pid_t *list = children();

        has_any = false;
        for (const pid_t *pid = list; *pid != 0; pid++)
            if (!is_among(before, *pid) && kill(*pid, SIGKILL) == 0)
                has_any = true;
        for (const pid_t *pid = list; has_any && *pid != 0; pid++)
            if (!is_among(before, *pid))
                waitpid(*pid, NULL, 0);
    }
}

/* Ctrl-C goes to the whole foreground group: the meter ends the command and writes its goodbye. */
static int wait_for(const struct gl_process *process, const pid_t *before, int *out_status)
{
    GL_AUTO(gl_auto_close) int fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    bool is_told = false;

    for (;;) {
        bool is_killed, has_ended;
        int ended;

        poll(&polled, 1, fd >= 0 ? LOOK_MS : 1);
        is_killed = was_killed(process, &has_ended);
        ended = has_ended ? gl_process_wait(process, 0, out_status) : 0;
        if (is_killed)
            end_orphans(before);
        if (ended != 0)
            return ended;
        if (gl_interrupted() && !is_told) {
            gl_process_kill(process, SIGTERM);
            is_told = true;
        }
    }
}

static int run_metered(struct gl_context *context, struct gl_metered *metered,
                       const char *const *command, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *meter = gl_path_join(gl_path_of_program(), "greenlaunch-meter");
    GL_AUTO(gl_auto_free) const char **argv = NULL;
    const char *family = json_string_value(json_object_get(metered->intent, "family"));
    char threads[24], memory[24], interval[24];
    const char *const fixed[] = {meter,
                                 "--run",
                                 "--launch",
                                 metered->launch,
                                 "--token-file",
                                 metered->token_path,
                                 "--output",
                                 metered->readings_path,
                                 "--interval",
                                 interval,
                                 "--threads-milli",
                                 threads,
                                 "--memory-mb",
                                 memory,
                                 "--family",
                                 family != NULL ? family : "",
                                 "--"};
    size_t fixed_count = sizeof fixed / sizeof fixed[0], count = 0;

    snprintf(threads, sizeof threads, "%" PRId64, intent_number(metered, "vcpus") * 1000);
    snprintf(memory, sizeof memory, "%" PRId64,
             intent_number(metered, "memory_mib") * 1048576 / 1000000);
    snprintf(interval, sizeof interval, "%d", GL_METERED_INTERVAL_MS);
    while (command[count] != NULL)
        count++;
    argv = gl_alloc((fixed_count + count + 1) * sizeof *argv);
    memcpy(argv, fixed, sizeof fixed);
    memcpy(argv + fixed_count, command, count * sizeof *argv);
    GL_AUTO(gl_auto_free) pid_t *before = children();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int out = context->globals.is_json ? STDERR_FILENO : STDOUT_FILENO;
    if (gl_process_start(&(struct gl_spawn){.argv = argv,
                                            .stdin_fd = STDIN_FILENO,
                                            .stdout_fd = out,
                                            .stderr_fd = STDERR_FILENO,
                                            .uid = -1,
                                            .gid = -1},
                         &metered->meter, err) != 0) {
        metered->is_recorded = true; /* nothing ran, so there is nothing to record */
        return gl_wrap(err, "cannot start the meter");
    }
    gl_metered_note(metered);
    if (wait_for(&metered->meter, before, &metered->status) < 0)
        return gl_fail(err, GL_E_INTERNAL, "the meter was lost");
    metered->ended_ms = context->world.now_ms(context->world.cookie);
    if (metered->ended_ms < metered->started_ms) /* the clock was set back */
        metered->ended_ms = metered->started_ms;
    gl_metered_note(metered);
    return 0;
}

static int keep_copy(struct gl_context *context, const char *output, const char *receipt,
                     struct gl_error *err)
{
    if (output == NULL)
        return 0;
    if (gl_file_write_given(output, receipt, strlen(receipt), 0644, err) != 0)
        return gl_wrap(err, "--output");
    gl_str_addf(&context->reply.text, "               %s\n", output);
    return 0;
}

static int close_and_show(struct gl_context *context, struct gl_metered *metered, char **out,
                          struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_receipt_path(context->state_folder, metered->launch);

    if (gl_metered_close(context, metered, out, err) != 0) {
        gl_next(context, "make the receipt of what is kept", (const char *const[]){"status", NULL});
        return -1;
    }
    if (gl_act_show_receipt(context, *out, err) != 0)
        return -1;
    gl_str_addf(&context->reply.text, "  receipt      %s\n", path);
    json_object_set_new(context->reply.data, "receipt_file", json_string(path));
    json_object_set_new(context->reply.data, "exit_status", json_integer(metered->status));
    return 0;
}

static int receive(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct meter_values *values = call->values;

    if (strcmp(call->operands->words[0], "receive") != 0)
        return gl_fail(err, GL_E_USAGE,
                       "a command to meter stands after --, as in greenlaunch meter -- make; "
                       "meter receive takes what rented machines push");
    if (gl_help_operands(&gl_command_meter, call, 1, 1, err) != 0)
        return -1;
    if (values->zone != NULL || values->output != NULL)
        return gl_fail(err, GL_E_USAGE, "--zone and --output are for a command on this machine");
    return gl_meter_receive(context, &values->receive, err);
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct meter_values *values = call->values;
    GL_AUTO(gl_metered_done) struct gl_metered metered = {.run_fd = -1};
    GL_AUTO(gl_auto_free) char *receipt = NULL;
    const char *zone = gl_context_zone(context, values->zone);

    if (call->operands->count > 0)
        return receive(context, call, err);
    if (call->rest == NULL || call->rest[0] == NULL)
        return gl_fail(err, GL_E_USAGE, "no command: greenlaunch meter -- COMMAND [ARG ...]");
    if (values->receive.listen != NULL || values->receive.tls_cert != NULL ||
        values->receive.tls_key != NULL)
        return gl_fail(err, GL_E_USAGE, "--listen, --tls-cert and --tls-key are for receive");
    if (gl_context_ledger(context, err) == NULL)
        return -1;
    gl_metered_settle(context); /* its time is not that of the command */
    if (gl_metered_begin(context, call->rest, zone, &metered, err) != 0 ||
        run_metered(context, &metered, call->rest, err) != 0)
        return -1;
    context->reply.is_streamed = !context->globals.is_json;
    context->reply.is_command_status = true;
    if (close_and_show(context, &metered, &receipt, err) != 0 ||
        keep_copy(context, values->output, receipt, err) != 0)
        return -1;
    if (zone == NULL)
        gl_warn(context, "GL8001",
                "no grid zone is configured: carbon is unknown; say --zone ZONE");
    if (!gl_interrupted())
        return metered.status;
    return gl_interrupt_fail(err, gl_interrupt_status() == GL_EXIT_TIMEOUT
                                      ? "--timeout ran out and the command was stopped; the "
                                        "receipt covers it until then"
                                      : "the command was stopped; the receipt covers it until "
                                        "then");
}

const struct gl_command gl_command_meter = {
    .name = "meter",
    .group = "Prove",
    .summary = "run a command on this machine and print its footprint",
    .operands = "[receive] | -- COMMAND [ARG ...]",
    .description =
        "Needs no instance: greenlaunch-meter measures this machine while the command "
        "runs (energy counters where readable, else a model with bounds) and the result "
        "is a receipt like any other, recorded in the ledger. The exit status is the "
        "command's; 124 when --timeout ended it. A receipt that could not be written, on a "
        "full disk or after a kill, is made of the readings by the next greenlaunch "
        "status, or meter. meter receive serves until it is "
        "stopped: it takes the readings that rented machines push (`meter: {push: "
        "https://HOST:PORT/readings}` in the configuration), believes those that a "
        "launch of this ledger has signed, and keeps them for its receipt.",
    .example = "greenlaunch meter --zone SE-SE3 -- make -j2",
    .options = options,
    .values_size = sizeof(struct meter_values),
    .run = run,
};
