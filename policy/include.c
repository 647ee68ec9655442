/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/draft.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Includes are worked in first and each file once; then the file's own rules are appended, so that
 * what stands in a policy is judged after, and can only tighten, what it includes. */

static struct gl_policy_memory *memory_of(const struct gl_build *build)
{
    return build->policy->memory;
}

static struct gl_reader reader_of(struct gl_build *build, struct gl_view text, const char *name)
{
    return (struct gl_reader){.source = gl_source_of(text, name, build->diagnostics),
                              .arena = &memory_of(build)->arena};
}

/* ---- rules of one file ---- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* "max_intensity@policy.yaml:3:5" for a rule that was not named. The '@' keeps it apart from
 * written ids. */
static const char *generated_id(const struct gl_build *build, const struct gl_reader *reader,
                                const struct gl_rule_draft *draft)
{
    const char *name = base_name(reader->source.name);
    const char *key = "rule";
    char id[512];

    for (size_t i = GL_KEYS; i-- > 0;)
        if (draft->limits[i] != NULL)
            key = draft->limits[i]->key->name;
    snprintf(id, sizeof id, "%s@%.200s:%u:%u", key, name, draft->mark.line, draft->mark.column);
    if (gl_policy_rule(build->policy, id) != NULL)
        snprintf(id, sizeof id, "%s@%.300s:%u:%u", key, reader->source.name, draft->mark.line,
                 draft->mark.column);
    return gl_arena_text(reader->arena, id, strlen(id));
}

static int fail_same_id(const struct gl_reader *reader, const struct gl_rule_draft *draft,
                        const struct gl_rule *rule, bool is_same_file)
{
    const struct gl_node *id = gl_yaml_member(draft->node, "id");
    char place[GL_POS_TEXT];

    return gl_diagnose(&reader->source, id != NULL ? &id->mark : &draft->mark, GL_E_DUPLICATE_KEY,
                       "rule \"%s\" is there already: %s%s", draft->id,
                       gl_pos_text(&rule->pos, place),
                       is_same_file ? "" : "; to tighten it, add override: true");
}

static void fail_no_base(const struct gl_build *build, const struct gl_reader *reader,
                         const struct gl_rule_draft *draft)
{
    const struct gl_node *id = gl_yaml_member(draft->node, "id");
    const char *nearest = gl_policy_nearest_rule(build->policy, build->diagnostics, draft->id);

    gl_diagnose(&reader->source, id != NULL ? &id->mark : &draft->mark, GL_E_UNKNOWN_NAME,
                "override: no included rule has the id \"%s\"%s%s%s", draft->id,
                nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
                nearest != NULL ? "?" : "");
}

/* What a file calls itself, else its name. */
static const char *id_of(const struct gl_file_draft *file, const struct gl_reader *reader)
{
    const char *name = base_name(reader->source.name);

    return file->id != NULL ? file->id : gl_arena_text(reader->arena, name, strlen(name));
}

static bool has_account(const struct gl_rule_draft *draft)
{
    return draft->budget != NULL &&
           (draft->budget->limit.key != NULL || draft->budget->money.key != NULL);
}

/* Its account is named by policy and rule. Names that are made up of a file's name and lines would
 * be shared by chance, or begin it anew when something moves. */
static void check_account(const struct gl_reader *reader, const struct gl_file_draft *file,
                          const struct gl_rule_draft *draft)
{
    const char *name = base_name(reader->source.name);

    if (!has_account(draft))
        return;
    if (file->id == NULL)
        gl_diagnose(&reader->source, &draft->mark, GL_E_BAD_VALUE,
                    "a budget is kept under the id of its policy: write id: NAME at the top of "
                    "this file%s%.100s%s",
                    gl_is_id(name) ? " (id: " : "", gl_is_id(name) ? name : "",
                    gl_is_id(name) ? " goes on with what was charged so far)" : "");
    if (gl_yaml_member(draft->node, "id") == NULL)
        gl_diagnose(&reader->source, &draft->mark, GL_E_BAD_VALUE,
                    "a budget is kept under the id of its rule: write id: NAME");
}

/* An override that brings the budget leaves it under the id of the file that wrote the rule. */
static void check_added_account(const struct gl_reader *reader, const struct gl_rule *rule,
                                const struct gl_rule_draft *draft)
{
    bool had_account = rule->budget != NULL && gl_budget_has_account(rule->budget);

    if (had_account || rule->policy != NULL || !has_account(draft))
        return;
    gl_diagnose(&reader->source, &draft->mark, GL_E_BAD_VALUE,
                "a budget is kept under the id of the policy that wrote its rule, and the file "
                "that wrote \"%s\" has none: write id: NAME at the top of that file, or give this "
                "budget to a rule of its own here",
                rule->id);
}

