/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/rights.h"

#include <string.h>

/* One row a cloud. */
static const struct gl_rights *const tables[] = {
    &gl_rights_aws,          &gl_rights_gcp,      &gl_rights_openstack,  &gl_rights_hetzner,
    &gl_rights_digitalocean, &gl_rights_scaleway, &gl_rights_kubernetes, &gl_rights_azure,
};

const struct gl_rights *gl_rights_find(const char *cloud)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (strcmp(tables[i]->cloud, cloud) == 0)
            return tables[i];
    return NULL;
}

bool gl_rights_has(const struct gl_right *right, const struct gl_rights_wanted *wanted)
{
    return (wanted->parts & (unsigned)right->part) != 0 &&
           (right->setting == NULL ||
            (wanted->has_setting != NULL && wanted->has_setting(wanted->cookie, right->setting)));
}

/* Two calls may need the same right. */
static bool is_listed(const struct gl_right *first, const struct gl_right *row,
                      const struct gl_rights_wanted *wanted)
{
    for (const struct gl_right *before = first; before != row; before++)
        if (strcmp(before->name, row->name) == 0 && gl_rights_has(before, wanted))
            return true;
    return false;
}

void gl_rights_each(const struct gl_rights *rights, const struct gl_rights_wanted *wanted,
                    json_t *out)
{
    for (const struct gl_right *row = rights->rows; row->name != NULL; row++)
        if (gl_rights_has(row, wanted) && !is_listed(rights->rows, row, wanted))
            json_array_append_new(out, json_string(row->name));
}

void gl_rights_list(const struct gl_rights *rights, const struct gl_rights_wanted *wanted,
                    const char *prefix, struct gl_str *out)
{
    GL_AUTO(gl_auto_json) json_t *names = json_array();
    const json_t *name;
    size_t i;

    gl_rights_each(rights, wanted, names);
    json_array_foreach(names, i, name) gl_str_addf(out, "%s%s\n", prefix, json_string_value(name));
}
