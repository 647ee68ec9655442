/* SPDX-License-Identifier: Apache-2.0 */
/* Drafts: after each place's template, rounded, of whitelisted members alone; and rules in normal
 * form asked again. */
#include "base/json.h"
#include "broker/request.h"
#include "broker/request_rule.h"
#include "broker/request_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define NOW_MS INT64_C(1793404800000) /* 2026-10-31T00:00:00Z */
#define RULE   "renewable-share>=95%;location;hourly;grade>=C;data-age<=10800s"

static struct gl_error err;
static struct gl_clustering *clustering;

static struct gl_demand demand(const char *provider, const char *region)
{
    struct gl_demand one = {.kind = GL_DEMAND_REFUSE,
                            .capability = GL_CAPABILITY_GREEN,
                            .family = "m5",
                            .rule = RULE,
                            .limit_u = 950000,
                            .found_u = 613400,
                            .key = GL_KEY_MIN_RENEWABLE,
                            .wanted_ms = 5 * INT64_C(3600000),
                            .grade = GL_GRADE_B,
                            .instead = GL_INSTEAD_WAITED,
                            .lost_ms = 4 * INT64_C(3600000),
                            .extra_ug = 3400000};

    snprintf(one.provider, sizeof one.provider, "%s", provider);
    snprintf(one.region, sizeof one.region, "%s", region);
    if (strcmp(provider, "aws") != 0)
        one.family[0] = '\0';
    return one;
}

/* 43 launches on 3 days, over the turn of a month. */
static const struct gl_cluster *cluster_of(struct gl_demand one)
{
    size_t count;

    gl_clustering_free(clustering);
    clustering = gl_clustering_new();
    for (int i = 0; i < 43; i++) {
        snprintf(one.launch_key, sizeof one.launch_key, "%012x", (unsigned)i);
        one.at_ms = NOW_MS + i % 3 * DAY_MS;
        if (gl_clustering_add(clustering, &one, &err) != 0)
            fail_msg("%s", err.text);
    }
    return gl_clustering_end(clustering, &count);
}

static int tear_down(void **state)
{
    (void)state;
    gl_clustering_free(clustering);
    clustering = NULL;
    return 0;
}

static const struct gl_listener *listener(const char *provider, const char *target)
{
    const struct gl_listener *row;
    size_t at = 0;

    while ((row = gl_listener_next(provider, &at)) != NULL)
        if (target == NULL || (row->target != NULL && strcmp(row->target, target) == 0))
            return row;
    return NULL;
}

static struct gl_request_text write_text(const struct gl_cluster *cluster,
                                         const struct gl_listener *row, enum gl_request_form form)
{
    struct gl_request_text text;

    if (gl_request_text_write(cluster, row, form, &text, &err) != 0)
        fail_msg("%s", err.text);
    return text;
}

static void has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("not in it: %s\n%s", part, text);
}

static void after_the_template_of_aws(void **state)
{
    static const char *const headings[] = {
        "**Tell us about your request**", "**Which service(s) is this request for?**",
        ("**Tell us about the problem you're trying to solve. What are you trying to do, and why "
         "is it hard?**"),
        "**Are you currently working around this issue?**", "**Additional context**"};
    struct gl_request_text text =
        write_text(cluster_of(demand("aws", "eu-central-1")),
                   listener("aws", "aws/containers-roadmap"), GL_REQUEST_WHOLE);
    const char *at = text.markdown;

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        at = strstr(at, headings[i]);
        assert_non_null(at);
    }
    has(text.title, "[EC2] [request]: ");
    has(text.title, ", eu-central-1");
    gl_request_text_done(&text);
}

static void after_the_template_of_others(void **state)
{
    struct gl_request_text text =
        write_text(cluster_of(demand("ovh", "GRA11")), listener("ovh", "ovh/public-cloud-roadmap"),
                   GL_REQUEST_WHOLE);

    (void)state;
    has(text.markdown, "### User story\n\nAs a customer using Public Cloud instances in `GRA11`, I "
                       "want the ");
    has(text.markdown, " so that ");
    gl_request_text_done(&text);
    text = write_text(cluster_of(demand("hetzner", "fsn1")), listener("hetzner", NULL),
                      GL_REQUEST_WHOLE);
    has(text.markdown, "### What is asked for");
    has(text.plain, "What is asked for\n");
    assert_null(strchr(text.plain, '`'));
    gl_request_text_done(&text);
}

