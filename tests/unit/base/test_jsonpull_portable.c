/* SPDX-License-Identifier: Apache-2.0 */
/* The vectors again on the reader as it is built for processors without SSE2. */
#define GL_JSCAN_PORTABLE
#include "base/jsonpull.c"
#include "base/jsonpull_node.c"
#include "base/jsonpull_scan.c"
#include "base/jsonpull_tree.c"

#include "tests/unit/base/test_jsonpull_vectors.c"
