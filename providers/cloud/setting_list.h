/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_SETTING_LIST_H
#define GL_PROVIDERS_SETTING_LIST_H

/* Settings of a cloud that say one thing for all, or one for each of several names. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of clouds whose regions no table knows: nothing but their user's word says where they stand. */
#define GL_CLOUD_ZONE_KEY  "grid-zone"
#define GL_CLOUD_ZONE_HELP "grid zone it stands in: SE-SE3, or by region: north=SE-SE3, south=DE"

/* What a setting says of `name`, where it may be one word for all or a list as in "north=SE-SE3,
 * south=DE-LU". False, and `out` untouched, when it says nothing, or more than fits. */
bool gl_cloud_setting_item(const char *list, const char *name, char *out, size_t size);
/* Micro-USD of a setting as in "0.05"; GL_UNKNOWN (policy/facts.h) when it is no such number. */
int64_t gl_cloud_setting_usd(const char *text);

#endif
