/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/decide.h"
#include "policy/draft.h"

#include "base/unit.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

struct waiver_draft {
    const struct gl_node *node;
    const char *rule, *target, *address, *plan, *reason, *owner, *approved_by;
    int64_t created_s, expires_s;
    const struct gl_node *cap;
};

struct waiver_file {
    struct waiver_draft *waivers;
    size_t count;
};

/* A target that names nothing would waive the rule everywhere. */
static int read_target(const struct gl_reader *reader, const struct gl_field *field,
                       const struct gl_node *node, void *slot)
{
    const char *const *globs;
    const char *text = gl_value_text(reader, field->name, node, GL_GLOB_MAX);

    if (text == NULL)
        return -1;
    if (text[strspn(text, "*?/")] == '\0')
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                           "target: \"%s\" is everything; name what the waiver is for, as in "
                           "aws/us-east-1/p4d.24xlarge",
                           text);
    globs = gl_value_globs(reader, field->name, node);
    if (globs == NULL)
        return -1;
    *(const char **)slot = globs[0];
    return 0;
}

/* Nor may an address be every one there is. */
static int read_address(const struct gl_reader *reader, const struct gl_field *field,
                        const struct gl_node *node, void *slot)
{
    const char *const *globs;
    const char *text = gl_value_text(reader, field->name, node, GL_ADDRESS_MAX);

    if (text == NULL)
        return -1;
    if (text[strspn(text, "*?./")] == '\0')
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                           "address: \"%s\" is everything; name what the waiver is for, as in "
                           "module.data.aws_instance.oracle[0]",
                           text);
    globs = gl_value_addresses(reader, field->name, node);
    if (globs == NULL)
        return -1;
    *(const char **)slot = globs[0];
    return 0;
}

/* The unit depends on the rule, which is looked up later. */
static int read_cap(const struct gl_reader *reader, const struct gl_field *field,
                    const struct gl_node *node, void *slot)
{
    if (gl_value_text(reader, field->name, node, GL_TEXT_MAX) == NULL)
        return -1;
    *(const struct gl_node **)slot = node;
    return 0;
}

static const struct gl_type type_target = {
    read_target,
    "{\"type\": \"string\", \"minLength\": 1, \"maxLength\": 128, "
    "\"pattern\": \"[^*?/]\"}",
    false};
static const struct gl_type type_address = {
    read_address,
    "{\"type\": \"string\", \"minLength\": 1, \"maxLength\": 512, "
    "\"pattern\": \"[^*?./]\"}",
    false};
static const struct gl_type type_cap = {
    read_cap, "{\"type\": \"string\", \"pattern\": \"^[$]?[0-9].*[^0-9 ]$\"}", false};

#define WAIVER(member) offsetof(struct waiver_draft, member)
static const struct gl_field waiver_fields[] = {
    {.name = "rule",
     .type = &gl_type_text,
     .offset = WAIVER(rule),
     .is_needed = true,
     .help = "Id of the one rule that is waived"},
    {.name = "target",
     .type = &type_target,
     .offset = WAIVER(target),
     .help = "What it is waived for: cloud/region/type, with * and ?"},
    {.name = "address",
     .type = &type_address,
     .offset = WAIVER(address),
     .help = "What it is waived for in a plan: its address; * is any text without a dot, ** any"},
    {.name = "plan",
     .type = &gl_type_text,
     .offset = WAIVER(plan),
     .help = "Only in plans of this name, with * and ?"},
    {.name = "reason",
     .type = &gl_type_text,
     .offset = WAIVER(reason),
     .is_needed = true,
     .help = "Why"},
    {.name = "owner",
     .type = &gl_type_text,
     .offset = WAIVER(owner),
     .is_needed = true,
     .help = "Who answers for it"},
    {.name = "approved_by",
     .type = &gl_type_text,
     .offset = WAIVER(approved_by),
     .help = "Who agreed"},
    {.name = "created",
     .type = &gl_type_time,
     .offset = WAIVER(created_s),
     .is_needed = true,
     .help = "From when it holds"},
    {.name = "expires",
     .type = &gl_type_time,
     .offset = WAIVER(expires_s),
     .is_needed = true,
     .help = "From when it no longer holds"},
    {.name = "cap",
     .type = &type_cap,
     .offset = WAIVER(cap),
     .help = "A looser limit that still holds, in the unit of one of the rule's"},
    {.name = NULL},
};
static const struct gl_form waiver_form = {.what = "a waiver", .fields = waiver_fields};

