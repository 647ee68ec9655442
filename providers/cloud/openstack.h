/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_OPENSTACK_H
#define GL_PROVIDERS_OPENSTACK_H

/* What the files of the OpenStack adapter share; nobody else includes this. Compute v2.1 up to
 * microversion 2.90, image v2, network v2.0, identity v3: https://docs.openstack.org/api-ref/
 * Nova has no create token: two equal requests make two servers. So a server is looked for by name
 * and labels before and after it is made, and nothing is sent twice. */

#include "providers/cloud/catalog.h"
#include "providers/cloud/openstack_credential.h"
#include "providers/cloud/remote.h"

#define GL_OPENSTACK_PLACES    64
#define GL_OPENSTACK_REGION    27     /* so that "REGION/UUID" fits an id */
#define GL_OPENSTACK_USER_DATA 65535  /* characters of base64 */
#define GL_OPENSTACK_CONSOLE   102400 /* nova shows so many last bytes */

/* A region of the catalogue. Its addresses are told by keystone, and by nobody else. */
struct gl_openstack_place {
    char region[GL_OPENSTACK_REGION];
    char compute[300], image[300], network[300]; /* without the last slash; "" = none */
    int minor;          /* compute microversion 2.minor that is spoken; 1 = none, -1 = not asked */
    json_t *flavors;    /* {"m1.small": {"id","vcpus","ram","disk"}}; NULL = not asked */
    const char **types; /* NULL-terminated, into flavors */
    char image_id[64], network_id[64]; /* of the settings; "" = not looked up */
};

/* What the console of an instance ended with, as far as it was handed out. */
struct gl_openstack_tail {
    char id[GL_CLOUD_ID];
    uint64_t next;
    char text[256];
    size_t length;
};

struct gl_openstack {
    struct gl_remote remote; /* first */
    struct gl_openstack_credential credential;
    struct gl_openstack_place places[GL_OPENSTACK_PLACES];
    size_t place_count; /* 0 = not known yet */
    const char *names[GL_OPENSTACK_PLACES + 1];
    const char *image, *network, *keypair, *security_group, *zone, *region,
        *price; /* settings, borrowed */
    char *kept; /* the settings' copies */
    struct gl_openstack_tail tail;
};

static inline struct gl_openstack *gl_openstack_of(struct gl_cloud *cloud)
{
    return (struct gl_openstack *)cloud;
}

/* A server with what the contract has no room for. */
struct gl_openstack_server {
    struct gl_instance instance;
    bool is_error; /* failed, and there still */
    bool has_run;
    bool is_busy; /* a task is under way */
    bool is_kept; /* deleted, and kept a while by its operator */
    char fault[320];
};
struct gl_openstack_servers {
    struct gl_openstack_server *rows; /* free() */
    size_t count, capacity;
};

/* ---- openstack_place.c: where things are ---- */

/* Begin an operation: a token is there and the regions are known afterwards. */
int gl_openstack_begin(struct gl_openstack *os, int64_t deadline_ms, struct gl_error *err);
/* A region whose compute API has been asked for its version. UNKNOWN_NAME. After begin. */
int gl_openstack_place(struct gl_openstack *os, const char *region, struct gl_openstack_place **out,
                       struct gl_error *err);
/* The same of all regions at once, or of one (NULL = all): those not answering stay at -1. */
void gl_openstack_ask_versions(struct gl_openstack *os, const char *region);
/* Ask for the version: is_open, any status is an answer. */
void gl_openstack_version_call(const struct gl_openstack_place *place, struct gl_remote_call *call);
void gl_openstack_version_read(struct gl_openstack_place *place, const struct gl_remote_call *call);
/* Take the regions of the token's catalogue, once. */
int gl_openstack_take_places(struct gl_openstack *os, struct gl_error *err);
/* {"id","vcpus","ram","disk"} of a flavor; borrowed. UNKNOWN_NAME. */
int gl_openstack_flavor(struct gl_openstack *os, struct gl_openstack_place *place, const char *type,
                        const json_t **out, struct gl_error *err);
