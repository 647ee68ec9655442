/* SPDX-License-Identifier: Apache-2.0 */
/* Pausing and moving by hand is an unmet need only where the rules of the launch do not hold: by
 * what is known already, for nobody waits for sources to put a machine to sleep. */
#include <stdio.h>

#include "broker/cli/demand_reply.h"
#include "broker/cli/shift_reply.h"
#include "broker/keeping.h"
#include "providers/signal/store.h"

/* Are its rules broken where it is, now? What is not known is not said to be broken. */
static bool is_broken_here(struct gl_context *context, const struct gl_shift_subject *subject)
{
    const bool was_offline = context->globals.is_offline;
    struct gl_signal_query query = {.from = gl_now(&context->world)};
    GL_AUTO(gl_str_done) struct gl_str reason = {0};
    enum gl_outcome outcome = GL_SATISFIED;
    struct gl_error ignored = {0};
    struct gl_signal_store *store;

    if (subject->row->zone[0] == '\0')
        return false;
    query.until.unix_s = query.from.unix_s + 3600;
    snprintf(query.zone, sizeof query.zone, "%s", subject->row->zone);
    context->globals.is_offline = true;
    store = gl_context_signals(context, &ignored);
    if (store != NULL &&
        gl_keeping_place(subject->plan, gl_signal_store_zone(store, &query), query.from,
                         query.until, &outcome, &reason, &ignored) != 0)
        outcome = GL_SATISFIED;
    gl_signal_store_free(store);
    context->globals.is_offline = was_offline;
    return outcome == GL_VIOLATED;
}

bool gl_shift_need(struct gl_context *context, const struct gl_shift_subject *subject,
                   struct gl_demand *out)
{
    const struct gl_span left = {subject->row->expires_ms / 1000 - gl_now(&context->world).unix_s};

    if (!is_broken_here(context, subject) ||
        !gl_demand_of_launch(&context->world, subject->row, NULL, left, out))
        return false;
    out->capability = GL_CAPABILITY_GREEN;
    return true;
}
