/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_config.h"

#include "base/file.h"
#include "base/json.h"
#include "providers/cloud/local_initramfs.h"
#include "providers/cloud/local_kvm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HEX64  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define NOW_MS INT64_C(1789000000000)

static struct gl_world *world_of(const char *setting)
{
    static const char *environment[2];

    environment[0] = setting;
    return gl_world_fixed_new(NOW_MS, 7, environment);
}

static struct gl_launch sample(void)
{
    static const char *const command[] = {"openssl", "speed", NULL};

    return (struct gl_launch){.token = HEX64,
                              .launch_id = "gl-4k2p9x",
                              .region = "this-machine",
                              .type = "small",
                              .attempt = 1,
                              .expires = {1789003600},
                              .lease = {7200},
                              .enrol_token = HEX64,
                              .command = command};
}

/* The whole text, once; the entropy is the only thing that is not known before. */
static void test_text(void **state)
{
    const struct gl_guest_place place = {
        .vcpus = 2, .memory_mib = 512, .family = "epyc3", .has_payload = true};
    struct gl_world *world = world_of(NULL);
    struct gl_launch launch = sample();
    struct gl_error err = {0};
    char *text = gl_guest_config_text(&launch, &place, world, &err);
    static const char before[] =
        "{\"command\":[\"openssl\",\"speed\"],\"disk\":null,\"enrol\":\"" HEX64 "\",\"entropy\":\"";
    static const char after[] =
        "\",\"interval_ms\":10000,\"launch\":\"gl-4k2p9x\",\"lease_ms\":3600000,\"machine\":{"
        "\"baseline_permille\":1000,\"family\":\"epyc3\",\"gpu_count\":0,\"gpu_watts\":0,"
        "\"memory_mb\":536,\"threads_milli\":2000},\"network\":false,\"now_ms\":1789000000000,"
        "\"payload\":true,\"root\":null,\"user_data\":null,\"v\":1}";

    (void)state;
    assert_non_null(text);
    assert_memory_equal(text, before, sizeof before - 1);
    assert_string_equal(text + sizeof before - 1 + 128, after);
    free(text);
    gl_world_fixed_free(world);
}

/* Two guests of one snapshot must not get the same entropy. */
static void test_entropy_differs(void **state)
{
    const struct gl_guest_place place = {.vcpus = 1, .memory_mib = 256};
    struct gl_world *world = world_of(NULL);
    struct gl_launch launch = sample();
    struct gl_error err = {0};
    char *a = gl_guest_config_text(&launch, &place, world, &err);
    char *b = gl_guest_config_text(&launch, &place, world, &err);

    (void)state;
    assert_string_not_equal(a, b);
    free(a);
    free(b);
    gl_world_fixed_free(world);
}

static void test_refusals(void **state)
{
    const struct gl_guest_place place = {.vcpus = 1, .memory_mib = 256};
    static const char *const odd[] = {"\xff\xfe", NULL};
    struct gl_world *world = world_of(NULL);
    struct gl_launch launch = sample();
    struct gl_error err = {0};
    char *huge = gl_alloc(40000);

    (void)state;
    launch.enrol_token = "short";
    assert_null(gl_guest_config_text(&launch, &place, world, &err));
    assert_int_equal(err.code, GL_E_BAD_VALUE);
    assert_null(strstr(err.text, "short")); /* it is a secret */
    launch = sample();
    launch.command = odd;
    gl_error_clear(&err);
    assert_null(gl_guest_config_text(&launch, &place, world, &err));
    assert_int_equal(err.code, GL_E_BAD_VALUE);
    launch = sample();
    memset(huge, 'x', 39999);
    launch.user_data = huge;
    gl_error_clear(&err);
    assert_null(gl_guest_config_text(&launch, &place, world, &err));
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    free(huge);
    gl_world_fixed_free(world);
}

static void test_lease_that_is_over(void **state)
{
    const struct gl_guest_place place = {.vcpus = 1, .memory_mib = 256};
    struct gl_world *world = world_of(NULL);
    struct gl_launch launch = sample();
    struct gl_error err = {0};
    char *text;

    (void)state;
    launch.expires.unix_s = NOW_MS / 1000 - 5;
    text = gl_guest_config_text(&launch, &place, world, &err);
    assert_non_null(strstr(text, "\"lease_ms\":1,")); /* ends at once, is not refused */
    free(text);
    gl_world_fixed_free(world);
}

