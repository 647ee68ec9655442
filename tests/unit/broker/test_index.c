/* SPDX-License-Identifier: Apache-2.0 */
/* The index of providers: the grade, periods, and offers judged hour by hour over stored hours. */
#include "broker/index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "broker/render/index_csv.h"
#include "policy/guarantee/history.h"
#include "policy/policy.h"

/* ---- the grade ---- */

#define CELLS GL_DISCLOSURE_COLUMNS

static struct gl_disclosure_grade grade_of(const enum gl_disclosed values[CELLS])
{
    struct gl_disclosure_cell cells[CELLS] = {{0}};

    for (int c = 0; c < CELLS; c++)
        cells[c].value = values[c];
    return gl_disclosure_grade(cells);
}

static void grade_counts_yes_and_partly(void **state)
{
    static const struct {
        enum gl_disclosed values[CELLS];
        unsigned points, unknown;
        char letter;
    } rows[] = {
        {{3, 3, 3, 3, 3, 3}, 12, 0, 'A'}, {{3, 3, 3, 3, 3, 2}, 11, 0, 'A'},
        {{3, 3, 3, 3, 3, 1}, 10, 0, 'B'}, {{3, 3, 3, 3, 0, 0}, 8, 2, 'B'},
        {{3, 3, 3, 2, 0, 1}, 7, 1, 'C'},  {{3, 3, 2, 1, 1, 1}, 5, 0, 'C'},
        {{2, 2, 2, 2, 1, 1}, 4, 0, 'D'},  {{0, 0, 3, 0, 0, 0}, 2, 5, 'D'},
        {{1, 2, 1, 1, 1, 1}, 1, 0, 'E'},  {{1, 1, 1, 1, 1, 1}, 0, 0, 'E'},
        {{1, 0, 0, 0, 0, 0}, 0, 5, 'E'},  {{0, 0, 0, 0, 0, 0}, 0, 6, '?'},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_disclosure_grade grade = grade_of(rows[i].values);

        assert_int_equal(grade.points, rows[i].points);
        assert_int_equal(grade.unknown, rows[i].unknown);
        assert_int_equal(grade.letter, rows[i].letter);
    }
}

/* Of all 4,096 rows: unknown is worth what no is, and learning more never lowers the points. */
static void unknown_never_counts_as_yes(void **state)
{
    (void)state;
    for (unsigned code = 0; code < 4096; code++) {
        enum gl_disclosed values[CELLS], plain[CELLS];
        struct gl_disclosure_grade grade;

        for (int c = 0; c < CELLS; c++) {
            values[c] = (enum gl_disclosed)(code >> (2 * c) & 3);
            plain[c] = values[c] == GL_DISCLOSED_UNKNOWN ? GL_DISCLOSED_NO : values[c];
        }
        grade = grade_of(values);
        assert_int_equal(grade.points, grade_of(plain).points);
        for (int c = 0; c < CELLS; c++) {
            enum gl_disclosed was = values[c];

            for (int better = (int)was; better <= GL_DISCLOSED_YES; better++) {
                values[c] = (enum gl_disclosed)better;
                assert_true(grade_of(values).points >= grade.points);
            }
            values[c] = was;
        }
    }
}

/* ---- periods ---- */

static int64_t at(const char *text)
{
    struct gl_instant instant;
    struct gl_error err = {0};

    assert_int_equal(gl_instant_parse(text, &instant, &err), 0);
    return instant.unix_s;
}

static void check_periods(const char *from, size_t hours, enum gl_index_by by,
                          const char *const *labels, const size_t *counts)
{
    struct gl_index index = {.from = {at(from)}, .hour_count = hours};
    struct gl_index_period period;
    size_t first = 0, i = 0;

    for (; gl_index_period(&index, by, first, &period); first += period.count, i++) {
        assert_non_null(labels[i]);
        assert_string_equal(period.label, labels[i]);
        assert_int_equal(period.count, counts[i]);
        assert_int_equal(period.until.unix_s - period.from.unix_s, (int64_t)counts[i] * 3600);
    }
    assert_null(labels[i]);
    assert_int_equal(first, hours);
}

