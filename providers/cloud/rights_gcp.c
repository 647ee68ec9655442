/* SPDX-License-Identifier: Apache-2.0 */
/* What the Google adapter needs, as a custom role. Google cannot limit these rights by label: give
 * the role in a project of its own. https://cloud.google.com/compute/docs/access/iam-permissions,
 * and "IAM permissions" below each method of
 * https://cloud.google.com/compute/docs/reference/rest/v1
 */
#include "providers/cloud/rights.h"

#define LOOK(name, call)                      \
    {                                         \
        name, call, GL_RIGHT_LOOK, NULL, NULL \
    }
#define LAUNCH(name, call)                      \
    {                                           \
        name, call, GL_RIGHT_LAUNCH, NULL, NULL \
    }

static const struct gl_right rows[] = {
    LOOK("compute.projects.get", "GET projects/%s"),
    LOOK("compute.zones.list", "GET zones"),
    LOOK("compute.regions.get", "GET regions/%s"),
    LOOK("compute.machineTypes.list", "GET zones/%s/machineTypes"),
    LOOK("compute.machineTypes.list", "GET aggregated/machineTypes"),
    LOOK("compute.machineTypes.get", "GET zones/%s/machineTypes/%s"),
    LOOK("compute.instances.get", "GET zones/%s/instances/%s"),
    LOOK("compute.instances.list", "GET aggregated/instances"),
    LOOK("compute.instances.getSerialPortOutput", "GET zones/%s/instances/%s/serialPort"),
    LOOK("compute.images.get", "GET global/images/%s"),
    LOOK("cloudlocationfinder.cloudLocations.list",
         "GET projects/%s/locations/global/cloudLocations"),
    LAUNCH("compute.instances.create", "POST zones/%s/instances"),
    LAUNCH("compute.instances.setLabels", NULL),
    LAUNCH("compute.instances.setMetadata", NULL),
    LAUNCH("compute.disks.create", NULL),
    LAUNCH("compute.disks.setLabels", NULL),
    LAUNCH("compute.images.useReadOnly", NULL),
    LAUNCH("compute.subnetworks.use", NULL),
    LAUNCH("compute.subnetworks.useExternalIp", NULL),
    {"compute.instances.setServiceAccount", NULL, GL_RIGHT_LAUNCH, NULL, "service-account"},
    {"iam.serviceAccounts.actAs", NULL, GL_RIGHT_LAUNCH, NULL, "service-account"},
    LAUNCH("compute.zoneOperations.get", "GET zones/%s/operations/%s"),
    LAUNCH("compute.globalOperations.get", "GET global/operations/%s"),
    LAUNCH("compute.instances.delete", "DELETE zones/%s/instances/%s"),
    LAUNCH("compute.instances.stop", "POST zones/%s/instances/%s/stop"),
    LAUNCH("compute.instances.start", "POST zones/%s/instances/%s/start"),
    LAUNCH("compute.images.create", "POST global/images"),
    LAUNCH("compute.disks.useReadOnly", NULL),
    LAUNCH("compute.images.delete", "DELETE global/images/%s"),
    {NULL, NULL, GL_RIGHT_LOOK, NULL, NULL},
};

static void write_role(const struct gl_rights *rights, const struct gl_rights_wanted *wanted,
                       struct gl_str *out)
{
    bool is_launch = (wanted->parts & GL_RIGHT_LAUNCH) != 0;
    bool is_look = (wanted->parts & GL_RIGHT_LOOK) != 0;

    gl_str_addf(out, "title: greenlaunch%s\n",
                is_launch && is_look ? ""
                : is_launch          ? " launch"
                                     : " look");
    gl_str_addf(out, "description: %s\n",
                is_launch && is_look ? "look at and launch instances"
                : is_launch          ? "launch instances; goes beside the role that looks"
                                     : "look at regions, types, prices and instances");
    gl_str_add(out, "stage: GA\nincludedPermissions:\n");
    gl_rights_list(rights, wanted, "- ", out);
}

const struct gl_rights gl_rights_gcp = {
    .cloud = "gcp",
    .form = "yaml",
    .what = "a custom role",
    .use =
        "gcloud iam roles create greenlaunch --project PROJECT --file FILE, then give it to the "
        "account with gcloud projects add-iam-policy-binding. Prices come from the Cloud "
        "Billing API, which has to be enabled and needs no right of its own; Google's carbon-free "
        "shares come from the Cloud Location Finder API, if that is enabled",
    .is_asked = true,
    .rows = rows,
    .write = write_role,
};
