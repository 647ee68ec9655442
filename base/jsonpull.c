/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jsonpull_grammar.h"

#include <stdlib.h>

#define LOOK_AHEAD ((size_t)256) /* bytes that tell the beginning of a document from noise */

struct gl_jsonpull *gl_jsonpull_new(struct gl_feed *feed)
{
    struct gl_jsonpull *pull = gl_alloc(sizeof *pull);

    pull->feed = feed;
    pull->at = pull->end = pull->counted = pull->window;
    return pull;
}

void gl_jsonpull_free(struct gl_jsonpull *pull)
{
    if (pull == NULL)
        return;
    free(pull->text.text);
    free(pull);
}

/* ---- every call begins and ends alike ---- */

/* NULL when an earlier call failed; that error again. */
static const char *begin(struct gl_jsonpull *pull, struct gl_error *err)
{
    pull->err = err;
    if (pull->failure.code == GL_OK)
        return pull->at;
    if (err->code == GL_OK)
        *err = pull->failure;
    return NULL;
}

static int end(struct gl_jsonpull *pull, const char *at, enum gl_jscan_state state)
{
    if (at == NULL && pull->failure.code == GL_OK)
        pull->failure = *pull->err;
    pull->err = NULL;
    if (at == NULL)
        return -1;
    pull->at = at;
    pull->state = state;
    return 0;
}

static enum gl_jscan_state after_value(const struct gl_jsonpull *pull)
{
    return pull->depth > 0 ? GL_JSCAN_NEXT : GL_JSCAN_DONE;
}

static const char *misused(struct gl_jsonpull *pull)
{
    gl_fail(pull->err, GL_E_INTERNAL, "the JSON reader was called out of order");
    return NULL;
}

/* Where the value begins that comes next. */
static const char *begin_value(struct gl_jsonpull *pull, struct gl_error *err)
{
    const char *at = begin(pull, err);

    if (at == NULL)
        return NULL;
    return pull->state == GL_JSCAN_VALUE ? gl_jscan_space(pull, at) : misused(pull);
}

/* ---- values ---- */

int gl_jsonpull_peek(struct gl_jsonpull *pull, enum gl_jkind *out, struct gl_error *err)
{
    static const char firsts[] = "nft\"[{-0123456789";
    static const enum gl_jkind kinds[] = {GL_JNULL,   GL_JFALSE, GL_JTRUE,
                                          GL_JSTRING, GL_JARRAY, GL_JOBJECT};
    const char *at = begin_value(pull, err);
    const char *first = at != NULL && *at != '\0' ? strchr(firsts, *at) : NULL;

    if (at != NULL && first == NULL)
        at = gl_jscan_expected(pull, at, "a value");
    if (end(pull, at, GL_JSCAN_VALUE) != 0)
        return -1;
    *out = first - firsts < (ptrdiff_t)(sizeof kinds / sizeof kinds[0]) ? kinds[first - firsts]
                                                                        : GL_JNUMBER;
    return 0;
}

int gl_jsonpull_enter(struct gl_jsonpull *pull, enum gl_jkind kind, struct gl_error *err)
{
    bool is_object = kind == GL_JOBJECT;
    const char *at = begin_value(pull, err);

    if (at != NULL && *at != (is_object ? '{' : '['))
        at = gl_jscan_expected(pull, at, is_object ? "an object" : "an array");
    else if (at != NULL)
        at = gl_jscan_open(pull, at);
    return end(pull, at, GL_JSCAN_FIRST);
}

/* To the next item or member of the container that was entered; *out_has: there is one. */
static const char *step(struct gl_jsonpull *pull, bool is_object, bool *out_has,
                        struct gl_error *err)
{
    const char *at = begin(pull, err);

