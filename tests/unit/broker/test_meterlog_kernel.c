/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel writes on the same console, in the middle of whatever is being written there. */
#include "broker/meterlog.h"

#include "tests/support/make_batches.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

/* Unit tests link archives only. */
#include "tests/support/make_batches.c"

#define LAUNCH  "gl-4k2p9xyz"
#define START   INT64_C(1767225600000)
#define MESSAGE "[   12.345678] random: crng init done\r\n"

static struct fake_meter meter;
static struct gl_str console;

static int set_up(void **state)
{
    (void)state;
    fake_meter_init(&meter, LAUNCH, 7, START);
    fake_meter_read_many(&meter, 3);
    fake_meter_read_final(&meter);
    gl_str_clear(&console);
    fake_add_enrolment(&meter, &console);
    fake_add_batch(&meter, 0, 2, &console);
    fake_add_batch(&meter, 2, 2, &console);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gl_str_done(&console);
    return 0;
}

/* How many readings are heard; all of them are the meter's. */
static size_t heard_from(const struct gl_str *text, uint32_t *out_rejected)
{
    struct gl_meterlog log;
    size_t count;

    gl_meterlog_init(&log, LAUNCH, meter.token, sizeof meter.token);
    gl_meterlog_feed(&log, gl_str_text(text), text->length);
    count = log.count;
    for (size_t i = 0; i < count; i++) {
        struct gl_hash hash;

        fake_reading_hash(&log.readings[i], &hash);
        assert_memory_equal(&hash, &meter.hashes[i], sizeof hash);
    }
    *out_rejected = log.rejected + log.orphaned + log.forked;
    gl_meterlog_done(&log);
    return count;
}

/* The console with `message` at each of the positions, which rise. */
static void interrupt(const size_t *at, size_t count, const char *message, struct gl_str *out)
{
    size_t from = 0;

    for (size_t i = 0; i < count; from = at[i++]) {
        gl_str_add_bytes(out, console.text + from, at[i] - from);
        gl_str_add(out, message);
    }
    gl_str_add_bytes(out, console.text + from, console.length - from);
}

static void assert_heard(const size_t *at, size_t cuts, const char *message, size_t readings)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    uint32_t rejected;
    size_t heard;

    interrupt(at, cuts, message, &text);
    heard = heard_from(&text, &rejected);
    if (heard != readings)
        fail_msg("cut at %zu: %zu readings, not %zu", at[0], heard, readings);
    if (readings == meter.count)
        assert_int_equal(rejected, 0);
}

static void a_message_anywhere_costs_no_reading(void **state)
{
    (void)state;
    for (size_t at = 0; at <= console.length; at++)
        assert_heard(&at, 1, MESSAGE, 4);
    for (size_t at = 0; at <= console.length; at += 7)
        assert_heard(&at, 1, "[ 1234.000001][    T1] a caller\n", 4);
}

static void several_messages_cost_none_either(void **state)
{
    (void)state;
    for (size_t first = 0; first < console.length; first += 13)
        for (size_t gap = 0; first + 2 * gap <= console.length && gap < 400; gap += 57) {
            const size_t at[] = {first, first + gap, first + 2 * gap};

            assert_heard(at, 3, MESSAGE, 4);
        }
    /* Many lines at one place, as a stack trace has. */
    const size_t same[] = {300, 300, 300, 300, 300, 300, 300, 300, 300, 300, 300,
                           300, 300, 300, 300, 300, 300, 300, 300, 300, 300, 300};
    assert_heard(same, sizeof same / sizeof same[0], MESSAGE, 4);
}

/* What looks almost like one is text, and text inside a batch spoils it. */
static void what_is_no_message_spoils_the_batch(void **state)
{
    static const char *const texts[] = {
        "[   12.34567] short\n",
        "[12] no\n",
        "[ x.123456] no\n",
        "[   12.345678]\n",
        "12.345678] no\n",
        "garbage\n",
        "[\n",
        "[99999999999.123456] no\n",
    };
    size_t first_batch = (size_t)(strchr(console.text, '\n') - console.text) + 40;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_heard(&first_batch, 1, texts[i], 0);
}

static void a_rest_that_never_comes_does_not_harm_the_next_line(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    const char *line = strchr(console.text, '\n') + 1;
    uint32_t rejected;

    (void)state;
    gl_str_add_bytes(&text, console.text, (size_t)(line - console.text));
    gl_str_add_bytes(&text, line, 100);
    gl_str_add(&text, MESSAGE); /* and the meter was killed there, and started again */
    gl_str_add(&text, line);
    assert_int_equal(heard_from(&text, &rejected), 4);
    gl_str_clear(&text);
    gl_str_add(&text, "login: ");
    gl_str_add(&text, MESSAGE);
    gl_str_add(&text, console.text);
    assert_int_equal(heard_from(&text, &rejected), 4);
    assert_int_equal(rejected, 0);
}

/* Another launch's meter, cut by a message, is refused when it is whole again. */
static void what_is_put_together_is_checked_like_any_line(void **state)
{
    static struct fake_meter other;
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    uint32_t rejected;

    (void)state;
    fake_meter_init(&other, LAUNCH, 9, START);
    fake_meter_read_many(&other, 2);
    fake_add_batch(&other, 0, 2, &line);
    fake_add_enrolment(&meter, &text);
    gl_str_add_bytes(&text, line.text, 200);
    gl_str_add(&text, MESSAGE);
    gl_str_add(&text, line.text + 200);
    fake_add_batch(&meter, 0, 2, &text);
    assert_int_equal(heard_from(&text, &rejected), 2);
    assert_int_equal(rejected, 1);
}

/* A guest that writes nothing but cuts is not listened to for ever. */
static void endless_cuts_are_forgotten(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    uint32_t rejected;

    (void)state;
    for (size_t i = 0; i < 20000; i++)
        gl_str_add(&text, "GLM1 {" MESSAGE);
    gl_str_add(&text, "\n");
    gl_str_add(&text, console.text);
    assert_int_equal(heard_from(&text, &rejected), 4);
    gl_str_clear(&text);
    gl_str_add_bytes(&text, console.text, 30);
    for (size_t i = 0; i < 20; i++)
        gl_str_add(&text, "x" MESSAGE);
    gl_str_add(&text, console.text + 30);
    assert_int_equal(heard_from(&text, &rejected), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_message_anywhere_costs_no_reading),
        CASE(several_messages_cost_none_either),
        CASE(what_is_no_message_spoils_the_batch),
        CASE(a_rest_that_never_comes_does_not_harm_the_next_line),
        CASE(what_is_put_together_is_checked_like_any_line),
        CASE(endless_cuts_are_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