static void periods_are_cut_by_the_window(void **state)
{
    static const char *const hours[] = {"2026-05-31T23:00Z", "2026-06-01T00:00Z", NULL};
    static const char *const days[] = {"2026-05-31", "2026-06-01", "2026-06-02", NULL};
    static const char *const weeks[] = {"2026-W22", "2026-W23", NULL};
    static const char *const months[] = {"2026-05", "2026-06", NULL};
    static const char *const year_end[] = {"2026-W53", "2027-W01", NULL};
    static const char *const turn[] = {"2026-12", "2027-01", NULL};

    (void)state;
    check_periods("2026-05-31T23:00Z", 2, GL_INDEX_HOUR, hours, (const size_t[]){1, 1});
    check_periods("2026-05-31T20:00Z", 33, GL_INDEX_DAY, days, (const size_t[]){4, 24, 5});
    check_periods("2026-05-31T20:00Z", 33, GL_INDEX_WEEK, weeks, (const size_t[]){4, 29});
    check_periods("2026-05-31T20:00Z", 33, GL_INDEX_MONTH, months, (const size_t[]){4, 29});
    check_periods("2027-01-01T00:00Z", 80, GL_INDEX_WEEK, year_end, (const size_t[]){72, 8});
    check_periods("2026-12-31T23:00Z", 3, GL_INDEX_MONTH, turn, (const size_t[]){1, 2});
    check_periods("2026-06-01T00:00Z", 0, GL_INDEX_DAY, (const char *const[]){NULL}, NULL);
}

static void nothing_has_no_percentage(void **state)
{
    const struct gl_index_count none = {0}, some = {1, 1, 2};

    (void)state;
    assert_true(isnan(gl_index_percent(0, &none)));
    assert_true(gl_index_percent(some.green, &some) == 25.0); /* the unknown ones count */
    assert_true(gl_index_percent(some.unknown, &some) == 50.0);
}

/* ---- availability ---- */

#define HOURS 8
#define START INT64_C(1780272000) /* 2026-06-01T00:00Z */
#define NOW   (START + HOURS * GL_HOUR_S + 600)

static float value[HOURS];
static uint8_t hour_state[HOURS];
static struct gl_history history;
static const struct gl_history *histories[] = {&history};
static struct gl_zone_facts stored, bare;
static const struct gl_offer_place places[] = {
    {.cloud = "north",
     .region = "n1",
     .country = "SE",
     .pue = 1,
     .zone_count = 1,
     .zones = {&stored}},
    {.cloud = "south",
     .region = "s1",
     .country = "SE",
     .pue = 1,
     .zone_count = 1,
     .zones = {&bare}},
};
static const struct gl_offer_type types[] = {
    {.name = "small", .arch = "x86_64", .vcpus = 2, .memory_mib = 1024, .power_source = ""},
    {.name = "large", .arch = "x86_64", .vcpus = 8, .memory_mib = 1024, .power_source = ""},
};
static struct gl_offer offers[3];

/* Two offers of "north", whose zone has a past; one of "south", whose zone has none. */
static void make_world(void)
{
    history = (struct gl_history){
        .meaning = {.quantity = GL_RENEWABLE_SHARE, .share_of = GL_OF_WIND | GL_OF_HYDRO},
        .zone = "SE",
        .provider = "file",
        .dataset = "invented",
        .actuals = {START, HOURS, value, hour_state, 0},
    };
    stored = (struct gl_zone_facts){.zone = "SE", .history_count = 1, .histories = histories};
    bare = (struct gl_zone_facts){.zone = "XX"};
    for (int i = 0; i < HOURS; i++) {
        value[i] = 99;
        hour_state[i] = GL_HOUR_KNOWN;
    }
    for (size_t i = 0; i < 3; i++)
        offers[i] = (struct gl_offer){.place = &places[i < 2 ? 0 : 1],
                                      .type = &types[i == 0 ? 0 : 1],
                                      .price_u_usd_per_h = GL_UNKNOWN,
                                      .price_source = ""};
}

