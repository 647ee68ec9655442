/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/invent.h"

struct world world;
uint64_t seed;

static uint64_t invent_random(void) /* splitmix64 */
{
    uint64_t z = world.random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

int64_t invent_below(int64_t limit)
{
    return (int64_t)(invent_random() % (uint64_t)limit);
}

bool invent_one_in(int64_t n)
{
    return invent_below(n) == 0;
}

static void spoil_point(struct gl_point *point)
{
    switch (invent_below(9)) {
    case 0:
        point->value_u = GL_UNKNOWN;
        break;
    case 1:
        point->value_u = -1 - invent_below(GRAMS(100));
        break;
    case 2:
        point->value_u = GRAMS(3001) + invent_below(GRAMS(100000));
        break;
    case 3:
        point->updated_s = NOW + 301 + invent_below(DAY);
        break;
    case 4:
        point->until_s -= 1 + invent_below(HOUR / 2);
        break;
    case 5:
        point->low_u = point->high_u = GL_UNKNOWN;
        break;
    case 6:
        point->low_u = point->value_u + 1;
        break;
    case 7:
        point->evidence = (enum gl_evidence)invent_below(GL_PROVIDER_CLAIM + 1);
        break;
    default:
        point->from_s -= 1 + invent_below(2 * HOUR); /* overlaps the one before, or a false start */
    }
}

static void spoil_series(struct gl_series *series)
{
    switch (invent_below(9)) {
    case 0:
        series->is_suspect = true;
        break;
    case 1:
        series->issued_s = NOW - 27 * HOUR - invent_below(DAY);
        break;
    case 2:
        series->retrieved_s = NOW + 301 + invent_below(DAY);
        break;
    case 3:
        series->meaning.accounting = invent_one_in(2) ? GL_MARKET : GL_RESIDUAL;
        break;
    case 4:
        series->meaning.rate = GL_SHORT_RUN_MARGINAL;
        break;
    case 5:
        series->meaning.boundary = GL_DIRECT;
        series->meaning.share_of |= GL_OF_NUCLEAR;
        break;
    case 6:
        series->count = (size_t)invent_below((int64_t)series->count + 1); /* truncated */
        break;
    case 7:
        series->issued_s = NOW + 301 + invent_below(DAY);
        break;
    default:
        if (series->count > 0)
            spoil_point(&series->points[invent_below((int64_t)series->count)]);
    }
}

static int64_t value_of(enum gl_quantity quantity)
{
    return quantity == GL_INTENSITY ? invent_below(GRAMS(600)) : invent_below(PERCENT(110));
}

static void invent_series(struct case_zone *zone, enum gl_quantity quantity)
{
    struct gl_series *series;
    int64_t level = value_of(quantity);

    if (invent_one_in(4)) {
        case_yearly(zone, quantity, level);
        return;
    }
    series = case_forecast(zone, quantity, 8 + (size_t)invent_below(40), level);
    for (size_t i = 0; i < series->count; i++)
        if (invent_one_in(3)) {
            struct gl_point *point = &series->points[i];

            point->value_u = invent_one_in(2) ? value_of(quantity) : level;
            point->low_u = point->value_u - invent_below(point->value_u + 1);
            point->high_u = point->value_u + invent_below(point->value_u / 3 + 1);
        }
}

static void invent_zones(int64_t spoil_one_in)
{
    for (size_t z = 0; z < ZONES; z++) {
        int64_t count = invent_below(CASE_SERIES + 1);

        case_zone_init(&world.zones[z], "zone");
        for (int64_t s = 0; s < count; s++) {
            invent_series(&world.zones[z], (enum gl_quantity)invent_below(GL_QUANTITIES));
            while (invent_one_in(spoil_one_in))
                spoil_series(&world.zones[z].series[s]);
        }
    }
}

static void invent_offer(struct gl_offer *offer)
{
    static const char *const regions[] = {"r0", "r1", "r2", "r3", "r4"};
    static const char *const types[] = {"small", "large", "huge"};
    size_t z = (size_t)invent_below(ZONES);

    *offer = case_offer(regions[z], invent_one_in(20) ? NULL : &world.zones[z]);
    case_place(offer)->cloud = invent_one_in(2) ? "aws" : "gcp";
    case_type(offer)->name = types[invent_below(3)];
    offer->price_u_usd_per_h = invent_one_in(6) ? GL_UNKNOWN : invent_below(10) * 100000;
    case_type(offer)->vcpus = (uint32_t)invent_below(9);
    case_place(offer)->country = invent_one_in(8) ? "" : invent_one_in(2) ? "SE" : "PL";
    if (invent_one_in(10))
        case_type(offer)->full_w.high = 0;
    if (invent_one_in(6) && offer->place->zone_count == 1) {
        case_place(offer)->zones[1] = &world.zones[invent_below(ZONES)].facts;
        case_place(offer)->zone_count = 2;
    }
}

static int64_t limit_of(enum gl_key_id key)
{
    switch (key) {
    case GL_KEY_MIN_RENEWABLE:
    case GL_KEY_MIN_CARBON_FREE:
        return invent_below(PERCENT(100));
    case GL_KEY_GREEN_FOR:
        return (1 + invent_below(12)) * HOUR;
    case GL_KEY_MIN_GRADE:
        return invent_below(GL_GRADE_E + 1);
    case GL_KEY_MAX_PRICE:
        return invent_below(1000000);
    case GL_KEY_MIN_VCPUS:
    case GL_KEY_MAX_VCPUS:
        return invent_below(9) * 1000000;
    case GL_KEY_MAX_RATE:
        return invent_below(GRAMS(120));
    case GL_KEY_MAX_TOTAL:
        return invent_below(GRAMS(500));
    default:
        return invent_below(GRAMS(600));
    }
}

static struct gl_constraint invent_constraint(enum gl_key_id key)
{
    static const char *const some[] = {"r0", "r1", "SE", NULL}, *const most[] = {"r[", "r*", "S?",
                                                                                 NULL};

    if (key == GL_KEY_REGIONS || key == GL_KEY_NOT_REGIONS || key == GL_KEY_COUNTRIES ||
        key == GL_KEY_NOT_COUNTRIES)
        return case_globs(key, invent_one_in(2) ? some : most);
    return case_limit(key, limit_of(key));
}

void invent_rule(size_t index)
{
    static const enum gl_key_id keys[] = {
        GL_KEY_MAX_INTENSITY, GL_KEY_MIN_RENEWABLE, GL_KEY_MIN_CARBON_FREE, GL_KEY_MIN_GRADE,
        GL_KEY_GREEN_FOR,     GL_KEY_GREEN_BELOW,   GL_KEY_REGIONS,         GL_KEY_NOT_REGIONS,
        GL_KEY_COUNTRIES,     GL_KEY_NOT_COUNTRIES, GL_KEY_MIN_VCPUS,       GL_KEY_MAX_VCPUS,
        GL_KEY_MAX_PRICE,     GL_KEY_MAX_RATE,      GL_KEY_MAX_TOTAL,
    };
    static const char *const names[] = {"a", "b", "c"};
    static const char *const only_aws[] = {"aws", NULL};
    struct gl_constraint *constraints = world.constraints[index];
    size_t count = 0;

    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && count < CONSTRAINTS; i++)
        if (invent_one_in(6) || (i == 0 && invent_one_in(2)))
            constraints[count++] = invent_constraint(keys[i]);
    world.rules[index] = case_rule(names[index], constraints, count);
    world.rules[index].level = invent_one_in(6) ? GL_ADVISORY : GL_HARD;
    world.rules[index].on_unknown =
        invent_one_in(3) ? (enum gl_on_unknown)invent_below(4) : GL_UNKNOWN_REFUSE;
    if (invent_one_in(5))
        world.rules[index].match.clouds = only_aws;
    if (invent_one_in(8))
        world.rules[index].enforce_from.unix_s = NOW - HOUR + invent_below(2 * HOUR);
}

