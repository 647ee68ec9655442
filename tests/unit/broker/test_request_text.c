/* SPDX-License-Identifier: Apache-2.0 */
/* Drafts: after each place's template, rounded, of whitelisted members alone; and rules in normal
 * form asked again. */
#include "base/json.h"
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
    has(text.plain, "the limit is 95 %, the best that was found 61 %");
    has(text.plain, "grade B");
    has(text.plain, "waited (20 to 50). Where it cost time, the median was 2 to 5 hours.");
    has(text.plain, "100 to 200 gCO2e more");
    has(text.plain, "Drafted with greenlaunch GL-");
    has(text.plain, "announcing-green-compute");
    has(text.plain, "restrict-locations");
    assert_null(strstr(text.plain, "43"));
    assert_null(strstr(text.markdown, "43"));
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
        "renewable-share>=90%;green-for>=21600s;location;without-biomass;hourly;grade>=C;"
        "data-age<=10800s"};
    static const char *const bad[] = {"",
                                      "price",
                                      "renewable-share>=95%;location;hourly;grade>=C;"
                                      "data-age<=10800s;places",
                                      "nonsense",
                                      "location",
                                      "renewable-share>=95%;market;hourly"};

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(after_the_template_of_aws, tear_down),
        cmocka_unit_test_teardown(after_the_template_of_others, tear_down),
        cmocka_unit_test_teardown(rounded, tear_down),
        cmocka_unit_test_teardown(a_comment_is_the_use_case, tear_down),
        cmocka_unit_test_teardown(json_as_the_schema_says, tear_down),
        cmocka_unit_test(words_as_the_schema_says),
        cmocka_unit_test_teardown(nothing_else_gets_in, tear_down),
        cmocka_unit_test_teardown(every_capability_has_its_words, tear_down),
        cmocka_unit_test(nobody_is_pointed_to_itself),
        cmocka_unit_test(rules_are_asked_again),
    };

    return cmocka_run_group_tests_name("request text", tests, NULL, NULL);
}
