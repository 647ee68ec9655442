/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/budget_reserve.h"

#include "policy/schedule/schedule.h"

#include <math.h>

#define HOUR_S  INT64_C(3600)
#define MILLION 1000000

__extension__ typedef __int128 wide;

static double worst_at(const struct gl_reserve_run *run, size_t path, size_t hour)
{
    double worst = 0;

    for (size_t z = 0; z < run->zone_count; z++) {
        const struct gl_ensemble *zone = &run->zones[z];
        double value = path < zone->paths ? (double)zone->value[path * zone->hours + hour]
                                          : (double)zone->central[hour];

        if (!(value >= 0) || !isfinite(value))
            return NAN;
        worst = value > worst ? value : worst;
    }
    return worst;
}

/* NAN when an hour has no figure. `path` = number of paths: the forecast. */
static double sum_of(const struct gl_reserve_run *run, size_t path)
{
    int64_t start_s = run->zones[0].start_s;
    double sum = 0;

    for (int64_t at = run->from_s; at < run->until_s;) {
        int64_t hour = (at - start_s) / HOUR_S, next = start_s + (hour + 1) * HOUR_S;

        next = next < run->until_s ? next : run->until_s;
        sum += worst_at(run, path, (size_t)hour) * (double)(next - at) / (double)HOUR_S;
        at = next;
    }
    return sum;
}

static bool covers(const struct gl_reserve_run *run)
{
    const struct gl_ensemble *first = run->zones;

    if (run->zone_count == 0 || run->until_s <= run->from_s || run->p_ppm < GL_RESERVE_LEAST_PPM ||
        run->p_ppm > GL_RESERVE_MOST_PPM)
        return false;
    for (size_t z = 0; z < run->zone_count; z++) {
        const struct gl_ensemble *zone = &run->zones[z];

        if (zone->start_s != first->start_s || zone->hours != first->hours ||
            zone->paths != first->paths)
            return false;
    }
    return run->from_s >= first->start_s &&
           run->until_s <= first->start_s + (int64_t)first->hours * HOUR_S;
}

/* Rounded up; false when it cannot be an amount. */
static bool millionths(double value, int64_t *out)
{
    double scaled = ceil(value * MILLION);

    if (!(scaled >= 0) || scaled > 9e18)
        return false;
    *out = (int64_t)scaled;
    return true;
}

bool gl_reserve_path(const struct gl_reserve_run *run, struct gl_arena *arena,
                     struct gl_reserve_path *out)
{
    struct gl_reserve_path result = {.path_u = 0};
    size_t paths;
    double *sums;

    if (!covers(run))
        return false;
    paths = run->zones[0].paths;
    if ((wide)run->p_ppm * (paths + 1) > (wide)MILLION * paths)
        return false;
    sums = gl_arena_take(arena, paths * sizeof *sums);
    for (size_t i = 0; i < paths; i++) {
        sums[i] = sum_of(run, i);
        if (isnan(sums[i]))
            return false;
    }
    result.paths = (uint32_t)paths;
    if (!millionths(gl_quantile_upper(sums, paths, (double)run->p_ppm / MILLION), &result.path_u) ||
        !millionths(sum_of(run, paths), &result.central_u))
        return false;
    *out = result;
    return true;
}

int64_t gl_reserve_ug(const struct gl_reserve *reserve)
{
    const wide divisor = (wide)MILLION * reserve->duration_s;
    wide sum = ((wide)reserve->facility_mj * reserve->path_u + divisor - 1) / divisor;

    sum += reserve->embodied_ug;
    if (sum > INT64_MAX)
        return INT64_MAX;
    return (int64_t)sum > reserve->least_ug ? (int64_t)sum : reserve->least_ug;
}
