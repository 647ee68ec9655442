/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jsonpull_grammar.h"

#include <stdlib.h>

/* A tree under construction. Its text begins with a NUL: the name of what has none. */
struct builder {
    struct gl_jsonpull *pull;
    struct gl_jtree *tree;
    struct gl_jscan_text text;
    const struct gl_jsonpull_choice *choice; /* NULL = all */
    size_t max_bytes;
    unsigned base;                            /* depth of the value */
    size_t key, key_length;                   /* of the value that comes next */
    uint32_t open[GL_JSONPULL_MAX_DEPTH + 1]; /* nodes of the containers at each depth */
};

/* ---- names that come twice ---- */

#define SLOTS_AT_HAND 256 /* for up to half as many names */
#define PROBES_EACH   8   /* more of them, and somebody has chosen the names to collide */

static const char *key_of(const struct gl_jtree *tree, uint32_t index)
{
    return tree->text + tree->nodes[index].key;
}

static uint64_t mix(uint64_t hash, const char *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof word);
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

/* Names are followed by at least one more byte of text, but not by eight. */
static uint64_t hash_of(const char *key, size_t length)
{
    char tail[8] = {0};
    uint64_t hash = length;
    size_t i = 0;

    for (; length - i >= sizeof tail; i += sizeof tail)
        hash = mix(hash, key + i);
    memcpy(tail, key + i, length - i);
    return mix(hash, tail);
}

static int by_key(const void *a, const void *b, void *cookie)
{
    const struct gl_jtree *tree = cookie;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    uint32_t left_length = tree->nodes[left].key_length;
    uint32_t right_length = tree->nodes[right].key_length;

    if (left_length != right_length)
        return left_length < right_length ? -1 : 1;
    return memcmp(key_of(tree, left), key_of(tree, right), left_length);
}

/* Slow and sure: n log n whatever the names are. */
static bool has_twins_sorted(struct gl_jtree *tree, const struct gl_jnode *object)
{
    uint32_t *order = gl_alloc(object->count * sizeof *order);
    uint32_t child = (uint32_t)(object - tree->nodes) + 1;
    bool has = false;

    for (uint32_t i = 0; i < object->count; i++, child = tree->nodes[child].end)
        order[i] = child;
    qsort_r(order, object->count, sizeof *order, by_key, tree);
    for (uint32_t i = 1; i < object->count && !has; i++)
        has = by_key(&order[i - 1], &order[i], tree) == 0;
    free(order);
    return has;
}

/* In a table of `mask` + 1 empty slots that are filled with nodes; 1, 0, or -1: it takes too long.
 */
static int has_twins_hashed(struct gl_jtree *tree, const struct gl_jnode *object, uint32_t *slots,
                            uint32_t mask)
{
    uint32_t child = (uint32_t)(object - tree->nodes) + 1;
    size_t left = (size_t)object->count * PROBES_EACH;

    for (uint32_t i = 0; i < object->count; i++, child = tree->nodes[child].end) {
        const char *key = key_of(tree, child);
        uint32_t length = tree->nodes[child].key_length;
        uint32_t slot = (uint32_t)hash_of(key, length) & mask;

        for (; slots[slot] != 0; slot = (slot + 1) & mask) {
            const struct gl_jnode *other = &tree->nodes[slots[slot]];

            if (other->key_length == length && memcmp(tree->text + other->key, key, length) == 0)
                return 1;
            if (left-- == 0)
                return -1;
        }
        slots[slot] = child; /* never 0: that is the root */
    }
    return 0;
}

/* Most programs write the names of an object in order, and then no two are the same. They end with
 * NUL and hold none. */
static bool is_ascending(const struct gl_jtree *tree, const struct gl_jnode *object)
{
    uint32_t child = (uint32_t)(object - tree->nodes) + 1;
    const char *last = key_of(tree, child);

    for (uint32_t i = 1; i < object->count; i++) {
        const char *key = key_of(tree, child = tree->nodes[child].end);

        if ((unsigned char)*last > (unsigned char)*key || (*last == *key && strcmp(last, key) >= 0))
            return false;
        last = key;
    }
    return true;
}

