/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/threshold.h"

#include <math.h>

/* With x = 1 / ratio the level of slot i is
 *
 *   U - (1 + x / k)^(i - 1) * (U (1 - x) - 2 b (x / k - 1 / k + 1))
 *
 * and x is such that level k + 1, which is never used, is L + 2 b: what is left is the lowest. For
 * b = 0 this is k-min search. The product below falls in x, so bisection finds the one root. */

#define HALVINGS 80

static double spread(const struct gl_threshold *threshold, double x)
{
    const double k = (double)threshold->work;

    return threshold->highest * (1 - x) - 2 * threshold->switching * (x / k - 1 / k + 1);
}

static double inverse_ratio(const struct gl_threshold *threshold)
{
    const double k = (double)threshold->work;
    const double wanted = threshold->highest - threshold->lowest - 2 * threshold->switching;
    double low = 0, high = 1;

    for (int i = 0; i < HALVINGS; i++) {
        const double x = (low + high) / 2;

        if (pow(1 + x / k, k) * spread(threshold, x) > wanted)
            low = x;
        else
            high = x;
    }
    return high;
}

int gl_threshold_init(double lowest, double highest, double switching, size_t work,
                      struct gl_threshold *out, struct gl_error *err)
{
    struct gl_threshold threshold = {
        .lowest = lowest, .highest = highest, .switching = switching, .work = work};

    if (!(lowest > 0) || !(highest > lowest) || !isfinite(highest))
        return gl_fail(err, GL_E_BAD_VALUE, "bounds of the intensity must be 0 < low < high");
    if (work == 0)
        return gl_fail(err, GL_E_BAD_VALUE, "there is no work to do");
    if (!(switching >= 0) || !(2 * switching < highest - lowest))
        return gl_fail(err, GL_E_BAD_VALUE,
                       "two switches must cost less than the intensity can vary");
    threshold.ratio = 1 / inverse_ratio(&threshold);
    *out = threshold;
    return 0;
}

double gl_threshold_level(const struct gl_threshold *threshold, size_t i, bool was_running)
{
    const double x = 1 / threshold->ratio, k = (double)threshold->work;
    const double level = threshold->highest - pow(1 + x / k, (double)i - 1) * spread(threshold, x);

    return was_running ? level : level - 2 * threshold->switching;
}

bool gl_threshold_runs(const struct gl_threshold *threshold, size_t done, size_t slots_left,
                       bool was_running, double g_per_kwh)
{
    if (done >= threshold->work)
        return false;
    if (slots_left <= threshold->work - done)
        return true;
    return g_per_kwh <= gl_threshold_level(threshold, done + 1, was_running);
}
