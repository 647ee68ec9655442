/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http_part.h"

#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RETRY_AFTER_MAX_S ((int64_t)365 * 86400)

size_t gl_http_ceiling(const struct gl_http_request *request)
{
    return request->body_ceiling > 0 ? request->body_ceiling : GL_HTTP_BODY_CEILING;
}

char *gl_http_what(const struct gl_http_request *request, char out[GL_HTTP_WHAT])
{
    const char *host = strstr(request->url, "://");
    size_t user;

    host = host != NULL ? host + 3 : request->url;
    user = strcspn(host, "@/?#");
    if (host[user] == '@')
        host += user + 1;
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

int gl_http_send(struct gl_http *http, const struct gl_http_request *request,
                 struct gl_http_reply *out, struct gl_error *err)
{
    if (!is_well_formed(request))
        return gl_fail(err, GL_E_BAD_VALUE,
                       "a request needs a http:// or https:// address and headers of one line");
    return http->ops->send(http, request, out, err);
}

void gl_http_reply_done(struct gl_http_reply *reply)
{
    free(reply->body);
    *reply = (struct gl_http_reply){.retry_after_s = -1};
}

void gl_http_close(struct gl_http *http)
{
    if (http != NULL)
        http->ops->close(http);
}

int gl_http_status_parse(const char *line, size_t length)
{
    const char *space = memchr(line, ' ', length);
    int status = 0;

    if (length < 5 || memcmp(line, "HTTP/", 5) != 0 || space == NULL ||
        length - (size_t)(space - line) < 4)
        return -1;
    for (int i = 1; i <= 3; i++) {
        if (space[i] < '0' || space[i] > '9')
            return -1;
        status = status * 10 + (space[i] - '0');
    }
    return status >= 100 ? status : -1;
}

void gl_http_headers_init(struct gl_http_headers *headers, struct gl_http_reply *reply, int status)
{
    *reply = (struct gl_http_reply){.status = status, .retry_after_s = -1};
    *headers = (struct gl_http_headers){.reply = reply, .date_s = -1, .retry_at_s = -1};
}

static bool is_name(const char *line, size_t length, const char *name)
{
    return strlen(name) == length && strncasecmp(line, name, length) == 0;
}

static void keep(char *out, size_t size, const char *value, size_t length)
{
    if (length >= size || memchr(value, '\0', length) != NULL)
        return;
    memcpy(out, value, length);
    out[length] = '\0';
}

/* Digits only; a larger number than anybody waits for is cut to a year. */
static bool seconds_parse(const char *text, size_t length, int64_t *out)
{
    int64_t seconds = 0;

    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        if (seconds <= RETRY_AFTER_MAX_S)
            seconds = seconds * 10 + (text[i] - '0');
    }
    *out = seconds < RETRY_AFTER_MAX_S ? seconds : RETRY_AFTER_MAX_S;
    return true;
}

static bool is_within(int number, int low, int high)
{
    return number >= low && number <= high;
}

/* 1..12 of "Jan".."Dec", 0 for another word. */
static int month_of(const char *word)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const char *found = strlen(word) == 3 ? strstr(months, word) : NULL;

    return found != NULL && (found - months) % 3 == 0 ? (int)(found - months) / 3 + 1 : 0;
}

/* IMF-fixdate of RFC 9110 section 5.6.7, "Sun, 06 Nov 1994 08:49:37 GMT"; -1 for other forms. */
static int64_t date_parse(const char *value, size_t length)
{
    char text[40] = "", word[4];
    int day, month, year, hour, minute, second, end = 0;

    keep(text, sizeof text, value, length);
    if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &day, word, &year, &hour,
               &minute, &second, &end) != 6 ||
        end == 0 || text[end] != '\0')
        return -1;
    month = month_of(word);
    if (month == 0 || year < 1970 || !is_within(day, 1, 31) || !is_within(hour, 0, 23) ||
        !is_within(minute, 0, 59) || !is_within(second, 0, 60))
        return -1;
    return gl_instant_of_civil(year, month, day, hour, minute, second).unix_s;
}

void gl_http_headers_line(struct gl_http_headers *headers, const char *line, size_t length)
{
    const char *colon = memchr(line, ':', length);
    struct gl_http_reply *reply = headers->reply;
    size_t name = colon != NULL ? (size_t)(colon - line) : 0;
    const char *value = colon != NULL ? colon + 1 : line;

    length -= (size_t)(value - line);
    for (; length > 0 && (*value == ' ' || *value == '\t'); length--)
        value++;
    while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
        length--;
    if (is_name(line, name, "ETag"))
        keep(reply->etag, sizeof reply->etag, value, length);
    else if (is_name(line, name, "Last-Modified"))
        keep(reply->last_modified, sizeof reply->last_modified, value, length);
    else if (is_name(line, name, "Content-Type"))
        keep(reply->content_type, sizeof reply->content_type, value, length);
    else if (is_name(line, name, "Date"))
        headers->date_s = date_parse(value, length);
    else if (is_name(line, name, "Retry-After") &&
             !seconds_parse(value, length, &reply->retry_after_s))
        headers->retry_at_s = date_parse(value, length);
}

void gl_http_headers_end(struct gl_http_headers *headers)
{
    int64_t wait = headers->retry_at_s - headers->date_s;

    if (headers->retry_at_s < 0 || headers->date_s < 0)
        return;
    if (wait > RETRY_AFTER_MAX_S)
        wait = RETRY_AFTER_MAX_S;
    headers->reply->retry_after_s = wait > 0 ? wait : 0;
}
