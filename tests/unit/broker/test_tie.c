/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/tie.h"

#include "broker/receipt.h"
#include "tests/support/make_evidence.h"

/* Unit tests link archives only. */
#include "tests/support/make_batches.c"
#include "tests/support/make_evidence.c"

#include "tests/unit/broker/ledger_bench.h" /* its names are short and global */

#define LAUNCH "gl-4k2p9xyz"
#define START  INT64_C(1767225600000)
#define FROM   (START / 1000)

static json_t *evidence(void)
{
    return fake_evidence(NULL, LAUNCH, START, START + 60000);
}

static json_t *part(json_t *whole, const char *object)
{
    return object != NULL ? json_object_get(whole, object) : whole;
}

/* The document is really signed by the broker's key, and refused for what it says. Takes it. */
static void assert_refused(json_t *changed, const char *says)
{
    struct gl_secret_key secret;
    struct gl_public_key key;
    char *receipt;

    gl_error_clear(&err);
    gl_key_of_seed((const uint8_t[32]){1}, &secret, &key);
    if (gl_tie_check(changed, &err) == 0)
        fail_msg("not refused: %s", says);
    assert_int_equal(err.code, GL_E_NOT_VERIFIED);
    if (strncmp(err.text, says, strlen(says)) != 0)
        fail_msg("not \"%s\": %s", says, err.text);
    gl_error_clear(&err);
    receipt = gl_receipt_make(changed, &secret, &key, &err);
    assert_null(receipt);
    json_decref(changed);
}

static void assert_holds(json_t *changed)
{
    gl_error_clear(&err);
    if (gl_tie_check(changed, &err) != 0)
        fail_msg("%s", err.text);
    json_decref(changed);
}

static void honest_evidence_belongs_together(void **state)
{
    (void)state;
    assert_holds(evidence());
}

/* ---- zones ---- */

static json_t *with_zone_of_series(size_t index, const char *zone)
{
    json_t *changed = evidence();

    json_object_set_new(json_array_get(json_object_get(changed, "series"), index), "zone",
                        json_string(zone));
    fake_tie(changed);
    return changed;
}

static json_t *with_zones(const char *mapping, json_t *zones, const char *zone)
{
    json_t *changed = evidence();

    json_object_set_new(part(changed, "offer"), "mapping", json_string(mapping));
    json_object_set_new(part(changed, "offer"), "zones", zones);
    json_object_set_new(part(changed, "instance"), "zone", json_string(zone));
    fake_tie(changed);
    return changed;
}

static void every_series_is_of_a_zone_of_the_offer(void **state)
{
    json_t *changed = evidence();

    (void)state;
    assert_refused(with_zone_of_series(0, "IS"), "evidence.series[0].zone is \"IS\"");
    assert_refused(with_zone_of_series(1, "IS"), "evidence.series[1].zone is \"IS\"");
    assert_refused(with_zone_of_series(0, "A\nB"), "evidence.series[0].zone is \"A");
    json_object_set_new(part(changed, "guarantee"), "series",
                        json_pack("[o]", fake_shares_json("IS", FROM, FROM + 3600, 1000000)));
    fake_tie(changed);
    assert_refused(changed, "evidence.guarantee.series[0].zone is \"IS\"");
}

static void the_instance_stands_in_a_zone_of_the_offer(void **state)
{
    (void)state;
    assert_refused(with_zones("agreed", json_pack("[s]", "XX"), "IS"),
                   "evidence.instance.zone is \"IS\"");
    assert_refused(with_zones("agreed", json_pack("[s]", "IS"), "XX"),
                   "evidence.instance.zone is \"XX\"");
    assert_refused(with_zones("agreed", json_array(), "XX"), "evidence.instance.zone is \"XX\"");
    assert_refused(with_zones("agreed", json_null(), "XX"), "evidence.offer.zones is absent");
    assert_holds(with_zones("disputed", json_pack("[s,s]", "XX", "IS"), "XX"));
    assert_holds(with_zones("disputed", json_pack("[s,s]", "IS", "XX"), "IS"));
    assert_refused(with_zones("agreed", json_pack("[s,s]", "XX", "IS"), "XX"),
                   "evidence.offer.zones holds 2 zones");
    assert_refused(with_zones("disputed", json_pack("[s,s,s]", "XX", "IS", "FR"), "XX"),
                   "evidence.offer.zones holds 3 zones");
}

/* ---- the promised time ---- */

static json_t *with_number(const char *object, const char *key, json_int_t value)
{
    json_t *changed = evidence();

    json_object_set_new(part(changed, object), key, json_integer(value));
    fake_tie(changed);
    return changed;
}

static void a_promise_lasts_for_the_asked_time_from_the_decision_on(void **state)
{
    json_t *none = evidence();

    (void)state;
    assert_refused(with_number("guarantee", "until_s", FROM + 121), "evidence.guarantee.until_s");
    assert_refused(with_number("guarantee", "from_s", FROM - 1), "evidence.guarantee.from_s");
    assert_refused(with_number("request", "duration_s", 121), "evidence.guarantee.until_s");
    assert_refused(with_number("request", "duration_s", INT64_MAX), "evidence.guarantee.until_s");
    assert_refused(with_number("decision", "at_s", FROM + 1), "evidence.guarantee.from_s");
    json_object_set_new(none, "guarantee", json_null());
    fake_tie(none);
    assert_holds(none);
}

