/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/terraform_part.h"

#include <string.h>

/* Behind the bracket that closes the one at `at`; brackets in quotes are text. */
static const char *key_end(const char *at)
{
    bool is_quoted = false;

    for (at++; *at != '\0' && (is_quoted || *at != ']'); at++) {
        if (is_quoted && *at == '\\' && at[1] != '\0')
            at++;
        else if (*at == '"')
            is_quoted = !is_quoted;
    }
    return *at == ']' ? at + 1 : at;
}

/* End of one step, "name" or "name[key]". */
static const char *step_end(const char *at, const char **out_key)
{
    at += strcspn(at, ".[");
    *out_key = *at == '[' ? at : NULL;
    return *out_key != NULL ? key_end(at) : at;
}

struct step {
    const char *start, *key, *end; /* key NULL = none */
};

static bool next_step(const char **at, struct step *out)
{
    out->start = *at;
    out->end = step_end(*at, &out->key);
    *at = *out->end == '.' ? out->end + 1 : out->end;
    return out->end != out->start;
}

static bool step_is(const struct step *step, const char *word)
{
    return strncmp(step->start, word, strlen(word)) == 0 && step->start + strlen(word) == step->end;
}

static size_t name_length(const struct step *step)
{
    return (size_t)((step->key != NULL ? step->key : step->end) - step->start);
}

static const char *step_name(const struct step *step, struct gl_arena *arena)
{
    return gl_arena_text(arena, step->start, name_length(step));
}

bool gl_tf_address_parse(const char *text, struct gl_arena *arena, struct gl_tf_address *out)
{
    char *module = gl_arena_take(arena, strlen(text) + 1); /* shorter than the whole */
    const char *at = text, *module_end = text, *start;
    struct step step;

    *out = (struct gl_tf_address){.module = module, .key = ""};
    while (next_step(&at, &step) && step_is(&step, "module")) {
        if (!next_step(&at, &step))
            return false;
        module = stpcpy(module, module_end > text ? ".module." : "module.");
        module = mempcpy(module, step.start, name_length(&step));
        module_end = step.end;
    }
    out->instance = gl_arena_text(arena, text, (size_t)(module_end - text));
    start = step.start;
    if (step_is(&step, "data") || step_is(&step, "ephemeral")) {
        out->is_data = true;
        if (step_is(&step, "data"))
            start = at;
        if (!next_step(&at, &step))
            return false;
    }
    if (step.end == step.start || step.key != NULL)
        return false;
    out->type = gl_arena_text(arena, start, (size_t)(step.end - start));
    if (!next_step(&at, &step))
        return false;
    out->name = step_name(&step, arena);
    if (step.key != NULL)
        out->key = gl_arena_text(arena, step.key, (size_t)(step.end - step.key));
    return *at == '\0' && *out->name != '\0';
}

const char *gl_tf_name(struct gl_tf *tf, const char *text)
{
    return gl_reader_name(&tf->plan->arena, &tf->names, text);
}

const char *gl_tf_block_name(struct gl_arena *arena, const char *module, const char *type,
                             const char *name, bool is_data)
{
    return GL_READER_JOIN(arena, module, is_data ? "|data." : "|", type, ".", name);
}

/* ---- resources by name ---- */

/* How others find it: by its block, and by what it says of itself. */
static void index_resource(struct gl_tf *tf, size_t number)
{
    static const char *const names[] = {"id", "name", "arn", "self_link"};
    const struct gl_tf_resource *resource = &tf->resources[number];
    const struct gl_tf_address *parts = &resource->parts;
    const struct gl_jtree *tree = resource->after->count > 0 ? resource->after : resource->before;

    gl_reader_index_add(
        &tf->by_block,
        gl_tf_block_name(&tf->work, parts->module, parts->type, parts->name, parts->is_data),
        number);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *text = gl_jnode_text(tree, gl_jnode_get(tree, gl_jtree_root(tree), names[i]));

        if (text != NULL && *text != '\0')
            gl_reader_index_add(&tf->by_value, GL_READER_JOIN(&tf->work, parts->type, "|", text),
                                number);
    }
}

bool gl_tf_next_resource(struct gl_tf *tf, const struct gl_reader_index *index, const char *name,
                         size_t *cursor, size_t *out_number)
{
    while (tf->indexed_count < tf->resource_count)
        index_resource(tf, tf->indexed_count++);
    return gl_reader_index_next(index, name, cursor, out_number);
}
