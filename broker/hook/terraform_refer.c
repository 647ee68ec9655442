/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/terraform_reference.h"

#include <string.h>

/* The resources that an attribute refers to: by what it says, else by the names of its expression
 * in the configuration. Which name counts, and which instance of a block, is not always in the
 * plan; then all are meant that may be. */

/* ---- resources as attributes ---- */

struct gl_attributes gl_tf_attributes(const struct gl_tf_resource *resource, bool is_before)
{
    const struct gl_jtree *tree = is_before ? resource->before : resource->after;

    return (struct gl_attributes){.tree = tree,
                                  .values = gl_jtree_root(tree),
                                  .unknown_tree = resource->unknown,
                                  .unknown = is_before ? NULL : gl_jtree_root(resource->unknown),
                                  .within = resource->within,
                                  .resource = resource,
                                  .address = resource->address,
                                  .is_past = is_before};
}

const struct gl_tf_block *gl_tf_block_of(const struct gl_tf *tf,
                                         const struct gl_tf_resource *resource)
{
    const struct gl_tf_address *parts = &resource->parts;
    struct gl_arena arena = {0};
    const char *name =
        gl_tf_block_name(&arena, parts->module, parts->type, parts->name, parts->is_data);
    size_t cursor = 0, number;
    bool has = gl_reader_index_next(&tf->blocks_named, name, &cursor, &number);

    gl_arena_done(&arena);
    return has ? &tf->blocks[number] : NULL;
}

/* ---- what may be meant ---- */

struct meant {
    struct gl_tf *tf;
    const struct gl_tf_resource *from;
    const char *const *types;
    const struct gl_tf_resource **found;
    size_t count, room;
    bool is_merged;       /* of those that say the same, one is enough */
    bool is_over;         /* more than there is room for, or than is looked at */
    bool leads_elsewhere; /* a resource of another type of that provider is named */
};

static bool is_wanted(const struct meant *meant, const char *type)
{
    for (const char *const *wanted = meant->types; *wanted != NULL; wanted++)
        if (strcmp(*wanted, type) == 0)
            return true;
    return false;
}

/* Trees that are equal are held once. */
static bool is_alike(const struct meant *meant, const struct gl_tf_resource *a,
                     const struct gl_tf_resource *b)
{
    return a == b || (meant->is_merged && a->after == b->after && a->unknown == b->unknown &&
                      a->before == b->before);
}

/* `earlier` of them may be it already. */
static void add(struct meant *meant, const struct gl_tf_resource *resource, size_t earlier)
{
    meant->tf->picked += resource == meant->from;
    if (resource == meant->from)
        return;
    for (size_t i = 0; i < earlier; i++)
        if (is_alike(meant, meant->found[i], resource))
            return;
    if (meant->count == meant->room)
        meant->is_over = true;
    else
        meant->found[meant->count++] = resource;
}

static bool has_template(const struct meant *meant)
{
    for (size_t i = 0; i < meant->count; i++)
        if (meant->found[i]->row != NULL && meant->found[i]->row->role == GL_ROLE_TEMPLATE)
            return true;
    return false;
}

/* ---- by the configuration ---- */

/* Whose expression it is: the instance of its module, and the key that each.key or count.index are
 * there. Inside a module that is called, the instance without the key of the call, and that key. */
struct stand {
    const char *instance, *called; /* called "" = not told */
    const char *key;
};

/* One expression of a module. */
struct naming {
    const char *module;
    struct stand stand;
    const char *each_of; /* what for_each goes over there; NULL = not told */
    bool has_each;       /* each.key or count.index is in it */
    unsigned depth;
};

/* How well an instance goes with the names: by its module's instance, the key of the call, its
 * own. */
static int fit_of(const struct gl_tf_resource *resource, const struct stand *stand, const char *key)
{
    size_t length = strlen(stand->instance);
    const char *rest = resource->parts.instance + length;
    int fit = *key != '\0' && strcmp(resource->parts.key, key) == 0;

    if (strncmp(resource->parts.instance, stand->instance, length) != 0 ||
        (*rest != '\0' && *rest != '['))
        return fit;
    return fit + 4 + 2 * (strcmp(rest, stand->called) == 0);
}

#define BEST_FIT 7

/* The one instance that fits in every way; NULL. */
static const struct gl_tf_resource *exact(struct gl_tf *tf, const char *block,
                                          const struct stand *stand, const char *key)
{
    size_t cursor = 0, number;

    while (*key != '\0' && gl_tf_next_resource(tf, &tf->by_block, block, &cursor, &number)) {
        const struct gl_tf_resource *one = &tf->resources[number];

        if (strcmp(one->parts.key, key) == 0 && one->after->count > 0 &&
            fit_of(one, stand, key) == BEST_FIT)
            return one;
    }
    return NULL;
}

