/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_SHOW_STRIP_H
#define GL_BROKER_CLI_SHOW_STRIP_H

/* The hours of a plan: a strip for who looks, sentences for who listens. */

#include "broker/cli/schedule.h"

/* A stretch in which the plan runs in one place. */
struct gl_stretch {
    size_t next; /* 0 at the beginning; then where to look on */
    int place;
    struct gl_instant from, until;
};
bool gl_stretch_next(const struct gl_ask_result *asked, const struct gl_schedule *schedule,
                     struct gl_stretch *stretch);

/* Append it: one cell an hour, or as many hours as make the whole fit. Without UTF-8 the bars are
 * digits. */
void gl_schedule_strip(struct gl_context *context, const struct gl_ask_result *asked,
                       const struct gl_schedule *schedule);

#endif
