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

/* No deeper than the tree is, which has its ceiling. */
static bool hide_children(struct gl_jtree *tree, const struct gl_jnode *node,
                          const struct gl_jtree *marks, const struct gl_jnode *mark)
{
    bool is_object = node->kind == GL_JOBJECT, has_hidden = false;
    size_t index = 0;

    for (const struct gl_jnode *child = gl_jnode_first(tree, node); child != NULL;
         child = gl_jnode_next(tree, node, child), index++) {
        const struct gl_jnode *of = is_object ? gl_jnode_get(marks, mark, gl_jnode_key(tree, child))
                                              : gl_jnode_at(marks, mark, index);

        if (of != NULL)
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
