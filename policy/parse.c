/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/draft.h"

#include <stddef.h>
#include <string.h>

#define VCPUS_MAX 1000000

const char *const gl_level_words[] = {"advisory", "soft", "hard", NULL};
const char *const gl_on_unknown_words[] = {"refuse", "assume-worst", "warn", "allow", NULL};

const char *gl_level_word(enum gl_level level)
{
    return (unsigned)level <= GL_HARD ? gl_level_words[level] : "unknown";
}

const char *gl_on_unknown_word(enum gl_on_unknown what)
{
    return (unsigned)what <= GL_UNKNOWN_ALLOW ? gl_on_unknown_words[what] : "unknown";
}

/* ---- match and exclude ---- */

static int read_vcpus(const struct gl_reader *reader, const struct gl_field *field,
                      const struct gl_node *node, void *slot)
{
    struct gl_constraint made;

    (void)field;
    if (gl_value_read(reader, gl_key_named("min_vcpus"), node, &made))
        return -1;
    if (made.number > VCPUS_MAX * INT64_C(1000000))
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE, "min_vcpus is at most %d",
                           VCPUS_MAX);
    *(uint32_t *)slot = (uint32_t)(made.number / 1000000);
    return 0;
}

static int read_accelerator(const struct gl_reader *reader, const struct gl_field *field,
                            const struct gl_node *node, void *slot)
{
    const char *text = gl_value_text(reader, field->name, node, GL_TEXT_MAX);

    if (text == NULL)
        return -1;
    if (strcmp(text, "true") != 0 && strcmp(text, "*") != 0)
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                           "accelerator is true or \"*\": the rule is for types that have one");
    *(bool *)slot = true;
    return 0;
}

/* {env: prod} to "env=prod"; all of them must be on the request. */
static int read_tags(const struct gl_reader *reader, const struct gl_field *field,
                     const struct gl_node *node, void *slot)
{
    const char **tags;
    size_t count = 0;
    int result = 0;

    if (node->kind != GL_NODE_MAP || node->count == 0)
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                           "%s is a map, as in {env: prod}", field->name);
    tags = gl_arena_take(reader->arena, (node->count + 1) * sizeof *tags);
    for (const struct gl_node *tag = node->first; tag != NULL; tag = tag->next) {
        const char *text = gl_value_text(reader, field->name, tag, GL_GLOB_MAX);
        GL_AUTO(gl_str_done) struct gl_str joined = {0};

        if (text == NULL) {
            result = -1;
            continue;
        }
        gl_str_addf(&joined, "%s=%s", tag->key, text);
        tags[count++] = gl_arena_text(reader->arena, joined.text, joined.length);
    }
    *(const char *const **)slot = tags;
    return result;
}

/* One word or a list of them to bits. */
static int read_words(const struct gl_reader *reader, const struct gl_field *field,
                      const struct gl_node *node, void *slot)
{
    bool is_list = node->kind == GL_NODE_LIST;
    const struct gl_node *item = is_list ? node->first : node;
    uint32_t bits = 0;

    if (is_list && item == NULL)
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE, "%s is an empty list",
                           field->name);
    for (; item != NULL; item = is_list ? item->next : NULL) {
        int word = gl_value_word(reader, field->name, item, field->words);

        if (word < 0)
            return -1;
        bits |= (uint32_t)1 << word;
    }
    *(uint32_t *)slot = bits;
    return 0;
}

/* {plan: advisory, launch: hard} */
static int read_points(const struct gl_reader *reader, const struct gl_field *field,
                       const struct gl_node *node, void *slot)
{
    int levels[GL_GATES];

    for (size_t i = 0; i < GL_GATES; i++)
        levels[i] = GL_NOT_WRITTEN;
    if (gl_form_read(reader, field->form, node, levels))
        return -1;
    for (size_t i = 0; i < GL_GATES; i++)
        ((uint8_t *)slot)[i] = (uint8_t)(levels[i] + 1);
    return 0;
}

static const struct gl_type type_words = {read_words, NULL, false};
static const struct gl_type type_points = {read_points, NULL, false};

static const struct gl_type type_vcpus = {
    read_vcpus, "{\"type\": [\"integer\", \"string\"], \"minimum\": 0, \"pattern\": \"^[0-9]+$\"}",
    false};
static const struct gl_type type_accelerator = {read_accelerator, "{\"enum\": [true, \"*\"]}",
                                                false};
