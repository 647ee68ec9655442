/* SPDX-License-Identifier: Apache-2.0 */
/* Google Compute Engine against a counterpart of our own: tokens, operations, names as tokens,
 * stock-outs that name other zones, prices put together from cores and memory. */
#include "providers/cloud/gcp.h"
#include "tests/conformance/cloud_image_find.h"

#include "base/file.h"
#include "providers/cloud/drivers.h"
#include "tests/support/fake_gcp.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define TOKEN "00000000aaaaaaaa0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "00000001aaaaaaaa0123456789abcdef0123456789abcdef0123456789abcdef"

static char *folder;
static struct fake_gcp fake;
static struct gl_world world;
static struct gl_cloud *cloud;
static const char *environment[4];
static struct gl_setting settings[5];
static struct gl_error err;

static const char *getenv_of_test(void *cookie, const char *name)
{
    size_t length = strlen(name);

    (void)cookie;
    for (size_t i = 0; environment[i] != NULL; i++)
        if (strncmp(environment[i], name, length) == 0 && environment[i][length] == '=')
            return environment[i] + length + 1;
    return NULL;
}

static struct gl_cloud *open_cloud(void)
{
    const char *url = gl_test_server_url(fake.server);

    settings[0] = (struct gl_setting){"credentials", fake.key_path};
    settings[1] = (struct gl_setting){"endpoint", url};
    settings[2] = (struct gl_setting){"billing-endpoint", url};
    settings[3] = (struct gl_setting){"projects-endpoint", url};
    settings[4] = (struct gl_setting){"locations-endpoint", url};
    return gl_gcp_open(
        &(struct gl_cloud_options){.world = &world, .settings = settings, .setting_count = 5},
        &err);
}

static int fresh(void **state)
{
    (void)state;
    folder = scratch_make("gcp");
    fake_gcp_start(&fake, folder);
    memset(environment, 0, sizeof environment);
    gl_world_real(&world);
    world.getenv = getenv_of_test;
    world.http = gl_http_curl_new();
    gl_error_clear(&err);
    cloud = open_cloud();
    if (cloud == NULL)
        fail_msg("%s", err.text);
    return 0;
}

static int done(void **state)
{
    (void)state;
    gl_cloud_close(cloud);
    gl_http_close(world.http);
    if (fake.complaints.length > 0)
        fail_msg("the counterpart complains: %s", gl_str_text(&fake.complaints));
    fake_gcp_stop(&fake);
    scratch_remove(folder);
    return 0;
}

static struct gl_launch launch_of(const char *type, const char *token)
{
    return (struct gl_launch){.token = token,
                              .launch_id = "gl-4k2p9x",
                              .region = "europe-north1",
                              .type = type,
                              .attempt = 1,
                              .expires = {time(NULL) + 3600},
                              .lease = {3600},
                              .vcpus = 2};
}

static struct gl_instance started(const char *type)
{
    const struct gl_launch launch = launch_of(type, TOKEN);
    struct gl_instance out;

    if (cloud->ops->launch(cloud, &launch, &out, &err) != 0)
        fail_msg("%s", err.text);
    return out;
}

/* The launch fails with this code, and so many instances are there. */
static void fails_with(const char *type, enum gl_errc code, size_t running)
{
    const struct gl_launch launch = launch_of(type, TOKEN);
    struct gl_instance out;

    gl_error_clear(&err);
    assert_int_equal(cloud->ops->launch(cloud, &launch, &out, &err), -1);
    if (err.code != code)
        fail_msg("%d: %s", (int)err.code, err.text);
    assert_null(strstr(err.text, FAKE_GCP_TOKEN));
    assert_int_equal(fake_gcp_running(&fake), running);
}

