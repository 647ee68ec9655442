/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_HETZNER_H
#define GL_PROVIDERS_HETZNER_H

/* The words of the Hetzner Cloud API, as pure functions: https://docs.hetzner.cloud/reference/cloud
 * Refuses nothing it does not need: fields that are missing are unknown. */

#include "providers/cloud/vps.h"

extern const struct gl_remote_rule gl_hetzner_rules[];
bool gl_hetzner_read_error(const struct gl_http_reply *reply, struct gl_remote_word *out);
int64_t gl_hetzner_wait_ms(const struct gl_http_reply *reply, int64_t now_ms);

/* The body of POST /servers: a new reference. `network` and `ssh_key` may be NULL. */
json_t *gl_hetzner_create_body(const struct gl_launch *launch, const char *image,
                               const char *user_data, const char *network, const char *ssh_key);
/* false when it is none of ours or makes no sense. */
bool gl_hetzner_read_server(const json_t *server, struct gl_instance *out);
/* 1 under way, 0 done, -1 failed with the code of its own error. */
int gl_hetzner_read_action(const json_t *action, struct gl_error *err);
bool gl_hetzner_read_image(const json_t *image, const char *region, struct gl_cloud_image *out);
/* The token of the active context in hcloud's cli.toml, or of `context`; false when none. */
bool gl_hetzner_config_token(const char *text, const char *context, char out[256]);

/* Rows of GET /pricing, /server_types and /locations. */
void gl_hetzner_read_pricing(const json_t *answer, struct gl_catalog *catalog);
void gl_hetzner_read_types(const json_t *answer, struct gl_catalog *catalog);
/* What GET /server_types?name= says of one type in one location: 1 offered, 0 not now, -1 no such
 * type there. */
int gl_hetzner_read_offer(const json_t *answer, const char *region, const char *type);
/* The page after this one; 0 when it is the last. */
int64_t gl_hetzner_next_page(const json_t *answer);

#endif
