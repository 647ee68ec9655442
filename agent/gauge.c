/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/gauge.h"

#define LOAD_CHANGE 0.2

bool gl_gauge_is_sentinel(uint64_t uw, double most_w)
{
    static const uint64_t ones[] = {UINT16_MAX, INT32_MAX, UINT32_MAX};

    for (uint64_t scale = 1; scale <= 1000000; scale *= 1000)
        for (size_t i = 0; i < sizeof ones / sizeof ones[0]; i++)
            if (uw == ones[i] * scale)
                return true;
    return uw == 0 || (double)uw * 1e-6 > most_w;
}

/* A live sensor never shows one value for minutes while the load moves. */
static bool is_frozen(struct gl_gauge *gauge, uint64_t uw, double load)
{
    if (!gauge->has_before || uw != gauge->before_uw) {
        gauge->equal = 0;
        gauge->load_low = gauge->load_high = load;
        return false;
    }
    gauge->equal++;
    if (load < gauge->load_low)
        gauge->load_low = load;
    if (load > gauge->load_high)
        gauge->load_high = load;
    return gauge->equal >= GL_GAUGE_FROZEN && gauge->load_high - gauge->load_low >= LOAD_CHANGE;
}

bool gl_gauge_look(struct gl_gauge *gauge, bool is_good, uint64_t uw, double load, int64_t dt_ns,
                   int64_t *out_uj)
{
    bool had_before = gauge->has_before;
    double uj;

    if (!is_good || is_frozen(gauge, uw, load)) {
        gauge->has_before = is_good;
        return false;
    }
    uj = ((double)gauge->before_uw + (double)uw) / 2 * (double)dt_ns * 1e-9 + gauge->rest_uj;
    gauge->has_before = true;
    gauge->before_uw = uw;
    if (!had_before)
        return false;
    *out_uj = (int64_t)uj;
    gauge->rest_uj = uj - (double)*out_uj;
    return true;
}
