/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/mapping_part.h"
#include "broker/hook/mapping_variant.h"
#include "broker/hook/terraform_part.h"

#include <string.h>

/* ---- actions ---- */

struct action_row {
    const char *first, *second;
    enum gl_change change;
    bool is_forgotten;
};

/* terraform internals/json-format, "Change Representation". */
static const struct action_row actions[] = {
    {"no-op", NULL, GL_CHANGE_NONE, false},
    {"read", NULL, GL_CHANGE_READ, false},
    {"create", NULL, GL_CHANGE_CREATE, false},
    {"update", NULL, GL_CHANGE_UPDATE, false},
    {"delete", "create", GL_CHANGE_REPLACE, false},
    {"create", "delete", GL_CHANGE_REPLACE, false},
    {"delete", NULL, GL_CHANGE_DELETE, false},
    {"forget", NULL, GL_CHANGE_FORGET, true},
    {"create", "forget", GL_CHANGE_REPLACE, true},
    {"open", NULL, GL_CHANGE_READ, false}, /* ephemeral */
    {"renew", NULL, GL_CHANGE_READ, false},
    {"close", NULL, GL_CHANGE_READ, false},
};

static bool is_word(const char *word, const char *expected)
{
    return word == NULL || expected == NULL ? word == expected : strcmp(word, expected) == 0;
}

static const struct action_row *find_action(const struct gl_jtree *tree,
                                            const struct gl_jnode *change)
{
    const struct gl_jnode *list = gl_jnode_get(tree, change, "actions");
    const char *first = gl_jnode_text(tree, gl_jnode_at(tree, list, 0));
    const char *second = gl_jnode_text(tree, gl_jnode_at(tree, list, 1));

    if (list == NULL || first == NULL || list->count > 2)
        return NULL;
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (is_word(first, actions[i].first) && is_word(second, actions[i].second))
            return &actions[i];
    return NULL;
}

/* ---- what is kept ---- */

/* Types that are no machines but give their place to some that are, by these attributes. */
static const char *const givers[] = {"azurerm_resource_group", "aws_region",
                                     "aws_availability_zones", "google_client_config",
                                     "google_compute_zones"};

static bool is_among(const char *const *words, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (words[i][0] == word[0] && strcmp(words[i], word) == 0)
            return true;
    return false;
}
#define IS_AMONG(words, word) is_among(words, sizeof(words) / sizeof *(words), word)

static const char *const given[] = {"id",       "name",  "arn",       "region",           "zone",
                                    "location", "names", "self_link", "availability_zone"};

struct wanted {
    const struct gl_mapping_reads *reads;
    bool is_giver;
};

static bool wants_attribute(const void *cookie, struct gl_view name)
{
    const struct wanted *wanted = cookie;

    return gl_mapping_reads_name(wanted->reads, name) ||
           (wanted->is_giver && IS_AMONG(given, name.text));
}

/* Of what was chosen as it streamed by: tags are told once, when the resource is read; what else it
 * says is what many say. */
static bool wants_beside_tags(const void *cookie, const struct gl_jtree *tree,
                              const struct gl_jnode *member)
{
    const struct wanted *wanted = cookie;
    const char *tags = gl_mapping_reads_tags(wanted->reads);

    return tags == NULL || strcmp(gl_jnode_key(tree, member), tags) != 0;
}

/* Of all of it, secrets too. */
static bool wants(const void *cookie, const struct gl_jtree *tree, const struct gl_jnode *member)
{
    return wants_attribute(cookie,
                           (struct gl_view){gl_jnode_key(tree, member), member->key_length}) &&
           wants_beside_tags(cookie, tree, member);
}

/* Of a change as it streams by, when it is known whose it is. */
static bool wants_of_change(const void *cookie, unsigned level, struct gl_view name)
{
    static const char *const parts[] = {"actions",         "after",  "after_unknown",
                                        "after_sensitive", "before", "before_sensitive"};

    return level == 1 ? IS_AMONG(parts, name.text) : wants_attribute(cookie, name);
}

