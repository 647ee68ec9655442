/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Built-in tables: cloud regions and their grid zones, yearly averages of the zones, instance
 * types, on-demand prices, and the source of every row.
 *
 * They let a first run decide, rank and estimate without an account, a network or a file. They are
 * read-only constants: nothing is parsed, allocated or read at start-up, and every function may be
 * called from any thread. The module refuses to guess: what no source states is absent (NULL row,
 * -1 figure), a disputed mapping names both candidates instead of choosing one, and a price of one
 * region is never carried to another. Live figures, where an adapter has them, come first; a row
 * from here says by its source and date how old it is.
 *
 * All pointers returned are borrowed from static storage and valid for the life of the program.
 */

#ifndef GL_PROVIDERS_DATA_DATA_H
#define GL_PROVIDERS_DATA_DATA_H

#include <stddef.h>
#include <stdint.h>

#include "policy/facts.h"   /* enum gl_mapping */

/* Where figures come from. No member is NULL or empty. */
struct gl_data_source {
    const char *id;      /* unique, lower case, stable */
    const char *title;   /* what it is, and at which version it was read */
    const char *licence; /* of the source; "facts" where only facts were taken */
    const char *date;    /* YYYY, YYYY-MM or YYYY-MM-DD of the figures */
    const char *note;    /* how it was used, and what is known to be weak about it */
};

struct gl_region_row {            /* one cloud region */
    const char *cloud, *region, *place, *country; /* country ISO 3166 alpha-2; place UTF-8 */
    const char *zones[2];         /* Electricity Maps zone names; second only when disputed */
    const char *neso;             /* NESO region id, or NULL */
    enum gl_mapping confidence;
    uint16_t pue_milli;           /* power usage effectiveness, 1135 = 1.135 */
    uint8_t source, pue_source;   /* indexes into gl_data_sources() */
};

struct gl_zone_row {              /* one grid zone, one year: flow-traced consumption, lifecycle */
    const char *zone, *name;
    int16_t year;
    int32_t intensity_g_per_kwh;  /* gCO2e/kWh; -1 unknown */
    int16_t renewable_pct;        /* -1 unknown */
    int16_t carbon_free_pct;      /* renewable plus nuclear; -1 unknown */
    uint8_t source;
};

struct gl_type_row {              /* one instance type */
    const char *cloud, *name;
    uint16_t vcpus;
    uint32_t memory_mib;
    const char *arch;             /* "x86_64" or "arm64" */
    const char *family;           /* CPU family key of base/power.h; NULL unknown */
    const char *gpu;              /* model, or NULL */
    uint16_t gpu_count;
    uint16_t gpu_watts;           /* board limit of one GPU; 0 without GPU */
    uint16_t baseline_permille;   /* share of a vCPU that is always there; 1000 not burstable */
    uint16_t local_nvme_gb;       /* as the provider counts; 0 none, or not recorded */
    uint8_t source;
};

struct gl_egress_row { /* a gigabyte from a region to another one of its cloud */
    const char *cloud, *region; /* a name or a glob */
    int64_t u_usd_per_gb;       /* at most; -1 unknown */
    uint8_t source;
};
struct gl_claim_row {             /* what a cloud says of its own region; decides nothing */
    const char *cloud, *region;
    int16_t year;
    int16_t carbon_free_permille; /* of its consumption, hour by hour, contracts counted; -1 unknown */
    int32_t grid_cg_per_kwh;      /* hundredths of gCO2e/kWh, the grid as the cloud sees it; -1 */
    uint8_t source;
};

/*
 * Whole tables. Each stores the first row in *out_rows and returns the number of rows.
 * Regions are sorted by cloud and region, zones by zone (one row a zone, the newest year), types
 * by cloud and name, all in byte order; sources in the order of the index used by the rows.
 */
size_t gl_data_regions(const struct gl_region_row **out_rows);
size_t gl_data_zones(const struct gl_zone_row **out_rows);
size_t gl_data_types(const struct gl_type_row **out_rows);
size_t gl_data_sources(const struct gl_data_source **out_rows);

/* Sorted by cloud and region. */
size_t gl_data_claims(const struct gl_claim_row **out_rows);
/* The newest claim of a region, or NULL when its cloud makes none that we know of. */
const struct gl_claim_row *gl_data_claim(const char *cloud, const char *region);
/* What a gigabyte out of that region costs at most; NULL where it is not known. `region` NULL: only
 * what holds for all regions of the cloud. */
const struct gl_egress_row *gl_data_egress(const char *cloud, const char *region);
size_t gl_data_egress_rows(const struct gl_egress_row **out_rows);

/*
 * Look-ups by name: the arguments are not NULL and compared byte by byte, case included.
 *
 * The row of one region, or NULL when it is unknown. For OVH and Scaleway, whose instances name a
 * hall or zone inside the region, that longer name finds its region too: "GRA11" and
 * "EU-WEST-PAR-A" (OVH), "fr-par-2" (Scaleway).
 */
const struct gl_region_row *gl_data_region(const char *cloud, const char *region);

/* The newest yearly row of a zone, or NULL when it is unknown. O(log n). */
const struct gl_zone_row *gl_data_zone(const char *zone);

/* The row of an instance type by its exact name, or NULL when it is unknown. O(log n). */
const struct gl_type_row *gl_data_type(const char *cloud, const char *name);

/*
 * On-demand Linux list price of `type` in `region`, in micro-dollars (1e-6 USD) an hour, without
 * tax, disks, traffic or discounts; -1 when the type is not offered there, the price is unknown, an
 * argument is NULL, or the two rows are of different clouds. On success *out_source (may be NULL)
 * is the index of the price's source; it is untouched otherwise. O(log n).
 */
int64_t gl_data_price(const struct gl_type_row *type, const struct gl_region_row *region,
                      uint8_t *out_source);

/*
 * The prices of many types in many regions of one cloud. `types` and `regions` are runs of the whole
 * tables; the caller owns the two arrays of region_count * type_count cells, and the cell of
 * regions[r] and types[t] is r * type_count + t.
 */
struct gl_price_grid {
    const struct gl_type_row *types;
    size_t type_count;
    const struct gl_region_row *regions;
    size_t region_count;
    int32_t *micro_usd;           /* as gl_data_price() says, -1 unknown */
    uint8_t *sources;             /* meaningless where the price is unknown */
};

/* Fill every cell of the grid. O(types + regions + cells): each name is compared once. */
void gl_data_prices(const struct gl_price_grid *grid);

#endif
