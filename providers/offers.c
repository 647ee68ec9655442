/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/offers.h"

#include "base/file.h"
#include "base/time.h"
#include "providers/offers_part.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Which pairs of type and region are offers: those with a known price. A region without any price
 * (China, clouds whose price lists are not at hand) still appears, with the types that its cloud
 * prices in most of the other regions, or with all of them when it prices none anywhere. */
#define COMMON_PERCENT 90

#define ASKED_MAX 16 /* clouds with prices of their own telling */
#define ALIGNMENT _Alignof(max_align_t)

/* Types and regions of one cloud: both tables are sorted by cloud. */
struct cloud {
    size_t first_type, first_region;
    size_t priced_regions;       /* regions with any price */
    struct gl_price_grid prices; /* of all its types and regions */
};

/* ---- filters ---- */

bool gl_gather_is_any(const char *const *globs, const char *name)
{
    if (globs == NULL || *globs == NULL)
        return true;
    for (; *globs != NULL; globs++)
        if (gl_glob_match(*globs, name))
            return true;
    return false;
}

bool gl_gather_is_asked(const struct gl_request *request, const char *cloud, const char *region)
{
    return gl_gather_is_any(request->clouds, cloud) && gl_gather_is_any(request->regions, region);
}

static bool is_within(uint32_t amount, uint32_t least, uint32_t most)
{
    return amount >= least && (most == 0 || amount <= most);
}

bool gl_gather_is_wanted(const struct gl_request *request, const struct gl_type_row *type)
{
    if (!is_within(type->vcpus, request->min_vcpus, request->max_vcpus) ||
        !is_within(type->memory_mib, request->min_memory_mib, request->max_memory_mib))
        return false;
    if (request->arch != NULL && strcmp(request->arch, type->arch) != 0)
        return false;
    return request->gpu == NULL || (type->gpu != NULL && gl_glob_match(request->gpu, type->gpu));
}

/* ---- power ---- */

static const struct gl_offer_power *power_of(struct gl_offer_memory *memory,
                                             const struct gl_type_row *type)
{
    struct gl_offer_power *power = &memory->powers[memory->power_count];

    for (const struct gl_offer_power *known = power;
         known-- > memory->powers;) /* the last is the likeliest */
        if (known->key == type->family && known->has_gpu == (type->gpu_count > 0))
            return known;
    memory->power_count++;
    power->key = type->family;
    power->has_gpu = type->gpu_count > 0;
    power->family = type->family != NULL ? gl_power_family(type->family) : NULL;
    snprintf(power->source, sizeof power->source, "%s%.40s%s",
             power->family != NULL ? "SPECpower, " : "SPECpower, CPU family unknown",
             power->family != NULL ? power->family->name : "",
             power->has_gpu ? "; GPU board limit" : "");
    return power;
}

const struct gl_offer_type *gl_gather_type(struct gl_offer_memory *memory,
                                           const struct gl_type_row *type)
{
    const struct gl_offer_power *power = power_of(memory, type);
    const struct gl_machine machine = {
        .family = power->family,
        .threads = type->vcpus * type->baseline_permille / 1000.0,
        .memory_gb = type->memory_mib / 1024.0,
        .gpu_count = type->gpu_count,
        .gpu_watts = type->gpu_watts,
    };
    struct gl_offer_type *kept = &memory->types[memory->type_count++];

    *kept = (struct gl_offer_type){
        .name = type->name,
        .arch = type->arch,
        .gpu = type->gpu,
        .vcpus = type->vcpus,
        .gpu_count = type->gpu_count,
        .memory_mib = type->memory_mib,
        .idle_w = gl_power_machine(&machine, 0, 0),
        .full_w = gl_power_machine(&machine, 1, 1),
        .power_source = power->source,
    };
    return kept;
}

static bool is_of_asked(const struct gl_gather *gather, size_t type)
{
    return gl_gather_is_any(gather->request->clouds, gather->types[type].cloud) &&
           gl_gather_is_any(gather->request->types, gather->types[type].name);
}

