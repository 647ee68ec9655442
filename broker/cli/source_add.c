/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/cli/sources.h"
#include "broker/config_part.h"

#define KEYS_MAX 32

/* ---- settings ---- */

static const struct gl_field *field_of(const char *key)
{
    for (const struct gl_field *field = gl_config_source_form.fields; field->name != NULL; field++)
        if (strcmp(field->name, key) == 0 && strcmp(key, "source") != 0)
            return field;
    return NULL;
}

static int fail_key(const char *key, struct gl_error *err)
{
    const char *names[KEYS_MAX];
    size_t count = 0;

    for (const struct gl_field *field = gl_config_source_form.fields;
         field->name != NULL && count < KEYS_MAX; field++)
        if (strcmp(field->name, "source") != 0)
            names[count++] = field->name;
    return gl_setup_fail_name("setting of a source", key, names, count, err);
}

/* A path as typed counts from here, in the file it would count from the file. Fresh. */
static char *path_from_here(const char *path)
{
    GL_AUTO(gl_auto_free) char *here = path[0] != '/' && path[0] != '~' ? getcwd(NULL, 0) : NULL;

    return here != NULL ? gl_path_join(here, path) : gl_strdup(path);
}

static int set_one(struct gl_signal_config *source, const char *word, struct gl_error *err)
{
    const struct gl_field *field;
    struct gl_setup_pair pair;
    const char **slot;

    if (gl_setup_pair_of(word, &pair, err) != 0)
        return -1;
    field = field_of(pair.key);
    if (field == NULL)
        return fail_key(pair.key, err);
    slot = (const char **)(void *)((char *)source + field->offset);
    if (*slot != NULL || pair.value[0] == '\0')
        return gl_fail(err, GL_E_USAGE, *slot != NULL ? "%s is said twice" : "%s= says nothing",
                       field->name);
    *slot = strcmp(field->name, "file") == 0 || strcmp(field->name, "key_file") == 0
                ? path_from_here(pair.value)
                : gl_strdup(pair.value);
    return 0;
}

/* ---- the list ---- */

/* The list as it would be written out; the default one where none was. */
static void write_out(struct gl_context *context)
{
    struct gl_config *config = &context->config;
    size_t count;
    const struct gl_signal_config *asked = gl_sources_asked(context, &count);

    if (config->has_sources)
        return;
    for (size_t i = 0; i < count; i++)
        config->sources[i] = gl_config_source_dup(&asked[i], "", &context->world);
    config->source_count = count;
    config->has_sources = true;
}

static int write_list(struct gl_context *context, size_t index, bool is_added, struct gl_error *err)
{
    const struct gl_config_source_edit what = {&context->config, index, is_added};
    GL_AUTO(gl_auto_free) char *path = NULL;
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_config_edit edit = {0};
    int status;

    if (gl_setup_file(context, &path, &text, err) != 0 ||
        gl_config_edit_source(text, path, &context->world, &what, &edit, err) != 0)
        return -1;
    status = gl_setup_write(context, path, &edit, err);
    gl_config_edit_done(&edit);
    return status;
}

/* ---- add ---- */

static int read_source(const struct gl_source_call *call, struct gl_signal_config *out,
                       struct gl_error *err)
{
    out->name = gl_strdup(call->name);
    for (size_t i = 0; i < call->word_count; i++)
        if (set_one(out, call->words[i], err) != 0)
            return -1;
    if ((strcmp(out->name, "file") == 0) != (out->path != NULL))
        return gl_fail(err, GL_E_USAGE,
                       "a file is added with its path, as in: greenlaunch source "
                       "add file file=grid.csv zone=DE");
    return 0;
}

static bool is_same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool is_there(const struct gl_config *config, const struct gl_signal_config *source)
{
    for (size_t i = 0; i < config->source_count; i++) {
        const struct gl_signal_config *one = &config->sources[i];

        if (strcmp(one->name, source->name) == 0 && is_same_text(one->path, source->path) &&
            is_same_text(one->zone, source->zone) && is_same_text(one->location, source->location))
            return true;
    }
    return false;
}

static int insert(struct gl_config *config, const struct gl_signal_config *source, bool is_last,
                  size_t *out_index, struct gl_error *err)
{
    size_t index = is_last ? config->source_count : 0;

    if (is_there(config, source))
        return gl_fail(err, GL_E_USAGE,
                       "%s is there already; to change it, first: greenlaunch source remove %s",
                       source->name, source->name);
    if (config->source_count == GL_CONFIG_SOURCES_MAX)
        return gl_fail(err, GL_E_CONFIG, "more than %d sources", GL_CONFIG_SOURCES_MAX);
    memmove(&config->sources[index + 1], &config->sources[index],
            (config->source_count - index) * sizeof config->sources[0]);
    config->sources[index] = *source;
    config->source_count++;
    *out_index = index;
    return 0;
}

int gl_source_add(struct gl_context *context, const struct gl_source_call *call,
                  struct gl_error *err)
{
    struct gl_signal_config source = {0};
    size_t index = 0;
    int status;

    if (gl_signal_find(call->name) == NULL)
        return gl_setup_is_secret(call->name) ? gl_sources_fail_name("", err)
                                              : gl_sources_fail_name(call->name, err);
    if (strcmp(call->name, "builtin") == 0)
        return gl_fail(err, GL_E_USAGE, "builtin is always there, and always comes last");
    write_out(context);
    if (read_source(call, &source, err) != 0 ||
        insert(&context->config, &source, call->values->is_last, &index, err) != 0) {
        gl_config_source_done(&source);
        return -1;
    }
    status = write_list(context, index, true, err);
    if (status != GL_EXIT_OK)
        return status;
    gl_str_add(&context->reply.text, "\nNext:\n");
    gl_setup_step(context, "does it answer?",
                  (const char *const[]){"source", "check", call->name, NULL});
    return status;
}

/* ---- remove ---- */

/* Its number in the list, from 0. */
static int find_source(const struct gl_config *config, const char *name, size_t *out_index,
                       struct gl_error *err)
{
    size_t found = 0, number = strtoul(name, NULL, 10);

    if (name[strspn(name, "0123456789")] == '\0' && number > 0 && number <= config->source_count) {
        *out_index = number - 1;
        return 0;
    }
    for (size_t i = 0; i < config->source_count; i++)
        if (strcmp(config->sources[i].name, name) == 0) {
            *out_index = i;
            found++;
        }
    if (found == 1)
        return 0;
    if (found == 0 && gl_signal_find(name) == NULL)
        return gl_sources_fail_name(name, err);
    return gl_fail(err, GL_E_USAGE,
                   found == 0 ? "%s is not among the sources that are asked"
                              : "there are several of %s: take its number from greenlaunch source "
                                "list",
                   name);
}

int gl_source_remove(struct gl_context *context, const struct gl_source_call *call,
                     struct gl_error *err)
{
    struct gl_config *config = &context->config;
    size_t index = 0;

    write_out(context);
    if (find_source(config, call->name, &index, err) != 0)
        return -1;
    gl_config_source_done(&config->sources[index]);
    memmove(&config->sources[index], &config->sources[index + 1],
            (--config->source_count - index) * sizeof config->sources[0]);
    return write_list(context, index, false, err);
}
