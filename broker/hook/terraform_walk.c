/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/terraform_part.h"

#include <string.h>

static gl_tf_reading *find(const struct gl_tf_member *members, struct gl_view key)
{
    for (; members->key != NULL; members++)
        if (strlen(members->key) == key.length && memcmp(members->key, key.text, key.length) == 0)
            return members->read;
    return NULL;
}

/* Step in when the next value is of that kind, else over it. */
static int enter(struct gl_jsonpull *pull, enum gl_jkind kind, bool *out_is_in,
                 struct gl_error *err)
{
    enum gl_jkind found;

    if (gl_jsonpull_peek(pull, &found, err) != 0)
        return -1;
    *out_is_in = found == kind;
    return *out_is_in ? gl_jsonpull_enter(pull, kind, err) : gl_jsonpull_skip(pull, err);
}

int gl_tf_members(struct gl_tf *tf, struct gl_jsonpull *pull, const struct gl_tf_member *members,
                  void *cookie, struct gl_error *err)
{
    struct gl_view key;
    bool has;

    if (enter(pull, GL_JOBJECT, &has, err) != 0)
        return -1;
    while (has) {
        gl_tf_reading *read;

        if (gl_jsonpull_member(pull, &key, &has, err) != 0)
            return -1;
        if (!has)
            break;
        read = find(members, key);
        if ((read != NULL ? read(tf, pull, cookie, err) : gl_jsonpull_skip(pull, err)) != 0)
            return -1;
    }
    return 0;
}

int gl_tf_items(struct gl_tf *tf, struct gl_jsonpull *pull, gl_tf_reading *read, void *cookie,
                struct gl_error *err)
{
    bool has;

    if (enter(pull, GL_JARRAY, &has, err) != 0)
        return -1;
    while (has) {
        if (gl_jsonpull_item(pull, &has, err) != 0)
            return -1;
        if (has && read(tf, pull, cookie, err) != 0)
            return -1;
    }
    return 0;
}

int gl_tf_named_members(struct gl_tf *tf, struct gl_jsonpull *pull, gl_tf_reading *read,
                        struct gl_tf_named *named, struct gl_error *err)
{
    struct gl_view key;
    bool has;

    if (enter(pull, GL_JOBJECT, &has, err) != 0)
        return -1;
    while (has) {
        if (gl_jsonpull_member(pull, &key, &has, err) != 0)
            return -1;
        if (!has)
            break;
        named->key = gl_arena_text(&tf->work, key.text, key.length);
        if (read(tf, pull, named, err) != 0)
            return -1;
    }
    return 0;
}

int gl_tf_text(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie, struct gl_error *err)
{
    const char **out = cookie;
    enum gl_jkind kind;
    struct gl_view text;

    if (gl_jsonpull_peek(pull, &kind, err) != 0)
        return -1;
    if (kind != GL_JSTRING)
        return gl_jsonpull_skip(pull, err);
    if (gl_jsonpull_string(pull, &text, err) != 0)
        return -1;
    *out = gl_arena_text(&tf->work, text.text, text.length);
    return 0;
}
