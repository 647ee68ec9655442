/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_GCP_H
#define GL_PROVIDERS_GCP_H

/* What the files of the Google adapter share; nobody else includes this. Compute Engine v1:
 * https://cloud.google.com/compute/docs/reference/rest/v1 */

#include "providers/cloud/catalog.h"
#include "providers/cloud/gcp_credential.h"
#include "providers/cloud/remote.h"
#include "providers/cloud/userdata.h"

#define GL_GCP_ZONES 16 /* of one region */

struct gl_gcp {
    struct gl_remote remote; /* first */
    struct gl_gcp_credential credential;
    char endpoint[256], billing[256], resources[256];
    char locations[256]; /* "" = not to be asked */
    char project[64];
    const char *image, *network, *zone, *service_account;
    bool has_address;         /* a public address */
    json_t *names;            /* of regions: {"europe-north1": ["a","b"]}; NULL = not asked yet */
    const char **region_list; /* NULL-terminated, into names */
    json_t *types;            /* of zones: {"europe-north1-a": [..]} */
    const char **type_list;   /* of the last call of types() */
    json_t *prices;  /* {"europe-north1|n2": [core, ram, spot core, spot ram]}, -1 = not met */
    json_t *offered; /* {"europe-north1|n2": ["n2-standard-2", ...]} */
};

static inline struct gl_gcp *gl_gcp_of(struct gl_cloud *cloud)
{
    return (struct gl_gcp *)cloud;
}

/* "projects/P/zones/Z" after the endpoint; the project is known once a token was fetched. */
int gl_gcp_begin(struct gl_gcp *gcp, struct gl_error *err);
/* A call below ".../compute/v1/projects/P/", path by printf rules. */
void gl_gcp_call(const struct gl_gcp *gcp, struct gl_remote_call *call, const char *method,
                 const char *path, ...) __attribute__((format(printf, 4, 5)));

/* Zones of a region as letters ("a", "b"): UNKNOWN_NAME when Google has none of that name. */
int gl_gcp_zones(struct gl_gcp *gcp, const char *region, char out[GL_GCP_ZONES][8],
                 size_t *out_count, struct gl_error *err);
/* The zone of an attempt: the setting's, else that it asks for, else one of the region's by the
 * token. */
int gl_gcp_zone_of(struct gl_gcp *gcp, const struct gl_launch *launch, char out[48],
                   struct gl_error *err);

/* Every page of a list below the project; `read` takes each. */
int gl_gcp_each_page(struct gl_gcp *gcp, const char *path, const char *filter,
                     int (*read)(struct gl_gcp *gcp, const json_t *page, struct gl_error *err),
                     struct gl_error *err);
/* PRICE when the launch has a cap and the offer is dearer, or nobody knows what it costs. */
int gl_gcp_check_price(struct gl_gcp *gcp, const struct gl_launch *launch, struct gl_error *err);
/* Micro-USD per hour of what a launch asks for, at the spot price if it does; GL_UNKNOWN. */
int gl_gcp_price_of(struct gl_gcp *gcp, const struct gl_launch *launch, int64_t *out,
                    struct gl_error *err);

/* ---- operations of the contract ---- */

int gl_gcp_regions(struct gl_cloud *cloud, const char *const **out, struct gl_error *err);
int gl_gcp_types(struct gl_cloud *cloud, const char *region, const char *const **out,
                 struct gl_error *err);
/* What its guest is to be told. */
struct gl_userdata gl_gcp_told(const struct gl_gcp *gcp, const struct gl_launch *launch);
int gl_gcp_launch(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_instance *out,
                  struct gl_error *err);
int gl_gcp_describe(struct gl_cloud *cloud, const char *id, struct gl_instance *out,
                    struct gl_error *err);
int gl_gcp_find(struct gl_cloud *cloud, const char *region, const char *token,
                struct gl_instance *out, struct gl_error *err);
int gl_gcp_list(struct gl_cloud *cloud, struct gl_instance **out, size_t *out_count,
                struct gl_error *err);
int gl_gcp_stop(struct gl_cloud *cloud, const char *id, struct gl_span wait, struct gl_error *err);
int gl_gcp_terminate(struct gl_cloud *cloud, const char *id, struct gl_error *err);
int gl_gcp_halt(struct gl_cloud *cloud, const char *id, struct gl_error *err);
int gl_gcp_start(struct gl_cloud *cloud, const char *id, struct gl_error *err);
int gl_gcp_console(struct gl_cloud *cloud, const char *id, uint64_t offset, struct gl_str *out,
                   uint64_t *out_next, struct gl_error *err);