static int read_waivers(const struct gl_reader *reader, const struct gl_field *field,
                        const struct gl_node *node, void *slot)
{
    struct waiver_file *file = slot;

    if (node->kind != GL_NODE_LIST)
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                           "%s is a list, each waiver beginning with \"- \"", field->name);
    file->waivers = gl_arena_take(reader->arena, node->count * sizeof *file->waivers);
    for (const struct gl_node *item = node->first; item != NULL; item = item->next) {
        struct waiver_draft *waiver = &file->waivers[file->count];

        *waiver = (struct waiver_draft){.node = item};
        if (gl_form_read(reader, field->form, item, waiver) == 0)
            file->count++;
    }
    return 0;
}

static const struct gl_type type_waivers = {read_waivers, NULL, true};

static const struct gl_field file_fields[] = {
    {.name = "greenlaunch_waivers",
     .type = &gl_type_version,
     .is_needed = true,
     .help = "Version of this schema; the first key"},
    {.name = "waivers",
     .type = &type_waivers,
     .form = &waiver_form,
     .is_needed = true,
     .help = "Exceptions, each for one rule, one target and a limited time"},
    {.name = NULL},
};
const struct gl_form gl_waivers_form = {.what = "a waivers file", .fields = file_fields};

/* ---- one waiver against the policy ---- */

static struct gl_mark mark_of_key(const struct waiver_draft *draft, const char *key)
{
    const struct gl_node *node = gl_yaml_member(draft->node, key);

    return node != NULL ? node->mark : draft->node->mark;
}

