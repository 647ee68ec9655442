/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/setup.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/cli/again.h"
#include "broker/interrupt.h"
#include "broker/render/text.h"

/* ---- words ---- */

/* How keys and tokens begin that their makers marked. */
static const char *const marks[] = {
    "AKIA*", "ASIA*",  "-----BEGIN*", "dop_v1_*", "doo_v1_*", "eyJ*.*", "gh?_*",   "github_pat_*",
    "sk-*",  "xox?-*", "AIza*",       "ya29.*",   "Bearer *", "hvs.*",  "glpat-*",
};

/* Random letters: long, in one piece, of all kinds. Paths, names and hex digests are not. */
static bool is_random(const char *value)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "+/=_-";
    size_t length = strlen(value), upper = 0, lower = 0, digits = 0;

    if (length < 28 || value[strspn(value, letters)] != '\0' || strchr("/.~", value[0]) != NULL)
        return false;
    for (const char *at = value; *at != '\0'; at++) {
        upper += isupper((unsigned char)*at) != 0;
        lower += islower((unsigned char)*at) != 0;
        digits += isdigit((unsigned char)*at) != 0;
    }
    return upper >= 3 && lower >= 3 && digits >= 2;
}

/* "https://user:word@host" and "?token=...". */
static bool is_address_with_secret(const char *value)
{
    const char *host = strstr(value, "://");
    size_t length = host != NULL ? strcspn(host + 3, "/?#") : 0;

    return host != NULL && (memchr(host + 3, '@', length) != NULL || strchr(host, '?') != NULL);
}

bool gl_setup_is_secret(const char *value)
{
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (gl_glob_match(marks[i], value))
            return true;
    return is_random(value) || is_address_with_secret(value);
}

static bool is_clean(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            return false;
    return true;
}

static int fail_secret(const char *word, size_t key_length, struct gl_error *err)
{
    return gl_fail(err, GL_E_USAGE,
                   "%.*s%sthis looks like a secret, and a secret never stands on a command line or "
                   "in the configuration. Put it where the cloud's or source's own tools keep it, "
                   "or into a file of your own; your shell may have kept this line: replace the "
                   "secret",
                   (int)key_length, word, key_length > 0 ? ": " : "");
}

int gl_setup_pair_of(const char *word, struct gl_setup_pair *out, struct gl_error *err)
{
    size_t length = strcspn(word, "=");
    /* A secret may end in = signs: no key is as long. */
    bool has_key = word[length] == '=' && length < 20;
    char shown[GL_TEXT_SHOWN];

    if (gl_setup_is_secret(has_key ? word + length + 1 : word))
        return fail_secret(word, has_key ? length : 0, err);
    if (word[length] != '=' || length == 0 || length >= sizeof out->key || !is_clean(word + length))
        return gl_fail(err, GL_E_USAGE, "\"%s\": settings are written KEY=VALUE",
                       gl_text_show(word, shown));
    snprintf(out->key, sizeof out->key, "%.*s", (int)length, word);
    out->value = word + length + 1;
    return 0;
}

int gl_setup_fail_name(const char *what, const char *name, const char *const *names, size_t count,
                       struct gl_error *err)
{
    const char *nearest = gl_text_nearest(name, names, count);
    GL_AUTO(gl_str_done) struct gl_str all = {0};
    char shown[GL_TEXT_SHOWN];

    for (size_t i = 0; i < count; i++)
        gl_str_addf(&all, "%s%s", i > 0 ? ", " : "", names[i]);
    gl_text_show(name, shown);
    if (nearest != NULL)
        return gl_fail(err, GL_E_USAGE, "there is no %s \"%s\"; did you mean %s? There are: %s",
                       what, shown, nearest, gl_str_text(&all));
    return gl_fail(err, GL_E_USAGE, "there is no %s \"%s\"; there are: %s", what, shown,
                   gl_str_text(&all));
}

/* ---- the file ---- */

int gl_setup_file(const struct gl_context *context, char **out_path, char **out_text,
                  struct gl_error *err)
{
    char *path = context->globals.config != NULL ? gl_strdup(context->globals.config)
                                                 : gl_config_path(&context->world);
    size_t length;
    int status = 0;