static void one_life(void **state)
{
    struct gl_instance made = started("n2-standard-2"), seen, *rows;
    uint64_t next;
    size_t count;
    struct gl_str text = {0};

    (void)state;
    assert_string_equal(made.id, "europe-north1/a/gl-4k2p9x-1");
    assert_string_equal(made.token, TOKEN);
    assert_string_equal(made.region, "europe-north1");
    assert_string_equal(made.type, "n2-standard-2");
    assert_int_equal(made.state, GL_STATE_RUNNING);
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, TOKEN, &seen, &err), 1);
    assert_string_equal(seen.id, made.id);
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, OTHER, &seen, &err), 0);
    assert_int_equal(cloud->ops->list(cloud, &rows, &count, &err), 0);
    assert_int_equal(count, 1);
    free(rows);
    assert_int_equal(cloud->ops->console(cloud, made.id, 0, &text, &next, &err), 0);
    assert_string_equal(gl_str_text(&text), "booted\n");
    assert_int_equal(next, 7);
    gl_str_done(&text);
    assert_int_equal(cloud->ops->stop(cloud, made.id, (struct gl_span){5}, &err), 0);
    assert_int_equal(cloud->ops->describe(cloud, made.id, &seen, &err), 0);
    assert_int_equal(seen.state, GL_STATE_HALTED);
    assert_int_equal(cloud->ops->start(cloud, made.id, &err), 0);
    assert_int_equal(cloud->ops->describe(cloud, made.id, &seen, &err), 0);
    assert_int_equal(seen.state, GL_STATE_RUNNING);
    assert_int_equal(cloud->ops->terminate(cloud, made.id, &err), 0);
    assert_int_equal(cloud->ops->terminate(cloud, made.id, &err), 0);
    assert_int_equal(cloud->ops->describe(cloud, made.id, &seen, &err), -1);
    assert_int_equal(err.code, GL_E_NOT_FOUND);
    assert_int_equal(fake.tokens_given, 1);
}

static void the_same_token_is_the_same_instance(void **state)
{
    struct gl_instance first = started("n2-standard-2"), again = started("n2-standard-2"), seen;
    struct gl_launch other = launch_of("n2-standard-2", OTHER);

    (void)state;
    assert_string_equal(first.id, again.id);
    assert_int_equal(fake.made, 1);
    other.token = "00000000bbbbbbbb0123456789abcdef0123456789abcdef0123456789abcdef";
    assert_int_equal(cloud->ops->launch(cloud, &other, &seen, &err), -1);
    assert_int_equal(err.code, GL_E_TOKEN); /* the name, another launch */
    assert_int_equal(fake.made, 1);
}

static void an_answer_that_is_lost_is_found(void **state)
{
    struct gl_instance seen;

    (void)state;
    fails_with("m-lost", GL_E_OUTCOME, 1);
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, TOKEN, &seen, &err), 1);
    seen = started("m-lost");
    assert_int_equal(fake.made, 1);
    assert_int_equal(cloud->ops->terminate(cloud, seen.id, &err), 0);
}

static void no_answer_and_nothing_made_is_proven_absent(void **state)
{
    struct gl_instance seen;

    (void)state;
    fails_with("m-silent", GL_E_OUTCOME, 0);
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, TOKEN, &seen, &err), 0);
    fake.is_partial = true;
    gl_error_clear(&err);
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, TOKEN, &seen, &err), -1);
}

static void stock_quota_and_rights_are_three_things(void **state)
{
    (void)state;
    fails_with("m-stockout", GL_E_CAPACITY, 0);
    assert_int_equal(cloud->failure.reach, GL_REACH_ZONE);
    assert_string_equal(cloud->failure.places[0], "europe-north1-b");
    assert_string_equal(cloud->failure.places[1], "us-east9-a");
    fails_with("m-quota", GL_E_QUOTA, 0);
    assert_int_equal(cloud->failure.reach, GL_REACH_REGION);
    fails_with("m-forbidden", GL_E_PERMISSION, 0);
}

static void a_throttle_that_created_nothing_is_waited_out_or_told(void **state)
{
    const struct gl_launch launch = launch_of("m-slow", TOKEN);
    struct gl_instance out;

    (void)state;
    if (cloud->ops->launch(cloud, &launch, &out, &err) != 0) {
        assert_int_equal(err.code, GL_E_RATE_LIMIT);
        gl_error_clear(&err);
        assert_int_equal(cloud->ops->launch(cloud, &launch, &out, &err), 0);
    }
    assert_int_equal(fake.made, 1);
}

static void a_rejected_token_is_fetched_anew_once(void **state)
{
    struct gl_instance made = started("n2-standard-2"), seen;

    (void)state;
    fake.deny_tokens = 1;
    assert_int_equal(cloud->ops->describe(cloud, made.id, &seen, &err), 0);
    assert_int_equal(fake.tokens_given, 2);
    fake.deny_tokens = 100;
    assert_int_equal(cloud->ops->describe(cloud, made.id, &seen, &err), -1);
    assert_int_equal(err.code, GL_E_NO_CREDENTIAL);
    assert_true(fake.tokens_given <= 3);
}

