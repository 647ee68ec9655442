/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sign.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A vector file: lines "name hex". */
static size_t vector_bytes(const char *text, const char *name, uint8_t out[2048])
{
    const char *at = strstr(text, name);
    char hex[4097] = "";
    struct gl_error err = {0};
    size_t length;

    assert_non_null(at);
    at += strlen(name) + 1;
    length = strcspn(at, "\n");
    assert_in_range(length, 0, sizeof hex - 1);
    memcpy(hex, at, length);
    assert_int_equal(gl_hex_parse(hex, out, length / 2, &err), 0);
    return length / 2;
}

static char *read_text(const char *folder, const char *name)
{
    struct gl_error err = {0};
    char *path = gl_path_join(folder, name), *text = NULL;
    size_t length;

    assert_int_equal(gl_file_read(path, 65536, &text, &length, &err), 0);
    free(path);
    return text;
}

/* Run `check` over the files whose name begins with `prefix`; how many there were. */
static unsigned each_vector(const char *folder, const char *prefix, void (*check)(const char *text))
{
    DIR *entries = opendir(folder);
    const struct dirent *entry;
    unsigned count = 0;

    assert_non_null(entries);
    while ((entry = readdir(entries)) != NULL) {
        char *text;

        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
            continue;
        text = read_text(folder, entry->d_name);
        check(text);
        free(text);
        count++;
    }
    closedir(entries);
    return count;
}

static void check_ed25519(const char *text)
{
    uint8_t seed[2048], public_bytes[2048], message[2048], expected[2048];
    size_t length = vector_bytes(text, "message", message);
    struct gl_secret_key secret;
    struct gl_public_key public_key;
    struct gl_signature signature;

    assert_int_equal(vector_bytes(text, "seed", seed), 32);
    assert_int_equal(vector_bytes(text, "public", public_bytes), 32);
    assert_int_equal(vector_bytes(text, "signature", expected), 64);
    gl_key_of_seed(seed, &secret, &public_key);
    assert_memory_equal(public_key.bytes, public_bytes, 32);
    gl_sign(&secret, message, length, &signature);
    assert_memory_equal(signature.bytes, expected, 64);
    assert_true(gl_signature_holds(&public_key, message, length, &signature));

    message[length] = 0;
    assert_false(gl_signature_holds(&public_key, message, length + 1, &signature));
    signature.bytes[40] ^= 1;
    assert_false(gl_signature_holds(&public_key, message, length, &signature));
    signature.bytes[40] ^= 1;
    public_key.bytes[3] ^= 4;
    assert_false(gl_signature_holds(&public_key, message, length, &signature));
}

static void ed25519_gives_the_published_signatures(void **state)
{
    (void)state;
    assert_int_equal(each_vector("tests/vectors/ed25519", "rfc8032", check_ed25519), 5);
}

static void check_rejected(const char *text)
{
    uint8_t public_bytes[2048], message[2048], bytes[2048];
    size_t length = vector_bytes(text, "message", message);
    struct gl_public_key public_key;
    struct gl_signature signature;

    assert_int_equal(vector_bytes(text, "public", public_bytes), sizeof public_key.bytes);
    assert_int_equal(vector_bytes(text, "signature", bytes), sizeof signature.bytes);
    memcpy(public_key.bytes, public_bytes, sizeof public_key.bytes);
    memcpy(signature.bytes, bytes, sizeof signature.bytes);
    assert_false(gl_signature_holds(&public_key, message, length, &signature));
}

static void a_signature_has_one_form_only(void **state)
{
    (void)state;
    assert_int_equal(each_vector("tests/vectors/ed25519", "reject", check_rejected), 1);
}

static void check_hmac(const char *text)
{
    uint8_t key[2048], message[2048], expected[2048];
    size_t key_length = vector_bytes(text, "key", key);
    size_t length = vector_bytes(text, "message", message);
    size_t mac_length = vector_bytes(text, "mac", expected);
    struct gl_hash mac;

    gl_hmac_sha256(key, key_length, message, length, &mac);
    assert_memory_equal(mac.bytes, expected, mac_length);
}

static void hmac_gives_the_published_codes(void **state)
{
    (void)state;
    assert_int_equal(each_vector("tests/vectors/hmac-sha256", "rfc4231", check_hmac), 7);
}

/* FIPS 180-4 examples of NIST's Cryptographic Standards and Guidelines. */
static void sha256_gives_the_published_hashes(void **state)
{
    static const char *const rows[][2] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    char *million = gl_alloc(1000000), hex[GL_HASH_HEX];
    struct gl_hash hash, other;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        gl_hash_of(rows[i][0], strlen(rows[i][0]), &hash);
        assert_string_equal(gl_hash_hex(&hash, hex), rows[i][1]);
    }
    memset(million, 'a', 1000000);
    gl_hash_of(million, 1000000, &hash);
    assert_string_equal(gl_hash_hex(&hash, hex),
                        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
    gl_hash_of(NULL, 0, &other);
    assert_false(gl_hash_equal(&hash, &other));
    gl_hash_of("", 0, &hash);
    assert_true(gl_hash_equal(&hash, &other));
}

static void bytes_in_pieces_hash_like_the_whole(void **state)
{
    static const size_t steps[] = {1, 63, 64, 65, 1000, 20000};
    char bytes[20000];
    struct gl_hash whole, pieces;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7);
    gl_hash_of(bytes, sizeof bytes, &whole);
    for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
        struct gl_hasher hasher;

        gl_hasher_init(&hasher);
        gl_hasher_add(&hasher, NULL, 0);
        for (size_t at = 0; at < sizeof bytes; at += steps[s])
            gl_hasher_add(&hasher, bytes + at,
                          steps[s] < sizeof bytes - at ? steps[s] : sizeof bytes - at);
        gl_hasher_end(&hasher, &pieces);
        assert_true(gl_hash_equal(&whole, &pieces));
    }
}

