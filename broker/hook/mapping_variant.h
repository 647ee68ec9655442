/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_MAPPING_VARIANT_H
#define GL_BROKER_HOOK_MAPPING_VARIANT_H

/* A type that may be any - azapi_resource, aws_cloudcontrolapi_resource - says in an attribute what
 * it is: which row counts then. */

#include "broker/hook/mapping.h"

struct gl_variant {
    const struct gl_mapping_row *row; /* NULL = no machine; that of the type when it is not known */
    const char *name;                 /* "Microsoft.Compute/disks", in the arena; NULL unknown */
    const char *within;               /* for gl_attributes; NULL */
    bool is_suspect;                  /* in no mapping, and it looks like a machine */
};
/* Of a resource whose `row` has a variant. */
void gl_mapping_variant(const struct gl_hook_mapping *mapping, const struct gl_mapping_row *row,
                        const struct gl_attributes *attributes, struct gl_arena *arena,
                        struct gl_variant *out);

#endif
