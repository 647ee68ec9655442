/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/mapping_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_MAX_BYTES   1000
#define NUMBER_MAX_BYTES 9

static const char *const place_words[] = {"region", "zone", "location", "arn", "also", NULL};
static const char *const zone_rules[] = {"letter",  "dash-letter", "dash-number", "dash",
                                         "same",    "azure",       "digits",      "oracle",
                                         "alibaba", "none",        NULL};
static const char *const vcpu_units[] = {"cores", "units", "milli", NULL};
static const char *const memory_units[] = {"MiB", "GiB", "KiB", "bytes", NULL};
static const char *const count_units[] = {"machine", "vcpu", NULL};

/* ---- kinds of values ---- */

static const struct gl_path *parse_path(const struct gl_reader *reader, const char *name,
                                        const struct gl_node *node)
{
    struct gl_path_fault fault;
    struct gl_mark mark = node->mark;
    const char *text = gl_value_text(reader, name, node, PATH_MAX_BYTES);
    const struct gl_path *path;

    if (text == NULL)
        return NULL;
    path = gl_path_parse(text, reader->arena, &fault);
    if (path != NULL)
        return path;
    if (node->is_plain && strchr(text, '\n') == NULL)
        mark = (struct gl_mark){mark.line, mark.column + (uint32_t)fault.offset, 1};
    gl_diagnose(&reader->source, &mark, GL_E_BAD_VALUE, "%s: %s", name, fault.reason);
    return NULL;
}

static int read_path(const struct gl_reader *reader, const struct gl_field *field,
                     const struct gl_node *node, void *slot)
{
    const struct gl_path *path = parse_path(reader, field->name, node);

    *(const struct gl_path **)slot = path;
    return path != NULL ? 0 : -1;
}

/* One text or a list of them. */
static int read_texts(const struct gl_reader *reader, const struct gl_field *field,
                      const struct gl_node *node, void *slot)
{
    const struct gl_node *item = node->kind == GL_NODE_LIST ? node->first : node;
    size_t count = node->kind == GL_NODE_LIST ? node->count : 1;
    const char **texts = gl_arena_take(reader->arena, (count + 1) * sizeof *texts);

    for (size_t i = 0; i < count; i++, item = item->next) {
        const char *text = gl_value_text(reader, field->name, item, GL_TEXT_MAX);

        if (text == NULL)
            return -1;
        texts[i] = gl_arena_text(reader->arena, text, strlen(text));
    }
    *(const char *const **)slot = texts;
    return 0;
}

static int read_number(const struct gl_reader *reader, const struct gl_field *field,
                       const struct gl_node *node, void *slot)
{
    const char *text = gl_value_text(reader, field->name, node, NUMBER_MAX_BYTES);

    if (text == NULL)
        return -1;
    if (text[strspn(text, "0123456789")] != '\0')
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE, "%s takes a whole number",
                           field->name);
    *(int64_t *)slot = strtoll(text, NULL, 10);
    return 0;
}

/* A word kept as text. */
static int read_choice(const struct gl_reader *reader, const struct gl_field *field,
                       const struct gl_node *node, void *slot)
{
    int word = gl_value_word(reader, field->name, node, field->words);

    if (word < 0)
        return -1;
    *(const char **)slot = field->words[word];
    return 0;
}

struct places {
    struct gl_place_row *rows;
    size_t count;
};

/* "- zone: availability_zone". */
static int read_place(const struct gl_reader *reader, const struct gl_node *node,
                      struct gl_place_row *out)
{
    const struct gl_node *member = node->first;

    if (node->kind != GL_NODE_MAP || node->count != 1)
        return gl_diagnose(
            &reader->source, &node->mark, GL_E_BAD_VALUE,
            "a place is one line: region, zone, location, arn or also, and its path");
    for (int kind = 0; place_words[kind] != NULL; kind++)
        if (strcmp(member->key, place_words[kind]) == 0) {
            *out = (struct gl_place_row){parse_path(reader, member->key, member),
                                         (enum gl_place_kind)kind};
            return out->path != NULL ? 0 : -1;
        }
    return gl_diagnose(&reader->source, &member->key_mark, GL_E_UNKNOWN_KEY,
                       "a place is a region, zone, location, arn or also");
}