    if (at == NULL)
        return NULL;
    if (pull->depth == 0 || pull->is_object[pull->depth] != is_object ||
        (pull->state != GL_JSCAN_FIRST && pull->state != GL_JSCAN_NEXT))
        return misused(pull);
    return pull->state == GL_JSCAN_NEXT ? gl_jscan_next(pull, at, out_has)
                                        : gl_jscan_first(pull, at, out_has);
}

int gl_jsonpull_item(struct gl_jsonpull *pull, bool *out_has, struct gl_error *err)
{
    bool has = false;
    const char *at = step(pull, false, &has, err);

    if (end(pull, at, has ? GL_JSCAN_VALUE : after_value(pull)) != 0)
        return -1;
    *out_has = has;
    return 0;
}

/* Without it a name with U+0000 could pass for another. */
static const char *own_key(struct gl_jsonpull *pull, const char *at)
{
    pull->text.length = 0;
    pull->text.has_nul = false;
    at = gl_jscan_key(pull, at, &pull->text);
    if (at != NULL && pull->text.has_nul)
        return gl_jscan_fail(pull, at, GL_E_SYNTAX, GL_JSCAN_NUL_NAME);
    return at;
}

int gl_jsonpull_member(struct gl_jsonpull *pull, struct gl_view *out_key, bool *out_has,
                       struct gl_error *err)
{
    bool has = false;
    const char *at = step(pull, true, &has, err);

    if (at != NULL && has)
        at = own_key(pull, at);
    if (end(pull, at, has ? GL_JSCAN_VALUE : after_value(pull)) != 0)
        return -1;
    *out_has = has;
    if (has)
        *out_key = (struct gl_view){pull->text.text, pull->text.length};
    return 0;
}

int gl_jsonpull_skip(struct gl_jsonpull *pull, struct gl_error *err)
{
    const char *at = begin_value(pull, err);

    at = at != NULL ? gl_jscan_skip(pull, at) : NULL;
    return end(pull, at, after_value(pull));
}

int gl_jsonpull_string(struct gl_jsonpull *pull, struct gl_view *out, struct gl_error *err)
{
    const char *at = begin_value(pull, err);

    pull->text.length = 0;
    if (at != NULL && *at != '"')
        at = gl_jscan_expected(pull, at, "a string");
    else if (at != NULL)
        at = gl_jscan_string(pull, at, &pull->text);
    if (end(pull, at, after_value(pull)) != 0)
        return -1;
    *out = (struct gl_view){pull->text.text, pull->text.length};
    return 0;
}

int gl_jsonpull_bool(struct gl_jsonpull *pull, bool *out, struct gl_error *err)
{
    const char *at = begin_value(pull, err);
    bool is_true = at != NULL && *at == 't';

    if (at != NULL && *at != 't' && *at != 'f')
        at = gl_jscan_expected(pull, at, "true or false");
    else if (at != NULL)
        at = gl_jscan_word(pull, at, is_true ? GL_JTRUE : GL_JFALSE);
    if (end(pull, at, after_value(pull)) != 0)
        return -1;
    *out = is_true;
    return 0;
}

int gl_jsonpull_take_some(struct gl_jsonpull *pull, const struct gl_jsonpull_choice *choice,
                          struct gl_jtree *tree, struct gl_error *err)
{
    const char *at = begin_value(pull, err);

    tree->count = 0;
    at = at != NULL ? gl_jscan_take(pull, at, choice, tree) : NULL;
    return end(pull, at, after_value(pull));
}

int gl_jsonpull_take(struct gl_jsonpull *pull, struct gl_jtree *tree, struct gl_error *err)
{
    return gl_jsonpull_take_some(pull, NULL, tree, err);
}

/* ---- between documents ---- */

static bool is_between(const struct gl_jsonpull *pull)
{
    return pull->depth == 0 && (pull->state == GL_JSCAN_VALUE || pull->state == GL_JSCAN_DONE);
}

static bool is_at_end(const struct gl_jsonpull *pull, const char *at)
{
    return at == pull->end && pull->is_over;
}

