/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/broker/receipt_bench.h"

static void an_honest_receipt_verifies(void **state)
{
    struct gl_receipt_check check;
    struct gl_error err = {0};
    char hex[2 * GL_KEY_BYTES + 1];

    (void)state;
    assert_int_equal(gl_receipt_verify(receipt, strlen(receipt), &key, &check, &err), 0);
    assert_string_equal(check.launch, LAUNCH);
    assert_string_equal(check.key, gl_hex_text(key.bytes, GL_KEY_BYTES, hex));
    assert_true(check.is_key_given);
    assert_false(check.is_demo);
    assert_int_equal(check.readings, 3);
    assert_true(json_is_object(json_object_get(check.receipt, "evidence")));
    gl_receipt_check_done(&check);
    assert_int_equal(gl_receipt_verify(receipt, strlen(receipt), NULL, &check, &err), 0);
    assert_false(check.is_key_given);
    gl_receipt_check_done(&check);
}

static void another_lay_out_of_the_same_document_verifies(void **state)
{
    struct gl_error err = {0};
    json_t *whole = document();
    char *pretty = gl_json_pretty(whole);

    (void)state;
    assert_int_equal(verify_text(pretty, strlen(pretty), &key, &err), 0);
    free(pretty);
    json_decref(whole);
}

static void a_demonstration_says_so(void **state)
{
    struct gl_receipt_check check;
    struct gl_error err = {0};
    json_t *evidence = fake_evidence(NULL, LAUNCH, START, START + 1000);
    char *demo;

    (void)state;
    json_object_set_new(evidence, "demo", json_true());
    demo = gl_receipt_make(evidence, &secret, &key, &err);
    assert_int_equal(gl_receipt_verify(demo, strlen(demo), &key, &check, &err), 0);
    assert_true(check.is_demo);
    gl_receipt_check_done(&check);
    free(demo);
    json_decref(evidence);
}

static void bad_evidence_makes_no_receipt(void **state)
{
    struct gl_error err = {0};
    json_t *evidence = fake_evidence(NULL, LAUNCH, START, START + 1000);

    (void)state;
    json_object_del(evidence, "machine");
    fake_tie(evidence);
    assert_null(gl_receipt_make(evidence, &secret, &key, &err));
    assert_int_equal(err.code, GL_E_BAD_REPLY);
    json_decref(evidence);
    /* One that could not be read again would prove nothing. */
    evidence = fake_evidence(NULL, LAUNCH, START, START + 1000);
    char *long_name = gl_alloc(GL_RECEIPT_MAX_BYTES + 1);
    memset(long_name, 'x', GL_RECEIPT_MAX_BYTES);
    json_object_set_new(evidence, "name", json_string(long_name));
    gl_error_clear(&err);
    assert_null(gl_receipt_make(evidence, &secret, &key, &err));
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    free(long_name);
    json_decref(evidence);
}

/* ---- every member, one at a time ---- */

/* Another value of the same kind. */
static json_t *other_value(const json_t *value)
{
    struct gl_str text = {0};
    json_t *other;

    switch (json_typeof(value)) {
    case JSON_INTEGER:
        return json_integer(json_integer_value(value) + 1);
    case JSON_STRING:
        gl_str_addf(&text, "%sx", json_string_value(value));
        other = json_string(gl_str_text(&text));
        gl_str_done(&text);
        return other;
    case JSON_TRUE:
        return json_false();
    case JSON_FALSE:
        return json_true();
    default:
        return json_integer(1);
    }
}

struct walk {
    json_t *whole;
    const char *part; /* "derived" */
    bool is_signed_again;
    size_t changes;
    struct gl_error err;
};

static void assert_named(const struct walk *walk, const char *path)
{
    struct gl_str start = {0};

    gl_str_addf(&start, "%s is ", path);
    if (strncmp(walk->err.text, start.text, start.length) != 0)
        fail_msg("%s was changed, but: %s", path, walk->err.text);
    gl_str_done(&start);
}

/* The document as it is now, with one thing changed at `path`, must be refused. */
static void try_change(struct walk *walk, const char *path)
{
    json_t *changed = json_deep_copy(walk->whole);

    if (walk->is_signed_again)
        sign_again(changed, &secret, &key);
    if (verify_json(changed, &key, &walk->err) == 0)
        fail_msg("%s was changed and nobody noticed", path);
    /* With another version it is no receipt at all. */
    assert_true(
        walk->err.code == GL_E_TAMPERED || walk->err.code == GL_E_NOT_VERIFIED ||
        (walk->err.code == GL_E_SYNTAX && strcmp(path, "receipt.greenlaunch_receipt") == 0));
    if (walk->is_signed_again)
        assert_named(walk, path);
    walk->changes++;
    json_decref(changed);
}

