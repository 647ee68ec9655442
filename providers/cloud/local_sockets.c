/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "providers/cloud/local_task.h"

#include <stdio.h>
#include <unistd.h>

static const char *const names[] = {GL_LOCAL_CONTROL, GL_LOCAL_QMP};

static char *path_of(const struct gl_local_task *task, const char *name, const char *suffix)
{
    struct gl_str path = {0};

    gl_str_addf(&path, "%s/%s%s", task->folder, name, suffix);
    return gl_str_take(&path);
}

void gl_task_adopt_sockets(const struct gl_local_task *task)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        GL_AUTO(gl_auto_free) char *name = path_of(task, names[i], "");
        GL_AUTO(gl_auto_free) char *fresh = path_of(task, names[i], GL_LOCAL_NEW);
        GL_AUTO(gl_auto_free) char *old = path_of(task, names[i], GL_LOCAL_OLD);

        if (!gl_file_exists(fresh))
            continue;
        rename(name, old); /* whoever was killed here has done the first and not the second */
        rename(fresh, name);
    }
}

void gl_task_restore_sockets(const struct gl_local_task *task)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        GL_AUTO(gl_auto_free) char *name = path_of(task, names[i], "");
        GL_AUTO(gl_auto_free) char *old = path_of(task, names[i], GL_LOCAL_OLD);

        rename(old, name);
    }
}

void gl_task_clean(const struct gl_local_task *task)
{
    static const char *const suffixes[] = {GL_LOCAL_NEW, GL_LOCAL_OLD};
    GL_AUTO(gl_auto_free) char *note = gl_path_join(task->folder, GL_LOCAL_HOLD);

    unlink(note);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        for (size_t j = 0; j < sizeof names / sizeof *names; j++) {
            GL_AUTO(gl_auto_free) char *path = path_of(task, names[j], suffixes[i]);

            unlink(path);
        }
}