struct judged {
    struct gl_policy *policy;
    struct gl_request request;
    struct gl_question question;
    struct gl_decision *decision;
    struct gl_index index;
};

static struct gl_policy *policy_of(const char *text)
{
    struct gl_diagnostics diagnostics = {0};
    struct gl_policy *policy =
        gl_policy_parse((struct gl_view){text, strlen(text)}, "test.yaml", NULL, &diagnostics);

    if (policy == NULL) {
        GL_AUTO(gl_str_done) struct gl_str shown = {0};

        gl_diagnostics_text(&diagnostics, 80, &shown);
        fail_msg("%s", gl_str_text(&shown));
    }
    return policy;
}

static bool stop_at_once(void *cookie)
{
    ++*(int *)cookie;
    return false;
}

static int judge_with(struct judged *judged, const char *policy, int64_t duration_s,
                      const struct gl_index_options *given)
{
    struct gl_index_options options = {.from = {START}, .hour_count = HOURS};
    struct gl_error err = {0};

    if (given != NULL)
        options = *given;
    *judged = (struct judged){
        .policy = policy_of(policy),
        .request = {.duration = {duration_s}, .start = {NOW}, .latest_start = {NOW}, .count = 1}};
    judged->question = (struct gl_question){.policy = judged->policy,
                                            .request = &judged->request,
                                            .offers = offers,
                                            .offer_count = 3,
                                            .now = {NOW},
                                            .keeps_accounts = true};
    judged->decision = gl_decide(&judged->question);
    return gl_index_availability(&judged->question, judged->decision, &options, &judged->index,
                                 &err);
}

static void judged_done(struct judged *judged)
{
    gl_index_done(&judged->index);
    gl_decision_free(judged->decision);
    gl_policy_free(judged->policy);
}

static void check_hour(const struct judged *judged, size_t cloud, size_t hour, uint64_t green,
                       uint64_t not_green, uint64_t unknown)
{
    const struct gl_index_count *count = &judged->index.clouds[cloud].hours[hour];

    assert_int_equal(count->green, green);
    assert_int_equal(count->not_green, not_green);
    assert_int_equal(count->unknown, unknown);
}

#define GREEN "greenlaunch: 1\nrules:\n  - id: green\n    require:\n      min_renewable: 95%\n"

static void hours_are_judged_by_the_last_word(void **state)
{
    struct judged judged;

    (void)state;
    make_world();
    value[1] = 95;                   /* at the limit */
    value[2] = 94.5F;                /* below */
    hour_state[3] = GL_HOUR_MISSING; /* its value is not read */
    hour_state[4] = GL_HOUR_KNOWN | GL_HOUR_ESTIMATED;
    assert_int_equal(judge_with(&judged, GREEN, 3600, NULL), 0);
    assert_int_equal(judged.index.cloud_count, 2);
    assert_string_equal(judged.index.clouds[0].cloud, "north");
    assert_int_equal(judged.index.clouds[0].offers, 2);
    assert_int_equal(judged.index.clouds[0].stored_offers, 2);
    check_hour(&judged, 0, 0, 2, 0, 0);
    check_hour(&judged, 0, 1, 2, 0, 0);
    check_hour(&judged, 0, 2, 0, 2, 0);
    check_hour(&judged, 0, 3, 0, 0, 2); /* no figure: unknown */
    check_hour(&judged, 0, 4, 0, 0, 2); /* may be revised, nobody knows by how much */
    for (size_t h = 0; h < HOURS; h++)
        check_hour(&judged, 1, h, 0, 0, 1); /* nothing is stored of that zone */
    assert_int_equal(gl_index_sum(&judged.index, 0, 0, HOURS).green, 10);
    assert_int_equal(gl_index_sum(&judged.index, 0, 0, HOURS).unknown, 4);
    assert_int_equal(gl_index_sum(&judged.index, 0, 2, 99).not_green, 2); /* to the end */
    assert_int_equal(judged.index.clouds[0].now.unknown, 2);
    judged_done(&judged);
}

