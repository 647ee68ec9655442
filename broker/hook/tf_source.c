/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/tf_source_part.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "broker/hook/tf_lex.h"

const char *gl_tf_source_key(struct gl_arena *arena, const char *folder, const char *kind,
                             const char *first, const char *second)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_addf(&text, "%s|%s|%s", folder, kind, first);
    if (second != NULL)
        gl_str_addf(&text, "|%s", second);
    return gl_arena_text(arena, gl_str_text(&text), text.length);
}

/* ---- one file ---- */

struct parsing {
    struct gl_tf_source *source;
    struct gl_tf_lex lex;
    const char *folder;
    uint32_t file;
};

static const char *text_of(struct parsing *parsing, const struct gl_tf_token *token)
{
    return gl_arena_text(&parsing->source->arena, parsing->lex.text + token->start, token->length);
}

/* To the brace that closes the block that was opened, or the end. */
static void skip_block(struct parsing *parsing)
{
    size_t open = 1;

    while (open > 0) {
        struct gl_tf_token token = gl_tf_lex_next(&parsing->lex);

        if (token.kind == GL_TF_END)
            return;
        open += gl_tf_token_is(&parsing->lex, &token, "{");
        open -= gl_tf_token_is(&parsing->lex, &token, "}");
    }
}

/* To the end of the line of an attribute, through brackets; gives back a closing brace of the
 * block. */
static void skip_value(struct parsing *parsing)
{
    size_t open = 0;

    for (;;) {
        struct gl_tf_lex before = parsing->lex;
        struct gl_tf_token token = gl_tf_lex_next(&parsing->lex);
        char c = token.kind == GL_TF_SIGN ? parsing->lex.text[token.start] : '\0';

        if (token.kind == GL_TF_END || (token.kind == GL_TF_NEWLINE && open == 0))
            return;
        if (c == '}' && open == 0) {
            parsing->lex = before;
            return;
        }
        open += c == '{' || c == '[' || c == '(';
        open -= open > 0 && (c == '}' || c == ']' || c == ')');
    }
}

static void add_setting(struct parsing *parsing, const char *name, const struct gl_tf_token *token,
                        const char *value, bool is_reference)
{
    struct gl_tf_source *source = parsing->source;

    source->settings = gl_arena_grow(&source->arena, source->settings, source->setting_count,
                                     sizeof *source->settings);
    source->settings[source->setting_count++] = (struct gl_tf_setting){
        .name = name,
        .value = value,
        .is_reference = is_reference,
        .file = parsing->file,
        .line = token->line,
        .offset = token->start,
    };
}

static bool ends_value(const struct parsing *parsing)
{
    struct gl_tf_lex ahead = parsing->lex;
    struct gl_tf_token token = gl_tf_lex_next(&ahead);

    return token.kind == GL_TF_NEWLINE || token.kind == GL_TF_END ||
           gl_tf_token_is(&ahead, &token, "}");
}

/* After "name =": a string alone, or var.NAME alone, is kept. */
static void read_value(struct parsing *parsing, const char *name)
{
    struct gl_tf_lex before = parsing->lex;
    struct gl_tf_token token = gl_tf_lex_next(&parsing->lex);

    if (token.kind == GL_TF_STRING && token.is_literal && ends_value(parsing)) {
        add_setting(parsing, name, &token, text_of(parsing, &token), false);
    } else if (gl_tf_token_is(&parsing->lex, &token, "var")) {
        struct gl_tf_token dot = gl_tf_lex_next(&parsing->lex);
        struct gl_tf_token variable = gl_tf_lex_next(&parsing->lex);
        GL_AUTO(gl_str_done) struct gl_str text = {0};

        if (gl_tf_token_is(&parsing->lex, &dot, ".") && variable.kind == GL_TF_NAME &&
            ends_value(parsing)) {
            gl_str_addf(&text, "var.%s", text_of(parsing, &variable));
            add_setting(parsing, name, &token,
                        gl_arena_text(&parsing->source->arena, text.text, text.length), true);
        }
    }
    parsing->lex = before;
    skip_value(parsing);
}

/* The inside of a block that was opened: its own settings, the blocks in it passed over. */
static void read_body(struct parsing *parsing)
{
    for (;;) {
        struct gl_tf_token token = gl_tf_lex_next(&parsing->lex), next;

        if (token.kind == GL_TF_END || gl_tf_token_is(&parsing->lex, &token, "}"))
            return;
        if (gl_tf_token_is(&parsing->lex, &token, "{"))
            skip_block(parsing);
        if (token.kind != GL_TF_NAME)
            continue;
        struct gl_tf_lex before = parsing->lex;
        next = gl_tf_lex_next(&parsing->lex);
        if (gl_tf_token_is(&parsing->lex, &next, "="))
            read_value(parsing, text_of(parsing, &token));
        else
            parsing->lex = before;
    }
}

