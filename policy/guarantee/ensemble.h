/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_ENSEMBLE_H
#define GL_POLICY_ENSEMBLE_H

/* Possible futures of one signal in one zone: today's forecast plus each of the last weeks' paths
 * of forecast error (docs/guarantee.md section 3). Everything that plans ahead takes an ensemble,
 * so that every answer carries a quantile. Same hour and same path of two ensembles made from the
 * same issues belong together: path i is the same past issue in every zone and signal. */

#include <stddef.h>
#include <stdint.h>

#include "policy/guarantee/forecast.h"

#define GL_ENSEMBLE_MAX_PATHS 400
#define GL_ENSEMBLE_MAX_HOURS 384 /* 16 days */

struct gl_ensemble {
    int64_t start_s;      /* first hour: Unix seconds, a whole hour */
    size_t hours, paths;  /* both at least 1 */
    const float *value;   /* value[path * hours + hour]: g/kWh, or per cent of a share */
    const float *central; /* the forecast itself, hours values */
};

struct gl_ensemble_options {
    int64_t now_s;    /* the first hour of the futures, a whole hour */
    uint32_t hours;   /* of the futures, at most the tracks' horizon */
    size_t min_paths; /* fewer usable past issues are refused; at least 1 */
    const float
        *at_most; /* by track: ceiling of its values, 100 for shares, 0 = none; NULL = none */
};

/* The futures of `count` tracks (same first hour, as many paths, same horizon) in the
 * arena; out_ensembles has room for `count`. Path i is the same past issue in all of them: an issue
 * is used only when it is settled in every track. Values are kept at or above 0. Returns the number
 * of paths; 0, with *out_ensembles untouched, when too few past issues are usable, now_s is not an
 * hour of the tracks or the hours exceed their horizon. */
size_t gl_ensemble_fill(struct gl_arena *arena, const struct gl_track *const *tracks, size_t count,
                        const struct gl_ensemble_options *options,
                        struct gl_ensemble *out_ensembles);

#endif