static void prepare_types(struct gl_gather *gather)
{
    for (size_t i = 0; i < gather->type_count; i++) {
        struct gl_prepared *prepared = &gather->memory->prepared[i];

        if (gl_gather_is_wanted(gather->request, &gather->types[i]) &&
            (!gather->options->only_asked || is_of_asked(gather, i)))
            prepared->type = gl_gather_type(gather->memory, &gather->types[i]);
    }
}

/* ---- zones ---- */

struct gl_signal_query gl_gather_query(const struct gl_gather *gather, const char *zone,
                                       const char *neso)
{
    const struct gl_request *request = gather->request;
    int64_t start_s = request->start.unix_s;
    int64_t latest_s = request->latest_start.unix_s;
    struct gl_signal_query query = {
        .neso = neso,
        .from = request->start,
        .until = {(latest_s > start_s ? latest_s : start_s) + request->duration.s},
        .wants_history = gather->options->wants_history,
    };

    memccpy(query.zone, zone, '\0', sizeof query.zone - 1);
    return query;
}

const struct gl_zone_facts *gl_gather_zone_facts(const struct gl_gather *gather, const char *zone,
                                                 const char *neso, bool is_cache_only)
{
    struct gl_signal_query query = gl_gather_query(gather, zone, neso);
    const struct gl_zone_facts *facts;

    query.is_cache_only = is_cache_only;
    facts = gl_signal_store_zone(gather->store, &query);
    if (gather->memory != NULL && facts->history_count > 0)
        gather->memory->has_history = true;
    return facts;
}

static bool is_same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool gl_gather_is_zone_asked(const struct gl_gather *gather, const char *zone, const char *neso)
{
    if (gather->request->clouds == NULL && gather->request->regions == NULL)
        return true;
    for (size_t i = 0; i < gather->region_count; i++) {
        const struct gl_region_row *row = &gather->regions[i];

        if (!is_same(row->neso, neso) ||
            (!is_same(row->zones[0], zone) && !is_same(row->zones[1], zone)))
            continue;
        if (gl_gather_is_asked(gather->request, row->cloud, row->region))
            return true;
    }
    return false;
}

/* What the offers of one region share. */
static struct gl_offer_place place_of_region(const struct gl_gather *gather,
                                             const struct gl_region_row *row)
{
    struct gl_offer_place place = {
        .cloud = row->cloud,
        .region = row->region,
        .country = row->country != NULL ? row->country : "",
        .pue = row->pue_milli / 1000.0,
        .mapping = row->confidence,
    };

    for (size_t i = 0; i < 2 && row->zones[i] != NULL; i++)
        place.zones[place.zone_count++] =
            gl_gather_zone_facts(gather, row->zones[i], row->neso,
                                 !gl_gather_is_zone_asked(gather, row->zones[i], row->neso));
    return place;
}

/* ---- prices ---- */

static bool has_any_price(const struct gl_price_grid *prices, size_t region)
{
    const int32_t *row = prices->micro_usd + region * prices->type_count;

    for (size_t t = 0; t < prices->type_count; t++)
        if (row[t] >= 0)
            return true;
    return false;
}

/* Where two sorted lists of (region, type) meet: rows before the pair are passed over. */
static const struct gl_pricelist_row *meet(const struct gl_pricelist *list, size_t *at,
                                           const char *region, const char *type)
{
    for (; *at < list->count; ++*at) {
        const struct gl_pricelist_row *row = &list->rows[*at];
        int order = strcmp(row->region, region);

        if (order == 0)
            order = strcmp(row->type, type);
        if (order >= 0)
            return order == 0 ? row : NULL;
    }
    return NULL;
}

/* What the cloud said when it was last asked stands above the table. */
static void overlay(const struct gl_price_grid *prices, const struct gl_pricelist *list,
                    uint8_t source)
{
    size_t at = 0, cell = 0;

    for (size_t r = 0; r < prices->region_count; r++)
        for (size_t t = 0; t < prices->type_count; t++, cell++) {
            const struct gl_pricelist_row *row =
                meet(list, &at, prices->regions[r].region, prices->types[t].name);

            if (row != NULL && row->is_withdrawn)
                prices->micro_usd[cell] = -1;
            else if (row != NULL && row->price_u_usd != GL_UNKNOWN &&
                     row->price_u_usd <= INT32_MAX) {
                prices->micro_usd[cell] = (int32_t)row->price_u_usd;
                prices->sources[cell] = source;
            }
        }
}

