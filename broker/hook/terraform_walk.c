/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/terraform_part.h"

#include <string.h>

struct walk {
    struct gl_tf *tf;
    const struct gl_tf_member *members; /* or */
    gl_tf_reading *read;
    struct gl_tf_named *named;
    void *cookie;
};

static int each_member(void *cookie, struct gl_view key, struct gl_jsonpull *pull,
                       struct gl_error *err)
{
    const struct walk *walk = cookie;

    for (const struct gl_tf_member *member = walk->members; member->key != NULL; member++)
        if (gl_reader_is_key(key, member->key))
            return member->read(walk->tf, pull, walk->cookie, err);
    return gl_jsonpull_skip(pull, err);
}

int gl_tf_members(struct gl_tf *tf, struct gl_jsonpull *pull, const struct gl_tf_member *members,
                  void *cookie, struct gl_error *err)
{
    struct walk walk = {.tf = tf, .members = members, .cookie = cookie};

    return gl_reader_each_member(pull, each_member, &walk, err);
}

static int each_item(void *cookie, struct gl_view key, struct gl_jsonpull *pull,
                     struct gl_error *err)
{
    const struct walk *walk = cookie;

    (void)key;
    return walk->read(walk->tf, pull, walk->cookie, err);
}

int gl_tf_items(struct gl_tf *tf, struct gl_jsonpull *pull, gl_tf_reading *read, void *cookie,
                struct gl_error *err)
{
    struct walk walk = {.tf = tf, .read = read, .cookie = cookie};

    return gl_reader_each_item(pull, each_item, &walk, err);
}

static int each_named(void *cookie, struct gl_view key, struct gl_jsonpull *pull,
                      struct gl_error *err)
{
    const struct walk *walk = cookie;
    GL_AUTO(gl_auto_free) char *copy = gl_alloc(key.length + 1);

    memcpy(copy, key.text, key.length);
    walk->named->key = copy;
    return walk->read(walk->tf, pull, walk->named, err);
}

int gl_tf_named_members(struct gl_tf *tf, struct gl_jsonpull *pull, gl_tf_reading *read,
                        struct gl_tf_named *named, struct gl_error *err)
{
    struct walk walk = {.tf = tf, .read = read, .named = named};

    return gl_reader_each_member(pull, each_named, &walk, err);
}

int gl_tf_text(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie, struct gl_error *err)
{
    return gl_reader_text(&tf->work, pull, cookie, err);
}
