/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_CLOUDFORMATION_PART_H
#define GL_BROKER_HOOK_CLOUDFORMATION_PART_H

/* The parts of the CloudFormation reader. Format: AWS CloudFormation User Guide, "Template
 * reference" and "Intrinsic function reference"; CDK: aws-cdk cloud-assembly-schema. A template is
 * a program: it is evaluated within ceilings, and what cannot be told is unknown. */

#include "broker/hook/reader_part.h"

#define GL_CFN_MAX_BYTES     ((size_t)4 << 20)  /* of a template; the service takes 1 MB */
#define GL_CFN_MAX_RESOURCES ((size_t)10000)    /* twenty times what the service takes */
#define GL_CFN_MAX_SECTION   ((size_t)2000)     /* parameters, mappings, conditions */
#define GL_CFN_MAX_STEPS     ((size_t)1 << 18)  /* functions evaluated of a template */
#define GL_CFN_MAX_TEXT      ((size_t)64 << 10) /* of one text that is put together */
#define GL_CFN_MAX_TEXTS     ((size_t)16 << 20) /* of all of them */
#define GL_CFN_MAX_DEPTH     32                 /* functions within each other */

/* Where a value came from when it is not written in the template as such. */
struct gl_cfn_origin {
    const char *parameter; /* NULL = written */
    enum gl_surety surety; /* ASSUMED: its default; ASSERTED: --parameter */
};
/* A value of a resource that has such an origin. */
struct gl_cfn_taint {
    const char *head; /* the property it stands below */
    const char *text; /* "" = the parameter has no value */
    struct gl_cfn_origin origin;
};

/* A loop that a resource is made in: what its variable is there. */
struct gl_cfn_loop {
    const char *name, *value; /* value NULL = not known, and how many there will be neither */
    struct gl_cfn_origin origin;
    const struct gl_cfn_loop *outer;
};

struct gl_cfn_resource {
    const char *id, *address, *type;
    const struct gl_jnode *node;
    const struct gl_cfn_loop *loop; /* innermost; NULL = none */
    const struct gl_mapping_row *row;
    struct gl_jtree values, unknown; /* of the properties that are read; count 0 = none */
    const char *condition;           /* NULL = always made */
    int is_made;                     /* 1, 0, -1 cannot be told */
    struct gl_cfn_origin origin;     /* of is_made */
    size_t intent;                   /* number + 1; 0 = none */
    size_t taints, taints_end;       /* of its values */
};

struct gl_cfn {
    const struct gl_hook_options *options;
    struct gl_hook_plan *plan;
    struct gl_arena work;
    const char *document, *stack; /* of a CDK stack: its name; NULL */
    struct gl_jtree tree, given;  /* `given`: parameters of a CDK manifest */
    struct gl_intent_place place; /* of the deployment; region NULL = not said */
    struct gl_cfn_resource *resources;
    size_t resource_count;
    struct gl_reader_index by_id, by_address;
    struct gl_cfn_taint *taints;
    size_t taint_count, missing_told;
    size_t steps, text_bytes;
    bool is_over; /* a ceiling was met */
    /* while properties are evaluated */
    size_t current;
    const struct gl_cfn_loop *loop;
    const char *head;
    struct gl_cfn_origin origin;
    bool has_no_echo;    /* a parameter that is not shown is in it */
    const char *missing; /* a parameter without a value is in it; NULL */
    bool hides;          /* so it was for any */
};

/* ---- cloudformation_value.c ---- */

enum gl_cfn_kind {
    GL_CFN_UNKNOWN,
    GL_CFN_NODE,     /* a value of the template */
    GL_CFN_TEXT,     /* a text that was put together */
    GL_CFN_LIST,     /* texts */
    GL_CFN_RESOURCE, /* a reference to a resource: text = its logical id */
    GL_CFN_NOTHING,  /* AWS::NoValue */
};
struct gl_cfn_value {
    enum gl_cfn_kind kind;
    const struct gl_jnode *node;
    const char *text;
    const char *const *list;
    size_t count;
};
/* A value with its functions evaluated, as far as that goes. */
struct gl_cfn_value gl_cfn_reduce(struct gl_cfn *cfn, const struct gl_jnode *node, unsigned depth);
/* The text of a scalar; NULL when it is none or not known. */
const char *gl_cfn_text(struct gl_cfn *cfn, struct gl_cfn_value value);
/* 1, 0, or -1 when it cannot be told. */
int gl_cfn_condition(struct gl_cfn *cfn, const char *name, unsigned depth);
/* The properties of resource `number` that `wants` takes, evaluated, into its trees. */
typedef bool gl_cfn_wants(const struct gl_cfn *cfn, const char *type, const char *key);
void gl_cfn_evaluate(struct gl_cfn *cfn, size_t number, gl_cfn_wants *wants);

/* cloudformation_function.c: the functions but Ref and Fn::If. False = not known here. */
bool gl_cfn_call(struct gl_cfn *cfn, const char *name, const struct gl_jnode *arguments,
                 unsigned depth, struct gl_cfn_value *out);
struct gl_cfn_value gl_cfn_reference(struct gl_cfn *cfn, const char *name);
struct gl_cfn_value gl_cfn_made_text(struct gl_cfn *cfn, const struct gl_str *text);
/* What is evaluated comes from there too: what is assumed is less sure than what is asserted. */
void gl_cfn_add_origin(struct gl_cfn *cfn, const struct gl_cfn_origin *origin);

/* cloudformation_loop.c: all resources of an object, those that loops make too. */
int gl_cfn_add_all(struct gl_cfn *cfn, const struct gl_jnode *all, const struct gl_cfn_loop *loop,
                   unsigned depth, struct gl_error *err);
/* The loop around what is evaluated whose variable has that name; NULL. */
const struct gl_cfn_loop *gl_cfn_loop_of(const struct gl_cfn *cfn, const char *name);
/* A text with the "${name}" and "&{name}" of the loops around it replaced. NULL when one of them is
 * not known. */
const char *gl_cfn_in_loops(struct gl_cfn *cfn, const char *text);
/* The same of a name, of a resource or a condition: what is not known stays as it is written, as it
 * does where it is given. NULL = NULL. */
const char *gl_cfn_name_in_loops(struct gl_cfn *cfn, const char *name);
/* Is a list not known that it goes over? */
bool gl_cfn_is_open(const struct gl_cfn_loop *loop);

/* cloudformation_intent.c: a resource by its logical id, NULL = none; one more, within the loop
 * that is set; and the template in `tree` to intents of the plan. */
int gl_cfn_add_resource(struct gl_cfn *cfn, const struct gl_jnode *node, const char *id,
                        struct gl_error *err);
const struct gl_cfn_resource *gl_cfn_resource(const struct gl_cfn *cfn, const char *id);
int gl_cfn_intents(struct gl_cfn *cfn, struct gl_error *err);
struct gl_attributes gl_cfn_attributes(const struct gl_cfn_resource *resource);
size_t gl_cfn_follow(void *cookie, const struct gl_attributes *from, const char *attribute,
                     const char *type, struct gl_attributes out[GL_FOLLOWED_MAX]);
/* The first of that type with such a name; NULL. */
const struct gl_cfn_resource *gl_cfn_named(struct gl_cfn *cfn, const char *text, const char *type);

/* cloudformation_scale.c: what scalers say of their groups counts. */
void gl_cfn_scale(struct gl_cfn *cfn);

#endif
