/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_EVIDENCE_H
#define GL_POLICY_EVIDENCE_H

/* Which past issues speak for today, and when each of their errors, laid on today's forecast, would
 * first break a rule: the first-passage histogram of docs/guarantee.md section 3. */

#include "policy/guarantee/guarantee.h"

#define GL_EVIDENCE_HOUR_OF_DAY                                      \
    2 /* past issues within so many hours of today's hour of the day \
       */
#define GL_EVIDENCE_MAX_ROWS ((GL_GUARANTEE_WINDOW_DAYS + 1) * (2 * GL_EVIDENCE_HOUR_OF_DAY + 1))

/* The row of a track for the hour now_s; SIZE_MAX when it has none. */
size_t gl_evidence_row(const struct gl_track *track, int64_t now_s);
/* Tracks of one rule: same beginning, number of paths and horizon. */
bool gl_evidence_tracks_fit(const struct gl_track *const *tracks, size_t count);

/* The rows of past issues that are settled for `hours` hours in every track and were so at row
 * `row`, oldest first. Returns their number. */
size_t gl_evidence_rows(const struct gl_track *const *tracks, size_t count, size_t row,
                        size_t hours, size_t out_rows[GL_EVIDENCE_MAX_ROWS]);

/* Past errors that are next to nothing beside today's say nothing of what may come: after a step
 * out of figures that never varied they would promise certainty. The largest error of a forecast of
 * the newest hour known at `row` that is unlike those of `rows` as far ahead; 0 when all are. */
float gl_evidence_surprise(const struct gl_track *track, size_t row, size_t hours,
                           const size_t *rows, size_t count);

/* Whether `value` breaks the limit of a ceiling or floor. Equality is kept. */
static inline bool gl_leg_breaks(const struct gl_leg *leg, float value)
{
    return leg->kind == GL_LEG_FLOOR ? value < leg->limit : value > leg->limit;
}

/* The first of `hours` hours in which path + residual (NULL = none) breaks a leg; `hours` when none
 * does. */
size_t gl_evidence_first_break(const struct gl_leg *leg, const float *path, const float *residual,
                               size_t hours);

#endif
