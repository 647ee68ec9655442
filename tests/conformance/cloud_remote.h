/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_CLOUD_REMOTE_H
#define GL_TESTS_CLOUD_REMOTE_H

/* Remote clouds in the conformance suite: a counterpart of ours on a loopback port stands in for
 * the provider. A new one is a file beside cloud_remote.c and a fixture in test_cloud.c. */

#include "providers/cloud/cloud.h"

struct gl_remote_fixture {
    void *(*start)(void);
    void (*stop)(void *counterpart);
    const char *(*url)(const void *counterpart); /* goes into the setting `endpoint` */
    const char *const *environment;              /* all there is of it, NULL-terminated */
    const struct gl_setting *settings;           /* besides the endpoint; at most 7 */
    size_t setting_count;
};

extern const struct gl_remote_fixture gl_remote_fixture_aws, gl_remote_fixture_gcp,
    gl_remote_fixture_openstack;

/* The world and options of this process: transport (its own in every process), environment,
 * settings. What they point to is static: one fixture at a time. */
void gl_remote_fixture_set(const struct gl_remote_fixture *fixture, void *counterpart,
                           struct gl_world *world, struct gl_cloud_options *options);
void gl_remote_fixture_end(const struct gl_remote_fixture *fixture, void *counterpart,
                           struct gl_world *world);

#endif
