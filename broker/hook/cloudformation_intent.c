/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/cloudformation_part.h"
#include "broker/hook/mapping_part.h"

#include <string.h>

#define COUNT_TEXTS 64 /* that one number is made of */

/* ---- resources ---- */

const struct gl_cfn_resource *gl_cfn_resource(const struct gl_cfn *cfn, const char *id)
{
    size_t cursor = 0, number;

    return gl_reader_index_next(&cfn->by_id, id, &cursor, &number) ? &cfn->resources[number] : NULL;
}

/* Properties that are read by a row, and those by whose value others refer to a resource. */
static bool wants(const struct gl_cfn *cfn, const char *type, const char *key)
{
    size_t length = strlen(key);

    return (length >= 4 && strcmp(key + length - 4, "Name") == 0) ||
           gl_mapping_reads(cfn->options->mapping, type, key);
}

static bool wants_all(const struct gl_cfn *cfn, const char *type, const char *key)
{
    (void)cfn;
    (void)type;
    (void)key;
    return true;
}

/* "Team::Server::MODULE": resources that are kept in the registry. */
static bool is_module(const char *type)
{
    static const char end[] = "::MODULE";
    size_t length = strlen(type);

    return length > strlen(end) && strcmp(type + length - strlen(end), end) == 0;
}

/* CDK hands calls of AWS to its custom resources as JSON, in parts where it refers to others. */
static bool is_call(const struct gl_cfn *cfn, const struct gl_jnode *resource)
{
    for (const struct gl_jnode *node = resource; node < cfn->tree.nodes + resource->end; node++) {
        const char *text = gl_jnode_text(&cfn->tree, node);

        if (text != NULL && gl_mapping_is_suspect_text(text))
            return true;
    }
    return false;
}

/* Types of the macro of AWS that nobody here knows; of those that are known none is a machine. */
static bool is_new_serverless(const char *type)
{
    static const char prefix[] = "AWS::Serverless::";
    static const char *const known[] = {"Api",       "HttpApi",    "WebSocketApi", "SimpleTable",
                                        "Connector", "GraphQLApi", "StateMachine", "LayerVersion"};

    if (strncmp(type, prefix, strlen(prefix)) != 0)
        return false;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(type + strlen(prefix), known[i]) == 0)
            return false;
    return true;
}

static void look_at_type(struct gl_cfn *cfn, size_t number)
{
    struct gl_cfn_resource *resource = &cfn->resources[number];
    static const char custom[] = "AWS::CloudFormation::CustomResource";
    const char *type = resource->type;

    if (strncmp(type, "Custom::", 8) == 0) /* a name of the author's: what is handed over tells */
        type = custom;
    if (is_module(type) || is_new_serverless(type) ||
        (strcmp(type, custom) == 0 && is_call(cfn, resource->node)))
        gl_reader_add_unmapped(cfn->plan, resource->type);
    gl_cfn_evaluate(cfn, number, wants_all);
    if (gl_mapping_is_suspect(cfn->options->mapping, type, &resource->values,
                              gl_jtree_root(&resource->values)))
        gl_reader_add_unmapped(cfn->plan, resource->type);
    resource->values = resource->unknown = (struct gl_jtree){0};
}

/* The construct path of CDK where there is one, else the logical id. */
static const char *address_of(struct gl_cfn *cfn, const struct gl_cfn_resource *resource)
{
    const struct gl_jnode *metadata = gl_jnode_get(&cfn->tree, resource->node, "Metadata");
    const char *path =
        gl_jnode_text(&cfn->tree, gl_jnode_get(&cfn->tree, metadata, "aws:cdk:path"));
    size_t cursor = 0, number;

    if (path != NULL && *path != '\0' &&
        !gl_reader_index_next(&cfn->by_address, path, &cursor, &number))
        return gl_arena_text(&cfn->plan->arena, path, strlen(path));
    return cfn->stack != NULL
               ? gl_reader_say(&cfn->plan->arena, "%s/%s", cfn->stack, resource->id)
               : gl_arena_text(&cfn->plan->arena, resource->id, strlen(resource->id));
}