static void a_file_is_hashed_like_its_bytes(void **state)
{
    static const char path[] = "build/tmp/test_sign/file", fifo[] = "build/tmp/test_sign/fifo";
    struct gl_error err = {0};
    char *bytes = gl_alloc(50000);
    struct gl_hash of_file, of_bytes;

    (void)state;
    memset(bytes, 7, 50000);
    assert_int_equal(gl_dir_make("build/tmp/test_sign", &err), 0);
    assert_int_equal(gl_file_write(path, bytes, 50000, 0600, &err), 0);
    assert_int_equal(gl_hash_of_file(path, &of_file, &err), 0);
    gl_hash_of(bytes, 50000, &of_bytes);
    assert_true(gl_hash_equal(&of_file, &of_bytes));
    free(bytes);

    assert_int_equal(gl_hash_of_file("build/tmp/test_sign/none", &of_file, &err), -1);
    assert_int_equal(err.code, GL_E_IO);
    gl_error_clear(&err);
    unlink(fifo);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(gl_hash_of_file(fifo, &of_file, &err), -1);
    assert_true(gl_hash_equal(&of_file, &of_bytes));
    gl_error_clear(&err);
    assert_int_equal(gl_dir_remove("build/tmp/test_sign", &err), 0);
}

static void hex_is_strict(void **state)
{
    static const char *const wrong[] = {"",       "00",       "00ff1", "00ff1g",
                                        "00FF10", "00ff1000", " 0ff10"};
    struct gl_error err = {0};
    uint8_t bytes[3] = {9, 9, 9};
    char text[7];

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        gl_error_clear(&err);
        assert_int_equal(gl_hex_parse(wrong[i], bytes, 3, &err), -1);
        assert_int_equal(err.code, GL_E_BAD_VALUE);
        assert_int_equal(bytes[0], 9);
    }
    gl_error_clear(&err);
    assert_int_equal(gl_hex_parse("00ff1a", bytes, 3, &err), 0);
    assert_string_equal(gl_hex_text(bytes, 3, text), "00ff1a");
    assert_int_equal(gl_hex_parse("", bytes, 0, &err), 0);
}

/* RFC 4648 section 10. */
static void base64_gives_the_published_texts(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    struct gl_error err = {0};
    char text[32], bytes[16];
    size_t length;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(gl_base64_text(rows[i][0], strlen(rows[i][0]), text), rows[i][1]);
        assert_int_equal(gl_base64_parse(rows[i][1], bytes, sizeof bytes, &length, &err), 0);
        assert_int_equal(length, strlen(rows[i][0]));
        assert_memory_equal(bytes, rows[i][0], length);
    }
}

static void base64_is_strict(void **state)
{
    /* length, alphabet, padding within, too much padding, spare bits set, too long for the output
     */
    static const char *const wrong[] = {"Zg=",  "Zm9vY", "Zm-v", "Zm 9", "Zg==Zg==",     "Z===",
                                        "====", "Zh==",  "Zm9=", "=Zm9", "Zm9vYmFyZm9v", "Zm9v\n"};
    struct gl_error err = {0};
    uint8_t bytes[6] = {9};
    size_t length = 77;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        gl_error_clear(&err);
        assert_int_equal(gl_base64_parse(wrong[i], bytes, sizeof bytes, &length, &err), -1);
        assert_int_equal(err.code, GL_E_BAD_VALUE);
        assert_int_equal(bytes[0], 9);
        assert_int_equal(length, 77);
    }
}

static void every_byte_survives_base64(void **state)
{
    struct gl_error err = {0};
    uint8_t bytes[256], back[256];
    char text[4 * 86 + 1];
    size_t length;

    (void)state;
    for (unsigned i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    gl_base64_text(bytes, 256, text);
    assert_int_equal(gl_base64_parse(text, back, sizeof back, &length, &err), 0);
    assert_int_equal(length, 256);
    assert_memory_equal(back, bytes, 256);
}

static void secrets_compare_and_wipe(void **state)
{
    struct gl_secret secret;
    struct gl_secret_key key;
    struct gl_public_key public_key;
    const struct gl_secret_key zero = {0};
    uint8_t seed[32] = {1, 2, 3};

    (void)state;
    gl_secret_init(&secret, "token", 5);
    assert_true(gl_secret_equal(&secret, "token", 5));
    assert_false(gl_secret_equal(&secret, "tokeN", 5));
    assert_false(gl_secret_equal(&secret, "toke", 4));
    gl_secret_done(&secret);
    assert_null(secret.bytes);
    assert_int_equal(secret.length, 0);
    gl_secret_done(&secret);

    gl_key_of_seed(seed, &key, &public_key);
    assert_memory_not_equal(&key, &zero, sizeof key);
    gl_secret_key_wipe(&key);
    assert_memory_equal(&key, &zero, sizeof key);
    gl_wipe(seed, sizeof seed);
    assert_memory_equal(seed, &zero, sizeof seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ed25519_gives_the_published_signatures),
        cmocka_unit_test(a_signature_has_one_form_only),
        cmocka_unit_test(hmac_gives_the_published_codes),
        cmocka_unit_test(sha256_gives_the_published_hashes),
        cmocka_unit_test(bytes_in_pieces_hash_like_the_whole),
        cmocka_unit_test(a_file_is_hashed_like_its_bytes),
        cmocka_unit_test(hex_is_strict),
        cmocka_unit_test(base64_gives_the_published_texts),
        cmocka_unit_test(base64_is_strict),
        cmocka_unit_test(every_byte_survives_base64),
        cmocka_unit_test(secrets_compare_and_wipe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
