/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/judge.h"

#include <string.h>

/* Whom a rule speaks of, and what a waiver names. What is not known of an offer may match. */

const char *const gl_match_roles[] = {"launch",   "group",    "template", "scaler", "managed",
                                      "fraction", "reserved", "opaque",   NULL};
const char *const gl_match_actions[] = {"none",   "read",   "create", "replace", "grow",    "move",
                                        "update", "shrink", "delete", "forget",  "unknown", NULL};
const char *const gl_gate_words[] = {"launch", "plan", "apply", "admission", "migrate", NULL};
const char *const gl_count_basis_words[] = {"now", "typical", "worst", NULL};

/* Someone who launches by hand creates a machine. */
static const struct gl_subject by_hand = {.role = 0, .action = 2};

const char *gl_gate_word(enum gl_gate point)
{
    return (unsigned)point < GL_GATES ? gl_gate_words[point] : "unknown";
}

const char *gl_count_basis_word(enum gl_count_basis basis)
{
    return (unsigned)basis < GL_COUNT_BASES ? gl_count_basis_words[basis] : "unknown";
}

enum gl_level gl_rule_level(const struct gl_rule *rule, enum gl_gate point)
{
    uint8_t there = rule->points[point];

    return there != 0 ? (enum gl_level)(there - 1) : rule->level;
}

bool gl_rule_binds(const struct gl_question *question, const struct gl_rule *rule)
{
    return gl_rule_level(rule, question->gate) != GL_ADVISORY &&
           rule->enforce_from.unix_s <= question->now.unix_s;
}

static enum gl_count_basis stricter(enum gl_count_basis a, enum gl_count_basis b)
{
    return a > b ? a : b;
}

enum gl_count_basis gl_rule_count_basis(const struct gl_question *question,
                                        const struct gl_rule *rule)
{
    const struct gl_policy *policy = question->policy;
    enum gl_count_basis basis = question->count_basis_least;

    if (rule != NULL)
        return stricter(basis, rule->has_count_basis ? rule->count_basis : question->count_basis);
    if (policy == NULL || policy->rule_count == 0)
        return stricter(basis, question->count_basis);
    for (size_t i = 0; i < policy->rule_count; i++)
        basis = stricter(basis, gl_rule_count_basis(question, &policy->rules[i]));
    return basis;
}

/* ---- addresses ---- */

/* Where to go on after a mismatch: with a star taking one character more. */
struct retry {
    const char *pattern, *address; /* NULL = no star seen */
};

static bool fits(char pattern, char c)
{
    return c != '\0' && (pattern == c || (pattern == '?' && c != '.'));
}

/* Let the latest star take one character more; false when it cannot. */
static bool take_more(struct retry *retry, bool stops_at_dot, const char **pattern,
                      const char **address)
{
    if (retry->pattern == NULL || *retry->address == '\0' ||
        (stops_at_dot && *retry->address == '.'))
        return false;
    *pattern = retry->pattern;
    *address = ++retry->address;
    return true;
}

/* As for wild cards of paths: the latest star is tried first, then the latest double star, and one
 * before those need never be tried again. */
bool gl_address_match(const char *pattern, const char *address)
{
    struct retry star = {NULL, NULL}, stars = {NULL, NULL};

    for (;;) {
        if (pattern[0] == '*' && pattern[1] == '*') {
            pattern += 2;
            stars = (struct retry){pattern, address};
            star = (struct retry){NULL, NULL};
        } else if (pattern[0] == '*') {
            star = (struct retry){++pattern, address};
        } else if (*address == '\0' && *pattern == '\0') {
            return true;
        } else if (fits(*pattern, *address)) {
            pattern++;
            address++;
        } else if (take_more(&star, true, &pattern, &address)) {
            continue;
        } else if (take_more(&stars, false, &pattern, &address)) {
            star = (struct retry){NULL, NULL};
        } else {
            return false;
        }
    }
}

/* ---- rules ---- */

bool gl_globs_match(const char *const *globs, const char *name)
{
    if (globs == NULL || *globs == NULL)
        return true;
    for (; *globs != NULL; globs++)
        if (gl_glob_match(*globs, name != NULL ? name : ""))
            return true;
    return false;
}

static bool is_listing(const char *const *globs)
{
    return globs != NULL && *globs != NULL;
}

static enum gl_scope least(enum gl_scope a, enum gl_scope b)
{
    return a < b ? a : b;
}

static enum gl_scope yes_or_no(bool is_match)
{
    return is_match ? GL_SCOPE_YES : GL_SCOPE_NO;
}

static enum gl_scope scope_of_name(const char *const *globs, const char *name)
{
    if (is_listing(globs) && (name == NULL || name[0] == '\0'))
        return GL_SCOPE_MAYBE;
    return yes_or_no(gl_globs_match(globs, name));
}

/* The machine's type, or that of the resource: "m7g.*" and "aws_*" are never taken for each other.
 */