static void check_says_what_would_hinder(void **state)
{
    struct gl_launch launch = launch_of("n2-standard-2", TOKEN);

    (void)state;
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), 0);
    fake.cpus_left = 1;
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_QUOTA);
    gl_error_clear(&err);
    launch.is_spot = true; /* the project has no quota of its own for these ... */
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_QUOTA);
    gl_error_clear(&err);
    fake.spot_cpus = 2; /* ... or has, and only that counts */
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), 0);
    fake.spot_cpus = 1;
    fake.cpus_left = 8;
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_QUOTA);
    gl_error_clear(&err);
    fake.spot_cpus = 0;
    launch.is_spot = false;
    launch.max_price_u_usd = 1000;
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_PRICE);
    gl_error_clear(&err);
    launch.max_price_u_usd = 200000;
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), 0);
    launch.max_price_u_usd = 2 * 8420 + 8 * 1130; /* the spot price: less than on demand */
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_PRICE);
    gl_error_clear(&err);
    launch.is_spot = true;
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), 0);
    launch.max_price_u_usd--;
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_PRICE);
    gl_error_clear(&err);
    launch.is_spot = false;
    launch.max_price_u_usd = 200000;
    launch.type = "no-such-type";
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    gl_error_clear(&err);
    launch.region = "atlantis1";
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    assert_int_equal(fake.made, 0);
}

static void a_price_is_cores_and_memory(void **state)
{
    int64_t price;

    (void)state;
    /* 2 x 0.034806 + 8 x 0.004664 USD */
    assert_int_equal(cloud->ops->price(cloud, "europe-north1", "n2-standard-2", &price, &err), 0);
    assert_int_equal(price, 2 * 34806 + 8 * 4664);
    assert_int_equal(cloud->ops->price(cloud, "us-east9", "n2-standard-2", &price, &err), 0);
    assert_int_equal(price, GL_UNKNOWN);
    assert_int_equal(cloud->ops->price(cloud, "europe-north1", "z9-what", &price, &err), 0);
    assert_int_equal(price, GL_UNKNOWN);
}

/* A part without a price makes the sum unknown, and so does a disk that is billed besides. */
static void a_price_with_gpus_is_all_three(void **state)
{
    const struct gl_launch spot = {
        .region = "europe-north1", .type = "a2-highgpu-2g", .is_spot = true};
    int64_t price;

    (void)state;
    assert_int_equal(cloud->ops->price(cloud, "europe-north1", "a2-highgpu-1g", &price, &err), 0);
    assert_int_equal(price, 12 * 34802 + 85 * 4664 + 933908);
    assert_int_equal(cloud->ops->price(cloud, "europe-north1", "a2-megagpu-16g", &price, &err), 0);
    assert_int_equal(price, 96 * 34802 + 1360 * 4664 + 16 * 933908);
    assert_int_equal(gl_gcp_price_of(gl_gcp_of(cloud), &spot, &price, &err), 0);
    assert_int_equal(price, 24 * 9490 + 170 * 1270 + 2 * 880000);
    assert_int_equal(cloud->ops->price(cloud, "europe-north1", "g2-standard-24", &price, &err), 0);
    assert_int_equal(price, GL_UNKNOWN);
    assert_int_equal(cloud->ops->price(cloud, "europe-north1", "a2-ultragpu-1g", &price, &err), 0);
    assert_int_equal(price, GL_UNKNOWN);
    assert_int_equal(cloud->ops->price(cloud, "europe-north1", "a2-highgpu-99g", &price, &err), 0);
    assert_int_equal(price, GL_UNKNOWN);
}

static void the_catalogue_joins_types_and_prices(void **state)
{
    struct gl_catalog *catalog;
    struct gl_catalog_report report;
    const struct gl_catalog_row *rows;
    size_t count, priced = 0;

    (void)state;
    gl_catalog_refresh(&cloud, 1, 10000, &catalog, &report);
    if (!report.is_whole)
        fail_msg("%s", report.first.text);
    count = gl_catalog_rows(catalog, &rows);
    assert_int_equal(count, 4); /* types, and what is claimed of a region */
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].type, GL_CATALOG_REGION) == 0)
            assert_true(strcmp(rows[i].region, "europe-north1") == 0 && rows[i].cfe_ppm == 975000);
        else if (strcmp(rows[i].type, "a2-megagpu-16g") == 0) {
            priced++;
            assert_int_equal(rows[i].price_u_usd, 96 * 34802 + 1360 * 4664 + 16 * 933908);
            assert_int_equal(rows[i].spot_u_usd, 96 * 9490 + 1360 * 1270 + 16 * 880000);
        } else if (strcmp(rows[i].region, "europe-north1") == 0) {
            priced++;
            assert_int_equal(rows[i].price_u_usd, 2 * 34806 + 8 * 4664);
            assert_int_equal(rows[i].spot_u_usd, 2 * 8420 + 8 * 1130);
            assert_int_equal(rows[i].memory_mib, 8192);
        } else
            assert_int_equal(rows[i].price_u_usd, GL_UNKNOWN);
    assert_int_equal(priced, 2);
    gl_catalog_free(catalog);
}