static void add_new_rule(struct gl_build *build, const struct gl_reader *reader,
                         const struct gl_file_draft *file, const struct gl_rule_draft *draft)
{
    struct gl_rule *rule;

    check_account(reader, file, draft);
    gl_rule_add(build->policy, reader, draft, &file->defaults);
    rule = gl_policy_rule(build->policy, draft->id);
    if (rule != NULL)
        rule->policy = file->id;
}

static void tighten_rule(const struct gl_reader *reader, struct gl_rule *rule,
                         const struct gl_rule_draft *draft)
{
    check_added_account(reader, rule, draft);
    gl_rule_override(reader, rule, draft);
}

/* `is_complete`: all includes were read, so that an id they lack is an error. */
static void add_rule(struct gl_build *build, const struct gl_reader *reader,
                     const struct gl_file_draft *file, struct gl_rule_draft *draft,
                     bool is_complete)
{
    struct gl_rule *rule;
    bool is_same_file;

    if (draft->id == NULL)
        draft->id = generated_id(build, reader, draft);
    rule = gl_policy_rule(build->policy, draft->id);
    is_same_file = rule != NULL && strcmp(rule->pos.file, reader->source.name) == 0;
    if (rule != NULL && (is_same_file || !draft->is_override))
        fail_same_id(reader, draft, rule, is_same_file);
    else if (rule != NULL)
        tighten_rule(reader, rule, draft);
    else if (!draft->is_override)
        add_new_rule(build, reader, file, draft);
    else if (is_complete)
        fail_no_base(build, reader, draft);
}

/* ---- how long waivers may last ---- */

/* The shortest time that the included files allow; the built-in one when there are none. */
static struct gl_waiver_limit included_limit(const struct gl_build *build, const size_t *included,
                                             size_t count)
{
    struct gl_waiver_limit least = {.s = GL_MAX_WAIVER_S};

    for (size_t i = 0; i < count; i++) {
        const struct gl_waiver_limit *limit = &memory_of(build)->texts[included[i]].max_waiver;

        if (i == 0 || limit->s < least.s)
            least = *limit;
    }
    return least;
}

/* What a file says itself; it may not be longer than what its includes allow. */
static struct gl_waiver_limit own_limit(const struct gl_reader *reader,
                                        const struct gl_file_draft *file,
                                        const struct gl_waiver_limit *included)
{
    const struct gl_node *node = gl_yaml_member(file->node, "max_waiver");
    char place[GL_POS_TEXT] = "built in";

    if (file->max_waiver_s == GL_UNKNOWN)
        return *included;
    if (file->include_count == 0 || file->max_waiver_s <= included->s)
        return (struct gl_waiver_limit){file->max_waiver_s,
                                        gl_pos_of(&reader->source, &node->mark)};
    if (included->pos.file[0] != '\0')
        gl_pos_text(&included->pos, place);
    gl_diagnose(&reader->source, &node->mark, GL_E_LOOSENS,
                "max_waiver: %s is longer than what is included allows: %" PRId64 " h (%s)",
                node->text, included->s / 3600, place);
    return *included;
}

/* ---- files ---- */

