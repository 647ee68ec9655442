/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "broker/hook/mapping_store.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TABLE_SLOTS 2048 /* a power of two, more than twice the names that are carried */

static bool is_view(struct gl_view view, const char *text)
{
    return strncmp(view.text, text, view.length) == 0 && text[view.length] == '\0';
}

uint32_t gl_mapping_hash(const char *text, size_t length)
{
    uint32_t hash = UINT32_C(2166136261);

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT32_C(16777619);
    return hash;
}

/* ---- names ---- */

static struct gl_mapping_slot *find_slot(const struct gl_mapping_table *table, const char *name,
                                         size_t length)
{
    size_t at = gl_mapping_hash(name, length) & (table->size - 1);

    while (table->slots[at].entry != 0 && (table->slots[at].name.length != length ||
                                           memcmp(table->slots[at].name.text, name, length) != 0))
        at = (at + 1) & (table->size - 1);
    return &table->slots[at];
}

static void grow_table(struct gl_mapping_table *table)
{
    struct gl_mapping_table larger = {.size = table->size == 0 ? TABLE_SLOTS : table->size * 2};

    larger.slots = gl_alloc(larger.size * sizeof *larger.slots);
    for (size_t i = 0; i < table->size; i++)
        if (table->slots[i].entry != 0)
            *find_slot(&larger, table->slots[i].name.text, table->slots[i].name.length) =
                table->slots[i];
    larger.count = table->count;
    free(table->slots);
    *table = larger;
}

/* The later one wins: files of the user come after ours. */
static void set_name(struct gl_mapping_table *table, struct gl_view name, size_t entry)
{
    struct gl_mapping_slot *slot;

    if (table->count * 2 >= table->size)
        grow_table(table);
    slot = find_slot(table, name.text, name.length);
    table->count += slot->entry == 0;
    *slot = (struct gl_mapping_slot){name, entry};
}

struct gl_mapping_entry *gl_mapping_entry(const struct gl_mapping_store *store, const char *name)
{
    const struct gl_mapping_slot *slot = find_slot(&store->names, name, strlen(name));

    return slot->entry != 0 ? &store->entries[slot->entry - 1] : NULL;
}

static struct gl_mapping_entry *add_entry(struct gl_mapping_store *store,
                                          struct gl_mapping_entry entry)
{
    if (store->entry_count == store->entry_room) {
        store->entry_room = store->entry_room == 0 ? 512 : store->entry_room * 2;
        store->entries = gl_realloc(store->entries, store->entry_room * sizeof entry);
    }
    store->entries[store->entry_count] = entry;
    store->row_count += !entry.is_context;
    return &store->entries[store->entry_count++];
}

/* ---- the carried files: found line by line, read when asked for ---- */

static bool begins(const char *at, const char *end, const char *token)
{
    size_t length = strlen(token);

    return (size_t)(end - at) >= length && memcmp(at, token, length) == 0;
}

/* "[a, b]" of one line. */
static void index_aliases(struct gl_mapping_store *store, const char *at, const char *end)
{
    while (at < end && *at != ']') {
        const char *start;

        while (at < end && (*at == ' ' || *at == '[' || *at == ','))
            at++;
        start = at;
        while (at < end && *at != ',' && *at != ']')
            at++;
        if (at > start)
            set_name(&store->names, (struct gl_view){start, (size_t)(at - start)},
                     store->entry_count);
    }
}

static void index_type(struct gl_mapping_store *store, struct gl_mapping_source *file,
                       const char *line, const char *end, bool is_context)
{
    const char *name = line + strlen("- type: ");
    size_t length = (size_t)(end - name);
    const char *kept = gl_arena_text(&store->arena, name, length);

    add_entry(store, (struct gl_mapping_entry){.type = kept,
                                               .text = {line, 0},
                                               .file = (size_t)(file - store->files),
                                               .is_context = is_context});
    set_name(&store->names, (struct gl_view){kept, length}, store->entry_count);
}

static void end_row(struct gl_mapping_store *store, const char *at)
{
    struct gl_mapping_entry *last =
        store->entry_count > 0 ? &store->entries[store->entry_count - 1] : NULL;

    if (last != NULL && last->text.length == 0)
        last->text.length = (size_t)(at - last->text.text);
}

