/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/offers_part.h"

#include "base/time.h"
#include "providers/cloud/setting_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nobody publishes how well a private hall is built: the average of all (docs/method.md). */
#define OWN_PUE          1.56
#define ANY_TYPE_VCPUS   1 /* of a type that takes any size, where none is asked for */
#define ANY_TYPE_MEMORY  1024
#define ANY_TYPE         "any"
#define ZONE_NAME        40
#define CLOUD_OF_HOST(h) ((h)[0] != '\0' && strcmp((h), GL_CATALOG_MIXED) != 0)

/* Where a region of such a cloud stands. */
struct standing {
    const char *names[2], *neso; /* grid zones */
    size_t count;
    char said[ZONE_NAME];             /* by its user */
    const struct gl_region_row *host; /* the region whose name it bears; NULL = not known */
};

/* ---- what is kept ---- */

void gl_gather_own_read(struct gl_gather *gather)
{
    const struct gl_offer_options *options = gather->options;
    struct gl_offer_memory *memory = gather->memory;
    char when[GL_INSTANT_TEXT];

    memory->owns = gl_alloc((options->own_count + 1) * sizeof *memory->owns);
    for (size_t i = 0; i < options->own_count; i++) {
        struct gl_own_list *into = &memory->owns[memory->own_count];
        const char *cloud = options->owns[i].cloud;

        if ((options->only_asked && !gl_gather_is_any(gather->request->clouds, cloud)) ||
            gather->price_folder == NULL ||
            !gl_pricelist_read(gather->price_folder, cloud, gather->request->start.unix_s,
                               &into->list))
            continue;
        into->own = &options->owns[i];
        gl_instant_text((struct gl_instant){into->list.retrieved_s}, when);
        snprintf(into->source, sizeof into->source, "%.30s, asked %.10s", cloud, when);
        memory->own_count++;
    }
}

size_t gl_gather_own_most(const struct gl_gather *gather)
{
    size_t most = 0;

    for (size_t i = 0; i < gather->memory->own_count; i++)
        most += gather->memory->owns[i].list.count;
    return most;
}

void gl_gather_own_done(struct gl_offer_memory *memory)
{
    for (size_t i = 0; i < memory->own_count; i++)
        gl_pricelist_done(&memory->owns[i].list);
    free(memory->owns);
}

/* ---- where ---- */

/* Rows of one region lie side by side: so many of them from `first` on. */
static size_t region_length(const struct gl_pricelist *list, size_t first)
{
    size_t end = first + 1;

    while (end < list->count && strcmp(list->rows[end].region, list->rows[first].region) == 0)
        end++;
    return end - first;
}

/* Whose region names these are: only what all machines there say alike. */
static const char *host_of(const struct gl_pricelist_row *rows, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (strcmp(rows[i].host, rows[0].host) != 0)
            return "";
    return CLOUD_OF_HOST(rows[0].host) ? rows[0].host : "";
}

static void find_standing(const struct gl_own_list *own, size_t first, size_t count,
                          struct standing *out)
{
    const struct gl_pricelist_row *rows = &own->list.rows[first];

    *out = (struct standing){.host = gl_data_region(host_of(rows, count), rows->region)};
    if (gl_cloud_setting_item(own->own->zones, rows->region, out->said, sizeof out->said)) {
        out->names[out->count++] = out->said;
        return;
    }
    if (out->host == NULL)
        return;
    out->neso = out->host->neso;
    while (out->count < 2 && out->host->zones[out->count] != NULL) {
        out->names[out->count] = out->host->zones[out->count];
        out->count++;
    }
}

/* What the offers of one region share. */
static const struct gl_offer_place *place_of(struct gl_gather *gather, const char *cloud,
                                             const char *region, const struct standing *standing)
{
    const struct gl_region_row *host = standing->host;
    struct gl_offer_place place = {
        .cloud = cloud,
        .region = region,
        .country = host != NULL && host->country != NULL ? host->country : "",
        .pue = host != NULL ? host->pue_milli / 1000.0 : OWN_PUE,
        .mapping = standing->said[0] == '\0' && host != NULL ? host->confidence : GL_MAP_USER,
    };
    bool is_asked = gl_gather_is_asked(gather->request, cloud, region);

    for (size_t i = 0; i < standing->count; i++) {
        const char *zone = standing->names[i];

        place.zones[place.zone_count++] = gl_gather_zone_facts(
            gather, zone, standing->neso,
            !is_asked && !gl_gather_is_zone_asked(gather, zone, standing->neso));
    }
    return gl_gather_place(gather->memory, &place);
}

