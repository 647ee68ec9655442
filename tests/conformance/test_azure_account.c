/* SPDX-License-Identifier: Apache-2.0 */
/* Azure's sign-in, catalogue, checks and words against a counterpart of our own, and the adapter's
 * requests against those of Azure's own library. */
#include "tests/conformance/cloud_azure_bench.h"

#include "base/file.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct gl_azure_bench bench;

static int fresh(void **state)
{
    (void)state;
    gl_azure_bench_open(&bench);
    return 0;
}

static int done(void **state)
{
    (void)state;
    gl_azure_bench_close(&bench);
    return 0;
}

/* ---- before a launch ---- */

static void check_fails(const struct gl_launch *launch, enum gl_errc code)
{
    gl_error_clear(&bench.err);
    assert_int_equal(bench.cloud->ops->check(bench.cloud, launch, &bench.err), -1);
    if (bench.err.code != code)
        fail_msg("%d: %s", (int)bench.err.code, bench.err.text);
    gl_error_clear(&bench.err);
}

static void check_says_what_would_hinder(void **state)
{
    struct gl_launch launch = gl_azure_bench_launch("Standard_B1s", AZURE_TOKEN);

    (void)state;
    if (bench.cloud->ops->check(bench.cloud, &launch, &bench.err) != 0)
        fail_msg("%s", bench.err.text);
    bench.fake.is_read_only = true;
    check_fails(&launch, GL_E_PERMISSION);
    bench.fake.is_read_only = false;
    bench.fake.is_restricted = true;
    check_fails(&launch, GL_E_CAPACITY);
    bench.fake.is_restricted = false;
    bench.fake.cores_left = 0;
    check_fails(&launch, GL_E_QUOTA);
    bench.fake.cores_left = 8;
    launch.is_spot = true;
    check_fails(&launch, GL_E_QUOTA); /* lowPriorityCores */
    launch.is_spot = false;
    launch.max_price_u_usd = 10000;
    check_fails(&launch, GL_E_PRICE);
    launch.max_price_u_usd = 10800;
    assert_int_equal(bench.cloud->ops->check(bench.cloud, &launch, &bench.err), 0);
    launch.type = "Standard_What";
    check_fails(&launch, GL_E_UNKNOWN_NAME);
    assert_int_equal(bench.fake.made, 0);
}

static void a_cap_holds_at_the_launch(void **state)
{
    struct gl_launch launch = gl_azure_bench_launch("Standard_B1s", AZURE_TOKEN);
    struct gl_instance out;

    (void)state;
    launch.max_price_u_usd = 5000;
    assert_int_equal(bench.cloud->ops->launch(bench.cloud, &launch, &out, &bench.err), -1);
    assert_int_equal(bench.err.code, GL_E_PRICE);
    assert_int_equal(bench.fake.made, 0);
    gl_error_clear(&bench.err);
    launch.is_spot = true; /* 0.002 USD */
    assert_int_equal(bench.cloud->ops->launch(bench.cloud, &launch, &out, &bench.err), 0);
}

static void places_types_and_prices(void **state)
{
    const char *const *names;
    int64_t price;

    (void)state;
    assert_int_equal(bench.cloud->ops->regions(bench.cloud, &names, &bench.err), 0);
    assert_string_equal(names[0], "swedencentral");
    assert_string_equal(names[1], "westeurope");
    assert_null(names[2]);
    assert_int_equal(bench.cloud->ops->types(bench.cloud, "swedencentral", &names, &bench.err), 0);
    assert_string_equal(names[0], "Standard_B1s");
    assert_string_equal(names[1], "Standard_B2pts_v2");
    assert_null(names[2]);
    assert_int_equal(
        bench.cloud->ops->price(bench.cloud, "swedencentral", "Standard_B1s", &price, &bench.err),
        0);
    assert_int_equal(price, 10800);
    assert_int_equal(bench.cloud->ops->price(bench.cloud, "swedencentral", "Standard_B2pts_v2",
                                             &price, &bench.err),
                     0);
    assert_int_equal(price, GL_UNKNOWN);
    assert_int_equal(
        bench.cloud->ops->price(bench.cloud, "swedencentral", "Standard_D2", &price, &bench.err),
        -1);
    assert_int_equal(bench.err.code, GL_E_UNKNOWN_NAME);
    gl_error_clear(&bench.err);
    assert_int_equal(bench.cloud->ops->types(bench.cloud, "atlantis", &names, &bench.err), -1);
    assert_int_equal(bench.err.code, GL_E_UNKNOWN_NAME);
}

