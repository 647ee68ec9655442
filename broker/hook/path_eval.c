/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/path.h"

#include <stdio.h>
#include <string.h>

#define FOLLOW_MAX 4 /* references after each other */
#define WHOLE_NAME 512

/* A place in a resource: its value, and what is said there of what is known later. Both may be
 * NULL. */
struct spot {
    const struct gl_attributes *of;
    const struct gl_jnode *value, *later;
};

/* An attribute that is hidden, by its names. */
struct hidden {
    const struct gl_path_step *steps; /* NULL = nothing */
    size_t count;
    const char *of; /* address of the resource that a reference led to; NULL */
};

struct walk {
    const struct gl_follower *follower;
    void (*take)(struct walk *walk, const struct spot *spot, const char *constant);
    size_t values; /* taken */
    bool has_null, has_later, has_unsaid;
    bool has_block;       /* where a text belongs */
    struct hidden hidden; /* which is told later, too */
    struct gl_path_step within;
    unsigned follows;
    const char *how;    /* where a reference led */
    const char *inside; /* the attribute whose items are walked, by its whole name; NULL */
    /* of the takers */
    struct gl_arena *arena;
    const char **texts;
    size_t count, capacity;
    bool takes_all; /* of every resource that a reference may mean */
    int64_t sum;    /* or the furthest of them */
    bool is_number, is_most;
};

static void walk_path(struct walk *walk, const struct gl_path *path, const struct spot *spot);
static void walk_steps(struct walk *walk, const struct gl_path_term *term, size_t index,
                       const struct spot *spot);

