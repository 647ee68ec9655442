/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/budget.h"

#include "policy/draft.h"

#include "base/unit.h"

#include <stddef.h>
#include <string.h>

/* The `budget` block of a rule: its keys, how it is read, and what makes it tighter. */

#define AT(id) ((id)-GL_KEYS)
#define ROW(id, name, dim, example, help)                                                          \
    [AT(GL_KEY_##id)] = {GL_KEY_##id, name, GL_KIND_QUANTITY, GL_DIM_##dim, NULL, GL_TIGHTER_DOWN, \
                         GL_UNKNOWN,  help, example}

static const struct gl_key keys[] = {
    ROW(BUDGET_LIMIT, "limit", MASS_RATE, "50 kg per month",
        "What may be emitted in a period, over all that is launched and planned"),
    ROW(BUDGET_MONEY, "money", PRICE, "200 USD per month",
        "What may be paid in a period, beside the grams of the same account or alone"),
    ROW(BUDGET_WARN_AT, "warn_at", SHARE, "80%", "Share of the limit from which it warns"),
    ROW(MAX_INCREASE, "max_increase", MASS, "5 kg",
        "Most that one change may add to a month of 730.5 hours, after minus before"),
    ROW(MAX_INCREASE_SHARE, "max_increase_share", SHARE, "20%",
        "The same as a share of what ran before"),
};

const struct gl_key *gl_budget_key(enum gl_key_id id)
{
    return &keys[AT(id)];
}

bool gl_budget_has_account(const struct gl_budget *budget)
{
    return budget->limit.key != NULL || budget->money.key != NULL;
}

/* ---- the form ---- */

static int read_amount(const struct gl_reader *reader, const struct gl_field *field,
                       const struct gl_node *node, void *slot)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(keys[i].name, field->name) == 0)
            return gl_value_read(reader, &keys[i], node, slot);
    return -1;
}

/* An amount in a period as so much an hour, to be compared. */
static int64_t an_hour(int64_t amount, const struct gl_period_of *period)
{
    static const int64_t hours_x10[] = {
        [GL_PER_HOUR] = 10,    [GL_PER_DAY] = 240,       [GL_PER_WEEK] = 1680,
        [GL_PER_MONTH] = 7305, [GL_PER_QUARTER] = 21915, [GL_PER_YEAR] = 87660,
    };
    int64_t per_x10 =
        period->period == GL_PER_SPAN ? period->span_s / 360 : hours_x10[period->period];

    return amount / (per_x10 > 0 ? per_x10 : 1) * 10;
}

/* One account has one tag, whichever key says it. */
static int take_tag(const struct gl_reader *reader, const struct gl_node *node, const char *tag,
                    struct gl_budget_draft *draft)
{
    if (tag[0] == '\0')
        return 0;
    if (draft->of_tag != NULL && strcmp(draft->of_tag, tag) != 0)
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                           "one account is of one tag, and it is of %s already", draft->of_tag);
    draft->of_tag = gl_arena_text(reader->arena, tag, strlen(tag));
    return 0;
}

/* "50 kg per month of {team}", "200 USD per 30d": into `limit` or `money`, as the amount says. */
static int take_limit(const struct gl_reader *reader, const struct gl_field *field,
                      const struct gl_node *node, struct gl_budget_draft *draft)
{
    const char *text = gl_value_text(reader, field->name, node, GL_GLOB_MAX);
    struct gl_cap cap = {.limit = {GL_UNKNOWN, GL_UNKNOWN}};
    char tag[GL_ACCOUNT_SEGMENT];
    struct gl_constraint *slot;
    struct gl_error why = {0};
    bool is_money;

    if (text == NULL)
        return -1;
    if (gl_cap_read(text, &cap, tag, &why) != 0)
        return gl_diagnose(&reader->source, &node->mark, why.code, "%s: %s", field->name, why.text);
    is_money = cap.limit.ug == GL_UNKNOWN;
    slot = is_money ? &draft->money : &draft->limit;
    if (slot->key != NULL)
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                           "%s: there is a limit of %s already", field->name,
                           is_money ? "money" : "grams");
    *slot = (struct gl_constraint){
        .key = &keys[AT(is_money ? GL_KEY_BUDGET_MONEY : GL_KEY_BUDGET_LIMIT)],
        .pos = gl_pos_of(&reader->source, &node->mark),
        .number = an_hour(is_money ? cap.limit.u_usd : cap.limit.ug, &cap.period),
        .written = gl_arena_text(reader->arena, text, strlen(text)),
    };
    return take_tag(reader, node, tag, draft);
}

