/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_GZIP_H
#define GL_BASE_GZIP_H

/* Compressing whole buffers; inflating is what base/feed.h does. Source: RFC 1952. */

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

bool gl_is_gzip(const void *bytes, size_t length);
/* The bytes as a gzip file, without time or name: the same bytes always give the same file. The
 * caller frees it. NULL: TOO_LARGE (over 2 GiB), INTERNAL (no memory). */
char *gl_gzip(const void *bytes, size_t length, size_t *out_length, struct gl_error *err);

#endif
