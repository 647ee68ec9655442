/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_PULUMI_PART_H
#define GL_BROKER_HOOK_PULUMI_PART_H

/* The parts of the Pulumi reader. Format: pulumi/pulumi sdk/go/common/display/json.go (a step holds
 * oldState and newState), and the older flat form (type, inputs and provider on the step). Values
 * that are not known yet are marked by pkg/resource/stack and sdk/go/common/resource/plugin. */

#include "broker/hook/reader_part.h"

#define GL_PULUMI_MAX_RESOURCES ((size_t)1 << 20)

/* What a step says it does. A resource may have several steps: the strongest decides. */
struct gl_pulumi_op {
    const char *word;
    enum gl_change change;
    unsigned strength;
    bool is_replacement; /* one of the steps of a replacement */
    bool has_old_place;  /* what the provider filled in before holds afterwards */
};

/* Attributes as kept: values, and true where they are known later. Count 0 = none. */
struct gl_pulumi_state {
    struct gl_jtree values, unknown;
};

struct gl_pulumi_resource {
    const char *urn, *address; /* "aws:ec2/instance:Instance::web" */
    const char *type;          /* as Terraform calls it, where the mapping knows */
    const char *provider;      /* "urn:...::id"; NULL */
    const struct gl_pulumi_op *op;
    const struct gl_mapping_row *row; /* NULL = not a machine */
    struct gl_pulumi_state before, after;
    struct gl_jtree dependencies; /* attribute -> URNs */
};

struct gl_pulumi {
    const struct gl_hook_options *options;
    struct gl_hook_plan *plan;
    struct gl_arena work;
    const char *document;
    struct gl_jtree scratch;
    struct gl_jtree config; /* {"aws:region":"eu-north-1"} */
    struct gl_pulumi_resource *resources;
    size_t resource_count;
    const char *hidden_place; /* "config aws:region": a secret that says a place; NULL */
    const char *later_place;  /* the same of a provider that is told it only later */
    bool has_steps, hides;    /* a secret is among what is kept */
    struct gl_reader_index by_urn, by_value; /* "type|id" */
    struct gl_reader_index types;            /* unmapped types looked at */
};

/* pulumi_step.c: one item of "steps". */
gl_reader_each gl_pulumi_read_step;
/* "instance_type" -> "instanceType", cut to fit. */
#define GL_PULUMI_NAME 128
const char *gl_pulumi_camel(const char *name, char out[GL_PULUMI_NAME]);
/* "[secret]", which stands for any. */
bool gl_pulumi_is_secret(const char *text);
/* "urn:pulumi:dev::app::aws:ec2/instance:Instance::web" -> "web"; "" when it is none. */
const char *gl_pulumi_name(const char *urn);

/* pulumi_intent.c: resources to intents of the plan. */
void gl_pulumi_intents(struct gl_pulumi *pulumi);

#endif
