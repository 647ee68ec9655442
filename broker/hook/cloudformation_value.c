/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/cloudformation_part.h"

#include <string.h>

/* ---- functions ---- */

/* {"Ref": ...} or {"Fn::Name": ...}: the only member. */
static const struct gl_jnode *function_of(const struct gl_cfn *cfn, const struct gl_jnode *node,
                                          const char **out_name)
{
    const struct gl_jnode *only;

    if (!gl_jnode_is(node, GL_JOBJECT) || node->count != 1)
        return NULL;
    only = gl_jnode_first(&cfn->tree, node);
    *out_name = gl_jnode_key(&cfn->tree, only);
    return strcmp(*out_name, "Ref") == 0 || strncmp(*out_name, "Fn::", 4) == 0 ? only : NULL;
}

static struct gl_cfn_value choose(struct gl_cfn *cfn, const struct gl_jnode *arguments,
                                  unsigned depth)
{
    const char *name =
        gl_cfn_name_in_loops(cfn, gl_jnode_text(&cfn->tree, gl_jnode_at(&cfn->tree, arguments, 0)));
    int answer = name != NULL ? gl_cfn_condition(cfn, name, depth + 1) : -1;

    if (answer < 0)
        return (struct gl_cfn_value){0};
    return gl_cfn_reduce(cfn, gl_jnode_at(&cfn->tree, arguments, answer ? 1 : 2), depth + 1);
}

/* What is no function: a text of a loop's body holds the loop's variables. */
static struct gl_cfn_value written(struct gl_cfn *cfn, const struct gl_jnode *node)
{
    const struct gl_cfn_value value = {.kind = GL_CFN_NODE, .node = node};
    const char *text =
        cfn->loop != NULL && gl_jnode_is(node, GL_JSTRING) && node->length <= GL_CFN_MAX_TEXT
            ? gl_jnode_text(&cfn->tree, node)
            : NULL;
    const char *made = text != NULL ? gl_cfn_in_loops(cfn, text) : NULL;

    if (made == text)
        return value;
    return (struct gl_cfn_value){.kind = made != NULL ? GL_CFN_TEXT : GL_CFN_UNKNOWN, .text = made};
}

static struct gl_cfn_value reduce(struct gl_cfn *cfn, const struct gl_jnode *node, unsigned depth)
{
    struct gl_cfn_value value = {0};
    const struct gl_jnode *arguments;
    const char *name;

    if (cfn->steps++ >= GL_CFN_MAX_STEPS)
        cfn->is_over = true;
    if (node == NULL || cfn->is_over || depth > GL_CFN_MAX_DEPTH)
        return (struct gl_cfn_value){0};
    arguments = function_of(cfn, node, &name);
    if (arguments == NULL)
        return written(cfn, node);
    if (strcmp(name, "Ref") == 0) {
        const char *text = gl_jnode_text(&cfn->tree, arguments);

        return text != NULL ? gl_cfn_reference(cfn, text) : (struct gl_cfn_value){0};
    }
    if (strcmp(name, "Fn::If") == 0)
        return choose(cfn, arguments, depth);
    return gl_cfn_call(cfn, name, arguments, depth, &value) ? value : (struct gl_cfn_value){0};
}

/* "{{resolve:ssm:name}}" is a reference to what is looked up in the deployment
 * (AWS CloudFormation User Guide, "Dynamic references"). */
struct gl_cfn_value gl_cfn_reduce(struct gl_cfn *cfn, const struct gl_jnode *node, unsigned depth)
{
    struct gl_cfn_value value = reduce(cfn, node, depth);
    const char *text = gl_cfn_text(cfn, value);

    return text != NULL && strstr(text, "{{resolve:") != NULL ? (struct gl_cfn_value){0} : value;
}