static enum gl_scope scope_of_type(const char *const *globs, const struct gl_subject *subject,
                                   const struct gl_offer *offer)
{
    if (is_listing(globs) && subject->resource != NULL && gl_globs_match(globs, subject->resource))
        return GL_SCOPE_YES;
    return scope_of_name(globs, offer->type->name);
}

static enum gl_scope scope_of_size(const struct gl_match *match, const struct gl_offer *offer)
{
    bool is_known = offer->type->vcpus != 0;
    enum gl_scope scope = GL_SCOPE_YES;

    if (match->min_vcpus > 0)
        scope = is_known ? yes_or_no(offer->type->vcpus >= match->min_vcpus) : GL_SCOPE_MAYBE;
    if (match->needs_gpu && offer->type->gpu == NULL)
        scope = least(scope, is_known ? GL_SCOPE_NO : GL_SCOPE_MAYBE);
    return scope;
}

/* Every tag of the rule must be one of the request's. */
static bool has_tags(const char *const *wanted, const char *const *tags)
{
    static const char *const none[] = {NULL};

    for (; wanted != NULL && *wanted != NULL; wanted++) {
        const char *const *tag = tags != NULL ? tags : none;

        while (*tag != NULL && !gl_glob_match(*wanted, *tag))
            tag++;
        if (*tag == NULL)
            return false;
    }
    return true;
}

static bool has_bit(uint32_t bits, unsigned bit)
{
    return bits == 0 || (bit < 32 && (bits >> bit & 1) != 0);
}

static bool has_address(const char *const *globs, const char *address)
{
    if (!is_listing(globs))
        return true;
    for (; address != NULL && *globs != NULL; globs++)
        if (gl_address_match(*globs, address))
            return true;
    return false;
}

static bool is_of_plan(const struct gl_match *match, const struct gl_subject *subject)
{
    return has_bit(match->roles, subject->role) && has_bit(match->actions, subject->action) &&
           has_address(match->addresses, subject->address) &&
           (!is_listing(match->resources) ||
            (subject->resource != NULL && gl_globs_match(match->resources, subject->resource)));
}

static enum gl_scope scope_of(const struct gl_match *match, const struct gl_request *request,
                              const struct gl_offer *offer)
{
    const struct gl_subject *subject = request->subject != NULL ? request->subject : &by_hand;
    enum gl_scope scope = scope_of_name(match->clouds, offer->place->cloud);

    scope = least(scope, scope_of_name(match->regions, offer->place->region));
    if (scope != GL_SCOPE_NO)
        scope = least(scope, scope_of_type(match->types, subject, offer));
    if (scope != GL_SCOPE_NO)
        scope = least(scope, scope_of_size(match, offer));
    if (scope == GL_SCOPE_NO || !has_tags(match->tags, request->tags) ||
        !is_of_plan(match, subject))
        return GL_SCOPE_NO;
    return scope;
}

enum gl_scope gl_rule_scope(const struct gl_rule *rule, const struct gl_request *request,
                            const struct gl_offer *offer)
{
    enum gl_scope scope = scope_of(&rule->match, request, offer);
    enum gl_scope excluded;

    if (scope == GL_SCOPE_NO || !rule->has_exclude)
        return scope;
    excluded = scope_of(&rule->exclude, request, offer);
    if (excluded == GL_SCOPE_YES)
        return GL_SCOPE_NO;
    return excluded == GL_SCOPE_MAYBE ? GL_SCOPE_MAYBE : scope;
}

bool gl_judge_applies(const struct gl_judge *judge, const struct gl_rule *rule,
                      const struct gl_offer *offer)
{
    return gl_rule_scope(rule, judge->question->request, offer) != GL_SCOPE_NO;
}

/* ---- waivers ---- */

/* The target is a glob over "cloud/region/type". */
static bool is_target(const struct gl_waiver *waiver, const struct gl_offer *offer)
{
    const char *parts[] = {offer->place->cloud, "/", offer->place->region, "/", offer->type->name};
    char name[256] = "";
    size_t length = 0;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t more = strlen(parts[i]);

        if (length + more >= sizeof name)
            return false;
        memcpy(name + length, parts[i], more + 1);
        length += more;
    }
    return gl_glob_match(waiver->target, name);
}

static bool is_said(const char *text)
{
    return text != NULL && text[0] != '\0';
}

bool gl_waiver_names(const struct gl_waiver *waiver, const struct gl_request *request,
                     const struct gl_offer *offer)
{
    const struct gl_subject *subject = request->subject;
    bool is_address = is_said(waiver->address) && subject != NULL && subject->address != NULL &&
                      gl_address_match(waiver->address, subject->address);

    if (is_said(waiver->plan) &&
        (subject == NULL || subject->plan == NULL || !gl_glob_match(waiver->plan, subject->plan)))
        return false;
    if (!is_said(waiver->address))
        return is_target(waiver, offer);
    if (waiver->is_either)
        return is_address || is_target(waiver, offer);
    return is_address && (!is_said(waiver->target) || is_target(waiver, offer));
}
