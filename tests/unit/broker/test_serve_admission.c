/* SPDX-License-Identifier: Apache-2.0 */
/* AdmissionReview in and out. */
#include "base/file.h"
#include "broker/serve/admission.h"
#include "tests/unit/broker/hook_world.h"

#define CLEAN "greenlaunch: 1\nid: p\nrules:\n  - {id: clean, max_intensity: 100 g/kWh}\n"
#define ADVISORY \
    "greenlaunch: 1\nid: p\nrules:\n  - {id: clean, max_intensity: 100 g/kWh, level: advisory}\n"

static int parse(const char *body, struct gl_admission *out, struct gl_error *err)
{
    *err = (struct gl_error){0};
    return gl_admission_parse((struct gl_view){body, strlen(body)}, out, err);
}

static json_t *document_of(char *text)
{
    json_t *document = json_loads(text, 0, NULL);

    free(text);
    assert_non_null(document);
    assert_string_equal(json_string_value(json_object_get(document, "apiVersion")),
                        "admission.k8s.io/v1");
    assert_string_equal(json_string_value(json_object_get(document, "kind")), "AdmissionReview");
    return document;
}

static const json_t *response_of(const json_t *document)
{
    return json_object_get(document, "response");
}

/* A review of a request with these members besides uid. */
static struct gl_admission review_of(const char *members)
{
    struct gl_admission review;
    struct gl_error err;
    char body[2048];

    snprintf(body, sizeof body,
             "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\","
             "\"request\":{\"uid\":\"705ab4f5-6393-11e8-b7cc-42010a800002\",%s}}",
             members);
    assert_int_equal(parse(body, &review, &err), 0);
    return review;
}

/* ---- the published documents ---- */

/* kubernetes/api testdata, and a review as a cluster sent it; copied small. */
static void published_reviews_are_read(void **state)
{
    static const char *const names[] = {"tests/vectors/admission/pod.json",
                                        "tests/vectors/admission/schema.json"};
    static const bool is_review[] = {true, false}; /* the schema's operation is "operationValue" */

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct gl_error err = {0};
        struct gl_admission review = {0};
        size_t length;
        char *text;

        assert_int_equal(gl_file_read(names[i], 65536, &text, &length, &err), 0);
        assert_int_equal(parse(text, &review, &err) == 0, is_review[i]);
        if (is_review[i]) {
            assert_string_equal(review.uid, "705ab4f5-6393-11e8-b7cc-42010a800002");
            assert_string_equal(review.kind, "Service");
            assert_int_equal(review.operation, GL_ADMIT_CREATE);
        } else {
            assert_non_null(strstr(err.text, "operationValue"));
        }
        gl_admission_done(&review);
        free(text);
    }
}

/* Cut anywhere, it is an error and never a crash. */
static void half_a_review_is_none(void **state)
{
    static const char body[] =
        "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{"
        "\"uid\":\"u\",\"operation\":\"CREATE\",\"object\":{\"kind\":\"Pod\"}}}";
    struct gl_admission review;
    struct gl_error err;

    (void)state;
    for (size_t length = 0; length + 1 < sizeof body; length++) {
        err = (struct gl_error){0};
        assert_int_equal(gl_admission_parse((struct gl_view){body, length}, &review, &err), -1);
        assert_int_equal(err.code, GL_E_SYNTAX);
    }
    assert_int_equal(parse(body, &review, &err), 0);
    gl_admission_done(&review);
}

static void what_is_no_review_is_told(void **state)
{
    static const char *const bodies[] = {
        "[]",
        "{}",
        "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1beta1\"}",
        "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\"}",
        "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{}}",
        "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":"
        "{\"uid\":\"a b\",\"operation\":\"DELETE\"}}",
        "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":"
        "{\"uid\":\"u\",\"operation\":\"BREAK\"}}",
        "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":"
        "{\"uid\":\"u\",\"operation\":\"CREATE\"}}",
    };
    struct gl_admission review;
    struct gl_error err;

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        assert_int_equal(parse(bodies[i], &review, &err), -1);
        assert_int_equal(err.code, GL_E_BAD_VALUE);
    }
}

/* ---- what is judged ---- */

