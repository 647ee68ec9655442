/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/signal/file_part.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Members that are said of a whole file or series and are no row fields. */
static const char *const file_members[] = {"series", "note"};

/* Text of a scalar, "" for null; a list of words is joined with "+". -1 for anything else. */
static int text_of(const json_t *value, char *out, size_t size)
{
    size_t used = 0, i;
    const json_t *item;
    int length;

    out[0] = '\0';
    if (json_is_null(value))
        return 0;
    if (json_is_string(value))
        length = snprintf(out, size, "%s", json_string_value(value));
    else if (json_is_integer(value))
        length = snprintf(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value) && fabs(json_real_value(value)) < 1e9)
        length = snprintf(out, size, "%.6f", json_real_value(value));
    else if (!json_is_array(value))
        return -1;
    else {
        for (i = 0; i < json_array_size(value) && used < size; i++) {
            item = json_array_get(value, i);
            if (!json_is_string(item))
                return -1;
            used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? "+" : "",
                                     json_string_value(item));
        }
        return used < size ? 0 : -1;
    }
    return length >= 0 && (size_t)length < size ? 0 : -1;
}

static int set_members(json_t *object, struct gl_file_row *row, struct gl_error *err)
{
    const char *key;
    json_t *value;
    char text[160];
    char shown[GL_TEXT_SHOWN];

    json_object_foreach(object, key, value)
    {
        if (strcmp(key, "points") == 0 || strcmp(key, "note") == 0)
            continue;
        if (text_of(value, text, sizeof text))
            return gl_fail(err, GL_E_BAD_VALUE, "%s is neither a word nor a plain number",
                           gl_text_show(key, shown));
        if (gl_file_row_set(row, key, text, err))
            return -1;
    }
    return 0;
}

static int read_points(const json_t *points, const struct gl_file_row *common,
                       struct gl_file_set *set, struct gl_error *err)
{
    size_t i;
    json_t *point;

    json_array_foreach(points, i, point)
    {
        struct gl_file_row row = *common;

        if (!json_is_object(point))
            return gl_fail(err, GL_E_SYNTAX, "points[%zu] is no object", i);
        if (json_object_get(point, "points") != NULL)
            return gl_fail(err, GL_E_SYNTAX, "points[%zu] holds points again", i);
        if (set_members(point, &row, err) || gl_file_row_finish(&row, err) ||
            gl_file_set_add(set, &row, err))
            return gl_wrap(err, "points[%zu]", i);
    }
    return 0;
}

static int read_series(json_t *series, struct gl_file_set *set, struct gl_error *err)
{
    static const char *const needed[] = {"quantity", "unit"};
    struct gl_file_row row;
    json_t *points;

    if (!json_is_object(series))
        return gl_fail(err, GL_E_SYNTAX, "is no object");
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (json_object_get(series, needed[i]) == NULL)
            return gl_fail(err, GL_E_SYNTAX, "\"%s\" is missing", needed[i]);
    gl_file_row_init(&row, set->label->zone);
    if (set_members(series, &row, err) || gl_json_array(series, "points", &points, err))
        return -1;
    return read_points(points, &row, set, err);
}

static int check_members(json_t *root, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];
    const char *key;
    json_t *value;

    json_object_foreach(root, key, value)
    {
        bool is_known = false;

        for (size_t i = 0; i < sizeof file_members / sizeof file_members[0]; i++)
            is_known = is_known || strcmp(file_members[i], key) == 0;
        if (!is_known)
            return gl_fail(err, GL_E_UNKNOWN_KEY, "\"%s\" is no member of a series file",
                           gl_text_show(key, shown));
    }
    return 0;
}

int gl_file_read_json(const char *bytes, size_t length, const char *name, struct gl_file_set *set,
                      struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *root = gl_json_parse(bytes, length, name, err);
    json_t *list, *series;
    size_t i;

    if (root == NULL)
        return -1;
    if (!json_is_object(root))
        return gl_fail(err, GL_E_SYNTAX, "%s: {\"series\": [...]} is expected", name);
    if (check_members(root, err) || gl_json_array(root, "series", &list, err)) {
        if (err->code == GL_E_BAD_REPLY)
            err->code = GL_E_SYNTAX;
        return gl_wrap(err, "%s", name);
    }
    json_array_foreach(list, i, series) if (read_series(series, set, err))
    {
        if (err->code == GL_E_BAD_REPLY)
            err->code = GL_E_SYNTAX;
        return gl_wrap(err, "%s: series[%zu]", name, i);
    }
    return 0;
}
