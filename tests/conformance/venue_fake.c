/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/venue_fake.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
const struct venue_fake_ops *const venue_fakes[] = {
    &venue_fake_github,
    &venue_fake_gitlab,
    &venue_fake_jira,
    &venue_fake_aws,
    &venue_fake_google,
    &venue_fake_azure,
    &venue_fake_ovh,
    &venue_fake_zendesk,
    &venue_fake_webhook,
    NULL,
};
/* clang-format on */

void venue_fake_complain(struct venue_fake *fake, const char *format, ...)
{
    va_list values;

    if (fake->complaint[0] != '\0')
        return;
    va_start(values, format);
    vsnprintf(fake->complaint, sizeof fake->complaint, format, values);
    va_end(values);
}

void venue_fake_header(struct venue_fake *fake, const struct gl_test_request *request,
                       const char *name, const char *value)
{
    char found[1024];

    gl_test_request_header(request, name, found, sizeof found);
    if (found[0] == '\0' || (value != NULL && strcmp(found, value) != 0))
        venue_fake_complain(fake, "%s %s: header %s is \"%s\"", request->method, request->path,
                            name, found);
}

static bool is_listed(const char *members, const char *key, size_t length)
{
    for (const char *at = members; *at != '\0';) {
        size_t word = strcspn(at, " ");
        size_t skip = *at == '!';

        if (word - skip == length && strncmp(at + skip, key, length) == 0)
            return true;
        at += word + strspn(at + word, " ");
    }
    return false;
}

static void check_members(struct venue_fake *fake, const struct gl_test_request *request,
                          const json_t *body, const char *members)
{
    void *at = json_object_iter((json_t *)(uintptr_t)body);

    for (; at != NULL; at = json_object_iter_next((json_t *)(uintptr_t)body, at))
        if (!is_listed(members, json_object_iter_key(at), strlen(json_object_iter_key(at))))
            venue_fake_complain(fake, "%s: unknown member %s", request->path,
                                json_object_iter_key(at));
    for (const char *word = members; *word != '\0';) {
        size_t length = strcspn(word, " ");
        char name[64];

        snprintf(name, sizeof name, "%.*s", (int)length - 1, word + 1);
        if (*word == '!' && json_object_get(body, name) == NULL)
            venue_fake_complain(fake, "%s: no member %s", request->path, name);
        word += length + strspn(word + length, " ");
    }
}

json_t *venue_fake_body(struct venue_fake *fake, const struct gl_test_request *request,
                        const char *members)
{
    struct gl_error err = {0};
    json_t *body = gl_json_parse(request->body, request->body_length, "body", &err);

    if (!json_is_object(body)) {
        venue_fake_complain(fake, "%s %s: no JSON object", request->method, request->path);
        json_decref(body);
        return json_object();
    }
    check_members(fake, request, body, members);
    return body;
}

struct venue_item *venue_fake_add(struct venue_fake *fake, const char *title)
{
    struct venue_item *item = &fake->items[fake->item_count % 16];

    *item = (struct venue_item){.id = (int64_t)fake->item_count + 181};
    snprintf(item->title, sizeof item->title, "%s", title);
    fake->item_count++;
    return item;
}

struct venue_item *venue_fake_at(struct venue_fake *fake, int64_t id)
{
    for (size_t i = 0; i < fake->item_count && i < 16; i++)
        if (fake->items[i].id == id)
            return &fake->items[i];
    return NULL;
}

void venue_fake_comment(struct venue_fake *fake, struct venue_item *item, const char *text)
{
    snprintf(item->texts[item->text_count++ % 8], sizeof item->texts[0], "%s", text);
    fake->comments++;
}

void venue_fake_json(struct gl_test_answer *out, int status, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);

    gl_test_answer_text(out, status, "application/json; charset=utf-8", text);
    free(text);
    json_decref(body);
}

bool venue_fake_may_create(struct venue_fake *fake, struct gl_test_answer *out)
{
    if (fake->fault == VENUE_CUT_BEFORE) {
        out->is_hung_up = true;
    } else if (fake->fault == VENUE_ANSWER) {
        gl_test_answer_text(out, fake->status, "application/json", fake->body);
        gl_str_add(&out->headers, fake->headers != NULL ? fake->headers : "");
    } else {
        return true;
    }
    fake->fault = VENUE_FINE;
    return false;
}

void venue_fake_spoil(struct venue_fake *fake, struct gl_test_answer *out)
{
    enum venue_fault fault = fake->fault;

    fake->fault = VENUE_FINE;
    switch (fault) {
    case VENUE_CUT_AFTER:
        out->is_hung_up = true;
        break;
    case VENUE_TRUNCATED:
        out->cut_after = 150;
        gl_str_add(&out->headers, "Content-Length: 9000\r\n");
        break;
    case VENUE_HUGE:
        out->flood_bytes = (size_t)16 << 20;
        break;
    case VENUE_GARBAGE:
        gl_str_clear(&out->body);
        gl_str_add(&out->body, "\x01\xff{{{ " VENUE_WEIRD);
        break;
    case VENUE_WRONG:
        gl_str_clear(&out->body);
        gl_str_add(&out->body, "[{\"number\":\"x\",\"id\":-1,\"title\":[[]]}]");
        break;
    case VENUE_PAGE:
        gl_str_clear(&out->headers);
        gl_test_answer_text(out, 200, "text/html", "<html><form action=/login>captcha</form>");
        break;
    case VENUE_SILENT:
        out->is_silent = true;
        break;
    default:
        break;
    }
}

static int hex_of(char c)
{
    const char *digits = "0123456789ABCDEF", *at = strchr(digits, c);

    return at != NULL && c != '\0' ? (int)(at - digits) : -1;
}

void venue_fake_query(const struct gl_test_request *request, const char *name, char *out,
                      size_t size)
{
    size_t length = strlen(name), count = 0;
    const char *at = request->query;

    out[0] = '\0';
    while (at != NULL && (strncmp(at, name, length) != 0 || at[length] != '='))
        at = strchr(at, '&') != NULL ? strchr(at, '&') + 1 : NULL;
    if (at == NULL)
        return;
    for (at += length + 1; *at != '\0' && *at != '&' && count + 1 < size; at++) {
        if (*at == '%' && hex_of(at[1]) >= 0 && hex_of(at[2]) >= 0) {
            out[count++] = (char)(hex_of(at[1]) * 16 + hex_of(at[2]));
            at += 2;
        } else {
            out[count++] = *at;
        }
    }
    out[count] = '\0';
}
