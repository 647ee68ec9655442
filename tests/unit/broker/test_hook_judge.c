/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/broker/hook_world.h"

#define HEAD  "greenlaunch: 1\nid: p\nrules:\n"
#define CLEAN HEAD "  - {id: clean, max_intensity: 100 g/kWh}\n"

static struct hook_world world;
static struct gl_policy *policy;
static struct gl_hook_report *report;

#define MANY 100

static void begin(const char *text)
{
    policy = world_policy(text);
    world_init(&world, policy);
}

static void judge(void)
{
    gl_hook_report_free(report);
    report = gl_hook_judge(&world.ask);
}

static int end(void **state)
{
    (void)state;
    gl_hook_report_free(report);
    gl_policy_free(policy);
    report = NULL;
    policy = NULL;
    return 0;
}

static void clean_launches_are_allowed(void **state)
{
    (void)state;
    begin(CLEAN);
    world_add(&world, GL_CHANGE_CREATE, "eu-north-1", "m5.large");
    judge();
    assert_int_equal(report->verdict, GL_ALLOW);
    assert_int_equal(report->exit, GL_EXIT_OK);
    assert_int_equal(report->launches, 1);
    assert_int_equal(report->finding_count, 0);
    assert_int_equal(report->judged[0].intensity.value_u, GRAMS(20));
    /* 2 vCPU at half load: 75 W, PUE 1.2, 20 g/kWh. */
    assert_true(fabs(report->judged[0].grams_per_h[1] - 1.8) < 1e-4);
    assert_true(fabs(report->grams_per_month[1] - 1.8 * 730.5) < 0.1);
}

static void dirty_ones_are_refused_with_a_remedy(void **state)
{
    const struct gl_judged *judged;

    (void)state;
    begin(CLEAN);
    world_add(&world, GL_CHANGE_CREATE, "eu-north-1", "m5.large");
    world_add(&world, GL_CHANGE_CREATE, "us-east-1", "m5.large");
    judge();
    assert_int_equal(report->exit, GL_EXIT_REFUSED);
    assert_string_equal(report->headline, "refused: 1 of 2 launches break a rule");
    assert_int_equal(report->finding_count, 1);
    assert_int_equal(report->findings[0].state, GL_FINDING_BROKEN);
    assert_string_equal(report->findings[0].rule_place, "p.yaml:4");
    assert_non_null(strstr(report->findings[0].message, "440 gCO2e/kWh is above 100"));
    assert_int_equal(strlen(report->findings[0].fingerprint), 32);
    judged = &report->judged[0]; /* worst first */
    assert_string_equal(judged->intent->address, "aws_instance.web[1]");
    assert_int_equal(judged->remedy_count, 1);
    assert_int_equal(judged->remedies[0].kind, GL_ALT_PLACE);
    assert_string_equal(judged->remedies[0].region, "eu-north-1");
    assert_true(fabs(judged->remedies[0].saved_g_per_month[1] - (36 - 1.8) * 730.5) < 1);
    assert_true(fabs(judged->remedies[0].extra_usd_per_month) < 1e-9);
}

static void what_stands_by_is_not_judged(void **state)
{
    (void)state;
    begin(CLEAN);
    world_add(&world, GL_CHANGE_NONE, "us-east-1", "m5.large");
    world_add(&world, GL_CHANGE_DELETE, "us-east-1", "m5.large");
    world_add(&world, GL_CHANGE_SHRINK, "us-east-1", "m5.large");
    world_add(&world, GL_CHANGE_CREATE, "us-east-1", "m5.large")->is_mapped = false;
    world_add(&world, GL_CHANGE_CREATE, "us-east-1", "m5.large")->role = GL_ROLE_TEMPLATE;
    judge();
    assert_int_equal(report->verdict, GL_ALLOW);
    assert_int_equal(report->judged_count, 0);
    assert_int_equal(report->context, 5);
}