/* Of a page of flavors: add them to place->flavors; the marker of the next page, "" at the end. */
int gl_openstack_read_flavors(struct gl_openstack_place *place, const json_t *page,
                              char out_marker[256], struct gl_error *err);
void gl_openstack_flavors_call(const struct gl_openstack_place *place, const char *marker,
                               struct gl_remote_call *call);
/* Id of the image to start from, and of the network ("auto", "none" or an id; "" = say nothing). */
int gl_openstack_image_of(struct gl_openstack *os, struct gl_openstack_place *place,
                          const struct gl_launch *launch, char out[64], struct gl_error *err);
int gl_openstack_network_of(struct gl_openstack *os, struct gl_openstack_place *place, char out[64],
                            struct gl_error *err);

/* ---- openstack_call.c ---- */

enum gl_openstack_service { GL_OPENSTACK_COMPUTE, GL_OPENSTACK_IMAGE, GL_OPENSTACK_NETWORK };
/* A call below the service's address; fails in sending when the region has no such service. */
void gl_openstack_call(const struct gl_openstack_place *place, struct gl_remote_call *call,
                       enum gl_openstack_service service, const char *method, const char *path, ...)
    __attribute__((format(printf, 5, 6)));
/* Send it and take the answer as JSON, or not look at it; call is done afterwards. A token that
 * keystone has just given and a service refuses is PERMISSION. */
json_t *gl_openstack_ask(struct gl_openstack *os, struct gl_remote_call *call,
                         struct gl_error *err);
int gl_openstack_tell(struct gl_openstack *os, struct gl_remote_call *call, struct gl_error *err);
/* Make an error of a call say what it is; for calls that were sent together. */
void gl_openstack_explain(const struct gl_openstack *os, struct gl_error *err);
/* "REGION/UUID" -> place and uuid. NOT_FOUND when it is not so formed or of no region we know. */
int gl_openstack_id(struct gl_openstack *os, const char *id, struct gl_openstack_place **out_place,
                    const char **out_uuid, struct gl_error *err);
bool gl_openstack_is_uuid(const char *text);

/* ---- operations of the contract ---- */

int gl_openstack_regions(struct gl_cloud *cloud, const char *const **out, struct gl_error *err);
int gl_openstack_types(struct gl_cloud *cloud, const char *region, const char *const **out,
                       struct gl_error *err);
int gl_openstack_price(struct gl_cloud *cloud, const char *region, const char *type, int64_t *out,
                       struct gl_error *err);
/* By the setting; GL_UNKNOWN when it does not name the flavor, or no plain decimal. */
int64_t gl_openstack_price_of(const struct gl_openstack *os, const char *type);
/* Can the cap be kept? PRICE. */
int gl_openstack_check_price(const struct gl_openstack *os, const struct gl_launch *launch,
                             struct gl_error *err);
int gl_openstack_check(struct gl_cloud *cloud, const struct gl_launch *launch,
                       struct gl_error *err);
int gl_openstack_launch(struct gl_cloud *cloud, const struct gl_launch *launch,
                        struct gl_instance *out, struct gl_error *err);
int gl_openstack_describe(struct gl_cloud *cloud, const char *id, struct gl_instance *out,
                          struct gl_error *err);
int gl_openstack_find(struct gl_cloud *cloud, const char *region, const char *token,
                      struct gl_instance *out, struct gl_error *err);
int gl_openstack_list(struct gl_cloud *cloud, struct gl_instance **out, size_t *out_count,
                      struct gl_error *err);
int gl_openstack_stop(struct gl_cloud *cloud, const char *id, struct gl_span wait,
                      struct gl_error *err);
