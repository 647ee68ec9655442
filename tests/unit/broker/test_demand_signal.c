/* SPDX-License-Identifier: Apache-2.0 */
/* Signals made of decisions and launches whose every text holds something of a user: the right need
 * comes out, and nothing of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/demand_signal.h"
#include "tests/support/scratch.h"
#include "tests/unit/policy/case.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

/* Unit tests link archives only. */
#include "tests/support/scratch.c"

#define RULE_TEXT "intensity<=100g/kWh;location;average;lifecycle;hourly;grade>=C;data-age<=10800s"

static const char *const planted[] = {
    "123456789012", "acme",  "bob",         "10.20.30.40", "0.4123",  "412300",
    "db01",         "team=", "secret-rule", "attic",       "arn:aws", "eu-acme"};
static struct gl_error err;

struct bench {
    char *folder, *path;
    struct gl_world *world;
    struct gl_ledger *ledger;
};

static struct bench begin(void)
{
    struct bench bench = {.folder = scratch_make("test_demand_signal")};

    bench.path = gl_path_join(bench.folder, "ledger.db");
    bench.world = gl_world_fixed_new(NOW * 1000, 1, NULL);
    bench.ledger = gl_ledger_open(bench.path, bench.world, 0, &err);
    assert_non_null(bench.ledger);
    return bench;
}

static void end(struct bench *bench)
{
    gl_ledger_close(bench->ledger);
    gl_world_fixed_free(bench->world);
    free(bench->path);
    scratch_remove(bench->folder);
}

static int see(void *cookie, const json_t *body, struct gl_error *ignored)
{
    GL_AUTO(gl_auto_free) char *text = gl_json_canonical(body, ignored);

    gl_str_add(cookie, text);
    return 0;
}

/* Everything that the ledger has of demand. */
static void assert_nothing_planted(struct gl_ledger *ledger)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    assert_int_equal(gl_ledger_demands(ledger, 0, &text, see, &err), 0);
    assert_true(text.length > 0);
    for (size_t i = 0; i < sizeof planted / sizeof planted[0]; i++)
        if (strstr(gl_str_text(&text), planted[i]) != NULL)
            fail_msg("%s in %s", planted[i], gl_str_text(&text));
}

/* ---- of a decision ---- */

static const char *const user_globs[] = {"*acme*", "eu-*", "*", NULL};
static const char *const user_tags[] = {"team=acme", "owner=bob", NULL};

struct scene {
    struct case_zone dirty, half;
    struct gl_constraint limits[3];
    struct gl_rule rule;
    struct gl_policy policy;
    struct gl_offer offers[7];
    struct gl_request request;
    struct gl_question question;
};

static struct gl_offer offer_of(const char *cloud, const char *region, const char *type,
                                const struct case_zone *zone)
{
    struct gl_offer offer = case_offer(region, zone);

    case_place(&offer)->cloud = cloud;
    case_type(&offer)->name = type;
    offer.price_u_usd_per_h = 412300;
    return offer;
}

static struct scene *scene_new(void)
{
    struct scene *scene = gl_alloc(sizeof *scene);

    case_zone_init(&scene->dirty, "PL");
    case_zone_init(&scene->half, "DE");
    case_forecast(&scene->dirty, GL_INTENSITY, 12, GRAMS(700));
    case_forecast(&scene->half, GL_INTENSITY, 12, GRAMS(200));
    scene->limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(100));
    scene->limits[1] = case_globs(GL_KEY_REGIONS, user_globs);
    scene->limits[2] = case_limit(GL_KEY_MAX_PRICE, 412301);
    scene->rule = case_rule("acme-secret-rule", scene->limits, 1);
    scene->rule.description = "of bob, 10.20.30.40";
    scene->policy = case_policy(&scene->rule, 1);
    scene->request = case_request(2 * HOUR);
    scene->request.count = 3;
    scene->request.tags = user_tags;
    scene->question = (struct gl_question){.policy = &scene->policy,
                                           .request = &scene->request,
                                           .offers = scene->offers,
                                           .now = {NOW}};
    return scene;
}

