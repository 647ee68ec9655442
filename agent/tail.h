/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_TAIL_H
#define GL_AGENT_TAIL_H

/* The last of what a command printed, signed as the batches are: for a machine whose console nobody
 * sees. What was printed before is not kept. */

#include "base/sign.h"

#define GL_TAIL_BYTES    ((size_t)16 << 10)
#define GL_TAIL_LINE_MAX (4 * ((GL_TAIL_BYTES + 2) / 3) + 512)

struct gl_tail {
    size_t length;
    bool is_cut; /* more went before */
    char bytes[GL_TAIL_BYTES];
};

/* The end of a regular file, which somebody may be writing. Errors: IO. */
int gl_tail_read(const char *path, struct gl_tail *out, struct gl_error *err);
/* The signature covers the line's first four members:
 * "GLO1 {"cut":BOOL,"key":HEX,"launch":ID,"output":BASE64,"sig":BASE64,"v":1}\n". Returns the
 * length. */
size_t gl_tail_line(const char *launch, const struct gl_tail *tail, const struct gl_secret_key *key,
                    const struct gl_public_key *public_key, char out[GL_TAIL_LINE_MAX]);

#endif
