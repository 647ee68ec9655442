/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gl_policy *gl_policy_new(void)
{
    struct gl_policy *policy = gl_alloc(sizeof *policy);
    struct gl_policy_memory *memory = gl_alloc(sizeof *memory);

    memory->max_waiver.s = GL_MAX_WAIVER_S;
    policy->memory = memory;
    policy->id = "";
    return policy;
}

void gl_policy_free(struct gl_policy *policy)
{
    struct gl_policy_memory *memory;

    if (policy == NULL)
        return;
    memory = policy->memory;
    gl_arena_done(&memory->arena);
    free(memory);
    free(policy);
}

size_t gl_policy_add_text(struct gl_policy *policy, const char *name, const struct gl_hash *hash)
{
    struct gl_policy_memory *memory = policy->memory;
    GL_AUTO(gl_str_done) struct gl_str all = {0};

    memory->texts =
        gl_arena_grow(&memory->arena, memory->texts, memory->text_count, sizeof *memory->texts);
    memory->texts[memory->text_count++] = (struct gl_policy_text){.name = name, .hash = *hash};
    for (size_t i = 0; i < memory->text_count; i++)
        gl_str_add_bytes(&all, memory->texts[i].hash.bytes, sizeof memory->texts[i].hash.bytes);
    gl_hash_of(all.text, all.length, &policy->digest);
    return memory->text_count - 1;
}

struct gl_policy *gl_policy_parse(struct gl_view text, const char *name,
                                  const struct gl_policy_loader *loader,
                                  struct gl_diagnostics *out_diagnostics)
{
    struct gl_policy *policy = gl_policy_new();
    struct gl_policy_memory *memory = policy->memory;
    struct gl_build build = {.policy = policy, .loader = loader, .diagnostics = out_diagnostics};
    struct gl_source source;

    memset(out_diagnostics, 0, sizeof *out_diagnostics);
    gl_include_text(&build, text, gl_arena_text(&memory->arena, name, strlen(name)));
    source = gl_source_of(text, name, out_diagnostics);
    if (gl_diagnosed(out_diagnostics) == 0 && policy->rule_count == 0)
        gl_diagnose(&source, NULL, GL_E_BAD_VALUE,
                    "no rules, so everything would be allowed; write at least one");
    if (gl_diagnosed(out_diagnostics) == 0)
        return policy;
    gl_policy_free(policy);
    return NULL;
}

/* ---- rules from command line flags ---- */

/* "max_intensity" as people type it: "--max-intensity". */
static const char *flag_name(struct gl_arena *arena, const char *key)
{
    char name[64];
    char *copy;

    snprintf(name, sizeof name, "--%s", key);
    copy = gl_arena_text(arena, name, strlen(name));
    for (char *at = copy; *at != '\0'; at++)
        if (*at == '_')
            *at = '-';
    return copy;
}

/* A flag's text as a node; "a,b" is a list where the key takes one. */
static const struct gl_node *node_of_flag(struct gl_arena *arena, const struct gl_key *key,
                                          const char *text)
{
    struct gl_node *node = gl_arena_take(arena, sizeof *node);
    struct gl_node *last = NULL;

    node->text = gl_arena_text(arena, text, strlen(text));
    if (key->kind != GL_KIND_GLOBS)
        return node;
    node->kind = GL_NODE_LIST;
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");
        struct gl_node *item = gl_arena_take(arena, sizeof *item);

        item->text = gl_arena_text(arena, at, length);
        *(last != NULL ? &last->next : &node->first) = item;
        last = item;
        node->count++;
        at += length;
        if (*at == '\0')
            return node;
    }
}

/* The same limits give the same text, however they were written and in whatever order. */
static void hash_flags(const struct gl_rule_draft *draft, struct gl_hash *out)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_addf(&text, "greenlaunch flags 1\n%s\n", draft->id);
    if (draft->on_unknown != GL_NOT_WRITTEN)
        gl_str_addf(&text, "on_unknown %s\n", gl_on_unknown_words[draft->on_unknown]);
    for (size_t id = 0; id < GL_KEYS; id++) {
        const struct gl_constraint *limit = draft->limits[id];

        if (limit != NULL && limit->globs != NULL)
            gl_str_addf(&text, "%s %s\n", limit->key->name, limit->written);
        else if (limit != NULL)
            gl_str_addf(&text, "%s %lld\n", limit->key->name, (long long)limit->number);
    }
    gl_hash_of(text.text, text.length, out);
}