/* The prices do not hang on it. */
static void a_project_without_claims(void **state)
{
    struct gl_catalog *catalog;
    struct gl_catalog_report report;
    const struct gl_catalog_row *rows;

    (void)state;
    fake.has_no_places = true;
    gl_catalog_refresh(&cloud, 1, 10000, &catalog, &report);
    assert_true(report.is_whole);
    assert_int_equal(gl_catalog_rows(catalog, &rows), 3);
    assert_int_equal(rows[0].cfe_ppm, -1);
    gl_catalog_free(catalog);
}

static void an_image_is_made_once_and_goes(void **state)
{
    struct gl_instance made = started("n2-standard-2");
    struct gl_cloud_image image, copy;

    (void)state;
    assert_int_equal(cloud->ops->image_create(cloud, made.id, "gl-move-1", &image, &err), 0);
    assert_int_equal(image.state, GL_IMAGE_READY);
    assert_int_equal(image.bytes, 1048576);
    assert_image_found(cloud, made.id, made.region, "gl-move-1", image.id);
    assert_int_equal(
        cloud->ops->image_copy(cloud, image.id, "us-east9", "gl-move-1-us", &copy, &err), 0);
    assert_string_equal(copy.id, "us-east9/global/images/gl-move-1");
    assert_int_equal(cloud->ops->image_delete(cloud, copy.id, &err), 0);
    assert_int_equal(cloud->ops->image_delete(cloud, copy.id, &err), 0);
    assert_int_equal(cloud->ops->image_look(cloud, image.id, &image, &err), 0);
    assert_int_equal(image.state, GL_IMAGE_ABSENT);
    assert_image_found(cloud, made.id, made.region, "gl-move-1", NULL);
}

static void secrets_go_to_google_only(void **state)
{
    struct gl_gcp_credential credential = {0};
    char *path = gl_path_join(folder, "evil.json");
    /* Quotes were forgotten: the parser would quote what stands there. */
    static const char half[] = "{\"type\":\"authorized_user\",\"client_secret\": planted}";
    struct gl_error other = {0};
    static const char evil[] =
        "{\"type\":\"authorized_user\",\"client_id\":\"a\",\"client_secret\":\"planted-secret\","
        "\"refresh_token\":\"planted-refresh\",\"token_uri\":\"https://evil.example/token\"}";

    (void)state;
    assert_int_equal(gl_file_write(path, evil, sizeof evil - 1, 0600, &err), 0);
    assert_int_equal(gl_gcp_credential_find(&world, path, &credential, &err), -1);
    assert_int_equal(err.code, GL_E_CONFIG);
    assert_null(strstr(err.text, "planted"));
    gl_gcp_credential_done(&credential);
    assert_int_equal(gl_file_write(path, half, sizeof half - 1, 0600, &other), 0);
    gl_error_clear(&err);
    assert_int_equal(gl_gcp_credential_find(&world, path, &credential, &err), -1);
    assert_int_equal(err.code, GL_E_SYNTAX);
    assert_null(strstr(err.text, "planted"));
    gl_gcp_credential_done(&credential);
    free(path);
    assert_true(gl_gcp_is_trusted("https://oauth2.googleapis.com/token"));
    assert_false(gl_gcp_is_trusted("https://googleapis.com.evil.example/"));
    assert_false(gl_gcp_is_trusted("https://evilgoogleapis.com/"));
    assert_false(gl_gcp_is_trusted("https://user@sts.googleapis.com/"));
    assert_false(gl_gcp_is_trusted("http://sts.googleapis.com/"));
    gl_error_clear(&err);
    environment[0] = "HOME=/nonexistent";
    assert_int_equal(gl_gcp_credential_find(&world, NULL, &credential, &err), -1);
    assert_int_equal(err.code, GL_E_NO_CREDENTIAL);
    assert_non_null(strstr(err.text, "GOOGLE_APPLICATION_CREDENTIALS"));
    gl_gcp_credential_done(&credential);
}

