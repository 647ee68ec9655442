/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/k8s_part.h"

#include <string.h>

/* Of what others are made with; workloads may have the same kind and name. */
static const struct gl_k8s_known *find(const struct gl_k8s *k8s, const char *namespace,
                                       const char *kind, const char *name)
{
    GL_AUTO(gl_str_done) struct gl_str key = {0};
    size_t cursor = 0, number;

    if (kind == NULL || name == NULL)
        return NULL;
    gl_str_addf(&key, "%s|%s|%s", namespace, kind, name);
    while (gl_reader_index_next(&k8s->by_name, gl_str_text(&key), &cursor, &number))
        if (k8s->known[number].kind->what != GL_K8S_WORKLOAD)
            return &k8s->known[number];
    return NULL;
}

static struct gl_intent *intent_of(const struct gl_k8s *k8s, const struct gl_k8s_known *known)
{
    return known != NULL && known->intent > 0 ? &k8s->plan->intents[known->intent - 1] : NULL;
}

/* A node class is of no namespace, and may not be in this input: its kind says the cloud. */
static void join_node_class(struct gl_k8s *k8s, const struct gl_k8s_known *pool)
{
    static const char *const groups[] = {"karpenter.k8s.aws", "eks.amazonaws.com",
                                         "karpenter.azure.com", "karpenter.k8s.gcp"};
    struct gl_intent *intent = intent_of(k8s, pool);

    for (size_t i = 0; pool->target_kind != NULL && i < sizeof groups / sizeof groups[0]; i++) {
        const struct gl_k8s_kind *kind = gl_k8s_kind_of(pool->target_kind, groups[i]);

        if (kind != NULL && intent->cloud == NULL)
            intent->cloud = kind->cloud;
    }
}

/* An object of a cloud that says a region: of that name. */
static const struct gl_k8s_known *find_region(const struct gl_k8s *k8s, const char *namespace,
                                              const char *name)
{
    for (size_t i = 0; name != NULL && i < k8s->known_count; i++) {
        const struct gl_k8s_known *known = &k8s->known[i];

        if (known->kind->what == GL_K8S_CLUSTER && known->kind->cloud != NULL &&
            known->value != NULL && strcmp(known->name, name) == 0 &&
            strcmp(known->namespace, namespace) == 0)
            return known;
    }
    return NULL;
}

/* A control plane does not name its cluster; the cluster names it. */
static const struct gl_k8s_known *find_owner(const struct gl_k8s *k8s,
                                             const struct gl_k8s_known *machines)
{
    if (machines->cluster != NULL)
        return find(k8s, machines->namespace, "Cluster", machines->cluster);
    for (size_t i = 0; i < k8s->known_count; i++) {
        const struct gl_k8s_known *known = &k8s->known[i];

        if (known->kind->what == GL_K8S_CLUSTER && known->kind->cloud == NULL &&
            known->value != NULL && strcmp(known->value, machines->name) == 0 &&
            strcmp(known->namespace, machines->namespace) == 0)
            return known;
    }
    return NULL;
}

/* The cluster object names the one that says the region, or its control plane does; else both are
 * of one name. */
static const struct gl_k8s_known *find_cluster(const struct gl_k8s *k8s,
                                               const struct gl_k8s_known *machines)
{
    const struct gl_k8s_known *cluster = find_owner(k8s, machines), *found;

    if (cluster == NULL)
        return find_region(k8s, machines->namespace, machines->cluster);
    found = find(k8s, cluster->namespace, cluster->target_kind, cluster->target_name);
    return found != NULL && found->value != NULL
               ? found
               : find_region(k8s, cluster->namespace, cluster->value);
}

static void join_machines(struct gl_k8s *k8s, const struct gl_k8s_known *machines)
{
    struct gl_arena *arena = &k8s->plan->arena;
    struct gl_intent *intent = intent_of(k8s, machines);
    const struct gl_k8s_known *type =
        find(k8s, machines->namespace, machines->target_kind, machines->target_name);
    const struct gl_k8s_known *cluster = find_cluster(k8s, machines);
    const struct gl_k8s_kind *kind =
        machines->target_kind != NULL
            ? gl_k8s_kind_of(machines->target_kind, "infrastructure.cluster.x-k8s.io")
            : NULL;

    if (kind != NULL)
        intent->cloud = kind->cloud;
    if (type != NULL && type->value != NULL) {
        intent->machine.type = intent->machine.catalogue = type->value;
        intent->machine.surety = GL_SURE_HIGH;
        intent->machine.how = gl_reader_say(arena, "%s/%s", type->kind->kind, type->name);
    }
    if (type != NULL && intent->count.max != GL_UNKNOWN && type->max > intent->count.max)
        intent->count.max = type->max;
    if (intent->place.region == NULL && cluster != NULL && cluster->value != NULL)
        gl_reader_set_place(arena, &intent->place, cluster->value, "parent", GL_SURE_HIGH,
                            gl_reader_say(arena, "%s/%s", cluster->kind->kind, cluster->name));
}

void gl_k8s_finish(struct gl_k8s *k8s)
{
    struct gl_hook_plan *plan = k8s->plan;

    for (size_t i = 0; i < k8s->known_count; i++) {
        const struct gl_k8s_known *known = &k8s->known[i];

        if (known->kind->what == GL_K8S_NODEPOOL)
            join_node_class(k8s, known);
        else if (known->kind->what == GL_K8S_MACHINES)
            join_machines(k8s, known);
        else if (known->like_kind != NULL && known->like_name != NULL && known->intent > 0)
            gl_k8s_join_pods(k8s, known);
    }
    for (size_t i = 0; i < k8s->known_count; i++)
        if (k8s->known[i].kind->what == GL_K8S_SCALER)
            gl_k8s_scale(k8s, &k8s->known[i]);
        else if (k8s->known[i].intent > 0)
            gl_k8s_leave(k8s, &k8s->known[i], false);
    for (size_t i = k8s->first; i < plan->count; i++) {
        plan->intents[i].is_launch = gl_reader_is_launch(&plan->intents[i]);
        plan->launches += plan->intents[i].is_launch;
    }
}
