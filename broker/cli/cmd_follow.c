/* SPDX-License-Identifier: Apache-2.0 */
/* follow: what `launch -- COMMAND` leaves behind, in a session of its own. Passes the output of the
 * command on and ends the instance when the command has ended. Killed, it takes nothing with it:
 * then the instance stays until it is stopped or its lease ends. */
#include <stdio.h>
#include <stdlib.h>

#include "broker/cli/act.h"
#include "broker/cli/help.h"
#include "broker/cli/rows.h"
#include "broker/interrupt.h"

#define OUTPUT_MAX ((size_t)64 << 20) /* kept of each stream */
#define WAIT       ((struct gl_span){10})

struct sink {
    FILE *file;
    size_t length;
};

struct followed {
    struct sink out, error;
};

/* A full disk loses output, never the instance. */
static void pass_on(struct sink *sink, const char *bytes, size_t length)
{
    size_t room = OUTPUT_MAX - sink->length;
    size_t taken = length < room ? length : room;

    if (room == 0)
        return;
    fwrite(bytes, 1, taken, sink->file);
    sink->length += taken;
    if (sink->length == OUTPUT_MAX)
        fputs("\ngreenlaunch: what follows is not kept\n", sink->file);
    fflush(sink->file);
}

static void on_stdout(void *cookie, const char *bytes, size_t length)
{
    pass_on(&((struct followed *)cookie)->out, bytes, length);
}

static void on_stderr(void *cookie, const char *bytes, size_t length)
{
    pass_on(&((struct followed *)cookie)->error, bytes, length);
}

static bool on_tick(void *cookie)
{
    (void)cookie;
    return !gl_interrupted();
}

/* Has it ended, however that came? Not knowing is no yes. */
static bool is_over(struct gl_cloud *cloud, const char *id)
{
    struct gl_instance instance;
    struct gl_error ignored = {0};

    return cloud->ops->describe(cloud, id, &instance, &ignored) == 0 &&
           gl_instance_is_over(&instance);
}

/* Only what is over is ended: one that cannot be followed any more is left to its lease. */
static int follow(struct gl_launcher *launcher, const struct gl_launch_row *row,
                  struct gl_error *err)
{
    struct gl_cloud *cloud = launcher->open(launcher->cookie, row->cloud, row->zone, err);
    struct followed followed = {{stdout, 0}, {stderr, 0}};
    const struct gl_attach attach = {.cookie = &followed,
                                     .on_stdout = on_stdout,
                                     .on_stderr = on_stderr,
                                     .on_tick = on_tick,
                                     .stdin_fd = -1};
    struct gl_ending ending = {.wait = WAIT, .exit_status = -1};
    struct gl_error ignored = {0};
    int status = -1, result = -1;

    if (cloud == NULL)
        return -1;
    if (cloud->ops->attach == NULL)
        gl_fail(err, GL_E_USAGE, "this cloud cannot follow a command");
    else
        result = cloud->ops->attach(cloud, row->instance, &attach, &status, err);
    ending.exit_status = result == 0 ? status : -1;
    if (result == 0)
        result = gl_launch_finish(launcher, row->launch, &ending, err);
    else if (!gl_interrupted() && is_over(cloud, row->instance))
        gl_launch_finish(launcher, row->launch, &ending, &ignored);
    free(ending.receipt);
    gl_cloud_close(cloud);
    return result == 0 ? status : -1;
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_launcher launcher;
    const char *name;

    if (gl_help_operands(&gl_command_follow, call, 1, 1, err) != 0 ||
        gl_act_launcher(context, &launcher, err) != 0)
        return -1;
    name = call->operands->words[0];
    if (gl_ledger_launches(launcher.ledger, name, &rows, err) != 0)
        return -1;
    if (rows.count != 1 || rows.rows[0].instance[0] == '\0')
        return gl_fail(err, GL_E_UNKNOWN_NAME, "no launch \"%s\" to follow", name);
    context->reply.is_streamed = !context->globals.is_json;
    context->reply.is_command_status = true;
    return follow(&launcher, &rows.rows[0], err);
}

const struct gl_command gl_command_follow = {
    .name = "follow",
    .group = NULL,
    .summary = "what launch leaves behind to end an instance with its command",
    .operands = "LAUNCH",
    .description = "Passes the output of the command on and ends the instance with it.",
    .example = "greenlaunch follow gl-4k2p9xyz",
    .run = run,
};
