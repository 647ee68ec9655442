/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/broker/hook_world.h"

/* What must hold for every judged plan, tried on some thousand invented ones. Seeds count from 1; a
 * failure prints its seed. */

#define PLANS 1500

#define CHECK(condition)                                                     \
    do {                                                                     \
        if (!(condition))                                                    \
            fail_msg("seed %llu: %s", (unsigned long long)seed, #condition); \
    } while (0)

static struct hook_world world;
static struct gl_policy *policy;

/* xorshift64*, seeded apart for every plan. */
static uint64_t drawn;
static size_t below(size_t limit)
{
    drawn ^= drawn >> 12;
    drawn ^= drawn << 25;
    drawn ^= drawn >> 27;
    return (size_t)((drawn * UINT64_C(2685821657736338717)) >> 33) % limit;
}

static const char *const regions[] = {"eu-north-1", "us-east-1", "xx-nowhere-1", NULL};
static const char *const types[] = {"m5.large", "m5.xlarge", "x9.unheard", NULL};
static const char *const either[] = {"eu-north-1", "us-east-1", NULL};

/* Limits from loose to tight: a longer list of steps is a tighter policy. */
static void make_policy(unsigned tightness)
{
    static const int intensity[] = {1000, 300, 100, 10};
    char text[512];

    gl_policy_free(policy);
    snprintf(text, sizeof text,
             "greenlaunch: 1\nid: p\nrules:\n"
             "  - {id: clean, max_intensity: %d g/kWh}\n"
             "  - {id: few, max_count: %u, match: {address: \"**[?]\"}}\n"
             "  - {id: step, budget: {max_increase: %u kg}}\n",
             intensity[tightness], 8 - 2 * tightness, 400 - 100 * tightness);
    policy = world_policy(text);
}

static void invent(uint64_t seed, unsigned tightness)
{
    static const enum gl_change changes[] = {GL_CHANGE_CREATE, GL_CHANGE_GROW,   GL_CHANGE_MOVE,
                                             GL_CHANGE_NONE,   GL_CHANGE_DELETE, GL_CHANGE_FORGET};
    size_t count;

    drawn = seed * UINT64_C(0x9e3779b97f4a7c15);
    make_policy(tightness);
    world_init(&world, policy);
    count = 1 + below(12);
    for (size_t i = 0; i < count; i++) {
        struct gl_intent *intent =
            world_add(&world, changes[below(6)], regions[below(4)], types[below(4)]);

        if (intent->place.region == NULL && below(2) == 0)
            intent->place.candidates = either;
        intent->count.max = intent->count.desired = (int64_t)below(9);
        if (below(5) == 0)
            intent->count.min = intent->count.desired = intent->count.max = GL_UNKNOWN;
        if (intent->change == GL_CHANGE_GROW) {
            world_before(&world, intent);
            intent->machine_before->type = intent->machine_before->catalogue = "m5.large";
        }
    }
}

static void shuffle(void)
{
    for (size_t i = world.plan.count; i > 1; i--) {
        size_t other = below(i);
        struct gl_intent kept = world.intents[i - 1];

        world.intents[i - 1] = world.intents[other];
        world.intents[other] = kept;
    }
}

static void order_is_gone(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= PLANS; seed++) {
        struct gl_hook_report *first, *second;

        invent(seed, (unsigned)(seed % 4));
        first = gl_hook_judge(&world.ask);
        shuffle();
        second = gl_hook_judge(&world.ask);
        CHECK(first->verdict == second->verdict && first->exit == second->exit);
        CHECK(gl_hash_equal(&first->digest, &second->digest));
        CHECK(gl_hash_equal(&first->facts_digest, &second->facts_digest));
        gl_hook_report_free(first);
        gl_hook_report_free(second);
    }
}

static void what_does_not_change_changes_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= PLANS; seed++) {
        struct gl_hook_report *first, *second;

        invent(seed, (unsigned)(seed % 4));
        first = gl_hook_judge(&world.ask);
        world_add(&world, GL_CHANGE_NONE, regions[below(4)], types[below(4)]);
        second = gl_hook_judge(&world.ask);
        CHECK(first->exit == second->exit);
        CHECK(gl_hash_equal(&first->digest, &second->digest));
        CHECK(!gl_hash_equal(&first->facts_digest, &second->facts_digest));
        gl_hook_report_free(first);
        gl_hook_report_free(second);
    }
}

static void tightening_allows_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= PLANS; seed++) {
        bool was_allowed = true;

        for (unsigned tightness = 0; tightness < 4; tightness++) {
            struct gl_hook_report *report;

            invent(seed, tightness);
            report = gl_hook_judge(&world.ask);
            CHECK(was_allowed || report->exit != GL_EXIT_OK);
            was_allowed = report->exit == GL_EXIT_OK;
            gl_hook_report_free(report);
        }
    }
}

static bool is_unknown(const struct gl_intent *intent)
{
    return intent->is_launch &&
           ((intent->place.region == NULL && intent->place.candidates == NULL) ||
            (intent->place.region != NULL && strcmp(intent->place.region, "xx-nowhere-1") == 0) ||
            intent->count.max == GL_UNKNOWN);
}

static void unknown_is_never_allowed(void **state)
{
    size_t unknown_plans = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= PLANS; seed++) {
        struct gl_hook_report *report;
        bool has_unknown = false;

        invent(seed, 0);
        for (size_t i = 0; i < world.plan.count; i++)
            has_unknown = has_unknown || is_unknown(&world.intents[i]);
        report = gl_hook_judge(&world.ask);
        CHECK(!has_unknown || report->exit != GL_EXIT_OK);
        unknown_plans += has_unknown;
        gl_hook_report_free(report);
    }
    assert_true(unknown_plans > PLANS / 10);
}

static int end(void **state)
{
    (void)state;
    gl_policy_free(policy);
    policy = NULL;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(order_is_gone, end),
        cmocka_unit_test_teardown(what_does_not_change_changes_nothing, end),
        cmocka_unit_test_teardown(tightening_allows_nothing, end),
        cmocka_unit_test_teardown(unknown_is_never_allowed, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
