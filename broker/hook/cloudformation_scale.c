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

static const struct gl_cfn_resource *in_pattern(const struct gl_cfn *cfn,
                                                const struct gl_mapping_row *row, const char *text)
{
    for (const char *at = strstr(text, "${"); at != NULL; at = strstr(at + 2, "${")) {
        const struct gl_cfn_resource *found = resource_of(cfn, at + 2, strcspn(at + 2, "}"));

        if (is_target(row, found))
            return found;
    }
    return NULL;
}

static const struct gl_cfn_resource *in_node(const struct gl_cfn *cfn,
                                             const struct gl_mapping_row *row,
                                             const struct gl_jnode *node)
{
    const struct gl_jtree *tree = &cfn->tree;
    const struct gl_jnode *first = node->kind == GL_JARRAY ? gl_jnode_at(tree, node, 0) : node;
    const char *key = node->key_length > 0 ? gl_jnode_key(tree, node) : "";
    const char *text = gl_jnode_text(tree, first);

    if (text == NULL)
        return NULL;
    if (strcmp(key, "Fn::Sub") == 0)
        return in_pattern(cfn, row, text);
    if (strcmp(key, "Ref") == 0 || strcmp(key, "Fn::GetAtt") == 0)
        return resource_of(cfn, text, strlen(text));
    return NULL;
}

static const struct gl_cfn_resource *find_target(struct gl_cfn *cfn,
                                                 const struct gl_cfn_resource *scaler)
{
    const struct gl_jtree *tree = &cfn->tree, *values = &scaler->values;
    const char *head = scaler->row->target != NULL ? gl_path_head(scaler->row->target) : "";
    const struct gl_jnode *said =
        gl_jnode_get(tree, gl_jnode_get(tree, scaler->node, "Properties"), head);
    const char *text = gl_jnode_text(values, gl_jnode_get(values, gl_jtree_root(values), head));
    const char *slash = text != NULL ? strrchr(text, '/') : NULL;
    const struct gl_cfn_resource *found = NULL;

    for (const struct gl_jnode *node = said; node != NULL && node < tree->nodes + said->end;
         node++) {
        found = in_node(cfn, scaler->row, node);
        if (is_target(scaler->row, found))
            return found;
    }
    for (size_t i = 0; text != NULL && cfn->steps < GL_CFN_MAX_STEPS &&
                       scaler->row->target_types != NULL && scaler->row->target_types[i] != NULL;
         i++) {
        found = gl_cfn_named(cfn, slash != NULL ? slash + 1 : text, scaler->row->target_types[i]);
        if (found != NULL)
            return found;
    }
    return NULL;
}

static void scale(struct gl_cfn *cfn, const struct gl_cfn_resource *scaler)
{
    struct gl_intent *intents = cfn->plan->intents, *intent = &intents[scaler->intent - 1];
    const struct gl_cfn_resource *target = find_target(cfn, scaler);
    struct gl_attributes from = gl_cfn_attributes(scaler);
    const struct gl_follower follower = {.cookie = cfn, .follow = gl_cfn_follow};

    if (target == NULL || target->intent == 0) {
        gl_reader_add_text(&cfn->plan->arena, &intent->notes,
                           "what it scales is no machine of this template");
        return;
    }
    gl_reader_scale(&cfn->plan->arena, intent,
                    gl_reader_is_open(scaler->row, &from, &follower, &cfn->work),
                    &intents[target->intent - 1]);
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