static void rounded(void **state)
{
    struct gl_request_text text =
        write_text(cluster_of(demand("aws", "eu-central-1")), NULL, GL_REQUEST_WHOLE);

    (void)state;
    has(text.plain, "20 to 50 launches on 2 to 5 days (200 to 500 instance hours) in 2026-10 to "
                    "2026-11");
    has(text.plain, "the limit is 95%, the best that was found 61%");
    has(text.plain, "grade B");
    has(text.plain,
        "because no offer met our rule: renewable share at least 95%, location-based, by the hour, "
        "evidence of grade C or better, data at most 3 h old.");
    has(text.plain, "20 to 50 waited. Where it cost time, the median was 2 to 5 hours.");
    has(text.plain, "100 to 200 gCO2e more");
    has(text.plain, "Drafted with greenlaunch GL-");
    has(text.plain, "announcing-green-compute");
    has(text.plain, "restrict-locations");
    assert_null(strstr(text.plain, "43"));
    assert_null(strstr(text.markdown, "43"));
    gl_request_text_done(&text);
}

/* What ran and was not refused is not called refused. */
static void what_was_refused_and_what_was_not(void **state)
{
    struct gl_cluster cluster = *cluster_of(demand("aws", "eu-central-1"));
    struct gl_request_text text;

    (void)state;
    cluster.refused = 0;
    text = write_text(&cluster, NULL, GL_REQUEST_WHOLE);
    has(text.plain, "We could not keep 20 to 50 launches within our rule, on 2 to 5 days");
    assert_null(strstr(text.plain, "refuse"));
    gl_request_text_done(&text);
    cluster.refused = 40;
    text = write_text(&cluster, NULL, GL_REQUEST_WHOLE);
    has(text.plain, "We had to refuse or hold back 20 to 50 launches, and could not keep 2 to 5 "
                    "within our rule, on");
    gl_request_text_done(&text);
}

static void why_it_did_not_run(void **state)
{
    struct gl_demand one = demand("aws", "eu-central-1");
    struct gl_request_text text;

    (void)state;
    one.capability = GL_CAPABILITY_HOURLY;
    text = write_text(cluster_of(one), NULL, GL_REQUEST_WHOLE);
    has(text.plain, "because it could not be shown before the launch that our rule was met: ");
    gl_request_text_done(&text);
    one.capability = GL_CAPABILITY_CAPACITY;
    text = write_text(cluster_of(one), NULL, GL_REQUEST_WHOLE);
    has(text.plain, "because the offers that met our rule had no room: ");
    gl_request_text_done(&text);
}

static void a_comment_is_the_use_case(void **state)
{
    struct gl_request_text text =
        write_text(cluster_of(demand("aws", "eu-central-1")), NULL, GL_REQUEST_COMMENT);

    (void)state;
    has(text.markdown, "20 to 50 launches");
    assert_null(strstr(text.markdown, "###"));
    gl_request_text_done(&text);
}

static json_t *schema(void)
{
    json_t *json = json_load_file("docs/request.schema.json", 0, NULL);

    assert_non_null(json);
    return json;
}

/* The schema lists every member, and no member is beside it. */
static void json_as_the_schema_says(void **state)
{
    struct gl_request_text text =
        write_text(cluster_of(demand("aws", "eu-central-1")), NULL, GL_REQUEST_WHOLE);
    json_t *json = json_loads(text.json, 0, NULL), *whole = schema();
    const json_t *properties = json_object_get(whole, "properties");
    const char *key;
    json_t *value;

    (void)state;
    assert_int_equal(json_object_size(json), json_object_size(properties));
    assert_int_equal(json_object_size(json), json_array_size(json_object_get(whole, "required")));
    json_object_foreach(json, key, value)
    {
        const json_t *property = json_object_get(properties, key);
        const char *type = json_string_value(json_object_get(property, "type"));

        if (property == NULL)
            fail_msg("%s is not in the schema", key);
        if (type != NULL && strcmp(type, "string") == 0)
            assert_true(json_is_string(value));
        if (type != NULL && strcmp(type, "object") == 0)
            assert_true(json_is_object(value));
    }
    json_decref(whole);
    json_decref(json);
    gl_request_text_done(&text);
}

