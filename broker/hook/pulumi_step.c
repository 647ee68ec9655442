/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/k8s_part.h"
#include "broker/hook/pulumi_part.h"
#include "broker/hook/yamltree.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- what a step does ---- */

/* pulumi/pulumi sdk/go/common/display and pkg/resource/deploy, StepOp. */
static const struct gl_pulumi_op ops[] = {
    {"create", GL_CHANGE_CREATE, 3, false, false},
    {"update", GL_CHANGE_UPDATE, 3, false, true},
    {"same", GL_CHANGE_NONE, 2, false, true},
    {"delete", GL_CHANGE_DELETE, 1, false, true},
    {"replace", GL_CHANGE_REPLACE, 4, true, false},
    {"create-replacement", GL_CHANGE_REPLACE, 4, true, false},
    {"delete-replaced", GL_CHANGE_DELETE, 1, true, true},
    {"import", GL_CHANGE_NONE, 2, false, true}, /* it runs already */
    {"import-replacement", GL_CHANGE_NONE, 2, true, true},
    {"read", GL_CHANGE_READ, 0, false, true},
    {"read-replacement", GL_CHANGE_READ, 0, true, true},
    {"refresh", GL_CHANGE_NONE, 0, false, true},
    {"diff", GL_CHANGE_NONE, 0, false, true},
    {"discard", GL_CHANGE_READ, 0, false, true},
    {"discard-replaced", GL_CHANGE_READ, 0, true, true},
    {"remove-pending-replace", GL_CHANGE_READ, 0, true, true},
};
static const struct gl_pulumi_op op_unknown = {"", GL_CHANGE_UNKNOWN, 3, false, false};

static const struct gl_pulumi_op *op_of(const char *word)
{
    for (size_t i = 0; word != NULL && i < sizeof ops / sizeof ops[0]; i++)
        if (strcmp(ops[i].word, word) == 0)
            return &ops[i];
    return &op_unknown;
}

/* ---- names ---- */

const char *gl_pulumi_camel(const char *name, char out[GL_PULUMI_NAME])
{
    size_t length = 0;

    for (; *name != '\0' && length + 1 < GL_PULUMI_NAME; name++) {
        bool is_start = *name == '_' && length > 0 && name[1] != '\0';

        name += is_start;
        out[length++] = is_start ? (char)toupper((unsigned char)*name) : *name;
    }
    out[length] = '\0';
    return out;
}

static const char *snake(const char *name, char out[GL_PULUMI_NAME])
{
    size_t length = 0;

    for (; *name != '\0' && length + 2 < GL_PULUMI_NAME; name++) {
        if (isupper((unsigned char)*name))
            out[length++] = '_';
        out[length++] = (char)tolower((unsigned char)*name);
    }
    out[length] = '\0';
    return out;
}

const char *gl_pulumi_name(const char *urn)
{
    const char *name = "";

    for (const char *at = strstr(urn, "::"); at != NULL; at = strstr(at + 2, "::"))
        name = at + 2;
    return name;
}

/* "urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME": from the third part on, unique in a stack. */
static const char *address_of(const char *urn)
{
    const char *at = strstr(urn, "::");

    at = at != NULL ? strstr(at + 2, "::") : NULL;
    return at != NULL ? at + 2 : urn;
}

/* The type in it, without its parents. */
static const char *type_of(struct gl_arena *arena, const char *urn)
{
    const char *start = address_of(urn), *end = strstr(start, "::");
    size_t length = end != NULL ? (size_t)(end - start) : strlen(start);
    const char *dollar = memrchr(start, '$', length);

    if (dollar != NULL) {
        length -= (size_t)(dollar + 1 - start);
        start = dollar + 1;
    }
    return gl_arena_text(arena, start, length);
}

/* Providers made from an API have its version in the token: "azure-native:compute/v20240301:..."
 * and "azure-native_compute_v20240301:compute:...". Mappings have none. */
