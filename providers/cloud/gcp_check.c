/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/gcp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int gl_gcp_check_price(struct gl_gcp *gcp, const struct gl_launch *launch, struct gl_error *err)
{
    int64_t price = GL_UNKNOWN;

    if (launch->max_price_u_usd == 0)
        return 0;
    if (gl_gcp_price_of(gcp, launch, &price, err) != 0)
        return -1;
    if (price == GL_UNKNOWN || price > launch->max_price_u_usd)
        return gl_fail(err, GL_E_PRICE, "%s in %s costs %s; nothing was started", launch->type,
                       launch->region, price == GL_UNKNOWN ? "nobody knows what" : "more");
    return 0;
}

static int check_permissions(struct gl_gcp *gcp, struct gl_error *err)
{
    static const char *const needed[] = {"compute.instances.create", "compute.instances.get",
                                         "compute.instances.delete", "compute.disks.create",
                                         "compute.instances.setLabels"};
    GL_AUTO(gl_auto_json) json_t *wanted = json_array(), *body = NULL, *root = NULL;
    struct gl_remote_call call = {.method = "POST"};
    const json_t *granted;

    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        json_array_append_new(wanted, json_string(needed[i]));
    body = json_pack("{s:O}", "permissions", wanted);
    gl_str_addf(&call.url, "%s/v1/projects/%s:testIamPermissions", gcp->resources, gcp->project);
    gl_remote_body_json(&call, body);
    root = gl_remote_json(&gcp->remote, &call, err);
    gl_remote_call_done(&call);
    if (root == NULL)
        return -1;
    granted = json_object_get(root, "permissions");
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        size_t k, found = 0;
        const json_t *one;

        json_array_foreach(granted, k, one) found +=
            json_is_string(one) && strcmp(json_string_value(one), needed[i]) == 0;
        if (found == 0)
            return gl_fail(err, GL_E_PERMISSION, "gcp: project %s does not allow %s", gcp->project,
                           needed[i]);
    }
    return 0;
}

static const json_t *quota_of(const json_t *quotas, const char *metric)
{
    size_t i;
    const json_t *row;

    json_array_foreach(quotas, i, row)
    {
        const char *of = json_string_value(json_object_get(row, "metric"));

        if (of != NULL && strcmp(of, metric) == 0)
            return row;
    }
    return NULL;
}

static double limit_of(const json_t *quota)
{
    return json_number_value(json_object_get(quota, "limit"));
}

/* Every machine counts against CPUS of its region, whatever its family has besides; one at the spot
 * price against PREEMPTIBLE_CPUS where the project has any.
 * https://cloud.google.com/compute/resource-usage#preemptible-quotas */
static int judge_quotas(const json_t *quotas, const struct gl_launch *launch, struct gl_error *err)
{
    bool is_apart = launch->is_spot && limit_of(quota_of(quotas, "PREEMPTIBLE_CPUS")) > 0;
    const struct {
        const char *metric;
        double needed;
    } rows[] = {{is_apart ? "PREEMPTIBLE_CPUS" : "CPUS", launch->vcpus > 0 ? launch->vcpus : 1},
                {"INSTANCES", 1}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const json_t *quota = quota_of(quotas, rows[i].metric);

        if (quota != NULL &&
            limit_of(quota) - json_number_value(json_object_get(quota, "usage")) < rows[i].needed)
            return gl_fail(err, GL_E_QUOTA, "gcp: quota %s of %s is used up", rows[i].metric,
                           launch->region);
    }
    return 0;
}

static int check_quota(struct gl_gcp *gcp, const struct gl_launch *launch, struct gl_error *err)
{
    struct gl_remote_call call = {.region = launch->region};
    GL_AUTO(gl_auto_json) json_t *root = NULL;

    gl_gcp_call(gcp, &call, "GET", "regions/%.60s", launch->region);
    root = gl_remote_json(&gcp->remote, &call, err);
    gl_remote_call_done(&call);
    return root != NULL ? judge_quotas(json_object_get(root, "quotas"), launch, err) : -1;
}

int gl_gcp_check(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_error *err)
{
    struct gl_gcp *gcp = gl_gcp_of(cloud);
    struct gl_remote_call call = {.region = launch->region};
    GL_AUTO(gl_auto_json) json_t *type = NULL;
    struct gl_error trouble = {0};
    const struct gl_userdata told = gl_gcp_told(gcp, launch);
    char zone[48];

    if (gl_userdata_check(&told, err) != 0 || gl_gcp_zone_of(gcp, launch, zone, err) != 0 ||
        gl_gcp_begin(gcp, err) != 0)
        return -1;
    gl_gcp_call(gcp, &call, "GET", "zones/%s/machineTypes/%.60s", zone, launch->type);
    type = gl_remote_json(&gcp->remote, &call, &trouble);
    gl_remote_call_done(&call);
    if (type == NULL)
        return gl_fail(err, trouble.code == GL_E_NOT_FOUND ? GL_E_UNKNOWN_NAME : trouble.code, "%s",
                       trouble.text);
    return check_permissions(gcp, err) != 0 || check_quota(gcp, launch, err) != 0 ||
                   gl_gcp_check_price(gcp, launch, err) != 0
               ? -1
               : 0;
}
