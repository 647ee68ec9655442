/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/reader.h"

#include <string.h>

static const struct gl_hook_reader *const readers[] = {
    &gl_reader_terraform, &gl_reader_pulumi, &gl_reader_cloudformation, &gl_reader_kubernetes, NULL,
};

const struct gl_hook_reader *const *gl_hook_readers(void)
{
    return readers;
}

const struct gl_hook_reader *gl_hook_reader_named(const char *name)
{
    for (size_t i = 0; readers[i] != NULL; i++)
        if (strcmp(readers[i]->name, name) == 0 ||
            (readers[i]->alias != NULL && strcmp(readers[i]->alias, name) == 0))
            return readers[i];
    return NULL;
}
