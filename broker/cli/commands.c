/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of commands, in the order of `help`. */
#include <string.h>

#include "broker/cli/command.h"
#include "broker/cli/rows.h"

/* clang-format off: a line each */
const struct gl_command *const gl_commands[] = {
    &gl_command_offers,
    &gl_command_why,
    &gl_command_signals,
    &gl_command_plan,
    &gl_command_backtest,
    &gl_command_hook,
    &gl_command_index,
    &gl_command_launch,
    &gl_command_run,
    &gl_command_wait,
    &gl_command_status,
    &gl_command_stop,
    &gl_command_guard,
    &gl_command_pause,
    &gl_command_resume,
    &gl_command_migrate,
    &gl_command_meter,
    &gl_command_verify,
    &gl_command_guarantee,
    &gl_command_reconcile,
    &gl_command_ledger,
    &gl_command_budget,
    &gl_command_policy,
    &gl_command_request,
    &gl_command_init,
    &gl_command_provider,
    &gl_command_source,
    &gl_command_doctor,
    &gl_command_demo,
    &gl_command_help,
    &gl_command_completion,
    &gl_command_version,
    &gl_command_start,
    &gl_command_follow,
    NULL,
};
/* clang-format on */

const struct gl_command *gl_command_find(const char *name)
{
    for (size_t i = 0; gl_commands[i] != NULL; i++)
        if (strcmp(gl_commands[i]->name, name) == 0)
            return gl_commands[i];
    return NULL;
}