static void only_what_may_start_something_is_judged(void **state)
{
    static const char *const kept[] = {"shop", "team-*", NULL}, *const dropped[] = {"kube-*", NULL};
    static const struct {
        const char *members;
        bool is_judged;
    } rows[] = {
        {"\"operation\":\"CREATE\",\"namespace\":\"shop\",\"object\":{\"kind\":\"Pod\"}", true},
        {"\"operation\":\"CREATE\",\"namespace\":\"team-a\",\"object\":{\"kind\":\"Pod\"}", true},
        {"\"operation\":\"CREATE\",\"namespace\":\"kube-system\",\"object\":{}", false},
        {"\"operation\":\"CREATE\",\"namespace\":\"other\",\"object\":{}", false},
        {"\"operation\":\"DELETE\",\"namespace\":\"shop\",\"oldObject\":{}", false},
        {"\"operation\":\"CONNECT\",\"namespace\":\"shop\",\"object\":{}", false},
        {"\"operation\":\"UPDATE\",\"namespace\":\"shop\",\"object\":{\"spec\":{\"a\":1}},"
         "\"oldObject\":{\"spec\":{\"a\":1}}",
         false},
        {"\"operation\":\"UPDATE\",\"namespace\":\"shop\",\"object\":{\"spec\":{\"a\":2}},"
         "\"oldObject\":{\"spec\":{\"a\":1}}",
         true},
        {"\"operation\":\"UPDATE\",\"namespace\":\"shop\",\"subResource\":\"status\","
         "\"object\":{\"spec\":{\"a\":2}},\"oldObject\":{\"spec\":{\"a\":1}}",
         false},
        {"\"operation\":\"UPDATE\",\"namespace\":\"shop\",\"subResource\":\"scale\","
         "\"object\":{\"spec\":{\"a\":2}},\"oldObject\":{\"spec\":{\"a\":1}}",
         true},
        {"\"operation\":\"CREATE\",\"namespace\":\"shop\",\"dryRun\":true,\"object\":{}", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_admission review = review_of(rows[i].members);

        assert_int_equal(gl_admission_is_judged(&review, kept, dropped), rows[i].is_judged);
        gl_admission_done(&review);
    }
    {
        struct gl_admission review = review_of(rows[3].members);

        assert_true(gl_admission_is_judged(&review, NULL, dropped));
        gl_admission_done(&review);
    }
}

/* ---- answers ---- */

static struct gl_policy *policy;
static struct gl_hook_report *report;

static void judge(const char *text, const char *region)
{
    static struct hook_world world;

    policy = world_policy(text);
    world_init(&world, policy);
    world_add(&world, GL_CHANGE_CREATE, region, "m5.large");
    world.ask.gate = GL_AT_ADMISSION;
    report = gl_hook_judge(&world.ask);
}

static void end(void)
{
    gl_hook_report_free(report);
    gl_policy_free(policy);
}

static json_t *judged(const char *text, const char *region, bool is_advisory)
{
    struct gl_admission review = review_of("\"operation\":\"CREATE\",\"object\":{}");
    bool is_allowed;
    json_t *document;

    judge(text, region);
    document = document_of(gl_admission_judged(&review, report, is_advisory, &is_allowed));
    assert_string_equal(json_string_value(json_object_get(response_of(document), "uid")),
                        review.uid);
    assert_int_equal(json_is_true(json_object_get(response_of(document), "allowed")), is_allowed);
    gl_admission_done(&review);
    return document;
}

static void a_refusal_says_why(void **state)
{
    json_t *document = judged(CLEAN, "us-east-1", false);
    const json_t *response = response_of(document);
    const json_t *status = json_object_get(response, "status");

    (void)state;
    assert_true(json_is_false(json_object_get(response, "allowed")));
    assert_int_equal(json_integer_value(json_object_get(status, "code")), 403);
    assert_string_equal(json_string_value(json_object_get(status, "reason")), "Forbidden");
    assert_non_null(strstr(json_string_value(json_object_get(status, "message")), "above 100"));
    assert_string_equal(json_string_value(json_object_get(
                            json_object_get(response, "auditAnnotations"), "verdict")),
                        "refuse");
    assert_null(json_object_get(response, "warnings"));
    json_decref(document);
    end();
}

static void a_clean_place_is_allowed(void **state)
{
    json_t *document = judged(CLEAN, "eu-north-1", false);

    (void)state;
    assert_true(json_is_true(json_object_get(response_of(document), "allowed")));
    assert_null(json_object_get(response_of(document), "status"));
    assert_null(json_object_get(response_of(document), "warnings"));
    json_decref(document);
    end();
}

static void advice_comes_as_warnings(void **state)
{
    json_t *document = judged(CLEAN, "us-east-1", true);
    const json_t *warnings = json_object_get(response_of(document), "warnings");

    (void)state;
    assert_true(json_is_true(json_object_get(response_of(document), "allowed")));
    assert_int_equal(json_array_size(warnings), 2);
    assert_true(json_string_length(json_array_get(warnings, 1)) <= GL_ADMISSION_WARNING);
    json_decref(document);
    end();
    document = judged(ADVISORY, "us-east-1", false);
    warnings = json_object_get(response_of(document), "warnings");
    assert_true(json_is_true(json_object_get(response_of(document), "allowed")));
    assert_int_equal(json_array_size(warnings), 1);
    assert_non_null(strstr(json_string_value(json_array_get(warnings, 0)), "above 100"));
    json_decref(document);
    end();
}

static void what_cannot_be_judged_follows_the_policy_of_failures(void **state)
{
    struct gl_admission review = review_of("\"operation\":\"CREATE\",\"object\":{}");
    json_t *document = document_of(gl_admission_failed(&review, "no figures", false));

    (void)state;
    assert_true(json_is_false(json_object_get(response_of(document), "allowed")));
    assert_int_equal(json_integer_value(
                         json_object_get(json_object_get(response_of(document), "status"), "code")),
                     500);
    json_decref(document);
    document = document_of(gl_admission_failed(&review, "no figures", true));
    assert_true(json_is_true(json_object_get(response_of(document), "allowed")));
    assert_int_equal(json_array_size(json_object_get(response_of(document), "warnings")), 1);
    json_decref(document);
    document = document_of(gl_admission_allowed(&review));
    assert_true(json_is_true(json_object_get(response_of(document), "allowed")));
    json_decref(document);
    gl_admission_done(&review);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_reviews_are_read),
        cmocka_unit_test(half_a_review_is_none),
        cmocka_unit_test(what_is_no_review_is_told),
        cmocka_unit_test(only_what_may_start_something_is_judged),
        cmocka_unit_test(a_refusal_says_why),
        cmocka_unit_test(a_clean_place_is_allowed),
        cmocka_unit_test(advice_comes_as_warnings),
        cmocka_unit_test(what_cannot_be_judged_follows_the_policy_of_failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