bool gl_tf_is_read(const struct gl_tf *tf, const char *type)
{
    return IS_AMONG(givers, type) || gl_mapping_reads(tf->options->mapping, type, NULL);
}

/* What is asked of a type is asked once. One that is told is not looked at again. */
static enum gl_suspicion suspicion_of(struct gl_tf *tf, const char *type)
{
    enum gl_suspicion suspicion;
    size_t number;

    if (gl_reader_index_last(&tf->types, type, &number))
        return (enum gl_suspicion)number;
    suspicion = gl_mapping_suspicion(tf->options->mapping, type);
    gl_reader_index_add(&tf->types, gl_tf_name(tf, type), suspicion);
    return suspicion;
}

static void note_suspect(struct gl_tf *tf, const char *type, const struct gl_jtree *tree,
                         const struct gl_jnode *change)
{
    const struct gl_jnode *after = gl_jnode_get(tree, change, "after");
    enum gl_suspicion suspicion = suspicion_of(tf, type);

    if (!gl_jnode_is(after, GL_JOBJECT) || suspicion == GL_SUSPECT_NONE)
        return; /* deleted: it says nothing of the others */
    if (suspicion == GL_SUSPECT_SOME &&
        !gl_mapping_says_machine(tf->options->mapping, type, tree, after) &&
        !gl_mapping_says_machine_later(tree, gl_jnode_get(tree, change, "after_unknown")))
        return;
    gl_reader_index_add(&tf->types, gl_tf_name(tf, type), GL_SUSPECT_NONE);
    gl_reader_add_unmapped(tf->plan, type);
}

/* What one item says, in whatever order it says it. Of most items nothing is kept. */
struct item {
    struct gl_arena memory;
    const char *address, *provider;
    bool is_deposed, has_change;
    bool has_tree, is_chosen; /* the tree stands in `scratch`; of what is wanted only */
    bool has_marks;           /* in `marks` */
    struct gl_tf_address parts;
    struct wanted wanted; /* of its type */
    bool is_read;         /* gl_tf_is_read() */
};

/* An object, which may be hidden as a whole. */
static bool is_state(const struct gl_jnode *node)
{
    return gl_jnode_is(node, GL_JOBJECT) || gl_jnode_is(node, GL_JHIDDEN);
}

/* Everything else is dropped here, secrets with it, unless it was while the tree was taken. */
static const struct gl_jtree *keep(struct gl_tf *tf, const struct item *item,
                                   const struct gl_jnode *node)
{
    if (!is_state(node) && !gl_jnode_is(node, GL_JTRUE))
        return &gl_reader_no_tree;
    return gl_reader_prune_shared(
        &tf->work, &tf->trees, &tf->scratch, node,
        &(struct gl_reader_choice){item->is_chosen ? wants_beside_tags : wants, &item->wanted});
}

/* ---- one resource ---- */

static struct gl_tf_resource blank(enum gl_change change)
{
    const struct gl_jtree *none = &gl_reader_no_tree;

    return (struct gl_tf_resource){
        .change = change, .before = none, .after = none, .unknown = none};
}

static int add_resource(struct gl_tf *tf, const struct gl_tf_resource *resource,
                        struct gl_error *err)
{
    if (tf->resource_count == GL_TF_MAX_RESOURCES)
        return gl_fail(err, GL_E_TOO_LARGE, "%s: more than %zu resources", tf->document,
                       GL_TF_MAX_RESOURCES);
    tf->resources = gl_reader_room(tf->resources, tf->resource_count, sizeof *tf->resources);
    tf->resources[tf->resource_count++] = *resource;
    return 0;
}

static bool wants_of_values(const void *cookie, unsigned level, struct gl_view name)
{
    (void)level;
    return wants_attribute(cookie, name);
}

