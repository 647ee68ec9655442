/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"
#include "broker/cli/start_instance.h"

static const struct gl_option options[] = {
#include "broker/cli/ask_options.def"
#include "broker/cli/start_options.def"
    {0},
};

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    struct gl_start_values values = *(const struct gl_start_values *)call->values;
    struct gl_start_lists lists;
    struct gl_start_options start;
    struct gl_launcher launcher;
    struct gl_instance instance;
    char until[GL_INSTANT_TEXT];
    int status;

    gl_start_options_of(&values, call->rest, &lists, &start);
    status = gl_start_instance(context, &launcher, &values.ask, &start, &instance, err);
    if (status != GL_EXIT_OK)
        return status;
    gl_instant_text(instance.expires, until);
    gl_say(context, "started %s (%s)", instance.launch_id, instance.how);
    gl_str_addf(&context->reply.text, "Started %s  %s %s (%s)\n", instance.launch_id,
                instance.region, instance.type, instance.how);
    gl_str_addf(&context->reply.text, "  ends by itself at %s\n", until);
    gl_str_addf(&context->reply.text, "  watch: greenlaunch status    stop: greenlaunch stop %s\n",
                instance.launch_id);
    context->reply.data =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "launch", instance.launch_id, "instance",
                  instance.id, "region", instance.region, "type", instance.type, "how",
                  instance.how, "expires", until, "console", instance.console);
    gl_next(context, "stop it and see what it cost",
            (const char *const[]){"stop", instance.launch_id, NULL});
    return GL_EXIT_OK;
}

const struct gl_command gl_command_launch = {
    .name = "launch",
    .group = "Act",
    .summary = "start an instance where and when it is green",
    .operands = "",
    .description =
        "Decides by the rules of the policy and of the flags; when an offer is allowed, starts one "
        "instance under a lease and leaves it running. Without any rule nothing is started, unless "
        "--no-rules says so. A refusal prints its reasons and the nearest alternatives, and "
        "records the unmet demand on this machine only. Ctrl-C and --timeout while it starts end "
        "it. This version launches on this machine (the cloud \"local\"); offers ranks the other "
        "clouds too.",
    .example = "greenlaunch launch --renewable-only --min-grade D --zone IS --duration 10min",
    .options = options,
    .values_size = sizeof(struct gl_start_values),
    .run = run,
};
