/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http_part.h"

#include "base/sign.h"
#include "base/time.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RETRY_AFTER_MAX_S ((int64_t)365 * 86400)

size_t gl_http_ceiling(const struct gl_http_request *request)
{
    return request->body_ceiling > 0 ? request->body_ceiling : GL_HTTP_BODY_CEILING;
}

int64_t gl_http_timeout_ms(const struct gl_http_request *request)
{
    return request->timeout_ms > 0 ? request->timeout_ms : GL_HTTP_TIMEOUT_MS;
}

int gl_http_send(struct gl_http *http, const struct gl_http_request *request,
                 struct gl_http_reply *out, struct gl_error *err)
{
    if (gl_http_check(request, err) < 0)
        return -1;
    return http->ops->send(http, request, out, err);
}

void gl_http_reply_done(struct gl_http_reply *reply)
{
    if (reply->is_secret && reply->body != NULL)
        gl_wipe(reply->body, reply->body_length);
    if (reply->is_secret && reply->header_text != NULL)
        gl_wipe(reply->header_text, strlen(reply->header_text));
    free(reply->body);
    free(reply->header_text);
    *reply = (struct gl_http_reply){.retry_after_s = -1};
}

bool gl_http_reply_header(const struct gl_http_reply *reply, const char *name, char *out,
                          size_t size)
{
    size_t length = strlen(name);
    const char *line = reply->header_text;

    for (; line != NULL && *line != '\0'; line += strcspn(line, "\n") + 1) {
        size_t value = strcspn(line, "\n");

        if (value < length + 2 || line[length] != ':' || strncasecmp(line, name, length) != 0)
            continue;
        value -= length + 2;
        if (value >= size)
            return false;
        memcpy(out, line + length + 2, value);
        out[value] = '\0';
        return true;
    }
    return false;
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
    headers->reply = reply;
    headers->date_s = -1;
    headers->retry_at_s = -1;
    headers->text.ceiling = GL_HTTP_HEADER_CEILING;
    gl_str_clear(&headers->text);
}

static bool is_name(struct gl_view text, const char *name)
{
    return strlen(name) == text.length && strncasecmp(text.text, name, text.length) == 0;
}

static void keep(char *out, size_t size, struct gl_view value)
{
    if (value.length >= size || memchr(value.text, '\0', value.length) != NULL)
        return;
    memcpy(out, value.text, value.length);
    out[value.length] = '\0';
}

/* Digits only; a larger number than anybody waits for is cut to a year. */
static bool seconds_parse(struct gl_view value, int64_t *out)
{
    int64_t seconds = 0;

    if (value.length == 0)
        return false;
    for (size_t i = 0; i < value.length; i++) {
        if (value.text[i] < '0' || value.text[i] > '9')
            return false;
        if (seconds <= RETRY_AFTER_MAX_S)
            seconds = seconds * 10 + (value.text[i] - '0');
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
static int64_t date_parse(struct gl_view value)
{
    char text[40] = "", word[4];
    int day, month, year, hour, minute, second, end = 0;

    keep(text, sizeof text, value);
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

/* A token of RFC 9110 section 5.6.2. */
static bool is_field_name(struct gl_view name)
{
    for (size_t i = 0; i < name.length; i++)
        if (!isalnum((unsigned char)name.text[i]) &&
            (name.text[i] == '\0' || strchr("!#$%&'*+-.^_`|~", name.text[i]) == NULL))
            return false;
    return name.length > 0;
}

/* What could be mistaken for the end of a line is left out. */
static void add_line(struct gl_str *text, struct gl_view name, struct gl_view value)
{
    if (!is_field_name(name) || memchr(value.text, '\0', value.length) != NULL ||
        memchr(value.text, '\r', value.length) != NULL)
        return;
    for (size_t i = 0; i < name.length; i++)
        gl_str_add_char(text, (char)tolower((unsigned char)name.text[i]));
    gl_str_add(text, ": ");
    gl_str_add_bytes(text, value.text, value.length);
    gl_str_add_char(text, '\n');
}

static void keep_known(struct gl_http_headers *headers, struct gl_view name, struct gl_view value)
{
    struct gl_http_reply *reply = headers->reply;

    if (is_name(name, "ETag"))
        keep(reply->etag, sizeof reply->etag, value);
    else if (is_name(name, "Last-Modified"))
        keep(reply->last_modified, sizeof reply->last_modified, value);
    else if (is_name(name, "Content-Type"))
        keep(reply->content_type, sizeof reply->content_type, value);
    else if (is_name(name, "Date"))
        headers->date_s = date_parse(value);
    else if (is_name(name, "Retry-After") && !seconds_parse(value, &reply->retry_after_s))
        headers->retry_at_s = date_parse(value);
}

void gl_http_headers_line(struct gl_http_headers *headers, const char *line, size_t length)
{
    const char *colon = length > 0 ? memchr(line, ':', length) : NULL;
    struct gl_view name = {line, 0}, value;

    if (colon == NULL)
        return;
    name.length = (size_t)(colon - line);
    value = (struct gl_view){colon + 1, length - name.length - 1};
    for (; value.length > 0 && (*value.text == ' ' || *value.text == '\t'); value.length--)
        value.text++;
    while (value.length > 0 &&
           (value.text[value.length - 1] == ' ' || value.text[value.length - 1] == '\t'))
        value.length--;
    add_line(&headers->text, name, value);
    keep_known(headers, name, value);
}

static void count_wait(const struct gl_http_headers *headers)
{
    int64_t wait = headers->retry_at_s - headers->date_s;

    if (headers->retry_at_s < 0 || headers->date_s < 0)
        return;
    if (wait > RETRY_AFTER_MAX_S)
        wait = RETRY_AFTER_MAX_S;
    headers->reply->retry_after_s = wait > 0 ? wait : 0;
}

void gl_http_headers_end(struct gl_http_headers *headers)
{
    count_wait(headers);
    if (headers->text.length > 0)
        headers->reply->header_text = gl_str_take(&headers->text);
}

void gl_http_headers_done(struct gl_http_headers *headers)
{
    if (headers->text.text != NULL)
        gl_wipe(headers->text.text, headers->text.length);
    gl_str_done(&headers->text);
}
