/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/pulumi_part.h"

#include <stdio.h>
#include <string.h>

static struct gl_attributes attributes_of(const struct gl_pulumi_resource *resource, bool is_before)
{
    const struct gl_pulumi_state *state = is_before ? &resource->before : &resource->after;

    return (struct gl_attributes){
        .tree = &state->values,
        .values = gl_jtree_root(&state->values),
        .unknown_tree = &state->unknown,
        .unknown = gl_jtree_root(&state->unknown),
        .resource = resource,
        .address = resource->address,
        .is_past = is_before,
    };
}

static const struct gl_pulumi_resource *find_urn(const struct gl_pulumi *pulumi, const char *urn)
{
    size_t cursor = 0, number;

    return gl_reader_index_next(&pulumi->by_urn, urn, &cursor, &number) ? &pulumi->resources[number]
                                                                        : NULL;
}

/* ---- references ---- */

/* Member "launch_template" as it is, as "launchTemplate" or as "launchTemplates". */
static const struct gl_jnode *member(const struct gl_jtree *tree, const struct gl_jnode *node,
                                     const char *name)
{
    char camel[GL_PULUMI_NAME], plural[GL_PULUMI_NAME + 1];
    const struct gl_jnode *found = gl_jnode_get(tree, node, name);

    gl_pulumi_camel(name, camel);
    if (found == NULL)
        found = gl_jnode_get(tree, node, camel);
    snprintf(plural, sizeof plural, "%ss", camel);
    return found != NULL ? found : gl_jnode_get(tree, node, plural);
}

/* What an attribute refers to; `is_lost` when one of it is not found. */
struct referred {
    struct gl_pulumi *pulumi;
    const struct gl_pulumi_resource *from;
    const char *type;
    const struct gl_pulumi_resource **found;
    size_t count, room;
    bool is_lost;
};

static void add_referred(struct referred *referred, const struct gl_pulumi_resource *resource)
{
    if (resource == referred->from)
        return;
    for (size_t i = 0; i < referred->count; i++)
        if (referred->found[i] == resource)
            return;
    if (referred->count < referred->room)
        referred->found[referred->count++] = resource;
    else
        referred->is_lost = true;
}

static void add_said(struct referred *referred, const char *text)
{
    struct gl_pulumi *pulumi = referred->pulumi;
    const char *key = gl_reader_say(&pulumi->work, "%s|%s", referred->type, text);
    size_t cursor = 0, number, before = referred->count;

    while (gl_reader_index_next(&pulumi->by_value, key, &cursor, &number))
        add_referred(referred, &pulumi->resources[number]);
    referred->is_lost |= referred->count == before;
}

/* What "a.b" says below the attributes, in every item of a list. */
static void follow_node(struct referred *referred, const struct gl_attributes *from,
                        const struct gl_jnode *node, const char *path)
{
    const char *text = gl_jnode_text(from->tree, node);
    size_t length = strcspn(path, ".");

    if (gl_jnode_is(node, GL_JARRAY)) {
        for (const struct gl_jnode *item = gl_jnode_first(from->tree, node); item != NULL;
             item = gl_jnode_next(from->tree, node, item))
            follow_node(referred, from, item, path);
    } else if (*path == '\0') {
        if (text != NULL)
            add_said(referred, text);
        else
            referred->is_lost |= node != NULL;
    } else if (gl_jnode_is(node, GL_JOBJECT)) {
        const char *name = gl_arena_text(&referred->pulumi->work, path, length);

        follow_node(referred, from, member(from->tree, node, name),
                    path + length + (path[length] == '.'));
    }
}