/* ---- plan and token ---- */

static void the_plan_is_the_one_that_was_intended(void **state)
{
    static const char *const plain[] = {"offer", "machine", "embodied", "request"};

    (void)state;
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        json_t *changed = evidence();

        json_object_set_new(part(changed, plain[i]), "note", json_integer(1));
        assert_refused(changed, "evidence.instance.plan_sha256 is ");
        changed = evidence();
        json_object_set_new(changed, "more", json_integer(1));
        assert_refused(changed, "evidence.instance.plan_sha256 is ");
    }
    json_t *gone = evidence();
    json_object_del(part(gone, "instance"), "plan_sha256");
    assert_refused(gone, "evidence.instance.plan_sha256 is absent");
    json_t *of_the_run = evidence();
    json_object_set_new(of_the_run, "name", json_string("another"));
    json_object_set_new(part(of_the_run, "meter"), "rejected", json_integer(7));
    json_object_set_new(part(of_the_run, "instance"), "exit_status", json_integer(7));
    assert_holds(of_the_run);
}

static void the_token_is_of_this_launch_attempt_and_plan(void **state)
{
    static const char *const words[] = {"token", "order_sha256"};
    json_t *changed = evidence();

    (void)state;
    json_object_set_new(changed, "launch", json_string("gl-other000"));
    assert_refused(changed, "evidence.instance.token is ");
    changed = evidence();
    json_object_set_new(part(changed, "instance"), "attempt", json_integer(2));
    assert_refused(changed, "evidence.instance.token is ");
    for (size_t i = 0; i < 2; i++) {
        changed = evidence();
        json_object_set_new(part(changed, "instance"), words[i], json_string("00"));
        assert_refused(changed, "evidence.instance.token is ");
        changed = evidence();
        json_object_del(part(changed, "instance"), words[i]);
        assert_refused(changed, i == 0 ? "evidence.instance.token is absent"
                                       : "evidence.instance.order_sha256 is absent");
    }
    changed = evidence();
    json_object_del(part(changed, "instance"), "attempt");
    assert_refused(changed, "evidence.instance.attempt is absent");
}

/* ---- other kinds of receipts ---- */

static void a_command_on_the_host_has_no_offer(void **state)
{
    json_t *host = evidence();

    (void)state;
    json_object_del(host, "offer");
    json_object_set_new(host, "guarantee", json_null());
    assert_refused(json_deep_copy(host), "evidence.offer is absent");
    json_object_set_new(part(host, "instance"), "cloud", json_string("this machine"));
    assert_holds(json_deep_copy(host));
    json_object_set_new(part(host, "instance"), "zone", json_string("IS"));
    assert_refused(host, "evidence.series[0].zone is \"XX\"");
}

/* What an older receipt does not hold is not asked of it; what it holds must belong together. */
static void older_receipts_are_held_to_what_they_say(void **state)
{
    json_t *old = evidence(), *changed;

    (void)state;
    fake_method_1(old);
    assert_holds(json_deep_copy(old));
    changed = json_deep_copy(old);
    json_object_set_new(part(changed, "instance"), "zone", json_string("IS"));
    assert_refused(changed, "evidence.series[0].zone is \"XX\"");
    changed = json_deep_copy(old);
    json_object_set_new(changed, "decision", json_pack("{s:I}", "at_s", (json_int_t)FROM + 5));
    assert_refused(changed, "evidence.guarantee.from_s");
    changed = json_deep_copy(old);
    json_object_set_new(part(changed, "instance"), "plan_sha256", json_string("00"));
    assert_refused(changed, "evidence.instance.plan_sha256 is \"00\"");
    json_object_set_new(old, "method_version", json_integer(5));
    gl_error_clear(&err);
    assert_int_equal(gl_tie_check(old, &err), -1);
    json_decref(old);
}

static void a_receipt_of_the_first_method_verifies(void **state)
{
    struct gl_receipt_check check;
    struct gl_secret_key secret;
    struct gl_public_key key;
    json_t *old = evidence();
    char *receipt;

    (void)state;
    fake_method_1(old);
    gl_error_clear(&err);
    gl_key_of_seed((const uint8_t[32]){1}, &secret, &key);
    receipt = gl_receipt_make(old, &secret, &key, &err);
    assert_non_null(receipt);
    assert_non_null(strstr(receipt, "\"state\":\"kept\"}"));
    assert_null(strstr(receipt, "P12"));
    assert_int_equal(gl_receipt_verify(receipt, strlen(receipt), &key, &check, &err), 0);
    gl_receipt_check_done(&check);
    free(receipt);
    json_decref(old);
}

/* ---- the ledger ---- */

static struct gl_ledger *ledger;

static int open_one(void **state)
{
    set_up(state);
    ledger = must_open();
    return 0;
}

