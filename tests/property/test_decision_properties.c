/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/footprint.h"
#include "tests/support/invent.h"

#include <stdlib.h>

/* What must hold for every decision, tried on some thousand invented worlds. Seeds count from 1; a
 * failure prints its seed. */

#define WORLDS 3000

#define CHECK(condition)                                                     \
    do {                                                                     \
        if (!(condition))                                                    \
            fail_msg("seed %llu: %s", (unsigned long long)seed, #condition); \
    } while (0)

static void same_input_same_bytes(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= WORLDS; i++) {
        struct gl_decision *first, *second;

        invent_world(i, 3);
        first = gl_decide(&world.question);
        second = gl_decide(&world.question);
        CHECK(gl_hash_equal(&first->digest, &second->digest));
        CHECK(first->verdict == second->verdict);
        CHECK(first->alternative_count == second->alternative_count);
        for (size_t r = 0; r < first->judged - first->not_asked; r++)
            CHECK(first->ranked[r] == second->ranked[r]);
        gl_decision_free(first);
        gl_decision_free(second);
    }
}

static bool is_same_name(const struct gl_offer *a, const struct gl_offer *b)
{
    return strcmp(a->place->cloud, b->place->cloud) == 0 &&
           strcmp(a->place->region, b->place->region) == 0 &&
           strcmp(a->type->name, b->type->name) == 0;
}

static void shuffle(struct gl_offer *offers, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)invent_below((int64_t)i);
        struct gl_offer swapped = offers[i - 1];

        offers[i - 1] = offers[j];
        offers[j] = swapped;
    }
}

static void the_order_of_offers_changes_nothing(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= WORLDS; i++) {
        struct gl_offer before[OFFERS];
        struct gl_decision *first, *second;

        invent_world(i, 3);
        memcpy(before, world.offers, sizeof before);
        first = gl_decide(&world.question);
        shuffle(world.offers, world.offer_count);
        second = gl_decide(&world.question);
        CHECK(gl_hash_equal(&first->digest, &second->digest));
        CHECK(first->verdict == second->verdict);
        CHECK(first->allowed == second->allowed);
        for (size_t r = 0; r < first->judged - first->not_asked; r++)
            CHECK(is_same_name(&before[first->ranked[r]], &world.offers[second->ranked[r]]));
        CHECK(first->alternative_count == second->alternative_count);
        for (size_t a = 0; a < first->alternative_count; a++) {
            CHECK(first->alternatives[a].kind == second->alternatives[a].kind);
            CHECK(first->alternatives[a].start.unix_s == second->alternatives[a].start.unix_s);
            CHECK(is_same_name(&before[first->alternatives[a].offer],
                               &world.offers[second->alternatives[a].offer]));
        }
        gl_decision_free(first);
        gl_decision_free(second);
    }
}

/* A tighter limit of the same key; false when the key has no such number. */
static bool tighten(struct gl_constraint *constraint)
{
    static const char *const none[] = {NULL}, *const all[] = {"*", NULL};
    int64_t *number = &constraint->number;

    switch (constraint->key->direction) {
    case GL_TIGHTER_DOWN:
        if (constraint->key->id == GL_KEY_MIN_GRADE)
            return false; /* chooses the evidence: see the next test */
        *number -= *number > 0 ? invent_below(*number) : 0;
        return true;
    case GL_TIGHTER_UP:
        *number += invent_below(*number + 2);
        return true;
    case GL_TIGHTER_SUBSET:
        constraint->globs = none;
        return true;
    case GL_TIGHTER_SUPERSET:
        constraint->globs = all;
        return true;
    default:
        return false;
    }
}

