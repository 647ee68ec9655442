/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_SIGNALS_ARCHIVE_H
#define GL_BROKER_SIGNALS_ARCHIVE_H

/* `signals --backfill 90d --zone GB`: past figures of a zone into the archive, with progress. */

#include "broker/context.h"

/* Fetch the last `span_text` ("90d") of `zone` into the archive of this call's signal store. Fills
 * context->reply and returns the exit status, or -1. Errors: USAGE (no span, offline, --at), those
 * of gl_signal_backfill(). */
int gl_signals_backfill(struct gl_context *context, const char *span_text, const char *zone,
                        struct gl_error *err);

#endif
