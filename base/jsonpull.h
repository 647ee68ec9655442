/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_JSONPULL_H
#define GL_BASE_JSONPULL_H

/* JSON that may be larger than memory: a validating pull reader over a feed. The caller steps into
 * what it wants, skips the rest at full checking speed, and may take one value at a time as a small
 * tree (gl_jtree). Strict RFC 8259: UTF-8 checked, no trailing commas, no control characters, no
 * lone surrogates, no duplicate keys within a tree (skipped values are not searched for them).
 * Documents that fit in memory anyway are read by base/json.h. */

#include "base/feed.h"
#include "base/str.h"

#define GL_JSONPULL_MAX_DEPTH  200
#define GL_JSONPULL_MAX_STRING ((size_t)16 << 20) /* bytes of one string that is read, decoded */
#define GL_JSONPULL_MAX_NUMBER ((size_t)4 << 10)  /* bytes of one number, also when skipped */
#define GL_JTREE_MAX_BYTES     ((size_t)64 << 20) /* memory of one tree */

enum gl_jkind {
    GL_JNULL,
    GL_JFALSE,
    GL_JTRUE,
    GL_JNUMBER,
    GL_JSTRING,
    GL_JARRAY,
    GL_JOBJECT,
    GL_JHIDDEN, /* of no document: what the caller has taken out of a tree */
};

struct gl_jsonpull;

/* Reads `feed`, which stays the caller's. Never NULL. */
struct gl_jsonpull *gl_jsonpull_new(struct gl_feed *feed);
void gl_jsonpull_free(struct gl_jsonpull *pull);

/* Every function below: -1 with SYNTAX (name, line, column, what was expected), TOO_LARGE, the
 * feed's errors, or INTERNAL when it is called out of order; after an error the reader is finished,
 * and every call gives that error again. Errors never show bytes of the document. */

/* Before or between documents: drop the noise a wrapper prints, as far as the next line that begins
 * as a document does: '{' and then '"' or '}', or '[' and then '"', '{', '[' or ']', white space
 * aside ("[command]terraform show" is noise). Where the reader stands counts as such a beginning.
 * *out_dropped says how much went; when no document follows, that is all, which
 * gl_jsonpull_more() then tells. SYNTAX when none begins within `max_bytes` of noise. */
int gl_jsonpull_find(struct gl_jsonpull *pull, size_t max_bytes, size_t *out_dropped,
                     struct gl_error *err);
/* What stands between documents and is none. */
struct gl_jsonpull_talk {
    const char *mark;  /* lines that begin with it may be of any length, and hold anything */
    const char *never; /* what no other line may hold */
    size_t max_bytes;  /* of the others, between two documents */
};
/* Before or between documents: drop such lines. Stops, looking no further, at text in the line in
 * which a document ended, at a line whose first byte, white space aside, is one of {}]," and at
 * one that begins as gl_jsonpull_find() says: it is for the caller to read or refuse. SYNTAX when a
 * line holds what it may not, or there is too much talk. */
int gl_jsonpull_drop_talk(struct gl_jsonpull *pull, const struct gl_jsonpull_talk *talk,
                          struct gl_error *err);
/* Kind of the value that comes next; nothing is consumed. */
int gl_jsonpull_peek(struct gl_jsonpull *pull, enum gl_jkind *out, struct gl_error *err);
/* Step into an object or array; SYNTAX when the value is another. */
int gl_jsonpull_enter(struct gl_jsonpull *pull, enum gl_jkind kind, struct gl_error *err);
/* In an object: is there a next member? Its key is borrowed until the next call; its value is then
 * to be entered, taken, read or skipped. When there is none the object is left: *out_has false. */
int gl_jsonpull_member(struct gl_jsonpull *pull, struct gl_view *out_key, bool *out_has,
                       struct gl_error *err);
/* In an array: is there a next item, to be consumed alike? When there is none the array is left. */
int gl_jsonpull_item(struct gl_jsonpull *pull, bool *out_has, struct gl_error *err);
/* Check and drop the next value, whatever its size, in constant memory. */
int gl_jsonpull_skip(struct gl_jsonpull *pull, struct gl_error *err);
/* A string, borrowed until the next call, U+0000 and all; SYNTAX when the value is another. */
int gl_jsonpull_string(struct gl_jsonpull *pull, struct gl_view *out, struct gl_error *err);
/* true or false; SYNTAX when the value is another. */
int gl_jsonpull_bool(struct gl_jsonpull *pull, bool *out, struct gl_error *err);
/* Before or after a document: only white space to the end (*out_more false), or does another
 * document begin? After a document SYNTAX when white space is missing that tells 1 2 from 12. */