/* Of a resource that may be a machine nobody knows: what it is set to, known or not. */
static bool wants_of_suspect(const void *cookie, unsigned level, struct gl_view name)
{
    (void)cookie;
    (void)level;
    return strcmp(name.text, "after") == 0 || strcmp(name.text, "after_unknown") == 0;
}

static int take_address(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                        struct gl_error *err)
{
    struct item *item = cookie;

    if (gl_reader_text(&item->memory, pull, &item->address, err) != 0)
        return -1;
    if (item->address == NULL || !gl_tf_address_parse(item->address, &item->memory, &item->parts))
        return gl_fail(err, GL_E_SYNTAX, "%s:%llu: not the address of a resource", tf->document,
                       (unsigned long long)gl_jsonpull_line(pull));
    item->wanted = (struct wanted){gl_mapping_reads_of(tf->options->mapping, item->parts.type),
                                   IS_AMONG(givers, item->parts.type)};
    item->is_read = gl_tf_is_read(tf, item->parts.type);
    return 0;
}

static int take_provider(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                         struct gl_error *err)
{
    struct item *item = cookie;

    (void)tf;
    return gl_reader_text(&item->memory, pull, &item->provider, err);
}

static int take_deposed(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                        struct gl_error *err)
{
    (void)tf;
    ((struct item *)cookie)->is_deposed = true;
    return gl_jsonpull_skip(pull, err);
}

static int take_tree(struct gl_tf *tf, struct gl_jsonpull *pull, struct item *item,
                     const struct gl_jsonpull_choice *choice, struct gl_error *err)
{
    item->has_tree = true;
    item->is_chosen = choice != NULL;
    return gl_jsonpull_take_some(pull, choice, &tf->scratch, err);
}

static int take_change(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                       struct gl_error *err)
{
    struct item *item = cookie;
    const struct gl_tf_address *parts = &item->parts;
    const struct gl_jsonpull_choice of_change = {wants_of_change, &item->wanted, 2};
    const struct gl_jsonpull_choice of_suspect = {wants_of_suspect, NULL, 1};

    item->has_change = true;
    if (item->address == NULL) /* not known whose: all */
        return take_tree(tf, pull, item, NULL, err);
    if (item->is_read)
        return take_tree(tf, pull, item, &of_change, err);
    if (!parts->is_data && suspicion_of(tf, parts->type) != GL_SUSPECT_NONE)
        return take_tree(tf, pull, item, &of_suspect, err);
    return gl_jsonpull_skip(pull, err);
}

static const char *shown_address(struct gl_tf *tf, const struct item *item)
{
    return GL_READER_JOIN(&tf->plan->arena, item->address, item->is_deposed ? " (deposed)" : "");
}

static struct gl_tf_address keep_parts(struct gl_tf *tf, const struct gl_tf_address *parts)
{
    return (struct gl_tf_address){.module = gl_tf_name(tf, parts->module),
                                  .instance = gl_tf_name(tf, parts->instance),
                                  .type = gl_tf_name(tf, parts->type),
                                  .name = gl_tf_name(tf, parts->name),
                                  .key = gl_tf_name(tf, parts->key),
                                  .is_data = parts->is_data};
}

/* Of what will be, else of what was. */
static const char *const *keep_tags(struct gl_tf *tf, struct item *item,
                                    const struct gl_tf_resource *resource)
{
    const struct gl_jtree *tree = &tf->scratch;
    const struct gl_jnode *change = gl_jtree_root(tree);
    bool is_before = resource->after->count == 0;
    struct gl_attributes from = {
        .tree = tree, .values = gl_jnode_get(tree, change, is_before ? "before" : "after")};

    if (resource->row == NULL)
        return NULL;
    return gl_reader_hold_list(&tf->plan->arena, &tf->said, &item->memory,
                               gl_mapping_tags(resource->row, &from, &item->memory));
}

