/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_POLICY_H
#define GL_POLICY_POLICY_H

/* Policies: YAML text to rules, with every error at file:line:column. Pure: text comes in through
 * the caller, includes through a loader the caller passes; reads no file, clock or environment.
 * Schema and semantics: docs/policy.md, generated key list: `greenlaunch policy schema`. */

#include "base/str.h"
#include "policy/facts.h"
#include "policy/gate.h"

#define GL_POLICY_MAX_BYTES    ((size_t)256 << 10)
#define GL_POLICY_MAX_DEPTH    64
#define GL_POLICY_MAX_ERRORS   20
#define GL_POLICY_MAX_INCLUDES 16

/* What a require-key limits. One row a key in policy/key.c: it feeds the parser, `policy explain`,
 * JSON Schema, the man page and the tests. */
enum gl_key_id {
    GL_KEY_MAX_INTENSITY,
    GL_KEY_MIN_RENEWABLE,
    GL_KEY_MIN_CARBON_FREE,
    GL_KEY_MIN_GRADE,
    GL_KEY_MAX_DATA_AGE,
    GL_KEY_GREEN_FOR,
    GL_KEY_GREEN_BELOW,
    GL_KEY_CONFIDENCE,
    GL_KEY_ACCOUNTING,
    GL_KEY_RATE,
    GL_KEY_BOUNDARY,
    GL_KEY_BIOMASS,
    GL_KEY_ON_LAPSE,
    GL_KEY_REGIONS,
    GL_KEY_NOT_REGIONS,
    GL_KEY_COUNTRIES,
    GL_KEY_NOT_COUNTRIES,
    GL_KEY_MIN_VCPUS,
    GL_KEY_MAX_VCPUS,
    GL_KEY_MAX_MEMORY,
    GL_KEY_MAX_COUNT,
    GL_KEY_MAX_PRICE,
    GL_KEY_MAX_RATE,
    GL_KEY_MAX_TOTAL,
    GL_KEYS, /* the keys of a rule; those of its budget follow */
    GL_KEY_BUDGET_LIMIT = GL_KEYS,
    GL_KEY_BUDGET_MONEY,
    GL_KEY_BUDGET_WARN_AT,
    GL_KEY_MAX_INCREASE,
    GL_KEY_MAX_INCREASE_SHARE,
    GL_KEYS_ALL
};
enum gl_key_kind {
    GL_KIND_QUANTITY,
    GL_KIND_SPAN,
    GL_KIND_GLOBS,
    GL_KIND_WORD,
    GL_KIND_COUNT,
    GL_KIND_BOOL
};
/* Which change tightens: a smaller limit, a larger one, fewer allowed, more denied, or none may. */
enum gl_direction {
    GL_TIGHTER_DOWN,
    GL_TIGHTER_UP,
    GL_TIGHTER_SUBSET,
    GL_TIGHTER_SUPERSET,
    GL_TIGHTER_FIXED
};
struct gl_key {
    enum gl_key_id id;
    const char *name;
    enum gl_key_kind kind;
    int dim;                  /* enum gl_dimension for quantities and counts */
    const char *const *words; /* allowed words of GL_KIND_WORD, NULL-terminated */
    enum gl_direction direction;
    int64_t standard; /* built-in value of a key that says how others are judged, as
                       * gl_constraint.number; GL_UNKNOWN: the key is a limit */
    const char *help; /* one sentence */
    const char *example;
};
const struct gl_key *gl_keys(size_t *out_count);     /* indexed by gl_key_id */
const struct gl_key *gl_key_named(const char *name); /* NULL if there is none */
/* The row of a key of `budget`, GL_KEYS and above. */
const struct gl_key *gl_budget_key(enum gl_key_id id);

/* One limit of one rule, with the place it was written. */
struct gl_constraint {
    const struct gl_key *key;
    struct gl_pos pos;
    int64_t number;           /* millionths of the base unit (counts too: 4 is 4,000,000);
                               * seconds; word index, which is the enum's value; 0/1 */
    const char *const *globs; /* GL_KIND_GLOBS, NULL-terminated */
    const char *written;      /* as in the file, for messages */
};

/* A budget as written. max_increase and max_increase_share are of a whole plan; the limit is of an
 * account, and a rule with one is unknown to whoever keeps none (gl_question.keeps_accounts). */
struct gl_budget {
    struct gl_constraint limit, money, warn_at, max_increase, max_increase_share; /* .key NULL */
    const char *of_tag, *calendar; /* an account a value, NULL = one; time zone, NULL = UTC */
    int at_cap;                    /* enum gl_at_cap */
    struct gl_pos pos;
};

bool gl_budget_has_account(const struct gl_budget *budget); /* a limit of grams or money */

