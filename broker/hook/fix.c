/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/fix.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "broker/hook/output_part.h"

/* What a machine or place rests on: a literal, or a variable of the root module (with its default,
 * when that is the value). */
struct target {
    const struct gl_tf_setting *literal; /* NULL: none to change */
    const char *variable;                /* NULL: none */
};

/* What an intent wants of a target. */
struct vote {
    struct target target;
    const char *is, *would; /* would NULL: as it is */
};

struct fixing {
    struct gl_hook_lookup lookup;
    const struct gl_tf_source *source;
    struct gl_hook_fix *fix;
    struct vote *votes;
    size_t count;
};

/* ---- from a value to where it stands ---- */

static const char *const place_names[] = {"region", "location", "zone", "availability_zone", NULL};
static const char *const type_names[] = {
    "instance_type", "machine_type", "instance_class", "node_type", "vm_size", "size",
    "server_type",   "type",         "flavor_name",    "plan",      "shape",   NULL};

/* "West Europe" is "westeurope" in Azure; elsewhere names are as they are. */
static bool is_same(const char *cloud, const char *written, const char *value)
{
    bool is_loose = cloud != NULL && strcmp(cloud, "azure") == 0;

    for (; *written != '\0' || *value != '\0'; written++, value++) {
        while (is_loose && *written == ' ')
            written++;
        if (is_loose ? tolower((unsigned char)*written) != tolower((unsigned char)*value)
                     : *written != *value)
            return false;
    }
    return true;
}

/* Of a variable: may it hold a zone, which is no place for a region unless the two are one? */
static bool holds_zone(const char *name, const struct gl_tf_setting *standard, const char *value)
{
    size_t length = strlen(value);

    if (strstr(name, "zone") != NULL)
        return standard == NULL || strcmp(standard->value, value) != 0;
    return standard != NULL && strcmp(name, "location") == 0 &&
           strncmp(standard->value, value, length) == 0 && standard->value[length] != '\0';
}

/* A setting that holds the value, or names a variable of the root module that may. */
static bool follow(const struct fixing *fixing, const struct gl_tf_source_block *block,
                   const struct gl_tf_setting *setting, const char *root, const char *cloud,
                   const char *value, struct target *out)
{
    const struct gl_tf_source_block *variable;
    const struct gl_tf_setting *given;

    if (!setting->is_reference) {
        *out = (struct target){setting, NULL};
        return is_same(cloud, setting->value, value);
    }
    if (root == NULL || strcmp(block->folder, root) != 0)
        return false;
    *out = (struct target){NULL, setting->value + strlen("var.")};
    variable = gl_tf_source_block(fixing->source, root, "variable", out->variable, "");
    given = variable != NULL ? gl_tf_source_setting(fixing->source, variable, "default") : NULL;
    if (given != NULL && !given->is_reference && is_same(cloud, given->value, value) &&
        !gl_tf_source_gives(fixing->source, root, out->variable))
        out->literal = given;
    return variable != NULL && !holds_zone(setting->name, given, value);
}

/* Among settings of these names of a block, the one that it rests on; false when that is none or
 * more than one. */
static bool find_among(const struct fixing *fixing, const struct gl_tf_source_block *block,
                       const char *const *names, const char *root, const char *cloud,
                       const char *value, struct target *out)
{
    struct target found;
    size_t count = 0;

    if (gl_tf_source_overrides(fixing->source, block->folder))
        return false;
    for (; *names != NULL; names++) {
        const struct gl_tf_setting *setting = gl_tf_source_setting(fixing->source, block, *names);

        if (setting == NULL || !follow(fixing, block, setting, root, cloud, value, &found))
            continue;
        *out = found;
        count++;
    }
    return count == 1;
}

/* "provider aws.backup, variable region" -> the block of that alias in the root module. */
static const struct gl_tf_source_block *provider_block(const struct fixing *fixing,
                                                       const char *root, const char *how)
{
    GL_AUTO(gl_str_done) struct gl_str name = {0};
    const char *key = how + strlen("provider "), *dot, *alias = NULL;
    const struct gl_tf_source_block *block, *found = NULL;
    size_t cursor = 0, length = strcspn(key, ",");

    if (memchr(key, ':', length) != NULL)
        return NULL;
    dot = memchr(key, '.', length);
    gl_str_add_bytes(&name, key, dot != NULL ? (size_t)(dot - key) : length);
    if (dot != NULL)
        alias = gl_arena_text(&fixing->fix->arena, dot + 1, length - (size_t)(dot + 1 - key));
    while ((block = gl_tf_source_each(fixing->source, root, "provider", gl_str_text(&name),
                                      &cursor)) != NULL) {
        const struct gl_tf_setting *called = gl_tf_source_setting(fixing->source, block, "alias");

        if ((called != NULL) != (alias != NULL) ||
            (called != NULL && strcmp(called->value, alias) != 0))
            continue;
        if (found != NULL)
            return NULL;
        found = block;
    }
    return found;
}

