/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/reader_part.h"

#include <string.h>

/* What is below goes with it: nodes that nobody reaches, of nothing. */
static void hide(struct gl_jtree *tree, struct gl_jnode *node)
{
    struct gl_jnode *end = tree->nodes + node->end;

    for (struct gl_jnode *below = node + 1; below < end; below++)
        *below = (struct gl_jnode){.kind = GL_JNULL, .end = below->end};
    node->kind = GL_JHIDDEN;
    node->has_nul = false;
    node->count = node->length = node->text = 0;
}

/* Marks are true, in containers of the same shape. Whatever else is no "no". */
static bool is_mark(const struct gl_jnode *mark)
{
    return mark->kind != GL_JFALSE && mark->kind != GL_JNULL && mark->kind != GL_JOBJECT &&
           mark->kind != GL_JARRAY;
}

static bool holds_mark(const struct gl_jtree *tree, const struct gl_jnode *mark)
{
    const struct gl_jnode *end = tree->nodes + mark->end;

    while (mark < end && !is_mark(mark))
        mark++;
    return mark < end;
}

static bool hide_below(struct gl_jtree *tree, const struct gl_jnode *node,
                       const struct gl_jtree *marks, const struct gl_jnode *mark);

static const struct gl_jnode *mark_named(const struct gl_jtree *marks, const struct gl_jnode *mark,
                                         const struct gl_jnode *next, const char *name)
{
    bool is_next = next != NULL && strcmp(gl_jnode_key(marks, next), name) == 0;

    return is_next ? next : gl_jnode_get(marks, mark, name);
}

/* No deeper than the tree is, which has its ceiling. Marks stand in the order of what they mark, as
 * a rule: each is looked for behind the last. */
static bool hide_children(struct gl_jtree *tree, const struct gl_jnode *node,
                          const struct gl_jtree *marks, const struct gl_jnode *mark)
{
    bool is_object = node->kind == GL_JOBJECT, has_hidden = false;
    const struct gl_jnode *next = gl_jnode_first(marks, mark);

    for (const struct gl_jnode *child = gl_jnode_first(tree, node); child != NULL;
         child = gl_jnode_next(tree, node, child)) {
        const struct gl_jnode *of =
            is_object ? mark_named(marks, mark, next, gl_jnode_key(tree, child)) : next;

        if (of == NULL)
            continue;
        next = gl_jnode_next(marks, mark, of);
        has_hidden |= hide_below(tree, child, marks, of);
    }
    return has_hidden;
}

static bool hide_below(struct gl_jtree *tree, const struct gl_jnode *node,
                       const struct gl_jtree *marks, const struct gl_jnode *mark)
{
    bool is_list = node->kind == GL_JARRAY;

    if (!holds_mark(marks, mark))
        return false;
    if (mark->kind == node->kind && (node->kind == GL_JOBJECT || is_list) &&
        (!is_list || node->count == mark->count))
        return hide_children(tree, node, marks, mark);
    hide(tree, &tree->nodes[node - tree->nodes]);
    return true;
}

bool gl_reader_hide(struct gl_jtree *tree, const struct gl_jnode *node,
                    const struct gl_jtree *marks, const struct gl_jnode *mark)
{
    return node != NULL && mark != NULL && hide_below(tree, node, marks, mark);
}