const char *gl_cfn_text(struct gl_cfn *cfn, struct gl_cfn_value value)
{
    const struct gl_jtree *tree = &cfn->tree;

    if (value.kind == GL_CFN_TEXT)
        return value.text;
    if (value.kind != GL_CFN_NODE || value.node->length > GL_CFN_MAX_TEXT)
        return NULL;
    switch ((enum gl_jkind)value.node->kind) {
    case GL_JSTRING:
        return gl_jnode_text(tree, value.node);
    case GL_JNUMBER:
        return tree->text + value.node->text;
    case GL_JTRUE:
        return "true";
    case GL_JFALSE:
        return "false";
    default:
        return NULL;
    }
}

/* ---- conditions ---- */

static int evaluate_condition(struct gl_cfn *cfn, const struct gl_jnode *node, unsigned depth);

static int are_equal(struct gl_cfn *cfn, const struct gl_jnode *arguments, unsigned depth)
{
    const char *texts[2];

    for (size_t i = 0; i < 2; i++)
        texts[i] =
            gl_cfn_text(cfn, gl_cfn_reduce(cfn, gl_jnode_at(&cfn->tree, arguments, i), depth + 1));
    return texts[0] == NULL || texts[1] == NULL ? -1 : strcmp(texts[0], texts[1]) == 0;
}

/* All (or any) of the arguments; one that decides need not know the others. */
static int combine(struct gl_cfn *cfn, const struct gl_jnode *arguments, int deciding,
                   unsigned depth)
{
    int answer = !deciding;

    if (!gl_jnode_is(arguments, GL_JARRAY))
        return -1;
    for (const struct gl_jnode *item = gl_jnode_first(&cfn->tree, arguments); item != NULL;
         item = gl_jnode_next(&cfn->tree, arguments, item)) {
        int one = evaluate_condition(cfn, item, depth + 1);

        if (one == deciding)
            return deciding;
        if (one < 0)
            answer = -1;
    }
    return answer;
}

static int evaluate_condition(struct gl_cfn *cfn, const struct gl_jnode *node, unsigned depth)
{
    const struct gl_jtree *tree = &cfn->tree;
    const struct gl_jnode *only;
    const char *name;

    if (cfn->steps++ >= GL_CFN_MAX_STEPS)
        cfn->is_over = true;
    if (cfn->is_over || depth > GL_CFN_MAX_DEPTH || !gl_jnode_is(node, GL_JOBJECT) ||
        node->count != 1)
        return -1;
    only = gl_jnode_first(tree, node);
    name = gl_jnode_key(tree, only);
    if (strcmp(name, "Fn::Equals") == 0)
        return are_equal(cfn, only, depth);
    if (strcmp(name, "Fn::And") == 0 || strcmp(name, "Fn::Or") == 0)
        return combine(cfn, only, name[4] == 'O', depth);
    if (strcmp(name, "Fn::Not") == 0) {
        int answer = evaluate_condition(cfn, gl_jnode_at(tree, only, 0), depth + 1);

        return answer < 0 ? -1 : !answer;
    }
    if (strcmp(name, "Condition") == 0 && gl_jnode_text(tree, only) != NULL)
        return gl_cfn_condition(cfn, gl_jnode_text(tree, only), depth + 1);
    return -1;
}

int gl_cfn_condition(struct gl_cfn *cfn, const char *name, unsigned depth)
{
    const struct gl_jnode *all = gl_jnode_get(&cfn->tree, gl_jtree_root(&cfn->tree), "Conditions");
    const struct gl_cfn_loop *around = cfn->loop;
    int answer;

    cfn->loop = NULL; /* conditions stand outside */
    answer = evaluate_condition(cfn, gl_jnode_get(&cfn->tree, all, name), depth);
    cfn->loop = around;
    return answer;
}

/* ---- properties ---- */

static void keep_taint(struct gl_cfn *cfn, const char *text, const struct gl_cfn_origin *origin)
{
    cfn->taints = gl_arena_grow(&cfn->work, cfn->taints, cfn->taint_count, sizeof *cfn->taints);
    cfn->taints[cfn->taint_count++] = (struct gl_cfn_taint){cfn->head, text, *origin};
}

static void add_taint(struct gl_cfn *cfn, const char *text)
{
    if (cfn->origin.parameter != NULL && text != NULL && *text != '\0')
        keep_taint(cfn, gl_arena_text(&cfn->work, text, strlen(text)), &cfn->origin);
}