static const struct gl_type type_tags = {
    read_tags,
    "{\"type\": \"object\", \"minProperties\": 1, "
    "\"additionalProperties\": {\"type\": \"string\", \"minLength\": 1}}",
    false};

#define MATCH(member) offsetof(struct gl_match, member)
static const struct gl_field match_fields[] = {
    {.name = "cloud", .type = &gl_type_globs, .offset = MATCH(clouds), .help = "Clouds"},
    {.name = "region", .type = &gl_type_globs, .offset = MATCH(regions), .help = "Regions"},
    {.name = "type",
     .type = &gl_type_globs,
     .offset = MATCH(types),
     .help = "Types of machines, as in m7g.*, or of resources in a plan, as in aws_*"},
    {.name = "resource",
     .type = &gl_type_globs,
     .offset = MATCH(resources),
     .help = "Types of resources in a plan alone, as in aws_instance"},
    {.name = "address",
     .type = &gl_type_addresses,
     .offset = MATCH(addresses),
     .help = "Addresses in a plan; * is any text without a dot, ** any text"},
    {.name = "role",
     .type = &type_words,
     .offset = MATCH(roles),
     .words = gl_match_roles,
     .help = "What a resource is to electricity; a launch by hand is a launch"},
    {.name = "action",
     .type = &type_words,
     .offset = MATCH(actions),
     .words = gl_match_actions,
     .help = "What a plan does with it; a launch by hand is a create"},
    {.name = "tag",
     .type = &type_tags,
     .offset = MATCH(tags),
     .help = "Tags of the request, all of them"},
    {.name = "min_vcpus",
     .type = &type_vcpus,
     .offset = MATCH(min_vcpus),
     .help = "Types with at least so many virtual CPUs"},
    {.name = "accelerator",
     .type = &type_accelerator,
     .offset = MATCH(needs_gpu),
     .help = "Types with an accelerator"},
    {.name = NULL},
};
static const struct gl_form match_form = {.what = "match", .fields = match_fields};
static const struct gl_form exclude_form = {.what = "exclude", .fields = match_fields};

/* ---- rules ---- */

static bool takes_any(const struct gl_key *key)
{
    (void)key;
    return true;
}

#define POINT(point) ((point) * sizeof(int))
#define POINT_FIELD(point, name_, help_)                                                         \
    {                                                                                            \
        .name = (name_), .type = &gl_type_word, .offset = POINT(point), .words = gl_level_words, \
        .help = (help_)                                                                          \
    }
static const struct gl_field points_fields[] = {
    POINT_FIELD(GL_AT_PLAN, "plan", "Level when a plan is judged"),
    POINT_FIELD(GL_AT_APPLY, "apply", "Level when a plan is judged again before it is applied"),
    POINT_FIELD(GL_AT_LAUNCH, "launch", "Level of launches by this program"),
    POINT_FIELD(GL_AT_ADMISSION, "admission", "Level when a cluster asks"),
    POINT_FIELD(GL_AT_MIGRATE, "migrate", "Level when something running is moved"),
    {.name = NULL},
};
static const struct gl_form points_form = {.what = "points", .fields = points_fields};

static const struct gl_field no_fields[] = {{.name = NULL}};
static const struct gl_form require_form = {
    .what = "require", .fields = no_fields, .takes = takes_any};

