/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/cloudformation_part.h"

#include <string.h>

#define LIST_MAX       1000 /* texts of a list that is split */
#define NAME_MAX_BYTES 600  /* of "${Resource.Attribute}"; names are 255 at most */

static struct gl_cfn_value unknown(void)
{
    return (struct gl_cfn_value){.kind = GL_CFN_UNKNOWN};
}

static struct gl_cfn_value text_value(const char *text)
{
    return (struct gl_cfn_value){.kind = GL_CFN_TEXT, .text = text};
}

/* A text within the ceilings, in the arena. */
struct gl_cfn_value gl_cfn_made_text(struct gl_cfn *cfn, const struct gl_str *text)
{
    cfn->text_bytes += text->length;
    if (cfn->text_bytes > GL_CFN_MAX_TEXTS)
        cfn->is_over = true;
    if (cfn->is_over || text->length > GL_CFN_MAX_TEXT)
        return unknown();
    return text_value(gl_arena_text(&cfn->work, gl_str_text(text), text->length));
}

static struct gl_cfn_value split_text(struct gl_cfn *cfn, const char *text, const char *by)
{
    struct gl_cfn_value value = {.kind = GL_CFN_LIST};
    const char **list = NULL;

    cfn->text_bytes += strlen(text);
    if (*by == '\0' || cfn->text_bytes > GL_CFN_MAX_TEXTS)
        return unknown();
    for (;;) {
        const char *end = strstr(text, by);
        size_t length = end != NULL ? (size_t)(end - text) : strlen(text);

        if (value.count == LIST_MAX)
            return unknown();
        list = gl_arena_grow(&cfn->work, list, value.count, sizeof *list);
        list[value.count++] = gl_arena_text(&cfn->work, text, length);
        if (end == NULL)
            break;
        text = end + strlen(by);
    }
    value.list = list;
    return value;
}

static const struct gl_jnode *section(const struct gl_cfn *cfn, const char *name)
{
    return gl_jnode_get(&cfn->tree, gl_jtree_root(&cfn->tree), name);
}

/* ---- Ref ---- */

void gl_cfn_add_origin(struct gl_cfn *cfn, const struct gl_cfn_origin *origin)
{
    if (origin->parameter != NULL &&
        (cfn->origin.parameter == NULL || origin->surety < cfn->origin.surety))
        cfn->origin = *origin;
}

static const char *asserted(struct gl_cfn *cfn, const char *name)
{
    const char *const *rows = cfn->options->parameters;
    size_t length = strlen(name);

    for (; rows != NULL && *rows != NULL; rows++)
        if (strncmp(*rows, name, length) == 0 && (*rows)[length] == '=')
            return *rows + length + 1;
    return gl_jnode_text(&cfn->given, gl_jnode_get(&cfn->given, gl_jtree_root(&cfn->given), name));
}

static bool has_prefix(const char *text, const char *prefix)
{
    return text != NULL && strncmp(text, prefix, strlen(prefix)) == 0;
}

static struct gl_cfn_value typed(struct gl_cfn *cfn, const char *text, const char *type)
{
    bool is_list =
        has_prefix(type, "List<") || (type != NULL && strcmp(type, "CommaDelimitedList") == 0);

    return is_list ? split_text(cfn, text, ",") : text_value(text);
}

/* "NoEcho": whatever does not say that it is shown (CloudFormation User Guide, "Parameters"). */
static bool is_no_echo(const struct gl_cfn *cfn, const struct gl_jnode *parameter)
{
    const struct gl_jnode *said = gl_jnode_get(&cfn->tree, parameter, "NoEcho");
    const char *text = gl_jnode_text(&cfn->tree, said);

    return said != NULL && !gl_jnode_is(said, GL_JFALSE) &&
           (text == NULL || strcasecmp(text, "false") != 0);
}

