/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/schedule.h"

#include <math.h>

int64_t gl_cost_of(double g_per_kwh)
{
    /* False for NaN too. */
    if (!(fabs(g_per_kwh) <= GL_COST_MAX_G))
        return GL_COST_CLOSED;
    return llround(g_per_kwh * GL_COST_PER_G);
}

double gl_cost_grams(int64_t cost, double kwh)
{
    return (double)cost / GL_COST_PER_G * kwh;
}

static void swap(double *a, double *b)
{
    const double kept = *a;

    *a = *b;
    *b = kept;
}

/* The median of first, middle and last goes to the middle: no quadratic time on sorted values. */
static double pivot_of(double *values, size_t low, size_t high)
{
    const size_t middle = low + (high - low) / 2;

    if (values[middle] < values[low])
        swap(&values[middle], &values[low]);
    if (values[high] < values[low])
        swap(&values[high], &values[low]);
    if (values[high] < values[middle])
        swap(&values[high], &values[middle]);
    return values[middle];
}

/* Hoare's quickselect: values[rank] as if sorted. */
static double select_rank(double *values, size_t count, size_t rank)
{
    size_t low = 0, high = count - 1;

    while (low < high) {
        const double pivot = pivot_of(values, low, high);
        size_t i = low, j = high;

        for (;;) {
            while (values[i] < pivot)
                i++;
            while (values[j] > pivot)
                j--;
            if (i >= j)
                break;
            swap(&values[i++], &values[j--]);
        }
        if (rank <= j)
            high = j;
        else
            low = j + 1;
    }
    return values[rank];
}

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

double gl_quantile_lower(double *values, size_t count, double share)
{
    return select_rank(values, count, count - rank_of(count, share));
}
