/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_VENUE_SHA1_H
#define GL_PROVIDERS_VENUE_SHA1_H

/* SHA-1 (FIPS 180-4 section 6.1), only because OVH's request signature is made of it. It proves
 * nothing here and must not be used for anything of ours. */

#include <stddef.h>

#define GL_SHA1_HEX 41 /* with NUL */

/* Lower-case hex. The working copy of the text is wiped. */
void gl_sha1_hex(const char *text, size_t length, char out[GL_SHA1_HEX]);

#endif
