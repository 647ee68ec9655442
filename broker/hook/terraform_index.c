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

static const char *step_name(const struct step *step, struct gl_arena *arena)
{
    const char *end = step->key != NULL ? step->key : step->end;

    return gl_arena_text(arena, step->start, (size_t)(end - step->start));
}

bool gl_tf_address_parse(const char *text, struct gl_arena *arena, struct gl_tf_address *out)
{
    GL_AUTO(gl_str_done) struct gl_str module = {0};
    const char *at = text, *module_end = text;
    struct step step;

    *out = (struct gl_tf_address){.key = ""};
    while (next_step(&at, &step) && step_is(&step, "module")) {
        if (!next_step(&at, &step))
            return false;
        gl_str_add(&module, module.length > 0 ? ".module." : "module.");
        gl_str_add(&module, step_name(&step, arena));
        module_end = step.end;
    }
    out->module = gl_arena_text(arena, gl_str_text(&module), module.length);
    out->instance = gl_arena_text(arena, text, (size_t)(module_end - text));
    if (step_is(&step, "data")) {
        out->is_data = true;
        if (!next_step(&at, &step))
            return false;
    }
    if (step.end == step.start || step.key != NULL)
        return false;
    out->type = step_name(&step, arena);
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
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    /* Once a resource and once a reference: not worth a format each. */
    gl_str_add(&text, module);
    gl_str_add(&text, is_data ? "|data." : "|");
    gl_str_add(&text, type);
    gl_str_add(&text, ".");
    gl_str_add(&text, name);
    return gl_arena_text(arena, gl_str_text(&text), text.length);
}
