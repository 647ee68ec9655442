/* SPDX-License-Identifier: Apache-2.0 */
#include "base/unit.h"

#include "base/str.h"
#include "base/unit_part.h"

#include <stdio.h>
#include <string.h>

/* 18 digits times the largest scale below (1.1e18) stays inside 127 bits. */
__extension__ typedef __int128 wide;
#define DIGITS_MAX   INT64_C(999999999999999999)
#define FRACTION_MAX 18
#define SPAN_MAX_S   INT64_C(315576000) /* 10 years of 365.25 days */

static const struct scale masses[] = {
    {"mg", 1000, 1},
    {"g", INT64_C(1000000), 1},
    {"kg", INT64_C(1000000000), 1},
    {"t", INT64_C(1000000000000), 1},
    {"lb", INT64_C(453592370), 1}, /* avoirdupois pound, 0.45359237 kg exactly */
    {NULL, 0, 0},
};

static const struct scale energies[] = {
    {"mWh", 1000, 1},
    {"Wh", INT64_C(1000000), 1},
    {"kWh", INT64_C(1000000000), 1},
    {"MWh", INT64_C(1000000000000), 1},
    {"GWh", INT64_C(1000000000000000), 1},
    {"J", INT64_C(1000000), 3600},
    {"kJ", INT64_C(1000000000), 3600},
    {"MJ", INT64_C(1000000000000), 3600},
    {NULL, 0, 0},
};

static const struct scale powers[] = {
    {"W", INT64_C(1000000), 1},
    {"kW", INT64_C(1000000000), 1},
    {"MW", INT64_C(1000000000000), 1},
    {NULL, 0, 0},
};

static const struct scale shares[] = {{"%", 10000, 1}, {NULL, 0, 0}};
static const struct scale moneys[] = {{"USD", 1000000, 1}, {NULL, 0, 0}};

static const struct scale sizes[] = {
    {"B", INT64_C(1000000), 1},
    {"kB", INT64_C(1000000000), 1},
    {"MB", INT64_C(1000000000000), 1},
    {"GB", INT64_C(1000000000000000), 1},
    {"TB", INT64_C(1000000000000000000), 1},
    {"KiB", INT64_C(1000000) << 10, 1},
    {"MiB", INT64_C(1000000) << 20, 1},
    {"GiB", INT64_C(1000000) << 30, 1},
    {"TiB", INT64_C(1000000) << 40, 1},
    {NULL, 0, 0},
};

/* What follows the slash: a divisor, so the fractions are of 1 kWh and of 1 h. */
static const struct scale per_energy[] = {
    {"kWh", 1, 1}, {"MWh", 1, 1000}, {"GWh", 1, 1000000}, {NULL, 0, 0}};
static const struct scale per_time[] = {
    {"h", 1, 1},      {"hour", 1, 1},      {"d", 1, 24},      {"day", 1, 24}, {"w", 1, 168},
    {"week", 1, 168}, {"month", 10, 7305}, {"year", 1, 8766}, {NULL, 0, 0},
};

/* Seconds; longest first, the order in which a sum is written. */
static const struct scale spans[] = {{"w", 604800, 1}, {"d", 86400, 1}, {"h", 3600, 1},
                                     {"min", 60, 1},   {"s", 1, 1},     {NULL, 0, 0}};

/* The patterns are in the subset that POSIX extended and ECMAScript expressions share. */
#define DIGITS "[0-9]+(_[0-9]+)*"
#define NUMBER DIGITS "(\\." DIGITS ")?"
#define CARBON "( *CO(2|\xe2\x82\x82)(e|eq)?)?"
#define PER    "( */ *| +per +)"
#define PERIOD "(h|hour|d|day|w|week|month|year)"