static int read_places(const struct gl_reader *reader, const struct gl_field *field,
                       const struct gl_node *node, void *slot)
{
    struct places *places = slot;
    int result = 0;

    if (node->kind != GL_NODE_LIST)
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE, "%s is a list",
                           field->name);
    places->rows = gl_arena_take(reader->arena, node->count * sizeof *places->rows);
    for (const struct gl_node *item = node->first; item != NULL; item = item->next)
        result |= read_place(reader, item, &places->rows[places->count++]);
    return result;
}

static const struct gl_type type_path = {read_path, NULL, false};
static const struct gl_type type_texts = {read_texts, NULL, false};
static const struct gl_type type_number = {read_number, NULL, false};
static const struct gl_type type_choice = {read_choice, NULL, false};
static const struct gl_type type_places = {read_places, NULL, false};

/* ---- forms ---- */

#define COUNT(member) offsetof(struct gl_count_row, member)
static const struct gl_field count_fields[] = {
    {"min", &type_path, COUNT(min), "", false, NULL, NULL, NULL},
    {"desired", &type_path, COUNT(desired), "", false, NULL, NULL, NULL},
    {"max", &type_path, COUNT(max), "", false, NULL, NULL, NULL},
    {"or_min", &type_path, COUNT(or_min), "", false, NULL, NULL, NULL},
    {"or_max", &type_path, COUNT(or_max), "", false, NULL, NULL, NULL},
    {"or_plus", &type_path, COUNT(or_plus), "", false, NULL, NULL, NULL},
    {"zero_is_no_limit", &gl_type_bool, COUNT(zero_is_no_limit), "", false, NULL, NULL, NULL},
    {"scales_if", &type_path, COUNT(scales_if), "", false, NULL, NULL, NULL},
    {"zero_is_unsaid", &gl_type_bool, COUNT(zero_is_unsaid), "", false, NULL, NULL, NULL},
    {"total_min", &type_path, COUNT(total_min), "", false, NULL, NULL, NULL},
    {"total_desired", &type_path, COUNT(total_desired), "", false, NULL, NULL, NULL},
    {"total_max", &type_path, COUNT(total_max), "", false, NULL, NULL, NULL},
    {"per", &type_path, COUNT(per), "", false, NULL, NULL, NULL},
    {"per_assumed", &type_number, COUNT(per_assumed), "", false, NULL, NULL, NULL},
    {"per_adds_zone", &gl_type_bool, COUNT(per_adds_zone), "", false, NULL, NULL, NULL},
    {"times", &type_path, COUNT(times), "", false, NULL, NULL, NULL},
    {"times_plus", &type_number, COUNT(times_plus), "", false, NULL, NULL, NULL},
    {"doubled_if", &type_path, COUNT(doubled_if), "", false, NULL, NULL, NULL},
    {"doubled_words", &type_texts, COUNT(doubled_words), "", false, NULL, NULL, NULL},
    {"doubled_unless", &type_path, COUNT(doubled_unless), "", false, NULL, NULL, NULL},
    {"doubled_unless_words", &type_texts, COUNT(doubled_unless_words), "", false, NULL, NULL, NULL},
    {"doubled_by", &type_number, COUNT(doubled_by), "", false, NULL, NULL, NULL},
    {"tripled_if", &type_path, COUNT(tripled_if), "", false, NULL, NULL, NULL},
    {"tripled_words", &type_texts, COUNT(tripled_words), "", false, NULL, NULL, NULL},
    {"none_if", &type_path, COUNT(none_if), "", false, NULL, NULL, NULL},
    {"none_words", &type_texts, COUNT(none_words), "", false, NULL, NULL, NULL},
    {"only_if", &type_path, COUNT(only_if), "", false, NULL, NULL, NULL},
    {"only_words", &type_texts, COUNT(only_words), "", false, NULL, NULL, NULL},
    {"briefly_if", &type_path, COUNT(briefly_if), "", false, NULL, NULL, NULL},
    {"open_if", &type_path, COUNT(open_if), "", false, NULL, NULL, NULL},
    {"open_words", &type_texts, COUNT(open_words), "", false, NULL, NULL, NULL},
    {"ready", &type_path, COUNT(ready), "", false, NULL, NULL, NULL},
    {"ready_if", &type_path, COUNT(ready_if), "", false, NULL, NULL, NULL},
    {"ready_words", &type_texts, COUNT(ready_words), "", false, NULL, NULL, NULL},
    {"weight", &type_path, COUNT(weight), "", false, NULL, NULL, NULL},
    {"unit", &type_choice, COUNT(unit), "", false, count_units, NULL, NULL},
    {"unit_from", &type_path, COUNT(unit_from), "", false, NULL, NULL, NULL},
    {"default", &type_number, COUNT(standard), "", false, NULL, NULL, NULL},
    {0},
};
static const struct gl_form count_form = {"a count", count_fields, NULL, 0};

