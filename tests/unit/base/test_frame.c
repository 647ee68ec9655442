/* SPDX-License-Identifier: Apache-2.0 */
#include "base/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

/* Append a frame to `stream`; the new length. */
static size_t put(char *stream, size_t at, char type, const void *payload, size_t length)
{
    gl_frame_header(type, length, stream + at);
    if (length > 0)
        memcpy(stream + at + GL_FRAME_HEADER, payload, length);
    return at + GL_FRAME_HEADER + length;
}

/* Feed `length` bytes in pieces of at most `piece`; frames come out as "type:payload;". */
static void pump(struct gl_frame_reader *reader, const char *bytes, size_t length, size_t piece,
                 struct gl_str *out)
{
    while (length > 0) {
        struct gl_frame frame;
        size_t room, some;
        char *space = gl_frame_reader_space(reader, &room);

        assert_true(room > 0);
        some = length < piece ? length : piece;
        some = some < room ? some : room;
        memcpy(space, bytes, some);
        gl_frame_reader_fed(reader, some);
        bytes += some;
        length -= some;
        while (gl_frame_reader_next(reader, &frame)) {
            gl_str_add_char(out, frame.type);
            gl_str_add_char(out, ':');
            gl_str_add_bytes(out, frame.payload, frame.length);
            gl_str_add_char(out, ';');
        }
    }
}

static void check_stream(const char *bytes, size_t length, const char *expected, uint64_t skipped)
{
    for (size_t piece = 1; piece <= length; piece++) {
        struct gl_frame_reader *reader = gl_alloc(sizeof *reader);
        struct gl_str out = {0};

        pump(reader, bytes, length, piece, &out);
        assert_string_equal(gl_str_text(&out), expected);
        assert_int_equal(reader->skipped, skipped);
        gl_str_done(&out);
        free(reader);
    }
}

static void a_header_is_little_endian(void **state)
{
    static const char expected[] = {'G', 'L', 'O', 0, 0x34, 0x12, 0, 0};
    static const char largest[] = {'G', 'L', 'O', 0, 0, 0, 1, 0};
    char header[GL_FRAME_HEADER];

    (void)state;
    gl_frame_header('O', 0x1234, header);
    assert_memory_equal(header, expected, sizeof header);
    gl_frame_header('O', GL_FRAME_MAX, header);
    assert_memory_equal(header, largest, sizeof header);
}

static void frames_arrive_whatever_the_pieces(void **state)
{
    char stream[128];
    size_t length = put(stream, 0, 'H', "{}", 2);

    (void)state;
    length = put(stream, length, 'I', "", 0);
    length = put(stream, length, 'O', "GLO inside", 10);
    check_stream(stream, length, "H:{};I:;O:GLO inside;", 0);
}

static void garbage_is_passed_over_and_counted(void **state)
{
    char stream[128] = "boot: GGL? G";
    size_t length = put(stream, 12, 'X', "7", 1);

    (void)state;
    memcpy(stream + length, "GLx\0\1\0\0\0GL", 10); /* a type that does not exist, half a magic */
    length = put(stream, length + 10, 'B', "ok", 2);
    check_stream(stream, length, "X:7;B:ok;", 12 + 10);
}

static void an_impossible_length_is_garbage(void **state)
{
    char stream[64] = {'G', 'L', 'O', 0, 1, 0, 1, 0}; /* GL_FRAME_MAX + 1 */
    size_t length = put(stream, 8, 'A', "5", 1);

    (void)state;
    check_stream(stream, length, "A:5;", 8);
    stream[3] = 1; /* the fourth byte is not 0, the length would do */
    stream[6] = 0;
    check_stream(stream, length, "A:5;", 8);
}

static void the_largest_frame_fits(void **state)
{
    size_t whole = GL_FRAME_HEADER + GL_FRAME_MAX, at = 0;
    char *stream = gl_alloc(2 * whole), *payload = gl_alloc(GL_FRAME_MAX);
    struct gl_frame_reader *reader = gl_alloc(sizeof *reader);
    struct gl_str out = {0};

    (void)state;
    memset(payload, 'p', GL_FRAME_MAX);
    at = put(stream, at, 'P', payload, GL_FRAME_MAX);
    at = put(stream, at, 'P', payload, GL_FRAME_MAX);
    pump(reader, stream, at, 100000, &out);
    assert_int_equal(out.length, 2 * (GL_FRAME_MAX + 3));
    assert_int_equal(reader->skipped, 0);
    gl_str_done(&out);
    free(reader);
    free(payload);
    free(stream);
}

static void half_a_frame_gives_nothing(void **state)
{
    char stream[32];
    size_t length = put(stream, 0, 'E', "abc", 3);
    struct gl_frame_reader *reader = gl_alloc(sizeof *reader);
    struct gl_frame frame = {.type = '?'};
    struct gl_str out = {0};

    (void)state;
    assert_false(gl_frame_reader_next(reader, &frame));
    pump(reader, stream, length - 1, 32, &out);
    assert_false(gl_frame_reader_next(reader, &frame));
    assert_int_equal(frame.type, '?');
    assert_string_equal(gl_str_text(&out), "");
    gl_str_done(&out);
    free(reader);
}

/* A feeder that claims more than the room must not push the reader past its buffer. */
static void too_much_fed_is_cut(void **state)
{
    struct gl_frame_reader *reader = gl_alloc(sizeof *reader);
    size_t room;

    (void)state;
    gl_frame_reader_space(reader, &room);
    assert_int_equal(room, sizeof reader->buffer);
    gl_frame_reader_fed(reader, room + 100);
    assert_int_equal(reader->used, sizeof reader->buffer);
    free(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_little_endian),
        cmocka_unit_test(frames_arrive_whatever_the_pieces),
        cmocka_unit_test(garbage_is_passed_over_and_counted),
        cmocka_unit_test(an_impossible_length_is_garbage),
        cmocka_unit_test(the_largest_frame_fits),
        cmocka_unit_test(half_a_frame_gives_nothing),
        cmocka_unit_test(too_much_fed_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
