/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/guarantee/profile.h"

#include <math.h>

#define RHO_MAX        0.995
#define DAY_DECAY      0.8408964152537145  /* 2^(-1/4): half-life four days */
#define HOUR_DECAY     0.99951876497300405 /* 2^(-1/1440): half-life 60 days, of the least squares */
#define YESTERDAY      0.5                 /* weight of yesterday one hour ahead ... */
#define YESTERDAY_HOUR 0.97893979467371    /* ... times .6^(1/24) every hour */

void gl_persistence_learn(struct gl_persistence *persistence, int64_t hour, double deviation)
{
    if (persistence->has_last && persistence->last_hour == hour - 1) {
        persistence->sum_xy = persistence->sum_xy * HOUR_DECAY + deviation * persistence->last;
        persistence->sum_xx =
            persistence->sum_xx * HOUR_DECAY + persistence->last * persistence->last;
    }
    persistence->last = deviation;
    persistence->last_hour = hour;
    persistence->has_last = true;
}

double gl_persistence_rho(const struct gl_persistence *persistence)
{
    if (!(persistence->sum_xx > 0))
        return 0.9;
    return fmin(RHO_MAX, fmax(0, persistence->sum_xy / persistence->sum_xx));
}

double gl_persistence_at(const struct gl_persistence *persistence, int64_t hour)
{
    if (!persistence->has_last)
        return 0;
    return persistence->last *
           pow(gl_persistence_rho(persistence), (double)(hour - persistence->last_hour));
}

int64_t gl_seen_before(const struct gl_seen *seen, int64_t hour, int64_t period)
{
    int64_t last = seen->base + (int64_t)seen->count - 1;

    return hour - (hour - last + period - 1) / period * period;
}

float gl_seen_at(const struct gl_seen *seen, int64_t hour)
{
    return seen->value[hour - seen->base];
}

/* The same hour of the day, without today's deviation: the profile with a share of yesterday. */
static double usual(const struct gl_profile *profile, const struct gl_seen *seen, int64_t hour,
                    double yesterday)
{
    size_t slot = (size_t)(hour % 24);
    double before;

    if (seen->count < 24) /* the first day: as the hour before */
        return (double)seen->value[seen->count - 1];
    before = (double)gl_seen_at(seen, gl_seen_before(seen, hour, 24));
    if (!(profile->weight[slot] > 0))
        return before;
    return (1 - yesterday) * (profile->sum[slot] / profile->weight[slot]) + yesterday * before;
}

void gl_profile_learn(struct gl_profile *profile, struct gl_seen *seen, bool is_known, float value)
{
    int64_t hour = seen->base + (int64_t)seen->count;
    size_t slot = (size_t)(hour % 24);
    double expected = (double)value;

    if (seen->count > 0)
        expected = usual(profile, seen, hour, YESTERDAY);
    if (!is_known) {
        seen->value[seen->count++] =
            (float)(expected + gl_persistence_at(&profile->deviation, hour));
        return;
    }
    gl_persistence_learn(&profile->deviation, hour, (double)value - expected);
    profile->sum[slot] = profile->sum[slot] * DAY_DECAY + (double)value;
    profile->weight[slot] = profile->weight[slot] * DAY_DECAY + 1;
    seen->value[seen->count++] = value;
}

void gl_profile_path(const struct gl_profile *profile, const struct gl_seen *seen,
                     int64_t first_hour, size_t count, float *out_path)
{
    int64_t ahead = first_hour - (seen->base + (int64_t)seen->count - 1);
    double yesterday = YESTERDAY * pow(YESTERDAY_HOUR, (double)ahead);
    double deviation = gl_persistence_at(&profile->deviation, first_hour);
    double rho = gl_persistence_rho(&profile->deviation);
    size_t k;

    for (k = 0; k < count; k++) {
        out_path[k] = (float)(usual(profile, seen, first_hour + (int64_t)k, yesterday) + deviation);
        yesterday *= YESTERDAY_HOUR;
        deviation *= rho;
    }
}