static void test_hello(void **state)
{
    static const char good[] = "{\"boot\":\"b\",\"command\":true,\"meter\":\"0123\","
                               "\"state\":\"exited\",\"status\":137,\"v\":1}";
    static const char *const bad[] = {"", "{}", "{\"state\":\"odd\",\"status\":1}",
                                      "{\"state\":\"ready\"}",
                                      "{\"state\":\"ready\",\"status\":999}"};
    struct gl_guest_hello hello;
    struct gl_error err = {0};
    int status;

    (void)state;
    assert_int_equal(gl_guest_hello_parse(good, sizeof good - 1, &hello, &err), 0);
    assert_string_equal(hello.state, "exited");
    assert_true(hello.has_command);
    assert_int_equal(hello.status, 137);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct gl_error why = {0};

        assert_int_equal(gl_guest_hello_parse(bad[i], strlen(bad[i]), &hello, &why), -1);
    }
    assert_int_equal(gl_guest_exit_parse("{\"status\":3}", 12, &status, &err), 0);
    assert_int_equal(status, 3);
    assert_int_equal(gl_guest_exit_parse("{\"status\":-3}", 13, &status, &err), -1);
}

static void test_cpu_family(void **state)
{
    (void)state;
    assert_null(gl_local_cpu_family(""));
    assert_null(gl_local_cpu_family("vendor_id\t: Nobody\ncpu family\t: 6\n"));
    assert_string_equal(gl_local_cpu_family("processor\t: 0\nvendor_id\t: AuthenticAMD\n"
                                            "cpu family\t: 25\nmodel\t\t: 1\n"
                                            "model name\t: AMD EPYC\nstepping\t: 1\n"),
                        "epyc3");
    assert_non_null(gl_local_cpu_family("vendor_id\t: GenuineIntel\ncpu family\t: 6\n"
                                        "model\t\t: 85\nstepping\t: 7"));
}

static void test_modules(void **state)
{
    const struct gl_initramfs_options plain = {0}, all = {true, true};

    (void)state;
    assert_true(gl_initramfs_wants("virtio_console.ko", &plain));
    assert_false(gl_initramfs_wants("virtio_net.ko", &plain));
    assert_false(gl_initramfs_wants("virtio_blk.ko", &plain));
    assert_true(gl_initramfs_wants("virtio_net.ko", &all));
    assert_true(gl_initramfs_wants("ext4.ko", &all));
}

/* Which accelerator: the user's word, then what was found out before on this boot. */
static void test_accelerator(void **state)
{
    const char *build = getenv("BUILD_DIR");
    struct gl_accel_choice choice;
    struct gl_error err = {0};
    struct gl_world *world;
    char folder[128];

    (void)state;
    snprintf(folder, sizeof folder, "%s/tmp/local_kvm_%ld", build ? build : "build",
             (long)getpid());
    assert_int_equal(gl_dir_make(folder, &err), 0);
    world = world_of("GREENLAUNCH_ACCEL=kvm");
    assert_int_equal(gl_accel_choose(world, folder, "/bin/sh", &choice, &err), 0);
    assert_string_equal(choice.first, "kvm");
    assert_false(choice.is_probe);
    gl_world_fixed_free(world);
    world = world_of("GREENLAUNCH_ACCEL=xen");
    assert_int_equal(gl_accel_choose(world, folder, "/bin/sh", &choice, &err), -1);
    assert_int_equal(err.code, GL_E_BAD_VALUE);
    gl_world_fixed_free(world);
    assert_int_equal(gl_kvm_recall(folder, "/bin/sh"), GL_KVM_UNKNOWN);
    gl_kvm_remember(folder, "/bin/sh", false);
    assert_int_equal(gl_kvm_recall(folder, "/bin/sh"), GL_KVM_FAILS);
    assert_int_equal(gl_kvm_recall(folder, "/bin/ls"), GL_KVM_UNKNOWN); /* another QEMU */
    world = world_of(NULL);
    gl_error_clear(&err);
    assert_int_equal(gl_accel_choose(world, folder, "/bin/sh", &choice, &err), 0);
    assert_string_equal(choice.first, "tcg");
    gl_kvm_remember(folder, "/bin/sh", true);
    assert_int_equal(gl_kvm_recall(folder, "/bin/sh"), GL_KVM_WORKS);
    gl_world_fixed_free(world);
    assert_int_equal(gl_dir_remove(folder, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),     cmocka_unit_test(test_entropy_differs),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_lease_that_is_over),
        cmocka_unit_test(test_hello),    cmocka_unit_test(test_cpu_family),
        cmocka_unit_test(test_modules),  cmocka_unit_test(test_accelerator),
    };

    return cmocka_run_group_tests_name("local_config", tests, NULL, NULL);
}
