/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_UNIT_POLICY_CASE_H
#define GL_TESTS_UNIT_POLICY_CASE_H

/* A small world built in code for tests of the evaluator: points, series, zones, offers, rules.
 * Everything in it is invented. */

#include "policy/decide.h"

#include <string.h>

#define NOW         INT64_C(1773144000) /* 2026-03-10T12:00:00Z */
#define HOUR        INT64_C(3600)
#define DAY         (24 * HOUR)
#define YEAR_START  INT64_C(1735689600) /* 2025-01-01T00:00:00Z */
#define GRAMS(g)    ((int64_t)((g)*INT64_C(1000000)))
#define PERCENT(p)  ((int64_t)((p)*INT64_C(10000)))
#define CASE_POINTS 256
#define CASE_SERIES 4

/* One zone with its series and points inline. */
struct case_zone {
    struct gl_zone_facts facts;
    const struct gl_series *list[CASE_SERIES];
    struct gl_series series[CASE_SERIES];
    struct gl_point points[CASE_SERIES][CASE_POINTS];
};

static inline void case_zone_init(struct case_zone *zone, const char *name)
{
    memset(zone, 0, sizeof *zone);
    strncpy(zone->facts.zone, name, sizeof zone->facts.zone - 1);
    zone->facts.series = zone->list;
    for (size_t i = 0; i < CASE_SERIES; i++)
        zone->list[i] = &zone->series[i];
}

static inline struct gl_meaning case_meaning(enum gl_quantity quantity)
{
    struct gl_meaning meaning = {.quantity = quantity, .trace = GL_FLOW_TRACED};

    if (quantity == GL_INTENSITY) {
        meaning.boundary = GL_LIFECYCLE;
        meaning.gases = GL_CO2E;
    } else {
        meaning.share_of = GL_OF_SOLAR | GL_OF_WIND | GL_OF_HYDRO | GL_OF_BIOMASS;
        if (quantity == GL_CARBON_FREE_SHARE)
            meaning.share_of |= GL_OF_NUCLEAR;
    }
    return meaning;
}

static inline struct gl_series *case_series(struct case_zone *zone, enum gl_quantity quantity)
{
    size_t index = zone->facts.count++;
    struct gl_series *series = &zone->series[index];

    series->meaning = case_meaning(quantity);
    memcpy(series->zone, zone->facts.zone, sizeof series->zone);
    strcpy(series->provider, "invented");
    series->issued_s = GL_UNKNOWN;
    series->retrieved_s = NOW;
    series->points = zone->points[index];
    return series;
}

static inline struct gl_point *case_point(struct gl_series *series, int64_t from_s, int64_t until_s,
                                          int64_t value_u, enum gl_evidence evidence)
{
    struct gl_point *point = &series->points[series->count++];

    *point = (struct gl_point){
        from_s,     until_s, value_u, value_u - value_u / 10, value_u + value_u / 10,
        GL_UNKNOWN, evidence};
    return point;
}

/* Hourly forecast from the hour of NOW on, issued an hour ago, 10 % either side. */
static inline struct gl_series *case_forecast(struct case_zone *zone, enum gl_quantity quantity,
                                              size_t hours, int64_t value_u)
{
    struct gl_series *series = case_series(zone, quantity);

    series->issued_s = NOW - HOUR;
    for (size_t i = 0; i < hours; i++)
        case_point(series, NOW + (int64_t)i * HOUR, NOW + (int64_t)(i + 1) * HOUR, value_u,
                   GL_FORECAST);
    return series;
}

/* One yearly average of 2025 without bounds. */
static inline struct gl_series *case_yearly(struct case_zone *zone, enum gl_quantity quantity,
                                            int64_t value_u)
{
    struct gl_series *series = case_series(zone, quantity);
    struct gl_point *point =
        case_point(series, YEAR_START, YEAR_START + 365 * DAY, value_u, GL_ANNUAL_AVERAGE);

    point->low_u = point->high_u = GL_UNKNOWN;
    return series;
}

/* What an offer shares with others, in a fresh copy of its own to be written to. The copies of the
 * last few thousand calls are kept. */
#define CASE_COPIES 8192
static inline struct gl_offer_place *case_place(struct gl_offer *offer)
{
    static struct gl_offer_place copies[CASE_COPIES];
    static size_t count;
    struct gl_offer_place *copy = &copies[count++ % CASE_COPIES];

    *copy = *offer->place;
    offer->place = copy;
    return copy;
}

static inline struct gl_offer_type *case_type(struct gl_offer *offer)
{
    static struct gl_offer_type copies[CASE_COPIES];
    static size_t count;
    struct gl_offer_type *copy = &copies[count++ % CASE_COPIES];

    *copy = *offer->type;
    offer->type = copy;
    return copy;
}

/* 100 W idle, 200 W full, PUE 1.2, 0.5 USD/h, 4 vCPU, 16 GiB. */
static inline struct gl_offer case_offer(const char *region, const struct case_zone *zone)
{
    static const struct gl_offer_place nowhere = {.cloud = "aws", .country = "SE", .pue = 1.2};
    static const struct gl_offer_type type = {
        .name = "m.large",
        .arch = "x86_64",
        .vcpus = 4,
        .memory_mib = 16384,
        .idle_w = {90, 100, 120},
        .full_w = {180, 200, 240},
        .power_source = "invented",
    };
    struct gl_offer offer = {
        .place = &nowhere, .type = &type, .price_u_usd_per_h = 500000, .price_source = "invented"};
    struct gl_offer_place *place = case_place(&offer);

    place->region = region;
    if (zone != NULL) {
        place->zone_count = 1;
        place->zones[0] = &zone->facts;
    }
    return offer;
}

static inline struct gl_request case_request(int64_t duration_s)
{
    return (struct gl_request){
        .duration = {duration_s},
        .start = {NOW},
        .latest_start = {NOW},
        .load = 0.5,
        .count = 1,
    };
}

static inline struct gl_constraint case_limit(enum gl_key_id key, int64_t number)
{
    size_t count;
    struct gl_constraint constraint = {.key = &gl_keys(&count)[key], .number = number};

    strcpy(constraint.pos.file, "policy.yaml");
    constraint.pos.line = 12;
    constraint.pos.column = 7;
    constraint.written = "";
    return constraint;
}

static inline struct gl_constraint case_globs(enum gl_key_id key, const char *const *globs)
{
    struct gl_constraint constraint = case_limit(key, 0);

    constraint.globs = globs;
    return constraint;
}

static inline struct gl_rule case_rule(const char *id, const struct gl_constraint *constraints,
                                       size_t count)
{
    return (struct gl_rule){.id = id, .constraints = constraints, .count = count, .level = GL_HARD};
}

static inline struct gl_policy case_policy(const struct gl_rule *rules, size_t count)
{
    struct gl_policy policy = {.id = "case", .rules = rules, .rule_count = count};

    memset(policy.digest.bytes, 7, sizeof policy.digest.bytes);
    return policy;
}

#endif