static void add_offer(struct scene *scene, struct gl_offer offer)
{
    scene->offers[scene->question.offer_count++] = offer;
}

static size_t signals_of(struct bench *bench, const struct scene *scene,
                         struct gl_demand out[GL_DEMAND_PLACES])
{
    struct gl_decision *decision = gl_decide(&scene->question);
    const struct gl_demand like = gl_demand_begin(bench->world, NULL, false);
    size_t count = gl_demand_of_decision(&scene->question, decision, &like, out);

    gl_decision_free(decision);
    return count;
}

static void each_provider_is_asked_for_its_nearest_offer(void **state)
{
    const char *const types[] = {"?*", NULL};
    struct bench bench = begin();
    struct scene *scene = scene_new();
    struct gl_demand signals[GL_DEMAND_PLACES];
    struct gl_demand_told told;

    (void)state;
    add_offer(scene, offer_of("aws", "eu-central-1", "m5.large", &scene->dirty));
    add_offer(scene, offer_of("aws", "eu-west-1", "c5.xlarge", &scene->half));
    add_offer(scene, offer_of("aws", "eu-acme-1", "db01.acme", &scene->dirty));
    add_offer(scene, offer_of("openstack", "eu-acme", "123456789012.large", &scene->dirty));
    add_offer(scene, offer_of("bobs-cloud", "attic", "10.20.30.40", &scene->dirty));
    add_offer(scene, offer_of("gcp", "europe-west3", "n2-standard-4", NULL));
    scene->request.types = types;
    assert_int_equal(signals_of(&bench, scene, signals), 4);
    /* Unknown goes before violated; then by grams. */
    assert_string_equal(signals[0].provider, "gcp");
    assert_string_equal(signals[0].region, "europe-west3");
    assert_string_equal(signals[0].family, "n2");
    assert_int_equal(signals[0].capability, GL_CAPABILITY_PLACE); /* no grid is known of it */
    assert_true(signals[0].found_u == GL_UNKNOWN);
    assert_string_equal(signals[1].provider, "aws");
    assert_string_equal(signals[1].region, "eu-west-1");
    assert_string_equal(signals[1].family, "c5");
    assert_string_equal(signals[1].rule, RULE_TEXT);
    assert_int_equal(signals[1].capability, GL_CAPABILITY_GREEN);
    assert_int_equal(signals[1].key, GL_KEY_MAX_INTENSITY);
    assert_int_equal(signals[1].limit_u, GRAMS(100));
    assert_int_equal(signals[1].found_u, GRAMS(220)); /* the high bound counts */
    assert_int_equal(signals[1].wanted_ms, 3 * 2 * HOUR * 1000);
    assert_int_equal(signals[1].gpu_ms, 0);
    for (size_t i = 2; i < 4; i++) {
        assert_true(strcmp(signals[i].provider, "openstack") == 0 ||
                    strcmp(signals[i].provider, "private") == 0);
        assert_string_equal(signals[i].region, "");
        assert_string_equal(signals[i].family, "");
    }
    assert_int_equal(gl_demand_record(bench.ledger, signals, 4, &told, &err), 0);
    assert_nothing_planted(bench.ledger);
    free(scene);
    end(&bench);
}

