/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"
#include "providers/signal/file_part.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define STEP_MAX_MINUTES 1440

/* clang-format off */
enum field {
    FROM, UNTIL, STEP, ZONE, QUANTITY, UNIT, VALUE, LOW, HIGH, EVIDENCE, RATE, BOUNDARY, GASES,
    TRACE, ACCOUNTING, MATCHING, SHARE_OF, FACTOR_SET, UPDATED, ISSUED, NOTE, FIELDS,
};

/* Columns of a CSV file and members of a JSON one (docs/signals.md). */
static const char *const field_names[] = {
    [FROM] = "from",         [UNTIL] = "until",       [STEP] = "step_minutes",
    [ZONE] = "zone",         [QUANTITY] = "quantity", [UNIT] = "unit",
    [VALUE] = "value",       [LOW] = "low",           [HIGH] = "high",
    [EVIDENCE] = "evidence", [RATE] = "rate",         [BOUNDARY] = "boundary",
    [GASES] = "gases",       [TRACE] = "trace",       [ACCOUNTING] = "accounting",
    [MATCHING] = "matching", [SHARE_OF] = "share_of", [FACTOR_SET] = "factor_set",
    [UPDATED] = "updated",   [ISSUED] = "issued",     [NOTE] = "note",
};

static const struct {
    const char *word;
    uint32_t bit;
} share_words[] = {
    {"solar", GL_OF_SOLAR},           {"wind", GL_OF_WIND},       {"hydro", GL_OF_HYDRO},
    {"geothermal", GL_OF_GEOTHERMAL}, {"biomass", GL_OF_BIOMASS}, {"waste", GL_OF_WASTE},
    {"marine", GL_OF_MARINE},         {"nuclear", GL_OF_NUCLEAR}, {"storage", GL_OF_STORAGE},
};
/* clang-format on */

void gl_file_row_init(struct gl_file_row *row, const char *zone)
{
    *row = (struct gl_file_row){
        .meaning = {.boundary = GL_DIRECT, .gases = GL_CO2E, .trace = GL_PRODUCTION},
        .issued_s = GL_UNKNOWN,
        .step_s = GL_UNKNOWN,
        .point = gl_signal_point(GL_UNKNOWN, GL_UNKNOWN, GL_ESTIMATED),
    };
    snprintf(row->zone, sizeof row->zone, "%s", zone);
}

static int fail_value(const char *name, const char *text, const char *wanted, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    return gl_fail(err, GL_E_BAD_VALUE, "%s: \"%s\" is not %s", name, gl_text_show(text, shown),
                   wanted);
}

/* Index of a word in its list, -1 with the nearest one named. */
static int word_index(const char *name, const char *text, const char *const *words,
                      struct gl_error *err)
{
    const char *nearest;
    size_t count = 0;
    char wanted[64];

    for (; words[count] != NULL; count++)
        if (strcmp(words[count], text) == 0)
            return (int)count;
    nearest = gl_text_nearest(text, words, count);
    snprintf(wanted, sizeof wanted, "known; %s %s", nearest ? "did you mean" : "one is",
             nearest ? nearest : words[0]);
    return fail_value(name, text, wanted, err);
}

static int set_time(const char *name, const char *text, int64_t *out, struct gl_error *err)
{
    struct gl_instant at;
    struct gl_error trouble = {0};

    if (gl_instant_parse(text, &at, &trouble))
        return fail_value(name, text, "a time with its zone, as in 2026-01-01T12:00Z", err);
    *out = at.unix_s;
    return 0;
}

static int set_text(const char *name, const char *text, char *out, size_t size,
                    struct gl_error *err)
{
    if (strlen(text) >= size)
        return fail_value(name, text, "short enough", err);
    memcpy(out, text, strlen(text) + 1);
    return 0;
}

static int set_zone(const char *text, struct gl_file_row *row, struct gl_error *err)
{
    if (!gl_signal_file.covers(text))
        return fail_value("zone", text, "a zone name, as in DE or US-CAL-CISO", err);
    return set_text("zone", text, row->zone, sizeof row->zone, err);
}

static int set_step(const char *text, struct gl_file_row *row, struct gl_error *err)
{
    int minutes = 0;

    for (const char *c = text; *c != '\0'; c++) {
        if (*c < '0' || *c > '9' || minutes > STEP_MAX_MINUTES)
            return fail_value("step_minutes", text, "a number from 1 to 1440", err);
        minutes = minutes * 10 + (*c - '0');
    }
    if (minutes < 1 || minutes > STEP_MAX_MINUTES)
        return fail_value("step_minutes", text, "a number from 1 to 1440", err);
    row->step_s = (int64_t)minutes * 60;
    return 0;
}

