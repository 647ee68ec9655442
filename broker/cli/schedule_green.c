/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/schedule_green.h"

#include "base/time.h"
#include "broker/render/promise.h"

/* What all rules together say of one place. */
struct joint {
    bool has_rule, is_now;
    enum gl_gap gap;
    uint64_t starts;
    uint32_t within, paths;
    uint32_t kept[GL_BOOK_HORIZON_H];
};

static void join_entry(const struct gl_book_entry *entry, struct joint *joint)
{
    const struct gl_later *later = &entry->later;

    joint->is_now = joint->is_now && entry->is_run_promised;
    joint->starts &= later->starts;
    joint->within = later->within_h < joint->within ? later->within_h : joint->within;
    joint->paths = later->paths < joint->paths ? later->paths : joint->paths;
    for (size_t h = 0; h < GL_BOOK_HORIZON_H; h++)
        if (later->kept[h] < joint->kept[h])
            joint->kept[h] = later->kept[h];
}

static bool speaks_of(const struct gl_ask_result *asked, const struct gl_rule *rule,
                      const struct gl_schedule_place *place)
{
    const struct gl_question question = gl_ask_question(asked);

    return gl_render_speaks_of(&question, rule, &question.offers[place->offer]);
}

static void join_rule(const struct gl_ask_result *asked, const struct gl_rule *rule,
                      const struct gl_schedule_place *place, struct joint *joint)
{
    const struct gl_book_load load = {&asked->request, &asked->offers->offers[place->offer]};

    for (size_t z = 0; z < place->zone_count; z++) {
        const struct gl_book_entry *entry =
            gl_book_find_offer(asked->book, rule, place->zones[z], &load);
        enum gl_gap gap;

        if (entry == NULL && !gl_book_limits_grams(rule))
            continue; /* no limit on the grid */
        joint->has_rule = true;
        gap = entry != NULL ? gl_book_gap(entry, rule, asked->now) : GL_GAP_POWER;
        if (gap == GL_GAP_NONE && !entry->later.is_known)
            gap = entry->is_run_promised ? GL_GAP_NONE : GL_GAP_HORIZON;
        if (gap == GL_GAP_NONE)
            join_entry(entry, joint);
        else if (joint->gap == GL_GAP_NONE)
            joint->gap = gap;
    }
}

static struct joint joint_of(const struct gl_ask_result *asked,
                             const struct gl_schedule_place *place)
{
    struct joint joint = {
        .is_now = true, .starts = UINT64_MAX, .within = GL_BOOK_HORIZON_H, .paths = UINT32_MAX};

    for (size_t h = 0; h < GL_BOOK_HORIZON_H; h++)
        joint.kept[h] = UINT32_MAX;
    for (size_t r = 0; r < asked->policy->rule_count; r++)
        if (speaks_of(asked, &asked->policy->rules[r], place))
            join_rule(asked, &asked->policy->rules[r], place, &joint);
    if (joint.gap == GL_GAP_NONE && joint.has_rule && joint.within == 0)
        joint.gap = GL_GAP_HORIZON;
    return joint;
}

/* Hours that a run may start in; 64 bits are more than a book reaches. */
static uint64_t allowed_starts(const struct gl_ask_result *asked, const struct gl_schedule_ask *ask,
                               uint32_t within)
{
    uint64_t starts = 0;

    for (size_t h = 0; h < within; h++)
        if (ask->latest_start_s == GL_UNKNOWN ||
            gl_schedule_at(asked, h).unix_s <= ask->latest_start_s)
            starts |= UINT64_C(1) << h;
    return starts;
}

/* Keep the earlier found start, or of none found the one that most futures keep. */
static void offer_start(struct gl_schedule_green *green, const struct gl_schedule_green *other)
{
    bool is_better = other->is_found ? !green->is_found || other->start < green->start
                                     : !green->is_found && (uint64_t)other->kept * green->paths >
                                                               (uint64_t)green->kept * other->paths;

    if (green->is_known && !is_better)
        return;
    green->is_known = true;
    green->is_found = other->is_found;
    green->start = other->start;
    green->within = other->within;
    green->place = other->place;
    green->kept = other->kept;
    green->paths = other->paths;
}

static void find_in(const struct gl_ask_result *asked, const struct gl_schedule_ask *ask,
                    size_t place, struct gl_schedule *schedule)
{
    const struct joint joint = joint_of(asked, &schedule->places[place]);
    uint64_t allowed = allowed_starts(asked, ask, joint.within);
    uint64_t starts = ((joint.starts & ~UINT64_C(1)) | joint.is_now) & allowed;
    struct gl_schedule_green *green = &schedule->green;
    struct gl_schedule_green one = {.place = (int)place, .paths = joint.paths};

    green->has_rule = green->has_rule || joint.has_rule;
    if (joint.has_rule && joint.gap != GL_GAP_NONE && green->gap == GL_GAP_NONE)
        green->gap = joint.gap;
    if (!joint.has_rule || joint.gap != GL_GAP_NONE)
        return;
    green->starts[place] = starts;
    for (size_t h = 0; h < GL_BOOK_HORIZON_H && !one.is_found; h++) {
        if ((allowed >> h & 1) != 0)
            one.within = h + 1;
        one.is_found = (starts >> h & 1) != 0;
        if (one.is_found || ((allowed >> h & 1) != 0 && joint.kept[h] > one.kept)) {
            one.start = h;
            one.kept = joint.kept[h];
        }
    }
    offer_start(green, &one);
}

void gl_schedule_find_green(const struct gl_ask_result *asked, const struct gl_schedule_ask *ask,
                            struct gl_schedule *schedule)
{
    size_t places = ask->may_place ? schedule->count : schedule->count > 0;

    for (size_t p = 0; p < places; p++)
        find_in(asked, ask, p, schedule);
}
