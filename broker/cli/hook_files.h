/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_HOOK_FILES_H
#define GL_BROKER_CLI_HOOK_FILES_H

/* From words of the command line to files with plans, and from the first bytes of a file to its
 * reader. Reads no plan. */

#include "broker/hook/reader.h"

/* Paths in the arena they were added with. Zero-initialised. */
struct gl_hook_files {
    const char **items;
    size_t count;
};

/* The word itself, or in a folder, in order of their names: every *.json at any level, and *.yaml
 * and *.yml when `reader` reads them, or when it is NULL and some reader knows them; of what CDK
 * wrote, its manifest alone. Errors: USAGE (none there, too many, one that a reader knows and
 * cannot take), IO. */
int gl_hook_files_add(struct gl_arena *arena, const struct gl_hook_reader *reader, const char *word,
                      struct gl_hook_files *files, struct gl_error *err);

/* The reader that is surest that this is its own. NULL: none, USAGE says what it is instead where
 * a reader can tell. */
const struct gl_hook_reader *gl_hook_recognise(struct gl_feed *feed, const char *name,
                                               struct gl_error *err);

#endif
