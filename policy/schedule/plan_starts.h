/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_SCHEDULE_PLAN_STARTS_H
#define GL_POLICY_SCHEDULE_PLAN_STARTS_H

/* Many jobs planned on the same futures: the sums of every window are made once, and what was found
 * for one length serves every job of that length. The answer is that of gl_plan_make(); requests
 * with pauses, moves or a price of starting or moving are left to it. Pure. */

#include "policy/schedule/plan.h"

struct gl_plan_starts;

/* Places and their ensembles are kept by reference; in the arena. */
struct gl_plan_starts *gl_plan_starts_new_in(struct gl_arena *arena,
                                             const struct gl_plan_place *places, size_t count,
                                             double confidence);

/* Does the request ask for no more than where and when one run begins? */
bool gl_plan_starts_serve(const struct gl_plan_request *request);

/* The chosen start of such a request, whose places and confidence are those of `starts`. False when
 * there is none, or the request is out of range. */
bool gl_plan_starts_find(struct gl_plan_starts *starts, const struct gl_plan_request *request,
                         size_t *out_place, size_t *out_start_h);

#endif
