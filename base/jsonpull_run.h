/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_JSONPULL_RUN_H
#define GL_BASE_JSONPULL_RUN_H

/* Runs of bytes of a JSON document, 16 at a time with SSE2, which every x86-64 has, else 8 at a
 * time in plain C; GL_JSCAN_PORTABLE asks for the latter, for the tests. Scans stop at a NUL byte
 * by themselves, and may read 63 bytes behind it. Each way has a file of its own with the same
 * functions. 32 at a time with AVX2 was tried on plans: slower, as most strings are shorter. */

#if defined(__SSE2__) && !defined(GL_JSCAN_PORTABLE)
#include "base/jsonpull_run_sse2.h"
#else
#include "base/jsonpull_run_plain.h"
#endif

#endif