static void an_unknown_place_is_never_green(void **state)
{
    static const char *const maybe[] = {"eu-north-1", "us-east-1", NULL};
    struct gl_intent *intent;

    (void)state;
    begin(CLEAN);
    intent = world_add(&world, GL_CHANGE_CREATE, NULL, "m5.large");
    judge();
    assert_int_equal(report->exit, GL_EXIT_UNKNOWN);
    assert_int_equal(report->unknown_region, 1);
    assert_non_null(strstr(report->findings[0].message, "the plan does not say where"));
    intent->place.candidates = maybe; /* the worst of both counts */
    judge();
    assert_int_equal(report->exit, GL_EXIT_REFUSED);
    assert_non_null(strstr(report->findings[0].message, "m5.large in us-east-1: "));
    intent->place.candidates = NULL;
    intent->place.region = "*"; /* no pattern gets in from a plan */
    judge();
    assert_int_equal(report->exit, GL_EXIT_UNKNOWN);
}

static void an_unknown_machine_is_judged_by_its_place(void **state)
{
    (void)state;
    begin(CLEAN "  - {id: rate, max_rate: 100 g/h}\n");
    world_add(&world, GL_CHANGE_CREATE, "eu-north-1", "x9.unheard");
    judge();
    assert_int_equal(report->exit, GL_EXIT_UNKNOWN);
    assert_int_equal(report->finding_count, 1);
    assert_string_equal(report->findings[0].rule->id, "rate");
    assert_true(isnan(report->judged[0].grams_per_h[1]));
    world.intents[0].place.region = "us-east-1";
    judge();
    assert_int_equal(report->exit, GL_EXIT_REFUSED);
}

static void a_service_has_no_price_of_a_machine(void **state)
{
    struct gl_intent *intent;

    (void)state;
    begin(CLEAN);
    intent = world_add(&world, GL_CHANGE_CREATE, "eu-north-1", "m5.large");
    intent->role = GL_ROLE_MANAGED;
    intent->machine.type = "db.m5.large";
    judge();
    assert_int_equal(report->verdict, GL_ALLOW);
    assert_true(isnan(report->judged[0].usd_per_h));
    assert_true(report->judged[0].grams_per_h[1] > 0);
}

/* 0.05 USD an hour and vCPU: +0.1 created, -0.2 deleted, +0.3 grown. */
static void money_changes_by_what_stays_and_goes(void **state)
{
    struct gl_intent *grown;

    (void)state;
    begin(CLEAN);
    world_add(&world, GL_CHANGE_CREATE, "eu-north-1", "m5.large");
    world_add(&world, GL_CHANGE_DELETE, "us-east-1", "m5.xlarge");
    world_add(&world, GL_CHANGE_NONE, "us-east-1", "m5.2xlarge");
    grown = world_add(&world, GL_CHANGE_GROW, "eu-north-1", "m5.2xlarge");
    world_before(&world, grown);
    grown->machine_before->type = grown->machine_before->catalogue = "m5.large";
    judge();
    assert_true(fabs(report->usd_per_month - 0.5 * 730.5) < 1e-6);
    assert_true(fabs(report->delta_usd_per_month - 0.2 * 730.5) < 1e-6);
    world_add(&world, GL_CHANGE_DELETE, "us-east-1", "x9.unheard");
    judge();
    assert_true(fabs(report->usd_per_month - 0.5 * 730.5) < 1e-6);
    assert_true(isnan(report->delta_usd_per_month));
}

static void groups_count_by_the_asked_basis(void **state)
{
    struct gl_intent *intent;

    (void)state;
    begin(HEAD "  - {id: few, max_count: 4}\n");
    intent = world_add(&world, GL_CHANGE_CREATE, "eu-north-1", "m5.large");
    intent->role = GL_ROLE_GROUP;
    intent->count = (struct gl_intent_count){1, 2, 8, "machine", NULL, GL_SURE_CERTAIN, false};
    judge();
    assert_int_equal(report->exit, GL_EXIT_REFUSED);
    assert_int_equal(report->judged[0].count, 8);
    world.ask.count_basis = GL_COUNT_NOW;
    judge();
    assert_int_equal(report->exit, GL_EXIT_OK);
    assert_int_equal(report->judged[0].count, 2);
    world.ask.count_basis = GL_COUNT_TYPICAL; /* the middle of 1 and 8, rounded up */
    judge();
    assert_int_equal(report->judged[0].count, 5);
    intent->count.desired = intent->count.max = GL_UNKNOWN;
    judge();
    assert_int_equal(report->exit, GL_EXIT_UNKNOWN);
    intent->count = (struct gl_intent_count){0, 0, 16, "vcpu", NULL, GL_SURE_CERTAIN, false};
    world.ask.count_basis = GL_COUNT_WORST; /* 16 vCPU are 8 machines of 2 */
    judge();
    assert_int_equal(report->judged[0].count, 8);
}