/* The text of a member of a resource, with what the loops around it say. */
static const char *said_of(struct gl_cfn *cfn, const struct gl_jnode *node, const char *key)
{
    const struct gl_jtree *tree = &cfn->tree;

    return gl_cfn_name_in_loops(cfn, gl_jnode_text(tree, gl_jnode_get(tree, node, key)));
}

int gl_cfn_add_resource(struct gl_cfn *cfn, const struct gl_jnode *node, const char *id,
                        struct gl_error *err)
{
    const char *type = said_of(cfn, node, "Type");
    struct gl_cfn_resource *resource;
    char shown[GL_TEXT_SHOWN];

    if (cfn->resource_count == GL_CFN_MAX_RESOURCES)
        return gl_fail(err, GL_E_TOO_LARGE, "%s: more than %zu resources", cfn->document,
                       GL_CFN_MAX_RESOURCES);
    if (!gl_jnode_is(node, GL_JOBJECT) || type == NULL)
        return gl_fail(err, GL_E_SYNTAX, "%s: resource %s has no Type", cfn->document,
                       gl_text_show(id, shown));
    cfn->resources =
        gl_arena_grow(&cfn->work, cfn->resources, cfn->resource_count, sizeof *cfn->resources);
    resource = &cfn->resources[cfn->resource_count];
    *resource = (struct gl_cfn_resource){
        .id = id,
        .type = type,
        .node = node,
        .loop = cfn->loop,
        .is_made = 1,
        .row = gl_mapping_row(cfn->options->mapping, type),
        .condition = said_of(cfn, node, "Condition"),
    };
    resource->address = address_of(cfn, resource);
    gl_reader_index_add(&cfn->by_id, resource->id, cfn->resource_count);
    gl_reader_index_add(&cfn->by_address, resource->address, cfn->resource_count++);
    return 0;
}

static int add_resources(struct gl_cfn *cfn, struct gl_error *err)
{
    const struct gl_jtree *tree = &cfn->tree;
    const struct gl_jnode *all = gl_jnode_get(tree, gl_jtree_root(tree), "Resources");

    if (all == NULL && cfn->stack != NULL) /* of an assembly: an empty stack, which CDK passes by */
        return 0;
    if (!gl_jnode_is(all, GL_JOBJECT))
        return gl_fail(err, GL_E_USAGE,
                       "%s: no Resources, so this is no template of CloudFormation", cfn->document);
    return gl_cfn_add_all(cfn, all, NULL, 0, err);
}

static void evaluate(struct gl_cfn *cfn, size_t number)
{
    struct gl_cfn_resource *resource = &cfn->resources[number];

    cfn->loop = resource->loop;
    if (resource->condition != NULL) {
        cfn->origin = (struct gl_cfn_origin){0};
        resource->is_made = gl_cfn_condition(cfn, resource->condition, 0);
        resource->origin = cfn->origin;
    }
    resource->taints = cfn->taint_count;
    if (gl_mapping_reads(cfn->options->mapping, resource->type, NULL))
        gl_cfn_evaluate(cfn, number, wants);
    else
        look_at_type(cfn, number);
    resource->taints_end = cfn->taint_count;
}

/* ---- references ---- */

struct gl_attributes gl_cfn_attributes(const struct gl_cfn_resource *resource)
{
    return (struct gl_attributes){
        .tree = &resource->values,
        .values = gl_jtree_root(&resource->values),
        .unknown_tree = &resource->unknown,
        .unknown = gl_jtree_root(&resource->unknown),
        .resource = resource,
        .address = resource->address,
    };
}

static bool is_named(const struct gl_cfn_resource *resource, const char *text)
{
    const struct gl_jtree *tree = &resource->values;
    const struct gl_jnode *root = gl_jtree_root(tree);

    for (const struct gl_jnode *child = root != NULL ? gl_jnode_first(tree, root) : NULL;
         child != NULL; child = gl_jnode_next(tree, root, child)) {
        const char *key = gl_jnode_key(tree, child), *value = gl_jnode_text(tree, child);
        size_t length = strlen(key);

        if (value != NULL && length >= 4 && strcmp(key + length - 4, "Name") == 0 &&
            strcmp(value, text) == 0)
            return true;
    }
    return false;
}

