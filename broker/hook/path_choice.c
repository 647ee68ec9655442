/* SPDX-License-Identifier: Apache-2.0 */
/* Of alternatives the first that somebody wrote counts: what a plan repeats of its state, what is
 * filled in by the provider and what is only known later are told apart here. */
#include "broker/hook/path_walk.h"

#include <string.h>

static void walk_constant(struct gl_walk *walk, const struct gl_spot *spot, const char *constant)
{
    if (strcmp(constant, "unknown") == 0)
        walk->has_unsaid = true;
    else
        gl_walk_take(walk, spot, constant);
}

/* Did somebody write the attribute of this term itself? As is_written() answers; of a block, which
 * ends in a dot. */
static int written(const struct gl_walk *walk, const struct gl_path_term *term,
                   const struct gl_spot *spot)
{
    bool is_block = term->rest != NULL && term->follow == NULL;
    char whole[GL_WALK_NAME], name[GL_WALK_NAME + 1];

    snprintf(name, sizeof name, "%s%s", gl_walk_whole_name(walk, term, whole), is_block ? "." : "");
    return walk->follower->is_written(walk->follower->cookie, spot->of, name);
}

static bool is_plain(const struct gl_path_term *term)
{
    return term->constant == NULL && term->follow == NULL && term->steps != NULL;
}

/* Only later known because the provider fills it in: as if it were not there. */
static bool is_filled_in(const struct gl_walk *walk, const struct gl_path_term *term,
                         const struct gl_spot *spot, int answer)
{
    return is_plain(term) && walk->follower != NULL && walk->follower->is_written != NULL &&
           written(walk, term, spot) == answer;
}

static void take_false(struct gl_walk *walk, const struct gl_spot *spot, const char *constant)
{
    const char *text =
        constant == NULL && spot->value != NULL ? gl_jnode_text(spot->of->tree, spot->value) : NULL;

    walk->count += gl_jnode_is(spot->value, GL_JFALSE) || (text != NULL && !strcmp(text, "false"));
}

/* Does its guard say false? What nobody says, or cannot be told yet, keeps nothing out. */
static bool is_shut(const struct gl_walk *walk, const struct gl_path_term *term,
                    const struct gl_spot *spot)
{
    struct gl_walk probe = {.follower = walk->follower, .take = take_false};

    if (term->guard != NULL)
        gl_walk_steps(&probe, term->guard, 0, spot);
    return probe.count > 0;
}

/* One alternative. True when the path ends with it: it has values, or somebody wrote something that
 * is not known yet, or that is hidden. */
static bool walk_choice(struct gl_walk *walk, const struct gl_path_choice *choice,
                        const struct gl_spot *spot)
{
    size_t before = walk->values;
    bool is_written = false;

    for (const struct gl_path_term *term = choice->terms; term != NULL; term = term->next) {
        const struct gl_hidden was_hidden = walk->hidden;
        bool was_later = walk->has_later;

        if (is_shut(walk, term, spot))
            continue;
        walk->has_later = false;
        walk->hidden = (struct gl_hidden){0};
        if (term->constant != NULL)
            walk_constant(walk, spot, term->constant);
        else if (term->follow != NULL)
            gl_walk_follow(walk, term, spot);
        else
            gl_walk_steps(walk, term, 0, spot);
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
static bool has_written(const struct gl_walk *walk, const struct gl_path_choice *choice,
                        const struct gl_spot *spot)
{
    for (const struct gl_path_term *term = choice->terms; term != NULL; term = term->next)
        if (is_plain(term) && gl_walk_is_set(walk, term, spot) && written(walk, term, spot) == 1)
            return true;
    return false;
}

/* Nothing but 0, which a block that the provider fills in says of what does not count. */
static bool is_zero(const struct gl_walk *walk, const struct gl_path_term *term,
                    const struct gl_spot *spot)
{
    struct gl_walk probe = {
        .follower = walk->follower, .take = gl_walk_take_number, .is_number = true};

    gl_walk_steps(&probe, term, 0, spot);
    return probe.is_number && probe.sum == 0 && !probe.has_later;
}

/* Of an argument that nobody wrote the plan repeats what the state holds: that does not hide what
 * somebody wrote instead. */
static bool is_stale(const struct gl_walk *walk, const struct gl_path_choice *choice,
                     const struct gl_spot *spot)
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

static bool is_kept(const struct gl_walk *walk, const struct gl_path_choice *choice,
                    const struct gl_spot *spot)
{
    char name[GL_WALK_NAME];

    for (const struct gl_path_term *term = choice->terms; term != NULL; term = term->next)
        if (!is_plain(term) || !walk->follower->is_kept(walk->follower->cookie, spot->of,
                                                        gl_walk_whole_name(walk, term, name)))
            return false;
    return true;
}

/* Of two that are both written one may be null, of which the plan repeats what the state holds. Is
 * this one as it was, and another not? Then nobody knows which of them counts. */
static bool is_doubtful(const struct gl_walk *walk, const struct gl_path_choice *choice,
                        const struct gl_spot *spot)
{
    const struct gl_path_choice *other = choice->next;

    if (other == NULL || walk->follower == NULL || walk->follower->is_kept == NULL ||
        !is_plain(choice->terms) || !gl_walk_is_set(walk, choice->terms, spot) ||
        !is_kept(walk, choice, spot))
        return false;
    while (other != NULL && (!has_written(walk, other, spot) || is_kept(walk, other, spot)))
        other = other->next;
    return other != NULL;
}

void gl_walk_path(struct gl_walk *walk, const struct gl_path *path, const struct gl_spot *spot)
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

int gl_path_written(const struct gl_path *path, const struct gl_attributes *attributes,
                    const struct gl_follower *follower)
{
    const struct gl_walk walk = {.follower = follower};
    const struct gl_spot spot = {.of = attributes};
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
