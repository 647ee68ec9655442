/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/value.h"

#include "base/unit.h"
#include "policy/judge.h"

#include <stdio.h>
#include <string.h>

#define MILLION INT64_C(1000000)

const char *gl_value_text(const struct gl_reader *reader, const char *name,
                          const struct gl_node *node, size_t limit)
{
    const struct gl_source *source = &reader->source;

    if (node->kind != GL_NODE_SCALAR)
        gl_diagnose(source, &node->mark, GL_E_BAD_VALUE, "%s takes one value, not a %s", name,
                    node->kind == GL_NODE_LIST ? "list" : "map");
    else if (node->text[strspn(node->text, " \t\n")] == '\0')
        gl_diagnose(source, node->key != NULL ? &node->key_mark : &node->mark, GL_E_BAD_VALUE,
                    "%s has no value", name);
    else if (strlen(node->text) > limit)
        gl_diagnose(source, &node->mark, GL_E_TOO_LARGE, "%s is longer than %zu bytes", name,
                    limit);
    else
        return node->text;
    return NULL;
}

/* Why a text is no pattern, NULL when it is one. */
static const char *reason_of_glob(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == ',')
            return "has a comma; write a list, as in [a, b]";
        if (*at == '[' || *at == ']' || *at == '{' || *at == '}')
            return "has a bracket; only * and ? are patterns";
        if (*at <= ' ' || *at > '~')
            return "has a space or a character outside ASCII";
    }
    return NULL;
}

static const char *read_glob(const struct gl_reader *reader, const char *name,
                             const struct gl_node *node)
{
    char shown[GL_TEXT_SHOWN];
    const char *text = gl_value_text(reader, name, node, GL_GLOB_MAX);
    const char *reason = text != NULL ? reason_of_glob(text) : NULL;

    if (reason == NULL)
        return text;
    gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE, "%s: \"%s\" %s", name,
                gl_text_show(text, shown), reason);
    return NULL;
}

static const char *read_address(const struct gl_reader *reader, const char *name,
                                const struct gl_node *node)
{
    const char *text = gl_value_text(reader, name, node, GL_ADDRESS_MAX);

    if (text == NULL || strpbrk(text, "\n\t") == NULL)
        return text;
    gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE, "%s: an address is one line", name);
    return NULL;
}

typedef const char *read_pattern(const struct gl_reader *reader, const char *name,
                                 const struct gl_node *node);

static const char *const *read_patterns(const struct gl_reader *reader, const char *name,
                                        const struct gl_node *node, read_pattern *read)
{
    bool is_list = node->kind == GL_NODE_LIST;
    const struct gl_node *item = is_list ? node->first : node;
    size_t count = is_list ? node->count : 1;
    const char **globs = gl_arena_take(reader->arena, (count + 1) * sizeof *globs);
    bool is_good = count > 0;

    if (count == 0)
        gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE, "%s is an empty list", name);
    for (size_t i = 0; i < count; i++) {
        const char *glob = read(reader, name, item);

        if (glob != NULL)
            globs[i] = gl_arena_text(reader->arena, glob, strlen(glob));
        is_good = is_good && glob != NULL;
        item = is_list ? item->next : NULL;
    }
    return is_good ? globs : NULL;
}

const char *const *gl_value_globs(const struct gl_reader *reader, const char *name,
                                  const struct gl_node *node)
{
    return read_patterns(reader, name, node, read_glob);
}

const char *const *gl_value_addresses(const struct gl_reader *reader, const char *name,
                                      const struct gl_node *node)
{
    return read_patterns(reader, name, node, read_address);
}

/* "a, b or c" of the words that are not empty. */
static void list_words(const char *const *words, struct gl_str *out)
{
    for (; *words != NULL; words++) {
        if (**words == '\0')
            continue;
        if (out->length > 0)
            gl_str_add(out, words[1] != NULL ? ", " : " or ");
        gl_str_add(out, *words);
    }
}

int gl_value_word(const struct gl_reader *reader, const char *name, const struct gl_node *node,
                  const char *const *words)
{
    GL_AUTO(gl_str_done) struct gl_str list = {0};
    char shown[GL_TEXT_SHOWN];
    const char *text = gl_value_text(reader, name, node, GL_TEXT_MAX);

    if (text == NULL)
        return -1;
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    list_words(words, &list);
    return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE, "%s is %s, not \"%s\"", name,
                       gl_str_text(&list), gl_text_show(text, shown));
}

static bool is_bare_number(const char *text)
{
    return text[0] != '\0' && text[strspn(text, "0123456789._ ")] == '\0';
}

/* What follows the number in the key's example: " gCO2e/kWh", "%", "h". */
static const char *unit_of_example(const struct gl_key *key)
{
    return key->example + strspn(key->example, "0123456789.");
}

