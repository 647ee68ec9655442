/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/source.h"

const struct gl_source *const gl_sources[] = {
    &gl_source_hwmon, &gl_source_perf, &gl_source_powercap, &gl_source_exported, &gl_source_nvml,
};
const size_t gl_source_count = sizeof gl_sources / sizeof gl_sources[0];

struct gl_yield gl_yield_of(int64_t delta_uj, struct gl_accuracy accuracy, enum gl_tier tier,
                            const char *source)
{
    return (struct gl_yield){
        .is_known = true,
        .tier = tier,
        .source = source,
        .delta_uj = delta_uj,
        .low_uj = (int64_t)((double)delta_uj * accuracy.low),
        .high_uj = (int64_t)((double)delta_uj * accuracy.high),
    };
}
