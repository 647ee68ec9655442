/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy.h"

#include "base/unit.h"
#include "policy/guard.h"

#include <string.h>

static const char *const grade_words[] = {"A", "B", "C", "D", "E", NULL};
/* Indexed by gl_boundary, without the word for "not applicable", which no policy may ask for. */
static const char *const boundary_words[] = {"", "direct", "lifecycle", NULL};

#define LIMIT(id, name, kind, dim, tighter, example, help)                                 \
    [GL_KEY_##id] = {GL_KEY_##id,          name,       GL_KIND_##kind, GL_DIM_##dim, NULL, \
                     GL_TIGHTER_##tighter, GL_UNKNOWN, help,           example}
/* A key that says how the limits of its rule are judged. */
#define HOW(id, name, kind, words, tighter, standard, example, help)                           \
    [GL_KEY_##id] = {                                                                          \
        GL_KEY_##id,    name,                                                                  \
        GL_KIND_##kind, GL_KIND_##kind == GL_KIND_SPAN ? GL_DIM_DURATION : GL_DIM_COUNT_KINDS, \
        words,          GL_TIGHTER_##tighter,                                                  \
        standard,       help,                                                                  \
        example}

/* clang-format off */
static const struct gl_key keys[GL_KEYS] = {
    LIMIT(MAX_INTENSITY, "max_intensity", QUANTITY, INTENSITY, DOWN, "100 gCO2e/kWh",
          "Highest carbon intensity of the grid, at any time of the run"),
    LIMIT(MIN_RENEWABLE, "min_renewable", QUANTITY, SHARE, UP, "80%",
          "Lowest share of renewable electricity, at any time of the run"),
    LIMIT(MIN_CARBON_FREE, "min_carbon_free", QUANTITY, SHARE, UP, "90%",
          "Lowest share of carbon-free electricity (renewable or nuclear), at any time of the run"),
    HOW(MIN_GRADE, "min_grade", WORD, grade_words, DOWN, GL_GRADE_C, "B",
        "Worst grade of evidence that counts; A is best"),
    HOW(MAX_DATA_AGE, "max_data_age", SPAN, NULL, DOWN, 3 * 3600, "2h",
        "Oldest live or forecast data that counts"),
    LIMIT(GREEN_FOR, "green_for", SPAN, DURATION, UP, "4h",
          "Time from the start for which the limits must hold, even if the run is shorter"),
    LIMIT(GREEN_BELOW, "green_below", QUANTITY, INTENSITY, DOWN, "80 gCO2e/kWh",
          "Highest carbon intensity of the grid during green_for"),
    LIMIT(CONFIDENCE, "confidence", QUANTITY, SHARE, UP, "95%",
          "Share of such promises that is kept in the long run; the limits must then be promised "
          "for the run, or for green_for, from past forecasts and what came of them"),
    HOW(ACCOUNTING, "accounting", WORD, gl_accounting_words, FIXED, GL_LOCATION, "location",
        "Whose electricity counts: the grid's, the contract's, or what contracts leave over"),
    HOW(RATE, "rate", WORD, gl_rate_words, FIXED, GL_AVERAGE, "average",
        "Average carbon intensity, or that of one more kWh"),
    HOW(BOUNDARY, "boundary", WORD, boundary_words, FIXED, GL_LIFECYCLE, "lifecycle",
        "Emissions of the whole life of a power plant, or of its stack alone"),
    HOW(BIOMASS, "biomass", BOOL, NULL, DOWN, 1, "false",
        "Whether biomass counts as renewable and as carbon-free"),
    HOW(ON_LAPSE, "on_lapse", WORD, gl_on_lapse_words, FIXED, GL_LAPSE_NOTIFY, "pause",
        "What the guard does before a promise lapses; what cannot be done falls to the milder"),
    LIMIT(REGIONS, "regions", GLOBS, COUNT_KINDS, SUBSET, "[eu-north-1, \"europe-north*\"]",
          "Regions that are allowed"),
    LIMIT(NOT_REGIONS, "not_regions", GLOBS, COUNT_KINDS, SUPERSET, "[\"us-east-*\"]",
          "Regions that are not allowed"),
    LIMIT(COUNTRIES, "countries", GLOBS, COUNT_KINDS, SUBSET, "[NO, SE]",
          "Countries that are allowed, by the two letters of ISO 3166"),
    LIMIT(NOT_COUNTRIES, "not_countries", GLOBS, COUNT_KINDS, SUPERSET, "[PL]",
          "Countries that are not allowed"),
    LIMIT(MIN_VCPUS, "min_vcpus", COUNT, COUNT, UP, "2", "Fewest virtual CPUs of one instance"),
    LIMIT(MAX_VCPUS, "max_vcpus", COUNT, COUNT, DOWN, "16", "Most virtual CPUs of one instance"),
    LIMIT(MAX_MEMORY, "max_memory", QUANTITY, SIZE, DOWN, "64 GiB", "Most memory of one instance"),
    LIMIT(MAX_COUNT, "max_count", COUNT, COUNT, DOWN, "4", "Most instances of one launch"),
    LIMIT(MAX_PRICE, "max_price", QUANTITY, PRICE, DOWN, "0.40 USD/h",
          "Highest price of one instance"),
    LIMIT(MAX_RATE, "max_rate", QUANTITY, MASS_RATE, DOWN, "50 gCO2e/h",
          "Most expected emissions of the launch per hour"),
    LIMIT(MAX_TOTAL, "max_total", QUANTITY, MASS, DOWN, "2 kgCO2e",
          "Most expected emissions of the whole launch"),
};
/* clang-format on */

const struct gl_key *gl_keys(size_t *out_count)
{
    *out_count = GL_KEYS;
    return keys;
}

const struct gl_key *gl_key_named(const char *name)
{
    for (size_t i = 0; i < GL_KEYS; i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

const struct gl_constraint *gl_rule_constraint(const struct gl_rule *rule, enum gl_key_id key)
{
    for (size_t i = 0; i < rule->count; i++)
        if (rule->constraints[i].key->id == key)
            return &rule->constraints[i];
    return NULL;
}

int64_t gl_rule_number(const struct gl_rule *rule, enum gl_key_id key)
{
    const struct gl_constraint *constraint = gl_rule_constraint(rule, key);

    return constraint != NULL ? constraint->number : keys[key].standard;
}