static void write_unknown(struct gl_cfn *cfn, struct gl_reader_pair *pair)
{
    const struct gl_cfn_origin origin = {.parameter = cfn->missing};

    gl_reader_pair_add(pair, "null", "true");
    if (cfn->missing != NULL)
        keep_taint(cfn, "", &origin);
}

static void write_node(struct gl_cfn *cfn, struct gl_reader_pair *pair, const struct gl_jnode *node,
                       unsigned depth, const char *key);

/* A comma where something stands before it, and the key of a member. */
static void begin(struct gl_reader_pair *pair, const char *key)
{
    char last = pair->values.text[pair->values.length - 1];

    if (last != '{' && last != '[')
        gl_reader_pair_add(pair, ",", ",");
    if (key != NULL)
        gl_reader_pair_key(pair, key);
}

static bool is_hidden(struct gl_cfn *cfn, const char *key)
{
    return strncmp(key, "Fn::", 4) == 0 || gl_cfn_in_loops(cfn, key) == NULL;
}

/* Has it members that a loop or a macro makes? Any other may be among them. */
static bool has_hidden(struct gl_cfn *cfn, const struct gl_jnode *node)
{
    const struct gl_jnode *child =
        gl_jnode_is(node, GL_JOBJECT) ? gl_jnode_first(&cfn->tree, node) : NULL;

    while (child != NULL && !is_hidden(cfn, gl_jnode_key(&cfn->tree, child)))
        child = gl_jnode_next(&cfn->tree, node, child);
    return child != NULL;
}

static const char *key_of(struct gl_cfn *cfn, const struct gl_jnode *member)
{
    return gl_cfn_name_in_loops(cfn, gl_jnode_key(&cfn->tree, member));
}

static void write_children(struct gl_cfn *cfn, struct gl_reader_pair *pair,
                           const struct gl_jnode *node, unsigned depth)
{
    bool is_object = node->kind == GL_JOBJECT;

    gl_reader_pair_add(pair, is_object ? "{" : "[", is_object ? "{" : "[");
    for (const struct gl_jnode *child = gl_jnode_first(&cfn->tree, node); child != NULL;
         child = gl_jnode_next(&cfn->tree, node, child))
        write_node(cfn, pair, child, depth + 1, is_object ? key_of(cfn, child) : NULL);
    gl_reader_pair_add(pair, is_object ? "}" : "]", is_object ? "}" : "]");
}

static void write_list(struct gl_cfn *cfn, struct gl_reader_pair *pair,
                       const struct gl_cfn_value *value)
{
    gl_reader_pair_add(pair, "[", "[");
    for (size_t i = 0; i < value->count; i++) {
        if (i > 0)
            gl_reader_pair_add(pair, ",", ",");
        gl_reader_pair_text(pair, value->list[i], strlen(value->list[i]));
        add_taint(cfn, value->list[i]);
    }
    gl_reader_pair_add(pair, "]", "]");
}

static void write_reference(struct gl_reader_pair *pair, const char *id)
{
    struct gl_reader_pair inner = {0};

    gl_reader_pair_key(&inner, "Ref");
    gl_reader_pair_text(&inner, id, strlen(id));
    gl_str_addf(&pair->values, "{%s}", gl_str_text(&inner.values));
    gl_str_add(&pair->unknown, "true");
    gl_str_done(&inner.values);
    gl_str_done(&inner.unknown);
}

/* What is made with a parameter that is not shown is not known, whatever came of it. */
static struct gl_cfn_value take_value(struct gl_cfn *cfn, const struct gl_jnode *node)
{
    struct gl_cfn_value value;

    cfn->has_no_echo = false;
    cfn->missing = NULL;
    value = gl_cfn_reduce(cfn, node, 0);
    cfn->hides |= cfn->has_no_echo;
    return cfn->has_no_echo ? (struct gl_cfn_value){0} : value;
}

