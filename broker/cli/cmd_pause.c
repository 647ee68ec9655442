/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "broker/cli/demand_reply.h"
#include "broker/cli/help.h"
#include "broker/cli/shift_reply.h"

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    struct gl_shift_reason reason = {"person", "asked for by hand", NULL};
    GL_AUTO(gl_shift_subject_done) struct gl_shift_subject subject = {.row = NULL};
    GL_AUTO(gl_auto_json) json_t *evidence = NULL;
    struct gl_demand need;
    bool was_paused;

    if (gl_help_operands(&gl_command_pause, call, 1, 1, err) != 0 ||
        gl_shift_subject_find(context, call->operands->words[0], &subject, err) != 0)
        return -1;
    was_paused = strcmp(subject.row->state, "paused") == 0;
    /* What is paused already was recorded when it was. */
    if (!was_paused && gl_shift_need(context, &subject, &need)) {
        need.kind = GL_DEMAND_PAUSE;
        need.instead = GL_INSTEAD_PAUSED;
        reason.evidence = evidence = gl_demand_evidence(context, &need);
    }
    gl_progress(context, "pausing %s", subject.row->launch);
    if (gl_launch_pause(&subject.launcher, subject.row->launch, &reason, err) != 0)
        return -1;
    return gl_shift_reply(context, &subject, was_paused ? "Paused already:" : "Paused", err);
}

const struct gl_command gl_command_pause = {
    .name = "pause",
    .group = "Act",
    .summary = "suspend an instance: it uses no energy until it is resumed",
    .operands = "NAME",
    .description =
        "Keeps the whole state of the instance in a file and ends its machine. Its command goes on "
        "where it was after resume; its output and its readings lose nothing. The lease is one of "
        "the clock on the wall: past it, a paused instance is ended and its receipt is written. "
        "The receipt charges no energy for the time it was paused. Fine when it is paused already. "
        "Not everything can be paused: a command that runs as a process and a machine with a disk "
        "of its own cannot.",
    .example = "greenlaunch pause nightly",
    .run = run,
};
