/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_TERRAFORM_PART_H
#define GL_BROKER_HOOK_TERRAFORM_PART_H

/* The parts of the Terraform reader: what is kept of a plan while it streams by, and how
 * references in its configuration are followed. Format: internals/json-format of Terraform 0.12 to
 * 1.14 and OpenTofu. Trees kept here are pruned to the attributes the mapping reads; everything
 * lives in `work` until the plan is read. */

#include "broker/hook/reader_part.h"

#define GL_TF_MAX_RESOURCES ((size_t)1 << 20)
#define GL_TF_MAX_FOLLOWED  16  /* steps from a reference to its value; cycles end there */
#define GL_TF_MAX_STEPS     256 /* of one expression, all ways together */
#define GL_TF_NAMES_MAX     32  /* of an expression that are looked at */
#define GL_TF_OTHERS        8

/* "module.a["x"].aws_instance.web[0]" taken apart. Texts in the arena. */
struct gl_tf_address {
    const char *module;   /* without instance keys: "module.a"; "" = root */
    const char *instance; /* of the module, with keys: "module.a[\"x\"]" */
    const char *type, *name;
    const char *key; /* "[0]" of the resource; "" */
    bool is_data;    /* of type "ephemeral.random_password" too, which only passes by */
};
/* False when it is no address of a resource. */
bool gl_tf_address_parse(const char *text, struct gl_arena *arena, struct gl_tf_address *out);

/* A resource of resource_changes, or a data source of prior_state. */
struct gl_tf_resource {
    const char *address, *provider;
    struct gl_tf_address parts;
    enum gl_change change;                           /* by the actions alone */
    bool is_forgotten;                               /* the old one keeps running */
    const struct gl_jtree *before, *after, *unknown; /* pruned; count 0 = none */
    const char *const *tags;          /* of after, else of before; in the plan's arena */
    const struct gl_mapping_row *row; /* NULL = not a machine, kept for who refers to it */
    const char *variant;              /* what a resource of any type is; NULL */
    const char *within;               /* for gl_attributes; NULL */
    const char *deferred;             /* reason; NULL */
};
/* A resource block of the configuration. */
struct gl_tf_block {
    const char *module, *provider_key;
    const char *each_of;         /* "aws_subnet.all": the only name in for_each; NULL */
    struct gl_jtree expressions; /* pruned */
};
struct gl_tf_module {    /* what a module is told, and what it tells */
    const char *path;    /* "module.a.module.b" */
    const char *each_of; /* of its call, as of a block */
    struct gl_jtree arguments, defaults;
};
struct gl_tf_provider {
    const char *key;
    struct gl_jtree expressions;
};

struct gl_tf {
    const struct gl_hook_options *options;
    struct gl_arena work;
    struct gl_hook_plan *plan;
    const char *document; /* "plan.json", "plan.json (document 2)" */
    struct gl_jtree scratch, marks;
    struct gl_reader_trees trees;
    struct gl_reader_pieces said; /* of intents, in the plan's arena */
    /* of the document being read */
    bool has_format, has_changes, has_configuration, is_old_keys; /* keys of before 1.1 */
    const char *terraform_version;
    struct gl_tf_resource *resources;
    size_t resource_count, indexed_count; /* those from `indexed_count` on are in no index yet */
    struct gl_tf_block *blocks;
    size_t block_count;
    struct gl_tf_module *modules;
    size_t module_count;
    struct gl_jtree *outputs; /* expressions of modules' outputs; of none = marked sensitive */
    size_t output_count;
    struct gl_tf_provider *providers;
    size_t provider_count;
    struct gl_jtree variables;           /* of the root: {"region":"eu-north-1"} */
    struct gl_reader_index by_block;     /* "module|type.name" -> resources */
    struct gl_reader_index by_value;     /* "type|id", by id, name, arn, self_link -> resources */
    struct gl_reader_index blocks_named; /* "module|type.name" -> blocks */
    struct gl_reader_index modules_named;
    struct gl_reader_index outputs_named; /* gl_tf_output_name() -> outputs */
    struct gl_reader_index types;         /* without a row: enum gl_suspicion */
    struct gl_reader_index names;         /* parts of addresses, in the plan's arena */
    size_t steps;                         /* of the expression being followed */
    size_t picked;                        /* how often it mattered which instance one is */
    bool has_planned;                     /* planned_values lists resources */
    bool hides;                           /* something is marked sensitive */
    const char *hidden;       /* "variable region": it is, and the last expression has it; NULL */
    const char *hidden_place; /* the same of what says a place */
};

/* The text as the plan holds it, once. */
const char *gl_tf_name(struct gl_tf *tf, const char *text);
/* "module|type.name" in the arena. */
const char *gl_tf_block_name(struct gl_arena *arena, const char *module, const char *type,
                             const char *name, bool is_data);

/* As gl_reader_index_next() of by_block or by_value, which are made when they are first asked: that
 * is when all resources are read, and of many plans never. */
bool gl_tf_next_resource(struct gl_tf *tf, const struct gl_reader_index *index, const char *name,
                         size_t *cursor, size_t *out_number);

/* ---- terraform_walk.c: members by table ---- */

/* Reads the value of a member or an item, all of it. */
typedef int gl_tf_reading(struct gl_tf *tf, struct gl_jsonpull *pull, void *cookie,
                          struct gl_error *err);
