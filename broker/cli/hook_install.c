/* SPDX-License-Identifier: Apache-2.0 */
/* hook install: a place's file with our block in it, shown, agreed to, written. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/cli/hook.h"
#include "broker/cli/hook_install.h"
#include "broker/cli/setup.h"

#define FILE_MAX_BYTES ((size_t)4 << 20)
#define POLICY         "policy.yaml"

static int fail_place(const char *word, struct gl_error *err)
{
    const char *const *names = gl_hook_place_names();
    GL_AUTO(gl_str_done) struct gl_str known = {0};
    char shown[GL_TEXT_SHOWN];

    for (size_t i = 0; names[i] != NULL; i++)
        gl_str_addf(&known, "%s%s", i > 0 ? ", " : "", names[i]);
    if (word == NULL)
        return gl_fail(err, GL_E_USAGE, "hook install needs a place: %s", gl_str_text(&known));
    return gl_fail(err, GL_E_USAGE, "hook install knows no \"%s\"; it knows %s",
                   gl_text_show(word, shown), gl_str_text(&known));
}

/* It is written into scripts and YAML: nothing that means something there. */
static int policy_of(const struct gl_context *context, const char **out, struct gl_error *err)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-";
    const char *policy =
        context->globals.policies.count > 0 ? context->globals.policies.items[0] : POLICY;

    if (context->globals.policies.count > 1)
        return gl_fail(err, GL_E_USAGE, "hook install takes one --policy; it may include others");
    if (policy[0] == '\0' || policy[0] == '/' || policy[0] == '-' ||
        policy[strspn(policy, plain)] != '\0')
        return gl_fail(err, GL_E_USAGE,
                       "hook install: the policy is a path in the repository, of letters, digits "
                       "and . _ - /");
    *out = policy;
    return 0;
}

/* The folders on the way, then the file itself: what is shown is what is written, and there. */
static int check_links(const char *path, struct gl_error *err)
{
    const char *slash = path;

    while (slash != NULL) {
        GL_AUTO(gl_str_done) struct gl_str part = {0};
        struct stat status;

        slash = strchr(slash, '/');
        gl_str_add_bytes(&part, path, slash != NULL ? (size_t)(slash++ - path) : strlen(path));
        if (lstat(gl_str_text(&part), &status) == 0 && S_ISLNK(status.st_mode))
            return gl_fail(err, GL_E_USAGE, "%s is a link, and %s; change what it points to",
                           gl_str_text(&part),
                           slash != NULL ? "the file would be written elsewhere"
                                         : "would be replaced by a file");
    }
    return 0;
}

static int read_text(const char *path, char **out, struct gl_error *err)
{
    size_t length;

    if (check_links(path, err) != 0)
        return -1;
    if (gl_file_read(path, FILE_MAX_BYTES, out, &length, err) != 0) {
        if (err->code != GL_E_IO || err->sys != ENOENT)
            return -1;
        gl_error_clear(err);
        *out = gl_strdup("");
        return 0;
    }
    if (strlen(*out) == length)
        return 0;
    free(*out);
    *out = NULL;
    return gl_fail(err, GL_E_USAGE, "%s is no text file", path);
}

static int write_change(struct gl_context *context, const struct gl_hook_place_row *row,
                        struct gl_config_edit *edit, struct gl_error *err)
{
    struct stat before;
    int status;

    if (stat(row->path, &before) == 0)
        edit->mode = before.st_mode & 0777; /* it is somebody else's */
    status = gl_setup_write(context, row->path, edit, err);

    if (status != GL_EXIT_OK)
        return status;
    if (edit->text.length == 0 && edit->removed.length > 0 && gl_file_exists(row->path) &&
        unlink(row->path) != 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot remove %s", row->path);
    return GL_EXIT_OK;
}

int gl_hook_install(struct gl_context *context, const struct gl_hook_values *values,
                    const struct gl_operands *operands, struct gl_error *err)
{
    const char *word = operands->count > 1 ? operands->words[1] : NULL, *policy = NULL;
    const struct gl_hook_place_row *row = word != NULL ? gl_hook_place_named(word) : NULL;
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_config_edit edit = {0};
    int status = -1;

    if (row == NULL || operands->count > 2)
        return fail_place(row == NULL ? word : operands->words[2], err);
    if (policy_of(context, &policy, err) != 0 || read_text(row->path, &text, err) != 0)
        return -1;
    if (gl_hook_place_edit(row, text, values->uninstalls ? NULL : policy, &edit, err) == 0)
        status = write_change(context, row, &edit, err);
    gl_config_edit_done(&edit);
    if (status == GL_EXIT_OK && !values->uninstalls && row->next != NULL)
        gl_say(context, "still to do: %s", row->next);
    return status;
}
