/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_KUBERNETES_H
#define GL_PROVIDERS_KUBERNETES_H

/* What the files of the Kubernetes adapter share; only gl_kubernetes_host() is for others. An
 * instance is a batch/v1 Job of one pod, named after the attempt; its id is "REGION/JOB", the
 * namespace is the account's. https://kubernetes.io/docs/reference/kubernetes-api/
 *
 * Made in an order that leaves nothing at any instant: the Job suspended, then its Secret, which
 * belongs to the Job and goes with it, then the Job is let go. A Job that was never let go runs
 * nothing and costs nothing: whoever meets it by its token removes it. */

#include "providers/cloud/catalog.h"
#include "providers/cloud/kubernetes_config.h"
#include "providers/cloud/remote.h"

#define GL_KUBERNETES_REGION "topology.kubernetes.io/region"
#define GL_KUBERNETES_ZONE   "topology.kubernetes.io/zone"
#define GL_KUBERNETES_TYPE   "node.kubernetes.io/instance-type"
#define GL_KUBERNETES_ANY    "any" /* type, where nodes may not be listed */
#define GL_KUBERNETES_PAGE   "250"
#define GL_KUBERNETES_STOPS  1 /* activeDeadlineSeconds of a pod that is to end now */

struct gl_kubernetes {
    struct gl_remote remote; /* first */
    struct gl_kubernetes_config config;
    char server[256], space[64];
    const char *image, *zone, *host, *regions, *security, *service_account, *pull_secret;
    const char *node_label;  /* "name=value", NULL = none */
    int64_t price_u_usd;     /* of the setting; GL_UNKNOWN */
    int64_t schedule_wait_s; /* for a node, then CAPACITY */
    json_t *nodes;           /* {"NAME": {region, zone, type, host}}; NULL = not asked yet */
    bool is_forbidden;       /* nodes may not be listed: the setting `regions` holds */
    json_t *names;           /* of region_list */
    const char **region_list, **type_list;
};

static inline struct gl_kubernetes *gl_kubernetes_of(struct gl_cloud *cloud)
{
    return (struct gl_kubernetes *)cloud;
}

/* Whose region names these are ("aws", "gcp", "azure" ...): the setting `cloud`, else what the
 * nodes' providerID says; "" when neither tells. So that a region finds its grid zone. `cloud` must
 * be a Kubernetes one. Borrowed until close. */
int gl_kubernetes_host(struct gl_cloud *cloud, const char **out, struct gl_error *err);

/* A call below the namespace, as in ("batch/v1", "jobs/%s"); core objects have the API "v1". */
void gl_kubernetes_call(const struct gl_kubernetes *kubernetes, struct gl_remote_call *call,
                        const char *api, const char *path, ...)
    __attribute__((format(printf, 4, 5)));
/* A merge patch (RFC 7386). */
void gl_kubernetes_patch(struct gl_remote_call *call, const json_t *body);
/* Every page of a list; begins anew when the server has forgotten where we were (410), `fresh` is
 * told so. `call` is a GET without limit and continue, which it consumes. */
struct gl_kubernetes_listing {
    int (*read)(void *cookie, const json_t *item, struct gl_error *err);
    void (*fresh)(void *cookie);
    void *cookie;
};
int gl_kubernetes_each(struct gl_kubernetes *kubernetes, const char *api, const char *path,
                       const char *selector, const struct gl_kubernetes_listing *listing,
                       struct gl_error *err);
/* One Job: a new reference, or NULL: NOT_FOUND, TOKEN when it is not ours. */
json_t *gl_kubernetes_job(struct gl_kubernetes *kubernetes, const char *name, struct gl_error *err);
/* Its pod into *out (a new reference; NULL = there is none). */
int gl_kubernetes_pod(struct gl_kubernetes *kubernetes, const json_t *job, json_t **out,
                      struct gl_error *err);
/* Remove a Job and all that belongs to it, if it is still this one; and, with `version`, still as
 * it was seen. 1 removed, 0 it is gone or has changed, -1. */
int gl_kubernetes_remove(struct gl_kubernetes *kubernetes, const json_t *job, bool is_unchanged,
                         struct gl_error *err);

/* UNKNOWN_NAME when no node has that region and type. */
int gl_kubernetes_check_place(struct gl_kubernetes *kubernetes, const char *region,
                              const char *type, struct gl_error *err);
int gl_kubernetes_check_price(struct gl_kubernetes *kubernetes, const struct gl_launch *launch,
                              struct gl_error *err);