static void overlay_asked(struct gl_gather *gather, const struct cloud *cloud)
{
    struct gl_offer_memory *memory = gather->memory;
    const char *name = cloud->prices.regions->cloud;
    struct gl_pricelist list;
    char when[GL_INSTANT_TEXT];

    if (gather->price_folder == NULL || memory->price_source_count > UINT8_MAX ||
        memory->asked_count == ASKED_MAX ||
        !gl_pricelist_read(gather->price_folder, name, gather->request->start.unix_s, &list))
        return;
    memory->asked_count++;
    gl_instant_text((struct gl_instant){list.retrieved_s}, when);
    snprintf(memory->price_sources[memory->price_source_count], GL_OFFER_TEXT, "%.30s, asked %.10s",
             name, when);
    overlay(&cloud->prices, &list, (uint8_t)memory->price_source_count++);
    gl_pricelist_done(&list);
}

/* Count in how many regions each type has a price, and how many regions have any. */
static void count_prices(struct gl_gather *gather, struct cloud *cloud)
{
    struct gl_prepared *prepared = gather->memory->prepared + cloud->first_type;
    size_t types = cloud->prices.type_count;

    for (size_t r = 0; r < cloud->prices.region_count; r++) {
        const int32_t *row = cloud->prices.micro_usd + r * types;

        for (size_t t = 0; t < types; t++)
            prepared[t].priced_regions += row[t] >= 0;
        cloud->priced_regions += has_any_price(&cloud->prices, r);
    }
}

static bool is_common(const struct cloud *cloud, const struct gl_prepared *prepared)
{
    return (size_t)prepared->priced_regions * 100 >= cloud->priced_regions * COMMON_PERCENT;
}

/* ---- offers ---- */

const struct gl_offer_place *gl_gather_place(struct gl_offer_memory *memory,
                                             const struct gl_offer_place *place)
{
    struct gl_offer_place *kept = &memory->places[memory->place_count++];

    *kept = *place;
    return kept;
}

struct gl_offer *gl_gather_offer(struct gl_gather *gather, const struct gl_offer_type *type,
                                 const struct gl_offer_place *place)
{
    struct gl_offer *offer = &gather->memory->offers[gather->count++];

    offer->place = place;
    offer->type = type;
    return offer;
}

static void add_offer(struct gl_gather *gather, const struct gl_offer_type *type,
                      const struct gl_offer_place *place, int64_t price_u, uint8_t price_source)
{
    struct gl_offer *offer = gl_gather_offer(gather, type, place);

    offer->price_u_usd_per_h = price_u >= 0 ? price_u : GL_UNKNOWN;
    offer->price_source = price_u >= 0 ? gather->memory->price_sources[price_source] : "";
}

static void add_region(struct gl_gather *gather, const struct cloud *cloud, size_t region)
{
    const struct gl_price_grid *prices = &cloud->prices;
    bool is_priced = has_any_price(prices, region);
    const struct gl_offer_place *place = NULL;

    for (size_t t = 0; t < prices->type_count; t++) {
        const struct gl_prepared *prepared = &gather->memory->prepared[cloud->first_type + t];
        size_t cell = region * prices->type_count + t;

        if (prepared->type == NULL ||
            (is_priced ? prices->micro_usd[cell] < 0 : !is_common(cloud, prepared)))
            continue;
        if (place == NULL) { /* the zone is looked up only for a region with an offer */
            const struct gl_offer_place found = place_of_region(gather, &prices->regions[region]);

            place = gl_gather_place(gather->memory, &found);
        }
        add_offer(gather, prepared->type, place, prices->micro_usd[cell], prices->sources[cell]);
    }
}

