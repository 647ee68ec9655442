/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_SIGNAL_HISTORY_H
#define GL_PROVIDERS_SIGNAL_HISTORY_H

/* From points to hours and from records to histories: the arithmetic between what a source says,
 * what the archive holds and what a guarantee reads. An hour counts only when points cover all of
 * it; its figure is their time-weighted mean. Intervals longer than an hour say nothing about an
 * hour. Nothing is filled in. Pure. */

#include "policy/guarantee/history.h"
#include "providers/signal/archive.h"
#include "providers/signal/signal.h"

/* At most this many hours of a history, ten years: the newest are kept. */
#define GL_HISTORY_MAX_HOURS 87660

/* Hours that `series` observed and that were over at known_at: measured, preliminary, estimated or
 * substitute points. The least certain evidence and the latest update of an hour's points count.
 * *out is fresh; received_s of each is known_at, known_s is unset. */
size_t gl_history_actuals(const struct gl_series *series, struct gl_instant known_at,
                          struct gl_archive_actual **out);

/* The forecast of a series that was received (or, in a file, issued) at `at`: hours from the one
 * that runs then until the last that is covered, at most GL_ARCHIVE_MAX_HOURS. What of the running
 * hour was measured by then counts like a forecast. False when no hour is forecast. Values live in
 * `values_u`, GL_ARCHIVE_MAX_HOURS of them. */
bool gl_history_issue(const struct gl_series *series, struct gl_instant at, int64_t *values_u,
                      struct gl_archive_issue *out);

/* A history of records; actuals as gl_archive_read() sorts them. Fresh, free with
 * gl_history_free(). */
struct gl_history *gl_history_of_content(const struct gl_archive_entry *entry,
                                         const struct gl_archive_content *content,
                                         struct gl_instant known_at);

/* Histories of the series of a file for one zone, a history a meaning in the order of the file:
 * observed points are actuals, known when they were updated or else when the hour was over;
 * forecasts with an issue time are issues, known when they were issued. What the file says of the
 * time after known_at is not read. A series that cannot be trusted is left out: *out_doubt is then
 * the first reason. *out is a fresh array of fresh histories. Series are tidied on the way. */
size_t gl_history_of_file(struct gl_signal_result *series, const char *zone,
                          struct gl_instant known_at, struct gl_history ***out,
                          struct gl_error *out_doubt);

void gl_history_free(struct gl_history *history);

#endif