/* `key` NULL in a list. Nothing is written of what is AWS::NoValue. */
static void write_node(struct gl_cfn *cfn, struct gl_reader_pair *pair, const struct gl_jnode *node,
                       unsigned depth, const char *key)
{
    struct gl_cfn_origin outer = cfn->origin;
    struct gl_cfn_value value = take_value(cfn, node);
    bool is_over = depth > GL_JSONPULL_MAX_DEPTH || pair->values.length > GL_CFN_MAX_TEXTS;

    if (value.kind == GL_CFN_NOTHING)
        return;
    begin(pair, key);
    cfn->is_over |= is_over;
    if (cfn->has_no_echo) {
        gl_reader_pair_hide(pair);
    } else if (value.kind == GL_CFN_UNKNOWN || is_over ||
               (value.kind == GL_CFN_NODE && has_hidden(cfn, value.node))) {
        write_unknown(cfn, pair);
    } else if (value.kind == GL_CFN_RESOURCE) {
        write_reference(pair, value.text);
    } else if (value.kind == GL_CFN_LIST) {
        write_list(cfn, pair, &value);
    } else if (value.kind == GL_CFN_TEXT) {
        gl_reader_pair_text(pair, value.text, strlen(value.text));
        add_taint(cfn, value.text);
    } else if (value.node->kind == GL_JOBJECT || value.node->kind == GL_JARRAY) {
        write_children(cfn, pair, value.node, depth);
    } else {
        gl_reader_pair_scalar(pair, &cfn->tree, value.node);
        add_taint(cfn, gl_cfn_text(cfn, value));
    }
    cfn->origin = outer;
}

/* SAM: "Globals" says what the functions of a template have in common; their own wins. */
static const struct gl_jnode *globals_of(const struct gl_cfn *cfn, const char *type)
{
    static const char prefix[] = "AWS::Serverless::";
    const struct gl_jnode *globals = gl_jnode_get(&cfn->tree, gl_jtree_root(&cfn->tree), "Globals");

    return strncmp(type, prefix, strlen(prefix)) == 0
               ? gl_jnode_get(&cfn->tree, globals, type + strlen(prefix))
               : NULL;
}

/* The members of `from` that are wanted and not in `but`. */
static void write_members(struct gl_cfn *cfn, struct gl_reader_pair *pair,
                          const struct gl_jnode *from, const struct gl_jnode *but,
                          gl_cfn_wants *wants)
{
    if (!gl_jnode_is(from, GL_JOBJECT))
        return;
    for (const struct gl_jnode *child = gl_jnode_first(&cfn->tree, from); child != NULL;
         child = gl_jnode_next(&cfn->tree, from, child)) {
        cfn->head = key_of(cfn, child);
        cfn->origin = (struct gl_cfn_origin){0};
        if (gl_jnode_get(&cfn->tree, but, cfn->head) == NULL &&
            wants(cfn, cfn->resources[cfn->current].type, cfn->head))
            write_node(cfn, pair, child, 1, cfn->head);
    }
}

void gl_cfn_evaluate(struct gl_cfn *cfn, size_t number, gl_cfn_wants *wants)
{
    struct gl_cfn_resource *resource = &cfn->resources[number];
    const struct gl_jnode *all = gl_jnode_get(&cfn->tree, resource->node, "Properties");
    const struct gl_jnode *globals = globals_of(cfn, resource->type);
    struct gl_reader_pair pair = {0};

    if (!gl_jnode_is(all, GL_JOBJECT) && !gl_jnode_is(globals, GL_JOBJECT))
        return;
    cfn->current = number;
    if (has_hidden(cfn, resource->node) || has_hidden(cfn, all) || has_hidden(cfn, globals)) {
        gl_reader_pair_add(&pair, "{}", "true");
    } else {
        gl_reader_pair_add(&pair, "{", "{");
        write_members(cfn, &pair, all, NULL, wants);
        write_members(cfn, &pair, globals, all, wants);
        gl_reader_pair_add(&pair, "}", "}");
    }
    gl_reader_pair_take(&pair, &cfn->work, &resource->values, &resource->unknown);
    cfn->is_over |= resource->values.count == 0;
}