/* The nearest offer has a type; whoever asked for none would take any. */
static void no_type_asked_for_is_none_missing(void **state)
{
    static const struct {
        const char *types[3], *family;
    } rows[] = {
        {{"c5.xlarge"}, "c5"},   {{"c5.*"}, "c5"}, {{"m5.large", "c5.*"}, "c5"},
        {{"m5.large", "*"}, ""}, {{"*"}, ""},      {{NULL}, ""},
    };
    struct bench bench = begin();
    struct scene *scene = scene_new();
    struct gl_demand signals[GL_DEMAND_PLACES];

    (void)state;
    add_offer(scene, offer_of("aws", "eu-west-1", "c5.xlarge", &scene->half));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        scene->request.types = rows[i].types;
        assert_int_equal(signals_of(&bench, scene, signals), 1);
        assert_string_equal(signals[0].family, rows[i].family);
        assert_string_equal(signals[0].region, "eu-west-1");
    }
    scene->request.types = NULL;
    assert_int_equal(signals_of(&bench, scene, signals), 1);
    assert_string_equal(signals[0].family, "");
    free(scene);
    end(&bench);
}

/* Who names a machine with GPUs wants them, as who asks for GPUs does. */
static void the_gpus_of_a_type_that_is_named_are_wanted(void **state)
{
    const char *const named[] = {"g5.12xlarge", NULL};
    struct bench bench = begin();
    struct scene *scene = scene_new();
    struct gl_demand signals[GL_DEMAND_PLACES];
    struct gl_offer offer = offer_of("aws", "eu-west-1", "g5.12xlarge", &scene->half);

    (void)state;
    case_type(&offer)->gpu = "A10G";
    case_type(&offer)->gpu_count = 4;
    add_offer(scene, offer);
    assert_int_equal(signals_of(&bench, scene, signals), 1);
    assert_int_equal(signals[0].gpu_ms, 0); /* any machine would have done */
    scene->request.types = named;
    assert_int_equal(signals_of(&bench, scene, signals), 1);
    assert_int_equal(signals[0].gpu_ms, 4 * 3 * 2 * HOUR * 1000);
    scene->request.types = NULL;
    scene->request.gpu = "A10*";
    assert_int_equal(signals_of(&bench, scene, signals), 1);
    assert_int_equal(signals[0].gpu_ms, 4 * 3 * 2 * HOUR * 1000);
    free(scene);
    end(&bench);
}

static void green_rules_go_before_the_users_own(void **state)
{
    struct bench bench = begin();
    struct scene *scene = scene_new();
    struct gl_demand signals[GL_DEMAND_PLACES];
    struct gl_demand_told told;

    (void)state;
    scene->rule.count = 3;
    scene->limits[2] = case_limit(GL_KEY_MAX_PRICE, 400000);
    scene->limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(300));
    add_offer(scene, offer_of("aws", "eu-west-1", "c5.xlarge", &scene->half)); /* too dear only */
    assert_int_equal(signals_of(&bench, scene, signals), 1);
    assert_int_equal(signals[0].key, GL_KEY_MAX_PRICE);
    assert_true(signals[0].limit_u == GL_UNKNOWN && signals[0].found_u == GL_UNKNOWN);
    /* It says nothing of green supply, which was there, and never grows into a request. */
    assert_string_equal(signals[0].rule, "price");
    assert_int_equal(gl_demand_record(bench.ledger, signals, 1, &told, &err), 0);
    assert_nothing_planted(bench.ledger);
    add_offer(scene, offer_of("aws", "eu-central-1", "m5.large", &scene->dirty)); /* dirty */
    assert_int_equal(signals_of(&bench, scene, signals), 1);
    assert_int_equal(signals[0].key, GL_KEY_MAX_INTENSITY);
    assert_non_null(strstr(signals[0].rule, ";places;price"));
    assert_string_equal(signals[0].region, "eu-central-1");
    free(scene);
    end(&bench);
}

static void what_is_allowed_is_no_need(void **state)
{
    struct bench bench = begin();
    struct scene *scene = scene_new();
    struct gl_demand signals[GL_DEMAND_PLACES];

    (void)state;
    assert_int_equal(signals_of(&bench, scene, signals), 0);
    scene->limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(900));
    add_offer(scene, offer_of("aws", "eu-west-1", "c5.xlarge", &scene->half));
    assert_int_equal(signals_of(&bench, scene, signals), 0);
    free(scene);
    end(&bench);
}

