/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_OFFERS_PART_H
#define GL_PROVIDERS_OFFERS_PART_H

/* What the files of the catalogue share; nobody else includes this. offers.c: the built-in tables;
 * offers_local.c: this machine; offers_own.c: clouds that only their users know. */

#include "base/power.h"
#include "providers/data/data.h"
#include "providers/offers.h"
#include "providers/pricelist.h"

#define GL_OFFER_TEXT 96

/* A CPU family as types name it, with or without GPUs beside it. */
struct gl_offer_power {
    const char *key; /* NULL: unknown */
    bool has_gpu;
    const struct gl_power_family *family;
    char source[GL_OFFER_TEXT];
};

struct gl_prepared {
    const struct gl_offer_type *type; /* NULL: not wanted */
    uint32_t priced_regions;
};

/* What a cloud of the user's own told when it was last asked. */
struct gl_own_list {
    const struct gl_offer_own *own;
    struct gl_pricelist list; /* count 0 = nothing is kept */
    char source[GL_OFFER_TEXT];
};

/* Owned by the list: what the offers point to. */
struct gl_offer_memory {
    void *block; /* what stands beside the offers */
    size_t block_size;
    struct gl_offer *offers; /* room for every wanted type in every region of its cloud */
    size_t offers_size;
    char (*price_sources)[GL_OFFER_TEXT]; /* one a data source, then one a cloud that was asked */
    size_t price_source_count, asked_count;
    struct gl_prepared *prepared;  /* one a type of the tables */
    struct gl_offer_type *types;   /* of the tables, of the user's own clouds, of this machine */
    struct gl_offer_power *powers; /* room for one a type, but few differ */
    struct gl_offer_place *places; /* one a region with an offer */
    size_t type_count, power_count, place_count;
    struct gl_own_list *owns; /* one for each of the options */
    size_t own_count;
    bool has_history; /* of any zone that was looked up */
};

struct gl_gather {
    const struct gl_request *request;
    const struct gl_offer_options *options;
    struct gl_signal_store *store;
    const struct gl_type_row *types;
    size_t type_count;
    const struct gl_region_row *regions;
    size_t region_count;
    const char *price_folder; /* of the options; NULL also when there is none */
    struct gl_offer_memory *memory;
    int32_t *micro_usd; /* of one cloud at a time, as struct gl_price_grid has them */
    uint8_t *price_sources;
    size_t count; /* of memory->offers[] */
};

/* ---- offers.c ---- */

bool gl_gather_is_any(const char *const *globs, const char *name);
bool gl_gather_is_asked(const struct gl_request *request, const char *cloud, const char *region);
bool gl_gather_is_wanted(const struct gl_request *request, const struct gl_type_row *type);
/* What offers share, kept where they may point to it. */
const struct gl_offer_type *gl_gather_type(struct gl_offer_memory *memory,
                                           const struct gl_type_row *type);
const struct gl_offer_place *gl_gather_place(struct gl_offer_memory *memory,
                                             const struct gl_offer_place *place);
/* One more: its price is left to the caller. */
struct gl_offer *gl_gather_offer(struct gl_gather *gather, const struct gl_offer_type *type,
                                 const struct gl_offer_place *place);
struct gl_signal_query gl_gather_query(const struct gl_gather *gather, const char *zone,
                                       const char *neso);
const struct gl_zone_facts *gl_gather_zone_facts(const struct gl_gather *gather, const char *zone,
                                                 const char *neso, bool is_cache_only);
/* Is any region of this zone asked for? One answer serves them all, so the zone is asked for once
 * and for all of them alike. */
bool gl_gather_is_zone_asked(const struct gl_gather *gather, const char *zone, const char *neso);

/* ---- offers_local.c ---- */

size_t gl_gather_local_most(const struct gl_offer_options *options); /* the same */
void gl_gather_local(struct gl_gather *gather);

/* ---- offers_own.c ---- */

void gl_gather_own_read(struct gl_gather *gather);         /* what is kept of them */
size_t gl_gather_own_most(const struct gl_gather *gather); /* offers, types or places */
void gl_gather_own_ahead(const struct gl_gather *gather);  /* send the questions of their zones */
void gl_gather_own(struct gl_gather *gather);
void gl_gather_own_done(struct gl_offer_memory *memory);

#endif
