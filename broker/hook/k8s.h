/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_K8S_H
#define GL_BROKER_HOOK_K8S_H

/* Objects of Kubernetes as launch intents: workloads, their autoscalers, node pools of Karpenter
 * and machines of Cluster API. Used by the reader of manifests and by the admission webhook. A
 * workload launches no machine by itself; what it asks for is what node autoscaling answers, so it
 * is a fraction of a machine. Requests, replicas, node labels and the labels of the object are all
 * that is read. Sources: Kubernetes API reference (core/v1, apps/v1, batch/v1, autoscaling/v2),
 * "Well-Known Labels, Annotations and Taints", "Resource Management for Pods and Containers";
 * karpenter.sh/v1; cluster.x-k8s.io/v1beta1. */

#include "broker/hook/reader.h"

#define GL_K8S_MAX_OBJECTS ((size_t)100000)

struct gl_k8s;

/* Collects objects of one input, whose intents go to `plan`; all borrowed until it is freed.
 * `document` is what intents call their file. Never NULL. */
struct gl_k8s *gl_k8s_new(const struct gl_hook_options *options, struct gl_hook_plan *plan,
                          const char *document);
void gl_k8s_free(struct gl_k8s *k8s);

/* One object, or a List of them. `before` is what it was (oldObject of an update), NULL = nothing;
 * of a deletion the object is what goes. `change` is CREATE, UPDATE or DELETE: an update comes out
 * as what it is. Objects that run nothing are counted and left out; kinds that are not known and
 * hold containers are named in plan->unmapped. -1: BAD_VALUE (no object of Kubernetes), TOO_LARGE.
 */
int gl_k8s_add(struct gl_k8s *k8s, const struct gl_jtree *tree, const struct gl_jnode *object,
               const struct gl_jnode *before, enum gl_change change, struct gl_error *err);

/* The request of an AdmissionReview: its operation, object and oldObject. An operation that starts
 * nothing (CONNECT) adds nothing. */
int gl_k8s_add_review(struct gl_k8s *k8s, const struct gl_jtree *tree,
                      const struct gl_jnode *review, struct gl_error *err);

/* What inputs that are judged together leave for each other: an autoscaler or a Rollout may stand
 * in another file than what it is about. Their plans are borrowed until it is freed. Never NULL. */
struct gl_k8s_together *gl_k8s_together_new(void);
void gl_k8s_together_free(struct gl_k8s_together *together);
/* Once, after the last input. */
void gl_k8s_together_finish(struct gl_k8s_together *together);

/* Joins autoscalers, node classes, machine templates and clusters with what they are for, and
 * counts the launches. Once, after the last object. */
void gl_k8s_finish(struct gl_k8s *k8s);

#endif
