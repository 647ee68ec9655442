/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/proof.h"

#include "broker/receipt.h"
#include "broker/tie.h"
#include "tests/support/make_evidence.h"

/* Unit tests link archives only. */
#include "tests/support/make_batches.c"
#include "tests/support/make_evidence.c"

#include "tests/unit/broker/ledger_bench.h" /* its names are short and global */

#define LAUNCH "gl-4k2p9xyz"
#define START  INT64_C(1767225600000)

static struct gl_launch_row row_of(const char *region, const char *id)
{
    static char launch[] = LAUNCH, cloud[] = "aws";

    return (struct gl_launch_row){.launch = launch,
                                  .cloud = cloud,
                                  .region = (char *)(uintptr_t)region,
                                  .instance = (char *)(uintptr_t)id};
}

static const struct gl_identity proved = {.grade = GL_IDENTITY_B,
                                          .provider = "aws",
                                          .account = "123456789012",
                                          .region = "eu-west-1",
                                          .zone = "eu-west-1b",
                                          .instance = "i-1234567890abcdef0",
                                          .document = {{0xab, 0xcd}}};

static json_t *instance_of(const char *region, const char *id)
{
    return json_pack("{s:s,s:s,s:s}", "cloud", "aws", "region", region, "id", id);
}

/* What the ledger would put into the receipt. */
static json_t *sealed(const char *region, const char *id)
{
    struct gl_ledger *ledger = must_open();
    json_t *instance = instance_of(region, id);

    assert_int_equal(gl_tie_seal(ledger, LAUNCH, "t", instance, &err), 0);
    gl_ledger_close(ledger);
    return instance;
}

static void record(const struct gl_identity *identity, const char *region, const char *id)
{
    struct gl_ledger *ledger = must_open();
    struct gl_launch_row row = row_of(region, id);

    assert_int_equal(gl_proof_record(ledger, &row, identity, (struct gl_instant){1767225700}, &err),
                     0);
    gl_ledger_close(ledger);
}

static void holds(json_t *instance)
{
    GL_AUTO(gl_auto_json) json_t *evidence = json_pack("{s:o}", "instance", instance);

    gl_error_clear(&err);
    if (gl_proof_check(evidence, &err) != 0 || gl_proof_stands(evidence, &err) != 0)
        fail_msg("%s", err.text);
}

static void refused(json_t *instance, const char *says)
{
    GL_AUTO(gl_auto_json) json_t *evidence = json_pack("{s:o}", "instance", instance);

    gl_error_clear(&err);
    assert_int_equal(gl_proof_check(evidence, &err), -1);
    assert_int_equal(err.code, GL_E_NOT_VERIFIED);
    if (strstr(err.text, says) == NULL)
        fail_msg("not \"%s\": %s", says, err.text);
    gl_error_clear(&err);
}

static void a_proof_gets_into_the_receipt_without_the_document(void **state)
{
    json_t *instance, *proof;
    char *text;

    (void)state;
    record(&proved, "eu-west-1", "eu-west-1/i-1234567890abcdef0");
    instance = sealed("eu-west-1", "eu-west-1/i-1234567890abcdef0");
    proof = json_object_get(instance, "identity");
    assert_string_equal(json_string_value(json_object_get(proof, "grade")), "B");
    assert_string_equal(json_string_value(json_object_get(proof, "region")), "eu-west-1");
    assert_string_equal(json_string_value(json_object_get(proof, "availability_zone")),
                        "eu-west-1b");
    assert_int_equal(json_integer_value(json_object_get(proof, "verified_s")), 1767225700);
    assert_memory_equal(json_string_value(json_object_get(proof, "document_sha256")), "abcd0000",
                        8);
    text = json_dumps(instance, 0);
    assert_null(strstr(text, "123456789012")); /* whose account it is, is nobody's business */
    free(text);
    holds(instance);
}

static void a_launch_without_one_is_as_before(void **state)
{
    (void)state;
    holds(sealed("eu-west-1", "i-1"));
}

static void in_doubt(json_t *instance, const char *member)
{
    GL_AUTO(gl_auto_json) json_t *evidence = json_pack("{s:o}", "instance", instance);
    const json_t *proof = json_object_get(instance, "identity");

    assert_string_equal(json_string_value(json_object_get(proof, "contradicts")), member);
    assert_string_equal(json_string_value(json_object_get(proof, "grade")), "D");
    assert_int_equal(gl_proof_check(evidence, &err), 0);
    assert_int_equal(gl_proof_stands(evidence, &err), -1);
    assert_int_equal(err.code, GL_E_NOT_VERIFIED);
    assert_non_null(strstr(err.text, member));
    gl_error_clear(&err);
}

/* The launch can be closed, and nobody can miss it; what comes later does not heal it. */
static void a_contradiction_stays(void **state)
{
    (void)state;
    record(&proved, "eu-central-1", "i-1234567890abcdef0");
    record(&proved, "eu-west-1", "i-1234567890abcdef0");
    in_doubt(sealed("eu-central-1", "i-1234567890abcdef0"), "region");
    in_doubt(sealed("eu-west-1", "i-1234567890abcdef0"), "region");
}

