/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rapl.h"

/* Counters are written about every millisecond, so that a short interval may hold more than its
 * share. */
#define SLACK_S 0.1

enum gl_rapl_result gl_rapl_delta(const struct gl_rapl_look *look, int64_t *out_uj)
{
    double most_uj = look->most_w * ((double)look->dt_ns * 1e-9 + SLACK_S) * 1e6;
    bool has_wrapped = look->now_uj < look->before_uj;
    uint64_t delta = look->now_uj - look->before_uj;

    if (has_wrapped && look->range_uj == 0)
        return GL_RAPL_UNKNOWN_RANGE;
    if (look->before_uj > look->range_uj && look->range_uj != 0)
        return GL_RAPL_IMPLAUSIBLE;
    if (look->range_uj != 0 &&
        look->most_w * (double)look->dt_ns * 1e-3 >= (double)look->range_uj / 2)
        return GL_RAPL_AMBIGUOUS;
    if (has_wrapped)
        delta = look->range_uj - look->before_uj + look->now_uj;
    if ((double)delta > most_uj)
        return GL_RAPL_IMPLAUSIBLE;
    *out_uj = (int64_t)delta;
    return has_wrapped ? GL_RAPL_WRAPPED : GL_RAPL_OK;
}

int64_t gl_rapl_longest_ms(uint64_t range_uj, double most_w)
{
    double ms = most_w > 0 ? (double)range_uj / (4 * most_w) * 1e-3 : 1e9;

    if (range_uj == 0 || ms > 3600000)
        return 3600000;
    return ms < 1000 ? 1000 : (int64_t)ms;
}
