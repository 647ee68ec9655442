/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/mapping_store.h"

#include <string.h>

/* ---- what is read of a type ---- */

#define READS_SLOTS 128 /* names of attributes, a power of two */

struct gl_mapping_reads {
    const char *type;
    const char *tags; /* the attribute that is read for tags alone; NULL */
    bool is_any;
    struct gl_view names[READS_SLOTS]; /* open addressing; full ones end at READS_SLOTS - 1 */
    size_t count;
    struct gl_mapping_reads *next;
};

/* Asked of every attribute of every resource: three of its bytes tell names apart well enough. */
static size_t first_slot(struct gl_view name)
{
    const unsigned char *bytes = (const unsigned char *)name.text;

    if (name.length == 0)
        return 0;
    return (name.length * 5 + bytes[0] * 7u + bytes[name.length / 2] * 11u +
            bytes[name.length - 1] * 17u) &
           (READS_SLOTS - 1);
}

/* Of the name, or the free one where it would stand. */
static size_t slot_of(const struct gl_mapping_reads *reads, struct gl_view name)
{
    size_t at = first_slot(name);

    while (reads->names[at].text != NULL &&
           (reads->names[at].length != name.length ||
            memcmp(reads->names[at].text, name.text, name.length) != 0))
        at = (at + 1) & (READS_SLOTS - 1);
    return at;
}

bool gl_mapping_reads_name(const struct gl_mapping_reads *reads, struct gl_view name)
{
    return reads->names[slot_of(reads, name)].text != NULL;
}

/* Of types that nobody reads: a plan may have any number of those. */
static const struct gl_mapping_reads nothing;

static struct gl_view view_of(const char *text)
{
    return (struct gl_view){text, strlen(text)};
}

static void add_name(struct gl_mapping_reads *reads, const char *name)
{
    struct gl_view view = view_of(name), *slot = &reads->names[slot_of(reads, view)];

    if (slot->text == NULL && reads->count < READS_SLOTS - 1) {
        *slot = view;
        reads->count++;
    }
    reads->is_any = true;
}

static void add_heads(struct gl_mapping_reads *reads, const struct gl_path *path);

static void add_head(struct gl_mapping_reads *reads, const struct gl_path_term *term)
{
    if (term == NULL || term->constant != NULL)
        return;
    if (term->steps == NULL) {
        add_heads(reads, term->rest);
        return;
    }
    add_name(reads, term->steps[0].name);
    add_name(reads, term->steps[0].camel);
    add_name(reads, term->steps[0].plural);
}

static void add_heads(struct gl_mapping_reads *reads, const struct gl_path *path)
{
    for (const struct gl_path_choice *choice = path->first; choice != NULL; choice = choice->next)
        for (const struct gl_path_term *term = choice->terms; term != NULL; term = term->next) {
            add_head(reads, term);
            add_head(reads, term->guard);
        }
}

static void add_row(struct gl_mapping_reads *reads, const struct gl_mapping_row *row)
{
    struct gl_mapping_path paths[GL_MAPPING_ROW_PATHS];
    size_t count = gl_mapping_row_paths(row, paths);

    for (size_t i = 0; i < count; i++)
        if (paths[i].path != row->tags)
            add_heads(reads, paths[i].path);
    if (row->holds != NULL)
        add_name(reads, row->holds);
    reads->is_any = true;
}

/* Last: is there anything else to read them for? */
static void add_tags(struct gl_mapping_reads *reads, const struct gl_path *tags)
{
    const char *head = gl_path_head(tags);

    if (!gl_mapping_reads_name(reads, view_of(head)))
        reads->tags = head;
    add_heads(reads, tags);
}

static void find_references(struct gl_mapping_store *store)
{
    size_t room = 256;

    store->references = gl_alloc(room * sizeof *store->references);
    for (size_t i = 0; i < store->file_count; i++) {
        const struct gl_mapping_source *file = &store->files[i];
        const char *at = file->begin;

        while ((at = memmem(at, (size_t)(file->end - at), "->", 2)) != NULL) {
            at += 2;
            at += strspn(at, " \n");
            if (store->reference_count == room) {
                room *= 2;
                store->references = gl_realloc(store->references, room * sizeof *store->references);
            }
            store->references[store->reference_count++] = at;
        }
    }
}