/* The default of a parameter that is stored elsewhere is the name of where. */
static struct gl_cfn_value refer_parameter(struct gl_cfn *cfn, const char *name,
                                           const struct gl_jnode *parameter)
{
    const struct gl_jtree *tree = &cfn->tree;
    const char *type = gl_jnode_text(tree, gl_jnode_get(tree, parameter, "Type"));
    const struct gl_jnode *standard = gl_jnode_get(tree, parameter, "Default");
    struct gl_cfn_value value = {.kind = GL_CFN_NODE, .node = standard};
    const char *said = asserted(cfn, name), *text;

    if (is_no_echo(cfn, parameter)) {
        cfn->has_no_echo = true;
        return unknown();
    }
    if (has_prefix(type, "AWS::SSM::Parameter::Value<"))
        return unknown();
    if (said != NULL) {
        gl_cfn_add_origin(cfn, &(struct gl_cfn_origin){name, GL_SURE_ASSERTED});
        return typed(cfn, said, type);
    }
    text = standard != NULL ? gl_cfn_text(cfn, value) : NULL;
    if (text == NULL) {
        cfn->missing = name;
        return unknown();
    }
    gl_cfn_add_origin(cfn, &(struct gl_cfn_origin){name, GL_SURE_ASSUMED});
    return typed(cfn, text, type);
}

static struct gl_cfn_value refer_loop(struct gl_cfn *cfn, const struct gl_cfn_loop *loop)
{
    if (loop->value == NULL)
        return unknown();
    gl_cfn_add_origin(cfn, &loop->origin);
    return text_value(loop->value);
}

struct gl_cfn_value gl_cfn_reference(struct gl_cfn *cfn, const char *name)
{
    const struct gl_cfn_loop *loop = gl_cfn_loop_of(cfn, name);
    const struct gl_jnode *parameter;

    if (loop != NULL)
        return refer_loop(cfn, loop);
    name = gl_cfn_name_in_loops(cfn, name);
    parameter = gl_jnode_get(&cfn->tree, section(cfn, "Parameters"), name);
    if (strcmp(name, "AWS::NoValue") == 0)
        return (struct gl_cfn_value){.kind = GL_CFN_NOTHING};
    if (strcmp(name, "AWS::Region") == 0 && cfn->place.region != NULL)
        return text_value(cfn->place.region);
    if (parameter != NULL)
        return refer_parameter(cfn, name, parameter);
    if (gl_cfn_resource(cfn, name) != NULL)
        return (struct gl_cfn_value){.kind = GL_CFN_RESOURCE, .text = name};
    return unknown();
}

/* ---- Fn::GetAtt ---- */

/* An attribute that is also a property of the resource says what the property does. */
static struct gl_cfn_value get_attribute(struct gl_cfn *cfn, const char *id, const char *attribute,
                                         unsigned depth)
{
    const struct gl_jtree *tree = &cfn->tree;
    const struct gl_cfn_resource *resource = gl_cfn_resource(cfn, id);
    const struct gl_cfn_loop *around = cfn->loop;
    const struct gl_jnode *property;
    struct gl_cfn_value value;

    if (resource == NULL)
        return unknown();
    property = gl_jnode_get(tree, gl_jnode_get(tree, resource->node, "Properties"), attribute);
    cfn->loop = resource->loop;
    value = gl_cfn_reduce(cfn, property, depth + 1);
    cfn->loop = around;
    return gl_cfn_text(cfn, value) != NULL
               ? value
               : (struct gl_cfn_value){.kind = GL_CFN_RESOURCE, .text = id};
}

static struct gl_cfn_value call_get_attribute(struct gl_cfn *cfn, const struct gl_jnode *arguments,
                                              unsigned depth)
{
    const struct gl_jtree *tree = &cfn->tree;
    const char *id =
        gl_cfn_name_in_loops(cfn, gl_jnode_text(tree, gl_jnode_at(tree, arguments, 0)));
    const char *attribute =
        gl_cfn_name_in_loops(cfn, gl_jnode_text(tree, gl_jnode_at(tree, arguments, 1)));
    const char *both = gl_cfn_name_in_loops(cfn, gl_jnode_text(tree, arguments)), *dot;

    if (both != NULL && (dot = strchr(both, '.')) != NULL) {
        id = gl_arena_text(&cfn->work, both, (size_t)(dot - both));
        attribute = dot + 1;
    }
    return id != NULL && attribute != NULL ? get_attribute(cfn, id, attribute, depth) : unknown();
}

