/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/policy/case.h"

#include <math.h>
#include <stdlib.h>

/* The order and the front of lists that are too long to be written down: checked against the words
 * of the header, offer by offer. */

static struct case_zone zones[4];
static struct gl_offer offers[4];
static struct gl_request request;
static struct gl_constraint limit;
static struct gl_rule rule;
static struct gl_policy policy;
static struct gl_question question;

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        case_zone_init(&zones[i], "z");
        case_forecast(&zones[i], GL_INTENSITY, 48, GRAMS(100) * (int64_t)(i + 1));
        offers[i] = case_offer("r", &zones[i]);
    }
    request = case_request(4 * HOUR);
    limit = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(330)); /* not the last one */
    rule = case_rule("r", &limit, 1);
    policy = case_policy(&rule, 1);
    question = (struct gl_question){.policy = &policy, .request = &request, .now = {NOW}};
    return 0;
}

/* More offers than are sorted by plain comparison, of few different prices and grams. */
enum { LONG_LIST = 5000 };

static struct gl_offer *long_list(void)
{
    struct gl_offer *list = calloc(LONG_LIST, sizeof *list);
    uint32_t random = 1;

    for (size_t i = 0; i < LONG_LIST; i++) {
        random = random * 1664525 + 1013904223;
        list[i] = offers[(random >> 8) % 4];
        list[i].price_u_usd_per_h = random % 50 == 0 ? GL_UNKNOWN : 1000 * (int64_t)(random >> 27);
        case_place(&list[i])->pue = 1 + (random >> 12) % 97 / 100.0;
    }
    question.offers = list;
    question.offer_count = LONG_LIST;
    question.has_no_digest = true;
    return list;
}

static double known_first(int64_t price_u)
{
    return price_u >= 0 ? (double)price_u : (double)INFINITY;
}

/* Does `a` come before `b`, by what the header says? */
static bool is_before(const struct gl_decision *decision, uint32_t a, uint32_t b)
{
    static const int groups[] = {[GL_SATISFIED] = 0, [GL_OUTCOME_UNKNOWN] = 1, [GL_VIOLATED] = 2};
    const struct gl_judgement *left = &decision->judgements[a], *right = &decision->judgements[b];
    double prices[2] = {known_first(question.offers[a].price_u_usd_per_h),
                        known_first(question.offers[b].price_u_usd_per_h)};

    if (left->outcome != right->outcome)
        return groups[left->outcome] < groups[right->outcome];
    if (question.sort == GL_SORT_PRICE && (prices[0] < prices[1] || prices[0] > prices[1]))
        return prices[0] < prices[1];
    if (left->grams_total[1] < right->grams_total[1] ||
        left->grams_total[1] > right->grams_total[1])
        return left->grams_total[1] < right->grams_total[1];
    if (prices[0] < prices[1] || prices[0] > prices[1])
        return prices[0] < prices[1];
    return a < b;
}

static void a_long_list_is_in_order(void **state)
{
    struct gl_offer *list = long_list();

    (void)state;
    for (question.sort = GL_SORT_CARBON; question.sort <= GL_SORT_PRICE; question.sort++) {
        struct gl_decision *decision = gl_decide(&question);

        assert_true(decision->allowed > 1000 && decision->violated > 1000);
        for (size_t i = 1; i < LONG_LIST; i++)
            assert_true(is_before(decision, decision->ranked[i - 1], decision->ranked[i]));
        gl_decision_free(decision);
    }
    free(list);
}

static bool is_alike(const struct gl_judgement *a, const struct gl_judgement *b)
{
    return a->outcome == b->outcome && a->is_pareto == b->is_pareto &&
           memcmp(a->grams_per_h, b->grams_per_h, sizeof a->grams_per_h) == 0 &&
           memcmp(a->grams_total, b->grams_total, sizeof a->grams_total) == 0;
}

