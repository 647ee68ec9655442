/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/mapping_store.h"

#include <ctype.h>
#include <string.h>

/* Types that are not mapped. Of a provider that a mapping is about, attributes tell a machine; of
 * others, what they are called and what they say of sizes and numbers. */

#define NAME_BYTES 128

/* Attributes that only machines have, whoever names them. */
static const char *const machine_words[] = {
    "instance_type",  "machine_type", "vm_size",   "flavor",      "flavor_id",  "flavor_name",
    "node_type",      "server_type",  "node_size", "server_size", "plan",       "size",
    "instance_class", "vm_type",      "cpu_cores", "shape",       "flavor_ref", NULL,
};
/* Of these so few others have any that a block may say them too. */
static const char *const deep_words[] = {
    "instance_type", "instance_types", "machine_type",  "vm_size",
    "node_type",     "server_type",    "flavor_id",     "instance_class",
    "InstanceType",  "InstanceTypes",  "instance_size", NULL,
};

/* And calls of AWS that start machines, or say their size, where a text holds them. */
static const char *const call_words[] = {
    "runInstances", "RunInstances",  "runTask",       "RunTask",  "runJobFlow",      "RunJobFlow",
    "instanceType", "instanceTypes", "CacheNodeType", "NodeType", "DBInstanceClass", NULL,
};

/* Of any provider: they run machines, and neither name nor attributes say so. As Terraform's first
 * provider of the cloud calls them; other tools' names are compared without marks. */
static const char *const machine_types[] = {
#include "broker/hook/machine_types.def"
    NULL,
};
/* Where nothing is known of the provider. How large one is, or how many there are: */
static const char *const number_words[] = {
    "vcpu",
    "vcpus",
    "cpu",
    "cpus",
    "cores",
    "cpu_cores",
    "num_cpus",
    "cpu_count",
    "num_sockets",
    "node_count",
    "nodes_count",
    "num_nodes",
    "num_workers",
    "instance_count",
    "replica_count",
    "min_nodes",
    "max_nodes",
    "min_instances",
    "max_instances",
    "desired_capacity",
    "desire_instance_number",
    "max_instance_number",
    "memory_mb",
    "gpu_count",
    "worker_count",
    NULL,
};
/* parts of the names of attributes that say which type, */
static const char *const type_parts[] = {
    "instance_type",  "instance_size", "instance_class", "instance_family",
    "machine_type",   "vm_size",       "node_type",      "server_type",
    "warehouse_size", "cluster_size",  "compute_size",   NULL,
};
/* and what their types are called, before the cloud they run in and a version. */
static const char *const type_ends[] = {
    "_instance",      "_server",        "_machine",    "_vm",         "_cluster",
    "_node_pool",     "_nodepool",      "_node_group", "_nodegroup",  "_compute_pool",
    "_machine_pool",  "_worker_pool",   "_warehouse",  "_deployment", "_elastigroup",
    "_ocean",         "_droplet",       "_container",  "_bare_metal", "_baremetal",
    "_stateful_node", "_instance_pool", "_dedicated",  NULL,
};
static const char *const cloud_ends[] = {"_aws", "_gcp", "_azure", "_eks", "_gke", "_aks", NULL};

static bool is_text(const struct gl_jtree *tree, const struct gl_jnode *node)
{
    const char *text;

    if (gl_jnode_is(node, GL_JARRAY))
        node = gl_jnode_at(tree, node, 0);
    text = gl_jnode_text(tree, node);
    return text != NULL && *text != '\0';
}

static bool is_among(const char *const *words, const char *word)
{
    for (; *words != NULL; words++)
        if (**words == *word && strcmp(*words, word) == 0)
            return true;
    return false;
}

static bool is_later(const struct gl_jtree *tree, const struct gl_jnode *node)
{
    return gl_jnode_is(gl_jnode_is(node, GL_JARRAY) ? gl_jnode_at(tree, node, 0) : node, GL_JTRUE);
}

