/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/offers.h"

#include "base/power.h"
#include "providers/data/data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1768046400) /* 2026-01-10T12:00Z */

/* A transport that answers nothing and counts. */
struct silent {
    struct gl_http http;
    unsigned calls;
    char urls[64][512];
};

static int silent_send(struct gl_http *http, const struct gl_http_request *request,
                       struct gl_http_reply *out, struct gl_error *err)
{
    struct silent *silent = (struct silent *)http;

    (void)err;
    assert_true(silent->calls < 64);
    snprintf(silent->urls[silent->calls++], 512, "%s", request->url);
    *out = (struct gl_http_reply){.status = 404, .retry_after_s = -1, .body = gl_strdup("")};
    return 0;
}

static void silent_close(struct gl_http *http)
{
    (void)http;
}

static const struct gl_http_ops silent_ops = {"silent", silent_send, silent_close};

struct run {
    struct silent silent;
    struct gl_world *world;
    struct gl_signal_store *store;
    struct gl_offer_list list;
};

static const struct gl_signal_config live[] = {
    {.name = "neso"}, {.name = "energy-charts"}, {.name = "energinet"}};

static void gather(struct run *run, const struct gl_request *request,
                   const struct gl_offer_options *options)
{
    struct gl_error err = {0};

    run->silent.http.ops = &silent_ops;
    run->world = gl_world_fixed_new(NOW * 1000, 1, NULL);
    run->world->http = &run->silent.http;
    run->store = gl_signal_store_new(
        &(struct gl_signal_store_options){.world = run->world, .sources = live, .source_count = 3});
    assert_int_equal(gl_offers_gather(request, options, run->store, &run->list, &err), 0);
}

static void finish(struct run *run)
{
    gl_offer_list_done(&run->list);
    assert_int_equal(run->list.count, 0);
    gl_signal_store_free(run->store);
    gl_world_fixed_free(run->world);
}

static struct gl_request request(void)
{
    return (struct gl_request){.duration = {3600}, .start = {NOW}, .latest_start = {NOW}};
}

static const struct gl_offer_options nowhere = {.has_local = false};
static const struct gl_offer_options here = {.local_zone = "DE",
                                             .local_country = "DE",
                                             .local_vcpus = 4,
                                             .local_memory_mib = 8192,
                                             .local_family = "epyc3",
                                             .has_local = true};

static const struct gl_offer *find(const struct run *run, const char *cloud, const char *region,
                                   const char *type)
{
    for (size_t i = 0; i < run->list.count; i++) {
        const struct gl_offer *offer = &run->list.offers[i];

        if (strcmp(offer->place->cloud, cloud) == 0 && strcmp(offer->place->region, region) == 0 &&
            (type == NULL || strcmp(offer->type->name, type) == 0))
            return offer;
    }
    return NULL;
}

static const char *const one_region[] = {"eu-west-3", NULL};

/* ---- what is offered ---- */

static void test_every_region(void **state)
{
    const struct gl_request asked = request();
    const struct gl_region_row *regions;
    size_t count = gl_data_regions(&regions);
    struct run run = {0};

    (void)state;
    gather(&run, &asked, &nowhere);
    assert_true(run.list.count > 10000);
    for (size_t i = 0; i < count; i++)
        if (find(&run, regions[i].cloud, regions[i].region, NULL) == NULL)
            fail_msg("no offer in %s %s", regions[i].cloud, regions[i].region);
    finish(&run);
}

static void check_offer(const struct gl_offer *offer)
{
    assert_true(offer->place->cloud[0] && offer->place->region[0] && offer->type->name[0] &&
                offer->type->arch[0]);
    assert_non_null(offer->place->country);
    assert_true(offer->type->vcpus > 0 && offer->type->memory_mib > 0);
    assert_true(offer->place->pue >= 1.0 && offer->place->pue < 2.5);
    assert_true(offer->type->idle_w.low > 0 &&
                offer->type->idle_w.low <= offer->type->idle_w.central);
    assert_true(offer->type->idle_w.central <= offer->type->idle_w.high);
    assert_true(offer->type->full_w.low <= offer->type->full_w.central);
    assert_true(offer->type->full_w.central <= offer->type->full_w.high);
    assert_true(offer->type->full_w.central > offer->type->idle_w.central);
    assert_true(offer->type->power_source[0] != '\0');
    if (offer->price_u_usd_per_h == GL_UNKNOWN)
        assert_string_equal(offer->price_source, "");
    else
        assert_true(offer->price_u_usd_per_h >= 0 && offer->price_source[0] != '\0');
    assert_int_equal(offer->type->gpu != NULL, offer->type->gpu_count > 0);
    assert_int_equal(offer->place->mapping == GL_MAP_DISPUTED, offer->place->zone_count == 2);
    for (size_t i = 0; i < offer->place->zone_count; i++)
        assert_true(offer->place->zones[i] != NULL && offer->place->zones[i]->zone[0] != '\0');
}

