/* SPDX-License-Identifier: Apache-2.0 */
/* Writing steps and reading members: the small things that venues share. */
#include "providers/venue/adapter.h"

#include "base/time.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 120

/* ---- steps ---- */

struct gl_venue_step *gl_venue_step_add(struct gl_venue_preview *preview, const char *method,
                                        const char *format, ...)
{
    struct gl_venue_step *step = &preview->steps[preview->step_count++];
    va_list values;
    int length;

    snprintf(step->method, sizeof step->method, "%s", method);
    va_start(values, format);
    length = vsnprintf(NULL, 0, format, values);
    va_end(values);
    step->where = gl_alloc((size_t)length + 1);
    va_start(values, format);
    vsnprintf(step->where, (size_t)length + 1, format, values);
    va_end(values);
    return step;
}

void gl_venue_step_header(struct gl_venue_step *step, const char *name, const char *value)
{
    size_t old = step->headers != NULL ? strlen(step->headers) : 0;
    size_t more = strlen(name) + strlen(value) + 4;

    step->headers = gl_realloc(step->headers, old + more);
    snprintf(step->headers + old, more, "%s: %s\n", name, value);
}

void gl_venue_step_body(struct gl_venue_step *step, const char *bytes, size_t length)
{
    step->body = gl_alloc(length + 1);
    memcpy(step->body, bytes, length);
    step->body_length = length;
}

void gl_venue_step_json(struct gl_venue_step *step, const char *content_type, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);

    json_decref(body);
    if (text == NULL)
        gl_die_of_memory();
    gl_venue_step_header(step, "Content-Type", content_type);
    gl_venue_step_body(step, text, strlen(text));
    free(text);
}

/* ---- text ---- */

void gl_venue_note(char note[GL_VENUE_NOTE], const char *format, ...)
{
    size_t old = strlen(note);
    va_list values;

    if (old > 0 && old + 2 < GL_VENUE_NOTE)
        old += (size_t)snprintf(note + old, GL_VENUE_NOTE - old, "; ");
    va_start(values, format);
    vsnprintf(note + old, GL_VENUE_NOTE - old, format, values);
    va_end(values);
}

/* The longest run of whole characters of at most `most` bytes. */
static size_t whole(const char *text, size_t most)
{
    size_t length = strnlen(text, most + 1);

    if (length <= most)
        return length;
    length = most;
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    return length;
}

bool gl_venue_cut(const char *text, size_t most, struct gl_str *out)
{
    char said[96];
    size_t length = strlen(text), kept, room;

    if (length <= most) {
        gl_str_add(out, text);
        return false;
    }
    room =
        (size_t)snprintf(said, sizeof said, "\n\n[Shortened: %zu of %zu bytes.]", length, length);
    kept = whole(text, most > room ? most - room : 0);
    gl_str_add_bytes(out, text, kept);
    gl_str_addf(out, "\n\n[Shortened: %zu of %zu bytes.]", kept, length);
    return true;
}

void gl_venue_text(const struct gl_venue_draft *draft, bool is_plain, size_t most, char *note,
                   struct gl_str *out)
{
    const struct gl_venue_request *request = draft->request;
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    for (size_t i = 0; i < request->field_count; i++)
        gl_str_addf(&text, is_plain ? "%s%s:\n%s" : "%s### %s\n\n%s", i > 0 ? "\n\n" : "",
                    request->fields[i].label, request->fields[i].value);
    if (request->field_count == 0)
        gl_str_add(&text, is_plain && request->plain != NULL ? request->plain : request->markdown);
    if (gl_venue_cut(gl_str_text(&text), most, out))
        gl_venue_note(note, "the text is cut to %zu of %zu bytes, and says so", most, text.length);
}

void gl_venue_words(const char *text, struct gl_str *out)
{
    bool has_gap = false;

    for (const char *at = text; *at != '\0' && out->length < WORDS_MAX; at++) {
        unsigned char c = (unsigned char)*at;

        if (isalnum(c) || (strchr("-.", c) && out->length > 0 && isalnum((unsigned char)at[1]))) {
            if (has_gap && out->length > 0)
                gl_str_add_char(out, ' ');
            gl_str_add_char(out, *at);
            has_gap = false;
        } else {
            has_gap = true;
        }
    }
}

bool gl_venue_is_mailbox(const char *text)
{
    const char *at = strchr(text, '@');
    size_t local = at != NULL ? (size_t)(at - text) : 0;

    if (at == NULL || local == 0 || local > 64 || strlen(text) > 254 || strchr(at + 1, '@'))
        return false;
    for (size_t i = 0; i < local; i++)
        if (!isalnum((unsigned char)text[i]) && strchr("!#$%&'*+/=?^_`{|}~.-", text[i]) == NULL)
            return false;
    return text[0] != '.' && text[local - 1] != '.' && strstr(text, "..") == NULL &&
           gl_venue_is_word(at + 1, ".-", 190) && at[1] != '.' && at[1] != '-';
}

/* ---- reading ---- */

void gl_venue_show(const char *text, char *out, size_t size)
{
    GL_AUTO(gl_str_done) struct gl_str printable = {0};
    size_t length;

    gl_str_add_printable(&printable, text, strnlen(text, size));
    length = whole(gl_str_text(&printable), size - 1);
    memcpy(out, gl_str_text(&printable), length);
    out[length] = '\0';
}

static const json_t *value_of(const json_t *object, const char *key)
{
    char name[64];

    for (const char *slash; key != NULL && (slash = strchr(key, '/')) != NULL; key = slash + 1) {
        snprintf(name, sizeof name, "%.*s", (int)(slash - key), key);
        object = json_object_get(object, name);
    }
    return key != NULL ? json_object_get(object, key) : NULL;
}

const char *gl_venue_member(const json_t *object, const char *key)
{
    const char *text = json_string_value(value_of(object, key));

    return text != NULL ? text : "";
}

int64_t gl_venue_number(const json_t *object, const char *key)
{
    const json_t *value = value_of(object, key);

    return json_is_integer(value) && json_integer_value(value) >= 0 ? json_integer_value(value)
                                                                    : -1;
}

struct gl_instant gl_venue_time(const json_t *object, const char *key)
{
    struct gl_instant at = {0};
    struct gl_error ignored = {0};

    gl_instant_parse(gl_venue_member(object, key), &at, &ignored);
    return at;
}

void gl_venue_link(const char *url, char *out, size_t size)
{
    bool is_ours = strncmp(url, "https://", 8) == 0 || strncmp(url, "http://127.0.0.1", 16) == 0;

    snprintf(out, size, "%s", is_ours && gl_venue_is_word(url, "", size - 1) ? url : "");
}

bool gl_venue_has_tag(const char *text, const char *tag)
{
    char bracketed[GL_VENUE_TAG + 3];

    snprintf(bracketed, sizeof bracketed, "[%s]", tag);
    return strstr(text, bracketed) != NULL;
}
