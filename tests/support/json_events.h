/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_JSON_EVENTS_H
#define GL_TESTS_JSON_EVENTS_H

/* A JSON document as one line of text, by each of the two ways to read it: stepping through it, and
 * as a tree. Equal documents are equal lines, so the ways can be compared. Texts are written with
 * their lengths: s2:ab, number #2:-1, o{k1:a ...}. */

#include "base/jsonpull.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static inline void event_text(struct gl_str *out, char kind, const char *text, size_t length)
{
    gl_str_addf(out, "%c%zu:", kind, length);
    gl_str_add_bytes(out, text, length);
    gl_str_add_char(out, ' ');
}

static inline void event_node(const struct gl_jtree *tree, const struct gl_jnode *node,
                              bool is_member, struct gl_str *out)
{
    static const char *const words[] = {[GL_JNULL] = "n ",
                                        [GL_JFALSE] = "f ",
                                        [GL_JTRUE] = "t ",
                                        [GL_JARRAY] = "a[ ",
                                        [GL_JOBJECT] = "o{ "};

    if (is_member)
        event_text(out, 'k', gl_jnode_key(tree, node), node->key_length);
    if (node->kind == GL_JSTRING || node->kind == GL_JNUMBER) {
        event_text(out, node->kind == GL_JSTRING ? 's' : '#', tree->text + node->text,
                   node->length);
        return;
    }
    gl_str_add(out, words[node->kind]);
    for (const struct gl_jnode *child = gl_jnode_first(tree, node); child != NULL;
         child = gl_jnode_next(tree, node, child))
        event_node(tree, child, node->kind == GL_JOBJECT, out);
    if (node->kind >= GL_JARRAY)
        gl_str_add(out, node->kind == GL_JARRAY ? "] " : "} ");
}

static inline int event_value(struct gl_jsonpull *pull, struct gl_str *out, struct gl_error *err);

static inline int event_container(struct gl_jsonpull *pull, bool is_object, struct gl_str *out,
                                  struct gl_error *err)
{
    bool has = true;

    gl_str_add(out, is_object ? "o{ " : "a[ ");
    if (gl_jsonpull_enter(pull, is_object ? GL_JOBJECT : GL_JARRAY, err) != 0)
        return -1;
    while (has) {
        struct gl_view key = {0};

        if ((is_object ? gl_jsonpull_member(pull, &key, &has, err)
                       : gl_jsonpull_item(pull, &has, err)) != 0)
            return -1;
        if (has && is_object)
            event_text(out, 'k', key.text, key.length);
        if (has && event_value(pull, out, err) != 0)
            return -1;
    }
    gl_str_add(out, is_object ? "} " : "] ");
    return 0;
}

/* The depth of the reader bounds the recursion. */
static inline int event_value(struct gl_jsonpull *pull, struct gl_str *out, struct gl_error *err)
{
    struct gl_jtree tree = {0};
    struct gl_view text;
    enum gl_jkind kind;
    bool is_true;
    int rc;

    if (gl_jsonpull_peek(pull, &kind, err) != 0)
        return -1;
    if (kind == GL_JOBJECT || kind == GL_JARRAY)
        return event_container(pull, kind == GL_JOBJECT, out, err);
    if (kind == GL_JSTRING) {
        rc = gl_jsonpull_string(pull, &text, err);
        if (rc == 0)
            event_text(out, 's', text.text, text.length);
        return rc;
    }
    if (kind == GL_JTRUE || kind == GL_JFALSE) {
        rc = gl_jsonpull_bool(pull, &is_true, err);
        gl_str_add(out, rc != 0 ? "" : is_true ? "t " : "f ");
        return rc;
    }
    rc = gl_jsonpull_take(pull, &tree, err);
    if (rc == 0)
        event_node(&tree, gl_jtree_root(&tree), false, out);
    gl_jtree_done(&tree);
    return rc;
}

enum way { WAY_STEPS, WAY_TREE, WAY_SKIP, WAYS };

/* The whole of a feed, which must be one document; the line is empty for WAY_SKIP. */
static inline int event_feed(struct gl_feed *feed, enum way way, struct gl_str *out,
                             struct gl_error *err)
{
    struct gl_jsonpull *pull = gl_jsonpull_new(feed);
    struct gl_jtree tree = {0};
    bool has_more = false;
    int rc;

    if (way == WAY_STEPS)
        rc = event_value(pull, out, err);
    else if (way == WAY_SKIP)
        rc = gl_jsonpull_skip(pull, err);
    else {
        rc = gl_jsonpull_take(pull, &tree, err);
        if (rc == 0)
            event_node(&tree, gl_jtree_root(&tree), false, out);
    }
    gl_jtree_done(&tree);
    if (rc == 0)
        rc = gl_jsonpull_more(pull, &has_more, err);
    if (rc == 0 && has_more)
        rc = gl_fail(err, GL_E_SYNTAX, "something follows");
    gl_jsonpull_free(pull);
    return rc;
}

static inline int event_bytes(const char *bytes, size_t length, enum way way, struct gl_str *out,
                              struct gl_error *err)
{
    struct gl_feed *feed = gl_feed_of_bytes(bytes, length, "doc");
    int rc = event_feed(feed, way, out, err);

    gl_feed_close(feed);
    return rc;
}

/* A descriptor that gives these bytes, `first` of them at the first reading and then `step` at a
 * time; -1 when it cannot hold that many pieces. */
static inline int packets(const char *bytes, size_t length, size_t first, size_t step)
{
    int ends[2];
    size_t at = 0;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    while (at < length) {
        size_t size = at == 0 && first > 0 ? first : step;

        size = size < length - at ? size : length - at;
        if (send(ends[1], bytes + at, size, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)size)
            break;
        at += size;
    }
    close(ends[1]);
    if (at == length)
        return ends[0];
    close(ends[0]);
    return -1;
}

#endif
