/* SPDX-License-Identifier: Apache-2.0 */

/* Look-ups over the constant tables. */

#include "providers/data/data.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
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

/* Per file, in the order in which they are asked. */
static const struct {
    const struct gl_price_table *tables;
    const size_t *count;
} price_files[] = {
    {gl_price_tables_aws, &gl_price_tables_aws_count},
    {gl_price_tables_azure, &gl_price_tables_azure_count},
    {gl_price_tables_gcp, &gl_price_tables_gcp_count},
    {gl_price_tables_other, &gl_price_tables_other_count},
};

/* Call `use` with every price table of the cloud, in order, until it returns false. */
typedef int use_table(const struct gl_price_table *table, void *cookie);

static void each_table(const char *cloud, use_table *use, void *cookie)
{
    for (size_t f = 0; f < sizeof price_files / sizeof price_files[0]; f++) {
        for (size_t t = 0; t < *price_files[f].count; t++) {
            const struct gl_price_table *table = &price_files[f].tables[t];

            if (strcmp(table->cloud, cloud) == 0 && !use(table, cookie))
                return;
        }
    }
}

struct price_asked {
    const char *type, *region;
    int64_t price;
    uint8_t source;
};

static int price_in(const struct gl_price_table *table, void *cookie)
{
    struct price_asked *asked = cookie;
    size_t i = find(table->types, table->type_count, name_key, (struct key){"", asked->type});
    size_t j = find(table->regions, table->region_count, name_key, (struct key){"", asked->region});

    if (i == table->type_count || j == table->region_count)
        return 1;
    asked->price = table->micro_usd[i * table->region_count + j];
    asked->source = table->source;
    return asked->price < 0;
}

int64_t gl_data_price(const struct gl_type_row *type, const struct gl_region_row *region,
                      uint8_t *out_source)
{
    struct price_asked asked = {.price = -1};

    if (type == NULL || region == NULL || strcmp(type->cloud, region->cloud) != 0)
        return -1;
    asked.type = type->name;
    asked.region = region->region;
    each_table(type->cloud, price_in, &asked);
    if (asked.price >= 0 && out_source != NULL)
        *out_source = asked.source;
    return asked.price;
}

/* Is `name` at names[*at] or after? Both lists are sorted, so *at only moves on. */
static int is_next(const char *const *names, size_t count, size_t *at, const char *name)
{
    int order = -1;

    while (*at < count && (order = strcmp(names[*at], name)) < 0)
        (*at)++;
    return *at < count && order == 0;
}

/* The row of the table's prices of one type into the grid's cells that are still unknown. */
static void fill_type(const struct gl_price_table *table, const struct gl_price_grid *grid,
                      size_t type, const int32_t *prices, const size_t *columns)
{
    for (size_t r = 0; r < grid->region_count; r++) {
        size_t cell = r * grid->type_count + type;

        if (columns[r] == table->region_count || grid->micro_usd[cell] >= 0)
            continue;
        grid->micro_usd[cell] = prices[columns[r]];
        grid->sources[cell] = table->source;
    }
}

static int fill_from(const struct gl_price_table *table, void *cookie)
{
    const struct gl_price_grid *grid = cookie;
    size_t *columns = gl_alloc(grid->region_count * sizeof *columns);
    size_t at = 0;

    for (size_t r = 0; r < grid->region_count; r++)
        columns[r] = is_next(table->regions, table->region_count, &at, grid->regions[r].region)
                         ? at
                         : table->region_count;
    at = 0;
    for (size_t t = 0; t < grid->type_count; t++)
        if (is_next(table->types, table->type_count, &at, grid->types[t].name))
            fill_type(table, grid, t, &table->micro_usd[at * table->region_count], columns);
    free(columns);
    return 1;
}

void gl_data_prices(const struct gl_price_grid *grid)
{
    struct gl_price_grid own = *grid;

    for (size_t i = 0; i < grid->type_count * grid->region_count; i++)
        grid->micro_usd[i] = -1;
    if (grid->type_count > 0)
        each_table(grid->types[0].cloud, fill_from, &own);
}
