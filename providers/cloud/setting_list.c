/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/setting_list.h"

#include "policy/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USD_MAX 1e6

bool gl_cloud_setting_item(const char *list, const char *name, char *out, size_t size)
{
    size_t length = strlen(name);

    if (list == NULL)
        return false;
    list += strspn(list, " ,");
    if (strchr(list, '=') == NULL)
        return *list != '\0' && strlen(list) < size &&
               snprintf(out, size, "%.*s", (int)strcspn(list, " ,"), list) > 0;
    for (; *list != '\0'; list += strspn(list, " ,")) {
        size_t whole = strcspn(list, " ,");

        if (whole > length + 1 && list[length] == '=' && memcmp(list, name, length) == 0 &&
            whole - length - 1 < size)
            return snprintf(out, size, "%.*s", (int)(whole - length - 1), list + length + 1) > 0;
        list += whole;
    }
    return false;
}

int64_t gl_cloud_setting_usd(const char *text)
{
    char *end;
    double usd = strtod(text, &end);

    if (end == text || text[strspn(text, "0123456789.")] != '\0' || *end != '\0' || usd > USD_MAX)
        return GL_UNKNOWN;
    return (int64_t)(usd * 1e6 + 0.5);
}
