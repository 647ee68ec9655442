/* SPDX-License-Identifier: Apache-2.0 */
/* A guest's console is hostile. In any pieces the same is heard, and nothing is heard that the
 * meter did not say: without its key nobody forges a reading. A first byte 's' gives the guest that
 * key: a line "GLR1 [record, ...]" is then signed as it stands, and what is heard must still be one
 * chain. A first byte 'k' is a kernel that writes messages into what the meter says, after as many
 * bytes as each following byte says times four: then all of it must be heard. */
#include "broker/meterlog.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/make_batches.c"

#define LAUNCH "gl-4k2p9xyz"
#define START  INT64_C(1767225600000)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct fake_meter meter;

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void make_meter(void)
{
    if (meter.count > 0)
        return;
    fake_meter_init(&meter, LAUNCH, 7, START);
    fake_meter_read_many(&meter, 5);
    fake_meter_read_final(&meter);
}

static void hear(struct gl_meterlog *log, const char *bytes, size_t size, size_t piece)
{
    size_t heard = 0;

    gl_meterlog_init(log, LAUNCH, meter.token, sizeof meter.token);
    for (size_t at = 0; at < size; at += piece) {
        heard += gl_meterlog_feed(log, bytes + at, size - at < piece ? size - at : piece);
        if (piece > size - at)
            break;
    }
    must(heard == log->count);
    must(log->count == 0 || log->has_key);
    must(json_array_size(log->batches) <= log->count);
    must(log->bytes <= GL_METERLOG_BYTES_MAX);
}

static void check_chain(const struct gl_meterlog *log)
{
    for (size_t i = 0; i < log->count; i++) {
        struct gl_hash previous = {{0}};

        if (i > 0)
            fake_reading_hash(&log->readings[i - 1], &previous);
        must(log->readings[i].seq == i + 1);
        must(gl_hash_equal(&previous, &log->readings[i].previous));
        must(strcmp(log->readings[i].launch, LAUNCH) == 0);
    }
}

static void check_genuine(const struct gl_meterlog *log)
{
    must(log->count <= meter.count);
    for (size_t i = 0; i < log->count; i++) {
        struct gl_hash hash;

        fake_reading_hash(&log->readings[i], &hash);
        must(gl_hash_equal(&hash, &meter.hashes[i]));
    }
}

/* Records as they stand, under a true signature. */
static void add_signed(const char *line, size_t length, struct gl_str *out)
{
    struct gl_error err = {0};
    GL_AUTO(gl_auto_json) json_t *records = gl_json_parse(line, length, "records", &err);
    const json_t *last = json_array_get(records, json_array_size(records) - 1);
    GL_AUTO(gl_auto_free) char *text = last != NULL ? gl_json_canonical(last, &err) : NULL;
    GL_AUTO(gl_auto_free) char *all = text != NULL ? gl_json_canonical(records, &err) : NULL;
    char key[2 * GL_KEY_BYTES + 1], head_hex[GL_HASH_HEX];
    struct gl_hash head;
    json_t *batch;

    if (all == NULL)
        return;
    gl_hash_of(text, strlen(text), &head);
    gl_hex_text(meter.key.bytes, GL_KEY_BYTES, key);
    batch = json_pack("{s:s,s:s,s:s,s:O,s:I,s:I,s:i}", "head", gl_hash_hex(&head, head_hex), "key",
                      key, "launch", LAUNCH, "records", records, "n0",
                      json_integer_value(json_object_get(json_array_get(records, 0), "n")), "n1",
                      json_integer_value(json_object_get(last, "n")), "v", 1);
    fake_sign(&meter, batch);
    fake_add_line("GLM1", batch, out);
    json_decref(batch);
}

static void sign_lines(const char *bytes, size_t size, struct gl_str *out)
{
    fake_add_enrolment(&meter, out);
    while (size > 0) {
        const char *end = memchr(bytes, '\n', size);
        size_t length = end != NULL ? (size_t)(end - bytes) : size;

        if (length > 5 && memcmp(bytes, "GLR1 ", 5) == 0)
            add_signed(bytes + 5, length - 5, out);
        else
            gl_str_add_bytes(out, bytes, length);
        gl_str_add_char(out, '\n');
        size -= end != NULL ? length + 1 : length;
        bytes += end != NULL ? length + 1 : length;
    }
}

#define MESSAGES_MAX 12 /* so many one line may bear */

static void interrupt(const uint8_t *gaps, size_t size, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str honest = {0};
    size_t at = 0;

    fake_add_enrolment(&meter, &honest);
    fake_add_batch(&meter, 0, 2, &honest);
    fake_add_batch(&meter, 2, meter.count - 2, &honest);
    for (size_t i = 0; i < size && i < MESSAGES_MAX; i++) {
        size_t gap = (size_t)gaps[i] * 4 + i;

        gap = gap < honest.length - at ? gap : honest.length - at;
        gl_str_add_bytes(out, honest.text + at, gap);
        gl_str_addf(out, "[%5u.%06u] a message\r\n", gaps[i], 7U * gaps[i]);
        at += gap;
    }
    gl_str_add_bytes(out, honest.text + at, honest.length - at);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    GL_AUTO(gl_str_done) struct gl_str console = {0};
    struct gl_meterlog whole, pieces;
    bool is_root = size > 0 && bytes[0] == 's';
    bool is_kernel = size > 0 && bytes[0] == 'k';

    if (size == 0)
        return 0;
    make_meter();
    if (is_root)
        sign_lines((const char *)bytes + 1, size - 1, &console);
    else if (is_kernel)
        interrupt(bytes + 1, size - 1, &console);
    else
        gl_str_add_bytes(&console, bytes + 1, size - 1);
    hear(&whole, gl_str_text(&console), console.length, SIZE_MAX);
    hear(&pieces, gl_str_text(&console), console.length, (size_t)bytes[0] + 1);
    must(whole.count == pieces.count && gl_hash_equal(&whole.head, &pieces.head));
    must(whole.rejected == pieces.rejected && whole.repeated == pieces.repeated);
    must(whole.forked == pieces.forked && whole.orphaned == pieces.orphaned);
    must(!is_kernel || whole.count == meter.count);
    check_chain(&whole);
    if (!is_root)
        check_genuine(&whole);
    gl_meterlog_done(&whole);
    gl_meterlog_done(&pieces);
    return 0;
}
