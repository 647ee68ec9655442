/* SPDX-License-Identifier: Apache-2.0 */

/* Look-ups over the constant tables. */

#include "providers/data/data.h"

#include <ctype.h>
#include <string.h>

#include "providers/data/tables.h"

/* A sorted table seen as pairs of names; single-name tables give "" as the first. */
struct key {
    const char *first, *second;
};

typedef struct key key_at(const void *rows, size_t i);

/* Index of `wanted` in a table of `count` rows, or `count`. */
static size_t find(const void *rows, size_t count, key_at *at, struct key wanted)
{
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct key key = at(rows, middle);
        int order = strcmp(key.first, wanted.first);

        if (order == 0)
            order = strcmp(key.second, wanted.second);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return count;
}

static struct key region_key(const void *rows, size_t i)
{
    const struct gl_region_row *row = (const struct gl_region_row *)rows + i;

    return (struct key){row->cloud, row->region};
}

static struct key zone_key(const void *rows, size_t i)
{
    return (struct key){"", ((const struct gl_zone_row *)rows + i)->zone};
}

static struct key type_key(const void *rows, size_t i)
{
    const struct gl_type_row *row = (const struct gl_type_row *)rows + i;

    return (struct key){row->cloud, row->name};
}

static struct key name_key(const void *rows, size_t i)
{
    return (struct key){"", ((const char *const *)rows)[i]};
}

size_t gl_data_regions(const struct gl_region_row **out_rows)
{
    *out_rows = gl_region_rows;
    return gl_region_row_count;
}

size_t gl_data_zones(const struct gl_zone_row **out_rows)
{
    *out_rows = gl_zone_rows;
    return gl_zone_row_count;
}

size_t gl_data_types(const struct gl_type_row **out_rows)
{
    *out_rows = gl_type_rows;
    return gl_type_row_count;
}

size_t gl_data_sources(const struct gl_data_source **out_rows)
{
    *out_rows = gl_source_rows;
    return GL_SRC_COUNT;
}

/*
 * What may follow a region's name in the name of a hall or zone inside it. OVH appends a number
 * ("GRA11") or a dash and letters ("EU-WEST-PAR-A"), Scaleway a dash and a number ("fr-par-2").
 */
static int is_ovh_suffix(const char *rest)
{
    if (rest[0] == '-' && isupper((unsigned char)rest[1]))
        return rest[1 + strspn(rest + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")] == '\0';
    if (rest[0] == '-')
        rest++;
    return rest[0] != '\0' && rest[strspn(rest, "0123456789")] == '\0';
}

static int is_scaleway_suffix(const char *rest)
{
    return rest[0] == '-' && isdigit((unsigned char)rest[1]) && rest[2] == '\0';
}

static const struct {
    const char *cloud;
    int (*is_suffix)(const char *rest);
} zoned_clouds[] = {
    {"ovh", is_ovh_suffix},
    {"scaleway", is_scaleway_suffix},
};

static const struct gl_region_row *region_of_hall(const char *cloud, const char *hall,
                                                  int (*is_suffix)(const char *rest))
{
    for (size_t i = 0; i < gl_region_row_count; i++) {
        const struct gl_region_row *row = &gl_region_rows[i];
        size_t length = strlen(row->region);

        if (strcmp(row->cloud, cloud) == 0 && strncmp(row->region, hall, length) == 0 &&
            is_suffix(hall + length))
            return row;
    }
    return NULL;
}

const struct gl_region_row *gl_data_region(const char *cloud, const char *region)
{
    size_t i = find(gl_region_rows, gl_region_row_count, region_key, (struct key){cloud, region});

    if (i < gl_region_row_count)
        return &gl_region_rows[i];
    for (size_t c = 0; c < sizeof zoned_clouds / sizeof zoned_clouds[0]; c++) {
        if (strcmp(zoned_clouds[c].cloud, cloud) == 0)
            return region_of_hall(cloud, region, zoned_clouds[c].is_suffix);
    }
    return NULL;
}

const struct gl_zone_row *gl_data_zone(const char *zone)
{
    size_t i = find(gl_zone_rows, gl_zone_row_count, zone_key, (struct key){"", zone});

    return i < gl_zone_row_count ? &gl_zone_rows[i] : NULL;
}

const struct gl_type_row *gl_data_type(const char *cloud, const char *name)
{
    size_t i = find(gl_type_rows, gl_type_row_count, type_key, (struct key){cloud, name});

    return i < gl_type_row_count ? &gl_type_rows[i] : NULL;
}

static int64_t price_in(const struct gl_price_table *table, const char *type, const char *region)
{
    size_t i = find(table->types, table->type_count, name_key, (struct key){"", type});
    size_t j = find(table->regions, table->region_count, name_key, (struct key){"", region});

    if (i == table->type_count || j == table->region_count)
        return -1;
    return table->micro_usd[i * table->region_count + j];
}

int64_t gl_data_price(const struct gl_type_row *type, const struct gl_region_row *region,
                      uint8_t *out_source)
{
    const struct {
        const struct gl_price_table *tables;
        size_t count;
    } files[] = {
        {gl_price_tables_aws, gl_price_tables_aws_count},
        {gl_price_tables_azure, gl_price_tables_azure_count},
        {gl_price_tables_gcp, gl_price_tables_gcp_count},
        {gl_price_tables_other, gl_price_tables_other_count},
    };

    if (type == NULL || region == NULL || strcmp(type->cloud, region->cloud) != 0)
        return -1;
    for (size_t f = 0; f < sizeof files / sizeof files[0]; f++) {
        for (size_t t = 0; t < files[f].count; t++) {
            const struct gl_price_table *table = &files[f].tables[t];
            int64_t price = -1;

            if (strcmp(table->cloud, type->cloud) == 0)
                price = price_in(table, type->name, region->region);
            if (price < 0)
                continue;
            if (out_source != NULL)
                *out_source = table->source;
            return price;
        }
    }
    return -1;
}
