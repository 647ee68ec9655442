/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/reader_part.h"

#include <stdlib.h>
#include <string.h>

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

/* FNV-1a, 64 bits: names come from the user's own plan, and a slow look-up harms nobody else. */
static struct gl_reader_slot *slot_of(struct gl_reader_slot *slots, size_t capacity,
                                      const char *name)
{
    uint64_t hash = 0xcbf29ce484222325U;
    size_t at;

    for (const char *c = name; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3U;
    at = (size_t)(hash ^ hash >> 32) & (capacity - 1);
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

/* Two passes, so that the arena is asked once: one counts, one writes. Which members are wanted is
 * asked in the first alone. */
struct pruning {
    const struct gl_jtree *from;
    struct gl_jtree *to; /* NULL: counting */
    size_t nodes, bytes; /* so far */
    uint32_t *kept;      /* members of the root that are wanted, by their place */
    uint32_t kept_count;
};

static uint32_t add_text(struct pruning *pruning, size_t from, size_t length)
{
    uint32_t at = (uint32_t)pruning->bytes; /* of a tree that has a ceiling */

    if (pruning->to != NULL)
        memcpy(pruning->to->text + at, pruning->from->text + from, length + 1);
    pruning->bytes += length + 1;
    return at;
}

static void add_node(struct pruning *pruning, const struct gl_jnode *node, uint32_t end)
{
    struct gl_jnode copy = *node;

    copy.end = end;
    copy.key = copy.text = 0;
    if (node->key_length > 0)
        copy.key = add_text(pruning, node->key, node->key_length);
    if (node->kind == GL_JSTRING || node->kind == GL_JNUMBER)
        copy.text = add_text(pruning, node->text, node->length);
    if (pruning->to != NULL)
        pruning->to->nodes[pruning->nodes] = copy;
    pruning->nodes++;
}

static void copy_whole(struct pruning *pruning, const struct gl_jnode *node)
{
    const struct gl_jnode *last = pruning->from->nodes + node->end;
    uint32_t first = (uint32_t)pruning->nodes, base = (uint32_t)(node - pruning->from->nodes);

    for (const struct gl_jnode *at = node; at < last; at++)
        add_node(pruning, at, first + at->end - base);
}

static void choose(struct pruning *pruning, const struct gl_jnode *node, gl_reader_wants *wants,
                   const void *cookie)
{
    pruning->kept = gl_alloc((node->count + (size_t)1) * sizeof *pruning->kept);
    for (const struct gl_jnode *child = gl_jnode_first(pruning->from, node); child != NULL;
         child = gl_jnode_next(pruning->from, node, child))
        if (wants(cookie, pruning->from, child))
            pruning->kept[pruning->kept_count++] = (uint32_t)(child - pruning->from->nodes);
}

static void copy(struct pruning *pruning, const struct gl_jnode *node)
{
    if (pruning->kept == NULL) {
        copy_whole(pruning, node);
        return;
    }
    add_node(pruning, node, 0);
    for (uint32_t i = 0; i < pruning->kept_count; i++)
        copy_whole(pruning, &pruning->from->nodes[pruning->kept[i]]);
    if (pruning->to != NULL) {
        pruning->to->nodes[0].count = pruning->kept_count;
        pruning->to->nodes[0].end = (uint32_t)pruning->nodes;
    }
}

static void prune(struct pruning *pruning, const struct gl_jnode *node, gl_reader_wants *wants,
                  const void *cookie)
{
    if (node->kind == GL_JOBJECT && wants != NULL)
        choose(pruning, node, wants, cookie);
    copy(pruning, node);
}

/* What was counted, written; the key of the root was of its parent. */
static void write_pruned(struct pruning *pruning, const struct gl_jnode *node, struct gl_jtree *out)
{
    out->count = pruning->nodes;
    out->text_length = pruning->bytes;
    pruning->nodes = pruning->bytes = 0;
    pruning->to = out;
    copy(pruning, node);
    out->nodes[0].key_length = 0;
    free(pruning->kept);
}

struct gl_jtree gl_reader_prune(struct gl_arena *arena, const struct gl_jtree *tree,
                                const struct gl_jnode *node, gl_reader_wants *wants,
                                const void *cookie)
{
    struct gl_jtree out = {0};
    struct pruning pruning = {.from = tree};

    if (node == NULL)
        return out;
    prune(&pruning, node, wants, cookie);
    out.nodes = gl_arena_take(arena, pruning.nodes * sizeof *out.nodes);
    out.text = gl_arena_take(arena, pruning.bytes + 1);
    out.capacity = pruning.nodes;
    out.text_capacity = pruning.bytes;
    write_pruned(&pruning, node, &out);
    return out;
}

/* ---- equal trees once ---- */

struct gl_reader_tree {
    struct gl_jnode *nodes; /* NULL = free */
    char *text;
    uint32_t count, text_length, hash;
};

static uint64_t mix(uint64_t hash, uint64_t more)
{
    hash = (hash ^ more) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static uint32_t hash_tree(const struct gl_jtree *tree)
{
    uint64_t hash = tree->count, word;
    size_t at = 0;

    for (size_t i = 0; i < tree->count; i++)
        hash = mix(hash, (uint64_t)tree->nodes[i].end << 8 | tree->nodes[i].kind);
    for (; at + sizeof word <= tree->text_length; at += sizeof word) {
        memcpy(&word, tree->text + at, sizeof word);
        hash = mix(hash, word);
    }
    for (; at < tree->text_length; at++)
        hash = mix(hash, (unsigned char)tree->text[at]);
    return (uint32_t)(hash ^ hash >> 32);
}

static bool is_same_node(const struct gl_jnode *a, const struct gl_jnode *b)
{
    return a->kind == b->kind && a->has_nul == b->has_nul && a->count == b->count &&
           a->end == b->end && a->key_length == b->key_length && a->length == b->length &&
           a->key == b->key && a->text == b->text;
}

static bool is_same_tree(const struct gl_reader_tree *a, const struct gl_jtree *b, uint32_t hash)
{
    if (a->hash != hash || a->count != b->count || a->text_length != b->text_length ||
        memcmp(a->text, b->text, b->text_length) != 0)
        return false;
    for (size_t i = 0; i < b->count; i++)
        if (!is_same_node(&a->nodes[i], &b->nodes[i]))
            return false;
    return true;
}

static void grow_trees(struct gl_reader_trees *trees)
{
    struct gl_reader_trees larger = *trees;

    larger.capacity = trees->capacity == 0 ? 64 : trees->capacity * 2;
    larger.slots = gl_alloc(larger.capacity * sizeof *larger.slots);
    for (size_t i = 0; i < trees->capacity; i++) {
        size_t at = trees->slots[i].hash & (larger.capacity - 1);

        if (trees->slots[i].nodes == NULL)
            continue;
        while (larger.slots[at].nodes != NULL)
            at = (at + 1) & (larger.capacity - 1);
        larger.slots[at] = trees->slots[i];
    }
    free(trees->slots);
    *trees = larger;
}

static struct gl_reader_tree keep_tree(struct gl_arena *arena, const struct gl_jtree *tree,
                                       uint32_t hash)
{
    struct gl_reader_tree out = {.nodes = gl_arena_take(arena, tree->count * sizeof *out.nodes),
                                 .text = gl_arena_take(arena, tree->text_length + 1),
                                 .count = (uint32_t)tree->count,
                                 .text_length = (uint32_t)tree->text_length,
                                 .hash = hash};

    memcpy(out.nodes, tree->nodes, tree->count * sizeof *out.nodes);
    memcpy(out.text, tree->text, tree->text_length);
    return out;
}

static struct gl_reader_tree *slot_of_tree(struct gl_reader_trees *trees,
                                           const struct gl_jtree *tree, uint32_t hash)
{
    size_t at;

    if (trees->count * 2 >= trees->capacity)
        grow_trees(trees);
    at = hash & (trees->capacity - 1);
    while (trees->slots[at].nodes != NULL && !is_same_tree(&trees->slots[at], tree, hash))
        at = (at + 1) & (trees->capacity - 1);
    return &trees->slots[at];
}

static void make_room(struct gl_jtree *scratch, size_t nodes, size_t bytes)
{
    if (nodes > scratch->capacity) {
        scratch->capacity = nodes * 2;
        scratch->nodes = gl_realloc(scratch->nodes, scratch->capacity * sizeof *scratch->nodes);
    }
    if (bytes >= scratch->text_capacity) {
        scratch->text_capacity = (bytes + 1) * 2;
        scratch->text = gl_realloc(scratch->text, scratch->text_capacity);
    }
}

struct gl_jtree gl_reader_prune_shared(struct gl_arena *arena, struct gl_reader_trees *trees,
                                       const struct gl_jtree *tree, const struct gl_jnode *node,
                                       const struct gl_reader_choice *choice)
{
    struct gl_jtree *scratch = &trees->scratch;
    struct pruning pruning = {.from = tree};
    struct gl_reader_tree *slot;
    uint32_t hash;

    if (node == NULL)
        return (struct gl_jtree){0};
    prune(&pruning, node, choice->wants, choice->cookie);
    make_room(scratch, pruning.nodes, pruning.bytes);
    write_pruned(&pruning, node, scratch);
    hash = hash_tree(scratch);
    slot = slot_of_tree(trees, scratch, hash);
    if (slot->nodes == NULL) {
        *slot = keep_tree(arena, scratch, hash);
        trees->count++;
    }
    return (struct gl_jtree){.nodes = slot->nodes,
                             .text = slot->text,
                             .count = slot->count,
                             .capacity = slot->count,
                             .text_length = slot->text_length,
                             .text_capacity = slot->text_length};
}

void gl_reader_trees_done(struct gl_reader_trees *trees)
{
    gl_jtree_done(&trees->scratch);
    free(trees->slots);
    *trees = (struct gl_reader_trees){0};
}
