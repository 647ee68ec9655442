/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_SIGNALS_HISTORY_H
#define GL_BROKER_CLI_SIGNALS_HISTORY_H

/* What is stored of a zone's past, for `signals --explain`: what promises and plans are made of. */

#include "broker/context.h"

/* Lines for people. */
void gl_signals_history_show(struct gl_context *context, const struct gl_zone_facts *zone,
                             struct gl_instant now);
/* A list, one member a history. New reference. */
json_t *gl_signals_history_json(const struct gl_zone_facts *zone);

#endif
