/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Past the string whose opening quote is before `at`; its form is for the parser to judge. */
static size_t skip_string(const char *bytes, size_t length, size_t at)
{
    while (at < length && bytes[at] != '"')
        at += bytes[at] == '\\' ? 2 : 1;
    return at + 1;
}

/* Is the nesting within the ceiling? Looked at before parsing, because the parser recurses. */
static bool is_shallow(const char *bytes, size_t length)
{
    size_t depth = 0;
    size_t at = 0;

    while (at < length) {
        char c = bytes[at++];

        if (c == '"')
            at = skip_string(bytes, length, at);
        else if (c == '[' || c == '{')
            depth++;
        else if ((c == ']' || c == '}') && depth > 0)
            depth--;
        if (depth > GL_JSON_MAX_DEPTH)
            return false;
    }
    return true;
}

/* A zero byte stands nowhere in JSON. The parser reads over one that follows a number, and would
 * take a document for another one than those who stop there, or do not. */
static bool has_zero(const char *bytes, size_t length, const char *name, struct gl_error *err)
{
    const char *zero = memchr(bytes, '\0', length), *line = bytes;
    struct gl_pos pos = {.line = 1};

    if (zero == NULL)
        return false;
    for (const char *at = bytes; (at = memchr(at, '\n', (size_t)(zero - at))) != NULL; line = ++at)
        pos.line++;
    pos.column = (uint32_t)(zero - line) + 1;
    snprintf(pos.file, sizeof pos.file, "%s", name);
    gl_fail_at(err, GL_E_SYNTAX, &pos, "%s is not valid JSON: it holds a zero byte", name);
    return true;
}

static void fail_syntax(const char *name, const json_error_t *trouble, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str shown = {0};
    struct gl_pos pos = {.line = trouble->line > 0 ? (uint32_t)trouble->line : 0,
                         .column = trouble->column > 0 ? (uint32_t)trouble->column : 0};

    /* The message quotes the input. */
    gl_str_add_printable(&shown, trouble->text, strlen(trouble->text));
    snprintf(pos.file, sizeof pos.file, "%s", name);
    gl_fail_at(err, GL_E_SYNTAX, &pos, "%s is not valid JSON: %s", name, gl_str_text(&shown));
}

json_t *gl_json_parse(const char *bytes, size_t length, const char *name, struct gl_error *err)
{
    return gl_json_parse_upto(bytes, length, GL_JSON_MAX_BYTES, name, err);
}

json_t *gl_json_parse_upto(const char *bytes, size_t length, size_t ceiling, const char *name,
                           struct gl_error *err)
{
    json_error_t trouble;
    json_t *value;

    if (length > ceiling) {
        gl_fail(err, GL_E_TOO_LARGE, "%s is larger than %zu MiB", name, ceiling >> 20);
        return NULL;
    }
    if (!is_shallow(bytes, length)) {
        gl_fail(err, GL_E_TOO_LARGE, "%s is nested deeper than %d levels", name, GL_JSON_MAX_DEPTH);
        return NULL;
    }
    if (has_zero(bytes, length, name, err))
        return NULL;
    value = json_loadb(bytes, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &trouble);
    if (value == NULL)
        fail_syntax(name, &trouble, err);
    return value;
}

/* Does a value nest at most `levels` deep, without reals? The levels bound the recursion. */
static bool is_canonical(const json_t *value, unsigned levels)
{
    json_t *container = (json_t *)(uintptr_t)value; /* the iterators want it non-const */
    const char *key;
    json_t *member;
    size_t i;

    if (levels == 0 || json_is_real(value))
        return false;
    json_object_foreach(container, key, member) if (!is_canonical(member, levels - 1)) return false;
    json_array_foreach(container, i, member) if (!is_canonical(member, levels - 1)) return false;
    return true;
}

char *gl_json_canonical(const json_t *value, struct gl_error *err)
{
    char *text = NULL;

    if (value != NULL && is_canonical(value, GL_JSON_MAX_DEPTH + 1))
        text =
            json_dumps(value, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
    if (text == NULL)
        gl_fail(err, GL_E_INTERNAL,
                "a signed document must hold no real numbers and at most %d levels",
                GL_JSON_MAX_DEPTH);
    return text;
}

char *gl_json_pretty(const json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(10) | JSON_ENCODE_ANY);

    return text != NULL ? text : gl_strdup("null");
}

static int fail_member(const char *key, const char *wanted, const json_t *found,
                       struct gl_error *err)
{
    return gl_fail(err, GL_E_BAD_REPLY,
                   found == NULL ? "\"%s\" is missing; expected %s" : "\"%s\" is not %s", key,
                   wanted);
}

int gl_json_string(const json_t *object, const char *key, const char **out, struct gl_error *err)
{
    const json_t *member = json_object_get(object, key);

    if (!json_is_string(member))
        return fail_member(key, "a string", member, err);
    *out = json_string_value(member);
    return 0;
}

int gl_json_int(const json_t *object, const char *key, int64_t low, int64_t high, int64_t *out,
                struct gl_error *err)
{
    const json_t *member = json_object_get(object, key);
    json_int_t value = json_integer_value(member);

    if (!json_is_integer(member))
        return fail_member(key, "an integer", member, err);
    if (value < low || value > high)
        return gl_fail(err, GL_E_BAD_REPLY,
                       "\"%s\" is %" PRId64 ", outside %" PRId64 " to %" PRId64, key,
                       (int64_t)value, low, high);
    *out = value;
    return 0;
}

/* A number written as text; the JSON reader itself knows the form, whatever the locale, and takes
 * no number that is not finite. */
static int number_of_text(const char *text, double *out)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
    bool is_real = json_is_real(value);

    if (is_real)
        *out = json_real_value(value);
    json_decref(value);
    return is_real ? 0 : -1;
}

int gl_json_number(const json_t *object, const char *key, double *out, bool *out_is_known,
                   struct gl_error *err)
{
    const json_t *member = json_object_get(object, key);
    const char *text = json_string_value(member);
    double number = 0;

    if (json_is_null(member) || (text != NULL && text[0] == '\0')) {
        *out_is_known = false;
        return 0;
    }
    if (json_is_number(member))
        number = json_number_value(member);
    else if (text == NULL || number_of_text(text, &number) != 0)
        return fail_member(key, "a number", member, err);
    *out = number;
    *out_is_known = true;
    return 0;
}

int gl_json_object(const json_t *object, const char *key, json_t **out, struct gl_error *err)
{
    json_t *member = json_object_get(object, key);

    if (!json_is_object(member))
        return fail_member(key, "an object", member, err);
    *out = member;
    return 0;
}

int gl_json_array(const json_t *object, const char *key, json_t **out, struct gl_error *err)
{
    json_t *member = json_object_get(object, key);

    if (!json_is_array(member))
        return fail_member(key, "an array", member, err);
    *out = member;
    return 0;
}

void gl_auto_json(json_t **value)
{
    json_decref(*value);
    *value = NULL;
}

json_t *gl_json_text(const char *text, size_t length)
{
    for (size_t cut = 0; cut < 4 && cut <= length; cut++) {
        json_t *json = json_stringn(text, length - cut);

        if (json != NULL)
            return json;
    }
    return json_string("(not UTF-8)");
}
