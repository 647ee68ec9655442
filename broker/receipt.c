/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/receipt.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "broker/account.h"
#include "broker/receipt_shape.h"
#include "broker/seal.h"
#include "broker/tie.h"

/* ---- making ---- */

char *gl_receipt_make(const json_t *evidence, const struct gl_secret_key *secret,
                      const struct gl_public_key *key, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *document = NULL;
    json_t *derived;
    char *out;

    if (gl_receipt_shape_check(evidence, err) != 0 || gl_tie_check(evidence, err) != 0 ||
        gl_account(evidence, &derived, err) != 0) {
        gl_wrap(err, "the receipt cannot be made");
        return NULL;
    }
    document = json_pack("{s:i,s:o,s:o}", "greenlaunch_receipt", 1, "evidence",
                         json_deep_copy(evidence), "derived", derived);
    out = gl_seal(document, secret, key, err);
    if (out == NULL || strlen(out) <= GL_RECEIPT_MAX_BYTES)
        return out;
    free(out);
    gl_fail(err, GL_E_TOO_LARGE, "the receipt would be larger than %zu MiB",
            GL_RECEIPT_MAX_BYTES >> 20);
    return NULL;
}

/* ---- verifying ---- */

static void scalar_text(const json_t *value, char *out, size_t size)
{
    GL_AUTO(gl_auto_free)
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);

    snprintf(out, size, "%s", text != NULL ? text : "absent");
}

static int differ(const char *path, const json_t *found, const json_t *expected,
                  struct gl_error *err)
{
    char left[80], right[80];

    scalar_text(found, left, sizeof left);
    scalar_text(expected, right, sizeof right);
    return gl_fail(err, GL_E_NOT_VERIFIED, "%s is %s, the evidence gives %s", path, left, right);
}

static const json_t *member_at(const json_t *container, const char *key, size_t index)
{
    return key != NULL ? json_object_get(container, key) : json_array_get(container, index);
}

static int compare(const char *path, const json_t *found, const json_t *expected,
                   struct gl_error *err);

/* The member `key` of two objects, or the item `index` of two arrays when it is NULL. */
static int compare_member(const char *path, const char *key, size_t index, const json_t *found,
                          const json_t *expected, struct gl_error *err)
{
    char inner[256];

    if (key != NULL)
        snprintf(inner, sizeof inner, "%s.%s", path, key);
    else
        snprintf(inner, sizeof inner, "%s[%zu]", path, index);
    return compare(inner, member_at(found, key, index), member_at(expected, key, index), err);
}

/* Both come from our own writer or passed the depth ceiling of the parser, so the recursion is
 * bounded. */
static int compare(const char *path, const json_t *found, const json_t *expected,
                   struct gl_error *err)
{
    const json_t *const both[] = {expected, found};
    const char *key;
    size_t index;
    json_t *item;

    if (found == NULL || expected == NULL || json_typeof(found) != json_typeof(expected))
        return differ(path, found, expected, err);
    /* The second round finds what the evidence does not give. */
    for (int side = 0; side < 2; side++) {
        json_t *container = (json_t *)(uintptr_t)both[side]; /* the iterators want it non-const */

        json_object_foreach(container, key, item) if (compare_member(path, key, 0, found, expected,
                                                                     err) != 0) return -1;
        json_array_foreach(container, index,
                           item) if (compare_member(path, NULL, index, found, expected, err) !=
                                     0) return -1;
    }
    return json_equal(found, expected) ? 0 : differ(path, found, expected, err);
}

static int check_derived(const json_t *document, struct gl_receipt_check *check,
                         struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *expected = NULL;
    json_t *evidence, *derived;
    const char *launch;
    int64_t readings;

    if (gl_json_object(document, "evidence", &evidence, err) != 0 ||
        gl_json_object(document, "derived", &derived, err) != 0 ||
        gl_receipt_shape_check(evidence, err) != 0 ||
        gl_json_string(evidence, "launch", &launch, err) != 0 || gl_tie_check(evidence, err) != 0 ||
        gl_account(evidence, &expected, err) != 0 ||
        compare("derived", derived, expected, err) != 0 ||
        gl_json_int(json_object_get(expected, "meter"), "readings", 0, INT64_MAX, &readings, err) !=
            0)
        return -1;
    snprintf(check->launch, sizeof check->launch, "%s", launch);
    check->readings = (size_t)readings;
    check->is_demo = json_is_true(json_object_get(evidence, "demo"));
    return 0;
}