static void tightening_never_allows(void **state)
{
    size_t tightened = 0;

    (void)state;
    for (uint64_t i = 1; i <= WORLDS; i++) {
        struct gl_decision *loose, *tight;
        struct gl_rule *rule;

        invent_world(i, 4);
        rule = &world.rules[invent_below((int64_t)world.policy.rule_count)];
        loose = gl_decide(&world.question);
        if (rule->count > 0)
            tightened +=
                tighten(&world.constraints[rule - world.rules][invent_below((int64_t)rule->count)]);
        if (invent_one_in(4))
            rule->level = GL_HARD;
        if (invent_one_in(4))
            rule->on_unknown = GL_UNKNOWN_REFUSE;
        if (invent_one_in(4) && world.policy.rule_count < RULES)
            invent_rule(world.policy.rule_count++);
        tight = gl_decide(&world.question);
        for (size_t o = 0; o < world.offer_count; o++)
            CHECK(loose->judgements[o].outcome == GL_SATISFIED ||
                  tight->judgements[o].outcome != GL_SATISFIED);
        CHECK(loose->verdict == GL_ALLOW || tight->verdict != GL_ALLOW);
        gl_decision_free(loose);
        gl_decision_free(tight);
    }
    assert_true(tightened > WORLDS / 2);
}

/* Grade and age choose the evidence: with one source a quantity, less of it is left. */
static void asking_for_better_evidence_never_allows_with_one_source(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= WORLDS; i++) {
        struct gl_constraint limits[3];
        struct gl_rule rule = case_rule("a", limits, 3);
        struct gl_decision *loose, *tight;

        invent_world(i, 4);
        for (size_t z = 0; z < ZONES; z++)
            if (world.zones[z].facts.count > 1)
                world.zones[z].facts.count = 1;
        limits[0] = case_limit(GL_KEY_MAX_INTENSITY, invent_below(GRAMS(600)));
        limits[1] = case_limit(GL_KEY_MIN_GRADE, GL_GRADE_E);
        limits[2] = case_limit(GL_KEY_MAX_DATA_AGE, DAY + invent_below(DAY));
        world.policy = case_policy(&rule, 1);
        loose = gl_decide(&world.question);
        limits[1].number = invent_below(GL_GRADE_E + 1);
        limits[2].number = 1 + invent_below(limits[2].number);
        tight = gl_decide(&world.question);
        for (size_t o = 0; o < world.offer_count; o++)
            CHECK(loose->judgements[o].outcome == GL_SATISFIED ||
                  tight->judgements[o].outcome != GL_SATISFIED);
        gl_decision_free(loose);
        gl_decision_free(tight);
    }
}

static double sort_key(const struct gl_decision *decision)
{
    const struct gl_judgement *best = &decision->judgements[decision->ranked[0]];

    if (world.question.sort == GL_SORT_PRICE)
        return world.offers[best->offer].price_u_usd_per_h < 0
                   ? 1e300
                   : (double)world.offers[best->offer].price_u_usd_per_h;
    return best->grams_total[1] < 0 ? 1e300 : (double)best->grams_total[1];
}

static int badness(enum gl_verdict verdict)
{
    return verdict == GL_ALLOW ? 0 : verdict == GL_LATER ? 1 : 2;
}

static void one_more_offer_never_worsens_the_best(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= WORLDS; i++) {
        struct gl_decision *before, *after;

        invent_world(i, 4);
        world.question.sort = invent_one_in(2) ? GL_SORT_CARBON : GL_SORT_PRICE;
        before = gl_decide(&world.question);
        world.question.offer_count++;
        after = gl_decide(&world.question);
        CHECK(badness(after->verdict) <= badness(before->verdict));
        CHECK(after->allowed >= before->allowed);
        if (before->allowed > 0)
            CHECK(sort_key(after) <= sort_key(before));
        gl_decision_free(before);
        gl_decision_free(after);
    }
}

/* The limit that must be proven, and by what. */
struct claim {
    const struct gl_constraint *limit;
    enum gl_grade min_grade;
    bool is_share;
};

static bool may_speak(const struct gl_series *series, const struct claim *claim)
{
    const struct gl_meaning *meaning = &series->meaning;

    if (series->is_suspect || series->retrieved_s > NOW + 300 || series->issued_s > NOW + 300)
        return false;
    if (meaning->accounting != GL_LOCATION || meaning->rate != GL_AVERAGE)
        return false;
    if (claim->is_share)
        return meaning->quantity == GL_RENEWABLE_SHARE;
    return meaning->quantity == GL_INTENSITY && meaning->boundary == GL_LIFECYCLE;
}