static void test_offers_are_whole(void **state)
{
    const struct gl_request asked = request();
    struct run run = {0};

    (void)state;
    gather(&run, &asked, &here);
    for (size_t i = 0; i < run.list.count; i++)
        check_offer(&run.list.offers[i]);
    finish(&run);
}

static void test_no_pair_twice(void **state)
{
    const struct gl_request asked = request();
    struct run run = {0};

    (void)state;
    gather(&run, &asked, &here);
    for (size_t i = 1; i < run.list.count; i++) {
        const struct gl_offer *a = &run.list.offers[i - 1], *b = &run.list.offers[i];

        assert_true(strcmp(a->place->cloud, b->place->cloud) != 0 ||
                    strcmp(a->place->region, b->place->region) != 0 ||
                    strcmp(a->type->name, b->type->name) != 0);
    }
    finish(&run);
}

/* Prices are the table's own, never another region's. */
static void test_prices(void **state)
{
    const struct gl_request asked = request();
    struct run run = {0};
    size_t unpriced = 0;

    (void)state;
    gather(&run, &asked, &nowhere);
    for (size_t i = 0; i < run.list.count; i++) {
        const struct gl_offer *offer = &run.list.offers[i];
        int64_t price =
            gl_data_price(gl_data_type(offer->place->cloud, offer->type->name),
                          gl_data_region(offer->place->cloud, offer->place->region), NULL);

        assert_int_equal(offer->price_u_usd_per_h, price >= 0 ? price : GL_UNKNOWN);
        unpriced += price < 0;
    }
    assert_true(unpriced > 0 && unpriced * 2 < run.list.count);
    finish(&run);
}

/* A region with prices offers what is priced there, and nothing else. */
static void test_region_with_prices(void **state)
{
    const struct gl_request asked = request();
    struct run run = {0};

    (void)state;
    gather(&run, &asked, &nowhere);
    for (size_t i = 0; i < run.list.count; i++) {
        const struct gl_offer *offer = &run.list.offers[i];

        if (strcmp(offer->place->cloud, "aws") == 0 &&
            strcmp(offer->place->region, "us-east-1") == 0)
            assert_int_not_equal(offer->price_u_usd_per_h, GL_UNKNOWN);
    }
    assert_non_null(find(&run, "aws", "cn-north-1", NULL));
    assert_int_equal(find(&run, "aws", "cn-north-1", NULL)->price_u_usd_per_h, GL_UNKNOWN);
    finish(&run);
}

/* The watts are those of base/power.h for the type's row. */
static void test_power(void **state)
{
    const struct gl_type_row *row = gl_data_type("aws", "m5.large");
    const struct gl_request asked = request();
    const struct gl_offer *offer;
    struct gl_machine machine;
    struct run run = {0};

    (void)state;
    assert_non_null(row);
    machine = (struct gl_machine){.family = gl_power_family(row->family),
                                  .threads = row->vcpus,
                                  .memory_gb = row->memory_mib / 1024.0};
    gather(&run, &asked, &nowhere);
    offer = find(&run, "aws", "us-east-1", "m5.large");
    assert_non_null(offer);
    assert_true(offer->type->idle_w.central == gl_power_machine(&machine, 0, 0).central);
    assert_true(offer->type->full_w.high == gl_power_machine(&machine, 1, 1).high);
    assert_non_null(strstr(offer->type->power_source, "SPECpower"));
    /* A burstable type is powered for its share of the thread. */
    row = gl_data_type("aws", "t3.medium");
    assert_true(row != NULL && row->baseline_permille < 1000);
    machine = (struct gl_machine){.family = gl_power_family(row->family),
                                  .threads = row->vcpus * row->baseline_permille / 1000.0,
                                  .memory_gb = row->memory_mib / 1024.0};
    offer = find(&run, "aws", "us-east-1", "t3.medium");
    assert_true(offer->type->full_w.central == gl_power_machine(&machine, 1, 1).central);
    finish(&run);
}

