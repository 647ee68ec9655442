/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_SUPPORT_MAKE_BATCHES_H
#define GL_TESTS_SUPPORT_MAKE_BATCHES_H

/* A meter inside a test: a key, an enrolment, readings that chain, signed batches, console text.
 * Written after agent/reading.h and not with the meter's own batch writer, so that the broker is
 * held to the description. What a forger would do is done by changing the readings or the JSON
 * before or after signing. Unit tests include make_batches.c: they link archives only. */

#include "agent/reading.h"
#include "base/str.h"

#define FAKE_READINGS_MAX 512

struct fake_meter {
    uint8_t token[32];
    struct gl_secret_key secret;
    struct gl_public_key key;
    struct gl_reading next; /* shape of the next reading: components, load, gap; times advance */
    int64_t step_ms;        /* from one reading to the next, besides next.gap_ms */
    size_t count;
    struct gl_reading made[FAKE_READINGS_MAX];
    struct gl_hash hashes[FAKE_READINGS_MAX];
};

/* Key and token from `seed`; the boot clock is 1 s and the wall clock start_ms before the first
 * reading; one CPU component of 1 J, 0.8 to 1.5 J, a second. */
void fake_meter_init(struct fake_meter *meter, const char *launch, uint8_t seed, int64_t start_ms);
/* Append one reading of the present shape; gives it, to look at. */
const struct gl_reading *fake_meter_read(struct fake_meter *meter);
void fake_meter_read_many(struct fake_meter *meter, size_t count);
/* The last one says goodbye. */
void fake_meter_read_final(struct fake_meter *meter);

/* Hash of a reading's canonical bytes. */
void fake_reading_hash(const struct gl_reading *reading, struct gl_hash *out);
/* Chain readings again after one of them was changed: previous hashes only. */
void fake_readings_chain(struct gl_reading *readings, size_t count);

/* New references. Enrolment and the batch of readings [first, first + count), honest. */
json_t *fake_enrolment(const struct fake_meter *meter);
json_t *fake_batch(const struct fake_meter *meter, size_t first, size_t count);
/* A batch of any readings, really signed by this meter. */
json_t *fake_batch_of(const struct fake_meter *meter, const struct gl_reading *readings,
                      size_t count);
/* Sign a batch again after its members were changed. */
void fake_sign(const struct fake_meter *meter, json_t *batch);

/* Append "GLE1 {...}\n" or "GLM1 {...}\n". */
void fake_add_enrolment(const struct fake_meter *meter, struct gl_str *console);
void fake_add_batch(const struct fake_meter *meter, size_t first, size_t count,
                    struct gl_str *console);
void fake_add_line(const char *prefix, const json_t *object, struct gl_str *console);

#endif
