/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_DRAFT_H
#define GL_POLICY_DRAFT_H

/* One policy file as written, before includes and defaults are worked in, and the policy under
 * construction. Internal to the policy reader. */

#include "policy/form.h"

#define GL_NOT_WRITTEN  (-1)          /* of a word: the file does not say */
#define GL_MAX_WAIVER_S (180 * 86400) /* where no policy says */

struct gl_budget_draft {
    const struct gl_node *node;
    struct gl_constraint limit, money, warn_at, max_increase, max_increase_share; /* .key NULL */
    const char *of_tag, *calendar; /* NULL: not written */
    int at_cap;                    /* GL_NOT_WRITTEN */
};

struct gl_rule_draft {
    const struct gl_node *node;
    struct gl_mark mark;
    const char *id, *description, *message; /* NULL: not written */
    struct gl_match match, exclude;
    int level, on_unknown, count_basis; /* GL_NOT_WRITTEN */
    uint8_t points[GL_GATES];           /* as in gl_rule */
    int64_t enforce_from_s;             /* GL_UNKNOWN: not written */
    bool is_override;
    const struct gl_budget_draft *budget;        /* NULL: not written */
    const struct gl_constraint *limits[GL_KEYS]; /* by key id, NULL: not written */
};

struct gl_include_draft {
    struct gl_mark mark;
    const char *file;
    const char *sha256; /* NULL: not pinned */
};

struct gl_defaults_draft {
    int level, on_unknown, count_basis; /* the last may be GL_NOT_WRITTEN */
    const struct gl_constraint *limits[GL_KEYS];
};

struct gl_file_draft {
    const struct gl_node *node;
    const char *id;
    struct gl_defaults_draft defaults;
    int64_t max_waiver_s; /* GL_UNKNOWN: not written */
    struct gl_include_draft *includes;
    size_t include_count;
    struct gl_rule_draft *rules;
    size_t rule_count;
};

extern const struct gl_form gl_policy_form; /* fills a gl_file_draft */

extern const struct gl_form gl_waivers_form; /* of a waivers file */

/* A policy text to its draft; NULL when it is not YAML or no policy at all. Other errors are noted
 * and the draft holds what was good. */
const struct gl_file_draft *gl_draft_read(const struct gl_reader *reader);

/* How long a waiver may last, and who says so. */
struct gl_waiver_limit {
    int64_t s;
    struct gl_pos pos; /* no file: built in */
};

/* A text that went into a policy. */
struct gl_policy_text {
    const char *name;
    struct gl_hash hash;
    bool is_open; /* its includes are being read */
    struct gl_waiver_limit max_waiver;
};

/* What gl_policy.memory points at. */
struct gl_policy_memory {
    struct gl_arena arena;
    struct gl_rule *rules; /* gl_policy.rules, to be changed */
    struct gl_policy_text *texts;
    size_t text_count;
    struct gl_waiver_limit max_waiver;
};

struct gl_policy *gl_policy_new(void);

/* Count a text in the policy's digest; the name is borrowed. Returns its index. */
size_t gl_policy_add_text(struct gl_policy *policy, const char *name, const struct gl_hash *hash);

/* The rule of that id, NULL if there is none. */
struct gl_rule *gl_policy_rule(const struct gl_policy *policy, const char *id);

/* The id of a rule that is nearly `id`, NULL when none is near or no more errors are shown. */
const char *gl_policy_nearest_rule(const struct gl_policy *policy,
                                   const struct gl_diagnostics *diagnostics, const char *id);

/* Append a rule made of a draft and, where it does not say, of `defaults` (NULL: none). Its id is
 * written and free. -1 with errors noted when the rule limits nothing or contradicts itself. */
int gl_rule_add(struct gl_policy *policy, const struct gl_reader *reader,
                const struct gl_rule_draft *draft, const struct gl_defaults_draft *defaults);

/* Let a draft of the same id tighten a rule in place. -1 with errors noted when it would loosen. */
int gl_rule_override(const struct gl_reader *reader, struct gl_rule *rule,
                     const struct gl_rule_draft *draft);

extern const struct gl_form gl_budget_form;
extern const struct gl_type gl_type_budget; /* const struct gl_budget_draft * */

/* The budget of a draft; NULL of none. */
const struct gl_budget *gl_budget_of(const struct gl_reader *reader,
                                     const struct gl_budget_draft *draft);
/* Let a draft tighten a budget (NULL = none yet). -1 with errors noted when it would loosen. */
int gl_budget_override(const struct gl_reader *reader, const struct gl_budget_draft *draft,
                       const struct gl_budget **budget);

struct gl_build {
    struct gl_policy *policy;
    const struct gl_policy_loader *loader; /* NULL: includes are errors */
    struct gl_diagnostics *diagnostics;
    size_t include_count;
};

/* Read a policy text and all that it includes into the policy; what is wrong is noted. */
void gl_include_text(struct gl_build *build, struct gl_view text, const char *name);

extern const char *const gl_level_words[], *const gl_on_unknown_words[];

#endif
