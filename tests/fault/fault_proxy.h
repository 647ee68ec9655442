/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_FAULT_PROXY_H
#define GL_TESTS_FAULT_PROXY_H

/* A proxy of ours in front of a counterpart, ours or a foreign one, that speaks plain HTTP on this
 * machine: it passes on, and between that breaks what it is told to: handshakes, requests, answers.
 * With TLS or without. Where an answer names the counterpart's address it names the proxy's
 * instead, so that nobody gets past it; in a request's body it is the other way round. The `Host`
 * header goes on as it came: signatures over it hold. */

#include "tests/support/http_server.h"

struct fault_proxy_hooks {
    /* Before a request is passed on: true = *out is the answer (or the silence), and the
     * counterpart hears nothing. After it was answered: may spoil the answer. NULL = neither. One
     * call at a time. */
    bool (*before)(void *cookie, const struct gl_test_request *request, struct gl_test_answer *out);
    void (*after)(void *cookie, const struct gl_test_request *request, struct gl_test_answer *out);
    enum gl_test_handshake (*handshake)(void *cookie); /* NULL = without TLS */
    void *cookie;
};

struct fault_proxy;
/* `url` is the counterpart's, "http://127.0.0.1:PORT". NULL when there is no TLS here. */
struct fault_proxy *fault_proxy_start(const char *url, const struct fault_proxy_hooks *hooks);
void fault_proxy_stop(struct fault_proxy *proxy); /* NULL is fine */
const char *fault_proxy_url(const struct fault_proxy *proxy);
const char *fault_proxy_ca(const struct fault_proxy *proxy); /* PEM; NULL without TLS */

#endif