static const struct dimension dimensions[GL_DIM_COUNT_KINDS] = {
    [GL_DIM_INTENSITY] = {{GL_DIM_INTENSITY, "intensity",
                           "gCO2e/kWh, kgCO2e/MWh, tCO2e/MWh, g/kWh, lb/MWh", "100 gCO2e/kWh",
                           "^" NUMBER " *(mg|g|kg|t|lb)" CARBON PER "(kWh|MWh|GWh)$"},
                          masses,
                          per_energy,
                          true},
    [GL_DIM_MASS] = {{GL_DIM_MASS, "mass", "mg, g, kg, t, lb (with or without CO2e)", "5 kgCO2e",
                      "^" NUMBER " *(mg|g|kg|t|lb)" CARBON "$"},
                     masses,
                     NULL,
                     true},
    [GL_DIM_ENERGY] = {{GL_DIM_ENERGY, "energy", "mWh, Wh, kWh, MWh, GWh, J, kJ, MJ", "2.5 kWh",
                        "^" NUMBER " *(mWh|Wh|kWh|MWh|GWh|J|kJ|MJ)$"},
                       energies,
                       NULL,
                       false},
    [GL_DIM_POWER] = {{GL_DIM_POWER, "power", "W, kW, MW", "300 W", "^" NUMBER " *(W|kW|MW)$"},
                      powers,
                      NULL,
                      false},
    [GL_DIM_MASS_RATE] = {{GL_DIM_MASS_RATE, "mass rate",
                           "mg, g, kg, t, lb per h, day, week, month, year", "50 kg per month",
                           "^" NUMBER " *(mg|g|kg|t|lb)" CARBON PER PERIOD "$"},
                          masses,
                          per_time,
                          true},
    [GL_DIM_DURATION] = {{GL_DIM_DURATION, "duration", "s, min, h, d, w, sums, ISO 8601", "1h30min",
                          "^(" NUMBER " *(w|d|h|min|s) *)+$|"
                          "^P([0-9_]+W)?([0-9_]+D)?(T([0-9_]+H)?([0-9_]+M)?([0-9_]+S)?)?$"},
                         spans,
                         NULL,
                         false},
    [GL_DIM_SHARE] = {{GL_DIM_SHARE, "share", "%", "80%", "^" NUMBER " *%$"}, shares, NULL, false},
    [GL_DIM_SIZE] = {{GL_DIM_SIZE, "size", "B, kB, MB, GB, TB, KiB, MiB, GiB, TiB", "16 GiB",
                      "^" NUMBER " *(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$"},
                     sizes,
                     NULL,
                     false},
    [GL_DIM_PRICE] = {{GL_DIM_PRICE, "price", "USD/h, USD per day, month or year", "0.40 USD/h",
                       "^(" NUMBER " *USD|\\$ *" NUMBER ")" PER PERIOD "$"},
                      moneys,
                      per_time,
                      false},
    [GL_DIM_COUNT] = {{GL_DIM_COUNT, "count", "none", "8", "^" NUMBER "$"}, NULL, NULL, false},
};

const struct gl_dimension_row *gl_dimension_row(enum gl_dimension dim)
{
    return (unsigned)dim < GL_DIM_COUNT_KINDS ? &dimensions[dim].row : NULL;
}