/* Of a type that may be any: what it is. What is no machine is kept for its place alone. */
static void set_variant(struct gl_tf *tf, struct item *item, struct gl_tf_resource *resource)
{
    const struct gl_jtree *tree = &tf->scratch;
    const struct gl_jnode *change = gl_jtree_root(tree);
    const struct gl_jnode *after = gl_jnode_get(tree, change, "after");
    struct gl_attributes from = {.tree = tree,
                                 .values =
                                     is_state(after) ? after : gl_jnode_get(tree, change, "before"),
                                 .unknown_tree = tree,
                                 .unknown = gl_jnode_get(tree, change, "after_unknown")};
    struct gl_variant variant;

    gl_mapping_variant(tf->options->mapping, resource->row, &from, &item->memory, &variant);
    resource->row = variant.row;
    resource->within = variant.within;
    resource->variant = variant.name != NULL ? gl_tf_name(tf, variant.name) : NULL;
    if (variant.is_suspect && gl_jnode_is(after, GL_JOBJECT))
        gl_reader_add_unmapped(tf->plan, variant.name);
    if (variant.row != NULL)
        return;
    item->wanted = (struct wanted){gl_mapping_reads_of(tf->options->mapping, ""), true};
    item->is_chosen = false;
}

/* What Terraform marks as sensitive is read no further than here. */
static void hide_marked(struct gl_tf *tf, const struct gl_jnode *change)
{
    static const char *const parts[][2] = {{"before", "before_sensitive"},
                                           {"after", "after_sensitive"}};
    struct gl_jtree *tree = &tf->scratch;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        tf->hides |= gl_reader_hide(tree, gl_jnode_get(tree, change, parts[i][0]), tree,
                                    gl_jnode_get(tree, change, parts[i][1]));
}

/* The tree of the change stands in `scratch`. */
static int keep_change(struct gl_tf *tf, struct item *item, struct gl_error *err)
{
    const struct gl_jtree *tree = &tf->scratch;
    const struct gl_jnode *change = gl_jtree_root(tree);
    const struct action_row *action = find_action(tree, change);
    const char *type = item->parts.type;
    struct gl_tf_resource resource = blank(GL_CHANGE_UNKNOWN);

    if (!item->is_read) {
        if (!item->parts.is_data)
            note_suspect(tf, type, tree, change);
        return 0;
    }
    hide_marked(tf, change);
    resource.parts = keep_parts(tf, &item->parts);
    resource.provider = item->provider != NULL ? gl_tf_name(tf, item->provider) : NULL;
    if (action != NULL) {
        resource.change = action->change;
        resource.is_forgotten = action->is_forgotten;
    }
    resource.address = shown_address(tf, item);
    resource.row = item->parts.is_data ? NULL : gl_mapping_row(tf->options->mapping, type);
    if (resource.row != NULL && resource.row->variant != NULL)
        set_variant(tf, item, &resource);
    resource.before = keep(tf, item, gl_jnode_get(tree, change, "before"));
    resource.after = keep(tf, item, gl_jnode_get(tree, change, "after"));
    resource.unknown = keep(tf, item, gl_jnode_get(tree, change, "after_unknown"));
    resource.tags = keep_tags(tf, item, &resource);
    return add_resource(tf, &resource, err);
}

static int read_item(struct gl_tf *tf, struct gl_jsonpull *pull, struct item *item,
                     struct gl_error *err)
{
    static const struct gl_tf_member members[] = {{"address", take_address},
                                                  {"provider_name", take_provider},
                                                  {"change", take_change},
                                                  {"deposed", take_deposed},
                                                  {0}};

    if (gl_tf_members(tf, pull, members, item, err) != 0)
        return -1;
    if (item->address == NULL || !item->has_change)
        return gl_fail(err, GL_E_SYNTAX, "%s:%llu: a resource change without %s", tf->document,
                       (unsigned long long)gl_jsonpull_line(pull),
                       item->address == NULL ? "an address" : "its change");
    tf->plan->resources += !item->parts.is_data;
    return item->has_tree ? keep_change(tf, item, err) : 0;
}

