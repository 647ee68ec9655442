/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/path_walk.h"

#include <stdio.h>
#include <string.h>

#define FOLLOW_MAX 4 /* references after each other */

/* ---- takers ---- */

void gl_walk_take(struct gl_walk *walk, const struct gl_spot *spot, const char *constant)
{
    walk->values++;
    walk->take(walk, spot, constant);
}

void gl_walk_take_nothing(struct gl_walk *walk, const struct gl_spot *spot, const char *constant)
{
    (void)walk;
    (void)spot;
    (void)constant;
}

void gl_walk_take_text(struct gl_walk *walk, const struct gl_spot *spot, const char *constant)
{
    const struct gl_jnode *node = constant == NULL ? spot->value : NULL;
    const char *text = constant;

    walk->has_block |= gl_jnode_is(node, GL_JOBJECT);
    if (node != NULL && node->kind == GL_JSTRING)
        text = gl_jnode_text(spot->of->tree, node);
    else if (node != NULL && node->kind == GL_JNUMBER)
        text = spot->of->tree->text + node->text;
    else if (node != NULL && (node->kind == GL_JTRUE || node->kind == GL_JFALSE))
        text = node->kind == GL_JTRUE ? "true" : "false";
    if (text == NULL || text[0] == '\0' || walk->count >= walk->capacity)
        return;
    walk->texts[walk->count++] = gl_arena_text(walk->arena, text, strlen(text));
}

/* A whole number that is not below 0. */
bool gl_walk_read_number(const struct gl_spot *spot, const char *constant, int64_t *out)
{
    static const char digits[] = "0123456789";
    bool is_number;

    *out = 0;
    if (constant == NULL)
        return gl_jnode_int(spot->of->tree, spot->value, out) && *out >= 0;
    is_number = constant[strspn(constant, digits)] == '\0' && strlen(constant) < 10;
    for (const char *at = constant; is_number && *at != '\0'; at++)
        *out = *out * 10 + (*at - '0');
    return is_number;
}

void gl_walk_take_number(struct gl_walk *walk, const struct gl_spot *spot, const char *constant)
{
    int64_t number;

    walk->is_number = walk->is_number && gl_walk_read_number(spot, constant, &number) &&
                      !__builtin_add_overflow(walk->sum, number, &walk->sum);
}

/* ---- steps ---- */

static const struct gl_jnode *member(const struct gl_jtree *tree, const struct gl_jnode *node,
                                     const struct gl_path_step *step)
{
    const struct gl_jnode *found;

    if (!gl_jnode_is(node, GL_JOBJECT))
        return NULL;
    found = gl_jnode_get(tree, node, step->name);
    if (found == NULL)
        found = gl_jnode_get(tree, node, step->camel);
    return found != NULL ? found : gl_jnode_get(tree, node, step->plural);
}

/* An array: its items, and those that are only known to come. */
static void walk_items(struct gl_walk *walk, const struct gl_path_term *term, size_t index,
                       const struct gl_spot *spot)
{
    const struct gl_attributes *of = spot->of;
    bool has_values = gl_jnode_is(spot->value, GL_JARRAY);
    bool has_later = gl_jnode_is(spot->later, GL_JARRAY);
    struct gl_spot item = {of, has_values ? gl_jnode_first(of->tree, spot->value) : NULL,
                           has_later ? gl_jnode_first(of->unknown_tree, spot->later) : NULL};

    while (item.value != NULL || item.later != NULL) {
        gl_walk_steps(walk, term, index, &item);
        if (item.value != NULL)
            item.value = gl_jnode_next(of->tree, spot->value, item.value);
        if (item.later != NULL)
            item.later = gl_jnode_next(of->unknown_tree, spot->later, item.later);
    }
}

/* "{\"properties\":...}": what a text holds as JSON is stepped into like a block. One that we
 * cannot read may say anything to who can. */
static void walk_text(struct gl_walk *walk, const struct gl_path_term *term, size_t index,
                      const struct gl_spot *spot)
{
    const char *text = gl_jnode_text(spot->of->tree, spot->value);
    struct gl_error err = {0};
    struct gl_jtree tree = {0};
    struct gl_attributes there = *spot->of;

    there.tree = &tree;
    if (text == NULL || text[strspn(text, " \t\r\n")] != '{')
        return;
    if (gl_jtree_parse(&tree, text, strlen(text), "text", &err) == 0)
        gl_walk_steps(walk, term, index, &(struct gl_spot){&there, gl_jtree_root(&tree), NULL});
    else
        walk->has_later = true;
    gl_jtree_done(&tree);
}

/* "a.b" of the b in "a.(b ; c)". */
const char *gl_walk_whole_name(const struct gl_walk *walk, const struct gl_path_term *term,
                               char out[GL_WALK_NAME])
{
    if (walk->inside == NULL)
        return term->attribute;
    snprintf(out, GL_WALK_NAME, "%s.%s", walk->inside, term->attribute);
    return out;
}

/* What a state holds of an argument that nobody wrote. */
static bool is_empty_text(const struct gl_spot *spot)
{
    const char *text =
        gl_jnode_is(spot->value, GL_JSTRING) ? gl_jnode_text(spot->of->tree, spot->value) : NULL;

    return text != NULL && text[0] == '\0';
}