static bool find_place(const struct fixing *fixing, const char *start,
                       const struct gl_intent *intent, struct target *out)
{
    const char *root = gl_tf_source_module(fixing->source, start), *how = intent->place.how;
    const struct gl_tf_source_block *block =
        gl_tf_source_own(fixing->source, start, intent->address);

    if (intent->place.region == NULL)
        return false;
    if (block != NULL &&
        find_among(fixing, block, place_names, root, intent->cloud, intent->place.region, out))
        return true;
    if (root == NULL || how == NULL || strncmp(how, "provider ", 9) != 0)
        return false;
    block = provider_block(fixing, root, how);
    return block != NULL &&
           find_among(fixing, block, place_names, root, intent->cloud, intent->place.region, out);
}

static bool find_type(const struct fixing *fixing, const char *start,
                      const struct gl_intent *intent, struct target *out)
{
    const struct gl_tf_source_block *block =
        gl_tf_source_own(fixing->source, start, intent->address);

    return block != NULL && intent->machine.type != NULL &&
           find_among(fixing, block, type_names, gl_tf_source_module(fixing->source, start), NULL,
                      intent->machine.type, out);
}

/* ---- votes ---- */

static bool is_plain(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && strchr("._-", *c) == NULL)
            return false;
    return *text != '\0';
}

static void add_vote(struct fixing *fixing, const struct target *target, const char *is,
                     const char *would)
{
    fixing->votes =
        gl_arena_grow(&fixing->fix->arena, fixing->votes, fixing->count, sizeof *fixing->votes);
    fixing->votes[fixing->count++] = (struct vote){*target, is, would};
}

/* The remedy's type as the resource writes it: "db.t3.micro" for "t3.micro". */
static const char *type_as_written(struct fixing *fixing, const struct gl_intent_machine *machine,
                                   const char *type)
{
    size_t written = strlen(machine->type), catalogue;
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    if (machine->catalogue == NULL)
        return NULL;
    catalogue = strlen(machine->catalogue);
    if (catalogue > written || strcmp(machine->type + written - catalogue, machine->catalogue) != 0)
        return NULL;
    gl_str_add_bytes(&text, machine->type, written - catalogue);
    gl_str_add(&text, type);
    return gl_arena_text(&fixing->fix->arena, gl_str_text(&text), text.length);
}

/* What it takes to make this launch allowed, as the first of its remedies that has a sure place. */
struct wish {
    const char *region, *type; /* NULL: stays */
};

static struct wish wish_of(struct fixing *fixing, const char *start, const struct gl_judged *judged)
{
    const struct gl_intent *intent = judged->intent;
    struct target target;

    if (intent->place.region == NULL && intent->place.conflict != NULL)
        return (struct wish){NULL, NULL}; /* first it must say where */
    for (size_t i = 0; judged->verdict == GL_REFUSE && i < judged->remedy_count; i++) {
        const struct gl_remedy *remedy = &judged->remedies[i];
        const char *type = NULL;

        if (remedy->kind == GL_ALT_PLACE && intent->cloud != NULL &&
            strcmp(remedy->cloud, intent->cloud) == 0 && is_plain(remedy->region) &&
            find_place(fixing, start, intent, &target))
            return (struct wish){remedy->region, NULL};
        if (remedy->kind == GL_ALT_SIZE && intent->machine.type != NULL)
            type = type_as_written(fixing, &intent->machine, remedy->type);
        if (type != NULL && is_plain(type) && find_type(fixing, start, intent, &target))
            return (struct wish){NULL, type};
    }
    return (struct wish){NULL, NULL};
}

/* A zone that is written goes with the region its provider is told: whichever block that is, it
 * stays. */
static void vote_by_zone(struct fixing *fixing, const char *start, const struct gl_intent *intent)
{
    const char *root = gl_tf_source_module(fixing->source, start), *type = intent->type;
    const struct gl_tf_source_block *block;
    struct target target;
    size_t cursor = 0;

    if (root == NULL || intent->place.zone == NULL || intent->place.region == NULL)
        return;
    type = gl_arena_text(&fixing->fix->arena, type, strcspn(type, "_"));
    while ((block = gl_tf_source_each(fixing->source, root, "provider", type, &cursor)) != NULL)
        if (find_among(fixing, block, place_names, root, intent->cloud, intent->place.region,
                       &target))
            add_vote(fixing, &target, intent->place.region, NULL);
}