static int read_limit(const struct gl_reader *reader, const struct gl_field *field,
                      const struct gl_node *node, void *slot)
{
    char *draft = (char *)slot - offsetof(struct gl_budget_draft, limit);

    return take_limit(reader, field, node, (struct gl_budget_draft *)(void *)draft);
}

static int read_money(const struct gl_reader *reader, const struct gl_field *field,
                      const struct gl_node *node, void *slot)
{
    char *bytes = (char *)slot - offsetof(struct gl_budget_draft, money);
    struct gl_budget_draft *draft = (struct gl_budget_draft *)(void *)bytes;
    bool had_grams = draft->limit.key != NULL;

    if (take_limit(reader, field, node, draft) != 0)
        return -1;
    if (draft->money.key != NULL && (had_grams || draft->limit.key == NULL))
        return 0;
    return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                       "%s is money in a period, as in 200 USD per month", field->name);
}

static int read_calendar(const struct gl_reader *reader, const struct gl_field *field,
                         const struct gl_node *node, void *slot)
{
    const char *text = gl_value_text(reader, field->name, node, GL_ZONE_NAME - 1);

    if (text == NULL)
        return -1;
    *(const char **)slot = gl_arena_text(reader->arena, text, strlen(text));
    return 0;
}

/* {tag: team}: one account a value of it. */
static int read_of(const struct gl_reader *reader, const struct gl_field *field,
                   const struct gl_node *node, void *slot)
{
    const struct gl_node *tag = gl_yaml_member(node, "tag");
    const char *text;

    if (node->kind != GL_NODE_MAP || node->count != 1 || tag == NULL)
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                           "%s names a tag, as in {tag: team}", field->name);
    text = gl_value_text(reader, "tag", tag, GL_GLOB_MAX);
    if (text == NULL)
        return -1;
    return take_tag(reader, node, text,
                    (struct gl_budget_draft *)(void *)((char *)slot -
                                                       offsetof(struct gl_budget_draft, of_tag)));
}

#define AMOUNT_SCHEMA "{\"type\": \"string\", \"pattern\": \"^[0-9].*[^0-9 ]$\"}"
static const struct gl_type type_amount = {read_amount, AMOUNT_SCHEMA, false};
static const struct gl_type type_limit = {
    read_limit, "{\"type\": \"string\", \"pattern\": \"^[$0-9].* per [0-9a-z]+\"}", false};
static const struct gl_type type_money = {
    read_money, "{\"type\": \"string\", \"pattern\": \"^[$0-9].* per [0-9a-z]+\"}", false};
static const struct gl_type type_calendar = {read_calendar, "{\"type\": \"string\"}", false};
static const struct gl_type type_of = {
    read_of,
    "{\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"tag\"], "
    "\"properties\": {\"tag\": {\"type\": \"string\", \"description\": \"Name of the tag\"}}}",
    false};

#define BUDGET(member) offsetof(struct gl_budget_draft, member)
static const struct gl_field fields[] = {
    {.name = "limit",
     .type = &type_limit,
     .offset = BUDGET(limit),
     .help = "What may be emitted or paid in a period, as in 50 kg per month, 200 USD per 30d, "
             "1 kg per day of {team}"},
    {.name = "money",
     .type = &type_money,
     .offset = BUDGET(money),
     .help = "What may be paid in the same period beside it, as in 200 USD per month"},
    {.name = "calendar",
     .type = &type_calendar,
     .offset = BUDGET(calendar),
     .help = "Time zone of its days, weeks and months, as in Europe/Berlin; else UTC"},
    {.name = "at_cap",
     .type = &gl_type_word,
     .offset = BUDGET(at_cap),
     .words = gl_at_cap_words,
     .help = "What running work meets when all of it is spent; else refuse: only new work"},
    {.name = "of",
     .type = &type_of,
     .offset = BUDGET(of_tag),
     .help = "One account a value of a tag, as in {tag: team}"},
    {.name = "warn_at",
     .type = &type_amount,
     .offset = BUDGET(warn_at),
     .help = "Share of the limit from which it warns, as in 80%"},
    {.name = "max_increase",
     .type = &type_amount,
     .offset = BUDGET(max_increase),
     .help = "Most that one change may add to a month, as in 5 kg"},
    {.name = "max_increase_share",
     .type = &type_amount,
     .offset = BUDGET(max_increase_share),
     .help = "The same as a share of what ran before, as in 20%"},
    {.name = NULL},
};
const struct gl_form gl_budget_form = {.what = "budget", .fields = fields};

