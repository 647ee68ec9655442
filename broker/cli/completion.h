/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_COMPLETION_H
#define GL_BROKER_CLI_COMPLETION_H

/* Shell completion from the tables of commands and options. A script holds the words that never
 * change; zones, regions, clouds, types and instances it asks of `greenlaunch completion words`. */

#include "broker/cli/command.h"

/* What a value or operand is completed with: "A|B", "@zone", "@file", or "" for free text. */
const char *gl_completion_of_option(const struct gl_option *option, char out[64]);
/* Words an operand of the command may be, the same way; several separated by '|'. */
const char *gl_completion_of_operands(const struct gl_command *command, char out[160]);
bool gl_completion_takes_value(const struct gl_option *option);

void gl_completion_bash(struct gl_str *out);
void gl_completion_zsh(struct gl_str *out);
void gl_completion_fish(struct gl_str *out);

#endif
