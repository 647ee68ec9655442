/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/output_part.h"

#include <string.h>

static const struct gl_hook_output outputs[] = {
    {"text", "for people (default)", gl_hook_out_text},
    {"json", "the report as data; on standard output in the common envelope", gl_hook_out_json},
};

const struct gl_hook_output *gl_hook_outputs(size_t *out_count)
{
    *out_count = sizeof outputs / sizeof outputs[0];
    return outputs;
}

const struct gl_hook_output *gl_hook_output_named(const char *name)
{
    for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++)
        if (strcmp(outputs[i].name, name) == 0)
            return &outputs[i];
    return NULL;
}
