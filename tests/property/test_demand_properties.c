/* SPDX-License-Identifier: Apache-2.0 */
/* Random demand signals: the clusters are those of a plain model, number by number, and the same
 * whatever the order they come in. */
#include "policy/demand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIGNALS 3000
#define SEEDS   20
#define CASES   12
#define KEYS    40
#define DAYS    9
#define DAY_MS  INT64_C(86400000)

static struct gl_error err;

static uint64_t next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static int64_t below(uint64_t *state, int64_t limit)
{
    return (int64_t)(next(state) % (uint64_t)limit);
}

static int64_t perhaps(uint64_t *state, int64_t number)
{
    return below(state, 3) == 0 ? GL_UNKNOWN : number;
}

static struct gl_demand draw(uint64_t *state, int number)
{
    static const char *const regions[] = {"eu-west-1", "eu-north-1", "us-east-1"};
    struct gl_demand one = {
        .kind = (enum gl_demand_kind)below(state, GL_DEMAND_KINDS),
        .capability = (enum gl_capability)(number % 2),
        .provider = "aws",
        .key = below(state, 2) == 0 ? GL_KEY_MAX_INTENSITY : GL_KEY_MIN_RENEWABLE,
        .limit_u = 100,
        .wanted_ms = below(state, INT64_C(1000000000000000)),
        .gpu_ms = below(state, 7),
        .grade = (enum gl_grade)below(state, 5),
        .instead = (enum gl_instead)below(state, GL_INSTEADS),
        .at_ms = below(state, DAYS * DAY_MS),
    };

    snprintf(one.region, sizeof one.region, "%s", regions[number / 2 % 3]);
    snprintf(one.rule, sizeof one.rule, "intensity<=%dg/kWh", number / 6);
    snprintf(one.launch_key, sizeof one.launch_key, "%012x", (unsigned)below(state, KEYS));
    one.found_u = perhaps(state, below(state, 1000));
    one.lost_ms = perhaps(state, below(state, 50));
    one.extra_ug =
        perhaps(state, below(state, INT64_C(2000000000000000)) - INT64_C(999999999999999));
    return one;
}

/* ---- the plain model ---- */

