/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/meterlog.h"

#include "tests/support/make_batches.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Unit tests link archives only. */
#include "tests/support/make_batches.c"

#define LAUNCH "gl-4k2p9xyz"
#define START  INT64_C(1767225600000)

static struct fake_meter meter;

static void set_up_meter(size_t readings)
{
    fake_meter_init(&meter, LAUNCH, 7, START);
    fake_meter_read_many(&meter, readings);
}

static void log_init(struct gl_meterlog *log)
{
    gl_meterlog_init(log, LAUNCH, meter.token, sizeof meter.token);
}

static size_t feed(struct gl_meterlog *log, const struct gl_str *console)
{
    return gl_meterlog_feed(log, gl_str_text(console), console->length);
}

/* Whatever was done to the console: what was accepted is what the meter said, from the start. */
static void assert_genuine(const struct gl_meterlog *log)
{
    assert_true(log->count <= meter.count);
    for (size_t i = 0; i < log->count; i++) {
        struct gl_hash hash;

        fake_reading_hash(&log->readings[i], &hash);
        assert_memory_equal(&hash, &meter.hashes[i], sizeof hash);
    }
}

static void a_flood_costs_no_memory_and_no_reading(void **state)
{
    struct gl_str console = {0};
    struct gl_meterlog log;
    static char block[65536];

    (void)state;
    set_up_meter(2);
    log_init(&log);
    fake_add_enrolment(&meter, &console);
    feed(&log, &console);
    memset(block, 'x', sizeof block);
    memcpy(block, "GLM1 {", 6);
    for (size_t i = 0; i < 64; i++) /* 4 MiB without an end of line */
        assert_int_equal(gl_meterlog_feed(&log, block, sizeof block), 0);
    assert_true(log.line.length <= GL_METERLOG_LINE_MAX);
    for (size_t i = 0; i + 8 <= sizeof block; i += 8)
        memcpy(block + i, "GLM1 {}\n", 8);
    assert_int_equal(gl_meterlog_feed(&log, block, sizeof block), 0);
    assert_int_equal(log.rejected, sizeof block / 8 - 1); /* the first ended the long line */
    for (size_t i = 0; i + 8 <= sizeof block; i += 8)
        memcpy(block + i, "[[[[[[[\n", 8);
    assert_int_equal(gl_meterlog_feed(&log, block, sizeof block), 0);
    gl_str_clear(&console);
    fake_add_batch(&meter, 0, 2, &console);
    assert_int_equal(feed(&log, &console), 2);
    assert_genuine(&log);
    gl_meterlog_done(&log);
    gl_str_done(&console);
}

/* A guest that signs without end fills its share of the receipt and no more. */
static void readings_beyond_the_receipt_are_refused(void **state)
{
    static struct gl_reading readings[GL_BATCH_RECORDS_MAX];
    struct gl_reading last;
    struct gl_error err = {0};
    struct gl_meterlog log;
    json_t *enrolment;
    int result = 0;

    (void)state;
    set_up_meter(1);
    enrolment = fake_enrolment(&meter);
    last = meter.made[0];
    last.seq = 0;
    last.component_count = GL_COMPONENTS_MAX;
    for (size_t c = 0; c < GL_COMPONENTS_MAX; c++)
        last.components[c] = meter.made[0].components[0];
    log_init(&log);
    assert_int_equal(gl_meterlog_enrol(&log, enrolment, &err), 0);
    for (size_t b = 0; b < 1000 && result == 0; b++) {
        json_t *batch;

        for (size_t i = 0; i < GL_BATCH_RECORDS_MAX; i++) {
            struct gl_hash previous = {{0}};

            if (last.seq > 0)
                fake_reading_hash(&last, &previous);
            last.seq++;
            last.previous = previous;
            readings[i] = last;
        }
        batch = fake_batch_of(&meter, readings, GL_BATCH_RECORDS_MAX);
        result = gl_meterlog_batch(&log, batch, &err);
        json_decref(batch);
    }
    assert_int_equal(result, -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    assert_true(log.count > 2000);
    assert_true(log.bytes <= GL_METERLOG_BYTES_MAX);
    json_decref(enrolment);
    gl_meterlog_done(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_costs_no_memory_and_no_reading),
        cmocka_unit_test(readings_beyond_the_receipt_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
