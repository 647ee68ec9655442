/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_MAPPING_LINT_H
#define GL_BROKER_HOOK_MAPPING_LINT_H

/* Does the mapping read what is there? Its paths against the schema of the providers themselves,
 * as `terraform providers schema -json` (or tofu) prints it. Source of the format: HashiCorp,
 * "terraform providers schema", format versions 0.1 and 1.x. Of a schema of any size only the types
 * that the mapping reads are kept in memory, one at a time. */

#include "broker/hook/mapping.h"

struct gl_mapping_lint {
    size_t types;  /* of the schema that the mapping reads */
    size_t paths;  /* that were checked in them */
    size_t faults; /* paths of which a step is not in the schema */
    size_t absent; /* rows whose provider is in the schema, but not their type */
};

/* Reads the schema from `feed` and appends a line for each fault and each absent type to
 * `out_report`. Tags may be absent. -1: SYNTAX, TOO_LARGE, IO; BAD_VALUE when the document is no
 * schema. */
int gl_mapping_lint(const struct gl_hook_mapping *mapping, struct gl_feed *feed,
                    struct gl_str *out_report, struct gl_mapping_lint *out, struct gl_error *err);

/* The rows as a table for `hook mapping list`: type, role, cloud, verified, file; a line each,
 * separated by tabs. */
void gl_mapping_list(const struct gl_hook_mapping *mapping, struct gl_str *out);

#endif