/* By the URNs that the attribute depends on. */
static void add_dependencies(struct referred *referred, const char *attribute)
{
    const struct gl_jtree *tree = &referred->from->dependencies;
    const char *head = gl_arena_text(&referred->pulumi->work, attribute, strcspn(attribute, "."));
    const struct gl_jnode *list = member(tree, gl_jtree_root(tree), head);

    for (const struct gl_jnode *item = gl_jnode_is(list, GL_JARRAY) ? gl_jnode_first(tree, list)
                                                                    : NULL;
         item != NULL; item = gl_jnode_next(tree, list, item)) {
        const char *urn = gl_jnode_text(tree, item);
        const struct gl_pulumi_resource *found =
            urn != NULL ? find_urn(referred->pulumi, urn) : NULL;

        if (found != NULL && strcmp(found->type, referred->type) == 0)
            add_referred(referred, found);
    }
}

/* False when one of them is not found. */
static bool find(struct referred *referred, const struct gl_attributes *from, const char *attribute)
{
    size_t said;

    follow_node(referred, from, from->values, attribute);
    said = referred->count;
    if (said > 0 && !referred->is_lost)
        return true;
    add_dependencies(referred, attribute);
    return referred->count > said;
}

static size_t follow(void *cookie, const struct gl_attributes *from, const char *attribute,
                     const char *type, struct gl_attributes out[GL_FOLLOWED_MAX])
{
    const struct gl_pulumi_resource *found[GL_FOLLOWED_MAX];
    struct referred referred = {.pulumi = cookie,
                                .from = from->resource,
                                .type = type,
                                .found = found,
                                .room = GL_FOLLOWED_MAX};
    bool is_all = find(&referred, from, attribute);

    if (!is_all && referred.count > 0 && found[0]->row != NULL &&
        found[0]->row->role == GL_ROLE_TEMPLATE)
        return 0;
    for (size_t i = 0; i < referred.count; i++) {
        const struct gl_pulumi_resource *one = found[i];
        bool has_past = one->before.values.count > 0;

        if (from->is_past && !has_past && one->op->change == GL_CHANGE_CREATE)
            return 0; /* it was another one */
        out[i] = attributes_of(one, one->after.values.count == 0 || (from->is_past && has_past));
    }
    return referred.count;
}

/* ---- places ---- */

static bool set_region(struct gl_pulumi *pulumi, const struct gl_mapping_provider *provider,
                       size_t path, const char *text, const char *how, enum gl_surety surety,
                       struct gl_intent_place *out)
{
    struct gl_arena *arena = &pulumi->plan->arena;
    const char *region =
        text != NULL ? gl_mapping_region(provider, provider->region_kinds[path], text, arena)
                     : NULL;

    if (region == NULL)
        return false;
    gl_reader_set_place(arena, out, region, "provider", surety, how);
    return true;
}

/* Where a part of what is told is a secret, none of it counts. */
static bool take_place(const struct gl_pulumi *pulumi, const struct gl_intent_place *all,
                       struct gl_intent_place *out)
{
    if (all->region == NULL || pulumi->hidden_place != NULL)
        return false;
    *out = *all;
    return true;
}

static bool is_later(const struct gl_jtree *tree, const struct gl_jnode *node)
{
    for (const struct gl_jnode *one = node; node != NULL && one < tree->nodes + node->end; one++)
        if (one->kind == GL_JTRUE)
            return true;
    return false;
}

/* What the provider resource is told, whether explicit or a default one. */
static bool by_inputs(struct gl_pulumi *pulumi, const struct gl_mapping_provider *provider,
                      const struct gl_pulumi_resource *configured, struct gl_intent_place *out)
{
    struct gl_attributes from = attributes_of(configured, configured->after.values.count == 0);
    struct gl_intent_place all = {0};

    for (size_t i = 0; provider->region_paths != NULL && provider->region_paths[i] != NULL; i++) {
        const struct gl_jnode *node = member(from.tree, from.values, provider->region_paths[i]);
        const struct gl_jnode *later =
            member(from.unknown_tree, from.unknown, provider->region_paths[i]);
        const char *how =
            gl_reader_say(&pulumi->plan->arena, "provider %s", gl_pulumi_name(configured->urn));
        struct gl_intent_place one = *out;

        if (gl_jnode_is(later, GL_JHIDDEN))
            pulumi->hidden_place =
                gl_reader_say(&pulumi->plan->arena, "%s of %s", provider->region_paths[i], how);
        else if (is_later(from.unknown_tree, later))
            pulumi->later_place = gl_reader_say(&pulumi->plan->arena, "%s of %s is known later",
                                                provider->region_paths[i], how);
        if (set_region(pulumi, provider, i, gl_jnode_text(from.tree, node), how, GL_SURE_HIGH,
                       &one))
            gl_reader_join_place(&pulumi->plan->arena, &all, &one);
    }
    return take_place(pulumi, &all, out);
}