/* Would the namespace take the pod of a launch? Its quotas, limits and admission rules meet pods,
 * not Jobs. Makes nothing; 0 also where it may not be asked. QUOTA, PERMISSION, BAD_VALUE. */
int gl_kubernetes_try_pod(struct gl_kubernetes *kubernetes, const struct gl_launch *launch,
                          struct gl_error *err);

/* ---- operations of the contract ---- */

int gl_kubernetes_regions(struct gl_cloud *cloud, const char *const **out, struct gl_error *err);
int gl_kubernetes_types(struct gl_cloud *cloud, const char *region, const char *const **out,
                        struct gl_error *err);
int gl_kubernetes_price(struct gl_cloud *cloud, const char *region, const char *type, int64_t *out,
                        struct gl_error *err);
int gl_kubernetes_launch(struct gl_cloud *cloud, const struct gl_launch *launch,
                         struct gl_instance *out, struct gl_error *err);
int gl_kubernetes_describe(struct gl_cloud *cloud, const char *id, struct gl_instance *out,
                           struct gl_error *err);
int gl_kubernetes_find(struct gl_cloud *cloud, const char *region, const char *token,
                       struct gl_instance *out, struct gl_error *err);
int gl_kubernetes_list(struct gl_cloud *cloud, struct gl_instance **out, size_t *out_count,
                       struct gl_error *err);
int gl_kubernetes_stop(struct gl_cloud *cloud, const char *id, struct gl_span wait,
                       struct gl_error *err);
int gl_kubernetes_terminate(struct gl_cloud *cloud, const char *id, struct gl_error *err);
int gl_kubernetes_console(struct gl_cloud *cloud, const char *id, uint64_t offset,
                          struct gl_str *out, uint64_t *out_next, struct gl_error *err);
int gl_kubernetes_check(struct gl_cloud *cloud, const struct gl_launch *launch,
                        struct gl_error *err);
extern const struct gl_catalog_ops gl_kubernetes_catalog;

/* ---- pure: what is sent (kubernetes_body.c, kubernetes_script.c) ---- */

/* BAD_VALUE for what the API would refuse, or, an older one, drop. */
int gl_kubernetes_check_launch(const struct gl_kubernetes *kubernetes,
                               const struct gl_launch *launch, struct gl_error *err);
json_t *gl_kubernetes_job_body(const struct gl_kubernetes *kubernetes,
                               const struct gl_launch *launch);
/* Did the server keep what makes a launch safe: place, deadlines, no second try? */
int gl_kubernetes_check_kept(json_t *job, const struct gl_launch *launch, struct gl_error *err);
/* Is a pod held in the region, as far as the pod and the known nodes tell? What changes pods is not
 * seen in their Job. */
int gl_kubernetes_check_pod(const struct gl_kubernetes *kubernetes, const json_t *pod,
                            const char *region, struct gl_error *err);
/* The Secret with the script, the meter, the command and the enrolment token; wipe it after use.
 * NULL: TOO_LARGE, BAD_VALUE, IO. */
json_t *gl_kubernetes_secret_body(const struct gl_launch *launch, const json_t *job,
                                  struct gl_error *err);
/* Would it be made? */
int gl_kubernetes_check_secret(const struct gl_launch *launch, struct gl_error *err);
/* What the container runs; the files are beside it. */
void gl_kubernetes_script(const struct gl_launch *launch, struct gl_str *out);
/* What the command's shell runs. */
void gl_kubernetes_command(const char *const *command, struct gl_str *out);

/* ---- pure: what is read (kubernetes_wire.c) ---- */

extern const struct gl_remote_rule gl_kubernetes_rules[];
bool gl_kubernetes_read_error(const struct gl_http_reply *reply, struct gl_remote_word *out);
/* A Job and its pod (NULL = none); false when it is not ours. */
bool gl_kubernetes_read_instance(const json_t *job, const json_t *pod, struct gl_instance *out);
/* Does the Job wait to be let go for the first time? */
bool gl_kubernetes_is_unstarted(const json_t *job);
/* 1 it has a node, 0 not yet, -1 the scheduler says that there is none; its words into `out`. */
int gl_kubernetes_read_place(const json_t *pod, char out[200]);
/* A quantity ("100m", "2", "1.5Gi") in thousandths; false when it is none.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
bool gl_kubernetes_quantity(const char *text, int64_t *out_milli);

#endif
