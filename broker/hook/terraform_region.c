/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/path.h"
#include "broker/hook/terraform_part.h"
#include "providers/data/data.h"

#include <string.h>

/* Where a resource will stand, by the order of evidence of docs/hook.md: what the user asserts,
 * what the resource says, what its arguments refer to, what its provider is told, what it was
 * before, and, when asked for, this process's environment. Never a default. */

/* ---- from the text of an expression ---- */

static const char *own_region(struct gl_tf *tf, const struct gl_mapping_provider *provider,
                              enum gl_place_kind kind, const char *text, bool is_guess)
{
    const char *region = gl_mapping_region(provider, kind, text, &tf->plan->arena);

    if (region == NULL || !is_guess || provider->cloud == NULL ||
        gl_data_region(provider->cloud, region) != NULL)
        return region;
    return NULL; /* "prod" of lookup(var.regions, var.stage) */
}

/* "a" of "${var.region}${var.letter}": no region, and no condition either. */
static bool is_suffix(const char *text)
{
    return strlen(text) <= 2;
}

static void add_region(struct gl_tf *tf, const char ***io_regions, size_t *io_count,
                       const char *region)
{
    *io_regions = gl_arena_grow(&tf->plan->arena, *io_regions, *io_count, sizeof **io_regions);
    (*io_regions)[(*io_count)++] = region;
}

/* Of several names the first that is a region, the others as candidates. Unknown when there are
 * more of them than are looked at, when one cannot be told, and when one is a condition and there
 * is but one region to choose: the other is written out, which is not in the plan. */
static bool take_answer(struct gl_tf *tf, const struct gl_mapping_provider *provider,
                        enum gl_place_kind kind, const struct gl_tf_answer *answer,
                        struct gl_intent_place *out)
{
    bool has_choice = answer->has_choice;
    size_t count = 0;
    const char **regions = NULL;

    if (answer->other_count > GL_TF_OTHERS || answer->has_gap)
        return false;
    for (size_t i = 0; i <= answer->other_count; i++) {
        const char *text = i == 0 ? answer->text : answer->others[i - 1];
        const char *region = own_region(tf, provider, kind, text, answer->is_guess);

        has_choice |= region == NULL && !is_suffix(text);
        if (region == NULL || (count > 0 && strcmp(region, regions[0]) == 0))
            continue;
        add_region(tf, &regions, &count, region);
    }
    if (count == 0 || (count == 1 && has_choice))
        return false;
    out->region = regions[0];
    out->surety = answer->surety;
    if (count == 1)
        return true;
    add_region(tf, &regions, &count, NULL);
    out->candidates = regions + 1;
    return true;
}

/* ---- what the resource's own arguments refer to ---- */

/* "subnet_id -> aws_subnet.availability_zone": the argument itself names no place, and places
 * beside its own are not its own. */
static bool names_place(const struct gl_place_row *place)
{
    return place->kind != GL_PLACE_ALSO && !gl_path_is_followed(place->path);
}

static bool by_argument(struct gl_tf *tf, const struct gl_tf_resource *resource,
                        const struct gl_mapping_provider *provider, struct gl_intent_place *out)
{
    const struct gl_tf_block *block = gl_tf_block_of(tf, resource);
    const struct gl_mapping_row *row = resource->row;

    for (size_t i = 0; block != NULL && i < row->place_count; i++) {
        const char *head = gl_path_head(row->places[i].path);
        const struct gl_jtree *tree = &block->expressions;
        struct gl_tf_answer answer;

        if (!names_place(&row->places[i]) ||
            !gl_tf_resolve(tf, block->module, tree, gl_tf_at(tree, gl_jtree_root(tree), head),
                           &answer) ||
            !take_answer(tf, provider, row->places[i].kind, &answer, out))
            continue;
        gl_reader_set_place(&tf->plan->arena, out, out->region, "argument", answer.surety,
                            gl_reader_say(&tf->plan->arena, "%s of %s", head, answer.how));
        return true;
    }
    return false;
}

/* ---- what its provider is told ---- */

static bool ask_provider(struct gl_tf *tf, const struct gl_tf_provider *configured,
                         const char *module, const struct gl_mapping_provider *provider,
                         struct gl_intent_place *out)
{
    const struct gl_jtree *tree = &configured->expressions;
    struct gl_intent_place all = {0};

    for (size_t i = 0; provider->region_paths != NULL && provider->region_paths[i] != NULL; i++) {
        struct gl_intent_place one = *out;
        struct gl_tf_answer answer;

        bool is_told =
            gl_tf_resolve(tf, module, tree,
                          gl_tf_at(tree, gl_jtree_root(tree), provider->region_paths[i]), &answer);

        if (tf->hidden != NULL)
            tf->hidden_place = tf->hidden;
        if (!is_told || !take_answer(tf, provider, provider->region_kinds[i], &answer, &one))
            continue;
        gl_reader_set_place(
            &tf->plan->arena, &one, one.region, "provider", answer.surety,
            strcmp(answer.how, "constant") == 0
                ? GL_READER_JOIN(&tf->plan->arena, "provider ", configured->key)
                : GL_READER_JOIN(&tf->plan->arena, "provider ", configured->key, ", ", answer.how));
        gl_reader_join_place(&tf->plan->arena, &all, &one);
    }
    if (all.region == NULL || tf->hidden_place != NULL)
        return false;
    *out = all;
    return true;
}