const struct gl_cfn_resource *gl_cfn_named(struct gl_cfn *cfn, const char *text, const char *type)
{
    for (size_t i = 0; i < cfn->resource_count; i++) {
        cfn->steps++;
        if (strcmp(cfn->resources[i].type, type) == 0 && is_named(&cfn->resources[i], text))
            return &cfn->resources[i];
    }
    return NULL;
}

/* What is referred to; `is_lost` when one of it is not found. */
struct referred {
    struct gl_cfn *cfn;
    const struct gl_attributes *from;
    const char *type;
    struct gl_attributes *out;
    size_t count;
    bool is_lost;
};

static void add_referred(struct referred *referred, const struct gl_cfn_resource *found)
{
    if (found == NULL || found == referred->from->resource ||
        strcmp(found->type, referred->type) != 0 || referred->count == GL_FOLLOWED_MAX) {
        referred->is_lost = true;
        return;
    }
    for (size_t i = 0; i < referred->count; i++)
        if (referred->out[i].resource == found)
            return;
    referred->out[referred->count++] = gl_cfn_attributes(found);
}

/* A Ref stands in the values as {"Ref": "Id"}; a name as a text. */
static void follow_node(struct referred *referred, const struct gl_jnode *node, const char *path)
{
    const struct gl_jtree *tree = referred->from->tree;
    struct gl_cfn *cfn = referred->cfn;
    const char *id = gl_jnode_text(tree, gl_jnode_get(tree, node, "Ref"));
    const char *name = gl_jnode_text(tree, node);
    size_t length = strcspn(path, ".");

    if (gl_jnode_is(node, GL_JARRAY)) {
        for (const struct gl_jnode *item = gl_jnode_first(tree, node); item != NULL;
             item = gl_jnode_next(tree, node, item))
            follow_node(referred, item, path);
    } else if (node != NULL && *path != '\0') {
        follow_node(referred, gl_jnode_get(tree, node, gl_arena_text(&cfn->work, path, length)),
                    path + length + (path[length] == '.'));
    } else if (id != NULL) {
        add_referred(referred, gl_cfn_resource(cfn, id));
    } else if (node != NULL) {
        add_referred(referred, name != NULL && *name != '\0' && cfn->steps < GL_CFN_MAX_STEPS
                                   ? gl_cfn_named(cfn, name, referred->type)
                                   : NULL);
    }
}

static bool is_template(const struct gl_attributes *attributes)
{
    const struct gl_cfn_resource *resource = attributes->resource;

    return resource->row != NULL && resource->row->role == GL_ROLE_TEMPLATE;
}

size_t gl_cfn_follow(void *cookie, const struct gl_attributes *from, const char *attribute,
                     const char *type, struct gl_attributes out[GL_FOLLOWED_MAX])
{
    struct referred referred = {.cfn = cookie, .from = from, .type = type, .out = out};

    follow_node(&referred, from->values, attribute);
    return referred.is_lost && referred.count > 0 && is_template(&out[0]) ? 0 : referred.count;
}

/* ---- how sure values are ---- */

static const char *origin_words(struct gl_cfn *cfn, const struct gl_cfn_origin *origin)
{
    return gl_reader_say(&cfn->plan->arena,
                         origin->surety == GL_SURE_ASSERTED ? "parameter %s"
                                                            : "default of parameter %s",
                         origin->parameter);
}

static const struct gl_cfn_taint *find_taint(const struct gl_cfn *cfn, size_t number,
                                             const char *text)
{
    const struct gl_cfn_resource *resource = &cfn->resources[number];

    for (size_t i = resource->taints; text != NULL && i < resource->taints_end; i++)
        if (strcmp(cfn->taints[i].text, text) == 0)
            return &cfn->taints[i];
    return NULL;
}

