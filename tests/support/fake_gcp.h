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
 *   m-slow      403 rateLimitExceeded the first time
 *   m-zonal     as m-stockout in the zone that is asked first, which names the other one
 *   m-leftover  accepted, then as m-stockout, and a machine that never started is left over */

#include "base/json.h"
#include "tests/support/http_server.h"

#define FAKE_GCP_MAX     4096
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
    bool has_no_places;   /* Cloud Location Finder is not switched on */
    bool is_partial;      /* aggregated lists lack a zone */
    double cpus_left;
    double spot_cpus; /* limit of a quota of their own; 0 = there is none */
    struct gl_str complaints;
    char key_path[256];      /* service account file that leads here */
    const int64_t *slept_ms; /* its clock is so far before the machine's; NULL = not */
    int64_t lag_ms;          /* what is made shows so much later, by that clock */
    /* The serial console of an instance so far, as the API shows the object; NULL = "booted". */
    void (*console)(void *cookie, const json_t *instance, struct gl_str *out);
    void *console_cookie;
    /* Before a request is looked at: true = *out is the answer (or the silence), and it was not
     * heard. After it was done: may spoil the answer. NULL = neither. */
    bool (*before)(void *cookie, const struct gl_test_request *request, struct gl_test_answer *out);
    void (*after)(void *cookie, const struct gl_test_request *request, struct gl_test_answer *out);
    void *fault_cookie;
    unsigned hidden_looks; /* a new instance is 404 to so many GETs of itself */
    unsigned unseen;       /* of those, left */
    char dry_zone[48];     /* of m-zonal; "" = none was asked yet */
    bool is_all_dry;       /* so are all others */
};

/* Start it and write a service account file into `folder`. */
void fake_gcp_start(struct fake_gcp *fake, const char *folder);
void fake_gcp_stop(struct fake_gcp *fake);
size_t fake_gcp_running(const struct fake_gcp *fake);

#endif