static bool is_year(const struct gl_point *point)
{
    return point->until_s - point->from_s > 300 * DAY;
}

static bool point_proves(const struct gl_point *point, const struct claim *claim)
{
    int64_t bound = claim->is_share ? point->low_u : point->high_u;

    if (is_year(point) && point->low_u == GL_UNKNOWN)
        bound = point->value_u;
    if (point->value_u < 0 || bound == GL_UNKNOWN || point->updated_s > NOW + 300 ||
        gl_grade_of_evidence(point->evidence) > claim->min_grade)
        return false;
    return claim->is_share ? bound >= claim->limit->number : bound <= claim->limit->number;
}

/* Written apart from the evaluator: does every quarter of an hour of the run lie in a point that
 * proves the limit? */
static bool proves(const struct gl_series *series, const struct claim *claim)
{
    int64_t end = NOW + world.request.duration.s;

    if (!may_speak(series, claim))
        return false;
    for (int64_t at = NOW; at < end; at += HOUR / 4) {
        bool is_proven = false;

        for (size_t i = 0; i < series->count; i++) {
            const struct gl_point *point = &series->points[i];

            if (at >= point->from_s && (at < point->until_s || is_year(point)))
                is_proven = point_proves(point, claim);
        }
        if (!is_proven)
            return false;
    }
    return true;
}

static bool is_proven_somewhere(const struct gl_zone_facts *zone, const struct claim *claim)
{
    for (size_t s = 0; s < zone->count; s++)
        if (proves(zone->series[s], claim))
            return true;
    return false;
}

static void nothing_is_allowed_without_proof(void **state)
{
    size_t allowed = 0, refused = 0;

    (void)state;
    for (uint64_t i = 1; i <= 3 * WORLDS; i++) {
        struct gl_constraint limits[2];
        struct gl_rule rule = case_rule("a", limits, 2);
        struct gl_decision *decision;
        struct claim claim = {.limit = &limits[0]};

        invent_world(i, 2);
        claim.min_grade = invent_one_in(2) ? GL_GRADE_C : GL_GRADE_E;
        limits[0] = invent_one_in(2)
                        ? case_limit(GL_KEY_MIN_RENEWABLE, invent_below(PERCENT(60)))
                        : case_limit(GL_KEY_MAX_INTENSITY, GRAMS(200) + invent_below(GRAMS(500)));
        limits[1] = case_limit(GL_KEY_MIN_GRADE, claim.min_grade);
        claim.is_share = limits[0].key->id == GL_KEY_MIN_RENEWABLE;
        world.policy = case_policy(&rule, 1);
        decision = gl_decide(&world.question);
        for (size_t o = 0; o < world.offer_count; o++) {
            const struct gl_offer *offer = &world.offers[o];

            refused += decision->judgements[o].outcome != GL_SATISFIED;
            if (decision->judgements[o].outcome != GL_SATISFIED)
                continue;
            allowed++;
            CHECK(offer->place->zone_count > 0);
            for (size_t z = 0; z < offer->place->zone_count; z++)
                CHECK(is_proven_somewhere(offer->place->zones[z], &claim));
        }
        gl_decision_free(decision);
    }
    assert_true(allowed > WORLDS / 4); /* the test would prove nothing otherwise */
    assert_true(refused > WORLDS);
}

static bool is_allowed_now(uint32_t offer)
{
    struct gl_decision *decision = gl_decide(&world.question);
    bool is_allowed = decision->judgements[offer].outcome == GL_SATISFIED;

    gl_decision_free(decision);
    return is_allowed;
}