static void the_catalogue_joins_types_and_prices(void **state)
{
    struct gl_catalog *catalog;
    struct gl_catalog_report report;
    const struct gl_catalog_row *rows;
    size_t count, priced = 0;

    (void)state;
    bench.fake.is_restricted = true;
    gl_catalog_refresh(&bench.cloud, 1, 10000, &catalog, &report);
    if (!report.is_whole)
        fail_msg("%s", report.first.text);
    count = gl_catalog_rows(catalog, &rows);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++) {
        bool is_arm = strcmp(rows[i].type, "Standard_B2pts_v2") == 0;

        assert_string_equal(rows[i].arch, is_arm ? "arm64" : "x86_64");
        assert_int_equal(rows[i].memory_mib, 512);
        assert_int_equal(rows[i].vcpus, is_arm ? 2 : 1);
        assert_true(rows[i].is_offered_known);
        assert_int_equal(rows[i].is_offered, is_arm);
        if (is_arm || strcmp(rows[i].region, "swedencentral") != 0) {
            assert_int_equal(rows[i].price_u_usd, GL_UNKNOWN);
            continue;
        }
        priced++;
        assert_int_equal(rows[i].price_u_usd, 10800);
        assert_int_equal(rows[i].spot_u_usd, 2000);
    }
    assert_int_equal(priced, 1);
    gl_catalog_free(catalog);
    bench.fake.has_evil_pages = true;
    gl_catalog_refresh(&bench.cloud, 1, 10000, &catalog, &report);
    assert_false(report.is_whole);
    assert_int_equal(report.first.code, GL_E_BAD_REPLY);
    gl_catalog_free(catalog);
}

/* ---- credentials ---- */

static void reopen(void)
{
    gl_cloud_close(bench.cloud);
    gl_error_clear(&bench.err);
    bench.cloud = gl_azure_bench_cloud(&bench);
}

static void signs_in(void)
{
    char who[128];
    unsigned before = bench.fake.tokens_given;

    reopen();
    if (bench.cloud == NULL || bench.cloud->ops->whoami(bench.cloud, who, &bench.err) != 0)
        fail_msg("%s", bench.err.text);
    assert_int_equal(bench.fake.tokens_given, before + 1);
}

static void four_ways_to_sign_in(void **state)
{
    char metadata[160], file[600], *folder = scratch_make("azure");
    char *path = gl_path_join(folder, "token");

    (void)state;
    signs_in();
    bench.environment[4] = "AZURE_CLIENT_CERTIFICATE_PATH=tests/vectors/azure/client.pem";
    signs_in();
    assert_int_equal(gl_file_write(path, FAKE_AZURE_ISSUED "\n", strlen(FAKE_AZURE_ISSUED) + 1,
                                   0600, &bench.err),
                     0);
    snprintf(file, sizeof file, "AZURE_FEDERATED_TOKEN_FILE=%s", path);
    bench.environment[4] = file;
    signs_in();
    snprintf(metadata, sizeof metadata, "GREENLAUNCH_AZURE_METADATA_ENDPOINT=%s",
             gl_test_server_url(bench.fake.server));
    bench.environment[3] = metadata;
    bench.environment[4] = NULL;
    signs_in();
    free(path);
    scratch_remove(folder);
}

static void a_rejected_token_is_fetched_anew_once(void **state)
{
    struct gl_instance seen;

    (void)state;
    gl_azure_bench_start(&bench, "Standard_B1s");
    bench.fake.deny_tokens = 1;
    assert_int_equal(bench.cloud->ops->describe(bench.cloud, AZURE_ID, &seen, &bench.err), 0);
    assert_int_equal(bench.fake.tokens_given, 2);
    bench.fake.deny_tokens = 100;
    assert_int_equal(bench.cloud->ops->describe(bench.cloud, AZURE_ID, &seen, &bench.err), -1);
    assert_int_equal(bench.err.code, GL_E_NO_CREDENTIAL);
    assert_true(bench.fake.tokens_given <= 3);
}

static void cannot_open(enum gl_errc code, const char *word)
{
    struct gl_cloud *made;

    gl_error_clear(&bench.err);
    made = gl_azure_bench_cloud(&bench);
    assert_null(made);
    if (bench.err.code != code || strstr(bench.err.text, word) == NULL)
        fail_msg("%d: %s", (int)bench.err.code, bench.err.text);
    gl_azure_bench_clean(bench.err.text);
    gl_error_clear(&bench.err);
}