static void machines_that_cannot_be_seen(void **state)
{
    (void)state;
    begin(CLEAN "  - {id: seen, max_count: 4, match: {role: opaque}}\n");
    world_add(&world, GL_CHANGE_CREATE, "eu-north-1", NULL)->role = GL_ROLE_OPAQUE;
    judge();
    assert_int_equal(report->exit, GL_EXIT_UNKNOWN);
    assert_int_equal(report->finding_count, 1);
    assert_string_equal(report->findings[0].rule->id, "seen");
    assert_string_equal(report->opaque_addresses[0], "aws_instance.web[0]");
    end(NULL);
    begin(CLEAN);
    world_add(&world, GL_CHANGE_CREATE, "us-east-1", NULL)->role = GL_ROLE_OPAQUE;
    judge();
    assert_int_equal(report->exit, GL_EXIT_OK);
    assert_int_equal(report->opaque, 1);
    assert_int_equal(report->judged_count, 0);
}

/* As readers give it: no launch, as no number is known. */
static void opaque_ones_are_looked_at_though_no_launch(void **state)
{
    struct gl_intent *intent;

    (void)state;
    begin(CLEAN "  - {id: seen, max_count: 4, match: {role: opaque}}\n");
    intent = world_add(&world, GL_CHANGE_CREATE, "eu-north-1", NULL);
    intent->role = GL_ROLE_OPAQUE;
    intent->is_launch = false;
    judge();
    assert_int_equal(report->exit, GL_EXIT_UNKNOWN);
    assert_int_equal(report->opaque, 1);
    intent->change = GL_CHANGE_NONE;
    judge();
    assert_int_equal(report->exit, GL_EXIT_OK);
    assert_int_equal(report->opaque, 0);
    end(NULL);
}

/* A Local Zone is run by a region and stands in another grid. */
static void zones_apart_are_not_their_region(void **state)
{
    static const char *const apart[] = {"eu-north-1-cph-1a", NULL},
                             *const mixed[] = {"eu-north-1a", "eu-north-1-cph-1a", NULL},
                             *const plain[] = {"eu-north-1a", "eu-north-1b", NULL};
    struct gl_intent *intent;

    (void)state;
    begin(CLEAN);
    intent = world_add(&world, GL_CHANGE_CREATE, "eu-north-1", "m5.large");
    intent->place.zones = plain;
    judge();
    assert_int_equal(report->exit, GL_EXIT_OK);
    intent->place.zones = mixed;
    judge();
    assert_int_equal(report->exit, GL_EXIT_UNKNOWN);
    intent->place.zones = apart;
    judge();
    assert_int_equal(report->exit, GL_EXIT_UNKNOWN);
    end(NULL);
}

/* What is not looked at could be the worst. */
static void too_many_alternatives_are_unknown(void **state)
{
    static char names[MANY][16];
    static const char *types[MANY + 1];
    struct gl_intent *intent;

    (void)state;
    begin(CLEAN);
    intent = world_add(&world, GL_CHANGE_CREATE, "eu-north-1", "m5.large");
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "x%zu.large", i);
        types[i] = names[i];
    }
    intent->machine.type = types[0];
    intent->machine.catalogue = types[0];
    intent->machine.candidates = types;
    judge();
    assert_int_equal(report->exit, GL_EXIT_UNKNOWN);
    types[10] = NULL;
    judge();
    assert_int_equal(report->exit, GL_EXIT_OK);
    end(NULL);
}

