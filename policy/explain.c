/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/budget.h"
#include "policy/draft.h"
#include "policy/judge.h"

#include "base/time.h"
#include "base/wrap.h"

#include <inttypes.h>
#include <string.h>

#define VALUE_AT 19 /* column of values */
#define WHO_AT   44 /* column of who set them */

/* A page being written. */
struct page {
    struct gl_str *out;
    unsigned columns;
};

static void add_text(struct gl_str *out, const char *text)
{
    gl_str_add_printable(out, text, strlen(text));
}

static void pad(struct gl_str *out, unsigned from, unsigned to)
{
    for (; from < to; from++)
        gl_str_add_char(out, ' ');
}

static void wrap_at_value(const struct page *page, const char *text)
{
    gl_wrap_text(text, (struct gl_margins){VALUE_AT, VALUE_AT, page->columns}, page->out);
}

/* A value and, beside it or where that does not fit below it, who set it. */
static void add_row(const struct page *page, const char *name, const char *value, const char *who)
{
    GL_AUTO(gl_str_done) struct gl_str shown = {0};
    GL_AUTO(gl_str_done) struct gl_str setter = {0};
    unsigned used;

    add_text(&shown, value);
    add_text(&setter, who);
    used = VALUE_AT + gl_text_columns(gl_str_text(&shown));
    gl_str_addf(page->out, "  %-16s ", name);
    if (setter.length == 0) {
        wrap_at_value(page, gl_str_text(&shown));
        return;
    }
    if ((used < WHO_AT ? WHO_AT : used + 1) + gl_text_columns(gl_str_text(&setter)) >
        page->columns) {
        wrap_at_value(page, gl_str_text(&shown));
        pad(page->out, 0, VALUE_AT);
        wrap_at_value(page, gl_str_text(&setter));
        return;
    }
    gl_str_add(page->out, gl_str_text(&shown));
    pad(page->out, used, used < WHO_AT ? WHO_AT : used + 1);
    gl_str_addf(page->out, "%s\n", gl_str_text(&setter));
}

/* A heading and, beside it or below it, where it was written. */
static void add_heading(const struct page *page, const struct gl_str *heading,
                        const struct gl_pos *pos)
{
    GL_AUTO(gl_str_done) struct gl_str where = {0};
    char place[GL_POS_TEXT];
    unsigned used = gl_text_columns(gl_str_text(heading)) + 2;

    add_text(&where, gl_pos_text(pos, place));
    gl_str_addf(page->out, "\n%s", gl_str_text(heading));
    gl_str_add(page->out,
               used + gl_text_columns(gl_str_text(&where)) <= page->columns ? "  " : "\n  ");
    gl_str_addf(page->out, "%s\n", gl_str_text(&where));
}

static void add_globs(struct gl_str *out, const char *name, const char *const *globs)
{
    if (globs == NULL || *globs == NULL)
        return;
    gl_str_addf(out, "%s%s ", out->length > 0 ? "; " : "", name);
    for (size_t i = 0; globs[i] != NULL; i++)
        gl_str_addf(out, "%s%s", i > 0 ? ", " : "", globs[i]);
}

static void add_words(struct gl_str *out, const char *name, uint32_t bits, const char *const *words)
{
    bool is_first = true;

    for (unsigned i = 0; bits != 0 && words[i] != NULL; i++) {
        if ((bits >> i & 1) == 0)
            continue;
        if (is_first)
            gl_str_addf(out, "%s%s ", out->length > 0 ? "; " : "", name);
        gl_str_addf(out, "%s%s", is_first ? "" : ", ", words[i]);
        is_first = false;
    }
}

/* "cloud aws, gcp; tag env=prod", "everything". */
static void match_text(const struct gl_match *match, struct gl_str *out)
{
    add_globs(out, "cloud", match->clouds);
    add_globs(out, "region", match->regions);
    add_globs(out, "type", match->types);
    add_globs(out, "resource", match->resources);
    add_globs(out, "address", match->addresses);
    add_words(out, "role", match->roles, gl_match_roles);
    add_words(out, "action", match->actions, gl_match_actions);
    add_globs(out, "tag", match->tags);
    if (match->min_vcpus > 0)
        gl_str_addf(out, "%smin_vcpus %" PRIu32, out->length > 0 ? "; " : "", match->min_vcpus);
    if (match->needs_gpu)
        gl_str_addf(out, "%saccelerator", out->length > 0 ? "; " : "");
    if (out->length == 0)
        gl_str_add(out, "everything");
}

static void add_match(const struct page *page, const char *name, const struct gl_match *match)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    match_text(match, &text);
    add_row(page, name, gl_str_text(&text), "");
}

static bool is_written(const struct gl_rule *rule, enum gl_key_id id)
{
    return gl_rule_constraint(rule, id) != NULL;
}

static bool is_timely(const struct gl_rule *rule)
{
    for (size_t i = 0; i < rule->count; i++)
        if (gl_key_is_timely(rule->constraints[i].key->id))
            return true;
    return false;
}

/* What nobody wrote and holds all the same. */
static void add_standards(const struct page *page, const struct gl_rule *rule)
{
    size_t count;
    const struct gl_key *keys = gl_keys(&count);
    char text[GL_VALUE_TEXT];

    for (size_t i = 0; i < count; i++)
        if (!gl_key_is_limit(&keys[i]) && !is_written(rule, keys[i].id))
            add_row(page, keys[i].name, gl_value_standard_text(&keys[i], text), "built in");
}

