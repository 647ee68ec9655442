/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/offers_part.h"

#include <string.h>

struct local_type {
    const char *name;
    uint16_t vcpus;
    uint32_t memory_mib;
};

static const struct local_type local_types[] = {
    {"small", 1, 256},
    {"medium", 2, 512},
    {"large", 4, 1024},
};

#define LOCAL_TYPES (sizeof local_types / sizeof local_types[0])

size_t gl_gather_local_most(const struct gl_offer_options *options)
{
    return LOCAL_TYPES * (options->local_place_count > 0 ? options->local_place_count : 1);
}

static const char *host_arch(void)
{
#if defined(__aarch64__)
    return "arm64";
#else
    return "x86_64";
#endif
}

static void add_local_type(struct gl_gather *gather, const struct gl_offer_place *place,
                           const struct local_type *local)
{
    const struct gl_type_row row = {
        .name = local->name,
        .vcpus = local->vcpus,
        .memory_mib = local->memory_mib,
        .arch = host_arch(),
        .family = gather->options->local_family,
        .baseline_permille = 1000,
    };
    const struct gl_offer_type *type;

    if (!gl_gather_is_wanted(gather->request, &row))
        return;
    type = gl_gather_type(gather->memory, &row);
    gl_gather_offer(gather, type, place)->price_source = "local"; /* at 0 */
}

/* Of a list of places only those whose zone is named after the country are known to be in it. */
static const char *local_country(const struct gl_offer_options *options, const char *zone)
{
    const char *country = options->local_country;

    if (country == NULL)
        return "";
    return options->local_place_count == 0 || strncmp(zone, country, strlen(country)) == 0 ? country
                                                                                           : "";
}

/* A machine at home or in an office stands in no facility: PUE 1. The smallest type is offered on
 * every machine, the others where they fit. */
static void add_local_place(struct gl_gather *gather, const char *name, const char *zone)
{
    const struct gl_offer_options *options = gather->options;
    struct gl_offer_place here = {
        .cloud = "local",
        .region = name,
        .country = local_country(options, zone),
        .pue = 1.0,
        .mapping = GL_MAP_USER,
    };
    const struct gl_offer_place *place;

    if (zone != NULL)
        here.zones[here.zone_count++] =
            gl_gather_zone_facts(gather, zone, NULL,
                                 !gl_gather_is_asked(gather->request, here.cloud, here.region) &&
                                     !gl_gather_is_zone_asked(gather, zone, NULL));
    place = gl_gather_place(gather->memory, &here);
    for (size_t i = 0; i < LOCAL_TYPES; i++)
        if (i == 0 || (local_types[i].vcpus <= options->local_vcpus &&
                       local_types[i].memory_mib <= options->local_memory_mib))
            add_local_type(gather, place, &local_types[i]);
}

void gl_gather_local(struct gl_gather *gather)
{
    const struct gl_offer_options *options = gather->options;

    if (options->local_place_count == 0)
        add_local_place(gather, "this-machine", options->local_zone);
    for (size_t i = 0; i < options->local_place_count; i++)
        add_local_place(gather, options->local_places[i].name, options->local_places[i].zone);
}