/* The instances of a block that fit best. */
static void add_fitting(struct meant *meant, const char *block, const struct stand *stand,
                        const char *key)
{
    struct gl_tf *tf = meant->tf;
    size_t cursor = 0, number, seen = 0, begin = meant->count;
    bool was_over = meant->is_over, is_done = false;
    int best = -1;

    while (!is_done && gl_tf_next_resource(tf, &tf->by_block, block, &cursor, &number)) {
        const struct gl_tf_resource *one = &tf->resources[number];
        int fit = fit_of(one, stand, key);

        if (one->after->count == 0)
            continue;
        seen++;
        if (fit > best) {
            meant->count = begin;
            meant->is_over = was_over;
            best = fit;
        }
        if (fit == best)
            add(meant, one, meant->is_merged ? meant->count : begin);
        is_done = fit == BEST_FIT - 1 &&
                  (*one->parts.key == '\0' || (meant->is_merged && meant->is_over));
    }
    tf->picked += seen > 1 || is_done;
}

static void add_block(struct meant *meant, const struct naming *naming, const char *text,
                      const struct gl_tf_reference *reference)
{
    struct gl_tf *tf = meant->tf;
    const char *block = gl_tf_block_name(&tf->work, naming->module, reference->first,
                                         reference->second, reference->is_data);
    const char *key = gl_tf_key_of(tf, text, reference);
    const struct gl_tf_resource *one;

    if (*key == '\0' && naming->has_each)
        key = naming->stand.key;
    one = exact(tf, block, &naming->stand, key);
    if (one == NULL) {
        add_fitting(meant, block, &naming->stand, key);
        return;
    }
    add(meant, one, meant->count);
    tf->picked++;
}

/* Is it each.value, or some of it? */
static bool is_each_value(const char *text)
{
    static const char word[] = "each.value";

    return strncmp(text, word, strlen(word)) == 0 && strchr(".[", text[strlen(word)]) != NULL;
}

/* each.value where for_each goes over all instances of a resource: the one of that key. */
static void add_each_value(struct meant *meant, const struct naming *naming)
{
    struct gl_tf *tf = meant->tf;
    struct gl_tf_reference of =
        gl_tf_reference_of(naming->each_of != NULL ? naming->each_of : "each");
    const struct gl_tf_resource *one;

    if (of.kind != GL_TF_REF_RESOURCE || *of.rest != '\0' || !is_wanted(meant, of.first))
        return;
    one = exact(tf, gl_tf_block_name(&tf->work, naming->module, of.first, of.second, of.is_data),
                &naming->stand, naming->stand.key);
    tf->picked++;
    if (one != NULL)
        add(meant, one, meant->count);
}

/* Where the last step of "module.a[\"x\"].module.b[0]" begins. */
static const char *last_step(const char *instance)
{
    static const char word[] = ".module.";
    const char *last = instance;
    bool is_quoted = false;

    for (const char *at = instance; *at != '\0'; at++) {
        if (is_quoted && *at == '\\' && at[1] != '\0')
            at++;
        else if (*at == '"')
            is_quoted = !is_quoted;
        else if (!is_quoted && strncmp(at, word, strlen(word)) == 0)
            last = at;
    }
    return last;
}

/* Of "module.a[\"x\"].module.b[0]" where b is called: "module.a[\"x\"]", with the key "[0]". */
static struct stand outside(struct gl_tf *tf, const struct stand *stand)
{
    const char *last = last_step(stand->instance);
    const char *step = last + (*last == '.');

    return (struct stand){
        gl_arena_text(&tf->work, stand->instance, (size_t)(last - stand->instance)), "",
        *stand->called != '\0' ? stand->called : step + strcspn(step, "[")};
}

/* In the module that is called: the instance that is named, or that goes with this one. */
static struct stand inside(struct gl_tf *tf, const struct naming *naming, const char *text,
                           const struct gl_tf_reference *reference)
{
    const struct stand *here = &naming->stand;
    const char *key = text + strlen("module."), *dot = *here->instance != '\0' ? "." : "";

    key += strcspn(key, ".[");
    return (struct stand){.instance = GL_READER_JOIN(&tf->work, here->instance, here->called, dot,
                                                     "module.", reference->first),
                          .called = *key == '['
                                        ? gl_arena_text(&tf->work, key, strcspn(key, "]") + 1)
                                    : naming->has_each ? here->key
                                                       : "",
                          .key = ""};
}

static void add_names(struct meant *meant, const struct naming *naming,
                      const struct gl_tf_expression *expression);

static bool is_of_provider(const char *type, const char *other)
{
    size_t length = strcspn(other, "_");

    return strncmp(type, other, length) == 0 && type[length] == '_';
}

