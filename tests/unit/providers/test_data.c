/* SPDX-License-Identifier: Apache-2.0 */

/* The built-in tables: order, references, ranges, known values and prices. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "providers/data/data.h"
#include "providers/data/tables.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Zones that regions name and the yearly table lacks: none today; add here, never invent a row. */
static const char *const unresolved_zones[] = {NULL};

static const char *const clouds[] = {"alibaba", "aws",    "azure", "digitalocean", "gcp",
                                     "hetzner", "oracle", "ovh",   "scaleway"};

static const char *const big_three[] = {"aws", "azure", "gcp"};

static const char *const families[] = {
    "sandybridge", "ivybridge",      "haswell",       "broadwell",     "skylake",    "cascadelake",
    "icelake",     "sapphirerapids", "emeraldrapids", "graniterapids", "epyc1",      "epyc2",
    "epyc3",       "epyc4",          "epyc5",         "neoverse-n1",   "coffeelake",
};

static int is_listed(const char *const *list, size_t count, const char *wanted)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] != NULL && strcmp(list[i], wanted) == 0)
            return 1;
    }
    return 0;
}

static const char *source_id(uint8_t source)
{
    const struct gl_data_source *sources;
    size_t count = gl_data_sources(&sources);

    assert_true(source < count);
    return sources[source].id;
}

static int64_t price_of(const char *cloud, const char *type, const char *region,
                        const char *expected_source)
{
    uint8_t source = UINT8_MAX;
    int64_t price =
        gl_data_price(gl_data_type(cloud, type), gl_data_region(cloud, region), &source);

    if (expected_source == NULL)
        assert_int_equal(source, UINT8_MAX);
    else
        assert_string_equal(source_id(source), expected_source);
    return price;
}

static void test_every_source_is_named_and_dated(void **state)
{
    const struct gl_data_source *sources;
    size_t count = gl_data_sources(&sources);

    (void)state;
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        const char *date = sources[i].date;
        size_t length;

        assert_non_null(sources[i].id);
        assert_true(strlen(sources[i].id) > 0 && strlen(sources[i].title) > 0);
        assert_true(strlen(sources[i].licence) > 0 && strlen(sources[i].note) > 0);
        length = strlen(date);
        assert_true(length == 4 || length == 7 || length == 10);
        assert_in_range(strtoul(date, NULL, 10), 2020, 2100);
        assert_int_equal(strspn(date, "0123456789-"), length);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(sources[i].id, sources[j].id);
    }
}

static void test_regions_are_sorted_and_unique(void **state)
{
    const struct gl_region_row *rows;
    size_t count = gl_data_regions(&rows);

    (void)state;
    assert_true(count >= 250);
    for (size_t i = 1; i < count; i++) {
        int order = strcmp(rows[i - 1].cloud, rows[i].cloud);

        assert_true(order < 0 || (order == 0 && strcmp(rows[i - 1].region, rows[i].region) < 0));
    }
    for (size_t i = 0; i < count; i++)
        assert_ptr_equal(gl_data_region(rows[i].cloud, rows[i].region), &rows[i]);
}

static void test_regions_resolve_to_zones(void **state)
{
    const struct gl_region_row *rows;
    size_t count = gl_data_regions(&rows);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t z = 0; z < 2; z++) {
            const char *zone = rows[i].zones[z];

            if (zone == NULL)
                continue;
            assert_true(gl_data_zone(zone) != NULL ||
                        is_listed(unresolved_zones, COUNT(unresolved_zones), zone));
        }
        assert_non_null(rows[i].zones[0]);
        assert_int_equal(strncmp(rows[i].zones[0], rows[i].country, 2), 0);
    }
    assert_null(gl_data_zone("XX"));
    assert_null(gl_data_zone(""));
}

static void test_disputed_regions_name_two_zones(void **state)
{
    const struct gl_region_row *rows;
    size_t count = gl_data_regions(&rows);
    size_t disputed = 0;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_true(rows[i].confidence <= GL_MAP_DISPUTED);
        if (rows[i].confidence != GL_MAP_DISPUTED) {
            assert_null(rows[i].zones[1]);
            continue;
        }
        disputed++;
        assert_non_null(rows[i].zones[1]);
        assert_string_not_equal(rows[i].zones[0], rows[i].zones[1]);
    }
    assert_true(disputed >= 7);
}