static int close_one(void **state)
{
    gl_ledger_close(ledger);
    return tear_down(state);
}

static void say(const char *kind, json_t *body)
{
    if (gl_ledger_append(ledger, kind, LAUNCH, body, NULL, &err) != 0)
        fail_msg("%s", err.text);
    json_decref(body);
}

static const char *hash_of(const char *text, char out[GL_HASH_HEX])
{
    struct gl_hash hash;

    gl_hash_of(text, strlen(text), &hash);
    return gl_hash_hex(&hash, out);
}

static void a_receipt_is_held_against_the_ledger(void **state)
{
    char hex[GL_HASH_HEX];
    json_t *receipt = json_pack("{s:o}", "evidence", evidence());
    json_t *instance = part(part(receipt, "evidence"), "instance");
    bool is_seen = true;

    (void)state;
    assert_int_equal(gl_tie_receipt(ledger, receipt, "bytes", &is_seen, &err), 0);
    assert_false(is_seen); /* not a word of it */
    say("intent", json_pack("{s:O,s:O,s:O}", "token", json_object_get(instance, "token"),
                            "plan_sha256", json_object_get(instance, "plan_sha256"), "order_sha256",
                            json_object_get(instance, "order_sha256")));
    say("ended", json_pack("{s:s}", "receipt_sha256", hash_of("bytes", hex)));
    assert_int_equal(gl_tie_receipt(ledger, receipt, "bytes", &is_seen, &err), 0);
    assert_true(is_seen);
    assert_int_equal(gl_tie_receipt(ledger, receipt, "other", &is_seen, &err), -1);
    assert_int_equal(err.code, GL_E_TAMPERED);
    assert_non_null(strstr(err.text, "event 2 of the ledger says receipt_sha256"));
    gl_error_clear(&err);
    json_object_set_new(instance, "plan_sha256", json_string("00"));
    assert_int_equal(gl_tie_receipt(ledger, receipt, "bytes", &is_seen, &err), -1);
    assert_non_null(strstr(err.text, "event 1 of the ledger says plan_sha256"));
    json_decref(receipt);
}

static void hashes_are_taken_from_the_intent_of_the_token(void **state)
{
    json_t *instance = json_object();

    (void)state;
    say("intent",
        json_pack("{s:s,s:s,s:s}", "token", "t1", "plan_sha256", "p1", "order_sha256", "o1"));
    say("intent", json_pack("{s:s,s:s}", "token", "t2", "plan_sha256", "p2"));
    assert_int_equal(gl_tie_seal(ledger, LAUNCH, "t2", instance, &err), 0);
    assert_string_equal(json_string_value(json_object_get(instance, "plan_sha256")), "p2");
    assert_null(json_object_get(instance, "order_sha256"));
    assert_int_equal(gl_tie_seal(ledger, LAUNCH, "t1", instance, &err), 0);
    assert_string_equal(json_string_value(json_object_get(instance, "order_sha256")), "o1");
    json_decref(instance);
}

static void a_row_is_held_against_its_events(void **state)
{
    char hex[GL_HASH_HEX], plan[] = "{}", receipt[] = "r", token[] = "t", none[] = "";
    char launch[] = LAUNCH;
    struct gl_launch_row row = {.launch = launch, .token = token, .plan = plan, .receipt = receipt};

    (void)state;
    say("intent", json_pack("{s:s,s:s}", "token", "t", "plan_sha256", hash_of("{}", hex)));
    say("ended", json_pack("{s:s}", "receipt_sha256", hash_of("r", hex)));
    assert_int_equal(gl_tie_row(ledger, &row, &err), 0);
    receipt[0] = 's';
    assert_int_equal(gl_tie_row(ledger, &row, &err), -1);
    assert_int_equal(err.code, GL_E_TAMPERED);
    gl_error_clear(&err);
    row.receipt = none;
    plan[1] = ' ';
    assert_int_equal(gl_tie_row(ledger, &row, &err), -1);
    assert_non_null(strstr(err.text, "plan_sha256"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(honest_evidence_belongs_together),
        cmocka_unit_test(every_series_is_of_a_zone_of_the_offer),
        cmocka_unit_test(the_instance_stands_in_a_zone_of_the_offer),
        cmocka_unit_test(a_promise_lasts_for_the_asked_time_from_the_decision_on),
        cmocka_unit_test(the_plan_is_the_one_that_was_intended),
        cmocka_unit_test(the_token_is_of_this_launch_attempt_and_plan),
        cmocka_unit_test(a_command_on_the_host_has_no_offer),
        cmocka_unit_test(older_receipts_are_held_to_what_they_say),
        cmocka_unit_test(a_receipt_of_the_first_method_verifies),
        cmocka_unit_test_setup_teardown(a_receipt_is_held_against_the_ledger, open_one, close_one),
        cmocka_unit_test_setup_teardown(hashes_are_taken_from_the_intent_of_the_token, open_one,
                                        close_one),
        cmocka_unit_test_setup_teardown(a_row_is_held_against_its_events, open_one, close_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
