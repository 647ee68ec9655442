/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_HTTP_TLS_H
#define GL_TESTS_HTTP_TLS_H

/* The TLS side of http_server.h: a throw-away authority, certificates of it, connections. libssl is
 * loaded by dlopen(), so that no test program needs to link it. */

#include "tests/support/http_server.h"

struct gl_test_tls_side; /* of one server */
struct gl_test_tls_link; /* of one connection */

/* NULL when libssl.so.3 is not there or a step fails. */
struct gl_test_tls_side *gl_test_tls_new(const struct gl_test_tls *tls);
void gl_test_tls_free(struct gl_test_tls_side *side);
const char *gl_test_tls_ca(const struct gl_test_tls_side *side);
const char *gl_test_tls_client_cert(const struct gl_test_tls_side *side);
const char *gl_test_tls_client_key(const struct gl_test_tls_side *side);

/* The handshake, good or bad; NULL when the peer did not like us or we not the peer. */
struct gl_test_tls_link *gl_test_tls_accept(const struct gl_test_tls_side *side, int fd,
                                            enum gl_test_handshake how);
int gl_test_tls_read(struct gl_test_tls_link *link, void *out, int size);
int gl_test_tls_write(struct gl_test_tls_link *link, const void *bytes, int length);
void gl_test_tls_close(struct gl_test_tls_link *link); /* without a word to the peer */

#endif
