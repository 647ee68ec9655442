/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sign.h"

#include "base/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(sizeof((struct gl_secret_key *)0)->expanded == crypto_sign_ed25519_SECRETKEYBYTES,
               "libsodium's Ed25519 secret key fits");
_Static_assert(GL_SIGNATURE_BYTES == crypto_sign_ed25519_BYTES, "libsodium's signature fits");
_Static_assert(GL_HASH_BYTES == crypto_hash_sha256_BYTES, "libsodium's SHA-256 fits");

/* Without it libsodium uses its portable code and no random source: refuse to go on. The call
 * itself is idempotent and cheap after the first time. */
static void sodium_ready(void)
{
    if (sodium_init() < 0)
        abort();
}

/* libsodium declares its message arguments nonnull; an empty message has no bytes to point at. */
static const unsigned char *message_of(const void *bytes)
{
    static const unsigned char none[1];

    return bytes != NULL ? bytes : none;
}

/* ---- hashes ---- */

#define BLOCK_BYTES ((size_t)64)
#define LONG_BYTES  ((size_t)8 << 10) /* from here on it pays to ask what the processor can */

/* libsodium's state, and what the processor can once that was asked. */
struct hasher {
    crypto_hash_sha256_state state;
    enum { NOT_ASKED, CANNOT, CAN } fast;
};

static struct hasher *hasher_of(struct gl_hasher *hasher)
{
    _Static_assert(sizeof(struct hasher) <= sizeof hasher->state, "room for the state");
    return (struct hasher *)(void *)hasher->state;
}

static bool is_fast(struct hasher *hasher)
{
    if (hasher->fast == NOT_ASKED)
        hasher->fast = gl_sha256_can() ? CAN : CANNOT;
    return hasher->fast == CAN;
}

/* The whole blocks of a long message, once libsodium holds no part of one; how many bytes. Its
 * state is what FIPS 180-4 prescribes and its header declares: eight words, and a count of bits. */
static size_t add_blocks(struct hasher *hasher, const unsigned char *bytes, size_t length)
{
    size_t held = (size_t)(hasher->state.count / 8 % BLOCK_BYTES);
    size_t before = (BLOCK_BYTES - held) % BLOCK_BYTES, blocks;

    if (length < LONG_BYTES || !is_fast(hasher))
        return 0;
    crypto_hash_sha256_update(&hasher->state, bytes, before);
    blocks = (length - before) / BLOCK_BYTES;
    gl_sha256_blocks(hasher->state.state, bytes + before, blocks);
    hasher->state.count += (uint64_t)blocks * BLOCK_BYTES * 8;
    return before + blocks * BLOCK_BYTES;
}

void gl_hasher_init(struct gl_hasher *hasher)
{
    sodium_ready();
    crypto_hash_sha256_init(&hasher_of(hasher)->state);
    hasher_of(hasher)->fast = NOT_ASKED;
}

void gl_hasher_add(struct gl_hasher *hasher, const void *bytes, size_t length)
{
    const unsigned char *message = message_of(bytes);
    size_t done = add_blocks(hasher_of(hasher), message, length);

    crypto_hash_sha256_update(&hasher_of(hasher)->state, message + done, length - done);
}

void gl_hasher_end(struct gl_hasher *hasher, struct gl_hash *out)
{
    crypto_hash_sha256_final(&hasher_of(hasher)->state, out->bytes);
}

void gl_hash_of(const void *bytes, size_t length, struct gl_hash *out)
{
    struct gl_hasher hasher;

    gl_hasher_init(&hasher);
    gl_hasher_add(&hasher, bytes, length);
    gl_hasher_end(&hasher, out);
}

static int hash_fd(int fd, const char *path, struct gl_hash *out, struct gl_error *err)
{
    unsigned char buffer[16384];
    struct gl_hasher hasher;

    gl_hasher_init(&hasher);
    for (;;) {
        ssize_t got = read(fd, buffer, sizeof buffer);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return gl_fail_sys(err, GL_E_IO, errno, "cannot read %s", path);
        if (got == 0)
            break;
        gl_hasher_add(&hasher, buffer, (size_t)got);
    }
    gl_hasher_end(&hasher, out);
    return 0;
}

