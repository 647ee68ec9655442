/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that a plan was made from: where findings are shown, and what --fix changes. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/cli/hook.h"

int gl_hook_where_check(const char *given, struct gl_error *err)
{
    struct stat status;

    if (given == NULL || (stat(given, &status) == 0 && S_ISDIR(status.st_mode)))
        return 0;
    return gl_fail(err, GL_E_USAGE, "--repo-root %s is no folder", given);
}

void gl_hook_where_done(struct gl_hook_where *where)
{
    gl_tf_source_free(where->source);
    free(where->root);
    gl_arena_done(&where->arena);
}

/* ---- which folder ---- */

/* The part of `path` below `root`, both without links; NULL when it is not below. */
static const char *below(const char *root, const char *path)
{
    size_t length = strlen(root);

    if (strncmp(root, path, length) != 0)
        return NULL;
    if (length > 0 && root[length - 1] == '/')
        return path + length;
    if (path[length] == '\0')
        return path + length;
    return path[length] == '/' ? path + length + 1 : NULL;
}

/* Of the folder that the plan lies in, without links; fresh, NULL when there is none. */
static char *folder_of(const struct gl_hook_plan *plan)
{
    GL_AUTO(gl_auto_free) char *path = NULL;
    char *slash;

    if (strcmp(plan->file, "-") == 0)
        return realpath(".", NULL);
    path = gl_strdup(plan->file);
    slash = strrchr(path, '/');
    if (slash == NULL)
        return realpath(".", NULL);
    slash[slash == path] = '\0';
    return realpath(path, NULL);
}

/* What is given; else the current folder when the first plan lies in or below it, or has no
 * configuration beside it; else the plan's. */
static char *find_root(const struct gl_hook_where *where)
{
    char *here = realpath(where->given != NULL ? where->given : ".", NULL), *beside = NULL;
    struct gl_tf_source *source;

    if (where->given != NULL || here == NULL || where->plans->count == 0)
        return here;
    beside = folder_of(where->plans->items[0]);
    if (beside == NULL || below(here, beside) != NULL) {
        free(beside);
        return here;
    }
    source = gl_tf_source_open(beside);
    if (gl_tf_source_files(source) > 0) {
        free(here);
        here = beside;
    } else {
        free(beside);
    }
    gl_tf_source_free(source);
    return here;
}

static const struct gl_tf_source *source_of(struct gl_hook_where *where)
{
    if (where->source != NULL)
        return where->source;
    where->root = find_root(where);
    if (where->root == NULL)
        where->root = gl_strdup(".");
    where->source = gl_tf_source_open(where->root);
    return where->source;
}

/* ---- places ---- */

static const char *start_of(void *cookie, const struct gl_hook_plan *plan)
{
    struct gl_hook_where *where = cookie;
    GL_AUTO(gl_auto_free) char *folder = NULL;
    const char *start;

    if (where->last == plan)
        return where->start;
    folder = folder_of(plan);
    start = folder != NULL ? below(where->root, folder) : NULL;
    where->last = plan;
    where->start = start != NULL ? gl_arena_text(&where->arena, start, strlen(start)) : "";
    return where->start;
}

/* The plan itself, by its path below the root where it lies there. */
static const char *plan_place(struct gl_hook_where *where, const struct gl_hook_plan *plan)
{
    GL_AUTO(gl_auto_free) char *path = realpath(plan->file, NULL);
    const char *inside = path != NULL ? below(where->root, path) : NULL;

    return inside != NULL && *inside != '\0' ? gl_arena_text(&where->arena, inside, strlen(inside))
                                             : plan->file;
}

void gl_hook_locate(void *cookie, const struct gl_hook_plan *plan, const struct gl_intent *intent,
                    struct gl_source_place *place)
{
    struct gl_hook_where *where = cookie;
    const struct gl_tf_source *source = source_of(where);
    const struct gl_tf_source_block *block = NULL;

    if (intent != NULL && plan->reader != NULL && strcmp(plan->reader, "terraform") == 0)
        block = gl_tf_source_find(source, start_of(where, plan), intent->address);
    if (block != NULL)
        *place =
            (struct gl_source_place){gl_tf_source_file(source, block->file), block->line, true};
    else
        place->file = plan_place(where, plan);
}

/* ---- --fix ---- */

static void tell_variables(struct gl_context *context, const struct gl_hook_fix *fix)
{
    for (size_t i = 0; i < fix->variable_count; i++)
        gl_say(context, "or for one run: -var %s", fix->variables[i]);
}

int gl_hook_write_fix(struct gl_context *context, struct gl_hook_where *where,
                      const struct gl_hook_report *report, const char *file, struct gl_error *err)
{
    const struct gl_tf_source *source = source_of(where);
    struct gl_hook_fix fix = {0};
    int result = 0;

    gl_hook_fix_make(report, source, start_of, where, &fix);
    if (strcmp(file, "-") != 0) {
        result = gl_file_write_given(file, gl_str_text(&fix.patch), fix.patch.length, 0644, err);
    } else if (!context->globals.is_json) {
        gl_str_clear(&context->reply.text);
        gl_str_add_bytes(&context->reply.text, gl_str_text(&fix.patch), fix.patch.length);
        context->reply.is_document = true;
    }
    if (context->reply.data != NULL)
        json_object_set_new(context->reply.data, "fix",
                            json_pack("{s:o?,s:o}", "patch", json_string(gl_str_text(&fix.patch)),
                                      "variables", gl_words_json(fix.variables)));
    if (result == 0) {
        gl_say(context, "%s", report->headline);
        gl_say(context, "%zu place%s changed by the patch%s%s", fix.edit_count,
               fix.edit_count == 1 ? "" : "s", strcmp(file, "-") != 0 ? " in " : "",
               strcmp(file, "-") != 0 ? file : "");
        tell_variables(context, &fix);
    }
    gl_hook_fix_done(&fix);
    return result;
}