/* Is a region written there, though it cannot be told which? */
static bool says_region(const struct gl_tf_provider *configured)
{
    return configured->expressions.count > 1;
}

static const struct gl_tf_provider *provider_of(const struct gl_tf *tf, const char *key)
{
    for (size_t i = 0; i < tf->provider_count; i++)
        if (strcmp(tf->providers[i].key, key) == 0)
            return &tf->providers[i];
    return NULL;
}

/* The module whose block configures this key: "module.a:aws" -> "module.a"; "aws" -> "". */
static const char *module_of_key(struct gl_tf *tf, const char *key)
{
    const char *colon = strrchr(key, ':');

    return gl_arena_text(&tf->work, key, colon != NULL ? (size_t)(colon - key) : 0);
}

/* Regions that other configurations of the same provider name: an old plan does not say which one
 * a module was passed. False when one of them cannot be read: it may be that one. */
static bool add_aliases(struct gl_tf *tf, const char *local,
                        const struct gl_mapping_provider *provider, struct gl_intent_place *place)
{
    const char *const *candidates = place->candidates;
    size_t length = strcspn(local, "."), count = 0;
    const char **regions = NULL;

    for (size_t i = 0; i < tf->provider_count; i++) {
        const struct gl_tf_provider *other = &tf->providers[i];
        struct gl_intent_place there = {0};

        if (strncmp(other->key, local, length) != 0 || other->key[length] != '.')
            continue;
        if (!ask_provider(tf, other, "", provider, &there))
            return false;
        if (strcmp(there.region, place->region) != 0)
            add_region(tf, &regions, &count, there.region);
        for (size_t more = 0; there.candidates != NULL && there.candidates[more] != NULL; more++)
            add_region(tf, &regions, &count, there.candidates[more]);
    }
    for (size_t i = 0; count > 0 && candidates != NULL && candidates[i] != NULL; i++)
        add_region(tf, &regions, &count, candidates[i]);
    if (count == 0)
        return true;
    add_region(tf, &regions, &count, NULL);
    place->candidates = regions;
    if (place->surety > GL_SURE_MEDIUM)
        place->surety = GL_SURE_MEDIUM;
    return true;
}

/* Before 1.1 a key names the module that uses a provider, not the one that configures it: climb
 * from the module to the root. */
static bool by_climbing(struct gl_tf *tf, const char *module, const char *local,
                        const struct gl_mapping_provider *provider, struct gl_intent_place *out)
{
    const char *path = module;

    for (;;) {
        const char *last = strrchr(path, '.');
        const struct gl_tf_provider *found =
            provider_of(tf, *path == '\0' ? local : GL_READER_JOIN(&tf->work, path, ":", local));
        size_t length = strlen(path);

        if (found == NULL && last != NULL)
            found = provider_of(tf, GL_READER_JOIN(&tf->work, last + 1, ":", local));
        if (found != NULL && ask_provider(tf, found, path, provider, out)) {
            if (*path != '\0' || *module == '\0' || add_aliases(tf, local, provider, out))
                return true;
            *out = (struct gl_intent_place){0};
            return false;
        }
        if (length == 0 || (found != NULL && says_region(found)))
            return false;
        for (int dots = 0; length > 0 && dots < 2; length--)
            dots += path[length - 1] == '.';
        path = gl_arena_text(&tf->work, path, length);
    }
}

static bool by_provider(struct gl_tf *tf, const struct gl_tf_resource *resource,
                        const struct gl_mapping_provider *provider, struct gl_intent_place *out)
{
    const struct gl_tf_block *block = gl_tf_block_of(tf, resource);
    const struct gl_tf_provider *exact;
    const char *key, *colon;

    if (block == NULL || block->provider_key == NULL)
        return false;
    key = block->provider_key;
    exact = provider_of(tf, key);
    if (exact != NULL && ask_provider(tf, exact, module_of_key(tf, key), provider, out))
        return true;
    if (exact != NULL && (!tf->is_old_keys || says_region(exact)))
        return false; /* configured there, and without a region: by its environment */
    colon = strrchr(key, ':');
    return by_climbing(tf, resource->parts.module, colon != NULL ? colon + 1 : key, provider, out);
}

/* ---- what it was ---- */

static bool by_past(struct gl_tf *tf, const struct gl_tf_resource *resource,
                    struct gl_intent_place *out)
{
    struct gl_attributes before = gl_tf_attributes(resource, true);
    struct gl_follower follower = gl_tf_follower(tf);
    struct gl_intent past = {0};

