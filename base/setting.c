/* SPDX-License-Identifier: Apache-2.0 */
#include "base/setting.h"

#include <string.h>

const struct gl_setting_key *gl_setting_key(const struct gl_setting_key *keys, const char *name)
{
    for (const struct gl_setting_key *key = keys; key != NULL && key->name != NULL; key++)
        if (strcmp(key->name, name) == 0)
            return key;
    return NULL;
}

const char *gl_setting_find(const struct gl_setting *settings, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(settings[i].name, name) == 0)
            return settings[i].value;
    return NULL;
}
