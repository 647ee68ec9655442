/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/output.h"

#include <stdlib.h>

#include "base/file.h"

static char *output_path(const struct gl_launcher *launcher, const char *launch)
{
    struct gl_str path = {0};

    gl_str_addf(&path, "%s/output/%s", launcher->state_folder, launch);
    return gl_str_take(&path);
}

static size_t kept_length(const struct gl_launcher *launcher, const char *launch)
{
    struct gl_guest_said kept;
    size_t length = gl_output_read(launcher, launch, &kept) ? kept.tail.length : 0;

    gl_guest_said_done(&kept);
    return length;
}

int gl_output_keep(const struct gl_launcher *launcher, const struct gl_guest_said *said,
                   struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = output_path(launcher, said->launch);
    GL_AUTO(gl_auto_free) char *folder = gl_path_join(launcher->state_folder, "output");
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    if (said->tail.length <= kept_length(launcher, said->launch))
        return 0;
    gl_guest_tail_line(said, &line);
    return gl_dir_make(folder, err) != 0 ? -1
                                         : gl_file_write(path, line.text, line.length, 0600, err);
}

bool gl_output_read(const struct gl_launcher *launcher, const char *launch,
                    struct gl_guest_said *out)
{
    GL_AUTO(gl_auto_free) char *path = output_path(launcher, launch);
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_error ignored = {0};
    size_t length;

    gl_guest_said_init(out, launch);
    if (gl_file_read(path, 2 * GL_GUEST_TAIL, &text, &length, &ignored) != 0)
        return false;
    gl_guest_said_feed(out, text, length);
    return out->tail.length > 0;
}
