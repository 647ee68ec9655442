/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_AZURE_H
#define GL_PROVIDERS_AZURE_H

/* What the files of the Azure adapter share; nobody else includes this. Azure Resource Manager:
 * https://learn.microsoft.com/rest/api/compute/virtual-machines. Machines are virtualMachines of
 * one resource group, named after their attempt: the name is the create token (If-None-Match: *).
 * What a machine needs besides (interface, address, disk) is made and deleted with it. */

#include "providers/cloud/azure_credential.h"
#include "providers/cloud/azure_wire.h"
#include "providers/cloud/catalog.h"
#include "providers/cloud/remote.h"
#include "providers/cloud/userdata.h"

#define GL_AZURE_COMPUTE "2026-03-01" /* versions of the API, by resource provider */
#define GL_AZURE_DISKS   "2025-01-02"
#define GL_AZURE_SKUS    "2021-07-01"
#define GL_AZURE_BASE    "2022-12-01" /* subscriptions, locations */
#define GL_AZURE_RIGHTS  "2022-04-01"
#define GL_AZURE_NETWORK "2022-11-01" /* of interfaces made with a machine */

#define GL_AZURE_GROUP 41
#define GL_AZURE_NAME  81
#define GL_AZURE_URL   2048

struct gl_azure {
    struct gl_remote remote; /* first */
    struct gl_azure_credential credential;
    char endpoint[256], prices[256];
    char subscription[40];
    char group[GL_AZURE_GROUP]; /* lower case: Azure does not tell cases apart */
    const char *subnet, *image, *ssh_key, *admin;
    bool has_address;         /* a public address */
    json_t *names;            /* of locations: {"swedencentral": true}; NULL = not asked yet */
    const char **region_list; /* NULL-terminated, into names */
    json_t *types;            /* of the last call of types(): {"Standard_B1s": true} */
    const char **type_list;
};

static inline struct gl_azure *gl_azure_of(struct gl_cloud *cloud)
{
    return (struct gl_azure *)cloud;
}

/* ---- azure_call.c ---- */

void gl_azure_begin(struct gl_azure *azure);
/* A call of "ENDPOINT/subscriptions/S" and a path by printf rules, with its api-version. */
void gl_azure_call(const struct gl_azure *azure, struct gl_remote_call *call, const char *method,
                   const char *version, const char *path, ...)
    __attribute__((format(printf, 5, 6)));
/* Paths after the subscription: of a machine, a disk, a snapshot. */
#define GL_AZURE_PATH 240
void gl_azure_path(const char *group, const char *kind, const char *name, char out[GL_AZURE_PATH]);
/* Scheme, host and port are the same (the default port may be written out). */
bool gl_azure_is_same_origin(const char *base, const char *url);
/* Send a call that may be answered before it is done, and follow it to its end: 0, or its error in
 * our codes. *out_is_accepted (may be NULL): Azure took it on, so that something may be there. */
int gl_azure_operate(struct gl_azure *azure, struct gl_remote_call *call, bool *out_is_accepted,
                     struct gl_error *err);
/* Every page of a list: `read` takes the rows of each. `call` is the first one; done here. */
struct gl_azure_pages {
    const char *base;  /* next pages must be there */
    const char *next;  /* "nextLink" */
    const char *items; /* "value" */
    void (*read)(void *cookie, const json_t *row);
    void *cookie;
    unsigned most; /* pages; more is BAD_REPLY */
};
int gl_azure_each(struct gl_azure *azure, struct gl_remote_call *call,
                  const struct gl_azure_pages *pages, struct gl_error *err);
/* The next page's address of an answer: 1, 0 there is none, -1 it leads elsewhere. */
int gl_azure_next(const json_t *page, const char *key, const char *base, const char **out,
                  struct gl_error *err);
/* GET of a resource: 1 and a new reference, 0 proven absent, -1. */
int gl_azure_get(struct gl_azure *azure, const char *version, const char *path, json_t **out,
                 struct gl_error *err);
/* DELETE and look until it is gone: 0 proven absent, else -1. */
int gl_azure_delete(struct gl_azure *azure, const char *version, const char *path,
                    struct gl_error *err);

/* ---- azure_instance.c ---- */

/* A machine by its path: 1 found and ours, 0 absent, -1 (TOKEN: not ours). out_provisioning (24)
 * may be NULL. */
int gl_azure_look(struct gl_azure *azure, const char *path, struct gl_instance *out,
                  char out_provisioning[24], struct gl_error *err);