static void same_words(const json_t *list, const char *const *words)
{
    size_t count = 0;

    for (; words[count] != NULL; count++)
        assert_string_equal(json_string_value(json_array_get(list, count)), words[count]);
    assert_int_equal(json_array_size(list), count);
}

static const json_t *names_of(const json_t *properties, const char *key)
{
    return json_object_get(json_object_get(json_object_get(properties, key), "propertyNames"),
                           "enum");
}

static void words_as_the_schema_says(void **state)
{
    json_t *whole = schema();
    const json_t *properties = json_object_get(whole, "properties");

    (void)state;
    same_words(json_object_get(json_object_get(properties, "capability"), "enum"),
               gl_capability_words);
    same_words(names_of(properties, "by_kind"), gl_demand_kind_words);
    same_words(names_of(properties, "instead"), gl_instead_words);
    json_decref(whole);
}

static void nothing_else_gets_in(void **state)
{
    static const char *const planted[] = {"123456789012", "db7.corp.example",  "team=ml",
                                          "10.0.0.7",     "alice@example.com", "0.4711 USD",
                                          "a b",          "\x1b[31m",          "`code`"};
    static const size_t offsets[] = {
        offsetof(struct gl_demand, provider), offsetof(struct gl_demand, region),
        offsetof(struct gl_demand, family), offsetof(struct gl_demand, rule)};

    (void)state;
    for (size_t p = 0; p < sizeof planted / sizeof planted[0]; p++)
        for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
            struct gl_cluster cluster = *cluster_of(demand("aws", "eu-central-1"));
            struct gl_demand bad = *cluster.first;
            struct gl_request_text text;

            snprintf((char *)&bad + offsets[i], GL_DEMAND_NAME, "%s", planted[p]);
            cluster.first = &bad;
            assert_int_equal(gl_request_text_write(&cluster, NULL, GL_REQUEST_WHOLE, &text, &err),
                             -1);
            assert_int_equal(err.code, GL_E_BAD_VALUE);
            assert_null(strstr(err.text, planted[p]));
        }
}

static void every_capability_has_its_words(void **state)
{
    (void)state;
    for (int i = 0; i < GL_CAPABILITIES; i++) {
        const struct gl_wish *wish = gl_wish_of((enum gl_capability)i);
        struct gl_demand one = demand("aws", "eu-central-1");
        struct gl_request_text text;

        assert_true(wish->noun != NULL && wish->what != NULL && wish->so_that != NULL &&
                    wish->search != NULL && wish->steps[1] != NULL);
        one.capability = (enum gl_capability)i;
        text = write_text(cluster_of(one), NULL, GL_REQUEST_WHOLE);
        has(text.plain, wish->what);
        gl_request_text_done(&text);
    }
}

static void nobody_is_pointed_to_itself(void **state)
{
    const struct gl_precedent *row;
    size_t at = 0;

    (void)state;
    while ((row = gl_precedent_next(GL_CAPABILITY_GREEN, "gcp", &at)) != NULL)
        assert_string_not_equal(row->provider, "gcp");
}

