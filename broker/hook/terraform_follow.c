/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/terraform_reference.h"

#include <string.h>

/* References of the configuration. An expression is {"constant_value":...} or {"references":[...]},
 * most specific first; from 0.13 on a reference with attribute is followed by the one without. Only
 * names are there, never the operators around them, so more than one name is a guess. */

/* ---- references ---- */

/* One name up to '.', its index dropped. Returns what follows. */
static const char *cut_name(const char *at, char out[128])
{
    size_t length = strcspn(at, ".[");

    snprintf(out, 128, "%.*s", (int)(length < 127 ? length : 127), at);
    at += length;
    while (*at == '[')
        at += strcspn(at, "]") + (strchr(at, ']') != NULL);
    return at + (*at == '.');
}

struct gl_tf_reference gl_tf_reference_of(const char *text)
{
    static const char *const no_resources[] = {"local", "each", "count",
                                               "path",  "self", "terraform"};
    struct gl_tf_reference out = {0};
    char head[128];
    const char *at = cut_name(text, head);

    for (size_t i = 0; i < sizeof no_resources / sizeof no_resources[0]; i++)
        if (strcmp(head, no_resources[i]) == 0)
            return out;
    if (strcmp(head, "var") == 0) {
        out.kind = GL_TF_REF_VARIABLE;
        (void)cut_name(at, out.first);
        at += strcspn(at, ".[");
        out.rest = at + (*at == '.');
        return out;
    }
    out.kind = strcmp(head, "module") == 0 ? GL_TF_REF_MODULE : GL_TF_REF_RESOURCE;
    out.is_data = strcmp(head, "data") == 0;
    if (out.kind == GL_TF_REF_RESOURCE && !out.is_data)
        at = text;
    at = cut_name(at, out.first);
    out.rest = cut_name(at, out.second);
    return out;
}

/* Does reference number `index` only repeat a more specific one before it? */
bool gl_tf_is_repeated(const struct gl_jtree *tree, const struct gl_jnode *list, size_t index)
{
    const char *text = gl_jnode_text(tree, gl_jnode_at(tree, list, index));
    size_t length = text != NULL ? strlen(text) : 0;

    for (size_t i = 0; i < index && text != NULL; i++) {
        const char *other = gl_jnode_text(tree, gl_jnode_at(tree, list, i));

        if (other != NULL && strncmp(other, text, length) == 0 &&
            strchr(".[", other[length]) != NULL)
            return true;
    }
    return text == NULL;
}

const struct gl_tf_module *gl_tf_module_at(struct gl_tf *tf, const char *path)
{
    size_t number = gl_tf_module_of(tf, path); /* may move them all */

    return &tf->modules[number];
}

/* "module.a.module.b" -> "module.a". */
static const char *parent_of(struct gl_tf *tf, const char *module)
{
    size_t length = strlen(module);

    for (int dots = 0; length > 0 && dots < 2; length--)
        dots += module[length - 1] == '.';
    return gl_arena_text(&tf->work, module, length);
}

static bool is_sensitive(struct gl_tf *tf, const char *module,
                         const struct gl_tf_reference *reference)
{
    const struct gl_jtree *declared;

    if (reference->kind != GL_TF_REF_VARIABLE)
        return false;
    declared = &gl_tf_module_at(tf, module)->defaults;
    return gl_jnode_is(
        gl_jnode_get(declared, gl_jnode_get(declared, gl_jtree_root(declared), reference->first),
                     "sensitive"),
        GL_JTRUE);
}

/* Out of the module, to what its call passes; or into one, to what it gives back. */
struct gl_tf_expression gl_tf_step(struct gl_tf *tf, const char *module,
                                   const struct gl_tf_reference *reference)
{
    struct gl_tf_expression out = {.module = module};
    size_t cursor = 0, number;

    if (is_sensitive(tf, module, reference)) {
        tf->hidden = GL_READER_JOIN(&tf->work, "variable ", reference->first);
    } else if (reference->kind == GL_TF_REF_VARIABLE && *module != '\0') {
        out.tree = &gl_tf_module_at(tf, module)->arguments;
        out.node = gl_jnode_get(out.tree, gl_jtree_root(out.tree), reference->first);
        out.module = parent_of(tf, module);
    } else if (reference->kind == GL_TF_REF_MODULE) {
        out.module = gl_tf_path_of(&tf->work, module, reference->first);
        if (!gl_reader_index_next(&tf->modules_named, out.module, &cursor, &number))
            return out;
        cursor = 0;
        if (!gl_reader_index_next(&tf->outputs_named,
                                  gl_tf_output_name(tf, number, reference->second), &cursor,
                                  &number))
            return out;
        out.tree = &tf->outputs[number];
        out.node = gl_jtree_root(out.tree);
        if (out.node == NULL)
            tf->hidden = GL_READER_JOIN(&tf->work, "output ", reference->second, " of module ",
                                        reference->first);
    }
    return out;
}

