/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_RENTED_RUN_H
#define GL_BROKER_CLI_RENTED_RUN_H

/* A command on a rented machine, followed from here: no stream leads there, so that its cloud is
 * asked now and then how it is and what its console shows. */

#include "broker/cli/act.h"

/* Is it a launch on somebody else's machine? */
bool gl_rented_launch(struct gl_launcher *launcher, const char *launch);

/* Wait for the end of its command, show the last of what it printed, end the machine, show the
 * receipt. The command's exit status; -1 with *err, also when nobody could learn it (GUEST). */
int gl_rented_run(struct gl_context *context, struct gl_launcher *launcher,
                  const struct gl_instance *instance, bool wants_files, struct gl_error *err);

#endif