static void index_file(struct gl_mapping_store *store, struct gl_mapping_source *file)
{
    bool is_context = false;
    const char *line = file->begin;

    file->rows = file->end;
    while (line < file->end) {
        const char *end = memchr(line, '\n', (size_t)(file->end - line));

        if (end == NULL)
            end = file->end;
        if (begins(line, end, "- type: ")) {
            end_row(store, line);
            index_type(store, file, line, end, is_context);
        } else if (begins(line, end, "  aliases: ")) {
            index_aliases(store, line + strlen("  aliases: "), end);
        } else if (begins(line, end, "rows:")) {
            file->rows = line;
        } else if (begins(line, end, "context:")) {
            end_row(store, line);
            is_context = true;
        }
        line = end + 1;
    }
    end_row(store, file->end);
}

static struct gl_reader reader_of(struct gl_mapping_store *store, const char *name,
                                  struct gl_view text)
{
    if (store->diagnostics == NULL)
        store->diagnostics = gl_alloc(sizeof *store->diagnostics);
    store->diagnostics->count = store->diagnostics->beyond = 0;
    return (struct gl_reader){gl_source_of(text, name, store->diagnostics), &store->arena};
}

/* A file that this program carries is wrong: what it says of machines would be missing, and they
 * would pass unseen. */
static _Noreturn void end_program(const struct gl_mapping_source *file, const char *part,
                                  const struct gl_diagnostics *diagnostics)
{
    const struct gl_error *error = &diagnostics->errors[0];
    unsigned line = (unsigned)error->pos.line;

    for (const char *at = file->begin; at < part; at++)
        line += *at == '\n';
    dprintf(STDERR_FILENO, "greenlaunch: this program is broken: its mapping %s, line %u: %s\n",
            file->name, line, error->text);
    _exit(GL_EXIT_INTERNAL);
}

static struct gl_mapping_source *file_of(struct gl_mapping_store *store, size_t index)
{
    struct gl_mapping_source *file = &store->files[index];
    struct gl_reader reader;

    if (file->is_read)
        return file;
    file->is_read = true;
    reader = reader_of(store, file->name,
                       (struct gl_view){file->begin, (size_t)(file->rows - file->begin)});
    if (gl_mapping_read_file(&reader, &file->read))
        end_program(file, file->begin, store->diagnostics);
    return file;
}

/* What the row leaves to its file. */
static void complete(const struct gl_mapping_file *file, struct gl_mapping_row *row)
{
    if (file->provider == NULL)
        return;
    row->provider = file->provider->name;
    if (row->cloud == NULL)
        row->cloud = file->provider->cloud;
    if (row->verified == NULL)
        row->verified = file->verified;
    if (row->tags == NULL)
        row->tags = file->tags;
    if (row->place_count == 0) {
        row->places = file->places;
        row->place_count = file->place_count;
    }
    if (row->verified == NULL || strcmp(row->verified, "no") == 0)
        row->verified = "";
}

const struct gl_mapping_row *gl_mapping_entry_row(struct gl_mapping_store *store,
                                                  struct gl_mapping_entry *entry)
{
    if (entry->row == NULL && entry->text.length > 0 && !entry->is_context) {
        struct gl_mapping_source *file = file_of(store, entry->file);
        struct gl_reader reader = reader_of(store, file->name, entry->text);
        struct gl_mapping_row *row = gl_mapping_read_row(&reader);

        if (row == NULL)
            end_program(file, entry->text.text, store->diagnostics);
        entry->text.length = 0;
        complete(&file->read, row);
        entry->row = row;
    }
    return entry->row;
}

/* ---- files of the user: read whole, at once ---- */

static struct gl_mapping_source *carried_named(struct gl_mapping_store *store, const char *name)
{
    for (size_t i = 0; i < store->carried_count; i++)
        if (strcmp(store->files[i].name, name) == 0)
            return file_of(store, i);
    return NULL;
}

static void replace(struct gl_mapping_store *store, const char *type)
{
    struct gl_mapping_entry *old = gl_mapping_entry(store, type);

    if (old == NULL || strcmp(old->type, type) != 0 || old->is_replaced)
        return;
    old->is_replaced = true;
    store->row_count -= !old->is_context;
}

