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

/* A forecast of hourly renewable shares, issued at from_s, whose bounds are its values. */
json_t *fake_shares_json(const char *zone, int64_t from_s, int64_t until_s, int64_t ppm);

/* Request, offer in zone XX, machine (4 threads of "epyc3", 8 GB), measured 100 g/kWh, a forecast
 * of 98 % renewable, PUE 1.2, embodied, interval 1 s, and the guarantee of at least 95 % renewable
 * in [from_s, until_s), decided at from_s. New reference. */
json_t *fake_plan(int64_t from_s, int64_t until_s);

/* Plan hash, order hash and token of the evidence as it is now, as whoever changed it would write
 * them. Written after broker/tie.h and not with its functions. */
void fake_tie(json_t *evidence);
/* Take out what receipts of the first method did not hold. */
void fake_method_1(json_t *evidence);

/* The plan of [started, ended] with the meter's readings in batches of at most 32; meter NULL = not
 * a word was heard. */
json_t *fake_evidence(const struct fake_meter *meter, const char *launch, int64_t started_ms,
                      int64_t ended_ms);

#endif
