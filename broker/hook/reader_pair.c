/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/reader_part.h"
#include "broker/hook/yamltree.h"

#include <string.h>

void gl_reader_pair_add(struct gl_reader_pair *pair, const char *value, const char *unknown)
{
    gl_str_add(&pair->values, value);
    gl_str_add(&pair->unknown, unknown);
}

void gl_reader_pair_key(struct gl_reader_pair *pair, const char *key)
{
    gl_yamltree_quote(&pair->values, key, strlen(key));
    gl_yamltree_quote(&pair->unknown, key, strlen(key));
    gl_reader_pair_add(pair, ":", ":");
}

void gl_reader_pair_text(struct gl_reader_pair *pair, const char *text, size_t length)
{
    gl_yamltree_quote(&pair->values, text, length);
    gl_str_add(&pair->unknown, "false");
}

void gl_reader_pair_scalar(struct gl_reader_pair *pair, const struct gl_jtree *tree,
                           const struct gl_jnode *node)
{
    static const char *const words[] = {
        [GL_JNULL] = "null", [GL_JFALSE] = "false", [GL_JTRUE] = "true"};

    if (node->kind == GL_JSTRING) {
        gl_reader_pair_text(pair, tree->text + node->text, node->length);
        return;
    }
    if (node->kind == GL_JNUMBER)
        gl_str_add_bytes(&pair->values, tree->text + node->text, node->length);
    else
        gl_str_add(&pair->values, node->kind <= GL_JTRUE ? words[node->kind] : "null");
    gl_str_add(&pair->unknown, "false");
}

/* No text stands among what is known later but this. */
void gl_reader_pair_hide(struct gl_reader_pair *pair)
{
    gl_reader_pair_add(pair, "null", "\"\"");
}

struct gl_jtree gl_reader_tree(struct gl_arena *arena, const struct gl_str *text)
{
    struct gl_jtree tree = {0}, kept = {0};
    struct gl_error err = {0};

    if (!text->is_cut &&
        gl_jtree_parse(&tree, gl_str_text(text), text->length, "attributes", &err) == 0)
        kept = gl_reader_prune(arena, &tree, gl_jtree_root(&tree), NULL, NULL);
    gl_jtree_done(&tree);
    return kept;
}

void gl_reader_pair_take(struct gl_reader_pair *pair, struct gl_arena *arena,
                         struct gl_jtree *out_values, struct gl_jtree *out_unknown)
{
    *out_values = gl_reader_tree(arena, &pair->values);
    *out_unknown = gl_reader_tree(arena, &pair->unknown);
    for (size_t i = 0; i < out_unknown->count; i++)
        if (out_unknown->nodes[i].kind == GL_JSTRING)
            out_unknown->nodes[i].kind = GL_JHIDDEN;
    if (out_values->count == 0 || out_unknown->count == 0) /* one of them was too large */
        *out_values = *out_unknown = (struct gl_jtree){0};
    gl_str_done(&pair->values);
    gl_str_done(&pair->unknown);
}