static const char *without_version(struct gl_arena *arena, const char *token)
{
    size_t package = strcspn(token, ":"), cut = strcspn(token, "_:");
    const char *module = token + package, *slash = strchr(module, '/');
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    if (cut < package && strstr(token, "_v") == NULL)
        cut = package;
    if (slash != NULL && (slash[1] != 'v' || !isdigit((unsigned char)slash[2])))
        slash = NULL;
    if (cut == package && slash == NULL)
        return token;
    gl_str_add_bytes(&text, token, cut);
    gl_str_add_bytes(&text, module, slash != NULL ? (size_t)(slash - module) : strlen(module));
    if (slash != NULL)
        gl_str_add(&text, slash + strcspn(slash, ":"));
    return gl_arena_text(arena, gl_str_text(&text), text.length);
}

/* ---- what is kept of a state ---- */

struct keeping {
    const struct gl_jtree *tree;
    struct gl_reader_pair pair;
    bool *io_hides;
};

/* plugin/rpc.go: what stands for a value that is not known yet. */
static const char *const sentinels[] = {
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9", "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421", "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58", "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
};
/* A member that marks secrets, assets and outputs: an object with it is no plain value. Of a secret
 * it has the second value; an output says it in so many words. */
#define SPECIAL_KEY "4dabf18193072939515e22adb298388d"
#define SECRET_MARK "1b47061264138c4ac30d75fd1eb44270"

/* As a preview shows it. */
bool gl_pulumi_is_secret(const char *text)
{
    return text != NULL && strcmp(text, "[secret]") == 0;
}

static bool is_later(const struct gl_jtree *tree, const struct gl_jnode *node)
{
    const char *text = gl_jnode_text(tree, node);

    if (gl_jnode_is(node, GL_JOBJECT))
        return gl_jnode_get(tree, node, SPECIAL_KEY) != NULL;
    for (size_t i = 0; text != NULL && i < sizeof sentinels / sizeof sentinels[0]; i++)
        if (strcmp(text, sentinels[i]) == 0)
            return true;
    return false;
}

static bool is_secret(const struct gl_jtree *tree, const struct gl_jnode *node)
{
    const char *mark = gl_jnode_text(tree, gl_jnode_get(tree, node, SPECIAL_KEY));

    return gl_pulumi_is_secret(gl_jnode_text(tree, node)) ||
           (mark != NULL && (strcmp(mark, SECRET_MARK) == 0 ||
                             gl_jnode_is(gl_jnode_get(tree, node, "secret"), GL_JTRUE)));
}

static void keep_key(struct keeping *keeping, const struct gl_jnode *node, bool is_first)
{
    if (!is_first)
        gl_reader_pair_add(&keeping->pair, ",", ",");
    gl_reader_pair_key(&keeping->pair, gl_jnode_key(keeping->tree, node));
}

static void keep_node(struct keeping *keeping, const struct gl_jnode *node);

static void keep_children(struct keeping *keeping, const struct gl_jnode *node)
{
    bool is_object = node->kind == GL_JOBJECT, is_first = true;

    gl_reader_pair_add(&keeping->pair, is_object ? "{" : "[", is_object ? "{" : "[");
    for (const struct gl_jnode *child = gl_jnode_first(keeping->tree, node); child != NULL;
         child = gl_jnode_next(keeping->tree, node, child)) {
        if (is_object)
            keep_key(keeping, child, is_first);
        else if (!is_first)
            gl_reader_pair_add(&keeping->pair, ",", ",");
        keep_node(keeping, child);
        is_first = false;
    }
    gl_reader_pair_add(&keeping->pair, is_object ? "}" : "]", is_object ? "}" : "]");
}

/* No deeper than the tree is, which has its ceiling. */
static void keep_node(struct keeping *keeping, const struct gl_jnode *node)
{
    if (is_secret(keeping->tree, node)) {
        gl_reader_pair_hide(&keeping->pair);
        *keeping->io_hides = true;
        return;
    }
    if (is_later(keeping->tree, node)) {
        gl_reader_pair_add(&keeping->pair, "null", "true");
        return;
    }
    if (node->kind == GL_JOBJECT || node->kind == GL_JARRAY)
        keep_children(keeping, node);
    else
        gl_reader_pair_scalar(&keeping->pair, keeping->tree, node);
}

