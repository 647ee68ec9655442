/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_MODES_H
#define GL_AGENT_MODES_H

/* The modes of greenlaunch-meter beside the guest. Each returns the exit status of the program. */

#include "agent/meter.h"
#include "agent/options.h"

int gl_mode_oneshot(const struct gl_meter_options *options, struct gl_error *err);
int gl_mode_selftest(const struct gl_meter_options *options);
/* --run and --daemon. */
int gl_mode_run(const struct gl_meter_options *options, struct gl_error *err);
int gl_mode_replay(const struct gl_meter_options *options, struct gl_error *err);

/* The machine that the options and the system describe. */
void gl_modes_machine(const struct gl_meter_options *options, struct gl_config_machine *out);
/* All but seed, token and spool. */
void gl_modes_setup(const struct gl_meter_options *options, struct gl_meter_setup *out);

#endif