static void add_amount(const struct page *page, const struct gl_constraint *amount)
{
    char place[GL_POS_TEXT];

    if (amount->key != NULL)
        add_row(page, amount->key->name, amount->written, gl_pos_text(&amount->pos, place));
}

static void add_budget(const struct page *page, const struct gl_budget *budget)
{
    add_amount(page, &budget->limit);
    add_amount(page, &budget->money);
    if (gl_budget_has_account(budget))
        add_row(page, "at_cap", gl_at_cap_words[budget->at_cap], "");
    if (budget->calendar != NULL)
        add_row(page, "calendar", budget->calendar, "");
    if (budget->of_tag != NULL)
        add_row(page, "of tag", budget->of_tag, "");
    add_amount(page, &budget->warn_at);
    add_amount(page, &budget->max_increase);
    add_amount(page, &budget->max_increase_share);
}

/* "plan advisory, launch hard": where it is of another level. */
static void add_points(const struct page *page, const struct gl_rule *rule)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    for (unsigned i = 0; i < GL_GATES; i++)
        if (rule->points[i] != 0)
            gl_str_addf(&text, "%s%s %s", text.length > 0 ? ", " : "", gl_gate_words[i],
                        gl_level_word(gl_rule_level(rule, (enum gl_gate)i)));
    if (text.length > 0)
        add_row(page, "points", gl_str_text(&text), "");
}

static void add_rule(const struct page *page, const struct gl_rule *rule)
{
    GL_AUTO(gl_str_done) struct gl_str heading = {0};
    char place[GL_POS_TEXT];
    char at[GL_INSTANT_TEXT];

    gl_str_addf(&heading, "rule %s (%s)", rule->id, gl_level_word(rule->level));
    add_heading(page, &heading, &rule->pos);
    if (rule->description[0] != '\0')
        add_row(page, "description", rule->description, "");
    add_match(page, "for", &rule->match);
    if (rule->has_exclude)
        add_match(page, "not for", &rule->exclude);
    for (size_t i = 0; i < rule->count; i++)
        add_row(page, rule->constraints[i].key->name, rule->constraints[i].written,
                gl_pos_text(&rule->constraints[i].pos, place));
    if (is_timely(rule))
        add_standards(page, rule);
    if (rule->budget != NULL)
        add_budget(page, rule->budget);
    add_points(page, rule);
    if (rule->has_count_basis)
        add_row(page, "count_basis", gl_count_basis_word(rule->count_basis), "");
    add_row(page, "on_unknown", gl_on_unknown_word(rule->on_unknown), "");
    if (rule->enforce_from.unix_s != 0)
        add_row(page, "enforce_from", gl_instant_text(rule->enforce_from, at), "advisory before");
    if (rule->message[0] != '\0')
        add_row(page, "message", rule->message, "");
}

static void add_waiver(const struct page *page, const struct gl_waiver *waiver)
{
    GL_AUTO(gl_str_done) struct gl_str heading = {0};
    GL_AUTO(gl_str_done) struct gl_str holds = {0};
    char from[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT];

    gl_str_addf(&heading, "waiver of %s", waiver->rule);
    add_heading(page, &heading, &waiver->pos);
    if (waiver->target[0] != '\0')
        add_row(page, "target", waiver->target, "");
    if (waiver->address[0] != '\0')
        add_row(page, "address", waiver->address, "");
    if (waiver->plan[0] != '\0')
        add_row(page, "plan", waiver->plan, "");
    gl_str_addf(&holds, "%s to %s", gl_instant_text(waiver->created, from),
                gl_instant_text(waiver->expires, until));
    add_row(page, "holds", gl_str_text(&holds), "");
    if (waiver->cap.key != NULL)
        add_row(page, waiver->cap.key->name, waiver->cap.written, "still holds");
    add_row(page, "reason", waiver->reason, "");
    add_row(page, "owner", waiver->owner, "");
    if (waiver->approved_by[0] != '\0')
        add_row(page, "approved_by", waiver->approved_by, "");
}

/* A digest fills a line of its own. */
static void add_hash(const struct page *page, const struct gl_hash *hash)
{
    char hex[GL_HASH_HEX];

    gl_str_addf(page->out, "    sha256 %s\n", gl_hash_hex(hash, hex));
}

static void add_head(const struct page *page, const struct gl_policy *policy)
{
    const struct gl_policy_memory *memory = policy->memory;
    const struct gl_waiver_limit *limit = &memory->max_waiver;
    char place[GL_POS_TEXT], span[GL_QUANTITY_TEXT];

    gl_str_add(page->out, "policy ");
    add_text(page->out, policy->id[0] != '\0' ? policy->id : "of the command line");
    gl_str_add(page->out, "\n  digest\n");
    add_hash(page, &policy->digest);
    for (size_t i = 0; i < memory->text_count; i++) {
        add_row(page, i == 0 ? "made of" : "", memory->texts[i].name, "");
        add_hash(page, &memory->texts[i].hash);
    }
    gl_span_text((struct gl_span){limit->s}, span);
    add_row(page, "max_waiver", span,
            limit->pos.file[0] != '\0' ? gl_pos_text(&limit->pos, place) : "built in");
}

void gl_policy_explain(const struct gl_policy *policy, unsigned columns, struct gl_str *out)
{
    const struct page page = {out, columns != 0 ? columns : GL_WRAP_COLUMNS};

    add_head(&page, policy);
    for (size_t i = 0; i < policy->rule_count; i++)
        add_rule(&page, &policy->rules[i]);
    for (size_t i = 0; i < policy->waiver_count; i++)
        add_waiver(&page, &policy->waivers[i]);
}
