/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_HTTP_CURL_MAIL_H
#define GL_BASE_HTTP_CURL_MAIL_H

/* One message to one recipient by SMTP (RFC 5321), through libcurl as the transport of base/http.h
 * loads it. TLS 1.2 or later from the start (smtps) or by STARTTLS, always verified; in the open
 * only to this machine, and then without a password. Sends once, never again. */

#include "base/str.h"

struct gl_mail {
    const char *server;          /* "smtps://HOST[:PORT]" or "smtp://HOST[:PORT]" */
    const char *user, *password; /* NULL or "" = nobody signs in */
    const char *from, *to;       /* mailboxes */
    struct gl_view message;      /* with CRLF ends */
    const char *ca_pem;          /* NULL = the system's authorities */
    int64_t timeout_ms;          /* 0 = 30000 */
};

/* 0 when the server has taken it. *out_code is its last answer, 0 = none. OUTCOME when the message
 * was under way and the server said nothing to it; NO_CREDENTIAL, PERMISSION (5xx), RATE_LIMIT
 * (4xx), NETWORK, TIMEOUT, BAD_VALUE. No error holds the password. */
int gl_mail_send(const struct gl_mail *mail, long *out_code, struct gl_error *err);

#endif
