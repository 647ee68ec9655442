/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/cloudformation_part.h"

#include <ctype.h>
#include <string.h>

/* Resources, and the loops that make them: "Fn::ForEach::Name": [variable, list, resources]
 * (AWS CloudFormation User Guide, "Fn::ForEach"). */

#define LOOPS_MAX_DEPTH 5 /* as the service allows */

/* A loop or macro in place of a resource: how many there will be of what cannot be seen. */
static void add_hidden(struct gl_cfn *cfn, const struct gl_jnode *node)
{
    struct gl_intent *intent = gl_reader_add_blank(cfn->plan);
    const char *key = gl_jnode_key(&cfn->tree, node);

    intent->address = gl_arena_text(&cfn->plan->arena, key, strlen(key));
    intent->file = cfn->document;
    intent->cloud = "aws";
    intent->type = "AWS::LanguageExtensions";
    intent->role = GL_ROLE_OPAQUE;
    intent->change = GL_CHANGE_CREATE;
    intent->is_mapped = true;
    gl_reader_add_text(&cfn->plan->arena, &intent->notes,
                       "made by a function when it is deployed: not seen from here");
    cfn->plan->is_partial = true;
    cfn->is_over |= ++cfn->plan->resources > GL_CFN_MAX_RESOURCES;
}

/* ---- names ---- */

static const struct gl_cfn_loop *loop_named(const struct gl_cfn_loop *loop, const char *name,
                                            size_t length)
{
    while (loop != NULL && (strlen(loop->name) != length || strncmp(loop->name, name, length) != 0))
        loop = loop->outer;
    return loop;
}

const struct gl_cfn_loop *gl_cfn_loop_of(const struct gl_cfn *cfn, const char *name)
{
    return loop_named(cfn->loop, name, strlen(name));
}

bool gl_cfn_is_open(const struct gl_cfn_loop *loop)
{
    while (loop != NULL && loop->value != NULL)
        loop = loop->outer;
    return loop != NULL;
}

/* "&{name}" leaves out what a logical id may not hold. */
static void add_value(struct gl_str *out, const char *value, bool is_plain)
{
    for (; *value != '\0'; value++)
        if (!is_plain || isalnum((unsigned char)*value))
            gl_str_add_char(out, *value);
}

/* Of "Zone}..."; 0 = it is no name. */
static size_t name_length(const char *text)
{
    size_t length = 0;

    while (isalnum((unsigned char)text[length]))
        length++;
    return text[length] == '}' ? length : 0;
}

/* How far to the next "${" or "&{" of a text. */
static size_t before_name(const char *text)
{
    size_t length = strcspn(text, "$&");

    while (text[length] != '\0' && text[length + 1] != '{')
        length += 1 + strcspn(text + length + 1, "$&");
    return length;
}

static bool is_alone(const char *text)
{
    return text[before_name(text)] == '\0';
}

/* "Web${Zone}" with what the loops say; what is not known stays as it is written. */
static const char *with_loops(struct gl_cfn *cfn, const char *text, const struct gl_cfn_loop *loop,
                              bool *out_is_open)
{
    GL_AUTO(gl_str_done) struct gl_str made = {0};
    const char *start = text;

    *out_is_open = false;
    if (loop == NULL || is_alone(text))
        return text;
    while (*text != '\0' && made.length < GL_CFN_MAX_TEXT) {
        size_t plain = before_name(text), length;
        const struct gl_cfn_loop *of;

        gl_str_add_bytes(&made, text, plain);
        text += plain;
        length = *text != '\0' ? name_length(text + 2) : 0;
        of = length > 0 ? loop_named(loop, text + 2, length) : NULL;
        *out_is_open |= of != NULL && of->value == NULL;
        if (of != NULL && of->value != NULL) {
            gl_cfn_add_origin(cfn, &of->origin);
            add_value(&made, of->value, *text == '&');
            text += length + 3;
        } else if (*text != '\0') {
            gl_str_add_char(&made, *text++);
        }
    }
    cfn->text_bytes += (size_t)(text - start) + made.length; /* a search is work */
    cfn->is_over |= cfn->text_bytes > GL_CFN_MAX_TEXTS;
    return gl_arena_text(&cfn->work, gl_str_text(&made), made.length);
}

