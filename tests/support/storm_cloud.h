/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_STORM_CLOUD_H
#define GL_TESTS_STORM_CLOUD_H

/* A rented cloud to be stormed: one of our counterparts behind the proxy that breaks exchanges, and
 * what an adapter needs to reach it there. One at a time. Asserts with cmocka. */

#include "tests/conformance/cloud_counterparts.h"
#include "tests/fault/fault_proxy.h"

struct storm_cloud {
    const struct gl_counterpart *kind;
    void *fake;
    struct fault_proxy *proxy;
    const char *ca; /* that is trusted, PEM; borrowed */
    char *environment[GL_COUNTERPART_LINES];
    struct gl_setting settings[GL_COUNTERPART_SETTINGS];
    size_t setting_count;
};

void storm_cloud_open(struct storm_cloud *cloud, const struct gl_counterpart *kind,
                      const char *folder, const struct fault_proxy_hooks *hooks);
/* How it is reached; borrowed from it. */
struct gl_counterpart_way storm_cloud_way(const struct storm_cloud *cloud, const char *folder);
/* In another program: one that is open there, reached that way. `ca` is borrowed. */
void storm_cloud_join(struct storm_cloud *cloud, const struct gl_counterpart *kind,
                      const struct gl_counterpart_way *way, const char *ca);
/* Demands that nobody complained. */
void storm_cloud_close(struct storm_cloud *cloud);
/* The world's environment, and its transport (taken) trusts the proxy's authority alone. */
void storm_cloud_enter(const struct storm_cloud *cloud, struct gl_world *world);
/* As gl_cloud_open(). */
struct gl_cloud *storm_cloud_connect(const struct storm_cloud *cloud, const struct gl_world *world,
                                     struct gl_error *err);

#endif