/* Replaced, and the one from before runs on: nothing is taken off. */
static void what_is_forgotten_is_not_taken_off(void **state)
{
    struct gl_intent *intent;

    (void)state;
    begin(HEAD "  - {id: less, budget: {max_increase: 1 g}}\n");
    intent = world_add(&world, GL_CHANGE_REPLACE, "us-east-1", "m5.large");
    intent->place_before = &intent->place;
    intent->machine_before = &intent->machine;
    intent->count_before = &intent->count;
    judge();
    assert_int_equal(report->exit, GL_EXIT_OK);
    intent->keeps_old = true;
    judge();
    assert_int_equal(report->exit, GL_EXIT_BUDGET);
    end(NULL);
}

static void waivers_let_pass_and_are_told(void **state)
{
    static const char waivers[] = "greenlaunch_waivers: 1\nwaivers:\n"
                                  "  - {rule: clean, address: 'aws_instance.web[0]', reason: r, "
                                  "owner: o@x, created: 2026-03-01, expires: 2026-03-20}\n"
                                  "  - {rule: clean, address: 'aws_instance.gone', reason: r, "
                                  "owner: o@x, created: 2026-03-01, expires: 2026-06-01}\n";
    struct gl_diagnostics found;

    (void)state;
    begin(CLEAN);
    assert_int_equal(
        gl_policy_add_waivers(policy, (struct gl_view){waivers, strlen(waivers)}, "w.yaml", &found),
        0);
    world_add(&world, GL_CHANGE_CREATE, "us-east-1", "m5.large");
    judge();
    assert_int_equal(report->exit, GL_EXIT_OK);
    assert_int_equal(report->waived, 1);
    assert_non_null(strstr(report->waivers_applied[0], "aws_instance.web[0]"));
    assert_non_null(strstr(report->waivers_expiring[0], "2026-03-20"));
    assert_null(report->waivers_expiring[1]);
    assert_non_null(strstr(report->waivers_unused[0], "aws_instance.gone"));
    world_add(&world, GL_CHANGE_CREATE, "us-east-1", "m5.large");
    judge(); /* another address is not waived */
    assert_int_equal(report->exit, GL_EXIT_REFUSED);
}

static void increases_are_after_minus_before(void **state)
{
    struct gl_intent *grown, *gone;

    (void)state;
    /* m5.large in eu-north-1 at its upper bounds: 90 W x 1.2 x 22 g/kWh = 2.376 g/h, 1.74 kg. */
    begin(HEAD "  - {id: step, budget: {max_increase: 2 kg}}\n");
    world_add(&world, GL_CHANGE_CREATE, "eu-north-1", "m5.large");
    judge();
    assert_int_equal(report->exit, GL_EXIT_OK);
    grown = world_add(&world, GL_CHANGE_GROW, "eu-north-1", "m5.xlarge");
    world_before(&world, grown);
    grown->machine_before->type = grown->machine_before->catalogue = "m5.large";
    judge(); /* another 1.74 kg */
    assert_int_equal(report->exit, GL_EXIT_BUDGET);
    assert_int_equal(report->verdict, GL_REFUSE);
    assert_null(report->findings[0].intent);
    gone = world_add(&world, GL_CHANGE_DELETE, "eu-north-1", "m5.xlarge");
    judge(); /* what is deleted is taken off */
    assert_int_equal(report->exit, GL_EXIT_OK);
    gone->change = GL_CHANGE_FORGET; /* what is forgotten goes on running */
    judge();
    assert_int_equal(report->exit, GL_EXIT_BUDGET);
    grown->place.region = NULL;
    judge();
    assert_int_equal(report->exit, GL_EXIT_UNKNOWN);
}

