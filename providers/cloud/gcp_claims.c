/* SPDX-License-Identifier: Apache-2.0 */
/* Cloud Location Finder: what Google says of the carbon-free share of its own regions, a yearly
 * claim with contracts counted. It says so of no other cloud's, and an unset share is no share of
 * 0: https://cloud.google.com/location-finder/docs/syntax
 * https://cloud.google.com/location-finder/docs/reference/rest */
#include "providers/cloud/gcp.h"

#include <stdio.h>
#include <string.h>

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value != NULL ? value : "";
}

bool gl_gcp_read_claim(const json_t *location, struct gl_catalog_row *out)
{
    const json_t *share = json_object_get(location, "carbonFreeEnergyPercentage");
    const char *region = text(location, "displayName");
    double percent = json_number_value(share);

    if (!json_is_number(share) || !(percent >= 0 && percent <= 100) || region[0] == '\0' ||
        strlen(region) >= sizeof out->region ||
        strcmp(text(location, "cloudProvider"), "CLOUD_PROVIDER_GCP") != 0 ||
        strcmp(text(location, "cloudLocationType"), "CLOUD_LOCATION_TYPE_REGION") != 0)
        return false;
    gl_catalog_row_init(out, region, GL_CATALOG_REGION);
    out->cfe_ppm = (int64_t)(percent * 10000 + 0.5);
    return true;
}

void gl_gcp_ask_claims(const struct gl_gcp *gcp, int kind, const char *token,
                       struct gl_catalog_round *round)
{
    struct gl_remote_call call = {.method = "GET", .has_fixed_status = true};

    if (gcp->locations[0] == '\0')
        return;
    gl_str_addf(&call.url, "%s/v1/projects/%s/locations/global/cloudLocations", gcp->locations,
                gcp->project);
    gl_remote_query(&call, "filter",
                    "cloud_provider=CLOUD_PROVIDER_GCP AND "
                    "cloud_location_type=CLOUD_LOCATION_TYPE_REGION");
    gl_remote_query(&call, "pageSize", "300");
    if (token != NULL)
        gl_remote_query(&call, "pageToken", token);
    gl_catalog_ask(round, &call, kind, "");
}

int gl_gcp_read_claims(const struct gl_gcp *gcp, const struct gl_remote_call *call, int kind,
                       struct gl_catalog_round *round, struct gl_catalog *catalog,
                       struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *page = NULL;
    struct gl_catalog_row row;
    const json_t *location;
    size_t i;

    if (call->reply.status < 200 || call->reply.status > 299)
        return 0; /* not switched on for the project, or not allowed: no prices hang on it */
    page = gl_remote_reply_json(call, err);
    if (page == NULL)
        return -1;
    json_array_foreach(json_object_get(page, "cloudLocations"), i, location)
    {
        if (gl_gcp_read_claim(location, &row))
            gl_catalog_add(catalog, &row);
    }
    if (text(page, "nextPageToken")[0] != '\0')
        gl_gcp_ask_claims(gcp, kind, text(page, "nextPageToken"), round);
    return 0;
}
