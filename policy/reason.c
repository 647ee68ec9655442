/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/judge.h"

#include "base/time.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define DECIMALS_MAX 6

/* How a key's number reads: millionths times `scale` in `unit`. */
struct wording {
    const char *noun, *unit;
    double scale;
};

static const struct wording wordings[GL_KEYS_ALL] = {
    [GL_KEY_MAX_INTENSITY] = {"carbon intensity", " gCO2e/kWh", 1e-6},
    [GL_KEY_MIN_RENEWABLE] = {"renewable share", " %", 1e-4},
    [GL_KEY_MIN_CARBON_FREE] = {"carbon-free share", " %", 1e-4},
    [GL_KEY_MIN_GRADE] = {"evidence of carbon intensity", "", 0},
    [GL_KEY_MAX_DATA_AGE] = {"evidence of carbon intensity", "", 0},
    [GL_KEY_GREEN_FOR] = {"what green means", "", 0},
    [GL_KEY_GREEN_BELOW] = {"carbon intensity in the green time", " gCO2e/kWh", 1e-6},
    [GL_KEY_CONFIDENCE] = {"for how long green can be promised", "", 0},
    [GL_KEY_REGIONS] = {"region", "", 0},
    [GL_KEY_NOT_REGIONS] = {"region", "", 0},
    [GL_KEY_COUNTRIES] = {"country", "", 0},
    [GL_KEY_NOT_COUNTRIES] = {"country", "", 0},
    [GL_KEY_MIN_VCPUS] = {"vCPU count", "", 1e-6},
    [GL_KEY_MAX_VCPUS] = {"vCPU count", "", 1e-6},
    [GL_KEY_MAX_MEMORY] = {"memory", " GiB", 1e-6 / (1 << 30)},
    [GL_KEY_MAX_COUNT] = {"instance count", "", 1e-6},
    [GL_KEY_MAX_PRICE] = {"price", " USD/h", 1e-6},
    [GL_KEY_MAX_RATE] = {"emission rate", " g/h", 1e-6},
    [GL_KEY_MAX_TOTAL] = {"emission of the run", " g", 1e-6},
    [GL_KEY_BUDGET_LIMIT] = {"what the budget has left", "", 0},
    [GL_KEY_BUDGET_MONEY] = {"what the budget has left", "", 0},
    [GL_KEY_BUDGET_WARN_AT] = {"what the budget has left", "", 0},
    [GL_KEY_MAX_INCREASE] = {"increase by this change", " kg a month", 1e-9},
    [GL_KEY_MAX_INCREASE_SHARE] = {"increase by this change", " %", 1e-4},
};

static const char *const gap_sentences[] = {
    [GL_GAP_NONE] = "the evidence is usable",
    [GL_GAP_MISSING] = "there is no evidence",
    [GL_GAP_STALE] = "the newest evidence is too old",
    [GL_GAP_GRADE] = "the evidence is below the asked grade",
    [GL_GAP_COVERAGE] = "the evidence does not cover the whole time",
    [GL_GAP_SUSPECT] = "the evidence is contradictory or impossible",
    [GL_GAP_MEANING] = "no evidence means what the rule asks for",
    [GL_GAP_FUTURE] = "the evidence is dated in the future",
    [GL_GAP_NO_BOUND] = "the evidence states no bound",
    [GL_GAP_CONFLICT] = "two sources of the same meaning contradict each other",
    [GL_GAP_NOT_HOURLY] = "the evidence is coarser than an hour",
    [GL_GAP_PRICE] = "the price is not known",
    [GL_GAP_POWER] = "the power of the type is not known",
    [GL_GAP_MARKET] = "only contracts or provider claims are known, not the grid",
    [GL_GAP_ISSUES] = "too few past forecasts that speak for now are stored to promise anything",
    [GL_GAP_HORIZON] = "the forecast does not reach that far",
    [GL_GAP_PLACE] = "the plan does not say where",
    [GL_GAP_TYPE] = "the plan does not say which machine",
    [GL_GAP_COUNT] = "the plan does not say how many",
    [GL_GAP_BUDGET] = "no accounts of budgets are kept here",
};

const char *gl_gap_sentence(enum gl_gap gap)
{
    return (size_t)gap < COUNT(gap_sentences) ? gap_sentences[gap] : "the evidence is not usable";
}

const char *gl_verdict_word(enum gl_verdict verdict)
{
    static const char *const words[] = {"allow", "later", "refuse", "unknown"};

    return (size_t)verdict < COUNT(words) ? words[verdict] : "unknown";
}

const char *gl_outcome_word(enum gl_outcome outcome)
{
    static const char *const words[] = {"satisfied", "violated", "unknown", "not asked"};

    return (size_t)outcome < COUNT(words) ? words[outcome] : "unknown";
}

static void add_text(struct gl_str *out, const char *text)
{
    gl_str_add_printable(out, text, strlen(text));
}

static void trim_zeros(char *text)
{
    size_t length = strlen(text);

    if (strchr(text, '.') == NULL)
        return;
    while (length > 1 && text[length - 1] == '0')
        text[--length] = '\0';
    if (text[length - 1] == '.')
        text[length - 1] = '\0';
}