/* A data source that says nothing yet, or not all of it; its instances are read together. */
static bool is_waiting(struct gl_tf *tf, const char *module,
                       const struct gl_tf_reference *reference)
{
    const char *block =
        gl_tf_block_name(&tf->work, module, reference->first, reference->second, true);
    size_t cursor = 0, number;

    return reference->is_data &&
           (!gl_tf_next_resource(tf, &tf->by_block, block, &cursor, &number) ||
            tf->resources[number].unknown->count > 1);
}

/* Of several of that name all are meant, as of the instances of a block. False = none is. */
static bool add_planned(struct meant *meant, const char *name)
{
    const struct gl_tf_resource *one;
    size_t cursor = 0;
    bool has_one = false;

    while (!meant->is_over && (one = gl_tf_next_planned(meant->tf, name, &cursor)) != NULL) {
        add(meant, one, meant->count);
        has_one = true;
    }
    return has_one;
}

static void add_name(struct meant *meant, const struct naming *naming, const char *text)
{
    struct gl_tf *tf = meant->tf;
    struct gl_tf_reference reference = gl_tf_reference_of(text);
    struct gl_tf_expression next;
    struct naming there = {.depth = naming->depth + 1};

    if (is_each_value(text)) {
        add_each_value(meant, naming);
        return;
    }
    if (reference.kind == GL_TF_REF_RESOURCE && is_wanted(meant, reference.first)) {
        if (!is_waiting(tf, naming->module, &reference) ||
            !add_planned(meant, gl_tf_planned_name(tf, naming->module, text, &reference)))
            add_block(meant, naming, text, &reference);
        return;
    }
    if (reference.kind == GL_TF_REF_RESOURCE)
        meant->leads_elsewhere |=
            !reference.is_data && is_of_provider(reference.first, meant->types[0]);
    next = gl_tf_step(tf, naming->module, &reference);
    if (next.node == NULL)
        return;
    there.module = next.module;
    if (reference.kind == GL_TF_REF_MODULE) {
        there.stand = inside(tf, naming, text, &reference);
    } else {
        there.stand = outside(tf, &naming->stand);
        there.each_of = gl_tf_module_at(tf, naming->module)->each_of;
    }
    add_names(meant, &there, &next);
}

static bool names_each(const struct gl_jtree *tree, const struct gl_jnode *list)
{
    for (size_t i = 0; list != NULL && i < list->count && i < GL_TF_NAMES_MAX; i++) {
        const char *text = gl_jnode_text(tree, gl_jnode_at(tree, list, i));

        if (text != NULL && (strncmp(text, "each.", 5) == 0 || strncmp(text, "count.", 6) == 0))
            return true;
    }
    return false;
}

/* All names of one expression. */
static void add_names(struct meant *meant, const struct naming *naming,
                      const struct gl_tf_expression *expression)
{
    struct gl_tf *tf = meant->tf;
    const struct gl_jtree *tree = expression->tree;
    const struct gl_jnode *list =
        gl_jnode_get(tree, gl_tf_into(tree, expression->node), "references");
    struct naming here = *naming;

    if (naming->depth > GL_TF_MAX_FOLLOWED || tf->steps == GL_TF_MAX_STEPS) {
        meant->is_over = true;
        return;
    }
    tf->steps++;
    here.has_each = names_each(tree, list);
    meant->is_over |= list != NULL && list->count > GL_TF_NAMES_MAX;
    for (size_t i = 0; list != NULL && i < list->count && i < GL_TF_NAMES_MAX; i++)
        if (!gl_tf_is_repeated(tree, list, i))
            add_name(meant, &here, gl_jnode_text(tree, gl_jnode_at(tree, list, i)));
}

struct naming_of {
    struct meant *meant;
    struct naming naming;
};

static void visit_expression(const struct gl_jtree *tree, const struct gl_jnode *node, void *cookie)
{
    struct naming_of *of = cookie;

    add_names(of->meant, &of->naming, &(struct gl_tf_expression){of->naming.module, tree, node});
}

static void add_referred(struct meant *meant, const char *attribute)
{
    struct gl_tf *tf = meant->tf;
    const struct gl_tf_block *block = gl_tf_block_of(tf, meant->from);
    const struct gl_tf_address *parts = &meant->from->parts;

    tf->steps = 0;
    if (block == NULL)
        return;
    gl_tf_visit(&block->expressions, gl_jtree_root(&block->expressions), attribute,
                visit_expression,
                &(struct naming_of){meant,
                                    {.module = block->module,
                                     .stand = {parts->instance, "", parts->key},
                                     .each_of = block->each_of}});
}

/* ---- by what it says ---- */

/* Texts that lead to one resource, to several of the same name, or to none. */
struct told {
    struct meant *meant;
    size_t texts, lost;
    bool is_several, is_later;
};

