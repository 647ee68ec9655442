/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/aws_config.h"

#include "base/sign.h"
#include "providers/cloud/credential_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_BYTES 256
#define WORDS_MAX      256
#define WORDS_BYTES    ((size_t)64 << 10)

/* All point into the text. */
struct entry {
    const char *section, *parent, *key, *value;
};

struct gl_aws_config {
    char *text;
    size_t length;
    struct entry *entries; /* a section itself is one without a key */
    size_t count, capacity;
};

/* Where the parser stands. */
struct reader {
    struct gl_aws_config *config;
    const char *name;
    const char *section; /* NULL before the first */
    const char *parent;  /* the last key, when its value was empty: lines below it are its own */
    bool has_key;        /* the section has one, ... */
    size_t margin;       /* ... which stands so far from the left */
    unsigned line;
};

static int fail(const struct reader *reader, struct gl_error *err, enum gl_errc code,
                const char *what)
{
    struct gl_pos pos = {.line = reader->line};

    snprintf(pos.file, sizeof pos.file, "%s", reader->name);
    return gl_fail_at(err, code, &pos, "%s", what);
}

static int add(struct reader *reader, const char *key, const char *value, struct gl_error *err)
{
    struct gl_aws_config *config = reader->config;

    if (config->count >= GL_AWS_CONFIG_MAX_ENTRIES)
        return fail(reader, err, GL_E_TOO_LARGE, "too many settings");
    if (config->count == config->capacity) {
        config->capacity = config->capacity > 0 ? config->capacity * 2 : 32;
        config->entries = gl_realloc(config->entries, config->capacity * sizeof *config->entries);
    }
    config->entries[config->count++] = (struct entry){reader->section, reader->parent, key, value};
    return 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Cut white space at both ends, in place. */
static char *trim(char *text)
{
    size_t length;

    while (is_blank(*text))
        text++;
    length = strlen(text);
    while (length > 0 && (is_blank(text[length - 1]) || text[length - 1] == '\r'))
        text[--length] = '\0';
    return text;
}

/* "profile "my dev"" -> "profile my dev", in place. A name may hold a quote of its own. */
static void strip_quotes(char *name)
{
    char *word = strchr(name, ' ') != NULL ? strchr(name, ' ') + 1 : name;
    size_t length = strlen(word);

    if (length >= 2 && strchr("\"'", word[0]) != NULL && word[length - 1] == word[0]) {
        memmove(word, word + 1, length - 2);
        word[length - 2] = '\0';
    }
}

/* "[ profile   x ]" -> "profile x", in place. */
static int read_section(struct reader *reader, char *line, struct gl_error *err)
{
    char *end = strchr(line, ']'), *name, *to;

    if (end == NULL)
        return fail(reader, err, GL_E_SYNTAX, "a section needs its closing bracket");
    *end = '\0';
    name = to = trim(line + 1);
    for (const char *from = name; *from != '\0'; from++)
        if (!is_blank(*from) || !is_blank(from[1]))
            *to++ = is_blank(*from) ? ' ' : *from;
    *to = '\0';
    strip_quotes(name);
    reader->section = name;
    if (*reader->section == '\0' || strlen(reader->section) > NAME_MAX_BYTES)
        return fail(reader, err, GL_E_SYNTAX, "a section needs a name");
    reader->parent = NULL;
    reader->has_key = false;
    return add(reader, NULL, NULL, err);
}

/* A comment behind a value begins with a space. */
static void cut_comment(char *value)
{
    for (char *c = value; *c != '\0'; c++) {
        if ((*c == '#' || *c == ';') && c > value && is_blank(c[-1])) {
            *c = '\0';
            return;
        }
    }
}

static int read_setting(struct reader *reader, char *line, bool is_indented, struct gl_error *err)
{
    char *equals = strchr(line, '='), *key, *value;
    const char *parent = reader->parent;

    /* The second line of a value: nothing that we read has one. */
    if (is_indented && parent == NULL)
        return 0;
    if (equals == NULL)
        return fail(reader, err, GL_E_SYNTAX, "a setting needs an equals sign");
    if (reader->section == NULL)
        return fail(reader, err, GL_E_SYNTAX, "a setting stands before the first section");
    *equals = '\0';
    key = trim(line);
    if (strcasecmp(key, "credential_process") != 0)
        cut_comment(equals + 1);
    value = trim(equals + 1);
    if (*key == '\0' || strlen(key) > NAME_MAX_BYTES)
        return fail(reader, err, GL_E_SYNTAX, "a setting needs a name");
    for (char *c = key; *c != '\0'; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    if (!is_indented)
        reader->parent = NULL;
    if (add(reader, key, value, err) < 0)
        return -1;
    reader->parent = is_indented ? parent : *value == '\0' ? key : NULL;
    return 0;
}

/* What stands further right than the key above it belongs to that key; people also indent all of a
 * section. */
static int read_line(struct reader *reader, char *line, struct gl_error *err)
{
    size_t indent = strspn(line, " \t");
    bool is_indented = reader->has_key && indent > reader->margin;
    char *text = trim(line);

    if (*text == '\0' || *text == '#' || *text == ';')
        return 0;
    if (!is_indented && *text == '[')
        return read_section(reader, text, err);
    if (!is_indented) {
        reader->has_key = true;
        reader->margin = indent;
    }
    return read_setting(reader, text, is_indented, err);
}

static int read_lines(struct reader *reader, struct gl_error *err)
{
    char *line = reader->config->text;

    if (strlen(line) != reader->config->length)
        return fail(reader, err, GL_E_SYNTAX, "it holds a NUL byte");
    if (strncmp(line, "\xef\xbb\xbf", 3) == 0)
        line += 3;
    while (line != NULL) {
        char *end = strchr(line, '\n');

        reader->line++;
        if (end != NULL)
            *end = '\0';
        if (read_line(reader, line, err) < 0)
            return -1;
        line = end != NULL ? end + 1 : NULL;
    }
    return 0;
}

int gl_aws_config_parse(const char *text, size_t length, const char *name,
                        struct gl_aws_config **out, struct gl_error *err)
{
    struct gl_aws_config *config;
    struct reader reader = {.name = name};

    if (length > GL_AWS_CONFIG_MAX_BYTES)
        return fail(&reader, err, GL_E_TOO_LARGE, "more than 1 MiB");
    config = gl_alloc(sizeof *config);
    config->text = gl_alloc(length + 1);
    config->length = length;
    if (length > 0)
        memcpy(config->text, text, length);
    reader.config = config;
    if (read_lines(&reader, err) < 0) {
        gl_aws_config_free(config);
        return -1;
    }
    *out = config;
    return 0;
}

void gl_aws_config_free(struct gl_aws_config *config)
{
    if (config == NULL)
        return;
    gl_wipe(config->text, config->length);
    free(config->text);
    free(config->entries);
    free(config);
}

bool gl_aws_config_has(const struct gl_aws_config *config, const char *section)
{
    for (size_t i = 0; config != NULL && i < config->count; i++)
        if (config->entries[i].key == NULL && strcmp(config->entries[i].section, section) == 0)
            return true;
    return false;
}

/* Is it called `key`, "PARENT.NAME" for an indented one? */
static bool is_called(const struct entry *entry, const char *key)
{
    size_t parent = entry->parent != NULL ? strlen(entry->parent) : 0;

    if (entry->key == NULL)
        return false;
    if (parent == 0)
        return strcmp(entry->key, key) == 0;
    return strncmp(entry->parent, key, parent) == 0 && key[parent] == '.' &&
           strcmp(entry->key, key + parent + 1) == 0;
}

const char *gl_aws_config_get(const struct gl_aws_config *config, const char *section,
                              const char *key)
{
    for (size_t i = config != NULL ? config->count : 0; i-- > 0;)
        if (strcmp(config->entries[i].section, section) == 0 && is_called(&config->entries[i], key))
            return config->entries[i].value;
    return NULL;
}

/* ---- the two files ---- */

static char *path_of(const struct gl_world *world, const char *variable, const char *name)
{
    const char *given = world->getenv(world->cookie, variable);
    const char *home = world->getenv(world->cookie, "HOME");
    struct gl_str path = {0};

    if (given != NULL && *given != '\0' && strncmp(given, "~/", 2) != 0)
        return gl_strdup(given);
    if (home == NULL)
        return NULL;
    if (given != NULL && *given != '\0')
        gl_str_addf(&path, "%s/%s", home, given + 2);
    else
        gl_str_addf(&path, "%s/.aws/%s", home, name);
    return gl_str_take(&path);
}

static int read_file(const struct gl_world *world, const char *variable, const char *name,
                     struct gl_aws_config **out, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = path_of(world, variable, name);
    struct gl_error why = {0};
    char *bytes;
    size_t length;
    int got;

    if (path == NULL)
        return 0;
    if (gl_credential_file_read(
            &(struct gl_credential_file){.path = path, .ceiling = GL_AWS_CONFIG_MAX_BYTES}, &bytes,
            &length, &why) < 0)
        return why.sys == ENOENT || why.sys == ENOTDIR ? 0 : gl_fail(err, why.code, "%s", why.text);
    got = gl_aws_config_parse(bytes, length, path, out, &why);
    gl_wipe(bytes, length);
    free(bytes);
    /* The place goes into the text: what becomes of the error on its way keeps that alone. */
    return got == 0 ? 0 : gl_fail(err, why.code, "%s:%u: %s", path, why.pos.line, why.text);
}

int gl_aws_files_read(const struct gl_world *world, struct gl_aws_files *out, struct gl_error *err)
{
    struct gl_aws_files files = {0};

    if (read_file(world, "AWS_SHARED_CREDENTIALS_FILE", "credentials", &files.credentials, err) <
            0 ||
        read_file(world, "AWS_CONFIG_FILE", "config", &files.config, err) < 0) {
        gl_aws_files_done(&files);
        return -1;
    }
    *out = files;
    return 0;
}

void gl_aws_files_done(struct gl_aws_files *files)
{
    gl_aws_config_free(files->credentials);
    gl_aws_config_free(files->config);
    *files = (struct gl_aws_files){0};
}

/* The name of its section in the configuration file. */
static const char *section_of(const char *profile, char out[NAME_MAX_BYTES + 16])
{
    if (strcmp(profile, "default") == 0)
        return "default";
    snprintf(out, NAME_MAX_BYTES + 16, "profile %.255s", profile);
    return out;
}

bool gl_aws_profile_exists(const struct gl_aws_files *files, const char *profile)
{
    char section[NAME_MAX_BYTES + 16];

    return gl_aws_config_has(files->credentials, profile) ||
           gl_aws_config_has(files->config, section_of(profile, section));
}

const char *gl_aws_profile_config(const struct gl_aws_files *files, const char *profile,
                                  const char *key)
{
    char section[NAME_MAX_BYTES + 16];
    const char *value = gl_aws_config_get(files->config, section_of(profile, section), key);

    if (value == NULL && strcmp(profile, "default") == 0)
        value = gl_aws_config_get(files->config, "profile default", key);
    return value;
}

const char *gl_aws_profile_get(const struct gl_aws_files *files, const char *profile,
                               const char *key)
{
    const char *value = gl_aws_config_get(files->credentials, profile, key);

    return value != NULL ? value : gl_aws_profile_config(files, profile, key);
}

/* ---- words of a command ---- */

/* One word at *at, its quotes taken off; false at the end of an unfinished one. */
static bool take_word(const char **at, struct gl_str *out)
{
    char quote = '\0';

    for (; **at != '\0' && (quote != '\0' || strchr(" \t\r\n", **at) == NULL); (*at)++) {
        char c = **at, next = (*at)[1];

        if (c == '\\' && quote != '\'') {
            if (next == '\0')
                return false;
            /* Inside double quotes a backslash counts only before these. */
            if (quote == '"' && strchr("\"\\$`", next) == NULL)
                gl_str_add_char(out, c);
            gl_str_add_char(out, next);
            (*at)++;
        } else if (c == quote || (quote == '\0' && (c == '\'' || c == '"'))) {
            quote = quote == '\0' ? c : '\0';
        } else {
            gl_str_add_char(out, c);
        }
    }
    return quote == '\0';
}

char **gl_aws_words_split(const char *line, struct gl_error *err)
{
    char **words = gl_alloc((WORDS_MAX + 1) * sizeof *words);
    size_t count = 0;

    for (const char *at = line + strspn(line, " \t\r\n"); *at != '\0';) {
        struct gl_str word = {0};
        bool is_whole = strlen(line) <= WORDS_BYTES && take_word(&at, &word);

        if (!is_whole || count == WORDS_MAX) {
            gl_str_done(&word);
            gl_aws_words_free(words);
            gl_fail(err, is_whole || strlen(line) > WORDS_BYTES ? GL_E_TOO_LARGE : GL_E_BAD_VALUE,
                    is_whole || strlen(line) > WORDS_BYTES ? "the command is too long"
                                                           : "the command has an open quote");
            return NULL;
        }
        words[count++] = gl_str_take(&word);
        at += strspn(at, " \t\r\n");
    }
    if (count > 0)
        return words;
    gl_aws_words_free(words);
    gl_fail(err, GL_E_BAD_VALUE, "the command is empty");
    return NULL;
}

void gl_aws_words_free(char **words)
{
    for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
        gl_wipe(words[i], strlen(words[i]));
        free(words[i]);
    }
    free(words);
}
