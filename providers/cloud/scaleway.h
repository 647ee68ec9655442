/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_SCALEWAY_H
#define GL_PROVIDERS_SCALEWAY_H

/* The words of the Scaleway Instance API, as pure functions:
 * https://www.scaleway.com/en/developers/api/instances/ */

#include "providers/cloud/vps.h"

extern const struct gl_remote_rule gl_scaleway_rules[];
bool gl_scaleway_read_error(const struct gl_http_reply *reply, struct gl_remote_word *out);

/* Tags are flat: "name=value". */
json_t *gl_scaleway_tags(const struct gl_launch *launch, bool is_unstarted);
json_t *gl_scaleway_create_body(const struct gl_launch *launch, const char *image,
                                const char *project, const char *security_group);
bool gl_scaleway_read_server(const json_t *server, const char *zone, struct gl_instance *out);
/* "fr-par-1" -> "fr-par" into out (40). */
void gl_scaleway_region_of(const char *zone, char out[40]);
/* Zones of a region (or the zone itself), NULL = all: at most GL_SCALEWAY_ZONES into out. */
#define GL_SCALEWAY_ZONES 16
size_t gl_scaleway_zones(const char *region, const char *out[GL_SCALEWAY_ZONES]);

/* What config.yaml says of a profile (NULL = the active one, "" = none). */
struct gl_scaleway_profile {
    char secret_key[256], project[64];
};
bool gl_scaleway_config_read(const char *text, const char *profile,
                             struct gl_scaleway_profile *out);

/* GET /products/servers of a zone, and its /products/servers/availability. */
void gl_scaleway_read_types(const json_t *answer, const char *zone, struct gl_catalog *catalog);
void gl_scaleway_read_stock(const json_t *answer, const char *zone, struct gl_catalog *catalog);
/* A page of the product catalogue: what Scaleway estimates that its machines emit in an hour; how
 * many products were on it. */
size_t gl_scaleway_read_estimates(const json_t *answer, struct gl_catalog *catalog);
/* 1 in stock, 0 not, -1 no such type there. */
int gl_scaleway_read_offer(const json_t *answer, const char *type);

/* Fill vps->token and vps->account: settings, environment, the scw command's file (in
 * scaleway_credential.c). */
int gl_scaleway_credentials(struct gl_vps *vps, struct gl_error *err);

/* ---- volumes (scaleway_volume.c) ---- */

#define GL_SCALEWAY_VOLUMES 16
struct gl_scaleway_volumes {
    size_t count;
    struct gl_scaleway_volume {
        char id[40];
        bool is_block; /* outlives its server */
    } items[GL_SCALEWAY_VOLUMES];
};

/* Those of a server. NOT_FOUND when it is gone. */
int gl_scaleway_volumes_read(struct gl_vps *vps, const struct gl_instance *instance,
                             struct gl_scaleway_volumes *out, struct gl_error *err);
/* Write on the block volumes whose they are, before their server goes: nobody could tell after. */
int gl_scaleway_volumes_mark(struct gl_vps *vps, const struct gl_instance *instance,
                             const struct gl_scaleway_volumes *volumes, struct gl_error *err);
/* Waits a while for one that is in use still; fine when it is gone. */
int gl_scaleway_volume_delete(struct gl_vps *vps, const char *zone,
                              const struct gl_scaleway_volume *volume, struct gl_error *err);
/* gl_vps_ops.sweep */
int gl_scaleway_sweep(struct gl_vps *vps, const struct gl_vps_loose *what, struct gl_error *err);
/* The tag of a marked volume; pure. */
json_t *gl_scaleway_volume_tags(const struct gl_instance *instance);
/* Is it marked, and attached to nothing but the server it was of, which is known to be gone
 * (`is_server_gone`), or to nothing at all? Pure. */
bool gl_scaleway_is_loose(const json_t *volume, bool is_server_gone);

#endif
