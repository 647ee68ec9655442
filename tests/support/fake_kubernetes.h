/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_FAKE_KUBERNETES_H
#define GL_TESTS_FAKE_KUBERNETES_H

/* A kube-apiserver of our own on a loopback port, with a scheduler, a Job controller, a kubelet and
 * a garbage collector that act at once: namespace "green", four nodes in two regions. Strict: a
 * member that the API does not know, a wrong content type, a patch of what cannot be patched or a
 * missing token is a 4xx here and noted in `complaints`. */

#include "base/json.h"
#include "tests/support/http_server.h"

#define FAKE_KUBERNETES_TOKEN "planted-kubernetes-token-1f3a"

/* What goes wrong, once, at the first request that fits. */
enum fake_kubernetes_trouble {
    FAKE_KUBERNETES_FINE,
    FAKE_KUBERNETES_LOST,      /* done, and the answer is cut off */
    FAKE_KUBERNETES_SILENT,    /* not done, no answer */
    FAKE_KUBERNETES_FORBIDDEN, /* 403 Forbidden */
    FAKE_KUBERNETES_QUOTA,     /* 403 Forbidden, exceeded quota */
    FAKE_KUBERNETES_DENIED,    /* by an admission webhook, which says 400 */
    FAKE_KUBERNETES_UNTOLD,    /* by one that takes part in no dry run */
    FAKE_KUBERNETES_SLOW,      /* 429 with Retry-After */
    FAKE_KUBERNETES_GONE,      /* 410 Expired */
    FAKE_KUBERNETES_BROKEN,    /* 500 */
    FAKE_KUBERNETES_RACE,      /* somebody lets all Jobs go just before */
};

struct fake_kubernetes {
    struct gl_test_server *server;
    const struct gl_test_tls *tls; /* set before the start; NULL = plain */
    json_t *jobs, *secrets, *pods; /* by name */
    unsigned version, made, gone;
    enum fake_kubernetes_trouble trouble;
    const char *trouble_method, *trouble_path; /* a part of the path that it meets */
    bool hides_nodes;                          /* 403 for them */
    bool has_no_pods;                          /* the Job controller makes none */
    bool strays;                               /* a webhook that takes it away from pods */
    const char *pod_refused;                   /* why the namespace takes no pod; NULL = it does */
    bool drops_affinity;                       /* a webhook that takes it away */
    bool is_old;                               /* no SelfSubjectReview */
    bool keeps_pending;                        /* the kubelet starts nothing */
    const char *denied_verb;                   /* SelfSubjectAccessReview */
    const char *cpu_used;                      /* of 8 */
    const char *log;
    int exit_status;   /* -1 = the command runs on */
    const char *token; /* what is asked for; NULL = none (a certificate tells) */
    struct gl_str complaints;
};

/* Sensible values, then start; the test may change any of them before or after. */
void fake_kubernetes_init(struct fake_kubernetes *fake);
void fake_kubernetes_start(struct fake_kubernetes *fake);
void fake_kubernetes_stop(struct fake_kubernetes *fake);
/* Write a kubeconfig that leads here into folder/config; returns its path, to be freed. `user` is
 * YAML below "user:", indented by six. */
char *fake_kubernetes_config(const struct fake_kubernetes *fake, const char *folder,
                             const char *user);
/* Pods that run or wait. */
size_t fake_kubernetes_running(const struct fake_kubernetes *fake);

#endif
