/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/judge.h"

#include <stdlib.h>
#include <string.h>

#define MEMO_SMALLEST 128
#define SHARE_OF_ALL                                                                           \
    (GL_OF_SOLAR | GL_OF_WIND | GL_OF_HYDRO | GL_OF_GEOTHERMAL | GL_OF_BIOMASS | GL_OF_WASTE | \
     GL_OF_MARINE | GL_OF_NUCLEAR | GL_OF_STORAGE)

static bool is_needed_alike(const struct gl_need *a, const struct gl_need *b)
{
    return a->want.quantity == b->want.quantity && a->want.rate == b->want.rate &&
           a->want.boundary == b->want.boundary && a->want.accounting == b->want.accounting &&
           a->want.share_of == b->want.share_of && a->min_grade == b->min_grade &&
           a->max_age_s == b->max_age_s && a->needs_hourly == b->needs_hourly &&
           a->wants_best == b->wants_best && a->length_s == b->length_s;
}

static uint32_t need_index(struct gl_judge *judge, const struct gl_need *need)
{
    for (size_t i = 0; i < judge->need_count; i++)
        if (is_needed_alike(&judge->needs[i], need))
            return (uint32_t)i;
    judge->needs[judge->need_count] = *need;
    return (uint32_t)judge->need_count++;
}

static bool has_any(const struct gl_rule *rule, const enum gl_key_id *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (gl_rule_constraint(rule, keys[i]) != NULL)
            return true;
    return false;
}

/* Up to grade C the evidence speaks of
 * hours, so it must be hourly; who admits yearly figures (D) admits coarse ones. */
struct gl_need gl_rule_need(const struct gl_rule *rule, enum gl_quantity quantity)
{
    const struct gl_constraint *age = gl_rule_constraint(rule, GL_KEY_MAX_DATA_AGE);
    struct gl_need need = {.want = {.quantity = quantity}};

    need.want.accounting = (enum gl_accounting)gl_rule_number(rule, GL_KEY_ACCOUNTING);
    if (quantity == GL_INTENSITY) {
        need.want.rate = (enum gl_rate)gl_rule_number(rule, GL_KEY_RATE);
        need.want.boundary = (enum gl_boundary)gl_rule_number(rule, GL_KEY_BOUNDARY);
    } else if (gl_rule_number(rule, GL_KEY_BIOMASS) == 0) {
        need.want.share_of = SHARE_OF_ALL & ~(uint32_t)GL_OF_BIOMASS;
    }
    need.min_grade = (enum gl_grade)gl_rule_number(rule, GL_KEY_MIN_GRADE);
    need.max_age_s = age != NULL ? age->number : 0;
    need.needs_hourly = need.min_grade <= GL_GRADE_C;
    return need;
}

static bool has_waiver(const struct gl_policy *policy, const struct gl_rule *rule)
{
    for (size_t i = 0; i < policy->waiver_count; i++)
        if (strcmp(policy->waivers[i].rule, rule->id) == 0)
            return true;
    return false;
}

static bool is_of_place(const struct gl_match *match)
{
    return (match->types == NULL || *match->types == NULL) && match->min_vcpus == 0 &&
           !match->needs_gpu;
}

/* What is promised of grams depends on the watts of an offer. */
static bool finds_same(const struct gl_rule *rule, enum gl_key_id key)
{
    return gl_key_is_of_place(key) &&
           !(key == GL_KEY_CONFIDENCE && (gl_rule_constraint(rule, GL_KEY_MAX_RATE) != NULL ||
                                          gl_rule_constraint(rule, GL_KEY_MAX_TOTAL) != NULL));
}

