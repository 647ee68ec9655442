/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/serve/http_part.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG  128
#define HOST_MAX 256

/* "HOST:PORT" taken apart; "[::1]:8443" has its brackets taken off. */
static bool split(const char *where, char host[HOST_MAX], char port[6])
{
    const char *colon = strrchr(where, ':');
    bool is_bracketed = where[0] == '[' && colon != NULL && colon > where + 1 && colon[-1] == ']';
    size_t length = colon != NULL ? (size_t)(colon - where) - 2U * is_bracketed : 0;

    if (colon == NULL || length == 0 || length >= HOST_MAX || strlen(colon + 1) - 1 > 4 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1))
        return false;
    memcpy(host, where + is_bracketed, length);
    host[length] = '\0';
    memcpy(port, colon + 1, strlen(colon + 1) + 1);
    return is_bracketed || strchr(host, ':') == NULL;
}

static bool is_loopback(const struct sockaddr *address)
{
    struct sockaddr_in four;
    struct sockaddr_in6 six;

    if (address->sa_family == AF_INET) {
        memcpy(&four, address, sizeof four);
        return ntohl(four.sin_addr.s_addr) >> 24 == 127;
    }
    memcpy(&six, address, sizeof six);
    return memcmp(&six.sin6_addr, &in6addr_loopback, sizeof six.sin6_addr) == 0;
}

char *gl_peer_text(const struct sockaddr *address, char out[GL_SERVER_ADDRESS])
{
    struct sockaddr_in four;
    struct sockaddr_in6 six;

    snprintf(out, GL_SERVER_ADDRESS, "-");
    if (address != NULL && address->sa_family == AF_INET) {
        memcpy(&four, address, sizeof four);
        inet_ntop(AF_INET, &four.sin_addr, out, GL_SERVER_ADDRESS);
    } else if (address != NULL && address->sa_family == AF_INET6) {
        memcpy(&six, address, sizeof six);
        inet_ntop(AF_INET6, &six.sin6_addr, out, GL_SERVER_ADDRESS);
    }
    return out;
}

static void describe(int fd, struct gl_listening *out)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr *address = (struct sockaddr *)&storage;
    socklen_t length = sizeof storage;
    struct sockaddr_in four;
    char host[GL_SERVER_ADDRESS];
    bool is_six;

    getsockname(fd, address, &length);
    memcpy(&four, address, sizeof four); /* the port lies at one place in both */
    is_six = address->sa_family == AF_INET6;
    out->fd = fd;
    out->is_loopback = is_loopback(address);
    gl_peer_text(address, host);
    snprintf(out->address, sizeof out->address, "%s%.64s%s:%d", is_six ? "[" : "", host,
             is_six ? "]" : "", ntohs(four.sin_port));
}

static int listen_at(const struct addrinfo *at)
{
    const int yes = 1;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    close(fd);
    return -1;
}

int gl_listen(const char *where, struct gl_listening *out, struct gl_error *err)
{
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    char host[HOST_MAX], port[6], shown[GL_TEXT_SHOWN];
    struct addrinfo *found = NULL;
    int fd = -1, trouble;

    if (!split(where, host, port))
        return gl_fail(err, GL_E_USAGE, "--listen %s: HOST:PORT, as in 127.0.0.1:8443",
                       gl_text_show(where, shown));
    trouble = getaddrinfo(host, port, &wanted, &found);
    if (trouble != 0)
        return gl_fail(err, GL_E_USAGE, "--listen %s: %s", gl_text_show(where, shown),
                       gai_strerror(trouble));
    for (const struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next)
        fd = listen_at(at);
    trouble = errno;
    freeaddrinfo(found);
    if (fd < 0)
        return gl_fail_sys(err, GL_E_USAGE, trouble, "--listen %s", gl_text_show(where, shown));
    describe(fd, out);
    return 0;
}
