/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_image.h"
#include "providers/cloud/local_tar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static int memory_file(void)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static void sign(char block[GL_TAR_BLOCK])
{
    unsigned sum = 0;

    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < GL_TAR_BLOCK; i++)
        sum += (unsigned char)block[i];
    snprintf(block + 148, 8, "%06o", sum);
}

/* Append a ustar member. */
static void put(int fd, const char *name, char type, const char *link, const char *data)
{
    char block[GL_TAR_BLOCK] = {0}, body[GL_TAR_BLOCK] = {0};
    size_t length = strlen(data);

    assert_true(length <= sizeof body);
    snprintf(block, 100, "%s", name);
    memcpy(block + 100, "0000755\0000001750\0000001751\0", 24);
    snprintf(block + 124, 12, "%08o", (unsigned)length & 07777);
    memcpy(block + 136, "00000000007", 12);
    block[156] = type;
    snprintf(block + 157, 100, "%s", link);
    memcpy(block + 257, "ustar\00000", 8);
    sign(block);
    assert_int_equal(write(fd, block, sizeof block), sizeof block);
    memcpy(body, data, length);
    if (length > 0)
        assert_int_equal(write(fd, body, sizeof body), sizeof body);
}

static void finish(int fd)
{
    static const char zeros[2 * GL_TAR_BLOCK];

    assert_int_equal(write(fd, zeros, sizeof zeros), sizeof zeros);
}

struct seen {
    struct gl_newc_member member;
    char name[256];
    char data[64];
};

/* The members of a cpio archive. */
static size_t read_back(int fd, struct seen *out, size_t capacity)
{
    uint64_t at = 0;
    size_t count = 0;

    for (;;) {
        char header[GL_NEWC_HEADER];
        struct gl_error err = {0};
        struct seen *seen = &out[count];

        assert_true(count < capacity);
        memset(seen, 0, sizeof *seen);
        assert_int_equal(pread(fd, header, sizeof header, (off_t)at), sizeof header);
        assert_int_equal(gl_newc_header_parse(header, &seen->member, &err), 0);
        assert_int_equal(
            pread(fd, seen->name, seen->member.name_length, (off_t)(at + sizeof header)),
            seen->member.name_length);
        at += sizeof header + seen->member.name_length +
              gl_newc_padding(sizeof header + seen->member.name_length);
        if (strcmp(seen->name, "TRAILER!!!") == 0)
            return count;
        assert_int_equal(pread(fd, seen->data, seen->member.size, (off_t)at), seen->member.size);
        at += seen->member.size + gl_newc_padding(seen->member.size);
        count++;
    }
}

static int convert(int tar, int to, struct gl_error *err)
{
    struct gl_newc archive;
    int got;

    gl_newc_init(&archive, to, 1 << 20);
    got = gl_tar_to_cpio(tar, "image", &archive, err);
    return got == 0 ? gl_newc_finish(&archive, err) : got;
}

static void test_tree(void **state)
{
    int tar = memory_file(), cpio = memory_file();
    struct gl_error err = {0};
    struct seen seen[8];

    (void)state;
    put(tar, "./", '5', "", "");
    put(tar, "./bin/", '5', "", "");
    put(tar, "./bin/sh", '0', "", "program");
    put(tar, "./bin/ash", '1', "bin/sh", "");
    put(tar, "/etc/link", '2', "../bin/sh", "");
    finish(tar);
    assert_int_equal(convert(tar, cpio, &err), 0);
    assert_int_equal(read_back(cpio, seen, 8), 4);
    assert_string_equal(seen[0].name, "image/bin");
    assert_int_equal(seen[0].member.mode, S_IFDIR | 0755);
    assert_string_equal(seen[1].name, "image/bin/sh");
    assert_string_equal(seen[1].data, "program");
    assert_int_equal(seen[1].member.uid, 01750);
    assert_int_equal(seen[1].member.gid, 01751);
    assert_int_equal(seen[1].member.mtime, 7);
    assert_int_equal(seen[1].member.nlink, 2);
    assert_string_equal(seen[2].name, "image/bin/ash");
    assert_int_equal(seen[2].member.ino, seen[1].member.ino); /* so the kernel links them */
    assert_int_equal(seen[2].member.nlink, 2);
    assert_int_equal(seen[2].member.size, 0);
    assert_int_equal(seen[3].member.mode, S_IFLNK | 0755);
    assert_string_equal(seen[3].data, "../bin/sh");
    assert_int_not_equal(seen[3].member.ino, seen[1].member.ino);
    close(tar);
    close(cpio);
}

static void test_long_names(void **state)
{
    int tar = memory_file(), cpio = memory_file();
    struct gl_error err = {0};
    struct seen seen[4];
    char gnu[201], pax[240], value[181];

    (void)state;
    memset(gnu, 'g', sizeof gnu - 1);
    gnu[200] = '\0';
    memset(value, 'p', sizeof value - 1);
    value[180] = '\0';
    snprintf(pax, sizeof pax, "190 path=%s\n", value);
    assert_int_equal(strlen(pax), 190);
    put(tar, "././@LongLink", 'L', "", gnu);
    put(tar, "cut", '0', "", "one");
    put(tar, "./PaxHeaders/x", 'x', "", pax);
    put(tar, "cut", '0', "", "two");
    put(tar, "plain", '0', "", "three");
    finish(tar);
    assert_int_equal(convert(tar, cpio, &err), 0);
    assert_int_equal(read_back(cpio, seen, 4), 3);
    assert_string_equal(seen[0].name + 6, gnu);
    assert_string_equal(seen[1].name + 6, value);
    assert_string_equal(seen[1].data, "two");
    assert_string_equal(seen[2].name, "image/plain");
    close(tar);
    close(cpio);
}

