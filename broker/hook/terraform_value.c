/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/terraform_part.h"

#include <stdlib.h>
#include <string.h>

/* ---- values below a node of a tree ---- */

/* A block stands in a list, which is stepped into at its first item. */
const struct gl_jnode *gl_tf_into(const struct gl_jtree *tree, const struct gl_jnode *node)
{
    while (gl_jnode_is(node, GL_JARRAY))
        node = gl_jnode_at(tree, node, 0);
    return node;
}

const struct gl_jnode *gl_tf_at(const struct gl_jtree *tree, const struct gl_jnode *node,
                                const char *path)
{
    char name[128];

    while (*path != '\0' && node != NULL) {
        size_t length = strcspn(path, ".[");

        if (length >= sizeof name)
            return NULL;
        memcpy(name, path, length);
        name[length] = '\0';
        node = gl_jnode_get(tree, gl_tf_into(tree, node), name);
        path += length;
        path += *path == '[' ? strcspn(path, "]") + (strchr(path, ']') != NULL) : 0;
        path += *path == '.';
    }
    return node;
}

/* An item of a list by its number; of a list whose items differ none, when no number says which. */
static const struct gl_jnode *item_of(const struct gl_jtree *tree, const struct gl_jnode *list,
                                      const char *number)
{
    const struct gl_jnode *first = gl_jnode_at(tree, list, 0);
    const char *text = gl_jnode_text(tree, first);

    if (*number >= '0' && *number <= '9')
        return gl_jnode_at(tree, list, strtoul(number, NULL, 10));
    for (size_t i = 1; i < list->count; i++) {
        const char *other = gl_jnode_text(tree, gl_jnode_at(tree, list, i));

        if (text == NULL || other == NULL || strcmp(text, other) != 0)
            return NULL;
    }
    return first;
}

/* The value at "[1].region" or "[\"us\"]" below `node`; NULL when it cannot be told which. */
const struct gl_jnode *gl_tf_value_at(const struct gl_jtree *tree, const struct gl_jnode *node,
                                      const char *path)
{
    char name[128];

    while (*path != '\0' && node != NULL) {
        bool is_index = *path == '[';
        size_t length = strcspn(path += is_index, is_index ? "]" : ".[");
        bool is_quoted = is_index && length >= 2 && *path == '"';

        snprintf(name, sizeof name, "%.*s", (int)(is_quoted ? length - 2 : length),
                 path + is_quoted);
        if (length >= sizeof name)
            return NULL;
        if (is_index && gl_jnode_is(node, GL_JARRAY))
            node = item_of(tree, node, name);
        else
            node = gl_jnode_get(tree, gl_jnode_is(node, GL_JARRAY) ? item_of(tree, node, "") : node,
                                name);
        path += length;
        path += is_index && *path == ']';
        path += *path == '.';
    }
    return gl_jnode_is(node, GL_JARRAY) ? item_of(tree, node, "") : node;
}
