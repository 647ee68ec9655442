/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/signals_archive.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "broker/interrupt.h"
#include "providers/signal/store.h"

static bool show(void *cookie, const struct gl_backfill_step *step)
{
    struct gl_context *context = cookie;
    char from[GL_INSTANT_TEXT];

    gl_instant_text(step->from, from);
    gl_progress(context, "%s: %u of %u, back to %.10s, %zu hours stored", step->source, step->done,
                step->all, from, step->hours);
    return !gl_interrupted();
}

static void reply(struct gl_context *context, const struct gl_backfill *ask,
                  const struct gl_backfill_result *result)
{
    char from[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT];

    gl_instant_text(ask->from, from);
    gl_instant_text(ask->until, until);
    context->reply.data =
        json_pack("{s:s,s:s,s:s,s:i,s:i,s:I,s:I}", "zone", ask->zone, "from", from, "until", until,
                  "sources", (int)result->sources, "requests", (int)result->requests, "hours",
                  (json_int_t)result->hours, "revisions", (json_int_t)result->revisions);
    gl_str_addf(&context->reply.text, "%s from %.10s to %.10s: %zu hours stored, %zu revised\n",
                ask->zone, from, until, result->hours, result->revisions);
    if (result->hours + result->revisions == 0)
        gl_str_add(&context->reply.text, "everything the sources have was there already\n");
}

int gl_signals_backfill(struct gl_context *context, const char *span_text, const char *zone,
                        struct gl_error *err)
{
    struct gl_backfill ask = {.zone = zone, .progress = show, .cookie = context};
    struct gl_backfill_result result;
    struct gl_signal_store *store;
    struct gl_span span;
    int rc;

    if (gl_span_parse(span_text, &span, err) != 0)
        return gl_wrap(err, "--backfill");
    if (context->globals.at != NULL || context->globals.is_offline)
        return gl_fail(err, GL_E_USAGE, "--backfill asks the network of today: leave out %s",
                       context->globals.at != NULL ? "--at" : "--offline");
    store = gl_context_signals(context, err);
    if (store == NULL)
        return -1;
    ask.until = gl_now(&context->world);
    ask.from.unix_s = ask.until.unix_s - span.s;
    gl_progress(context, "asking for what was measured in %s", zone);
    rc = gl_signal_backfill(store, &ask, &result, err);
    gl_progress_end(context);
    if (rc == 0)
        reply(context, &ask, &result);
    gl_signal_store_free(store);
    if (rc != 0 && gl_interrupted()) {
        gl_error_clear(err);
        return gl_interrupt_fail(err, "the backfill; another run goes on from there");
    }
    return rc == 0 ? GL_EXIT_OK : gl_wrap(err, "%zu hours were stored", result.hours);
}
