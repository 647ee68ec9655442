/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "policy/decide.h"
#include "providers/offers.h"

#define WANTED_OFFERS 20000
#define ROUNDS        9

static const char *const renewable_only[] = {
    "min_renewable", "95%", "min_grade", "D", NULL,
};
/* A limit of every sort, so that each offer is judged by several constraints. */
static const char *const many_limits[] = {
    "max_intensity", "300 gCO2e/kWh", "min_renewable", "30%",     "min_grade", "D",
    "max_price",     "5 USD/h",       "max_rate",      "500 g/h", NULL,
};

static int by_value(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

/* ---- live evidence that refuses ---- */

#define ZONES_MAX   300
#define LIVE_HOURS  200
#define LIVE_SERIES 2

/* Hourly forecasts of one zone: never quite as renewable as asked for. Invented. */
struct live_zone {
    struct gl_offer_place place;
    struct gl_zone_facts facts;
    struct gl_series series[LIVE_SERIES];
    const struct gl_series *list[LIVE_SERIES];
    struct gl_point points[LIVE_SERIES][LIVE_HOURS];
};

static void fill_series(struct live_zone *zone, size_t index, int64_t now_s, int64_t value_u)
{
    struct gl_series *series = &zone->series[index];
    bool is_share = index == 1;

    *series = (struct gl_series){
        .meaning = {.quantity = is_share ? GL_RENEWABLE_SHARE : GL_INTENSITY,
                    .boundary = is_share ? GL_BOUNDARY_NA : GL_LIFECYCLE,
                    .gases = is_share ? GL_GASES_NA : GL_CO2E,
                    .share_of = is_share ? GL_OF_SOLAR | GL_OF_WIND | GL_OF_HYDRO : 0},
        .provider = "invented",
        .dataset = "invented",
        .issued_s = now_s - 3600,
        .retrieved_s = now_s,
        .count = LIVE_HOURS,
        .points = zone->points[index],
    };
    for (size_t i = 0; i < LIVE_HOURS; i++) {
        int64_t from_s = now_s - now_s % 3600 + (int64_t)i * 3600;

        value_u += i % 24 < 12 ? 1000 : -1000;
        zone->points[index][i] = (struct gl_point){
            from_s,     from_s + 3600, value_u, value_u - value_u / 50, value_u + value_u / 50,
            GL_UNKNOWN, GL_FORECAST};
    }
    zone->list[index] = series;
}

/* Give every region a zone of its own, so that there are as many as there can be. */
static size_t make_live(struct gl_offer *offers, size_t count, struct live_zone *zones,
                        int64_t now_s)
{
    const struct gl_offer_place *was = NULL;
    size_t zone_count = 0;

    for (size_t i = 0; i < count; i++) {
        if (offers[i].place != was && zone_count < ZONES_MAX) {
            struct live_zone *zone = &zones[zone_count++];

            was = offers[i].place;
            snprintf(zone->facts.zone, sizeof zone->facts.zone, "Z%zu", zone_count);
            zone->facts.count = LIVE_SERIES;
            zone->facts.series = zone->list;
            fill_series(zone, 0, now_s, 300000000);
            fill_series(zone, 1, now_s, 900000);
            zone->place = *was;
            zone->place.zones[0] = &zone->facts;
            zone->place.zone_count = 1;
        }
        offers[i].place = &zones[zone_count - 1].place;
    }
    return zone_count;
}

/* The catalogue over and over, until there are `count` offers. */
static struct gl_offer *repeat(const struct gl_offer_list *list, size_t count)
{
    struct gl_offer *offers = gl_alloc(count * sizeof *offers);

    for (size_t i = 0; i < count; i++)
        offers[i] = list->offers[i % list->count];
    return offers;
}

static int measure(const char *title, const char *const *limits, const struct gl_question *base,
                   struct gl_error *err)
{
    struct gl_policy *policy = gl_policy_with_flags(NULL, "bench", limits, err);
    struct gl_question question = *base;
    double took_s[ROUNDS];
    size_t allowed = 0, unknown = 0;

    if (policy == NULL)
        return -1;
    question.policy = policy;
    bench_peak_reset();
    for (size_t i = 0; i < ROUNDS; i++) {
        double start = bench_now_s();
        struct gl_decision *decision = gl_decide(&question);

        took_s[i] = bench_now_s() - start;
        allowed = decision->allowed;
        unknown = decision->unknown;
        gl_decision_free(decision);
    }
    qsort(took_s, ROUNDS, sizeof took_s[0], by_value);
    printf("  %-34s %zu offers judged and ranked in %.1f ms (median of %d; %.1f .. %.1f), "
           "%.2f us an offer, peak %.1f MiB; %zu allowed, %zu unknown\n",
           title, question.offer_count, took_s[ROUNDS / 2] * 1e3, ROUNDS, took_s[0] * 1e3,
           took_s[ROUNDS - 1] * 1e3, took_s[ROUNDS / 2] * 1e6 / (double)question.offer_count,
           (double)bench_peak_kib() / 1024, allowed, unknown);
    gl_policy_free(policy);
    return 0;
}

/* Nothing fits by live evidence: the search for a later and a shorter run goes to its end. */
static int measure_live(const struct gl_offer_list *list, const struct gl_question *base,
                        struct gl_error *err)
{
    static const char *const strict[] = {"min_renewable", "95%", NULL};
    struct live_zone *zones = gl_alloc(ZONES_MAX * sizeof *zones);
    struct gl_offer *offers = repeat(list, list->count);
    struct gl_request request = *base->request;
    struct gl_question question = *base;
    char title[64];
    size_t count = make_live(offers, list->count, zones, base->now.unix_s);
    int result = 0;

    question.request = &request;
    question.offers = offers;
    question.offer_count = list->count;
    for (int64_t hours = 1; result == 0 && hours <= 8; hours += 7) {
        request.duration.s = hours * 3600;
        snprintf(title, sizeof title, "refusal, %zu live zones, %d h", count, (int)hours);
        result = measure(title, strict, &question, err);
    }
    free(offers);
    free(zones);
    return result;
}

int bench_offers(struct gl_error *err)
{
    struct gl_world world;
    struct gl_request request = {.duration = {3600}, .load = 0.5, .count = 1};
    struct gl_offer_options options = {0};
    struct gl_offer_list list = {0};
    struct gl_question question = {.request = &request, .sort = GL_SORT_CARBON};
    int result;

    gl_world_real(&world);
    request.start = request.latest_start = gl_now(&world);
    struct gl_signal_store_options store_options = {.world = &world, .is_offline = true};
    struct gl_signal_store *store = gl_signal_store_new(&store_options);
    double start = bench_now_s();

    if (gl_offers_gather(&request, &options, store, &list, err) != 0) {
        gl_signal_store_free(store);
        return -1;
    }
    printf("  %-34s %zu offers of the built-in tables gathered in %.1f ms\n", "catalogue",
           list.count, (bench_now_s() - start) * 1e3);
    struct gl_offer *offers = repeat(&list, WANTED_OFFERS);

    question.offers = offers;
    question.offer_count = WANTED_OFFERS;
    question.now = request.start;
    result = measure("renewable share, with digest", renewable_only, &question, err);
    question.has_no_digest = true;
    if (result == 0)
        result = measure("renewable share, for a table", renewable_only, &question, err);
    if (result == 0)
        result = measure("five limits, for a table", many_limits, &question, err);
    free(offers);
    if (result == 0)
        result = measure_live(&list, &question, err);
    gl_offer_list_done(&list);
    gl_signal_store_free(store);
    return result;
}
