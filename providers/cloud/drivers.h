/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_DRIVERS_H
#define GL_PROVIDERS_DRIVERS_H

/* The adapters that registry.c lists: an operations table and an open function each. Only
 * registry.c includes this. */

#include "providers/cloud/cloud.h"

extern const struct gl_cloud_ops gl_local_ops;
struct gl_cloud *gl_local_open(const struct gl_cloud_options *options, struct gl_error *err);

extern const struct gl_cloud_ops gl_aws_ops;
struct gl_cloud *gl_aws_open(const struct gl_cloud_options *options, struct gl_error *err);

extern const struct gl_cloud_ops gl_gcp_ops;
struct gl_cloud *gl_gcp_open(const struct gl_cloud_options *options, struct gl_error *err);

extern const struct gl_cloud_ops gl_azure_ops;
struct gl_cloud *gl_azure_open(const struct gl_cloud_options *options, struct gl_error *err);

extern const struct gl_cloud_ops gl_openstack_ops;
struct gl_cloud *gl_openstack_open(const struct gl_cloud_options *options, struct gl_error *err);

extern const struct gl_cloud_ops gl_hetzner_ops;
struct gl_cloud *gl_hetzner_open(const struct gl_cloud_options *options, struct gl_error *err);

extern const struct gl_cloud_ops gl_digitalocean_ops;
struct gl_cloud *gl_digitalocean_open(const struct gl_cloud_options *options, struct gl_error *err);

extern const struct gl_cloud_ops gl_scaleway_ops;
struct gl_cloud *gl_scaleway_open(const struct gl_cloud_options *options, struct gl_error *err);

extern const struct gl_cloud_ops gl_kubernetes_ops;
struct gl_cloud *gl_kubernetes_open(const struct gl_cloud_options *options, struct gl_error *err);

#endif
