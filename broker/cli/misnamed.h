/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_MISNAMED_H
#define GL_BROKER_CLI_MISNAMED_H

/* Names that were asked for and that nothing has: without a word about them a slip of the pen looks
 * like a refusal. */

#include "broker/context.h"
#include "providers/offers.h"

/* Warn of each cloud, region and type of the request, and of each region that a rule names, that no
 * offer has, with the nearest that one has. */
void gl_warn_of_misnamed(struct gl_context *context, const struct gl_request *request,
                         const struct gl_policy *policy, const struct gl_offer_list *offers);
/* Warn of each region that a rule names, that is in no table and that one in a table is near to: a
 * private cloud's region has a name that only its owner knows. */
void gl_warn_of_misnamed_regions(struct gl_context *context, const struct gl_policy *policy);

/* The grid zone of the yearly table that is nearest to a name, NULL when none is near. */
const char *gl_nearest_zone(const char *zone);
/* Warn that no source knows anything of a grid zone, with the nearest that one does. */
void gl_warn_of_zone(struct gl_context *context, const char *zone);

#endif