static void expect_refused(int tar, const char *words)
{
    int cpio = memory_file();
    struct gl_error err = {0};

    assert_int_equal(convert(tar, cpio, &err), -1);
    assert_int_equal(err.code, GL_E_BAD_VALUE);
    assert_non_null(strstr(err.text, words));
    close(cpio);
    close(tar);
}

static void test_what_is_refused(void **state)
{
    char block[GL_TAR_BLOCK] = {0};
    int tar;

    (void)state;
    tar = memory_file();
    put(tar, "../../etc/passwd", '0', "", "x");
    finish(tar);
    expect_refused(tar, "cannot go into the guest");

    tar = memory_file();
    put(tar, "a", '1', "never/seen", "");
    finish(tar);
    expect_refused(tar, "hard link");

    tar = memory_file();
    put(tar, "sparse", 'S', "", "x");
    finish(tar);
    expect_refused(tar, "unsupported type S");

    tar = memory_file();
    put(tar, "fine", '0', "", "x");
    block[0] = 'x'; /* no checksum */
    assert_int_equal(write(tar, block, sizeof block), sizeof block);
    expect_refused(tar, "damaged at byte 1024");

    tar = memory_file();
    put(tar, "cut", '0', "", "some data");
    assert_int_equal(ftruncate(tar, GL_TAR_BLOCK + 4), 0);
    expect_refused(tar, "ends in the middle");

    tar = memory_file();
    put(tar, "x", 'x', "", "999 path=y\n");
    expect_refused(tar, "malformed");
}

static void test_kinds(void **state)
{
    char bytes[GL_IMAGE_LOOK] = {0};
    const char *unpacker = NULL;
    int tar = memory_file();

    (void)state;
    assert_int_equal(gl_image_kind_of(bytes, sizeof bytes, NULL), GL_IMAGE_UNKNOWN);
    memcpy(bytes + 1080, "\x53\xef", 2);
    assert_int_equal(gl_image_kind_of(bytes, sizeof bytes, NULL), GL_IMAGE_RAW);
    memcpy(bytes, "QFI\xfb", 4);
    assert_int_equal(gl_image_kind_of(bytes, sizeof bytes, NULL), GL_IMAGE_QCOW2);
    memcpy(bytes, "070701", 6);
    assert_int_equal(gl_image_kind_of(bytes, sizeof bytes, NULL), GL_IMAGE_CPIO);
    memcpy(bytes, "\x1f\x8b", 2);
    assert_int_equal(gl_image_kind_of(bytes, sizeof bytes, &unpacker), GL_IMAGE_PACKED);
    assert_string_equal(unpacker, "gzip");
    put(tar, "a", '0', "", "");
    assert_int_equal(pread(tar, bytes, GL_TAR_BLOCK, 0), GL_TAR_BLOCK);
    assert_int_equal(gl_image_kind_of(bytes, GL_TAR_BLOCK, NULL), GL_IMAGE_TAR);
    assert_int_equal(gl_image_kind_of("", 0, NULL), GL_IMAGE_UNKNOWN);
    close(tar);
}

static void test_qcow2_that_names_a_file(void **state)
{
    char bytes[GL_IMAGE_LOOK] = "QFI\xfb\0\0\0\3";
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_image_check_qcow2(bytes, sizeof bytes, &err), 0);
    bytes[15] = 1; /* backing_file_offset */
    assert_int_equal(gl_image_check_qcow2(bytes, sizeof bytes, &err), -1);
    assert_non_null(strstr(err.text, "qemu-img convert"));
    gl_error_clear(&err);
    bytes[15] = 0;
    bytes[79] = 4; /* external data file */
    assert_int_equal(gl_image_check_qcow2(bytes, sizeof bytes, &err), -1);
    gl_error_clear(&err);
    bytes[7] = 2; /* version 2 has no such field */
    assert_int_equal(gl_image_check_qcow2(bytes, sizeof bytes, &err), 0);
    assert_int_equal(gl_image_check_qcow2(bytes, 50, &err), -1);
}

/* A cpio image gets the prefix; nothing else changes. */
static void test_cpio_image(void **state)
{
    int from = memory_file(), to = memory_file();
    struct gl_image image = {.kind = GL_IMAGE_CPIO, .fd = from};
    struct gl_error err = {0};
    struct gl_newc archive;
    struct seen seen[6];

    (void)state;
    gl_newc_init(&archive, from, 1 << 20);
    assert_int_equal(gl_newc_add_folder(&archive, "etc", &err), 0);
    assert_int_equal(gl_newc_add(&archive, "./etc/x", S_IFREG | 0600, "abc", 3, &err), 0);
    assert_int_equal(gl_newc_finish(&archive, &err), 0);
    gl_newc_init(&archive, to, 1 << 20);
    assert_int_equal(gl_image_add_tree(&image, &archive, &err), 0);
    assert_int_equal(gl_newc_finish(&archive, &err), 0);
    assert_int_equal(read_back(to, seen, 6), 3);
    assert_string_equal(seen[0].name, "image");
    assert_string_equal(seen[2].name, "image/etc/x");
    assert_string_equal(seen[2].data, "abc");
    close(to);
    assert_int_equal(ftruncate(from, 300), 0);
    to = memory_file();
    gl_newc_init(&archive, to, 1 << 20);
    assert_int_equal(gl_image_add_tree(&image, &archive, &err), -1);
    assert_int_equal(err.code, GL_E_BAD_VALUE);
    close(to);
    close(from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_qcow2_that_names_a_file),
        cmocka_unit_test(test_cpio_image),
    };

    return cmocka_run_group_tests_name("local_tar", tests, NULL, NULL);
}
