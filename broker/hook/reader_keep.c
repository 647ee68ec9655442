/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/reader_part.h"

#include <stdlib.h>
#include <string.h>

/* ---- hashes ---- */

/* Names come from the user's own plan, and a slow look-up harms nobody else. */
static uint64_t mix(uint64_t hash, uint64_t more)
{
    hash = (hash ^ more) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static uint32_t hash_bytes(const char *bytes, size_t length)
{
    uint64_t hash = length, word;
    size_t at = 0;

    for (; at + sizeof word <= length; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        hash = mix(hash, word);
    }
    for (; at < length; at++)
        hash = mix(hash, (unsigned char)bytes[at]);
    return (uint32_t)(hash ^ hash >> 32);
}

/* ---- names to numbers ---- */

/* A slot of the table, and one of the numbers below a name. Links are index + 1; 0 = none. Half as
 * wide as a size_t: what is numbered takes more than one byte of a feed, which has a ceiling. */
struct gl_reader_slot {
    const char *name; /* NULL = free */
    uint32_t first, last;
};
struct gl_reader_number {
    uint32_t number, next;
};
_Static_assert(GL_FEED_MAX_BYTES < UINT32_MAX, "numbers fit");

static struct gl_reader_slot *slot_of(struct gl_reader_slot *slots, size_t capacity,
                                      const char *name)
{
    size_t at = hash_bytes(name, strlen(name)) & (capacity - 1);

    while (slots[at].name != NULL && strcmp(slots[at].name, name) != 0)
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static void grow(struct gl_reader_index *index)
{
    size_t capacity = index->capacity == 0 ? 64 : index->capacity * 2;
    struct gl_reader_slot *larger = gl_alloc(capacity * sizeof *larger);

    for (size_t i = 0; i < index->capacity; i++)
        if (index->slots[i].name != NULL)
            *slot_of(larger, capacity, index->slots[i].name) = index->slots[i];
    free(index->slots);
    index->slots = larger;
    index->capacity = capacity;
}

void gl_reader_index_add(struct gl_reader_index *index, const char *name, size_t number)
{
    struct gl_reader_slot *slot;

    if (index->names * 2 >= index->capacity)
        grow(index);
    slot = slot_of(index->slots, index->capacity, name);
    index->numbers = gl_reader_room(index->numbers, index->count, sizeof *index->numbers);
    index->numbers[index->count++] = (struct gl_reader_number){.number = (uint32_t)number};
    if (slot->name == NULL) {
        slot->name = name;
        slot->first = (uint32_t)index->count;
        index->names++;
    } else {
        index->numbers[slot->last - 1].next = (uint32_t)index->count;
    }
    slot->last = (uint32_t)index->count;
}

bool gl_reader_index_next(const struct gl_reader_index *index, const char *name, size_t *cursor,
                          size_t *out_number)
{
    size_t link;

    if (index->capacity == 0)
        return false;
    link = *cursor == 0 ? slot_of(index->slots, index->capacity, name)->first
                        : index->numbers[*cursor - 1].next;
    if (link == 0)
        return false;
    *cursor = link;
    *out_number = index->numbers[link - 1].number;
    return true;
}

bool gl_reader_index_last(const struct gl_reader_index *index, const char *name, size_t *out_number)
{
    const struct gl_reader_slot *slot =
        index->capacity > 0 ? slot_of(index->slots, index->capacity, name) : NULL;

    if (slot == NULL || slot->name == NULL)
        return false;
    *out_number = index->numbers[slot->last - 1].number;
    return true;
}

const char *gl_reader_name(struct gl_arena *arena, struct gl_reader_index *names, const char *text)
{
    const struct gl_reader_slot *slot =
        names->capacity > 0 ? slot_of(names->slots, names->capacity, text) : NULL;
    const char *kept;

    if (slot != NULL && slot->name != NULL)
        return slot->name;
    kept = gl_arena_text(arena, text, strlen(text));
    gl_reader_index_add(names, kept, 0);
    return kept;
}

void gl_reader_index_done(struct gl_reader_index *index)
{
    free(index->slots);
    free(index->numbers);
    *index = (struct gl_reader_index){0};
}

/* ---- lists ---- */

void *gl_reader_room(void *items, size_t count, size_t size)
{
    if (count != 0 && (count < 4 || (count & (count - 1)) != 0))
        return items;
    return gl_realloc(items, (count < 4 ? 4 : count * 2) * size);
}

/* ---- pruned trees ---- */

/* Into a tree that has room for all of what it is pruned from. */
struct pruning {
    const struct gl_jtree *from;
    struct gl_jtree *to;
};

static uint32_t add_text(struct pruning *pruning, size_t from, size_t length)
{
    uint32_t at = (uint32_t)pruning->to->text_length; /* of a tree that has a ceiling */

    memcpy(pruning->to->text + at, pruning->from->text + from, length + 1);
    pruning->to->text_length += length + 1;
    return at;
}

static void add_node(struct pruning *pruning, const struct gl_jnode *node, uint32_t end)
{
    struct gl_jnode copy;

    memset(&copy, 0, sizeof copy); /* it is compared as bytes */
    copy.kind = node->kind;
    copy.has_nul = node->has_nul;
    copy.count = node->count;
    copy.end = end;
    copy.key_length = node->key_length;
    copy.length = node->length;
    if (pruning->to->count == 0)
        copy.key_length = 0; /* that of the root was of its parent */
    else if (node->key_length > 0)
        copy.key = add_text(pruning, node->key, node->key_length);
    if (node->kind == GL_JSTRING || node->kind == GL_JNUMBER)
        copy.text = add_text(pruning, node->text, node->length);
    pruning->to->nodes[pruning->to->count++] = copy;
}

static void copy_whole(struct pruning *pruning, const struct gl_jnode *node)
{
    const struct gl_jnode *last = pruning->from->nodes + node->end;
    uint32_t first = (uint32_t)pruning->to->count;
    uint32_t base = (uint32_t)(node - pruning->from->nodes);

    for (const struct gl_jnode *at = node; at < last; at++)
        add_node(pruning, at, first + at->end - base);
}

static void copy_wanted(struct pruning *pruning, const struct gl_jnode *node,
                        const struct gl_reader_choice *choice)
{
    struct gl_jtree *to = pruning->to;
    uint32_t kept = 0;

    add_node(pruning, node, 0);
    for (const struct gl_jnode *child = gl_jnode_first(pruning->from, node); child != NULL;
         child = gl_jnode_next(pruning->from, node, child))
        if (choice->wants(choice->cookie, pruning->from, child)) {
            copy_whole(pruning, child);
            kept++;
        }
    to->nodes[0].count = kept;
    to->nodes[0].end = (uint32_t)to->count;
}

static void make_room(struct gl_jtree *scratch, size_t nodes, size_t bytes)
{
    if (nodes > scratch->capacity) {
        scratch->capacity = nodes * 2;
        scratch->nodes = gl_realloc(scratch->nodes, scratch->capacity * sizeof *scratch->nodes);
    }
    if (bytes > scratch->text_capacity) {
        scratch->text_capacity = bytes * 2;
        scratch->text = gl_realloc(scratch->text, scratch->text_capacity);
    }
}

static void prune(const struct gl_jtree *tree, const struct gl_jnode *node,
                  const struct gl_reader_choice *choice, struct gl_jtree *scratch)
{
    struct pruning pruning = {.from = tree, .to = scratch};

    make_room(scratch, node->end - (size_t)(node - tree->nodes), tree->text_length + 1);
    scratch->count = scratch->text_length = 0;
    if (node->kind == GL_JOBJECT && choice->wants != NULL)
        copy_wanted(&pruning, node, choice);
    else
        copy_whole(&pruning, node);
}

struct gl_jtree gl_reader_prune(struct gl_arena *arena, const struct gl_jtree *tree,
                                const struct gl_jnode *node, gl_reader_wants *wants,
                                const void *cookie)
{
    struct gl_jtree scratch = {0}, out = {0};

    if (node == NULL)
        return out;
    prune(tree, node, &(struct gl_reader_choice){wants, cookie}, &scratch);
    out.count = out.capacity = scratch.count;
    out.text_length = out.text_capacity = scratch.text_length;
    out.nodes = gl_arena_take(arena, scratch.count * sizeof *out.nodes);
    memcpy(out.nodes, scratch.nodes, scratch.count * sizeof *out.nodes);
    out.text = gl_arena_text(arena, scratch.text, scratch.text_length);
    gl_jtree_done(&scratch);
    return out;
}

/* ---- equal trees once ---- */

const struct gl_jtree gl_reader_no_tree = {0};

#define SETS 512 /* a power of two */
#define WAYS 8

struct gl_reader_piece {
    const void *bytes; /* NULL = free */
    uint32_t length, hash;
};

/* The newest of a set comes first, and the oldest makes room. */
static void remember(struct gl_reader_piece set[WAYS], const struct gl_reader_piece *piece)
{
    memmove(set + 1, set, (WAYS - 1) * sizeof *set);
    set[0] = *piece;
}

static const void *find_piece(const struct gl_reader_piece set[WAYS],
                              const struct gl_reader_piece *piece)
{
    for (size_t i = 0; i < WAYS && set[i].bytes != NULL; i++)
        if (set[i].hash == piece->hash && set[i].length == piece->length &&
            memcmp(set[i].bytes, piece->bytes, piece->length) == 0)
            return set[i].bytes;
    return NULL;
}

const void *gl_reader_hold(struct gl_arena *arena, struct gl_reader_pieces *pieces,
                           const void *bytes, size_t length)
{
    struct gl_reader_piece piece = {bytes, (uint32_t)length, hash_bytes(bytes, length)};
    struct gl_reader_piece *set;
    const void *held;

    if (pieces->sets == NULL)
        pieces->sets = gl_alloc(SETS * WAYS * sizeof *pieces->sets);
    set = &pieces->sets[piece.hash % SETS * WAYS];
    held = find_piece(set, &piece);
    if (held != NULL)
        return held;
    piece.bytes = gl_arena_text(arena, bytes, length);
    remember(set, &piece);
    return piece.bytes;
}

void gl_reader_pieces_done(struct gl_reader_pieces *pieces)
{
    free(pieces->sets);
    *pieces = (struct gl_reader_pieces){0};
}

const struct gl_jtree *gl_reader_prune_shared(struct gl_arena *arena, struct gl_reader_trees *trees,
                                              const struct gl_jtree *tree,
                                              const struct gl_jnode *node,
                                              const struct gl_reader_choice *choice)
{
    struct gl_jtree *scratch = &trees->scratch, kept = {0};

    if (node == NULL)
        return &gl_reader_no_tree;
    prune(tree, node, choice, scratch);
    /* Nobody writes to them: trees are lent as const. */
    kept.nodes = (struct gl_jnode *)(uintptr_t)gl_reader_hold(
        arena, &trees->pieces, scratch->nodes, scratch->count * sizeof *scratch->nodes);
    kept.text = (char *)(uintptr_t)gl_reader_hold(arena, &trees->pieces, scratch->text,
                                                  scratch->text_length);
    kept.count = kept.capacity = scratch->count;
    kept.text_length = kept.text_capacity = scratch->text_length;
    return gl_reader_hold(arena, &trees->pieces, &kept, sizeof kept);
}

void gl_reader_trees_done(struct gl_reader_trees *trees)
{
    gl_jtree_done(&trees->scratch);
    gl_reader_pieces_done(&trees->pieces);
    *trees = (struct gl_reader_trees){0};
}
