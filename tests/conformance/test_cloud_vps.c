/* SPDX-License-Identifier: Apache-2.0 */
/* Hetzner, DigitalOcean and Scaleway beyond the contract that every cloud has: catalogues, power,
 * images, checks. */
#include "tests/conformance/cloud_image_find.h"
#include "tests/conformance/cloud_vps_bench.h"

#include "providers/cloud/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- catalogues: three gl_vps_clouds at once, one of them too late ---- */

static const struct gl_catalog_row *row_of(const struct gl_catalog *catalog, const char *region,
                                           const char *type)
{
    const struct gl_catalog_row *rows;
    size_t count = gl_catalog_rows(catalog, &rows);

    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].region, region) == 0 && strcmp(rows[i].type, type) == 0)
            return &rows[i];
    fail_msg("no row of %s in %s", type, region);
    return NULL;
}

/* A minute's counts sixty times, and what is of no time not at all. */
static void check_estimates(const struct gl_catalog *catalog)
{
    const struct gl_catalog_row *rows;
    size_t count = gl_catalog_rows(catalog, &rows), estimated = 0;

    for (size_t i = 0; i < count; i++)
        if (rows[i].estimate_ug >= 0) {
            assert_string_equal(rows[i].type, "DEV1-S");
            assert_int_equal(rows[i].estimate_ug,
                             strcmp(rows[i].zone, "fr-par-2") == 0 ? 4200000 : 1600000);
            estimated++;
        }
    assert_int_equal(estimated, 2);
}

static void check_rows(struct gl_catalog *const *catalogs)
{
    const struct gl_catalog_row *row = row_of(catalogs[0], "hel1", "cax11");

    assert_int_equal(row->price_u_own, 5200); /* 0.0052 EUR/h, net */
    assert_string_equal(row->currency, "EUR");
    assert_int_equal(row->price_u_usd, GL_UNKNOWN); /* no rate is invented */
    assert_int_equal(row->vcpus, 2);
    assert_int_equal(row->memory_mib, 4096);
    assert_string_equal(row->arch, "arm64");
    assert_true(row->is_offered_known && !row->is_offered);
    row_of(catalogs[0], "fsn1", "cx22"); /* of the second page */
    check_estimates(catalogs[2]);
    row = row_of(catalogs[2], "fr-par", "DEV1-S");
    assert_int_equal(row->price_u_own, 8800);
    assert_int_equal(row->memory_mib, 2048);
    assert_true(row->is_offered_known && row->is_offered);
}

static void refresh_three(bool is_one_late)
{
    struct gl_vps_bench benches[3];
    struct gl_cloud *opened[3];
    struct gl_catalog *catalogs[3];
    struct gl_catalog_report reports[3];

    for (size_t i = 0; i < 3; i++) {
        gl_vps_bench_open(&benches[i], &gl_vps_clouds[i]);
        opened[i] = benches[i].cloud;
    }
    if (is_one_late)
        gl_vps_bench_fault(&benches[1], (struct gl_fake_fault){.on = "GET /v2/sizes",
                                                               .kind = GL_FAKE_SLOW,
                                                               .times = 1,
                                                               .delay_ms = 20000});
    gl_catalog_refresh(opened, 3, is_one_late ? 2000 : 30000, catalogs, reports);
    assert_true(reports[0].is_whole && reports[2].is_whole);
    assert_int_equal(reports[1].is_whole, !is_one_late);
    if (is_one_late)
        assert_int_equal(reports[1].first.code, GL_E_TIMEOUT);
    else
        assert_int_equal(row_of(catalogs[1], "fra1", "s-1vcpu-1gb")->price_u_usd, 8930);
    check_rows(catalogs);
    for (size_t i = 0; i < 3; i++) {
        gl_catalog_free(catalogs[i]);
        gl_vps_bench_close(&benches[i], 0);
    }
}

