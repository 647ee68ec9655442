/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_SCHEDULE_GREEN_H
#define GL_BROKER_CLI_SCHEDULE_GREEN_H

/* From when on the rules would be promised for the whole run, by place, from the book. */

#include "broker/cli/schedule.h"

/* Fill schedule->green for the places of the schedule that the request may run in. */
void gl_schedule_find_green(const struct gl_ask_result *asked, const struct gl_schedule_ask *ask,
                            struct gl_schedule *schedule);

#endif