/* Ask again as the alternative says: it must be allowed. */
static void check_alternative(const struct gl_alternative *alternative)
{
    struct gl_request asked = world.request;
    struct gl_constraint *limit = NULL;
    int64_t number = 0;

    switch (alternative->kind) {
    case GL_ALT_PLACE:
        world.request.clouds = world.request.regions = NULL;
        break;
    case GL_ALT_TIME:
        CHECK(alternative->start.unix_s > asked.start.unix_s);
        world.request.start = alternative->start;
        break;
    case GL_ALT_SIZE:
        CHECK(alternative->duration.s < asked.duration.s);
        world.request.duration = alternative->duration;
        break;
    case GL_ALT_LOOSER:
        for (size_t r = 0; r < RULES && limit == NULL; r++)
            for (size_t c = 0; c < CONSTRAINTS; c++)
                if (&world.constraints[r][c] == alternative->constraint)
                    limit = &world.constraints[r][c];
        CHECK(limit != NULL);
        number = limit->number;
        limit->number = alternative->needed_u;
        break;
    }
    CHECK(is_allowed_now(alternative->offer));
    if (limit != NULL)
        limit->number = number;
    world.request = asked;
}

static void alternatives_keep_their_word(void **state)
{
    size_t seen[GL_ALT_LOOSER + 1] = {0};

    (void)state;
    for (uint64_t i = 1; i <= 2 * WORLDS; i++) {
        struct gl_decision *decision;

        invent_world(i, 12);
        decision = gl_decide(&world.question);
        CHECK(decision->verdict != GL_ALLOW || decision->alternative_count == 0);
        for (size_t a = 0; a < decision->alternative_count; a++) {
            seen[decision->alternatives[a].kind]++;
            check_alternative(&decision->alternatives[a]);
        }
        gl_decision_free(decision);
    }
    for (size_t kind = 0; kind <= GL_ALT_LOOSER; kind++)
        assert_true(seen[kind] > 20);
}

static bool is_beaten(const struct gl_decision *decision, size_t index)
{
    double grams = (double)decision->judgements[index].grams_total[1];
    int64_t price = world.offers[index].price_u_usd_per_h;

    for (size_t o = 0; o < decision->judged; o++) {
        double other = (double)decision->judgements[o].grams_total[1];
        int64_t other_price = world.offers[o].price_u_usd_per_h;

        if (decision->judgements[o].outcome == GL_SATISFIED && other >= 0 && other_price >= 0 &&
            other <= grams && other_price <= price && (other < grams || other_price < price))
            return true;
    }
    return false;
}

static void the_front_is_what_nothing_beats(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= WORLDS; i++) {
        struct gl_decision *decision;

        invent_world(i, 12);
        world.policy.rule_count = 1;
        decision = gl_decide(&world.question);
        for (size_t o = 0; o < decision->judged; o++) {
            const struct gl_judgement *judgement = &decision->judgements[o];
            bool is_known =
                judgement->grams_total[1] >= 0 && world.offers[o].price_u_usd_per_h >= 0;

            CHECK(judgement->is_pareto ==
                  (judgement->outcome == GL_SATISFIED && is_known && !is_beaten(decision, o)));
        }
        gl_decision_free(decision);
    }
}

static void counts_and_ranking_are_whole(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= WORLDS; i++) {
        struct gl_decision *decision;
        bool is_seen[OFFERS] = {false};

        invent_world(i, 3);
        decision = gl_decide(&world.question);
        CHECK(decision->allowed + decision->unknown + decision->violated + decision->not_asked ==
              world.offer_count);
        for (size_t r = 0; r < decision->judged - decision->not_asked; r++) {
            enum gl_outcome outcome = decision->judgements[decision->ranked[r]].outcome;
            enum gl_outcome expected = r < decision->allowed ? GL_SATISFIED
                                       : r < decision->allowed + decision->unknown
                                           ? GL_OUTCOME_UNKNOWN
                                           : GL_VIOLATED;

            CHECK(outcome == expected);
            CHECK(!is_seen[decision->ranked[r]]);
            is_seen[decision->ranked[r]] = true;
        }
        gl_decision_free(decision);
    }
}

