/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_FAKE_OPENSTACK_H
#define GL_TESTS_FAKE_OPENSTACK_H

/* A keystone, and a nova and a glance in each of two regions, on one loopback port; behaves as the
 * real services were seen to: no create token (equal requests make two servers), 202 and failed
 * later, versions by header with 400 and 406, lists in pages of two. Strict: what the real ones
 * refuse is refused here and noted in `complaints`. Flavors whose names begin with "m-" misbehave:
 *   m-stockout  accepted, then ERROR: No valid host   m-quota   403, Quota exceeded
 *   m-lost      made, and the answer is cut off       m-silent  not made, no answer
 *   m-twin      another launcher makes one at the same moment
 *   m-beaten    the same, and has the elder: ours is gone at the second look
 *   m-slow      413 overLimit the first time          m-broken  accepted, then ERROR, other words
 *   m-vague     made, and 500 is answered */

#include "base/json.h"
#include "tests/support/http_server.h"

#define FAKE_OPENSTACK_MAX      1024
#define FAKE_OPENSTACK_PASSWORD "planted-os-password"
#define FAKE_OPENSTACK_SECRET   "planted-os-application-secret"
#define FAKE_OPENSTACK_IMAGE    "11111111-1111-4111-8111-111111111111"

struct fake_openstack_region {
    json_t *servers[FAKE_OPENSTACK_MAX]; /* as the API shows them, and "looks" */
    size_t count;
    json_t *images;    /* by id */
    const char *most;  /* microversion, "2.93"; NULL = none is told */
    bool is_dead;      /* hangs up */
    bool has_import;   /* glance-download is enabled */
    unsigned faults;   /* so many looks and deletes are answered 500 computeFault */
    unsigned bad_ends; /* so many deletes leave the server in ERROR */
    unsigned lingers;  /* what is deleted is shown so often more, as DELETED */
};

struct fake_openstack {
    struct gl_test_server *server;
    struct fake_openstack_region regions[2]; /* "north", "south" */
    unsigned tokens_given, refused_tokens, made, posts, number;
    unsigned looks;       /* a server is up after so many */
    unsigned slow_left;   /* answers 413 so often */
    unsigned deny_tokens; /* so many calls of services are answered 401 */
    bool has_rules;       /* access rules: compute is always 401 */
    int cores_left;
    char token[64]; /* the only one that counts */
    const char *console;
    struct gl_str complaints;
    struct gl_str bodies; /* of the creates */
};

void fake_openstack_start(struct fake_openstack *fake);
void fake_openstack_stop(struct fake_openstack *fake);
/* Servers that exist, in both regions. */
size_t fake_openstack_existing(const struct fake_openstack *fake);

#endif