void gl_gather_own_ahead(const struct gl_gather *gather)
{
    for (size_t i = 0; i < gather->memory->own_count; i++) {
        const struct gl_own_list *own = &gather->memory->owns[i];
        size_t length;

        for (size_t at = 0; at < own->list.count; at += length) {
            struct standing standing;

            length = region_length(&own->list, at);
            if (!gl_gather_is_asked(gather->request, own->own->cloud, own->list.rows[at].region))
                continue;
            find_standing(own, at, length, &standing);
            for (size_t z = 0; z < standing.count; z++) {
                const struct gl_signal_query query =
                    gl_gather_query(gather, standing.names[z], standing.neso);

                gl_signal_store_ahead(gather->store, &query);
            }
        }
    }
}

/* ---- what ---- */

/* Its CPUs are known where the machine is one of a cloud that the tables know. */
static struct gl_type_row type_of(const struct gl_gather *gather,
                                  const struct gl_pricelist_row *row)
{
    const struct gl_request *request = gather->request;
    const struct gl_type_row *known =
        CLOUD_OF_HOST(row->host) ? gl_data_type(row->host, row->type) : NULL;
    struct gl_type_row type = {
        .name = row->type,
        .vcpus = (uint16_t)(row->vcpus <= UINT16_MAX ? row->vcpus : UINT16_MAX),
        .memory_mib = row->memory_mib,
        .arch = row->arch[0] != '\0' || known == NULL ? row->arch : known->arch,
        .family = known != NULL ? known->family : NULL,
        .baseline_permille = known != NULL ? known->baseline_permille : 1000,
    };

    if (strcmp(row->type, ANY_TYPE) != 0)
        return type;
    type.vcpus =
        (uint16_t)(request->min_vcpus > 0 && request->min_vcpus <= UINT16_MAX ? request->min_vcpus
                                                                              : ANY_TYPE_VCPUS);
    type.memory_mib = request->min_memory_mib > 0 ? request->min_memory_mib : ANY_TYPE_MEMORY;
    return type;
}

static void add_type(struct gl_gather *gather, const struct gl_own_list *own,
                     const struct gl_offer_place *place, const struct gl_pricelist_row *row)
{
    const struct gl_type_row type = type_of(gather, row);
    struct gl_offer *offer = gl_gather_offer(gather, gl_gather_type(gather->memory, &type), place);
    bool is_priced = row->price_u_usd != GL_UNKNOWN;

    offer->price_u_usd_per_h = row->price_u_usd;
    offer->price_source = is_priced ? own->source : "";
}

/* A machine of no size that is known is none whose emissions could be. */
static bool is_offered(const struct gl_gather *gather, const struct gl_own_list *own,
                       const struct gl_pricelist_row *row)
{
    const struct gl_type_row type = type_of(gather, row);

    return !row->is_withdrawn && strcmp(row->type, GL_CATALOG_REGION) != 0 && type.vcpus > 0 &&
           type.memory_mib > 0 && gl_gather_is_wanted(gather->request, &type) &&
           (!gather->options->only_asked ||
            (gl_gather_is_any(gather->request->clouds, own->own->cloud) &&
             gl_gather_is_any(gather->request->types, row->type)));
}

static void add_region(struct gl_gather *gather, const struct gl_own_list *own, size_t first,
                       size_t count)
{
    const struct gl_pricelist_row *rows = &own->list.rows[first];
    struct standing standing;
    const struct gl_offer_place *place = NULL;

    for (size_t i = 0; i < count; i++) {
        if (!is_offered(gather, own, &rows[i]))
            continue;
        if (place == NULL) {
            find_standing(own, first, count, &standing);
            place = place_of(gather, own->own->cloud, rows->region, &standing);
        }
        add_type(gather, own, place, &rows[i]);
    }
}

void gl_gather_own(struct gl_gather *gather)
{
    for (size_t i = 0; i < gather->memory->own_count; i++) {
        const struct gl_own_list *own = &gather->memory->owns[i];
        size_t length;

        for (size_t at = 0; at < own->list.count; at += length) {
            length = region_length(&own->list, at);
            add_region(gather, own, at, length);
        }
    }
}
