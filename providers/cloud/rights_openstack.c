/* SPDX-License-Identifier: Apache-2.0 */
/* What the OpenStack adapter needs, as access rules of an application credential: the only calls
 * that such a credential can make. Whoever it belongs to must be allowed them besides.
 * https://docs.openstack.org/keystone/latest/user/application_credentials.html */
#include "providers/cloud/rights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK(name, call)                      \
    {                                         \
        name, call, GL_RIGHT_LOOK, NULL, NULL \
    }
#define LAUNCH(name, call)                      \
    {                                           \
        name, call, GL_RIGHT_LAUNCH, NULL, NULL \
    }

/* Names are "SERVICE METHOD PATH". */
static const struct gl_right rows[] = {
    LOOK("compute GET /v2.1/flavors/detail", "COMPUTE GET flavors/detail"),
    LOOK("compute GET /v2.1/limits", "COMPUTE GET limits"),
    LOOK("compute GET /v2.1/servers/detail", "COMPUTE GET servers/detail"),
    LOOK("compute GET /v2.1/servers/*", "COMPUTE GET servers/%s"),
    LOOK("image GET /v2/images", "IMAGE GET images"),
    LOOK("image GET /v2/images/*", "IMAGE GET images/%s"),
    LOOK("image GET /v2/info/import", "IMAGE GET info/import"),
    LOOK("network GET /v2.0/networks", "NETWORK GET networks"),
    LAUNCH("compute POST /v2.1/servers", "COMPUTE POST servers"),
    LAUNCH("compute DELETE /v2.1/servers/*", "COMPUTE DELETE servers/%s"),
    LAUNCH("compute POST /v2.1/servers/*/action", "COMPUTE POST servers/%s/action"),
    LAUNCH("image POST /v2/images", "IMAGE POST images"),
    LAUNCH("image POST /v2/images/*/import", "IMAGE POST images/%s/import"),
    LAUNCH("image DELETE /v2/images/*", "IMAGE DELETE images/%s"),
    {NULL, NULL, GL_RIGHT_LOOK, NULL, NULL},
};

static json_t *rule_of(const char *name)
{
    char service[16] = "", method[16] = "", path[80] = "";

    sscanf(name, "%15s %15s %79s", service, method, path);
    return json_pack("{s:s,s:s,s:s}", "service", service, "method", method, "path", path);
}

static void write_rules(const struct gl_rights *rights, const struct gl_rights_wanted *wanted,
                        struct gl_str *out)
{
    json_t *list = json_array();
    char *text;

    for (const struct gl_right *row = rights->rows; row->name != NULL; row++)
        if (gl_rights_has(row, wanted))
            json_array_append_new(list, rule_of(row->name));
    text = json_dumps(list, JSON_INDENT(2));
    gl_str_addf(out, "%s\n", text);
    free(text);
    json_decref(list);
}

const struct gl_rights gl_rights_openstack = {
    .cloud = "openstack",
    .form = "json",
    .what = "the access rules of an application credential",
    .use = "openstack application credential create greenlaunch --access-rules FILE, with the role "
           "member. The console is read by an action, so looking alone shows none. Where the "
           "catalogue's compute address ends in a project id, put /ID behind /v2.1",
    .rows = rows,
    .write = write_rules,
};
