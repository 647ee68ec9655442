/* SPDX-License-Identifier: Apache-2.0 */
/* Shared feeds of contributions drawn at random, held against a plain count: no cell of fewer than
 * k organisations ever appears, none that nobody spoke of, and the order of the files is no part of
 * it. GREENLAUNCH_SEED repeats a run. */
#include "tests/support/feed_bench.h"

#define ROUNDS        60
#define NEEDS         12
#define MONTHS        4 /* the last two are not over */
#define ORGANISATIONS 120

static uint64_t seed;

/* SplitMix64 (Steele, Lea and Flood 2014). */
static uint64_t draw(uint64_t below)
{
    uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

static const char *const regions[NEEDS] = {
    "eu-central-1",   "eu-west-1",  "eu-west-2", "eu-west-3", "eu-north-1", "eu-south-1",
    "ap-southeast-1", "ap-south-1", "us-west-2", "us-east-1", "us-east-2",  "sa-east-1",
};

/* Who speaks of what, by the newest document of each. */
struct truth {
    bool says[ORGANISATIONS][NEEDS][MONTHS];
    int64_t issued_s[ORGANISATIONS];
};

static int month_of(int i)
{
    return OCTOBER - 1 + i;
}

static char *draw_contribution(struct truth *truth, unsigned organisation, unsigned chance)
{
    struct gl_demand_cell cells[NEEDS * MONTHS];
    int64_t issued_s = NOW_S - (int64_t)draw(1000000);
    bool is_newest = issued_s > truth->issued_s[organisation];
    size_t count = 0;

    for (int need = 0; need < NEEDS; need++)
        for (int month = 0; month < MONTHS; month++) {
            bool says = draw(100) < chance * (unsigned)(need + 1) / NEEDS;

            if (says)
                cells[count++] = cell_of(regions[need], month_of(month), (int64_t)(1 + draw(5000)));
            if (is_newest)
                truth->says[organisation][need][month] = says;
        }
    if (is_newest)
        truth->issued_s[organisation] = issued_s;
    return own_text(cells, count, issued_s, organisation);
}

static int count_of(const struct truth *truth, int need, int month)
{
    int count = 0;

    for (int i = 0; i < ORGANISATIONS; i++)
        count += truth->says[i][need][month];
    return count;
}

static void hold(const struct truth *truth, const struct gl_demand_feed *feed, int64_t k)
{
    int found = 0;

    for (int need = 0; need < NEEDS; need++)
        for (int month = 0; month < MONTHS; month++) {
            struct gl_demand_cell wanted = cell_of(regions[need], month_of(month), 1);
            const struct gl_demand_cell *cell = feed->count > 0
                                                    ? bsearch(&wanted, feed->cells, feed->count,
                                                              sizeof wanted, gl_demand_cell_order)
                                                    : NULL;
            int count = count_of(truth, need, month);

            found += cell != NULL;
            if (cell != NULL && (count < k || month >= 2))
                fail_msg("%s, month %d: %d organisations of %d", regions[need], month, count,
                         (int)k);
            /* The noise of scale 1 passes 40 once in 10^17. */
            if (cell == NULL && count >= k + 40 && month < 2)
                fail_msg("%s, month %d: %d organisations, and not told", regions[need], month,
                         count);
            if (cell != NULL && (cell->organisations.low < k || cell->launches.low > 500000))
                fail_msg("%s, month %d: out of bounds", regions[need], month);
        }
    assert_int_equal(found, feed->count);
}

/* Texts merged in this order, signed by the publisher. */
static char *merged(char *const *texts, size_t count, bool is_turned, int64_t k)
{
    struct gl_demand_merge_options options = {k, {NOW_S}, NULL};
    struct gl_error err = {0};
    struct gl_demand_merge *merge = gl_demand_merge_new(&options, &err);
    static const uint8_t secret[32] = {9};
    json_t *document;
    size_t cells;

    assert_non_null(merge);
    for (size_t i = 0; i < count; i++)
        if (merge_text(merge, texts[is_turned ? count - 1 - i : i], NULL, &err) != 0)
            fail_msg("%s", err.text);
    document = gl_demand_merge_end(merge, secret, &cells, &err);
    assert_non_null(document);
    gl_demand_merge_free(merge);
    return sealed(document, ORGANISATIONS);
}

static size_t one_round(void)
{
    static struct truth truth;
    char *texts[2 * ORGANISATIONS];
    size_t count = draw(2 * ORGANISATIONS), told;
    unsigned chance = 5 + (unsigned)draw(95);
    unsigned different = 1 + (unsigned)draw(ORGANISATIONS);
    int64_t k = GL_DEMAND_K + (int64_t)draw(8);
    struct gl_demand_feed feed;
    struct gl_error err = {0};
    char *text, *turned;

    truth = (struct truth){.issued_s = {0}};
    for (size_t i = 0; i < count; i++)
        texts[i] = draw_contribution(&truth, (unsigned)draw(different), chance);
    text = merged(texts, count, false, k);
    turned = merged(texts, count, true, k);
    assert_string_equal(text, turned);
    if (gl_demand_feed_read(text, strlen(text), NULL, &feed, &err) != 0)
        fail_msg("%s", err.text);
    hold(&truth, &feed, k);
    told = feed.count;
    gl_demand_feed_done(&feed);
    free(text);
    free(turned);
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    return told;
}

static void no_cell_rests_on_fewer_than_k(void **state)
{
    const char *given = getenv("GREENLAUNCH_SEED");
    size_t told = 0;

    (void)state;
    seed = given != NULL ? strtoull(given, NULL, 10) : 20261120;
    for (int i = 0; i < ROUNDS; i++)
        told += one_round();
    /* Enough were told for the property to be one. */
    assert_true(told > ROUNDS);
}

static void a_document_has_a_ceiling_of_cells(void **state)
{
    struct gl_demand_cell *cells = gl_alloc((GL_DEMAND_CELLS_MAX + 1) * sizeof *cells);
    struct gl_demand_cell cell = cell_of("eu-central-1", 0, 43);
    json_t *document, *list;
    char *text;
    struct gl_demand_feed feed;
    struct gl_error err = {0};

    (void)state;
    for (int i = 0; i <= GL_DEMAND_CELLS_MAX; i++) {
        cells[i] = cell;
        cells[i].month = 12 * 1970 + i % (12 * 8000);
        if (i >= 12 * 8000)
            cells[i] = cell_of("us-east-1", cells[i].month, 43);
    }
    assert_null(gl_demand_cells_json(cells, GL_DEMAND_CELLS_MAX + 1, false, &err));
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    document = own_document(cells, GL_DEMAND_CELLS_MAX, NOW_S);
    free(cells);
    text = sealed(json_incref(document), 1);
    assert_true(strlen(text) < GL_DEMAND_FEED_MAX_BYTES);
    gl_error_clear(&err);
    assert_int_equal(gl_demand_feed_read(text, strlen(text), NULL, &feed, &err), 0);
    assert_int_equal(feed.count, GL_DEMAND_CELLS_MAX);
    gl_demand_feed_done(&feed);
    free(text);
    list = json_object_get(document, "cells");
    json_array_append(list, json_array_get(list, 0));
    text = sealed(document, 1);
    assert_int_equal(gl_demand_feed_read(text, strlen(text), NULL, &feed, &err), -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_cell_rests_on_fewer_than_k),
                                       cmocka_unit_test(a_document_has_a_ceiling_of_cells)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
