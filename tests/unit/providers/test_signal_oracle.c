/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/data/data.h"
#include "tests/unit/providers/signal_case.h"

static void test_cases(void **state)
{
    (void)state;
    case_run_all("oracle", 20);
}

static unsigned urls_of(const struct gl_signal_query *query, const char *endpoint, unsigned index,
                        char out[512])
{
    out[0] = '\0';
    return gl_signal_find("oracle")->urls(query, endpoint, index, out, 512);
}

static void test_urls(void **state)
{
    const struct gl_signal_query german = {.zone = "DE", .wants_claims = true};
    const struct gl_signal_query french = {.zone = "FR", .wants_claims = true};
    const struct gl_signal_query serbian = {.zone = "RS", .wants_claims = true};
    char url[512];

    (void)state;
    assert_int_equal(urls_of(&german, NULL, 0, url), 1);
    assert_string_equal(url, "https://usageapi.eu-frankfurt-1.oci.oraclecloud.com/20200107/"
                             "cleanEnergyUsages/eu-frankfurt-1");
    assert_int_equal(urls_of(&french, "https://usageapi.uk-london-1.oci.oraclecloud.com", 1, url),
                     2);
    assert_string_equal(url, "https://usageapi.uk-london-1.oci.oraclecloud.com/20200107/"
                             "cleanEnergyUsages/eu-paris-1");
    assert_int_equal(urls_of(&serbian, NULL, 0, url), 1); /* another realm */
    assert_string_equal(url, "https://usageapi.eu-jovanovac-1.oci.oraclecloud20.com/20200107/"
                             "cleanEnergyUsages/eu-jovanovac-1");
}

static void test_a_region_of_the_configuration(void **state)
{
    static const struct {
        const char *region, *host;
    } cases[] = {
        {"us-newark-9", "usageapi.us-newark-9.oci.oraclecloud.com"},
        {"us-gov-ashburn-1", "usageapi.us-gov-ashburn-1.oci.oraclegovcloud.com"},
        {"uk-gov-london-1", "usageapi.uk-gov-london-1.oci.oraclegovcloud.uk"},
        {"eu-frankfurt-2", "usageapi.eu-frankfurt-2.oci.oraclecloud.eu"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct gl_signal_config config = {
            .name = "oracle", .zone = "DE", .location = cases[i].region};
        const struct gl_signal_query query = {
            .zone = "DE", .wants_claims = true, .config = &config};
        char url[512], wanted[512];

        snprintf(wanted, sizeof wanted, "https://%s/20200107/cleanEnergyUsages/%s", cases[i].host,
                 cases[i].region);
        assert_int_equal(urls_of(&query, NULL, 0, url), 1);
        assert_string_equal(url, wanted);
    }
}

/* What decides does not ask for claims, and then there is nothing to ask. */
static void test_nothing_unless_claims_are_wanted(void **state)
{
    const struct gl_signal_query decides = {.zone = "DE"};
    const struct gl_signal_query past = {.zone = "DE", .wants_claims = true, .is_past = true};
    char url[512];

    (void)state;
    assert_int_equal(urls_of(&decides, NULL, 0, url), 0);
    assert_string_equal(url, "");
    assert_int_equal(urls_of(&past, NULL, 0, url), 0);
    assert_int_equal(gl_signal_find("oracle")->past_s, 0);
}

static void test_zones(void **state)
{
    const struct gl_signal_ops *oracle = gl_signal_find("oracle");
    const struct gl_region_row *rows;
    size_t count = gl_data_regions(&rows), regions = 0;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct gl_signal_query query = {.wants_claims = true};
        char url[512];

        if (strcmp(rows[i].cloud, "oracle") != 0)
            continue;
        regions++;
        assert_true(oracle->covers(rows[i].zones[0]));
        snprintf(query.zone, sizeof query.zone, "%s", rows[i].zones[0]);
        assert_in_range(urls_of(&query, NULL, 0, url), 1, 6);
    }
    assert_int_equal(regions, 39);
    assert_false(oracle->covers("IS"));
    assert_false(oracle->covers(""));
}

static void test_refusals(void **state)
{
    static const struct {
        int status;
        enum gl_errc code;
        const char *says;
    } cases[] = {
        {401, GL_E_NO_CREDENTIAL, "does not subscribe to the region"},
        {403, GL_E_UNKNOWN_DATA, "read usage-report in tenancy"},
        {404, GL_E_UNKNOWN_DATA, "does not know the region"},
        {400, GL_OK, ""},
    };
    static const char body[] = "{\"code\":\"NotAuthenticated\",\"message\":\"planted-4711\"}";

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gl_error err = {0};

        assert_true(gl_signal_find("oracle")->refuse(cases[i].status, body, sizeof body - 1, &err));
        assert_int_equal(err.code, cases[i].code);
        assert_non_null(strstr(err.text, cases[i].says));
        assert_null(strstr(err.text, "4711"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_a_region_of_the_configuration),
        cmocka_unit_test(test_nothing_unless_claims_are_wanted),
        cmocka_unit_test(test_zones),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
