/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_DIGITALOCEAN_H
#define GL_PROVIDERS_DIGITALOCEAN_H

/* The words of the DigitalOcean API, as pure functions:
 * https://docs.digitalocean.com/reference/api/ */

#include "providers/cloud/vps.h"

extern const struct gl_remote_rule gl_digitalocean_rules[];
bool gl_digitalocean_read_error(const struct gl_http_reply *reply, struct gl_remote_word *out);
int64_t gl_digitalocean_wait_ms(const struct gl_http_reply *reply, int64_t now_ms);

/* The body of POST /v2/droplets: a new reference. */
json_t *gl_digitalocean_create_body(const struct gl_launch *launch, const char *image,
                                    const char *user_data, const char *network,
                                    const char *ssh_key);
bool gl_digitalocean_read_droplet(const json_t *droplet, struct gl_instance *out);
/* 1 under way, 0 done, -1 failed (the provider tells no reason). */
int gl_digitalocean_read_action(const json_t *action, struct gl_error *err);
/* Tags are flat: "name:value". The one to search by. */
#define GL_DIGITALOCEAN_TAG 96
void gl_digitalocean_tag(const struct gl_label *label, char out[GL_DIGITALOCEAN_TAG]);
/* The token of doctl's config.yaml; `context` NULL = the file's own. */
bool gl_digitalocean_config_token(const char *text, const char *context, char out[256]);

/* Rows of GET /v2/sizes. */
void gl_digitalocean_read_sizes(const json_t *answer, struct gl_catalog *catalog);
/* Of one size in one region: 1 offered, 0 not now, -1 not on this page. */
int gl_digitalocean_read_offer(const json_t *answer, const char *region, const char *type,
                               int64_t *out_u_usd);
/* Is there another page? */
bool gl_digitalocean_has_next(const json_t *answer);
bool gl_digitalocean_read_image(const json_t *image, const char *region,
                                struct gl_cloud_image *out);

/* ---- sending (digitalocean_image.c) ---- */

/* POST /v2/PATH/ID/actions with a body (taken). It is sent again when no answer comes: not for what
 * makes something each time. */
int gl_digitalocean_act(struct gl_vps *vps, const char *path, const char *id, json_t *body,
                        struct gl_error *err);
/* The number of the snapshot of that name, 0 when there is none, -1; *out as it stands in a
 * region. */
int64_t gl_digitalocean_image_number(struct gl_vps *vps, const char *name, const char *region,
                                     struct gl_cloud_image *out, struct gl_error *err);
int gl_digitalocean_image_create(struct gl_cloud *cloud, const char *id, const char *name,
                                 struct gl_cloud_image *out, struct gl_error *err);
int gl_digitalocean_image_copy(struct gl_cloud *cloud, const char *image, const char *region,
                               const char *name, struct gl_cloud_image *out, struct gl_error *err);
int gl_digitalocean_image_look(struct gl_cloud *cloud, const char *image,
                               struct gl_cloud_image *out, struct gl_error *err);
int gl_digitalocean_image_delete(struct gl_cloud *cloud, const char *image, struct gl_error *err);
int gl_digitalocean_image_find(struct gl_cloud *cloud, const char *id, const char *region,
                               const char *name, struct gl_cloud_image *out, struct gl_error *err);

#endif
