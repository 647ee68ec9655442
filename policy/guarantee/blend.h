/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_BLEND_H
#define GL_POLICY_BLEND_H

/* The learnt mixture of forecasts: for every number of hours ahead, the linear combination of the
 * forecasts at hand and of what was seen that would have erred least so far, by recursive least
 * squares with forgetting. Begins as the plain mean of the forecasts. docs/guarantee.md
 * section 2.4. */

#include "policy/arena.h"
#include "policy/guarantee/profile.h"

#define GL_BLEND_TERMS 12

struct gl_blend;

struct gl_blend_options {
    size_t horizon, lag; /* hours */
    bool has_provider;
    double centre, scale; /* of the signal's first days; scale > 0; followed when it leaves them */
};

/* What a path is made from; `horizon` values each. */
struct gl_blend_bases {
    const float *builtin, *corrected, *provided; /* all equal without a provider */
};

/* A quiet first week must not blow up what follows. */
double gl_blend_least_scale(double centre);
struct gl_blend *gl_blend_new_in(struct gl_arena *arena, const struct gl_blend_options *options);
/* Hour `hour` turned out to be `value`: learns for each path made for it. */
void gl_blend_learn(struct gl_blend *blend, int64_t hour, float value);
/* The path of the hours from first_hour on, the hours being taken in turn, one call each. */
void gl_blend_path(struct gl_blend *blend, const struct gl_seen *seen, int64_t first_hour,
                   const struct gl_blend_bases *bases, float *out_path);

#endif