/* ---- resources ---- */

static const char *known_text(struct gl_tf *tf, const struct gl_tf_resource *resource,
                              const char *path)
{
    const struct gl_jtree *tree = resource->after;
    const struct gl_jnode *node = gl_tf_into(tree, gl_tf_at(tree, gl_jtree_root(tree), path));

    if (gl_jnode_is(node, GL_JHIDDEN))
        tf->hidden = GL_READER_JOIN(&tf->work, path, " of ", resource->address);
    return gl_jnode_text(tree, node);
}

/* "web[\"a\"].zone" -> "[\"a\"]": the instance that a reference names; "" = it names none. */
const char *gl_tf_key_of(struct gl_tf *tf, const char *text,
                         const struct gl_tf_reference *reference)
{
    const char *rest = reference->rest, *end = rest > text && rest[-1] == '.' ? rest - 1 : rest;
    const char *start = end;

    if (end == text || end[-1] != ']')
        return "";
    while (start > text && *start != '[')
        start--;
    return gl_arena_text(&tf->work, start, (size_t)(end - start));
}

/* Of the instances that may be meant; when they do not say the same, nobody knows. */
static const char *text_of_block(struct gl_tf *tf, const char *module, const char *key,
                                 const struct gl_tf_reference *reference, const char *path)
{
    const char *said = NULL;
    const char *block = gl_tf_block_name(&tf->work, module, reference->first, reference->second,
                                         reference->is_data);
    size_t cursor = 0, number;

    while (gl_tf_next_resource(tf, &tf->by_block, block, &cursor, &number)) {
        const struct gl_tf_resource *found = &tf->resources[number];
        const char *one = known_text(tf, found, path);

        if (found->after->count == 0 || (*key != '\0' && strcmp(found->parts.key, key) != 0))
            continue;
        if (one == NULL || (said != NULL && strcmp(said, one) != 0))
            return NULL;
        said = one;
    }
    return said;
}

/* What a data source is asked for: as it is planned, else as it is written. */
static const char *name_asked(struct gl_tf *tf, const char *module, const char *key,
                              const struct gl_tf_reference *reference)
{
    const char *block =
        gl_tf_block_name(&tf->work, module, reference->first, reference->second, true);
    const char *planned = text_of_block(tf, module, key, reference, "name");
    const struct gl_jtree *tree;
    size_t cursor = 0, number;

    if (planned != NULL || !gl_reader_index_next(&tf->blocks_named, block, &cursor, &number))
        return planned;
    tree = &tf->blocks[number].expressions;
    return gl_jnode_text(tree, gl_tf_at(tree, gl_jtree_root(tree), "name.constant_value"));
}

const char *gl_tf_planned_name(struct gl_tf *tf, const char *module, const char *text,
                               const struct gl_tf_reference *reference)
{
    const char *name = reference->is_data
                           ? name_asked(tf, module, gl_tf_key_of(tf, text, reference), reference)
                           : NULL;

    return name != NULL ? GL_READER_JOIN(&tf->work, reference->first, "|", name) : NULL;
}

const struct gl_tf_resource *gl_tf_next_planned(struct gl_tf *tf, const char *name, size_t *cursor)
{
    size_t number;

    while (name != NULL && gl_tf_next_resource(tf, &tf->by_value, name, cursor, &number)) {
        const struct gl_tf_resource *one = &tf->resources[number];

        if (!one->parts.is_data && one->after->count > 0)
            return one;
    }
    return NULL;
}

/* Of several of that name nobody knows which; they may say the same. */
static const char *text_of_planned(struct gl_tf *tf, const char *name, const char *path)
{
    const struct gl_tf_resource *one;
    const char *said = NULL;
    size_t cursor = 0;

    while ((one = gl_tf_next_planned(tf, name, &cursor)) != NULL) {
        const char *text = known_text(tf, one, path);

        if (text == NULL || (said != NULL && strcmp(said, text) != 0))
            return NULL;
        said = text;
    }
    return said;
}

