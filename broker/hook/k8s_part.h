/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_K8S_PART_H
#define GL_BROKER_HOOK_K8S_PART_H

/* The parts of k8s.h. */

#include "broker/hook/k8s.h"
#include "broker/hook/reader_part.h"

#define GL_K8S_VIRT "kubevirt.io"

/* What a kind is to this reader. */
enum gl_k8s_what {
    GL_K8S_WORKLOAD,
    GL_K8S_SCALER,
    GL_K8S_NODEPOOL,
    GL_K8S_MACHINES,       /* of Cluster API: type and region are elsewhere */
    GL_K8S_INFRASTRUCTURE, /* says a machine type for others */
    GL_K8S_CLUSTER,        /* says a region for others */
};

/* Paths are names with dots below the object; of an operator's object that starts several sets of
 * pods, with a row each, below the set, unless they begin with '/'. */
struct gl_k8s_kind {
    const char *kind, *group; /* group "apps" of "apps/v1"; "" = core */
    enum gl_k8s_what what;
    enum gl_role role;
    const char *within;     /* the set, below the object; NULL = the object is it */
    const char *each;       /* it is a list or a map of sets, whose names stand there; "" = they are
                               its keys; NULL = it is one */
    const char *pod;        /* spec of its pods, or requirements of its nodes; NULL */
    const char *nodes;      /* what else holds their selector and affinity; NULL */
    const char *base;       /* below the object: what holds those of all sets; NULL */
    const char *asks;       /* what they ask for beside the spec; NULL */
    const char *engines;    /* what has containers as members under any name; NULL */
    const char *count;      /* NULL = one, or not said */
    int64_t standard;       /* when the count is not written; GL_UNKNOWN */
    const char *times;      /* pods of each of the count; NULL = one */
    const char *most;       /* never more of the count at once; NULL */
    const char *plus;       /* pods beside the count, of the same spec; NULL = none */
    const char *doubled[2]; /* there: twice as many run while a new version replaces the old */
    const char *single;     /* true or "None": they do not; NULL */
    const char *steps;      /* list of those of the change; NULL */
    const char *step;       /* how many new ones it may have in one of them, below the item */
    const char *one_of;     /* there: one pod of each is of a set of its own; NULL */
    const char *min;        /* at least so many, whatever the count; NULL */
    const char *max;        /* of a scaler or node pool: bounds; of a set, if it scales; NULL */
    const char *scales;   /* below the object: there, and not false, it does; NULL = it does not */
    const char *scaled;   /* name of the only set whose count a scaler changes; NULL = of all */
    int64_t max_standard; /* when not written, of a set beside the least; 0 = unknown */
    bool is_zero_open;    /* a most of 0 is none */
    const char *annotations;     /* those by which Knative scales it; NULL */
    const char *duration;        /* seconds; NULL */
    const char *suspend;         /* below the object: true: not running; NULL */
    const char *opaque;          /* there: it may say otherwise, whatever else is written; NULL */
    const char *const *settings; /* keys of it begin so, NULL last, where not all of it may; NULL */
    const char *like;            /* reference to the object whose pods it runs instead; NULL */
    const char *reference;       /* object with kind and name that it is about; NULL */
    const char *value;           /* machine type, region or control plane it says; NULL */
    const char *cloud;           /* NULL = not said by the kind */
    const char *note;            /* NULL */
    const char *told;            /* of the whole input, once; NULL */
};
/* k8s_operator.c: kinds whose operators start sets of pods; the last has no name. */
extern const struct gl_k8s_kind gl_k8s_operators[];
const struct gl_k8s_kind *gl_k8s_kind_of(const char *kind, const char *group);
/* The next row of the same kind; NULL. */
const struct gl_k8s_kind *gl_k8s_kind_after(const struct gl_k8s_kind *kind);

/* What joins need to know of an object. */
struct gl_k8s_known {
    const struct gl_k8s_kind *kind;
    const char *object_kind;
    const char *namespace, *name;          /* "" = none */
    const char *target_kind, *target_name; /* of `reference`; NULL */
    const char *cluster;                   /* name; NULL */
    const char *value;                     /* NULL */
    int64_t max;                           /* of a pool of machines that scales; GL_UNKNOWN */
    int64_t each, beside;                  /* pods of each of the count, and others; GL_UNKNOWN */
    int64_t peak;                          /* how often all of them run at most: 1 or 2 */
    const char *like_kind, *like_name;     /* of `like`; NULL */
    bool is_moved;                         /* `like` is scaled down meanwhile */
    size_t intent;                         /* number + 1; 0 = none */
};