    if (path == NULL)
        return gl_fail(err, GL_E_CONFIG,
                       "no place for a configuration: neither XDG_CONFIG_HOME nor HOME is set to "
                       "an absolute path");
    if (strcmp(path, "-") == 0)
        status = gl_fail(err, GL_E_USAGE, "--config - is only read: name a file to be changed");
    else if (gl_file_exists(path))
        status = gl_file_read(path, GL_POLICY_MAX_BYTES, out_text, &length, err);
    else
        *out_text = gl_strdup("");
    if (status != 0)
        free(path);
    else
        *out_path = path;
    return status;
}

/* ---- leave ---- */

static void add_marked(const char *mark, const struct gl_str *lines, struct gl_str *out)
{
    const char *text = gl_str_text(lines);

    while (*text != '\0') {
        size_t length = strcspn(text, "\n");

        gl_str_add(out, mark);
        gl_str_add_printable(out, text, length);
        gl_str_add_char(out, '\n');
        text += length + (text[length] == '\n');
    }
}

static void show(const char *path, const struct gl_config_edit *edit, struct gl_str *out)
{
    gl_str_addf(out, "%s, line %zu:\n", path, edit->line);
    add_marked("- ", &edit->removed, out);
    add_marked("+ ", &edit->added, out);
}

/* 1 yes, 0 no, -1 nobody to ask. */
static int ask(struct gl_context *context, const struct gl_str *change, struct gl_error *err)
{
    char line[16];

    if (context->globals.is_yes)
        return 1;
    fputs(gl_str_text(change), stderr);
    if (context->globals.has_no_input || context->globals.is_json || isatty(STDIN_FILENO) != 1)
        return gl_fail(err, GL_E_USAGE,
                       "nobody to ask whether this is to be written: --yes writes "
                       "it");
    gl_progress_end(context);
    fputs("Write this? y or n: ", stderr);
    if (fgets(line, sizeof line, stdin) == NULL)
        return gl_interrupted() ? gl_interrupt_fail(err, "nothing was written") : 0;
    return line[0] == 'y' || line[0] == 'Y';
}

static int write_file(const char *path, const struct gl_config_edit *edit, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = gl_strdup(path);
    char *slash = strrchr(folder, '/');

    if (slash != NULL && slash != folder) {
        *slash = '\0';
        if (gl_dir_make(folder, err) != 0)
            return -1;
    }
    return gl_file_write(path, gl_str_text(&edit->text), edit->text.length,
                         edit->mode != 0 ? edit->mode : 0600, err);
}

static void set_data(struct gl_context *context, const char *path,
                     const struct gl_config_edit *edit, bool is_written)
{
    if (context->reply.data == NULL)
        context->reply.data = json_object();
    json_object_set_new(context->reply.data, "path", json_string(path));
    json_object_set_new(context->reply.data, "line", json_integer((json_int_t)edit->line));
    json_object_set_new(context->reply.data, "removed", json_string(gl_str_text(&edit->removed)));
    json_object_set_new(context->reply.data, "added", json_string(gl_str_text(&edit->added)));
    json_object_set_new(context->reply.data, "written", json_boolean(is_written));
}

int gl_setup_write(struct gl_context *context, const char *path, const struct gl_config_edit *edit,
                   struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str change = {0};
    struct gl_str *out = &context->reply.text;
    int answer;

    if (strcmp(gl_str_text(&edit->removed), gl_str_text(&edit->added)) == 0) {
        set_data(context, path, edit, false);
        gl_str_addf(out, "%s says so already; nothing was written.\n", path);
        return GL_EXIT_OK;
    }
    show(path, edit, &change);
    answer = ask(context, &change, err);
    set_data(context, path, edit, answer == 1);
    if (answer < 0)
        return -1;
    if (answer == 0) {
        gl_str_add(out, "Nothing was written.\n");
        return GL_EXIT_DECLINED;
    }
    if (write_file(path, edit, err) != 0)
        return -1;
    if (context->globals.is_yes)
        gl_str_add(out, gl_str_text(&change));
    gl_str_add(out, "Written.\n");
    return GL_EXIT_OK;
}

void gl_setup_step(struct gl_context *context, const char *why, const char *const *words)
{
    struct gl_str *out = &context->reply.text;

    gl_str_add(out, "  ");
    gl_again_line(context, words, out);
    gl_str_add_char(out, '\n');
    gl_next(context, why, words);
}
