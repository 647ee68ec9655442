/* SPDX-License-Identifier: Apache-2.0 */
/* What a launch that was promised grams states, for the guard and the receipt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/keeping.h"
#include "policy/guarantee/book.h"
#include "tests/unit/policy/case.h"

static struct gl_zone_facts zone;
static struct gl_history history;
static struct gl_offer offer;
static struct gl_request request;
static struct gl_constraint limits[4];
static struct gl_rule rule;
static struct gl_policy policy;
static struct gl_book_entry entry;
static struct gl_book book;
static struct gl_question question;

/* 120 W at most at half load, with PUE 1.2 and twice: 0.432 kW. */
static int setup(void **state)
{
    (void)state;
    zone = (struct gl_zone_facts){.zone = "SE-SE3"};
    history = (struct gl_history){.meaning = case_meaning(GL_INTENSITY), .newest_actual_s = NOW};
    offer = case_offer("eu-north-1", NULL);
    case_place(&offer)->zone_count = 1;
    case_place(&offer)->zones[0] = &zone;
    request = case_request(2 * HOUR);
    request.count = 2;
    limits[0] = case_limit(GL_KEY_CONFIDENCE, PERCENT(90));
    limits[0].written = "90%";
    policy = case_policy(&rule, 1);
    entry = (struct gl_book_entry){.rule = &rule,
                                   .zone = &zone,
                                   .kw = 1,
                                   .history = {&history},
                                   .is_ready = true,
                                   .is_run_promised = true,
                                   .promise = {.kind = GL_PROMISED, .start_s = NOW, .hours = 5}};
    entry.legs.count = 1;
    book = (struct gl_book){1, &entry};
    question = (struct gl_question){.policy = &policy,
                                    .request = &request,
                                    .offers = &offer,
                                    .offer_count = 1,
                                    .now = {NOW},
                                    .has_no_digest = true,
                                    .book = &book};
    return 0;
}

/* The limits of the only rule stated, as "key=limit key=limit"; "" when none is. */
static const char *stated(size_t count)
{
    static char text[512];
    json_t *rules, *limit;
    size_t i;

    rule = case_rule("r", limits, count);
    rules = gl_keeping_rules(&question, 0);
    text[0] = '\0';
    assert_true(json_array_size(rules) <= 1);
    json_array_foreach(json_object_get(json_array_get(rules, 0), "limits"), i, limit)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s=%s", i > 0 ? " " : "",
                 json_string_value(json_object_get(limit, "key")),
                 json_string_value(json_object_get(limit, "limit")));
    json_decref(rules);
    return text;
}

static void a_promised_rate_is_stated_as_the_intensity_it_comes_to(void **state)
{
    (void)state;
    limits[1] = case_limit(GL_KEY_MAX_RATE, GRAMS(108));
    assert_string_equal(stated(2), "max_intensity=250.000000 gCO2e/kWh");
    limits[1].number = GRAMS(100); /* 231.48148148...: rounded down */
    assert_string_equal(stated(2), "max_intensity=231.481481 gCO2e/kWh");
}

static void the_lowest_of_all_ceilings_is_stated(void **state)
{
    (void)state;
    limits[1] = case_limit(GL_KEY_MAX_RATE, GRAMS(108));
    limits[2] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(260));
    limits[2].written = "260 g/kWh";
    assert_string_equal(stated(3), "max_intensity=250.000000 gCO2e/kWh");
    limits[2].number = GRAMS(240);
    limits[2].written = "240 g/kWh";
    assert_string_equal(stated(3), "max_intensity=240 g/kWh");
    limits[3] = case_limit(GL_KEY_GREEN_BELOW, GRAMS(230));
    limits[3].written = "230 g/kWh";
    assert_string_equal(stated(4), "max_intensity=230 g/kWh");
    limits[1].number = GRAMS(86.4);
    assert_string_equal(stated(4), "max_intensity=200.000000 gCO2e/kWh");
}

/* Nothing can be said of an hour: the promise in the ledger is settled on the sum. */
static void a_promised_total_states_nothing_of_an_hour(void **state)
{
    (void)state;
    limits[1] = case_limit(GL_KEY_MAX_TOTAL, GRAMS(500));
    assert_string_equal(stated(2), "");
    limits[2] = case_limit(GL_KEY_MIN_RENEWABLE, PERCENT(80));
    limits[2].written = "80%";
    assert_string_equal(stated(3), "min_renewable=80%");
}

static void without_watts_nothing_was_promised(void **state)
{
    (void)state;
    limits[1] = case_limit(GL_KEY_MAX_RATE, GRAMS(108));
    case_type(&offer)->full_w = (struct gl_band){-1, -1, -1};
    assert_string_equal(stated(2), "");
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_promised_rate_is_stated_as_the_intensity_it_comes_to),
        TEST(the_lowest_of_all_ceilings_is_stated),
        TEST(a_promised_total_states_nothing_of_an_hour),
        TEST(without_watts_nothing_was_promised),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