int gl_jsonpull_more(struct gl_jsonpull *pull, bool *out_more, struct gl_error *err)
{
    const char *at = begin(pull, err);
    bool has = false, is_touching = false;

    if (at != NULL)
        at = is_between(pull) ? gl_jscan_need(pull, at, 1) : misused(pull);
    if (at != NULL) {
        is_touching = pull->state == GL_JSCAN_DONE && strchr(" \t\r\n{[", *at) == NULL;
        at = gl_jscan_space(pull, at);
    }
    if (at != NULL)
        has = !is_at_end(pull, at);
    /* "12" is not 1 and 2. */
    if (has && is_touching)
        at = gl_jscan_expected(pull, at, "white space or the end");
    if (end(pull, at, has ? GL_JSCAN_VALUE : pull->state) != 0)
        return -1;
    *out_more = has;
    return 0;
}

/* Could a document begin in this line? "[command]terraform show", a date in brackets, "{}{}" of a
 * progress bar: noise. A document of many lines may have nothing but white space after its bracket
 * for as far as is looked. */
static bool is_document(const struct gl_jsonpull *pull, const char *at)
{
    const char *inside = gl_jscan_space_end(at + 1);

    if (*at != '{' && *at != '[')
        return false;
    if (inside == pull->end)
        return true;
    return strchr(*at == '{' ? "\"}" : "\"{[]", *inside) != NULL && *inside != '\0';
}

/* Behind the line that `at` is in, or at the end of the input; what it held is added up. */
static const char *drop_line(struct gl_jsonpull *pull, const char *at, size_t *io_dropped)
{
    const char *line_end = NULL;

    while (at != NULL && line_end == NULL && !is_at_end(pull, at)) {
        const char *to;

        line_end = memchr(at, '\n', (size_t)(pull->end - at));
        to = line_end != NULL ? line_end + 1 : pull->end;
        *io_dropped += (size_t)(to - at);
        at = to == pull->end ? gl_jscan_refill(pull, to) : to;
    }
    return at;
}

static const char *found_none(struct gl_jsonpull *pull, size_t max_bytes)
{
    gl_fail(pull->err, GL_E_SYNTAX,
            "%s is not JSON: no JSON document begins in its first %zu bytes",
            gl_feed_name(pull->feed), max_bytes);
    return NULL;
}

int gl_jsonpull_find(struct gl_jsonpull *pull, size_t max_bytes, size_t *out_dropped,
                     struct gl_error *err)
{
    const char *at = begin(pull, err);
    size_t dropped = 0;
    bool has = false;

    if (at != NULL)
        at = is_between(pull) ? gl_jscan_space(pull, at) : misused(pull);
    at = at != NULL ? gl_jscan_need(pull, at, LOOK_AHEAD) : NULL;
    while (at != NULL && !is_at_end(pull, at)) {
        has = is_document(pull, at);
        if (has)
            break;
        at = drop_line(pull, at, &dropped);
        if (at != NULL && dropped > max_bytes)
            at = found_none(pull, max_bytes);
        at = at != NULL ? gl_jscan_need(pull, at, LOOK_AHEAD) : NULL;
    }
    if (end(pull, at, has ? GL_JSCAN_VALUE : pull->state) != 0)
        return -1;
    *out_dropped = dropped;
    return 0;
}

/* ---- talk between documents ---- */

/* Behind white space; *io_is_line: a line began in it. */
static const char *pass_space(struct gl_jsonpull *pull, const char *at, bool *io_is_line)
{
    at = gl_jscan_need(pull, at, 1);
    while (at != NULL && !is_at_end(pull, at) && strchr(" \t\r\n", *at) != NULL && *at != '\0') {
        *io_is_line = *io_is_line || *at == '\n';
        at = gl_jscan_need(pull, at + 1, 1);
    }
    return at;
}