static void add_read(struct gl_mapping_store *store, size_t file, const struct gl_mapping_row *row,
                     bool is_context)
{
    replace(store, row->type);
    add_entry(store, (struct gl_mapping_entry){
                         .type = row->type, .row = row, .file = file, .is_context = is_context});
    set_name(&store->names, (struct gl_view){row->type, strlen(row->type)}, store->entry_count);
    for (const char *const *alias = row->aliases; alias != NULL && *alias != NULL; alias++)
        set_name(&store->names, (struct gl_view){*alias, strlen(*alias)}, store->entry_count);
}

static void take_file(struct gl_mapping_store *store, size_t index)
{
    struct gl_mapping_file *read = &store->files[index].read;
    struct gl_mapping_source *ours = carried_named(store, read->provider->name);

    if (read->is_provider_named_only && ours != NULL)
        read->provider = ours->read.provider;
    for (size_t i = 0; i < read->row_count; i++) {
        struct gl_mapping_row *row = gl_arena_take(&store->arena, sizeof *row);

        *row = *read->rows[i];
        complete(read, row);
        add_read(store, index, row, false);
    }
    for (size_t i = 0; i < read->context_count; i++)
        add_read(store, index, read->context[i], true);
}

static int read_given(struct gl_mapping_store *store, const char *folder, const char *name,
                      struct gl_str *out_report, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, name);
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_mapping_source *file = &store->files[store->file_count];
    struct gl_reader reader;
    size_t length;

    if (gl_file_read_given(path, GL_POLICY_MAX_BYTES, &text, &length, err))
        return -1;
    *file = (struct gl_mapping_source){.name = gl_arena_text(&store->arena, path, strlen(path)),
                                       .is_read = true};
    file->begin = gl_arena_text(&store->arena, text, length);
    file->end = file->rows = file->begin + length;
    reader = reader_of(store, file->name, (struct gl_view){file->begin, length});
    if (gl_mapping_read_file(&reader, &file->read)) {
        if (out_report != NULL)
            gl_diagnostics_text(store->diagnostics, 0, out_report);
        if (err->code == GL_OK && store->diagnostics->count > 0)
            *err = store->diagnostics->errors[0];
        return -1;
    }
    if (store->row_count + file->read.row_count > GL_MAPPING_MAX_ROWS)
        return gl_fail(err, GL_E_TOO_LARGE, "%s: more than %d rows in all", path,
                       GL_MAPPING_MAX_ROWS);
    take_file(store, store->file_count++);
    return 0;
}

