/* SPDX-License-Identifier: Apache-2.0 */
/* Policies from a commit, so that a change cannot loosen the gate it goes through. */
#include <string.h>

#include "base/process.h"
#include "broker/cli/hook.h"

#define GIT_MS 30000

/* Names of commits and branches only: no option, no path, no range. */
int gl_hook_check_ref(const char *ref, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    if (ref[0] != '\0' && ref[0] != '-' && strpbrk(ref, ": \t\n\\?*[") == NULL &&
        strstr(ref, "..") == NULL)
        return 0;
    return gl_fail(err, GL_E_USAGE, "--policy-ref: \"%s\" is no name of a commit",
                   gl_text_show(ref, shown));
}

/* `cat-file` gives the blob as it is: no filter, no conversion. "./" stands for the folder we are
 * in. */
static int read_blob(void *cookie, const char *path, char **out, size_t *out_length,
                     struct gl_error *err)
{
    const char *const *ref = cookie;
    GL_AUTO(gl_str_done) struct gl_str object = {0};
    const char *argv[] = {"git", "cat-file", "blob", NULL, NULL};
    struct gl_str text = {.ceiling = GL_POLICY_MAX_BYTES + 1};
    int status = 0;

    if (path[0] == '/' || strcmp(path, "-") == 0)
        return gl_fail(err, GL_E_USAGE,
                       "%s: with --policy-ref policies, waivers and baselines are paths in the "
                       "repository, relative to this folder",
                       path);
    gl_str_addf(&object, "%s:./%s", *ref, path);
    argv[3] = gl_str_text(&object);
    if (gl_process_capture(argv, text.ceiling, GIT_MS, &text, &status, err) != 0) {
        gl_str_done(&text);
        err->code = GL_E_USAGE;
        return gl_wrap(err, "--policy-ref");
    }
    if (status != 0) {
        gl_str_done(&text);
        return gl_fail(err, GL_E_USAGE, "--policy-ref: git has no %s", gl_str_text(&object));
    }
    *out_length = text.length;
    *out = gl_str_take(&text);
    return 0;
}

struct gl_policy_source gl_hook_source_of(const char *const *ref)
{
    union {
        const char *const *in;
        void *out;
    } cookie = {.in = ref};

    return (struct gl_policy_source){cookie.out, read_blob};
}
