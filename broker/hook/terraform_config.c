/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/terraform_part.h"

#include <string.h>

/* The skeleton of "configuration": providers, what each resource refers to, and what modules are
 * told and tell. Its order is not fixed, so nothing is resolved before all of it was read. */

/* ---- pruning ---- */

#define TELLING_MAX 256 /* no name of a place is longer */

static bool wants_region(const void *cookie, const struct gl_jtree *tree,
                         const struct gl_jnode *member)
{
    const struct gl_mapping_provider *provider = cookie;
    const char *key = gl_jnode_key(tree, member);

    if (provider == NULL || provider->region_paths == NULL)
        return strcmp(key, "region") == 0 || strcmp(key, "zone") == 0;
    for (size_t i = 0; provider->region_paths[i] != NULL; i++)
        if (strcmp(provider->region_paths[i], key) == 0)
            return true;
    return false;
}

struct wanted {
    const struct gl_hook_mapping *mapping;
    const char *type;
};

static bool wants_attribute(const void *cookie, unsigned level, struct gl_view name)
{
    const struct wanted *wanted = cookie;

    (void)level;
    return gl_mapping_reads(wanted->mapping, wanted->type, name.text) ||
           strcmp(name.text, "name") == 0 || strcmp(name.text, "location") == 0 ||
           strcmp(name.text, "region") == 0;
}

/* What an expression says, of all that stands around it. */
static bool wants_parts(const void *cookie, unsigned level, struct gl_view name)
{
    const unsigned *expressions = cookie; /* the level of their members */

    return level != *expressions || strcmp(name.text, "references") == 0 ||
           strcmp(name.text, "constant_value") == 0;
}

static bool wants_given(const void *cookie, unsigned level, struct gl_view name)
{
    (void)cookie;
    return level == 1 || strcmp(name.text, "default") == 0 || strcmp(name.text, "sensitive") == 0;
}

/* Could a place be told by this text? */
static bool is_telling(const struct gl_jtree *tree, const struct gl_jnode *node)
{
    return gl_jnode_is(node, GL_JSTRING) && node->length > 0 && node->length < TELLING_MAX &&
           gl_jnode_text(tree, node) != NULL;
}

#define SMALL_NODES 33 /* a list of zones, or an object that has one */

static bool is_small(const struct gl_jtree *tree, const struct gl_jnode *node)
{
    return (gl_jnode_is(node, GL_JARRAY) || gl_jnode_is(node, GL_JOBJECT)) &&
           node->end - (size_t)(node - tree->nodes) <= SMALL_NODES;
}

/* Most of what modules are told is a number or a long text. What is told without its value being
 * in the plan ({}, of a function) is kept: the default of its variable does not count. */
static bool wants_expression(const void *cookie, const struct gl_jtree *tree,
                             const struct gl_jnode *member)
{
    const struct gl_jnode *references = gl_jnode_get(tree, member, "references");
    const struct gl_jnode *value = gl_jnode_get(tree, member, "constant_value");

    (void)cookie;
    return (references != NULL && references->count > 0) || value == NULL ||
           gl_jnode_is(value, GL_JNULL) || is_telling(tree, value) || is_small(tree, value);
}

static bool wants_references(const void *cookie, const struct gl_jtree *tree,
                             const struct gl_jnode *member)
{
    const char *key = gl_jnode_key(tree, member);

    (void)cookie;
    return strcmp(key, "references") == 0 ||
           (strcmp(key, "constant_value") == 0 && is_telling(tree, member));
}

static bool wants_default(const void *cookie, const struct gl_jtree *tree,
                          const struct gl_jnode *member)
{
    (void)cookie;
    return is_telling(tree, gl_jnode_get(tree, member, "default")) ||
           gl_jnode_is(gl_jnode_get(tree, member, "sensitive"), GL_JTRUE);
}

/* What is taken of a value: by names while it streams by, and then by what they hold. */
struct taking {
    struct gl_jsonpull_choice names; /* levels 0 = all */
    struct gl_reader_choice kept;
};

