/* SPDX-License-Identifier: Apache-2.0 */
/* Caps as text: "50 kg per month of {team}". */
#include "policy/budget.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 128
#define MILLION  1000000

const char *const gl_at_cap_words[] = {"refuse", "pause", "stop", NULL};

static const struct {
    const char *word;
    enum gl_period period;
} periods[] = {
    {"h", GL_PER_HOUR},    {"hour", GL_PER_HOUR},   {"day", GL_PER_DAY},
    {"week", GL_PER_WEEK}, {"month", GL_PER_MONTH}, {"quarter", GL_PER_QUARTER},
    {"year", GL_PER_YEAR},
};

int gl_period_read(const char *text, struct gl_period_of *out, struct gl_error *err)
{
    struct gl_error why = {0};
    struct gl_span span;

    for (size_t i = 0; i < sizeof periods / sizeof *periods; i++)
        if (strcmp(periods[i].word, text) == 0) {
            *out = (struct gl_period_of){periods[i].period, 0};
            return 0;
        }
    if (gl_span_parse(text, &span, &why) != 0)
        return gl_fail(err, GL_E_BAD_VALUE,
                       "\"%.40s\" is no period: hour, day, week, month, quarter, year, or the last "
                       "30d",
                       text);
    *out = (struct gl_period_of){GL_PER_SPAN, span.s};
    return 0;
}

static const struct {
    int64_t s;
    const char *unit;
} spans[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};

void gl_period_text(const struct gl_period_of *period, struct gl_str *out)
{
    if (period->period != GL_PER_SPAN) {
        for (size_t i = sizeof periods / sizeof *periods; i-- > 0;)
            if (periods[i].period == period->period) {
                gl_str_add(out, periods[i].word);
                return;
            }
    }
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
        if (period->span_s % spans[i].s == 0) {
            gl_str_addf(out, "%" PRId64 "%s", period->span_s / spans[i].s, spans[i].unit);
            return;
        }
}

/* "20", "0.5": millionths, by integers only. */
static int read_money(const char *text, size_t length, int64_t *out, struct gl_error *err)
{
    int64_t value = 0, unit = MILLION;
    bool is_fraction = false;
    size_t digits = 0;

    for (size_t i = 0; i < length; i++) {
        if (text[i] == '.' && !is_fraction && digits > 0) {
            is_fraction = true;
            continue;
        }
        if (text[i] < '0' || text[i] > '9' || unit < (is_fraction ? 10 : 1))
            return gl_fail(err, GL_E_BAD_VALUE, "bad amount of money \"%.40s\"; write 20 USD",
                           text);
        digits++;
        if (is_fraction)
            unit /= 10;
        if (__builtin_mul_overflow(value, is_fraction ? 1 : 10, &value) ||
            __builtin_add_overflow(value, (text[i] - '0') * unit, &value))
            return gl_fail(err, GL_E_BAD_VALUE, "\"%.40s\" is too much money", text);
    }
    if (digits == 0 || text[length - 1] == '.')
        return gl_fail(err, GL_E_BAD_VALUE, "bad amount of money \"%.40s\"; write 20 USD", text);
    *out = value;
    return 0;
}

/* "20 USD", "20USD" or "$20": where the number is; false for anything else. */
static bool is_money(const char *text, const char **out_number, size_t *out_length)
{
    size_t length = strlen(text);

    *out_number = text;
    if (text[0] == '$') {
        *out_number = text + 1;
        *out_length = length - 1;
        return true;
    }
    if (length < 4 || strcmp(text + length - 3, "USD") != 0)
        return false;
    length -= 3;
    while (length > 0 && text[length - 1] == ' ')
        length--;
    *out_length = length;
    return true;
}

/* "20 EUR", "20 €": no mass is written so. */
static bool is_other_money(const char *text)
{
    static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char *const signs[] = {"€", "£", "¥"};
    const char *unit = text + strcspn(text, capitals);

    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strstr(text, signs[i]) != NULL)
            return true;
    return strlen(unit) == 3 && strspn(unit, capitals) == 3;
}

/* A limit of nothing stops everything: nobody gets there by rounding. */
static int read_mass(const char *text, int64_t *out, struct gl_error *err)
{
    if (gl_quantity_parse(GL_DIM_MASS, text, out, err) != 0)
        return -1;
    if (*out == 0 && strpbrk(text, "123456789") != NULL)
        return gl_fail(err, GL_E_BAD_VALUE, "\"%.40s\" is less than a microgram", text);
    return 0;
}

int gl_amount_read(const char *text, struct gl_amount *out, struct gl_error *err)
{
    struct gl_amount amount = {0, 0};
    const char *number;
    size_t length;
    int result;

    if (is_money(text, &number, &length))
        result = read_money(number, length, &amount.u_usd, err);
    else if (is_other_money(text))
        result = gl_fail(err, GL_E_BAD_VALUE,
                         "\"%.40s\": of money only USD is known; write it as in 20 USD", text);
    else
        result = read_mass(text, &amount.ug, err);
    if (result == 0)
        *out = amount;
    return result;
}

/* Cut " of {team}" off the end, into `tag`. */
static int cut_tag(char *text, char tag[GL_ACCOUNT_SEGMENT], struct gl_error *err)
{
    char *of = strstr(text, " of ");
    size_t length;

    tag[0] = '\0';
    if (of == NULL)
        return 0;
    length = of[4] == '{' ? strcspn(of + 5, "{}") : 0;
    if (length == 0 || strcmp(of + 5 + length, "}") != 0 || length >= GL_ACCOUNT_SEGMENT)
        return gl_fail(err, GL_E_BAD_VALUE, "\"%s\": write of {team}, with the name of a tag",
                       of + 1);
    memcpy(tag, of + 5, length);
    tag[length] = '\0';
    *of = '\0';
    return 0;
}

int gl_cap_read(const char *text, struct gl_cap *out, char out_tag[GL_ACCOUNT_SEGMENT],
                struct gl_error *err)
{
    char copy[TEXT_MAX], tag[GL_ACCOUNT_SEGMENT], *per;
    struct gl_amount amount;
    struct gl_period_of period;
    const char *number;
    size_t length;

    if (strlen(text) >= sizeof copy)
        return gl_fail(err, GL_E_BAD_VALUE, "a limit is written as in 50 kg per month");
    snprintf(copy, sizeof copy, "%s", text);
    if (cut_tag(copy, tag, err) != 0)
        return -1;
    per = strstr(copy, " per ");
    if (per == NULL)
        return gl_fail(err, GL_E_UNIT_MISSING,
                       "\"%s\" says no period; write it as in 50 kg per month", text);
    *per = '\0';
    if (gl_amount_read(copy, &amount, err) != 0 || gl_period_read(per + 5, &period, err) != 0)
        return -1;
    if (is_money(copy, &number, &length))
        out->limit.u_usd = amount.u_usd;
    else
        out->limit.ug = amount.ug;
    out->period = period;
    memcpy(out_tag, tag, sizeof tag);
    return 0;
}