static int read_flag(struct gl_reader *reader, const char *name, const char *text,
                     struct gl_rule_draft *draft)
{
    const struct gl_key *key = gl_key_named(name);
    struct gl_constraint *made = gl_arena_take(reader->arena, sizeof *made);
    const struct gl_node plain = {.text = text, .is_plain = true};

    reader->source.name = flag_name(reader->arena, name);
    if (strcmp(name, "on_unknown") == 0) {
        draft->on_unknown = gl_value_word(reader, name, &plain, gl_on_unknown_words);
        return draft->on_unknown < 0 ? -1 : 0;
    }
    if (key == NULL)
        return gl_diagnose(&reader->source, NULL, GL_E_UNKNOWN_KEY, "unknown key \"%s\"", name);
    if (draft->limits[key->id] != NULL)
        return gl_diagnose(&reader->source, NULL, GL_E_DUPLICATE_KEY, "given twice");
    if (gl_value_read(reader, key, node_of_flag(reader->arena, key, text), made))
        return -1;
    draft->limits[key->id] = made;
    return 0;
}

/* A free id: a file's rule of that name keeps it, because waivers name it. */
static const char *free_id(const struct gl_policy *policy, struct gl_arena *arena, const char *id)
{
    size_t length = strlen(id);

    if (gl_policy_rule(policy, id) != NULL) {
        char *longer = gl_arena_take(arena, length + 3);

        memcpy(longer, "--", 2);
        memcpy(longer + 2, id, length);
        return longer;
    }
    return gl_arena_text(arena, id, length);
}

static int add_flags(struct gl_policy *policy, const char *rule_id, const char *const *limits,
                     struct gl_diagnostics *diagnostics)
{
    static const struct gl_node none = {.kind = GL_NODE_MAP, .text = ""};
    struct gl_policy_memory *memory = policy->memory;
    struct gl_reader reader = {.arena = &memory->arena};
    struct gl_rule_draft draft = {.node = &none,
                                  .level = GL_NOT_WRITTEN,
                                  .on_unknown = GL_NOT_WRITTEN,
                                  .count_basis = GL_NOT_WRITTEN,
                                  .enforce_from_s = GL_UNKNOWN};
    struct gl_hash hash;

    reader.source = gl_source_of((struct gl_view){"", 0}, "the command line", diagnostics);
    draft.id = free_id(policy, &memory->arena, rule_id);
    for (; limits[0] != NULL; limits += 2)
        if (read_flag(&reader, limits[0], limits[1], &draft))
            return -1;
    reader.source.name = "the command line";
    if (gl_policy_rule(policy, draft.id) != NULL)
        return gl_diagnose(&reader.source, NULL, GL_E_DUPLICATE_KEY, "rule \"%s\" is there already",
                           draft.id);
    if (gl_rule_add(policy, &reader, &draft, NULL))
        return -1;
    hash_flags(&draft, &hash);
    gl_policy_add_text(policy, "the command line", &hash);
    return 0;
}

struct gl_policy *gl_policy_with_flags(struct gl_policy *policy, const char *rule_id,
                                       const char *const *limits, struct gl_error *err)
{
    struct gl_policy *target = policy != NULL ? policy : gl_policy_new();
    struct gl_diagnostics *diagnostics;
    int result;

    if (limits == NULL || limits[0] == NULL)
        return target;
    diagnostics = gl_alloc(sizeof *diagnostics);
    result = add_flags(target, rule_id, limits, diagnostics);
    if (result)
        gl_fail_at(err, diagnostics->errors[0].code, &diagnostics->errors[0].pos, "%s",
                   diagnostics->errors[0].text);
    free(diagnostics);
    if (result == 0)
        return target;
    if (policy == NULL)
        gl_policy_free(target);
    return NULL;
}
