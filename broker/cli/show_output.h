/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_SHOW_OUTPUT_H
#define GL_BROKER_CLI_SHOW_OUTPUT_H

/* The last of what the command of a rented machine printed, for people and the envelope. A program
 * may print anything: a terminal is shown printable characters only. */

#include "base/json.h"
#include "broker/guestline.h"

/* Its lines, each after `indent`. */
void gl_output_lines(const struct gl_guest_said *said, const char *indent, struct gl_str *out);
/* "output_tail", and "output_is_cut" where that is known. */
void gl_output_json(const struct gl_guest_said *said, json_t *json);

#endif