static void revisions_seen_are_bounds(void **state)
{
    struct judged judged;

    (void)state;
    make_world();
    hour_state[0] = hour_state[1] = hour_state[2] = GL_HOUR_KNOWN | GL_HOUR_ESTIMATED;
    history.revisions = (struct gl_revisions){.hours = 50, .changed = 5, .worst = 2};
    value[0] = 97.5F; /* 95.5 at worst */
    value[1] = 96;    /* 94 at worst: not shown to be green, so not green */
    value[2] = 90;
    assert_int_equal(judge_with(&judged, GREEN, 3600, NULL), 0);
    check_hour(&judged, 0, 0, 2, 0, 0);
    check_hour(&judged, 0, 1, 0, 2, 0);
    check_hour(&judged, 0, 2, 0, 2, 0);
    judged_done(&judged);
}

static void longer_runs_need_all_their_hours(void **state)
{
    struct judged judged;

    (void)state;
    make_world();
    value[4] = 10;
    assert_int_equal(judge_with(&judged, GREEN, 3 * 3600, NULL), 0);
    check_hour(&judged, 0, 0, 2, 0, 0);
    check_hour(&judged, 0, 1, 2, 0, 0);
    for (size_t h = 2; h <= 4; h++)
        check_hour(&judged, 0, h, 0, 2, 0);
    check_hour(&judged, 0, 5, 2, 0, 0);
    check_hour(&judged, 0, 6, 0, 0, 2); /* ends in hours that nobody measured yet */
    judged_done(&judged);
}

/* The last hours of a window may run on into hours after it, which are stored too. */
static void runs_go_on_after_the_window(void **state)
{
    const struct gl_index_options options = {.from = {START}, .hour_count = 3};
    struct judged judged;

    (void)state;
    make_world();
    assert_int_equal(judge_with(&judged, GREEN, 3 * 3600, &options), 0);
    assert_int_equal(judged.index.hour_count, 3);
    check_hour(&judged, 0, 2, 2, 0, 0);
    judged_done(&judged);
    assert_int_equal(judge_with(&judged, GREEN "      green_for: 6h\n", 3600, &options), 0);
    check_hour(&judged, 0, 2, 2, 0, 0);
    judged_done(&judged);
}

/* Neither a rule that lets unknown pass, nor a yearly average that it admits, makes an hour green.
 */
static void unknown_is_never_green(void **state)
{
    static struct gl_point year = {.from_s = 1767225600, /* 2026 */
                                   .until_s = 1798761600,
                                   .value_u = 990000,
                                   .low_u = GL_UNKNOWN,
                                   .high_u = GL_UNKNOWN,
                                   .updated_s = GL_UNKNOWN,
                                   .evidence = GL_ANNUAL_AVERAGE};
    static struct gl_series yearly = {.zone = "XX",
                                      .provider = "builtin",
                                      .issued_s = GL_UNKNOWN,
                                      .retrieved_s = START,
                                      .count = 1,
                                      .points = &year};
    static const struct gl_series *list[] = {&yearly};
    struct judged judged;

    (void)state;
    yearly.meaning = (struct gl_meaning){.quantity = GL_RENEWABLE_SHARE, .share_of = GL_OF_WIND};
    make_world();
    hour_state[0] = GL_HOUR_MISSING;
    bare.count = 1;
    bare.series = list;
    assert_int_equal(
        judge_with(&judged, GREEN "      min_grade: D\n    on_unknown: allow\n", 3600, NULL), 0);
    check_hour(&judged, 0, 0, 0, 0, 2);
    check_hour(&judged, 0, 1, 2, 0, 0);
    check_hour(&judged, 1, 1, 0, 0, 1);
    assert_int_equal(judged.index.clouds[0].now.green, 0); /* admitted, not known */
    assert_int_equal(judged.index.clouds[0].now.unknown, 2);
    assert_int_equal(judged.index.clouds[1].now.green, 1);
    assert_int_equal(judged.index.clouds[1].by_year, 1);
    judged_done(&judged);
}

