/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the table files and data.c share; nothing outside providers/data/ includes this. It names
 * the sources so that a row cannot point at a number that moved, and it refuses to hold figures
 * itself.
 */

#ifndef GL_PROVIDERS_DATA_TABLES_H
#define GL_PROVIDERS_DATA_TABLES_H

#include "providers/data/data.h"

/* Index of a source in gl_source_rows[]. */
enum gl_data_source_index {
    GL_SRC_MAP_EM_GSF,
    GL_SRC_MAP_EM,
    GL_SRC_MAP_GSF,
    GL_SRC_MAP_EM_SPARE_CORES,
    GL_SRC_MAP_SPARE_CORES,
    GL_SRC_MAP_CITY,
    GL_SRC_MAP_ORACLE,
    GL_SRC_MAP_BOAVIZTA,
    GL_SRC_PUE_GSF_2024,
    GL_SRC_PUE_GSF_2023,
    GL_SRC_PUE_AWS_GLOBAL,
    GL_SRC_PUE_CCF,
    GL_SRC_PUE_GREEN_ALGORITHMS,
    GL_SRC_PUE_INDUSTRY,
    GL_SRC_ZONES_2025,
    GL_SRC_TYPES_AWS,
    GL_SRC_TYPES_AWS_MIXED,
    GL_SRC_TYPES_AWS_BURST,
    GL_SRC_TYPES_AZURE,
    GL_SRC_TYPES_AZURE_MIXED,
    GL_SRC_TYPES_AZURE_BURST,
    GL_SRC_TYPES_GCP,
    GL_SRC_TYPES_GCP_MIXED,
    GL_SRC_TYPES_GCP_SHARED,
    GL_SRC_TYPES_ALIBABA,
    GL_SRC_TYPES_DIGITALOCEAN,
    GL_SRC_TYPES_HETZNER,
    GL_SRC_TYPES_ORACLE,
    GL_SRC_TYPES_ORACLE_FLEX,
    GL_SRC_TYPES_OVH,
    GL_SRC_TYPES_SCALEWAY,
    GL_SRC_PRICES_AWS_KARPENTER,
    GL_SRC_PRICES_AWS_COROOT,
    GL_SRC_PRICES_AWS_FRANKFURT,
    GL_SRC_PRICES_AZURE,
    GL_SRC_PRICES_GCP,
    GL_SRC_PRICES_DIGITALOCEAN,
    GL_SRC_PRICES_ORACLE,
    GL_SRC_PRICES_EURO,
    GL_SRC_CLAIMS_GOOGLE,
    GL_SRC_EGRESS_AWS,
    GL_SRC_EGRESS_AZURE,
    GL_SRC_EGRESS_GCP,
    GL_SRC_EGRESS_LOCAL,
    GL_SRC_COUNT
};

/*
 * Prices of one cloud from one source. Both name lists are sorted by byte; the price of types[i]
 * in regions[j] is micro_usd[i * region_count + j], -1 unknown.
 */
struct gl_price_table {
    const char *cloud;
    uint8_t source;
    const char *const *types;
    size_t type_count;
    const char *const *regions;
    size_t region_count;
    const int32_t *micro_usd;
};

extern const struct gl_data_source gl_source_rows[GL_SRC_COUNT];
extern const struct gl_region_row gl_region_rows[];
extern const size_t gl_region_row_count;
extern const struct gl_zone_row gl_zone_rows[];
extern const size_t gl_zone_row_count;
extern const struct gl_type_row gl_type_rows[];
extern const size_t gl_type_row_count;

/* Per cloud, asked in this order: the first table that knows a price wins. */
extern const struct gl_price_table gl_price_tables_aws[];
extern const size_t gl_price_tables_aws_count;
extern const struct gl_price_table gl_price_tables_azure[];
extern const size_t gl_price_tables_azure_count;
extern const struct gl_price_table gl_price_tables_gcp[];
extern const size_t gl_price_tables_gcp_count;
extern const struct gl_price_table gl_price_tables_other[];
extern const size_t gl_price_tables_other_count;

#endif
