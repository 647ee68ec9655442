/* SPDX-License-Identifier: Apache-2.0 */
/* What can be asked for in a frozen world: the built-in catalogue with the world's zones in place
 * of its own, then the offers that the world itself names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/policytest/policytest.h"
#include "policy/arena.h"
#include "providers/offers.h"

/* The local machine of a test: the same on every machine. */
#define LOCAL_VCPUS      4
#define LOCAL_MEMORY_MIB 8192

struct memory {
    struct gl_signal_store *store;
    struct gl_offer_list list;
    struct gl_offer *extra; /* the world's own */
    struct gl_arena arena;  /* their places and types */
};

/* ---- zones ---- */

/* The world's facts of a zone; an empty one, remembered, when it has none. */
static const struct gl_zone_facts *zone_of(struct gl_test_world *world, const char *zone)
{
    struct gl_zone_facts *fresh;

    for (size_t i = 0; i < world->count; i++)
        if (strcmp(world->zones[i].zone, zone) == 0)
            return &world->zones[i];
    if (world->count == world->capacity)
        return NULL;
    fresh = &world->zones[world->count++];
    *fresh = (struct gl_zone_facts){.count = 0};
    snprintf(fresh->zone, sizeof fresh->zone, "%s", zone);
    return fresh;
}

/* Places in one zone come together. */
static int freeze_zones(struct gl_test_world *world, struct gl_offer_place *places, size_t count,
                        struct gl_error *err)
{
    const struct gl_zone_facts *last_live = NULL, *last_frozen = NULL;

    for (size_t i = 0; i < count; i++)
        for (size_t z = 0; z < places[i].zone_count; z++) {
            if (places[i].zones[z] != last_live) {
                last_live = places[i].zones[z];
                last_frozen = zone_of(world, last_live->zone);
            }
            if (last_frozen == NULL)
                return gl_fail(err, GL_E_TOO_LARGE, "too many zones");
            places[i].zones[z] = last_frozen;
        }
    return 0;
}

/* ---- filters ---- */

static bool is_any(const char *const *globs, const char *name)
{
    if (globs == NULL)
        return true;
    for (; *globs != NULL; globs++)
        if (gl_glob_match(*globs, name))
            return true;
    return false;
}

static size_t keep_asked(const struct gl_request *request, struct gl_offer *offers, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        if (is_any(request->clouds, offers[i].place->cloud) &&
            is_any(request->regions, offers[i].place->region) &&
            is_any(request->types, offers[i].type->name))
            offers[kept++] = offers[i];
    return kept;
}

/* ---- the world's own offers ---- */

/* An offer that may be written to, with what it shares with others. */
struct own {
    struct gl_offer offer;
    struct gl_offer_place place;
    struct gl_offer_type type;
};

static int read_price(const json_t *row, struct gl_offer *out, struct gl_error *err)
{
    const json_t *price = json_object_get(row, "price");

    if (price == NULL)
        return 0;
    out->price_u_usd_per_h = GL_UNKNOWN;
    out->price_source = "";
    if (json_is_null(price))
        return 0;
    if (!json_is_string(price))
        return gl_fail(err, GL_E_UNIT_MISSING, "price is text with its unit, as in \"0.40 USD/h\"");
    out->price_source = "world";
    return gl_quantity_parse(GL_DIM_PRICE, json_string_value(price), &out->price_u_usd_per_h, err);
}

static int read_watts(const json_t *row, const char *key, struct gl_band *out, struct gl_error *err)
{
    const json_t *band = json_object_get(row, key);
    double parts[3];

    if (band == NULL)
        return 0;
    for (size_t i = 0; i < 3; i++) {
        const json_t *part = json_array_get(band, i);

        parts[i] = json_number_value(part);
        if (!json_is_number(part) || json_array_size(band) != 3)
            return gl_fail(err, GL_E_BAD_VALUE, "%s is [low, central, high] in watts", key);
    }
    *out = (struct gl_band){parts[0], parts[1], parts[2]};
    return 0;
}

static int read_whole(const json_t *row, const char *key, uint32_t *out, struct gl_error *err)
{
    int64_t number;

    if (json_object_get(row, key) == NULL)
        return 0;
    if (gl_json_int(row, key, 0, 100000000, &number, err) != 0)
        return -1;
    *out = (uint32_t)number;
    return 0;
}

static void read_text(const json_t *row, const char *key, const char **out)
{
    const json_t *text = json_object_get(row, key);

    if (json_is_string(text))
        *out = json_string_value(text);
}

static int read_zones(struct gl_test_world *world, const json_t *row, struct gl_offer_place *out,
                      struct gl_error *err)
{
    const json_t *zones = json_object_get(row, "zones");
    size_t count = json_array_size(zones);

    if (zones == NULL)
        return 0;
    if (!json_is_array(zones) || count > 2)
        return gl_fail(err, GL_E_BAD_VALUE, "zones is a list of at most 2 names");
    out->zone_count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        const char *zone = json_string_value(json_array_get(zones, i));

        out->zones[i] = zone != NULL ? zone_of(world, zone) : NULL;
        if (out->zones[i] == NULL)
            return gl_fail(err, GL_E_BAD_VALUE, "zones is a list of at most 2 names");
    }
    return 0;
}

static const char *const row_keys[] = {
    "cloud",      "region", "type",   "country", "arch", "gpu",   "vcpus",   "gpu_count",
    "memory_mib", "price",  "idle_w", "full_w",  "pue",  "zones", "comment", NULL};

/* The row's members over what `out` holds already. */
static int read_row(struct gl_test_world *world, const json_t *row, struct own *out,
                    struct gl_error *err)
{
    const json_t *pue = json_object_get(row, "pue");