static void shares_are_of_what_ran_before(void **state)
{
    (void)state;
    begin(HEAD "  - {id: step, budget: {max_increase_share: 50%}}\n");
    world_add(&world, GL_CHANGE_CREATE, "eu-north-1", "m5.large");
    judge(); /* from nothing */
    assert_int_equal(report->exit, GL_EXIT_BUDGET);
    assert_non_null(strstr(report->findings[0].message, "where nothing ran before"));
    world_add(&world, GL_CHANGE_NONE, "us-east-1", "m5.large");
    judge();
    assert_int_equal(report->exit, GL_EXIT_OK);
}

static void the_worst_exit_counts(void **state)
{
    (void)state;
    begin(CLEAN "  - {id: step, budget: {max_increase: 1 g}}\n");
    world_add(&world, GL_CHANGE_CREATE, "eu-north-1", "m5.large");
    judge();
    assert_int_equal(report->exit, GL_EXIT_BUDGET);
    world_add(&world, GL_CHANGE_CREATE, "us-east-1", "m5.large");
    judge();
    assert_int_equal(report->exit, GL_EXIT_REFUSED);
}

static void spot_carries_no_duration(void **state)
{
    (void)state;
    begin(HEAD "  - {id: long, max_intensity: 100 g/kWh, green_for: 4h}\n");
    world_add(&world, GL_CHANGE_CREATE, "eu-north-1", "m5.large")->interruptible = 1;
    judge();
    assert_int_equal(report->exit, GL_EXIT_OK);
    assert_non_null(strstr(report->notes[0], "may end at any time"));
}

static void rules_of_no_use_are_told(void **state)
{
    (void)state;
    begin(CLEAN "  - {id: idle, max_count: 1, match: {cloud: gcp}}\n");
    world_add(&world, GL_CHANGE_CREATE, "eu-north-1", "m5.large");
    judge();
    assert_string_equal(report->unused_rules[0], "idle");
    assert_null(report->unused_rules[1]);
}

/* ---- baseline ---- */

static struct gl_hook_baseline *noted(void)
{
    struct gl_error err = {0};
    size_t count;
    char *text = gl_hook_baseline_text(report, NULL, &count);
    struct gl_hook_baseline *baseline = gl_hook_baseline_parse(text, strlen(text), "b.json", &err);

    free(text);
    assert_non_null(baseline);
    assert_int_equal(baseline->count, count);
    return baseline;
}

static void a_baseline_knows_what_is_not_worse(void **state)
{
    struct gl_hook_baseline *baseline;
    struct gl_intent *intent;
    char *text;
    size_t count;

    (void)state;
    begin(CLEAN);
    intent = world_add(&world, GL_CHANGE_CREATE, "us-east-1", "m5.large");
    judge();
    baseline = noted();
    world.ask.baseline = baseline;
    judge();
    assert_int_equal(report->exit, GL_EXIT_OK);
    assert_int_equal(report->known, 1);
    assert_int_equal(report->baseline_gone, 0);
    intent->count.max = 2; /* more of them */
    judge();
    assert_int_equal(report->exit, GL_EXIT_REFUSED);
    intent->count.max = 1;
    intent->machine.type = intent->machine.catalogue = "m5.xlarge"; /* a larger one */
    judge();
    assert_int_equal(report->exit, GL_EXIT_REFUSED);
    intent->machine.type = intent->machine.catalogue = "other"; /* nobody knows how large */
    judge();
    assert_int_equal(report->exit, GL_EXIT_REFUSED);
    intent->machine.type = intent->machine.catalogue = "m5.large";
    intent->place.region = NULL; /* not comparable */
    judge();
    assert_int_equal(report->exit, GL_EXIT_UNKNOWN);
    intent->place.region = "us-east-1";
    world_add(&world, GL_CHANGE_CREATE, "us-east-1", "m5.large");
    judge(); /* a new one */
    assert_int_equal(report->exit, GL_EXIT_REFUSED);
    text = gl_hook_baseline_text(report, baseline, &count);
    assert_int_equal(count, 1); /* pruning never adds */
    free(text);
    intent->place.region = "eu-north-1";
    judge();
    assert_int_equal(report->baseline_gone, 1);
    text = gl_hook_baseline_text(report, baseline, &count);
    assert_int_equal(count, 0);
    free(text);
    gl_hook_baseline_free(baseline);
}

