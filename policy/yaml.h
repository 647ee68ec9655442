/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_YAML_H
#define GL_POLICY_YAML_H

/* YAML text to a small tree in which every node knows its place. A safe subset: UTF-8, one
 * document, maps, lists and scalars; refuses anchors, aliases, tags, merge keys, directives, keys
 * that are no plain text, duplicate keys, control characters and text that reorders what a reader
 * sees. Scalars stay text: what they mean is for the schema to say, so that the country NO is not
 * false. Ceilings: GL_POLICY_MAX_BYTES, GL_POLICY_MAX_DEPTH and those below. */

#include "policy/arena.h"
#include "policy/source.h"

#define GL_YAML_MAX_MEMBERS 4096 /* of one list */
#define GL_YAML_MAX_KEYS    256  /* of one map: they are compared with each other */

enum gl_node_kind { GL_NODE_SCALAR, GL_NODE_LIST, GL_NODE_MAP };

struct gl_node {
    enum gl_node_kind kind;
    struct gl_mark mark;
    const char *text; /* scalar; of control characters only \n and \t; "" otherwise */
    bool is_plain;    /* scalar without quotes */
    const char *key;  /* as a member of a map, else NULL */
    struct gl_mark key_mark;
    const struct gl_node *first, *next; /* members of this list or map; the next one of its own */
    size_t count;
};

/* The tree, NULL when the text is no YAML of this subset. Errors go to the source's diagnostics;
 * duplicate keys, anchors and tags are noted and the tree is still given, without them, so that
 * more errors can be found: whether any were noted is what counts.
 * Errors: TOO_LARGE, SYNTAX, DUPLICATE_KEY. */
const struct gl_node *gl_yaml_read(const struct gl_source *source, struct gl_arena *arena);

/* The member of a map, NULL when there is none (or `node` is no map). */
const struct gl_node *gl_yaml_member(const struct gl_node *node, const char *key);

#endif
