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

/* ---- signal sources ---- */

static bool is_a_source(const struct gl_context *context, const char *name)
{
    for (size_t i = 0; i < context->config.source_count; i++)
        if (strcmp(context->config.sources[i].name, name) == 0)
            return true;
    return false;
}

/* Does the data set, "clean-energy REGION" or "clean-energy REGION/AD", speak of the region? */
static bool is_about(const struct gl_series *series, const char *region)
{
    const char *name = strchr(series->dataset, ' ');
    size_t length = strlen(region);

    return name != NULL && strncmp(name + 1, region, length) == 0 &&
           (name[1 + length] == '\0' || name[1 + length] == '/');
}

/* The claim of a source that is called like the cloud. */
static void ask_source(struct gl_claims *claims, const char *cloud, const char *region,
                       struct gl_claim *out)
{
    const struct gl_region_row *row = gl_data_region(cloud, region);
    struct gl_instant now = gl_now(&claims->context->world);
    struct gl_signal_query query = {.from = gl_instant_hour(now),
                                    .until = {now.unix_s + 1},
                                    .is_cache_only = claims->is_kept_only,
                                    .wants_claims = true};
    const struct gl_zone_facts *facts;
    struct gl_error untold = {0};

    if (row == NULL || !is_a_source(claims->context, cloud))
        return;
    if (claims->store == NULL)
        claims->store = gl_context_signals(claims->context, &untold);
    if (claims->store == NULL)
        return;
    snprintf(query.zone, sizeof query.zone, "%s", row->zones[0]);
    facts = gl_signal_store_zone(claims->store, &query);
    for (size_t i = 0; i < facts->count; i++) {
        const struct gl_series *series = facts->series[i];

        if (strcmp(series->provider, cloud) != 0 || series->is_suspect || series->count == 0 ||
            !is_about(series, region))
            continue;
        out->asked_ppm = series->points[0].value_u;
        out->asked_s = series->retrieved_s;
        out->is_unmatched = series->meaning.matching == GL_MATCH_NONE;
        return;
    }
}

bool gl_claim_find(struct gl_claims *claims, const char *cloud, const char *region,
                   const char *type, struct gl_claim *out)
{
    const struct gl_pricelist *list = list_of(claims, cloud);

    *out = (struct gl_claim){
        .asked_ppm = GL_UNKNOWN, .row = gl_data_claim(cloud, region), .estimate_ug = GL_UNKNOWN};
    if (out->row != NULL && out->row->carbon_free_permille < 0)
        out->row = NULL;
    if (list != NULL) {
        out->asked_ppm = gl_pricelist_claim(list, region, type);
        out->estimate_ug = gl_pricelist_estimate(list, region, type);
        out->estimated_s = out->asked_s = list->retrieved_s;
    }
    ask_source(claims, cloud, region, out);
    return gl_claim_has_share(out) || out->estimate_ug != GL_UNKNOWN;
}

bool gl_claim_has_share(const struct gl_claim *claim)
{
    return claim->row != NULL || claim->asked_ppm != GL_UNKNOWN;
}

static json_t *share_json(double percent, enum gl_matching matching, const char *source)
{
    return json_pack("{s:f,s:s,s:s,s:s,s:s,s:s}", "value", percent, "unit", "%", "accounting",
                     "market", "matching", gl_matching_word(matching), "grade", "E", "source",
                     source);
}

static json_t *built_in_json(const struct gl_claim_row *row)
{
    const struct gl_data_source *sources;

    gl_data_sources(&sources);
    return share_json(row->carbon_free_permille / 10.0, GL_MATCH_HOURLY, sources[row->source].id);
}

static void add_age(json_t *json, int64_t asked_s, struct gl_instant now)
{
    if (now.unix_s >= asked_s)
        json_object_set_new(json, "age_s", json_integer((json_int_t)(now.unix_s - asked_s)));
}

static json_t *shares_json(const struct gl_claim *claim, struct gl_instant now)
{
    json_t *json, *asked;

    if (!gl_claim_has_share(claim))
        return json_object();
    if (claim->asked_ppm == GL_UNKNOWN)
        return json_pack("{s:o}", "carbon_free_share", built_in_json(claim->row));
    asked = share_json((double)claim->asked_ppm / 1e4,
                       claim->is_unmatched ? GL_MATCH_NONE : GL_MATCH_HOURLY,
                       "the provider, when it was last asked");
    add_age(asked, claim->asked_s, now);
    json = json_pack("{s:o}", "carbon_free_share", asked);
    if (claim->row != NULL)
        json_object_set_new(json, "built_in", built_in_json(claim->row));
    return json;
}

json_t *gl_claim_json(const struct gl_claim *claim, struct gl_instant now)
{
    json_t *json = shares_json(claim, now), *estimate;

    if (claim->estimate_ug == GL_UNKNOWN)
        return json;
    estimate = json_pack("{s:f,s:s,s:s,s:s}", "value", (double)claim->estimate_ug / 1e6, "unit",
                         "gCO2e/h", "grade", "E", "source", "the provider, when it was last asked");
    add_age(estimate, claim->estimated_s, now);
    json_object_set_new(json, "estimate", estimate);
    return json;
}

void gl_claims_add(struct gl_context *context, json_t *offers, struct gl_instant now)
{
    struct gl_claims claims = {.context = context, .is_kept_only = true};
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
    gl_signal_store_free(claims->store);
    claims->store = NULL;
}