static void test_region_fields_are_in_range(void **state)
{
    const struct gl_region_row *rows;
    size_t count = gl_data_regions(&rows);
    const struct gl_data_source *sources;
    size_t source_count = gl_data_sources(&sources);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const struct gl_region_row *row = &rows[i];

        assert_true(is_listed(clouds, COUNT(clouds), row->cloud));
        assert_true(strlen(row->region) > 0 && strlen(row->place) > 0);
        assert_int_equal(strlen(row->country), 2);
        assert_true(isupper((unsigned char)row->country[0]) &&
                    isupper((unsigned char)row->country[1]));
        assert_in_range(row->pue_milli, 1000, 2000);
        assert_true(row->source < source_count && row->pue_source < source_count);
        assert_int_equal(strncmp(sources[row->source].id, "map-", 4), 0);
        assert_int_equal(strncmp(sources[row->pue_source].id, "pue-", 4), 0);
        if (row->neso != NULL) {
            assert_string_equal(row->zones[0], "GB");
            assert_in_range(strtoul(row->neso, NULL, 10), 1, 17);
        }
    }
}

static void test_known_regions(void **state)
{
    const struct {
        const char *cloud, *region, *country, *zone, *second;
        enum gl_mapping confidence;
        int pue_milli;
        const char *pue_source;
    } known[] = {
        {"aws", "eu-north-1", "SE", "SE-SE3", NULL, GL_MAP_AGREED, 1100, "pue-gsf-2024"},
        {"aws", "us-west-2", "US", "US-NW-PACW", "US-NW-BPAT", GL_MAP_DISPUTED, 1120,
         "pue-gsf-2024"},
        {"aws", "eu-west-3", "FR", "FR", NULL, GL_MAP_AGREED, 1150, "pue-aws-global"},
        {"azure", "northcentralus", "US", "US-MIDA-PJM", "US-MIDW-MISO", GL_MAP_DISPUTED, 1350,
         "pue-gsf-2023"},
        {"azure", "uksouth", "GB", "GB", NULL, GL_MAP_SINGLE, 1185, "pue-ccf"},
        {"gcp", "europe-west4", "NL", "NL", NULL, GL_MAP_AGREED, 1070, "pue-gsf-2024"},
        {"gcp", "us-central1", "US", "US-CENT-SWPP", "US-MIDW-MISO", GL_MAP_DISPUTED, 1100,
         "pue-gsf-2024"},
        {"hetzner", "hel1", "FI", "FI", NULL, GL_MAP_CITY, 1560, "pue-industry"},
        {"oracle", "eu-jovanovac-1", "RS", "RS", NULL, GL_MAP_CITY, 1200, "pue-green-algorithms"},
        {"ovh", "GRA", "FR", "FR", NULL, GL_MAP_AGREED, 1090, "pue-green-algorithms"},
        {"alibaba", "cn-zhangjiakou", "CN", "CN", NULL, GL_MAP_CITY, 1200, "pue-ccf"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        const struct gl_region_row *row = gl_data_region(known[i].cloud, known[i].region);

        assert_non_null(row);
        assert_string_equal(row->country, known[i].country);
        assert_string_equal(row->zones[0], known[i].zone);
        if (known[i].second != NULL)
            assert_string_equal(row->zones[1], known[i].second);
        else
            assert_null(row->zones[1]);
        assert_int_equal(row->confidence, known[i].confidence);
        assert_int_equal(row->pue_milli, known[i].pue_milli);
        assert_string_equal(source_id(row->pue_source), known[i].pue_source);
    }
    assert_string_equal(gl_data_region("azure", "ukwest")->neso, "7");
    assert_null(gl_data_region("aws", "eu-north-9"));
    assert_null(gl_data_region("nimbus", "eu-north-1"));
}

static void test_halls_find_their_region(void **state)
{
    const struct {
        const char *cloud, *hall, *region;
    } halls[] = {
        {"ovh", "GRA11", "GRA"},
        {"ovh", "DE1", "DE"},
        {"ovh", "EU-WEST-PAR-A", "EU-WEST-PAR"},
        {"ovh", "US-EAST-VA-1", "US-EAST-VA"},
        {"ovh", "GRAX", NULL},
        {"ovh", "GRA11x", NULL},
        {"ovh", "GRA-", NULL},
        {"scaleway", "fr-par-2", "fr-par"},
        {"scaleway", "fr-par-", NULL},
        {"scaleway", "fr-par2", NULL},
        {"scaleway", "fr-par-2x", NULL},
        {"aws", "us-east-1a", NULL},
        {"aws", "us-east-11", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(halls); i++) {
        const struct gl_region_row *row = gl_data_region(halls[i].cloud, halls[i].hall);

        if (halls[i].region == NULL) {
            assert_null(row);
            continue;
        }
        assert_non_null(row);
        assert_string_equal(row->region, halls[i].region);
    }
}

static void test_zones_are_sorted_and_in_range(void **state)
{
    const struct gl_zone_row *rows;
    size_t count = gl_data_zones(&rows);

    (void)state;
    assert_true(count >= 350);
    for (size_t i = 0; i < count; i++) {
        const struct gl_zone_row *row = &rows[i];

        assert_true(i == 0 || strcmp(rows[i - 1].zone, row->zone) < 0);
        assert_ptr_equal(gl_data_zone(row->zone), row);
        assert_true(strlen(row->name) > 0);
        assert_in_range(row->year, 2021, 2100);
        assert_true(row->intensity_g_per_kwh >= -1 && row->intensity_g_per_kwh <= 1500);
        assert_true(row->renewable_pct >= -1 && row->renewable_pct <= 100);
        assert_true(row->carbon_free_pct >= -1 && row->carbon_free_pct <= 100);
        if (row->renewable_pct >= 0 && row->carbon_free_pct >= 0)
            assert_true(row->carbon_free_pct >= row->renewable_pct);
        assert_int_equal(strncmp(source_id(row->source), "zones-", 6), 0);
    }
}

static void test_known_zones(void **state)
{
    const struct {
        const char *zone;
        int intensity, renewable, carbon_free;
    } known[] = {
        {"DE", 342, 60, 64},     {"FR", 31, 27, 96},          {"GB", 176, 52, 70},
        {"SE-SE3", 20, 64, 100}, {"US-MIDA-PJM", 418, 8, 39}, {"AE", 348, 9, 31},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        const struct gl_zone_row *row = gl_data_zone(known[i].zone);

        assert_non_null(row);
        assert_int_equal(row->year, 2025);
        assert_int_equal(row->intensity_g_per_kwh, known[i].intensity);
        assert_int_equal(row->renewable_pct, known[i].renewable);
        assert_int_equal(row->carbon_free_pct, known[i].carbon_free);
    }
}

static void test_types_are_sorted_and_plenty(void **state)
{
    const struct gl_type_row *rows;
    size_t count = gl_data_types(&rows);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        int order = i == 0 ? -1 : strcmp(rows[i - 1].cloud, rows[i].cloud);

        assert_true(order < 0 || (order == 0 && strcmp(rows[i - 1].name, rows[i].name) < 0));
        assert_ptr_equal(gl_data_type(rows[i].cloud, rows[i].name), &rows[i]);
    }
    for (size_t c = 0; c < COUNT(clouds); c++) {
        size_t least = is_listed(big_three, COUNT(big_three), clouds[c]) ? 60 : 3;
        size_t found = 0;

        for (size_t i = 0; i < count; i++)
            found += strcmp(rows[i].cloud, clouds[c]) == 0;
        assert_true(found >= least);
    }
    assert_null(gl_data_type("aws", "m5.huge"));
    assert_null(gl_data_type("gcp", "m5.large"));
}

static void test_type_fields_are_in_range(void **state)
{
    const struct gl_type_row *rows;
    size_t count = gl_data_types(&rows);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const struct gl_type_row *row = &rows[i];

        assert_true(is_listed(clouds, COUNT(clouds), row->cloud));
        assert_in_range(row->vcpus, 1, 1024);
        assert_in_range(row->memory_mib, 512, 32u * 1024 * 1024);
        assert_true(is_listed((const char *const[]){"x86_64", "arm64"}, 2, row->arch));
        if (row->family != NULL)
            assert_true(is_listed(families, COUNT(families), row->family));
        if (row->family != NULL && strcmp(row->arch, "arm64") == 0)
            assert_string_equal(row->family, "neoverse-n1");
        assert_int_equal(row->gpu != NULL, row->gpu_count > 0);
        assert_int_equal(row->gpu != NULL, row->gpu_watts > 0);
        assert_true(row->gpu_count <= 16 && row->gpu_watts <= 1200);
        assert_in_range(row->baseline_permille, 1, 1000);
        assert_int_equal(strncmp(source_id(row->source), "types-", 6), 0);
    }
}

