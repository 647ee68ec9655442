/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/claim.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "broker/cli/refresh.h"

static const struct gl_pricelist *list_of(struct gl_claims *claims, const char *cloud)
{
    GL_AUTO(gl_auto_free) char *folder = NULL;
    size_t at = claims->count;

    for (size_t i = 0; i < claims->count; i++)
        if (strcmp(claims->kept[i].cloud, cloud) == 0)
            return claims->kept[i].is_there ? &claims->kept[i].list : NULL;
    if (at == GL_CLAIM_CLOUDS || strlen(cloud) >= sizeof claims->kept[at].cloud)
        return NULL;
    folder = gl_refresh_folder(claims->context);
    snprintf(claims->kept[at].cloud, sizeof claims->kept[at].cloud, "%s", cloud);
    claims->kept[at].is_there =
        folder != NULL && gl_pricelist_read(folder, cloud, gl_now(&claims->context->world).unix_s,
                                            &claims->kept[at].list);
    claims->count++;
    return claims->kept[at].is_there ? &claims->kept[at].list : NULL;
}

bool gl_claim_find(struct gl_claims *claims, const char *cloud, const char *region,
                   const char *type, struct gl_claim *out)
{
    const struct gl_pricelist *list = list_of(claims, cloud);

    *out = (struct gl_claim){.asked_ppm = GL_UNKNOWN, .row = gl_data_claim(cloud, region)};
    if (out->row != NULL && out->row->carbon_free_permille < 0)
        out->row = NULL;
    if (list != NULL) {
        out->asked_ppm = gl_pricelist_claim(list, region, type);
        out->asked_s = list->retrieved_s;
    }
    return out->row != NULL || out->asked_ppm != GL_UNKNOWN;
}

static json_t *share_json(double percent, const char *source)
{
    return json_pack("{s:f,s:s,s:s,s:s,s:s,s:s}", "value", percent, "unit", "%", "accounting",
                     "market", "matching", "hourly", "grade", "E", "source", source);
}

static json_t *built_in_json(const struct gl_claim_row *row)
{
    const struct gl_data_source *sources;

    gl_data_sources(&sources);
    return share_json(row->carbon_free_permille / 10.0, sources[row->source].id);
}

json_t *gl_claim_json(const struct gl_claim *claim, struct gl_instant now)
{
    json_t *json, *asked;

    if (claim->asked_ppm == GL_UNKNOWN)
        return json_pack("{s:o}", "carbon_free_share", built_in_json(claim->row));
    asked = share_json((double)claim->asked_ppm / 1e4, "the provider, when it was last asked");
    if (now.unix_s >= claim->asked_s)
        json_object_set_new(asked, "age_s",
                            json_integer((json_int_t)(now.unix_s - claim->asked_s)));
    json = json_pack("{s:o}", "carbon_free_share", asked);
    if (claim->row != NULL)
        json_object_set_new(json, "built_in", built_in_json(claim->row));
    return json;
}

void gl_claims_add(struct gl_context *context, json_t *offers, struct gl_instant now)
{
    struct gl_claims claims = {.context = context};
    json_t *row;
    size_t i;

    json_array_foreach(offers, i, row)
    {
        struct gl_claim claim;

        if (gl_claim_find(&claims, json_string_value(json_object_get(row, "cloud")),
                          json_string_value(json_object_get(row, "region")),
                          json_string_value(json_object_get(row, "type")), &claim))
            json_object_set_new(row, "claim", gl_claim_json(&claim, now));
    }
    gl_claims_done(&claims);
}

void gl_claims_done(struct gl_claims *claims)
{
    for (size_t i = 0; i < claims->count; i++)
        if (claims->kept[i].is_there)
            gl_pricelist_done(&claims->kept[i].list);
    claims->count = 0;
}