/* Attributes by which others refer to a resource. */
static bool wants(const struct gl_pulumi *pulumi, const char *type, const char *key)
{
    static const char *const told[] = {"id",     "name", "arn",     "selfLink",
                                       "region", "zone", "location"};

    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        if (strcmp(told[i], key) == 0)
            return true;
    return gl_mapping_reads(pulumi->options->mapping, type, key);
}

static void keep_members(struct gl_pulumi *pulumi, struct keeping *keeping, const char *type,
                         const struct gl_jnode *from, const struct gl_jnode *but)
{
    for (const struct gl_jnode *child =
             gl_jnode_is(from, GL_JOBJECT) ? gl_jnode_first(keeping->tree, from) : NULL;
         child != NULL; child = gl_jnode_next(keeping->tree, from, child)) {
        const char *key = gl_jnode_key(keeping->tree, child);

        if (!wants(pulumi, type, key) || gl_jnode_get(keeping->tree, but, key) != NULL)
            continue;
        keep_key(keeping, child, keeping->pair.values.length == 1);
        keep_node(keeping, child);
    }
}

/* Inputs, and what the provider has filled in beside them. */
static struct gl_pulumi_state keep_state(struct gl_pulumi *pulumi, const char *type,
                                         const struct gl_jnode *state, bool with_outputs)
{
    struct keeping keeping = {.tree = &pulumi->scratch, .io_hides = &pulumi->hides};
    const struct gl_jnode *inputs = gl_jnode_get(keeping.tree, state, "inputs");
    const struct gl_jnode *outputs = gl_jnode_get(keeping.tree, state, "outputs");
    struct gl_pulumi_state kept = {0};

    if (!gl_jnode_is(inputs, GL_JOBJECT) && !gl_jnode_is(outputs, GL_JOBJECT))
        return kept;
    gl_reader_pair_add(&keeping.pair, "{", "{");
    keep_members(pulumi, &keeping, type, inputs, NULL);
    if (with_outputs)
        keep_members(pulumi, &keeping, type, outputs, inputs);
    gl_reader_pair_add(&keeping.pair, "}", "}");
    gl_reader_pair_take(&keeping.pair, &pulumi->work, &kept.values, &kept.unknown);
    return kept;
}

/* ---- types that are not mapped ---- */

/* The words of the mapping are Terraform's: names are turned back for them. Further down only names
 * of several words count: a disk has a size too. */
static void turn_members(struct gl_pulumi *pulumi, const struct gl_jnode *node, bool is_top,
                         struct gl_str *out)
{
    const struct gl_jtree *tree = &pulumi->scratch;
    char name[GL_PULUMI_NAME];

    gl_str_add_char(out, '{');
    for (const struct gl_jnode *child = gl_jnode_first(tree, node); child != NULL;
         child = gl_jnode_next(tree, node, child)) {
        const struct gl_jnode *item =
            child->kind == GL_JARRAY ? gl_jnode_at(tree, child, 0) : child;

        bool is_number = is_top && gl_jnode_is(child, GL_JNUMBER);

        if ((gl_jnode_text(tree, item) == NULL && !is_number) ||
            strlen(gl_jnode_key(tree, child)) > 60)
            continue;
        snake(gl_jnode_key(tree, child), name);
        if (!is_top && strchr(name, '_') == NULL)
            continue;
        gl_str_add(out, gl_str_text(out)[out->length - 1] != '{' ? "," : "");
        gl_yamltree_quote(out, name, strlen(name));
        if (is_number)
            gl_str_addf(out, ":%s", tree->text + child->text);
        else
            gl_str_add(out, *gl_jnode_text(tree, item) != '\0' ? ":\"x\"" : ":\"\"");
    }
    gl_str_add_char(out, '}');
}