static void add_block(struct parsing *parsing, const struct gl_tf_source_block *block)
{
    struct gl_tf_source *source = parsing->source;
    struct gl_arena *arena = &source->arena;
    size_t number = source->block_count;

    source->blocks =
        gl_arena_grow(arena, source->blocks, source->block_count, sizeof *source->blocks);
    source->blocks[source->block_count++] = *block;
    gl_reader_index_add(
        &source->by_folder,
        gl_tf_source_key(arena, block->folder, block->kind, block->labels[0], block->labels[1]),
        number);
    gl_reader_index_add(&source->by_folder,
                        gl_tf_source_key(arena, block->folder, block->kind, block->labels[0], NULL),
                        number);
    gl_reader_index_add(
        &source->by_name,
        gl_tf_source_key(arena, block->kind, block->labels[0], block->labels[1], NULL), number);
    gl_reader_index_add(&source->folders, block->folder, number);
}

/* "kind "first" "second" {" at the top level of a file. */
static void read_block(struct parsing *parsing, const struct gl_tf_token *kind)
{
    struct gl_tf_source_block block = {.kind = text_of(parsing, kind),
                                       .labels = {"", ""},
                                       .folder = parsing->folder,
                                       .file = parsing->file,
                                       .line = kind->line,
                                       .first = parsing->source->setting_count};
    struct gl_tf_token token = gl_tf_lex_next(&parsing->lex);

    for (size_t i = 0; token.kind == GL_TF_STRING || token.kind == GL_TF_NAME; i++) {
        if (i < 2)
            block.labels[i] = text_of(parsing, &token);
        token = gl_tf_lex_next(&parsing->lex);
    }
    if (!gl_tf_token_is(&parsing->lex, &token, "{"))
        return;
    read_body(parsing);
    block.count = parsing->source->setting_count - block.first;
    add_block(parsing, &block);
}

static void read_text(struct gl_tf_source *source, const char *text, size_t length,
                      const char *relative, const char *folder)
{
    struct parsing parsing = {source, gl_tf_lex_of(text, length), folder,
                              (uint32_t)source->file_count};
    struct gl_tf_token token;

    source->bytes += length;
    source->files =
        gl_arena_grow(&source->arena, source->files, source->file_count, sizeof *source->files);
    source->files[source->file_count++] = relative;
    while ((token = gl_tf_lex_next(&parsing.lex)).kind != GL_TF_END)
        if (token.kind == GL_TF_NAME)
            read_block(&parsing, &token);
}

/* ---- files of values ---- */

static bool ends_in(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);

    return length >= tail && strcmp(name + length - tail, end) == 0;
}

static bool is_source_name(const char *name)
{
    return ends_in(name, ".tf") || ends_in(name, ".tofu");
}

/* The same in JSON, which Terraform reads and we do not. */
static bool is_json_name(const char *name)
{
    return ends_in(name, ".tf.json") || ends_in(name, ".tofu.json");
}

/* "override.tf", "x_override.tf.json": what it says goes before what other files say. */
static bool is_override_name(const char *name)
{
    const char *dot = strchr(name, '.');
    size_t length = dot != NULL ? (size_t)(dot - name) : strlen(name);

    return length >= 8 && memcmp(name + length - 8, "override", 8) == 0 &&
           (length == 8 || name[length - 9] == '_');
}

static bool is_value_name(const char *name)
{
    return strcmp(name, "terraform.tfvars") == 0 || strcmp(name, "terraform.tfvars.json") == 0 ||
           ends_in(name, ".auto.tfvars") || ends_in(name, ".auto.tfvars.json");
}

static void add_given(struct gl_tf_source *source, const char *folder, const char *variable)
{
    gl_reader_index_add(&source->given, GL_READER_JOIN(&source->arena, folder, "|", variable), 0);
}

static void read_values(struct gl_tf_source *source, const char *path, const char *folder)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_error err = {0};
    struct gl_tf_token token;
    struct parsing parsing;
    size_t length;

    if (ends_in(path, ".json") ||
        gl_file_read(path, GL_TF_SOURCE_FILE_BYTES, &text, &length, &err) != 0) {
        add_given(source, folder, "*"); /* any */
        return;
    }
    parsing = (struct parsing){.source = source, .lex = gl_tf_lex_of(text, length)};
    while ((token = gl_tf_lex_next(&parsing.lex)).kind != GL_TF_END)
        if (token.kind == GL_TF_NAME) {
            add_given(source, folder, text_of(&parsing, &token));
            skip_value(&parsing);
        }
}