#define RULE(member) offsetof(struct gl_rule_draft, member)
static const struct gl_field rule_fields[] = {
    {.name = "id",
     .type = &gl_type_id,
     .offset = RULE(id),
     .help = "Name of the rule, for waivers and messages"},
    {.name = "description",
     .type = &gl_type_text,
     .offset = RULE(description),
     .help = "What the rule is for"},
    {.name = "match",
     .type = &gl_type_form,
     .offset = RULE(match),
     .form = &match_form,
     .help = "Which offers the rule is for; all when absent"},
    {.name = "exclude",
     .type = &gl_type_form,
     .offset = RULE(exclude),
     .form = &exclude_form,
     .help = "Which of them it is not for"},
    {.name = "require",
     .type = &gl_type_form,
     .offset = RULE(limits),
     .form = &require_form,
     .help = "The limits, all of which must hold; may also stand in the rule itself"},
    {.name = "level",
     .type = &gl_type_word,
     .offset = RULE(level),
     .words = gl_level_words,
     .help = "advisory only reports, soft and hard refuse"},
    {.name = "points",
     .type = &type_points,
     .offset = RULE(points),
     .form = &points_form,
     .help = "Another level where the rule is asked; `level` where it does not say"},
    {.name = "count_basis",
     .type = &gl_type_word,
     .offset = RULE(count_basis),
     .words = gl_count_basis_words,
     .help = "How many of a group count: those it has now, typically or at worst"},
    {.name = "budget",
     .type = &gl_type_budget,
     .offset = RULE(budget),
     .form = &gl_budget_form,
     .help = "What changes and launches may add up to"},
    {.name = "on_unknown",
     .type = &gl_type_word,
     .offset = RULE(on_unknown),
     .words = gl_on_unknown_words,
     .help = "What happens when the evidence is not known"},
    {.name = "enforce_from",
     .type = &gl_type_time,
     .offset = RULE(enforce_from_s),
     .help = "Before this date or time the rule is advisory"},
    {.name = "message",
     .type = &gl_type_text,
     .offset = RULE(message),
     .help = "Shown with a refusal"},
    {.name = "override",
     .type = &gl_type_bool,
     .offset = RULE(is_override),
     .help = "The rule tightens an included one of the same id"},
    {.name = NULL},
};
static const struct gl_form rule_form = {
    .what = "a rule", .fields = rule_fields, .takes = takes_any, .limits = RULE(limits)};

static int check_rule(const struct gl_reader *reader, const struct gl_rule_draft *rule)
{
    const struct gl_node *exclude = gl_yaml_member(rule->node, "exclude");

    if (exclude != NULL && exclude->kind == GL_NODE_MAP && exclude->count == 0)
        return gl_diagnose(&reader->source, &exclude->key_mark, GL_E_BAD_VALUE,
                           "an empty exclude would exclude everything; leave it out");
    return 0;
}

static int read_rules(const struct gl_reader *reader, const struct gl_field *field,
                      const struct gl_node *node, void *slot)
{
    struct gl_file_draft *file = slot;

    if (node->kind != GL_NODE_LIST)
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                           "%s is a list, each rule beginning with \"- \"", field->name);
    file->rules = gl_arena_take(reader->arena, node->count * sizeof *file->rules);
    for (const struct gl_node *item = node->first; item != NULL; item = item->next) {
        struct gl_rule_draft *rule = &file->rules[file->rule_count];

        *rule = (struct gl_rule_draft){.node = item,
                                       .mark = item->mark,
                                       .level = GL_NOT_WRITTEN,
                                       .on_unknown = GL_NOT_WRITTEN,
                                       .count_basis = GL_NOT_WRITTEN,
                                       .enforce_from_s = GL_UNKNOWN};
        /* A rule with an error in it is not worked in: that would only cause more errors. */
        if (gl_form_read(reader, field->form, item, rule) == 0 && check_rule(reader, rule) == 0)
            file->rule_count++;
    }
    return 0;
}

static const struct gl_type type_rules = {read_rules, NULL, true};

/* ---- the file ---- */

#define INCLUDE(member) offsetof(struct gl_include_draft, member)
static const struct gl_field include_fields[] = {
    {.name = "file",
     .type = &gl_type_text,
     .offset = INCLUDE(file),
     .is_needed = true,
     .help = "Path, relative to this file"},
    {.name = "sha256",
     .type = &gl_type_text,
     .offset = INCLUDE(sha256),
     .help = "What the file's SHA-256 must be, 64 hexadecimal digits"},
    {.name = NULL},
};
static const struct gl_form include_form = {.what = "an include", .fields = include_fields};

static int read_include(const struct gl_reader *reader, const struct gl_node *node,
                        struct gl_include_draft *out)
{
    out->mark = node->mark;
    if (node->kind == GL_NODE_SCALAR)
        return include_fields[0].type->read(reader, &include_fields[0], node, &out->file);
    return gl_form_read(reader, &include_form, node, out);
}

static int read_includes(const struct gl_reader *reader, const struct gl_field *field,
                         const struct gl_node *node, void *slot)
{
    struct gl_file_draft *file = slot;
    bool is_list = node->kind == GL_NODE_LIST;
    const struct gl_node *item = is_list ? node->first : node;
    int result = 0;

    (void)field;
    file->includes = gl_arena_take(reader->arena, (node->count + 1) * sizeof *file->includes);
    for (; item != NULL; item = is_list ? item->next : NULL) {
        struct gl_include_draft *include = &file->includes[file->include_count];

        if (read_include(reader, item, include))
            result = -1;
        else
            file->include_count++;
    }
    return result;
}