int gl_receipt_verify(const char *bytes, size_t length, const struct gl_public_key *key,
                      struct gl_receipt_check *out, struct gl_error *err)
{
    struct gl_receipt_check check = {0};
    GL_AUTO(gl_auto_json) json_t *document = gl_json_parse(bytes, length, "receipt", err);
    int64_t version;

    if (document == NULL)
        return -1;
    if (gl_json_int(document, "greenlaunch_receipt", 1, 1, &version, err) != 0) {
        gl_error_clear(err);
        return gl_fail(err, GL_E_SYNTAX, "this is no greenlaunch receipt of version 1");
    }
    check.is_key_given = key != NULL;
    if (gl_seal_check(document, key, check.key, err) != 0 ||
        check_derived(document, &check, err) != 0) {
        /* It is a receipt, whatever is wrong inside it. */
        if (err->code != GL_E_TAMPERED)
            err->code = GL_E_NOT_VERIFIED;
        return -1;
    }
    check.receipt = json_incref(document);
    *out = check;
    return 0;
}

void gl_receipt_check_done(struct gl_receipt_check *check)
{
    json_decref(check->receipt);
    *check = (struct gl_receipt_check){0};
}

/* ---- keys ---- */

static int make_key(const char *folder, const struct gl_world *world, uint8_t seed[32],
                    struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *secret_path = gl_path_join(folder, "broker.key");
    GL_AUTO(gl_auto_free) char *public_path = gl_path_join(folder, "broker.pub");
    struct gl_secret_key secret;
    struct gl_public_key key;
    char hex[2 * GL_KEY_BYTES + 2];

    world->random(world->cookie, seed, 32);
    gl_key_of_seed(seed, &secret, &key);
    gl_secret_key_wipe(&secret);
    gl_hex_text(key.bytes, GL_KEY_BYTES, hex);
    memcpy(hex + 2 * GL_KEY_BYTES, "\n", 2);
    if (gl_file_write(public_path, hex, strlen(hex), 0644, err) != 0)
        return -1;
    return gl_file_write(secret_path, seed, 32, 0600, err);
}

/* The key on disk, made when there is none; two processes must not make two. */
static int read_or_make(const char *folder, const struct gl_world *world, uint8_t seed[32],
                        struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, "broker.key");
    GL_AUTO(gl_auto_free) char *lock_path = gl_path_join(folder, "broker.lock");
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    GL_AUTO(gl_auto_close) int lock = gl_file_lock(lock_path, 10000, err);
    size_t length;

    if (lock < 0)
        return -1;
    if (!gl_file_exists(path))
        return make_key(folder, world, seed, err);
    if (gl_file_read(path, 64, &bytes, &length, err) != 0)
        return -1;
    if (length != 32)
        return gl_fail(err, GL_E_CONFIG, "%s is not a key of 32 bytes", path);
    memcpy(seed, bytes, 32);
    gl_wipe(bytes, length);
    return 0;
}

int gl_broker_key(const char *folder, const struct gl_world *world, struct gl_secret_key *secret,
                  struct gl_public_key *key, struct gl_error *err)
{
    uint8_t seed[32];

    if (read_or_make(folder, world, seed, err) != 0)
        return gl_wrap(err, "the signing key");
    gl_key_of_seed(seed, secret, key);
    gl_wipe(seed, sizeof seed);
    return 0;
}

int gl_public_key_read(const char *path_or_hex, struct gl_public_key *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    struct gl_public_key key;
    size_t length;

    if (strlen(path_or_hex) == 2 * GL_KEY_BYTES &&
        strspn(path_or_hex, "0123456789abcdefABCDEF") == 2 * GL_KEY_BYTES)
        return gl_hex_parse(path_or_hex, out->bytes, sizeof out->bytes, err);
    if (gl_file_read_given(path_or_hex, 256, &bytes, &length, err) != 0)
        return -1;
    bytes[strcspn(bytes, "\r\n")] = '\0';
    if (gl_hex_parse(bytes, key.bytes, sizeof key.bytes, err) != 0)
        return gl_wrap(err, "%s is no public key (64 hex digits)", path_or_hex);
    *out = key;
    return 0;
}
