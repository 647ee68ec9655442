/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/region.h"
#include "policy/schedule/window.h"

#include <string.h>

#define UNREACHED (INT64_MAX / 4)

double gl_region_copy_hours(const struct gl_region_copy *copy)
{
    return copy->data_gb * 8 / copy->gbit_per_s / 3600;
}

double gl_region_copy_kwh(const struct gl_region_copy *copy)
{
    return copy->data_gb * copy->kwh_per_gb / 2 +
           copy->idle_kwh_per_hour * gl_region_copy_hours(copy);
}

static int64_t price(const int64_t *line, const struct gl_region_lines *lines, size_t region,
                     size_t slot)
{
    return line == NULL ? 0 : line[region * lines->slots + slot];
}

static int64_t move_price(const struct gl_region_lines *lines, int from, int to, size_t slot)
{
    if (from == GL_REGION_NONE || from == to)
        return 0;
    return price(lines->leave, lines, (size_t)from, slot) +
           price(lines->enter, lines, (size_t)to, slot);
}

static void write_run(const struct gl_region_lines *lines, size_t start, size_t work, int region,
                      int *out_where)
{
    for (size_t t = 0; t < lines->slots; t++)
        out_where[t] = t >= start && t - start < work ? region : GL_REGION_NONE;
}

/* ---- without a pause, moving ---- */

/* The region that is cheapest to leave at the beginning of `slot`. */
static int cheapest_source(const struct gl_region_lines *lines, const int64_t *reached, size_t slot,
                           int64_t *out_cost)
{
    int best = GL_REGION_NONE;

    *out_cost = UNREACHED;
    for (size_t r = 0; r < lines->regions; r++) {
        const int64_t leave = price(lines->leave, lines, r, slot);

        if (reached[r] < UNREACHED && gl_cost_is_open(leave) && reached[r] + leave < *out_cost) {
            *out_cost = reached[r] + leave;
            best = (int)r;
        }
    }
    return best;
}

/* One slot of all regions: `came` gets the region each was in before. */
static void run_slot(const struct gl_region_lines *lines, size_t slot, int64_t *reached,
                     int16_t *came)
{
    int64_t leaving;
    const int source = cheapest_source(lines, reached, slot, &leaving);

    for (size_t r = 0; r < lines->regions; r++) {
        const int64_t cost = lines->cost[r * lines->slots + slot];
        const int64_t enter = price(lines->enter, lines, r, slot);
        int64_t before = reached[r];

        came[r] = (int16_t)r;
        if (source != GL_REGION_NONE && gl_cost_is_open(enter) && leaving + enter < before) {
            before = leaving + enter;
            came[r] = (int16_t)source;
        }
        reached[r] = before < UNREACHED && gl_cost_is_open(cost) ? before + cost : UNREACHED;
    }
}

bool gl_region_run(const struct gl_region_lines *lines, size_t start, size_t work,
                   struct gl_arena *arena, int *out_where, int64_t *out_cost)
{
    const size_t regions = lines->regions;
    int64_t *reached = gl_arena_take(arena, regions * sizeof *reached);
    int16_t *came = gl_arena_take(arena, regions * (work + 1) * sizeof *came);
    size_t best = 0;
    int where;

    if (work == 0 || start > lines->slots || work > lines->slots - start || lines->copy_slots > 0)
        return false;
    for (size_t r = 0; r < regions; r++)
        reached[r] = lines->home == GL_REGION_NONE || lines->home == (int)r ? 0 : UNREACHED;
    for (size_t i = 0; i < work; i++)
        run_slot(lines, start + i, reached, came + i * regions);
    for (size_t r = 1; r < regions; r++)
        if (reached[r] < reached[best])
            best = r;
    if (regions == 0 || reached[best] >= UNREACHED)
        return false;
    *out_cost = reached[best];
    where = (int)best;
    write_run(lines, start, work, where, out_where);
    for (size_t i = work; i-- > 0;) {
        out_where[start + i] = where;
        where = came[i * regions + (size_t)where];
    }
    return true;
}

/* Nothing runs in the slots of the copy before `slot`. */
static bool leave_in_time(const struct gl_region_lines *lines, const int *where, size_t slot)
{
    if (slot < lines->copy_slots)
        return false;
    for (size_t t = slot - lines->copy_slots; t < slot; t++)
        if (where[t] != GL_REGION_NONE)
            return false;
    return true;
}

int64_t gl_region_cost(const struct gl_region_lines *lines, const struct gl_pause_rules *rules,
                       const int *where)
{
    int64_t sum = 0;
    int at = lines->home;

    for (size_t t = 0; t < lines->slots; t++) {
        int64_t cost;

        if (where[t] == GL_REGION_NONE)
            continue;
        cost = lines->cost[(size_t)where[t] * lines->slots + t];
        if (t == 0 || where[t - 1] == GL_REGION_NONE)
            sum += gl_pause_start(rules, cost);
        sum += cost;
        if (at != where[t] && at != GL_REGION_NONE)
            sum += leave_in_time(lines, where, t)
                       ? move_price(lines, at, where[t], t - lines->copy_slots)
                       : GL_COST_CLOSED;
        at = where[t];
    }
    return sum;
}