struct gl_tf_member {
    const char *key; /* NULL ends a table */
    gl_tf_reading *read;
};
/* Every member of the next value by its row, the others skipped; a value that is no object too. */
int gl_tf_members(struct gl_tf *tf, struct gl_jsonpull *pull, const struct gl_tf_member *members,
                  void *cookie, struct gl_error *err);
/* Every item of the next value; a value that is no list is skipped. */
int gl_tf_items(struct gl_tf *tf, struct gl_jsonpull *pull, gl_tf_reading *read, void *cookie,
                struct gl_error *err);
/* Every member, whatever its name, which is lent in `key` as long as `read` runs. */
struct gl_tf_named {
    char *key;
    void *cookie;
};
int gl_tf_named_members(struct gl_tf *tf, struct gl_jsonpull *pull, gl_tf_reading *read,
                        struct gl_tf_named *named, struct gl_error *err);
/* A string into the arena; another value leaves *out (a const char **) as it is. */
gl_tf_reading gl_tf_text;

/* terraform_change.c: one item of resource_changes, of deferred_changes, and prior_state. */
gl_tf_reading gl_tf_read_change, gl_tf_read_deferred, gl_tf_read_prior;
/* Is anything of this type kept: a machine, what one refers to, or what gives it a place? */
bool gl_tf_is_read(const struct gl_tf *tf, const char *type);

/* terraform_config.c: the value of "configuration". */
gl_tf_reading gl_tf_read_configuration;
/* "module.a.module.b" of "module.a" and "b". */
char *gl_tf_path_of(struct gl_arena *arena, const char *parent, const char *call);
/* Number of the module of that path, made when it is new. */
size_t gl_tf_module_of(struct gl_tf *tf, const char *path);
/* "7|region": output of module number 7, in the arena. */
const char *gl_tf_output_name(struct gl_tf *tf, size_t module, const char *output);

/* terraform_follow.c. */
struct gl_tf_answer {
    const char *text;
    enum gl_surety surety;
    const char *how; /* "variable region" */
    bool is_guess;   /* of several names: any of them may be the one */
    const char *others[GL_TF_OTHERS];
    size_t other_count; /* may be more than there is room for */
    bool has_gap;       /* a name among them cannot be told: it may be the one */
    bool has_choice;    /* a variable among them that is no text: a condition between what is not
                         * in the plan, perhaps */
};
/* The text an expression of `module` comes to. False when it cannot be told, and when something in
 * it is marked sensitive, as all of it is then: `tf->hidden` says what. */
bool gl_tf_resolve(struct gl_tf *tf, const char *module, const struct gl_jtree *tree,
                   const struct gl_jnode *expression, struct gl_tf_answer *out);

/* terraform_refer.c: the resources an attribute refers to. */

/* How rows of the mapping see beyond a resource's own attributes. */
struct gl_follower gl_tf_follower(struct gl_tf *tf);
/* Of a follower, whose cookie is the struct gl_tf: 1 written, 0 not, -1 when it cannot be told: the
 * plan has no such block, or it is dynamic. */
int gl_tf_is_written(void *cookie, const struct gl_attributes *from, const char *attribute);
/* Of a follower too: is it after the change what it was before? */
bool gl_tf_is_kept(void *cookie, const struct gl_attributes *from, const char *attribute);
/* All resources of the types that `attribute` may mean, into `found`, which has room for every
 * resource there is. Returns how many; *out_is_untold when it may be one that is not among them. */
size_t gl_tf_targets(struct gl_tf *tf, const struct gl_tf_resource *scaler, const char *attribute,
                     const char *const *types, const struct gl_tf_resource **found,
                     bool *out_is_untold);
const struct gl_tf_block *gl_tf_block_of(const struct gl_tf *tf,
                                         const struct gl_tf_resource *resource);
struct gl_attributes gl_tf_attributes(const struct gl_tf_resource *resource, bool is_before);

/* terraform_value.c. Everything that stands at "a.b" below `node`, in every block of a list, or
 * that stands for all of it: what is known later, or an expression. */
typedef void gl_tf_seen(const struct gl_jtree *tree, const struct gl_jnode *node, void *cookie);
void gl_tf_visit(const struct gl_jtree *tree, const struct gl_jnode *node, const char *path,
                 gl_tf_seen *seen, void *cookie);
/* A block stands in a list: its first item, and what is no list as it is. */
const struct gl_jnode *gl_tf_into(const struct gl_jtree *tree, const struct gl_jnode *node);
/* The value at "[1].region" or "[\"us\"]" below `node`; NULL when it cannot be told which. */
const struct gl_jnode *gl_tf_value_at(const struct gl_jtree *tree, const struct gl_jnode *node,
                                      const char *path);
/* Member at "a.b" below `node`; a block's list is stepped into at its first item. */
const struct gl_jnode *gl_tf_at(const struct gl_jtree *tree, const struct gl_jnode *node,
                                const char *path);

/* terraform_region.c: the place of an intent by the order of evidence, and what was tried. */
void gl_tf_place(struct gl_tf *tf, const struct gl_tf_resource *resource, struct gl_intent *intent);

/* terraform_intent.c: resources to intents of the plan, scalers joined to their targets. */
void gl_tf_intents(struct gl_tf *tf);

#endif