static size_t number_of(const struct gl_cfn *cfn, const char *address, size_t otherwise)
{
    size_t cursor = 0, number;

    return address != NULL && gl_reader_index_next(&cfn->by_address, address, &cursor, &number)
               ? number
               : otherwise;
}

static void weaken_machine(struct gl_cfn *cfn, size_t number, struct gl_intent_machine *machine)
{
    const struct gl_cfn_taint *taint =
        find_taint(cfn, number_of(cfn, machine->how, number), machine->type);
    const char *words;

    if (taint == NULL)
        return;
    words = origin_words(cfn, &taint->origin);
    machine->how = machine->how != NULL
                       ? gl_reader_say(&cfn->plan->arena, "%s, %s", machine->how, words)
                       : words;
    if (taint->origin.surety < machine->surety)
        machine->surety = taint->origin.surety;
}

/* The least sure of what the path reads there: a number may be a sum or a product of several. */
static const struct gl_cfn_origin *origin_of(struct gl_cfn *cfn, size_t number,
                                             const struct gl_path *path)
{
    const struct gl_attributes from = gl_cfn_attributes(&cfn->resources[number]);
    const struct gl_follower follower = {.cookie = cfn, .follow = gl_cfn_follow};
    const char *texts[COUNT_TEXTS], *how;
    size_t count =
        gl_path_texts(path, &from, &follower, &cfn->work, texts, COUNT_TEXTS, NULL, &how);
    const struct gl_cfn_resource *said = &cfn->resources[number_of(cfn, how, number)];
    const struct gl_cfn_origin *least = NULL;

    for (size_t i = 0; i < count; i++)
        for (size_t k = said->taints; k < said->taints_end; k++) {
            const struct gl_cfn_taint *taint = &cfn->taints[k];

            if (strcmp(taint->text, texts[i]) == 0 &&
                (how != NULL || gl_path_has_head(path, taint->head)) &&
                (least == NULL || taint->origin.surety < least->surety))
                least = &taint->origin;
        }
    return least;
}

static void weaken_count(struct gl_cfn *cfn, size_t number, struct gl_intent_count *count)
{
    struct gl_mapping_path paths[GL_MAPPING_ROW_PATHS];
    size_t path_count = gl_mapping_row_paths(cfn->resources[number].row, paths);

    for (size_t i = 0; i < path_count && cfn->taint_count > 0; i++) {
        const struct gl_cfn_origin *origin =
            strncmp(paths[i].key, "count.", 6) == 0 ? origin_of(cfn, number, paths[i].path) : NULL;

        if (origin == NULL || origin->surety >= count->surety)
            continue;
        count->surety = origin->surety;
        count->how = origin_words(cfn, origin);
    }
}

static void weaken_place(struct gl_cfn *cfn, size_t number, struct gl_intent_place *place)
{
    const struct gl_cfn_taint *taint = find_taint(cfn, number, place->zone);

    if (taint == NULL || place->surety == GL_SURE_NOT || taint->origin.surety >= place->surety)
        return;
    place->surety = taint->origin.surety;
    place->how = origin_words(cfn, &taint->origin);
}

/* ---- places ---- */

static void set_place(struct gl_cfn *cfn, struct gl_intent *intent)
{
    const struct gl_mapping_provider *provider =
        gl_mapping_provider(cfn->options->mapping, intent->type);
    struct gl_arena *arena = &cfn->plan->arena;
    struct gl_intent_place *place = &intent->place;

    if (gl_reader_place_by_user(cfn->options, arena, intent->address, place) || place->is_hidden)
        return;
    if (place->region != NULL || place->conflict != NULL) {
        if (provider != NULL && cfn->place.region != NULL &&
            gl_reader_rests_on_zone(provider, place))
            gl_reader_compare_place(arena, place, &cfn->place);
        return;
    }
    if (cfn->place.region != NULL) {
        gl_reader_set_place(arena, place, cfn->place.region, cfn->place.evidence, cfn->place.surety,
                            cfn->place.how);
        return;
    }
    if (provider != NULL && gl_reader_place_by_environment(cfn->options, provider, arena, place))
        return;
    place->evidence = "none";
    place->surety = GL_SURE_NOT;
    place->how = "a template says no region; --deploy-region does";
}

