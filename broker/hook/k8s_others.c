/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/k8s_part.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Kinds that this reader has no row of its own for. */

/* ---- do they start anything? ---- */

static bool is_among(const char *text, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(text, *list) == 0)
            return true;
    return false;
}

/* Objects of Kubernetes itself that only look like it: definitions, classes of nodes. */
static bool is_own_group(const char *group)
{
    static const char *const own[] = {"apiextensions.k8s.io", "node.k8s.io", "resource.k8s.io",
                                      NULL};

    return strchr(group, '.') == NULL || is_among(group, own);
}

/* Work by its name: runs of something, and requests for machines (ProvisioningRequest). */
static bool is_named_work(const char *kind)
{
    static const char *const ends[] = {"Job", "Workflow", "Run", "ProvisioningRequest", "Shoot"};
    size_t length = strlen(kind);

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (length >= strlen(ends[i]) && strcmp(kind + length - strlen(ends[i]), ends[i]) == 0)
            return true;
    return false;
}

/* Does it ask for more than room on a disk? */
static bool asks_for_pods(const struct gl_jtree *tree, const struct gl_jnode *resources)
{
    static const char *const parts[] = {"requests", "limits"};

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const struct gl_jnode *asked = gl_jnode_get(tree, resources, parts[i]);

        if (gl_jnode_is(asked, GL_JOBJECT) && asked->count > 0 &&
            (asked->count > 1 || gl_jnode_get(tree, asked, "storage") == NULL))
            return true;
    }
    return false;
}

/* A member by which an object of an operator tells that it starts pods or machines: steps of a
 * workflow or a pipeline have an image each, databases and brokers so many replicas, and machines
 * of a cloud (Crossplane, Config Connector, ACK) a type. */
static bool starts_pods(const struct gl_jtree *tree, const struct gl_jnode *member)
{
    static const char *const texts[] = {"image",
                                        "instanceType",
                                        "machineType",
                                        "vmSize",
                                        "instanceClass",
                                        "nodeType",
                                        "dbInstanceClass",
                                        "cacheNodeType",
                                        "dbClusterInstanceClass",
                                        "hostInstanceType",
                                        NULL};
    static const char *const counts[] = {
        "replicas",        "instances",   "numberOfInstances", "nodeCount",
        "workers",         "parallelism", "minSize",           "clusterSize",
        "desiredCapacity", "shardsCount", "replicasCount",     "replicaCount",
        "numNodes",        "maxReplicas", "maxReplicaCount",   NULL};
    int64_t size;
    const char *key = gl_jnode_key(tree, member);

    if (strcmp(key, "scaleTargetRef") == 0) /* an autoscaler that is not known */
        return member->kind == GL_JOBJECT;
    if (strcmp(key, "nodeSelector") == 0)
        return gl_jnode_is(member, GL_JOBJECT) && member->count > 0;
    if (strcmp(key, "resources") == 0)
        return asks_for_pods(tree, member);
    if (strcmp(key, "size") == 0) /* of a cluster; of keys and caches it is larger */
        return gl_jnode_int(tree, member, &size) && size > 0 && size <= 100 &&
               member->kind == GL_JNUMBER;
    return (gl_jnode_text(tree, member) != NULL && is_among(key, texts)) ||
           (member->kind == GL_JNUMBER && is_among(key, counts));
}

bool gl_k8s_is_suspect(const struct gl_jtree *tree, const struct gl_jnode *object, const char *kind,
                       const char *group)
{
    const struct gl_jnode *end = tree->nodes + object->end;
    bool is_own = is_own_group(group);

    if (!is_own && is_named_work(kind))
        return true;
    for (const struct gl_jnode *node = object + 1; node < end; node++) {
        if (node->key_length == 0)
            continue;
        if (node->kind == GL_JARRAY && node->count > 0 &&
            strcmp(gl_jnode_key(tree, node), "containers") == 0)
            return true;
        if (!is_own && starts_pods(tree, node))
            return true;
    }
    return false;
}

/* ---- Crossplane ---- */

/* "mq.aws.m.upbound.io" -> "mq", "aws": groups of Crossplane whose objects are generated from the
 * resources of Terraform, each attribute under its name in spec.forProvider. */
static bool is_generated(const char *group, char module[64], char cloud[64])
{
    int begin = 0;

    return sscanf(group, "%63[a-z0-9].%63[a-z0-9]%n", module, cloud, &begin) == 2 &&
           (strcmp(group + begin, ".upbound.io") == 0 ||
            strcmp(group + begin, ".m.upbound.io") == 0);
}

/* By the name of the group whose objects are of the whole cluster, or as Pulumi names the type. */
const struct gl_mapping_row *gl_k8s_generated_row(struct gl_k8s *k8s, const char *kind,
                                                  const char *group)
{
    const struct gl_hook_mapping *mapping = k8s->options->mapping;
    const struct gl_mapping_row *row;
    char module[64], cloud[64];

    if (!is_generated(group, module, cloud))
        return NULL;
    row = gl_mapping_row(mapping,
                         gl_reader_say(&k8s->work, "%s.%s.%s.upbound.io", kind, module, cloud));
    if (row != NULL)
        return row;
    return gl_mapping_row(mapping, gl_reader_say(&k8s->work, "%s:%s/%c%s:%s", cloud, module,
                                                 tolower((unsigned char)*kind), kind + 1, kind));
}
