/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "broker/cli/demand_reply.h"
#include "broker/cli/help.h"
#include "broker/cli/shift_reply.h"

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct gl_shift_reason reason = {"person", "asked for by hand", NULL};
    GL_AUTO(gl_shift_subject_done) struct gl_shift_subject subject = {.row = NULL};
    bool was_running;

    if (gl_help_operands(&gl_command_resume, call, 1, 1, err) != 0 ||
        gl_shift_subject_find(context, call->operands->words[0], &subject, err) != 0)
        return -1;
    was_running = strcmp(subject.row->state, "running") == 0;
    gl_progress(context, "resuming %s", subject.row->launch);
    if (gl_launch_resume(&subject.launcher, subject.row->launch, &reason, err) != 0)
        return -1;
    gl_demand_note_cost(context);
    return gl_shift_reply(context, &subject, was_running ? "Runs already:" : "Resumed", err);
}

const struct gl_command gl_command_resume = {
    .name = "resume",
    .group = "Act",
    .summary = "let a paused instance go on where it was",
    .operands = "NAME",
    .description =
        "The same instance goes on from the state that pause kept, in the same place; migrate "
        "moves it "
        "first, if it is to go on elsewhere. Fine when it runs already. When the lease has ended "
        "meanwhile, it is ended instead.",
    .example = "greenlaunch resume nightly",
    .run = run,
};
