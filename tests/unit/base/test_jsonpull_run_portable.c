/* SPDX-License-Identifier: Apache-2.0 */
/* The same runs as they are looked at on processors without SSE2. */
#define GL_JSCAN_PORTABLE
#include "tests/unit/base/test_jsonpull_run.c"