static void rules_are_asked_again(void **state)
{
    static const char *const good[] = {
        RULE, "intensity<=100g/kWh;location;average;lifecycle;grade>=D;data-age<=10800s",
        "renewable-share>=90%;green-for>=21600s;location;hourly;grade>=C;data-age<=10800s",
        "renewable-share>=90%;location;without-biomass;hourly;grade>=C;data-age<=10800s"};
    static const char *const bad[] = {
        "",         "price",    "renewable-share>=95%;location;hourly;data-age<=9s;places",
        "nonsense", "location", "renewable-share>=95%;market;hourly"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct gl_policy *policy = gl_request_rule_read(good[i], &err);

        if (policy == NULL)
            fail_msg("%s: %s", good[i], err.text);
        gl_policy_free(policy);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_null(gl_request_rule_read(bad[i], &err));
}

static void rules_for_people(void **state)
{
    static const struct {
        const char *rule, *says;
    } rows[] = {
        {"", ""},
        {"intensity<=100.5g/kWh;location;average;lifecycle",
         "carbon intensity at most 100.5 gCO2e/kWh, location-based, average emissions, over the "
         "life cycle"},
        {"green-for>=5400s;confidence>=95%", "for at least 90 min, with a confidence of 95%"},
        {"data-age<=61s;price", "data at most 61 s old, below a price of our choice"},
        {"emissions<=500g;places;size;budget",
         "emissions at most 500 gCO2e in all, within places of our choice, of a size of our "
         "choice, within a budget of ours"},
        {"no-such-part>=3", "no-such-part>=3"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        GL_AUTO(gl_str_done) struct gl_str out = {0};

        gl_request_add_rule(rows[i].rule, &out);
        assert_string_equal(gl_str_text(&out), rows[i].says);
    }
}

/* Every word that a rule in normal form can hold has words for people. */
static void every_part_has_words(void **state)
{
    const char *const *const lists[] = {gl_accounting_words, gl_rate_words, gl_boundary_words};

    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (const char *const *word = lists[i]; *word != NULL; word++) {
            GL_AUTO(gl_str_done) struct gl_str out = {0};

            gl_request_add_rule(*word, &out);
            if (strcmp(*word, "na") != 0)
                assert_string_not_equal(gl_str_text(&out), *word);
        }
}

static void ids_by_their_digits(void **state)
{
    static const char one[] = "7f3a91c2"
                              "00112233445566778899aabbccddeeff00112233445566778899aabb",
                      two[] = "7f3a91c3"
                              "00112233445566778899aabbccddeeff00112233445566778899aabb";
    static const char *const both[] = {one, two};
    size_t at = 9;

    (void)state;
    assert_true(gl_request_is_named(one, "GL-7f3a91c2") && gl_request_is_named(one, "gl-7F3A") &&
                gl_request_is_named(one, "7f3a91") && gl_request_is_named(one, one));
    assert_false(gl_request_is_named(one, "GL-7f3") || gl_request_is_named(one, "") ||
                 gl_request_is_named(one, "GL-") || gl_request_is_named(one, "7f3b") ||
                 gl_request_is_named(one, "91c2"));
    gl_error_clear(&err);
    assert_int_equal(gl_request_pick(both, 2, "7f3a91c3", "request", &at, &err), 0);
    assert_int_equal(at, 1);
    at = 9;
    assert_int_equal(gl_request_pick(both, 2, "GL-7f3a", "request", &at, &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    has(err.text, "more than one request");
    gl_error_clear(&err);
    assert_int_equal(gl_request_pick(both, 1, "GL-7f3a91c7", "demand", &at, &err), -1);
    has(err.text, "did you mean GL-7f3a91c2?");
    gl_error_clear(&err);
    assert_int_equal(gl_request_pick(both, 0, "GL-7f3a91c7", "demand", &at, &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    assert_int_equal(at, 9);
    gl_error_clear(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(after_the_template_of_aws, tear_down),
        cmocka_unit_test_teardown(after_the_template_of_others, tear_down),
        cmocka_unit_test_teardown(rounded, tear_down),
        cmocka_unit_test_teardown(what_was_refused_and_what_was_not, tear_down),
        cmocka_unit_test_teardown(why_it_did_not_run, tear_down),
        cmocka_unit_test_teardown(a_comment_is_the_use_case, tear_down),
        cmocka_unit_test_teardown(json_as_the_schema_says, tear_down),
        cmocka_unit_test(words_as_the_schema_says),
        cmocka_unit_test_teardown(nothing_else_gets_in, tear_down),
        cmocka_unit_test_teardown(every_capability_has_its_words, tear_down),
        cmocka_unit_test(nobody_is_pointed_to_itself),
        cmocka_unit_test(rules_are_asked_again),
        cmocka_unit_test(rules_for_people),
        cmocka_unit_test(every_part_has_words),
        cmocka_unit_test(ids_by_their_digits),
    };

    return cmocka_run_group_tests_name("request text", tests, NULL, NULL);
}
