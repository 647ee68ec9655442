/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_PRICELIST_H
#define GL_PROVIDERS_PRICELIST_H

/* What the clouds said when they were last asked (`offers --refresh`), one file a cloud, so that
 * later commands need neither network nor credentials. The built-in table is the fallback for all
 * that is not in it. A file that is not exactly what was written, or too old, is as good as absent.
 *
 * File "<folder>/<cloud>.tsv": "greenlaunch-prices 4 <cloud> <retrieved, Unix s> <rows> <SHA-256 of
 * what stands before and after it>", then one line a region and type, sorted: region, type,
 * micro-USD on demand, spot, offered (1, 0, -), the provider's own claim of the carbon-free share
 * in millionths, its own estimate of ug CO2e an hour, vCPUs, memory in MiB, architecture, whose
 * region names these are (catalog.h), each after a tab; "-" is unknown. Type "*" is the region
 * itself. A claim counts contracts (market): it is told beside an offer and decides nothing. */

#include "policy/facts.h"
#include "providers/cloud/catalog.h"

#define GL_PRICELIST_MAX_BYTES ((size_t)16 << 20)
#define GL_PRICELIST_MAX_AGE_S ((int64_t)30 * 86400)

struct gl_pricelist_row {
    const char *region, *type;
    int64_t price_u_usd, spot_u_usd; /* GL_UNKNOWN */
    bool is_withdrawn;               /* the cloud says that it is not offered there */
    int64_t cfe_ppm;                 /* claimed carbon-free share; GL_UNKNOWN */
    int64_t estimate_ug;             /* estimated CO2e an hour; GL_UNKNOWN */
    uint32_t vcpus, memory_mib;      /* 0 = not told */
    const char *arch, *host;         /* "" = not told */
};

struct gl_pricelist {
    int64_t retrieved_s;
    struct gl_pricelist_row *rows; /* by region and type, byte order */
    size_t count;
    char *text; /* what the rows point into */
};

/* Write what was asked just now. Zones of a region become one row: offered where any zone offers
 * it, at the least price and size. Errors: IO, DISK_FULL; the older file is then still there. */
struct gl_pricelist_asked {
    const struct gl_catalog_row *rows;
    size_t count;
    int64_t retrieved_s;
};
int gl_pricelist_write(const char *folder, const char *cloud,
                       const struct gl_pricelist_asked *asked, struct gl_error *err);
/* false when there is none that is whole, from before now_s, and young enough. */
bool gl_pricelist_read(const char *folder, const char *cloud, int64_t now_s,
                       struct gl_pricelist *out);
/* NULL when it is not in it. */
const struct gl_pricelist_row *gl_pricelist_find(const struct gl_pricelist *list,
                                                 const char *region, const char *type);
/* What the provider claims of a type there, else of the region; GL_UNKNOWN. */
int64_t gl_pricelist_claim(const struct gl_pricelist *list, const char *region, const char *type);
/* What the provider estimates that a type there emits in an hour, ug CO2e; GL_UNKNOWN. */
int64_t gl_pricelist_estimate(const struct gl_pricelist *list, const char *region,
                              const char *type);
void gl_pricelist_done(struct gl_pricelist *list);

#endif