static int is_yaml(const struct dirent *item)
{
    const char *dot = strrchr(item->d_name, '.');

    return item->d_name[0] != '.' && dot != NULL &&
           (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* Every file is read, also after one that is wrong, so that all errors are told at once. */
static int read_folder(struct gl_mapping_store *store, const char *folder,
                       struct gl_str *out_report, struct gl_error *err)
{
    struct dirent **items;
    int count = scandir(folder, &items, is_yaml, alphasort);
    int result = 0;

    if (count < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "%s: cannot be read as a folder of mapping files",
                           folder);
    if (count > GL_MAPPING_MAX_FILES)
        result = gl_fail(err, GL_E_TOO_LARGE, "%s: more than %d mapping files", folder,
                         GL_MAPPING_MAX_FILES);
    for (int i = 0; i < count; i++) {
        if (count <= GL_MAPPING_MAX_FILES)
            result |= read_given(store, folder, items[i]->d_name, out_report, err);
        free(items[i]);
    }
    free(items);
    return result;
}

/* ---- the mapping ---- */

static void open_carried(struct gl_mapping_store *store)
{
    size_t count;
    const struct gl_carried *carried = gl_mapping_carried(&count);

    store->files = gl_alloc((count + GL_MAPPING_MAX_FILES) * sizeof *store->files);
    grow_table(&store->names);
    for (size_t i = 0; i < count; i++) {
        store->files[i] = (struct gl_mapping_source){
            .name = carried[i].name, .begin = carried[i].begin, .end = carried[i].end};
        index_file(store, &store->files[i]);
    }
    store->file_count = store->carried_count = count;
}

struct gl_hook_mapping *gl_mapping_open_reporting(const char *folder, struct gl_str *out_report,
                                                  struct gl_error *err)
{
    struct gl_hook_mapping *mapping = gl_alloc(sizeof *mapping);

    mapping->store = gl_alloc(sizeof *mapping->store);
    open_carried(mapping->store);
    if (folder == NULL || read_folder(mapping->store, folder, out_report, err) == 0)
        return mapping;
    gl_mapping_free(mapping);
    return NULL;
}

struct gl_hook_mapping *gl_mapping_open(const char *folder, struct gl_error *err)
{
    return gl_mapping_open_reporting(folder, NULL, err);
}

const struct gl_mapping_row *gl_mapping_row(const struct gl_hook_mapping *mapping, const char *type)
{
    struct gl_mapping_entry *entry = gl_mapping_entry(mapping->store, type);

    return entry != NULL && !entry->is_context ? gl_mapping_entry_row(mapping->store, entry) : NULL;
}

const char *gl_mapping_type(const struct gl_hook_mapping *mapping, const char *type)
{
    const struct gl_mapping_entry *entry = gl_mapping_entry(mapping->store, type);

    return entry != NULL ? entry->type : type;
}

const struct gl_mapping_row *gl_mapping_at(const struct gl_hook_mapping *mapping, size_t index)
{
    struct gl_mapping_store *store = mapping->store;

    for (size_t i = 0; i < store->entry_count; i++) {
        struct gl_mapping_entry *entry = &store->entries[i];

        if (!entry->is_context && !entry->is_replaced && index-- == 0)
            return gl_mapping_entry_row(store, entry);
    }
    return NULL;
}

/* ---- providers ---- */

static const char *after_last(const char *text, char separator)
{
    const char *last = strrchr(text, separator);

    return last != NULL ? last + 1 : text;
}

/* Is it the last part of an address that the provider has? */
static bool is_source(const struct gl_mapping_provider *provider, struct gl_view name)
{
    for (const char *const *source = provider->sources; source != NULL && *source != NULL; source++)
        if (is_view(name, after_last(*source, '/')))
            return true;
    return false;
}

static const struct gl_mapping_provider *provider_named(struct gl_mapping_store *store,
                                                        struct gl_view name)
{
    for (size_t i = store->file_count; i-- > 0;) {
        const struct gl_mapping_provider *provider;

        if (i < store->carried_count) {
            if (is_view(name, store->files[i].name))
                return file_of(store, i)->read.provider;
            continue;
        }
        provider = store->files[i].read.provider;
        if (is_view(name, provider->name))
            return provider;
    }
    return NULL;
}

/* The name of a provider in a type or address: "aws" of "aws_iam_role" and "aws:iam/role:Role", the
 * last part of an address. */
static struct gl_view provider_part(const char *type_or_name)
{
    size_t prefix = strcspn(type_or_name, "_:/");
    const char *last = after_last(type_or_name, '/');

    if (strncmp(type_or_name, "AWS::", 5) == 0)
        return (struct gl_view){"cloudformation", strlen("cloudformation")};
    if (type_or_name[prefix] != '/')
        return (struct gl_view){type_or_name, prefix};
    return (struct gl_view){last, strlen(last)};
}

const struct gl_mapping_provider *gl_mapping_provider(const struct gl_hook_mapping *mapping,
                                                      const char *type_or_name)
{
    struct gl_mapping_store *store = mapping->store;
    const struct gl_mapping_entry *entry = gl_mapping_entry(store, type_or_name);
    struct gl_view name = provider_part(type_or_name);
    const struct gl_mapping_provider *found;

    if (entry != NULL)
        return file_of(store, entry->file)->read.provider;
    found = provider_named(store, name);
    for (size_t i = store->file_count; found == NULL && i-- > 0;)
        if (is_source(file_of(store, i)->read.provider, name))
            found = store->files[i].read.provider;
    return found;
}

void gl_mapping_free(struct gl_hook_mapping *mapping)
{
    if (mapping == NULL)
        return;
    free(mapping->store->files);
    free(mapping->store->entries);
    free(mapping->store->references);
    free(mapping->store->names.slots);
    free(mapping->store->diagnostics);
    gl_arena_done(&mapping->store->arena);
    free(mapping->store);
    free(mapping);
}
