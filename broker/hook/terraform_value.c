/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/terraform_part.h"

#include <stdio.h>
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
    for (const struct gl_jnode *item = first != NULL ? gl_jnode_next(tree, list, first) : NULL;
         item != NULL; item = gl_jnode_next(tree, list, item)) {
        const char *other = gl_jnode_text(tree, item);

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

/* ---- is it written? ---- */

/* {"references":[...]} or {"constant_value":...}: what is inside is not told apart there. One of a
 * function without names is {}, as an empty block is, which stands in a list. */
static bool is_expression(const struct gl_jtree *tree, const struct gl_jnode *node)
{
    return gl_jnode_is(node, GL_JOBJECT) &&
           (node->count == 0 || gl_jnode_get(tree, node, "references") != NULL ||
            gl_jnode_get(tree, node, "constant_value") != NULL);
}

/* Is "a.b" written below `node`, in any block of a list? An expression for all of `a` writes it. */
static bool has_written(const struct gl_jtree *tree, const struct gl_jnode *node, const char *path)
{
    size_t length = strcspn(path, ".");
    char name[128];

    if (gl_jnode_is(node, GL_JARRAY)) {
        for (const struct gl_jnode *item = gl_jnode_first(tree, node); item != NULL;
             item = gl_jnode_next(tree, node, item))
            if (has_written(tree, item, path))
                return true;
        return false;
    }
    if (node == NULL || *path == '\0' || length >= sizeof name)
        return node != NULL;
    snprintf(name, sizeof name, "%.*s", (int)length, path);
    node = gl_jnode_get(tree, node, name);
    return is_expression(tree, node) ||
           has_written(tree, node, path + length + (path[length] == '.'));
}

/* Of the blocks of a list the first that has the member. */
static const struct gl_jnode *member_of(const struct gl_jtree *tree, const struct gl_jnode *node,
                                        const char *name)
{
    const struct gl_jnode *found = NULL;

    if (!gl_jnode_is(node, GL_JARRAY))
        return gl_jnode_get(tree, node, name);
    for (const struct gl_jnode *item = gl_jnode_first(tree, node); item != NULL && found == NULL;
         item = gl_jnode_next(tree, node, item))
        found = gl_jnode_get(tree, item, name);
    return found;
}

/* Is it in a block that stands in the plan, and nowhere in the configuration? That leaves out what
 * `dynamic` makes. */
static bool is_dynamic(const struct gl_tf_block *block, const struct gl_attributes *from,
                       const char *path)
{
    const struct gl_jnode *said = gl_jtree_root(&block->expressions), *made = from->values;
    char name[128];

    for (size_t length = strcspn(path, "."); path[length] != '\0' && length < sizeof name;
         length = strcspn(path, ".")) {
        snprintf(name, sizeof name, "%.*s", (int)length, path);
        path += length + 1;
        said = member_of(&block->expressions, said, name);
        made = member_of(from->tree, made, name);
        if (said == NULL)
            return gl_jnode_is(made, GL_JARRAY) && made->count > 0;
        if (is_expression(&block->expressions, said))
            return false;
    }
    return false;
}

/* Of the types that are named after their provider; of the others' blocks nothing is said. */
static bool is_filled_in(const struct gl_tf *tf, const char *type, const char *name)
{
    const struct gl_mapping_provider *provider = gl_mapping_provider(tf->options->mapping, type);
    size_t length = provider != NULL ? strlen(provider->name) : 0;

    if (provider == NULL || provider->filled_in == NULL ||
        strncmp(type, provider->name, length) != 0 || type[length] != '_')
        return true;
    for (const char *const *one = provider->filled_in; *one != NULL; one++)
        if (strcmp(*one, name) == 0)
            return true;
    return false;
}

/* Is it in a block that is known later as a whole and stands nowhere in the configuration? One that
 * its provider does not fill in comes of `dynamic` over something that is not known yet. */
static bool is_made_later(const struct gl_tf *tf, const struct gl_tf_block *block,
                          const struct gl_attributes *from, const char *path)
{
    const struct gl_tf_resource *resource = from->resource;
    const struct gl_jnode *said = gl_jtree_root(&block->expressions), *later = from->unknown;
    char name[128];

    for (size_t length = strcspn(path, "."); path[length] != '\0' && length < sizeof name;
         length = strcspn(path, ".")) {
        snprintf(name, sizeof name, "%.*s", (int)length, path);
        path += length + 1;
        said = member_of(&block->expressions, said, name);
        later = member_of(from->unknown_tree, later, name);
        if (is_expression(&block->expressions, said))
            return false;
        if (gl_jnode_is(later, GL_JTRUE))
            return said == NULL && !is_filled_in(tf, resource->parts.type, name);
    }
    return false;
}

int gl_tf_is_written(void *cookie, const struct gl_attributes *from, const char *attribute)
{
    const struct gl_tf_block *block = gl_tf_block_of(cookie, from->resource);

    if (block != NULL && is_made_later(cookie, block, from, attribute))
        return 1;
    if (block == NULL || is_dynamic(block, from, attribute))
        return -1;
    return has_written(&block->expressions, gl_jtree_root(&block->expressions), attribute);
}

/* ---- what stands at "a.b", in every block of a list ---- */

/* What is known later, hidden, or written, as a whole stands for all in it. */
static bool is_whole(const struct gl_jtree *tree, const struct gl_jnode *node)
{
    return gl_jnode_is(node, GL_JTRUE) || gl_jnode_is(node, GL_JHIDDEN) ||
           gl_jnode_get(tree, node, "references") != NULL;
}

void gl_tf_visit(const struct gl_jtree *tree, const struct gl_jnode *node, const char *path,
                 gl_tf_seen *seen, void *cookie)
{
    size_t length = strcspn(path, ".");
    char name[128];

    if (gl_jnode_is(node, GL_JARRAY)) {
        for (const struct gl_jnode *item = gl_jnode_first(tree, node); item != NULL;
             item = gl_jnode_next(tree, node, item))
            gl_tf_visit(tree, item, path, seen, cookie);
    } else if (node != NULL && (*path == '\0' || is_whole(tree, node))) {
        seen(tree, node, cookie);
    } else if (gl_jnode_is(node, GL_JOBJECT) && length < sizeof name) {
        memcpy(name, path, length);
        name[length] = '\0';
        gl_tf_visit(tree, gl_jnode_get(tree, node, name), path + length + (path[length] == '.'),
                    seen, cookie);
    }
}

/* ---- is it as it was? ---- */

static void add_said(const struct gl_jtree *tree, const struct gl_jnode *node, void *cookie)
{
    if (gl_jnode_is(node, GL_JNULL))
        return;
    gl_str_add_char(cookie, (char)('0' + node->kind));
    if (node->kind == GL_JNUMBER || node->kind == GL_JSTRING)
        gl_str_add_bytes(cookie, tree->text + node->text, (size_t)node->length + 1);
}

static void note_later(const struct gl_jtree *tree, const struct gl_jnode *node, void *cookie)
{
    (void)tree;
    *(bool *)cookie |= gl_jnode_is(node, GL_JTRUE);
}

bool gl_tf_is_kept(void *cookie, const struct gl_attributes *from, const char *attribute)
{
    const struct gl_tf_resource *resource = from->resource;
    GL_AUTO(gl_str_done) struct gl_str was = {0}, is = {0};
    bool is_later = false;

    (void)cookie;
    if (from->is_past || resource->before->count == 0)
        return false;
    gl_tf_visit(resource->before, gl_jtree_root(resource->before), attribute, add_said, &was);
    gl_tf_visit(from->tree, from->values, attribute, add_said, &is);
    gl_tf_visit(from->unknown_tree, from->unknown, attribute, note_later, &is_later);
    return !is_later && was.length == is.length &&
           memcmp(gl_str_text(&was), gl_str_text(&is), was.length) == 0;
}
