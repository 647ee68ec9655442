/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks and settings among those that were scanned. */
#include <stdlib.h>
#include <string.h>

#include "broker/hook/tf_source_part.h"

const struct gl_tf_source_block *gl_tf_source_each(const struct gl_tf_source *source,
                                                   const char *folder, const char *kind,
                                                   const char *first, size_t *cursor)
{
    struct gl_arena scratch = {0};
    size_t number;
    bool is_found = gl_reader_index_next(
        &source->by_folder, gl_tf_source_key(&scratch, folder, kind, first, NULL), cursor, &number);

    gl_arena_done(&scratch);
    return is_found ? &source->blocks[number] : NULL;
}

/* The one block of that name; NULL when there is none, or more than one. */
static const struct gl_tf_source_block *only(const struct gl_tf_source *source,
                                             const struct gl_reader_index *index, const char *key)
{
    size_t cursor = 0, number, second;

    if (!gl_reader_index_next(index, key, &cursor, &number) ||
        gl_reader_index_next(index, key, &cursor, &second))
        return NULL;
    return &source->blocks[number];
}

const struct gl_tf_source_block *gl_tf_source_block(const struct gl_tf_source *source,
                                                    const char *folder, const char *kind,
                                                    const char *first, const char *second)
{
    struct gl_arena scratch = {0};
    const struct gl_tf_source_block *found =
        only(source, &source->by_folder, gl_tf_source_key(&scratch, folder, kind, first, second));

    gl_arena_done(&scratch);
    return found;
}

const struct gl_tf_setting *gl_tf_source_setting(const struct gl_tf_source *source,
                                                 const struct gl_tf_source_block *block,
                                                 const char *name)
{
    const struct gl_tf_setting *found = NULL;

    for (size_t i = block->first; i < block->first + block->count; i++) {
        if (strcmp(source->settings[i].name, name) != 0)
            continue;
        if (found != NULL)
            return NULL;
        found = &source->settings[i];
    }
    return found;
}

/* "a/b" and "../c" to "a/c"; NULL when it leaves the root or is no local path. */
static const char *join_folder(struct gl_arena *arena, const char *folder, const char *local)
{
    char *path;
    size_t length = strlen(folder);

    if (strncmp(local, "./", 2) != 0 && strncmp(local, "../", 3) != 0)
        return NULL;
    path = gl_arena_take(arena, length + strlen(local) + 2);
    memcpy(path, folder, length);
    while (*local != '\0') {
        size_t part = strcspn(local, "/");

        if (part == 2 && memcmp(local, "..", 2) == 0) {
            if (length == 0)
                return NULL;
            while (length > 0 && path[--length] != '/')
                continue;
        } else if (part > 0 && !(part == 1 && *local == '.')) {
            if (length > 0)
                path[length++] = '/';
            memcpy(path + length, local, part);
            length += part;
        }
        local += part + (local[part] == '/');
    }
    path[length] = '\0';
    return path;
}

/* From the root module in `folder` along "module.a.module.b". */
static const char *folder_of_module(const struct gl_tf_source *source, struct gl_arena *arena,
                                    const char *folder, const char *module)
{
    while (*module != '\0' && folder != NULL) {
        const struct gl_tf_source_block *call;
        const struct gl_tf_setting *from;
        const char *name = module + strlen("module.");
        size_t length = strcspn(name, ".");

        call = gl_tf_source_block(source, folder, "module", gl_arena_text(arena, name, length), "");
        from = call != NULL ? gl_tf_source_setting(source, call, "source") : NULL;
        folder =
            from != NULL && !from->is_reference ? join_folder(arena, folder, from->value) : NULL;
        module = name + length + (name[length] == '.');
    }
    return folder;
}

/* One level up; false at the root. */
static bool climb(char *folder)
{
    char *slash = strrchr(folder, '/');

    if (*folder == '\0')
        return false;
    *(slash != NULL ? slash : folder) = '\0';
    return true;
}

const char *gl_tf_source_module(const struct gl_tf_source *source, const char *start)
{
    GL_AUTO(gl_auto_free) char *folder = gl_strdup(start);

    do {
        size_t cursor = 0, number;

        if (gl_reader_index_next(&source->folders, folder, &cursor, &number))
            return source->blocks[number].folder;
    } while (climb(folder));
    return NULL;
}

/* In the folder and those above it, modules through their local sources. */
static const struct gl_tf_source_block *find_on_way(const struct gl_tf_source *source,
                                                    struct gl_arena *arena, const char *start,
                                                    const struct gl_tf_address *address)
{
    const struct gl_tf_source_block *found = NULL;
    char *folder = gl_arena_text(arena, start, strlen(start));

    do {
        const char *module = folder_of_module(source, arena, folder, address->module);

        if (module != NULL)
            found = gl_tf_source_block(source, module, "resource", address->type, address->name);
    } while (found == NULL && climb(folder));
    return found;
}

/* The only one there is may be somebody else's, where that of the plan is in what was not read. */
static bool may_be_elsewhere(const struct gl_tf_source *source, const char *start,
                             const struct gl_tf_address *address)
{
    return source->has_unread || *address->module != '\0' ||
           gl_tf_source_module(source, start) != NULL;
}

static const struct gl_tf_source_block *find(const struct gl_tf_source *source, const char *start,
                                             const char *address, bool is_for_edit)
{
    struct gl_arena arena = {0};
    const struct gl_tf_source_block *found = NULL;
    struct gl_tf_address parts;

    if (gl_tf_address_parse(address, &arena, &parts) && !parts.is_data) {
        found = find_on_way(source, &arena, start, &parts);
        if (found == NULL && !source->is_cut &&
            !(is_for_edit && may_be_elsewhere(source, start, &parts)))
            found = only(source, &source->by_name,
                         gl_tf_source_key(&arena, "resource", parts.type, parts.name, NULL));
    }
    gl_arena_done(&arena);
    return found;
}

const struct gl_tf_source_block *gl_tf_source_find(const struct gl_tf_source *source,
                                                   const char *start, const char *address)
{
    return find(source, start, address, false);
}

const struct gl_tf_source_block *gl_tf_source_own(const struct gl_tf_source *source,
                                                  const char *start, const char *address)
{
    return find(source, start, address, true);
}

bool gl_tf_source_overrides(const struct gl_tf_source *source, const char *folder)
{
    size_t cursor = 0, number;

    return gl_reader_index_next(&source->overridden, folder, &cursor, &number);
}

bool gl_tf_source_gives(const struct gl_tf_source *source, const char *folder, const char *variable)
{
    const char *const names[] = {variable, "*"};
    bool has = false;

    for (size_t i = 0; i < 2 && !has; i++) {
        struct gl_arena arena = {0};
        size_t cursor = 0, number;

        has = gl_reader_index_next(&source->given, GL_READER_JOIN(&arena, folder, "|", names[i]),
                                   &cursor, &number);
        gl_arena_done(&arena);
    }
    return has;
}
