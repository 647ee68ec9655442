/* SPDX-License-Identifier: Apache-2.0 */
/* A rule in normal form, as parts in a fixed order with ';' between, and what may stand as one. */
#include "policy/demand_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- parts with a value ---- */

enum form { FORM_NUMBER, FORM_PERCENT, FORM_SECONDS, FORM_GRADE };

/* In the order of normal form. */
static const struct value_part {
    enum gl_key_id key;
    const char *name; /* with its comparison */
    enum form form;
    const char *unit;
    bool is_how; /* says how figures are judged: only of rules with a limit on a figure */
} value_parts[] = {
    {GL_KEY_MAX_INTENSITY, "intensity<=", FORM_NUMBER, "g/kWh", false},
    {GL_KEY_MIN_RENEWABLE, "renewable-share>=", FORM_PERCENT, "%", false},
    {GL_KEY_MIN_CARBON_FREE, "carbon-free-share>=", FORM_PERCENT, "%", false},
    {GL_KEY_GREEN_BELOW, "green-intensity<=", FORM_NUMBER, "g/kWh", false},
    {GL_KEY_GREEN_FOR, "green-for>=", FORM_SECONDS, "s", false},
    {GL_KEY_CONFIDENCE, "confidence>=", FORM_PERCENT, "%", false},
    {GL_KEY_MAX_RATE, "emission-rate<=", FORM_NUMBER, "g/h", false},
    {GL_KEY_MAX_TOTAL, "emissions<=", FORM_NUMBER, "g", false},
    {GL_KEY_MIN_GRADE, "grade>=", FORM_GRADE, "", true},
    {GL_KEY_MAX_DATA_AGE, "data-age<=", FORM_SECONDS, "s", true},
};
#define VALUE_PARTS (sizeof value_parts / sizeof value_parts[0])

#define MILLION 1000000

/* Digits, and behind a point what is not zero. */
static void add_decimal(struct gl_str *out, int64_t number, int64_t scale)
{
    int64_t rest = number % scale;

    gl_str_addf(out, "%" PRId64, number / scale);
    if (rest == 0)
        return;
    gl_str_add_char(out, '.');
    for (scale /= 10; rest > 0; scale /= 10) {
        gl_str_add_char(out, (char)('0' + rest / scale));
        rest %= scale;
    }
}

static void add_value(struct gl_str *out, const struct value_part *part, int64_t number)
{
    gl_str_add(out, part->name);
    switch (part->form) {
    case FORM_NUMBER:
        add_decimal(out, number, MILLION);
        break;
    case FORM_PERCENT:
        add_decimal(out, number, MILLION / 100);
        break;
    case FORM_SECONDS:
        add_decimal(out, number, 1);
        break;
    case FORM_GRADE:
        gl_str_add_char(out, gl_grade_letter((enum gl_grade)number));
        break;
    }
    gl_str_add(out, part->unit);
}

bool gl_demand_tells(enum gl_key_id key)
{
    for (size_t i = 0; i < VALUE_PARTS; i++)
        if (value_parts[i].key == key)
            return true;
    return false;
}

/* ---- parts of one word ---- */

/* Limits that are the user's own affair: that there is one, and nothing of it. */
static const struct {
    enum gl_key_id key;
    const char *word;
} class_words[] = {
    {GL_KEY_REGIONS, "places"},       {GL_KEY_NOT_REGIONS, "places"}, {GL_KEY_COUNTRIES, "places"},
    {GL_KEY_NOT_COUNTRIES, "places"}, {GL_KEY_MIN_VCPUS, "size"},     {GL_KEY_MAX_VCPUS, "size"},
    {GL_KEY_MAX_MEMORY, "size"},      {GL_KEY_MAX_COUNT, "size"},     {GL_KEY_MAX_PRICE, "price"},
};
#define CLASS_WORDS (sizeof class_words / sizeof class_words[0])

static const char *const how_words[] = {"hourly", "without-biomass", "budget", NULL};

static void begin_part(struct gl_str *out)
{
    if (out->length > 0)
        gl_str_add_char(out, ';');
}

static void add_word(struct gl_str *out, const char *word)
{
    begin_part(out);
    gl_str_add(out, word);
}

/* ---- the rule ---- */

static bool has(const struct gl_rule *rule, enum gl_key_id key)
{
    return gl_rule_constraint(rule, key) != NULL;
}

/* Yearly averages are grade D: a better grade is one by the hour, and so is what lasts. */
static bool is_hourly(const struct gl_rule *rule)
{
    return gl_rule_number(rule, GL_KEY_MIN_GRADE) <= GL_GRADE_C || has(rule, GL_KEY_GREEN_FOR) ||
           has(rule, GL_KEY_CONFIDENCE);
}

