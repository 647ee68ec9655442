/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_CATALOG_H
#define GL_PROVIDERS_CATALOG_H

/* Live catalogues: what can be rented where and for how much, asked of all regions of all clouds at
 * once over shared connections, in rounds: an adapter says what to ask, reads each answer as it
 * comes and may ask more (the next page, the regions it has just learnt). One that is throttled,
 * dead or without credentials is named and delays nobody beyond the deadline. */

#include "providers/cloud/remote.h"

struct gl_catalog_row {
    char region[40], zone[40], type[64];
    char country[3]; /* as the provider says; "" = not said */
    uint32_t vcpus, memory_mib, gpu_count;
    char arch[12], gpu[40];
    int64_t price_u_usd, spot_u_usd; /* per hour, millionths of USD; GL_UNKNOWN */
    char currency[4];                /* of the provider's own figure; prices in another than USD
                                      * stay unknown in USD and are kept here: */
    int64_t price_u_own;             /* millionths of it; GL_UNKNOWN */
    bool is_offered;                 /* false: listed, but not to be had there now */
    bool is_offered_known;
    int64_t cfe_ppm;     /* the provider's own claim of carbon-free share (market); -1 */
    int64_t estimate_ug; /* CO2e an hour of it, by the provider's own estimate; -1 */
    char host[16]; /* of one that stands in another cloud, whose region names these are: "aws";
                    * "" = its own, GL_CATALOG_MIXED = not told, or not told alike */
};
#define GL_CATALOG_MIXED "?"

/* Type of the row that says something of a whole region. */
#define GL_CATALOG_REGION "*"

/* A row with all unknown but where and what. */
void gl_catalog_row_init(struct gl_catalog_row *out, const char *region, const char *type);

struct gl_catalog; /* a growing list of rows, at most GL_CATALOG_ROWS */
#define GL_CATALOG_ROWS 200000
struct gl_catalog *gl_catalog_new(void); /* empty; gl_catalog_free() */
/* Add, or fill in what is unknown of the row of the same region, zone and type. */
void gl_catalog_add(struct gl_catalog *catalog, const struct gl_catalog_row *row);
size_t gl_catalog_rows(const struct gl_catalog *catalog, const struct gl_catalog_row **out);

struct gl_catalog_round; /* what is being asked; owned by gl_catalog_refresh() */
/* Queue a call (moved into the round); `kind` and `region` come back with its answer. */
void gl_catalog_ask(struct gl_catalog_round *round, struct gl_remote_call *call, int kind,
                    const char *region);

struct gl_catalog_ops {
    /* Queue the first calls. -1 NO_CREDENTIAL ...: the cloud is named as not asked. */
    int (*begin)(struct gl_cloud *cloud, struct gl_catalog_round *round, struct gl_error *err);
    /* Read an answer (call->err tells a failed one), add rows, queue more. -1: what is wrong with
     * it; the others go on. */
    int (*read)(struct gl_cloud *cloud, const struct gl_remote_call *call, int kind,
                const char *region, struct gl_catalog_round *round, struct gl_catalog *catalog,
                struct gl_error *err);
};

/* How one cloud did. */
struct gl_catalog_report {
    const char *cloud;
    size_t rows, calls, failed;
    int64_t took_ms;
    bool is_whole;         /* every call was answered and read */
    struct gl_error first; /* of the failed; GL_OK = none */
    char region[40];       /* where that was */
};

/* Ask `count` remote clouds of one world at once, at most deadline_ms. catalogs[i] is a fresh
 * catalogue of clouds[i], to be freed with gl_catalog_free(), reports[i] how it did. */
void gl_catalog_refresh(struct gl_cloud *const *clouds, size_t count, int64_t deadline_ms,
                        struct gl_catalog **catalogs, struct gl_catalog_report *reports);
void gl_catalog_free(struct gl_catalog *catalog);

#endif