static bool has_twins(struct gl_jtree *tree, const struct gl_jnode *object)
{
    uint32_t at_hand[SLOTS_AT_HAND], *slots = at_hand, size = 8;
    int has;

    if (is_ascending(tree, object))
        return false;
    while (size / 2 < object->count)
        size *= 2;
    if (size > SLOTS_AT_HAND)
        slots = gl_alloc(size * sizeof *slots);
    else
        memset(at_hand, 0, size * sizeof *at_hand);
    has = has_twins_hashed(tree, object, slots, size - 1);
    if (slots != at_hand)
        free(slots);
    return has < 0 ? has_twins_sorted(tree, object) : has != 0;
}

/* ---- building ---- */

static struct gl_jnode *push(struct builder *builder, enum gl_jkind kind)
{
    struct gl_jtree *tree = builder->tree;
    struct gl_jnode *node;

    if (tree->count == tree->capacity) {
        tree->capacity = tree->capacity > 0 ? tree->capacity * 2 : 256;
        tree->nodes = gl_realloc(tree->nodes, tree->capacity * sizeof *tree->nodes);
    }
    node = &tree->nodes[tree->count++];
    *node = (struct gl_jnode){.kind = (uint8_t)kind,
                              .end = (uint32_t)tree->count,
                              .key = (uint32_t)builder->key,
                              .key_length = (uint32_t)builder->key_length};
    builder->key = builder->key_length = 0;
    return node;
}

/* The text that was added behind `from` is whole. */
static void finish_text(struct builder *builder, struct gl_jnode *node, size_t from)
{
    node->text = (uint32_t)from;
    node->length = (uint32_t)(builder->text.length - from);
    node->has_nul = builder->text.has_nul;
    builder->text.text[builder->text.length++] = '\0';
}

static const char *string(struct builder *builder, const char *at)
{
    size_t from = builder->text.length;

    builder->text.has_nul = false;
    at = gl_jscan_string(builder->pull, at, &builder->text);
    if (at != NULL)
        finish_text(builder, push(builder, GL_JSTRING), from);
    return at;
}

static const char *number(struct builder *builder, const char *at)
{
    size_t from = builder->text.length;
    const char *to = gl_jscan_number(builder->pull, &at);

    if (to == NULL)
        return NULL;
    gl_jscan_reserve(builder->pull, at, &builder->text);
    memcpy(builder->text.text + from, at, (size_t)(to - at));
    builder->text.length += (size_t)(to - at);
    builder->text.has_nul = false;
    finish_text(builder, push(builder, GL_JNUMBER), from);
    return to;
}

static const char *word(struct builder *builder, const char *at, enum gl_jkind kind)
{
    at = gl_jscan_word(builder->pull, at, kind);
    if (at != NULL)
        push(builder, kind);
    return at;
}

static const char *scalar(struct builder *builder, const char *at)
{
    switch (*at) {
    case '"':
        return string(builder, at);
    case 'n':
        return word(builder, at, GL_JNULL);
    case 'f':
        return word(builder, at, GL_JFALSE);
    case 't':
        return word(builder, at, GL_JTRUE);
    default:
        if (*at != '-' && (*at < '0' || *at > '9'))
            return gl_jscan_expected(builder->pull, at, "a value");
        return number(builder, at);
    }
}

/* The container left last is whole. */
static const char *finish(struct builder *builder, const char *at)
{
    struct gl_jtree *tree = builder->tree;
    struct gl_jnode *node = &tree->nodes[builder->open[builder->pull->depth + 1]];

    node->end = (uint32_t)tree->count;
    tree->text = builder->text.text;
    if (node->kind == GL_JOBJECT && node->count > 1 && has_twins(tree, node))
        return gl_jscan_fail(builder->pull, at, GL_E_DUPLICATE_KEY,
                             "the object that ends here has a name twice");
    return at;
}