/* Where the place stands of what is asked for something else: zones that are not known yet lie in a
 * region that is, and 0.12 does not list which attribute is meant. */
static const struct giver {
    const char *type, *asked, *says;
} givers[] = {
    {"google_compute_zones", "names", "region"},
    {"google_compute_zones", "", "region"},
    {"azurerm_resource_group", "", "location"},
};

static const char *path_given(const struct gl_tf_reference *reference)
{
    size_t length = strcspn(reference->rest, ".[");

    for (size_t i = 0; i < sizeof givers / sizeof givers[0]; i++)
        if (strcmp(givers[i].type, reference->first) == 0 && strlen(givers[i].asked) == length &&
            strncmp(givers[i].asked, reference->rest, length) == 0)
            return givers[i].says;
    return NULL;
}

/* ---- an expression to a text ---- */

static bool answer(struct gl_tf_answer *out, const char *text, enum gl_surety surety,
                   const char *how)
{
    if (text == NULL || *text == '\0')
        return false;
    *out = (struct gl_tf_answer){.text = text, .surety = surety, .how = how};
    return true;
}

/* A variable of the root has its value in the plan; any other one its default. */
static bool resolve_variable(struct gl_tf *tf, const char *module,
                             const struct gl_tf_reference *reference, struct gl_tf_answer *out)
{
    const struct gl_jtree *given = &tf->variables;
    const struct gl_jtree *defaults = &gl_tf_module_at(tf, module)->defaults;
    const struct gl_jnode *set = gl_jnode_get(given, gl_jtree_root(given), reference->first);
    const struct gl_jnode *value = gl_jnode_get(given, set, "value");
    const struct gl_jnode *declared =
        gl_jnode_get(defaults, gl_jtree_root(defaults), reference->first);

    if (*module == '\0' &&
        answer(out, gl_jnode_text(given, gl_tf_value_at(given, value, reference->rest)),
               GL_SURE_HIGH, GL_READER_JOIN(&tf->plan->arena, "variable ", reference->first)))
        return true;
    if (*module == '\0' && set != NULL)
        return false; /* what it was given stands there, and is no text */
    return answer(out, gl_jnode_text(defaults, gl_jnode_get(defaults, declared, "default")),
                  GL_SURE_HIGH,
                  GL_READER_JOIN(&tf->plan->arena, "default of variable ", reference->first));
}

static bool resolve_resource(struct gl_tf *tf, const char *module, const char *text,
                             const struct gl_tf_reference *reference, struct gl_tf_answer *out)
{
    const char *planned = gl_tf_planned_name(tf, module, text, reference);
    const char *const paths[] = {reference->rest, path_given(reference)};
    const char *key = gl_tf_key_of(tf, text, reference);
    const char *how =
        gl_reader_say(&tf->plan->arena, reference->is_data ? "data source %s.%s" : "%s.%s",
                      reference->first, reference->second);

    for (size_t i = 0; i < 2; i++) {
        if (paths[i] == NULL || *paths[i] == '\0')
            continue;
        if (answer(out, text_of_block(tf, module, key, reference, paths[i]), GL_SURE_MEDIUM, how) ||
            answer(out, text_of_planned(tf, planned, paths[i]), GL_SURE_MEDIUM, how))
            return true;
    }
    return false;
}

/* An expression, and where in what it comes to: "[1].region"; "" = all of it. */
struct part {
    const struct gl_jtree *tree;
    const struct gl_jnode *expression;
    const char *rest;
};

static bool resolve(struct gl_tf *tf, const char *module, const struct part *part, unsigned depth,
                    struct gl_tf_answer *out);

static bool resolve_reference(struct gl_tf *tf, const char *module, const char *text,
                              unsigned depth, struct gl_tf_answer *out)
{
    struct gl_tf_reference reference = gl_tf_reference_of(text);
    struct gl_tf_expression place = gl_tf_step(tf, module, &reference);
    const struct part part = {place.tree, place.node,
                              reference.kind == GL_TF_REF_VARIABLE ? reference.rest : ""};

    if (tf->hidden != NULL)
        return false;
    if (place.node != NULL)
        return resolve(tf, place.module, &part, depth + 1, out);
    if (reference.kind == GL_TF_REF_VARIABLE)
        return resolve_variable(tf, module, &reference, out);
    return reference.kind == GL_TF_REF_RESOURCE &&
           resolve_resource(tf, module, text, &reference, out);
}