/* "lt-0abc", or the last part of "projects/p/global/instanceTemplates/web". */
static size_t add_said(struct meant *meant, const char *type, const char *text)
{
    const char *slash = strrchr(text, '/');
    const char *const said[] = {text, slash != NULL ? slash + 1 : NULL};
    size_t count = 0;

    for (size_t i = 0; count == 0 && i < 2 && said[i] != NULL && *said[i] != '\0'; i++) {
        GL_AUTO(gl_str_done) struct gl_str key = {0};
        const struct gl_tf_resource *last = NULL;
        size_t cursor = 0, number;

        gl_str_add(&key, type);
        gl_str_add_char(&key, '|');
        gl_str_add(&key, said[i]);
        while (gl_tf_next_resource(meant->tf, &meant->tf->by_value, gl_str_text(&key), &cursor,
                                   &number)) {
            const struct gl_tf_resource *one = &meant->tf->resources[number];

            count += one != last; /* by two of its names */
            last = one;
            add(meant, one, meant->count);
        }
    }
    return count;
}

static void visit_said(const struct gl_jtree *tree, const struct gl_jnode *node, void *cookie)
{
    struct told *told = cookie;
    const char *text = gl_jnode_text(tree, node);
    size_t count = 0;

    if (text == NULL)
        return;
    for (const char *const *type = told->meant->types; *type != NULL; type++)
        count += add_said(told->meant, *type, text);
    told->texts++;
    told->lost += count == 0;
    told->is_several |= count > 1;
}

static void visit_later(const struct gl_jtree *tree, const struct gl_jnode *node, void *cookie)
{
    struct told *told = cookie;

    (void)tree;
    told->is_later |= gl_jnode_is(node, GL_JTRUE) || gl_jnode_is(node, GL_JHIDDEN);
}

static void look_later(const struct gl_attributes *from, const char *attribute, struct told *told)
{
    gl_tf_visit(from->unknown_tree, from->unknown, attribute, visit_later, told);
    if (told->meant->tf->hides)
        gl_tf_visit(from->tree, from->values, attribute, visit_later, told);
}

/* Resources of the same name stand in several places: what is written tells them apart. False when
 * one is meant that is not found. */
static bool find(struct meant *meant, const struct gl_attributes *from, const char *attribute)
{
    struct told told = {.meant = meant};
    size_t said;
    bool is_all;

    gl_tf_visit(from->tree, from->values, attribute, visit_said, &told);
    look_later(from, attribute, &told);
    is_all = meant->count > 0 && told.lost == 0 && !told.is_later;
    if (is_all && !told.is_several)
        return true;
    if (told.is_several)
        meant->count = 0;
    said = meant->count;
    add_referred(meant, attribute);
    if (meant->count > said)
        return true;
    if (told.is_several)
        gl_tf_visit(from->tree, from->values, attribute, visit_said, &told);
    return is_all;
}

static size_t follow(void *cookie, const struct gl_attributes *from, const char *attribute,
                     const char *type, struct gl_attributes out[GL_FOLLOWED_MAX])
{
    const struct gl_tf_resource *found[GL_FOLLOWED_MAX];
    const char *const types[] = {type, NULL};
    struct meant meant = {.tf = cookie,
                          .from = from->resource,
                          .types = types,
                          .found = found,
                          .room = GL_FOLLOWED_MAX,
                          .is_merged = true};
    bool is_all = find(&meant, from, attribute);

    if (meant.is_over || (!is_all && has_template(&meant)))
        return 0;
    for (size_t i = 0; i < meant.count; i++) {
        const struct gl_tf_resource *one = found[i];
        bool has_past = one->before->count > 0;

        if (from->is_past && !has_past && !one->parts.is_data)
            return 0; /* it was another one */
        out[i] = gl_tf_attributes(one, one->after->count == 0 || (from->is_past && has_past));
    }
    return meant.count;
}

size_t gl_tf_targets(struct gl_tf *tf, const struct gl_tf_resource *scaler, const char *attribute,
                     const char *const *types, const struct gl_tf_resource **found,
                     bool *out_is_untold)
{
    struct gl_attributes from = gl_tf_attributes(scaler, scaler->after->count == 0);
    struct meant meant = {
        .tf = tf, .from = scaler, .types = types, .found = found, .room = tf->resource_count};
    struct told told = {.meant = &meant};
    bool is_all = find(&meant, &from, attribute);

    look_later(&from, attribute, &told);
    *out_is_untold =
        meant.is_over || (!is_all && told.is_later && meant.count == 0 && !meant.leads_elsewhere);
    return meant.count;
}

struct gl_follower gl_tf_follower(struct gl_tf *tf)
{
    return (struct gl_follower){
        .cookie = tf,
        .follow = follow,
        .is_written = gl_tf_is_written,
        .is_kept = gl_tf_is_kept,
        .hides = tf->hides,
    };
}
