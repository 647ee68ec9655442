/* SPDX-License-Identifier: Apache-2.0 */
/* Azure's carbon report: two pages, a denied subscription, a month without figures. Signs in at the
 * counterpart of the other Azure tests; the report comes from here. */
#include "tests/conformance/cloud_azure_bench.h"

#include "base/time.h"
#include "providers/cloud/drivers.h"
#include "providers/cloud/statement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define JSON "application/json; charset=utf-8"

static struct gl_azure_bench bench;
static struct gl_test_server *server;
static struct gl_cloud *cloud;
static unsigned pages;
static bool is_denied, is_unsigned;
static char first_body[2048];

static void report(const struct gl_test_request *request, struct gl_test_answer *out)
{
    bool is_second = strstr(request->body, "\"skipToken\":\"a/b+c=\"") != NULL;

    if (pages++ == 0)
        snprintf(first_body, sizeof first_body, "%s", request->body);
    gl_test_answer_text(
        out, 200, JSON,
        is_second
            ? "{\"value\":[{\"dataType\":\"ResourceItemDetailsData\",\"latestMonthEmissions\":0.5,"
              "\"categoryType\":\"Resource\",\"resourceType\":\"microsoft.compute/"
              "virtualmachines\","
              "\"location\":\"sweden "
              "central\"}],\"skipToken\":\"\",\"subscriptionAccessDecisionList\":"
              "[{\"subscriptionId\":\"s\",\"decision\":\"Denied\"}]}"
            : "{\"value\":[{\"dataType\":\"ResourceItemDetailsData\",\"latestMonthEmissions\":0.25,"
              "\"categoryType\":\"Resource\",\"resourceType\":\"microsoft.compute/"
              "virtualmachines\","
              "\"location\":\"sweden central\"}],\"skipToken\":\"a/b+c=\","
              "\"subscriptionAccessDecisionList\":[]}");
}

static void answer(const struct gl_test_request *request, struct gl_test_answer *out, void *cookie)
{
    char token[4096];

    (void)cookie;
    gl_test_request_header(request, "authorization", token, sizeof token);
    is_unsigned |= strncmp(token, "Bearer ", 7) != 0;
    if (is_denied)
        gl_test_answer_text(out, 403, JSON,
                            "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"no\"}}");
    else if (strcmp(request->query, "api-version=2025-04-01") != 0 ||
             strcmp(request->method, "POST") != 0)
        gl_test_answer_text(out, 400, JSON, "{}");
    else if (strcmp(request->path, "/providers/Microsoft.Carbon/"
                                   "queryCarbonEmissionDataAvailableDateRange") == 0)
        gl_test_answer_text(out, 200, JSON,
                            "{\"startDate\":\"2025-10-01\",\"endDate\":\"2026-10-01\"}");
    else if (strcmp(request->path, "/providers/Microsoft.Carbon/carbonEmissionReports") == 0)
        report(request, out);
    else
        gl_test_answer_text(out, 404, JSON, "{}");
}

static int fresh(void **state)
{
    static struct gl_setting settings[1];

    (void)state;
    gl_azure_bench_open(&bench);
    pages = 0;
    is_denied = is_unsigned = false;
    server = gl_test_server_start(answer, NULL);
    settings[0] = (struct gl_setting){"endpoint", gl_test_server_url(server)};
    cloud = gl_azure_open(
        &(struct gl_cloud_options){.world = &bench.world, .settings = settings, .setting_count = 1},
        &bench.err);
    if (cloud == NULL)
        fail_msg("%s", bench.err.text);
    return 0;
}

static int done(void **state)
{
    (void)state;
    gl_error_clear(&bench.err);
    gl_cloud_close(cloud);
    gl_test_server_stop(server);
    gl_azure_bench_close(&bench);
    return 0;
}

static void two_pages_are_one_statement(void **state)
{
    const struct gl_instant october = gl_instant_of_civil(2026, 10, 1, 0, 0, 0);
    const struct gl_stated_ask ask = {.basis = GL_STATED_UNSAID, .wants_machines = true};
    struct gl_statement statement;
    struct gl_stated sum;

    (void)state;
    if (cloud->ops->statement(cloud, october, &statement, &bench.err) != 0)
        fail_msg("%s", bench.err.text);
    assert_int_equal(pages, 2);
    assert_false(is_unsigned);
    assert_true(gl_statement_sum(&statement, &ask, &sum));
    assert_int_equal(sum.ug, INT64_C(750000000)); /* 0.75 kg */
    assert_int_equal(sum.unknown, 1);
    assert_int_equal(statement.denied, 1);
    assert_false(statement.is_undated);
    assert_non_null(strstr(first_body, "\"dateRange\":{\"start\":\"2026-10-01\",\"end\":"
                                       "\"2026-10-01\"}"));
    assert_non_null(strstr(first_body, "\"carbonScopeList\":[\"Scope1\",\"Scope2\",\"Scope3\"]"));
    gl_statement_done(&statement);
}

static void a_month_without_figures(void **state)
{
    struct gl_statement statement;

    (void)state;
    assert_int_equal(cloud->ops->statement(cloud, gl_instant_of_civil(2026, 11, 1, 0, 0, 0),
                                           &statement, &bench.err),
                     0);
    assert_int_equal(statement.count, 0);
    assert_int_equal(pages, 0);
    gl_statement_done(&statement);
}

static void without_the_right(void **state)
{
    struct gl_statement statement;

    (void)state;
    is_denied = true;
    assert_int_equal(cloud->ops->statement(cloud, gl_instant_of_civil(2026, 10, 1, 0, 0, 0),
                                           &statement, &bench.err),
                     -1);
    assert_int_equal(bench.err.code, GL_E_PERMISSION);
    gl_azure_bench_clean(bench.err.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_pages_are_one_statement, fresh, done),
        cmocka_unit_test_setup_teardown(a_month_without_figures, fresh, done),
        cmocka_unit_test_setup_teardown(without_the_right, fresh, done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