int gl_hash_of_file(const char *path, struct gl_hash *out, struct gl_error *err)
{
    /* O_NONBLOCK: a FIFO must be refused, not waited for. */
    GL_AUTO(gl_auto_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat info;

    sodium_ready();
    if (fd < 0 || fstat(fd, &info) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open %s", path);
    if (!S_ISREG(info.st_mode))
        return gl_fail(err, GL_E_IO, "%s is not a regular file", path);
    return hash_fd(fd, path, out, err);
}

char *gl_hash_hex(const struct gl_hash *hash, char out[GL_HASH_HEX])
{
    return gl_hex_text(hash->bytes, sizeof hash->bytes, out);
}

bool gl_hash_equal(const struct gl_hash *a, const struct gl_hash *b)
{
    return sodium_memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

void gl_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length,
                    struct gl_hash *out)
{
    crypto_auth_hmacsha256_state state;

    sodium_ready();
    crypto_auth_hmacsha256_init(&state, message_of(key), key_length);
    crypto_auth_hmacsha256_update(&state, message_of(bytes), length);
    crypto_auth_hmacsha256_final(&state, out->bytes);
    sodium_memzero(&state, sizeof state);
}

void gl_hmac_sha512(const void *key, size_t key_length, const void *bytes, size_t length,
                    uint8_t out[GL_SHA512_BYTES])
{
    crypto_auth_hmacsha512_state state;

    sodium_ready();
    crypto_auth_hmacsha512_init(&state, message_of(key), key_length);
    crypto_auth_hmacsha512_update(&state, message_of(bytes), length);
    crypto_auth_hmacsha512_final(&state, out);
    sodium_memzero(&state, sizeof state);
}

void gl_key_of_seed(const uint8_t seed[32], struct gl_secret_key *out_secret,
                    struct gl_public_key *out_public)
{
    sodium_ready();
    memcpy(out_secret->seed, seed, sizeof out_secret->seed);
    crypto_sign_ed25519_seed_keypair(out_public->bytes, out_secret->expanded, seed);
}

void gl_sign(const struct gl_secret_key *key, const void *bytes, size_t length,
             struct gl_signature *out)
{
    sodium_ready();
    crypto_sign_ed25519_detached(out->bytes, NULL, message_of(bytes), length, key->expanded);
}

bool gl_signature_holds(const struct gl_public_key *key, const void *bytes, size_t length,
                        const struct gl_signature *signature)
{
    sodium_ready();
    return crypto_sign_ed25519_verify_detached(signature->bytes, message_of(bytes), length,
                                               key->bytes) == 0;
}

void gl_secret_key_wipe(struct gl_secret_key *key)
{
    sodium_memzero(key, sizeof *key);
}

char *gl_hex_text(const void *bytes, size_t length, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *in = bytes;

    for (size_t i = 0; i < length; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    out[2 * length] = '\0';
    return out;
}

/* Lower case only: one text form for one value. */
static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

static bool is_hex(const char *text, size_t length)
{
    if (strlen(text) != 2 * length)
        return false;
    for (size_t i = 0; i < 2 * length; i++)
        if (hex_digit(text[i]) < 0)
            return false;
    return true;
}

int gl_hex_parse(const char *text, void *out, size_t length, struct gl_error *err)
{
    uint8_t *bytes = out;

    if (!is_hex(text, length))
        return gl_fail(err, GL_E_BAD_VALUE, "not %zu lower-case hex digits", 2 * length);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
    return 0;
}

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *gl_base64_text(const void *bytes, size_t length, char *out)
{
    const uint8_t *in = bytes;
    char *at = out;

    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t group = (uint32_t)in[i] << 16;

        if (left > 1)
            group |= (uint32_t)in[i + 1] << 8;
        if (left > 2)
            group |= in[i + 2];
        *at++ = base64_alphabet[group >> 18 & 63];
        *at++ = base64_alphabet[group >> 12 & 63];
        *at++ = left > 1 ? base64_alphabet[group >> 6 & 63] : '=';
        *at++ = left > 2 ? base64_alphabet[group & 63] : '=';
    }
    *at = '\0';
    return out;
}

static int base64_digit(char c)
{
    const char *at = c != '\0' ? strchr(base64_alphabet, c) : NULL;

    return at != NULL ? (int)(at - base64_alphabet) : -1;
}

/* Digits before the padding of a well-formed text; -1 for anything else. Bits that the padding
 * leaves over must be zero, so that one value has one text. */
static ptrdiff_t base64_digits(const char *text)
{
    size_t length = strlen(text), digits = length;

    if (length % 4 != 0)
        return -1;
    while (digits > 0 && length - digits < 2 && text[digits - 1] == '=')
        digits--;
    for (size_t i = 0; i < digits; i++)
        if (base64_digit(text[i]) < 0)
            return -1;
    if (digits % 4 == 2 && (base64_digit(text[digits - 1]) & 15) != 0)
        return -1;
    if (digits % 4 == 3 && (base64_digit(text[digits - 1]) & 3) != 0)
        return -1;
    return (ptrdiff_t)digits;
}

int gl_base64_parse(const char *text, void *out, size_t capacity, size_t *out_length,
                    struct gl_error *err)
{
    ptrdiff_t digits = base64_digits(text);
    uint8_t *bytes = out;
    size_t length = 0;
    uint32_t bits = 0;

    if (digits < 0)
        return gl_fail(err, GL_E_BAD_VALUE, "not padded base64");
    if ((size_t)digits * 3 / 4 > capacity)
        return gl_fail(err, GL_E_BAD_VALUE, "base64 of more than %zu bytes", capacity);
    for (size_t i = 0; i < (size_t)digits; i++) {
        bits = bits << 6 | (uint32_t)base64_digit(text[i]);
        if (i % 4 != 0)
            bytes[length++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    *out_length = length;
    return 0;
}

void gl_secret_init(struct gl_secret *secret, const void *bytes, size_t length)
{
    secret->bytes = gl_alloc(length);
    secret->length = length;
    if (length > 0)
        memcpy(secret->bytes, bytes, length);
}

/* The length of a secret is not secret; its bytes are. */
bool gl_secret_equal(const struct gl_secret *secret, const void *bytes, size_t length)
{
    return secret->length == length && sodium_memcmp(secret->bytes, bytes, length) == 0;
}

void gl_secret_done(struct gl_secret *secret)
{
    if (secret->bytes != NULL)
        sodium_memzero(secret->bytes, secret->length);
    free(secret->bytes);
    *secret = (struct gl_secret){0};
}

void gl_wipe(void *memory, size_t length)
{
    sodium_memzero(memory, length);
}
