/* SPDX-License-Identifier: Apache-2.0 */
/* What AWS says that a month emitted: two pages, a month that is not published, a missing right. */
#include "providers/cloud/statement.h"
#include "tests/conformance/cloud_fake_aws.h"
#include "tests/conformance/cloud_remote.h"

#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct gl_fake_aws *fake;
static struct gl_world world;
static struct gl_cloud *cloud;

static int set_up(void **state)
{
    struct gl_cloud_options options = {.world = &world};
    struct gl_error err = {0};

    (void)state;
    fake = gl_fake_aws_start();
    gl_world_real(&world);
    gl_remote_fixture_set(&gl_remote_fixture_aws, fake, &world, &options);
    cloud = gl_cloud_open("aws", &options, &err);
    if (cloud == NULL)
        fail_msg("%s", err.text);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gl_cloud_close(cloud);
    gl_remote_fixture_end(&gl_remote_fixture_aws, fake, &world);
    return 0;
}

static void the_carbon_statement_of_a_month(void **state)
{
    const struct gl_instant october = gl_instant_of_civil(2026, 10, 1, 0, 0, 0);
    const struct gl_stated_ask ask = {.scope = GL_STATED_ALL, .basis = GL_STATED_LOCATION};
    struct gl_statement statement;
    struct gl_stated sum;
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(cloud->ops->statement(cloud, october, &statement, &err), 0);
    assert_int_equal(fake->estimates, 2); /* two pages */
    assert_true(gl_statement_sum(&statement, &ask, &sum));
    assert_int_equal(sum.ug, INT64_C(4000000000)); /* 0.004 t */
    assert_string_equal(statement.model, "v3.0.1");
    gl_statement_done(&statement);
    assert_int_equal(cloud->ops->statement(cloud, gl_month_after(october), &statement, &err), 0);
    assert_int_equal(statement.count, 0); /* not published */
    gl_statement_done(&statement);
    fake->has_no_estimates = true;
    assert_int_equal(cloud->ops->statement(cloud, october, &statement, &err), -1);
    assert_int_equal(err.code, GL_E_PERMISSION);
    assert_non_null(strstr(err.text, "AccessDeniedException: no (HTTP 403)"));
    assert_null(strstr(err.text, GL_FAKE_AWS_SECRET));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_carbon_statement_of_a_month, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
