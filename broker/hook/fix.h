/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_FIX_H
#define GL_BROKER_HOOK_FIX_H

/* Remedies as changes of the configuration: a unified diff that puts another region or machine type
 * where the present one stands as a literal, and values for variables of the root module. Only what
 * is sure: the literal stands there once, and everything the plan shows to depend on it wants the
 * same. Writes no file of the user's. */

#include "broker/hook/tf_source.h"

struct gl_hook_fix {
    struct gl_str patch;    /* for `patch -p1` in the root; empty = nothing is sure */
    const char **variables; /* "region=eu-north-1"; NULL-terminated, in the arena */
    size_t variable_count, edit_count;
    struct gl_arena arena;
};

/* Below the root, the folder that a plan lies in. */
typedef const char *gl_hook_start(void *cookie, const struct gl_hook_plan *plan);

/* `out` is zero-initialised or done. */
void gl_hook_fix_make(const struct gl_hook_report *report, const struct gl_tf_source *source,
                      gl_hook_start *start, void *cookie, struct gl_hook_fix *out);
void gl_hook_fix_done(struct gl_hook_fix *fix);

/* ---- fix_diff.c ---- */

/* One literal by another, on one line. */
struct gl_hook_edit {
    uint32_t file;
    size_t offset;
    const char *is, *would;
};
/* The edits, which are sorted here, as a unified diff with three lines of context. One whose
 * literal no longer stands there is left out. Returns how many are in it. */
size_t gl_hook_diff(const struct gl_tf_source *source, struct gl_hook_edit *edits, size_t count,
                    struct gl_str *out);

#endif