/* Is one of the words there, in whatever block? */
static bool is_said_deep(const struct gl_jtree *tree, const struct gl_jnode *attributes,
                         bool (*is_said)(const struct gl_jtree *tree, const struct gl_jnode *node))
{
    const struct gl_jnode *end = attributes != NULL ? tree->nodes + attributes->end : NULL;

    for (const struct gl_jnode *node = attributes; node < end; node++)
        if (node != attributes && node->key_length > 0 &&
            is_among(deep_words, gl_jnode_key(tree, node)) && is_said(tree, node))
            return true;
    return false;
}

/* ---- of providers that nothing is known of ---- */

/* "MongoDB::Atlas::Cluster", "ns:index/vmSize:VMSize" as Terraform writes names:
 * "mongo_db_atlas_cluster", "ns_index_vm_size_vm_size". */
static void snake(const char *name, char out[NAME_BYTES])
{
    size_t length = 0;

    for (const char *at = name; *at != '\0' && length + 2 < NAME_BYTES; at++) {
        bool is_word = isalnum((unsigned char)*at) != 0;
        bool begins = isupper((unsigned char)*at) && at > name &&
                      (islower((unsigned char)at[-1]) || islower((unsigned char)at[1]));

        if ((!is_word || begins) && length > 0 && out[length - 1] != '_')
            out[length++] = '_';
        if (is_word)
            out[length++] = (char)tolower((unsigned char)*at);
    }
    out[length] = '\0';
}

static bool cut_end(char *name, const char *end)
{
    size_t length = strlen(name), cut = strlen(end);

    if (length <= cut || strcmp(name + length - cut, end) != 0)
        return false;
    name[length - cut] = '\0';
    return true;
}

/* "spotinst_elastigroup_aws", "vcd_vm_v2". */
static bool is_called_machine(const char *type)
{
    char name[NAME_BYTES];
    size_t length;

    if (strstr(type, "-native:") != NULL) /* of a cloud that is known by other names */
        return false;
    snake(type, name);
    length = strlen(name);
    if (length > 3 && strncmp(name + length - 3, "_v", 2) == 0 &&
        isdigit((unsigned char)name[length - 1]))
        name[length - 3] = '\0';
    for (const char *const *end = cloud_ends; *end != NULL && !cut_end(name, *end); end++)
        continue;
    for (const char *const *end = type_ends; *end != NULL; end++)
        if (cut_end(name, *end))
            return true;
    return false;
}

static bool is_number(const struct gl_jtree *tree, const struct gl_jnode *node)
{
    int64_t number;

    return gl_jnode_is(node, GL_JNUMBER) && (!gl_jnode_int(tree, node, &number) || number > 0);
}

static bool says_size(const struct gl_jtree *tree, const struct gl_jnode *attributes)
{
    const struct gl_jnode *end = attributes != NULL ? tree->nodes + attributes->end : NULL;
    char name[NAME_BYTES];

    for (const struct gl_jnode *node = attributes; node < end; node++) {
        if (node == attributes || node->key_length == 0 || !is_text(tree, node))
            continue;
        snake(gl_jnode_key(tree, node), name);
        for (const char *const *part = type_parts; *part != NULL; part++)
            if (strstr(name, *part) != NULL)
                return true;
    }
    for (const struct gl_jnode *node =
             gl_jnode_is(attributes, GL_JOBJECT) ? gl_jnode_first(tree, attributes) : NULL;
         node != NULL; node = gl_jnode_next(tree, attributes, node)) {
        snake(gl_jnode_key(tree, node), name);
        if (is_number(tree, node) && is_among(number_words, name))
            return true;
    }
    return false;
}

/* ---- any ---- */

/* "AWS::ImageBuilder::Image", "awscc_imagebuilder_image", "aws:imagebuilder/image:Image" are
 * "awsimagebuilderimage"; "Microsoft.Fabric/capacities" is "microsoftfabriccapacities". */
