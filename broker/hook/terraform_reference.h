/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_TERRAFORM_REFERENCE_H
#define GL_BROKER_HOOK_TERRAFORM_REFERENCE_H

/* References of a plan's configuration, one by one: what a name is of, and where it leads within
 * the modules. Internal to the Terraform reader. */

#include "broker/hook/terraform_part.h"

/* "data.aws_region.here.name" taken apart. */
struct gl_tf_reference {
    enum { GL_TF_REF_OTHER, GL_TF_REF_VARIABLE, GL_TF_REF_MODULE, GL_TF_REF_RESOURCE } kind;
    char first[128], second[128]; /* variable; module and output; type and name */
    const char *rest;             /* attribute path after it; "" = none. Of a variable from its
                                     index on */
    bool is_data;
};
struct gl_tf_reference gl_tf_reference_of(const char *text);
/* Does reference number `index` only repeat a more specific one before it? */
bool gl_tf_is_repeated(const struct gl_jtree *tree, const struct gl_jnode *list, size_t index);
/* "web[\"a\"].zone" -> "[\"a\"]": the instance that a reference names; "" = it names none. */
const char *gl_tf_key_of(struct gl_tf *tf, const char *text,
                         const struct gl_tf_reference *reference);
/* The module of that path; until the next is asked for. */
const struct gl_tf_module *gl_tf_module_at(struct gl_tf *tf, const char *path);
/* An expression somewhere in the configuration. */
struct gl_tf_expression {
    const char *module;
    const struct gl_jtree *tree;
    const struct gl_jnode *node; /* NULL = there is none */
};
/* Out of the module, to what its call passes; or into one, to what it gives back. */
struct gl_tf_expression gl_tf_step(struct gl_tf *tf, const char *module,
                                   const struct gl_tf_reference *reference);
/* A data source that is read only in apply, named as something planned: that is it. The name
 * to find it by; NULL = it is not such a reference, or the name is not known. */
const char *gl_tf_planned_name(struct gl_tf *tf, const char *module, const char *text,
                               const struct gl_tf_reference *reference);
/* What is planned of that name, one after the other, some twice; NULL at the end and of NULL. */
const struct gl_tf_resource *gl_tf_next_planned(struct gl_tf *tf, const char *name, size_t *cursor);

#endif
