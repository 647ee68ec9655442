/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_READER_H
#define GL_BROKER_HOOK_READER_H

/* The contract of plan readers: one const struct a format, listed in gl_hook_readers(). A reader
 * turns bytes into intents; it judges nothing, asks nobody, and defaults nothing in silence. */

#include "base/feed.h"
#include "broker/hook/intent.h"
#include "broker/hook/mapping.h"

/* What the user asserts about the plan. */
struct gl_hook_options {
    const struct gl_hook_mapping *mapping;
    const char *const *regions; /* "ADDRESS_GLOB=REGION", NULL-terminated; NULL = none */
    bool wants_environment;     /* --env-regions: AWS_REGION and its like count as a hint */
    const char *(*environment)(void *cookie, const char *name); /* NULL = none */
    void *cookie;
    const char *const *parameters;    /* "NAME=VALUE" of a template; NULL = none */
    const char *deployment_region;    /* --deploy-region of a template without one; NULL */
    struct gl_k8s_together *together; /* of manifests; NULL = each input is alone */
};

struct gl_hook_reader {
    const char *name;  /* "terraform": the word of `hook NAME` */
    const char *alias; /* "tofu"; NULL */
    const char *what;  /* "plan of Terraform or OpenTofu (terraform show -json)" */
    bool has_yaml;     /* its documents may be YAML: *.yaml and *.yml of a folder are its as well */
    /* What to do, in words: what says a place that it leaves open, and what shows a value that it
     * marks as a secret (NULL: it marks none). */
    const char *where, *shown;
    /* From the first bytes of the document: 0 surely not .. 100 surely; `*out_why_not` then says
     * what it is instead, when this reader knows ("a binary plan; run terraform show -json"). */
    int (*recognise)(const char *bytes, size_t length, const char **out_why_not);
    /* Read every document of the feed (several may follow each other) into *out, which is
     * zero-initialised. Errors: IO, SYNTAX, TOO_LARGE, DOCUMENT (a version that is not
     * understood, a plan that says it is broken or is cut short), USAGE (not this format; what to
     * do), BAD_VALUE. */
    int (*read)(struct gl_feed *feed, const struct gl_hook_options *options,
                struct gl_hook_plan *out, struct gl_error *err);
};

extern const struct gl_hook_reader gl_reader_terraform, gl_reader_pulumi, gl_reader_cloudformation,
    gl_reader_kubernetes;
/* All of them, NULL-terminated (broker/hook/readers.c). */
const struct gl_hook_reader *const *gl_hook_readers(void);
const struct gl_hook_reader *gl_hook_reader_named(const char *name); /* by name or alias; NULL */

#endif