/* In full for the wanted, without bounds for the others. */
static size_t count_in_full(const struct gl_decision *decision, const struct gl_decision *whole)
{
    size_t count = 0;

    for (size_t i = 0; i < LONG_LIST; i++) {
        const struct gl_judgement *one = &decision->judgements[i], *full = &whole->judgements[i];
        struct gl_judgement bare = *full;

        bare.grams_per_h[0] = bare.grams_per_h[2] = -1;
        bare.grams_total[0] = bare.grams_total[2] = -1;
        count += is_alike(one, full);
        assert_true(is_alike(one, full) || is_alike(one, &bare));
    }
    return count;
}

static void the_wanted_few_are_the_first_of_all(void **state)
{
    static const size_t wanted[] = {1, 2, 10, 333, 2500, LONG_LIST - 1, LONG_LIST, LONG_LIST + 1};
    struct gl_offer *list = long_list();
    struct gl_decision *whole = gl_decide(&question);

    (void)state;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        size_t count = wanted[i] < LONG_LIST ? wanted[i] : LONG_LIST;
        struct gl_decision *decision;

        question.ranked_wanted = wanted[i];
        decision = gl_decide(&question);
        assert_memory_equal(decision->ranked, whole->ranked, count * sizeof *whole->ranked);
        for (size_t rank = 0; rank < count; rank++)
            assert_true(is_alike(&decision->judgements[decision->ranked[rank]],
                                 &whole->judgements[decision->ranked[rank]]));
        assert_int_equal(count_in_full(decision, whole), count);
        gl_decision_free(decision);
    }
    gl_decision_free(whole);
    free(list);
}

static bool is_beaten(const struct gl_decision *decision, uint32_t offer)
{
    for (uint32_t i = 0; i < LONG_LIST; i++) {
        float grams = decision->judgements[i].grams_total[1],
              than = decision->judgements[offer].grams_total[1];
        int64_t price = question.offers[i].price_u_usd_per_h,
                than_price = question.offers[offer].price_u_usd_per_h;

        if (decision->judgements[i].outcome == GL_SATISFIED && price >= 0 && grams <= than &&
            price <= than_price && (grams < than || price < than_price))
            return true;
    }
    return false;
}

static void the_front_of_a_long_list_is_what_nothing_beats(void **state)
{
    struct gl_offer *list = long_list();
    struct gl_decision *decision = gl_decide(&question);
    size_t count = 0;

    (void)state;
    for (uint32_t i = 0; i < LONG_LIST; i++) {
        const struct gl_judgement *one = &decision->judgements[i];
        bool is_priced = list[i].price_u_usd_per_h >= 0;

        assert_int_equal(one->is_pareto,
                         one->outcome == GL_SATISFIED && is_priced && !is_beaten(decision, i));
        count += one->is_pareto;
    }
    assert_true(count > 0);
    gl_decision_free(decision);
    free(list);
}

static void many_zones_do_not_confuse_the_memory_of_figures(void **state)
{
    enum { MANY = 700 };
    struct case_zone *many = calloc(MANY, sizeof *many);
    struct gl_offer *list = calloc(MANY, sizeof *list);
    struct gl_decision *decision;

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        case_zone_init(&many[i], "z");
        case_forecast(&many[i], GL_INTENSITY, 8, GRAMS(1) * (int64_t)(i + 1));
        list[i] = case_offer("r", &many[i]);
    }
    question.offers = list;
    question.offer_count = MANY;
    decision = gl_decide(&question);
    assert_int_equal(decision->allowed, 300); /* 1.1 * 300 = 330 */
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(decision->ranked[i], i);
        assert_int_equal(decision->judgements[i].reason.found_u == GL_UNKNOWN, i < 300);
    }
    gl_decision_free(decision);
    free(list);
    free(many);
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(many_zones_do_not_confuse_the_memory_of_figures),
        TEST(a_long_list_is_in_order),
        TEST(the_wanted_few_are_the_first_of_all),
        TEST(the_front_of_a_long_list_is_what_nothing_beats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