/* Everything that rests on a target has a say: what is launched and allowed, and what stands there
 * already, wants it as it is. What goes away does not care. */
static void vote(struct fixing *fixing, const char *start, const struct gl_intent *intent,
                 const struct wish *wish)
{
    struct target target;

    if (intent->change == GL_CHANGE_DELETE || intent->change == GL_CHANGE_FORGET)
        return;
    if (find_place(fixing, start, intent, &target))
        add_vote(fixing, &target, intent->place.region, wish->region);
    else
        vote_by_zone(fixing, start, intent);
    if (find_type(fixing, start, intent, &target))
        add_vote(fixing, &target, intent->machine.type, wish->type);
}

static void vote_all(struct fixing *fixing, const struct gl_hook_plan *plan, const char *start)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct gl_judged *judged = gl_hook_lookup_find(&fixing->lookup, &plan->intents[i]);
        struct wish wish = {NULL, NULL};

        if (judged != NULL)
            wish = wish_of(fixing, start, judged);
        vote(fixing, start, &plan->intents[i], &wish);
    }
}

/* ---- counting ---- */

static int compare_texts(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return (a != NULL) - (b != NULL);
    return strcmp(a, b);
}

static int compare_targets(const struct target *a, const struct target *b)
{
    int order = compare_texts(a->variable, b->variable);

    if (order == 0 && a->variable == NULL)
        order = (a->literal > b->literal) - (a->literal < b->literal);
    return order;
}

static int compare_votes(const void *left, const void *right)
{
    const struct vote *a = left, *b = right;
    int order = compare_targets(&a->target, &b->target);

    return order != 0 ? order : compare_texts(a->would, b->would);
}

static void carry(struct fixing *fixing, const struct vote *vote, struct gl_hook_edit *edits,
                  size_t *edit_count)
{
    struct gl_hook_fix *fix = fixing->fix;
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    if (vote->target.literal != NULL)
        edits[(*edit_count)++] =
            (struct gl_hook_edit){vote->target.literal->file, vote->target.literal->offset,
                                  vote->target.literal->value, vote->would};
    if (vote->target.variable == NULL)
        return;
    gl_str_addf(&text, "%s=%s", vote->target.variable, vote->would);
    fix->variables[fix->variable_count++] = gl_arena_text(&fix->arena, text.text, text.length);
}

/* Do all of these want the same? One that stands elsewhere does not rest on it after all. */
static bool is_agreed(const struct vote *votes, size_t count)
{
    const struct vote *last = &votes[count - 1];

    for (size_t i = 0; i < count; i++)
        if (strcmp(votes[i].is, last->is) == 0 && compare_texts(votes[i].would, last->would) != 0)
            return false;
    return last->would != NULL;
}

/* Targets on which all votes agree; the votes of one stand together, the ones for nothing first. */
static void count_votes(struct fixing *fixing)
{
    struct gl_hook_fix *fix = fixing->fix;
    struct gl_hook_edit *edits = gl_arena_take(&fix->arena, (fixing->count + 1) * sizeof *edits);
    size_t edit_count = 0;

    fix->variables = gl_arena_take(&fix->arena, (fixing->count + 1) * sizeof *fix->variables);
    if (fixing->count > 0)
        qsort(fixing->votes, fixing->count, sizeof *fixing->votes, compare_votes);
    for (size_t i = 0, last; i < fixing->count; i = last + 1) {
        const struct vote *first = &fixing->votes[i];

        last = i;
        while (last + 1 < fixing->count &&
               compare_targets(&first->target, &fixing->votes[last + 1].target) == 0)
            last++;
        if (is_agreed(first, last - i + 1))
            carry(fixing, &fixing->votes[last], edits, &edit_count);
    }
    fix->edit_count = gl_hook_diff(fixing->source, edits, edit_count, &fix->patch);
}

void gl_hook_fix_make(const struct gl_hook_report *report, const struct gl_tf_source *source,
                      gl_hook_start *start, void *cookie, struct gl_hook_fix *out)
{
    struct fixing fixing = {.source = source, .fix = out};

    *out = (struct gl_hook_fix){0};
    gl_hook_lookup_init(report, &fixing.lookup);
    for (size_t i = 0; i < report->plan_count; i++)
        vote_all(&fixing, report->plans[i], start(cookie, report->plans[i]));
    count_votes(&fixing);
    gl_hook_lookup_done(&fixing.lookup);
}

void gl_hook_fix_done(struct gl_hook_fix *fix)
{
    gl_str_done(&fix->patch);
    gl_arena_done(&fix->arena);
    *fix = (struct gl_hook_fix){0};
}