/* The constraints that test something; `out` knows its needs and limits. */
static void plan_limits(struct gl_judge *judge, struct gl_rule_plan *out)
{
    const struct gl_rule *rule = out->rule;

    for (size_t i = 0; i < rule->count; i++) {
        const struct gl_constraint *constraint = &rule->constraints[i];
        bool is_same = finds_same(rule, constraint->key->id);

        if (!gl_judge_is_test(out, constraint))
            continue;
        judge->limits[out->first_limit + out->limit_count++] =
            (struct gl_limit){.constraint = constraint, .is_of_place = is_same};
        judge->is_by_place = judge->is_by_place && is_same;
    }
    if (rule->budget != NULL && gl_budget_has_account(rule->budget) &&
        !judge->question->keeps_accounts)
        judge->limits[out->first_limit + out->limit_count++] =
            (struct gl_limit){.constraint = gl_budget_first(rule->budget), .is_of_place = true};
}

static void plan_rule(struct gl_judge *judge, const struct gl_rule *rule, struct gl_rule_plan *out)
{
    static const enum gl_key_id limits[] = {GL_KEY_MAX_INTENSITY,   GL_KEY_MIN_RENEWABLE,
                                            GL_KEY_MIN_CARBON_FREE, GL_KEY_GREEN_BELOW,
                                            GL_KEY_MAX_RATE,        GL_KEY_MAX_TOTAL};

    out->rule = rule;
    out->green_for = gl_rule_constraint(rule, GL_KEY_GREEN_FOR);
    out->has_limit = has_any(rule, limits, sizeof limits / sizeof limits[0]);
    out->is_promised = gl_rule_constraint(rule, GL_KEY_CONFIDENCE) != NULL;
    out->has_waivers = has_waiver(judge->question->policy, rule);
    judge->is_by_place = judge->is_by_place && !out->has_waivers && is_of_place(&rule->match) &&
                         !(rule->has_exclude && !is_of_place(&rule->exclude));
    plan_limits(judge, out);
    for (unsigned quantity = 0; quantity < GL_QUANTITIES; quantity++) {
        struct gl_need need = gl_rule_need(rule, (enum gl_quantity)quantity);

        out->run_needs[quantity] = need_index(judge, &need);
        need.needs_hourly = true;
        need.length_s = out->green_for != NULL ? out->green_for->number : 0;
        out->green_needs[quantity] = need_index(judge, &need);
    }
}

/* Reported grams and sort keys use any usable evidence within the boundary of the first rule that
 * limits emissions; always the grid's average, because reports attribute and do not flatter. */
static void plan_report(struct gl_judge *judge)
{
    static const enum gl_key_id emission[] = {GL_KEY_MAX_INTENSITY, GL_KEY_GREEN_BELOW,
                                              GL_KEY_MAX_RATE, GL_KEY_MAX_TOTAL};
    const struct gl_policy *policy = judge->question->policy;
    const struct gl_rule none = {0}, *rule = &none;

    for (size_t i = 0; policy != NULL && i < policy->rule_count && rule == &none; i++)
        if (has_any(&policy->rules[i], emission, sizeof emission / sizeof emission[0]))
            rule = &policy->rules[i];
    for (unsigned quantity = 0; quantity < GL_QUANTITIES; quantity++) {
        struct gl_need need = gl_rule_need(rule, (enum gl_quantity)quantity);

        need.want.rate = GL_AVERAGE;
        need.want.accounting = GL_LOCATION;
        need.min_grade = GL_GRADE_E;
        need.max_age_s = 0;
        need.needs_hourly = false;
        need.wants_best = true;
        judge->report_needs[quantity] = need_index(judge, &need);
    }
}

static void memo_init(struct gl_memo *memo)
{
    memo->capacity = MEMO_SMALLEST;
    memo->entries = gl_alloc(memo->capacity * sizeof *memo->entries);
}

/* The entry of (zone, need), or the free one where it belongs. */
static struct gl_memo_entry *memo_slot(const struct gl_memo *memo, const struct gl_memo_entry *key)
{
    uint64_t mixed = ((uint64_t)(uintptr_t)key->zone ^ ((uint64_t)key->need << 48)) *
                     UINT64_C(0x9e3779b97f4a7c15);
    size_t i = (size_t)(mixed >> 20) & (memo->capacity - 1);

    while (memo->entries[i].generation == key->generation &&
           (memo->entries[i].zone != key->zone || memo->entries[i].need != key->need))
        i = (i + 1) & (memo->capacity - 1);
    return &memo->entries[i];
}