/* config "aws:region" is for the default providers of the package. */
static bool by_config(struct gl_pulumi *pulumi, const struct gl_mapping_provider *provider,
                      const char *package, enum gl_surety surety, struct gl_intent_place *out)
{
    const struct gl_jtree *tree = &pulumi->config;
    struct gl_intent_place all = {0};
    char camel[GL_PULUMI_NAME];

    for (size_t i = 0; provider->region_paths != NULL && provider->region_paths[i] != NULL; i++) {
        const char *key = gl_reader_say(&pulumi->plan->arena, "%s:%s", package,
                                        gl_pulumi_camel(provider->region_paths[i], camel));
        const char *text = gl_jnode_text(tree, gl_jnode_get(tree, gl_jtree_root(tree), key));
        const char *how = gl_reader_say(&pulumi->plan->arena, "config %s", key);
        struct gl_intent_place one = *out;

        if (gl_pulumi_is_secret(text))
            pulumi->hidden_place = how;
        else if (set_region(pulumi, provider, i, text, how, surety, &one))
            gl_reader_join_place(&pulumi->plan->arena, &all, &one);
    }
    return take_place(pulumi, &all, out);
}

/* "aws" of "...::aws:ec2/instance:Instance::web", of the resource itself. */
static const char *package_of(struct gl_pulumi *pulumi, const struct gl_pulumi_resource *resource)
{
    const char *type = resource->address, *end = strstr(type, "::");
    size_t length = end != NULL ? (size_t)(end - type) : strlen(type);
    const char *dollar = memrchr(type, '$', length);

    if (dollar != NULL)
        type = dollar + 1;
    return gl_arena_text(&pulumi->work, type, strcspn(type, ":"));
}

/* "default", "default_6_0_2". */
static bool is_default(const char *name)
{
    return strncmp(name, "default", 7) == 0 &&
           name[7 + strspn(name + 7, "_0123456789abcdefghijklmnopqrstuvwxyz")] == '\0' &&
           (name[7] == '\0' || name[7] == '_');
}

static bool by_provider(struct gl_pulumi *pulumi, const struct gl_pulumi_resource *resource,
                        const struct gl_mapping_provider *provider, struct gl_intent_place *out)
{
    const char *reference = resource->provider;
    const char *id = reference != NULL ? gl_pulumi_name(reference) : "";
    const char *package = package_of(pulumi, resource);
    const struct gl_pulumi_resource *configured;
    const char *urn;

    if (*id == '\0')
        return by_config(pulumi, provider, package, GL_SURE_MEDIUM, out);
    urn = gl_arena_text(&pulumi->work, reference, (size_t)(id - 2 - reference));
    configured = find_urn(pulumi, urn);
    if (configured != NULL && by_inputs(pulumi, provider, configured, out))
        return true;
    if (pulumi->hidden_place != NULL)
        return false;
    /* An explicit provider without a region has it from its environment. */
    return is_default(gl_pulumi_name(urn)) &&
           by_config(pulumi, provider, package, GL_SURE_HIGH, out);
}

static bool by_past(const struct gl_intent *past, struct gl_arena *arena,
                    struct gl_intent_place *out)
{
    if (past->place.region == NULL)
        return false;
    gl_reader_set_place(arena, out, past->place.region, "before", GL_SURE_HIGH,
                        "where it stands now");
    return true;
}

