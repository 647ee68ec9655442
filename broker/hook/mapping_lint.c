/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/mapping_lint.h"

#include "broker/hook/mapping_part.h"

#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 256 /* that are looked through for the nearest one */

/* Where a path has got to in a schema. */
struct place {
    enum { AT_BLOCK, AT_TYPE } kind;
    const struct gl_jnode *node;
};

struct lint {
    const struct gl_hook_mapping *mapping;
    struct gl_jsonpull *pull;
    struct gl_jtree tree; /* of one type */
    struct gl_str *report;
    struct gl_mapping_lint *sums;
    bool *is_seen; /* by number of the row */
    size_t row_count;
    const struct gl_mapping_provider *provider; /* whose types are being read */
};

/* ---- one step ---- */

static struct place attribute_place(const struct gl_jtree *tree, const struct gl_jnode *attribute)
{
    const struct gl_jnode *nested = gl_jnode_get(tree, attribute, "nested_type");

    if (nested != NULL)
        return (struct place){AT_BLOCK, nested};
    return (struct place){AT_TYPE, gl_jnode_get(tree, attribute, "type")};
}

/* "string", ["list", TYPE], ["map", TYPE], ["object", {name: TYPE}]. */
static bool step_type(const struct gl_jtree *tree, struct place *place, const char *name)
{
    const struct gl_jnode *type = place->node;
    const char *word = gl_jnode_text(tree, type);

    if (word != NULL)
        return strcmp(word, "dynamic") == 0;
    while (gl_jnode_is(type, GL_JARRAY)) {
        word = gl_jnode_text(tree, gl_jnode_at(tree, type, 0));
        type = gl_jnode_at(tree, type, 1);
        if (word == NULL || strcmp(word, "map") == 0)
            break;
        if (strcmp(word, "object") == 0) {
            type = gl_jnode_get(tree, type, name);
            break;
        }
    }
    *place = (struct place){AT_TYPE, type};
    return type != NULL;
}

static bool step(const struct gl_jtree *tree, struct place *place, const char *name)
{
    const struct gl_jnode *found;

    if (place->kind != AT_BLOCK)
        return step_type(tree, place, name);
    found = gl_jnode_get(tree, gl_jnode_get(tree, place->node, "attributes"), name);
    if (found != NULL) {
        *place = attribute_place(tree, found);
        return true;
    }
    found = gl_jnode_get(tree, gl_jnode_get(tree, place->node, "block_types"), name);
    if (found == NULL)
        return false;
    *place = (struct place){AT_BLOCK, gl_jnode_get(tree, found, "block")};
    return true;
}

/* ---- paths ---- */

static size_t list_names(const struct gl_jtree *tree, const struct gl_jnode *object,
                         const char **names, size_t count)
{
    for (const struct gl_jnode *at = gl_jnode_is(object, GL_JOBJECT) ? gl_jnode_first(tree, object)
                                                                     : NULL;
         at != NULL && count < NAMES_MAX; at = gl_jnode_next(tree, object, at))
        names[count++] = gl_jnode_key(tree, at);
    return count;
}

static void tell(struct lint *lint, const struct gl_mapping_row *row, const char *key,
                 const struct place *place, const char *name)
{
    const char *names[NAMES_MAX];
    const struct gl_jtree *tree = &lint->tree;
    const struct gl_jnode *node = place->kind == AT_BLOCK ? place->node : NULL;
    size_t count = list_names(tree, gl_jnode_get(tree, node, "attributes"), names, 0);
    const char *near;

    count = list_names(tree, gl_jnode_get(tree, node, "block_types"), names, count);
    near = gl_text_nearest(name, names, count);
    lint->sums->faults++;
    gl_str_addf(lint->report, "%s: %s: %s: the schema has no \"%s\"", row->source, row->type, key,
                name);
    if (near != NULL)
        gl_str_addf(lint->report, ", but %s", near);
    gl_str_add(lint->report, "\n");
}

static void check_path(struct lint *lint, const struct gl_mapping_row *row, const char *key,
                       const struct gl_path *path, struct place start);

static void check_term(struct lint *lint, const struct gl_mapping_row *row, const char *key,
                       const struct gl_path_term *term, struct place place)
{
    if (term->guard != NULL)
        check_term(lint, row, key, term->guard, place);
    for (size_t i = 0; i < term->step_count; i++) {
        struct place before = place;

        if (!step(&lint->tree, &place, term->steps[i].name)) {
            tell(lint, row, key, &before, term->steps[i].name);
            return;
        }
    }
    lint->sums->paths++;
    if (term->rest != NULL && term->follow == NULL)
        check_path(lint, row, key, term->rest, place);
}

static void check_path(struct lint *lint, const struct gl_mapping_row *row, const char *key,
                       const struct gl_path *path, struct place start)
{
    for (const struct gl_path_choice *choice = path->first; choice != NULL; choice = choice->next)
        for (const struct gl_path_term *term = choice->terms; term != NULL; term = term->next)
            if (term->constant == NULL)
                check_term(lint, row, key, term, start);
}

/* The parts of a path that are read in resources of `type` after a reference. */
static void check_followed(struct lint *lint, const struct gl_mapping_row *row, const char *key,
                           const struct gl_path *path, const char *type, struct place start)
{
    for (const struct gl_path_choice *choice = path->first; choice != NULL; choice = choice->next)
        for (const struct gl_path_term *term = choice->terms; term != NULL; term = term->next) {
            if (term->follow == NULL)
                continue;
            if (strcmp(term->follow, type) == 0)
                check_path(lint, row, key, term->rest, start);
            check_followed(lint, row, key, term->rest, type, start);
        }
}

