/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_SUPPORT_MAKE_EVIDENCE_H
#define GL_TESTS_SUPPORT_MAKE_EVIDENCE_H

/* Plans and evidence of invented launches, in the form of broker/receipt.h, with round figures so
 * that a test can say by hand what must follow. Unit tests include make_evidence.c: they link
 * archives only. */

#include "policy/facts.h"
#include "tests/support/make_batches.h"

#define FAKE_PLATFORM_G 1000000 /* with 4 years and a 48th of it: 0.5945 g an hour */

/* A series of hourly points [from_s, until_s) with these micro g/kWh; points are the caller's
 * (free()). No bounds. */
struct gl_series fake_series(const char *zone, int64_t from_s, int64_t until_s, int64_t value_u,
                             enum gl_evidence evidence);
json_t *fake_series_json(const char *zone, int64_t from_s, int64_t until_s, int64_t value_u);

/* Request, offer, machine (4 threads of "epyc3", 8 GB), one measured series of 100 g/kWh, PUE 1.2,
 * embodied, interval 1 s; valid in [from_s, until_s). New reference. */
json_t *fake_plan(int64_t from_s, int64_t until_s);

/* The plan of [started, ended] with the meter's readings in batches of at most 32; meter NULL = not
 * a word was heard. */
json_t *fake_evidence(const struct fake_meter *meter, const char *launch, int64_t started_ms,
                      int64_t ended_ms);

#endif
