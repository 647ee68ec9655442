/* SPDX-License-Identifier: Apache-2.0 */
/* What the Azure adapter needs, as a custom role. A machine's interface, address and disk are made
 * and deleted with it, which needs rights of their own. Azure cannot limit these to machines of
 * ours: give the role in the resource group alone.
 * https://learn.microsoft.com/azure/role-based-access-control/permissions/compute
 * https://learn.microsoft.com/azure/role-based-access-control/permissions/networking */
#include "providers/cloud/rights.h"

#include <stdlib.h>

#define LOOK(name, call)                      \
    {                                         \
        name, call, GL_RIGHT_LOOK, NULL, NULL \
    }
#define LAUNCH(name, call)                      \
    {                                           \
        name, call, GL_RIGHT_LAUNCH, NULL, NULL \
    }
#define COMPUTE "Microsoft.Compute/"
#define NETWORK "Microsoft.Network/"

static const struct gl_right rows[] = {
    LOOK("Microsoft.Resources/subscriptions/read", "GET subscription"),
    LOOK("Microsoft.Resources/subscriptions/locations/read", "GET /locations"),
    LOOK("Microsoft.Authorization/permissions/read",
         "GET /resourceGroups/%s/providers/Microsoft.Authorization/permissions"),
    LOOK(COMPUTE "skus/read", "GET /providers/Microsoft.Compute/skus"),
    LOOK(COMPUTE "locations/usages/read", "GET /providers/Microsoft.Compute/locations/%s/usages"),
    LOOK(COMPUTE "virtualMachines/read", "GET virtualMachines"),
    LOOK(COMPUTE "virtualMachines/read", "GET /providers/Microsoft.Compute/virtualMachines"),
    LOOK(COMPUTE "virtualMachines/retrieveBootDiagnosticsData/action",
         "POST virtualMachines/retrieveBootDiagnosticsData"),
    LOOK(COMPUTE "disks/read", "GET disks"),
    LOOK(COMPUTE "disks/read", "GET /resourceGroups/%s/providers/Microsoft.Compute/disks"),
    LOOK(COMPUTE "snapshots/read", "GET snapshots"),
    LOOK("Microsoft.Carbon/carbonEmissionReports/action",
         "POST /providers/Microsoft.Carbon/carbonEmissionReports"),
    LOOK("Microsoft.Carbon/queryCarbonEmissionDataAvailableDateRange/action",
         "POST /providers/Microsoft.Carbon/queryCarbonEmissionDataAvailableDateRange"),
    LAUNCH(COMPUTE "virtualMachines/write", "PUT virtualMachines"),
    LAUNCH(NETWORK "networkInterfaces/read", NULL),
    LAUNCH(NETWORK "networkInterfaces/write", NULL),
    LAUNCH(NETWORK "networkInterfaces/join/action", NULL),
    LAUNCH(NETWORK "virtualNetworks/subnets/read", NULL),
    LAUNCH(NETWORK "virtualNetworks/subnets/join/action", NULL),
    LAUNCH(NETWORK "publicIPAddresses/read", NULL),
    LAUNCH(NETWORK "publicIPAddresses/write", NULL),
    LAUNCH(NETWORK "publicIPAddresses/join/action", NULL),
    LAUNCH(COMPUTE "virtualMachines/delete", "DELETE virtualMachines"),
    LAUNCH(NETWORK "networkInterfaces/delete", NULL),
    LAUNCH(NETWORK "publicIPAddresses/delete", NULL),
    LAUNCH(COMPUTE "disks/delete", "DELETE disks"),
    LAUNCH(COMPUTE "virtualMachines/powerOff/action", "POST virtualMachines/powerOff"),
    LAUNCH(COMPUTE "virtualMachines/deallocate/action", "POST virtualMachines/deallocate"),
    LAUNCH(COMPUTE "virtualMachines/start/action", "POST virtualMachines/start"),
    LAUNCH(COMPUTE "snapshots/write", "PUT snapshots"),
    LAUNCH(COMPUTE "disks/beginGetAccess/action", NULL),
    LAUNCH(COMPUTE "disks/write", "PUT disks"),
    LAUNCH(COMPUTE "snapshots/beginGetAccess/action", NULL),
    LAUNCH(COMPUTE "snapshots/delete", "DELETE snapshots"),
    {NULL, NULL, GL_RIGHT_LOOK, NULL, NULL},
};

static void write_role(const struct gl_rights *rights, const struct gl_rights_wanted *wanted,
                       struct gl_str *out)
{
    const char *account = wanted->account != NULL ? wanted->account : "SUBSCRIPTION";
    bool is_launch = (wanted->parts & GL_RIGHT_LAUNCH) != 0;
    bool is_look = (wanted->parts & GL_RIGHT_LOOK) != 0;
    json_t *actions = json_array(), *role;
    char *text;

    gl_rights_each(rights, wanted, actions);
    role = json_pack("{s:s,s:b,s:s,s:o,s:[],s:[o]}", "Name",
                     is_launch && is_look ? "greenlaunch"
                     : is_launch          ? "greenlaunch launch"
                                          : "greenlaunch look",
                     "IsCustom", 1, "Description",
                     is_launch ? "launch instances" : "look at regions, types and instances",
                     "Actions", actions, "NotActions", "AssignableScopes",
                     json_sprintf("/subscriptions/%s", account));
    text = json_dumps(role, JSON_INDENT(2));
    gl_str_addf(out, "%s\n", text);
    free(text);
    json_decref(role);
}

const struct gl_rights gl_rights_azure = {
    .cloud = "azure",
    .form = "json",
    .what = "a custom role",
    .use = "az role definition create --role-definition @FILE, then az role assignment create for "
           "the resource group, and Reader of the subscription for locations and types. Where it "
           "says SUBSCRIPTION put the id of yours",
    .is_asked = true,
    .rows = rows,
    .write = write_role,
};
