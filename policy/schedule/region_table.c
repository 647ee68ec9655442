/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/region.h"

#include <string.h>

/* The exact plan with pauses and moves. on[w][r] and off[w][r] are the least cost of having done w
 * slots of work after t slots with the data in region r, running or not in the last one. Before a
 * slot in which it runs the data may move, for leave(best source) + enter(r): between two slots, or
 * in copy_slots slots in which nothing runs, after which it has to start again.
 * Rows of one amount of work lie together, so that the best source is one pass over a row. */

#define UNREACHED (INT64_MAX / 4)

/* How a state came about, a nibble of a byte each for on and off. */
enum origin {
    FROM_ON = 0,
    FROM_OFF = 1,
    MOVED = 2, /* together with one of the above */
};

#define WAS_ON 0x4000 /* in `source`: it ran until it left */

struct table {
    const struct gl_region_lines *lines;
    const struct gl_pause_rules *rules;
    size_t work, took;           /* slots of work, of a move */
    int64_t *on, *off;           /* (work + 1) * regions */
    int64_t *kept_on, *kept_off; /* the row of the work below, after moving */
    int64_t *leaving;            /* least cost of having left, per (time, work) of the last
                                    copy_slots + 1 times: running, or not */
    int16_t *source;             /* per (time, work): from where */
    uint8_t *origin;             /* per (time, work, region) */
};

static int64_t price(const int64_t *line, const struct table *table, size_t region, size_t slot)
{
    return line == NULL ? 0 : line[region * table->lines->slots + slot];
}

static int64_t *leaving_at(const struct table *table, size_t slot, size_t work)
{
    return table->leaving + (slot % (table->took + 1) * (table->work + 1) + work) * 2;
}

static int16_t *source_at(const struct table *table, size_t slot, size_t work)
{
    return table->source + (slot * (table->work + 1) + work) * 2;
}

/* The cheapest ways to leave with this work at the beginning of `slot`: [0] to go on running, which
 * takes a move between two slots; [1] to start again. */
static void leave_row(const struct table *table, size_t slot, size_t work)
{
    const size_t regions = table->lines->regions;
    const int64_t *on = table->on + work * regions, *off = table->off + work * regions;
    int64_t *least = leaving_at(table, slot, work);
    int16_t *source = source_at(table, slot, work);

    least[0] = least[1] = UNREACHED;
    for (size_t r = 0; r < regions; r++) {
        const int64_t leave = price(table->lines->leave, table, r, slot);
        const bool stops = table->took > 0 && on[r] < off[r];
        const int64_t rests = stops ? on[r] : off[r];

        if (!gl_cost_is_open(leave))
            continue;
        if (table->took == 0 && on[r] < UNREACHED && on[r] + leave < least[0]) {
            least[0] = on[r] + leave;
            source[0] = (int16_t)r;
        }
        if (rests < UNREACHED && rests + leave < least[1]) {
            least[1] = rests + leave;
            source[1] = (int16_t)((int)r | (stops ? WAS_ON : 0));
        }
    }
}

/* The row of this work in `slot`, after the moves that arrive. */
static void arrive_row(const struct table *table, size_t slot, size_t work)
{
    const size_t regions = table->lines->regions, took = table->took;
    const int64_t *on = table->on + work * regions, *off = table->off + work * regions;
    const int64_t *least = slot >= took ? leaving_at(table, slot - took, work) : NULL;

    for (size_t r = 0; r < regions; r++) {
        int64_t enter;

        table->kept_on[r] = on[r];
        table->kept_off[r] = off[r];
        if (least == NULL)
            continue;
        enter = price(table->lines->enter, table, r, slot - took);
        if (!gl_cost_is_open(enter))
            continue;
        if (least[0] < UNREACHED && least[0] + enter < on[r])
            table->kept_on[r] = least[0] + enter;
        if (least[1] < UNREACHED && least[1] + enter < off[r])
            table->kept_off[r] = least[1] + enter;
    }
}

/* on of `work` out of the row of one slot of work less. */
static uint8_t run(const struct table *table, size_t slot, size_t work, size_t region, int64_t *out)
{
    const size_t below = (work - 1) * table->lines->regions + region;
    const int64_t cost = table->lines->cost[region * table->lines->slots + slot];
    const bool may_start = work > 1 || slot <= table->lines->latest_start;
    int64_t stays = table->kept_on[region], starts = UNREACHED;
    bool is_start, moved;

    *out = UNREACHED;
    if (!gl_cost_is_open(cost))
        return FROM_ON;
    if (may_start && table->kept_off[region] < UNREACHED)
        starts = table->kept_off[region] + gl_pause_start(table->rules, cost);
    is_start = starts < stays;
    moved = is_start ? table->kept_off[region] < table->off[below] : stays < table->on[below];
    if ((is_start ? starts : stays) < UNREACHED)
        *out = (is_start ? starts : stays) + cost;
    return (uint8_t)((is_start ? FROM_OFF : FROM_ON) | (moved ? MOVED : 0));
}

