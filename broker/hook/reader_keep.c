/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/reader_part.h"

#include <stdlib.h>
#include <string.h>

/* ---- names to numbers ---- */

/* A slot of the table, and one of the numbers below a name. Links are index + 1; 0 = none. */
struct gl_reader_slot {
    const char *name; /* NULL = free */
    size_t first, last;
};
struct gl_reader_number {
    size_t number, next;
};

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

static void grow(struct gl_arena *arena, struct gl_reader_index *index)
{
    size_t capacity = index->capacity == 0 ? 64 : index->capacity * 2;
    struct gl_reader_slot *larger = gl_arena_take(arena, capacity * sizeof *larger);

    for (size_t i = 0; i < index->capacity; i++)
        if (index->slots[i].name != NULL)
            *slot_of(larger, capacity, index->slots[i].name) = index->slots[i];
    index->slots = larger;
    index->capacity = capacity;
}

void gl_reader_index_add(struct gl_arena *arena, struct gl_reader_index *index, const char *name,
                         size_t number)
{
    struct gl_reader_slot *slot;

    if (index->names * 2 >= index->capacity)
        grow(arena, index);
    slot = slot_of(index->slots, index->capacity, name);
    index->numbers = gl_arena_grow(arena, index->numbers, index->count, sizeof *index->numbers);
    index->numbers[index->count++] = (struct gl_reader_number){.number = number};
    if (slot->name == NULL) {
        slot->name = name;
        slot->first = index->count;
        index->names++;
    } else {
        index->numbers[slot->last - 1].next = index->count;
    }
    slot->last = index->count;
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

/* ---- pruned trees ---- */

struct pruning {
    const struct gl_jtree *from;
    struct gl_jtree *to;
    size_t nodes, bytes; /* counted first, then taken once */
    bool is_counting;
};

static uint32_t add_text(struct pruning *pruning, size_t from, size_t length)
{
    uint32_t at = (uint32_t)pruning->bytes; /* of a tree that has a ceiling */

    if (!pruning->is_counting)
        memcpy(pruning->to->text + at, pruning->from->text + from, length + 1);
    pruning->bytes += length + 1;
    return at;
}

static void add_node(struct pruning *pruning, const struct gl_jnode *node, uint32_t count)
{
    struct gl_jnode copy = *node;

    copy.count = count;
    copy.end = (uint32_t)pruning->nodes + 1;
    if (node->key_length > 0)
        copy.key = add_text(pruning, node->key, node->key_length);
    if (node->kind == GL_JSTRING || node->kind == GL_JNUMBER)
        copy.text = add_text(pruning, node->text, node->length);
    if (!pruning->is_counting)
        pruning->to->nodes[pruning->nodes] = copy;
    pruning->nodes++;
}

static void copy_whole(struct pruning *pruning, const struct gl_jnode *node)
{
    const struct gl_jnode *last = pruning->from->nodes + node->end;
    size_t first = pruning->nodes, base = (size_t)(node - pruning->from->nodes);

    for (const struct gl_jnode *at = node; at < last; at++) {
        size_t index = pruning->nodes;

        add_node(pruning, at, at->count);
        if (!pruning->is_counting)
            pruning->to->nodes[index].end = (uint32_t)(first + at->end - base);
    }
}

static void copy_wanted(struct pruning *pruning, const struct gl_jnode *node,
                        gl_reader_wants *wants, const void *cookie)
{
    size_t root = pruning->nodes;
    uint32_t kept = 0;

    if (node->kind != GL_JOBJECT || wants == NULL) {
        copy_whole(pruning, node);
        return;
    }
    add_node(pruning, node, 0);
    for (const struct gl_jnode *child = gl_jnode_first(pruning->from, node); child != NULL;
         child = gl_jnode_next(pruning->from, node, child))
        if (wants(cookie, pruning->from, child)) {
            copy_whole(pruning, child);
            kept++;
        }
    if (!pruning->is_counting) {
        pruning->to->nodes[root].count = kept;
        pruning->to->nodes[root].end = (uint32_t)pruning->nodes;
    }
}

struct gl_jtree gl_reader_prune(struct gl_arena *arena, const struct gl_jtree *tree,
                                const struct gl_jnode *node, gl_reader_wants *wants,
                                const void *cookie)
{
    struct gl_jtree out = {0};
    struct pruning pruning = {.from = tree, .to = &out, .is_counting = true};

    if (node == NULL)
        return out;
    copy_wanted(&pruning, node, wants, cookie);
    out.nodes = gl_arena_take(arena, pruning.nodes * sizeof *out.nodes);
    out.text = gl_arena_take(arena, pruning.bytes + 1);
    out.count = out.capacity = pruning.nodes;
    out.text_length = out.text_capacity = pruning.bytes;
    pruning.nodes = pruning.bytes = 0;
    pruning.is_counting = false;
    copy_wanted(&pruning, node, wants, cookie);
    out.nodes[0].key_length = 0;
    return out;
}