/* "count: =1", or the whole of it. */
static int read_count(const struct gl_reader *reader, const struct gl_field *field,
                      const struct gl_node *node, void *slot)
{
    struct gl_count_row *count = slot;

    if (node->kind == GL_NODE_SCALAR) {
        count->desired = parse_path(reader, field->name, node);
        return count->desired != NULL ? 0 : -1;
    }
    return gl_form_read(reader, &count_form, node, count);
}
static const struct gl_type type_count = {read_count, NULL, false};

/* A row under way. */
struct draft {
    struct gl_mapping_row row;
    struct places places;
};

#define ROW(member) offsetof(struct draft, row.member)
static const struct gl_field row_fields[] = {
    {"type", &gl_type_text, ROW(type), "", true, NULL, NULL, NULL},
    {"aliases", &type_texts, ROW(aliases), "", false, NULL, NULL, NULL},
    {"role", &gl_type_word, ROW(role), "", true, gl_role_words, NULL, NULL},
    {"cloud", &gl_type_text, ROW(cloud), "", false, NULL, NULL, NULL},
    {"machine", &type_path, ROW(machine), "", false, NULL, NULL, NULL},
    {"machine_default", &gl_type_text, ROW(machine_standard), "", false, NULL, NULL, NULL},
    {"strip", &type_texts, ROW(machine_strip), "", false, NULL, NULL, NULL},
    {"vcpus", &type_path, ROW(vcpus), "", false, NULL, NULL, NULL},
    {"vcpu_unit", &type_choice, ROW(vcpu_unit), "", false, vcpu_units, NULL, NULL},
    {"memory", &type_path, ROW(memory), "", false, NULL, NULL, NULL},
    {"memory_unit", &type_choice, ROW(memory_unit), "", false, memory_units, NULL, NULL},
    {"size", &type_path, ROW(size), "", false, NULL, NULL, NULL},
    {"opaque_if", &type_path, ROW(opaque_if), "", false, NULL, NULL, NULL},
    {"opaque_unless", &type_path, ROW(opaque_unless), "", false, NULL, NULL, NULL},
    {"opaque_unless_words", &type_texts, ROW(opaque_unless_words), "", false, NULL, NULL, NULL},
    {"latest_if", &type_path, ROW(latest_if), "", false, NULL, NULL, NULL},
    {"latest_words", &type_texts, ROW(latest_words), "", false, NULL, NULL, NULL},
    {"accelerator", &type_path, ROW(accelerator), "", false, NULL, NULL, NULL},
    {"accelerators", &type_path, ROW(accelerator_count), "", false, NULL, NULL, NULL},
    {"place", &type_places, offsetof(struct draft, places), "", false, NULL, NULL, NULL},
    {"count", &type_count, ROW(count), "", false, NULL, NULL, NULL},
    {"variant", &type_path, ROW(variant), "", false, NULL, NULL, NULL},
    {"holds", &gl_type_text, ROW(holds), "", false, NULL, NULL, NULL},
    {"is_change", &gl_type_bool, ROW(is_change), "", false, NULL, NULL, NULL},
    {"target", &type_path, ROW(target), "", false, NULL, NULL, NULL},
    {"target_types", &type_texts, ROW(target_types), "", false, NULL, NULL, NULL},
    {"named", &type_path, ROW(named), "", false, NULL, NULL, NULL},
    {"target_named", &type_path, ROW(target_named), "", false, NULL, NULL, NULL},
    {"interruptible", &type_path, ROW(interruptible), "", false, NULL, NULL, NULL},
    {"interruptible_words", &type_texts, ROW(interruptible_words), "", false, NULL, NULL, NULL},
    {"duration", &type_path, ROW(duration), "", false, NULL, NULL, NULL},
    {"tags", &type_path, ROW(tags), "", false, NULL, NULL, NULL},
    {"note", &gl_type_text, ROW(note), "", false, NULL, NULL, NULL},
    {"verified", &gl_type_text, ROW(verified), "", false, NULL, NULL, NULL},
    {0},
};
static const struct gl_form row_form = {"a row", row_fields, NULL, 0};

