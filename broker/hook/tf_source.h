/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_TF_SOURCE_H
#define GL_BROKER_HOOK_TF_SOURCE_H

/* Where the blocks of a Terraform configuration stand: plans hold no positions, and people look at
 * their own files. A bounded scan of *.tf and *.tofu below one folder for the headers of blocks and
 * the plain settings at their top level. Reads nothing outside that folder, follows no symbolic
 * link, skips hidden folders (.terraform among them), evaluates nothing. */

#include "broker/hook/report.h"

#define GL_TF_SOURCE_FILES       2000
#define GL_TF_SOURCE_FILE_BYTES  ((size_t)1 << 20)
#define GL_TF_SOURCE_TOTAL_BYTES ((size_t)32 << 20)
#define GL_TF_SOURCE_ENTRIES     50000 /* of folders that are looked at */
#define GL_TF_SOURCE_LEVELS      16

/* "name = "value"" or "name = var.x" at the top level of a block. */
struct gl_tf_setting {
    const char *name, *value;
    bool is_reference; /* value is "var.region" */
    uint32_t file, line;
    size_t offset; /* of the value in the file */
};

struct gl_tf_source_block {
    const char *kind, *labels[2]; /* "resource", {"aws_instance", "web"}; "" = no label */
    const char *folder;           /* below the root; "" = the root itself */
    uint32_t file, line;
    size_t first, count; /* of settings */
};

struct gl_tf_source;

/* Never NULL: what cannot be read is left out. */
struct gl_tf_source *gl_tf_source_open(const char *root);
/* Of one file in memory, as if it lay in the root. */
struct gl_tf_source *gl_tf_source_of_text(const char *name, const char *text, size_t length);
void gl_tf_source_free(struct gl_tf_source *source);
size_t gl_tf_source_files(const struct gl_tf_source *source);
/* Relative to the root. */
const char *gl_tf_source_file(const struct gl_tf_source *source, uint32_t file);
const char *gl_tf_source_root(const struct gl_tf_source *source);

/* The block of a resource by its address in a plan. `start` is the folder, below the root, that the
 * plan lies in: the configuration is looked for there and in the folders above it, modules through
 * their local sources. Else the only block of that type and name there is. NULL when not sure. */
const struct gl_tf_source_block *gl_tf_source_find(const struct gl_tf_source *source,
                                                   const char *start, const char *address);
/* The same for who would change it: the only one there is counts only where that of the plan can be
 * in nothing else (a module from elsewhere, JSON, a link). */
const struct gl_tf_source_block *gl_tf_source_own(const struct gl_tf_source *source,
                                                  const char *start, const char *address);
/* May a file that is not read (override.tf.json, a link to an override.tf) say otherwise than the
 * blocks of a folder? */
bool gl_tf_source_overrides(const struct gl_tf_source *source, const char *folder);
/* The block of that kind and labels in a folder; NULL when there is none, or more than one. */
const struct gl_tf_source_block *gl_tf_source_block(const struct gl_tf_source *source,
                                                    const char *folder, const char *kind,
                                                    const char *first, const char *second);
/* Every block of a kind and first label in a folder: start with *cursor 0. */
const struct gl_tf_source_block *gl_tf_source_each(const struct gl_tf_source *source,
                                                   const char *folder, const char *kind,
                                                   const char *first, size_t *cursor);
/* Its setting of that name; NULL when there is none, or more than one. */
const struct gl_tf_setting *gl_tf_source_setting(const struct gl_tf_source *source,
                                                 const struct gl_tf_source_block *block,
                                                 const char *name);
/* Does a file that is always read (terraform.tfvars, *.auto.tfvars, those in JSON) in a folder give
 * that variable its value, whatever its default is? Values are not kept: they may be secret. */
bool gl_tf_source_gives(const struct gl_tf_source *source, const char *folder,
                        const char *variable);
/* The folder of the root module for a plan in `start`: the nearest at or above it with a block. */
const char *gl_tf_source_module(const struct gl_tf_source *source, const char *start);

#endif
