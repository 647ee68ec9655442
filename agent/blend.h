/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_BLEND_H
#define GL_AGENT_BLEND_H

/* From what the sensors said to what is charged: never two sources for the same joule, never a
 * hole. A whole-machine reading stands alone, but only while it is not smaller than its measured
 * parts (P5); measured parts are completed by modelled memory and board; without a measured CPU the
 * model, which already holds board and memory, stands in for all of it. */

#include "agent/model.h"

/* `measured`: per kind the best sensor's word of this look. A kind whose sensor is there but failed
 * has is_known false and GL_FLAG_BOUNDED: it is charged at the model's high bound. `load` is 0..1.
 * Pure. */
void gl_blend(const struct gl_model *model, const struct gl_yield measured[GL_KINDS], double load,
              int64_t dt_ns, struct gl_yield out[GL_KINDS]);

#endif
