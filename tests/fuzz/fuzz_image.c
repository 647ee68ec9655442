/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_image.h"
#include "providers/cloud/local_payload.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Files of the user that the local cloud takes apart: root file systems (tar, cpio) and programs.
 * Whatever they hold, every member that comes out lies below "image". */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void check_members(int fd, uint64_t length)
{
    uint64_t at = 0;

    for (;;) {
        char header[GL_NEWC_HEADER], name[GL_NEWC_NAME_MAX];
        struct gl_newc_member member;
        struct gl_error err = {0};

        demand(pread(fd, header, sizeof header, (off_t)at) == (ssize_t)sizeof header);
        demand(gl_newc_header_parse(header, &member, &err) == 0);
        demand(pread(fd, name, member.name_length, (off_t)(at + sizeof header)) ==
               (ssize_t)member.name_length);
        demand(name[member.name_length - 1] == '\0' && gl_newc_name_is_safe(name));
        if (strcmp(name, "TRAILER!!!") == 0)
            break;
        demand(strncmp(name, "image", 5) == 0 && (name[5] == '\0' || name[5] == '/'));
        at += sizeof header + member.name_length;
        at += gl_newc_padding(at) + member.size;
        at += gl_newc_padding(at);
        demand(at < length);
    }
}

static void convert(const struct gl_image *image)
{
    int fd = memfd_create("out", MFD_CLOEXEC);
    struct gl_error err = {0};
    struct gl_newc archive;

    gl_newc_init(&archive, fd, (uint64_t)1 << 20);
    if (gl_image_add_tree(image, &archive, &err) == 0 && gl_newc_finish(&archive, &err) == 0)
        check_members(fd, archive.length);
    else
        demand(err.code != GL_OK);
    close(fd);
}

static void look_at_program(const char *bytes, size_t size)
{
    char out[256] = "";
    bool is_script;

    if (gl_payload_interpreter(bytes, size, out, &is_script) == 1)
        demand(memchr(out, '\0', sizeof out) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *text = (const char *)bytes;
    struct gl_image image = {.fd = -1, .length = size};
    struct gl_error err = {0};

    look_at_program(text, size);
    gl_image_check_qcow2(text, size, &err);
    image.kind = gl_image_kind_of(text, size, NULL);
    if (image.kind != GL_IMAGE_TAR && image.kind != GL_IMAGE_CPIO)
        return 0;
    image.fd = memfd_create("in", MFD_CLOEXEC);
    demand(image.fd >= 0 && write(image.fd, bytes, size) == (ssize_t)size);
    convert(&image);
    gl_image_close(&image);
    return 0;
}