static void check_row(struct lint *lint, const struct gl_mapping_row *row, const char *type,
                      struct place start)
{
    struct gl_mapping_path paths[GL_MAPPING_ROW_PATHS];
    size_t count = gl_mapping_row_paths(row, paths);
    bool is_own = strcmp(row->type, type) == 0;

    for (size_t i = 0; i < count; i++) {
        if (is_own && strcmp(paths[i].key, "tags") != 0)
            check_path(lint, row, paths[i].key, paths[i].path, start);
        check_followed(lint, row, paths[i].key, paths[i].path, type, start);
    }
}

/* ---- the document ---- */

static int check_type(struct lint *lint, const char *type, struct gl_error *err)
{
    struct place start;

    if (gl_jsonpull_take(lint->pull, &lint->tree, err))
        return -1;
    start =
        (struct place){AT_BLOCK, gl_jnode_get(&lint->tree, gl_jtree_root(&lint->tree), "block")};
    lint->sums->types++;
    for (size_t i = 0; i < lint->row_count; i++) {
        const struct gl_mapping_row *row = gl_mapping_at(lint->mapping, i);

        check_row(lint, row, type, start);
        if (strcmp(row->type, type) == 0)
            lint->is_seen[i] = true;
    }
    return 0;
}

/* Call `each` with every member's name of the object that comes next. */
static int each_member(struct lint *lint,
                       int (*each)(struct lint *lint, const char *name, struct gl_error *err),
                       struct gl_error *err)
{
    struct gl_view key;
    bool has;

    if (gl_jsonpull_enter(lint->pull, GL_JOBJECT, err))
        return -1;
    while (gl_jsonpull_member(lint->pull, &key, &has, err) == 0 && has) {
        GL_AUTO(gl_str_done) struct gl_str name = {0};

        gl_str_add_bytes(&name, key.text, key.length);
        if (each(lint, gl_str_text(&name), err))
            return -1;
    }
    return err->code == GL_OK ? 0 : -1;
}

static int at_type(struct lint *lint, const char *name, struct gl_error *err)
{
    return gl_mapping_reads(lint->mapping, name, NULL) ? check_type(lint, name, err)
                                                       : gl_jsonpull_skip(lint->pull, err);
}

static int at_provider_part(struct lint *lint, const char *name, struct gl_error *err)
{
    return strcmp(name, "resource_schemas") == 0 ? each_member(lint, at_type, err)
                                                 : gl_jsonpull_skip(lint->pull, err);
}

/* Rows of this provider whose type did not come. */
static void tell_absent(struct lint *lint)
{
    for (size_t i = 0; lint->provider != NULL && i < lint->row_count; i++) {
        const struct gl_mapping_row *row = gl_mapping_at(lint->mapping, i);
        size_t length = strlen(lint->provider->name);

        if (lint->is_seen[i] || strcmp(row->provider, lint->provider->name) != 0 ||
            strncmp(row->type, lint->provider->name, length) != 0 || row->type[length] != '_')
            continue;
        lint->sums->absent++;
        gl_str_addf(lint->report, "%s: %s: not in the schema\n", row->source, row->type);
    }
}

static int at_provider(struct lint *lint, const char *name, struct gl_error *err)
{
    lint->provider = gl_mapping_provider(lint->mapping, name);
    if (each_member(lint, at_provider_part, err))
        return -1;
    tell_absent(lint);
    return 0;
}

static int at_root(struct lint *lint, const char *name, struct gl_error *err)
{
    if (strcmp(name, "provider_schemas") != 0)
        return gl_jsonpull_skip(lint->pull, err);
    lint->sums->types = 0;
    return each_member(lint, at_provider, err);
}

int gl_mapping_lint(const struct gl_hook_mapping *mapping, struct gl_feed *feed,
                    struct gl_str *out_report, struct gl_mapping_lint *out, struct gl_error *err)
{
    struct gl_mapping_lint sums = {.types = SIZE_MAX};
    struct lint lint = {
        .mapping = mapping, .pull = gl_jsonpull_new(feed), .report = out_report, .sums = &sums};
    int result;

    while (gl_mapping_at(mapping, lint.row_count) != NULL)
        lint.row_count++;
    lint.is_seen = gl_alloc(lint.row_count * sizeof *lint.is_seen);
    result = each_member(&lint, at_root, err);
    if (result == 0 && sums.types == SIZE_MAX)
        result = gl_fail(err, GL_E_BAD_VALUE,
                         "%s: no schema of providers; write one with: terraform providers schema "
                         "-json",
                         gl_feed_name(feed));
    if (result == 0)
        *out = sums;
    free(lint.is_seen);
    gl_jtree_done(&lint.tree);
    gl_jsonpull_free(lint.pull);
    return result;
}

void gl_mapping_list(const struct gl_hook_mapping *mapping, struct gl_str *out)
{
    const struct gl_mapping_row *row;

    for (size_t i = 0; (row = gl_mapping_at(mapping, i)) != NULL; i++)
        gl_str_addf(out, "%s\t%s\t%s\t%s\t%s\n", row->type, gl_role_word(row->role),
                    row->cloud != NULL ? row->cloud : "-",
                    row->verified[0] != '\0' ? row->verified : "not verified", row->source);
}