static void check_zone(struct gl_pulumi *pulumi, const struct gl_pulumi_resource *resource,
                       const struct gl_mapping_provider *provider, struct gl_intent_place *place)
{
    struct gl_intent_place told = {0};

    if (gl_reader_rests_on_zone(provider, place) && by_provider(pulumi, resource, provider, &told))
        gl_reader_compare_place(&pulumi->plan->arena, place, &told);
}

/* Does the resource itself say where, but only later? Then neither its provider nor the environment
 * says it, unless its provider binds it: a zone lies in the region of that. */
static const char *said_later(const struct gl_pulumi_resource *resource,
                              const struct gl_mapping_provider *provider, enum gl_change change)
{
    const struct gl_jtree *unknown = &resource->after.unknown;
    bool may_move =
        change == GL_CHANGE_CREATE || change == GL_CHANGE_REPLACE || change == GL_CHANGE_UNKNOWN;

    for (size_t i = 0; may_move && i < resource->row->place_count; i++) {
        const struct gl_place_row *place = &resource->row->places[i];
        const char *head = gl_path_head(place->path);

        if (place->kind != GL_PLACE_ALSO && !gl_path_is_followed(place->path) &&
            is_later(unknown, member(unknown, gl_jtree_root(unknown), head)) &&
            (provider == NULL || !provider->has_binding_region || place->kind == GL_PLACE_REGION))
            return head;
    }
    return NULL;
}

static void set_nowhere(const char *how, struct gl_intent_place *place)
{
    place->evidence = "none";
    place->surety = GL_SURE_NOT;
    place->how = how;
}

static void set_place(struct gl_pulumi *pulumi, const struct gl_pulumi_resource *resource,
                      const struct gl_intent *past, struct gl_intent *intent)
{
    const struct gl_mapping_provider *provider =
        gl_mapping_provider(pulumi->options->mapping, resource->row->type);
    struct gl_arena *arena = &pulumi->plan->arena;
    struct gl_intent_place *place = &intent->place;
    const char *said;

    pulumi->hidden_place = pulumi->later_place = NULL;
    if (gl_reader_place_by_user(pulumi->options, arena, intent->address, place) || place->is_hidden)
        return;
    if (place->region != NULL || place->conflict != NULL) {
        if (provider != NULL)
            check_zone(pulumi, resource, provider, place);
        return;
    }
    said = said_later(resource, provider, intent->change);
    if (said != NULL) {
        set_nowhere(gl_reader_say(arena, "%s is known later", said), place);
        return;
    }
    if (provider != NULL && by_provider(pulumi, resource, provider, place))
        return;
    if (pulumi->hidden_place != NULL) {
        gl_reader_hide_place(arena, pulumi->hidden_place, intent);
        return;
    }
    if (by_past(past, arena, place) ||
        (provider != NULL && pulumi->later_place == NULL &&
         gl_reader_place_by_environment(pulumi->options, provider, arena, place)))
        return;
    set_nowhere(pulumi->later_place != NULL
                    ? pulumi->later_place
                    : "in no input, provider or configuration of the preview",
                place);
}

/* ---- intents ---- */

static bool has_states(const struct gl_pulumi_resource *resource)
{
    return resource->before.values.count > 0 && resource->after.values.count > 0;
}