/* ---- of a launch ---- */

#define PLAN(rules)                                                                       \
    "{\"guarantee\":{\"grade\":\"B\",\"rules\":" rules "},\"machine\":{\"gpu_count\":2}," \
    "\"request\":{\"tags\":[\"team=acme\"],\"command\":[\"./db01 of bob\"]},"             \
    "\"offer\":{\"price_u_usd_per_h\":412300}}"
#define RULES                                                               \
    "[{\"id\":\"acme-secret-rule\",\"limits\":[{\"key\":\"max_intensity\"," \
    "\"limit\":\"100 gCO2e/kWh\"}],\"confidence_ppm\":900000},"             \
    "{\"id\":\"bobs\",\"limits\":[{\"key\":\"min_renewable\",\"limit\":\"50%\"}]}]"

static struct gl_launch_row row_with(char *plan)
{
    static char launch[] = "gl-4k2p9x", cloud[] = "aws", region[] = "eu-west-1",
                type[] = "g5.xlarge", name[] = "db01.acme", instance[] = "arn:aws:ec2:123456789012",
                zone[] = "attic";

    return (struct gl_launch_row){.launch = launch,
                                  .name = name,
                                  .cloud = cloud,
                                  .region = region,
                                  .type = type,
                                  .zone = zone,
                                  .instance = instance,
                                  .plan = plan};
}

static void a_launch_tells_its_rule_and_nothing_else(void **state)
{
    struct bench bench = begin();
    static char plan[] = PLAN(RULES);
    const struct gl_launch_row row = row_with(plan);
    struct gl_demand one;
    struct gl_demand_told told;

    (void)state;
    assert_true(
        gl_demand_of_launch(bench.world, &row, "acme-secret-rule", (struct gl_span){3600}, &one));
    assert_string_equal(one.rule, "intensity<=100g/kWh;confidence>=90%;location;average;lifecycle;"
                                  "hourly;grade>=C;data-age<=10800s");
    assert_string_equal(one.region, "eu-west-1");
    assert_int_equal(one.grade, GL_GRADE_B);
    assert_int_equal(one.wanted_ms, 3600000);
    assert_int_equal(one.gpu_ms, 7200000);
    assert_int_equal(gl_demand_record(bench.ledger, &one, 1, &told, &err), 0);
    assert_true(gl_demand_of_launch(bench.world, &row, "bobs", (struct gl_span){3600}, &one));
    assert_non_null(strstr(one.rule, "renewable-share>=50%"));
    gl_demand_moved_to(&one, "local", "attic");
    assert_int_equal(gl_demand_record(bench.ledger, &one, 1, &told, &err), 0);
    assert_nothing_planted(bench.ledger);
    end(&bench);
}

static void without_rules_there_is_no_need(void **state)
{
    static const char *const plans[] = {"",           "{}",      PLAN("[]"),
                                        PLAN("null"), PLAN("7"), "{\"guarantee\":null}"};
    struct bench bench = begin();
    struct gl_demand one;

    (void)state;
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        char plan[512];

        snprintf(plan, sizeof plan, "%s", plans[i]);
        const struct gl_launch_row row = row_with(plan);
        assert_false(gl_demand_of_launch(bench.world, &row, NULL, (struct gl_span){60}, &one));
    }
    end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_provider_is_asked_for_its_nearest_offer),
        cmocka_unit_test(no_type_asked_for_is_none_missing),
        cmocka_unit_test(the_gpus_of_a_type_that_is_named_are_wanted),
        cmocka_unit_test(green_rules_go_before_the_users_own),
        cmocka_unit_test(what_is_allowed_is_no_need),
        cmocka_unit_test(a_launch_tells_its_rule_and_nothing_else),
        cmocka_unit_test(without_rules_there_is_no_need),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