static void add_cloud(struct gl_gather *gather, struct cloud *cloud)
{
    struct gl_price_grid *prices = &cloud->prices;

    prices->types = gather->types + cloud->first_type;
    prices->regions = gather->regions + cloud->first_region;
    prices->micro_usd = gather->micro_usd;
    prices->sources = gather->price_sources;
    gl_data_prices(prices);
    overlay_asked(gather, cloud);
    count_prices(gather, cloud);
    for (size_t r = 0; r < prices->region_count; r++)
        add_region(gather, cloud, r);
}

/* Where the types of a cloud begin; the end of the table when it has none. */
static size_t first_type(const struct gl_gather *gather, const char *cloud)
{
    const char *other = NULL; /* rows of one cloud mostly share its text */
    size_t at = 0;

    for (; at < gather->type_count &&
           !(gather->types[at].cloud != other && is_same(gather->types[at].cloud, cloud));
         at++)
        other = gather->types[at].cloud;
    return at;
}

/* The cloud whose regions begin at *region, which moves on to the next one's. */
static struct cloud next_cloud(const struct gl_gather *gather, size_t *region)
{
    const char *name = gather->regions[*region].cloud;
    struct cloud cloud = {.first_region = *region};

    while (*region < gather->region_count && is_same(gather->regions[*region].cloud, name))
        (*region)++;
    cloud.prices.region_count = *region - cloud.first_region;
    cloud.first_type = first_type(gather, name);
    while (cloud.first_type + cloud.prices.type_count < gather->type_count &&
           is_same(gather->types[cloud.first_type + cloud.prices.type_count].cloud, name))
        cloud.prices.type_count++;
    return cloud;
}

/* All zones' questions are sent before the first answer is waited for. */
static void ask_ahead(const struct gl_gather *gather)
{
    for (size_t r = 0; r < gather->region_count; r++) {
        const struct gl_region_row *row = &gather->regions[r];

        if (!gl_gather_is_asked(gather->request, row->cloud, row->region))
            continue;
        for (size_t i = 0; i < 2 && row->zones[i] != NULL; i++) {
            const struct gl_signal_query query = gl_gather_query(gather, row->zones[i], row->neso);

            gl_signal_store_ahead(gather->store, &query);
        }
    }
}

static void add_clouds(struct gl_gather *gather)
{
    for (size_t r = 0; r < gather->region_count;) {
        struct cloud cloud = next_cloud(gather, &r);

        if (cloud.prices.type_count > 0 &&
            (!gather->options->only_asked ||
             gl_gather_is_any(gather->request->clouds, gather->regions[cloud.first_region].cloud)))
            add_cloud(gather, &cloud);
    }
}

/* ---- the list ---- */

static size_t wanted_types(const struct gl_gather *gather, const struct cloud *cloud)
{
    const struct gl_prepared *prepared = gather->memory->prepared + cloud->first_type;
    size_t count = 0;

    for (size_t t = 0; t < cloud->prices.type_count; t++)
        count += prepared[t].type != NULL;
    return count;
}

/* As many as there can be: memory that nothing is written to costs nothing. */
static size_t most_offers(const struct gl_gather *gather)
{
    size_t most = gl_gather_local_most(gather->options) + gl_gather_own_most(gather);

    for (size_t r = 0; r < gather->region_count;) {
        struct cloud cloud = next_cloud(gather, &r);

        most += wanted_types(gather, &cloud) * cloud.prices.region_count;
    }
    return most;
}

/* Prices of one cloud. */
static size_t most_cells(const struct gl_gather *gather)
{
    size_t most = 0;

    for (size_t r = 0; r < gather->region_count;) {
        struct cloud cloud = next_cloud(gather, &r);
        size_t cells = cloud.prices.type_count * cloud.prices.region_count;

        most = cells > most ? cells : most;
    }
    return most;
}

