/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/draft.h"
#include "policy/judge.h"

#include "base/time.h"

#include <inttypes.h>
#include <string.h>

static void add_text(struct gl_str *out, const char *text)
{
    gl_str_add_printable(out, text, strlen(text));
}

static void add_row(struct gl_str *out, const char *name, const char *value, const char *who)
{
    gl_str_addf(out, "  %-16s ", name);
    add_text(out, value);
    if (who[0] != '\0') {
        for (unsigned column = gl_text_columns(value); column < 24; column++)
            gl_str_add_char(out, ' ');
        gl_str_add_char(out, ' ');
        add_text(out, who);
    }
    gl_str_add_char(out, '\n');
}

static void add_globs(struct gl_str *out, const char *name, const char *const *globs)
{
    if (globs == NULL || *globs == NULL)
        return;
    gl_str_addf(out, "%s%s ", out->length > 0 ? "; " : "", name);
    for (size_t i = 0; globs[i] != NULL; i++)
        gl_str_addf(out, "%s%s", i > 0 ? ", " : "", globs[i]);
}

/* "cloud aws, gcp; tag env=prod", "everything". */
static void match_text(const struct gl_match *match, struct gl_str *out)
{
    add_globs(out, "cloud", match->clouds);
    add_globs(out, "region", match->regions);
    add_globs(out, "type", match->types);
    add_globs(out, "tag", match->tags);
    if (match->min_vcpus > 0)
        gl_str_addf(out, "%smin_vcpus %" PRIu32, out->length > 0 ? "; " : "", match->min_vcpus);
    if (match->needs_gpu)
        gl_str_addf(out, "%saccelerator", out->length > 0 ? "; " : "");
    if (out->length == 0)
        gl_str_add(out, "everything");
}

static void add_match(struct gl_str *out, const char *name, const struct gl_match *match)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    match_text(match, &text);
    gl_str_addf(out, "  %-16s ", name);
    add_text(out, gl_str_text(&text));
    gl_str_add_char(out, '\n');
}

static bool is_written(const struct gl_rule *rule, enum gl_key_id id)
{
    for (size_t i = 0; i < rule->count; i++)
        if (rule->constraints[i].key->id == id)
            return true;
    return false;
}

static bool is_timely(const struct gl_rule *rule)
{
    for (size_t i = 0; i < rule->count; i++)
        if (gl_key_is_timely(rule->constraints[i].key->id))
            return true;
    return false;
}

/* What nobody wrote and holds all the same. */
static void add_standards(struct gl_str *out, const struct gl_rule *rule)
{
    size_t count;
    const struct gl_key *keys = gl_keys(&count);
    char text[GL_VALUE_TEXT];

    for (size_t i = 0; i < count; i++)
        if (!gl_key_is_limit(&keys[i]) && !is_written(rule, keys[i].id))
            add_row(out, keys[i].name, gl_value_standard_text(&keys[i], text), "built in");
}

static void add_rule(struct gl_str *out, const struct gl_rule *rule)
{
    char place[GL_POS_TEXT];
    char at[GL_INSTANT_TEXT];

    gl_str_addf(out, "\nrule %s (%s)  ", rule->id, gl_level_word(rule->level));
    add_text(out, gl_pos_text(&rule->pos, place));
    gl_str_add_char(out, '\n');
    if (rule->description[0] != '\0')
        add_row(out, "description", rule->description, "");
    add_match(out, "for", &rule->match);
    if (rule->has_exclude)
        add_match(out, "not for", &rule->exclude);
    for (size_t i = 0; i < rule->count; i++)
        add_row(out, rule->constraints[i].key->name, rule->constraints[i].written,
                gl_pos_text(&rule->constraints[i].pos, place));
    if (is_timely(rule))
        add_standards(out, rule);
    add_row(out, "on_unknown", gl_on_unknown_word(rule->on_unknown), "");
    if (rule->enforce_from.unix_s != 0)
        add_row(out, "enforce_from", gl_instant_text(rule->enforce_from, at), "advisory before");
    if (rule->message[0] != '\0')
        add_row(out, "message", rule->message, "");
}

static void add_waiver(struct gl_str *out, const struct gl_waiver *waiver)
{
    char place[GL_POS_TEXT];
    char from[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT];

    gl_str_addf(out, "\nwaiver of %s  ", waiver->rule);
    add_text(out, gl_pos_text(&waiver->pos, place));
    gl_str_add_char(out, '\n');
    add_row(out, "target", waiver->target, "");
    gl_str_addf(out, "  %-16s %s to %s\n", "holds", gl_instant_text(waiver->created, from),
                gl_instant_text(waiver->expires, until));
    if (waiver->cap.key != NULL)
        add_row(out, waiver->cap.key->name, waiver->cap.written, "still holds");
    add_row(out, "reason", waiver->reason, "");
    add_row(out, "owner", waiver->owner, "");
    if (waiver->approved_by[0] != '\0')
        add_row(out, "approved_by", waiver->approved_by, "");
}

static void add_head(struct gl_str *out, const struct gl_policy *policy)
{
    const struct gl_policy_memory *memory = policy->memory;
    const struct gl_waiver_limit *limit = &memory->max_waiver;
    char hex[GL_HASH_HEX], place[GL_POS_TEXT], span[GL_QUANTITY_TEXT];

    gl_str_add(out, "policy ");
    add_text(out, policy->id[0] != '\0' ? policy->id : "of the command line");
    gl_str_addf(out, "\n  %-16s %s\n", "digest", gl_hash_hex(&policy->digest, hex));
    for (size_t i = 0; i < memory->text_count; i++) {
        gl_str_addf(out, "  %-16s %s ", i == 0 ? "made of" : "",
                    gl_hash_hex(&memory->texts[i].hash, hex));
        add_text(out, memory->texts[i].name);
        gl_str_add_char(out, '\n');
    }
    gl_span_text((struct gl_span){limit->s}, span);
    add_row(out, "max_waiver", span,
            limit->pos.file[0] != '\0' ? gl_pos_text(&limit->pos, place) : "built in");
}

void gl_policy_explain(const struct gl_policy *policy, struct gl_str *out)
{
    add_head(out, policy);
    for (size_t i = 0; i < policy->rule_count; i++)
        add_rule(out, &policy->rules[i]);
    for (size_t i = 0; i < policy->waiver_count; i++)
        add_waiver(out, &policy->waivers[i]);
}
