/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/pause.h"
#include "policy/schedule/window.h"

#include <string.h>

/* The exact plan with a price of starting and a least run. on[w] and off[w] are the least cost of
 * having done w slots of work after t slots, running or not in the last one:
 *
 *   off(t + 1, w)    = min(off(t, w), on(t, w))
 *   on(t + 1, w + 1) = min(on(t, w) + c(t), off(t + 1 - m, w + 1 - m) + start + c over m slots)
 *
 * with m = the least run; the last run may be as short as the rest of the work. */

#define UNREACHED (INT64_MAX / 4)

enum step {
    BY_STAYING = 0, /* on: went on running; off: stayed off */
    BY_CHANGING = 1 /* on: a run of `jump` slots began; off: stopped */
};

struct table {
    const int64_t *cost, *sum;
    const struct gl_pause_rules *rules;
    size_t slots, work, min_run;
    int64_t *on;         /* work + 1, of this time */
    int64_t *off;        /* rows of min_run + 1 times, work + 1 each */
    uint8_t *step;       /* per (time, work): bit 0 of on, bit 1 of off */
    size_t *finish_jump; /* per time: length of the last run when it began and ended the work */
};

static int64_t *off_row(const struct table *table, size_t time)
{
    return table->off + time % (table->min_run + 1) * (table->work + 1);
}

static uint8_t *step_of(const struct table *table, size_t time, size_t work)
{
    return table->step + time * (table->work + 1) + work;
}

/* A run of `length` slots that ends with slot `time` and leaves `work` slots done. */
static int64_t begun(const struct table *table, size_t time, size_t work, size_t length)
{
    const size_t from = time + 1 - length;
    const int64_t before = off_row(table, from)[work - length];
    const int64_t slots = table->sum[time + 1] - table->sum[from];
    int64_t first = 0;

    if (before >= UNREACHED || !gl_cost_is_open(slots))
        return UNREACHED;
    if (work == length && table->rules->first != NULL)
        first = table->rules->first[from];
    if (!gl_cost_is_open(first))
        return UNREACHED;
    return before + slots + first + gl_pause_start(table->rules, table->cost[from]);
}

static void try_finish(struct table *table, size_t time, int64_t *best, uint8_t *how)
{
    for (size_t length = 1; length < table->min_run && length <= time + 1; length++) {
        const int64_t cost = begun(table, time, table->work, length);

        if (cost < *best) {
            *best = cost;
            *how = BY_CHANGING;
            table->finish_jump[time + 1] = length;
        }
    }
}

/* Least cost of running in slot `time` so that `work` slots are done after it. */
static int64_t run_slot(struct table *table, size_t time, size_t work, uint8_t *how)
{
    const int64_t cost = table->cost[time];
    int64_t best = UNREACHED;

    *how = BY_STAYING;
    if (gl_cost_is_open(cost) && table->on[work - 1] < UNREACHED)
        best = table->on[work - 1] + cost;
    if (work >= table->min_run && time + 1 >= table->min_run) {
        const int64_t start = begun(table, time, work, table->min_run);

        if (start < best) {
            best = start;
            *how = BY_CHANGING;
            if (work == table->work)
                table->finish_jump[time + 1] = table->min_run;
        }
    }
    if (work == table->work)
        try_finish(table, time, &best, how);
    return best;
}

/* From time to time + 1, for the work that can still lead to the end. */
static void advance(struct table *table, size_t time)
{
    const size_t left = table->slots - time - 1;
    const size_t least = table->work > left ? table->work - left : 0;
    const size_t most = time + 1 < table->work ? time + 1 : table->work;
    const int64_t *off = off_row(table, time);
    int64_t *next = off_row(table, time + 1);

    for (size_t w = most + 1; w-- > least;) {
        uint8_t how = BY_STAYING, stops = table->on[w] < off[w];

        next[w] = stops ? table->on[w] : off[w];
        table->on[w] = w > 0 ? run_slot(table, time, w, &how) : UNREACHED;
        *step_of(table, time + 1, w) = (uint8_t)(how | stops << 1);
    }
}

static void read_back(const struct table *table, size_t time, bool *out_run)
{
    size_t work = table->work;
    bool is_on = true;

    memset(out_run, 0, table->slots * sizeof *out_run);
    while (time > 0) {
        const uint8_t step = *step_of(table, time, work);
        size_t length = 1;

        if (!is_on) {
            is_on = (step >> 1 & 1) == BY_CHANGING;
            time--;
            continue;
        }
        if ((step & 1) == BY_CHANGING) {
            length = work == table->work ? table->finish_jump[time] : table->min_run;
            is_on = false;
        }
        memset(out_run + time - length, 1, length);
        time -= length;
        work -= length;
    }
}

static void prepare(struct table *table, struct gl_arena *arena)
{
    const size_t width = table->work + 1;
    int64_t *sum = gl_arena_take(arena, (table->slots + 1) * sizeof *sum);

    gl_window_prefix(table->cost, table->slots, sum);
    table->sum = sum;
    table->on = gl_arena_take(arena, width * sizeof *table->on);
    table->off = gl_arena_take(arena, width * (table->min_run + 1) * sizeof *table->off);
    table->step = gl_arena_take(arena, width * (table->slots + 1));
    table->finish_jump = gl_arena_take(arena, (table->slots + 1) * sizeof *table->finish_jump);
    for (size_t w = 0; w < width; w++)
        table->on[w] = UNREACHED;
    for (size_t i = 0; i < width * (table->min_run + 1); i++)
        table->off[i] = UNREACHED;
    table->off[0] = 0;
}

bool gl_pause_plan(const int64_t *cost, size_t slots, size_t work,
                   const struct gl_pause_rules *rules, struct gl_arena *arena, bool *out_run,
                   int64_t *out_cost)
{
    struct table table = {.cost = cost, .rules = rules, .slots = slots, .work = work};
    int64_t best = UNREACHED;
    size_t end = 0;

    if (work == 0 || work > slots || work > GL_PAUSE_MAX_WORK || slots > GL_SCHEDULE_SLOTS)
        return false;
    table.min_run = rules->min_run > 0 ? rules->min_run : 1;
    if (table.min_run > work)
        table.min_run = work;
    prepare(&table, arena);
    for (size_t time = 0; time < slots; time++) {
        advance(&table, time);
        if (table.on[work] < best) {
            best = table.on[work];
            end = time + 1;
        }
    }
    if (best >= UNREACHED)
        return false;
    read_back(&table, end, out_run);
    *out_cost = best;
    return true;
}