void invent_world(uint64_t number, int64_t spoil_one_in)
{
    static const char *const some_regions[] = {"r0", "r1", NULL};
    size_t rules;

    seed = number;
    memset(&world, 0, sizeof world);
    world.random = number * UINT64_C(0x5851f42d4c957f2d);
    invent_zones(spoil_one_in);
    world.offer_count = (size_t)invent_below(OFFERS + 1);
    for (size_t i = 0; i < OFFERS + 1; i++)
        invent_offer(&world.offers[i]);
    rules = 1 + (size_t)invent_below(RULES);
    for (size_t i = 0; i < rules; i++)
        invent_rule(i);
    world.policy = case_policy(world.rules, rules);
    world.waiver = (struct gl_waiver){.rule = "a",
                                      .target = "aws/*/large",
                                      .reason = "r",
                                      .owner = "o",
                                      .created = {NOW - DAY},
                                      .expires = {NOW - HOUR + invent_below(2 * HOUR)}};
    world.policy.waivers = &world.waiver;
    world.policy.waiver_count = invent_one_in(4) ? 1 : 0;
    world.request = case_request((1 + invent_below(16)) * HOUR / 2);
    if (invent_one_in(4))
        world.request.regions = some_regions;
    if (invent_one_in(4))
        world.request.latest_start.unix_s = NOW + invent_below(DAY);
    world.question = (struct gl_question){.policy = &world.policy,
                                          .request = &world.request,
                                          .offers = world.offers,
                                          .offer_count = world.offer_count,
                                          .now = {NOW},
                                          .sort = (enum gl_sort)invent_below(4)};
}