static void test_disputed(void **state)
{
    const struct gl_request asked = request();
    const struct gl_offer *offer;
    struct run run = {0};

    (void)state;
    gather(&run, &asked, &nowhere);
    offer = find(&run, "aws", "us-west-2", NULL);
    assert_int_equal(offer->place->mapping, GL_MAP_DISPUTED);
    assert_int_equal(offer->place->zone_count, 2);
    assert_string_not_equal(offer->place->zones[0]->zone, offer->place->zones[1]->zone);
    assert_true(offer->place->zones[0]->count == 3 && offer->place->zones[1]->count == 3);
    finish(&run);
}

/* ---- filters ---- */

static void test_sizes(void **state)
{
    struct gl_request asked = request();
    struct run run = {0};

    (void)state;
    asked.min_vcpus = 4;
    asked.max_vcpus = 8;
    asked.min_memory_mib = 16384;
    asked.max_memory_mib = 32768;
    gather(&run, &asked, &here);
    assert_true(run.list.count > 100);
    for (size_t i = 0; i < run.list.count; i++) {
        assert_in_range(run.list.offers[i].type->vcpus, 4, 8);
        assert_in_range(run.list.offers[i].type->memory_mib, 16384, 32768);
    }
    finish(&run);
}

static void test_gpu_and_arch(void **state)
{
    struct gl_request asked = request();
    struct run run = {0};

    (void)state;
    asked.gpu = "*T4*";
    gather(&run, &asked, &here);
    assert_true(run.list.count > 0);
    for (size_t i = 0; i < run.list.count; i++)
        assert_non_null(strstr(run.list.offers[i].type->gpu, "T4"));
    finish(&run);
    run = (struct run){0};
    asked = request();
    asked.arch = "arm64";
    gather(&run, &asked, &nowhere);
    assert_true(run.list.count > 0);
    for (size_t i = 0; i < run.list.count; i++)
        assert_string_equal(run.list.offers[i].type->arch, "arm64");
    finish(&run);
}

/* Other places stay: the evaluator offers them as alternatives. */
static void test_places_stay(void **state)
{
    struct gl_request asked = request();
    struct run run = {0};

    (void)state;
    asked.regions = one_region;
    gather(&run, &asked, &nowhere);
    assert_non_null(find(&run, "aws", "eu-west-3", NULL));
    assert_non_null(find(&run, "aws", "us-east-1", NULL));
    assert_non_null(find(&run, "hetzner", "fsn1", NULL));
    finish(&run);
}

static void test_nothing_fits(void **state)
{
    struct gl_request asked = request();
    struct run run = {0};

    (void)state;
    asked.min_vcpus = 100000;
    gather(&run, &asked, &here);
    assert_int_equal(run.list.count, 0);
    assert_int_equal(run.silent.calls, 2); /* of the local zone */
    finish(&run);
}

/* ---- network ---- */

static bool has_url(const struct run *run, const char *part)
{
    for (unsigned i = 0; i < run->silent.calls; i++)
        if (strstr(run->silent.urls[i], part) != NULL)
            return true;
    return false;
}

/* Only the grids of asked regions are asked; the rest has its yearly figures. */
static void test_network_of_asked_regions(void **state)
{
    struct gl_request asked = request();
    struct run run = {0};

    (void)state;
    asked.regions = one_region; /* Paris */
    gather(&run, &asked, &nowhere);
    assert_int_equal(run.silent.calls, 2);
    assert_true(has_url(&run, "country=fr"));
    assert_int_equal(find(&run, "hetzner", "fsn1", NULL)->place->zones[0]->count, 3);
    finish(&run);
}

static void test_network_of_local(void **state)
{
    static const char *const local_only[] = {"local", NULL};
    struct gl_request asked = request();
    struct run run = {0};

    (void)state;
    asked.clouds = local_only;
    gather(&run, &asked, &here);
    assert_int_equal(run.silent.calls, 2);
    assert_true(has_url(&run, "country=de"));
    finish(&run);
}

static void test_neso_region(void **state)
{
    static const char *const london[] = {"eu-west-2", NULL};
    struct gl_request asked = request();
    struct run run = {0};

    (void)state;
    asked.regions = london;
    gather(&run, &asked, &nowhere);
    assert_true(has_url(&run, "/regionid/13"));
    finish(&run);
}

/* ---- the local machine ---- */