static void test_known_types(void **state)
{
    const struct {
        const char *cloud, *name;
        int vcpus, memory_mib;
        const char *family;
        int gpu_count, gpu_watts, baseline_permille, local_nvme_gb;
    } known[] = {
        {"aws", "m5.large", 2, 8192, "skylake", 0, 0, 1000, 0},
        {"aws", "t3.micro", 2, 1024, "skylake", 0, 0, 100, 0},
        {"aws", "t2.xlarge", 4, 16384, "haswell", 0, 0, 225, 0},
        {"aws", "m7g.large", 2, 8192, NULL, 0, 0, 1000, 0},
        {"aws", "c6g.large", 2, 4096, "neoverse-n1", 0, 0, 1000, 0},
        {"aws", "p3.2xlarge", 8, 62464, "broadwell", 1, 300, 1000, 0},
        {"aws", "p5.48xlarge", 192, 2097152, "epyc3", 8, 700, 1000, 30400},
        {"aws", "g4dn.xlarge", 4, 16384, "cascadelake", 1, 70, 1000, 125},
        {"azure", "Standard_D2s_v5", 2, 8192, "icelake", 0, 0, 1000, 0},
        {"azure", "Standard_B2s", 2, 4096, "skylake", 0, 0, 200, 0},
        {"azure", "Standard_NC24ads_A100_v4", 24, 225280, "epyc3", 1, 300, 1000, 960},
        {"gcp", "e2-micro", 2, 1024, "skylake", 0, 0, 125, 0},
        {"gcp", "a2-ultragpu-8g", 96, 1392640, "cascadelake", 8, 400, 1000, 3000},
        {"gcp", "t2a-standard-4", 4, 16384, "neoverse-n1", 0, 0, 1000, 0},
        {"hetzner", "cax11", 2, 4096, "neoverse-n1", 0, 0, 1000, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        const struct gl_type_row *row = gl_data_type(known[i].cloud, known[i].name);

        assert_non_null(row);
        assert_int_equal(row->vcpus, known[i].vcpus);
        assert_int_equal(row->memory_mib, known[i].memory_mib);
        if (known[i].family == NULL)
            assert_null(row->family);
        else
            assert_string_equal(row->family, known[i].family);
        assert_int_equal(row->gpu_count, known[i].gpu_count);
        assert_int_equal(row->gpu_watts, known[i].gpu_watts);
        assert_int_equal(row->baseline_permille, known[i].baseline_permille);
        assert_int_equal(row->local_nvme_gb, known[i].local_nvme_gb);
    }
}

static void test_claims_are_sorted_and_in_range(void **state)
{
    const struct gl_claim_row *rows;
    size_t count = gl_data_claims(&rows);

    (void)state;
    assert_true(count >= 40);
    for (size_t i = 0; i < count; i++) {
        assert_in_range(rows[i].carbon_free_permille, 0, 1000);
        assert_in_range(rows[i].grid_cg_per_kwh, 1, 150000);
        assert_true(i == 0 || strcmp(rows[i - 1].cloud, rows[i].cloud) < 0 ||
                    strcmp(rows[i - 1].region, rows[i].region) < 0);
        assert_ptr_equal(gl_data_claim(rows[i].cloud, rows[i].region), &rows[i]);
    }
    /* 2025.csv of the repository named in sources.c */
    assert_int_equal(gl_data_claim("gcp", "europe-north1")->carbon_free_permille, 980);
    assert_int_equal(gl_data_claim("gcp", "us-west3")->grid_cg_per_kwh, 56751);
    assert_null(gl_data_claim("aws", "eu-north-1"));
}

static void test_known_prices(void **state)
{
    (void)state;
    assert_int_equal(price_of("aws", "m5.large", "us-east-1", "prices-aws-karpenter"), 96000);
    assert_int_equal(price_of("aws", "p5.48xlarge", "us-east-1", "prices-aws-karpenter"), 55040000);
    assert_int_equal(price_of("aws", "m5.large", "us-gov-west-1", "prices-aws-karpenter"), 121000);
    assert_int_equal(price_of("aws", "m5.large", "eu-north-1", "prices-aws-coroot"), 102000);
    assert_int_equal(price_of("aws", "m5.large", "eu-central-1", "prices-aws-coroot"), 115000);
    assert_int_equal(price_of("azure", "Standard_D2s_v5", "eastus", "prices-azure"), 96000);
    assert_int_equal(price_of("azure", "Standard_D4as_v5", "canadacentral", "prices-azure"),
                     192000);
    assert_int_equal(price_of("gcp", "e2-standard-2", "us-central1", "prices-gcp"), 67011);
    assert_int_equal(price_of("gcp", "a2-highgpu-1g", "europe-west4", "prices-gcp"), 3747972);
    assert_int_equal(price_of("oracle", "VM.GPU3.2", "eu-paris-1", "prices-oracle"), 5900000);
    assert_int_equal(price_of("digitalocean", "s-4vcpu-8gb", "nyc3", "prices-digitalocean"), 71430);
    assert_int_equal(price_of("ovh", "b3-8", "GRA", "prices-euro"), 59225);
    assert_int_equal(price_of("scaleway", "DEV1-S", "fr-par", "prices-euro"), 10388);
}

static void test_unknown_prices(void **state)
{
    const struct gl_type_row *type = gl_data_type("aws", "m5.large");
    const struct gl_region_row *region = gl_data_region("aws", "us-east-1");
    uint8_t source = 77;

    (void)state;
    assert_int_equal(price_of("aws", "m5.large", "cn-north-1", NULL), -1);
    assert_int_equal(price_of("aws", "p5.48xlarge", "eu-north-1", NULL), -1);
    assert_int_equal(price_of("hetzner", "cax11", "fsn1", NULL), -1);
    assert_int_equal(price_of("alibaba", "ecs.g7.large", "eu-central-1", NULL), -1);
    assert_int_equal(price_of("oracle", "VM.Standard.A1.Flex", "eu-paris-1", NULL), -1);
    assert_int_equal(price_of("scaleway", "DEV1-S", "pl-waw", NULL), -1);
    assert_int_equal(gl_data_price(NULL, region, &source), -1);
    assert_int_equal(gl_data_price(type, NULL, &source), -1);
    assert_int_equal(gl_data_price(type, gl_data_region("alibaba", "us-east-1"), &source), -1);
    assert_int_equal(source, 77);
    assert_int_equal(gl_data_price(type, region, NULL), 96000);
}

/* Every figure of a price table is found through the public look-ups, first table first. */
static void check_price_table(const struct gl_price_table *table, int is_first)
{
    assert_int_equal(strncmp(source_id(table->source), "prices-", 7), 0);
    for (size_t i = 1; i < table->type_count; i++)
        assert_true(strcmp(table->types[i - 1], table->types[i]) < 0);
    for (size_t j = 1; j < table->region_count; j++)
        assert_true(strcmp(table->regions[j - 1], table->regions[j]) < 0);
    for (size_t i = 0; i < table->type_count; i++) {
        const struct gl_type_row *type = gl_data_type(table->cloud, table->types[i]);

        assert_non_null(type);
        for (size_t j = 0; j < table->region_count; j++) {
            const struct gl_region_row *region = gl_data_region(table->cloud, table->regions[j]);
            int32_t price = table->micro_usd[i * table->region_count + j];

            assert_non_null(region);
            assert_true(price == -1 || (price > 1000 && price < 500000000));
            if (price > 0 && is_first)
                assert_int_equal(gl_data_price(type, region, NULL), price);
            else if (price > 0)
                assert_true(gl_data_price(type, region, NULL) > 0);
        }
    }
}

static void test_every_price_is_reachable(void **state)
{
    (void)state;
    for (size_t i = 0; i < gl_price_tables_aws_count; i++)
        check_price_table(&gl_price_tables_aws[i], i == 0);
    for (size_t i = 0; i < gl_price_tables_azure_count; i++)
        check_price_table(&gl_price_tables_azure[i], i == 0);
    for (size_t i = 0; i < gl_price_tables_gcp_count; i++)
        check_price_table(&gl_price_tables_gcp[i], i == 0);
    for (size_t i = 0; i < gl_price_tables_other_count; i++)
        check_price_table(&gl_price_tables_other[i], 1);
}

static void test_prices_cover_the_main_regions(void **state)
{
    const struct {
        const char *cloud, *type;
        size_t least_regions;
    } wanted[] = {
        {"aws", "m5.large", 28},       {"aws", "t3.micro", 28},
        {"aws", "g4dn.xlarge", 20},    {"azure", "Standard_D2s_v5", 45},
        {"azure", "Standard_B2s", 45}, {"gcp", "e2-standard-2", 35},
        {"gcp", "n2-standard-4", 35},
    };
    const struct gl_region_row *regions;
    size_t count = gl_data_regions(&regions);

    (void)state;
    for (size_t i = 0; i < COUNT(wanted); i++) {
        const struct gl_type_row *type = gl_data_type(wanted[i].cloud, wanted[i].type);
        size_t priced = 0;

        for (size_t r = 0; r < count; r++)
            priced += gl_data_price(type, &regions[r], NULL) > 0;
        assert_true(priced >= wanted[i].least_regions);
    }
}

/* Twice the size costs twice as much in every region: a shifted row or column breaks this. */
static void test_prices_scale_with_size(void **state)
{
    const struct {
        const char *cloud, *small, *twice;
    } pairs[] = {
        {"aws", "m5.large", "m5.xlarge"},
        {"aws", "c5.xlarge", "c5.2xlarge"},
        {"aws", "r6g.large", "r6g.xlarge"},
        {"aws", "t3.small", "t3.medium"},
        {"aws", "m6i.4xlarge", "m6i.8xlarge"},
        {"azure", "Standard_D2s_v5", "Standard_D4s_v5"},
        {"azure", "Standard_D2as_v5", "Standard_D4as_v5"},
        {"azure", "Standard_E4s_v5", "Standard_E8s_v5"},
        {"azure", "Standard_F8s_v2", "Standard_F16s_v2"},
        {"gcp", "e2-standard-2", "e2-standard-4"},
        {"gcp", "n2-standard-8", "n2-standard-16"},
        {"gcp", "a2-highgpu-1g", "a2-highgpu-2g"},
        {"oracle", "VM.Standard2.1", "VM.Standard2.2"},
    };
    const struct gl_region_row *regions;
    size_t count = gl_data_regions(&regions);

    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        const struct gl_type_row *small = gl_data_type(pairs[i].cloud, pairs[i].small);
        const struct gl_type_row *twice = gl_data_type(pairs[i].cloud, pairs[i].twice);
        size_t compared = 0;

        for (size_t r = 0; r < count; r++) {
            int64_t one = gl_data_price(small, &regions[r], NULL);
            int64_t two = gl_data_price(twice, &regions[r], NULL);

            if (one < 0 || two < 0)
                continue;
            compared++;
            assert_true(llabs(two - 2 * one) <= two / 50);
        }
        assert_true(compared > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_source_is_named_and_dated),
        cmocka_unit_test(test_regions_are_sorted_and_unique),
        cmocka_unit_test(test_regions_resolve_to_zones),
        cmocka_unit_test(test_disputed_regions_name_two_zones),
        cmocka_unit_test(test_region_fields_are_in_range),
        cmocka_unit_test(test_known_regions),
        cmocka_unit_test(test_halls_find_their_region),
        cmocka_unit_test(test_zones_are_sorted_and_in_range),
        cmocka_unit_test(test_known_zones),
        cmocka_unit_test(test_types_are_sorted_and_plenty),
        cmocka_unit_test(test_type_fields_are_in_range),
        cmocka_unit_test(test_known_types),
        cmocka_unit_test(test_claims_are_sorted_and_in_range),
        cmocka_unit_test(test_known_prices),
        cmocka_unit_test(test_unknown_prices),
        cmocka_unit_test(test_every_price_is_reachable),
        cmocka_unit_test(test_prices_cover_the_main_regions),
        cmocka_unit_test(test_prices_scale_with_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