static int take(struct gl_tf *tf, struct gl_jsonpull *pull, const struct taking *taking,
                struct gl_jtree *out, struct gl_error *err)
{
    const struct gl_jsonpull_choice *names = taking->names.levels > 0 ? &taking->names : NULL;

    if (gl_jsonpull_take_some(pull, names, &tf->scratch, err) != 0)
        return -1;
    *out = *gl_reader_prune_shared(&tf->work, &tf->trees, &tf->scratch, gl_jtree_root(&tf->scratch),
                                   &taking->kept);
    return 0;
}

/* ---- providers ---- */

static int take_region(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                       struct gl_error *err)
{
    struct gl_tf_provider *provider = cookie;
    const char *colon = strrchr(provider->key, ':');
    const char *local = colon != NULL ? colon + 1 : provider->key;
    char name[64];

    snprintf(name, sizeof name, "%.*s", (int)strcspn(local, "."), local);
    return take(
        tf, pull,
        &(struct taking){.kept = {wants_region, gl_mapping_provider(tf->options->mapping, name)}},
        &provider->expressions, err);
}

static int read_provider(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                         struct gl_error *err)
{
    static const struct gl_tf_member members[] = {{"expressions", take_region}, {0}};
    const char *key = ((struct gl_tf_named *)cookie)->key;
    struct gl_tf_provider provider = {.key = gl_arena_text(&tf->work, key, strlen(key))};

    if (gl_tf_members(tf, pull, members, &provider, err) != 0)
        return -1;
    tf->providers = gl_reader_room(tf->providers, tf->provider_count, sizeof *tf->providers);
    tf->providers[tf->provider_count++] = provider;
    return 0;
}

static int read_providers(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                          struct gl_error *err)
{
    (void)cookie;
    return gl_tf_named_members(tf, pull, read_provider, &(struct gl_tf_named){0}, err);
}

/* ---- what for_each goes over ---- */

struct each {
    const char *name;
    size_t names;
};

static int take_each_name(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                          struct gl_error *err)
{
    struct each *each = cookie;

    if (each->names++ > 0)
        return gl_jsonpull_skip(pull, err);
    return gl_tf_text(tf, pull, &each->name, err);
}

static int take_each_names(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                           struct gl_error *err)
{
    return gl_tf_items(tf, pull, take_each_name, cookie, err);
}

/* Its only name; of several it cannot be told what each of them gives. */
static int take_each(struct gl_tf *tf, struct gl_jsonpull *pull, const char **out,
                     struct gl_error *err)
{
    static const struct gl_tf_member members[] = {{"references", take_each_names}, {0}};
    struct each each = {0};

    if (gl_tf_members(tf, pull, members, &each, err) != 0)
        return -1;
    *out = each.names == 1 ? each.name : NULL;
    return 0;
}

/* ---- resources ---- */

struct block {
    struct gl_arena memory; /* of most nothing is kept */
    struct gl_tf_block kept;
    const char *address; /* within the module */
    struct gl_tf_address parts;
    bool is_read;
};

static int take_address(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                        struct gl_error *err)
{
    struct block *block = cookie;

    if (gl_reader_text(&block->memory, pull, &block->address, err) != 0)
        return -1;
    if (block->address == NULL ||
        !gl_tf_address_parse(block->address, &block->memory, &block->parts))
        return gl_fail(err, GL_E_SYNTAX, "%s:%llu: not the address of a resource", tf->document,
                       (unsigned long long)gl_jsonpull_line(pull));
    block->is_read = block->parts.is_data || gl_tf_is_read(tf, block->parts.type);
    return 0;
}

static int take_key(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie, struct gl_error *err)
{
    struct block *block = cookie;

    if (gl_reader_text(&block->memory, pull, &block->kept.provider_key, err) != 0)
        return -1;
    if (block->kept.provider_key != NULL)
        block->kept.provider_key = gl_tf_name(tf, block->kept.provider_key);
    return 0;
}