static bool is_suspect(struct gl_pulumi *pulumi, const char *type, const struct gl_jnode *inputs)
{
    const struct gl_jnode *end;

    if (!gl_jnode_is(inputs, GL_JOBJECT))
        return false;
    end = pulumi->scratch.nodes + inputs->end;
    for (const struct gl_jnode *node = inputs; node < end; node++) {
        GL_AUTO(gl_str_done) struct gl_str text = {0};
        struct gl_jtree turned;

        if (node->kind != GL_JOBJECT)
            continue;
        turn_members(pulumi, node, node == inputs, &text);
        turned = gl_reader_tree(&pulumi->work, &text);
        if (gl_mapping_is_suspect(pulumi->options->mapping, type, &turned, gl_jtree_root(&turned)))
            return true;
    }
    return false;
}

/* "kubernetes:ray.io/v1:RayCluster": an object of an operator is looked at as in a manifest. */
static bool is_operators(struct gl_pulumi *pulumi, const char *token, const struct gl_jnode *inputs)
{
    static const char prefix[] = "kubernetes:";
    const char *group = token + strlen(prefix), *kind = strrchr(token, ':');

    if (strncmp(token, prefix, strlen(prefix)) != 0 || !gl_jnode_is(inputs, GL_JOBJECT))
        return false;
    return gl_k8s_is_suspect(&pulumi->scratch, inputs, kind + 1,
                             gl_arena_text(&pulumi->work, group, strcspn(group, "/:")));
}

static uint64_t mix(uint64_t hash, uint64_t more) /* FNV-1a */
{
    return (hash ^ more) * UINT64_C(0x100000001b3);
}

/* Of resources that say the same things one is looked at: names, numbers, and whether a text is
 * empty. */
static uint64_t shape_of(const struct gl_jtree *tree, const struct gl_jnode *inputs)
{
    const struct gl_jnode *end = inputs != NULL ? tree->nodes + inputs->end : NULL;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (const struct gl_jnode *node = inputs; node < end; node++) {
        const char *key = node->key_length > 0 ? gl_jnode_key(tree, node) : "";
        const char *number = gl_jnode_is(node, GL_JNUMBER) ? tree->text + node->text : "";

        for (; *key != '\0'; key++)
            hash = mix(hash, (unsigned char)*key);
        hash = mix(hash, 0); /* "node_count4" of 8 is not "node_count" of 48 */
        for (; *number != '\0'; number++)
            hash = mix(hash, (unsigned char)*number);
        hash = mix(mix(hash, node->kind), node->length > 0);
        hash = mix(hash, node->end - (uint64_t)(node - tree->nodes));
    }
    return hash;
}

/* What a component is called is its author's; what it makes is in the preview beside it. */
static bool is_new_suspect(struct gl_pulumi *pulumi, const char *token,
                           const struct gl_jnode *inputs, bool is_component)
{
    GL_AUTO(gl_str_done) struct gl_str look = {0};
    size_t cursor = 0, number;

    gl_str_addf(&look, "%d %016" PRIx64 " %s", is_component, shape_of(&pulumi->scratch, inputs),
                token);
    if (gl_reader_index_next(&pulumi->types, gl_str_text(&look), &cursor, &number))
        return false;
    if (is_suspect(pulumi, is_component ? "" : token, inputs))
        return true;
    gl_reader_index_add(&pulumi->types,
                        gl_arena_text(&pulumi->work, gl_str_text(&look), look.length), 0);
    return false;
}

static void look_at_type(struct gl_pulumi *pulumi, const char *token, const struct gl_jnode *state)
{
    const struct gl_jnode *inputs = gl_jnode_get(&pulumi->scratch, state, "inputs");
    bool is_component = gl_jnode_is(gl_jnode_get(&pulumi->scratch, state, "custom"), GL_JFALSE);
    size_t cursor = 0, number;

    if (strncmp(token, "pulumi:", 7) == 0 ||
        gl_reader_index_next(&pulumi->types, token, &cursor, &number))
        return;
    if (!is_operators(pulumi, token, inputs) &&
        !is_new_suspect(pulumi, token, inputs, is_component))
        return;
    gl_reader_index_add(&pulumi->types, gl_arena_text(&pulumi->work, token, strlen(token)), 0);
    gl_reader_add_unmapped(pulumi->plan, token);
}

/* ---- one resource ---- */