/* As drop_line(), of a line that may not hold `never`. */
static const char *drop_plain_line(struct gl_jsonpull *pull, const char *at, const char *never,
                                   size_t *io_dropped)
{
    size_t length = strlen(never);

    for (;;) {
        const char *line_end, *to;

        at = gl_jscan_need(pull, at, length);
        if (at == NULL || is_at_end(pull, at))
            return at;
        line_end = memchr(at, '\n', (size_t)(pull->end - at));
        to = line_end != NULL ? line_end + 1 : pull->end;
        if (memmem(at, (size_t)(to - at), never, length) != NULL)
            return gl_jscan_fail(pull, at, GL_E_SYNTAX, "a document within a line of other text");
        if (line_end == NULL && !pull->is_over)
            to -= length - 1; /* it may begin there */
        *io_dropped += (size_t)(to - at);
        at = to;
        if (line_end != NULL)
            return at;
        at = gl_jscan_refill(pull, at);
    }
}

static bool is_marked(const struct gl_jsonpull *pull, const char *at, const char *mark)
{
    size_t length = strlen(mark);

    return (size_t)(pull->end - at) >= length && memcmp(at, mark, length) == 0;
}

/* Does a document begin with it, or what is left of one that was closed too early? */
static bool is_rest(char first)
{
    return first != '\0' && strchr("{}],\"", first) != NULL;
}

/* Behind the lines of talk from `at` on, which is no white space. */
static const char *drop_talk(struct gl_jsonpull *pull, const char *at,
                             const struct gl_jsonpull_talk *talk)
{
    size_t dropped = 0, marked = 0;
    bool is_line = true;

    while (at != NULL) {
        at = gl_jscan_need(pull, at, LOOK_AHEAD);
        if (at == NULL || is_at_end(pull, at) || is_rest(*at) || is_document(pull, at))
            break;
        if (is_marked(pull, at, talk->mark))
            at = drop_line(pull, at, &marked);
        else
            at = drop_plain_line(pull, at, talk->never, &dropped);
        if (at != NULL && dropped > talk->max_bytes)
            return gl_jscan_fail(pull, at, GL_E_SYNTAX, "too much text that is none around it");
        at = at != NULL ? pass_space(pull, at, &is_line) : NULL;
    }
    return at;
}

int gl_jsonpull_drop_talk(struct gl_jsonpull *pull, const struct gl_jsonpull_talk *talk,
                          struct gl_error *err)
{
    const char *at = begin(pull, err);
    bool is_apart = false, is_line = pull->state == GL_JSCAN_VALUE;

    if (at != NULL)
        at = is_between(pull) ? gl_jscan_need(pull, at, 1) : misused(pull);
    if (at != NULL)
        is_apart = is_at_end(pull, at) || strchr(" \t\r\n{[", *at) != NULL;
    at = at != NULL ? pass_space(pull, at, &is_line) : NULL;
    if (at != NULL && is_line)
        at = drop_talk(pull, at, talk);
    return end(pull, at, is_apart ? GL_JSCAN_VALUE : pull->state);
}

/* ---- a document in memory ---- */

static int take_only(struct gl_jsonpull *pull, struct gl_jtree *tree, struct gl_error *err)
{
    bool has_more = false;

    if (gl_jsonpull_take(pull, tree, err) != 0 || gl_jsonpull_more(pull, &has_more, err) != 0)
        return -1;
    pull->err = err;
    return has_more && gl_jscan_expected(pull, pull->at, "the end") == NULL ? -1 : 0;
}

int gl_jtree_parse(struct gl_jtree *tree, const char *bytes, size_t length, const char *name,
                   struct gl_error *err)
{
    struct gl_feed *feed = gl_feed_of_bytes(bytes, length, name);
    struct gl_jsonpull *pull = gl_jsonpull_new(feed);
    int rc = take_only(pull, tree, err);

    if (rc != 0)
        tree->count = 0;
    gl_jsonpull_free(pull);
    gl_feed_close(feed);
    return rc;
}