static void memo_grow(struct gl_memo *memo, uint32_t generation)
{
    struct gl_memo larger = {.capacity = memo->capacity * 2, .used = memo->used};

    larger.entries = gl_alloc(larger.capacity * sizeof *larger.entries);
    for (size_t i = 0; i < memo->capacity; i++)
        if (memo->entries[i].generation == generation)
            *memo_slot(&larger, &memo->entries[i]) = memo->entries[i];
    free(memo->entries);
    *memo = larger;
}

/* The entry of key, taken for it when it is new; *out_is_new says so. At most three quarters
 * full. */
static struct gl_memo_entry *memo_take(struct gl_memo *memo, const struct gl_memo_entry *key,
                                       bool *out_is_new)
{
    struct gl_memo_entry *entry = memo_slot(memo, key);

    *out_is_new = entry->generation != key->generation;
    if (!*out_is_new)
        return entry;
    if (memo->used * 4 >= memo->capacity * 3) {
        memo_grow(memo, key->generation);
        entry = memo_slot(memo, key);
    }
    memo->used++;
    *entry = *key;
    return entry;
}

static bool is_any_type(const struct gl_request *request)
{
    return (request->types == NULL || *request->types == NULL) && request->min_vcpus == 0 &&
           request->max_vcpus == 0 && request->min_memory_mib == 0 &&
           request->max_memory_mib == 0 && request->gpu == NULL && request->arch == NULL;
}

void gl_judge_init(struct gl_judge *judge, const struct gl_question *question)
{
    size_t rules = question->policy != NULL ? question->policy->rule_count : 0, limits = 0;

    *judge = (struct gl_judge){.question = question, .is_by_place = true, .generation = 1};
    for (size_t i = 0; i < rules; i++)
        limits += question->policy->rules[i].count + 1; /* its budget */
    judge->plans = gl_alloc(rules * sizeof *judge->plans);
    judge->limits = gl_alloc(limits * sizeof *judge->limits);
    judge->needs = gl_alloc((rules + 1) * 2 * GL_QUANTITIES * sizeof *judge->needs);
    for (size_t i = 0; i < rules; i++) {
        judge->plans[i].first_limit = judge->limit_count;
        plan_rule(judge, &question->policy->rules[i], &judge->plans[i]);
        judge->limit_count += judge->plans[i].limit_count;
    }
    plan_report(judge);
    judge->is_brief = question->has_no_digest && question->ranked_wanted > 0;
    judge->is_any_type = is_any_type(question->request);
    judge->load = gl_judge_load(question->request);
    judge->count = gl_judge_count(judge, NULL);
    memo_init(&judge->figures);
    memo_init(&judge->sounds);
    judge->at = question->now;
    judge->start = question->request->start;
    judge->duration = question->request->duration;
}

void gl_judge_done(struct gl_judge *judge)
{
    free(judge->plans);
    free(judge->limits);
    free(judge->needs);
    free(judge->figures.entries);
    free(judge->sounds.entries);
    *judge = (struct gl_judge){0};
}

void gl_judge_set_case(struct gl_judge *judge, struct gl_instant start, struct gl_span duration,
                       bool is_strict)
{
    struct gl_instant now = judge->question->now;

    judge->start = start;
    judge->duration = duration;
    judge->is_strict = is_strict;
    judge->at = is_strict && start.unix_s > now.unix_s ? start : now;
    judge->generation++;
    judge->figures.used = 0;
    judge->place.is = NULL;
}

static uint64_t sound_of(struct gl_judge *judge, const struct gl_zone_facts *zone)
{
    const struct gl_memo_entry key = {.zone = zone, .generation = 1};
    bool is_new;
    struct gl_memo_entry *entry = memo_take(&judge->sounds, &key, &is_new);

    if (is_new)
        entry->of.sound = gl_figure_sound(zone);
    return entry->of.sound;
}

/* In a strict case the very series that would be used anyway must be hourly: one that is merely
 * next in order must not prove what the first denies. */
