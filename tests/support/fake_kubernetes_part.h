/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_FAKE_KUBERNETES_PART_H
#define GL_TESTS_FAKE_KUBERNETES_PART_H

/* What the two files of the counterpart share. */

#include "tests/support/fake_kubernetes.h"

/* Takes the value. */
void fake_kubernetes_json(struct gl_test_answer *out, int status, json_t *value);

/* A page of what the labels select. */
void fake_kubernetes_list(json_t *items, const struct gl_test_request *request,
                          struct gl_test_answer *out);
void fake_kubernetes_nodes(const struct gl_test_request *request, struct gl_test_answer *out);
void fake_kubernetes_quotas(const struct fake_kubernetes *fake, struct gl_test_answer *out);
void fake_kubernetes_review(const struct fake_kubernetes *fake,
                            const struct gl_test_request *request, struct gl_test_answer *out);
bool fake_kubernetes_lets_in(struct fake_kubernetes *fake, const struct gl_test_request *request);
/* The node that a Job's affinity admits; NULL = none. */
const char *fake_kubernetes_node(const json_t *job);

#endif