static int fail_rule(const struct gl_policy *policy, const struct gl_reader *reader,
                     const struct waiver_draft *draft)
{
    struct gl_mark mark = mark_of_key(draft, "rule");
    char shown[GL_TEXT_SHOWN];
    const char *nearest = gl_policy_nearest_rule(policy, reader->source.diagnostics, draft->rule);

    return gl_diagnose(&reader->source, &mark, GL_E_UNKNOWN_NAME,
                       "rule: the policy has no rule \"%s\"%s%s%s",
                       gl_text_show(draft->rule, shown), nearest != NULL ? "; did you mean " : "",
                       nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
}

static int check_rule(const struct gl_policy *policy, const struct gl_reader *reader,
                      const struct waiver_draft *draft)
{
    struct gl_mark mark = mark_of_key(draft, "rule");

    if (strpbrk(draft->rule, "*?") != NULL)
        return gl_diagnose(&reader->source, &mark, GL_E_BAD_VALUE,
                           "rule: a waiver names one rule; patterns are not allowed");
    if (strchr(draft->rule, '@') != NULL)
        return gl_diagnose(&reader->source, &mark, GL_E_BAD_VALUE,
                           "rule: give the rule an id of its own; one made from its place changes "
                           "when the file does");
    if (gl_policy_rule(policy, draft->rule) == NULL)
        return fail_rule(policy, reader, draft);
    return 0;
}

static int check_target(const struct gl_reader *reader, const struct waiver_draft *draft)
{
    if (draft->target != NULL || draft->address != NULL)
        return 0;
    return gl_diagnose(&reader->source, &draft->node->mark, GL_E_BAD_VALUE,
                       "a waiver needs \"target\" or \"address\"");
}

/* "aws/us-east-1/p4d.24xlarge": an address of that form names offers too. */
static bool looks_like_target(const char *address)
{
    const char *first = strchr(address, '/');
    const char *second = first != NULL ? strchr(first + 1, '/') : NULL;

    return second != NULL && strchr(second + 1, '/') == NULL && strpbrk(address, "[]\"") == NULL &&
           address[strspn(address, "*?/")] != '\0';
}

static int check_time(const struct gl_policy *policy, const struct gl_reader *reader,
                      const struct waiver_draft *draft)
{
    const struct gl_policy_memory *memory = policy->memory;
    struct gl_mark mark = mark_of_key(draft, "expires");
    int64_t length_s = draft->expires_s - draft->created_s;

    if (length_s <= 0)
        return gl_diagnose(&reader->source, &mark, GL_E_BAD_VALUE,
                           "expires: a waiver ends after it was created");
    if (length_s > memory->max_waiver.s)
        return gl_diagnose(&reader->source, &mark, GL_E_BAD_VALUE,
                           "expires: a waiver lasts at most %" PRId64 " days (max_waiver)",
                           memory->max_waiver.s / 86400);
    return 0;
}

/* A cap loosens the first limit of the rule whose unit it has. */
static int read_cap_of(const struct gl_policy *policy, const struct gl_reader *reader,
                       const struct waiver_draft *draft, struct gl_constraint *out)
{
    const struct gl_rule *rule = gl_policy_rule(policy, draft->rule);
    struct gl_error err;

    if (draft->cap == NULL)
        return 0;
    for (size_t i = 0; i < rule->count; i++) {
        const struct gl_key *key = rule->constraints[i].key;
        int64_t number;

        gl_error_clear(&err);
        if (key->kind == GL_KIND_QUANTITY && gl_key_is_limit(key) &&
            gl_quantity_parse((enum gl_dimension)key->dim, draft->cap->text, &number, &err) == 0)
            return gl_value_read(reader, key, draft->cap, out);
    }
    return gl_diagnose(&reader->source, &draft->cap->mark, GL_E_UNIT_MISSING,
                       "cap: \"%s\" fits no limit of rule \"%s\"; write it in the unit of one",
                       draft->cap->text, rule->id);
}

static int finish(const struct gl_policy *policy, const struct gl_reader *reader,
                  const struct waiver_draft *draft, struct gl_waiver *out)
{
    int result = check_rule(policy, reader, draft);

    *out = (struct gl_waiver){
        .rule = draft->rule,
        .target = draft->target != NULL ? draft->target : "",
        .address = draft->address != NULL ? draft->address : "",
        .plan = draft->plan != NULL ? draft->plan : "",
        .reason = draft->reason,
        .owner = draft->owner,
        .approved_by = draft->approved_by != NULL ? draft->approved_by : "",
        .created = {draft->created_s},
        .expires = {draft->expires_s},
        .pos = gl_pos_of(&reader->source, &draft->node->mark),
    };
    if (draft->target == NULL && draft->address != NULL && looks_like_target(draft->address)) {
        out->target = draft->address;
        out->is_either = true;
    }
    result |= check_target(reader, draft);
    if (check_time(policy, reader, draft) || result)
        return -1;
    return read_cap_of(policy, reader, draft, &out->cap);
}

/* ---- the file ---- */

static int check_version(const struct gl_reader *reader, const struct gl_node *root)
{
    if (root->kind == GL_NODE_MAP && root->first != NULL &&
        strcmp(root->first->key, "greenlaunch_waivers") == 0)
        return 0;
    return gl_diagnose(&reader->source, &root->mark, GL_E_BAD_VALUE,
                       "the first key of a waivers file is \"greenlaunch_waivers: 1\"");
}

/* The policy's waivers and these, in a new array; the old one stays as it was. */
static void append(struct gl_policy *policy, const struct gl_waiver *more, size_t count)
{
    struct gl_policy_memory *memory = policy->memory;
    struct gl_waiver *all =
        gl_arena_take(&memory->arena, (policy->waiver_count + count) * sizeof *all);

    if (policy->waiver_count > 0)
        memcpy(all, policy->waivers, policy->waiver_count * sizeof *all);
    if (count > 0)
        memcpy(all + policy->waiver_count, more, count * sizeof *all);
    policy->waivers = all;
    policy->waiver_count += count;
}

int gl_policy_add_waivers(struct gl_policy *policy, struct gl_view text, const char *name,
                          struct gl_diagnostics *out_diagnostics)
{
    struct gl_policy_memory *memory = policy->memory;
    struct gl_reader reader = {.arena = &memory->arena};
    struct waiver_file file = {0};
    const struct gl_node *root;
    struct gl_waiver *waivers;
    struct gl_hash hash;

    memset(out_diagnostics, 0, sizeof *out_diagnostics);
    reader.source = gl_source_of(text, name, out_diagnostics);
    root = gl_yaml_read(&reader.source, reader.arena);
    if (root == NULL || check_version(&reader, root))
        return -1;
    gl_form_read(&reader, &gl_waivers_form, root, &file);
    waivers = gl_arena_take(reader.arena, file.count * sizeof *waivers);
    for (size_t i = 0; i < file.count; i++)
        finish(policy, &reader, &file.waivers[i], &waivers[i]);
    if (gl_diagnosed(out_diagnostics) > 0)
        return -1;
    append(policy, waivers, file.count);
    gl_hash_of(text.text, text.length, &hash);
    gl_policy_add_text(policy, gl_arena_text(reader.arena, name, strlen(name)), &hash);
    return 0;
}

/* Beyond its cap a waiver also waives the other limits of the rule. */
bool gl_waiver_loosens(const struct gl_policy *policy, const struct gl_waiver *waiver)
{
    const struct gl_rule *rule = gl_policy_rule(policy, waiver->rule);

    if (waiver->cap.key == NULL || rule->budget != NULL)
        return true;
    for (size_t i = 0; i < rule->count; i++) {
        const struct gl_constraint *limit = &rule->constraints[i];

        if (gl_key_is_limit(limit->key) &&
            (limit->key != waiver->cap.key || !gl_value_is_as_tight(&waiver->cap, limit)))
            return true;
    }
    return false;
}