const char *gl_cfn_in_loops(struct gl_cfn *cfn, const char *text)
{
    bool is_open;

    text = with_loops(cfn, text, cfn->loop, &is_open);
    return is_open ? NULL : text;
}

const char *gl_cfn_name_in_loops(struct gl_cfn *cfn, const char *name)
{
    bool is_open;

    return name != NULL ? with_loops(cfn, name, cfn->loop, &is_open) : NULL;
}

/* ---- loops ---- */

/* Item number `index` of the list; NULL = not known, or the list is not, which is one such item.
 * `*at` is its node, and is moved to the next. */
static const char *item_of(struct gl_cfn *cfn, const struct gl_cfn_value *list, size_t index,
                           const struct gl_jnode **at)
{
    const struct gl_jnode *node = *at;

    if (list->kind == GL_CFN_LIST)
        return list->list[index];
    if (node == NULL)
        return NULL;
    *at = gl_jnode_next(&cfn->tree, list->node, node);
    return gl_cfn_text(cfn, gl_cfn_reduce(cfn, node, 0));
}

static size_t count_of(const struct gl_cfn_value *list)
{
    if (list->kind == GL_CFN_LIST)
        return list->count;
    return list->kind == GL_CFN_NODE && gl_jnode_is(list->node, GL_JARRAY) ? list->node->count : 1;
}

static int add_loop(struct gl_cfn *cfn, const struct gl_jnode *node,
                    const struct gl_cfn_loop *outer, unsigned depth, struct gl_error *err)
{
    const struct gl_jtree *tree = &cfn->tree;
    const char *name = gl_jnode_text(tree, gl_jnode_at(tree, node, 0));
    const struct gl_jnode *body = gl_jnode_at(tree, node, 2);
    const struct gl_jnode *at;
    struct gl_cfn_origin origin;
    struct gl_cfn_value list;
    size_t count;

    if (name == NULL || !gl_jnode_is(body, GL_JOBJECT) || depth == LOOPS_MAX_DEPTH) {
        add_hidden(cfn, node);
        return 0;
    }
    cfn->loop = outer;
    cfn->origin = (struct gl_cfn_origin){0};
    list = gl_cfn_reduce(cfn, gl_jnode_at(tree, node, 1), 0);
    count = count_of(&list);
    origin = cfn->origin;
    at = list.kind == GL_CFN_NODE && gl_jnode_is(list.node, GL_JARRAY)
             ? gl_jnode_first(tree, list.node)
             : NULL;
    for (size_t i = 0; i < count && !cfn->is_over; i++) {
        struct gl_cfn_loop *loop = gl_arena_take(&cfn->work, sizeof *loop);

        cfn->loop = outer;
        cfn->origin = origin;
        loop->name = name;
        loop->value = item_of(cfn, &list, i, &at);
        loop->origin = cfn->origin;
        loop->outer = outer;
        cfn->is_over |= cfn->steps++ >= GL_CFN_MAX_STEPS;
        if (gl_cfn_add_all(cfn, body, loop, depth + 1, err) != 0)
            return -1;
    }
    return 0;
}

static int add_resource(struct gl_cfn *cfn, const struct gl_jnode *node,
                        const struct gl_cfn_loop *loop, struct gl_error *err)
{
    cfn->loop = loop;
    return gl_cfn_add_resource(cfn, node, gl_cfn_name_in_loops(cfn, gl_jnode_key(&cfn->tree, node)),
                               err);
}

int gl_cfn_add_all(struct gl_cfn *cfn, const struct gl_jnode *all, const struct gl_cfn_loop *loop,
                   unsigned depth, struct gl_error *err)
{
    const struct gl_jtree *tree = &cfn->tree;

    for (const struct gl_jnode *node = gl_jnode_first(tree, all); node != NULL && !cfn->is_over;
         node = gl_jnode_next(tree, all, node)) {
        const char *key = gl_jnode_key(tree, node);
        int status = 0;

        if (strncmp(key, "Fn::ForEach::", 13) == 0)
            status = add_loop(cfn, node, loop, depth, err);
        else if (strncmp(key, "Fn::", 4) == 0)
            add_hidden(cfn, node);
        else
            status = add_resource(cfn, node, loop, err);
        if (status != 0)
            return -1;
    }
    return 0;
}
