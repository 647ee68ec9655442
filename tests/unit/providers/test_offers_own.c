/* SPDX-License-Identifier: Apache-2.0 */
/* Clouds that no table knows: their regions and types are those they told, and where a region
 * stands is its user's word, or that of the cloud it is rented from, or not known. */
#include "providers/offers.h"

#include "base/file.h"
#include "providers/cloud/setting_list.h"
#include "providers/pricelist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW INT64_C(1768046400) /* 2026-01-10T12:00Z */

static char folder[256];
static struct gl_catalog_row rows[8];
static size_t row_count;
static struct gl_world *world;
static struct gl_signal_store *store;
static struct gl_offer_list list;
static struct gl_offer_own own;
static struct gl_request request;
static struct gl_error err;

static int set_up(void **state)
{
    const char *build = getenv("BUILD_DIR");

    (void)state;
    snprintf(folder, sizeof folder, "%s/tmp/offers-own-%ld", build != NULL ? build : "build",
             (long)getpid());
    row_count = 0;
    world = gl_world_fixed_new(NOW * 1000, 1, NULL);
    store = gl_signal_store_new(&(struct gl_signal_store_options){.world = world});
    list = (struct gl_offer_list){0};
    own = (struct gl_offer_own){"kubernetes", NULL};
    request = (struct gl_request){.duration = {3600}, .start = {NOW}, .latest_start = {NOW}};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gl_offer_list_done(&list);
    gl_signal_store_free(store);
    gl_world_fixed_free(world);
    gl_dir_remove(folder, &err); /* nothing was kept: there is none */
    gl_error_clear(&err);
    return 0;
}

static struct gl_catalog_row *add(const char *region, const char *type, const char *host)
{
    struct gl_catalog_row *row = &rows[row_count++];

    gl_catalog_row_init(row, region, type);
    row->vcpus = 2;
    row->memory_mib = 4096;
    row->price_u_usd = 50000;
    row->is_offered = row->is_offered_known = true;
    snprintf(row->host, sizeof row->host, "%s", host);
    return row;
}

static void gather(void)
{
    const struct gl_pricelist_asked asked = {rows, row_count, NOW - 60};
    const struct gl_offer_options options = {
        .price_folder = folder, .owns = &own, .own_count = 1, .only_asked = true};
    static const char *clouds[2];

    clouds[0] = own.cloud;
    request.clouds = clouds;
    assert_int_equal(gl_pricelist_write(folder, own.cloud, &asked, &err), 0);
    if (gl_offers_gather(&request, &options, store, &list, &err) != 0)
        fail_msg("%s", err.text);
}

static const struct gl_offer *find(const char *region, const char *type)
{
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.offers[i].place->cloud, own.cloud) == 0 &&
            strcmp(list.offers[i].place->region, region) == 0 &&
            strcmp(list.offers[i].type->name, type) == 0)
            return &list.offers[i];
    return NULL;
}

static void a_region_stands_where_its_user_says(void **state)
{
    const struct gl_offer *offer;

    (void)state;
    own = (struct gl_offer_own){"openstack", "north=SE-SE3, south=DE"};
    add("north", "small", "");
    add("south", "small", "");
    add("west", "small", "");
    gather();
    assert_int_equal(list.count, 3);
    offer = find("north", "small");
    assert_non_null(offer);
    assert_int_equal(offer->place->zone_count, 1);
    assert_string_equal(offer->place->zones[0]->zone, "SE-SE3");
    assert_true(offer->place->zones[0]->count > 0); /* the yearly average of the tables */
    assert_int_equal(offer->place->mapping, GL_MAP_USER);
    assert_int_equal(offer->type->vcpus, 2);
    assert_int_equal(offer->type->memory_mib, 4096);
    assert_int_equal(offer->price_u_usd_per_h, 50000);
    assert_true(offer->price_source[0] != '\0');
    assert_true(offer->place->pue > 1.5 && offer->place->pue < 1.6);
    assert_true(offer->type->idle_w.low > 0 && offer->type->full_w.high > offer->type->full_w.low);
    assert_string_equal(find("south", "small")->place->zones[0]->zone, "DE");
    assert_int_equal(find("west", "small")->place->zone_count, 0);
}

static void one_word_is_for_all_regions(void **state)
{
    (void)state;
    own = (struct gl_offer_own){"openstack", "FR"};
    add("north", "small", "");
    gather();
    assert_string_equal(find("north", "small")->place->zones[0]->zone, "FR");
}

static void a_cluster_stands_where_its_machines_are_rented(void **state)
{
    const struct gl_offer *offer;

    (void)state;
    add("eu-north-1", "m5.large", "aws");
    add("atlantis-1", "m5.large", "aws");
    gather();
    offer = find("eu-north-1", "m5.large");
    assert_int_equal(offer->place->zone_count, 1);
    assert_string_equal(offer->place->zones[0]->zone, "SE-SE3");
    assert_string_equal(offer->place->country, "SE");
    assert_int_not_equal(offer->place->mapping, GL_MAP_USER);
    assert_null(strstr(offer->type->power_source, "unknown")); /* its CPU is known by its type */
    assert_int_equal(find("atlantis-1", "m5.large")->place->zone_count, 0);
}