static void take_value(struct walk *walk, const struct spot *spot, const char *constant)
{
    walk->values++;
    walk->take(walk, spot, constant);
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
static void walk_items(struct walk *walk, const struct gl_path_term *term, size_t index,
                       const struct spot *spot)
{
    const struct gl_attributes *of = spot->of;
    bool has_values = gl_jnode_is(spot->value, GL_JARRAY);
    bool has_later = gl_jnode_is(spot->later, GL_JARRAY);
    struct spot item = {of, has_values ? gl_jnode_first(of->tree, spot->value) : NULL,
                        has_later ? gl_jnode_first(of->unknown_tree, spot->later) : NULL};

    while (item.value != NULL || item.later != NULL) {
        walk_steps(walk, term, index, &item);
        if (item.value != NULL)
            item.value = gl_jnode_next(of->tree, spot->value, item.value);
        if (item.later != NULL)
            item.later = gl_jnode_next(of->unknown_tree, spot->later, item.later);
    }
}

/* "{\"properties\":...}": what a text holds as JSON is stepped into like a block. One that we
 * cannot read may say anything to who can. */
static void walk_text(struct walk *walk, const struct gl_path_term *term, size_t index,
                      const struct spot *spot)
{
    const char *text = gl_jnode_text(spot->of->tree, spot->value);
    struct gl_error err = {0};
    struct gl_jtree tree = {0};
    struct gl_attributes there = *spot->of;

    there.tree = &tree;
    if (text == NULL || text[strspn(text, " \t\r\n")] != '{')
        return;
    if (gl_jtree_parse(&tree, text, strlen(text), "text", &err) == 0)
        walk_steps(walk, term, index, &(struct spot){&there, gl_jtree_root(&tree), NULL});
    else
        walk->has_later = true;
    gl_jtree_done(&tree);
}

/* "a.b" of the b in "a.(b ; c)". */
static const char *whole_name(const struct walk *walk, const struct gl_path_term *term,
                              char out[WHOLE_NAME])
{
    if (walk->inside == NULL)
        return term->attribute;
    snprintf(out, WHOLE_NAME, "%s.%s", walk->inside, term->attribute);
    return out;
}

/* What a state holds of an argument that nobody wrote. */
static bool is_empty_text(const struct spot *spot)
{
    const char *text =
        gl_jnode_is(spot->value, GL_JSTRING) ? gl_jnode_text(spot->of->tree, spot->value) : NULL;

    return text != NULL && text[0] == '\0';
}

static void walk_end(struct walk *walk, const struct gl_path_term *term, const struct spot *spot)
{
    if (term->rest != NULL && term->follow == NULL) {
        struct walk item = *walk;
        char name[WHOLE_NAME];

        item.inside = term->steps != NULL ? whole_name(walk, term, name) : walk->inside;
        item.has_null = item.has_later = false;
        walk_path(&item, term->rest, spot);
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
        take_value(walk, spot, NULL);
}

/* What is known later, or never from here. */
static bool is_later(struct walk *walk, const struct gl_path_term *term, size_t index,
                     const struct spot *spot)
{
    if (!gl_jnode_is(spot->value, GL_JHIDDEN) && !gl_jnode_is(spot->later, GL_JHIDDEN))
        return gl_jnode_is(spot->later, GL_JTRUE);
    walk->hidden = (struct hidden){term->steps, index > 0 ? index : 1,
                                   walk->follows > 0 ? spot->of->address : NULL};
    return true;
}

static void walk_steps(struct walk *walk, const struct gl_path_term *term, size_t index,
                       const struct spot *spot)
{
    struct spot next = {.of = spot->of};

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
        walk_steps(walk, term, index + 1, &next);
}

/* ---- references ---- */

static void take_text(struct walk *walk, const struct spot *spot, const char *constant);
static void take_number(struct walk *walk, const struct spot *spot, const char *constant);

static void take_nothing(struct walk *walk, const struct spot *spot, const char *constant)
{
    (void)walk;
    (void)spot;
    (void)constant;
}

/* The attribute itself, whatever it refers to. */
static struct walk probe(const struct walk *walk, const struct gl_path_term *term,
                         const struct spot *spot)
{
    struct walk probe = {
        .follower = walk->follower, .take = take_nothing, .follows = walk->follows};
    struct gl_path_term plain = *term;

    plain.rest = NULL;
    walk_steps(&probe, &plain, 0, spot);
    return probe;
}

/* Is it there at all, known or not? */
static bool is_set(const struct walk *walk, const struct gl_path_term *term,
                   const struct spot *spot)
{
    const struct walk seen = probe(walk, term, spot);

    return seen.values > 0 || seen.has_later;
}

/* What one resource says, as texts, to compare it with another. */
struct said {
    const char *texts[GL_FOLLOWED_MAX];
    size_t count;
    bool has_later;
};

static struct said said_by(const struct walk *walk, const struct gl_path *path,
                           const struct gl_attributes *there, struct gl_arena *arena)
{
    struct said said = {0};
    struct walk probe = {.follower = walk->follower,
                         .take = take_text,
                         .follows = walk->follows,
                         .arena = arena,
                         .texts = said.texts,
                         .capacity = GL_FOLLOWED_MAX};

    walk_path(&probe, path, &(struct spot){there, there->values, there->unknown});
    said.count = probe.count;
    said.has_later = probe.has_later || probe.has_block || probe.count == GL_FOLLOWED_MAX;
    return said;
}

/* Do all of them say the same, so that it does not matter which is meant? */
static bool is_agreed(const struct walk *walk, const struct gl_path *path,
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

static void walk_follow(struct walk *walk, const struct gl_path_term *term, const struct spot *spot)
{
    const struct gl_follower *follower = walk->follower;
    struct gl_attributes there[GL_FOLLOWED_MAX];
    size_t before = walk->values, count = 0;
    const struct walk seen = probe(walk, term, spot);

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
        walk_path(walk, term->rest, &(struct spot){&there[i], there[i].values, there[i].unknown});
    walk->follows--;
    if (walk->values > before && walk->how == NULL)
        walk->how = there[0].address != NULL ? there[0].address : term->follow;
}

/* ---- paths ---- */

static void walk_constant(struct walk *walk, const struct spot *spot, const char *constant)
{
    if (strcmp(constant, "unknown") == 0)
        walk->has_unsaid = true;
    else
        take_value(walk, spot, constant);
}

/* Did somebody write the attribute of this term itself? As is_written() answers; of a block, which
 * ends in a dot. */
static int written(const struct walk *walk, const struct gl_path_term *term,
                   const struct spot *spot)
{
    bool is_block = term->rest != NULL && term->follow == NULL;
    char whole[WHOLE_NAME], name[WHOLE_NAME + 1];

    snprintf(name, sizeof name, "%s%s", whole_name(walk, term, whole), is_block ? "." : "");
    return walk->follower->is_written(walk->follower->cookie, spot->of, name);
}

static bool is_plain(const struct gl_path_term *term)
{
    return term->constant == NULL && term->follow == NULL && term->steps != NULL;
}

/* Only later known because the provider fills it in: as if it were not there. */
static bool is_filled_in(const struct walk *walk, const struct gl_path_term *term,
                         const struct spot *spot, int answer)
{
    return is_plain(term) && walk->follower != NULL && walk->follower->is_written != NULL &&
           written(walk, term, spot) == answer;
}

static void take_false(struct walk *walk, const struct spot *spot, const char *constant)
{
    const char *text =
        constant == NULL && spot->value != NULL ? gl_jnode_text(spot->of->tree, spot->value) : NULL;

    walk->count += gl_jnode_is(spot->value, GL_JFALSE) || (text != NULL && !strcmp(text, "false"));
}

/* Does its guard say false? What nobody says, or cannot be told yet, keeps nothing out. */
static bool is_shut(const struct walk *walk, const struct gl_path_term *term,
                    const struct spot *spot)
{
    struct walk probe = {.follower = walk->follower, .take = take_false};

    if (term->guard != NULL)
        walk_steps(&probe, term->guard, 0, spot);
    return probe.count > 0;
}

/* One alternative. True when the path ends with it: it has values, or somebody wrote something that
 * is not known yet, or that is hidden. */
static bool walk_choice(struct walk *walk, const struct gl_path_choice *choice,
                        const struct spot *spot)
{
    size_t before = walk->values;
    bool is_written = false;

    for (const struct gl_path_term *term = choice->terms; term != NULL; term = term->next) {
        const struct hidden was_hidden = walk->hidden;
        bool was_later = walk->has_later;

        if (is_shut(walk, term, spot))
            continue;
        walk->has_later = false;
        walk->hidden = (struct hidden){0};
        if (term->constant != NULL)
            walk_constant(walk, spot, term->constant);
        else if (term->follow != NULL)
            walk_follow(walk, term, spot);
        else
            walk_steps(walk, term, 0, spot);
        if (walk->hidden.steps != NULL)
            is_written = true;
        else if (walk->has_later && is_filled_in(walk, term, spot, 0))
            walk->has_later = false;
        else if (walk->has_later)
            is_written |= is_filled_in(walk, term, spot, 1);
        walk->has_later |= was_later;
        if (walk->hidden.steps == NULL)
            walk->hidden = was_hidden;
    }
    return walk->values > before || is_written;
}

/* Is there a value, or one to come, that somebody wrote? */
static bool has_written(const struct walk *walk, const struct gl_path_choice *choice,
                        const struct spot *spot)
{
    for (const struct gl_path_term *term = choice->terms; term != NULL; term = term->next)
        if (is_plain(term) && is_set(walk, term, spot) && written(walk, term, spot) == 1)
            return true;
    return false;
}

/* Nothing but 0, which a block that the provider fills in says of what does not count. */
static bool is_zero(const struct walk *walk, const struct gl_path_term *term,
                    const struct spot *spot)
{
    struct walk probe = {.follower = walk->follower, .take = take_number, .is_number = true};

    walk_steps(&probe, term, 0, spot);
    return probe.is_number && probe.sum == 0 && !probe.has_later;
}

/* Of an argument that nobody wrote the plan repeats what the state holds: that does not hide what
 * somebody wrote instead. */
static bool is_stale(const struct walk *walk, const struct gl_path_choice *choice,
                     const struct spot *spot)
{
    const struct gl_path_choice *other = choice->next;

    if (other == NULL || walk->follower == NULL || walk->follower->is_written == NULL)
        return false;
    while (other != NULL && !has_written(walk, other, spot))
        other = other->next;
    if (other == NULL)
        return false;
    for (const struct gl_path_term *term = choice->terms; term != NULL; term = term->next) {
        int answer = is_plain(term) ? written(walk, term, spot) : 1;

        if (answer == 1 || (answer < 0 && !is_zero(walk, term, spot)))
            return false;
    }
    return true;
}

static bool is_kept(const struct walk *walk, const struct gl_path_choice *choice,
                    const struct spot *spot)
{
    char name[WHOLE_NAME];

    for (const struct gl_path_term *term = choice->terms; term != NULL; term = term->next)
        if (!is_plain(term) || !walk->follower->is_kept(walk->follower->cookie, spot->of,
                                                        whole_name(walk, term, name)))
            return false;
    return true;
}

/* Of two that are both written one may be null, of which the plan repeats what the state holds. Is
 * this one as it was, and another not? Then nobody knows which of them counts. */
static bool is_doubtful(const struct walk *walk, const struct gl_path_choice *choice,
                        const struct spot *spot)
{
    const struct gl_path_choice *other = choice->next;

    if (other == NULL || walk->follower == NULL || walk->follower->is_kept == NULL ||
        !is_plain(choice->terms) || !is_set(walk, choice->terms, spot) ||
        !is_kept(walk, choice, spot))
        return false;
    while (other != NULL && (!has_written(walk, other, spot) || is_kept(walk, other, spot)))
        other = other->next;
    return other != NULL;
}

static void walk_path(struct walk *walk, const struct gl_path *path, const struct spot *spot)
{
    for (const struct gl_path_choice *choice = path->first; choice != NULL; choice = choice->next) {
        bool was_later = walk->has_later;
        size_t before = walk->values;

        if (is_stale(walk, choice, spot))
            continue;
        if (is_doubtful(walk, choice, spot)) {
            walk->has_later = true;
            return;
        }
        if (was_later && choice->terms->constant != NULL)
            return; /* a default is for what nobody says, not for what is not known yet */
        walk->has_later = false;
        if (walk_choice(walk, choice, spot)) {
            /* What earlier alternatives left open is settled by values. */
            walk->has_later |= walk->values == before && was_later;
            return;
        }
        walk->has_later |= was_later;
    }
}

static void start(struct walk *walk, const struct gl_path *path,
                  const struct gl_attributes *attributes, enum gl_known *out_known)
{
    struct spot root = {attributes, attributes->values, attributes->unknown};
    struct gl_path_term within = {.rest = path};
    enum gl_known known;

    if (attributes->within != NULL) {
        within.attribute = attributes->within;
        walk->within =
            (struct gl_path_step){attributes->within, attributes->within, attributes->within};
        within.steps = &walk->within;
        within.step_count = 1;
        walk_steps(walk, &within, 0, &root);
    } else {
        walk_path(walk, path, &root);
    }
    known = walk->values > 0   ? GL_KNOWN_VALUE
            : walk->has_later  ? GL_KNOWN_LATER
            : walk->has_unsaid ? GL_KNOWN_UNSAID
            : walk->has_null   ? GL_KNOWN_NULL
                               : GL_KNOWN_ABSENT;
    if (out_known != NULL)
        *out_known = known;
}

static void take_text(struct walk *walk, const struct spot *spot, const char *constant)
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

static size_t texts_of(struct walk *walk, const struct gl_path *path,
                       const struct gl_attributes *attributes, enum gl_known *out_known,
                       const char **out_how)
{
    walk->take = take_text;
    start(walk, path, attributes, out_known);
    if (out_how != NULL)
        *out_how = walk->how;
    return walk->count;
}

size_t gl_path_texts(const struct gl_path *path, const struct gl_attributes *attributes,
                     const struct gl_follower *follower, struct gl_arena *arena, const char **out,
                     size_t capacity, enum gl_known *out_known, const char **out_how)
{
    struct walk walk = {.follower = follower, .arena = arena, .texts = out, .capacity = capacity};

    return texts_of(&walk, path, attributes, out_known, out_how);
}

size_t gl_path_choices(const struct gl_path *path, const struct gl_attributes *attributes,
                       const struct gl_follower *follower, struct gl_arena *arena, const char **out,
                       size_t capacity, enum gl_known *out_known, const char **out_how)
{
    struct walk walk = {.follower = follower,
                        .arena = arena,
                        .texts = out,
                        .capacity = capacity,
                        .takes_all = true};
    size_t count = texts_of(&walk, path, attributes, out_known, out_how);

    if (walk.has_later || walk.has_block)
        *out_known = walk.has_later ? GL_KNOWN_LATER : GL_KNOWN_BLOCK;
    return count;
}

/* A whole number that is not below 0. */
static bool read_number(const struct spot *spot, const char *constant, int64_t *out)
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

static void take_number(struct walk *walk, const struct spot *spot, const char *constant)
{
    int64_t number;

    walk->is_number = walk->is_number && read_number(spot, constant, &number) &&
                      !__builtin_add_overflow(walk->sum, number, &walk->sum);
}

static void take_furthest(struct walk *walk, const struct spot *spot, const char *constant)
{
    int64_t number;

    walk->is_number = walk->is_number && read_number(spot, constant, &number);
    if (walk->is_number && (walk->values == 1 || (number > walk->sum) == walk->is_most))
        walk->sum = number;
}

/* A result of which a part is not known yet is not known. */
static int64_t number_of(struct walk *walk, const struct gl_path *path,
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
    struct walk walk = {.follower = follower, .take = take_number};

    return number_of(&walk, path, attributes, out_known);
}

int64_t gl_path_furthest(const struct gl_path *path, const struct gl_attributes *attributes,
                         const struct gl_follower *follower, bool is_most, enum gl_known *out_known)
{
    struct walk walk = {.follower = follower, .take = take_furthest, .is_most = is_most};

    return number_of(&walk, path, attributes, out_known);
}

const char *gl_path_hidden(const struct gl_path *path, const struct gl_attributes *attributes,
                           const struct gl_follower *follower, struct gl_arena *arena)
{
    struct walk walk = {.follower = follower, .take = take_nothing};
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

int gl_path_written(const struct gl_path *path, const struct gl_attributes *attributes,
                    const struct gl_follower *follower)
{
    const struct walk walk = {.follower = follower};
    const struct spot spot = {.of = attributes};
    int answer = 0;

    if (follower == NULL || follower->is_written == NULL || attributes->within != NULL)
        return -1;
    for (const struct gl_path_choice *choice = path != NULL ? path->first : NULL;
         choice != NULL && answer != 1; choice = choice->next)
        for (const struct gl_path_term *term = choice->terms; term != NULL && answer != 1;
             term = term->next) {
            int one = is_plain(term) ? written(&walk, term, &spot) : 0;

            answer = one != 0 ? one : answer;
        }
    return answer;
}