/* A bare number with its unit. A share of at most 1 was meant as a ratio: 0.8 becomes 80%. */
static void mend(const struct gl_key *key, const char *text, char *out, size_t size)
{
    char percent[GL_TEXT_SHOWN + 1];
    struct gl_error err = {0};
    int64_t ppm;

    snprintf(percent, sizeof percent, "%s%%", text);
    if (key->dim == GL_DIM_SHARE && gl_quantity_parse(GL_DIM_SHARE, percent, &ppm, &err) == 0 &&
        ppm <= MILLION / 100) {
        int whole = (int)(ppm / 100), rest = (int)(ppm % 100);

        snprintf(out, size, rest != 0 ? "%d.%02d%%" : "%d%%", whole, rest);
        return;
    }
    snprintf(out, size, "%s%s", text, unit_of_example(key));
}

/* Pass on what base/unit.h says, with the key and, for a bare number, the mended value. */
static int fail_value(const struct gl_reader *reader, const struct gl_key *key,
                      const struct gl_node *node, const struct gl_error *why)
{
    char shown[GL_TEXT_SHOWN], mended[GL_TEXT_SHOWN * 2];

    gl_text_show(node->text, shown);
    if (why->code == GL_E_UNIT_MISSING && is_bare_number(node->text)) {
        mend(key, shown, mended, sizeof mended);
        return gl_diagnose(&reader->source, &node->mark, why->code,
                           "unit missing in \"%s: %s\": write the unit, as in %s", key->name, shown,
                           mended);
    }
    return gl_diagnose(&reader->source, &node->mark, why->code, "%s: %s", key->name, why->text);
}

/* A limit that every grid keeps is a slip of the unit, mostly by a thousand (kg for g, kWh for
 * MWh).
 */
static int fail_intensity(const struct gl_reader *reader, const struct gl_key *key,
                          const struct gl_node *node, int64_t written_u)
{
    char shown[GL_TEXT_SHOWN], meant[GL_QUANTITY_TEXT], most[GL_QUANTITY_TEXT];
    int64_t meant_u = written_u;

    while (meant_u > GL_WORST_INTENSITY_U)
        meant_u /= 1000;
    gl_number_text((double)meant_u / (double)MILLION, meant);
    gl_number_text((double)GL_WORST_INTENSITY_U / (double)MILLION, most);
    return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                       "%s: no grid emits more than %s gCO2e/kWh, so \"%s\" would allow all; did "
                       "you mean %s gCO2e/kWh?",
                       key->name, most, gl_text_show(node->text, shown), meant);
}

static int read_quantity(const struct gl_reader *reader, const struct gl_key *key,
                         const struct gl_node *node, int64_t *out)
{
    struct gl_error err = {0};

    if (gl_quantity_parse((enum gl_dimension)key->dim, node->text, out, &err))
        return fail_value(reader, key, node, &err);
    if (key->dim == GL_DIM_SHARE && *out > MILLION)
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                           "%s: a share is at most 100%%", key->name);
    if (key->dim == GL_DIM_INTENSITY && *out > GL_WORST_INTENSITY_U)
        return fail_intensity(reader, key, node, *out);
    if (key->dim == GL_DIM_COUNT && *out % MILLION != 0)
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                           "%s: a count is a whole number", key->name);
    return 0;
}

static int read_span(const struct gl_reader *reader, const struct gl_key *key,
                     const struct gl_node *node, int64_t *out)
{
    struct gl_error err = {0};
    struct gl_span span;

    if (gl_span_parse(node->text, &span, &err))
        return fail_value(reader, key, node, &err);
    *out = span.s;
    return 0;
}

/* ISO 3166-1 alpha-2 as of 2024, and XK, which is not in it and is what Kosovo goes by. */
static const char countries[] =
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ "
    "BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM "
    "DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS "
    "GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN "
    "KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ "
    "MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM "
    "PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV "
    "SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI "
    "VN VU WF WS XK YE YT ZA ZM ZW ";

static bool is_country(const char *text)
{
    const char *found = strlen(text) == 2 ? strstr(countries, text) : NULL;

    return found != NULL && found[2] == ' ';
}

/* Countries are compared letter by letter: a name, "uk" or a slip of the pen would never match, and
 * what not_countries was to keep out would come in. */
