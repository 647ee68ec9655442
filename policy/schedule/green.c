/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/green.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The k-th smallest run may break a promise at this level; k = 0 promises nothing. */
static size_t rank_of(double level, size_t paths)
{
    const double exact = level * (double)(paths + 1);

    return exact >= 1 ? (size_t)floor(exact + 1e-9) : 0;
}

static bool is_kept(const struct gl_green_limit *limit, size_t path, size_t hour)
{
    const double value = limit->signal->value[path * limit->signal->hours + hour];

    /* False for NaN. */
    return limit->is_floor ? value >= limit->limit : value <= limit->limit;
}

static bool keeps_all(const struct gl_green_ask *ask, size_t path, size_t hour)
{
    for (size_t i = 0; i < ask->count; i++)
        if (!is_kept(&ask->limits[i], path, hour))
            return false;
    return true;
}

_Static_assert(GL_ENSEMBLE_MAX_PATHS <= UINT16_MAX, "paths can be counted");

static bool match(const struct gl_green_ask *ask)
{
    const struct gl_ensemble *first = ask->count > 0 ? ask->limits[0].signal : NULL;

    for (size_t i = 1; i < ask->count; i++) {
        const struct gl_ensemble *other = ask->limits[i].signal;

        if (other->start_s != first->start_s || other->hours != first->hours ||
            other->paths != first->paths)
            return false;
    }
    return first != NULL && first->paths > 0;
}

/* kept[h] += paths whose green run from h on is at least run_hours: backwards, one counter. */
static void count_kept(const struct gl_green_ask *ask, size_t *kept)
{
    const size_t hours = ask->limits[0].signal->hours;

    for (size_t path = 0; path < ask->limits[0].signal->paths; path++) {
        size_t run = 0;

        for (size_t h = hours; h-- > 0;) {
            run = keeps_all(ask, path, h) ? run + 1 : 0;
            kept[h] += run >= ask->run_hours;
        }
    }
}

/* Hours from `start` that fewer than `rank` paths break. */
static size_t longest_from(const struct gl_green_ask *ask, size_t start, size_t rank, bool *broken)
{
    const struct gl_ensemble *signal = ask->limits[0].signal;
    size_t count = 0;

    for (size_t path = 0; path < signal->paths; path++)
        broken[path] = false;
    for (size_t h = start; h < signal->hours; h++) {
        for (size_t path = 0; path < signal->paths; path++) {
            if (broken[path] || keeps_all(ask, path, h))
                continue;
            broken[path] = true;
            count++;
        }
        if (count >= rank)
            return h - start;
    }
    return signal->hours - start;
}

bool gl_green_find(const struct gl_green_ask *ask, struct gl_arena *arena, size_t *out_kept,
                   struct gl_green_start *out)
{
    const struct gl_ensemble *signal = ask->count > 0 ? ask->limits[0].signal : NULL;
    struct gl_green_start best = {0};
    size_t rank, last, *kept = out_kept;

    if (!match(ask) || ask->run_hours == 0 || ask->run_hours > signal->hours)
        return false;
    if (kept == NULL)
        kept = gl_arena_take(arena, signal->hours * sizeof *kept);
    for (size_t h = 0; h < signal->hours; h++)
        kept[h] = 0;
    count_kept(ask, kept);
    rank = rank_of(ask->level, signal->paths);
    last = signal->hours - ask->run_hours;
    last = ask->latest_start < last ? ask->latest_start : last;
    best.kept = kept[0];
    for (size_t h = 0; h <= last && !best.is_found; h++) {
        if (kept[h] > best.kept || signal->paths - kept[h] < rank) {
            best.start = h;
            best.kept = kept[h];
        }
        best.is_found = signal->paths - kept[h] < rank;
    }
    best.paths = signal->paths;
    best.longest =
        longest_from(ask, best.start, rank, gl_arena_take(arena, signal->paths * sizeof(bool)));
    *out = best;
    return true;
}