/* digits / 10^fraction */
struct number {
    int64_t digits;
    unsigned fraction;
    bool is_long;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_space(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

/* Digits, single underscores between them. */
static const char *read_digits(const char *at, struct number *number, bool is_fraction)
{
    while (is_digit(*at)) {
        if (number->digits > (DIGITS_MAX - 9) / 10 || number->fraction == FRACTION_MAX)
            number->is_long = true;
        else
            number->digits = number->digits * 10 + (*at - '0');
        number->fraction += is_fraction && !number->is_long;
        at++;
        at += *at == '_' && is_digit(at[1]);
    }
    return at;
}

/* Why what stands at `at` cannot begin a number. */
static const char *reason_of_start(char c)
{
    if (c == '-')
        return "may not be negative";
    if (c == '.')
        return "needs a digit before the point, as in 0.5";
    return "does not begin with a number";
}

/* Why a number may not go on with what stands at `at`; NULL when it may. */
static const char *reason_of_end(const char *at, const struct number *number)
{
    if (number->is_long)
        return "has too many digits";
    if (*at == ',')
        return "has a comma, which is ambiguous; write 1.5, or 1500 without a separator";
    if (*at == '.')
        return "needs digits on both sides of one point, as in 0.5";
    if (*at == '_')
        return "has an underscore that is not between digits";
    if ((*at == 'e' || *at == 'E') && (is_digit(at[1]) || at[1] == '-' || at[1] == '+'))
        return "has an exponent; write the number out";
    if (is_digit(*skip_space(at)))
        return "has a space between digits; write 1500 or 1_500";
    return NULL;
}

/* The number at *at; `all` is the whole text, for the message. */
static int read_number(const char **at, const char *all, struct number *out, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];
    struct number number = {0};
    const char *end = *at;
    const char *reason;

    if (!is_digit(*end))
        return gl_fail(err, GL_E_BAD_VALUE, "\"%s\" %s", gl_text_show(all, shown),
                       reason_of_start(*end));
    end = read_digits(end, &number, false);
    if (end[0] == '.' && is_digit(end[1]))
        end = read_digits(end + 1, &number, true);
    reason = reason_of_end(end, &number);
    if (reason != NULL)
        return gl_fail(err, GL_E_BAD_VALUE, "\"%s\" %s", gl_text_show(all, shown), reason);
    *at = end;
    *out = number;
    return 0;
}

/* A unit as written, in parts: "kg CO2e per month" is kg, carbon, month. */
struct unit_text {
    char head[WORD];
    char tail[WORD];
    bool has_carbon;
};

static bool is_word_byte(char c, bool is_first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '%' ||
           ((unsigned char)c & 0x80) != 0 || (!is_first && is_digit(c));
}

/* One word, a subscript two becoming 2; "" when there is none, cut when long (then unknown). */
static const char *read_word(const char *at, char out[WORD])
{
    size_t length = 0;

    while (is_word_byte(*at, length == 0)) {
        bool is_subscript = strncmp(at, "\xe2\x82\x82", 3) == 0;

        if (length + 1 < WORD)
            out[length++] = is_subscript ? '2' : *at;
        at += is_subscript ? 3 : 1;
    }
    out[length] = '\0';
    return skip_space(at);
}

/* Length of the carbon suffix of a word, 0 if it has none. */
static size_t carbon_suffix(const char *word)
{
    static const char *const suffixes[] = {"CO2e", "CO2eq", "CO2"};
    size_t length = strlen(word);

    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        size_t size = strlen(suffixes[i]);

        if (length >= size && strcmp(word + length - size, suffixes[i]) == 0)
            return size;
    }
    return 0;
}

/* Split a unit into its parts; -1 when something is left over. */
static int read_unit(const char *at, struct unit_text *out)
{
    char word[WORD] = "";
    size_t suffix;

    *out = (struct unit_text){0};
    at = read_word(at, out->head);
    suffix = carbon_suffix(out->head);
    out->head[strlen(out->head) - suffix] = '\0';
    out->has_carbon = suffix > 0;
    if (*at != '/')
        at = read_word(at, word);
    if (!out->has_carbon && word[0] != '\0' && carbon_suffix(word) == strlen(word)) {
        out->has_carbon = true;
        word[0] = '\0';
        if (*at != '/')
            at = read_word(at, word);
    }
    if (word[0] == '\0' && *at == '\0')
        return 0;
    if (word[0] != '\0' ? strcmp(word, "per") != 0 : *at != '/')
        return -1;
    at = read_word(word[0] == '\0' ? skip_space(at + 1) : at, out->tail);
    return out->tail[0] != '\0' && *at == '\0' ? 0 : -1;
}

static const struct scale *find_scale(const struct scale *scales, const char *name)
{
    for (const struct scale *scale = scales; scale && scale->name; scale++)
        if (strcmp(scale->name, name) == 0)
            return scale;
    return NULL;
}

/* A hint for words people write that could mean two things, NULL for other words. */
static const char *hint_of_word(const char *word)
{
    if (strcmp(word, "ton") == 0 || strcmp(word, "tons") == 0)
        return "which ton? write t (1000 kg) or lb";
    if (strcmp(word, "m") == 0)
        return "minute or month? write min (a month is no fixed length)";
    if (strcmp(word, "percent") == 0 || strcmp(word, "pct") == 0)
        return "did you mean \"%\"?";
    return NULL;
}

static int fail_unit(const struct dimension *dim, const char *unit, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN], nearest[WORD];
    struct unit_text parts;
    const char *hint;

    if (*unit == '\0')
        return gl_fail(err, GL_E_UNIT_MISSING, "write the unit, as in \"%s\"", dim->row.example);
    read_unit(unit, &parts);
    hint = hint_of_word(parts.head);
    hint = hint != NULL ? hint : hint_of_word(parts.tail);
    gl_text_show(unit, shown);
    if (hint != NULL)
        return gl_fail(err, GL_E_UNIT_MISSING, "unit \"%s\": %s", shown, hint);
    gl_unit_nearest(dim, unit, nearest);
    if (nearest[0] != '\0')
        return gl_fail(err, GL_E_UNIT_MISSING,
                       "\"%s\" is no unit of %s; did you mean \"%s\", as in \"%s\"? (%s)", shown,
                       dim->row.name, nearest, dim->row.example, dim->row.units);
    return gl_fail(err, GL_E_UNIT_MISSING, "\"%s\" is no unit of %s; write it as in \"%s\" (%s)",
                   shown, dim->row.name, dim->row.example, dim->row.units);
}

