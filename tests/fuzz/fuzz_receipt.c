/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts from arbitrary bytes. A first byte 'e' takes them as evidence that the broker itself
 * signs, with the plain records in meter.records chained and signed by a guest's root: what can be
 * accounted for must verify, be in order, and sum. 'd' signs a whole document of evidence and
 * derived numbers: it verifies only when they follow. Anything else is verified as it is. */
#include "broker/account.h"
#include "broker/receipt.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/make_batches.c"

#define LAUNCH "gl-4k2p9xyz"
#define START  INT64_C(1767225600000)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct gl_secret_key secret;
static struct gl_public_key key;

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* ---- plain bytes ---- */

static void verify(const char *bytes, size_t size, bool must_hold)
{
    struct gl_receipt_check check = {.readings = 77};
    struct gl_error err = {0};

    if (gl_receipt_verify(bytes, size, NULL, &check, &err) == 0) {
        must(json_is_object(check.receipt) && check.key[0] != '\0');
        gl_receipt_check_done(&check);
        return;
    }
    must(!must_hold);
    must(check.readings == 77);
    must(err.code == GL_E_SYNTAX || err.code == GL_E_TOO_LARGE || err.code == GL_E_NOT_VERIFIED ||
         err.code == GL_E_TAMPERED);
}

/* ---- evidence ---- */

/* Records of a guest that has its key: chained and signed whatever they say. */
static void sign_records(json_t *evidence)
{
    static struct fake_meter meter;
    json_t *part = json_object_get(evidence, "meter");
    json_t *records = json_object_get(part, "records"), *record, *batches = json_array();
    char token[GL_HASH_HEX];
    size_t i;

    fake_meter_init(&meter, LAUNCH, 7, START);
    json_array_foreach(records, i, record)
    {
        struct gl_reading *reading = &meter.made[meter.count];
        struct gl_error err = {0};
        GL_AUTO(gl_auto_free) char *text = gl_json_canonical(record, &err);

        if (meter.count == 60 || text == NULL ||
            gl_reading_parse(text, strlen(text), reading, &err) != 0)
            continue;
        reading->seq = meter.count + 1;
        memset(&reading->previous, 0, sizeof reading->previous);
        if (meter.count > 0)
            fake_reading_hash(reading - 1, &reading->previous);
        memcpy(reading->launch, LAUNCH, sizeof LAUNCH);
        meter.count++;
    }
    if (meter.count > 0)
        json_array_append_new(batches, fake_batch(&meter, 0, meter.count));
    json_object_del(part, "records");
    json_object_set_new(part, "batches", batches);
    json_object_set_new(part, "enrolment", fake_enrolment(&meter));
    json_object_set_new(part, "token",
                        json_string(gl_hex_text(meter.token, sizeof meter.token, token)));
    json_object_set_new(evidence, "launch", json_string(LAUNCH));
}

static int64_t part_of(const json_t *object, const char *name, size_t which)
{
    return json_integer_value(json_array_get(json_object_get(object, name), which));
}

static void check_order(const json_t *object, const char *name)
{
    if (json_is_null(json_object_get(object, name)))
        return;
    must(json_array_size(json_object_get(object, name)) == 3);
    must(part_of(object, name, 0) >= 0);
    must(part_of(object, name, 0) <= part_of(object, name, 1));
    must(part_of(object, name, 1) <= part_of(object, name, 2));
}

static void check_derived(const json_t *derived)
{
    static const char *const bands[] = {"energy_mj", "facility_mj", "operational_ug", "embodied_ug",
                                        "total_ug"};
    const json_t *footprint = json_object_get(derived, "footprint");
    const json_t *slots = json_object_get(derived, "slots");
    const json_t *slot;
    size_t i;

    for (i = 0; i < sizeof bands / sizeof bands[0]; i++)
        check_order(footprint, bands[i]);
    for (size_t b = 0; b < 3; b++) {
        int64_t sum = 0;

        json_array_foreach(slots, i, slot) sum += part_of(slot, "energy_mj", b);
        must(sum == part_of(footprint, "energy_mj", b));
    }
}

static void account_for(json_t *evidence)
{
    struct gl_error err = {0};
    json_t *derived = NULL;
    char *receipt;

    if (json_is_array(json_object_get(json_object_get(evidence, "meter"), "records")))
        sign_records(evidence);
    if (gl_account(evidence, &derived, &err) != 0) {
        must(derived == NULL && err.code != GL_OK);
        return;
    }
    check_derived(derived);
    json_decref(derived);
    receipt = gl_receipt_make(evidence, &secret, &key, &err);
    if (receipt != NULL) /* evidence may hold reals, which have no signed form */
        verify(receipt, strlen(receipt), true);
    free(receipt);
}

/* ---- documents ---- */

static void sign_document(json_t *document)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    GL_AUTO(gl_auto_free) char *whole = NULL;
    char hex[2 * GL_KEY_BYTES + 1], base64[4 * ((GL_SIGNATURE_BYTES + 2) / 3) + 1];
    struct gl_signature signature;
    struct gl_error err = {0};

    json_object_del(document, "signature");
    text = gl_json_canonical(document, &err);
    if (text == NULL)
        return;
    gl_sign(&secret, text, strlen(text), &signature);
    json_object_set_new(document, "signature",
                        json_pack("{s:s,s:s}", "key", gl_hex_text(key.bytes, GL_KEY_BYTES, hex),
                                  "sig",
                                  gl_base64_text(signature.bytes, sizeof signature.bytes, base64)));
    whole = gl_json_canonical(document, &err);
    if (whole != NULL)
        verify(whole, strlen(whole), false);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct gl_error err = {0};
    json_t *value;

    gl_key_of_seed((const uint8_t[32]){1}, &secret, &key);
    if (size == 0 || (bytes[0] != 'e' && bytes[0] != 'd')) {
        verify((const char *)bytes, size, false);
        return 0;
    }
    value = gl_json_parse((const char *)bytes + 1, size - 1, "fuzz", &err);
    if (json_is_object(value) && bytes[0] == 'e')
        account_for(value);
    else if (json_is_object(value))
        sign_document(value);
    json_decref(value);
    return 0;
}