int gl_openstack_terminate(struct gl_cloud *cloud, const char *id, struct gl_error *err);
int gl_openstack_halt(struct gl_cloud *cloud, const char *id, struct gl_error *err);
int gl_openstack_start(struct gl_cloud *cloud, const char *id, struct gl_error *err);
int gl_openstack_console(struct gl_cloud *cloud, const char *id, uint64_t offset,
                         struct gl_str *out, uint64_t *out_next, struct gl_error *err);
int gl_openstack_image_create(struct gl_cloud *cloud, const char *id, const char *name,
                              struct gl_cloud_image *out, struct gl_error *err);
int gl_openstack_image_copy(struct gl_cloud *cloud, const char *image, const char *region,
                            const char *name, struct gl_cloud_image *out, struct gl_error *err);
int gl_openstack_image_look(struct gl_cloud *cloud, const char *image, struct gl_cloud_image *out,
                            struct gl_error *err);
int gl_openstack_image_delete(struct gl_cloud *cloud, const char *image, struct gl_error *err);
int gl_openstack_image_find(struct gl_cloud *cloud, const char *id, const char *region,
                            const char *name, struct gl_cloud_image *out, struct gl_error *err);
extern const struct gl_catalog_ops gl_openstack_catalog;

/* ---- openstack_search.c ---- */

/* Every server of ours in a region (NULL = all, asked at once) whose name fits the regular
 * expression. -1 unless all have answered. */
int gl_openstack_search(struct gl_openstack *os, const char *region, const char *name,
                        struct gl_openstack_servers *out, struct gl_error *err);
/* The one that counts of a token, the failed ones aside: index, or -1 when there is none. */
int gl_openstack_best(const struct gl_openstack_servers *servers, const char *token);
/* Delete all others of the token; what cannot be ended now is seen by whoever looks next. */
void gl_openstack_end_others(struct gl_openstack *os, const struct gl_openstack_servers *servers,
                             const char *token, const char *best);
/* NOT_FOUND when there is none; TOKEN when it is not ours. */
int gl_openstack_look(struct gl_openstack *os, struct gl_openstack_place *place, const char *uuid,
                      struct gl_openstack_server *out, struct gl_error *err);
/* Delete and wait until it is proven gone; one that fails at it is deleted again. */
int gl_openstack_remove(struct gl_openstack *os, struct gl_openstack_place *place, const char *uuid,
                        struct gl_error *err);

/* ---- pure: openstack_wire.c ---- */

extern const struct gl_remote_rule gl_openstack_rules[];
bool gl_openstack_read_error(const struct gl_http_reply *reply, struct gl_remote_word *out);
/* The code of a server's fault; LAUNCH when it is none we know. */
enum gl_errc gl_openstack_fault_code(const char *text, enum gl_reach *out_reach);
/* The regions of a catalogue (with the public interface, addresses that may be trusted), those of
 * `only` (NULL = all), `first` at the head. Returns how many have a compute service. */
size_t gl_openstack_read_places(const json_t *catalog, const char *only, const char *first,
                                struct gl_openstack_place out[GL_OPENSTACK_PLACES]);
/* N of the microversion 2.N to speak, by the document at the root of the API: 90 at most, 1 when
 * there are none or too old ones for "networks": "auto" (37). */
int gl_openstack_minor(const json_t *versions);
/* The root of a compute address: what stands before "/v2..." */
size_t gl_openstack_root(const char *compute);
struct gl_openstack_body {
    const struct gl_launch *launch;
    const char *flavor, *image, *network, *user_data; /* network "" = none is said */
    const char *keypair, *security_group, *zone;      /* NULL = none */
};
/* Body of a create. */
json_t *gl_openstack_server_body(const struct gl_openstack_body *wanted);
/* A server as the API shows it; false when it is not ours. `flavors` (may be NULL) names flavors
 * where the answer has ids only. */
bool gl_openstack_read_server(const json_t *from, const char *region, json_t *flavors,
                              struct gl_openstack_server *out);

#endif