static const struct gl_field context_fields[] = {
    {"type", &gl_type_text, ROW(type), "", true, NULL, NULL, NULL},
    {"aliases", &type_texts, ROW(aliases), "", true, NULL, NULL, NULL},
    {0},
};
static const struct gl_form context_form = {"a context type", context_fields, NULL, 0};

struct provider_draft {
    struct gl_mapping_provider provider;
    struct places regions;
    struct gl_mapping_file file; /* what rows take over */
    struct places places;
};
#define PROVIDER(member)      offsetof(struct provider_draft, provider.member)
#define PROVIDER_FILE(member) offsetof(struct provider_draft, file.member)
static const struct gl_field provider_fields[] = {
    {"name", &gl_type_id, PROVIDER(name), "", true, NULL, NULL, NULL},
    {"cloud", &gl_type_text, PROVIDER(cloud), "", false, NULL, NULL, NULL},
    {"sources", &type_texts, PROVIDER(sources), "", false, NULL, NULL, NULL},
    {"region", &type_places, offsetof(struct provider_draft, regions), "", false, NULL, NULL, NULL},
    {"environment", &type_texts, PROVIDER(environment), "", false, NULL, NULL, NULL},
    {"zone_rule", &type_choice, PROVIDER(zone_rule), "", false, zone_rules, NULL, NULL},
    {"region_binds", &gl_type_bool, PROVIDER(has_binding_region), "", false, NULL, NULL, NULL},
    {"machine_like", &type_texts, PROVIDER(machine_like), "", false, NULL, NULL, NULL},
    {"filled_in", &type_texts, PROVIDER(filled_in), "", false, NULL, NULL, NULL},
    {"place", &type_places, offsetof(struct provider_draft, places), "", false, NULL, NULL, NULL},
    {"tags", &type_path, PROVIDER_FILE(tags), "", false, NULL, NULL, NULL},
    {"verified", &gl_type_text, PROVIDER_FILE(verified), "", false, NULL, NULL, NULL},
    {0},
};
static const struct gl_form provider_form = {"a provider", provider_fields, NULL, 0};

/* ---- rows and files ---- */

static struct draft fresh_draft(void)
{
    return (struct draft){
        .row = {.vcpu_unit = "cores",
                .memory_unit = "MiB",
                .count = {.unit = "machine", .doubled_by = 2, .standard = GL_UNKNOWN}}};
}

static struct gl_mapping_row *read_row(const struct gl_reader *reader, const struct gl_form *form,
                                       const struct gl_node *node)
{
    struct draft draft = fresh_draft();
    struct gl_mapping_row *row;

    if (gl_form_read(reader, form, node, &draft))
        return NULL;
    draft.row.places = draft.places.rows;
    draft.row.place_count = draft.places.count;
    draft.row.source =
        gl_arena_text(reader->arena, reader->source.name, strlen(reader->source.name));
    row = gl_arena_take(reader->arena, sizeof *row);
    *row = draft.row;
    return row;
}

struct gl_mapping_row *gl_mapping_read_row(const struct gl_reader *reader)
{
    struct gl_arena scratch = {0};
    const struct gl_node *list = gl_yaml_read(&reader->source, &scratch);
    struct gl_mapping_row *row = NULL;

    if (list != NULL && list->kind == GL_NODE_LIST && list->count == 1)
        row = read_row(reader, &row_form, list->first);
    gl_arena_done(&scratch);
    return row;
}

