/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http_part.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What no transport may send, and how a request is named in messages. */

#define HOST_MAX 64 /* of the hosts that may see a secret in the open */

/* "host:port" with user information, if any. */
static struct gl_view authority_of(const char *url)
{
    const char *host = strstr(url, "://");

    host = host != NULL ? host + 3 : url;
    return (struct gl_view){host, strcspn(host, "/?#")};
}

size_t gl_http_origin(const char *url)
{
    struct gl_view authority = authority_of(url);

    return (size_t)(authority.text - url) + authority.length;
}

char *gl_http_what(const struct gl_http_request *request, char out[GL_HTTP_WHAT])
{
    struct gl_view authority = authority_of(request->url);
    const char *host = authority.text;
    const char *at = memrchr(host, '@', authority.length);

    if (at != NULL)
        host = at + 1;
    snprintf(out, GL_HTTP_WHAT, "%.16s %.*s", request->method, (int)strcspn(host, "?#"), host);
    return out;
}

/* A line break inside a method, an address or a header would smuggle in another header. */
static bool is_one_line(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    return true;
}

static bool is_well_formed(const struct gl_http_request *request)
{
    if (strncmp(request->url, "https://", 8) != 0 && strncmp(request->url, "http://", 7) != 0)
        return false;
    if (!is_one_line(request->method) || !is_one_line(request->url))
        return false;
    for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++)
        if (!is_one_line(request->headers[i]) || strchr(request->headers[i], ':') == NULL)
            return false;
    return true;
}

/* The host without port and brackets; false where it is longer than any that we look for. */
static bool host_of(struct gl_view authority, char out[HOST_MAX])
{
    bool is_bracketed = authority.length > 0 && authority.text[0] == '[';
    const char *host = authority.text + is_bracketed;
    size_t room = authority.length - is_bracketed;
    const char *end = room > 0 ? memchr(host, is_bracketed ? ']' : ':', room) : NULL;
    size_t length = end != NULL ? (size_t)(end - host) : room;

    if (length >= HOST_MAX || (is_bracketed && end == NULL))
        return false;
    memcpy(out, host, length);
    out[length] = '\0';
    return true;
}

/* This machine, or the metadata service of an instance or a pod: a secret does not cross a network
 * there. */
static bool is_near(struct gl_view authority)
{
    static const uint8_t metadata[16] = {0xfd, 0, 0x0e, 0xc2, [14] = 2, [15] = 0x54};
    static const uint8_t pods[16] = {0xfd, 0, 0x0e, 0xc2, [15] = 0x23};
    struct in6_addr six;
    struct in_addr four;
    char host[HOST_MAX];

    if (!host_of(authority, host))
        return false;
    if (inet_pton(AF_INET, host, &four) == 1) {
        uint32_t address = ntohl(four.s_addr);

        return address >> 24 == 127 || address >> 16 == (169u << 8 | 254u);
    }
    if (inet_pton(AF_INET6, host, &six) == 1)
        return memcmp(&six, &in6addr_loopback, sizeof six) == 0 ||
               memcmp(&six, metadata, sizeof six) == 0 || memcmp(&six, pods, sizeof six) == 0;
    return strcasecmp(host, "localhost") == 0 || strcasecmp(host, "metadata.google.internal") == 0;
}

bool gl_http_is_proxy(const char *url)
{
    static const char *const schemes[] = {"http://", "https://", "socks5://"};
    struct gl_view authority = authority_of(url);
    bool is_known = false;

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        is_known = is_known || strncmp(url, schemes[i], strlen(schemes[i])) == 0;
    return is_known && is_one_line(url) && authority.length > 0 &&
           memchr(authority.text, '@', authority.length) == NULL;
}

bool gl_http_is_tls_name(const char *name)
{
    size_t length = strlen(name);

    return length > 0 && length < 254 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
               length;
}

int gl_http_check(const struct gl_http_request *request, struct gl_error *err)
{
    char what[GL_HTTP_WHAT];
    struct gl_view authority;

    if (!is_well_formed(request))
        return gl_fail(err, GL_E_BAD_VALUE,
                       "a request needs a http:// or https:// address and headers of one line");
    gl_http_what(request, what);
    authority = authority_of(request->url);
    if (memchr(authority.text, '@', authority.length) != NULL)
        return gl_fail(err, GL_E_BAD_VALUE, "%s: the address holds a user name", what);
    if (request->proxy_url != NULL && !gl_http_is_proxy(request->proxy_url))
        return gl_fail(err, GL_E_BAD_VALUE,
                       "%s: a proxy is http://, https:// or socks5://, without user name", what);
    if (request->tls_name != NULL && !gl_http_is_tls_name(request->tls_name))
        return gl_fail(err, GL_E_BAD_VALUE, "%s: the name for its certificate is no host name",
                       what);
    if (request->carries_secret && strncmp(request->url, "http://", 7) == 0 && !is_near(authority))
        return gl_fail(err, GL_E_BAD_VALUE,
                       "%s: credentials are not sent over plain http: use https", what);
    return 0;
}
