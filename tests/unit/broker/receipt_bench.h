/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_RECEIPT_BENCH_H
#define GL_TESTS_RECEIPT_BENCH_H

/* A good receipt, and what tests of receipts do to one. For test_receipt*.c, one program each. */

#include "broker/receipt.h"

#include "tests/support/make_evidence.h"

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
#include "tests/support/make_evidence.c"

#define LAUNCH "gl-4k2p9xyz"
#define START  INT64_C(1767225600000)

static struct gl_secret_key secret, other_secret;
static struct gl_public_key key, other_key;
static char *receipt;

static inline int set_up(void **state)
{
    static struct fake_meter meter;
    struct gl_error err = {0};
    json_t *evidence;

    (void)state;
    gl_key_of_seed((const uint8_t[32]){1}, &secret, &key);
    gl_key_of_seed((const uint8_t[32]){2}, &other_secret, &other_key);
    fake_meter_init(&meter, LAUNCH, 3, START);
    fake_meter_read_many(&meter, 2);
    meter.next.gap_ms = 3000;
    fake_meter_read_final(&meter);
    evidence = fake_evidence(&meter, LAUNCH, START, START + 7000);
    receipt = gl_receipt_make(evidence, &secret, &key, &err);
    json_decref(evidence);
    return receipt != NULL ? 0 : -1;
}

static inline int tear_down(void **state)
{
    (void)state;
    free(receipt);
    return 0;
}

static inline json_t *document(void)
{
    struct gl_error err = {0};

    return gl_json_parse(receipt, strlen(receipt), "receipt", &err);
}

static inline char *text_of(const json_t *value)
{
    struct gl_error err = {0};
    char *text = gl_json_canonical(value, &err);

    assert_non_null(text);
    return text;
}

/* Sign again what was changed, as whoever has that key would. */
static inline void sign_again(json_t *changed, const struct gl_secret_key *with,
                              const struct gl_public_key *public_key)
{
    char hex[2 * GL_KEY_BYTES + 1], base64[4 * ((GL_SIGNATURE_BYTES + 2) / 3) + 1];
    struct gl_signature signature;
    char *text;

    json_object_del(changed, "signature");
    text = text_of(changed);
    gl_sign(with, text, strlen(text), &signature);
    free(text);
    json_object_set_new(changed, "signature",
                        json_pack("{s:s,s:s}", "key",
                                  gl_hex_text(public_key->bytes, GL_KEY_BYTES, hex), "sig",
                                  gl_base64_text(signature.bytes, sizeof signature.bytes, base64)));
}

/* Verify; fills *err. */
static inline int verify_text(const char *text, size_t length, const struct gl_public_key *with,
                              struct gl_error *err)
{
    struct gl_receipt_check check = {.readings = 77};
    int result;

    gl_error_clear(err);
    result = gl_receipt_verify(text, length, with, &check, err);
    if (result == 0)
        gl_receipt_check_done(&check);
    else
        assert_true(check.readings == 77 && check.receipt == NULL);
    assert_int_equal(result == 0, err->code == GL_OK);
    return result;
}

static inline int verify_json(const json_t *changed, const struct gl_public_key *with,
                              struct gl_error *err)
{
    char *text = text_of(changed);
    int result = verify_text(text, strlen(text), with, err);

    free(text);
    return result;
}

static inline void put(json_t *container, const char *name, size_t index, json_t *value)
{
    if (name != NULL)
        json_object_set_new(container, name, value);
    else
        json_array_set_new(container, index, value);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