int gl_tf_read_change(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                      struct gl_error *err)
{
    struct item item = {0};
    int status = read_item(tf, pull, &item, err);

    (void)cookie;
    gl_arena_done(&item.memory);
    return status;
}

/* {"reason":"instance_count_unknown","resource_change":{...}}, in any order. */
static int take_reason(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                       struct gl_error *err)
{
    return gl_tf_text(tf, pull, cookie, err);
}

static int take_deferred(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                         struct gl_error *err)
{
    (void)cookie;
    return gl_tf_read_change(tf, pull, NULL, err);
}

int gl_tf_read_deferred(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                        struct gl_error *err)
{
    static const struct gl_tf_member members[] = {
        {"reason", take_reason}, {"resource_change", take_deferred}, {0}};
    const char *reason = "unknown";
    size_t first = tf->resource_count;

    (void)cookie;
    if (gl_tf_members(tf, pull, members, &reason, err) != 0)
        return -1;
    for (size_t i = first; i < tf->resource_count; i++)
        tf->resources[i].deferred = reason;
    tf->plan->is_partial = true;
    return 0;
}

/* ---- prior_state: what data sources have already told ---- */

static int take_values(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                       struct gl_error *err)
{
    struct item *item = cookie;
    const struct gl_jsonpull_choice of_values = {wants_of_values, &item->wanted, 1};

    if (item->address == NULL)
        return take_tree(tf, pull, item, NULL, err);
    if (item->parts.is_data && item->is_read)
        return take_tree(tf, pull, item, &of_values, err);
    return gl_jsonpull_skip(pull, err);
}

static int take_marks(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                      struct gl_error *err)
{
    struct item *item = cookie;

    if (item->address != NULL && !(item->parts.is_data && item->is_read))
        return gl_jsonpull_skip(pull, err);
    item->has_marks = true;
    return gl_jsonpull_take(pull, &tf->marks, err);
}

static int read_prior_item(struct gl_tf *tf, struct gl_jsonpull *pull, struct item *item,
                           struct gl_error *err)
{
    static const struct gl_tf_member members[] = {
        {"address", take_address}, {"values", take_values}, {"sensitive_values", take_marks}, {0}};
    struct gl_tf_resource resource = blank(GL_CHANGE_READ);

    if (gl_tf_members(tf, pull, members, item, err) != 0)
        return -1;
    if (item->address == NULL || !item->has_tree || !item->parts.is_data || !item->is_read)
        return 0;
    if (item->has_marks)
        tf->hides |= gl_reader_hide(&tf->scratch, gl_jtree_root(&tf->scratch), &tf->marks,
                                    gl_jtree_root(&tf->marks));
    resource.parts = keep_parts(tf, &item->parts);
    resource.address = gl_arena_text(&tf->work, item->address, strlen(item->address));
    resource.after = keep(tf, item, gl_jtree_root(&tf->scratch));
    return add_resource(tf, &resource, err);
}

static int read_prior_resource(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                               struct gl_error *err)
{
    struct item item = {0};
    int status = read_prior_item(tf, pull, &item, err);

    (void)cookie;
    gl_arena_done(&item.memory);
    return status;
}

static int read_prior_resources(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                                struct gl_error *err)
{
    return gl_tf_items(tf, pull, read_prior_resource, cookie, err);
}

static int read_prior_modules(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                              struct gl_error *err)
{
    return gl_tf_items(tf, pull, gl_tf_read_prior, cookie, err);
}

/* The state, its values and every module in it hold one another under these names. */
int gl_tf_read_prior(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie, struct gl_error *err)
{
    static const struct gl_tf_member members[] = {{"values", gl_tf_read_prior},
                                                  {"root_module", gl_tf_read_prior},
                                                  {"resources", read_prior_resources},
                                                  {"child_modules", read_prior_modules},
                                                  {0}};

    return gl_tf_members(tf, pull, members, cookie, err);
}
