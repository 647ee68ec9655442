/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_TF_SOURCE_PART_H
#define GL_BROKER_HOOK_TF_SOURCE_PART_H

/* What the scan (tf_source.c) leaves for those who look things up (tf_source_find.c). */

#include "broker/hook/terraform_part.h"
#include "broker/hook/tf_source.h"

struct gl_tf_source {
    struct gl_arena arena;
    const char *root;
    const char **files;
    size_t file_count, bytes, entries;
    bool is_cut;     /* a ceiling was met: "the only one" is not known */
    bool has_unread; /* nor is it where JSON or a link holds configuration */
    struct gl_tf_source_block *blocks;
    size_t block_count;
    struct gl_tf_setting *settings;
    size_t setting_count;
    struct gl_reader_index by_folder; /* "folder|kind|first|second", and "folder|kind|first" */
    struct gl_reader_index by_name;   /* "resource|first|second" */
    struct gl_reader_index folders;
    struct gl_reader_index given;      /* "folder|variable"; of a file in JSON "folder|*" */
    struct gl_reader_index overridden; /* folders, by files that are not read */
};

/* "folder|kind|first|second", or without the last, in the arena. */
const char *gl_tf_source_key(struct gl_arena *arena, const char *folder, const char *kind,
                             const char *first, const char *second);

#endif