/* "solar+wind+hydro" */
static int set_share_of(const char *text, struct gl_file_row *row, struct gl_error *err)
{
    uint32_t bits = 0;

    for (const char *at = text; at != NULL;) {
        size_t length = strcspn(at, "+");
        uint32_t bit = 0;

        for (size_t i = 0; i < sizeof share_words / sizeof share_words[0]; i++)
            if (strlen(share_words[i].word) == length &&
                strncmp(share_words[i].word, at, length) == 0)
                bit = share_words[i].bit;
        if (bit == 0)
            return fail_value("share_of", text, "a sum such as solar+wind+hydro", err);
        bits |= bit;
        at = at[length] == '+' ? at + length + 1 : NULL;
    }
    row->meaning.share_of = bits;
    row->has_share_of = true;
    return 0;
}

/* A field whose text is one word of a list. */
static int set_word(enum field field, const char *text, struct gl_file_row *row,
                    struct gl_error *err)
{
    static const char *const *const lists[FIELDS] = {
        [QUANTITY] = gl_quantity_words,
        [EVIDENCE] = gl_evidence_words,
        [RATE] = gl_rate_words,
        [BOUNDARY] = gl_boundary_words,
        [GASES] = gl_gases_words,
        [TRACE] = gl_trace_words,
        [ACCOUNTING] = gl_accounting_words,
        [MATCHING] = gl_matching_words,
    };
    struct gl_meaning *meaning = &row->meaning;
    int index = word_index(field_names[field], text, lists[field], err);

    if (index < 0)
        return -1;
    switch (field) {
    case QUANTITY:
        meaning->quantity = (enum gl_quantity)index;
        break;
    case EVIDENCE:
        row->point.evidence = (enum gl_evidence)index;
        break;
    case RATE:
        meaning->rate = (enum gl_rate)index;
        break;
    case BOUNDARY:
        meaning->boundary = (enum gl_boundary)index;
        row->has_boundary = true;
        break;
    case GASES:
        meaning->gases = (enum gl_gases)index;
        row->has_gases = true;
        break;
    case TRACE:
        meaning->trace = (enum gl_trace)index;
        break;
    case ACCOUNTING:
        meaning->accounting = (enum gl_accounting)index;
        break;
    default:
        meaning->matching = (enum gl_matching)index;
        break;
    }
    return 0;
}

static int set_field(enum field field, const char *text, struct gl_file_row *row,
                     struct gl_error *err)
{
    const char *name = field_names[field];

    switch (field) {
    case FROM:
        return set_time(name, text, &row->point.from_s, err);
    case UNTIL:
        return set_time(name, text, &row->point.until_s, err);
    case UPDATED:
        return set_time(name, text, &row->point.updated_s, err);
    case ISSUED:
        return set_time(name, text, &row->issued_s, err);
    case STEP:
        return set_step(text, row, err);
    case ZONE:
        return set_zone(text, row, err);
    case SHARE_OF:
        return set_share_of(text, row, err);
    case UNIT:
        return set_text(name, text, row->unit, sizeof row->unit, err);
    case VALUE:
        return set_text(name, text, row->value, sizeof row->value, err);
    case LOW:
        return set_text(name, text, row->low, sizeof row->low, err);
    case HIGH:
        return set_text(name, text, row->high, sizeof row->high, err);
    case FACTOR_SET:
        return set_text(name, text, row->meaning.factor_set, sizeof row->meaning.factor_set, err);
    case NOTE:
        return 0;
    default:
        return set_word(field, text, row, err);
    }
}

int gl_file_row_set(struct gl_file_row *row, const char *name, const char *text,
                    struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];
    const char *nearest;

    for (int field = 0; field < FIELDS; field++)
        if (strcmp(field_names[field], name) == 0)
            return text[0] != '\0' ? set_field((enum field)field, text, row, err) : 0;
    nearest = gl_text_nearest(name, field_names, FIELDS);
    return gl_fail(err, GL_E_UNKNOWN_KEY, "\"%s\" is no field of a series%s%s",
                   gl_text_show(name, shown), nearest ? "; did you mean " : "",
                   nearest ? nearest : "");
}

/* Digits, and maybe a point and more digits: their counts. No sign, exponent or word. */
static bool is_decimal(const char *text, size_t *out_whole, size_t *out_fraction)
{
    static const char digits[] = "0123456789";
    size_t whole = strspn(text, digits);
    const char *end = text + whole;

    *out_whole = whole;
    *out_fraction = 0;
    if (whole == 0 || whole > 9)
        return false;
    if (*end == '.') {
        *out_fraction = strspn(end + 1, digits);
        end += 1 + *out_fraction;
        if (*out_fraction == 0)
            return false;
    }
    return *end == '\0';
}

/* A plain decimal in millionths, digits past the sixth cut; GL_UNKNOWN when nothing is said. */
static int decimal(const char *name, const char *text, int64_t *out, struct gl_error *err)
{
    size_t whole, fraction;
    int64_t micro = 0;

    *out = GL_UNKNOWN;
    if (text[0] == '\0' || strcmp(text, "NA") == 0 || strcmp(text, "null") == 0)
        return 0;
    if (!is_decimal(text, &whole, &fraction))
        return fail_value(name, text, "a plain number, 0 or more", err);
    for (size_t i = 0; i < whole; i++)
        micro = micro * 10 + (text[i] - '0');
    for (size_t i = 0; i < 6; i++)
        micro = micro * 10 + (i < fraction ? text[whole + 1 + i] - '0' : 0);
    *out = micro;
    return 0;
}

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

