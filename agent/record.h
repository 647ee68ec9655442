/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_RECORD_H
#define GL_AGENT_RECORD_H

/* The meter's own reader of its own records (agent/reading.h), for its spool: no JSON library.
 * Everybody else uses gl_reading_parse(). */

#include "agent/reading.h"

/* Canonical bytes only. Errors: BAD_VALUE. */
int gl_record_parse(const char *bytes, size_t length, struct gl_reading *out, struct gl_error *err);
/* Two records that follow each other as one: energy and gaps added, use averaged over their time,
 * the rest as in the later one, GL_FLAG_MERGED. `before_ns` is the boot time of the record before
 * the first. False (and out untouched) when they cannot be one: other boot or launch, a final
 * first, too many kinds. Seq and previous hash are those of the first. */
bool gl_record_merge(const struct gl_reading *first, const struct gl_reading *second,
                     int64_t before_ns, struct gl_reading *out);

#endif
