/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/guarantee/evidence.h"

#include <math.h>

#include "policy/guarantee/blend.h"

#define LIKE_TIMES 8
#define LIKE_SHARE 20

size_t gl_evidence_row(const struct gl_track *track, int64_t now_s)
{
    int64_t since = now_s - track->from_s;

    if (since < 0 || since % GL_HOUR_S != 0 || since / GL_HOUR_S >= (int64_t)track->count)
        return SIZE_MAX;
    return (size_t)(since / GL_HOUR_S);
}

bool gl_evidence_tracks_fit(const struct gl_track *const *tracks, size_t count)
{
    size_t i;

    for (i = 1; i < count; i++)
        if (tracks[i]->from_s != tracks[0]->from_s || tracks[i]->count != tracks[0]->count ||
            tracks[i]->horizon_h != tracks[0]->horizon_h)
            return false;
    return true;
}

/* Settled in every track, and by what had been reported when `row` was issued: a bridged gap takes
 * the hour after it. */
static bool is_settled(const struct gl_track *const *tracks, size_t count, size_t past, size_t row,
                       size_t hours)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (past + hours + GL_TRACK_BRIDGE_H + tracks[i]->lag_h > row ||
            tracks[i]->settled[past] < hours)
            return false;
    return true;
}

/* By how much the path issued at row `issued` was wrong about its hour `ahead`; 0 when not known.
 */
static float error_of(const struct gl_track *track, size_t issued, size_t ahead)
{
    return track->settled[issued] > ahead
               ? fabsf(track->residual[issued * track->horizon_h + ahead])
               : 0;
}

size_t gl_evidence_rows(const struct gl_track *const *tracks, size_t count, size_t row,
                        size_t hours, size_t out_rows[GL_EVIDENCE_MAX_ROWS])
{
    const size_t width = GL_EVIDENCE_HOUR_OF_DAY;
    size_t found = 0, day, back, i;

    for (day = GL_GUARANTEE_WINDOW_DAYS + 1; day-- > 0;)
        for (i = 0; i < 2 * width + 1; i++) {
            back = day * 24 + width - i;
            if (day == 0 && i >= width)
                break;
            if (back > row || back > (size_t)GL_GUARANTEE_WINDOW_DAYS * 24)
                continue;
            if (is_settled(tracks, count, row - back, row, hours))
                out_rows[found++] = row - back;
        }
    return found;
}

/* Was so large an error, so far ahead, like those of the past issues? A twentieth of them have to
 * have been wrong by an eighth of it. */
static bool is_like_past(const struct gl_track *track, size_t ahead, float error,
                         const size_t *rows, size_t count)
{
    size_t alike = 0;

    for (size_t i = 0; i < count && alike * LIKE_SHARE < count; i++)
        alike += error_of(track, rows[i], ahead) * LIKE_TIMES >= error;
    return alike * LIKE_SHARE >= count;
}

/* What the signal's own scale takes for nothing is nothing. */
float gl_evidence_surprise(const struct gl_track *track, size_t row, size_t hours,
                           const size_t *rows, size_t count)
{
    const size_t age = (size_t)track->age[row] + 1, newest = row - age;
    float most = 0, least;

    if (age > row)
        return 0;
    least = (float)gl_blend_least_scale(
        (double)track->hour[newest + (size_t)track->lag_h + GL_TRACK_BEFORE_H]);
    for (size_t k = 0; k < hours && k <= newest; k++) {
        const float error = error_of(track, newest - k, k);

        if (error > fmaxf(least, most) && !is_like_past(track, k, error, rows, count))
            most = error;
    }
    return most;
}

static size_t first_over(const float *path, const float *residual, float limit, size_t hours)
{
    size_t k;

    for (k = 0; k < hours && path[k] + residual[k] <= limit; k++)
        continue;
    return k;
}

static size_t first_under(const float *path, const float *residual, float limit, size_t hours)
{
    size_t k;

    for (k = 0; k < hours && path[k] + residual[k] >= limit; k++)
        continue;
    return k;
}

static size_t first_spent(const float *path, const float *residual, float limit, size_t hours)
{
    double sum = 0;
    size_t k;

    for (k = 0; k < hours; k++) {
        sum += (double)path[k] + (residual == NULL ? 0 : (double)residual[k]);
        if (sum > (double)limit)
            break;
    }
    return k;
}

size_t gl_evidence_first_break(const struct gl_leg *leg, const float *path, const float *residual,
                               size_t hours)
{
    size_t k;

    if (leg->kind == GL_LEG_BUDGET)
        return first_spent(path, residual, leg->limit, hours);
    if (residual != NULL)
        return leg->kind == GL_LEG_CEILING ? first_over(path, residual, leg->limit, hours)
                                           : first_under(path, residual, leg->limit, hours);
    for (k = 0; k < hours && !gl_leg_breaks(leg, path[k]); k++)
        continue;
    return k;
}
