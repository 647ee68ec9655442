/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_INTERRUPT_H
#define GL_BROKER_INTERRUPT_H

/* Ctrl-C, SIGTERM and --timeout as one question that long work asks: the safe step is finished
 * first, then the command ends with the status of what interrupted it. A second Ctrl-C kills. */

#include "base/error.h"

/* Catch the signals; `timeout_s` INT64_MIN = none. */
void gl_interrupt_catch(int64_t timeout_s);
/* A closed terminal too, as SIGTERM: for commands that keep something private while they run. */
void gl_interrupt_catch_hangup(void);
/* Has something asked us to stop? */
bool gl_interrupted(void);
/* 124, 130 or 143; 0 when nothing did. */
int gl_interrupt_status(void);
/* Fill *err with what interrupted (TIMEOUT, INTERRUPTED, TERMINATED). Returns -1. */
int gl_interrupt_fail(struct gl_error *err, const char *what);

#endif