struct gl_rule {
    const char *id, *policy; /* `policy`: id of the file that wrote it first; NULL = of none */
    const char *description, *message;
    struct gl_pos pos;
    struct gl_match match, exclude;
    bool has_exclude;
    const struct gl_constraint *constraints; /* in order of key id, each key at most once */
    size_t count;
    enum gl_level level;
    uint8_t points[GL_GATES]; /* level there, plus one; 0 = `level` */
    enum gl_on_unknown on_unknown;
    struct gl_instant enforce_from; /* unix_s 0 = at once; before it the rule is advisory */
    const struct gl_budget *budget; /* NULL = none */
    enum gl_count_basis count_basis;
    bool has_count_basis; /* false: whatever the question says */
};
/* Its level at a point. */
enum gl_level gl_rule_level(const struct gl_rule *rule, enum gl_gate point);

struct gl_waiver {
    const char *rule;    /* exact rule id */
    const char *target;  /* glob over "cloud/region/type", never bare **; "" = any, see address */
    const char *address; /* gl_address_match() over the address in a plan; "" = not said */
    const char *plan;    /* glob over the name of the plan; "" = any */
    bool is_either;      /* `address` may be meant as a target: one of the two is enough */
    const char *reason, *owner;
    const char *approved_by; /* "" not said */
    struct gl_instant created, expires;
    struct gl_constraint cap; /* cap.key NULL = none */
    struct gl_pos pos;
};

struct gl_policy {
    const char *id;
    const struct gl_rule *rules;
    size_t rule_count;
    const struct gl_waiver *waivers;
    size_t waiver_count;
    struct gl_hash digest; /* of all texts that went in, in order */
    void *memory;          /* owns everything above */
};

/* The number of the rule's constraint on `key`, else the key's built-in value, else GL_UNKNOWN. */
int64_t gl_rule_number(const struct gl_rule *rule, enum gl_key_id key);
/* The constraint of a rule by that key; NULL when it says nothing of it. Borrowed. */
const struct gl_constraint *gl_rule_constraint(const struct gl_rule *rule, enum gl_key_id key);

/* Several errors of one parse, in order of place. */
struct gl_diagnostics {
    size_t count, beyond; /* of errors[], and of those above the limit */
    struct gl_error errors[GL_POLICY_MAX_ERRORS];
    char source_lines[GL_POLICY_MAX_ERRORS][160]; /* the line of each error, cut */
    uint32_t widths[GL_POLICY_MAX_ERRORS];        /* length of the marked text */
};

/* Fetch an included file: give borrowed bytes that live until the parse returns, and its display
 * name, the same whenever it is the same file (cycles and files included twice are told by it).
 * Must refuse what the caller's rules forbid (INCLUDE). */
struct gl_policy_loader {
    void *cookie;
    int (*load)(void *cookie, const char *from, const char *path, struct gl_view *out_text,
                const char **out_name, struct gl_error *err);
};

/* A policy from YAML text. NULL and at least one diagnostic on any error; nothing is skipped.
 * `loader` may be NULL (includes are then errors). Free with gl_policy_free(). */
struct gl_policy *gl_policy_parse(struct gl_view text, const char *name,
                                  const struct gl_policy_loader *loader,
                                  struct gl_diagnostics *out_diagnostics);
void gl_policy_free(struct gl_policy *policy);
/* A waiver file's waivers added to the policy. -1 and diagnostics on error; the policy is then as
 * it was. Rules must be there before: a waiver of an unknown rule is an error. */
int gl_policy_add_waivers(struct gl_policy *policy, struct gl_view text, const char *name,
                          struct gl_diagnostics *out_diagnostics);

/* A rule from command line flags ("--max-intensity 100g/kWh"): tightens like any other rule, with
 * the built-in defaults, not a file's. `limits` are key name / text pairs, NULL-terminated; lists
 * are separated by commas; no pairs (or NULL): no rule. `policy` NULL = a fresh one. A taken
 * rule_id becomes "--rule_id". Returns the policy; NULL on error, and a given policy is then as it
 * was and still the caller's. Errors: as the parser's, with the flag as place. */
struct gl_policy *gl_policy_with_flags(struct gl_policy *policy, const char *rule_id,
                                       const char *const *limits, struct gl_error *err);

/* "file:6:18: error GL2007: ..." with source line and caret, for every diagnostic. Wrapped at
 * `columns` (0 = 80), here and below; a longer source line is shown around the place. */
void gl_diagnostics_text(const struct gl_diagnostics *diagnostics, unsigned columns,
                         struct gl_str *out);

/* Every effective rule and value with who set it, for `policy explain`. */
void gl_policy_explain(const struct gl_policy *policy, unsigned columns, struct gl_str *out);
/* JSON Schema, draft 2020-12, generated from the key table. */
void gl_policy_schema(struct gl_str *out);

#endif
