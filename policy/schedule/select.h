/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_SCHEDULE_SELECT_H
#define GL_POLICY_SCHEDULE_SELECT_H

/* Hoare's quickselect for one type of number: NAME(values, count, rank) reorders the values and
 * gives the rank-th smallest, counting from 0. The pivot is the median of first, middle and last:
 * no quadratic time on sorted values. */

#include <stddef.h>

#define GL_DEFINE_SELECT(NAME, TYPE)                                \
    static void NAME##_swap(TYPE *a, TYPE *b)                       \
    {                                                               \
        const TYPE kept = *a;                                       \
                                                                    \
        *a = *b;                                                    \
        *b = kept;                                                  \
    }                                                               \
                                                                    \
    static TYPE NAME##_pivot(TYPE *values, size_t low, size_t high) \
    {                                                               \
        const size_t middle = low + (high - low) / 2;               \
                                                                    \
        if (values[middle] < values[low])                           \
            NAME##_swap(&values[middle], &values[low]);             \
        if (values[high] < values[low])                             \
            NAME##_swap(&values[high], &values[low]);               \
        if (values[high] < values[middle])                          \
            NAME##_swap(&values[high], &values[middle]);            \
        return values[middle];                                      \
    }                                                               \
                                                                    \
    static TYPE NAME(TYPE *values, size_t count, size_t rank)       \
    {                                                               \
        size_t low = 0, high = count - 1;                           \
                                                                    \
        while (low < high) {                                        \
            const TYPE pivot = NAME##_pivot(values, low, high);     \
            size_t i = low, j = high;                               \
                                                                    \
            for (;;) {                                              \
                while (values[i] < pivot)                           \
                    i++;                                            \
                while (values[j] > pivot)                           \
                    j--;                                            \
                if (i >= j)                                         \
                    break;                                          \
                NAME##_swap(&values[i++], &values[j--]);            \
            }                                                       \
            if (rank <= j)                                          \
                high = j;                                           \
            else                                                    \
                low = j + 1;                                        \
        }                                                           \
        return values[rank];                                        \
    }                                                               \
    static TYPE NAME(TYPE *values, size_t count, size_t rank)

#endif