static void add_intent(struct gl_pulumi *pulumi, const struct gl_pulumi_resource *resource)
{
    struct gl_follower follower = {.cookie = pulumi, .follow = follow, .hides = pulumi->hides};
    struct gl_attributes after = attributes_of(resource, resource->after.values.count == 0);
    struct gl_attributes before = attributes_of(resource, true);
    struct gl_arena *arena = &pulumi->plan->arena;
    struct gl_intent past = {.place.how = ""};
    struct gl_intent *intent =
        gl_reader_add_intent(pulumi->options, pulumi->plan, resource->row, &after, &follower);
    struct gl_intent_place said;

    intent->address = resource->address;
    intent->file = pulumi->document;
    intent->change = resource->op->change;
    intent->provider = package_of(pulumi, resource);
    intent->provider = gl_arena_text(arena, intent->provider, strlen(intent->provider));
    if (intent->change != GL_CHANGE_CREATE && resource->before.values.count > 0)
        gl_mapping_extract(pulumi->options->mapping, resource->row, &before, &follower, arena,
                           &past);
    said = intent->place;
    set_place(pulumi, resource, &past, intent);
    gl_reader_add_also(arena, &said, &intent->place);
    if (intent->change == GL_CHANGE_UPDATE && !has_states(resource)) {
        intent->change = GL_CHANGE_UNKNOWN;
        gl_reader_add_text(arena, &intent->notes, "the preview does not show what is updated");
    } else if (intent->change == GL_CHANGE_UNKNOWN) {
        gl_reader_add_text(arena, &intent->notes, "the operation of the step is not understood");
    } else if (past.place.how[0] != '\0') {
        intent->is_untold = gl_mapping_is_untold(resource->row, intent, &before, &after);
        gl_reader_set_past(arena, intent, &past);
    }
    intent->is_launch = gl_reader_is_launch(intent);
}

static void scale(struct gl_pulumi *pulumi, const struct gl_pulumi_resource *resource,
                  const struct gl_intent *scaler, struct gl_intent *target)
{
    struct gl_attributes from = attributes_of(resource, resource->after.values.count == 0);
    const struct gl_follower follower = {.cookie = pulumi, .follow = follow};

    gl_reader_scale(scaler, gl_reader_scaled_by(&pulumi->plan->arena, scaler),
                    gl_reader_is_open(resource->row, &from, &follower, &pulumi->work), target);
}

/* Every group that it may change. False when there is none. */
static bool scale_targets(struct gl_pulumi *pulumi, const struct gl_pulumi_resource *scaler,
                          const size_t *intent_of, const struct gl_pulumi_resource **found)
{
    struct gl_attributes from = attributes_of(scaler, scaler->after.values.count == 0);
    const struct gl_mapping_row *row = scaler->row;
    struct gl_intent *intents = pulumi->plan->intents;
    struct referred referred = {
        .pulumi = pulumi, .from = scaler, .found = found, .room = pulumi->resource_count};
    bool has_group = false;

    for (size_t i = 0;
         row->target != NULL && row->target_types != NULL && row->target_types[i] != NULL; i++) {
        referred.type = row->target_types[i];
        referred.is_lost = false;
        (void)find(&referred, &from, gl_path_head(row->target));
    }
    for (size_t i = 0; i < referred.count; i++) {
        size_t number = intent_of[found[i] - pulumi->resources];

        if (number == 0)
            continue;
        has_group = true;
        scale(pulumi, scaler, &intents[intent_of[scaler - pulumi->resources] - 1],
              &intents[number - 1]);
    }
    return has_group;
}

void gl_pulumi_intents(struct gl_pulumi *pulumi)
{
    struct gl_hook_plan *plan = pulumi->plan;
    size_t *intent_of =
        gl_arena_take(&pulumi->work, (pulumi->resource_count + 1) * sizeof *intent_of);
    const struct gl_pulumi_resource **found =
        gl_arena_take(&pulumi->work, (pulumi->resource_count + 1) * sizeof *found);
    size_t first = plan->count;

    for (size_t i = 0; i < pulumi->resource_count; i++) {
        const struct gl_pulumi_resource *resource = &pulumi->resources[i];

        if (resource->row == NULL || resource->op->change == GL_CHANGE_READ)
            continue;
        add_intent(pulumi, resource);
        intent_of[i] = plan->count;
    }
    for (size_t i = 0; i < pulumi->resource_count; i++)
        if (intent_of[i] != 0 && pulumi->resources[i].row->role == GL_ROLE_SCALER &&
            !scale_targets(pulumi, &pulumi->resources[i], intent_of, found))
            gl_reader_add_text(
                &plan->arena, &plan->intents[intent_of[i] - 1].notes,
                "the group it scales is not in the preview: judge one that holds both");
    for (size_t i = first; i < plan->count; i++)
        plan->launches += plan->intents[i].is_launch;
}
