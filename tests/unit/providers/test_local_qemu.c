/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_qemu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct gl_qemu_plan sample(void)
{
    return (struct gl_qemu_plan){.program = "/usr/bin/qemu-system-x86_64",
                                 .launch_id = "gl-4k2p9x",
                                 .tag = "01234567-89ab-8def-8123-456789abcdef",
                                 .accel = "tcg",
                                 .vcpus = 2,
                                 .memory_mib = 512,
                                 .kernel_fd = 11,
                                 .initrd_fd = 12,
                                 .console_fd = 13,
                                 .control_fd = 14,
                                 .qmp_fd = 15,
                                 .disk_fd = -1,
                                 .incoming_fd = -1};
}

/* The word after `option`, NULL when the option is not there. */
static const char *value_of(const struct gl_qemu_arguments *arguments, const char *option)
{
    for (size_t i = 0; i + 1 < arguments->count; i++)
        if (strcmp(arguments->words[i], option) == 0)
            return arguments->words[i + 1];
    return NULL;
}

static bool has_word(const struct gl_qemu_arguments *arguments, const char *word)
{
    for (size_t i = 0; i < arguments->count; i++)
        if (strcmp(arguments->words[i], word) == 0)
            return true;
    return false;
}

static void test_plain(void **state)
{
    struct gl_qemu_plan plan = sample();
    struct gl_qemu_arguments made;

    (void)state;
    gl_qemu_arguments_make(&plan, &made);
    assert_null(made.words[made.count]);
    assert_string_equal(made.words[0], plan.program);
    assert_string_equal(value_of(&made, "-name"), "greenlaunch-gl-4k2p9x");
    assert_string_equal(value_of(&made, "-uuid"), plan.tag);
    assert_string_equal(value_of(&made, "-accel"), "tcg,tb-size=32");
    assert_string_equal(value_of(&made, "-m"), "512");
    assert_string_equal(value_of(&made, "-smp"), "2");
    assert_string_equal(value_of(&made, "-kernel"), "/proc/self/fd/11");
    assert_string_equal(value_of(&made, "-initrd"), "/proc/self/fd/12");
    assert_true(has_word(&made, "fd=13,set=1"));
    assert_true(has_word(&made, "socket,id=control,fd=14,server=on,wait=off"));
    assert_true(has_word(&made, "socket,id=qmp,fd=15,server=on,wait=off"));
    assert_null(value_of(&made, "-incoming"));
    assert_null(value_of(&made, "-drive"));
    assert_null(value_of(&made, "-netdev")); /* no network unless asked for */
    gl_qemu_arguments_done(&made);
}

/* What keeps a broken-out guest small must never be lost by accident. */
static void test_confined(void **state)
{
    struct gl_qemu_plan plan = sample();
    struct gl_qemu_arguments made;

    (void)state;
    plan.has_network = true;
    plan.disk_fd = 16;
    gl_qemu_arguments_make(&plan, &made);
    assert_string_equal(value_of(&made, "-sandbox"),
                        "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
    assert_true(has_word(&made, "-nodefaults"));
    assert_true(has_word(&made, "-no-user-config"));
    assert_string_equal(value_of(&made, "-display"), "none");
    for (size_t i = 1; i < made.count; i++) /* no path of ours, no listening port */
        assert_true(strchr(made.words[i], '/') == NULL ||
                    strstr(made.words[i], "/proc/self/fd/") != NULL ||
                    strstr(made.words[i], "/dev/fdset/") != NULL);
    gl_qemu_arguments_done(&made);
}

static void test_variants(void **state)
{
    struct gl_qemu_plan plan = sample();
    struct gl_qemu_arguments made;

    (void)state;
    plan.accel = "kvm";
    plan.has_network = true;
    plan.incoming_fd = 17;
    plan.disk_fd = 16;
    gl_qemu_arguments_make(&plan, &made);
    assert_string_equal(value_of(&made, "-accel"), "kvm");
    assert_string_equal(value_of(&made, "-cpu"), "host");
    assert_string_equal(value_of(&made, "-incoming"), "fd:17");
    assert_string_equal(made.words[made.count - 1], "fd:17"); /* it goes on by itself */
    assert_string_equal(value_of(&made, "-netdev"), "user,id=net0,ipv6=off");
    assert_string_equal(value_of(&made, "-drive"),
                        "file=/dev/fdset/2,format=raw,if=virtio,snapshot=on");
    gl_qemu_arguments_done(&made);
    plan.is_disk_qcow2 = true;
    gl_qemu_arguments_make(&plan, &made);
    assert_non_null(strstr(value_of(&made, "-drive"), "format=qcow2"));
    gl_qemu_arguments_done(&made);
    /* one that has booted needs no initrd, and one that arrives waits for the word */
    plan.initrd_fd = -1;
    plan.waits = true;
    gl_qemu_arguments_make(&plan, &made);
    assert_null(value_of(&made, "-initrd"));
    assert_non_null(value_of(&made, "-kernel"));
    assert_string_equal(made.words[made.count - 1], "-S");
    gl_qemu_arguments_done(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_confined),
        cmocka_unit_test(test_variants),
    };

    return cmocka_run_group_tests_name("local_qemu", tests, NULL, NULL);
}