static int read_provider(const struct gl_reader *reader, const struct gl_field *field,
                         const struct gl_node *node, void *slot)
{
    struct gl_mapping_file *file = slot;
    struct provider_draft draft = {.provider = {.zone_rule = "same"}};
    struct gl_mapping_provider *made;
    const char **paths;
    enum gl_place_kind *kinds;

    if (gl_form_read(reader, field->form, node, &draft))
        return -1;
    paths = gl_arena_take(reader->arena, (draft.regions.count + 1) * sizeof *paths);
    kinds = gl_arena_take(reader->arena, (draft.regions.count + 1) * sizeof *kinds);
    for (size_t i = 0; i < draft.regions.count; i++) {
        paths[i] = draft.regions.rows[i].path->text;
        kinds[i] = draft.regions.rows[i].kind;
    }
    made = gl_arena_take(reader->arena, sizeof *made);
    *made = draft.provider;
    made->region_paths = paths;
    made->region_kinds = kinds;
    file->provider = made;
    file->verified = draft.file.verified;
    file->tags = draft.file.tags;
    file->places = draft.places.rows;
    file->place_count = draft.places.count;
    file->is_provider_named_only = node->count == 1;
    return 0;
}

struct row_list {
    const struct gl_mapping_row *const *rows;
    size_t count;
};

static int read_list(const struct gl_reader *reader, const struct gl_field *field,
                     const struct gl_node *node, void *slot)
{
    struct row_list *list = slot;
    const struct gl_mapping_row **rows;
    int result = 0;

    if (node->kind != GL_NODE_LIST)
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE, "%s is a list",
                           field->name);
    rows = gl_arena_take(reader->arena, (node->count + 1) * sizeof *rows);
    for (const struct gl_node *item = node->first; item != NULL; item = item->next) {
        const struct gl_mapping_row *row = read_row(reader, field->form, item);

        if (row == NULL)
            result = -1;
        else
            rows[list->count++] = row;
    }
    list->rows = rows;
    return result;
}

static const struct gl_type type_provider = {read_provider, NULL, false};
static const struct gl_type type_rows = {read_list, NULL, false};

#define FILE_AT(member) offsetof(struct gl_mapping_file, member)
static const struct gl_field file_fields[] = {
    {"mapping", &gl_type_version, 0, "", true, NULL, NULL, NULL},
    {"provider", &type_provider, 0, "", true, NULL, &provider_form, NULL},
    {"rows", &type_rows, FILE_AT(rows), "", false, NULL, &row_form, NULL},
    {"context", &type_rows, FILE_AT(context), "", false, NULL, &context_form, NULL},
    {0},
};
static const struct gl_form file_form = {"a mapping file", file_fields, NULL, 0};
_Static_assert(offsetof(struct draft, row) == 0, "a row's fields are a draft's");
_Static_assert(FILE_AT(row_count) - FILE_AT(rows) == offsetof(struct row_list, count) &&
                   FILE_AT(context_count) - FILE_AT(context) == offsetof(struct row_list, count),
               "read_list() fills the pointer and the count after it");

int gl_mapping_read_file(const struct gl_reader *reader, struct gl_mapping_file *out)
{
    struct gl_arena scratch = {0};
    const struct gl_node *root = gl_yaml_read(&reader->source, &scratch);
    int result = root != NULL ? gl_form_read(reader, &file_form, root, out) : -1;

    gl_arena_done(&scratch);
    return result == 0 && gl_diagnosed(reader->source.diagnostics) == 0 ? 0 : -1;
}

/* ---- paths of a row, by key ---- */

static size_t add_paths(const struct gl_field *fields, const char *prefix, const char *base,
                        struct gl_mapping_path *out)
{
    size_t count = 0;

    for (; fields->name != NULL; fields++) {
        const struct gl_path *path = NULL;

        if (fields->type != &type_path)
            continue;
        memcpy(&path, base + fields->offset, sizeof path);
        if (path == NULL)
            continue;
        snprintf(out[count].key, sizeof out[count].key, "%s%s", prefix, fields->name);
        out[count++].path = path;
    }
    return count;
}

size_t gl_mapping_row_paths(const struct gl_mapping_row *row,
                            struct gl_mapping_path out[GL_MAPPING_ROW_PATHS])
{
    size_t count = add_paths(row_fields, "", (const char *)row, out);

    count += add_paths(count_fields, "count.", (const char *)&row->count, out + count);
    for (size_t i = 0; i < row->place_count && count < GL_MAPPING_ROW_PATHS; i++) {
        snprintf(out[count].key, sizeof out[count].key, "place.%s",
                 place_words[row->places[i].kind]);
        out[count++].path = row->places[i].path;
    }
    return count;
}
