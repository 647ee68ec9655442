/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_SERVE_HTTP_PART_H
#define GL_BROKER_SERVE_HTTP_PART_H

/* https://www.gnu.org/software/libmicrohttpd/manual/ by dlopen() on first use, as libcurl is: only
 * the two servers pay for it and for the TLS library behind it. Types and constants come from its
 * header, so that a wrong signature does not compile. */

#include "broker/serve/http.h"

#include <microhttpd.h>

struct gl_mhd {
    void *library; /* never closed: its TLS library leaves handlers for the exit behind */
#define FUNCTION(name) __typeof__(MHD_##name) *name
    FUNCTION(start_daemon);
    FUNCTION(quiesce_daemon);
    FUNCTION(stop_daemon);
    FUNCTION(run_wait);
    FUNCTION(lookup_connection_value);
    FUNCTION(get_connection_info);
    FUNCTION(get_daemon_info);
    FUNCTION(create_response_from_buffer);
    FUNCTION(add_response_header);
    FUNCTION(queue_response);
    FUNCTION(destroy_response);
    FUNCTION(is_feature_supported);
#undef FUNCTION
};

/* Fine to call again. NETWORK when it is not installed. */
int gl_mhd_load(struct gl_mhd *mhd, struct gl_error *err);

/* A socket that listens at "HOST:PORT" ("[::1]:0" too), and where it listens in the end. Errors:
 * USAGE. */
#define GL_SERVER_ADDRESS 80
struct gl_listening {
    int fd;
    bool is_loopback;
    char address[GL_SERVER_ADDRESS]; /* "127.0.0.1:8443" */
};
int gl_listen(const char *where, struct gl_listening *out, struct gl_error *err);
/* "192.0.2.1" or "2001:db8::1". */
struct sockaddr;
char *gl_peer_text(const struct sockaddr *address, char out[GL_SERVER_ADDRESS]);

#endif