static void another_instance_is_a_contradiction(void **state)
{
    (void)state;
    record(&proved, "eu-west-1", "eu-west-1/i-0000000000000000f");
    in_doubt(sealed("eu-west-1", "eu-west-1/i-0000000000000000f"), "instance");
}

static void another_cloud_is_a_contradiction(void **state)
{
    struct gl_identity other = proved;

    (void)state;
    other.provider = "gcp";
    record(&other, "eu-west-1", "i-1234567890abcdef0");
    in_doubt(sealed("eu-west-1", "i-1234567890abcdef0"), "provider");
}

/* It was right when it was verified; then the instance went elsewhere. */
static void a_place_that_was_left_proves_nothing(void **state)
{
    GL_AUTO(gl_auto_json) json_t *instance = NULL;

    (void)state;
    record(&proved, "eu-west-1", "i-1234567890abcdef0");
    instance = sealed("eu-north-1", "i-99");
    assert_null(json_object_get(instance, "identity"));
}

static json_t *with(const char *key, json_t *value)
{
    json_t *instance = instance_of("eu-west-1", "i-1");
    json_t *proof = json_pack("{s:s,s:s,s:s,s:s,s:I,s:s}", "grade", "A", "provider", "aws",
                              "region", "eu-west-1", "instance", "i-1", "verified_s",
                              (json_int_t)START / 1000, "document_sha256",
                              "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789");

    if (value != NULL)
        json_object_set_new(proof, key, value);
    else
        json_object_del(proof, key);
    json_object_set_new(instance, "identity", proof);
    return instance;
}

static void what_does_not_fit_is_named(void **state)
{
    (void)state;
    holds(with("unused", NULL));
    holds(with("region", NULL)); /* Azure's document has none */
    refused(with("grade", json_string("E")), "identity.grade");
    refused(with("grade", json_string("AB")), "identity.grade");
    refused(with("grade", NULL), "identity.grade");
    refused(with("provider", json_string("gcp")), "identity.provider");
    refused(with("provider", NULL), "identity.provider");
    refused(with("region", json_string("eu-west-2")), "identity.region");
    refused(with("instance", json_string("i-2")), "identity.instance");
    refused(with("instance", NULL), "identity.instance");
    refused(with("verified_s", json_string("now")), "identity.verified_s");
    refused(with("document_sha256", json_string("abcd")), "identity.document_sha256");
    refused(with("contradicts", json_string("region")), "identity.grade");
}

/* The whole way: a signed receipt whose proof fits is made and verified, one that lies is not made,
 * and one that was altered afterwards is not verified. */
static void a_receipt_carries_it(void **state)
{
    GL_AUTO(gl_auto_json) json_t *evidence = fake_evidence(NULL, LAUNCH, START, START + 60000);
    json_t *instance = json_object_get(evidence, "instance");
    GL_AUTO(gl_auto_json) json_t *other = with("unused", NULL);
    json_t *proof = json_object_get(other, "identity");
    struct gl_receipt_check check;
    struct gl_secret_key secret;
    struct gl_public_key key;
    char *receipt;

    (void)state;
    gl_key_of_seed((const uint8_t[32]){1}, &secret, &key);
    json_object_set_new(instance, "cloud", json_string("aws"));
    json_object_set_new(instance, "region", json_string("eu-west-1"));
    json_object_set_new(instance, "id", json_string("i-1"));
    json_object_set(instance, "identity", proof);
    receipt = gl_receipt_make(evidence, &secret, &key, &err);
    if (receipt == NULL)
        fail_msg("%s", err.text);
    assert_int_equal(gl_receipt_verify(receipt, strlen(receipt), &key, &check, &err), 0);
    gl_receipt_check_done(&check);
    memcpy(strstr(receipt, "\"grade\":\"A\""), "\"grade\":\"B\"", 11);
    assert_int_equal(gl_receipt_verify(receipt, strlen(receipt), &key, &check, &err), -1);
    free(receipt);
    gl_error_clear(&err);
    json_object_set_new(proof, "instance", json_string("i-2"));
    assert_null(gl_receipt_make(evidence, &secret, &key, &err));
    assert_non_null(strstr(err.text, "evidence.instance.identity.instance"));
}

#define IN_LEDGER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_LEDGER(a_proof_gets_into_the_receipt_without_the_document),
        IN_LEDGER(a_launch_without_one_is_as_before),
        IN_LEDGER(a_contradiction_stays),
        IN_LEDGER(another_instance_is_a_contradiction),
        IN_LEDGER(another_cloud_is_a_contradiction),
        IN_LEDGER(a_place_that_was_left_proves_nothing),
        cmocka_unit_test(what_does_not_fit_is_named),
        cmocka_unit_test(a_receipt_carries_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
