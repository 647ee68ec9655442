/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fault/fault_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROXY_CEILING ((size_t)16 << 20)

struct fault_proxy {
    struct gl_test_server *server;
    struct fault_proxy_hooks hooks;
    char upstream[64];
    int port; /* of the counterpart */
};

static void add_replaced(struct gl_str *out, const char *text, size_t length, const char *from,
                         const char *to)
{
    size_t size = strlen(from);

    while (length > 0) {
        const char *at = memmem(text, length, from, size);
        size_t before = at != NULL ? (size_t)(at - text) : length;

        gl_str_add_bytes(out, text, before);
        if (at == NULL)
            return;
        gl_str_add(out, to);
        text += before + size;
        length -= before + size;
    }
}

/* ---- to the counterpart ---- */

static int dial(int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

/* What is of one connection, or is said anew. */
static bool is_own_header(const char *line)
{
    static const char *const names[] = {"connection:", "content-length:", "transfer-encoding:",
                                        "keep-alive:", "expect:",         "accept-encoding:"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncasecmp(line, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static void compose(const struct fault_proxy *proxy, const struct gl_test_request *request,
                    struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str body = {.ceiling = PROXY_CEILING};

    add_replaced(&body, request->body, request->body_length, fault_proxy_url(proxy),
                 proxy->upstream);
    gl_str_addf(out, "%s %s%s%s HTTP/1.1\r\n", request->method, request->path,
                request->query[0] != '\0' ? "?" : "", request->query);
    for (const char *line = request->header_text; *line != '\0';) {
        size_t length = strcspn(line, "\n");

        if (!is_own_header(line)) {
            gl_str_add_bytes(out, line, length);
            gl_str_add(out, "\r\n");
        }
        line += length + (line[length] == '\n');
    }
    gl_str_addf(out, "Content-Length: %zu\r\nConnection: close\r\n\r\n", body.length);
    gl_str_add_bytes(out, gl_str_text(&body), body.length);
}

static bool say(int fd, const struct gl_str *text)
{
    for (size_t at = 0; at < text->length;) {
        ssize_t sent = send(fd, text->text + at, text->length - at, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        at += (size_t)sent;
    }
    return true;
}

static const char *header_of(const char *head, const char *end, const char *name)
{
    const char *line = memmem(head, (size_t)(end - head), "\r\n", 2);

    for (; line != NULL && line + 2 < end; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, strlen(name)) == 0)
            return line + 2 + strlen(name);
    return NULL;
}

/* Does `in` hold a whole answer? Without a length, and with no body to come, its head is one. */
static bool is_whole(const struct gl_str *in)
{
    const char *text = gl_str_text(in), *end = strstr(text, "\r\n\r\n"), *length;

    if (end == NULL)
        return false;
    length = header_of(text, end + 2, "content-length:");
    if (length == NULL)
        return strncmp(text + 9, "204", 3) == 0 || strncmp(text + 9, "304", 3) == 0;
    return in->length - (size_t)(end + 4 - text) >= strtoul(length, NULL, 10);
}

static bool hear(int fd, struct gl_str *in)
{
    char bytes[16384];
    ssize_t got = 0;

    while (!is_whole(in) && !in->is_cut && (got = recv(fd, bytes, sizeof bytes, 0)) > 0)
        gl_str_add_bytes(in, bytes, (size_t)got);
    return got >= 0 && strstr(gl_str_text(in), "\r\n\r\n") != NULL;
}

/* ---- back ---- */

static void give(const struct fault_proxy *proxy, const struct gl_str *in,
                 struct gl_test_answer *out)
{
    const char *text = gl_str_text(in), *end = strstr(text, "\r\n\r\n");
    const char *length = header_of(text, end + 2, "content-length:");
    size_t left = in->length - (size_t)(end + 4 - text);

    out->status = (int)strtol(text + 9, NULL, 10);
    for (const char *line = strstr(text, "\r\n") + 2; line < end + 2;) {
        size_t size = (size_t)(strstr(line, "\r\n") - line);

        if (!is_own_header(line)) {
            add_replaced(&out->headers, line, size, proxy->upstream, fault_proxy_url(proxy));
            gl_str_add(&out->headers, "\r\n");
        }
        line += size + 2;
    }
    add_replaced(&out->body, end + 4, left, proxy->upstream, fault_proxy_url(proxy));
    /* The counterpart itself was cut off: so are we. */
    if (length != NULL && left < strtoul(length, NULL, 10))
        out->cut_after = 1 + left / 2;
}

static bool pass_on(const struct fault_proxy *proxy, const struct gl_test_request *request,
                    struct gl_test_answer *out)
{
    GL_AUTO(gl_str_done) struct gl_str asked = {.ceiling = PROXY_CEILING};
    GL_AUTO(gl_str_done) struct gl_str heard = {.ceiling = PROXY_CEILING};
    int fd = dial(proxy->port);
    bool is_heard;

    if (fd < 0)
        return false;
    compose(proxy, request, &asked);
    is_heard = say(fd, &asked) && hear(fd, &heard);
    close(fd);
    if (is_heard)
        give(proxy, &heard, out);
    return is_heard;
}

static void answer(const struct gl_test_request *request, struct gl_test_answer *out, void *cookie)
{
    const struct fault_proxy *proxy = cookie;
    const struct fault_proxy_hooks *hooks = &proxy->hooks;

    if (hooks->before != NULL && hooks->before(hooks->cookie, request, out))
        return;
    out->is_hung_up = !pass_on(proxy, request, out);
    if (hooks->after != NULL)
        hooks->after(hooks->cookie, request, out);
}

struct fault_proxy *fault_proxy_start(const char *url, const struct fault_proxy_hooks *hooks)
{
    struct fault_proxy *proxy = gl_alloc(sizeof *proxy);
    struct gl_test_tls tls = {.handshake = hooks->handshake, .handshake_cookie = hooks->cookie};

    proxy->hooks = *hooks;
    proxy->port = (int)strtol(strrchr(url, ':') + 1, NULL, 10);
    snprintf(proxy->upstream, sizeof proxy->upstream, "http://127.0.0.1:%d", proxy->port);
    proxy->server = hooks->handshake != NULL ? gl_test_server_start_tls(answer, proxy, &tls)
                                             : gl_test_server_start(answer, proxy);
    if (proxy->server != NULL)
        return proxy;
    free(proxy);
    return NULL;
}

void fault_proxy_stop(struct fault_proxy *proxy)
{
    if (proxy == NULL)
        return;
    gl_test_server_stop(proxy->server);
    free(proxy);
}

const char *fault_proxy_url(const struct fault_proxy *proxy)
{
    return gl_test_server_url(proxy->server);
}

const char *fault_proxy_ca(const struct fault_proxy *proxy)
{
    return gl_test_server_ca(proxy->server);
}
