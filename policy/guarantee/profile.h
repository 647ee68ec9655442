/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_PROFILE_H
#define GL_POLICY_PROFILE_H

/* The built-in forecaster: an exponentially weighted mean of each hour of the day (half-life four
 * days), blended with the same hour of yesterday, plus the latest deviation from it, which fades as
 * an AR(1) process does. Hours are hour numbers: Unix seconds / 3600. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Online least squares of a deviation on the one an hour before: rho in [0, .995]. */
struct gl_persistence {
    double sum_xy, sum_xx;
    double last;
    int64_t last_hour;
    bool has_last;
};

void gl_persistence_learn(struct gl_persistence *persistence, int64_t hour, double deviation);
double gl_persistence_rho(const struct gl_persistence *persistence);
/* The expected deviation at `hour`, after last_hour; 0 when none was seen. */
double gl_persistence_at(const struct gl_persistence *persistence, int64_t hour);

/* Actuals as they were seen hour by hour: where one is missing, what was expected of it. */
struct gl_seen {
    int64_t base; /* hour number of value 0 */
    size_t count; /* values so far */
    float *value;
};

struct gl_profile {
    double sum[24], weight[24];
    struct gl_persistence deviation;
};

/* Learns the next hour of `seen` (its hour base + count) and appends it: `value` when known, else
 * what is expected of it. */
void gl_profile_learn(struct gl_profile *profile, struct gl_seen *seen, bool is_known, float value);
/* The `count` hours from first_hour on, all after those seen; out_path has room for them. */
void gl_profile_path(const struct gl_profile *profile, const struct gl_seen *seen,
                     int64_t first_hour, size_t count, float *out_path);
/* The newest seen hour that is whole multiples of `period` hours (at least one) before `hour`, an
 * hour after those seen; at least `period` hours have been seen. */
int64_t gl_seen_before(const struct gl_seen *seen, int64_t hour, int64_t period);
/* The value of a seen hour. */
float gl_seen_at(const struct gl_seen *seen, int64_t hour);

#endif
