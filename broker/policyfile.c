/* SPDX-License-Identifier: Apache-2.0 */
/* Policy files from disk: the only place where policy text meets the file system. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "broker/context.h"

/* Several --policy files are one policy that includes them all; its name as a file. */
static const char several_name[] = "--policy";

/* Texts of included files, kept until the parse returns. */
struct files {
    const struct gl_policy_source *source; /* NULL = the disk */
    const char *root;                      /* the file that includes them */
    char *texts[GL_POLICY_MAX_INCLUDES + 1];
    char *names[GL_POLICY_MAX_INCLUDES + 1];
    size_t count;
};

static void files_done(struct files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->texts[i]);
        free(files->names[i]);
    }
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct gl_str folder = {0};

    if (slash == NULL)
        return gl_strdup("");
    gl_str_add_bytes(&folder, path, slash == path ? 1 : (size_t)(slash - path));
    return gl_str_take(&folder);
}

static int read_policy(const struct gl_policy_source *source, const char *path, char **out,
                       size_t *out_length, struct gl_error *err)
{
    if (source != NULL)
        return source->read(source->cookie, path, out, out_length, err);
    return gl_file_read_given(path, GL_POLICY_MAX_BYTES, out, out_length, err);
}

static bool is_same_file(const char *name, const struct stat *file)
{
    struct stat other;

    return stat(name, &other) == 0 && other.st_dev == file->st_dev && other.st_ino == file->st_ino;
}

/* A file has one name, whatever ways lead to it: the one that it was first read by. */
static char *first_name(const struct files *files, char *name)
{
    const char *first = NULL;
    struct stat file;

    if (files->source != NULL || stat(name, &file) != 0 || !S_ISREG(file.st_mode))
        return name;
    if (is_same_file(files->root, &file))
        first = files->root;
    for (size_t i = 0; i < files->count && first == NULL; i++)
        if (is_same_file(files->names[i], &file))
            first = files->names[i];
    if (first == NULL)
        return name;
    free(name);
    return gl_strdup(first);
}

/* A relative include is taken from the folder of the file that names it. */
static int load(void *cookie, const char *from, const char *path, struct gl_view *out_text,
                const char **out_name, struct gl_error *err)
{
    struct files *files = cookie;
    bool is_named_by_user = strcmp(from, several_name) == 0;
    GL_AUTO(gl_auto_free) char *folder = folder_of(from);
    size_t length;

    if ((path[0] == '/' && !is_named_by_user) || strstr(path, "://") != NULL)
        return gl_fail(err, GL_E_INCLUDE, "\"%s\": only relative paths", path);
    if (files->count > GL_POLICY_MAX_INCLUDES)
        return gl_fail(err, GL_E_INCLUDE, "more than %d includes", GL_POLICY_MAX_INCLUDES);
    char *name = first_name(files, is_named_by_user ? gl_strdup(path) : gl_path_join(folder, path));
    char *text = NULL;
    if (read_policy(files->source, name, &text, &length, err) != 0) {
        free(name);
        return -1;
    }
    files->texts[files->count] = text;
    files->names[files->count++] = name;
    *out_text = (struct gl_view){text, length};
    *out_name = name;
    return 0;
}

static int add_waivers(const struct gl_policy_source *source, struct gl_policy *policy,
                       const char *path, struct gl_diagnostics *diagnostics, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    size_t length;

    if (read_policy(source, path, &text, &length, err) != 0)
        return gl_wrap(err, "waivers");
    if (gl_policy_add_waivers(policy, (struct gl_view){text, length}, path, diagnostics) == 0)
        return 0;
    *err = diagnostics->errors[0];
    return -1;
}

static struct gl_policy *read_one(const struct gl_policy_source *source, const char *path,
                                  const char *waivers, struct gl_diagnostics *out_diagnostics,
                                  struct gl_error *err)
{
    GL_AUTO(files_done) struct files files = {.source = source, .root = path};
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_policy_loader loader = {&files, load};
    struct gl_policy *policy;
    size_t length;

    if (read_policy(source, path, &text, &length, err) != 0)
        return NULL;
    policy = gl_policy_parse((struct gl_view){text, length},
                             strcmp(path, "-") == 0 ? "stdin" : path, &loader, out_diagnostics);
    if (policy == NULL) {
        *err = out_diagnostics->errors[0];
        return NULL;
    }
    if (waivers != NULL && add_waivers(source, policy, waivers, out_diagnostics, err) != 0) {
        gl_policy_free(policy);
        return NULL;
    }
    return policy;
}

struct gl_policy *gl_policy_read(const char *path, const char *waivers,
                                 struct gl_diagnostics *out_diagnostics, struct gl_error *err)
{
    return read_one(NULL, path, waivers, out_diagnostics, err);
}

/* One diagnostic is the command's own error; several are shown, and the error counts them. */
static void show_diagnostics(struct gl_context *context, const struct gl_diagnostics *diagnostics,
                             struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    char code[16];

    if (diagnostics->count < 2)
        return;
    err->pos = (struct gl_pos){0};
    snprintf(err->text, sizeof err->text, "%zu errors in the policy",
             diagnostics->count + diagnostics->beyond);
    if (!context->globals.is_json) {
        gl_diagnostics_text(diagnostics, context->columns, &text);
        fputs(gl_str_text(&text), stderr);
        return;
    }
    for (size_t i = 0; i < diagnostics->count; i++) {
        const struct gl_error *one = &diagnostics->errors[i];

        snprintf(code, sizeof code, "GL%04d", (int)one->code);
        gl_warn(context, code, "%s:%u:%u: %s", one->pos.file, one->pos.line, one->pos.column,
                one->text);
    }
}