    if (gl_test_check_keys(row, row_keys, err) != 0 ||
        gl_json_string(row, "cloud", &out->place.cloud, err) != 0 ||
        gl_json_string(row, "region", &out->place.region, err) != 0 ||
        gl_json_string(row, "type", &out->type.name, err) != 0 ||
        read_whole(row, "vcpus", &out->type.vcpus, err) != 0 ||
        read_whole(row, "gpu_count", &out->type.gpu_count, err) != 0 ||
        read_whole(row, "memory_mib", &out->type.memory_mib, err) != 0 ||
        read_watts(row, "idle_w", &out->type.idle_w, err) != 0 ||
        read_watts(row, "full_w", &out->type.full_w, err) != 0 ||
        read_price(row, &out->offer, err) != 0 || read_zones(world, row, &out->place, err) != 0)
        return -1;
    read_text(row, "country", &out->place.country);
    read_text(row, "arch", &out->type.arch);
    read_text(row, "gpu", &out->type.gpu);
    if (pue != NULL)
        out->place.pue = json_number_value(pue);
    return 0;
}

static bool is_same_offer(const struct gl_offer *offer, const json_t *row)
{
    static const char *const keys[] = {"cloud", "region", "type"};
    const char *const have[] = {offer->place->cloud, offer->place->region, offer->type->name};

    for (size_t i = 0; i < 3; i++) {
        const char *text = json_string_value(json_object_get(row, keys[i]));

        if (text == NULL || strcmp(text, have[i]) != 0)
            return false;
    }
    return true;
}

static int add_row(struct gl_test_world *world, const json_t *row, struct own *own,
                   struct gl_arena *arena, struct gl_offer *out, struct gl_error *err)
{
    struct gl_offer_place *place = gl_arena_take(arena, sizeof *place);
    struct gl_offer_type *type = gl_arena_take(arena, sizeof *type);

    if (read_row(world, row, own, err) != 0)
        return -1;
    *place = own->place;
    *type = own->type;
    *out = own->offer;
    out->place = place;
    out->type = type;
    return 0;
}

/* A row changes the offer of its name, or is a new one. */
static int apply_row(struct gl_test_world *world, const json_t *row, struct memory *memory,
                     size_t *count, struct gl_error *err)
{
    struct gl_offer *offers = memory->extra;
    struct own own = {
        .offer = {.price_u_usd_per_h = GL_UNKNOWN, .price_source = ""},
        .place = {.country = "", .pue = 1, .mapping = GL_MAP_USER},
        .type = {.arch = "x86_64", .power_source = "world"},
    };
    size_t i = 0;

    while (i < *count && !is_same_offer(&offers[i], row))
        i++;
    if (i < *count)
        own = (struct own){offers[i], *offers[i].place, *offers[i].type};
    if (add_row(world, row, &own, &memory->arena, &offers[i], err) != 0)
        return -1;
    *count += i == *count;
    return 0;
}

/* The catalogue with room for the world's rows, then the rows. */
static int apply_rows(struct gl_test_world *world, struct memory *memory, size_t *count,
                      struct gl_error *err)
{
    const json_t *rows = json_object_get(world->root, "offers");
    size_t row_count = json_array_size(rows);

    memory->extra = gl_alloc((memory->list.count + row_count) * sizeof *memory->extra);
    *count = 0;
    if (!json_is_false(json_object_get(world->root, "catalogue"))) {
        if (memory->list.count > 0)
            memcpy(memory->extra, memory->list.offers, memory->list.count * sizeof *memory->extra);
        *count = memory->list.count;
    }
    if (rows != NULL && !json_is_array(rows))
        return gl_fail(err, GL_E_BAD_VALUE, "the world's offers are a list");
    for (size_t i = 0; i < row_count; i++) {
        struct gl_error trouble = {0};

        if (apply_row(world, json_array_get(rows, i), memory, count, &trouble) != 0)
            return gl_fail(err, GL_E_BAD_VALUE, "the world's offers[%zu]: %s", i, trouble.text);
    }
    return 0;
}

/* ---- the list ---- */

static int gather(struct gl_test_world *world, const struct gl_test_case *one,
                  const struct gl_request *request, const struct gl_world *clock,
                  struct memory *memory, struct gl_error *err)
{
    const struct gl_offer_options options = {
        .local_zone = one->zone,
        .has_local = one->zone != NULL,
        .local_vcpus = LOCAL_VCPUS,
        .local_memory_mib = LOCAL_MEMORY_MIB,
    };

    memory->store =
        gl_signal_store_new(&(struct gl_signal_store_options){.world = clock, .is_offline = true});
    if (gl_offers_gather(request, &options, memory->store, &memory->list, err) != 0)
        return -1;
    return freeze_zones(world, memory->list.places, memory->list.place_count, err);
}

int gl_test_offers_gather(struct gl_test_world *world, const struct gl_test_case *one,
                          const struct gl_request *request, const struct gl_world *clock,
                          struct gl_test_offers *out, struct gl_error *err)
{
    struct memory *memory = gl_alloc(sizeof *memory);
    struct gl_test_offers offers = {.memory = memory};

    if (gather(world, one, request, clock, memory, err) != 0 ||
        apply_rows(world, memory, &offers.count, err) != 0) {
        gl_test_offers_done(&offers);
        return -1;
    }
    offers.offers = memory->extra;
    offers.count = keep_asked(request, offers.offers, offers.count);
    *out = offers;
    return 0;
}

void gl_test_offers_done(struct gl_test_offers *offers)
{
    struct memory *memory = offers->memory;

    if (memory == NULL)
        return;
    gl_offer_list_done(&memory->list);
    gl_signal_store_free(memory->store);
    free(memory->extra);
    gl_arena_done(&memory->arena);
    free(memory);
    *offers = (struct gl_test_offers){0};
}
