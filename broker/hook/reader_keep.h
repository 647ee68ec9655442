/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_READER_KEEP_H
#define GL_BROKER_HOOK_READER_KEEP_H

/* What readers keep of a document while it streams by: names by number, texts once, and of trees
 * what is wanted. Internal to the readers. */

#include "broker/hook/reader.h"

/* Names to numbers, several numbers a name; borrows the names. Zero-initialised; freed by
 * gl_reader_index_done(). */
struct gl_reader_index {
    struct gl_reader_slot *slots;
    struct gl_reader_number *numbers;
    size_t names, capacity, count;
};
void gl_reader_index_add(struct gl_reader_index *index, const char *name, size_t number);
/* The numbers of a name in order of adding: start with *cursor 0; false after the last. */
bool gl_reader_index_next(const struct gl_reader_index *index, const char *name, size_t *cursor,
                          size_t *out_number);
/* The number of a name that was added last; false = none was. */
bool gl_reader_index_last(const struct gl_reader_index *index, const char *name,
                          size_t *out_number);
/* The text as it is held already, else a copy in the arena, which must be the same one each time:
 * what a plan repeats is held once. */
const char *gl_reader_name(struct gl_arena *arena, struct gl_reader_index *names, const char *text);
void gl_reader_index_done(struct gl_reader_index *index);
/* As gl_arena_grow(), but on the heap, to be freed: of a long list no earlier copy stays behind.
 * Pointers into it end, and new room is not zeroed. */
void *gl_reader_room(void *items, size_t count, size_t size);
/* Wanted members of `node`, deep, as a tree of its own in the arena. `wants` NULL keeps all. */
typedef bool gl_reader_wants(const void *cookie, const struct gl_jtree *tree,
                             const struct gl_jnode *member);
struct gl_jtree gl_reader_prune(struct gl_arena *arena, const struct gl_jtree *tree,
                                const struct gl_jnode *node, gl_reader_wants *wants,
                                const void *cookie);
/* Pieces of bytes, of equal ones one as a rule: what a plan repeats is held once. Only the latest
 * few thousand are looked through, which stay in the processor's cache: of what is never
 * repeated, as tags often are, nothing is to be looked for. Zero-initialised; freed by
 * gl_reader_pieces_done(), the bytes with their arena, which must be the same one each time. */
struct gl_reader_pieces {
    struct gl_reader_piece *sets;
};
/* As they are held already, else a copy: aligned for any object, and a NUL behind it. Equal
 * addresses are equal bytes, but not the other way round. */
const void *gl_reader_hold(struct gl_arena *arena, struct gl_reader_pieces *pieces,
                           const void *bytes, size_t length);
void gl_reader_pieces_done(struct gl_reader_pieces *pieces);
/* As gl_reader_prune(), held as pieces: resources that repeat have the same shape, and most the
 * same texts. Zero-initialised; freed by gl_reader_trees_done(). */
struct gl_reader_trees {
    struct gl_reader_pieces pieces;
    struct gl_jtree scratch;
};
struct gl_reader_choice {
    gl_reader_wants *wants; /* NULL = all */
    const void *cookie;
};
extern const struct gl_jtree gl_reader_no_tree; /* of no node */
const struct gl_jtree *gl_reader_prune_shared(struct gl_arena *arena, struct gl_reader_trees *trees,
                                              const struct gl_jtree *tree,
                                              const struct gl_jnode *node,
                                              const struct gl_reader_choice *choice);
void gl_reader_trees_done(struct gl_reader_trees *trees);

#endif
