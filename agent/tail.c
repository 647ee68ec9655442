/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/tail.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file may grow or shrink meanwhile: as many bytes as there are. */
static ssize_t read_from(int fd, off_t at, char *out, size_t size)
{
    size_t length = 0;
    ssize_t got = 1;

    while (got > 0 && length < size) {
        do
            got = pread(fd, out + length, size - length, at + (off_t)length);
        while (got < 0 && errno == EINTR);
        length += got > 0 ? (size_t)got : 0;
    }
    return got < 0 ? -1 : (ssize_t)length;
}

int gl_tail_read(const char *path, struct gl_tail *out, struct gl_error *err)
{
    /* O_NONBLOCK: a FIFO must be refused, not waited for. */
    GL_AUTO(gl_auto_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat info;
    off_t start;
    ssize_t length;

    if (fd < 0 || fstat(fd, &info) != 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open %s", path);
    if (!S_ISREG(info.st_mode))
        return gl_fail(err, GL_E_IO, "%s is no regular file", path);
    start = info.st_size > (off_t)GL_TAIL_BYTES ? info.st_size - (off_t)GL_TAIL_BYTES : 0;
    length = read_from(fd, start, out->bytes, sizeof out->bytes);
    if (length < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot read %s", path);
    out->length = (size_t)length;
    out->is_cut = start > 0;
    return 0;
}

/* The signed text stands in the line itself: its last brace gives way to the rest. */
size_t gl_tail_line(const char *launch, const struct gl_tail *tail, const struct gl_secret_key *key,
                    const struct gl_public_key *public_key, char out[GL_TAIL_LINE_MAX])
{
    char key_hex[2 * GL_KEY_BYTES + 1], base64[4 * ((GL_SIGNATURE_BYTES + 2) / 3) + 1];
    struct gl_signature signature;
    char *text = out + strlen("GLO1 "), *end;

    end = out + snprintf(out, GL_TAIL_LINE_MAX,
                         "GLO1 {\"cut\":%s,\"key\":\"%s\",\"launch\":\"%.63s\",\"output\":\"",
                         tail->is_cut ? "true" : "false",
                         gl_hex_text(public_key->bytes, sizeof public_key->bytes, key_hex), launch);
    gl_base64_text(tail->bytes, tail->length, end);
    end += strlen(end);
    *end++ = '"';
    *end++ = '}';
    gl_sign(key, text, (size_t)(end - text), &signature);
    gl_base64_text(signature.bytes, sizeof signature.bytes, base64);
    end--;
    end +=
        snprintf(end, GL_TAIL_LINE_MAX - (size_t)(end - out), ",\"sig\":\"%s\",\"v\":1}\n", base64);
    return (size_t)(end - out);
}