/* ---- intents ---- */

/* Once for each parameter. False when it stands there already. */
static bool note_once(struct gl_cfn *cfn, const char *note)
{
    struct gl_hook_plan *plan = cfn->plan;

    for (const char *const *one = plan->notes; one != NULL && *one != NULL; one++)
        if (strcmp(*one, note) == 0)
            return false;
    gl_reader_add_text(&plan->arena, &plan->notes, note);
    return true;
}

/* Another value may make them. */
static void note_left_out(struct gl_cfn *cfn, const char *parameter)
{
    (void)note_once(cfn, gl_reader_say(&cfn->plan->arena,
                                       "what the default of parameter %s leaves out is not judged; "
                                       "--parameter says another",
                                       parameter));
}

/* Is it the property that leaves something of the intent unknown? */
static bool is_wanting(const struct gl_intent *intent, const struct gl_mapping_row *row,
                       const char *property)
{
    bool wants = false;

    for (const char *const *one = intent->unknown; one != NULL && *one != NULL; one++)
        wants |= strcmp(*one, property) == 0;
    for (size_t i = 0; intent->place.region == NULL && i < row->place_count; i++)
        wants |= gl_path_has_head(row->places[i].path, property);
    return wants;
}

#define MISSING_MAX 16 /* that are told */

/* What follows from a parameter without a value is not known. */
static void note_missing(struct gl_cfn *cfn, const struct gl_cfn_resource *resource,
                         const struct gl_intent *intent)
{
    for (size_t i = resource->taints; i < resource->taints_end; i++) {
        const struct gl_cfn_taint *taint = &cfn->taints[i];

        if (*taint->text == '\0' && cfn->missing_told < MISSING_MAX &&
            is_wanting(intent, resource->row, taint->head))
            cfn->missing_told += note_once(
                cfn, gl_reader_say(&cfn->plan->arena,
                                   "parameter %s has no default, and %s is not known without it; "
                                   "--parameter %s=VALUE says it",
                                   taint->origin.parameter, taint->head, taint->origin.parameter));
    }
}

static void add_notes(struct gl_cfn *cfn, const struct gl_cfn_resource *resource,
                      struct gl_intent *intent)
{
    struct gl_arena *arena = &cfn->plan->arena;

    if (gl_cfn_is_open(resource->loop)) {
        intent->count.min = intent->count.desired = intent->count.max = GL_UNKNOWN;
        gl_reader_add_text(arena, &intent->notes, "one for every item of a list that is not known");
    }
    if (resource->is_made < 0)
        gl_reader_add_text(arena, &intent->notes,
                           gl_reader_say(arena, "made if condition %s holds, which is not known",
                                         resource->condition));
    if (resource->is_made != 0)
        return;
    if (resource->origin.parameter != NULL && resource->origin.surety == GL_SURE_ASSUMED &&
        intent->role != GL_ROLE_TEMPLATE)
        note_left_out(cfn, resource->origin.parameter);
    intent->change = GL_CHANGE_NONE;
    gl_reader_add_text(
        arena, &intent->notes,
        resource->origin.parameter != NULL
            ? gl_reader_say(arena, "not made: condition %s does not hold by %s",
                            resource->condition, origin_words(cfn, &resource->origin))
            : gl_reader_say(arena, "not made: condition %s does not hold", resource->condition));
}

static void add_intent(struct gl_cfn *cfn, size_t number)
{
    const struct gl_cfn_resource *resource = &cfn->resources[number];
    struct gl_attributes attributes = gl_cfn_attributes(resource);
    struct gl_follower follower = {.cookie = cfn, .follow = gl_cfn_follow, .hides = cfn->hides};
    struct gl_intent *intent =
        gl_reader_add_intent(cfn->options, cfn->plan, resource->row, &attributes, &follower);
    struct gl_intent_place said;

    intent->address = resource->address;
    intent->file = cfn->document;
    intent->change = GL_CHANGE_CREATE;
    weaken_machine(cfn, number, &intent->machine);
    weaken_count(cfn, number, &intent->count);
    weaken_place(cfn, number, &intent->place);
    said = intent->place;
    set_place(cfn, intent);
    gl_reader_add_also(&cfn->plan->arena, &said, &intent->place);
    note_missing(cfn, resource, intent);
    add_notes(cfn, resource, intent);
    intent->is_launch = gl_reader_is_launch(intent);
}

