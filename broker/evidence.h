/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_EVIDENCE_H
#define GL_BROKER_EVIDENCE_H

/* Series as canonical JSON inside plans and receipts, and back. A point is an array
 * [from_s, until_s, value, low, high, evidence]; an unknown bound is null. Refuses unknown words.
 */

#include "base/json.h"
#include "policy/facts.h"

/* The series' points that overlap [from_s, until_s), with everything that says what they mean. */
json_t *gl_evidence_json(const struct gl_series *series, int64_t from_s, int64_t until_s);
/* Back to a series; points are owned by the caller (free(out->points)). Errors: BAD_REPLY. */
int gl_evidence_parse(const json_t *evidence, struct gl_series *out, struct gl_error *err);

/* Time-weighted mean and extreme bounds of [from_s, until_s) in out[3] = low, central, high; -1
 * when a part is not covered (out untouched). A yearly average without bounds gets the spread of
 * hours around yearly means: x0.53 .. x1.45 covers 90 % of zone-hours (docs/method.md). */
int gl_evidence_over(const struct gl_series *series, int64_t from_s, int64_t until_s,
                     int64_t out[3]);

#define GL_ANNUAL_LOW_PERMILLE  530
#define GL_ANNUAL_HIGH_PERMILLE 1450

#endif
