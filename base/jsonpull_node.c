/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jsonpull.h"

#include <stdlib.h>
#include <string.h>

void gl_jtree_done(struct gl_jtree *tree)
{
    free(tree->nodes);
    free(tree->text);
    *tree = (struct gl_jtree){.max_bytes = tree->max_bytes};
}

/* ---- looking around ---- */

bool gl_jnode_is(const struct gl_jnode *node, enum gl_jkind kind)
{
    return node != NULL && node->kind == (uint8_t)kind;
}

const struct gl_jnode *gl_jtree_root(const struct gl_jtree *tree)
{
    return tree->count > 0 ? tree->nodes : NULL;
}

const struct gl_jnode *gl_jnode_first(const struct gl_jtree *tree, const struct gl_jnode *parent)
{
    (void)tree;
    return parent != NULL && parent->count > 0 ? parent + 1 : NULL;
}

const struct gl_jnode *gl_jnode_next(const struct gl_jtree *tree, const struct gl_jnode *parent,
                                     const struct gl_jnode *child)
{
    return child->end < parent->end ? &tree->nodes[child->end] : NULL;
}

const struct gl_jnode *gl_jnode_get(const struct gl_jtree *tree, const struct gl_jnode *node,
                                    const char *key)
{
    size_t length = strlen(key);
    const struct gl_jnode *child;

    if (!gl_jnode_is(node, GL_JOBJECT))
        return NULL;
    child = gl_jnode_first(tree, node);
    while (child != NULL &&
           (child->key_length != length || memcmp(tree->text + child->key, key, length) != 0))
        child = gl_jnode_next(tree, node, child);
    return child;
}

const struct gl_jnode *gl_jnode_at(const struct gl_jtree *tree, const struct gl_jnode *node,
                                   size_t index)
{
    const struct gl_jnode *child;

    if (!gl_jnode_is(node, GL_JARRAY) || index >= node->count)
        return NULL;
    child = gl_jnode_first(tree, node);
    for (size_t i = 0; i < index; i++)
        child = gl_jnode_next(tree, node, child);
    return child;
}

const char *gl_jnode_text(const struct gl_jtree *tree, const struct gl_jnode *node)
{
    return gl_jnode_is(node, GL_JSTRING) && !node->has_nul ? tree->text + node->text : NULL;
}

const char *gl_jnode_key(const struct gl_jtree *tree, const struct gl_jnode *node)
{
    return tree->text + node->key;
}

/* ---- whole numbers ---- */

#define EXPONENT_MAX \
    100000 /* with at most 4096 digits, beyond it all but 0 is too large or not whole */

/* A decimal number taken apart: digits with at most one point among them, and an exponent. */
struct decimal {
    bool is_negative;
    const char *digits;
    size_t length; /* of digits and point */
    long point;    /* digits before the point, after the exponent has moved it */
};

static size_t digits_at(const char *text)
{
    return strspn(text, "0123456789");
}

/* The exponent from its letter on; false when it is none or something follows. */
static bool read_exponent(const char *text, long *out)
{
    bool is_negative = text[1] == '-';
    long value = 0;

    text += text[1] == '-' || text[1] == '+' ? 2 : 1;
    if (*text == '\0' || text[digits_at(text)] != '\0')
        return false;
    for (; *text != '\0' && value < EXPONENT_MAX; text++)
        value = value * 10 + (*text - '0');
    *out = is_negative ? -value : value;
    return true;
}

static bool read_decimal(const char *text, struct decimal *out)
{
    struct decimal number = {.is_negative = *text == '-'};
    long exponent = 0;
    size_t whole, part = 0;

    number.digits = text + number.is_negative;
    whole = digits_at(number.digits);
    if (whole == 0)
        return false;
    if (number.digits[whole] == '.') {
        part = digits_at(number.digits + whole + 1) + 1;
        if (part == 1)
            return false;
    }
    number.length = whole + part;
    text = number.digits + number.length;
    if (*text != '\0' && ((*text != 'e' && *text != 'E') || !read_exponent(text, &exponent)))
        return false;
    number.point = (long)whole + exponent;
    *out = number;
    return true;
}

/* Towards the sign, so that the smallest number fits. */
static bool add_digit(int64_t *value, int digit, bool is_negative)
{
    return !__builtin_mul_overflow(*value, 10, value) &&
           !__builtin_add_overflow(*value, is_negative ? -digit : digit, value);
}

static bool whole_of(const struct decimal *number, int64_t *out)
{
    int64_t value = 0;
    long place = 0;

    for (size_t i = 0; i < number->length; i++) {
        int digit = number->digits[i] - '0';

        if (number->digits[i] == '.')
            continue;
        if (place++ < number->point ? !add_digit(&value, digit, number->is_negative) : digit != 0)
            return false;
    }
    for (; value != 0 && place < number->point; place++)
        if (!add_digit(&value, 0, false))
            return false;
    *out = value;
    return true;
}

bool gl_jnode_int(const struct gl_jtree *tree, const struct gl_jnode *node, int64_t *out)
{
    struct decimal number;

    if (!gl_jnode_is(node, GL_JNUMBER) && gl_jnode_text(tree, node) == NULL)
        return false;
    if (node->length > GL_JSONPULL_MAX_NUMBER)
        return false;
    return read_decimal(tree->text + node->text, &number) && whole_of(&number, out);
}
