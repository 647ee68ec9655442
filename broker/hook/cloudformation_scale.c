/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/cloudformation_part.h"

#include <string.h>

#define ID_MAX_BYTES 256 /* logical ids are 255 at most */

/* A scaler says its group as a Ref, or within a text: "service/${Cluster}/${Service.Name}". Which
 * text that will be is not known before the deployment; whom it is put together from is. */

static bool is_target(const struct gl_mapping_row *row, const struct gl_cfn_resource *resource)
{
    for (size_t i = 0; row->target_types != NULL && row->target_types[i] != NULL; i++)
        if (resource != NULL && strcmp(resource->type, row->target_types[i]) == 0)
            return true;
    return false;
}

/* The resource of the first `length` bytes, a logical id with or without ".Attribute". */
static const struct gl_cfn_resource *resource_of(const struct gl_cfn *cfn, const char *text,
                                                 size_t length)
{
    char id[ID_MAX_BYTES];
    size_t end = strcspn(text, ".");

    end = end < length ? end : length;
    if (end >= sizeof id)
        return NULL;
    memcpy(id, text, end);
    id[end] = '\0';
    return gl_cfn_resource(cfn, id);
}

/* A scaler, and whether a group of it was found. */
struct scaling {
    struct gl_cfn *cfn;
    const struct gl_cfn_resource *scaler;
    bool is_open, has_group;
};

/* Every group that is named may be the one: a condition says which. */
static void scale_one(struct scaling *scaling, const struct gl_cfn_resource *target)
{
    struct gl_cfn *cfn = scaling->cfn;
    struct gl_intent *intents = cfn->plan->intents;
    const struct gl_intent *scaler = &intents[scaling->scaler->intent - 1];

    if (!is_target(scaling->scaler->row, target) || target->intent == 0)
        return;
    gl_reader_scale(scaler, gl_reader_scaled_by(&cfn->plan->arena, scaler), scaling->is_open,
                    &intents[target->intent - 1]);
    scaling->has_group = true;
}

static void scale_pattern(struct scaling *scaling, const char *text)
{
    for (const char *at = strstr(text, "${"); at != NULL; at = strstr(at + 2, "${"))
        scale_one(scaling, resource_of(scaling->cfn, at + 2, strcspn(at + 2, "}")));
}

static void scale_node(struct scaling *scaling, const struct gl_jnode *node)
{
    const struct gl_jtree *tree = &scaling->cfn->tree;
    const struct gl_jnode *first = node->kind == GL_JARRAY ? gl_jnode_at(tree, node, 0) : node;
    const char *key = node->key_length > 0 ? gl_jnode_key(tree, node) : "";
    const char *text = gl_cfn_name_in_loops(scaling->cfn, gl_jnode_text(tree, first));

    if (text == NULL)
        return;
    if (strcmp(key, "Fn::Sub") == 0)
        scale_pattern(scaling, text);
    if (strcmp(key, "Ref") == 0 || strcmp(key, "Fn::GetAtt") == 0)
        scale_one(scaling, resource_of(scaling->cfn, text, strlen(text)));
}

static void scale_named(struct scaling *scaling, const char *text)
{
    const char *const *types = scaling->scaler->row->target_types;
    const char *slash = strrchr(text, '/');

    for (; types != NULL && *types != NULL && scaling->cfn->steps < GL_CFN_MAX_STEPS; types++)
        scale_one(scaling, gl_cfn_named(scaling->cfn, slash != NULL ? slash + 1 : text, *types));
}

static void scale(struct gl_cfn *cfn, const struct gl_cfn_resource *scaler)
{
    const struct gl_jtree *tree = &cfn->tree, *values = &scaler->values;
    const char *head = scaler->row->target != NULL ? gl_path_head(scaler->row->target) : "";
    const struct gl_jnode *said =
        gl_jnode_get(tree, gl_jnode_get(tree, scaler->node, "Properties"), head);
    const char *text = gl_jnode_text(values, gl_jnode_get(values, gl_jtree_root(values), head));
    struct gl_attributes from = gl_cfn_attributes(scaler);
    const struct gl_follower follower = {.cookie = cfn, .follow = gl_cfn_follow};
    struct scaling scaling = {cfn, scaler,
                              gl_reader_is_open(scaler->row, &from, &follower, &cfn->work), false};

    cfn->loop = scaler->loop;
    for (const struct gl_jnode *node = said; node != NULL && node < tree->nodes + said->end; node++)
        scale_node(&scaling, node);
    if (!scaling.has_group && text != NULL)
        scale_named(&scaling, text);
    if (!scaling.has_group)
        gl_reader_add_text(&cfn->plan->arena, &cfn->plan->intents[scaler->intent - 1].notes,
                           "what it scales is no machine of this template");
}

void gl_cfn_scale(struct gl_cfn *cfn)
{
    for (size_t i = 0; i < cfn->resource_count; i++) {
        const struct gl_cfn_resource *resource = &cfn->resources[i];

        if (resource->row != NULL && resource->row->role == GL_ROLE_SCALER &&
            resource->is_made != 0)
            scale(cfn, resource);
    }
}
