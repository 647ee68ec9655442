/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_CREDENTIAL_FILE_H
#define GL_PROVIDERS_CREDENTIAL_FILE_H

/* Files that say who we are to a cloud. They name programs that are run and hosts that secrets are
 * sent to, so that one which others can write is refused, not read with a warning. */

#include "base/error.h"

struct gl_credential_file {
    const char *path;
    size_t ceiling;
    bool is_from_here; /* met in the working folder, not named by anybody: it must be ours or root's
                        */
};

/* All of it, with a NUL behind, in one fresh piece that never moved: wipe it and free it. IO with
 * sys (ENOENT), TOO_LARGE, CONFIG when others may write it. No text holds any of it. */
int gl_credential_file_read(const struct gl_credential_file *file, char **out, size_t *out_length,
                            struct gl_error *err);

#endif