/* Prices do not hang on it. */
static void test_no_estimates(void **state)
{
    struct gl_vps_bench bench;
    struct gl_catalog *catalog;
    struct gl_catalog_report report;
    const struct gl_catalog_row *rows;

    (void)state;
    gl_vps_bench_open(&bench, &gl_vps_clouds[2]);
    gl_vps_bench_fault(&bench, (struct gl_fake_fault){
                                   .on = "GET /product-catalog/v2alpha1/public-catalog/products",
                                   .kind = GL_FAKE_REFUSED,
                                   .times = 99,
                                   .status = 403,
                                   .body = "{\"type\":\"denied\"}"});
    gl_catalog_refresh(&bench.cloud, 1, 30000, &catalog, &report);
    assert_true(report.is_whole);
    assert_int_equal(row_of(catalog, "fr-par", "DEV1-S")->price_u_own, 8800);
    for (size_t i = gl_catalog_rows(catalog, &rows); i-- > 0;)
        assert_int_equal(rows[i].estimate_ug, -1);
    gl_catalog_free(catalog);
    gl_vps_bench_close(&bench, 0);
}

static void test_catalogues(void **state)
{
    (void)state;
    refresh_three(false);
    refresh_three(true);
}

/* A zone of Scaleway's has more types than one page holds, and half as many a page by default. */
static void test_types_of_the_second_page(void **state)
{
    struct gl_vps_bench bench;
    struct gl_catalog *catalog;
    struct gl_catalog_report report;
    const struct gl_catalog_row *row;
    struct gl_error err = {0};

    (void)state;
    gl_vps_bench_open_rate(&bench, &gl_vps_clouds[2], "1.1");
    bench.fake->other_types = 120;
    bench.launch.max_price_u_usd = 100000;
    if (bench.cloud->ops->check(bench.cloud, &bench.launch, &err) != 0)
        fail_msg("%s", err.text);
    bench.fake->other_types = 60;
    bench.launch.max_price_u_usd = 1; /* its price is known: it is too dear */
    assert_int_equal(bench.cloud->ops->check(bench.cloud, &bench.launch, &err), -1);
    assert_int_equal(err.code, GL_E_PRICE);
    assert_non_null(strstr(err.text, "costs"));
    bench.fake->other_types = 210;
    gl_catalog_refresh(&bench.cloud, 1, 30000, &catalog, &report);
    assert_true(report.is_whole);
    row = row_of(catalog, "fr-par", "DEV1-S");
    assert_int_equal(row->price_u_own, 8800);
    assert_true(row->is_offered_known && row->is_offered);
    gl_catalog_free(catalog);
    gl_vps_bench_close(&bench, 0);
}

/* ---- power, images, checks ---- */

static void test_halt_and_start(void **state)
{
    (void)state;
    GL_VPS_EACH(words)
    {
        struct gl_vps_bench bench;
        struct gl_instance seen;
        struct gl_error err = {0};

        gl_vps_bench_open(&bench, words);
        gl_vps_bench_launch(&bench);
        assert_int_equal(bench.got, 0);
        for (int i = 0; i < 2; i++)
            assert_int_equal(bench.cloud->ops->halt(bench.cloud, bench.made.id, &err), 0);
        assert_int_equal(bench.cloud->ops->describe(bench.cloud, bench.made.id, &seen, &err), 0);
        assert_int_equal(seen.state, GL_STATE_HALTED);
        for (int i = 0; i < 2; i++)
            assert_int_equal(bench.cloud->ops->start(bench.cloud, bench.made.id, &err), 0);
        assert_int_equal(bench.cloud->ops->describe(bench.cloud, bench.made.id, &seen, &err), 0);
        assert_int_equal(seen.state, GL_STATE_RUNNING);
        assert_int_equal(bench.cloud->ops->halt(bench.cloud, bench.made.id, &err), 0);
        gl_vps_bench_close(&bench, 1); /* one that is off is ended, too */
    }
}

