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
    gl_offer_list_done(&list);
    gl_signal_store_free(store);
    return result;
}
