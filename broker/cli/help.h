/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_HELP_H
#define GL_BROKER_CLI_HELP_H

/* Help from the tables: for people, as man pages, as shell completion. */

#include "broker/cli/rows.h"

/* Help of one command into the reply. Returns 0. */
int gl_help_command(struct gl_context *context, const struct gl_command *command);
/* Every command, one line each, and the options of all of them. Returns 0. */
int gl_help_overview(struct gl_context *context);
/* USAGE error: this command takes no operand. Returns -1. */
int gl_help_no_operand(const struct gl_command *command, const char *word, struct gl_error *err);
/* USAGE error: a word before "--" that belongs to nothing, with what was likely meant;
 * `is_implied`: no command was named. Returns -1. */
int gl_help_stray(const struct gl_command *command, const char *word, bool is_implied,
                  struct gl_error *err);
/* From `low` to `high` operands and nothing after "--", else USAGE. */
int gl_help_operands(const struct gl_command *command, const struct gl_call *call, size_t low,
                     size_t high, struct gl_error *err);
/* The command whose name is nearest to `word` in any case, or that does what other tools call so
 * ("ls", "terminate"); NULL when none is near. */
const char *gl_help_nearest(const char *word);
/* Tables as --json has them. New references. */
json_t *gl_help_options_json(const struct gl_option *options);
json_t *gl_help_command_json(const struct gl_command *command);
/* The example of a command: calls that do not fit go on after a backslash. */
void gl_help_example(const struct gl_command *command, unsigned indent, unsigned columns,
                     struct gl_str *out);
/* Manual pages as mdoc: greenlaunch(1), and greenlaunch-policy(5) from the policy tables. */
void gl_man_program(struct gl_str *out);
void gl_man_policy(struct gl_str *out);
/* Is this word an option of the table? */
bool gl_help_is_option(const struct gl_option *options, const char *word);
/* How many words after at[0] are its value, 0 or 1, by the tables of all commands: while it is not
 * known yet which of them is meant. `at` ends with NULL. */
int gl_help_value_words(const char *const *at);
/* Was --json anywhere before "--"? For errors of the option parser itself. */
bool gl_has_json_flag(int argc, const char *const *argv);

#endif