static void walk_end(struct gl_walk *walk, const struct gl_path_term *term,
                     const struct gl_spot *spot)
{
    if (term->rest != NULL && term->follow == NULL) {
        struct gl_walk item = *walk;
        char name[GL_WALK_NAME];

        item.inside = term->steps != NULL ? gl_walk_whole_name(walk, term, name) : walk->inside;
        item.has_null = item.has_later = false;
        gl_walk_path(&item, term->rest, spot);
        item.inside = walk->inside;
        item.has_null |= walk->has_null;
        item.has_later |= walk->has_later;
        *walk = item;
        return;
    }
    if (spot->value == NULL)
        return;
    if (gl_jnode_is(spot->value, GL_JNULL) || is_empty_text(spot))
        walk->has_null = true;
    else
        gl_walk_take(walk, spot, NULL);
}

/* What is known later, or never from here. */
static bool is_later(struct gl_walk *walk, const struct gl_path_term *term, size_t index,
                     const struct gl_spot *spot)
{
    if (!gl_jnode_is(spot->value, GL_JHIDDEN) && !gl_jnode_is(spot->later, GL_JHIDDEN))
        return gl_jnode_is(spot->later, GL_JTRUE);
    walk->hidden = (struct gl_hidden){term->steps, index > 0 ? index : 1,
                                      walk->follows > 0 ? spot->of->address : NULL};
    return true;
}

void gl_walk_steps(struct gl_walk *walk, const struct gl_path_term *term, size_t index,
                   const struct gl_spot *spot)
{
    struct gl_spot next = {.of = spot->of};

    if (is_later(walk, term, index, spot)) {
        walk->has_later = true;
        return;
    }
    if (gl_jnode_is(spot->value, GL_JARRAY) || gl_jnode_is(spot->later, GL_JARRAY)) {
        walk_items(walk, term, index, spot);
        return;
    }
    if (index == term->step_count) {
        walk_end(walk, term, spot);
        return;
    }
    if (gl_jnode_is(spot->value, GL_JSTRING)) {
        walk_text(walk, term, index, spot);
        return;
    }
    next.value = member(spot->of->tree, spot->value, &term->steps[index]);
    next.later = member(spot->of->unknown_tree, spot->later, &term->steps[index]);
    if (next.value != NULL || next.later != NULL)
        gl_walk_steps(walk, term, index + 1, &next);
}

/* ---- references ---- */

/* The attribute itself, whatever it refers to. */
static struct gl_walk probe_of(const struct gl_walk *walk, const struct gl_path_term *term,
                               const struct gl_spot *spot)
{
    struct gl_walk probe = {
        .follower = walk->follower, .take = gl_walk_take_nothing, .follows = walk->follows};
    struct gl_path_term plain = *term;

    plain.rest = NULL;
    gl_walk_steps(&probe, &plain, 0, spot);
    return probe;
}

/* Is it there at all, known or not? */
bool gl_walk_is_set(const struct gl_walk *walk, const struct gl_path_term *term,
                    const struct gl_spot *spot)
{
    const struct gl_walk seen = probe_of(walk, term, spot);

    return seen.values > 0 || seen.has_later;
}

/* What one resource says, as texts, to compare it with another. */
struct said {
    const char *texts[GL_FOLLOWED_MAX];
    size_t count;
    bool has_later;
};

static struct said said_by(const struct gl_walk *walk, const struct gl_path *path,
                           const struct gl_attributes *there, struct gl_arena *arena)
{
    struct said said = {0};
    struct gl_walk probe = {.follower = walk->follower,
                            .take = gl_walk_take_text,
                            .follows = walk->follows,
                            .arena = arena,
                            .texts = said.texts,
                            .capacity = GL_FOLLOWED_MAX};

    gl_walk_path(&probe, path, &(struct gl_spot){there, there->values, there->unknown});
    said.count = probe.count;
    said.has_later = probe.has_later || probe.has_block || probe.count == GL_FOLLOWED_MAX;
    return said;
}

/* Do all of them say the same, so that it does not matter which is meant? */
static bool is_agreed(const struct gl_walk *walk, const struct gl_path *path,
                      const struct gl_attributes *there, size_t count)
{
    struct gl_arena arena = {0};
    struct said first = {0};
    bool is_same = true;

    if (count > 1)
        first = said_by(walk, path, &there[0], &arena);
    for (size_t i = 1; i < count && is_same; i++) {
        struct said other = said_by(walk, path, &there[i], &arena);

        is_same = other.count == first.count && !other.has_later && !first.has_later;
        for (size_t text = 0; is_same && text < first.count; text++)
            is_same = strcmp(first.texts[text], other.texts[text]) == 0;
    }
    gl_arena_done(&arena);
    return is_same;
}

void gl_walk_follow(struct gl_walk *walk, const struct gl_path_term *term,
                    const struct gl_spot *spot)
{
    const struct gl_follower *follower = walk->follower;
    struct gl_attributes there[GL_FOLLOWED_MAX];
    size_t before = walk->values, count = 0;
    const struct gl_walk seen = probe_of(walk, term, spot);

    if (seen.hidden.steps != NULL) {
        walk->hidden = seen.hidden;
        walk->has_later = true;
        return;
    }
    if (seen.values == 0 && !seen.has_later)
        return;
    if (follower != NULL && follower->follow != NULL && walk->follows < FOLLOW_MAX)
        count = follower->follow(follower->cookie, spot->of, term->attribute, term->follow, there);
    walk->follows++;
    if (is_agreed(walk, term->rest, there, count))
        count = count > 0;
    else if (!walk->takes_all)
        count = 0;
    /* Something is there, and it cannot be seen from here which. */
    walk->has_later |= count == 0;
    for (size_t i = 0; i < count; i++)
        gl_walk_path(walk, term->rest,
                     &(struct gl_spot){&there[i], there[i].values, there[i].unknown});
    walk->follows--;
    if (walk->values > before && walk->how == NULL)
        walk->how = there[0].address != NULL ? there[0].address : term->follow;
}