static wide power_of_ten(unsigned exponent)
{
    wide power = 1;

    while (exponent-- > 0)
        power *= 10;
    return power;
}

/* number * head * tail in millionths, rounded half up. */
static int scale_number(const struct number *number, const struct scale *head,
                        const struct scale *tail, int64_t *out, struct gl_error *err)
{
    wide num = (wide)number->digits * head->num * tail->num;
    wide den = power_of_ten(number->fraction) * head->den * tail->den;
    wide value = (num + den / 2) / den;

    if (value > INT64_MAX)
        return gl_fail(err, GL_E_BAD_VALUE, "the value is too large");
    *out = (int64_t)value;
    return 0;
}

/* The unit at `at` to its scales; *out_tail is 1 where the dimension has no tail. */
static int find_unit(const struct dimension *dim, const char *at, const struct scale **out_head,
                     const struct scale **out_tail, struct gl_error *err)
{
    static const struct scale one = {"", 1, 1};
    struct unit_text unit;
    bool is_shaped = read_unit(at, &unit) == 0;
    bool has_tail = unit.tail[0] != '\0';

    *out_head = find_scale(dim->heads, unit.head);
    *out_tail = dim->tails != NULL ? find_scale(dim->tails, unit.tail) : &one;
    if (!is_shaped || *out_head == NULL || *out_tail == NULL ||
        (unit.has_carbon && !dim->may_have_carbon) || has_tail != (dim->tails != NULL))
        return fail_unit(dim, at, err);
    return 0;
}

/* "$0.40/h": the currency stands before the number. Everything else before a slash is refused. */
static int parse_dollars(const struct dimension *dim, const char *text, int64_t *out,
                         struct gl_error *err)
{
    const char *at = skip_space(text + 1);
    const struct scale *head, *tail;
    struct number number;
    char unit[WORD + 8];

    if (read_number(&at, text, &number, err))
        return -1;
    at = skip_space(at);
    if (strlen(at) >= WORD)
        return fail_unit(dim, at, err);
    snprintf(unit, sizeof unit, "USD %s", at);
    if (find_unit(dim, *at != '\0' ? unit : at, &head, &tail, err))
        return -1;
    return scale_number(&number, head, tail, out, err);
}

static int parse_count(const struct number *number, const char *at, const char *text, int64_t *out,
                       struct gl_error *err)
{
    static const struct scale million = {"", 1000000, 1}, one = {"", 1, 1};
    char shown[GL_TEXT_SHOWN];

    if (*at != '\0')
        return gl_fail(err, GL_E_BAD_VALUE, "\"%s\" must be a plain number without a unit",
                       gl_text_show(text, shown));
    return scale_number(number, &million, &one, out, err);
}

static int parse_quantity(const struct dimension *dim, const char *text, int64_t *out,
                          struct gl_error *err)
{
    const char *at = skip_space(text);
    const struct scale *head, *tail;
    struct number number;

    if (*at == '$' && dim->row.dim == GL_DIM_PRICE)
        return parse_dollars(dim, at, out, err);
    if (read_number(&at, text, &number, err))
        return -1;
    at = skip_space(at);
    if (dim->heads == NULL)
        return parse_count(&number, at, text, out, err);
    if (find_unit(dim, at, &head, &tail, err))
        return -1;
    return scale_number(&number, head, tail, out, err);
}

int gl_quantity_parse(enum gl_dimension dim, const char *text, int64_t *out_millionths,
                      struct gl_error *err)
{
    struct gl_span span;

    if (gl_dimension_row(dim) == NULL)
        return gl_fail(err, GL_E_INTERNAL, "no dimension %d", (int)dim);
    if (dim != GL_DIM_DURATION)
        return parse_quantity(&dimensions[dim], text, out_millionths, err);
    if (gl_span_parse(text, &span, err))
        return -1;
    *out_millionths = span.s * 1000000;
    return 0;
}