int gl_jsonpull_more(struct gl_jsonpull *pull, bool *out_more, struct gl_error *err);
uint64_t gl_jsonpull_line(const struct gl_jsonpull *pull); /* 1-based, where it stands */

/* ---- one value as a tree ---- */

/* A node. Children follow in document order: those of a container are walked with gl_jnode_first()
 * and gl_jnode_next(). */
struct gl_jnode {
    uint8_t kind;        /* enum gl_jkind */
    bool has_nul;        /* a string with U+0000 in it, see gl_jnode_text() */
    uint32_t count;      /* children of an array or object */
    uint32_t end;        /* index after the last node below this one */
    uint32_t key_length; /* bytes; members of an object */
    uint32_t length;     /* bytes of a string or number */
    uint32_t key, text;  /* offsets in the tree's text; NUL-terminated */
};

/* Reused from value to value: zero-initialised, cleared by the next take, freed by gl_jtree_done().
 * What it lends lives until then. */
struct gl_jtree {
    struct gl_jnode *nodes;
    char *text;
    size_t count, capacity, text_length, text_capacity;
    size_t max_bytes; /* 0 = GL_JTREE_MAX_BYTES */
};
void gl_jtree_done(struct gl_jtree *tree);

/* The next value as a tree whose root is nodes[0]. DUPLICATE_KEY besides the errors above. The tree
 * is empty after an error. */
int gl_jsonpull_take(struct gl_jsonpull *pull, struct gl_jtree *tree, struct gl_error *err);
/* Which members of a value are kept: those of its own object are of level 1, those of the
 * containers in that of level 2, and so on; members below `levels` come with what they are in. */
struct gl_jsonpull_choice {
    bool (*wants)(const void *cookie, unsigned level, struct gl_view name);
    const void *cookie;
    unsigned levels;
};
/* The same of the members that are wanted. The others are skipped, as gl_jsonpull_skip() does, and
 * may come twice. */
int gl_jsonpull_take_some(struct gl_jsonpull *pull, const struct gl_jsonpull_choice *choice,
                          struct gl_jtree *tree, struct gl_error *err);
/* A document in memory as a tree; nothing may follow it. */
int gl_jtree_parse(struct gl_jtree *tree, const char *bytes, size_t length, const char *name,
                   struct gl_error *err);

const struct gl_jnode *gl_jtree_root(const struct gl_jtree *tree); /* NULL while empty */
/* First child and next sibling within `parent`; NULL after the last, or when it has none. */
const struct gl_jnode *gl_jnode_first(const struct gl_jtree *tree, const struct gl_jnode *parent);
const struct gl_jnode *gl_jnode_next(const struct gl_jtree *tree, const struct gl_jnode *parent,
                                     const struct gl_jnode *child);
/* Member by name, item by index; NULL when absent or `node` (may be NULL) is of another kind. */
const struct gl_jnode *gl_jnode_get(const struct gl_jtree *tree, const struct gl_jnode *node,
                                    const char *key);
const struct gl_jnode *gl_jnode_at(const struct gl_jtree *tree, const struct gl_jnode *node,
                                   size_t index);
/* The text of a string, NULL when `node` (may be NULL) is no string. NULL as well when U+0000 is in
 * it: cut there it would pass for another value, so it is unknown instead. */
const char *gl_jnode_text(const struct gl_jtree *tree, const struct gl_jnode *node);
/* The name of a member, "" of other nodes. A name with U+0000 is refused (SYNTAX). */
const char *gl_jnode_key(const struct gl_jtree *tree, const struct gl_jnode *node);
/* A whole number within 64 bits, written as a number or as a string like one ("3"; 3.0, 30e-1 and
 * "03" count). False when it is none, or `node` is NULL; *out is untouched then. */
bool gl_jnode_int(const struct gl_jtree *tree, const struct gl_jnode *node, int64_t *out);
bool gl_jnode_is(const struct gl_jnode *node, enum gl_jkind kind); /* false for NULL */

#endif
