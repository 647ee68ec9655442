/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/mapping_variant.h"
#include "broker/hook/mapping_store.h"

#include <string.h>
#include <strings.h>

/* Of what no row knows, anything that only machines have makes it suspicious, however deep it
 * stands. */

#define NAME_MAX_BYTES 200

/* As it is written, else whatever its letters' case: Azure does not tell them apart. */
static struct gl_mapping_entry *entry_named(const struct gl_mapping_store *store, const char *name)
{
    struct gl_mapping_entry *found = gl_mapping_entry(store, name);

    for (size_t i = store->entry_count; found == NULL && i-- > 0;)
        if (!store->entries[i].is_replaced && strcasecmp(store->entries[i].type, name) == 0)
            found = &store->entries[i];
    return found;
}

static const char *const machine_words[] = {
    "vmSize",        "vmSizes",  "vm_size",     "hardwareProfile", "instanceType", "nodeSize",
    "nodeVmSize",    "nodeType", "machineType", "computeType",     "instanceSize", "instanceTypes",
    "instanceClass", NULL,
};
/* Besides them, how many there are, how large they are and where. */
static const char *const size_words[] = {
    "count",         "minCount",
    "maxCount",      "capacity",
    "sku",           "skuName",
    "scale",         "replicas",
    "minReplicas",   "maxReplicas",
    "cpu",           "memory",
    "vCores",        "tier",
    "template",      "replicaCount",
    "shardCount",    "workerCount",
    "nodeCount",     "instances",
    "numberOfNodes", "partitionCount",
    "location",      "agentPoolProfiles",
    "hostingMode",   "maximumInstanceCount",
    "profiles",      NULL,
};

/* Whatever their letters' case, as Azure has it. */
static bool is_among(const char *const *words, const char *key)
{
    while (*words != NULL && strcasecmp(key, *words) != 0)
        words++;
    return *words != NULL;
}

static bool has_word(const struct gl_jtree *tree, const struct gl_jnode *node,
                     const char *const *words)
{
    for (const struct gl_jnode *at = node; at != NULL && at < tree->nodes + node->end; at++)
        if (at->key_length > 0 && is_among(words, gl_jnode_key(tree, at)))
            return true;
    return false;
}

/* What the attribute holds, an object or a text with one in it. What is not known before apply, or
 * that we cannot read, may be one. */
static bool may_say(const struct gl_attributes *from, const char *holds, const char *const *words)
{
    const struct gl_jnode *held = gl_jnode_get(from->tree, from->values, holds);
    const char *text = gl_jnode_text(from->tree, held);
    struct gl_jtree tree = {0};
    struct gl_error err = {0};
    const struct gl_jnode *later = gl_jnode_get(from->unknown_tree, from->unknown, holds);
    bool does;

    if (gl_jnode_is(later, GL_JTRUE))
        return true;
    if (text == NULL)
        return has_word(from->tree, held, words) || has_word(from->unknown_tree, later, words);
    does = gl_jtree_parse(&tree, text, strlen(text), holds, &err) != 0 ||
           has_word(&tree, gl_jtree_root(&tree), words);
    gl_jtree_done(&tree);
    return does;
}

/* Of what no row knows. */
static bool is_machine(const struct gl_mapping_row *row, const struct gl_attributes *attributes,
                       const char *name)
{
    return may_say(attributes, row->holds, machine_words) ||
           (gl_mapping_is_machine_type(name) &&
            (!row->is_change || may_say(attributes, row->holds, size_words)));
}

void gl_mapping_variant(const struct gl_hook_mapping *mapping, const struct gl_mapping_row *row,
                        const struct gl_attributes *attributes, struct gl_arena *arena,
                        struct gl_variant *out)
{
    struct gl_mapping_entry *entry;
    const char *text = NULL;
    size_t length;

    *out = (struct gl_variant){.row = row};
    if (gl_path_texts(row->variant, attributes, NULL, arena, &text, 1, NULL, NULL) == 0)
        return;
    length = strcspn(text, "@");
    out->name = gl_arena_text(arena, text, length < NAME_MAX_BYTES ? length : NAME_MAX_BYTES);
    entry = entry_named(mapping->store, out->name);
    out->row = entry != NULL ? gl_mapping_entry_row(mapping->store, entry) : NULL;
    if (out->row != NULL && out->row->provider != NULL && row->provider != NULL &&
        strcmp(out->row->provider, row->provider) != 0)
        out->within = row->holds;
    if (row->is_change && !may_say(attributes, row->holds, machine_words) &&
        !may_say(attributes, row->holds, size_words))
        out->row = NULL; /* the machines stay as they are */
    out->is_suspect = entry == NULL && row->holds != NULL && is_machine(row, attributes, out->name);
}
