/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/scratch.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void must(int result, const struct gl_error *err)
{
    if (result == 0)
        return;
    fprintf(stderr, "scratch: %s\n", err->text);
    abort();
}

char *scratch_make(const char *name)
{
    struct gl_str path = {0};
    struct gl_error err = {0};

    gl_str_addf(&path, "build/tmp/%s-%d", name, (int)getpid());
    must(gl_dir_remove(gl_str_text(&path), &err), &err);
    must(gl_dir_make(gl_str_text(&path), &err), &err);
    return gl_str_take(&path);
}

void scratch_remove(char *folder)
{
    struct gl_error err = {0};

    must(gl_dir_remove(folder, &err), &err);
    free(folder);
}