static int order(const void *a, const void *b)
{
    const int64_t *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

static bool is_refused(const struct gl_demand *one)
{
    return one->kind <= GL_DEMAND_UNKNOWN;
}

static int64_t median(int64_t *values, size_t count)
{
    qsort(values, count, sizeof *values, order);
    return count == 0 ? GL_UNKNOWN : (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static void check_found(const struct gl_cluster *cluster, const struct gl_demand *signals,
                        const int *cases, int number)
{
    int64_t low = INT64_MAX, high = INT64_MIN;
    int key = GL_KEYS;

    for (size_t i = 0; i < SIGNALS; i++)
        if (cases[i] == number && signals[i].found_u != GL_UNKNOWN && signals[i].key < key)
            key = signals[i].key;
    for (size_t i = 0; i < SIGNALS; i++) {
        if (cases[i] != number || signals[i].key != key || signals[i].found_u == GL_UNKNOWN)
            continue;
        low = signals[i].found_u < low ? signals[i].found_u : low;
        high = signals[i].found_u > high ? signals[i].found_u : high;
    }
    assert_int_equal(cluster->found_key, key);
    assert_int_equal(cluster->worst_found_u, key == GL_KEY_MAX_INTENSITY ? high : low);
    assert_int_equal(cluster->best_found_u, key == GL_KEY_MAX_INTENSITY ? low : high);
}

static void check_cluster(const struct gl_cluster *cluster, const struct gl_demand *signals,
                          const int *cases, int number)
{
    bool launches[KEYS] = {false}, refused[KEYS] = {false}, days[DAYS] = {false};
    struct gl_cluster sums = {.signals = 0};
    static int64_t lost[SIGNALS];
    size_t lost_count = 0;

    for (size_t i = 0; i < SIGNALS; i++) {
        const struct gl_demand *one = &signals[i];
        unsigned long key = strtoul(one->launch_key, NULL, 16);

        if (cases[i] != number)
            continue;
        sums.signals++;
        sums.wanted_ms += one->wanted_ms;
        sums.gpu_ms += one->gpu_ms;
        sums.lost_ms += one->lost_ms != GL_UNKNOWN ? one->lost_ms : 0;
        sums.extra_ug += one->extra_ug != GL_UNKNOWN ? one->extra_ug : 0;
        sums.launches += !launches[key];
        launches[key] = true;
        sums.refused += is_refused(one) && !refused[key];
        refused[key] |= is_refused(one);
        sums.days += !days[one->at_ms / DAY_MS];
        days[one->at_ms / DAY_MS] = true;
        if (one->lost_ms != GL_UNKNOWN && one->lost_ms > 0)
            lost[lost_count++] = one->lost_ms;
    }
    assert_int_equal(cluster->signals, sums.signals);
    assert_int_equal(cluster->wanted_ms, sums.wanted_ms);
    assert_int_equal(cluster->gpu_ms, sums.gpu_ms);
    assert_int_equal(cluster->lost_ms, sums.lost_ms);
    assert_int_equal(cluster->extra_ug, sums.extra_ug);
    assert_int_equal(cluster->launches, sums.launches);
    assert_int_equal(cluster->refused, sums.refused);
    assert_int_equal(cluster->days, sums.days);
    assert_int_equal(cluster->median_lost_ms, median(lost, lost_count));
    check_found(cluster, signals, cases, number);
}

/* ---- ---- */

static struct gl_clustering *cluster(const struct gl_demand *signals)
{
    struct gl_clustering *clustering = gl_clustering_new();

    for (size_t i = 0; i < SIGNALS; i++)
        if (gl_clustering_add(clustering, &signals[i], &err) != 0)
            fail_msg("%s", err.text);
    return clustering;
}

static void shuffle(struct gl_demand *signals, int *cases, uint64_t *state)
{
    for (size_t i = SIGNALS - 1; i > 0; i--) {
        size_t other = (size_t)below(state, (int64_t)i + 1);
        struct gl_demand signal = signals[i];
        int number = cases[i];

        signals[i] = signals[other];
        signals[other] = signal;
        cases[i] = cases[other];
        cases[other] = number;
    }
}

static void assert_same(struct gl_clustering *a, struct gl_clustering *b)
{
    size_t count, again;
    const struct gl_cluster *left = gl_clustering_end(a, &count);
    const struct gl_cluster *right = gl_clustering_end(b, &again);

    assert_int_equal(count, again);
    for (size_t i = 0; i < count; i++) {
        struct gl_cluster one = left[i], other = right[i];

        assert_memory_equal(one.first, other.first, sizeof *one.first);
        one.first = other.first = NULL;
        assert_memory_equal(&one, &other, sizeof one);
    }
}

static void any_order_gives_the_exact_sums(void **state)
{
    static struct gl_demand signals[SIGNALS];
    static int cases[SIGNALS];

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct gl_clustering *clustering, *again;
        const struct gl_cluster *clusters;
        uint64_t random = seed;
        size_t count;

        for (size_t i = 0; i < SIGNALS; i++) {
            cases[i] = (int)below(&random, CASES);
            signals[i] = draw(&random, cases[i]);
        }
        clustering = cluster(signals);
        clusters = gl_clustering_end(clustering, &count);
        assert_int_equal(count, CASES);
        for (size_t i = 0; i < count; i++) {
            size_t at = 0;

            while (memcmp(&signals[at], clusters[i].first, sizeof *signals) != 0)
                at++;
            check_cluster(&clusters[i], signals, cases, cases[at]);
            assert_true(i == 0 || clusters[i - 1].refused >= clusters[i].refused);
        }
        shuffle(signals, cases, &random);
        again = cluster(signals);
        assert_same(clustering, again);
        gl_clustering_free(clustering);
        gl_clustering_free(again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_order_gives_the_exact_sums)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