static void change_member(struct walk *walk, const char *path, json_t *container, const char *name,
                          size_t index);

static void change_container(struct walk *walk, const char *path, json_t *container)
{
    json_t *names = json_array(); /* changing a member moves it to the end */
    char inner[256];
    const char *name;
    json_t *member;
    size_t index;

    json_object_foreach(container, name, member) json_array_append_new(names, json_string(name));
    json_array_foreach(names, index, member)
    {
        name = json_string_value(member);
        snprintf(inner, sizeof inner, "%s.%s", path, name);
        change_member(walk, inner, container, name, 0);
    }
    json_decref(names);
    json_array_foreach(container, index, member)
    {
        snprintf(inner, sizeof inner, "%s[%zu]", path, index);
        change_member(walk, inner, container, NULL, index);
    }
    if (json_is_object(container)) {
        json_object_set_new(container, "zzz", json_integer(1));
        snprintf(inner, sizeof inner, "%s.zzz", path);
        try_change(walk, inner);
        json_object_del(container, "zzz");
    } else if (json_is_array(container)) {
        json_array_append_new(container, json_integer(1));
        snprintf(inner, sizeof inner, "%s[%zu]", path, json_array_size(container) - 1);
        try_change(walk, inner);
        json_array_remove(container, json_array_size(container) - 1);
    }
}

static void change_member(struct walk *walk, const char *path, json_t *container, const char *name,
                          size_t index)
{
    json_t *was = json_incref(name != NULL ? json_object_get(container, name)
                                           : json_array_get(container, index));

    put(container, name, index, other_value(was));
    try_change(walk, path);
    if (name != NULL) {
        json_object_del(container, name);
        try_change(walk, path);
    }
    put(container, name, index, json_incref(was));
    change_container(walk, path, was);
    json_decref(was);
}

static void every_member_changed_is_refused(void **state)
{
    struct walk walk = {.whole = document()};
    json_t *same = document();

    (void)state;
    change_container(&walk, "receipt", walk.whole);
    assert_true(json_equal(walk.whole, same)); /* all was put back */
    print_message("%zu changes, all refused\n", walk.changes);
    assert_true(walk.changes > 400);
    json_decref(walk.whole);
    json_decref(same);
}

/* Whoever has the broker's key can sign anything, but not make a number follow from evidence that
 * does not give it; the first thing that does not follow is named. */
static void every_derived_number_must_follow(void **state)
{
    struct walk walk = {.whole = document(), .is_signed_again = true};

    (void)state;
    change_container(&walk, "derived", json_object_get(walk.whole, "derived"));
    print_message("%zu signed changes, all named\n", walk.changes);
    assert_true(walk.changes > 150);
    json_decref(walk.whole);
}