const uint16_t *gl_green_lengths(const struct gl_green_limit *limits, size_t count,
                                 struct gl_arena *arena)
{
    const struct gl_green_ask ask = {.limits = limits, .count = count};
    uint16_t *kept;
    size_t hours;

    if (!match(&ask))
        return NULL;
    hours = limits[0].signal->hours;
    kept = gl_arena_take(arena, hours * (hours + 1) * sizeof *kept);
    for (size_t path = 0; path < limits[0].signal->paths; path++)
        for (size_t run = 0, h = hours; h-- > 0;) {
            run = keeps_all(&ask, path, h) ? run + 1 : 0;
            kept[h * (hours + 1) + run]++;
        }
    for (size_t h = 0; h < hours; h++)
        for (size_t run = hours; run-- > 0;)
            kept[h * (hours + 1) + run] += kept[h * (hours + 1) + run + 1];
    return kept;
}

/* ---- the tightest limit ---- */

struct extremes {
    size_t run, *queue;
    float *out;  /* of every start: the worst value of its run on this path */
    bool *holes; /* of every start: some path has a hole in its run */
};

static bool is_worse(float a, float b, bool is_floor)
{
    return is_floor ? a <= b : a >= b;
}

static void mark_hole(size_t hour, size_t hours, const struct extremes *to)
{
    const size_t last = hour + to->run <= hours ? hour : hours - to->run;

    for (size_t start = hour + 1 > to->run ? hour + 1 - to->run : 0; start <= last; start++)
        to->holes[start] = true;
}

/* Sliding maximum (minimum for a floor) of one path by a monotone queue. */
static void slide(const float *value, size_t hours, bool is_floor, const struct extremes *to)
{
    size_t head = 0, tail = 0;

    for (size_t h = 0; h < hours; h++) {
        if (!isfinite(value[h]))
            mark_hole(h, hours, to);
        while (tail > head && is_worse(value[h], value[to->queue[tail - 1]], is_floor))
            tail--;
        to->queue[tail++] = h;
        if (h + 1 < to->run)
            continue;
        while (to->queue[head] + to->run <= h)
            head++;
        to->out[h + 1 - to->run] = value[to->queue[head]];
    }
}

static int falling(const void *left, const void *right)
{
    const float a = *(const float *)left, b = *(const float *)right;

    return a > b ? -1 : a < b;
}

static int rising(const void *left, const void *right)
{
    return falling(right, left);
}

size_t gl_green_tightest(const struct gl_green_limit *limit, size_t run_hours, double level,
                         struct gl_arena *arena, double *out_limit, bool *out_has)
{
    const struct gl_ensemble *signal = limit->signal;
    const size_t paths = signal->paths, rank = rank_of(level, paths);
    struct extremes to = {.run = run_hours, .holes = out_has};
    float *worst, *column;
    size_t starts;

    if (run_hours == 0 || run_hours > signal->hours)
        return 0;
    starts = signal->hours - run_hours + 1;
    memset(out_has, 0, starts * sizeof *out_has);
    to.queue = gl_arena_take(arena, (signal->hours + 1) * sizeof *to.queue);
    worst = gl_arena_take(arena, paths * starts * sizeof *worst);
    column = gl_arena_take(arena, paths * sizeof *column);
    for (size_t path = 0; path < paths; path++) {
        to.out = worst + path * starts;
        slide(signal->value + path * signal->hours, signal->hours, limit->is_floor, &to);
    }
    for (size_t start = 0; start < starts; start++) {
        out_has[start] = !out_has[start] && rank > 0 && rank <= paths;
        if (!out_has[start])
            continue;
        for (size_t path = 0; path < paths; path++)
            column[path] = worst[path * starts + start];
        qsort(column, paths, sizeof *column, limit->is_floor ? rising : falling);
        out_limit[start] = column[rank - 1];
    }
    return starts;
}