/* ---- Fn::Sub ---- */

/* The value of "${name}". */
static const char *substitute(struct gl_cfn *cfn, const char *name, const struct gl_jnode *own,
                              unsigned depth)
{
    const struct gl_jnode *said = gl_jnode_get(&cfn->tree, own, name);
    const char *dot = strchr(name, '.');

    if (said != NULL)
        return gl_cfn_text(cfn, gl_cfn_reduce(cfn, said, depth + 1));
    if (dot != NULL)
        return gl_cfn_text(cfn,
                           get_attribute(cfn, gl_arena_text(&cfn->work, name, (size_t)(dot - name)),
                                         dot + 1, depth));
    return gl_cfn_text(cfn, gl_cfn_reference(cfn, name));
}

/* The text with its "${...}", those of loops replaced; NULL when it is none, or too long. */
static const char *pattern_of(struct gl_cfn *cfn, const struct gl_jnode *node)
{
    const char *text =
        node != NULL && node->length <= GL_CFN_MAX_TEXT ? gl_jnode_text(&cfn->tree, node) : NULL;

    return text != NULL ? gl_cfn_in_loops(cfn, text) : NULL;
}

static struct gl_cfn_value call_sub(struct gl_cfn *cfn, const struct gl_jnode *arguments,
                                    unsigned depth)
{
    const struct gl_jtree *tree = &cfn->tree;
    bool has_own = gl_jnode_is(arguments, GL_JARRAY);
    const char *at = pattern_of(cfn, has_own ? gl_jnode_at(tree, arguments, 0) : arguments);
    const struct gl_jnode *own = has_own ? gl_jnode_at(tree, arguments, 1) : NULL;
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    while (at != NULL && *at != '\0') {
        const char *start = strstr(at, "${"), *end = start != NULL ? strchr(start, '}') : NULL;
        const char *value;

        cfn->is_over |= cfn->steps++ >= GL_CFN_MAX_STEPS;
        if (cfn->is_over || text.length > GL_CFN_MAX_TEXT ||
            (end != NULL && end - start > NAME_MAX_BYTES))
            return unknown();
        if (end == NULL) {
            gl_str_add(&text, at);
            break;
        }
        gl_str_add_bytes(&text, at, (size_t)(start - at));
        at = end + 1;
        if (start[2] == '!') {
            gl_str_add(&text, "${");
            gl_str_add_bytes(&text, start + 3, (size_t)(end + 1 - (start + 3)));
            continue;
        }
        value = substitute(cfn, gl_arena_text(&cfn->work, start + 2, (size_t)(end - start - 2)),
                           own, depth);
        if (value == NULL)
            return unknown();
        gl_str_add(&text, value);
    }
    return at != NULL ? gl_cfn_made_text(cfn, &text) : unknown();
}

/* ---- Fn::FindInMap, Fn::Select, Fn::Join, Fn::Split ---- */

static const char *argument_text(struct gl_cfn *cfn, const struct gl_jnode *arguments, size_t index,
                                 unsigned depth)
{
    return gl_cfn_text(cfn,
                       gl_cfn_reduce(cfn, gl_jnode_at(&cfn->tree, arguments, index), depth + 1));
}