static int check_unit(struct gl_file_row *row, struct gl_error *err)
{
    static const char *const grams[] = {"g/kWh", "gCO2/kWh", "gCO2e/kWh", "gCO2eq/kWh", NULL};
    static const char *const percents[] = {"percent", "%", NULL};
    bool is_share = row->meaning.quantity != GL_INTENSITY;
    char shown[GL_TEXT_SHOWN];

    if (!is_one_of(row->unit, is_share ? percents : grams))
        return gl_fail(err, GL_E_UNIT_MISSING, "%s is written in %s%s%s",
                       gl_quantity_word(row->meaning.quantity), is_share ? "percent" : "g/kWh",
                       row->unit[0] ? ", not " : ": the unit is missing",
                       gl_text_show(row->unit, shown));
    if (strcmp(row->unit, "gCO2/kWh") == 0 && !row->has_gases)
        row->meaning.gases = GL_CO2;
    return 0;
}

/* "100 % renewable" by the balance of a year says nothing of an hour. */
static int check_matching(const struct gl_file_row *row, struct gl_error *err)
{
    enum gl_matching matching = row->meaning.matching;
    bool is_of_long = matching == GL_MATCH_ANNUAL || matching == GL_MATCH_MONTHLY;

    if (!is_of_long || gl_grade_of_evidence(row->point.evidence) >= GL_GRADE_D)
        return 0;
    return gl_fail(err, GL_E_BAD_VALUE,
                   "matching %s is the balance of a %s and no evidence of an hour: say evidence "
                   "annual_average, or matching none",
                   gl_matching_word(matching), matching == GL_MATCH_ANNUAL ? "year" : "month");
}

/* Shares have neither gases nor a boundary; intensities must have both. */
static int settle_meaning(struct gl_file_row *row, struct gl_error *err)
{
    struct gl_meaning *meaning = &row->meaning;

    if (meaning->quantity == GL_INTENSITY) {
        if (meaning->boundary == GL_BOUNDARY_NA || meaning->gases == GL_GASES_NA)
            return gl_fail(err, GL_E_BAD_VALUE, "an intensity has a boundary and gases");
        if (row->has_share_of)
            return gl_fail(err, GL_E_BAD_VALUE, "share_of belongs to shares only");
        return 0;
    }
    if ((row->has_boundary && meaning->boundary != GL_BOUNDARY_NA) ||
        (row->has_gases && meaning->gases != GL_GASES_NA))
        return gl_fail(err, GL_E_BAD_VALUE, "a share has neither boundary nor gases");
    meaning->boundary = GL_BOUNDARY_NA;
    meaning->gases = GL_GASES_NA;
    if (!row->has_share_of)
        meaning->share_of =
            GL_OF_RENEWABLE | (meaning->quantity == GL_CARBON_FREE_SHARE ? GL_OF_NUCLEAR : 0);
    if (meaning->quantity == GL_RENEWABLE_SHARE && (meaning->share_of & GL_OF_NUCLEAR) != 0)
        return gl_fail(err, GL_E_BAD_VALUE, "nuclear is carbon-free, not renewable");
    return 0;
}

static int check_meaning(struct gl_file_row *row, struct gl_error *err)
{
    return check_unit(row, err) != 0 || settle_meaning(row, err) != 0 ||
                   check_matching(row, err) != 0
               ? -1
               : 0;
}

int gl_file_row_finish(struct gl_file_row *row, struct gl_error *err)
{
    struct gl_point *point = &row->point;
    int64_t *const figures[] = {&point->value_u, &point->low_u, &point->high_u};

    if (point->from_s == GL_UNKNOWN)
        return gl_fail(err, GL_E_BAD_VALUE, "from: the time is missing");
    if (row->zone[0] == '\0')
        return gl_fail(err, GL_E_CONFIG, "no zone: add a zone column or configure one");
    if (check_meaning(row, err) != 0 || decimal("value", row->value, &point->value_u, err) ||
        decimal("low", row->low, &point->low_u, err) ||
        decimal("high", row->high, &point->high_u, err))
        return -1;
    for (size_t i = 0; row->meaning.quantity != GL_INTENSITY && i < 3; i++)
        if (*figures[i] != GL_UNKNOWN)
            *figures[i] /= 100; /* millionths of a percent to millionths */
    if (point->until_s == GL_UNKNOWN && row->step_s != GL_UNKNOWN)
        point->until_s = point->from_s + row->step_s;
    if (point->until_s != GL_UNKNOWN && point->until_s <= point->from_s)
        return gl_fail(err, GL_E_BAD_VALUE, "until: the interval ends before it begins");
    return 0;
}
