/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_YAMLDOC_H
#define GL_BASE_YAMLDOC_H

/* Other programs' YAML files (kubeconfig, clouds.yaml) as JSON values: one document, every scalar a
 * string as it is written, a plain null or ~ null, duplicate keys refused. Our own files, with
 * their places and their many errors, are read by policy/yaml.h. Refuses anchors, aliases and tags:
 * a reader that expands them can be made to fill the memory. */

#include "base/json.h"

#define GL_YAMLDOC_MAX_BYTES ((size_t)4 << 20)
#define GL_YAMLDOC_MAX_DEPTH 32
#define GL_YAMLDOC_MAX_NODES 100000

/* A new reference, or NULL: SYNTAX with `name` and the line, TOO_LARGE, DUPLICATE_KEY. A file of
 * nothing is an empty object. The values may be secret: no message holds one. */
json_t *gl_yamldoc_parse(const char *bytes, size_t length, const char *name, struct gl_error *err);
/* The same of a file; IO with sys ENOENT when there is none. */
json_t *gl_yamldoc_read(const char *path, struct gl_error *err);

#endif
