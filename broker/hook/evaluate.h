/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_EVALUATE_H
#define GL_BROKER_HOOK_EVALUATE_H

/* What must be known of the world to judge plans: which machine types and places to ask for. */

#include "broker/hook/judge.h"
#include "providers/offers.h"

/* Patterns for a request: the clouds of the plans, and their machine types with the families of
 * these. NULL-terminated, in the arena; empty lists when the plans name none. */
struct gl_hook_wanted {
    const char *const *clouds, *const *types;
    size_t cloud_count, type_count;
};
void gl_hook_want(const struct gl_hook_plan *const *plans, size_t count, struct gl_arena *arena,
                  struct gl_hook_wanted *out);

/* Every region of those clouds and every place the plans name, as far as tables know it. In the
 * arena; *out_count of them. */
const struct gl_hook_place *gl_hook_places(const struct gl_hook_plan *const *plans, size_t count,
                                           const struct gl_request *request,
                                           struct gl_signal_store *store, struct gl_arena *arena,
                                           size_t *out_count);

#endif