static void index_values(struct gl_pulumi *pulumi, const struct gl_pulumi_resource *resource,
                         const struct gl_jnode *id)
{
    static const char *const names[] = {"id", "name", "arn", "selfLink"};
    const struct gl_pulumi_state *state =
        resource->after.values.count > 0 ? &resource->after : &resource->before;
    size_t number = (size_t)(resource - pulumi->resources);
    const char *said = gl_jnode_text(&pulumi->scratch, id);

    for (size_t i = 0; i <= sizeof names / sizeof names[0]; i++) {
        const struct gl_jtree *tree = &state->values;
        const char *text =
            i == 0 ? said
                   : gl_jnode_text(tree, gl_jnode_get(tree, gl_jtree_root(tree), names[i - 1]));

        if (text != NULL && *text != '\0')
            gl_reader_index_add(&pulumi->by_value,
                                gl_reader_say(&pulumi->work, "%s|%s", resource->type, text),
                                number);
    }
}

static void fill(struct gl_pulumi_state *state, const struct gl_pulumi_state *other)
{
    if (state->values.count == 0)
        *state = *other;
}

/* Several steps of one resource come to one change. False when this one is another resource. */
static bool merge(struct gl_pulumi_resource *known, const struct gl_pulumi_resource *step)
{
    const struct gl_pulumi_resource was = *known;
    const struct gl_pulumi_resource *weaker = step;

    if (step->op->strength == known->op->strength && step->op->strength == 3)
        return false;
    if (step->op->strength > known->op->strength) {
        *known = *step;
        known->address = was.address;
        if (known->provider == NULL)
            known->provider = was.provider;
        weaker = &was;
    }
    fill(&known->before, &weaker->before);
    /* What is deleted or looked at is not what will be. */
    if (weaker->op->strength > 1 || known->op->strength < 2)
        fill(&known->after, &weaker->after);
    return true;
}

static struct gl_pulumi_resource *find_merged(struct gl_pulumi *pulumi,
                                              const struct gl_pulumi_resource *step,
                                              size_t *out_same)
{
    size_t cursor = 0, number;

    *out_same = 0;
    while (gl_reader_index_next(&pulumi->by_urn, step->urn, &cursor, &number)) {
        ++*out_same;
        if (merge(&pulumi->resources[number], step))
            return &pulumi->resources[number];
    }
    return NULL;
}

static int add_resource(struct gl_pulumi *pulumi, struct gl_pulumi_resource *step,
                        const struct gl_jnode *id, struct gl_error *err)
{
    size_t same;
    struct gl_pulumi_resource *known = find_merged(pulumi, step, &same);

    if (known == NULL) {
        if (pulumi->resource_count == GL_PULUMI_MAX_RESOURCES)
            return gl_fail(err, GL_E_TOO_LARGE, "%s: more than %zu resources", pulumi->document,
                           GL_PULUMI_MAX_RESOURCES);
        if (same > 0)
            step->address =
                gl_reader_say(&pulumi->plan->arena, "%s (%zu)", step->address, same + 1);
        pulumi->resources = gl_arena_grow(&pulumi->work, pulumi->resources, pulumi->resource_count,
                                          sizeof *pulumi->resources);
        known = &pulumi->resources[pulumi->resource_count];
        *known = *step;
        gl_reader_index_add(&pulumi->by_urn, step->urn, pulumi->resource_count++);
    }
    index_values(pulumi, known, id);
    return 0;
}

/* The states of a step; the older form has one, on the step itself. */
static void keep_states(struct gl_pulumi *pulumi, const struct gl_jnode *step,
                        struct gl_pulumi_resource *out)
{
    const struct gl_jtree *tree = &pulumi->scratch;
    const struct gl_jnode *before = gl_jnode_get(tree, step, "oldState");
    const struct gl_jnode *after = gl_jnode_get(tree, step, "newState");
    const char *provider;