static void test_images(void **state)
{
    static const char *const to[] = {"hel1", "fra1"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct gl_vps_bench bench;
        struct gl_cloud_image image, again, copy;
        struct gl_error err = {0};
        const struct gl_cloud_ops *ops;

        gl_vps_bench_open(&bench, &gl_vps_clouds[i]);
        ops = bench.cloud->ops;
        gl_vps_bench_launch(&bench);
        assert_int_equal(bench.got, 0);
        assert_int_equal(ops->image_create(bench.cloud, bench.made.id, GL_VPS_TOKEN, &image, &err),
                         0);
        assert_int_equal(ops->image_create(bench.cloud, bench.made.id, GL_VPS_TOKEN, &again, &err),
                         0);
        assert_string_equal(image.id, again.id);
        assert_int_equal(ops->image_look(bench.cloud, image.id, &again, &err), 0);
        assert_int_equal(again.state, GL_IMAGE_READY);
        assert_image_found(bench.cloud, bench.made.id, bench.made.region, GL_VPS_TOKEN, image.id);
        assert_int_equal(ops->image_copy(bench.cloud, image.id, to[i], GL_VPS_TOKEN, &copy, &err),
                         0);
        assert_int_equal(ops->image_look(bench.cloud, copy.id, &copy, &err), 0);
        assert_int_equal(copy.state, GL_IMAGE_READY);
        assert_int_equal(strncmp(copy.id, to[i], strlen(to[i])), 0);
        bench.launch.image = copy.id;
        bench.launch.token = GL_VPS_ENROL; /* another launch */
        bench.launch.launch_id = "gl-other";
        bench.launch.region = to[i];
        gl_vps_bench_launch(&bench);
        if (bench.got < 0)
            fail_msg("%s", bench.err.text);
        assert_int_equal(ops->terminate(bench.cloud, bench.made.id, &err), 0);
        for (int j = 0; j < 2; j++)
            assert_int_equal(ops->image_delete(bench.cloud, copy.id, &err), 0);
        assert_int_equal(ops->image_look(bench.cloud, image.id, &again, &err), 0);
        assert_int_equal(again.state, GL_IMAGE_ABSENT);
        assert_image_found(bench.cloud, bench.made.id, bench.made.region, GL_VPS_TOKEN, NULL);
        bench.words = &gl_vps_clouds[i];
        gl_vps_bench_close(&bench, 1);
    }
}

/* The answer to a snapshot is lost: it is not asked for again, and met by its name afterwards. */
static void test_a_snapshot_is_made_once(void **state)
{
    struct gl_vps_bench bench;
    struct gl_cloud_image image;
    struct gl_error err = {0};

    (void)state;
    gl_vps_bench_open(&bench, &gl_vps_clouds[1]);
    gl_vps_bench_launch(&bench);
    assert_int_equal(bench.got, 0);
    gl_vps_bench_fault(&bench, (struct gl_fake_fault){.on = "POST /v2/droplets/*/actions",
                                                      .kind = GL_FAKE_CUT_AFTER,
                                                      .times = 1});
    assert_int_equal(
        bench.cloud->ops->image_create(bench.cloud, bench.made.id, GL_VPS_TOKEN, &image, &err), -1);
    assert_int_equal(err.code, GL_E_OUTCOME);
    assert_int_equal(bench.fake->images_made, 1);
    gl_error_clear(&err);
    assert_int_equal(
        bench.cloud->ops->image_create(bench.cloud, bench.made.id, GL_VPS_TOKEN, &image, &err), 0);
    assert_int_equal(bench.fake->images_made, 1);
    gl_vps_bench_close(&bench, 1);
}

/* Prices of a provider that sells in euro are converted at the rate of some past day in our table:
 * no promise in dollars can be kept by them. */
static void test_a_cap_in_dollars_needs_a_price_in_dollars(void **state)
{
    static const bool has_dollars[GL_VPS_CLOUDS] = {false, true, false};

    (void)state;
    GL_VPS_EACH(words)
    {
        struct gl_vps_bench bench;
        bool is_kept = has_dollars[words - gl_vps_clouds];

        gl_vps_bench_open(&bench, words);
        bench.launch.max_price_u_usd = 100000000; /* more than any of them costs */
        gl_vps_bench_launch(&bench);
        assert_int_equal(bench.got, is_kept ? 0 : -1);
        if (!is_kept) {
            assert_int_equal(bench.err.code, GL_E_PRICE);
            assert_non_null(strstr(bench.err.text, "not known"));
        }
        assert_int_equal(bench.fake->created, is_kept);
        gl_vps_bench_close(&bench, is_kept);
    }
}