static struct gl_policy *read_several(const struct gl_policy_source *source,
                                      const char *const *paths, size_t count,
                                      struct gl_diagnostics *diagnostics, struct gl_error *err)
{
    GL_AUTO(files_done) struct files files = {.source = source, .root = several_name};
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_policy_loader loader = {&files, load};
    struct gl_policy *policy;

    gl_str_add(&text, "greenlaunch: 1\ninclude:\n");
    for (size_t i = 0; i < count; i++) {
        if (strpbrk(paths[i], "'\n") != NULL) {
            gl_fail(err, GL_E_USAGE, "--policy: quotes and newlines in a name are not supported");
            return NULL;
        }
        gl_str_addf(&text, "  - file: '%s'\n", paths[i]);
    }
    policy = gl_policy_parse((struct gl_view){gl_str_text(&text), text.length}, several_name,
                             &loader, diagnostics);
    if (policy == NULL)
        *err = diagnostics->errors[0];
    return policy;
}

struct paths {
    const char *const *items;
    size_t count;
};

static struct paths policy_paths(const struct gl_context *context)
{
    const struct gl_option_list *given = &context->globals.policies;
    size_t configured = 0;

    if (given->count > 0)
        return (struct paths){given->items, given->count};
    while (context->config.policies[configured] != NULL)
        configured++;
    return (struct paths){(const char *const *)context->config.policies, configured};
}

/* Of the files alone: flags only tighten, and differ from call to call. */
static int check_pin(const struct gl_policy *policy, const struct gl_hash *pin,
                     struct gl_error *err)
{
    char hex[GL_HASH_HEX];

    if (policy == NULL)
        return gl_fail(err, GL_E_USAGE, "--policy-digest: no policy is given");
    if (gl_hash_equal(&policy->digest, pin))
        return 0;
    return gl_fail(err, GL_E_USAGE, "--policy-digest: the policy is another one, of digest %s",
                   gl_hash_hex(&policy->digest, hex));
}

/* One policy of all the files, waivers with it; NULL with an error. */
static struct gl_policy *read_files(struct gl_context *context, struct paths paths,
                                    struct gl_error *err)
{
    const char *waivers =
        context->globals.waivers != NULL ? context->globals.waivers : context->config.waivers;
    struct gl_diagnostics diagnostics = {0};
    struct gl_policy *policy;

    if (paths.count == 1)
        policy = read_one(context->policy_source, paths.items[0], waivers, &diagnostics, err);
    else
        policy = read_several(context->policy_source, paths.items, paths.count, &diagnostics, err);
    if (policy != NULL && paths.count > 1 && waivers != NULL &&
        add_waivers(context->policy_source, policy, waivers, &diagnostics, err) != 0) {
        gl_policy_free(policy);
        policy = NULL;
    }
    if (policy == NULL)
        show_diagnostics(context, &diagnostics, err);
    return policy;
}

struct gl_policy *gl_context_policy(struct gl_context *context, const char *rule_id,
                                    const char *const *limits, struct gl_error *err)
{
    struct paths paths = policy_paths(context);
    struct gl_policy *policy = paths.count > 0 ? read_files(context, paths, err) : NULL;
    struct gl_policy *with_flags;

    if (policy == NULL && paths.count > 0)
        return NULL;
    if (context->policy_pin != NULL && check_pin(policy, context->policy_pin, err) != 0) {
        gl_policy_free(policy);
        return NULL;
    }
    if (policy != NULL && (limits == NULL || limits[0] == NULL))
        return policy;
    with_flags = gl_policy_with_flags(policy, rule_id, limits, err);
    if (with_flags == NULL)
        gl_policy_free(policy);
    return with_flags;
}

/* Does a rule look at evidence, so that its author has said what unknown means? */
static bool asks_for_evidence(const struct gl_rule *rule)
{
    static const enum gl_key_id keys[] = {
        GL_KEY_MAX_INTENSITY, GL_KEY_MIN_RENEWABLE, GL_KEY_MIN_CARBON_FREE, GL_KEY_GREEN_BELOW,
        GL_KEY_MAX_RATE,      GL_KEY_MAX_TOTAL,     GL_KEY_GREEN_FOR,       GL_KEY_MIN_GRADE,
        GL_KEY_MAX_DATA_AGE,  GL_KEY_CONFIDENCE,
    };

    for (size_t c = 0; c < rule->count; c++)
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
            if (rule->constraints[c].key->id == keys[k])
                return true;
    return false;
}

int gl_context_demand_evidence(const struct gl_context *context, struct gl_policy *policy,
                               struct gl_error *err)
{
    static const char *const limits[] = {"min_grade", "E", NULL};
    bool is_asked = context->globals.at == NULL;

    for (size_t i = 0; i < policy->rule_count; i++)
        is_asked = is_asked || asks_for_evidence(&policy->rules[i]);
    return is_asked || gl_policy_with_flags(policy, "at", limits, err) != NULL ? 0 : -1;
}