/* Somebody with the broker's key changes the evidence, and plan hash and token with it. */
static void changed_evidence_does_not_give_the_derived_numbers(void **state)
{
    static const struct {
        const char *object, *key;
        json_int_t value;
        const char *says;
    } rows[] = {
        {"instance", "ended_ms", START + 6000, "derived."},
        {"instance", "started_ms", START + 1, "derived."},
        {NULL, "pue_milli", 1000, "derived.footprint."},
        {"embodied", "share_ppm", 1, "derived.footprint.embodied_ug"},
        {"machine", "threads_milli", 1000, "derived."},
        {"meter", "forked", 1, "derived.plausibility[10]"},
        {"guarantee", "rules", 1, "evidence.guarantee.rules is 1, not a list"},
        {NULL, "issued_ms", -1, "evidence.issued_ms is -1, not an integer from 0"},
        {"offer", "vcpus", -4, "evidence.offer.vcpus is -4"},
        {"request", "load_ppm", 1000001, "evidence.request.load_ppm is 1000001"},
        {NULL, "method_version", 1, "derived."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_error err = {0};
        json_t *whole = document(), *evidence = json_object_get(whole, "evidence");
        json_t *at = rows[i].object ? json_object_get(evidence, rows[i].object) : evidence;

        json_object_set_new(at, rows[i].key, json_integer(rows[i].value));
        fake_tie(evidence);
        sign_again(whole, &secret, &key);
        assert_int_equal(verify_json(whole, &key, &err), -1);
        assert_int_equal(err.code, GL_E_NOT_VERIFIED);
        if (strncmp(err.text, rows[i].says, strlen(rows[i].says)) != 0)
            fail_msg("%s: %s", rows[i].key, err.text);
        json_decref(whole);
    }
}

/* The first thing that does not belong to the rest is named, before any number (test_tie.c). */
static void parts_that_do_not_belong_together_are_refused(void **state)
{
    static const struct {
        const char *object, *key, *value, *says;
        bool is_tied_again;
    } rows[] = {
        {"instance", "zone", "IS", "evidence.instance.zone is \"IS\"", true},
        {"instance", "token", "00", "evidence.instance.token is \"00\"", false},
        {"offer", "type", "large", "evidence.instance.plan_sha256 is ", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_error err = {0};
        json_t *whole = document(), *evidence = json_object_get(whole, "evidence");

        json_object_set_new(json_object_get(evidence, rows[i].object), rows[i].key,
                            json_string(rows[i].value));
        if (rows[i].is_tied_again)
            fake_tie(evidence);
        sign_again(whole, &secret, &key);
        assert_int_equal(verify_json(whole, &key, &err), -1);
        assert_int_equal(err.code, GL_E_NOT_VERIFIED);
        if (strncmp(err.text, rows[i].says, strlen(rows[i].says)) != 0)
            fail_msg("%s: %s", rows[i].key, err.text);
        json_decref(whole);
    }
}

static void readings_cannot_be_rewritten_with_the_brokers_key(void **state)
{
    struct gl_error err = {0};
    json_t *whole = document();
    json_t *meter = json_object_get(json_object_get(whole, "evidence"), "meter");
    json_t *batch = json_array_get(json_object_get(meter, "batches"), 0);
    json_t *record = json_array_get(json_object_get(batch, "records"), 0);

    (void)state;
    json_object_set_new(json_array_get(json_object_get(record, "c"), 0), "d", json_integer(900000));
    sign_again(whole, &secret, &key);
    assert_int_equal(verify_json(whole, &key, &err), -1);
    assert_int_equal(err.code, GL_E_TAMPERED);
    assert_non_null(strstr(err.text, "chain"));
    json_decref(whole);
}

/* ---- keys and signatures ---- */

static void another_key_is_not_the_one_you_gave(void **state)
{
    struct gl_error err = {0};
    json_t *whole = document();

    (void)state;
    assert_int_equal(verify_json(whole, &other_key, &err), -1);
    assert_int_equal(err.code, GL_E_TAMPERED);
    assert_non_null(strstr(err.text, "signature.key"));
    sign_again(whole, &other_secret, &other_key); /* a forger's own key */
    assert_int_equal(verify_json(whole, &key, &err), -1);
    assert_int_equal(err.code, GL_E_TAMPERED);
    assert_int_equal(verify_json(whole, NULL, &err), 0); /* integrity only: it says so */
    json_object_set_new(json_object_get(json_object_get(whole, "derived"), "footprint"),
                        "duration_s", json_integer(1));
    sign_again(whole, &other_secret, &other_key);
    assert_int_equal(verify_json(whole, NULL, &err), -1);
    assert_non_null(strstr(err.text, "derived.footprint.duration_s is 1, the evidence gives 7"));
    sign_again(whole, &other_secret, &key); /* our name, its signature */
    assert_int_equal(verify_json(whole, NULL, &err), -1);
    assert_int_equal(err.code, GL_E_TAMPERED);
    json_decref(whole);
}

static void the_signature_covers_everything_but_itself(void **state)
{
    struct gl_error err = {0};
    json_t *whole = document();

    (void)state;
    json_object_set_new(whole, "note", json_string("unsigned"));
    assert_int_equal(verify_json(whole, &key, &err), -1);
    json_object_del(whole, "note");
    json_object_set_new(json_object_get(whole, "signature"), "note", json_string("unsigned"));
    assert_int_equal(verify_json(whole, &key, &err), -1);
    assert_int_equal(err.code, GL_E_TAMPERED);
    json_object_del(whole, "signature");
    assert_int_equal(verify_json(whole, &key, &err), -1);
    assert_int_equal(err.code, GL_E_NOT_VERIFIED);
    json_decref(whole);
}

/* ---- bytes ---- */

static void flipped_bytes_are_refused(void **state)
{
    struct gl_error err = {0};
    size_t length = strlen(receipt), flips = 0;
    char *text = gl_strdup(receipt);
    json_t *whole = document();

    (void)state;
    for (size_t at = 0; at < length; at += 3) {
        json_t *read;

        text[at] = (char)(text[at] ^ (1 << at % 8));
        read = gl_json_parse(text, length, "receipt", &err);
        gl_error_clear(&err);
        /* The one flip that changes nothing is another spelling of an escape; there is none. */
        assert_false(read != NULL && json_equal(read, whole));
        assert_int_equal(verify_text(text, length, &key, &err), -1);
        json_decref(read);
        text[at] = receipt[at];
        flips++;
    }
    print_message("%zu bytes flipped\n", flips);
    free(text);
    json_decref(whole);
}

static void half_a_receipt_is_none(void **state)
{
    struct gl_error err = {0};
    size_t length = strlen(receipt);

    (void)state;
    for (size_t cut = 0; cut < length; cut += 101) {
        assert_int_equal(verify_text(receipt, cut, &key, &err), -1);
        assert_int_equal(err.code, GL_E_SYNTAX);
    }
}

static void assert_no_receipt(const char *text, size_t length, enum gl_errc code)
{
    struct gl_error err = {0};

    assert_int_equal(verify_text(text, length, NULL, &err), -1);
    if (err.code != code)
        fail_msg("%.20s: code %d: %s", text, err.code, err.text);
}

static void what_is_no_receipt_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "null",
        "7",
        "\"x\"",
        "[]",
        "{}",
        "[[1]]",
        "{\"greenlaunch_receipt\":2}",
        "{\"greenlaunch_receipt\":\"1\"}",
        "{\"greenlaunch_receipt\":1.0}",
        ("\x7f"
         "ELF"),
        "{\"a\":1,\"a\":2}",
        "{\"greenlaunch_receipt\":1}x",
        "{\"greenlaunch_receipt\":99999999999999999999}",
    };
    static const char *const hollow[] = {
        "{\"greenlaunch_receipt\":1}",
        "{\"greenlaunch_receipt\":1,\"signature\":7}",
        "{\"greenlaunch_receipt\":1,\"signature\":{\"key\":\"00\",\"sig\":\"\"}}",
        "{\"greenlaunch_receipt\":1,\"x\":0.5}",
        "{\"greenlaunch_receipt\":1,\"evidence\":[],\"derived\":[],\"signature\":{}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_no_receipt(texts[i], strlen(texts[i]), GL_E_SYNTAX);
    for (size_t i = 0; i < sizeof hollow / sizeof hollow[0]; i++)
        assert_no_receipt(hollow[i], strlen(hollow[i]), GL_E_NOT_VERIFIED);
}

static void huge_deep_and_binary_input_is_refused(void **state)
{
    size_t huge = GL_RECEIPT_MAX_BYTES + 1;
    char *text = gl_alloc(huge);

    (void)state;
    memset(text, ' ', huge);
    assert_no_receipt(text, huge, GL_E_TOO_LARGE);
    memset(text, '[', huge);
    assert_no_receipt(text, 65, GL_E_TOO_LARGE);
    assert_no_receipt(text, 64, GL_E_SYNTAX);
    assert_no_receipt(text, GL_RECEIPT_MAX_BYTES, GL_E_TOO_LARGE);
    for (size_t i = 0; i < 4096; i++)
        text[i] = (char)(i * 2654435761u >> 13);
    assert_no_receipt(text, 4096, GL_E_SYNTAX);
    memset(text, 0, 100);
    assert_no_receipt(text, 100, GL_E_SYNTAX);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_honest_receipt_verifies),
        CASE(another_lay_out_of_the_same_document_verifies),
        CASE(a_demonstration_says_so),
        CASE(bad_evidence_makes_no_receipt),
        CASE(every_member_changed_is_refused),
        CASE(every_derived_number_must_follow),
        CASE(changed_evidence_does_not_give_the_derived_numbers),
        CASE(parts_that_do_not_belong_together_are_refused),
        CASE(readings_cannot_be_rewritten_with_the_brokers_key),
        CASE(another_key_is_not_the_one_you_gave),
        CASE(the_signature_covers_everything_but_itself),
        CASE(flipped_bytes_are_refused),
        CASE(half_a_receipt_is_none),
        CASE(what_is_no_receipt_is_refused),
        CASE(huge_deep_and_binary_input_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