static struct gl_cfn_value call_find_in_map(struct gl_cfn *cfn, const struct gl_jnode *arguments,
                                            unsigned depth)
{
    const struct gl_jtree *tree = &cfn->tree;
    const struct gl_jnode *node = section(cfn, "Mappings");
    const struct gl_jnode *standard =
        gl_jnode_get(tree, gl_jnode_at(tree, arguments, 3), "DefaultValue");

    for (size_t i = 0; i < 3; i++) {
        const char *key = argument_text(cfn, arguments, i, depth);

        if (key == NULL)
            return unknown();
        cfn->steps += node != NULL ? node->count / 64 : 0; /* a search is work */
        node = gl_jnode_get(tree, node, key);
    }
    return gl_cfn_reduce(cfn, node != NULL ? node : standard, depth + 1);
}

/* Item `index` of a list, whatever it is made of. */
static struct gl_cfn_value item_of(struct gl_cfn *cfn, struct gl_cfn_value list, size_t index,
                                   unsigned depth)
{
    if (list.kind == GL_CFN_LIST)
        return index < list.count ? text_value(list.list[index]) : unknown();
    if (list.kind != GL_CFN_NODE)
        return unknown();
    return gl_cfn_reduce(cfn, gl_jnode_at(&cfn->tree, list.node, index), depth + 1);
}

static struct gl_cfn_value call_select(struct gl_cfn *cfn, const struct gl_jnode *arguments,
                                       unsigned depth)
{
    const char *index = argument_text(cfn, arguments, 0, depth);
    struct gl_cfn_value list = gl_cfn_reduce(cfn, gl_jnode_at(&cfn->tree, arguments, 1), depth + 1);
    size_t number = 0;

    if (index == NULL || *index == '\0' || strlen(index) > 4)
        return unknown();
    for (; *index >= '0' && *index <= '9'; index++)
        number = number * 10 + (size_t)(*index - '0');
    return *index == '\0' ? item_of(cfn, list, number, depth) : unknown();
}

static struct gl_cfn_value call_join(struct gl_cfn *cfn, const struct gl_jnode *arguments,
                                     unsigned depth)
{
    const char *by = argument_text(cfn, arguments, 0, depth);
    struct gl_cfn_value list = gl_cfn_reduce(cfn, gl_jnode_at(&cfn->tree, arguments, 1), depth + 1);
    size_t count = list.kind == GL_CFN_LIST ? list.count
                   : list.kind == GL_CFN_NODE && gl_jnode_is(list.node, GL_JARRAY)
                       ? list.node->count
                       : 0;
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    if (by == NULL || count == 0 || count > LIST_MAX)
        return unknown();
    for (size_t i = 0; i < count; i++) {
        const char *item = gl_cfn_text(cfn, item_of(cfn, list, i, depth));

        if (item == NULL || text.length > GL_CFN_MAX_TEXT)
            return unknown();
        gl_str_addf(&text, "%s%s", i > 0 ? by : "", item);
    }
    return gl_cfn_made_text(cfn, &text);
}

static struct gl_cfn_value call_split(struct gl_cfn *cfn, const struct gl_jnode *arguments,
                                      unsigned depth)
{
    const char *by = argument_text(cfn, arguments, 0, depth);
    const char *text = argument_text(cfn, arguments, 1, depth);

    return by != NULL && text != NULL ? split_text(cfn, text, by) : unknown();
}

/* ---- the table ---- */

struct function {
    const char *name;
    struct gl_cfn_value (*call)(struct gl_cfn *cfn, const struct gl_jnode *arguments,
                                unsigned depth);
};

static const struct function functions[] = {
    {"Fn::GetAtt", call_get_attribute},
    {"Fn::Sub", call_sub},
    {"Fn::FindInMap", call_find_in_map},
    {"Fn::Select", call_select},
    {"Fn::Join", call_join},
    {"Fn::Split", call_split},
};

bool gl_cfn_call(struct gl_cfn *cfn, const char *name, const struct gl_jnode *arguments,
                 unsigned depth, struct gl_cfn_value *out)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (strcmp(functions[i].name, name) == 0) {
            *out = functions[i].call(cfn, arguments, depth);
            return true;
        }
    return false;
}
