/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/config_edit.h"

#include <stdlib.h>
#include <string.h>

#include "broker/config_part.h"

/* ---- lines ---- */

struct lines {
    struct gl_view *items; /* each with its line end */
    size_t count;
};

static struct lines split(const char *text)
{
    struct lines lines = {0};
    size_t most = 1;

    for (const char *at = text; *at != '\0'; at++)
        most += *at == '\n';
    lines.items = gl_alloc(most * sizeof *lines.items);
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");

        length += text[length] == '\n';
        lines.items[lines.count++] = (struct gl_view){text, length};
        text += length;
    }
    return lines;
}

static size_t indent_of(struct gl_view line)
{
    size_t indent = 0;

    while (indent < line.length && line.text[indent] == ' ')
        indent++;
    return indent;
}

/* Nothing, or a comment. */
static bool is_bare(struct gl_view line)
{
    size_t at = indent_of(line);

    return at >= line.length || strchr("#\r\n", line.text[at]) != NULL;
}

/* Does `key:` stand at `at`, perhaps in quotes? What follows it in *out_after. */
static bool has_key(struct gl_view line, size_t at, const char *key, size_t *out_after)
{
    size_t length = strlen(key), quote;

    quote = at < line.length && (line.text[at] == '\'' || line.text[at] == '"');
    if (at + length + 2 * quote >= line.length ||
        strncmp(line.text + at + quote, key, length) != 0 ||
        (quote != 0 && line.text[at + length + 1] != line.text[at]) ||
        line.text[at + length + 2 * quote] != ':')
        return false;
    *out_after = at + length + 2 * quote + 1;
    return true;
}

/* ---- the block of a key ---- */

struct block {
    bool is_there, is_by_line; /* its items stand on lines of their own */
    size_t first, until;       /* lines, the key's own first */
    size_t indent;             /* of the items */
};

/* Lines below a key: indented ones, and those of a list, which need no indentation. */
static bool goes_on(struct gl_view line)
{
    return is_bare(line) || line.text[0] == ' ' || line.text[0] == '-' || line.text[0] == ']' ||
           line.text[0] == '}';
}

static struct block find_block(const struct lines *lines, const char *key)
{
    struct block block = {.indent = 2};
    size_t after = 0;

    while (block.first < lines->count && !has_key(lines->items[block.first], 0, key, &after))
        block.first++;
    if (block.first == lines->count)
        return block;
    block.is_there = true;
    block.until = block.first + 1;
    while (block.until < lines->count && goes_on(lines->items[block.until]))
        block.until++;
    /* What stands apart at the end belongs to what follows. */
    while (block.until > block.first + 1 && is_bare(lines->items[block.until - 1]))
        block.until--;
    while (after < lines->items[block.first].length && lines->items[block.first].text[after] == ' ')
        after++;
    block.is_by_line = after >= lines->items[block.first].length ||
                       strchr("#\r\n", lines->items[block.first].text[after]) != NULL;
    for (size_t i = block.first + 1; i < block.until; i++)
        if (!is_bare(lines->items[i])) {
            block.indent = indent_of(lines->items[i]);
            break;
        }
    return block;
}

/* The lines of the item that begins at `start`. */
static size_t item_end(const struct lines *lines, const struct block *block, size_t start)
{
    size_t until = start + 1;

    while (until < block->until &&
           (is_bare(lines->items[until]) || indent_of(lines->items[until]) > block->indent))
        until++;
    while (until > start + 1 && is_bare(lines->items[until - 1]))
        until--;
    return until;
}

static bool begins_item(const struct lines *lines, const struct block *block, size_t at)
{
    return !is_bare(lines->items[at]) && indent_of(lines->items[at]) == block->indent;
}

/* ---- cutting ---- */

static void add_lines(const struct lines *lines, size_t from, size_t until, struct gl_str *out)
{
    for (size_t i = from; i < until; i++)
        gl_str_add_bytes(out, lines->items[i].text, lines->items[i].length);
}

/* A last line without an end gets one before anything comes after it. */
static void end_line(struct gl_str *out)
{
    if (out->length > 0 && out->text[out->length - 1] != '\n')
        gl_str_add_char(out, '\n');
}

/* Lines [from, until) become `added`, which is taken. */
static void replace(const struct lines *lines, size_t from, size_t until, struct gl_str *added,
                    struct gl_config_edit *out)
{
    *out = (struct gl_config_edit){.line = from + 1, .added = *added};
    *added = (struct gl_str){0};
    add_lines(lines, from, until, &out->removed);
    add_lines(lines, 0, from, &out->text);
    end_line(&out->text);
    gl_str_add(&out->text, gl_str_text(&out->added));
    add_lines(lines, until, lines->count, &out->text);
}

/* A line as it is written, with the indentation of its neighbours. */
static void add_indented(struct gl_str *out, size_t indent, const struct gl_str *line)
{
    const char *text = gl_str_text(line);

    gl_str_addf(out, "%*s%s", (int)indent, "", text + strspn(text, " "));
}