/* With a rate that the user names, in the list and at the launch; rounded up. */
static void test_a_rate_of_the_users_own(void **state)
{
    static const struct {
        size_t which;
        const char *region, *type, *rate;
        int64_t price_u_usd;
    } rows[] = {{0, "fsn1", "cax11", "1.10", 5720}, {2, "fr-par", "DEV1-S", "1.0001", 8801}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct gl_vps_bench bench;
        struct gl_catalog *catalog;
        struct gl_catalog_report report;

        gl_vps_bench_open_rate(&bench, &gl_vps_clouds[rows[i].which], rows[i].rate);
        gl_catalog_refresh(&bench.cloud, 1, 30000, &catalog, &report);
        assert_int_equal(row_of(catalog, rows[i].region, rows[i].type)->price_u_usd,
                         rows[i].price_u_usd);
        gl_catalog_free(catalog);
        bench.launch.max_price_u_usd = rows[i].price_u_usd - 1;
        gl_vps_bench_launch(&bench);
        assert_int_equal(bench.err.code, GL_E_PRICE);
        assert_int_equal(bench.fake->created, 0);
        bench.launch.max_price_u_usd = rows[i].price_u_usd;
        gl_vps_bench_launch(&bench);
        assert_int_equal(bench.got, 0);
        gl_vps_bench_close(&bench, 1);
    }
}

static void test_a_rate_that_is_none(void **state)
{
    static const char *const bad[] = {"0", "-1", "1,10", "1e1", "110", "EUR", "nan", "0.0000011"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct gl_setting setting = {"usd_per_eur", bad[i]};
        struct gl_world *world = gl_world_fixed_new(0, 1, NULL);
        const struct gl_cloud_options options = {
            .world = world, .settings = &setting, .setting_count = 1};
        struct gl_error err = {0};

        assert_null(gl_cloud_open("hetzner", &options, &err));
        assert_int_equal(err.code, GL_E_CONFIG);
        gl_world_fixed_free(world);
    }
}

/* ---- what a launcher leaves that is killed while it removes a server ---- */

static void leave_volume(struct gl_vps_bench *bench)
{
    struct gl_error err = {0};

    gl_vps_bench_open(bench, &gl_vps_clouds[2]);
    gl_vps_bench_launch(bench);
    assert_int_equal(bench->got, 0);
    gl_vps_bench_fault(bench, (struct gl_fake_fault){.on = "DELETE /block/v1/zones/*/volumes/*",
                                                     .kind = GL_FAKE_CUT_BEFORE,
                                                     .times = 1000});
    assert_int_equal(bench->cloud->ops->terminate(bench->cloud, bench->made.id, &err), -1);
    assert_int_equal(gl_fake_running(bench->fake), 0);
    assert_int_equal(bench->fake->volumes_left, 1);
}

static void mend(struct gl_vps_bench *bench)
{
    memset(bench->fake->faults, 0, sizeof bench->fake->faults);
}

static void test_a_volume_left_is_removed_by_who_looks_next(void **state)
{
    (void)state;
    for (int way = 0; way < 4; way++) {
        struct gl_vps_bench bench;
        struct gl_error err = {0};
        struct gl_instance seen, *rows;
        const struct gl_cloud_ops *ops;
        size_t count;

        leave_volume(&bench);
        ops = bench.cloud->ops;
        if (way == 0) { /* it is not gone as long as its volume is there */
            assert_int_equal(ops->describe(bench.cloud, bench.made.id, &seen, &err), -1);
            assert_int_not_equal(err.code, GL_E_NOT_FOUND);
            gl_error_clear(&err);
            mend(&bench);
            assert_int_equal(ops->describe(bench.cloud, bench.made.id, &seen, &err), -1);
            assert_int_equal(err.code, GL_E_NOT_FOUND);
        } else if (way == 1) {
            assert_int_equal(ops->find_by_request(bench.cloud, "fr-par", GL_VPS_TOKEN, &seen, &err),
                             -1);
            gl_error_clear(&err);
            mend(&bench);
            assert_int_equal(ops->find_by_request(bench.cloud, "fr-par", GL_VPS_TOKEN, &seen, &err),
                             0);
        } else if (way == 2) {
            assert_int_equal(ops->list(bench.cloud, &rows, &count, &err), 0);
            assert_int_equal(count, 0);
            free(rows);
            assert_int_equal(bench.fake->volumes_left, 1);
            mend(&bench);
            assert_int_equal(ops->list(bench.cloud, &rows, &count, &err), 0);
            free(rows);
        } else {
            mend(&bench);
            ops->terminate(bench.cloud, bench.made.id, &err);
        }
        assert_int_equal(bench.fake->volumes_left, 0);
        gl_vps_bench_close(&bench, 0);
    }
}

