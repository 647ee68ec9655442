/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_MAPPING_STORE_H
#define GL_BROKER_HOOK_MAPPING_STORE_H

/* What is behind a mapping: its files, its rows and their names. Internal to mapping*.c. */

#include "broker/hook/mapping_part.h"

/* A row where it stands. Those of ours are read when they are first asked for. */
struct gl_mapping_entry {
    const char *type;                 /* its own name */
    struct gl_view text;              /* "- type: ..." of ours; empty once read */
    const struct gl_mapping_row *row; /* NULL: not read yet */
    size_t file;
    bool is_context; /* only a name */
    bool is_replaced;
};

struct gl_mapping_source {
    const char *name;
    const char *begin, *end;
    const char *rows; /* where they begin */
    struct gl_mapping_file read;
    bool is_read; /* above the rows */
};

/* Names to entries; open addressing. */
struct gl_mapping_slot {
    struct gl_view name;
    size_t entry; /* its number, from 1 */
};
struct gl_mapping_table {
    struct gl_mapping_slot *slots;
    size_t size, count;
};

/* What is read of a type that was asked for of late; a newer one takes its place. */
#define GL_MAPPING_ASKED 256
struct gl_mapping_asked {
    char type[88];
    const struct gl_mapping_reads *reads; /* NULL: free */
};

/* Behind the mapping, which lookups do not change as far as callers can see. */
struct gl_mapping_store {
    struct gl_arena arena;
    struct gl_mapping_source *files;
    size_t file_count, carried_count;
    struct gl_mapping_entry *entries;
    size_t entry_count, entry_room;
    size_t row_count; /* without context and replaced ones */
    struct gl_mapping_table names;
    struct gl_diagnostics *diagnostics; /* of the file being read */
    struct gl_mapping_reads *reads;     /* of the types that are read, as they were asked for */
    struct gl_mapping_asked asked[GL_MAPPING_ASKED], *latest;
    const char **references; /* into the files: what stands after each "->"; NULL */
    size_t reference_count;
};

struct gl_hook_mapping {
    struct gl_mapping_store *store;
};

struct gl_mapping_entry *gl_mapping_entry(const struct gl_mapping_store *store, const char *name);
/* The row of an entry, read now if it was not; NULL for a context type. */
const struct gl_mapping_row *gl_mapping_entry_row(struct gl_mapping_store *store,
                                                  struct gl_mapping_entry *entry);
/* FNV-1a, 32 bits. */
uint32_t gl_mapping_hash(const char *text, size_t length);

#endif
