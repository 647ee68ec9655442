/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/schedule.h"

#include <math.h>

#include "policy/schedule/select.h"

bool gl_cost_is_believed(double g_per_kwh)
{
    return fabs(g_per_kwh) <= GL_COST_MAX_G; /* false for NaN too */
}

int64_t gl_cost_of(double g_per_kwh)
{
    if (!gl_cost_is_believed(g_per_kwh))
        return GL_COST_CLOSED;
    return llround(g_per_kwh * GL_COST_PER_G);
}

double gl_cost_grams(int64_t cost, double kwh)
{
    return (double)cost / GL_COST_PER_G * kwh;
}

GL_DEFINE_SELECT(select_rank, double);

/* ceil(share * (count + 1)), forgiving what binary fractions add to a whole number. */
static size_t rank_of(size_t count, double share)
{
    const double exact = share * (double)(count + 1);
    const double rank = ceil(exact - 1e-9);

    if (rank < 1)
        return 1;
    return rank > (double)count ? count : (size_t)rank;
}

double gl_quantile_upper(double *values, size_t count, double share)
{
    return select_rank(values, count, rank_of(count, share) - 1);
}

bool gl_quantile_upper_is_below(const double *values, size_t count, double share, double bound)
{
    size_t below = 0;

    for (size_t i = 0; i < count; i++)
        below += values[i] < bound;
    return below >= rank_of(count, share);
}

double gl_quantile_lower(double *values, size_t count, double share)
{
    return select_rank(values, count, count - rank_of(count, share));
}