/* Add one part of a sum; whole seconds only, never past the ceiling. */
static int add_span(const struct number *number, int64_t unit_s, wide *total, struct gl_error *err)
{
    wide den = power_of_ten(number->fraction);
    wide scaled = (wide)number->digits * unit_s;

    if (scaled % den != 0)
        return gl_fail(err, GL_E_BAD_VALUE, "a duration is a whole number of seconds");
    *total += scaled / den;
    if (*total > SPAN_MAX_S)
        return gl_fail(err, GL_E_BAD_VALUE, "a duration is at most 10 years");
    return 0;
}

/* "1h30min", "90 s": each unit once, longest first. */
static int parse_sum(const char *text, wide *out, struct gl_error *err)
{
    const struct dimension *dim = &dimensions[GL_DIM_DURATION];
    const struct scale *next = spans;
    const char *at = text;

    while (*at != '\0') {
        struct number number;
        const struct scale *scale;
        char word[WORD];
        size_t length = 0;

        if (read_number(&at, text, &number, err))
            return -1;
        at = skip_space(at);
        while (is_word_byte(at[length], true) && length + 1 < WORD)
            length++;
        memcpy(word, at, length);
        word[length] = '\0';
        scale = find_scale(spans, word);
        if (scale == NULL)
            return fail_unit(dim, length > 0 ? word : at, err);
        if (scale < next)
            return gl_fail(err, GL_E_BAD_VALUE, "write the longest unit first and each once");
        if (add_span(&number, scale->num, out, err))
            return -1;
        next = scale + 1;
        at = skip_space(at + length);
    }
    return 0;
}

/* The letters of an ISO 8601 duration in their order; T stands before the parts of a day. */
static const struct {
    char letter;
    bool is_of_day;
    int64_t s;
} iso_parts[] = {{'W', false, 604800}, {'D', false, 86400}, {'T', false, 0},
                 {'H', true, 3600},    {'M', true, 60},     {'S', true, 1}};
#define ISO_PARTS (sizeof iso_parts / sizeof iso_parts[0])

static size_t find_iso_part(char letter, size_t from)
{
    while (from < ISO_PARTS && iso_parts[from].letter != letter)
        from++;
    return from;
}

static int parse_iso(const char *text, wide *out, struct gl_error *err)
{
    const char *at = text + 1;
    size_t next = 0;
    bool has_mark = false; /* T was read */
    bool is_whole = false; /* a number was read since P or T */

    while (*at != '\0') {
        struct number number = {0};
        const char *end = read_digits(at, &number, false);
        size_t part = find_iso_part(*end, next);
        bool is_mark = *end == 'T';

        if (part == ISO_PARTS || number.is_long || (end == at) != is_mark ||
            (iso_parts[part].is_of_day && !has_mark))
            return gl_fail(err, GL_E_BAD_VALUE,
                           "not an ISO 8601 duration of weeks to seconds; write it as in PT4H");
        if (add_span(&number, iso_parts[part].s, out, err))
            return -1;
        has_mark = has_mark || is_mark;
        is_whole = !is_mark;
        next = part + 1;
        at = end + 1;
    }
    return is_whole ? 0 : gl_fail(err, GL_E_BAD_VALUE, "an empty duration; write it as in PT4H");
}

int gl_span_parse(const char *text, struct gl_span *out, struct gl_error *err)
{
    const char *at = skip_space(text);
    wide total_s = 0;

    if (*at == '\0')
        return gl_fail(err, GL_E_BAD_VALUE, "an empty duration; write it as in \"%s\"",
                       dimensions[GL_DIM_DURATION].row.example);
    if (*at == 'P' ? parse_iso(at, &total_s, err) : parse_sum(at, &total_s, err))
        return -1;
    if (total_s < 1)
        return gl_fail(err, GL_E_BAD_VALUE, "a duration is at least 1 s");
    out->s = (int64_t)total_s;
    return 0;
}

int gl_share_parse(const char *text, struct gl_share *out, struct gl_error *err)
{
    int64_t millionths;

    if (gl_quantity_parse(GL_DIM_SHARE, text, &millionths, err))
        return -1;
    out->ratio = (double)millionths / 1e6;
    return 0;
}
