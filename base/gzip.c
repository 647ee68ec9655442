/* SPDX-License-Identifier: Apache-2.0 */
#include "base/gzip.h"

#include "base/str.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST /* what goes in is not changed */
#include <zlib.h>

#define WINDOW_GZIP (15 + 16) /* the largest window, in a gzip file */
#define MEMORY_MOST 9

bool gl_is_gzip(const void *bytes, size_t length)
{
    return length > 2 && memcmp(bytes, "\x1f\x8b", 2) == 0;
}

char *gl_gzip(const void *bytes, size_t length, size_t *out_length, struct gl_error *err)
{
    z_stream stream = {.next_in = bytes, .avail_in = (uInt)length};
    char *out;
    int got;

    if (length > INT_MAX) {
        gl_fail(err, GL_E_TOO_LARGE, "%zu bytes are too many to compress", length);
        return NULL;
    }
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, WINDOW_GZIP, MEMORY_MOST,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        gl_fail(err, GL_E_INTERNAL, "there is no memory to compress %zu bytes", length);
        return NULL;
    }
    stream.avail_out = (uInt)deflateBound(&stream, (uLong)length);
    out = gl_alloc(stream.avail_out);
    stream.next_out = (Bytef *)out;
    got = deflate(&stream, Z_FINISH); /* the bound leaves room for all of it */
    *out_length = stream.total_out;
    deflateEnd(&stream);
    if (got == Z_STREAM_END)
        return out;
    free(out);
    gl_fail(err, GL_E_INTERNAL, "%zu bytes cannot be compressed", length);
    return NULL;
}
