/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_ASK_FORECAST_H
#define GL_BROKER_CLI_ASK_FORECAST_H

/* What will be shown and accounted of the coming hours where a zone's past is at hand and its
 * sources forecast nothing: the built-in forecast as one more series, grade C, before the yearly
 * table and after everything live. It states no bounds, so it never satisfies a limit by itself:
 * that takes a promise. */

#include "policy/arena.h"
#include "providers/offers.h"

/* Give the offers zones with such series, made in the arena; `until` is the end of what is asked.
 */
void gl_ask_forecast(struct gl_arena *arena, struct gl_offer_list *offers, struct gl_instant now,
                     struct gl_instant until);

#endif