/* Three digits or so, and more when two different numbers would look the same. */
static void write_pair(double found, double limit, char found_text[64], char limit_text[64])
{
    double larger = fmax(fabs(found), fabs(limit));
    int decimals = larger >= 100 ? 0 : larger >= 10 ? 1 : larger >= 1 ? 2 : 4;

    do {
        snprintf(found_text, 64, "%.*f", decimals, found);
        snprintf(limit_text, 64, "%.*f", decimals, limit);
    } while ((found < limit || found > limit) && strcmp(found_text, limit_text) == 0 &&
             ++decimals <= DECIMALS_MAX);
    trim_zeros(found_text);
    trim_zeros(limit_text);
}

static void add_numbers(const struct gl_reason *reason, const struct wording *wording,
                        struct gl_str *out)
{
    const struct gl_constraint *constraint = reason->constraint;
    char found[64], limit[64];
    double found_number = (double)reason->found_u, limit_number = (double)constraint->number;
    bool is_floor = gl_key_is_floor(constraint->key->id);
    bool holds =
        is_floor ? reason->found_u >= constraint->number : reason->found_u <= constraint->number;

    write_pair(found_number * wording->scale, limit_number * wording->scale, found, limit);
    gl_str_addf(out, "%s %s%s is %s %s%s", wording->noun, found, wording->unit,
                holds      ? "within"
                : is_floor ? "below"
                           : "above",
                limit, wording->unit);
}

/* "green can be promised for 3 h with 95 %, not for long enough". */
static void add_promise(const struct gl_reason *reason, struct gl_str *out)
{
    char span[GL_QUANTITY_TEXT];
    double percent = (double)reason->constraint->number / 1e4;
    bool holds = reason->outcome == GL_SATISFIED && reason->waiver == NULL;

    if (reason->found_u <= 0)
        gl_str_addf(out, "green cannot be promised with %.4g %% from now", percent);
    else
        gl_str_addf(out, "green can be promised for %s with %.4g %%%s",
                    gl_span_text((struct gl_span){reason->found_u}, span), percent,
                    holds ? "" : ", not for long enough");
}

static void add_place(const struct gl_reason *reason, const struct wording *wording,
                      struct gl_str *out)
{
    enum gl_key_id key = reason->constraint->key->id;
    bool is_denial = key == GL_KEY_NOT_REGIONS || key == GL_KEY_NOT_COUNTRIES;
    bool is_listed = (reason->outcome == GL_SATISFIED && reason->waiver == NULL) != is_denial;

    gl_str_addf(out, "%s %s ", wording->noun, is_listed ? "is one of" : "is not one of");
    for (const char *const *glob = reason->constraint->globs; glob && *glob; glob++) {
        if (glob != reason->constraint->globs)
            gl_str_add(out, ", ");
        add_text(out, *glob);
    }
}

/* What was found: unknown, a place, a number, or evidence that exists. */
static void add_finding(const struct gl_reason *reason, struct gl_str *out)
{
    const struct gl_constraint *constraint = reason->constraint;
    const struct wording *wording = &wordings[constraint->key->id];
    bool is_assumed = reason->gap != GL_GAP_NONE && reason->outcome != GL_OUTCOME_UNKNOWN;

    if (reason->gap != GL_GAP_NONE)
        gl_str_addf(out, "%s is unknown: %s", wording->noun, gl_gap_sentence(reason->gap));
    else if (constraint->key->id == GL_KEY_CONFIDENCE)
        add_promise(reason, out);
    else if (constraint->key->kind == GL_KIND_GLOBS)
        add_place(reason, wording, out);
    else if (wording->scale > 0 && reason->found_u != GL_UNKNOWN)
        add_numbers(reason, wording, out);
    else
        gl_str_addf(out, "%s is at hand", wording->noun);
    if (is_assumed && reason->outcome == GL_VIOLATED)
        gl_str_add(out, ", the worst is assumed");
    else if (is_assumed && reason->waiver == NULL)
        gl_str_add(out, ", admitted by on_unknown");
}

static void add_where(const struct gl_reason *reason, struct gl_str *out)
{
    const struct gl_pos *pos = &reason->constraint->pos;

    if (pos->file[0] == '\0')
        pos = &reason->rule->pos;
    if (pos->file[0] == '\0')
        return;
    gl_str_add(out, " (");
    add_text(out, pos->file);
    if (pos->line > 0)
        gl_str_addf(out, ":%u", (unsigned)pos->line);
    gl_str_add(out, ")");
}

static void add_waiver(const struct gl_reason *reason, struct gl_str *out)
{
    char day[GL_INSTANT_TEXT];

    gl_instant_text(reason->waiver->expires, day);
    day[10] = '\0'; /* the date of "2026-12-31T00:00:00Z" */
    gl_str_addf(out,
                reason->outcome == GL_SATISFIED ? ", waived until %s by "
                                                : ", its waiver expired on %s, owner ",
                day);
    add_text(out, reason->waiver->owner != NULL ? reason->waiver->owner : "?");
}

void gl_reason_text(const struct gl_reason *reason, struct gl_str *out)
{
    if (reason->outcome == GL_NOT_ASKED) {
        gl_str_add(out, "outside the asked clouds, regions, types or sizes");
        return;
    }
    if (reason->constraint == NULL) {
        gl_str_add(out, "every rule holds");
        return;
    }
    add_finding(reason, out);
    if (reason->rule->level == GL_ADVISORY)
        gl_str_add(out, ", advisory");
    add_where(reason, out);
    if (reason->waiver != NULL)
        add_waiver(reason, out);
}
