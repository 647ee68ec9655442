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

/* Enrolment and batches of `per_batch` readings each. */
static void honest(struct gl_str *console, size_t per_batch)
{
    fake_add_enrolment(&meter, console);
    for (size_t i = 0; i < meter.count; i += per_batch)
        fake_add_batch(&meter, i, per_batch, console);
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

static void an_honest_meter_is_heard(void **state)
{
    struct gl_str console = {0};
    struct gl_meterlog log;

    (void)state;
    set_up_meter(5);
    fake_meter_read_final(&meter);
    honest(&console, 2);
    log_init(&log);
    assert_int_equal(feed(&log, &console), 6);
    assert_int_equal(log.count, 6);
    assert_true(log.has_key && log.is_final);
    assert_string_equal(log.boot, meter.next.boot);
    assert_int_equal(json_array_size(log.batches), 3);
    assert_int_equal(log.rejected + log.repeated + log.forked + log.orphaned, 0);
    assert_memory_equal(&log.head, &meter.hashes[5], sizeof log.head);
    assert_genuine(&log);
    gl_meterlog_done(&log);
    gl_str_done(&console);
}

static void pieces_of_any_size_give_the_same(void **state)
{
    struct gl_str console = {0};

    (void)state;
    set_up_meter(4);
    honest(&console, 2);
    for (size_t piece = 1; piece < 100; piece += piece < 10 ? 1 : 13) {
        struct gl_meterlog log;
        size_t heard = 0;

        log_init(&log);
        for (size_t at = 0; at < console.length; at += piece)
            heard += gl_meterlog_feed(&log, console.text + at,
                                      console.length - at < piece ? console.length - at : piece);
        assert_int_equal(heard, 4);
        assert_genuine(&log);
        gl_meterlog_done(&log);
    }
    gl_str_done(&console);
}

static void a_console_cut_at_any_byte_gives_the_whole_lines(void **state)
{
    struct gl_str console = {0};
    size_t step = 1;

    (void)state;
    set_up_meter(4);
    honest(&console, 2);
    for (size_t length = 0; length <= console.length; length += step) {
        struct gl_meterlog log;
        size_t lines = 0;

        for (size_t i = 0; i < length; i++)
            lines += console.text[i] == '\n';
        log_init(&log);
        assert_int_equal(gl_meterlog_feed(&log, console.text, length),
                         lines > 1 ? 2 * (lines - 1) : 0);
        assert_int_equal(log.rejected + log.forked + log.orphaned, 0);
        assert_genuine(&log);
        gl_meterlog_done(&log);
        step = length + 3 < console.length ? 3 : 1;
    }
    gl_str_done(&console);
}

/* The enrolment's boot id is a remark: the proof does not cover it and nothing rests on it. */
static bool is_in_boot_remark(const char *console, size_t at)
{
    const char *remark = strstr(console, "\"boot\":\"") + strlen("\"boot\":\"");

    return console + at >= remark && console + at < remark + strlen(meter.next.boot);
}

static void every_single_bit_edit_is_detected(void **state)
{
    struct gl_str console = {0};
    size_t edits = 0, detected = 0;

    (void)state;
    set_up_meter(2);
    fake_meter_read_final(&meter);
    honest(&console, 1);
    for (size_t at = 0; at < console.length; at++) {
        struct gl_meterlog log;

        if (is_in_boot_remark(console.text, at))
            continue;
        console.text[at] = (char)(console.text[at] ^ (1 << at % 8));
        log_init(&log);
        feed(&log, &console);
        assert_genuine(&log);
        edits++;
        detected += log.count < meter.count;
        gl_meterlog_done(&log);
        console.text[at] = (char)(console.text[at] ^ (1 << at % 8));
    }
    print_message("%zu single-bit edits, %zu detected\n", edits, detected);
    assert_true(edits > 2000);
    assert_int_equal(detected, edits);
    gl_str_done(&console);
}

static void a_missing_batch_ends_what_is_believed(void **state)
{
    (void)state;
    set_up_meter(6);
    for (size_t missing = 0; missing < 3; missing++) {
        struct gl_str console = {0};
        struct gl_meterlog log;

        fake_add_enrolment(&meter, &console);
        for (size_t b = 0; b < 3; b++)
            if (b != missing)
                fake_add_batch(&meter, 2 * b, 2, &console);
        log_init(&log);
        assert_int_equal(feed(&log, &console), 2 * missing);
        assert_int_equal(log.orphaned, 2 - missing);
        assert_int_equal(log.rejected, 0);
        assert_genuine(&log);
        gl_meterlog_done(&log);
        gl_str_done(&console);
    }
}

/* The guest's root has the key: what it signs must still chain. */
static void a_record_taken_out_and_signed_again_does_not_chain(void **state)
{
    (void)state;
    set_up_meter(4);
    for (size_t missing = 0; missing < 3; missing++) {
        struct gl_reading readings[4];
        struct gl_error err = {0};
        struct gl_meterlog log;
        size_t count = 0;
        json_t *batch, *enrolment = fake_enrolment(&meter);

        for (size_t i = 0; i < 4; i++)
            if (i != missing)
                readings[count++] = meter.made[i];
        batch = fake_batch_of(&meter, readings, count);
        log_init(&log);
        assert_int_equal(gl_meterlog_enrol(&log, enrolment, &err), 0);
        assert_int_equal(gl_meterlog_batch(&log, batch, &err), -1);
        assert_int_equal(err.code, GL_E_TAMPERED);
        assert_int_equal(log.count, 0);
        json_decref(batch);
        json_decref(enrolment);
        gl_meterlog_done(&log);
    }
}

static void batches_and_records_in_another_order_are_refused(void **state)
{
    struct gl_str console = {0};
    struct gl_reading swapped[2];
    struct gl_error err = {0};
    struct gl_meterlog log;
    json_t *batch;

    (void)state;
    set_up_meter(4);
    fake_add_enrolment(&meter, &console);
    fake_add_batch(&meter, 2, 2, &console);
    fake_add_batch(&meter, 0, 2, &console);
    log_init(&log);
    assert_int_equal(feed(&log, &console), 2); /* the first two, which came last */
    assert_int_equal(log.orphaned, 1);
    assert_genuine(&log);

    swapped[0] = meter.made[3];
    swapped[1] = meter.made[2];
    batch = fake_batch_of(&meter, swapped, 2);
    json_object_set_new(batch, "n0", json_integer(3));
    json_object_set_new(batch, "n1", json_integer(4));
    fake_sign(&meter, batch);
    assert_int_equal(gl_meterlog_batch(&log, batch, &err), -1);
    assert_int_equal(err.code, GL_E_TAMPERED);
    assert_int_equal(log.count, 2);
    json_decref(batch);
    gl_meterlog_done(&log);
    gl_str_done(&console);
}

static void duplicates_are_counted_once(void **state)
{
    struct gl_str console = {0};
    struct gl_meterlog log;

    (void)state;
    set_up_meter(4);
    fake_add_enrolment(&meter, &console);
    for (size_t i = 0; i < 2; i++)
        for (size_t again = 0; again < 3; again++)
            fake_add_batch(&meter, 2 * i, 2, &console);
    fake_add_enrolment(&meter, &console); /* the meter restarted with its key */
    log_init(&log);
    assert_int_equal(feed(&log, &console), 4);
    assert_int_equal(log.repeated, 4);
    assert_int_equal(log.rejected, 0);
    assert_int_equal(json_array_size(log.batches), 2);
    assert_genuine(&log);
    gl_meterlog_done(&log);
    gl_str_done(&console);
}

/* Told again in larger batches: the known part is passed over. */
static void a_batch_may_overlap_what_is_known(void **state)
{
    struct gl_str console = {0};
    struct gl_meterlog log;

    (void)state;
    set_up_meter(5);
    fake_add_enrolment(&meter, &console);
    fake_add_batch(&meter, 0, 2, &console);
    fake_add_batch(&meter, 0, 5, &console);
    log_init(&log);
    assert_int_equal(feed(&log, &console), 5);
    assert_int_equal(json_array_size(log.batches), 2);
    assert_genuine(&log);
    gl_meterlog_done(&log);
    gl_str_done(&console);
}

static void readings_of_another_launch_are_refused(void **state)
{
    static struct fake_meter other;
    struct gl_str console = {0};
    struct gl_error err = {0};
    struct gl_meterlog log;
    json_t *batch;

    (void)state;
    set_up_meter(2);
    fake_meter_init(&other, "gl-other000", 7, START); /* the same key and token */
    fake_meter_read_many(&other, 2);
    fake_add_enrolment(&other, &console);
    fake_add_enrolment(&meter, &console);
    fake_add_batch(&other, 0, 2, &console);
    fake_add_batch(&meter, 0, 2, &console);
    log_init(&log);
    assert_int_equal(feed(&log, &console), 2);
    assert_int_equal(log.rejected, 2);
    assert_genuine(&log);

    /* Its records under our name: signed, but the records name the other launch. */
    batch = fake_batch(&other, 0, 2);
    json_object_set_new(batch, "launch", json_string(LAUNCH));
    fake_sign(&meter, batch);
    assert_int_equal(gl_meterlog_batch(&log, batch, &err), -1);
    assert_int_equal(err.code, GL_E_TAMPERED);
    json_decref(batch);
    gl_meterlog_done(&log);
    gl_str_done(&console);
}

static void a_forger_without_the_key_is_refused(void **state)
{
    static struct fake_meter forger;
    struct gl_str console = {0};
    struct gl_meterlog log;
    json_t *batch, *enrolment;

    (void)state;
    set_up_meter(3);
    enrolment = fake_enrolment(&meter);
    forger = meter;
    gl_key_of_seed((const uint8_t[32]){9}, &forger.secret, &forger.key);
    fake_add_enrolment(&meter, &console);
    fake_add_batch(&forger, 0, 1, &console); /* its own key */
    batch = fake_batch(&forger, 0, 1);       /* our key's name, its signature */
    json_object_set(batch, "key", json_object_get(enrolment, "key"));
    fake_sign(&forger, batch);
    fake_add_line("GLM1", batch, &console);
    log_init(&log);
    assert_int_equal(feed(&log, &console), 0);
    assert_int_equal(log.rejected, 2);
    assert_true(log.has_key);
    json_decref(enrolment);
    json_decref(batch);
    gl_meterlog_done(&log);
    gl_str_done(&console);
}

static void only_the_first_key_that_knows_the_token_counts(void **state)
{
    static struct fake_meter second, stranger;
    struct gl_str console = {0};
    struct gl_meterlog log;

    (void)state;
    set_up_meter(2);
    second = stranger = meter;
    gl_key_of_seed((const uint8_t[32]){9}, &second.secret, &second.key);
    gl_key_of_seed((const uint8_t[32]){8}, &stranger.secret, &stranger.key);
    memset(stranger.token, 0, sizeof stranger.token);
    fake_add_enrolment(&stranger, &console); /* the wrong token */
    fake_add_batch(&stranger, 0, 2, &console);
    log_init(&log);
    assert_int_equal(feed(&log, &console), 0);
    assert_false(log.has_key);
    assert_int_equal(log.rejected, 2);

    gl_str_clear(&console);
    fake_add_enrolment(&meter, &console);
    fake_add_enrolment(&second, &console); /* the right token, too late */
    fake_add_batch(&second, 0, 2, &console);
    fake_add_batch(&meter, 0, 2, &console);
    assert_int_equal(feed(&log, &console), 2);
    assert_int_equal(log.rejected, 4);
    assert_memory_equal(&log.key, &meter.key, sizeof log.key);
    assert_genuine(&log);
    gl_meterlog_done(&log);
    gl_str_done(&console);
}

static void a_second_truth_under_a_known_number_is_a_fork(void **state)
{
    struct gl_reading readings[3];
    struct gl_str console = {0};
    struct gl_meterlog log;
    json_t *batch;

    (void)state;
    set_up_meter(3);
    honest(&console, 3);
    memcpy(readings, meter.made, sizeof readings);
    readings[1].components[0].delta_uj = readings[1].components[0].low_uj = 1;
    fake_readings_chain(readings, 3);
    batch = fake_batch_of(&meter, readings, 3);
    fake_add_line("GLM1", batch, &console);
    log_init(&log);
    assert_int_equal(feed(&log, &console), 3);
    assert_int_equal(log.forked, 1);
    assert_int_equal(log.rejected, 0); /* counted once */
    assert_genuine(&log);
    json_decref(batch);
    gl_meterlog_done(&log);
    gl_str_done(&console);
}

static void a_chain_begins_with_number_one_and_no_past(void **state)
{
    struct gl_reading reading;
    struct gl_error err = {0};
    struct gl_meterlog log;
    json_t *batch, *enrolment;

    (void)state;
    set_up_meter(1);
    enrolment = fake_enrolment(&meter);
    log_init(&log);
    assert_int_equal(gl_meterlog_enrol(&log, enrolment, &err), 0);
    reading = meter.made[0];
    reading.previous.bytes[0] = 1;
    batch = fake_batch_of(&meter, &reading, 1);
    assert_int_equal(gl_meterlog_batch(&log, batch, &err), -1);
    json_decref(batch);
    gl_error_clear(&err);
    reading = meter.made[0];
    reading.seq = 2;
    batch = fake_batch_of(&meter, &reading, 1);
    assert_int_equal(gl_meterlog_batch(&log, batch, &err), -1);
    assert_int_equal(err.code, GL_E_TAMPERED);
    assert_int_equal(log.orphaned, 2);
    assert_int_equal(log.count, 0);
    json_decref(batch);
    json_decref(enrolment);
    gl_meterlog_done(&log);
}

static void a_number_at_the_end_of_the_range_is_no_trap(void **state)
{
    struct gl_reading reading;
    struct gl_error err = {0};
    struct gl_meterlog log;
    json_t *batch, *enrolment;

    (void)state;
    set_up_meter(1);
    enrolment = fake_enrolment(&meter);
    reading = meter.made[0];
    reading.seq = INT64_MAX;
    batch = fake_batch_of(&meter, &reading, 1);
    log_init(&log);
    assert_int_equal(gl_meterlog_enrol(&log, enrolment, &err), 0);
    assert_int_equal(gl_meterlog_batch(&log, batch, &err), -1);
    json_object_set_new(batch, "n0", json_integer(1));
    fake_sign(&meter, batch);
    gl_error_clear(&err);
    assert_int_equal(gl_meterlog_batch(&log, batch, &err), -1);
    assert_int_equal(err.code, GL_E_TAMPERED);
    json_decref(batch);
    json_decref(enrolment);
    gl_meterlog_done(&log);
}

static void members_that_nobody_signed_are_refused(void **state)
{
    struct gl_error err = {0};
    struct gl_meterlog log;
    json_t *enrolment, *batch;

    (void)state;
    set_up_meter(1);
    enrolment = fake_enrolment(&meter);
    batch = fake_batch(&meter, 0, 1);
    log_init(&log);
    json_object_set_new(enrolment, "note", json_string("trust me"));
    assert_int_equal(gl_meterlog_enrol(&log, enrolment, &err), -1);
    json_object_del(enrolment, "note");
    json_object_set_new(enrolment, "v", json_integer(2));
    gl_error_clear(&err);
    assert_int_equal(gl_meterlog_enrol(&log, enrolment, &err), -1);
    json_object_set_new(enrolment, "v", json_integer(1));
    gl_error_clear(&err);
    assert_int_equal(gl_meterlog_enrol(&log, enrolment, &err), 0);
    json_object_set_new(batch, "note", json_string("trust me"));
    assert_int_equal(gl_meterlog_batch(&log, batch, &err), -1);
    json_object_del(batch, "note");
    gl_error_clear(&err);
    assert_int_equal(gl_meterlog_batch(&log, batch, &err), 0);
    json_decref(enrolment);
    json_decref(batch);
    gl_meterlog_done(&log);
}

static void noise_around_the_lines_is_passed_over(void **state)
{
    struct gl_str console = {0}, noisy = {0};
    struct gl_meterlog log;
    size_t start = 0, number = 0;

    (void)state;
    set_up_meter(4);
    honest(&console, 2);
    for (size_t i = 0; i < console.length; i++) {
        if (console.text[i] != '\n')
            continue;
        gl_str_addf(&noisy, "[    1.%06zu] random: crng init done\r\n", number);
        gl_str_add_bytes(&noisy, "\0\xff\xfe\x1b[2J\n\r\n\n", 11);
        gl_str_add(&noisy, number == 1 ? "half a line GLM1 {\"head\":GLE1 " : "(noise) ");
        gl_str_add_bytes(&noisy, console.text + start, i - start);
        gl_str_add(&noisy, "\r\r\n");
        start = i + 1;
        number++;
    }
    log_init(&log);
    assert_int_equal(feed(&log, &noisy), 4);
    assert_int_equal(log.rejected, 0);
    assert_genuine(&log);
    gl_meterlog_done(&log);
    gl_str_done(&console);
    gl_str_done(&noisy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_meter_is_heard),
        cmocka_unit_test(pieces_of_any_size_give_the_same),
        cmocka_unit_test(a_console_cut_at_any_byte_gives_the_whole_lines),
        cmocka_unit_test(every_single_bit_edit_is_detected),
        cmocka_unit_test(a_missing_batch_ends_what_is_believed),
        cmocka_unit_test(a_record_taken_out_and_signed_again_does_not_chain),
        cmocka_unit_test(batches_and_records_in_another_order_are_refused),
        cmocka_unit_test(duplicates_are_counted_once),
        cmocka_unit_test(a_batch_may_overlap_what_is_known),
        cmocka_unit_test(readings_of_another_launch_are_refused),
        cmocka_unit_test(a_forger_without_the_key_is_refused),
        cmocka_unit_test(only_the_first_key_that_knows_the_token_counts),
        cmocka_unit_test(a_second_truth_under_a_known_number_is_a_fork),
        cmocka_unit_test(a_chain_begins_with_number_one_and_no_past),
        cmocka_unit_test(a_number_at_the_end_of_the_range_is_no_trap),
        cmocka_unit_test(members_that_nobody_signed_are_refused),
        cmocka_unit_test(noise_around_the_lines_is_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
