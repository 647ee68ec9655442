/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_SCHEDULE_PLACES_H
#define GL_BROKER_CLI_SCHEDULE_PLACES_H

/* Which places a plan is made over, and by which offer each of them is judged. */

#include "broker/cli/schedule.h"

/* Fill places, gaps, without, passed_over and is_home of *schedule. This machine first: "now, same
 * place" is there if it is among what was asked for. */
void gl_schedule_list_places(const struct gl_ask_result *asked, const struct gl_schedule_ask *ask,
                             struct gl_schedule *schedule);
/* Note why a zone is not planned on, once. */
void gl_schedule_add_gap(struct gl_schedule *schedule, const struct gl_zone_facts *zone,
                         const struct gl_history *history, enum gl_schedule_lack lack);

#endif
