/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_ROWS_H
#define GL_BROKER_CLI_ROWS_H

/* The row of every command: cmd_NAME.c exports gl_command_NAME and nothing else. */

#include "broker/cli/command.h"

extern const struct gl_command gl_command_backtest, gl_command_index;
extern const struct gl_command gl_command_offers, gl_command_why, gl_command_signals,
    gl_command_plan;
extern const struct gl_command gl_command_launch, gl_command_run, gl_command_wait,
    gl_command_status, gl_command_stop;
extern const struct gl_command gl_command_pause, gl_command_resume, gl_command_migrate;
extern const struct gl_command gl_command_meter, gl_command_verify, gl_command_ledger;
extern const struct gl_command gl_command_hook;
extern const struct gl_command gl_command_policy, gl_command_budget;
extern const struct gl_command gl_command_init, gl_command_doctor;
extern const struct gl_command gl_command_provider, gl_command_source;
extern const struct gl_command gl_command_help, gl_command_completion, gl_command_version;
extern const struct gl_command gl_command_start, gl_command_follow;
extern const struct gl_command gl_command_demo;

extern const struct gl_command gl_command_guard, gl_command_guarantee, gl_command_reconcile;
extern const struct gl_command gl_command_request;

#endif