static void test_local(void **state)
{
    const struct gl_request asked = request();
    const struct gl_offer *offer;
    struct run run = {0};

    (void)state;
    gather(&run, &asked, &here);
    offer = find(&run, "local", "this-machine", "small");
    assert_non_null(offer);
    assert_int_equal(offer->type->vcpus, 1);
    assert_int_equal(offer->type->memory_mib, 256);
    assert_int_equal(offer->price_u_usd_per_h, 0);
    assert_string_equal(offer->price_source, "local");
    assert_string_equal(offer->place->country, "DE");
    assert_int_equal(offer->place->mapping, GL_MAP_USER);
    assert_true(offer->place->pue == 1.0);
    assert_int_equal(offer->place->zone_count, 1);
    assert_string_equal(offer->place->zones[0]->zone, "DE");
    assert_non_null(strstr(offer->type->power_source, "EPYC"));
    assert_int_equal(find(&run, "local", "this-machine", "medium")->type->vcpus, 2);
    assert_int_equal(find(&run, "local", "this-machine", "large")->type->vcpus, 4);
    finish(&run);
}

/* Places of its own, each in its zone; only one of them is known to be in the country. */
static void test_local_places(void **state)
{
    static const struct gl_cloud_place places[] = {{.name = "cellar", .zone = "DE"},
                                                   {.name = "attic", .zone = "FR"}};
    const struct gl_request asked = request();
    struct gl_offer_options options = here;
    const struct gl_offer *offer;
    struct run run = {0};

    (void)state;
    options.local_places = places;
    options.local_place_count = 2;
    gather(&run, &asked, &options);
    assert_null(find(&run, "local", "this-machine", "small"));
    offer = find(&run, "local", "cellar", "large");
    assert_non_null(offer);
    assert_string_equal(offer->place->zones[0]->zone, "DE");
    assert_string_equal(offer->place->country, "DE");
    offer = find(&run, "local", "attic", "small");
    assert_non_null(offer);
    assert_string_equal(offer->place->zones[0]->zone, "FR");
    assert_string_equal(offer->place->country, "");
    assert_non_null(find(&run, "local", "attic", "large"));
    finish(&run);
}

static void test_local_is_limited_by_the_host(void **state)
{
    const struct gl_request asked = request();
    struct gl_offer_options options = here;
    struct run run = {0};

    (void)state;
    options.local_vcpus = 2;
    gather(&run, &asked, &options);
    assert_non_null(find(&run, "local", "this-machine", "medium"));
    assert_null(find(&run, "local", "this-machine", "large"));
    finish(&run);
    run = (struct run){0};
    options.local_vcpus = 0; /* not known: the smallest fits anywhere */
    gather(&run, &asked, &options);
    assert_non_null(find(&run, "local", "this-machine", "small"));
    assert_null(find(&run, "local", "this-machine", "medium"));
    finish(&run);
}

static void test_local_without_zone(void **state)
{
    const struct gl_request asked = request();
    const struct gl_offer_options options = {.has_local = true, .local_vcpus = 1};
    const struct gl_offer *offer;
    struct run run = {0};

    (void)state;
    gather(&run, &asked, &options);
    offer = find(&run, "local", "this-machine", "small");
    assert_int_equal(offer->place->zone_count, 0);
    assert_string_equal(offer->place->country, "");
    assert_non_null(strstr(offer->type->power_source, "family unknown"));
    finish(&run);
    run = (struct run){0};
    gather(&run, &asked, &nowhere);
    assert_null(find(&run, "local", "this-machine", NULL));
    finish(&run);
}

static void test_negative_duration(void **state)
{
    struct gl_request asked = request();
    struct gl_offer_list list = {0};
    struct gl_error err = {0};

    (void)state;
    asked.duration.s = -1;
    assert_int_equal(gl_offers_gather(&asked, &nowhere, NULL, &list, &err), -1);
    assert_int_equal(err.code, GL_E_BAD_VALUE);
    assert_null(list.offers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_region),
        cmocka_unit_test(test_offers_are_whole),
        cmocka_unit_test(test_no_pair_twice),
        cmocka_unit_test(test_prices),
        cmocka_unit_test(test_region_with_prices),
        cmocka_unit_test(test_power),
        cmocka_unit_test(test_disputed),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_gpu_and_arch),
        cmocka_unit_test(test_places_stay),
        cmocka_unit_test(test_nothing_fits),
        cmocka_unit_test(test_network_of_asked_regions),
        cmocka_unit_test(test_network_of_local),
        cmocka_unit_test(test_neso_region),
        cmocka_unit_test(test_local),
        cmocka_unit_test(test_local_places),
        cmocka_unit_test(test_local_is_limited_by_the_host),
        cmocka_unit_test(test_local_without_zone),
        cmocka_unit_test(test_negative_duration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
