/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/facts.h"

#include <stdio.h>
#include <string.h>

const struct gl_offer_type gl_offer_type_unknown = {.name = "", .power_source = ""};

struct gl_offer_place gl_offer_place_in(const struct gl_zone_facts *zone)
{
    return (struct gl_offer_place){.cloud = "",
                                   .region = "",
                                   .country = "",
                                   .pue = 1,
                                   .mapping = GL_MAP_USER,
                                   .zone_count = zone != NULL,
                                   .zones = {zone}};
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *const gl_quantity_words[] = {"carbon_intensity", "renewable_share", "carbon_free_share",
                                         NULL};
const char *const gl_rate_words[] = {"average", "short_run_marginal", "long_run_marginal", NULL};
const char *const gl_boundary_words[] = {"na", "direct", "lifecycle", NULL};
const char *const gl_gases_words[] = {"na", "co2", "co2e", NULL};
const char *const gl_trace_words[] = {"production", "consumption_flow_traced",
                                      "consumption_fixed_imports", "share_of_load", NULL};
const char *const gl_accounting_words[] = {"location", "market", "residual", NULL};
const char *const gl_matching_words[] = {"none", "annual", "monthly", "hourly", NULL};
const char *const gl_evidence_words[] = {
    "measured",       "preliminary", "estimated",      "forecast", "historic_average",
    "annual_average", "substitute",  "provider_claim", NULL,
};
const char *const gl_mapping_words[] = {"agreed",   "city", "single_source",
                                        "disputed", "user", NULL};

/* `count` includes the NULL at the end; a value outside the enum is never an index. */
static const char *word_at(const char *const *words, size_t count, unsigned value)
{
    return value < count - 1 ? words[value] : "unknown";
}

const char *gl_quantity_word(enum gl_quantity quantity)
{
    return word_at(gl_quantity_words, COUNT(gl_quantity_words), (unsigned)quantity);
}

const char *gl_rate_word(enum gl_rate rate)
{
    return word_at(gl_rate_words, COUNT(gl_rate_words), (unsigned)rate);
}

const char *gl_boundary_word(enum gl_boundary boundary)
{
    return word_at(gl_boundary_words, COUNT(gl_boundary_words), (unsigned)boundary);
}

const char *gl_gases_word(enum gl_gases gases)
{
    return word_at(gl_gases_words, COUNT(gl_gases_words), (unsigned)gases);
}

const char *gl_trace_word(enum gl_trace trace)
{
    return word_at(gl_trace_words, COUNT(gl_trace_words), (unsigned)trace);
}

const char *gl_accounting_word(enum gl_accounting accounting)
{
    return word_at(gl_accounting_words, COUNT(gl_accounting_words), (unsigned)accounting);
}

const char *gl_matching_word(enum gl_matching matching)
{
    return word_at(gl_matching_words, COUNT(gl_matching_words), (unsigned)matching);
}

const char *gl_evidence_word(enum gl_evidence evidence)
{
    return word_at(gl_evidence_words, COUNT(gl_evidence_words), (unsigned)evidence);
}

const char *gl_mapping_word(enum gl_mapping mapping)
{
    return word_at(gl_mapping_words, COUNT(gl_mapping_words), (unsigned)mapping);
}

char gl_grade_letter(enum gl_grade grade)
{
    return (unsigned)grade <= GL_GRADE_E ? (char)('A' + (int)grade) : '?';
}

enum gl_grade gl_grade_of_evidence(enum gl_evidence evidence)
{
    switch (evidence) {
    case GL_MEASURED:
        return GL_GRADE_A;
    case GL_PRELIMINARY:
    case GL_ESTIMATED:
        return GL_GRADE_B;
    case GL_FORECAST:
        return GL_GRADE_C;
    case GL_HISTORIC_AVERAGE:
    case GL_ANNUAL_AVERAGE:
        return GL_GRADE_D;
    case GL_SUBSTITUTE:
    case GL_PROVIDER_CLAIM:
        break;
    }
    return GL_GRADE_E;
}

static int differs(struct gl_error *err, const char *field, const char *a, const char *b)
{
    return gl_fail(err, GL_E_MEANING, "%s differs: %s and %s", field, a, b);
}

/* Bits of gl_share_of as "solar+wind+hydro"; the longest list has 66 bytes. */
static const char *share_of_text(uint32_t share_of, char out[96])
{
    static const char *const names[] = {"solar", "wind",   "hydro",   "geothermal", "biomass",
                                        "waste", "marine", "nuclear", "storage"};
    size_t length = 0;

    if (share_of == 0)
        return "not stated";
    out[0] = '\0';
    for (size_t i = 0; i < COUNT(names); i++)
        if (share_of & (1U << i))
            length +=
                (size_t)snprintf(out + length, 96 - length, "%s%s", length ? "+" : "", names[i]);
    return out;
}

static int shares_differ(struct gl_error *err, uint32_t a, uint32_t b)
{
    char a_text[96], b_text[96];

    return differs(err, "share_of", share_of_text(a, a_text), share_of_text(b, b_text));
}

int gl_meaning_join(const struct gl_meaning *a, const struct gl_meaning *b, struct gl_error *err)
{
    if (a->quantity != b->quantity)
        return differs(err, "quantity", gl_quantity_word(a->quantity),
                       gl_quantity_word(b->quantity));
    if (a->rate != b->rate)
        return differs(err, "rate", gl_rate_word(a->rate), gl_rate_word(b->rate));
    if (a->boundary != b->boundary)
        return differs(err, "boundary", gl_boundary_word(a->boundary),
                       gl_boundary_word(b->boundary));
    if (a->gases != b->gases)
        return differs(err, "gases", gl_gases_word(a->gases), gl_gases_word(b->gases));
    if (a->trace != b->trace)
        return differs(err, "trace", gl_trace_word(a->trace), gl_trace_word(b->trace));
    if (a->accounting != b->accounting)
        return differs(err, "accounting", gl_accounting_word(a->accounting),
                       gl_accounting_word(b->accounting));
    if (a->matching != b->matching)
        return differs(err, "matching", gl_matching_word(a->matching),
                       gl_matching_word(b->matching));
    if (a->share_of != b->share_of)
        return shares_differ(err, a->share_of, b->share_of);
    if (strncmp(a->factor_set, b->factor_set, sizeof a->factor_set) != 0)
        return gl_fail(err, GL_E_MEANING, "factor_set differs: \"%.24s\" and \"%.24s\"",
                       a->factor_set, b->factor_set);
    return 0;
}