static void read_file(struct gl_tf_source *source, const char *path, const char *relative,
                      const char *folder)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_error err = {0};
    size_t length;

    if (source->file_count == GL_TF_SOURCE_FILES || source->bytes >= GL_TF_SOURCE_TOTAL_BYTES ||
        gl_file_read(path, GL_TF_SOURCE_FILE_BYTES, &text, &length, &err) != 0)
        source->is_cut = true;
    else
        read_text(source, text, length, relative, folder);
}

/* ---- folders ---- */

static int compare_names(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;

    return strcmp(*a, *b);
}

/* Only what may matter: most of a large tree is passed over without asking what it is. */
static bool is_wanted(const struct dirent *entry)
{
    const char *name = entry->d_name;

    if (is_value_name(name)) /* hidden ones are read too */
        return true;
    return name[0] != '.' && (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN ||
                              is_source_name(name) || is_json_name(name));
}

/* The names of a folder in order, hidden ones left out, so that the same tree gives the same scan.
 */
static const char **list_folder(struct gl_tf_source *source, const char *path, size_t *out_count)
{
    DIR *list = opendir(path);
    const char **names = NULL;
    size_t count = 0;
    struct dirent *entry;

    while (list != NULL && (entry = readdir(list)) != NULL) {
        if (source->entries++ >= GL_TF_SOURCE_ENTRIES) {
            source->is_cut = true;
            break;
        }
        if (!is_wanted(entry))
            continue;
        names = gl_arena_grow(&source->arena, names, count, sizeof *names);
        names[count++] = gl_arena_text(&source->arena, entry->d_name, strlen(entry->d_name));
    }
    if (list != NULL)
        closedir(list);
    if (count > 0)
        qsort(names, count, sizeof *names, compare_names);
    *out_count = count;
    return names;
}

/* A file of the configuration that is not read: that it is there is known. */
static void note_unread(struct gl_tf_source *source, const char *name, const char *folder)
{
    if (is_value_name(name))
        add_given(source, folder, "*");
    else if (is_source_name(name) || is_json_name(name))
        source->has_unread = true;
    if (is_override_name(name))
        gl_reader_index_add(&source->overridden, folder, 0);
}

static void scan(struct gl_tf_source *source, const char *path, const char *folder, unsigned levels)
{
    size_t count;
    const char **names = list_folder(source, path, &count);

    for (size_t i = 0; i < count; i++) {
        GL_AUTO(gl_auto_free) char *child = gl_path_join(path, names[i]);
        GL_AUTO(gl_str_done) struct gl_str text = {0};
        const char *relative;
        struct stat status;

        if (lstat(child, &status) != 0)
            continue;
        gl_str_addf(&text, "%s%s%s", folder, *folder != '\0' ? "/" : "", names[i]);
        relative = gl_arena_text(&source->arena, text.text, text.length);
        if (S_ISLNK(status.st_mode) || is_json_name(names[i]))
            note_unread(source, names[i], folder);
        else if (S_ISREG(status.st_mode) && is_source_name(names[i]))
            read_file(source, child, relative, folder);
        else if (S_ISREG(status.st_mode) && is_value_name(names[i]))
            read_values(source, child, folder);
        else if (S_ISDIR(status.st_mode) && levels > 0)
            scan(source, child, relative, levels - 1);
        else if (S_ISDIR(status.st_mode))
            source->is_cut = true;
    }
}

struct gl_tf_source *gl_tf_source_open(const char *root)
{
    struct gl_tf_source *source = gl_alloc(sizeof *source);

    *source = (struct gl_tf_source){0};
    source->root = gl_arena_text(&source->arena, root, strlen(root));
    scan(source, root, "", GL_TF_SOURCE_LEVELS);
    return source;
}

struct gl_tf_source *gl_tf_source_of_text(const char *name, const char *text, size_t length)
{
    struct gl_tf_source *source = gl_alloc(sizeof *source);

    *source = (struct gl_tf_source){.root = ""};
    read_text(source, text, length, gl_arena_text(&source->arena, name, strlen(name)), "");
    return source;
}

void gl_tf_source_free(struct gl_tf_source *source)
{
    if (source == NULL)
        return;
    gl_reader_index_done(&source->by_folder);
    gl_reader_index_done(&source->by_name);
    gl_reader_index_done(&source->folders);
    gl_reader_index_done(&source->given);
    gl_reader_index_done(&source->overridden);
    gl_arena_done(&source->arena);
    free(source);
}

size_t gl_tf_source_files(const struct gl_tf_source *source)
{
    return source->file_count;
}

const char *gl_tf_source_file(const struct gl_tf_source *source, uint32_t file)
{
    return source->files[file];
}

const char *gl_tf_source_root(const struct gl_tf_source *source)
{
    return source->root;
}
