/* SPDX-License-Identifier: Apache-2.0 */
/* The runs of bytes that the reader looks at many at a time, held against one byte after the other:
 * every byte at every place, and bytes at random. */
#include "base/jsonpull_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LOOK 64
#define PAD  64

/* RFC 8259 section 7; what is not ASCII is looked at more closely. */
static bool is_stop(char byte)
{
    return (unsigned char)byte < 0x20 || (unsigned char)byte >= 0x80 || byte == '"' || byte == '\\';
}

static uint64_t stops_of(const char *bytes)
{
    uint64_t stops = 0;

    for (unsigned i = 0; i < LOOK; i++)
        stops |= (uint64_t)is_stop(bytes[i]) << i;
    return stops;
}

static size_t plain_of(const char *bytes)
{
    size_t length = 0;

    while (!is_stop(bytes[length]))
        length++;
    return length;
}

static size_t spaces_of(const char *bytes)
{
    size_t length = 0;

    while (bytes[length] != '\0' && strchr(" \t\r\n", bytes[length]) != NULL)
        length++;
    return length;
}

/* `bytes` end with PAD zero bytes. */
static void check(const char *bytes, size_t length)
{
    char copy[4 * LOOK];
    size_t plain = plain_of(bytes), line_ends = 0;

    assert_true(gl_jscan_stops(bytes) == stops_of(bytes));
    assert_ptr_equal(gl_jscan_plain(bytes, copy), bytes + plain);
    assert_memory_equal(copy, bytes, plain);
    assert_ptr_equal(gl_jscan_space_end(bytes), bytes + spaces_of(bytes));
    for (size_t i = 0; i < length; i++)
        line_ends += bytes[i] == '\n';
    assert_int_equal(gl_jscan_line_ends(bytes, bytes + length), line_ends);
}

static void test_every_byte(void **state)
{
    static const char fillers[] = {'a', ' ', 0x7f, '\n', '!', '#', '[', ']'};
    char bytes[LOOK + PAD] = {0};

    (void)state;
    for (size_t f = 0; f < sizeof fillers; f++)
        for (size_t place = 0; place < LOOK; place++)
            for (unsigned byte = 0; byte < 256; byte++) {
                memset(bytes, fillers[f], LOOK);
                bytes[place] = (char)byte;
                check(bytes, LOOK);
            }
}

/* SplitMix64 (Steele, Lea and Flood 2014). */
static uint64_t draw(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Neighbours of the bytes that matter are many, so that a borrow or a carry would show. */
static void test_at_random(void **state)
{
    static const char likely[] = "\"\\ !#[]\x1f\x20\x21\x7f\x80\x81\xa2\xdc\xff\x01\n\r\taz09";
    char bytes[3 * LOOK + PAD];
    uint64_t seed = 1;

    (void)state;
    for (int round = 0; round < 100000; round++) {
        size_t length = draw(&seed) % (3 * LOOK), stride = 1 + draw(&seed) % 40;

        memset(bytes, 0, sizeof bytes);
        memset(bytes, 'a', length);
        for (size_t i = draw(&seed) % stride; i < length; i += 1 + draw(&seed) % stride)
            bytes[i] = draw(&seed) % 4 == 0 ? (char)draw(&seed)
                                            : likely[draw(&seed) % (sizeof likely - 1)];
        check(bytes, length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_at_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
