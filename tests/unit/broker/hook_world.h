/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_UNIT_BROKER_HOOK_WORLD_H
#define GL_TESTS_UNIT_BROKER_HOOK_WORLD_H

/* Plans built by hand, before a world of two regions: eu-north-1 at 20 g/kWh, us-east-1 at 400.
 * Everything in it is invented. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "broker/hook/judge.h"
#include "tests/unit/policy/case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORLD_INTENTS 64

struct hook_world {
    struct case_zone clean, dirty;
    struct gl_offer offers[6];
    struct gl_hook_place places[2];
    struct gl_intent intents[WORLD_INTENTS];
    char addresses[WORLD_INTENTS][48];
    struct gl_intent_place places_before[WORLD_INTENTS];
    struct gl_intent_machine machines_before[WORLD_INTENTS];
    struct gl_intent_count counts_before[WORLD_INTENTS];
    struct gl_hook_plan plan;
    const struct gl_hook_plan *plans[1];
    struct gl_hook_ask ask;
};

static inline struct gl_offer world_offer(const char *region, const struct case_zone *zone,
                                          const char *type, uint32_t vcpus)
{
    struct gl_offer offer = case_offer(region, zone);
    struct gl_offer_type *is = case_type(&offer);

    is->name = type;
    is->vcpus = vcpus;
    is->idle_w = (struct gl_band){20.0 * vcpus, 25.0 * vcpus, 30.0 * vcpus};
    is->full_w = (struct gl_band){40.0 * vcpus, 50.0 * vcpus, 60.0 * vcpus};
    offer.price_u_usd_per_h = 50000 * (int64_t)vcpus;
    return offer;
}

static inline void world_init(struct hook_world *world, const struct gl_policy *policy)
{
    static const char *const types[] = {"m5.large", "m5.xlarge", "m5.2xlarge"};

    memset(world, 0, sizeof *world);
    case_zone_init(&world->clean, "SE-SE1");
    case_zone_init(&world->dirty, "US-MIDA-PJM");
    case_forecast(&world->clean, GL_INTENSITY, 12, GRAMS(20));
    case_forecast(&world->dirty, GL_INTENSITY, 12, GRAMS(400));
    for (size_t i = 0; i < 3; i++) {
        world->offers[i] = world_offer("eu-north-1", &world->clean, types[i], 2U << i);
        world->offers[3 + i] = world_offer("us-east-1", &world->dirty, types[i], 2U << i);
    }
    for (size_t i = 0; i < 2; i++) {
        world->places[i].is = *world->offers[3 * i].place;
        world->places[i].cloud = "aws";
        world->places[i].region = world->places[i].is.region;
    }
    world->plan = (struct gl_hook_plan){
        .file = "plan.json", .reader = "terraform", .version = "", .intents = world->intents};
    world->plans[0] = &world->plan;
    world->ask = (struct gl_hook_ask){.plans = world->plans,
                                      .plan_count = 1,
                                      .policy = policy,
                                      .offers = world->offers,
                                      .offer_count = 6,
                                      .places = world->places,
                                      .place_count = 2,
                                      .now = {NOW},
                                      .duration = {HOUR},
                                      .load = 0.5,
                                      .gate = GL_AT_PLAN,
                                      .count_basis = GL_COUNT_WORST};
}

/* One machine; region and type NULL = unknown. */
static inline struct gl_intent *world_add(struct hook_world *world, enum gl_change change,
                                          const char *region, const char *type)
{
    size_t index = world->plan.count++;
    struct gl_intent *intent = &world->intents[index];
    bool is_launch = change == GL_CHANGE_CREATE || change == GL_CHANGE_REPLACE ||
                     change == GL_CHANGE_GROW || change == GL_CHANGE_MOVE;

    snprintf(world->addresses[index], sizeof world->addresses[index], "aws_instance.web[%zu]",
             index);
    *intent = (struct gl_intent){
        .address = world->addresses[index],
        .file = "plan.json",
        .cloud = "aws",
        .type = "aws_instance",
        .role = GL_ROLE_MACHINE,
        .change = change,
        .is_launch = is_launch,
        .is_mapped = true,
        .place = {.region = region, .how = "attribute", .surety = GL_SURE_CERTAIN},
        .machine = {.type = type,
                    .catalogue = type,
                    .vcpus_u = GL_UNKNOWN,
                    .memory_mib = GL_UNKNOWN,
                    .accelerator_count = GL_UNKNOWN},
        .count = {1, 1, 1, "machine", NULL, GL_SURE_CERTAIN, false},
        .interruptible = -1,
        .duration_s = GL_UNKNOWN,
    };
    world->plan.resources++;
    return intent;
}

/* What it was before, to be changed. */
static inline void world_before(struct hook_world *world, struct gl_intent *intent)
{
    size_t index = (size_t)(intent - world->intents);

    world->places_before[index] = intent->place;
    world->machines_before[index] = intent->machine;
    world->counts_before[index] = intent->count;
    intent->place_before = &world->places_before[index];
    intent->machine_before = &world->machines_before[index];
    intent->count_before = &world->counts_before[index];
}

static inline struct gl_policy *world_policy(const char *text)
{
    static struct gl_diagnostics found;
    struct gl_policy *policy =
        gl_policy_parse((struct gl_view){text, strlen(text)}, "p.yaml", NULL, &found);

    if (policy == NULL)
        print_message("%s\n", found.errors[0].text);
    assert_non_null(policy);
    return policy;
}

#endif