    if (before == NULL && after == NULL)
        *(out->op->change == GL_CHANGE_DELETE ? &before : &after) = step;
    provider = gl_jnode_text(tree, gl_jnode_get(tree, step, "provider"));
    if (provider == NULL)
        provider = gl_jnode_text(
            tree, gl_jnode_get(tree, gl_jnode_is(after, GL_JOBJECT) ? after : before, "provider"));
    if (provider != NULL)
        out->provider = gl_arena_text(&pulumi->work, provider, strlen(provider));
    out->before = keep_state(pulumi, out->type, before, true);
    out->after = keep_state(pulumi, out->type, after, out->op->has_old_place);
    out->dependencies = gl_reader_prune(
        &pulumi->work, tree, gl_jnode_get(tree, after, "propertyDependencies"), NULL, NULL);
}

static bool is_listed(const struct gl_pulumi_op *op, const char *token)
{
    return strncmp(token, "pulumi:", 7) != 0 && op->change != GL_CHANGE_READ;
}

/* What no row reads is looked at, and nothing of it is kept. */
static void pass_by(struct gl_pulumi *pulumi, const struct gl_jnode *step, const char *token)
{
    const struct gl_jtree *tree = &pulumi->scratch;
    const struct gl_pulumi_op *op = op_of(gl_jnode_text(tree, gl_jnode_get(tree, step, "op")));
    const struct gl_jnode *state = gl_jnode_get(tree, step, "newState");

    if (!gl_jnode_is(state, GL_JOBJECT))
        state = gl_jnode_get(tree, step, "oldState");
    look_at_type(pulumi, token, state != NULL ? state : step);
    /* Of the steps of a replacement one counts. */
    pulumi->plan->resources +=
        is_listed(op, token) && (!op->is_replacement || strcmp(op->word, "replace") == 0);
}

static int keep_step(struct gl_pulumi *pulumi, const struct gl_jnode *root, const char *urn,
                     struct gl_error *err)
{
    const struct gl_jtree *tree = &pulumi->scratch;
    struct gl_pulumi_resource step = {0};
    const char *token;
    size_t count = pulumi->resource_count;
    const struct gl_jnode *id = gl_jnode_get(tree, gl_jnode_get(tree, root, "newState"), "id");

    step.urn = gl_arena_text(&pulumi->plan->arena, urn, strlen(urn));
    step.address = address_of(step.urn);
    step.op = op_of(gl_jnode_text(tree, gl_jnode_get(tree, root, "op")));
    token = without_version(&pulumi->work, type_of(&pulumi->work, step.urn));
    step.type = gl_mapping_type(pulumi->options->mapping, token);
    step.row = gl_mapping_row(pulumi->options->mapping, token);
    keep_states(pulumi, root, &step);
    if (id == NULL)
        id = gl_jnode_get(tree, gl_jnode_get(tree, root, "oldState"), "id");
    if (add_resource(pulumi, &step, id, err) != 0)
        return -1;
    pulumi->plan->resources += is_listed(step.op, token) && pulumi->resource_count > count;
    return 0;
}

int gl_pulumi_read_step(void *cookie, struct gl_view key, struct gl_jsonpull *pull,
                        struct gl_error *err)
{
    GL_AUTO(gl_arena_done) struct gl_arena passing = {0};
    struct gl_pulumi *pulumi = cookie;
    const struct gl_hook_mapping *mapping = pulumi->options->mapping;
    const struct gl_jtree *tree = &pulumi->scratch;
    const struct gl_jnode *root;
    const char *urn, *token;

    (void)key;
    if (gl_jsonpull_take(pull, &pulumi->scratch, err) != 0)
        return -1;
    root = gl_jtree_root(tree);
    urn = gl_jnode_text(tree, gl_jnode_get(tree, root, "urn"));
    if (urn == NULL || strncmp(urn, "urn:pulumi:", 11) != 0)
        return gl_fail(err, GL_E_SYNTAX, "%s:%llu: a step without the URN of a resource",
                       pulumi->document, (unsigned long long)gl_jsonpull_line(pull));
    token = without_version(&passing, type_of(&passing, urn));
    if (strncmp(token, "pulumi:providers:", 17) == 0 ||
        gl_mapping_reads(mapping, gl_mapping_type(mapping, token), NULL))
        return keep_step(pulumi, root, urn, err);
    pass_by(pulumi, root, token);
    return 0;
}
