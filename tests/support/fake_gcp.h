/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_FAKE_GCP_H
#define GL_TESTS_FAKE_GCP_H

/* A Compute Engine of our own on a loopback port: instances with labels, operations that take a
 * few looks, request ids that are remembered, two zones in each of two regions. Strict: what the
 * real one would refuse (unknown members, a wrong method, a missing token) is a 4xx here and noted
 * in `complaints`. Machine types whose names begin with "m-" misbehave:
 *   m-stockout  accepted, then ZONE_RESOURCE_POOL_EXHAUSTED with zonesAvailable
 *   m-quota     refused, quotaExceeded                m-forbidden  refused, forbidden
 *   m-lost      made, and the answer is cut off       m-silent     not made, no answer
 *   m-slow      403 rateLimitExceeded the first time  */

#include "base/json.h"
#include "tests/support/http_server.h"

#define FAKE_GCP_MAX     64
#define FAKE_GCP_PROJECT "green-tests"
#define FAKE_GCP_TOKEN   "planted-gcp-access-token"

struct fake_gcp {
    struct gl_test_server *server;
    json_t *instances[FAKE_GCP_MAX]; /* as the API shows them */
    char requests[FAKE_GCP_MAX][40];
    size_t count;
    json_t *operations; /* by name */
    json_t *images;     /* by name */
    unsigned operation_count, tokens_given, made;
    unsigned looks;       /* an operation is done after so many */
    unsigned slow_left;   /* answers 403 rateLimitExceeded so often */
    unsigned deny_tokens; /* so many API calls are answered 401 */
    bool is_partial;      /* aggregated lists lack a zone */
    double cpus_left;
    struct gl_str complaints;
    char key_path[256]; /* service account file that leads here */
};

/* Start it and write a service account file into `folder`. */
void fake_gcp_start(struct fake_gcp *fake, const char *folder);
void fake_gcp_stop(struct fake_gcp *fake);
size_t fake_gcp_running(const struct fake_gcp *fake);

#endif