/* Who joins a machine of another cloud, or of nobody, to a region's others makes it stand nowhere.
 */
static void machines_that_contradict_each_other_stand_nowhere(void **state)
{
    (void)state;
    add("eu-north-1", "m5.large", "aws");
    add("eu-north-1", "shed", GL_CATALOG_MIXED);
    add("europe-north1", "n2-standard-2", "gcp");
    gather();
    assert_int_equal(find("eu-north-1", "m5.large")->place->zone_count, 0);
    assert_int_equal(find("eu-north-1", "shed")->place->zone_count, 0);
    assert_string_equal(find("eu-north-1", "shed")->place->country, "");
    assert_int_equal(find("europe-north1", "n2-standard-2")->place->zone_count, 1);
}

static void the_users_word_is_above_the_hosts(void **state)
{
    (void)state;
    own.zones = "eu-north-1=NO-NO1";
    add("eu-north-1", "m5.large", "aws");
    gather();
    assert_string_equal(find("eu-north-1", "m5.large")->place->zones[0]->zone, "NO-NO1");
    assert_int_equal(find("eu-north-1", "m5.large")->place->mapping, GL_MAP_USER);
}

static void what_cannot_be_had_or_has_no_size_is_no_offer(void **state)
{
    (void)state;
    own.cloud = "openstack";
    add("north", "gone", "")->is_offered = false;
    add("north", "odd", "")->vcpus = 0;
    add("north", "odder", "")->memory_mib = 0;
    add("north", GL_CATALOG_REGION, "");
    add("north", "small", "");
    gather();
    assert_int_equal(list.count, 1);
    assert_non_null(find("north", "small"));
}

static void any_type_has_the_size_that_is_asked_for(void **state)
{
    struct gl_catalog_row *row = add("eu-north-1", "any", "aws");

    (void)state;
    row->vcpus = row->memory_mib = 0;
    request.min_vcpus = 3;
    gather();
    assert_int_equal(find("eu-north-1", "any")->type->vcpus, 3);
    assert_int_equal(find("eu-north-1", "any")->type->memory_mib, 1024);
    assert_true(find("eu-north-1", "any")->type->full_w.central > 0);
}

static void nothing_is_kept_of_it(void **state)
{
    const struct gl_offer_options options = {
        .price_folder = folder, .owns = &own, .own_count = 1, .only_asked = true};
    static const char *const clouds[] = {"kubernetes", NULL};

    (void)state;
    request.clouds = clouds;
    assert_int_equal(gl_offers_gather(&request, &options, store, &list, &err), 0);
    assert_int_equal(list.count, 0);
}

/* ---- what settings say ---- */

static void settings_say_one_for_all_or_one_each(void **state)
{
    static const struct {
        const char *list, *name, *wanted; /* NULL = nothing */
    } cases[] = {
        {"DE", "north", "DE"},
        {" DE ", "north", "DE"},
        {"north=DE", "north", "DE"},
        {"north=DE,south=FR", "south", "FR"},
        {"north=DE", "nort", NULL},
        {"north=DE", "northern", NULL},
        {"north=", "north", NULL},
        {"", "north", NULL},
        {" , ", "north", NULL},
        {NULL, "north", NULL},
        {"north=DEDEDEDE", "north", NULL},
        {"DEDEDEDE", "north", NULL},
        {"=DE", "", "DE"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[8] = "before";
        bool is_said = gl_cloud_setting_item(cases[i].list, cases[i].name, out, sizeof out);

        assert_int_equal(is_said, cases[i].wanted != NULL);
        assert_string_equal(out, is_said ? cases[i].wanted : "before");
    }
}

static void a_price_is_a_plain_number(void **state)
{
    static const char *const bad[] = {"", "free", "-1", "0x1", "1e3", "nan", "1 USD", "2000000"};

    (void)state;
    assert_int_equal(gl_cloud_setting_usd("0.05"), 50000);
    assert_int_equal(gl_cloud_setting_usd("0"), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(gl_cloud_setting_usd(bad[i]), GL_UNKNOWN);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_region_stands_where_its_user_says),
        CASE(one_word_is_for_all_regions),
        CASE(a_cluster_stands_where_its_machines_are_rented),
        CASE(machines_that_contradict_each_other_stand_nowhere),
        CASE(the_users_word_is_above_the_hosts),
        CASE(what_cannot_be_had_or_has_no_size_is_no_offer),
        CASE(any_type_has_the_size_that_is_asked_for),
        CASE(nothing_is_kept_of_it),
        cmocka_unit_test(settings_say_one_for_all_or_one_each),
        cmocka_unit_test(a_price_is_a_plain_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
