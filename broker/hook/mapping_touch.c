/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/mapping_part.h"

#include <string.h>

/* Does a change touch what a row reads in vain? By whole attributes: what is in a block may be said
 * in several ways. */

static const struct gl_jnode *attribute_of(const struct gl_jtree *tree, const struct gl_jnode *node,
                                           const struct gl_path_step *step)
{
    const char *const names[] = {step->name, step->camel, step->plural};
    const struct gl_jnode *found = NULL;

    for (size_t i = 0; i < 3 && found == NULL && gl_jnode_is(node, GL_JOBJECT); i++)
        found = gl_jnode_get(tree, node, names[i]);
    return gl_jnode_is(found, GL_JNULL) ? NULL : found;
}

/* Node by node, as they follow each other in the document. */
static bool is_same(const struct gl_jtree *tree, const struct gl_jnode *node,
                    const struct gl_jtree *other_tree, const struct gl_jnode *other)
{
    size_t count = node != NULL ? node->end - (size_t)(node - tree->nodes) : 0;

    if (node == NULL || other == NULL)
        return node == other;
    if (count != other->end - (size_t)(other - other_tree->nodes))
        return false;
    for (size_t i = 0; i < count; i++, node++, other++) {
        if (node->kind != other->kind || node->count != other->count ||
            (i > 0 && strcmp(tree->text + node->key, other_tree->text + other->key) != 0))
            return false;
        if ((node->kind == GL_JNUMBER || node->kind == GL_JSTRING) &&
            (node->length != other->length ||
             memcmp(tree->text + node->text, other_tree->text + other->text, node->length) != 0))
            return false;
    }
    return true;
}

static bool is_later(const struct gl_jtree *tree, const struct gl_jnode *node)
{
    for (const struct gl_jnode *at = node; at != NULL && at < tree->nodes + node->end; at++)
        if (at->kind == GL_JTRUE)
            return true;
    return false;
}

static bool touches_step(const struct gl_path_step *step, const struct gl_attributes *before,
                         const struct gl_attributes *after)
{
    return is_later(after->unknown_tree, attribute_of(after->unknown_tree, after->unknown, step)) ||
           !is_same(before->tree, attribute_of(before->tree, before->values, step), after->tree,
                    attribute_of(after->tree, after->values, step));
}

static bool touches_path(const struct gl_path *path, const struct gl_attributes *before,
                         const struct gl_attributes *after)
{
    for (const struct gl_path_choice *choice = path->first; choice != NULL; choice = choice->next)
        for (const struct gl_path_term *term = choice->terms; term != NULL; term = term->next)
            if (term->steps != NULL ? touches_step(&term->steps[0], before, after)
                                    : term->rest != NULL && touches_path(term->rest, before, after))
                return true;
    return false;
}

/* Is it a path that came to nothing that is known? */
static bool is_open(const struct gl_mapping_row *row, const struct gl_intent *intent,
                    const struct gl_path *path)
{
    const char *head = gl_path_head(path);

    for (const char *const *name = intent->unknown; name != NULL && *name != NULL; name++)
        if (strcmp(*name, head) == 0)
            return true;
    return path == row->machine && intent->machine.type == NULL && intent->machine.how != NULL;
}

bool gl_mapping_is_untold(const struct gl_mapping_row *row, const struct gl_intent *intent,
                          const struct gl_attributes *before, const struct gl_attributes *after)
{
    struct gl_mapping_path paths[GL_MAPPING_ROW_PATHS];
    size_t count = gl_mapping_row_paths(row, paths);
    const struct gl_path_step within = {after->within, after->within, after->within};

    for (size_t i = 0; i < count; i++)
        if (is_open(row, intent, paths[i].path) &&
            (after->within != NULL ? touches_step(&within, before, after)
                                   : touches_path(paths[i].path, before, after)))
            return true;
    return false;
}