/* The index of a text that was read before, SIZE_MAX when it was not. */
static size_t find_text(const struct gl_build *build, const char *name)
{
    struct gl_policy_memory *memory = memory_of(build);

    for (size_t i = 0; i < memory->text_count; i++)
        if (strcmp(memory->texts[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

static int check_pin(const struct gl_reader *reader, const struct gl_include_draft *include,
                     const struct gl_hash *hash)
{
    struct gl_error err = {0};
    struct gl_hash pin;
    char hex[GL_HASH_HEX];

    if (include->sha256 == NULL)
        return 0;
    if (gl_hex_parse(include->sha256, pin.bytes, sizeof pin.bytes, &err))
        return gl_diagnose(&reader->source, &include->mark, GL_E_BAD_VALUE,
                           "sha256 is 64 hexadecimal digits, letters in lower case");
    if (gl_hash_equal(&pin, hash))
        return 0;
    return gl_diagnose(&reader->source, &include->mark, GL_E_INCLUDE,
                       "\"%s\" is not the pinned file: its sha256 is %s", include->file,
                       gl_hash_hex(hash, hex));
}

/* Fetch the text of an include. */
static int load(struct gl_build *build, const struct gl_reader *reader,
                const struct gl_include_draft *include, struct gl_view *out_text,
                const char **out_name)
{
    struct gl_error err = {0};
    const char *name = NULL;

    if (build->loader == NULL)
        return gl_diagnose(&reader->source, &include->mark, GL_E_INCLUDE,
                           "includes are not possible here");
    if (build->include_count == GL_POLICY_MAX_INCLUDES)
        return gl_diagnose(&reader->source, &include->mark, GL_E_INCLUDE,
                           "more than %d includes in all", GL_POLICY_MAX_INCLUDES);
    build->include_count++;
    if (build->loader->load(build->loader->cookie, reader->source.name, include->file, out_text,
                            &name, &err))
        return gl_diagnose(&reader->source, &include->mark, err.code, "include: %s", err.text);
    *out_name = gl_arena_text(reader->arena, name, strlen(name));
    return 0;
}

/* The way round: what is open from the file that is met again on. */
static int fail_loop(struct gl_build *build, const struct gl_reader *reader,
                     const struct gl_include_draft *include, size_t from)
{
    GL_AUTO(gl_str_done) struct gl_str way = {0};
    const struct gl_policy_memory *memory = memory_of(build);

    for (size_t i = from; i < memory->text_count; i++)
        if (memory->texts[i].is_open)
            gl_str_addf(&way, "%s > ", memory->texts[i].name);
    return gl_diagnose(&reader->source, &include->mark, GL_E_INCLUDE, "includes go round: %s%s",
                       gl_str_text(&way), memory->texts[from].name);
}

/* A file that was read before: fine once more, unless it is still open or has changed since. */
static int check_again(struct gl_build *build, const struct gl_reader *reader,
                       const struct gl_include_draft *include, size_t index,
                       const struct gl_hash *hash)
{
    const struct gl_policy_text *seen = &memory_of(build)->texts[index];

    if (seen->is_open)
        return fail_loop(build, reader, include, index);
    if (!gl_hash_equal(&seen->hash, hash))
        return gl_diagnose(&reader->source, &include->mark, GL_E_INCLUDE,
                           "\"%s\" changed while it was read", seen->name);
    return 0;
}

static int add_include(struct gl_build *build, const struct gl_reader *reader,
                       const struct gl_include_draft *include, size_t *out_index)
{
    struct gl_view text;
    struct gl_hash hash;
    const char *name = NULL;
    size_t seen;

    if (load(build, reader, include, &text, &name))
        return -1;
    gl_hash_of(text.text, text.length, &hash);
    if (check_pin(reader, include, &hash))
        return -1;
    seen = find_text(build, name);
    if (seen != SIZE_MAX) {
        *out_index = seen;
        return check_again(build, reader, include, seen, &hash);
    }
    *out_index = memory_of(build)->text_count;
    gl_include_text(build, text, name);
    return 0;
}

/* Work in all includes of a file; returns what they allow waivers. */
static struct gl_waiver_limit add_includes(struct gl_build *build, const struct gl_reader *reader,
                                           const struct gl_file_draft *file)
{
    size_t included[GL_POLICY_MAX_INCLUDES];
    size_t count = 0;

    for (size_t i = 0; i < file->include_count; i++) {
        size_t index;

        if (add_include(build, reader, &file->includes[i], &index) == 0)
            included[count++] = index;
    }
    return included_limit(build, included, count);
}

void gl_include_text(struct gl_build *build, struct gl_view text, const char *name)
{
    struct gl_reader reader = reader_of(build, text, name);
    const struct gl_file_draft *file;
    struct gl_waiver_limit limit;
    struct gl_hash hash;
    size_t index, errors;
    bool is_complete;

    gl_hash_of(text.text, text.length, &hash);
    index = gl_policy_add_text(build->policy, name, &hash);
    file = gl_draft_read(&reader);
    if (file == NULL)
        return;
    errors = gl_diagnosed(build->diagnostics);
    memory_of(build)->texts[index].is_open = true;
    limit = add_includes(build, &reader, file);
    limit = own_limit(&reader, file, &limit);
    memory_of(build)->texts[index].is_open = false;
    memory_of(build)->texts[index].max_waiver = limit;
    is_complete = gl_diagnosed(build->diagnostics) == errors;
    for (size_t i = 0; i < file->rule_count; i++)
        add_rule(build, &reader, file, &file->rules[i], is_complete);
    if (index == 0) {
        build->policy->id = id_of(file, &reader);
        memory_of(build)->max_waiver = limit;
    }
}