struct gl_k8s {
    const struct gl_hook_options *options;
    struct gl_hook_plan *plan;
    const char *document;
    struct gl_arena work;
    struct gl_k8s_known *known;
    size_t known_count, object_count, first; /* intent of the plan */
    struct gl_reader_index by_name;          /* "namespace|kind|name" -> known */
    struct gl_reader_index addresses;
    bool is_told; /* `told` of a kind */
};

/* k8s_scale.c. Every set of pods of what it scales, in its own input; what is not there is left to
 * the others. */
void gl_k8s_scale(struct gl_k8s *k8s, const struct gl_k8s_known *scaler);
/* Its pods are those of another workload. */
void gl_k8s_join_pods(struct gl_k8s *k8s, const struct gl_k8s_known *known);
/* For scalers of other inputs. */
void gl_k8s_leave(struct gl_k8s *k8s, const struct gl_k8s_known *known, bool is_alone);

/* So many pods: GL_UNKNOWN when one of the numbers is, or when nobody has that many. */
int64_t gl_k8s_pods(int64_t count, int64_t each, int64_t beside);

/* Member at "a.b" below `node`; NULL. */
const struct gl_jnode *gl_k8s_at(const struct gl_jtree *tree, const struct gl_jnode *node,
                                 const char *path);
const char *gl_k8s_text(const struct gl_jtree *tree, const struct gl_jnode *node, const char *path);
/* The same, and a word as labels, regions and machine types are: NULL for a placeholder such as
 * "${REGION}" that something fills in later. */
const char *gl_k8s_word(const struct gl_jtree *tree, const struct gl_jnode *node, const char *path);

/* One object, or a set of it. */
struct gl_k8s_object {
    const struct gl_jtree *tree;
    const struct gl_jnode *node, *whole; /* a set of it is a part */
    const char *kind, *group, *namespace, *name;
};

/* k8s_count.c. Paths are below the object, with "/" before them below the whole; NULL = nothing. */
const struct gl_jnode *gl_k8s_member(const struct gl_k8s_object *object, const char *path);
/* GL_UNKNOWN when it is none, or too many. */
int64_t gl_k8s_number(const struct gl_k8s_object *object, const char *path, bool *out_is_said);
/* Pods of each of the count, GL_UNKNOWN; those beside the count; 2 where twice as many run while a
 * new version comes, else 1. */
int64_t gl_k8s_pods_each(const struct gl_k8s_object *object, const struct gl_k8s_kind *kind);
int64_t gl_k8s_pods_beside(const struct gl_k8s_object *object, const struct gl_k8s_kind *kind);
int64_t gl_k8s_peak(const struct gl_k8s_object *object, const struct gl_k8s_kind *kind);
/* How many a kind says. */
void gl_k8s_set_count(struct gl_k8s *k8s, const struct gl_k8s_object *object,
                      const struct gl_k8s_kind *kind, struct gl_intent_count *out);
/* Machines of Cluster API that the cluster's autoscaler may grow. */
void gl_k8s_set_autoscaled(const struct gl_k8s_object *object, struct gl_intent_count *out);
/* The number of pods that Knative's annotations say; what they do not say is left. */
void gl_k8s_knative_count(const struct gl_jtree *tree, const struct gl_jnode *annotations,
                          struct gl_intent_count *out);
/* A pool grows with what is asked of it, up to its limit of vCPUs. */
void gl_k8s_set_pool_count(const struct gl_k8s_object *object, const struct gl_k8s_kind *kind,
                           struct gl_intent_count *out);

/* k8s_others.c: does an object of a kind that is not known look as if it started pods or machines?
 */
bool gl_k8s_is_suspect(const struct gl_jtree *tree, const struct gl_jnode *object, const char *kind,
                       const char *group);
/* The row of Terraform's resource that such an object is made of; NULL. */
const struct gl_mapping_row *gl_k8s_generated_row(struct gl_k8s *k8s, const char *kind,
                                                  const char *group);

/* k8s_pod.c: what the pods of a spec ask for, and which nodes they (or a node pool) may be. */
void gl_k8s_requests(const struct gl_k8s_object *object, const struct gl_k8s_kind *kind,
                     struct gl_arena *arena, struct gl_intent *out);
void gl_k8s_nodes(const struct gl_k8s *k8s, const struct gl_k8s_object *object,
                  const struct gl_k8s_kind *kind, struct gl_intent *out);
/* k8s_place.c: the cloud that has such a region, zone or machine type; NULL when none or several
 * have. */
const char *gl_k8s_cloud_of_type(const char *type);
const char *gl_k8s_cloud_of_region(const char *region);
/* The region of a zone: by the rule of `cloud`, or, when NULL, of the only cloud that has it, which
 * *out_cloud then is. NULL = not known. */
const char *gl_k8s_region_of_zone(const struct gl_k8s *k8s, const char *cloud, const char *zone,
                                  const char **out_cloud);

#endif