/* A first token whose impersonation failed is not used for ever. */
static void a_first_token_ends_too(void **state)
{
    struct gl_gcp_credential credential = {
        .kind = GL_GCP_USER,
        .token_url = "https://oauth2.googleapis.com/token",
        .impersonate_url = "https://iamcredentials.googleapis.com/v1/x:generateAccessToken",
        .first_expires_s = time(NULL) + 3600};
    static const bool is_used[] = {true, false};

    (void)state;
    gl_secret_init(&credential.secret, "planted-refresh", 15);
    gl_secret_init(&credential.client_secret, "planted-secret", 14);
    gl_secret_init(&credential.first, "planted-first", 13);
    for (size_t i = 0; i < 2; i++) {
        struct gl_remote_call call = {0};

        assert_int_equal(gl_gcp_token_ask(&credential, &world, false, &call, &err), 1);
        assert_int_equal(strstr(gl_str_text(&call.url), "iamcredentials") != NULL, is_used[i]);
        gl_remote_call_done(&call);
        credential.first_expires_s = time(NULL) - 1;
    }
    gl_gcp_credential_done(&credential);
}

static void ids_stay_in_their_path(void **state)
{
    static const char *const bad[] = {"europe-north1/a/../x", "europe-north1/a/x?y", "x/a/x%2f",
                                      "europe-north1/a/x/y", "europe-north1/a/x\x1b[2J"};
    const char *name;
    char zone[48];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gl_error_clear(&err);
        assert_int_equal(gl_gcp_id(bad[i], zone, &name, &err), -1);
        assert_int_equal(err.code, GL_E_NOT_FOUND);
        assert_null(strchr(err.text, '\x1b'));
    }
}

static void words_become_codes(void **state)
{
    static const struct {
        int status;
        const char *word;
        enum gl_errc code;
    } rows[] = {
        {503, "ZONE_RESOURCE_POOL_EXHAUSTED", GL_E_CAPACITY},
        {403, "quotaExceeded", GL_E_QUOTA},
        {403, "rateLimitExceeded", GL_E_RATE_LIMIT},
        {403, "forbidden", GL_E_PERMISSION},
        {404, "notFound", GL_E_NOT_FOUND},
        {409, "alreadyExists", GL_E_TOKEN},
        {400, "RESOURCE_NOT_READY", GL_E_BUSY},
        {401, "authError", GL_E_NO_CREDENTIAL},
        {500, "backendError", GL_E_PROVIDER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(cloud->ops->classify(rows[i].status, rows[i].word), rows[i].code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_life, fresh, done),
        cmocka_unit_test_setup_teardown(the_same_token_is_the_same_instance, fresh, done),
        cmocka_unit_test_setup_teardown(an_answer_that_is_lost_is_found, fresh, done),
        cmocka_unit_test_setup_teardown(no_answer_and_nothing_made_is_proven_absent, fresh, done),
        cmocka_unit_test_setup_teardown(stock_quota_and_rights_are_three_things, fresh, done),
        cmocka_unit_test_setup_teardown(a_throttle_that_created_nothing_is_waited_out_or_told,
                                        fresh, done),
        cmocka_unit_test_setup_teardown(a_rejected_token_is_fetched_anew_once, fresh, done),
        cmocka_unit_test_setup_teardown(check_says_what_would_hinder, fresh, done),
        cmocka_unit_test_setup_teardown(a_price_is_cores_and_memory, fresh, done),
        cmocka_unit_test_setup_teardown(a_price_with_gpus_is_all_three, fresh, done),
        cmocka_unit_test_setup_teardown(the_catalogue_joins_types_and_prices, fresh, done),
        cmocka_unit_test_setup_teardown(a_project_without_claims, fresh, done),
        cmocka_unit_test_setup_teardown(an_image_is_made_once_and_goes, fresh, done),
        cmocka_unit_test_setup_teardown(secrets_go_to_google_only, fresh, done),
        cmocka_unit_test_setup_teardown(a_first_token_ends_too, fresh, done),
        cmocka_unit_test_setup_teardown(ids_stay_in_their_path, fresh, done),
        cmocka_unit_test_setup_teardown(words_become_codes, fresh, done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