/* The first item of a list that is written around one name is taken for that name. */
static bool resolve_part(struct gl_tf *tf, const char *module, const char *text,
                         const struct part *part, struct gl_tf_answer *out, unsigned depth)
{
    const char *rest = part->rest;

    if (*rest == '\0')
        return resolve_reference(tf, module, text, depth, out);
    text = gl_reader_say(&tf->work, *rest == '[' ? "%s%s" : "%s.%s", text, rest);
    if (resolve_reference(tf, module, text, depth, out))
        return true;
    if (strcmp(rest, "[0]") != 0)
        return false;
    text = gl_arena_text(&tf->work, text, strlen(text) - strlen(rest));
    return resolve_reference(tf, module, text, depth, out) && (out->surety = GL_SURE_MEDIUM) != 0;
}

static void add_other(struct gl_tf_answer *out, const char *text)
{
    if (strcmp(out->text, text) == 0)
        return;
    if (out->other_count < GL_TF_OTHERS)
        out->others[out->other_count] = text;
    out->other_count++;
}

static void add_answer(struct gl_tf_answer *out, const struct gl_tf_answer *one)
{
    add_other(out, one->text);
    for (size_t i = 0; i < one->other_count && i < GL_TF_OTHERS; i++)
        add_other(out, one->others[i]);
    if (one->other_count > GL_TF_OTHERS)
        out->other_count = GL_TF_OTHERS + 1; /* too many stay too many */
}

/* A name that came to no text: an index into the others, a condition, or one that may count. */
static void add_untold(struct gl_tf_answer *out, const char *name)
{
    static const char *const choices[] = {"var.", "terraform.", "path."};

    if (strncmp(name, "count.", 6) == 0 || strcmp(name, "each.key") == 0)
        return;
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++)
        if (strncmp(name, choices[i], strlen(choices[i])) == 0) {
            out->has_choice = true;
            return;
        }
    out->has_gap = true;
}

/* Every name may be the one that counts: the operators between them are not in the plan. */
static bool resolve_names(struct gl_tf *tf, const char *module, const struct part *part,
                          unsigned depth, struct gl_tf_answer *out)
{
    const struct gl_jtree *tree = part->tree;
    const struct gl_jnode *list =
        gl_jnode_get(tree, gl_tf_into(tree, part->expression), "references");
    struct gl_tf_answer untold = {0};
    size_t distinct = 0;
    bool has_one = false;

    for (size_t i = 0; list != NULL && i < list->count && i < GL_TF_NAMES_MAX; i++) {
        const char *text = gl_jnode_text(tree, gl_jnode_at(tree, list, i));
        struct gl_tf_answer one;

        if (gl_tf_is_repeated(tree, list, i))
            continue;
        distinct++;
        if (!resolve_part(tf, module, text, part, &one, depth)) {
            add_untold(&untold, text != NULL ? text : "");
            continue;
        }
        untold.has_gap |= one.has_gap;
        untold.has_choice |= one.has_choice;
        if (has_one)
            add_answer(out, &one);
        else
            *out = one;
        has_one = true;
    }
    if (!has_one)
        return false;
    out->has_gap = untold.has_gap || list->count > GL_TF_NAMES_MAX;
    out->has_choice = untold.has_choice;
    if (distinct > 1) {
        out->is_guess = true;
        out->surety = out->surety > GL_SURE_MEDIUM ? GL_SURE_MEDIUM : out->surety;
    }
    return true;
}

static bool resolve(struct gl_tf *tf, const char *module, const struct part *part, unsigned depth,
                    struct gl_tf_answer *out)
{
    const struct gl_jtree *tree = part->tree;
    const struct gl_jnode *value =
        gl_jnode_get(tree, gl_tf_into(tree, part->expression), "constant_value");

    if (depth > GL_TF_MAX_FOLLOWED || tf->steps == GL_TF_MAX_STEPS)
        return false;
    tf->steps++;
    if (answer(out, gl_jnode_text(tree, gl_tf_value_at(tree, value, part->rest)), GL_SURE_HIGH,
               "constant"))
        return true;
    return resolve_names(tf, module, part, depth, out);
}

bool gl_tf_resolve(struct gl_tf *tf, const char *module, const struct gl_jtree *tree,
                   const struct gl_jnode *expression, struct gl_tf_answer *out)
{
    tf->steps = 0;
    tf->hidden = NULL;
    return resolve(tf, module, &(struct part){tree, expression, ""}, 0, out) && tf->hidden == NULL;
}