static const char *container(struct builder *builder, const char *at, bool *out_has)
{
    struct gl_jsonpull *pull = builder->pull;
    uint32_t index = (uint32_t)builder->tree->count;

    push(builder, *at == '{' ? GL_JOBJECT : GL_JARRAY);
    at = gl_jscan_open(pull, at);
    if (at == NULL)
        return NULL;
    builder->open[pull->depth] = index;
    at = gl_jscan_first(pull, at, out_has);
    return at != NULL && !*out_has ? finish(builder, at) : at;
}

static const char *key(struct builder *builder, const char *at)
{
    builder->key = builder->text.length;
    builder->text.has_nul = false;
    at = gl_jscan_key(builder->pull, at, &builder->text);
    if (at == NULL)
        return NULL;
    if (builder->text.has_nul)
        return gl_jscan_fail(builder->pull, at, GL_E_SYNTAX, GL_JSCAN_NUL_NAME);
    builder->key_length = builder->text.length - builder->key;
    builder->text.text[builder->text.length++] = '\0';
    return at;
}

/* One more value is within the ceiling; it belongs to the container that is open, if one is. */
static const char *account(struct builder *builder, const char *at)
{
    struct gl_jtree *tree = builder->tree;
    unsigned depth = builder->pull->depth;

    if (tree->count * sizeof *tree->nodes + builder->text.length > builder->max_bytes ||
        tree->count == UINT32_MAX - 1)
        return gl_jscan_fail(builder->pull, at, GL_E_TOO_LARGE, "one value is too large");
    if (depth > builder->base)
        tree->nodes[builder->open[depth]].count++;
    return at;
}

/* Is the member wanted whose name was read last? */
static bool is_wanted(const struct builder *builder)
{
    const struct gl_jsonpull_choice *choice = builder->choice;
    unsigned level = builder->pull->depth - builder->base;

    return choice == NULL || level > choice->levels ||
           choice->wants(choice->cookie, level,
                         (struct gl_view){builder->text.text + builder->key, builder->key_length});
}

/* Over the value whose name was read last, which is forgotten. */
static const char *drop(struct builder *builder, const char *at)
{
    builder->text.length = builder->key;
    builder->key = builder->key_length = 0;
    return gl_jscan_skip(builder->pull, at);
}

/* To the next value that is kept, *io_has; a container that ends on the way is whole. */
static const char *advance(struct builder *builder, const char *at, bool *io_has)
{
    struct gl_jsonpull *pull = builder->pull;

    for (;;) {
        while (at != NULL && !*io_has && pull->depth > builder->base) {
            at = gl_jscan_next(pull, at, io_has);
            if (at != NULL && !*io_has)
                at = finish(builder, at);
        }
        if (at == NULL || !*io_has || !pull->is_object[pull->depth])
            return at;
        at = key(builder, at);
        if (at == NULL || is_wanted(builder))
            return at;
        at = drop(builder, at);
        *io_has = false;
    }
}

/* As gl_jscan_skip(), keeping what it passes. */
static const char *build(struct builder *builder, const char *at)
{
    bool has = false;

    do {
        has = false;
        at = account(builder, at);
        if (at == NULL)
            break;
        if (*at == '{' || *at == '[')
            at = container(builder, at, &has);
        else
            at = scalar(builder, at);
        at = advance(builder, at, &has);
    } while (at != NULL && has);
    return at;
}

const char *gl_jscan_take(struct gl_jsonpull *pull, const char *at,
                          const struct gl_jsonpull_choice *choice, struct gl_jtree *tree)
{
    struct builder builder = {
        .pull = pull,
        .tree = tree,
        .text = {.text = tree->text, .capacity = tree->text_capacity},
        .choice = choice,
        .base = pull->depth,
        .max_bytes = tree->max_bytes > 0 ? tree->max_bytes : GL_JTREE_MAX_BYTES,
    };

    tree->count = 0;
    gl_jscan_reserve(pull, at, &builder.text);
    builder.text.text[builder.text.length++] = '\0';
    at = build(&builder, at);
    at = at != NULL ? account(&builder, at) : NULL;
    tree->text = builder.text.text;
    tree->text_length = builder.text.length;
    tree->text_capacity = builder.text.capacity;
    if (at == NULL)
        tree->count = 0;
    return at;
}