/* It must say what was wanted, whatever the way there. */
static int prove(const struct gl_config_edit *edit, const char *path, const struct gl_world *world,
                 const struct gl_config *after, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str wanted = {0};
    GL_AUTO(gl_str_done) struct gl_str got = {0};
    struct gl_config config = {0};
    struct gl_error why = {0};
    bool is_same;

    if (gl_config_read_text((struct gl_view){gl_str_text(&edit->text), edit->text.length}, path,
                            world, &config, &why) != 0)
        return gl_fail(err, GL_E_CONFIG, "%s: the change would not read: %s", path, why.text);
    gl_config_text(after, &wanted);
    gl_config_text(&config, &got);
    is_same = strcmp(gl_str_text(&wanted), gl_str_text(&got)) == 0;
    gl_config_done(&config);
    return is_same ? 0
                   : gl_fail(err, GL_E_CONFIG,
                             "%s cannot be changed line by line as it is written; write this there "
                             "yourself: %s",
                             path, gl_str_text(&edit->added));
}

static int finish(struct gl_config_edit *made, const char *path, const struct gl_world *world,
                  const struct gl_config *after, struct gl_config_edit *out, struct gl_error *err)
{
    if (prove(made, path, world, after, err) != 0) {
        gl_config_edit_done(made);
        return -1;
    }
    *out = *made;
    return 0;
}

static void begin_file(const char *text, struct gl_str *out)
{
    if (text[strspn(text, " \t\r\n")] == '\0')
        gl_str_add(out, "greenlaunch_config: 1\n");
}

/* ---- clouds ---- */

static size_t find_cloud(const struct lines *lines, const struct block *block, const char *name)
{
    size_t after, i = block->first + 1;

    while (i < block->until &&
           !(begins_item(lines, block, i) && has_key(lines->items[i], block->indent, name, &after)))
        i++;
    return i;
}

static void edit_clouds(const struct lines *lines, const struct gl_config *after, const char *name,
                        struct gl_config_edit *out)
{
    const struct gl_config_section *cloud = gl_config_cloud(after, name);
    const struct block block = find_block(lines, "clouds");
    struct gl_str added = {0}, line = {0};
    size_t at;

    if (!block.is_there)
        begin_file(lines->count > 0 ? lines->items[0].text : "", &added);
    if (!block.is_there || !block.is_by_line || after->clouds.count == 0) {
        gl_config_add_sections(&added, "clouds", &after->clouds);
        replace(lines, block.first, block.is_there ? block.until : block.first, &added, out);
        return;
    }
    at = find_cloud(lines, &block, name);
    if (cloud != NULL) {
        gl_config_add_section(&line, cloud);
        add_indented(&added, block.indent, &line);
        gl_str_done(&line);
    }
    replace(lines, at, at < block.until ? item_end(lines, &block, at) : at, &added, out);
}

int gl_config_edit_cloud(const char *text, const char *path, const struct gl_world *world,
                         const struct gl_config *after, const char *name,
                         struct gl_config_edit *out, struct gl_error *err)
{
    struct lines lines = split(text);
    struct gl_config_edit made;

    edit_clouds(&lines, after, name, &made);
    free(lines.items);
    return finish(&made, path, world, after, out, err);
}

/* ---- sources ---- */

static void add_sources(const struct gl_config *config, struct gl_str *out)
{
    gl_str_add(out, config->source_count > 0 ? "sources:\n" : "sources: []\n");
    for (size_t i = 0; i < config->source_count; i++)
        gl_config_add_source(out, &config->sources[i]);
}

/* The line of item `number`, or where one more would begin. */
static size_t find_source(const struct lines *lines, const struct block *block, size_t number)
{
    size_t end = block->first + 1;

    for (size_t i = end; i < block->until; i++) {
        if (!begins_item(lines, block, i))
            continue;
        if (number-- == 0)
            return i;
        end = item_end(lines, block, i);
    }
    return end;
}

static void edit_sources(const struct lines *lines, const struct gl_config_source_edit *edit,
                         struct gl_config_edit *out)
{
    const struct block block = find_block(lines, "sources");
    struct gl_str added = {0}, line = {0};
    size_t at;

    if (!block.is_there)
        begin_file(lines->count > 0 ? lines->items[0].text : "", &added);
    if (!block.is_there || !block.is_by_line || edit->after->source_count == 0) {
        add_sources(edit->after, &added);
        replace(lines, block.first, block.is_there ? block.until : block.first, &added, out);
        return;
    }
    at = find_source(lines, &block, edit->index);
    if (edit->is_added) {
        gl_config_add_source(&line, &edit->after->sources[edit->index]);
        add_indented(&added, block.indent, &line);
        gl_str_done(&line);
    }
    replace(lines, at, edit->is_added ? at : item_end(lines, &block, at), &added, out);
}

int gl_config_edit_source(const char *text, const char *path, const struct gl_world *world,
                          const struct gl_config_source_edit *edit, struct gl_config_edit *out,
                          struct gl_error *err)
{
    struct lines lines = split(text);
    struct gl_config_edit made;

    edit_sources(&lines, edit, &made);
    free(lines.items);
    return finish(&made, path, world, edit->after, out, err);
}

void gl_config_edit_done(struct gl_config_edit *edit)
{
    gl_str_done(&edit->removed);
    gl_str_done(&edit->added);
    gl_str_done(&edit->text);
}
