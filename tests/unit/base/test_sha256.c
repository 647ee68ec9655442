/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sha256.h"

#include "base/sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONG ((size_t)40000)

static uint8_t message[LONG];

static int prepare(void **state)
{
    uint32_t word = 1;

    (void)state;
    for (size_t i = 0; i < LONG; i++) {
        word = word * 1664525 + 1013904223;
        message[i] = (uint8_t)(word >> 24);
    }
    return 0;
}

/* FIPS 180-4, example of one block: "abc" with its padding. */
static void test_block(void **state)
{
    static const uint32_t expected[8] = {0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
                                         0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad};
    uint32_t words[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    uint8_t block[64] = {'a', 'b', 'c', 0x80, [63] = 24};

    (void)state;
    if (!gl_sha256_can()) {
        print_message("this processor has no instructions for SHA-256\n");
        skip();
    }
    gl_sha256_blocks(words, block, 1);
    assert_memory_equal(words, expected, sizeof words);
    gl_sha256_blocks(words, block, 0);
    assert_memory_equal(words, expected, sizeof words);
}

/* Pieces of every kind, around blocks and around what counts as long: libsodium's own answer. */
static void test_pieces(void **state)
{
    static const size_t firsts[] = {0, 1, 63, 64, 65, 127, 8191, 8192, 8193, 20000};

    (void)state;
    for (size_t length = 30000; length < 30130; length++)
        for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
            struct gl_hasher hasher;
            struct gl_hash hash, whole, expected;

            crypto_hash_sha256(expected.bytes, message, length);
            gl_hash_of(message, length, &whole);
            assert_memory_equal(whole.bytes, expected.bytes, GL_HASH_BYTES);
            gl_hasher_init(&hasher);
            gl_hasher_add(&hasher, message, firsts[i]);
            gl_hasher_add(&hasher, message + firsts[i], length - firsts[i]);
            gl_hasher_end(&hasher, &hash);
            assert_memory_equal(hash.bytes, expected.bytes, GL_HASH_BYTES);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block),
        cmocka_unit_test(test_pieces),
    };

    return cmocka_run_group_tests(tests, prepare, NULL);
}