static void secrets_go_to_microsoft_only(void **state)
{
    char who[128];

    (void)state;
    bench.fake.is_echoing = true;
    assert_int_equal(bench.cloud->ops->whoami(bench.cloud, who, &bench.err), -1);
    assert_int_equal(bench.err.code, GL_E_NO_CREDENTIAL);
    assert_non_null(strstr(bench.err.text, "AADSTS7000215"));
    gl_azure_bench_clean(bench.err.text);
    bench.environment[1] = "AZURE_AUTHORITY_HOST=https://login.microsoftonline.com.evil.example";
    cannot_open(GL_E_CONFIG, "AZURE_AUTHORITY_HOST");
    bench.environment[1] = "AZURE_AUTHORITY_HOST=http://login.microsoftonline.com";
    cannot_open(GL_E_CONFIG, "AZURE_AUTHORITY_HOST");
    bench.environment[1] = bench.authority;
    bench.environment[2] = "AZURE_TENANT_ID=a/../b";
    cannot_open(GL_E_CONFIG, "AZURE_TENANT_ID");
    bench.environment[2] = "X=";
    cannot_open(GL_E_NO_CREDENTIAL, "AZURE_TENANT_ID");
    bench.environment[4] = NULL;
    cannot_open(GL_E_NO_CREDENTIAL, "AZURE_CLIENT_SECRET");
    gl_azure_bench_secret(&bench);
    bench.environment[0] = "X=";
    cannot_open(GL_E_NO_CREDENTIAL, "AZURE_SUBSCRIPTION_ID");
    gl_azure_bench_secret(&bench);
    bench.environment[4] = "AZURE_CLIENT_CERTIFICATE_PATH=tests/vectors/azure/made-by";
    cannot_open(GL_E_CONFIG, "is not PEM");
    bench.environment[4] = "AZURE_CLIENT_CERTIFICATE_PATH=/nonexistent/client.pem";
    cannot_open(GL_E_NO_CREDENTIAL, "AZURE_CLIENT_CERTIFICATE_PATH");
}

static void hosts_are_compared_whole(void **state)
{
    (void)state;
    assert_true(gl_azure_is_authority("https://login.microsoftonline.us/"));
    assert_false(gl_azure_is_authority("https://xlogin.microsoftonline.com"));
    assert_false(gl_azure_is_authority("https://a@login.microsoftonline.com"));
    assert_true(gl_azure_is_same_origin("https://prices.azure.com",
                                        "https://prices.azure.com:443/api/retail/prices?a=b"));
    assert_false(gl_azure_is_same_origin("https://a.b", "https://a.b.c/"));
    assert_false(gl_azure_is_same_origin("https://a.b", "http://a.b/"));
    assert_false(gl_azure_is_same_origin("https://a.b", "https://a.b@c/"));
    assert_false(gl_azure_is_same_origin("https://a.b", "https://a.b:444/"));
    assert_false(gl_azure_is_same_origin("https://a.b", "https://a.b\\@c/"));
}

/* ---- words, names, bodies ---- */

static void impossible_sizes_are_none(void **state)
{
    GL_AUTO(gl_auto_json)
    json_t *sku =
        json_pack("{s:s,s:s,s:[s],s:[{s:s,s:s},{s:s,s:s}]}", "resourceType", "virtualMachines",
                  "name", "Standard_X", "locations", "swedencentral", "capabilities", "name",
                  "MemoryGB", "value", "999999999", "name", "vCPUs", "value", "2");
    struct gl_catalog_row row;

    (void)state;
    assert_true(gl_azure_read_sku(sku, "swedencentral", &row));
    assert_int_equal(row.memory_mib, 0);
    assert_int_equal(row.vcpus, 2);
}

