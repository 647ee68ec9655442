/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_GATE_H
#define GL_POLICY_GATE_H

/* How strict a rule is and where it is asked, and the words by which rules match what plans hold.
 */

#include "policy/facts.h"

enum gl_level { GL_ADVISORY, GL_SOFT, GL_HARD };
enum gl_on_unknown {
    GL_UNKNOWN_REFUSE,
    GL_UNKNOWN_ASSUME_WORST,
    GL_UNKNOWN_WARN,
    GL_UNKNOWN_ALLOW
};

/* Where a rule is asked; it may be of another level at each. */
enum gl_gate { GL_AT_LAUNCH, GL_AT_PLAN, GL_AT_APPLY, GL_AT_ADMISSION, GL_AT_MIGRATE, GL_GATES };

const char *gl_gate_word(enum gl_gate point);               /* "launch" "plan" ... */
const char *gl_count_basis_word(enum gl_count_basis basis); /* "now" "typical" "worst" */
extern const char *const gl_gate_words[], *const gl_count_basis_words[];
/* What rules may match of a plan, NULL-terminated; broker/hook/intent.h has the same words. */
extern const char *const gl_match_roles[], *const gl_match_actions[];
const char *gl_level_word(enum gl_level level);          /* "advisory" "soft" "hard" */
const char *gl_on_unknown_word(enum gl_on_unknown what); /* "refuse" "assume-worst" ... */

struct gl_match { /* empty lists match everything */
    const char *const *clouds, *const *regions, *const *types, *const *tags; /* NULL = any */
    const char *const *resources, *const *addresses; /* of plans; NULL = any */
    uint32_t roles, actions; /* bit i: word i of gl_match_roles[], _actions[]; 0 = any */
    uint32_t min_vcpus;
    bool needs_gpu;
};

/* Does a pattern name an address in a plan? '*' is any text without a dot, '**' any text, '?' one
 * character but a dot; brackets and quotes stand for themselves. Linear in practice: at most the
 * product of both lengths. */
bool gl_address_match(const char *pattern, const char *address);

#endif
