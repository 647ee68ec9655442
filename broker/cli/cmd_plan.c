/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/act.h"
#include "broker/cli/help.h"
#include "broker/cli/schedule.h"
#include "broker/cli/stretches.h"
#include "broker/interrupt.h"

static const struct gl_option options[] = {
#include "broker/cli/ask_options.def"
#include "broker/cli/when_options.def"
    {0},
};

/* Without a word of where, this machine if it stands anywhere: what launch would do. */
static int narrow(struct gl_context *context, struct gl_when_values *values, struct gl_error *err)
{
    const struct gl_ask *ask = &values->ask;

    if (ask->clouds.count + ask->regions.count + ask->types.count > 0 || values->when.may_place ||
        values->when.may_move || gl_context_zone(context, ask->zone) == NULL)
        return 0;
    return gl_act_only_launchable(&values->ask, err);
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    struct gl_when_values values = *(const struct gl_when_values *)call->values;
    const struct gl_ask given = values.ask;
    struct gl_ask_result asked;
    struct gl_schedule_ask ask;
    struct gl_schedule schedule;
    int status = -1;

    values.ask.wants_history = values.ask.wants_later = true;
    if (gl_help_operands(&gl_command_plan, call, 0, 0, err) != 0 ||
        narrow(context, &values, err) != 0 || gl_ask_decide(context, &values.ask, &asked, err) != 0)
        return -1;
    ask = gl_schedule_ask_of(context, &asked, &values);
    if ((!ask.may_pause || gl_stretches_check_rules(asked.policy, err) == 0) &&
        gl_schedule_make(&asked, &ask, &schedule, err) == 0) {
        status = gl_schedule_reply(context, &given, &asked, &ask, &schedule);
        gl_schedule_done(&schedule);
    }
    if (gl_interrupted())
        status = gl_interrupt_fail(err, "plan: some signals were not asked");
    gl_ask_result_done(&asked);
    return status;
}

const struct gl_command gl_command_plan = {
    .name = "plan",
    .group = "Look",
    .summary = "the greenest start, place and pauses, and how sure that is",
    .operands = "",
    .description =
        "Lays past errors of the forecast on today's forecast of every zone asked for and chooses "
        "when and where the run emits least, inside --start-by and --finish-by: for this machine, "
        "or with --cloud, --region or --anywhere for others; with pauses (--interruptible) or "
        "moves (--movable) where those are allowed. Says what it saves against starting now in "
        "the same place, with its spread, and from when on the rules would be promised for the "
        "whole run; a run without pauses is planned into the promised starts only. Starts "
        "nothing. Exit 0: now; 6: later; 3: not in time; 8: no history to plan on.",
    .example = "$ greenlaunch plan -d 6h --finish-by 40h --interruptible\n"
               "LATER: a later start emits less.",
    .options = options,
    .values_size = sizeof(struct gl_when_values),
    .run = run,
};