/* All regions of one amount of work: off from staying off or stopping, on from the row below. */
static void advance_row(struct table *table, size_t slot, size_t work)
{
    const size_t regions = table->lines->regions;
    uint8_t *origin = table->origin + ((slot + 1) * (table->work + 1) + work) * regions;
    int64_t *on = table->on + work * regions, *off = table->off + work * regions;

    for (size_t r = 0; r < regions; r++) {
        const bool stops = on[r] < off[r];
        uint8_t ran = FROM_ON;

        if (stops)
            off[r] = on[r];
        on[r] = UNREACHED;
        if (work > 0)
            ran = run(table, slot, work, r, &on[r]);
        origin[r] = (uint8_t)(ran | (stops ? FROM_ON : FROM_OFF) << 4);
    }
}

/* From the most work down, so that the row below is still of the time before. */
static void advance(struct table *table, size_t slot)
{
    const size_t left = table->lines->slots - slot - 1;
    const size_t least = table->work > left ? table->work - left : 0;
    const size_t most = slot + 1 < table->work ? slot + 1 : table->work;

    for (size_t w = 0; w <= table->work; w++)
        leaving_at(table, slot, w)[0] = leaving_at(table, slot, w)[1] = UNREACHED;
    for (size_t w = most + 1; w-- > least;) {
        if (w > 0) {
            leave_row(table, slot, w - 1);
            arrive_row(table, slot, w - 1);
        }
        advance_row(table, slot, w);
    }
}

static void read_back(const struct table *table, size_t time, size_t region, int *out_where)
{
    const size_t regions = table->lines->regions;
    size_t work = table->work;
    bool is_on = true;

    for (size_t t = 0; t < table->lines->slots; t++)
        out_where[t] = GL_REGION_NONE;
    for (; time > 0; time--) {
        const uint8_t both = table->origin[(time * (table->work + 1) + work) * regions + region];
        const uint8_t how = is_on ? both & 0xf : both >> 4;

        if (is_on) {
            out_where[time - 1] = (int)region;
            work--;
        }
        is_on = (how & FROM_OFF) == 0;
        if ((how & MOVED) != 0) {
            int source;

            time -= table->took;
            source = source_at(table, time - 1, work)[!is_on];
            is_on = is_on || (source & WAS_ON) != 0;
            region = (size_t)(source & ~WAS_ON);
        }
    }
}

static void prepare(struct table *table, struct gl_arena *arena)
{
    const struct gl_region_lines *lines = table->lines;
    const size_t regions = lines->regions, states = (table->work + 1) * regions;

    table->on = gl_arena_take(arena, states * sizeof *table->on);
    table->off = gl_arena_take(arena, states * sizeof *table->off);
    table->kept_on = gl_arena_take(arena, regions * sizeof *table->kept_on);
    table->kept_off = gl_arena_take(arena, regions * sizeof *table->kept_off);
    table->leaving =
        gl_arena_take(arena, (table->took + 1) * (table->work + 1) * 2 * sizeof *table->leaving);
    table->origin = gl_arena_take(arena, (lines->slots + 1) * states);
    table->source =
        gl_arena_take(arena, lines->slots * (table->work + 1) * 2 * sizeof *table->source);
    for (size_t i = 0; i < states; i++)
        table->on[i] = table->off[i] = UNREACHED;
    for (size_t r = 0; r < regions; r++)
        if (lines->home == GL_REGION_NONE || lines->home == (int)r)
            table->off[r] = 0;
}

static bool fits(const struct gl_region_lines *lines, size_t work)
{
    return work > 0 && work <= lines->slots && work <= GL_PAUSE_MAX_WORK && lines->regions > 0 &&
           lines->regions <= GL_REGION_COUNT && lines->slots <= GL_SCHEDULE_SLOTS &&
           (lines->slots + 1) <= GL_REGION_TABLE / (work + 1) / lines->regions;
}

bool gl_region_pause(const struct gl_region_lines *lines, size_t work,
                     const struct gl_pause_rules *rules, struct gl_arena *arena, int *out_where,
                     int64_t *out_cost)
{
    struct table table = {.lines = lines, .rules = rules, .work = work};
    int64_t best = UNREACHED;
    size_t end = 0, region = 0;

    if (!fits(lines, work))
        return false;
    /* A move that takes longer than there is time is never made. */
    table.took = lines->copy_slots < lines->slots ? lines->copy_slots : lines->slots;
    prepare(&table, arena);
    for (size_t slot = 0; slot < lines->slots; slot++) {
        advance(&table, slot);
        for (size_t r = 0; r < lines->regions; r++)
            if (table.on[work * lines->regions + r] < best) {
                best = table.on[work * lines->regions + r];
                end = slot + 1;
                region = r;
            }
    }
    if (best >= UNREACHED)
        return false;
    read_back(&table, end, region, out_where);
    *out_cost = best;
    return true;
}