    if (resource->before->count == 0)
        return false;
    gl_mapping_extract(tf->options->mapping, resource->row, &before, &follower, &tf->plan->arena,
                       &past);
    if (past.place.region == NULL)
        return false;
    gl_reader_set_place(&tf->plan->arena, out, past.place.region, "before", GL_SURE_HIGH,
                        "where it stands now");
    return true;
}

/* ---- the order ---- */

/* Does the resource itself say where, in words that cannot be followed? Then neither its provider
 * nor its past says it, unless its provider binds it: a zone lies in the region of that. */
static const char *said_elsewhere(const struct gl_tf *tf, const struct gl_tf_resource *resource,
                                  const struct gl_mapping_provider *provider)
{
    const struct gl_tf_block *block = gl_tf_block_of(tf, resource);
    const struct gl_mapping_row *row = resource->row;
    bool may_move = resource->change == GL_CHANGE_CREATE || resource->change == GL_CHANGE_REPLACE ||
                    resource->change == GL_CHANGE_UNKNOWN;

    for (size_t i = 0; block != NULL && may_move && i < row->place_count; i++) {
        const struct gl_place_row *place = &row->places[i];
        const struct gl_jtree *tree = &block->expressions;
        const struct gl_jnode *said =
            gl_tf_at(tree, gl_jtree_root(tree), gl_path_head(place->path));
        const struct gl_jnode *value = gl_jnode_get(tree, said, "constant_value");

        if (!names_place(place) || !gl_jnode_is(said, GL_JOBJECT) || gl_jnode_is(value, GL_JNULL) ||
            (provider != NULL && provider->has_binding_region && place->kind != GL_PLACE_REGION))
            continue;
        return gl_path_head(place->path);
    }
    return NULL;
}

static void check_zone(struct gl_tf *tf, const struct gl_tf_resource *resource,
                       const struct gl_mapping_provider *provider, struct gl_intent_place *place)
{
    struct gl_intent_place told = {0};

    if (gl_reader_rests_on_zone(provider, place) && by_provider(tf, resource, provider, &told))
        gl_reader_compare_place(&tf->plan->arena, place, &told);
}

/* Its provider may say a region that this plan does not: `each.value` of a provider's for_each.
 * NULL: it says none. */
static const char *told_elsewhere(struct gl_tf *tf, const struct gl_tf_resource *resource)
{
    const struct gl_tf_block *block = gl_tf_block_of(tf, resource);
    const char *key = block != NULL ? block->provider_key : NULL;
    const struct gl_tf_provider *configured = key != NULL ? provider_of(tf, key) : NULL;

    if (configured == NULL || !says_region(configured))
        return NULL;
    return GL_READER_JOIN(&tf->plan->arena, "provider ", key,
                          " is told a region that the plan does not show");
}

/* Where neither the resource nor its provider says it. */
static void place_otherwise(struct gl_tf *tf, const struct gl_tf_resource *resource,
                            const struct gl_mapping_provider *provider,
                            struct gl_intent_place *place)
{
    const char *told;

    if (by_past(tf, resource, place))
        return;
    told = told_elsewhere(tf, resource); /* which counts before the environment */
    if (told == NULL && provider != NULL &&
        gl_reader_place_by_environment(tf->options, provider, &tf->plan->arena, place))
        return;
    if (told == NULL)
        told = tf->has_configuration
                   ? "in no attribute, reference or provider block of the plan"
                   : "not in the attributes, and the plan has no configuration section";
    place->evidence = "none";
    place->surety = GL_SURE_NOT;
    place->how = told;
}

void gl_tf_place(struct gl_tf *tf, const struct gl_tf_resource *resource, struct gl_intent *intent)
{
    const struct gl_mapping_provider *provider =
        gl_mapping_provider(tf->options->mapping, resource->parts.type);
    struct gl_intent_place *place = &intent->place;
    struct gl_arena *arena = &tf->plan->arena;
    const char *said;

    tf->hidden_place = NULL;
    if (gl_reader_place_by_user(tf->options, arena, intent->address, place) || place->is_hidden)
        return;
    if (place->region != NULL || place->conflict != NULL) {
        if (provider != NULL)
            check_zone(tf, resource, provider, place);
        return;
    }
    if (provider != NULL && by_argument(tf, resource, provider, place))
        return;
    said = said_elsewhere(tf, resource, provider);
    if (said != NULL) {
        *place = (struct gl_intent_place){
            .zone = place->zone,
            .zones = place->zones,
            .how = gl_reader_say(arena, "%s is written, and cannot be told yet", said),
            .evidence = "none",
            .surety = GL_SURE_NOT};
        return;
    }
    if (provider != NULL && by_provider(tf, resource, provider, place))
        return;
    if (tf->hidden_place != NULL) {
        gl_reader_hide_place(arena, tf->hidden_place, intent);
        return;
    }
    place_otherwise(tf, resource, provider, place);
}
