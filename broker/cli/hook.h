/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_HOOK_H
#define GL_BROKER_CLI_HOOK_H

/* Parts of the command `hook`. */

#include "broker/cli/help.h"
#include "broker/hook/evaluate.h"
#include "broker/hook/reader.h"

#define GL_HOOK_FILES_MAX 1000

struct gl_hook_values {
    struct gl_ask ask;
    struct gl_option_list outputs, regions, parameters;
    const char *deployment_region, *mapping_dir;
    const char *baseline, *write_baseline;
    const char *policy_ref, *policy_digest;
    const char *point, *count_basis;
    bool wants_environment, prunes;
};

/* Plans as read; all pointers are the list's. */
struct gl_hook_plans {
    struct gl_hook_plan **items;
    size_t count;
    struct gl_hook_mapping *mapping;
    struct gl_arena arena;
};

/* Read the plans of the words (files, folders of *.json, "-"), by the reader of that name or, when
 * NULL, by the one that recognises them. Errors: USAGE, and those of the readers. */
int gl_hook_plans_read(struct gl_context *context, const struct gl_hook_values *values,
                       const char *reader, const struct gl_operands *operands, size_t first,
                       struct gl_hook_plans *out, struct gl_error *err);
void gl_hook_plans_done(struct gl_hook_plans *plans);

/* Policies and waivers as they stand in a commit, by `git cat-file`. */
struct gl_policy_source gl_hook_source_of(const char *const *ref);
/* Is this a name that git may be given? Errors: USAGE. */
int gl_hook_check_ref(const char *ref, struct gl_error *err);

/* hook mapping list|lint */
int gl_hook_mapping_run(struct gl_context *context, const struct gl_hook_values *values,
                        const struct gl_operands *operands, struct gl_error *err);

#endif