/* Documents of one file repeat addresses: what is known of the first is not of the second. */
static void documents_are_known_apart(void **state)
{
    struct gl_hook_baseline *baseline;

    (void)state;
    begin(CLEAN);
    world_add(&world, GL_CHANGE_CREATE, "us-east-1", "m5.large");
    judge();
    baseline = noted();
    world.ask.baseline = baseline;
    world_add(&world, GL_CHANGE_CREATE, "us-east-1", "m5.large")->file = "plan.json (document 2)";
    world.intents[1].address = world.intents[0].address;
    judge();
    assert_int_equal(report->known, 1);
    assert_int_equal(report->exit, GL_EXIT_REFUSED);
    gl_hook_baseline_free(baseline);
    end(NULL);
}

static void bad_baselines_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"greenlaunch_baseline\":2,\"findings\":[]}",
        "{\"greenlaunch_baseline\":1}",
        "{\"greenlaunch_baseline\":1,\"findings\":[{}]}",
        ("{\"greenlaunch_baseline\":1,\"findings\":[{\"fingerprint\":\"a\",\"rule\":\"r\","
         "\"state\":\"passed\"}]}"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct gl_error err = {0};

        assert_null(gl_hook_baseline_parse(bad[i], strlen(bad[i]), "b.json", &err));
        assert_int_equal(gl_errc_row(err.code)->exit, 2);
        assert_non_null(strstr(err.text, "b.json"));
    }
}

/* Words of policies and of plans are the same. */
static void roles_and_actions_have_one_set_of_words(void **state)
{
    (void)state;
    for (unsigned i = 0; gl_match_roles[i] != NULL; i++)
        assert_string_equal(gl_match_roles[i], gl_role_word((enum gl_role)i));
    for (unsigned i = 0; gl_match_actions[i] != NULL; i++)
        assert_string_equal(gl_match_actions[i], gl_change_word((enum gl_change)i));
}

static void families_are_patterns_over_sizes(void **state)
{
    static const char *const rows[][3] = {
        {"aws", "m7g.large", "m7g.*"},
        {"azure", "Standard_D8s_v3", "Standard_D*s_v3"},
        {"gcp", "n2-standard-8", "n2-standard-*"},
        {"hetzner", "cx22", "cx*"},
        {"aws", "*", NULL},
        {"aws", "odd", NULL},
    };
    char family[GL_HOOK_FAMILY];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool is_one = gl_hook_family(rows[i][0], rows[i][1], family);

        assert_int_equal(is_one, rows[i][2] != NULL);
        if (is_one)
            assert_string_equal(family, rows[i][2]);
    }
}

#define TEST(function) cmocka_unit_test_teardown(function, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(clean_launches_are_allowed),
        TEST(dirty_ones_are_refused_with_a_remedy),
        TEST(what_stands_by_is_not_judged),
        TEST(an_unknown_place_is_never_green),
        TEST(an_unknown_machine_is_judged_by_its_place),
        TEST(a_service_has_no_price_of_a_machine),
        TEST(money_changes_by_what_stays_and_goes),
        TEST(groups_count_by_the_asked_basis),
        TEST(machines_that_cannot_be_seen),
        TEST(opaque_ones_are_looked_at_though_no_launch),
        TEST(zones_apart_are_not_their_region),
        TEST(too_many_alternatives_are_unknown),
        TEST(what_is_forgotten_is_not_taken_off),
        TEST(waivers_let_pass_and_are_told),
        TEST(increases_are_after_minus_before),
        TEST(shares_are_of_what_ran_before),
        TEST(the_worst_exit_counts),
        TEST(spot_carries_no_duration),
        TEST(rules_of_no_use_are_told),
        TEST(a_baseline_knows_what_is_not_worse),
        TEST(documents_are_known_apart),
        TEST(bad_baselines_are_refused),
        TEST(roles_and_actions_have_one_set_of_words),
        TEST(families_are_patterns_over_sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
