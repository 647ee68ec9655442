/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_HOOK_H
#define GL_BROKER_CLI_HOOK_H

/* Parts of the command `hook`. */

#include "broker/cli/help.h"
#include "broker/hook/evaluate.h"
#include "broker/hook/fix.h"
#include "broker/hook/reader.h"

#define GL_HOOK_FILES_MAX 1000

/* Terraform or OpenTofu as it is called. */
struct gl_hook_tool {
    const char *program; /* "terraform"; NULL = there is none */
    const char *chdir;   /* "-chdir=DIR"; NULL */
    const char *plan;    /* what the plan is called, wherever it is kept; NULL = by its path */
};

/* Of `hook serve-...` alone. */
struct gl_hook_serve_values {
    const char *listen, *tls_cert, *tls_key, *hmac_key_file, *ca_file, *failure_policy;
    struct gl_option_list allow_hosts, namespaces, not_namespaces, warm;
    int64_t refresh_s; /* INT64_MIN = 5 min */
};

struct gl_hook_values {
    struct gl_ask ask;
    struct gl_option_list outputs, regions, parameters;
    const char *deployment_region, *mapping_dir;
    const char *baseline, *write_baseline;
    const char *policy_ref, *policy_digest;
    const char *point, *count_basis;
    const char *repo_root, *fix; /* fix "-": standard output */
    bool wants_environment, prunes, runs, uninstalls;
    struct gl_hook_serve_values serve;
    const struct gl_hook_tool *tool; /* no option: who shows binary plans; NULL = by PATH */
    bool shows_facts;                /* no option: hook facts */
};

/* Plans as read; all pointers are the list's. */
struct gl_hook_plans {
    struct gl_hook_plan **items;
    size_t count;
    struct gl_hook_mapping *mapping;
    struct gl_arena arena;
};

/* Read the plans of the words (files, folders of them, "-"), by the reader of that name or, when
 * NULL, by the one that recognises them. Errors: USAGE, and those of the readers. */
int gl_hook_plans_read(struct gl_context *context, const struct gl_hook_values *values,
                       const char *reader, const struct gl_operands *operands, size_t first,
                       struct gl_hook_plans *out, struct gl_error *err);
void gl_hook_plans_done(struct gl_hook_plans *plans);

/* Do the options that say how to judge fit each other, and is there a policy? Errors: USAGE, those
 * of the policy. */
int gl_hook_plans_check(struct gl_context *context, const struct gl_hook_values *values,
                        struct gl_error *err);
/* The same, and can policy and baseline be read, with rules in them? For those who judge later. */
int gl_hook_rules_check(struct gl_context *context, const struct gl_hook_values *values,
                        struct gl_error *err);
/* Does anything that is written show a digest of a plan or of the report? */
bool gl_hook_shows_digests(const struct gl_context *context, const struct gl_hook_values *values);
/* What the judge is asked about the plans, but for places and baseline; borrows all. `tree` is
 * opened here, and the caller's to close. */
struct gl_charge_tree;
struct gl_hook_ask gl_hook_ask_of(struct gl_context *context, const struct gl_hook_values *values,
                                  const struct gl_ask_result *asked, struct gl_charge_tree *tree,
                                  const struct gl_hook_plan *const *plans, size_t plan_count);
/* Write down what a refused plan could not have (hook_demand.c); never changes the report. */
void gl_hook_note_demand(struct gl_context *context, const struct gl_hook_ask *ask,
                         const struct gl_hook_report *report);
/* Judge the plans by the policy of the call; the report goes where --output says. The exit status,
 * or -1. */
int gl_hook_plans_judge(struct gl_context *context, const struct gl_hook_values *values,
                        struct gl_hook_plans *plans, struct gl_error *err);

/* --policy-ref: the commit that the gate is read from. */
struct gl_hook_ref {
    const char *name;
    bool is_followed; /* resolved anew for every file, as a server does; else once */
    char commit[65];  /* its whole hash */
};
/* Which commit the name means now. Errors: USAGE, no name, no commit, or one of several. */
int gl_hook_ref_resolve(struct gl_hook_ref *ref, struct gl_error *err);
/* Is the file or folder that `option` names, NULL = none, out of reach of a change? Errors: USAGE,
 * it lies in the repository around the current folder; `danger` says what a change could do. */
int gl_hook_check_outside(const char *option, const char *path, const char *danger,
                          struct gl_error *err);
/* Policies, waivers and baseline as they stand in it, by `git cat-file`; borrows `ref`. */
struct gl_policy_source gl_hook_source_of(struct gl_hook_ref *ref);

/* The configuration beside the plans: read on first need. Zero-initialised but for `given`. */
struct gl_hook_where {
    const char *given; /* --repo-root; NULL = found out */
    const struct gl_hook_plans *plans;
    struct gl_tf_source *source;
    char *root; /* without links; NULL = not looked for yet */
    const struct gl_hook_plan *last;
    const char *start; /* of `last` */
    struct gl_arena arena;
};
/* Errors: USAGE, --repo-root is no folder. */
int gl_hook_where_check(const char *given, struct gl_error *err);
void gl_hook_where_done(struct gl_hook_where *where);
/* gl_hook_ask.locate; the cookie is a gl_hook_where. */
void gl_hook_locate(void *cookie, const struct gl_hook_plan *plan, const struct gl_intent *intent,
                    struct gl_source_place *place);
/* Make the patch of --fix and tell the values of variables. Into `file`, or as the reply's text
 * when that is "-". */
int gl_hook_write_fix(struct gl_context *context, struct gl_hook_where *where,
                      const struct gl_hook_report *report, const char *file, struct gl_error *err);

/* hook mapping list|lint */
int gl_hook_mapping_run(struct gl_context *context, const struct gl_hook_values *values,
                        const struct gl_operands *operands, struct gl_error *err);
/* hook external: Terraform's protocol for external data sources (hook_external.c). */
int gl_hook_external(struct gl_context *context, const struct gl_hook_values *values,
                     struct gl_error *err);
/* hook install PLACE [FILE] (hook_install.c). */
int gl_hook_install(struct gl_context *context, const struct gl_hook_values *values,
                    const struct gl_operands *operands, struct gl_error *err);

#endif
