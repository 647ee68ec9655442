/* SPDX-License-Identifier: Apache-2.0 */
/* Which meter a machine is sent: never one for other processors. */
#include "broker/carried.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define X86 "https://meters.example/x86"
#define ARM "https://meters.example/arm"

static struct gl_error err;
static struct gl_carried_meter got;

static int pick(const struct gl_carried_meter *named, const char *cloud, const char *type,
                const char *arch)
{
    const struct gl_carried_type of = {cloud, type, arch};

    gl_error_clear(&err);
    got = (struct gl_carried_meter){.push = "not set"};
    return gl_carried_pick(named, &of, &got, &err);
}

static void each_machine_gets_its_own(void **state)
{
    const struct gl_carried_meter both = {.url = X86,
                                          .sha256 = "aa",
                                          .arm64_url = ARM,
                                          .arm64_sha256 = "bb",
                                          .gpu_url = "https://meters.example/gpu",
                                          .push = "https://here.example"};

    (void)state;
    assert_int_equal(pick(&both, "aws", "x9.huge", "x86_64"), 0);
    assert_string_equal(got.url, X86);
    assert_string_equal(got.sha256, "aa");
    assert_non_null(got.gpu_url);
    assert_null(got.arm64_url);
    assert_int_equal(pick(&both, "aws", "x9g.huge", "arm64"), 0);
    assert_string_equal(got.url, ARM);
    assert_string_equal(got.sha256, "bb");
    assert_null(got.gpu_url);
    assert_string_equal(got.push, "https://here.example");
}

/* Nobody told it: the table knows some, and the rest is what most machines are. */
static void a_type_that_is_not_told_is_looked_up(void **state)
{
    const struct gl_carried_meter both = {.url = X86, .arm64_url = ARM};

    (void)state;
    assert_int_equal(pick(&both, "hetzner", "cax11", ""), 0);
    assert_string_equal(got.url, ARM);
    assert_int_equal(pick(&both, "hetzner", "cx22", NULL), 0);
    assert_string_equal(got.url, X86);
    assert_int_equal(pick(&both, "openstack", "small", NULL), 0);
    assert_string_equal(got.url, X86);
}

static void one_for_others_is_not_sent(void **state)
{
    const struct gl_carried_meter x86 = {.url = X86, .sha256 = "aa"};
    const struct gl_carried_meter arm = {.arm64_path = "/opt/meter-arm64"};

    (void)state;
    assert_int_equal(pick(&x86, "gcp", "t2a-standard-2", "arm64"), -1);
    assert_int_equal(err.code, GL_E_USAGE);
    assert_non_null(strstr(err.text, "t2a-standard-2 is arm64"));
    assert_non_null(strstr(err.text, "arm64_url"));
    assert_non_null(strstr(err.text, "--arch x86_64"));
    assert_string_equal(got.push, "not set");
    assert_int_equal(pick(&arm, "gcp", "n2-standard-2", "x86_64"), -1);
    assert_non_null(strstr(err.text, "--arch arm64"));
    assert_int_equal(pick(&arm, "gcp", "t2a-standard-2", "arm64"), 0);
    assert_string_equal(got.path, "/opt/meter-arm64");
}

static void none_is_none(void **state)
{
    const struct gl_carried_meter only_push = {.push = "https://here.example"};

    (void)state;
    assert_false(gl_carried_is_any(NULL));
    assert_false(gl_carried_is_any(&only_push));
    assert_int_equal(pick(&only_push, "gcp", "t2a-standard-2", "arm64"), 0);
    assert_false(gl_carried_is_any(&got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_machine_gets_its_own),
        cmocka_unit_test(a_type_that_is_not_told_is_looked_up),
        cmocka_unit_test(one_for_others_is_not_sent),
        cmocka_unit_test(none_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
