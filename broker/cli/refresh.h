/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_REFRESH_H
#define GL_BROKER_CLI_REFRESH_H

/* Ask the clouds for their regions, types and prices, all at once, and keep the answers for later
 * commands (providers/pricelist.h). A cloud that cannot be asked is named and hinders no other. */

#include "broker/cli/command.h"
#include "providers/offers.h"

/* Ask the clouds that `clouds` names (globs; none = those of the configuration). Says on stderr how
 * each did; *out_json is a new array of the same. -1 only when nothing could be asked or kept at
 * all. */
int gl_refresh(struct gl_context *context, const struct gl_option_list *clouds, json_t **out_json,
               struct gl_error *err);

/* "<state>/prices", fresh; NULL when there is no state folder. */
char *gl_refresh_folder(struct gl_context *context);

/* The clouds that no built-in table knows, and what the configuration says of where they stand;
 * borrowed from it. At most GL_CONFIG_CLOUDS_MAX; returns how many. */
size_t gl_refresh_owns(const struct gl_context *context,
                       struct gl_offer_own out[GL_CONFIG_CLOUDS_MAX]);

/* Warn of a cloud asked for by its name that there can be no offer or no price of yet, and say what
 * mends it: it was never asked, or its user's rate for euro is not named. */
void gl_refresh_advise(struct gl_context *context, const struct gl_request *request,
                       const struct gl_offer_list *offers);

#endif