static void test_a_volume_that_somebody_uses_is_left_alone(void **state)
{
    struct gl_vps_bench bench;
    struct gl_error err = {0};
    struct gl_instance seen, *rows;
    size_t count;

    (void)state;
    leave_volume(&bench);
    mend(&bench);
    snprintf(bench.fake->servers[0].volume_user, sizeof bench.fake->servers[0].volume_user,
             "77777777-bbbb-4ccc-8ddd-000000000001");
    assert_int_equal(bench.cloud->ops->list(bench.cloud, &rows, &count, &err), 0);
    free(rows);
    assert_int_equal(bench.cloud->ops->describe(bench.cloud, bench.made.id, &seen, &err), -1);
    assert_int_equal(err.code, GL_E_NOT_FOUND);
    assert_int_equal(bench.fake->volumes_left, 1);
    bench.fake->servers[0].volume_user[0] = '\0'; /* it is nobody's again */
    gl_error_clear(&err);
    assert_int_equal(bench.cloud->ops->list(bench.cloud, &rows, &count, &err), 0);
    free(rows);
    gl_vps_bench_close(&bench, 0);
}

static void test_keys_that_may_not_see_volumes_hold_nothing_up(void **state)
{
    struct gl_vps_bench bench;
    struct gl_error err = {0};
    struct gl_instance seen;

    (void)state;
    leave_volume(&bench);
    mend(&bench);
    gl_vps_bench_fault(&bench, (struct gl_fake_fault){.on = "GET /block/v1/zones/*/volumes",
                                                      .kind = GL_FAKE_REFUSED,
                                                      .times = 1,
                                                      .status = 403,
                                                      .body = "{\"type\":\"permissions_denied\","
                                                              "\"message\":\"no\"}"});
    assert_int_equal(bench.cloud->ops->describe(bench.cloud, bench.made.id, &seen, &err), -1);
    assert_int_equal(err.code, GL_E_NOT_FOUND);
    gl_error_clear(&err);
    assert_int_equal(bench.cloud->ops->describe(bench.cloud, bench.made.id, &seen, &err), -1);
    gl_vps_bench_close(&bench, 0);
}

static void test_caps_and_checks(void **state)
{
    static const char *const lacking[] = {NULL, NULL, "GP1-S"};

    (void)state;
    GL_VPS_EACH(words)
    {
        struct gl_vps_bench bench;
        struct gl_error err = {0};

        gl_vps_bench_open(&bench, words);
        assert_int_equal(bench.cloud->ops->check(bench.cloud, &bench.launch, &err), 0);
        bench.launch.is_spot = true;
        gl_vps_bench_launch(&bench);
        assert_int_equal(bench.err.code, GL_E_USAGE);
        bench.launch.is_spot = false;
        bench.launch.max_price_u_usd = 1; /* a millionth of a dollar */
        gl_vps_bench_launch(&bench);
        assert_int_equal(bench.err.code, GL_E_PRICE);
        assert_int_equal(bench.fake->created, 0);
        bench.launch.max_price_u_usd = 0;
        bench.launch.type = "no-such-type";
        assert_int_equal(bench.cloud->ops->check(bench.cloud, &bench.launch, &err), -1);
        assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
        gl_error_clear(&err);
        bench.launch.type = lacking[words - gl_vps_clouds];
        if (bench.launch.type != NULL) {
            assert_int_equal(bench.cloud->ops->check(bench.cloud, &bench.launch, &err), -1);
            assert_int_equal(err.code, GL_E_CAPACITY);
        }
        gl_vps_bench_close(&bench, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_catalogues),
        cmocka_unit_test(test_no_estimates),
        cmocka_unit_test(test_types_of_the_second_page),
        cmocka_unit_test(test_halt_and_start),
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_a_snapshot_is_made_once),
        cmocka_unit_test(test_a_cap_in_dollars_needs_a_price_in_dollars),
        cmocka_unit_test(test_a_rate_of_the_users_own),
        cmocka_unit_test(test_a_rate_that_is_none),
        cmocka_unit_test(test_a_volume_left_is_removed_by_who_looks_next),
        cmocka_unit_test(test_a_volume_that_somebody_uses_is_left_alone),
        cmocka_unit_test(test_keys_that_may_not_see_volumes_hold_nothing_up),
        cmocka_unit_test(test_caps_and_checks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