/* "REGION/GROUP/NAME" in its parts. NOT_FOUND when it is not so formed. */
struct gl_azure_id {
    char region[40], group[GL_AZURE_GROUP], name[GL_CLOUD_ID];
};
int gl_azure_id_read(const char *id, struct gl_azure_id *out, struct gl_error *err);

int gl_azure_describe(struct gl_cloud *cloud, const char *id, struct gl_instance *out,
                      struct gl_error *err);
int gl_azure_find(struct gl_cloud *cloud, const char *region, const char *token,
                  struct gl_instance *out, struct gl_error *err);
int gl_azure_list(struct gl_cloud *cloud, struct gl_instance **out, size_t *out_count,
                  struct gl_error *err);
int gl_azure_stop(struct gl_cloud *cloud, const char *id, struct gl_span wait,
                  struct gl_error *err);
int gl_azure_terminate(struct gl_cloud *cloud, const char *id, struct gl_error *err);
int gl_azure_halt(struct gl_cloud *cloud, const char *id, struct gl_error *err);
int gl_azure_start(struct gl_cloud *cloud, const char *id, struct gl_error *err);
int gl_azure_console(struct gl_cloud *cloud, const char *id, uint64_t offset, struct gl_str *out,
                     uint64_t *out_next, struct gl_error *err);

/* ---- azure_identity.c ---- */

int gl_azure_identity(struct gl_cloud *cloud, const char *id, const char *nonce, struct gl_str *out,
                      struct gl_error *err);

/* ---- azure_launch.c ---- */

/* What its guest is to be told. */
struct gl_userdata gl_azure_told(const struct gl_launch *launch);
int gl_azure_launch(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_instance *out,
                    struct gl_error *err);

/* ---- azure_place.c, azure_check.c ---- */

int gl_azure_regions(struct gl_cloud *cloud, const char *const **out, struct gl_error *err);
int gl_azure_types(struct gl_cloud *cloud, const char *region, const char *const **out,
                   struct gl_error *err);
int gl_azure_check(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_error *err);
/* PRICE when the launch has a cap and the offer is dearer, or nobody knows what it costs. */
int gl_azure_check_price(struct gl_azure *azure, const struct gl_launch *launch,
                         struct gl_error *err);
void gl_azure_sku_call(const struct gl_azure *azure, struct gl_remote_call *call,
                       const char *region);
/* UNKNOWN_NAME when that region has no such type, whether this subscription may use it or not. */
int gl_azure_check_type(struct gl_azure *azure, const char *region, const char *type,
                        struct gl_error *err);

/* ---- azure_price.c ---- */

int gl_azure_price(struct gl_cloud *cloud, const char *region, const char *type, int64_t *out,
                   struct gl_error *err);
/* List and spot price of a type, micro-USD an hour, GL_UNKNOWN where Azure names none. */
struct gl_azure_prices {
    int64_t list_u_usd, spot_u_usd;
};
int gl_azure_prices_of(struct gl_azure *azure, const char *region, const char *type,
                       struct gl_azure_prices *out, struct gl_error *err);
void gl_azure_price_call(const struct gl_azure *azure, struct gl_remote_call *call,
                         const char *region, const char *type);
extern const struct gl_catalog_ops gl_azure_catalog;

/* ---- azure_statement.c ---- */

int gl_azure_statement(struct gl_cloud *cloud, struct gl_instant month, struct gl_statement *out,
                       struct gl_error *err);

/* ---- azure_image.c ---- */

int gl_azure_image_create(struct gl_cloud *cloud, const char *id, const char *name,
                          struct gl_cloud_image *out, struct gl_error *err);
int gl_azure_image_copy(struct gl_cloud *cloud, const char *image, const char *region,
                        const char *name, struct gl_cloud_image *out, struct gl_error *err);
int gl_azure_image_look(struct gl_cloud *cloud, const char *image, struct gl_cloud_image *out,
                        struct gl_error *err);
int gl_azure_image_delete(struct gl_cloud *cloud, const char *image, struct gl_error *err);
int gl_azure_image_find(struct gl_cloud *cloud, const char *id, const char *region,
                        const char *name, struct gl_cloud_image *out, struct gl_error *err);
/* A disk of the attempt's name from a snapshot, ready to start from. */
int gl_azure_disk_make(struct gl_azure *azure, const struct gl_launch *launch,
                       struct gl_error *err);
/* Delete what an attempt of this token left of disks without a machine. */
int gl_azure_disks_sweep(struct gl_azure *azure, const char *token, struct gl_error *err);

#endif
