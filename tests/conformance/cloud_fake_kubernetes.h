/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_CLOUD_FAKE_KUBERNETES_H
#define GL_TESTS_CLOUD_FAKE_KUBERNETES_H

/* The Kubernetes counterpart of tests/support as a fixture of the conformance suite. */

#include "tests/conformance/cloud_remote.h"

extern const struct gl_remote_fixture gl_remote_fixture_kubernetes;

#endif