int gl_gcp_check(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_error *err);

/* ---- pure: gcp_wire.c ---- */

extern const struct gl_remote_rule gl_gcp_rules[];
bool gl_gcp_read_error(const struct gl_http_reply *reply, struct gl_remote_word *out);
/* The error of an operation that was accepted and then failed; false when it has none. */
bool gl_gcp_operation_error(const json_t *operation, int *out_status, struct gl_remote_word *out);
/* Body of instances.insert. */
json_t *gl_gcp_insert_body(const struct gl_gcp *gcp, const struct gl_launch *launch,
                           const char *zone, const char *user_data);
/* UUID version 8 (RFC 9562) of a token: the same token, the same request. */
void gl_gcp_request_id(const char *token, const char *step, char out[37]);
/* An instance as the API shows it; false when it is not ours. */
bool gl_gcp_read_instance(const json_t *from, struct gl_instance *out);
/* "https://.../zones/europe-north1-a/..." -> the last part of a URL. */
const char *gl_gcp_last(const char *url);

/* ---- gcp_price.c ---- */

int gl_gcp_price(struct gl_cloud *cloud, const char *region, const char *type, int64_t *out,
                 struct gl_error *err);
/* What a SKU of the billing catalogue is worth for the families we know: core, GiB or GPU of a
 * family, on demand or spot, micro-USD per hour and unit. false when it is none of these. */
enum gl_gcp_part { GL_GCP_CORE, GL_GCP_RAM, GL_GCP_GPU, GL_GCP_PARTS };
struct gl_gcp_sku {
    char family[8];
    enum gl_gcp_part part;
    bool is_spot;
    int64_t u_usd; /* of a core, a GiB or a GPU, an hour */
    const json_t *regions;
};
bool gl_gcp_read_sku(const json_t *sku, struct gl_gcp_sku *out);
/* What is billed for a type by its name: vCPUs (times 1000), MiB, GPUs; false when not known. */
struct gl_gcp_bill {
    char family[8];
    int64_t milli_cores, mib, gpus;
};
bool gl_gcp_billed(const char *type, struct gl_gcp_bill *out);

extern const struct gl_catalog_ops gl_gcp_catalog;

/* ---- gcp_claims.c ---- */

/* The claim of a region in a list of places; false when it is none of Google's, or has no share. */
bool gl_gcp_read_claim(const json_t *location, struct gl_catalog_row *out);
/* Ask for them beside the prices. A project that may not is no failure. */
void gl_gcp_ask_claims(const struct gl_gcp *gcp, int kind, const char *token,
                       struct gl_catalog_round *round);
int gl_gcp_read_claims(const struct gl_gcp *gcp, const struct gl_remote_call *call, int kind,
                       struct gl_catalog_round *round, struct gl_catalog *catalog,
                       struct gl_error *err);

/* ---- gcp_image.c ---- */

int gl_gcp_image_create(struct gl_cloud *cloud, const char *id, const char *name,
                        struct gl_cloud_image *out, struct gl_error *err);
int gl_gcp_image_copy(struct gl_cloud *cloud, const char *image, const char *region,
                      const char *name, struct gl_cloud_image *out, struct gl_error *err);
int gl_gcp_image_look(struct gl_cloud *cloud, const char *image, struct gl_cloud_image *out,
                      struct gl_error *err);
int gl_gcp_image_delete(struct gl_cloud *cloud, const char *image, struct gl_error *err);
int gl_gcp_image_find(struct gl_cloud *cloud, const char *id, const char *region, const char *name,
                      struct gl_cloud_image *out, struct gl_error *err);

/* Send a call whose answer is an operation and follow it to its end: 0, or its error in our
 * codes. */
int gl_gcp_operate(struct gl_gcp *gcp, struct gl_remote_call *call, const char *zone,
                   struct gl_error *err);
/* "REGION/LETTER/NAME" -> zone and name. NOT_FOUND when it is not so formed. */
int gl_gcp_id(const char *id, char out_zone[48], const char **out_name, struct gl_error *err);

#endif
