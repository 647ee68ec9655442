/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "base/time.h"
#include "broker/cli/again.h"
#include "broker/cli/help.h"
#include "broker/cli/start_instance.h"

static const struct gl_option options[] = {
#include "broker/cli/ask_options.def"
#include "broker/cli/start_options.def"
    {0},
};

/* ---- its command ---- */

#define FOLLOWER "/proc/self/exe"

static int open_output(const char *folder, const char *launch, const char *ending, char **out_path,
                       struct gl_error *err)
{
    char name[GL_CLOUD_ID + 8];
    int fd;

    snprintf(name, sizeof name, "%s.%s", launch, ending);
    *out_path = gl_path_join(folder, name);
    fd = open(*out_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd >= 0 ? fd : gl_fail_sys(err, GL_E_IO, errno, "%s", *out_path);
}

/* A process of its own follows the command, and ends the instance with it. */
static int start_follower(const struct gl_context *context, const char *launch, int out_fd,
                          int error_fd, struct gl_error *err)
{
    const char *words[GL_SAME_WORDS + 8] = {FOLLOWER,  "follow",  launch,
                                            "--quiet", "--state", context->state_folder};
    char program[4096];
    ssize_t length = readlink(FOLLOWER, program, sizeof program - 1);
    struct gl_spawn spawn = {.argv = words,
                             .stdin_fd = -1,
                             .stdout_fd = out_fd,
                             .stderr_fd = error_fd,
                             .is_detached = true,
                             .uid = -1,
                             .gid = -1};
    struct gl_process process;

    if (length > 0) {
        program[length] = '\0';
        words[0] = program; /* a name to be read in a list of processes */
    }
    if (context->globals.config != NULL) {
        words[6] = "--config";
        words[7] = context->globals.config;
    }
    return gl_process_start(&spawn, &process, err);
}

/* Does its cloud tell what a command inside does? */
static bool can_follow(const struct gl_launcher *launcher, const char *launch)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_error ignored = {0};
    size_t count;
    const struct gl_cloud_driver *drivers = gl_cloud_drivers(&count);

    if (gl_ledger_launches(launcher->ledger, launch, &rows, &ignored) != 0 || rows.count != 1)
        return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(drivers[i].ops->name, rows.rows[0].cloud) == 0)
            return drivers[i].ops->attach != NULL;
    return false;
}

/* Where its output goes, as text and data; a warning when nothing follows it. */
static void leave_follower(struct gl_context *context, const char *launch)
{
    GL_AUTO(gl_auto_free) char *folder = gl_path_join(context->state_folder, "outputs");
    GL_AUTO(gl_auto_free) char *out = NULL;
    GL_AUTO(gl_auto_free) char *error = NULL;
    GL_AUTO(gl_auto_close) int out_fd = -1;
    GL_AUTO(gl_auto_close) int error_fd = -1;
    struct gl_error err = {0};

    if (gl_dir_make(folder, &err) != 0 ||
        (out_fd = open_output(folder, launch, "out", &out, &err)) < 0 ||
        (error_fd = open_output(folder, launch, "err", &error, &err)) < 0 ||
        start_follower(context, launch, out_fd, error_fd, &err) != 0) {
        gl_warn(context, "GL1002",
                "nothing follows its command (%s): the instance stays until it is stopped or its "
                "lease ends",
                err.text);
        return;
    }
    gl_str_addf(&context->reply.text,
                "  ends with its command, if that is earlier; its output:\n  %s\n", out);
    json_object_set_new(context->reply.data, "output",
                        json_pack("{s:s,s:s}", "stdout", out, "stderr", error));
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    struct gl_start_values values = *(const struct gl_start_values *)call->values;
    struct gl_start_lists lists;
    struct gl_start_options start;
    struct gl_launcher launcher;
    struct gl_instance instance;
    char until[GL_INSTANT_TEXT];
    int status;

    if (call->operands->count > 0)
        return gl_help_stray(&gl_command_launch, call->operands->words[0], false, err);
    context->start = call;
    gl_start_options_of(&values, call->rest, &lists, &start);
    status = gl_start_instance(context, &launcher, &values.ask, &start, &instance, err);
    if (status != GL_EXIT_OK)
        return status;
    gl_instant_text(instance.expires, until);
    gl_start_say_started(context, &instance);
    gl_str_addf(&context->reply.text, "Started %s  %s %s (%s)\n", instance.launch_id,
                instance.region, instance.type, instance.how);
    gl_str_addf(&context->reply.text, "  ends by itself at %s\n", until);
    context->reply.data =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "launch", instance.launch_id, "instance",
                  instance.id, "region", instance.region, "type", instance.type, "how",
                  instance.how, "expires", until, "console", instance.console);
    if (start.command != NULL && can_follow(&launcher, instance.launch_id))
        leave_follower(context, instance.launch_id);
    gl_str_add(&context->reply.text, "  watch: ");
    gl_again_line(context, (const char *const[]){"status", NULL}, &context->reply.text);
    gl_str_add(&context->reply.text, "    stop: ");
    gl_again_line(context, (const char *const[]){"stop", instance.launch_id, NULL},
                  &context->reply.text);
    gl_str_add_char(&context->reply.text, '\n');
    gl_next(context, "what it has cost so far",
            (const char *const[]){"status", instance.launch_id, NULL});
    gl_next(context, "stop it and see what it cost",
            (const char *const[]){"stop", instance.launch_id, NULL});
    return GL_EXIT_OK;
}

const struct gl_command gl_command_launch = {
    .name = "launch",
    .group = "Act",
    .summary = "start an instance where and when it is green",
    .operands = "[-- COMMAND [ARG ...]]",
    .description =
        "Decides by the rules of the policy and of the flags; when an offer is allowed, starts one "
        "instance under a lease and leaves it running. A COMMAND is started inside and left to "
        "itself: the instance ends with it and gets its receipt, its output goes into files that "
        "the answer names; run is the one that stays and shows both. Without any rule nothing is "
        "started, unless "
        "--no-rules says so. A refusal prints its reasons and the nearest alternatives, and "
        "records the unmet demand on this machine only. Ctrl-C and --timeout while it starts end "
        "it. Without --cloud it is launched on this machine; a rented machine is launched on a "
        "cloud that is named in full, the first time for at most 1 hour and with --max-price. When "
        "a place has no stock or quota, the next one that the rules allow is tried.",
    .example = "greenlaunch launch --renewable-only --min-grade D --zone IS --duration 10min",
    .options = options,
    .values_size = sizeof(struct gl_start_values),
    .run = run,
};