static int take_expressions(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                            struct gl_error *err)
{
    struct block *block = cookie;
    struct wanted wanted = {tf->options->mapping, block->parts.type};

    if (block->address == NULL) /* not known whose: all, as it may be one of ours */
        return take(tf, pull, &(struct taking){0}, &block->kept.expressions, err);
    if (!block->is_read)
        return gl_jsonpull_skip(pull, err);
    return take(tf, pull, &(struct taking){.names = {wants_attribute, &wanted, 1}},
                &block->kept.expressions, err);
}

static int take_block_each(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                           struct gl_error *err)
{
    return take_each(tf, pull, &((struct block *)cookie)->kept.each_of, err);
}

static void keep_block(struct gl_tf *tf, const struct block *block)
{
    const struct gl_tf_address *parts = &block->parts;

    gl_reader_index_add(
        &tf->blocks_named,
        gl_tf_block_name(&tf->work, block->kept.module, parts->type, parts->name, parts->is_data),
        tf->block_count);
    tf->blocks = gl_reader_room(tf->blocks, tf->block_count, sizeof *tf->blocks);
    tf->blocks[tf->block_count++] = block->kept;
}

static int read_resource(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                         struct gl_error *err)
{
    static const struct gl_tf_member members[] = {{"address", take_address},
                                                  {"provider_config_key", take_key},
                                                  {"expressions", take_expressions},
                                                  {"for_each_expression", take_block_each},
                                                  {0}};
    const struct gl_tf_named *module = cookie;
    struct block block = {.kept.module = module->key};
    int status = gl_tf_members(tf, pull, members, &block, err);

    if (status == 0 && block.address != NULL && block.is_read)
        keep_block(tf, &block);
    gl_arena_done(&block.memory);
    return status;
}

static int read_resources(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                          struct gl_error *err)
{
    return gl_tf_items(tf, pull, read_resource, cookie, err);
}

/* ---- modules ---- */

static gl_tf_reading read_module;

/* A call in the module whose path is the cookie's; the named member's key is the call's name. */
struct call {
    struct gl_tf_named inner; /* key = path of the called module */
    struct gl_tf_module module;
};

static int take_arguments(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                          struct gl_error *err)
{
    static const unsigned expressions = 2;
    static const struct taking arguments = {.names = {wants_parts, &expressions, 2},
                                            .kept = {wants_expression, NULL}};

    return take(tf, pull, &arguments, &((struct call *)cookie)->module.arguments, err);
}

static int take_call_each(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                          struct gl_error *err)
{
    return take_each(tf, pull, &((struct call *)cookie)->module.each_of, err);
}

static int read_called(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                       struct gl_error *err)
{
    return read_module(tf, pull, &((struct call *)cookie)->inner, err);
}

static int read_call(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie, struct gl_error *err)
{
    static const struct gl_tf_member members[] = {{"expressions", take_arguments},
                                                  {"for_each_expression", take_call_each},
                                                  {"module", read_called},
                                                  {0}};
    const struct gl_tf_named *named = cookie;
    const struct gl_tf_named *parent = named->cookie;
    struct call call = {0};
    size_t number;

    call.inner.key = gl_tf_path_of(&tf->work, parent->key, named->key);
    number = gl_tf_module_of(tf, call.inner.key);
    if (gl_tf_members(tf, pull, members, &call, err) != 0)
        return -1;
    tf->modules[number].arguments = call.module.arguments;
    tf->modules[number].each_of = call.module.each_of;
    return 0;
}

static int read_calls(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                      struct gl_error *err)
{
    return gl_tf_named_members(tf, pull, read_call, &(struct gl_tf_named){.cookie = cookie}, err);
}

static int take_defaults(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                         struct gl_error *err)
{
    size_t number = gl_tf_module_of(tf, ((struct gl_tf_named *)cookie)->key);
    static const struct taking defaults = {.names = {wants_given, NULL, 2},
                                           .kept = {wants_default, NULL}};
    struct gl_jtree tree;

    if (take(tf, pull, &defaults, &tree, err) != 0)
        return -1;
    tf->modules[number].defaults = tree;
    return 0;
}