static int check_countries(const struct gl_reader *reader, const struct gl_key *key,
                           const struct gl_node *node, const char *const *globs)
{
    const struct gl_node *item = node->kind == GL_NODE_LIST ? node->first : node;
    char shown[GL_TEXT_SHOWN];
    int result = 0;

    for (; *globs != NULL; globs++, item = item->next)
        if (!is_country(*globs))
            result = gl_diagnose(&reader->source, &item->mark, GL_E_BAD_VALUE,
                                 "%s: \"%s\" is no country code; write two capital letters of "
                                 "ISO 3166, as in NO or GB",
                                 key->name, gl_text_show(*globs, shown));
    return result;
}

/* As written, a list as "[a, b]". */
static const char *written_of(const struct gl_reader *reader, const struct gl_constraint *made,
                              const struct gl_node *node)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    if (made->globs == NULL)
        return gl_arena_text(reader->arena, node->text, strlen(node->text));
    for (size_t i = 0; made->globs[i] != NULL; i++)
        gl_str_addf(&text, "%s%s", i > 0 ? ", " : "[", made->globs[i]);
    gl_str_add_char(&text, ']');
    return gl_arena_text(reader->arena, text.text, text.length);
}

static int read_globs(const struct gl_reader *reader, const struct gl_key *key,
                      const struct gl_node *node, struct gl_constraint *made)
{
    made->globs = gl_value_globs(reader, key->name, node);
    if (made->globs == NULL)
        return -1;
    if (key->id == GL_KEY_COUNTRIES || key->id == GL_KEY_NOT_COUNTRIES)
        return check_countries(reader, key, node, made->globs);
    return 0;
}

static int read_word(const struct gl_reader *reader, const struct gl_key *key,
                     const struct gl_node *node, int64_t *out)
{
    static const char *const truth[] = {"false", "true", NULL};

    *out = gl_value_word(reader, key->name, node, key->words != NULL ? key->words : truth);
    return *out < 0 ? -1 : 0;
}

int gl_value_read(const struct gl_reader *reader, const struct gl_key *key,
                  const struct gl_node *node, struct gl_constraint *out)
{
    struct gl_constraint made = {.key = key, .pos = gl_pos_of(&reader->source, &node->mark)};
    int result;

    if (key->kind != GL_KIND_GLOBS && gl_value_text(reader, key->name, node, GL_TEXT_MAX) == NULL)
        return -1;
    if (key->kind == GL_KIND_GLOBS)
        result = read_globs(reader, key, node, &made);
    else if (key->kind == GL_KIND_SPAN)
        result = read_span(reader, key, node, &made.number);
    else if (key->kind == GL_KIND_WORD || key->kind == GL_KIND_BOOL)
        result = read_word(reader, key, node, &made.number);
    else
        result = read_quantity(reader, key, node, &made.number);
    if (result)
        return -1;
    made.written = written_of(reader, &made, node);
    *out = made;
    return 0;
}

/* Does `wide` match everything that `narrow` matches? May say no where the answer is yes ("?" and
 * unions are not worked out), never the reverse: a star is taken up by a star only. */
static bool is_covered(const char *narrow, const char *wide)
{
    const char *star = NULL;
    const char *retry = NULL;

    while (*narrow != '\0') {
        if (*wide == '*') {
            star = ++wide;
            retry = narrow;
        } else if ((*wide == '?' && *narrow != '*') || (*wide == *narrow && *wide != '*')) {
            wide++;
            narrow++;
        } else if (star != NULL) {
            wide = star;
            narrow = ++retry;
        } else {
            return false;
        }
    }
    while (*wide == '*')
        wide++;
    return *wide == '\0';
}

static bool is_each_covered(const char *const *narrow, const char *const *wide)
{
    for (; *narrow != NULL; narrow++) {
        const char *const *cover = wide;

        while (*cover != NULL && !is_covered(*narrow, *cover))
            cover++;
        if (*cover == NULL)
            return false;
    }
    return true;
}

bool gl_value_is_as_tight(const struct gl_constraint *now, const struct gl_constraint *was)
{
    switch (now->key->direction) {
    case GL_TIGHTER_DOWN:
        return now->number <= was->number;
    case GL_TIGHTER_UP:
        return now->number >= was->number;
    case GL_TIGHTER_SUBSET:
        return is_each_covered(now->globs, was->globs);
    case GL_TIGHTER_SUPERSET:
        return is_each_covered(was->globs, now->globs);
    case GL_TIGHTER_FIXED:
        break;
    }
    return now->number == was->number;
}

char *gl_value_standard_text(const struct gl_key *key, char out[GL_VALUE_TEXT])
{
    if (key->words != NULL)
        snprintf(out, GL_VALUE_TEXT, "%s", key->words[key->standard]);
    else if (key->kind == GL_KIND_BOOL)
        snprintf(out, GL_VALUE_TEXT, "%s", key->standard ? "true" : "false");
    else
        gl_span_text((struct gl_span){key->standard}, out);
    return out;
}