static int check_sections(const struct gl_cfn *cfn, struct gl_error *err)
{
    static const char *const names[] = {"Parameters", "Mappings", "Conditions"};
    const struct gl_jtree *tree = &cfn->tree;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct gl_jnode *section = gl_jnode_get(tree, gl_jtree_root(tree), names[i]);

        if (section != NULL && section->count > GL_CFN_MAX_SECTION)
            return gl_fail(err, GL_E_TOO_LARGE, "%s: more than %zu %s", cfn->document,
                           GL_CFN_MAX_SECTION, names[i]);
    }
    return 0;
}

static void note_macro(struct gl_cfn *cfn, const char *note)
{
    cfn->plan->is_partial = true;
    gl_reader_add_text(&cfn->plan->arena, &cfn->plan->notes, note);
}

/* Macros within the resources. */
static void note_inner_macros(struct gl_cfn *cfn)
{
    const struct gl_jtree *tree = &cfn->tree;
    const struct gl_jnode *all = gl_jnode_get(tree, gl_jtree_root(tree), "Resources");

    for (const struct gl_jnode *one = all; one != NULL && one < tree->nodes + all->end; one++)
        if (one != all && one->key_length > 0 &&
            strcmp(gl_jnode_key(tree, one), "Fn::Transform") == 0) {
            note_macro(cfn, "what Fn::Transform adds to resources is not judged");
            return;
        }
}

/* Macros other than those of AWS that add no machines by themselves. */
static void note_macros(struct gl_cfn *cfn)
{
    static const char *const known[] = {
        "AWS::Serverless-2016-10-31", "AWS::LanguageExtensions", "AWS::SecretsManager-2020-07-23",
        "AWS::SecretsManager-2024-09-16", "AWS::CodeDeployBlueGreen"};
    const struct gl_jtree *tree = &cfn->tree;
    const struct gl_jnode *all = gl_jnode_get(tree, gl_jtree_root(tree), "Transform");
    bool is_list = gl_jnode_is(all, GL_JARRAY);

    for (const struct gl_jnode *one = is_list ? gl_jnode_first(tree, all) : all; one != NULL;
         one = is_list ? gl_jnode_next(tree, all, one) : NULL) {
        const char *name = gl_jnode_text(tree, one);
        bool is_known = false;

        for (size_t i = 0; name != NULL && i < sizeof known / sizeof known[0]; i++)
            is_known |= strcmp(known[i], name) == 0;
        if (is_known)
            continue;
        note_macro(cfn, "a macro changes the template before it is deployed");
        return;
    }
}

int gl_cfn_intents(struct gl_cfn *cfn, struct gl_error *err)
{
    struct gl_hook_plan *plan = cfn->plan;
    size_t first = plan->count;

    if (check_sections(cfn, err) != 0 || add_resources(cfn, err) != 0)
        return -1;
    for (size_t i = 0; i < cfn->resource_count; i++)
        evaluate(cfn, i);
    if (cfn->is_over)
        return gl_fail(err, GL_E_TOO_LARGE, "%s: its functions come to too much", cfn->document);
    for (size_t i = 0; i < cfn->resource_count; i++)
        if (cfn->resources[i].row != NULL) {
            add_intent(cfn, i);
            cfn->resources[i].intent = plan->count;
        }
    gl_cfn_scale(cfn);
    note_macros(cfn);
    note_inner_macros(cfn);
    plan->resources += cfn->resource_count + plan->count - first;
    for (size_t i = first; i < plan->count; i++) {
        plan->resources -= plan->intents[i].is_mapped;
        plan->launches += plan->intents[i].is_launch;
    }
    return 0;
}
