/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_payload.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static void test_interpreter_of_scripts(void **state)
{
    static const struct {
        const char *head, *interpreter;
    } rows[] = {
        {"#!/bin/sh\necho", "/bin/sh"},
        {"#! /usr/bin/env python3\n", "/usr/bin/env"},
        {"#!/bin/sh", "/bin/sh"},
        {"#!relative\n", NULL},
        {"#!\n", NULL},
        {"# no script", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[256] = "";
        bool is_script;
        int got = gl_payload_interpreter(rows[i].head, strlen(rows[i].head), out, &is_script);

        assert_int_equal(got, rows[i].interpreter != NULL);
        if (got == 1)
            assert_string_equal(out, rows[i].interpreter);
    }
}

static void test_interpreter_of_elf(void **state)
{
    static const char loader[] = "/lib64/ld-linux-x86-64.so.2";
    char head[512] = {0}, out[256];
    Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64},
                         .e_phoff = 64,
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = 2};
    Elf64_Phdr program = {.p_type = PT_INTERP, .p_offset = 300, .p_filesz = sizeof loader};
    bool is_script;

    (void)state;
    memcpy(head, &header, sizeof header);
    memcpy(head + 64 + sizeof program, &program, sizeof program);
    memcpy(head + 300, loader, sizeof loader);
    assert_int_equal(gl_payload_interpreter(head, sizeof head, out, &is_script), 1);
    assert_false(is_script);
    assert_string_equal(out, loader);
    /* Every cut and every lie about a place must be survived. */
    for (size_t length = 0; length < sizeof head; length++)
        gl_payload_interpreter(head, length, out, &is_script);
    program.p_offset = UINT64_MAX - 4;
    memcpy(head + 64 + sizeof program, &program, sizeof program);
    assert_int_equal(gl_payload_interpreter(head, sizeof head, out, &is_script), 0);
    header.e_phoff = UINT64_MAX - 8;
    memcpy(head, &header, sizeof header);
    assert_int_equal(gl_payload_interpreter(head, sizeof head, out, &is_script), 0);
}

static void test_list_of_libraries(void **state)
{
    struct gl_payload payload = {.count = 0};
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_payload_parse_list(&payload,
                                           "\tlinux-vdso.so.1 (0x00007ffd)\n"
                                           "\tlibssl.so.3 => /lib/x/libssl.so.3 (0x00007f)\n"
                                           "\tlibc.so.6 => /lib/x/libc.so.6 (0x00007f)\n"
                                           "\t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n"
                                           "\tlibc.so.6 => /lib/x/libc.so.6 (0x00007f)\n"
                                           "\tstatically linked\n",
                                           "p", &err),
                     0);
    assert_int_equal(payload.count, 3);
    assert_string_equal(payload.paths[0], "/lib/x/libssl.so.3");
    assert_string_equal(payload.paths[2], "/lib64/ld-linux-x86-64.so.2");
    assert_int_equal(gl_payload_parse_list(&payload, "\tlibodd.so.9 => not found\n", "prog", &err),
                     -1);
    assert_int_equal(err.code, GL_E_BAD_VALUE);
    assert_non_null(strstr(err.text, "prog needs the library libodd.so.9"));
    gl_payload_done(&payload);
}

static bool is_library(const char *path)
{
    return strncmp(path, "/lib", 4) == 0 || strncmp(path, "/usr/lib", 8) == 0;
}

static void test_real_program(void **state)
{
    struct gl_payload payload = {.count = 0};
    struct gl_error err = {0};
    uint64_t all, without;
    int fd = memfd_create("test", MFD_CLOEXEC);
    bool has_libc = false;

    (void)state;
    assert_int_equal(gl_payload_add_program(&payload, "/bin/ls", &err), 0);
    assert_string_equal(payload.paths[0], "/bin/ls");
    for (size_t i = 0; i < payload.count; i++)
        has_libc |= strstr(payload.paths[i], "/libc.so.6") != NULL;
    assert_true(has_libc);
    assert_int_equal(gl_payload_write(&payload, NULL, NULL, fd, &all, &err), 0);
    assert_int_equal(gl_payload_write(&payload, NULL, is_library, fd, &without, &err), 0);
    assert_true(all > without + 1000000);
    gl_payload_done(&payload);
    close(fd);
}

static enum gl_errc refused_program(const char *bytes, const char *says)
{
    static const char path[] = "build/tmp/test_local_payload";
    const char *const programs[] = {path, NULL};
    FILE *file = fopen(path, "we");
    struct gl_error err = {0};
    int got;

    assert_non_null(file);
    fputs(bytes, file);
    fclose(file);
    got = gl_payload_check(programs, NULL, &err);
    unlink(path);
    if (got != 0 && strstr(err.text, says) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, says);
    return err.code;
}

static void test_no_program(void **state)
{
    static const char *const folder[] = {"/etc", NULL}, *const file[] = {"Makefile:/m", NULL},
                             *const none[] = {"no-such:/m", NULL};
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(refused_program("hello", "is no program: neither ELF"), GL_E_BAD_VALUE);
    assert_int_equal(refused_program("", "is no program"), GL_E_BAD_VALUE);
    assert_int_equal(refused_program("#!sh\n", "is no program"), GL_E_BAD_VALUE);
    assert_int_equal(refused_program("#!/etc/hostname\n", "/etc/hostname is no program"),
                     GL_E_BAD_VALUE);
    assert_int_equal(refused_program("#!/bin/sh\n", ""), GL_OK);
    assert_int_equal(gl_payload_check(folder, NULL, &err), -1);
    assert_string_equal(err.text, "/etc is no program but a folder");
    assert_int_equal(gl_payload_check(NULL, none, &err), -1);
    assert_int_equal(gl_payload_check(NULL, file, &err), 0);
}

static void test_errors(void **state)
{
    static const char *const bad[][2] = {{"Makefile:relative", NULL},
                                         {"Makefile", NULL},
                                         {":/x", NULL},
                                         {"no-such-file:/x", NULL},
                                         {"Makefile:/../x", NULL}};
    struct gl_payload payload = {.count = 0};
    int fd = memfd_create("test", MFD_CLOEXEC);
    uint64_t length;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct gl_error err = {0};

        assert_int_equal(gl_payload_write(&payload, bad[i], NULL, fd, &length, &err), -1);
        assert_true(err.code == GL_E_BAD_VALUE || err.code == GL_E_USAGE);
    }
    struct gl_error err = {0};

    assert_int_equal(gl_payload_add_program(&payload, "no-such-program-anywhere", &err), -1);
    assert_non_null(strstr(err.text, "no-such-program-anywhere"));
    gl_payload_done(&payload);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interpreter_of_scripts),
        cmocka_unit_test(test_interpreter_of_elf),
        cmocka_unit_test(test_list_of_libraries),
        cmocka_unit_test(test_real_program),
        cmocka_unit_test(test_no_program),
        cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests_name("local_payload", tests, NULL, NULL);
}
