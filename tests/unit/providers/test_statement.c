/* SPDX-License-Identifier: Apache-2.0 */
/* Carbon statements of clouds: small files of the real shape, and what is wrong with others. */
#include "providers/cloud/statement.h"

#include "base/time.h"
#include "policy/facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KG INT64_C(1000000000)

static struct gl_statement statement;
static struct gl_error err;

static int read_text(const char *text, const char *month)
{
    char *bytes = gl_strdup(text);
    struct gl_instant at;
    int rc;

    gl_error_clear(&err);
    assert_int_equal(gl_month_parse(month, &at, &err), 0);
    rc = gl_statement_read(bytes, strlen(bytes), at, &statement, &err);
    free(bytes);
    return rc;
}

static void must_read(const char *text)
{
    if (read_text(text, "2026-10") != 0)
        fail_msg("%s", err.text);
}

static void must_refuse(const char *text, enum gl_errc code, const char *words)
{
    assert_int_equal(read_text(text, "2026-10"), -1);
    assert_int_equal(err.code, code);
    if (strstr(err.text, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
}

static struct gl_stated stated(enum gl_stated_scope scope, enum gl_stated_basis basis,
                               bool wants_machines, const char *region)
{
    const char *regions[1] = {region};
    const struct gl_stated_ask ask = {.scope = scope,
                                      .basis = basis,
                                      .wants_machines = wants_machines,
                                      .regions = region != NULL ? regions : NULL,
                                      .region_count = 1};
    struct gl_stated sum = {0};

    assert_true(gl_statement_sum(&statement, &ask, &sum));
    return sum;
}

static bool is_stated(enum gl_stated_scope scope, enum gl_stated_basis basis)
{
    const struct gl_stated_ask ask = {.scope = scope, .basis = basis};
    struct gl_stated sum;

    return gl_statement_sum(&statement, &ask, &sum);
}

#define AWS_ROW(month, region, service, values)                                                \
    "{\"TimePeriod\":{\"Start\":\"" month "-01T00:00:00Z\",\"End\":\"2026-11-01T00:00:00Z\"}," \
    "\"DimensionsValues\":{\"USAGE_ACCOUNT_ID\":\"123456789012\",\"REGION\":\"" region         \
    "\",\"SERVICE\":\"" service "\"},\"ModelVersion\":\"v3.0.1\",\"EmissionsValues\":{" values \
    "}}"
#define AWS_TONS(type, value) "\"" type "\":{\"Value\":" value ",\"Unit\":\"MTCO2e\"}"

static void aws_answer(void **state)
{
    (void)state;
    must_read(
        "{\"Results\":[" AWS_ROW(
            "2026-10", "eu-north-1", "AmazonEC2",
            AWS_TONS("TOTAL_LBM_CARBON_EMISSIONS", "0.001234") "," AWS_TONS(
                "TOTAL_MBM_CARBON_EMISSIONS", "0.0") "," AWS_TONS("TOTAL_SCOPE_1_CARBON_EMISSIONS",
                                                                  "1E-6")) "," //
        AWS_ROW("2026-10", "eu-north-1", "AmazonS3",
                AWS_TONS(
                    "TOTAL_LBM_CARBON_EMISSIONS",
                    "0.5")) "," AWS_ROW("2026-10", "us-east-1", "AmazonEC2",
                                        AWS_TONS(
                                            "TOTAL_LBM_CARBON_EMISSIONS",
                                            "2")) "," AWS_ROW("2026-09", "eu-north-1", "AmazonEC2",
                                                              AWS_TONS("TOTAL_LBM_CARBON_EMISSIONS",
                                                                       "7")) "]}");
    struct gl_stated sum = stated(GL_STATED_ALL, GL_STATED_LOCATION, true, "eu-north-1");

    assert_string_equal(statement.provider, "aws");
    assert_string_equal(statement.model, "v3.0.1");
    assert_true(statement.has_others); /* September was left out */
    assert_int_equal(sum.rows, 1);
    assert_int_equal(sum.ug, 1234000000); /* 1.234 kg */
    assert_int_equal(statement.step_ug, 1000000);
    assert_int_equal(sum.slack_ug, 500000); /* half a millionth of a ton */
    assert_int_equal(stated(GL_STATED_ALL, GL_STATED_LOCATION, true, NULL).ug,
                     1234000000 + 2000 * KG);
    assert_int_equal(stated(GL_STATED_ALL, GL_STATED_LOCATION, false, NULL).ug,
                     1234000000 + 2500 * KG);
    assert_int_equal(stated(GL_STATED_ALL, GL_STATED_MARKET, true, NULL).ug, 0);
    assert_int_equal(stated(GL_STATED_SCOPE_1, GL_STATED_MARKET, true, NULL).ug, 1000000);
    assert_false(is_stated(GL_STATED_SCOPE_2, GL_STATED_LOCATION));
    assert_false(is_stated(GL_STATED_ALL, GL_STATED_UNSAID));
}

static void aws_answers_that_make_no_sense(void **state)
{
    (void)state;
    must_refuse("{\"Results\":[],\"NextToken\":\"x\"}", GL_E_BAD_REPLY, "not whole");
    must_refuse("{\"Results\":[],\"NextToken\":7}", GL_E_BAD_REPLY, "NextToken");
    must_refuse("{\"Results\":[{}]}", GL_E_BAD_REPLY, "no period");
    must_refuse("{\"Results\":[" AWS_ROW("2026-10", "r", "s",
                                         "\"TOTAL_LBM_CARBON_EMISSIONS\":{\"Value\":1,\"Unit\":"
                                         "\"kgCO2e\"}") "]}",
                GL_E_BAD_REPLY, "MTCO2e");
    must_refuse("{\"Results\":[" AWS_ROW("2026-10", "r", "s",
                                         AWS_TONS("TOTAL_LBM_CARBON_EMISSIONS", "-1")) "]}",
                GL_E_BAD_REPLY, "no amount");
    must_refuse("{\"Results\":[" AWS_ROW("2026-10", "r", "s",
                                         AWS_TONS("TOTAL_LBM_CARBON_EMISSIONS", "1e7")) "]}",
                GL_E_BAD_REPLY, "no amount");
    must_refuse("{\"Results\":[" AWS_ROW("2026-10", "r", "s",
                                         AWS_TONS("TOTAL_LBM_CARBON_EMISSIONS", "true")) "]}",
                GL_E_BAD_REPLY, "no number");
    must_refuse("{\"Results\":[", GL_E_SYNTAX, "");
    must_refuse("{}", GL_E_BAD_REPLY, "no form");
    must_refuse("hello", GL_E_BAD_REPLY, "no form");
    must_refuse("", GL_E_BAD_REPLY, "no form");
}

/* null is no zero: the sum then says that a row lacks. */
static void a_figure_that_is_not_there(void **state)
{
    (void)state;
    must_read("{\"Results\":[" AWS_ROW("2026-10", "eu-north-1", "AmazonEC2",
                                       AWS_TONS("TOTAL_LBM_CARBON_EMISSIONS", "null")) "]}");
    struct gl_stated sum = stated(GL_STATED_ALL, GL_STATED_LOCATION, true, NULL);

    assert_int_equal(sum.rows, 1);
    assert_int_equal(sum.unknown, 1);
    assert_int_equal(sum.ug, 0);
}

#define AWS_HEAD                                                                               \
    "last_refresh_timestamp,location,model_version,payer_account_id,product_code,region_code," \
    "total_lbm_emissions_value,total_lbm_emissions_unit,total_mbm_emissions_value,"            \
    "total_mbm_emissions_unit,usage_account_id,usage_period_end,usage_period_start\n"

static void aws_export(void **state)
{
    (void)state;
    must_read(AWS_HEAD
              "2026-11-16T00:00:00Z,\"EU (Stockholm)\",v3.0.1,1,AmazonEC2,eu-north-1,0.0125,MTCO2e,"
              "0.0,MTCO2e,123456789012,2026-11-01T00:00:00Z,2026-10-01T00:00:00Z\n"
              "2026-11-16T00:00:00Z,\"EU (Stockholm)\",v3.0.2,1,AmazonEC2,eu-north-1,,,,,2,"
              "2026-11-01T00:00:00Z,2026-10-01T00:00:00Z\n");
    struct gl_stated sum = stated(GL_STATED_ALL, GL_STATED_LOCATION, true, "eu-north-1");

    assert_int_equal(sum.ug, 12500000000); /* 12.5 kg */
    assert_int_equal(sum.unknown, 1);
    assert_true(statement.has_models);
    gl_statement_done(&statement);
    must_refuse("total_lbm_emissions_value,x\n1,2\n", GL_E_BAD_REPLY, "usage_account_id");
    must_refuse(AWS_HEAD "a,b\n", GL_E_SYNTAX, "short");
    must_refuse(AWS_HEAD "r,l,v,p,AmazonEC2,eu-north-1,1,kg,1,kg,a,e,2026-10-01T00:00:00Z\n",
                GL_E_BAD_REPLY, "MTCO2e");
}

static void azure_report(void **state)
{
    (void)state;
    must_read(
        "{\"subscriptionAccessDecisionList\":[{\"subscriptionId\":\"AAAA-1\",\"decision\":"
        "\"Allowed\"},{\"subscriptionId\":\"BBBB-2\",\"decision\":\"Denied\",\"denialReason\":"
        "\"Carbon Optimization Reader permission required\"}],\"value\":[{\"dataType\":"
        "\"ResourceItemDetailsData\",\"latestMonthEmissions\":0.25,\"previousMonthEmissions\":0.1,"
        "\"itemName\":\"vm\",\"subscriptionId\":\"AAAA-1\",\"categoryType\":\"Resource\","
        "\"resourceType\":\"Microsoft.Compute/virtualMachines\",\"location\":\"Sweden Central\"},"
        "{\"dataType\":\"ResourceItemDetailsData\",\"latestMonthEmissions\":0.5,\"itemName\":\"d\","
        "\"resourceType\":\"microsoft.compute/disks\",\"location\":\"sweden central\"}]}");
    struct gl_stated sum = stated(GL_STATED_ALL, GL_STATED_UNSAID, true, "swedencentral");

    assert_string_equal(statement.provider, "azure");
    assert_true(statement.is_undated);
    assert_int_equal(statement.denied, 1);
    assert_string_equal(statement.barred, "bbbb-2");
    assert_int_equal(sum.ug, KG / 4);
    assert_int_equal(sum.rows, 2); /* the machine, and the subscription that was denied */
    assert_int_equal(sum.unknown, 1);
    assert_false(is_stated(GL_STATED_ALL, GL_STATED_LOCATION)); /* it does not say */
    gl_statement_done(&statement);
    must_read("{\"value\":[{\"dataType\":\"MonthlySummaryData\",\"latestMonthEmissions\":3,"
              "\"date\":\"2026-10-01\"},{\"dataType\":\"MonthlySummaryData\","
              "\"latestMonthEmissions\":4,\"date\":\"2026-09-01\"}]}");
    assert_int_equal(stated(GL_STATED_ALL, GL_STATED_UNSAID, true, NULL).ug, 3 * KG);
    assert_false(statement.is_undated);
    gl_statement_done(&statement);
    must_refuse("{\"value\":[],\"skipToken\":\"x\"}", GL_E_BAD_REPLY, "not whole");
    must_refuse("{\"value\":[{\"latestMonthEmissions\":1}]}", GL_E_BAD_REPLY, "dataType");
    must_refuse("{\"value\":[{\"dataType\":\"TopItemsSummaryData\"}]}", GL_E_BAD_REPLY,
                "leaves out");
}

#define GCP_ROW                                                                                \
    "{\"usage_month\":\"2026-10-01\",\"project\":{\"id\":\"green\",\"number\":\"1\"},"         \
    "\"service\":{\"id\":\"6F81-5844-456A\",\"description\":\"Compute Engine\"},\"location\":" \
    "{\"location\":\"europe-north1\",\"region\":\"europe-north1\"},\"carbon_model_version\":"  \
    "\"18\",\"carbon_footprint_kgCO2e\":{\"scope1\":\"0.001\",\"scope2\":{\"location_based\":" \
    "\"0.2\",\"market_based\":\"0\"},\"scope3\":\"0.05\"},\"carbon_footprint_total_kgCO2e\":"  \
    "{\"location_based\":\"0.251\",\"market_based\":\"0.051\",\"after_offsets\":null}}"

static void gcp_export(void **state)
{
    (void)state;
    must_read(GCP_ROW "\n" GCP_ROW "\n");
    assert_string_equal(statement.provider, "gcp");
    assert_int_equal(stated(GL_STATED_ALL, GL_STATED_LOCATION, true, "europe-north1").ug,
                     2 * KG * 251 / 1000);
    assert_int_equal(stated(GL_STATED_SCOPE_2, GL_STATED_LOCATION, true, NULL).ug, 2 * KG / 5);
    assert_int_equal(stated(GL_STATED_SCOPE_3, GL_STATED_LOCATION, true, NULL).ug, KG / 10);
    assert_int_equal(statement.step_ug, KG / 1000);
    gl_statement_done(&statement);
    must_read("[" GCP_ROW "]");
    assert_int_equal(stated(GL_STATED_ALL, GL_STATED_MARKET, true, NULL).ug, KG * 51 / 1000);
    gl_statement_done(&statement);
    must_read("usage_month,service.description,location.region,carbon_footprint_kgCO2e.scope1,"
              "carbon_footprint_kgCO2e.scope2.location_based,carbon_footprint_kgCO2e.scope3\n"
              "2026-10-01,Compute Engine,europe-north1,0.1,0.2,0.3\n"
              "2026-10-01,Cloud Storage,europe-north1,1,,1\n"
              "2026-09-01,Compute Engine,europe-north1,9,9,9\n");
    /* No total: the scopes are added up. */
    assert_int_equal(stated(GL_STATED_ALL, GL_STATED_LOCATION, true, "europe-north1").ug,
                     KG * 6 / 10);
    assert_int_equal(stated(GL_STATED_ALL, GL_STATED_LOCATION, false, NULL).unknown, 1);
    assert_false(is_stated(GL_STATED_ALL, GL_STATED_MARKET)); /* no scope 2 of that kind */
    gl_statement_done(&statement);
    must_refuse("[1]", GL_E_BAD_REPLY, "usage_month");
    must_refuse(GCP_ROW "\n{\"a\"}\n", GL_E_SYNTAX, "row 2");
    must_refuse("carbon_footprint_x\n1\n", GL_E_BAD_REPLY, "usage_month");
}

#define SCALEWAY(until)                                                                       \
    "{\"start_date\":\"2026-10-01T00:00:00Z\",\"end_date\":\"" until "T00:00:00Z\","          \
    "\"total_impact\":{\"kg_co2_equivalent\":1.5,\"m3_water_usage\":0.1},\"projects\":[{"     \
    "\"project_id\":\"p\",\"regions\":[{\"region\":\"fr-par\",\"zones\":[{\"zone\":"          \
    "\"fr-par-1\",\"skus\":[{\"sku\":\"/compute/dev1_s\",\"total_sku_impact\":{"              \
    "\"kg_co2_equivalent\":0.75},\"service_category\":\"compute\",\"product_category\":"      \
    "\"instances\"},{\"sku\":\"/storage/block\",\"total_sku_impact\":{\"kg_co2_equivalent\":" \
    "0.75},\"service_category\":\"storage\",\"product_category\":\"block_storage\"}]}]}]}]}"

static void scaleway_answer(void **state)
{
    (void)state;
    must_read(SCALEWAY("2026-11-01"));
    assert_int_equal(stated(GL_STATED_ALL, GL_STATED_LOCATION, true, "fr-par").ug, KG * 3 / 4);
    assert_int_equal(stated(GL_STATED_ALL, GL_STATED_LOCATION, false, NULL).ug, KG * 3 / 2);
    gl_statement_done(&statement);
    must_read(SCALEWAY("2026-10-09")); /* a part of a month is none */
    assert_int_equal(statement.count, 0);
    assert_true(statement.has_others);
    gl_statement_done(&statement);
    must_read("{\"start_date\":\"2026-10-01T00:00:00Z\",\"end_date\":\"2026-11-01T00:00:00Z\","
              "\"total_impact\":{\"kg_co2_equivalent\":1.5}}");
    assert_int_equal(stated(GL_STATED_ALL, GL_STATED_LOCATION, true, "fr-par").ug, KG * 3 / 2);
}

static void figures_as_they_are_written(void **state)
{
    static const struct {
        const char *text;
        int64_t ug, step_ug;
    } good[] = {{"1", KG, KG},
                {"0.10", KG / 10, KG / 100},
                {"1.5e-3", KG * 15 / 10000, KG / 10000},
                {"2E3", 2000 * KG, 1000 * KG},
                {"0", 0, GL_UNKNOWN},
                {"0.0000000005", 1, 1}, /* half a microgram, up */
                {"", GL_UNKNOWN, GL_UNKNOWN},
                {"1000000000", INT64_C(1000000000) * KG, KG}};
    static const char *const bad[] = {"-1", "+1",  ".",          "1.2.3",
                                      "1e", "e5",  "1e99",       "0x1",
                                      "1 ", "nan", "1000000001", "9999999999999999999999"};
    int64_t ug;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        gl_statement_begin(&statement, (struct gl_instant){0});
        assert_int_equal(gl_statement_figure(&statement, good[i].text, KG, &ug, &err), 0);
        assert_int_equal(ug, good[i].ug);
        assert_int_equal(statement.step_ug, good[i].step_ug);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gl_error_clear(&err);
        if (gl_statement_figure(&statement, bad[i], KG, &ug, &err) == 0)
            fail_msg("\"%s\" was taken for %lld", bad[i], (long long)ug);
    }
}

static void months(void **state)
{
    static const char *const bad[] = {"2026", "2026-13", "2026-1", "2026-10-01", "26-10", "oct"};
    struct gl_instant at;
    char text[GL_INSTANT_TEXT];

    (void)state;
    gl_error_clear(&err);
    assert_int_equal(gl_month_parse("2026-12", &at, &err), 0);
    assert_string_equal(gl_instant_text(at, text), "2026-12-01T00:00:00Z");
    assert_string_equal(gl_instant_text(gl_month_after(at), text), "2027-01-01T00:00:00Z");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gl_error_clear(&err);
        assert_int_equal(gl_month_parse(bad[i], &at, &err), -1);
        assert_int_equal(err.code, GL_E_BAD_VALUE);
    }
}

static int tear_down(void **state)
{
    (void)state;
    gl_statement_done(&statement);
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(aws_answer),      TEST(aws_answers_that_make_no_sense),
        TEST(aws_export),      TEST(a_figure_that_is_not_there),
        TEST(azure_report),    TEST(gcp_export),
        TEST(scaleway_answer), TEST(figures_as_they_are_written),
        TEST(months),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
