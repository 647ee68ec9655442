/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http_part.h"

#include <stdlib.h>
#include <string.h>

/* Header lines of an answer, and an address: the first line is the address, the others headers. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

/* A line break or a user name never gets through; messages never hold the query. */
static void check_address(const char *address, size_t length)
{
    GL_AUTO(gl_auto_free) char *url = gl_alloc(length + 1);
    struct gl_http_request request = {.method = "GET", .url = url, .carries_secret = true};
    struct gl_error err = {0};
    char what[GL_HTTP_WHAT];
    size_t origin;

    memcpy(url, address, length);
    if (gl_http_check(&request, &err) < 0)
        return;
    origin = gl_http_origin(url);
    demand(origin >= strlen("http://") && origin <= strlen(url));
    demand(memchr(url, '@', origin) == NULL && strpbrk(url, "\r\n") == NULL);
    demand(strpbrk(gl_http_what(&request, what), "?#") == NULL);
}

/* Every line of the text is "name: value" and is found by its name. */
static void check_text(const struct gl_http_reply *reply)
{
    const char *line = reply->header_text;

    for (; line != NULL && *line != '\0'; line += strcspn(line, "\n") + 1) {
        size_t name = strcspn(line, ":");
        GL_AUTO(gl_auto_free) char *own = gl_alloc(name + 1);
        GL_AUTO(gl_auto_free) char *value = gl_alloc(GL_HTTP_HEADER_CEILING);

        memcpy(own, line, name);
        demand(name > 0 && line[name + 1] == ' ' && strchr(line, '\n') != NULL);
        demand(gl_http_reply_header(reply, own, value, GL_HTTP_HEADER_CEILING));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *line = (const char *)bytes, *end = line + size;
    struct gl_http_headers headers = {0};
    struct gl_http_reply reply;
    bool is_first = true;

    gl_http_headers_init(&headers, &reply, 200);
    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((stop != NULL ? stop : end) - line);

        if (is_first)
            check_address(line, length);
        else if (gl_http_status_parse(line, length) >= 0)
            gl_http_headers_init(&headers, &reply, 200);
        else
            gl_http_headers_line(&headers, line, length);
        is_first = false;
        line += length + 1;
    }
    if (!headers.text.is_cut)
        gl_http_headers_end(&headers);
    demand(reply.retry_after_s >= -1);
    demand(reply.header_text == NULL || strlen(reply.header_text) <= GL_HTTP_HEADER_CEILING);
    check_text(&reply);
    gl_http_headers_done(&headers);
    gl_http_reply_done(&reply);
    return 0;
}