static void add_values(struct gl_str *out, const struct gl_rule *rule, bool is_how)
{
    for (size_t i = 0; i < VALUE_PARTS; i++) {
        int64_t number = gl_rule_number(rule, value_parts[i].key);

        if (value_parts[i].is_how != is_how || number == GL_UNKNOWN || number < 0)
            continue;
        begin_part(out);
        add_value(out, &value_parts[i], number);
    }
}

/* What is not written counts as the built-in value: so the same rule is the same text. */
static void add_how(struct gl_str *out, const struct gl_rule *rule)
{
    bool of_intensity = has(rule, GL_KEY_MAX_INTENSITY) || has(rule, GL_KEY_GREEN_BELOW) ||
                        has(rule, GL_KEY_MAX_RATE) || has(rule, GL_KEY_MAX_TOTAL);
    bool of_share = has(rule, GL_KEY_MIN_RENEWABLE) || has(rule, GL_KEY_MIN_CARBON_FREE);

    if (!of_intensity && !of_share)
        return;
    add_word(out, gl_accounting_words[gl_rule_number(rule, GL_KEY_ACCOUNTING)]);
    if (of_intensity) {
        add_word(out, gl_rate_words[gl_rule_number(rule, GL_KEY_RATE)]);
        add_word(out, gl_boundary_words[gl_rule_number(rule, GL_KEY_BOUNDARY)]);
    }
    if (of_share && gl_rule_number(rule, GL_KEY_BIOMASS) == 0)
        add_word(out, "without-biomass");
    if (is_hourly(rule))
        add_word(out, "hourly");
    add_values(out, rule, true);
}

static void add_classes(struct gl_str *out, const struct gl_rule *rule)
{
    const char *last = "";

    for (size_t i = 0; i < CLASS_WORDS; i++)
        if (has(rule, class_words[i].key) && strcmp(last, class_words[i].word) != 0)
            add_word(out, last = class_words[i].word);
    if (rule->budget != NULL)
        add_word(out, "budget");
}

int gl_demand_rule(const struct gl_rule *rule, char out[GL_DEMAND_RULE], struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    add_values(&text, rule, false);
    add_how(&text, rule);
    add_classes(&text, rule);
    if (text.length >= GL_DEMAND_RULE)
        return gl_fail(err, GL_E_TOO_LARGE, "a rule of more than %d bytes in normal form",
                       GL_DEMAND_RULE - 1);
    memcpy(out, gl_str_text(&text), text.length + 1);
    return 0;
}

/* ---- what may stand as one ---- */

static bool is_text(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

static bool is_one_of(const char *text, size_t length, const char *const *words)
{
    for (; *words != NULL; words++)
        if ((*words)[0] != '\0' && is_text(text, length, *words))
            return true;
    return false;
}

static bool is_plain_word(const char *text, size_t length)
{
    for (size_t i = 0; i < CLASS_WORDS; i++)
        if (is_text(text, length, class_words[i].word))
            return true;
    return is_one_of(text, length, how_words) || is_one_of(text, length, gl_accounting_words) ||
           is_one_of(text, length, gl_rate_words) || is_one_of(text, length, gl_boundary_words);
}

/* As add_decimal() writes it: at most 13 digits, then at most 6 of which the last is not 0. */
static bool is_decimal(const char *text, size_t length)
{
    static const char digits[] = "0123456789";
    size_t whole = 0, part = 0;

    while (whole < length && strchr(digits, text[whole]) != NULL)
        whole++;
    if (whole < 1 || whole > 13 || (whole > 1 && text[0] == '0'))
        return false;
    if (whole == length)
        return true;
    while (whole + 1 + part < length && strchr(digits, text[whole + 1 + part]) != NULL)
        part++;
    return text[whole] == '.' && part >= 1 && part <= 6 && whole + 1 + part == length &&
           text[length - 1] != '0';
}

static bool is_value(const struct value_part *part, const char *text, size_t length)
{
    size_t name = strlen(part->name), unit = strlen(part->unit);

    if (length <= name + unit || memcmp(text, part->name, name) != 0 ||
        memcmp(text + length - unit, part->unit, unit) != 0)
        return false;
    text += name;
    length -= name + unit;
    return part->form == FORM_GRADE ? length == 1 && text[0] >= 'A' && text[0] <= 'E'
                                    : is_decimal(text, length);
}

static bool is_part(const char *text, size_t length)
{
    for (size_t i = 0; i < VALUE_PARTS; i++)
        if (is_value(&value_parts[i], text, length))
            return true;
    return is_plain_word(text, length);
}

bool gl_demand_is_rule(const char *text)
{
    if (*text == '\0')
        return true;
    for (;;) {
        size_t length = strcspn(text, ";");

        if (!is_part(text, length))
            return false;
        if (text[length] == '\0')
            return true;
        text += length + 1;
    }
}