/* What is read there: "b" of "b.c", and of "(b ; c)" all that stands inside. */
static struct gl_view read_there(const char *at)
{
    size_t length = 0, depth = 1;

    if (*at != '(')
        return (struct gl_view){at, strcspn(at, ".[]() ;+\n#")};
    for (at++; at[length] != '\0' && at[length] != '\n'; length++) {
        depth += at[length] == '(';
        depth -= at[length] == ')';
        if (depth == 0)
            break;
    }
    return (struct gl_view){at, length};
}

/* References to the type: "-> aws_subnet.availability_zone". Found in the text of the files, so
 * that their rows need not be read for that. */
static void add_references(struct gl_mapping_store *store, const char *type,
                           struct gl_mapping_reads *reads)
{
    size_t length = strlen(type);

    if (store->references == NULL)
        find_references(store);
    for (size_t i = 0; i < store->reference_count; i++) {
        const char *at = store->references[i];
        struct gl_path_fault fault;
        const struct gl_path *path;
        struct gl_view there;

        if (strncmp(at, type, length) != 0 || at[length] != '.')
            continue;
        there = read_there(at + length + 1);
        path = gl_path_parse(gl_arena_text(&store->arena, there.text, there.length), &store->arena,
                             &fault);
        if (path != NULL)
            add_heads(reads, path);
    }
}

/* In the list of those that are read, or `nothing`. */
static const struct gl_mapping_reads *make_reads(struct gl_mapping_store *store, const char *type)
{
    static const char *const identity[] = {"id",       "name",    "arn",  "self_link",
                                           "selfLink", "region",  "zone", "availability_zone",
                                           "names",    "location"};
    struct gl_mapping_entry *entry = gl_mapping_entry(store, type);
    struct gl_mapping_reads made = {0}, *reads;

    if (entry != NULL && gl_mapping_entry_row(store, entry) != NULL)
        add_row(&made, entry->row);
    add_references(store, entry != NULL ? entry->type : type, &made);
    if (!made.is_any)
        return &nothing;
    for (size_t i = 0; i < sizeof identity / sizeof identity[0]; i++)
        add_name(&made, identity[i]);
    if (entry != NULL && entry->row != NULL && entry->row->tags != NULL)
        add_tags(&made, entry->row->tags);
    made.type = gl_arena_text(&store->arena, type, strlen(type));
    made.next = store->reads;
    reads = gl_arena_take(&store->arena, sizeof *reads);
    *reads = made;
    store->reads = reads;
    return reads;
}

static const struct gl_mapping_reads *find_reads(struct gl_mapping_store *store, const char *type)
{
    const struct gl_mapping_reads *reads = store->reads;

    while (reads != NULL && strcmp(reads->type, type) != 0)
        reads = reads->next;
    return reads != NULL ? reads : make_reads(store, type);
}

/* Readers ask for all attributes of a type in a row, and for one type many times. */
static const struct gl_mapping_reads *reads_of(struct gl_mapping_store *store, const char *type)
{
    struct gl_mapping_asked *asked = store->latest;
    size_t length;

    if (asked != NULL && strcmp(asked->type, type) == 0)
        return asked->reads;
    length = strlen(type);
    asked = &store->asked[gl_mapping_hash(type, length) % GL_MAPPING_ASKED];
    if (length >= sizeof asked->type)
        return find_reads(store, type);
    if (asked->reads == NULL || strcmp(asked->type, type) != 0) {
        asked->reads = find_reads(store, type);
        memcpy(asked->type, type, length + 1);
    }
    store->latest = asked;
    return asked->reads;
}

const struct gl_mapping_reads *gl_mapping_reads_of(const struct gl_hook_mapping *mapping,
                                                   const char *type)
{
    return reads_of(mapping->store, type);
}

bool gl_mapping_reads(const struct gl_hook_mapping *mapping, const char *type,
                      const char *attribute)
{
    const struct gl_mapping_reads *reads = reads_of(mapping->store, type);

    return attribute == NULL ? reads->is_any : gl_mapping_reads_name(reads, view_of(attribute));
}

const char *gl_mapping_reads_tags(const struct gl_mapping_reads *reads)
{
    return reads->tags;
}
