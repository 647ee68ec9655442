/* SPDX-License-Identifier: Apache-2.0 */
/* What a provider claims of its regions is shown and decides nothing: the same rules over the same
 * price lists give the same decision, byte by byte, whatever is claimed in them. Seeds count from
 * 1. */
#include "policy/decide.h"
#include "providers/offers.h"
#include "providers/pricelist.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORLDS 12
#define ROWS   6
#define NOW    INT64_C(1768046400) /* 2026-01-10T12:00Z */

#define HEAD "greenlaunch: 1\nrules:\n"
static const char *const policies[] = {
    HEAD "  - {id: r, min_carbon_free: 90%, min_grade: D}\n",
    HEAD "  - {id: r, min_renewable: 60%, min_grade: D}\n",
    HEAD "  - {id: r, max_intensity: 120 gCO2e/kWh, min_grade: D}\n",
    HEAD "  - {id: r, min_carbon_free: 90%, accounting: market, min_grade: E}\n",
};
static const char *const places[ROWS] = {"europe-north1", "europe-west3", "us-central1",
                                         "asia-south1",   "europe-west9", "no-such-region"};

static uint64_t seed;

static int64_t below(int64_t most) /* splitmix64 */
{
    uint64_t z = (seed += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (int64_t)((z ^ (z >> 31)) % (uint64_t)most);
}

static void invent(struct gl_catalog_row rows[2 * ROWS])
{
    for (size_t i = 0; i < ROWS; i++) {
        gl_catalog_row_init(&rows[2 * i], places[i], "n2-standard-2");
        rows[2 * i].price_u_usd = 50000 + below(100000);
        gl_catalog_row_init(&rows[2 * i + 1], places[i], GL_CATALOG_REGION);
    }
}

static void claim(struct gl_catalog_row rows[2 * ROWS])
{
    for (size_t i = 0; i < (size_t)2 * ROWS; i++) {
        rows[i].cfe_ppm = below(3) > 0 ? below(1000001) : -1;
        rows[i].estimate_ug = below(3) > 0 ? below(1000001) : -1;
    }
}

static struct gl_hash decide(const char *folder, const char *text, enum gl_verdict *out)
{
    const struct gl_request request = {.duration = {3600},
                                       .start = {NOW},
                                       .latest_start = {NOW},
                                       .clouds = (const char *const[]){"gcp", NULL}};
    const struct gl_offer_options options = {.price_folder = folder};
    struct gl_world *world = gl_world_fixed_new(NOW * 1000, 1, NULL);
    struct gl_signal_store *store =
        gl_signal_store_new(&(struct gl_signal_store_options){.world = world});
    static struct gl_diagnostics found;
    struct gl_policy *policy =
        gl_policy_parse((struct gl_view){text, strlen(text)}, "p.yaml", NULL, &found);
    struct gl_offer_list list;
    struct gl_decision *decision;
    struct gl_error err = {0};
    struct gl_hash digest;

    assert_non_null(policy);
    assert_int_equal(gl_offers_gather(&request, &options, store, &list, &err), 0);
    assert_true(list.count > 100);
    decision = gl_decide(&(struct gl_question){.policy = policy,
                                               .request = &request,
                                               .offers = list.offers,
                                               .offer_count = list.count,
                                               .now = {NOW}});
    digest = decision->digest;
    *out = decision->verdict;
    gl_decision_free(decision);
    gl_offer_list_done(&list);
    gl_policy_free(policy);
    gl_signal_store_free(store);
    gl_world_fixed_free(world);
    return digest;
}

static void keep(const char *folder, const struct gl_catalog_row *rows)
{
    const struct gl_pricelist_asked asked = {
        .rows = rows, .count = (size_t)2 * ROWS, .retrieved_s = NOW - 60};
    struct gl_error err = {0};

    if (gl_pricelist_write(folder, "gcp", &asked, &err) != 0)
        fail_msg("%s", err.text);
}

static void a_claim_decides_nothing(void **state)
{
    char *folder = scratch_make("claims");
    struct gl_catalog_row rows[2 * ROWS];
    struct gl_pricelist list;
    bool has_claims = false;

    (void)state;
    for (uint64_t world = 1; world <= WORLDS; world++) {
        const char *policy = policies[world % (sizeof policies / sizeof *policies)];
        struct gl_hash before, after;
        enum gl_verdict was, is;

        seed = world;
        invent(rows);
        keep(folder, rows);
        before = decide(folder, policy, &was);
        claim(rows);
        keep(folder, rows);
        after = decide(folder, policy, &is);
        if (was != is || !gl_hash_equal(&before, &after))
            fail_msg("seed %llu: a claim changed the decision", (unsigned long long)world);
        assert_true(gl_pricelist_read(folder, "gcp", NOW, &list));
        for (size_t i = 0; i < list.count; i++)
            has_claims |= list.rows[i].cfe_ppm != GL_UNKNOWN;
        gl_pricelist_done(&list);
    }
    assert_true(has_claims);
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_claim_decides_nothing)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
