/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/policy/case.h"

static void words_end_and_match_their_enum(void **state)
{
    (void)state;
    assert_string_equal(gl_quantity_word(GL_CARBON_FREE_SHARE), "carbon_free_share");
    assert_null(gl_quantity_words[GL_QUANTITIES]);
    assert_string_equal(gl_rate_word(GL_LONG_RUN_MARGINAL), "long_run_marginal");
    assert_null(gl_rate_words[GL_LONG_RUN_MARGINAL + 1]);
    assert_string_equal(gl_boundary_word(GL_LIFECYCLE), "lifecycle");
    assert_null(gl_boundary_words[GL_LIFECYCLE + 1]);
    assert_string_equal(gl_gases_word(GL_CO2E), "co2e");
    assert_null(gl_gases_words[GL_CO2E + 1]);
    assert_string_equal(gl_trace_word(GL_SHARE_OF_LOAD), "share_of_load");
    assert_null(gl_trace_words[GL_SHARE_OF_LOAD + 1]);
    assert_string_equal(gl_accounting_word(GL_RESIDUAL), "residual");
    assert_null(gl_accounting_words[GL_RESIDUAL + 1]);
    assert_string_equal(gl_matching_word(GL_MATCH_HOURLY), "hourly");
    assert_null(gl_matching_words[GL_MATCH_HOURLY + 1]);
    assert_string_equal(gl_evidence_word(GL_PROVIDER_CLAIM), "provider_claim");
    assert_null(gl_evidence_words[GL_PROVIDER_CLAIM + 1]);
    assert_string_equal(gl_mapping_word(GL_MAP_DISPUTED), "disputed");
    assert_null(gl_mapping_words[GL_MAP_USER + 1]);
}

static void a_value_outside_the_enum_is_unknown(void **state)
{
    (void)state;
    assert_string_equal(gl_quantity_word((enum gl_quantity)99), "unknown");
    assert_string_equal(gl_evidence_word((enum gl_evidence)(-1)), "unknown");
    assert_int_equal(gl_grade_letter((enum gl_grade)5), '?');
}

static void grades_follow_evidence(void **state)
{
    static const struct {
        enum gl_evidence evidence;
        char letter;
    } rows[] = {
        {GL_MEASURED, 'A'},   {GL_PRELIMINARY, 'B'},      {GL_ESTIMATED, 'B'},
        {GL_FORECAST, 'C'},   {GL_HISTORIC_AVERAGE, 'D'}, {GL_ANNUAL_AVERAGE, 'D'},
        {GL_SUBSTITUTE, 'E'}, {GL_PROVIDER_CLAIM, 'E'},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(gl_grade_letter(gl_grade_of_evidence(rows[i].evidence)), rows[i].letter);
    assert_int_equal(gl_grade_of_evidence((enum gl_evidence)77), GL_GRADE_E);
}

static void joins_refuse(const struct gl_meaning *a, const struct gl_meaning *b, const char *text)
{
    struct gl_error err = {0};

    assert_int_equal(gl_meaning_join(a, b, &err), -1);
    assert_int_equal(err.code, GL_E_MEANING);
    assert_string_equal(err.text, text);
}

static void equal_meanings_join(void **state)
{
    struct gl_meaning a = case_meaning(GL_INTENSITY), b = a;
    struct gl_error err = {0};

    (void)state;
    strcpy(a.factor_set, "IPCC2014");
    strcpy(b.factor_set, "IPCC2014");
    assert_int_equal(gl_meaning_join(&a, &b, &err), 0);
    assert_int_equal(err.code, GL_OK);
}

static void the_first_differing_field_is_named(void **state)
{
    const struct gl_meaning a = case_meaning(GL_RENEWABLE_SHARE);
    struct gl_meaning b = a;

    (void)state;
    strcpy(b.factor_set, "NESO");
    joins_refuse(&a, &b, "factor_set differs: \"\" and \"NESO\"");
    b.share_of = 0;
    joins_refuse(&a, &b, "share_of differs: solar+wind+hydro+biomass and not stated");
    b.matching = GL_MATCH_HOURLY;
    joins_refuse(&a, &b, "matching differs: none and hourly");
    b.accounting = GL_MARKET;
    joins_refuse(&a, &b, "accounting differs: location and market");
    b.trace = GL_PRODUCTION;
    joins_refuse(&a, &b, "trace differs: consumption_flow_traced and production");
    b.gases = GL_CO2;
    joins_refuse(&a, &b, "gases differs: na and co2");
    b.boundary = GL_DIRECT;
    joins_refuse(&a, &b, "boundary differs: na and direct");
    b.rate = GL_SHORT_RUN_MARGINAL;
    joins_refuse(&a, &b, "rate differs: average and short_run_marginal");
    b.quantity = GL_INTENSITY;
    joins_refuse(&a, &b, "quantity differs: renewable_share and carbon_intensity");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_end_and_match_their_enum),
        cmocka_unit_test(a_value_outside_the_enum_is_unknown),
        cmocka_unit_test(grades_follow_evidence),
        cmocka_unit_test(equal_meanings_join),
        cmocka_unit_test(the_first_differing_field_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