static void every_reason_has_a_sentence(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= WORLDS / 10; i++) {
        invent_world(i, 3);
        for (uint32_t o = 0; o < world.offer_count; o++) {
            struct gl_reason reasons[RULES * CONSTRAINTS];
            size_t count = gl_judge_all(&world.question, o, reasons, RULES * CONSTRAINTS);

            for (size_t r = 0; r < count; r++) {
                struct gl_str text = {0};

                gl_reason_text(&reasons[r], &text);
                CHECK(text.length > 8 && text.length < 400);
                gl_str_done(&text);
            }
        }
    }
}

/* ---- footprint ---- */

static void invent_slot(struct gl_slot *slot, int64_t from)
{
    slot->from_s = from;
    slot->until_s = from + 1 + invent_below(HOUR);
    slot->energy_mj[0] = invent_below(1000000000);
    slot->energy_mj[1] = slot->energy_mj[0] + invent_below(1000000000);
    slot->energy_mj[2] = slot->energy_mj[1] + invent_below(1000000000);
    slot->intensity_u[0] = invent_below(GRAMS(400));
    slot->intensity_u[1] = slot->intensity_u[0] + invent_below(GRAMS(400));
    slot->intensity_u[2] = slot->intensity_u[1] + invent_below(GRAMS(400));
}

static struct gl_footprint footprint_of(const struct gl_slot *slots, size_t count, int64_t pue)
{
    const struct gl_embodied embodied = {{400000, 1200000, 2500000}, 4 * 365 * DAY, 31250, 0};
    struct gl_footprint out = {0};
    struct gl_error err = {0};

    CHECK(gl_footprint_of(slots, count, pue, &embodied, &out, &err) == 0);
    return out;
}

static void footprints_add_up_and_scale(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= WORLDS; i++) {
        struct gl_slot slots[9];
        struct gl_footprint whole, doubled, cut;

        seed = world.random = i;
        for (size_t s = 0; s < 8; s++)
            invent_slot(&slots[s], (int64_t)s * HOUR);
        whole = footprint_of(slots, 8, 1135);
        for (unsigned part = 0; part < 3; part++) {
            CHECK(whole.total_ug[part] == whole.operational_ug[part] + whole.embodied_ug[part]);
            CHECK(part == 0 || whole.total_ug[part] >= whole.total_ug[part - 1]);
            CHECK(whole.facility_mj[part] >= whole.energy_mj[part]);
        }
        doubled = footprint_of(slots, 8, 2270);
        for (unsigned part = 0; part < 3; part++)
            CHECK(llabs(doubled.operational_ug[part] - 2 * whole.operational_ug[part]) <= 1);
        slots[8] = slots[3]; /* cut one slot in two of the same intensity: nothing changes */
        slots[8].energy_mj[0] = slots[3].energy_mj[0] / 3;
        slots[8].energy_mj[1] =
            slots[8].energy_mj[0] + (slots[3].energy_mj[1] - slots[3].energy_mj[0]) / 3;
        slots[8].energy_mj[2] =
            slots[8].energy_mj[1] + (slots[3].energy_mj[2] - slots[3].energy_mj[1]) / 3;
        for (unsigned part = 0; part < 3; part++)
            slots[3].energy_mj[part] -= slots[8].energy_mj[part];
        cut = footprint_of(slots, 9, 1135);
        CHECK(memcmp(&cut, &whole, sizeof cut) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_input_same_bytes),
        cmocka_unit_test(the_order_of_offers_changes_nothing),
        cmocka_unit_test(tightening_never_allows),
        cmocka_unit_test(asking_for_better_evidence_never_allows_with_one_source),
        cmocka_unit_test(one_more_offer_never_worsens_the_best),
        cmocka_unit_test(nothing_is_allowed_without_proof),
        cmocka_unit_test(alternatives_keep_their_word),
        cmocka_unit_test(the_front_is_what_nothing_beats),
        cmocka_unit_test(counts_and_ranking_are_whole),
        cmocka_unit_test(every_reason_has_a_sentence),
        cmocka_unit_test(footprints_add_up_and_scale),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
