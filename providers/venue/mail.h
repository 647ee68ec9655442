/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_VENUE_MAIL_H
#define GL_PROVIDERS_VENUE_MAIL_H

/* A request as one message: RFC 5322 with RFC 2045 and 2047, UTF-8 as quoted-printable, the JSON
 * attached. The Message-ID is made of the fingerprint, so that mail systems know a second copy. */

#include "providers/venue/adapter.h"

/* The whole message with CRLF ends. `from` and `to` are mailboxes. */
void gl_mail_compose(const struct gl_venue_draft *draft, const char *from, const char *to,
                     struct gl_str *out);
/* "<GL-7f3a91c2.40c8...@example.org>" */
void gl_mail_id(const struct gl_venue_draft *draft, const char *from, char out[GL_VENUE_ID]);
/* "mailto:TO?subject=...&body=..." (RFC 6068) of at most `most` bytes; true when it was cut. */
bool gl_mail_link(const struct gl_venue_draft *draft, const char *to, size_t most,
                  struct gl_str *out);

#endif