static const struct gl_type type_includes = {
    read_includes,
    "{\"type\": [\"string\", \"object\", \"array\"], \"items\": {\"oneOf\": [{\"type\": "
    "\"string\"},"
    " {\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"file\"], "
    "\"properties\": {\"file\": {\"type\": \"string\"}, "
    "\"sha256\": {\"type\": \"string\", \"pattern\": \"^[0-9a-f]{64}$\"}}}]}}",
    false};

static bool takes_how(const struct gl_key *key)
{
    return !gl_key_is_limit(key);
}

#define DEFAULTS(member) offsetof(struct gl_defaults_draft, member)
static const struct gl_field defaults_fields[] = {
    {.name = "level",
     .type = &gl_type_word,
     .offset = DEFAULTS(level),
     .words = gl_level_words,
     .help = "Level of rules that do not say"},
    {.name = "on_unknown",
     .type = &gl_type_word,
     .offset = DEFAULTS(on_unknown),
     .words = gl_on_unknown_words,
     .help = "on_unknown of rules that do not say"},
    {.name = "count_basis",
     .type = &gl_type_word,
     .offset = DEFAULTS(count_basis),
     .words = gl_count_basis_words,
     .help = "How many of a group count for rules that do not say; worst when absent"},
    {.name = NULL},
};
static const struct gl_form defaults_form = {
    .what = "defaults", .fields = defaults_fields, .takes = takes_how, .limits = DEFAULTS(limits)};

#define POLICY(member) offsetof(struct gl_file_draft, member)
static const struct gl_field policy_fields[] = {
    {.name = "greenlaunch",
     .type = &gl_type_version,
     .is_needed = true,
     .help = "Version of this schema; the first key"},
    {.name = "id", .type = &gl_type_id, .offset = POLICY(id), .help = "Name of the policy"},
    {.name = "include", .type = &type_includes, .help = "Policies whose rules hold too"},
    {.name = "defaults",
     .type = &gl_type_form,
     .offset = POLICY(defaults),
     .form = &defaults_form,
     .help = "What the rules of this file say where they do not say"},
    {.name = "rules",
     .type = &type_rules,
     .form = &rule_form,
     .help = "The rules; all that match must hold"},
    {.name = "max_waiver",
     .type = &gl_type_span,
     .offset = POLICY(max_waiver_s),
     .help = "Longest time a waiver may last; 180d when absent"},
    {.name = NULL},
};
const struct gl_form gl_policy_form = {.what = "a policy", .fields = policy_fields};

/* The version comes first, so that another version is told apart before anything else is read. */
static int check_version(const struct gl_reader *reader, const struct gl_node *root)
{
    static const struct gl_mark first_line = {1, 1, 1};
    const char *first = root->first != NULL && root->kind == GL_NODE_MAP ? root->first->key : "";

    if (strcmp(first, "greenlaunch") == 0)
        return 0;
    if (strcmp(first, "greenlaunch_waivers") == 0)
        return gl_diagnose(&reader->source, &root->mark, GL_E_BAD_VALUE,
                           "this is a waivers file, not a policy");
    if (strcmp(first, "greenlaunch_test") == 0)
        return gl_diagnose(&reader->source, &root->mark, GL_E_BAD_VALUE,
                           "this is a policy test, not a policy; run it with: greenlaunch policy "
                           "test");
    return gl_diagnose(&reader->source, root->first != NULL ? &root->mark : &first_line,
                       GL_E_BAD_VALUE, "the first key of a policy is \"greenlaunch: 1\"");
}

const struct gl_file_draft *gl_draft_read(const struct gl_reader *reader)
{
    const struct gl_node *root = gl_yaml_read(&reader->source, reader->arena);
    struct gl_file_draft *file;

    if (root == NULL || check_version(reader, root))
        return NULL;
    file = gl_arena_take(reader->arena, sizeof *file);
    file->node = root;
    file->defaults.level = GL_HARD;
    file->defaults.on_unknown = GL_UNKNOWN_REFUSE;
    file->defaults.count_basis = GL_NOT_WRITTEN;
    file->max_waiver_s = GL_UNKNOWN;
    gl_form_read(reader, &gl_policy_form, root, file);
    return file;
}