static struct gl_figure look_up(struct gl_judge *judge, const struct gl_zone_facts *zone,
                                const struct gl_need *need)
{
    int64_t length = need->length_s > 0 ? need->length_s : judge->duration.s;
    struct gl_figure_limits limits = {
        .now = judge->question->now,
        .max_age = {need->max_age_s},
        .min_grade = need->min_grade,
        .needs_hourly = need->needs_hourly,
        .wants_best = need->wants_best,
    };
    struct gl_figure_ask ask = {zone, &need->want,          &limits, judge->start.unix_s,
                                0,    sound_of(judge, zone)};
    struct gl_figure figure, hourly;

    if (__builtin_add_overflow(ask.from_s, length, &ask.until_s))
        ask.until_s = INT64_MAX;
    figure = gl_figure_over(&ask);
    if (!judge->is_strict || need->needs_hourly || figure.series == NULL)
        return figure;
    limits.needs_hourly = true;
    hourly = gl_figure_over(&ask);
    if (hourly.series == figure.series)
        return hourly;
    return (struct gl_figure){GL_UNKNOWN, GL_UNKNOWN, GL_UNKNOWN,       GL_GRADE_E,
                              NULL,       GL_UNKNOWN, GL_GAP_NOT_HOURLY};
}

const struct gl_figure *gl_judge_figure(struct gl_judge *judge, const struct gl_zone_facts *zone,
                                        uint32_t need)
{
    const struct gl_memo_entry key = {.zone = zone, .need = need, .generation = judge->generation};
    bool is_new;
    struct gl_memo_entry *entry = memo_take(&judge->figures, &key, &is_new);

    if (is_new)
        entry->of.figure = look_up(judge, zone, &judge->needs[need]);
    return &entry->of.figure;
}

static bool is_between(uint32_t value, uint32_t least, uint32_t most)
{
    return value >= least && (most == 0 || value <= most);
}

bool gl_judge_asks_place(const struct gl_request *request, const struct gl_offer *offer)
{
    return gl_globs_match(request->clouds, offer->place->cloud) &&
           gl_globs_match(request->regions, offer->place->region);
}

bool gl_judge_asks_type(const struct gl_request *request, const struct gl_offer *offer)
{
    if (!gl_globs_match(request->types, offer->type->name) ||
        !is_between(offer->type->vcpus, request->min_vcpus, request->max_vcpus) ||
        !is_between(offer->type->memory_mib, request->min_memory_mib, request->max_memory_mib))
        return false;
    if (request->gpu != NULL &&
        (offer->type->gpu == NULL || !gl_glob_match(request->gpu, offer->type->gpu)))
        return false;
    return request->arch == NULL ||
           (offer->type->arch != NULL && strcmp(request->arch, offer->type->arch) == 0);
}

bool gl_judge_binds(const struct gl_judge *judge, const struct gl_rule *rule)
{
    return gl_rule_level(rule, judge->question->gate) != GL_ADVISORY &&
           rule->enforce_from.unix_s <= judge->at.unix_s;
}

int64_t gl_judge_count(const struct gl_judge *judge, const struct gl_rule *rule)
{
    const struct gl_request *request = judge->question->request;

    if (request->subject != NULL)
        return request->subject->counts[gl_rule_count_basis(judge->question, rule)];
    return request->count != 0 ? request->count : 1;
}

int64_t gl_judge_report(struct gl_judge *judge, const struct gl_offer *offer,
                        enum gl_quantity quantity, enum gl_part part)
{
    bool is_least = part == GL_PART_LOW || quantity != GL_INTENSITY;
    int64_t worst = GL_UNKNOWN;

    for (size_t zone = 0; zone < offer->place->zone_count && zone < 2; zone++) {
        const struct gl_figure *figure =
            gl_judge_figure(judge, offer->place->zones[zone], judge->report_needs[quantity]);
        const int64_t parts[] = {figure->low_u, figure->value_u, figure->high_u};

        if (parts[part] == GL_UNKNOWN)
            return GL_UNKNOWN;
        if (zone == 0 || (is_least ? parts[part] < worst : parts[part] > worst))
            worst = parts[part];
    }
    return worst;
}
