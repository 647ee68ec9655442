/* SPDX-License-Identifier: Apache-2.0 */
/* Mapping files and paths from arbitrary bytes. The first line is a path over a small resource, the
 * rest a file. */
#include "broker/hook/mapping_part.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_path(const char *text)
{
    static const char json[] = "{\"a\":[{\"b\":1,\"c\":null},{\"b\":\"2\"}],\"aB\":[true]}";
    struct gl_error err = {0};
    struct gl_arena arena = {0};
    struct gl_jtree tree = {0};
    struct gl_path_fault fault;
    const struct gl_path *path = gl_path_parse(text, &arena, &fault);
    const char *texts[4];
    enum gl_known known;

    if (path == NULL && fault.offset > strlen(text))
        abort();
    if (path != NULL && gl_jtree_parse(&tree, json, strlen(json), "json", &err) == 0) {
        struct gl_attributes from = {.tree = &tree, .values = gl_jtree_root(&tree)};

        if (gl_path_texts(path, &from, NULL, &arena, texts, 4, &known, NULL) > 4)
            abort();
        (void)gl_path_number(path, &from, NULL, &known);
    }
    gl_jtree_done(&tree);
    gl_arena_done(&arena);
}

static void try_file(const char *text, size_t length)
{
    struct gl_diagnostics *diagnostics = gl_alloc(sizeof *diagnostics);
    struct gl_arena arena = {0};
    struct gl_reader reader = {gl_source_of((struct gl_view){text, length}, "fuzz", diagnostics),
                               &arena};
    struct gl_mapping_file file = {0};
    struct gl_mapping_path paths[GL_MAPPING_ROW_PATHS];

    if (gl_mapping_read_file(&reader, &file) == 0)
        for (size_t i = 0; i < file.row_count; i++)
            if (gl_mapping_row_paths(file.rows[i], paths) > GL_MAPPING_ROW_PATHS)
                abort();
    gl_arena_done(&arena);
    free(diagnostics);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = gl_alloc(size + 1);
    char *rest;

    memcpy(text, data, size);
    rest = memchr(text, '\n', size);
    if (rest != NULL) {
        *rest++ = '\0';
        try_file(rest, size - (size_t)(rest - text));
    }
    try_path(text);
    free(text);
    return 0;
}
