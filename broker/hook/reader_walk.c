/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/reader_part.h"

#include <string.h>

bool gl_reader_is_key(struct gl_view key, const char *name)
{
    return strlen(name) == key.length && memcmp(name, key.text, key.length) == 0;
}

int gl_reader_enter(struct gl_jsonpull *pull, enum gl_jkind kind, bool *out_is_in,
                    struct gl_error *err)
{
    enum gl_jkind found;

    if (gl_jsonpull_peek(pull, &found, err) != 0)
        return -1;
    *out_is_in = found == kind;
    return *out_is_in ? gl_jsonpull_enter(pull, kind, err) : gl_jsonpull_skip(pull, err);
}

int gl_reader_each_member(struct gl_jsonpull *pull, gl_reader_each *each, void *cookie,
                          struct gl_error *err)
{
    struct gl_view key;
    bool has;

    if (gl_reader_enter(pull, GL_JOBJECT, &has, err) != 0)
        return -1;
    while (has)
        if (gl_jsonpull_member(pull, &key, &has, err) != 0 ||
            (has && each(cookie, key, pull, err) != 0))
            return -1;
    return 0;
}

int gl_reader_each_item(struct gl_jsonpull *pull, gl_reader_each *each, void *cookie,
                        struct gl_error *err)
{
    bool has;

    if (gl_reader_enter(pull, GL_JARRAY, &has, err) != 0)
        return -1;
    while (has)
        if (gl_jsonpull_item(pull, &has, err) != 0 ||
            (has && each(cookie, (struct gl_view){"", 0}, pull, err) != 0))
            return -1;
    return 0;
}

int gl_reader_text(struct gl_arena *arena, struct gl_jsonpull *pull, const char **out,
                   struct gl_error *err)
{
    enum gl_jkind kind;
    struct gl_view text;

    if (gl_jsonpull_peek(pull, &kind, err) != 0)
        return -1;
    if (kind != GL_JSTRING)
        return gl_jsonpull_skip(pull, err);
    if (gl_jsonpull_string(pull, &text, err) != 0)
        return -1;
    *out = gl_arena_text(arena, text.text, text.length);
    return 0;
}

int gl_reader_flag(struct gl_jsonpull *pull, bool *out, struct gl_error *err)
{
    enum gl_jkind kind;

    if (gl_jsonpull_peek(pull, &kind, err) != 0)
        return -1;
    if (kind != GL_JTRUE && kind != GL_JFALSE)
        return gl_jsonpull_skip(pull, err);
    return gl_jsonpull_bool(pull, out, err);
}

int gl_reader_slurp(struct gl_feed *feed, size_t max_bytes, struct gl_str *out,
                    struct gl_error *err)
{
    const char *bytes;
    size_t length = 1;

    gl_feed_limit(feed, max_bytes);
    while (length > 0) {
        if (gl_feed_next(feed, &bytes, &length, err) != 0)
            return -1;
        gl_str_add_bytes(out, bytes, length);
    }
    return 0;
}