static void bare(const char *type, char out[NAME_BYTES])
{
    static const struct {
        const char *from, *to;
    } packages[] = {
        {"awscc_", "aws"}, {"aws-native:", "aws"}, {"azure:", "azurerm"}, {"gcp:", "google"}};
    size_t length = 0;

    for (size_t i = 0; i < sizeof packages / sizeof packages[0]; i++) {
        size_t cut = strlen(packages[i].from);

        if (length == 0 && strncmp(type, packages[i].from, cut) == 0) {
            length = strlen(packages[i].to);
            memcpy(out, packages[i].to, length);
            type += cut;
        }
    }
    for (const char *at = type; *at != '\0' && length + 1 < NAME_BYTES; at++) {
        if (strncmp(at, ":index/", 7) == 0)
            at += 6;
        if (*at == '/' && strchr(at, ':') != NULL)
            at = strchr(at, ':');
        if (isalnum((unsigned char)*at))
            out[length++] = (char)tolower((unsigned char)*at);
    }
    out[length] = '\0';
}

bool gl_mapping_is_machine_type(const char *type)
{
    char name[NAME_BYTES];

    bare(type, name);
    for (const char *const *word = machine_types; *word != NULL; word++) {
        const char *at = name;

        for (const char *letter = *word; *letter != '\0' && at != NULL; letter++)
            if (*letter != '_')
                at = *at == *letter ? at + 1 : NULL;
        if (at != NULL && *at == '\0')
            return true;
    }
    return false;
}

/* Of providers that make nothing but values: what they hold are others' words. */
static bool is_value(const char *type)
{
    static const char *const prefixes[] = {"null_",      "random_", "time_",
                                           "terraform_", "tls_",    "local_"};

    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strncmp(type, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

enum gl_suspicion gl_mapping_suspicion(const struct gl_hook_mapping *mapping, const char *type)
{
    if (gl_mapping_entry(mapping->store, type) != NULL || is_value(type))
        return GL_SUSPECT_NONE;
    return gl_mapping_is_machine_type(type) ? GL_SUSPECT_ALL : GL_SUSPECT_SOME;
}

bool gl_mapping_says_machine(const struct gl_hook_mapping *mapping, const char *type,
                             const struct gl_jtree *tree, const struct gl_jnode *attributes)
{
    const struct gl_mapping_provider *provider = gl_mapping_provider(mapping, type);
    const char *const *words =
        provider != NULL && provider->machine_like != NULL ? provider->machine_like : machine_words;

    for (const struct gl_jnode *said =
             gl_jnode_is(attributes, GL_JOBJECT) ? gl_jnode_first(tree, attributes) : NULL;
         said != NULL; said = gl_jnode_next(tree, attributes, said)) {
        const char *name = gl_jnode_key(tree, said);

        if (is_among(words, name) &&
            (is_text(tree, said) || (is_number(tree, said) && is_among(number_words, name))))
            return true;
    }
    if (provider == NULL && (is_called_machine(type) || says_size(tree, attributes)))
        return true;
    return is_said_deep(tree, attributes, is_text);
}

bool gl_mapping_says_machine_later(const struct gl_jtree *tree, const struct gl_jnode *later)
{
    return is_said_deep(tree, later, is_later);
}

bool gl_mapping_is_suspect(const struct gl_hook_mapping *mapping, const char *type,
                           const struct gl_jtree *tree, const struct gl_jnode *attributes)
{
    enum gl_suspicion suspicion = gl_mapping_suspicion(mapping, type);

    return suspicion == GL_SUSPECT_ALL ||
           (suspicion == GL_SUSPECT_SOME &&
            gl_mapping_says_machine(mapping, type, tree, attributes));
}

static bool is_quoted(const char *text, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + length, word))
        if (at > text && at[-1] == '"' && at[length] == '"')
            return true;
    return false;
}

bool gl_mapping_is_suspect_text(const char *text)
{
    static const char *const *const lists[] = {deep_words, call_words};

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        for (const char *const *word = lists[i]; *word != NULL; word++)
            if (is_quoted(text, *word))
                return true;
    return false;
}