/* The next `size` bytes of a block. */
static void *take(char **block, size_t size)
{
    void *here = *block;

    *block += (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return here;
}

/* One block for whatever is written for each type, place and price: it lies in fewer pages. */
static void lay_out(struct gl_gather *gather)
{
    struct gl_offer_memory *memory = gather->memory;
    const struct gl_data_source *sources;
    size_t source_count = gl_data_sources(&sources);
    size_t extra = gl_gather_local_most(gather->options) + gl_gather_own_most(gather);
    size_t texts = (source_count + ASKED_MAX) * sizeof *memory->price_sources;
    size_t prepared = gather->type_count * sizeof *memory->prepared;
    size_t types = (gather->type_count + extra) * sizeof *memory->types;
    size_t powers = (gather->type_count + extra + 1) * sizeof *memory->powers;
    size_t places = (gather->region_count + extra) * sizeof *memory->places;
    size_t cells = most_cells(gather), prices = cells * sizeof *gather->micro_usd;
    char *at;

    memory->block_size =
        texts + prepared + types + powers + places + prices + cells + 7 * ALIGNMENT;
    at = memory->block = gl_alloc_table(memory->block_size);
    memory->price_sources = take(&at, texts);
    memory->prepared = take(&at, prepared);
    memory->types = take(&at, types);
    memory->powers = take(&at, powers);
    memory->places = take(&at, places);
    gather->micro_usd = take(&at, prices);
    gather->price_sources = take(&at, cells);
}

static void name_sources(struct gl_offer_memory *memory)
{
    const struct gl_data_source *sources;

    memory->price_source_count = gl_data_sources(&sources);
    for (size_t i = 0; i < memory->price_source_count; i++)
        snprintf(memory->price_sources[i], GL_OFFER_TEXT, "%.60s, %.30s", sources[i].id,
                 sources[i].date);
}

int gl_offers_gather(const struct gl_request *request, const struct gl_offer_options *options,
                     struct gl_signal_store *store, struct gl_offer_list *out, struct gl_error *err)
{
    struct gl_gather gather = {.request = request, .options = options, .store = store};

    if (request->duration.s < 0)
        return gl_fail(err, GL_E_BAD_VALUE, "a run cannot last less than nothing");
    gather.type_count = gl_data_types(&gather.types);
    gather.region_count = gl_data_regions(&gather.regions);
    if (options->price_folder != NULL && gl_file_exists(options->price_folder))
        gather.price_folder = options->price_folder;
    gather.memory = gl_alloc(sizeof *gather.memory);
    gl_gather_own_read(&gather);
    lay_out(&gather);
    name_sources(gather.memory);
    prepare_types(&gather);
    gather.memory->offers_size = most_offers(&gather) * sizeof *gather.memory->offers;
    gather.memory->offers = gl_alloc_table(gather.memory->offers_size);
    if (options->has_local) /* first: its zone is asked before the time for live signals is used */
        gl_gather_local(&gather);
    gl_gather_own_ahead(&gather);
    ask_ahead(&gather);
    gl_gather_own(&gather);
    add_clouds(&gather);
    *out = (struct gl_offer_list){.count = gather.count,
                                  .offers = gather.memory->offers,
                                  .place_count = gather.memory->place_count,
                                  .places = gather.memory->places,
                                  .has_history = gather.memory->has_history,
                                  .memory = gather.memory};
    return 0;
}

void gl_offer_list_done(struct gl_offer_list *list)
{
    struct gl_offer_memory *memory = list->memory;

    if (memory != NULL) {
        gl_gather_own_done(memory);
        gl_free_table(memory->offers, memory->offers_size);
        gl_free_table(memory->block, memory->block_size);
    }
    free(memory);
    *list = (struct gl_offer_list){0};
}

bool gl_offers_place(const struct gl_request *request, struct gl_signal_store *store,
                     const char *cloud, const char *region, struct gl_offer_place *out)
{
    static const struct gl_offer_options options;
    const struct gl_region_row *row = gl_data_region(cloud, region);
    struct gl_gather gather = {.request = request, .options = &options, .store = store};

    if (row == NULL)
        return false;
    gather.region_count = gl_data_regions(&gather.regions);
    *out = place_of_region(&gather, row);
    return true;
}
