/* SPDX-License-Identifier: Apache-2.0 */
/* Azure signs a vmId, which is no name of its API: whose it is, the API says, and only then the
 * document is one of a launch. */
#include "broker/place.h"
#include "tests/conformance/cloud_azure_bench.h"

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

#define CASE(name) cmocka_unit_test_setup_teardown(name, fresh, done)

static struct gl_identity signed_for(const char *vm_id)
{
    struct gl_identity identity = {.grade = GL_IDENTITY_A, .provider = "azure"};

    snprintf(identity.instance, sizeof identity.instance, "%s", vm_id);
    return identity;
}

static struct gl_launch_row row_of(const char *region, const char *id)
{
    static char launch[] = "gl-4k2p9x", cloud[] = "azure";

    return (struct gl_launch_row){.launch = launch,
                                  .cloud = cloud,
                                  .region = (char *)(uintptr_t)region,
                                  .instance = (char *)(uintptr_t)id};
}

static void the_api_says_whose_id_it_is(void **state)
{
    struct gl_instance made = gl_azure_bench_start(&bench, "Standard_B1s");
    struct gl_str said = {0};

    (void)state;
    assert_true((bench.cloud->ops->caps & GL_CLOUD_IDENTITY) != 0);
    assert_int_equal(bench.cloud->ops->identity(bench.cloud, made.id, "", &said, &bench.err), 0);
    assert_string_equal(gl_str_text(&said),
                        "{\"instance\":\"" FAKE_AZURE_VM_ID "\",\"region\":\"swedencentral\"}");
    gl_str_done(&said);
    assert_int_equal(bench.cloud->ops->identity(bench.cloud, "swedencentral/green/gl-none", "",
                                                &said, &bench.err),
                     -1);
    assert_int_equal(bench.err.code, GL_E_NOT_FOUND);
    assert_int_equal(said.length, 0);
}

static void a_document_of_its_own_machine_is_bound(void **state)
{
    struct gl_instance made = gl_azure_bench_start(&bench, "Standard_B1s");
    struct gl_launch_row row = row_of("swedencentral", made.id);
    struct gl_identity identity = signed_for(FAKE_AZURE_VM_ID);

    (void)state;
    assert_int_equal(gl_place_bind(&row, bench.cloud, &identity, &bench.err), 0);
    assert_string_equal(identity.instance, "gl-4k2p9x-1");
    assert_string_equal(identity.region, ""); /* nobody signed it */
}

static void that_of_another_is_left_to_contradict(void **state)
{
    struct gl_instance made = gl_azure_bench_start(&bench, "Standard_B1s");
    struct gl_launch_row row = row_of("swedencentral", made.id);
    struct gl_identity identity = signed_for("11111111-74ef-476e-8182-f6d2ba4166a6");

    (void)state;
    assert_int_equal(gl_place_bind(&row, bench.cloud, &identity, &bench.err), 0);
    assert_string_equal(identity.instance, "11111111-74ef-476e-8182-f6d2ba4166a6");
}

static void another_region_than_the_launchs_is_told(void **state)
{
    struct gl_instance made = gl_azure_bench_start(&bench, "Standard_B1s");
    struct gl_launch_row row = row_of("westeurope", made.id);
    struct gl_identity identity = signed_for(FAKE_AZURE_VM_ID);

    (void)state;
    assert_int_equal(gl_place_bind(&row, bench.cloud, &identity, &bench.err), 0);
    assert_string_equal(identity.instance, "gl-4k2p9x-1");
    assert_string_equal(identity.region, "swedencentral");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_api_says_whose_id_it_is),
        CASE(a_document_of_its_own_machine_is_bound),
        CASE(that_of_another_is_left_to_contradict),
        CASE(another_region_than_the_launchs_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
