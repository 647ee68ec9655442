/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_RUN_COMMAND_H
#define GL_BROKER_CLI_RUN_COMMAND_H

/* What run does, and wait once the rules allow: decide, start an instance, run a command inside,
 * show its output and its meter, stop it, receipt. */

#include "broker/cli/start_instance.h"

struct gl_run_values {
    struct gl_start_values start;
    struct gl_option_list files_out;
};
/* Its row stands in run_options.def, to be included after those of start_options.def. */

/* The exit status of the command, or that of a refusal; -1 with *err. `command` ends with NULL. */
int gl_run_command(struct gl_context *context, const struct gl_run_values *values,
                   const char *const *command, struct gl_error *err);

#endif
