/* SPDX-License-Identifier: Apache-2.0 */
/* What a gigabyte costs at most from one region of a cloud to another. */
#include "providers/data/data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int64_t egress(const char *cloud, const char *region)
{
    const struct gl_egress_row *row = gl_data_egress(cloud, region);

    return row != NULL ? row->u_usd_per_gb : -1;
}

/* Figures of the lists themselves; what none of them has is unknown and never nothing. */
static void test_egress(void **state)
{
    const struct gl_data_source *sources;
    const struct gl_egress_row *rows;
    size_t count = gl_data_egress_rows(&rows);

    (void)state;
    gl_data_sources(&sources);
    assert_int_equal(egress("aws", "sa-east-1"), 138000);
    assert_int_equal(egress("aws", "ap-southeast-2"), 98000);
    assert_int_equal(egress("aws", "eu-north-1"), 20000);
    assert_int_equal(egress("azure", "swedencentral"), 160000);
    assert_int_equal(egress("gcp", "australia-southeast1"), 157000);
    assert_int_equal(egress("local", NULL), 0);
    assert_int_equal(egress("aws", "cn-north-1"), -1);
    assert_int_equal(egress("aws", "eu-central-2"), -1);
    assert_int_equal(egress("aws", NULL), -1);
    assert_int_equal(egress("azure", "chinanorth3"), -1);
    assert_int_equal(egress("azure", "usgovvirginia"), -1);
    assert_int_equal(egress("hetzner", "fsn1"), -1);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(strncmp(sources[rows[i].source].id, "egress-", 7), 0);
        assert_true(rows[i].u_usd_per_gb != 0 || strcmp(rows[i].cloud, "local") == 0);
        if (strcmp(rows[i].cloud, "aws") == 0)
            assert_non_null(gl_data_region("aws", rows[i].region));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_egress),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
