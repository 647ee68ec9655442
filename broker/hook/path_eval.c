/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/path_walk.h"

#include <string.h>

static void start(struct gl_walk *walk, const struct gl_path *path,
                  const struct gl_attributes *attributes, enum gl_known *out_known)
{
    struct gl_spot root = {attributes, attributes->values, attributes->unknown};
    struct gl_path_term within = {.rest = path};
    enum gl_known known;

    if (attributes->within != NULL) {
        within.attribute = attributes->within;
        walk->within =
            (struct gl_path_step){attributes->within, attributes->within, attributes->within};
        within.steps = &walk->within;
        within.step_count = 1;
        gl_walk_steps(walk, &within, 0, &root);
    } else {
        gl_walk_path(walk, path, &root);
    }
    known = walk->values > 0   ? GL_KNOWN_VALUE
            : walk->has_later  ? GL_KNOWN_LATER
            : walk->has_unsaid ? GL_KNOWN_UNSAID
            : walk->has_null   ? GL_KNOWN_NULL
                               : GL_KNOWN_ABSENT;
    if (out_known != NULL)
        *out_known = known;
}

static size_t texts_of(struct gl_walk *walk, const struct gl_path *path,
                       const struct gl_attributes *attributes, enum gl_known *out_known,
                       const char **out_how)
{
    walk->take = gl_walk_take_text;
    start(walk, path, attributes, out_known);
    if (out_how != NULL)
        *out_how = walk->how;
    return walk->count;
}

size_t gl_path_texts(const struct gl_path *path, const struct gl_attributes *attributes,
                     const struct gl_follower *follower, struct gl_arena *arena, const char **out,
                     size_t capacity, enum gl_known *out_known, const char **out_how)
{
    struct gl_walk walk = {
        .follower = follower, .arena = arena, .texts = out, .capacity = capacity};

    return texts_of(&walk, path, attributes, out_known, out_how);
}

size_t gl_path_choices(const struct gl_path *path, const struct gl_attributes *attributes,
                       const struct gl_follower *follower, struct gl_arena *arena, const char **out,
                       size_t capacity, enum gl_known *out_known, const char **out_how)
{
    struct gl_walk walk = {.follower = follower,
                           .arena = arena,
                           .texts = out,
                           .capacity = capacity,
                           .takes_all = true};
    size_t count = texts_of(&walk, path, attributes, out_known, out_how);

    if (walk.has_later || walk.has_block)
        *out_known = walk.has_later ? GL_KNOWN_LATER : GL_KNOWN_BLOCK;
    return count;
}

static void take_furthest(struct gl_walk *walk, const struct gl_spot *spot, const char *constant)
{
    int64_t number;

    walk->is_number = walk->is_number && gl_walk_read_number(spot, constant, &number);
    if (walk->is_number && (walk->values == 1 || (number > walk->sum) == walk->is_most))
        walk->sum = number;
}

/* A result of which a part is not known yet is not known. */
static int64_t number_of(struct gl_walk *walk, const struct gl_path *path,
                         const struct gl_attributes *attributes, enum gl_known *out_known)
{
    enum gl_known known;

    walk->is_number = true;
    start(walk, path, attributes, &known);
    if (known == GL_KNOWN_VALUE && (walk->has_later || !walk->is_number))
        known = GL_KNOWN_LATER;
    if (out_known != NULL)
        *out_known = known;
    return known == GL_KNOWN_VALUE ? walk->sum : GL_UNKNOWN;
}

int64_t gl_path_number(const struct gl_path *path, const struct gl_attributes *attributes,
                       const struct gl_follower *follower, enum gl_known *out_known)
{
    struct gl_walk walk = {.follower = follower, .take = gl_walk_take_number};

    return number_of(&walk, path, attributes, out_known);
}

int64_t gl_path_furthest(const struct gl_path *path, const struct gl_attributes *attributes,
                         const struct gl_follower *follower, bool is_most, enum gl_known *out_known)
{
    struct gl_walk walk = {.follower = follower, .take = take_furthest, .is_most = is_most};

    return number_of(&walk, path, attributes, out_known);
}

const char *gl_path_hidden(const struct gl_path *path, const struct gl_attributes *attributes,
                           const struct gl_follower *follower, struct gl_arena *arena)
{
    struct gl_walk walk = {.follower = follower, .take = gl_walk_take_nothing};
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    if (path == NULL || follower == NULL || !follower->hides)
        return NULL;
    start(&walk, path, attributes, NULL);
    for (size_t i = 0; i < walk.hidden.count; i++)
        gl_str_addf(&text, "%s%s", i > 0 ? "." : "", walk.hidden.steps[i].name);
    if (walk.hidden.of != NULL)
        gl_str_addf(&text, " of %s", walk.hidden.of);
    return text.length > 0 ? gl_arena_text(arena, gl_str_text(&text), text.length) : NULL;
}