struct output {
    struct gl_jtree expression;
    bool is_sensitive;
};

static int take_sensitive(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                          struct gl_error *err)
{
    (void)tf;
    return gl_reader_flag(pull, &((struct output *)cookie)->is_sensitive, err);
}

static int take_output(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                       struct gl_error *err)
{
    static const unsigned expressions = 1;
    static const struct taking output = {.names = {wants_parts, &expressions, 1},
                                         .kept = {wants_references, NULL}};

    return take(tf, pull, &output, &((struct output *)cookie)->expression, err);
}

static int read_output(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                       struct gl_error *err)
{
    static const struct gl_tf_member members[] = {
        {"expression", take_output}, {"sensitive", take_sensitive}, {0}};
    const struct gl_tf_named *named = cookie;
    const size_t *module = named->cookie;
    struct output output = {0};

    if (gl_tf_members(tf, pull, members, &output, err) != 0)
        return -1;
    if (output.is_sensitive)
        output.expression = gl_reader_no_tree;
    else if (output.expression.count < 2) /* neither a text nor a name */
        return 0;
    gl_reader_index_add(&tf->outputs_named, gl_tf_output_name(tf, *module, named->key),
                        tf->output_count);
    tf->outputs = gl_reader_room(tf->outputs, tf->output_count, sizeof *tf->outputs);
    tf->outputs[tf->output_count++] = output.expression;
    return 0;
}

static int read_outputs(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                        struct gl_error *err)
{
    size_t module = gl_tf_module_of(tf, ((struct gl_tf_named *)cookie)->key);

    return gl_tf_named_members(tf, pull, read_output, &(struct gl_tf_named){.cookie = &module},
                               err);
}

/* The cookie is a gl_tf_named whose key is the module's path. */
static int read_module(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                       struct gl_error *err)
{
    static const struct gl_tf_member members[] = {{"resources", read_resources},
                                                  {"module_calls", read_calls},
                                                  {"variables", take_defaults},
                                                  {"outputs", read_outputs},
                                                  {0}};

    return gl_tf_members(tf, pull, members, cookie, err);
}

static int read_root(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie, struct gl_error *err)
{
    char root[] = "";

    (void)cookie;
    return read_module(tf, pull, &(struct gl_tf_named){.key = gl_arena_text(&tf->work, root, 0)},
                       err);
}

char *gl_tf_path_of(struct gl_arena *arena, const char *parent, const char *call)
{
    return GL_READER_JOIN(arena, parent, *parent != '\0' ? ".module." : "module.", call);
}

const char *gl_tf_output_name(struct gl_tf *tf, size_t module, const char *output)
{
    char digits[24], *at = digits + sizeof digits - 1;

    *at = '\0';
    do
        *--at = (char)('0' + module % 10);
    while ((module /= 10) > 0);
    return GL_READER_JOIN(&tf->work, at, "|", output);
}

size_t gl_tf_module_of(struct gl_tf *tf, const char *path)
{
    size_t cursor = 0, number;

    if (gl_reader_index_next(&tf->modules_named, path, &cursor, &number))
        return number;
    /* In the arena: one may be added while another is being followed. */
    tf->modules = gl_arena_grow(&tf->work, tf->modules, tf->module_count, sizeof *tf->modules);
    tf->modules[tf->module_count] = (struct gl_tf_module){.path = path};
    gl_reader_index_add(&tf->modules_named, path, tf->module_count);
    return tf->module_count++;
}

int gl_tf_read_configuration(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                             struct gl_error *err)
{
    static const struct gl_tf_member members[] = {
        {"provider_config", read_providers}, {"root_module", read_root}, {0}};

    tf->has_configuration = true;
    return gl_tf_members(tf, pull, members, cookie, err);
}
