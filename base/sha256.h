/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_SHA256_H
#define GL_BASE_SHA256_H

/* The compression function of SHA-256 by the processor's own instructions, for long messages: four
 * times as fast as portable code. Everything else of SHA-256 (beginning, padding, processors
 * without them) stays with libsodium; base/sign.h is the way in. Source: FIPS 180-4 section 6.2. */

#include "base/error.h"

/* Has this processor the instructions? A question takes a microsecond in a virtual machine. */
bool gl_sha256_can(void);
/* Take `count` blocks of 64 bytes into the eight words of `state`. Only when gl_sha256_can(). */
void gl_sha256_blocks(uint32_t state[8], const uint8_t *bytes, size_t count);

#endif