static void words_become_codes(void **state)
{
    static const struct {
        int status;
        const char *word;
        enum gl_errc code;
    } rows[] = {
        {409, "AllocationFailed", GL_E_CAPACITY},
        {409, "ZonalAllocationFailed", GL_E_CAPACITY},
        {409, "OverconstrainedAllocationRequest", GL_E_CAPACITY},
        {409, "SkuNotAvailable", GL_E_CAPACITY},
        {409, "QuotaExceeded", GL_E_QUOTA},
        {403, "AuthorizationFailed", GL_E_PERMISSION},
        {403, "RequestDisallowedByPolicy", GL_E_PERMISSION},
        {409, "ReadOnlyDisabledSubscription", GL_E_PERMISSION},
        {404, "SubscriptionNotFound", GL_E_PERMISSION}, /* not: the machine is absent */
        {404, "ResourceNotFound", GL_E_NOT_FOUND},
        {404, "ResourceGroupNotFound", GL_E_NOT_FOUND},
        {412, "PreconditionFailed", GL_E_TOKEN},
        {429, "TooManyRequests", GL_E_RATE_LIMIT},
        {401, "ExpiredAuthenticationToken", GL_E_NO_CREDENTIAL},
        {400, "invalid_client", GL_E_NO_CREDENTIAL},
        {409, "AnotherOperationInProgress", GL_E_BUSY},
        {500, "InternalServerError", GL_E_PROVIDER},
        {400, "OSProvisioningTimedOut", GL_E_LAUNCH},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(bench.cloud->ops->classify(rows[i].status, rows[i].word), rows[i].code);
}

static void word_is(const char *text, const char *word)
{
    json_t *error = json_loads(text, JSON_DECODE_ANY, NULL);
    struct gl_remote_word out = {0};

    assert_int_equal(gl_azure_error_of(error, &out), word != NULL);
    if (word != NULL)
        assert_string_equal(out.word, word);
    json_decref(error);
}

static void the_innermost_code_that_is_known_counts(void **state)
{
    char deep[4096] = "";

    (void)state;
    word_is("{\"code\":\"A\",\"details\":[{\"code\":\"Conflict\",\"details\":[{\"code\":"
            "\"AllocationFailed\",\"innererror\":{\"code\":\"Trace\"}}]}]}",
            "AllocationFailed");
    word_is("{\"code\":\"QuotaExceeded\",\"details\":[{\"code\":\"123\"}]}", "QuotaExceeded");
    word_is("{\"code\":\"A\",\"innererror\":{\"code\":\"B\"}}", "B");
    word_is("{\"code\":\"A\",\"details\":\"x\",\"innererror\":7}", "A");
    word_is("{\"code\":5}", NULL);
    word_is("\"text\"", NULL);
    word_is("null", NULL);
    for (int i = 0; i < 40; i++)
        strcat(deep, "{\"code\":\"A\",\"innererror\":");
    strcat(deep, "1");
    for (int i = 0; i < 40; i++)
        strcat(deep, "}");
    word_is(deep, "A");
}

static void names_say_what_they_mean(void **state)
{
    char out[64], key[GL_AZURE_SSH_KEY], other[GL_AZURE_SSH_KEY];

    (void)state;
    assert_true(gl_azure_is_arm("Standard_B2pts_v2"));
    assert_true(gl_azure_is_arm("Standard_D4pds_v5"));
    assert_false(gl_azure_is_arm("Standard_B1s"));
    assert_false(gl_azure_is_arm("Standard_NP10s"));
    assert_false(gl_azure_is_arm("Standard_D2s_v5"));
    assert_true(gl_azure_is_arm("Standard_D4-2pds_v5"));
    assert_true(gl_azure_of_region("westeurope=a/b, net-REGION/x , y", "westeurope", out, 64));
    assert_string_equal(out, "a/b");
    assert_true(gl_azure_of_region("westeurope=a/b, net-REGION/x , y", "uksouth", out, 64));
    assert_string_equal(out, "net-uksouth/x");
    assert_false(gl_azure_of_region("westeurope=a/b", "uksouth", out, 64));
    assert_false(gl_azure_of_region("REGIONREGION", "uksouth", out, 10));
    gl_azure_location("Sweden Central", out);
    assert_string_equal(out, "swedencentral");
    gl_azure_forgotten_key(&bench.world, key);
    gl_azure_forgotten_key(&bench.world, other);
    assert_int_equal(strncmp(key, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI", 37), 0);
    assert_string_not_equal(key, other);
}

static void rights_know_wildcards_and_exceptions(void **state)
{
    json_t *roles = json_loads("[{\"actions\":[\"*\"],\"notActions\":[\"A.B/c/*\"]},"
                               "{\"actions\":[\"a.b/C/read\",7,\"X?Y\"]}]",
                               0, NULL);

    (void)state;
    assert_true(gl_azure_allows(roles, "A.B/c/read"));
    assert_false(gl_azure_allows(roles, "A.B/c/write"));
    assert_true(gl_azure_allows(roles, "A.B/d/write"));
    assert_false(gl_azure_allows(NULL, "A.B/d/write"));
    json_decref(roles);
}

/* ---- what Azure's own library sends ---- */

static void spend_a_life(void)
{
    struct gl_launch launch = gl_azure_bench_launch("Standard_B1s", AZURE_TOKEN);
    struct gl_cloud_image image;
    const char *const *types;
    struct gl_instance out, *rows;
    struct gl_str text = {0};
    uint64_t next;
    size_t count;

    gl_azure_bench_start(&bench, "Standard_B1s");
    bench.fake.log = "";
    assert_int_equal(bench.cloud->ops->list(bench.cloud, &rows, &count, &bench.err), 0);
    free(rows);
    assert_int_equal(bench.cloud->ops->console(bench.cloud, AZURE_ID, 0, &text, &next, &bench.err),
                     0);
    gl_str_done(&text);
    assert_int_equal(bench.cloud->ops->check(bench.cloud, &launch, &bench.err), 0);
    assert_int_equal(bench.cloud->ops->types(bench.cloud, "swedencentral", &types, &bench.err), 0);
    assert_int_equal(bench.cloud->ops->stop(bench.cloud, AZURE_ID, (struct gl_span){1}, &bench.err),
                     0);
    assert_int_equal(bench.cloud->ops->start(bench.cloud, AZURE_ID, &bench.err), 0);
    assert_int_equal(bench.cloud->ops->halt(bench.cloud, AZURE_ID, &bench.err), 0);
    assert_int_equal(
        bench.cloud->ops->image_create(bench.cloud, AZURE_ID, "gl-image", &image, &bench.err), 0);
    assert_int_equal(bench.cloud->ops->image_copy(bench.cloud, AZURE_IMAGE, "westeurope",
                                                  "gl-image-2", &image, &bench.err),
                     0);
    assert_int_equal(bench.cloud->ops->terminate(bench.cloud, AZURE_ID, &bench.err), 0);
    launch.is_spot = true;
    assert_int_equal(bench.cloud->ops->launch(bench.cloud, &launch, &out, &bench.err), 0);
    assert_int_equal(bench.cloud->ops->terminate(bench.cloud, AZURE_ID, &bench.err), 0);
    launch.is_spot = false;
    launch.image = AZURE_IMAGE;
    assert_int_equal(bench.cloud->ops->launch(bench.cloud, &launch, &out, &bench.err), 0);
    assert_int_equal(bench.cloud->ops->terminate(bench.cloud, AZURE_ID, &bench.err), 0);
    launch.type = "Standard_Stockout";
    assert_int_equal(bench.cloud->ops->launch(bench.cloud, &launch, &out, &bench.err), -1);
    gl_error_clear(&bench.err);
    assert_int_equal(
        bench.cloud->ops->find_by_request(bench.cloud, NULL, AZURE_TOKEN, &out, &bench.err), 0);
    assert_int_equal(bench.cloud->ops->image_delete(bench.cloud, AZURE_IMAGE, &bench.err), 0);
}

static void requests_are_those_of_azures_own_library(void **state)
{
    json_t *all = json_load_file("tests/vectors/azure/requests.json", 0, NULL), *request;
    const char *what;
    unsigned missing = 0;

    (void)state;
    assert_true(json_object_size(all) >= 19);
    spend_a_life();
    json_object_foreach(all, what, request) if (!fake_azure_was_asked(&bench.fake, request))
    {
        print_message("# not sent: %s\n", what);
        missing++;
    }
    json_decref(all);
    assert_int_equal(missing, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(check_says_what_would_hinder),
        TEST(a_cap_holds_at_the_launch),
        TEST(places_types_and_prices),
        TEST(the_catalogue_joins_types_and_prices),
        TEST(four_ways_to_sign_in),
        TEST(a_rejected_token_is_fetched_anew_once),
        TEST(secrets_go_to_microsoft_only),
        TEST(hosts_are_compared_whole),
        TEST(impossible_sizes_are_none),
        TEST(words_become_codes),
        TEST(the_innermost_code_that_is_known_counts),
        TEST(names_say_what_they_mean),
        TEST(rights_know_wildcards_and_exceptions),
        TEST(requests_are_those_of_azures_own_library),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