static void sizes_are_judged_offer_by_offer(void **state)
{
    struct judged judged;

    (void)state;
    make_world();
    assert_int_equal(judge_with(&judged, GREEN "      max_vcpus: 4\n", 3600, NULL), 0);
    check_hour(&judged, 0, 0, 1, 1, 0);
    judged_done(&judged);
}

static void stops_when_told(void **state)
{
    int ticks = 0;
    const struct gl_index_options options = {
        .from = {START}, .hour_count = HOURS, .tick = stop_at_once, .cookie = &ticks};
    const struct gl_index_options long_ago = {.from = {START},
                                              .hour_count = GL_INDEX_HOURS_MAX + 1};
    struct judged judged;

    (void)state;
    make_world();
    assert_int_equal(judge_with(&judged, GREEN, 3600, &options), -1);
    assert_int_equal(ticks, 1);
    assert_int_equal(judged.index.cloud_count, 0); /* untouched */
    judged_done(&judged);
    assert_int_equal(judge_with(&judged, GREEN, 3600, &long_ago), -1);
    judged_done(&judged);
}

static void only_limits_of_the_grid_are_green_rules(void **state)
{
    struct gl_policy *green = policy_of(GREEN);
    struct gl_policy *price = policy_of("greenlaunch: 1\nrules:\n  - id: cheap\n    require:\n"
                                        "      max_price: 1 USD/h\n");
    struct gl_policy *grade =
        policy_of("greenlaunch: 1\nrules:\n  - id: known\n    require:\n      min_grade: B\n");

    (void)state;
    assert_false(gl_index_is_green_rule(grade));

    assert_true(gl_index_is_green_rule(green));
    assert_false(gl_index_is_green_rule(price));
    assert_int_equal(gl_index_quantities(green), 1U << GL_RENEWABLE_SHARE);
    assert_int_equal(gl_index_quantities(price), 0);
    assert_int_equal(gl_index_quantities(grade), (1U << GL_QUANTITIES) - 1);
    gl_policy_free(green);
    gl_policy_free(price);
    gl_policy_free(grade);
}

/* ---- CSV ---- */

static void csv_quotes_and_disarms(void **state)
{
    static const char *const cells[] = {"a",    "b,c",         "say \"no\"", "=1+1", "-2",  "@x",
                                        "+3,4", "line\nbreak", NULL,         "",     "\tt", "5=5"};
    struct gl_str out = {0};

    (void)state;
    gl_csv_record(&out, cells, sizeof cells / sizeof cells[0]);
    assert_string_equal(gl_str_text(&out),
                        "a,\"b,c\",\"say \"\"no\"\"\",'=1+1,'-2,'@x,\"'+3,4\",\"line\nbreak\",,,"
                        "'\tt,5=5\r\n");
    gl_str_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grade_counts_yes_and_partly),
        cmocka_unit_test(unknown_never_counts_as_yes),
        cmocka_unit_test(periods_are_cut_by_the_window),
        cmocka_unit_test(nothing_has_no_percentage),
        cmocka_unit_test(hours_are_judged_by_the_last_word),
        cmocka_unit_test(revisions_seen_are_bounds),
        cmocka_unit_test(longer_runs_need_all_their_hours),
        cmocka_unit_test(runs_go_on_after_the_window),
        cmocka_unit_test(unknown_is_never_green),
        cmocka_unit_test(sizes_are_judged_offer_by_offer),
        cmocka_unit_test(stops_when_told),
        cmocka_unit_test(only_limits_of_the_grid_are_green_rules),
        cmocka_unit_test(csv_quotes_and_disarms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