static bool is_of_one_period(const struct gl_budget_draft *draft)
{
    struct gl_cap grams = {.limit = {0, 0}}, money = grams;
    char tag[GL_ACCOUNT_SEGMENT];
    struct gl_error ignored = {0};

    if (draft->limit.key == NULL || draft->money.key == NULL)
        return true;
    return gl_cap_read(draft->limit.written, &grams, tag, &ignored) == 0 &&
           gl_cap_read(draft->money.written, &money, tag, &ignored) == 0 &&
           grams.period.period == money.period.period && grams.period.span_s == money.period.span_s;
}

static int read_budget(const struct gl_reader *reader, const struct gl_field *field,
                       const struct gl_node *node, void *slot)
{
    struct gl_budget_draft *draft = gl_arena_take(reader->arena, sizeof *draft);

    draft->at_cap = GL_NOT_WRITTEN;
    draft->node = node;
    if (gl_form_read(reader, field->form, node, draft))
        return -1;
    if (draft->limit.key == NULL && draft->money.key == NULL && draft->max_increase.key == NULL &&
        draft->max_increase_share.key == NULL)
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                           "budget limits nothing; write limit, money, max_increase or "
                           "max_increase_share");
    if (!is_of_one_period(draft))
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                           "grams and money of one account share one period");
    *(struct gl_budget_draft **)slot = draft;
    return 0;
}

const struct gl_type gl_type_budget = {read_budget, NULL, false};

/* ---- draft to budget ---- */

/* What the draft says over what was there. */
static void lay_over(const struct gl_budget_draft *draft, struct gl_budget *budget)
{
    struct gl_constraint *slots[] = {&budget->limit, &budget->money, &budget->warn_at,
                                     &budget->max_increase, &budget->max_increase_share};
    const struct gl_constraint *written[] = {&draft->limit, &draft->money, &draft->warn_at,
                                             &draft->max_increase, &draft->max_increase_share};

    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++)
        if (written[i]->key != NULL)
            *slots[i] = *written[i];
    if (draft->of_tag != NULL)
        budget->of_tag = draft->of_tag;
    if (draft->calendar != NULL)
        budget->calendar = draft->calendar;
    if (draft->at_cap != GL_NOT_WRITTEN)
        budget->at_cap = draft->at_cap;
}

const struct gl_budget *gl_budget_of(const struct gl_reader *reader,
                                     const struct gl_budget_draft *draft)
{
    struct gl_budget *budget;

    if (draft == NULL)
        return NULL;
    budget = gl_arena_take(reader->arena, sizeof *budget);
    budget->pos = gl_pos_of(&reader->source, &draft->node->mark);
    lay_over(draft, budget);
    return budget;
}

static int fail_loosens(const struct gl_reader *reader, const struct gl_budget_draft *draft,
                        const char *name)
{
    const struct gl_node *node = gl_yaml_member(draft->node, name);

    return gl_diagnose(&reader->source, node != NULL ? &node->mark : &draft->node->mark,
                       GL_E_LOOSENS, "%s: an override may only tighten a budget", name);
}

int gl_budget_override(const struct gl_reader *reader, const struct gl_budget_draft *draft,
                       const struct gl_budget **budget)
{
    static const struct gl_budget none;
    const struct gl_budget *was = *budget != NULL ? *budget : &none;
    const struct gl_constraint *before[] = {&was->limit, &was->money, &was->warn_at,
                                            &was->max_increase, &was->max_increase_share};
    const struct gl_constraint *now[] = {&draft->limit, &draft->money, &draft->warn_at,
                                         &draft->max_increase, &draft->max_increase_share};
    struct gl_budget *tighter;

    for (size_t i = 0; i < sizeof now / sizeof now[0]; i++)
        if (now[i]->key != NULL && before[i]->key != NULL &&
            !gl_value_is_as_tight(now[i], before[i]))
            return fail_loosens(reader, draft, now[i]->key->name);
    if (*budget != NULL && draft->of_tag != NULL)
        return fail_loosens(reader, draft, "of");
    if (*budget != NULL && draft->calendar != NULL)
        return fail_loosens(reader, draft, "calendar");
    if (draft->at_cap != GL_NOT_WRITTEN && draft->at_cap < was->at_cap)
        return fail_loosens(reader, draft, "at_cap");
    tighter = gl_arena_take(reader->arena, sizeof *tighter);
    *tighter = *was;
    tighter->pos = gl_pos_of(&reader->source, &draft->node->mark);
    lay_over(draft, tighter);
    *budget = tighter;
    return 0;
}
