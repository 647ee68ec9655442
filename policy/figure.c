/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/decide.h"

#include "base/time.h"
#include "policy/judge.h"

/* How one series serves an interval. Nothing is mended here: what does not fit makes the series
 * unusable, and the most telling reason is kept. docs/method.md, "Figures over an interval". */

#define FUTURE_TOLERANCE_S 300
#define LIVE_MAX_AGE_S     (3 * 3600)
#define FORECAST_MAX_AGE_S (26 * 3600)
#define STANDING_YEARS     3
#define YEARLY_POINT_S     (300 * 86400)
#define YEAR_S             (365 * 86400)
#define LEAP_YEAR_S        (366 * 86400)
#define HOUR_S             3600
#define CONFLICT_SHARE_U   100000 /* 10 points */
#define CONFLICT_RATIO     4      /* a quarter of the larger */

__extension__ typedef __int128 wide;

struct walk {
    const struct gl_figure_ask *ask;
    const struct gl_series *series;
    unsigned gaps; /* bit set of gl_gap */
    wide weighted; /* sum of value times seconds */
    int64_t low, high;
    enum gl_grade grade;
    int64_t age_s;
};

/* The most telling first: what a person would want to hear when several apply. */
static const enum gl_gap telling[] = {
    GL_GAP_CONFLICT, GL_GAP_SUSPECT,    GL_GAP_STALE,    GL_GAP_FUTURE,  GL_GAP_COVERAGE,
    GL_GAP_GRADE,    GL_GAP_NOT_HOURLY, GL_GAP_NO_BOUND, GL_GAP_MEANING, GL_GAP_MARKET,
};

static unsigned bit(enum gl_gap gap)
{
    return 1U << (unsigned)gap;
}

static enum gl_gap most_telling(unsigned gaps)
{
    for (size_t i = 0; i < sizeof telling / sizeof telling[0]; i++)
        if (gaps & bit(telling[i]))
            return telling[i];
    return GL_GAP_MISSING;
}

static int64_t newer(int64_t a, int64_t b)
{
    return a > b ? a : b; /* GL_UNKNOWN is the smallest integer */
}

static int64_t year_of(int64_t unix_s)
{
    int year = 0, month, day, hour, minute, second;

    gl_instant_civil((struct gl_instant){unix_s}, &year, &month, &day, &hour, &minute, &second);
    return year;
}

static bool is_standing(enum gl_evidence evidence)
{
    return evidence == GL_ANNUAL_AVERAGE || evidence == GL_HISTORIC_AVERAGE;
}

/* A year's figure says what is usual, not what is now. */
static bool is_yearly(const struct gl_point *point)
{
    return gl_grade_of_evidence(point->evidence) >= GL_GRADE_D &&
           point->until_s - point->from_s >= YEARLY_POINT_S;
}

/* One plain year stands for later instants too, until it is stale; a longer point already says
 * until when its source lets it stand. */
static bool stands_on(const struct gl_point *point)
{
    return is_yearly(point) && point->until_s - point->from_s <= LEAP_YEAR_S;
}

enum gl_gap gl_figure_gap(const struct gl_meaning *is, const struct gl_meaning *want)
{
    if (is->quantity != want->quantity)
        return GL_GAP_MISSING;
    if (is->accounting != want->accounting)
        return want->accounting == GL_LOCATION ? GL_GAP_MARKET : GL_GAP_MEANING;
    if (is->rate != want->rate)
        return GL_GAP_MEANING;
    if (want->quantity == GL_INTENSITY)
        return is->boundary == want->boundary ? GL_GAP_NONE : GL_GAP_MEANING;
    if (want->quantity == GL_RENEWABLE_SHARE && (is->share_of & GL_OF_NUCLEAR))
        return GL_GAP_MEANING;
    if (want->share_of != 0 && (is->share_of == 0 || (is->share_of & ~want->share_of) != 0))
        return GL_GAP_MEANING;
    return GL_GAP_NONE;
}

static bool is_possible(enum gl_quantity quantity, const struct gl_point *point)
{
    int64_t most = quantity == GL_INTENSITY ? GL_WORST_INTENSITY_U : GL_MOST_SHARE_U;

    if (point->value_u < 0 || point->value_u > most)
        return false;
    if (point->low_u != GL_UNKNOWN && (point->low_u < 0 || point->low_u > point->value_u))
        return false;
    return point->high_u == GL_UNKNOWN ||
           (point->high_u >= point->value_u && point->high_u <= most);
}

/* When the point was last known to be true; GL_UNKNOWN if nobody said. A forecast speaks of later
 * hours, so its own hours do not make it fresh; without an issue time its retrieval dates it. */
static int64_t reference_of(const struct gl_series *series, const struct gl_point *point,
                            int64_t now)
{
    int64_t said = newer(point->updated_s, series->issued_s);

    if (point->from_s <= now && point->evidence != GL_FORECAST)
        return newer(said, point->from_s);
    return said != GL_UNKNOWN ? said : series->retrieved_s;
}

static void check_age(struct walk *walk, const struct gl_point *point)
{
    int64_t now = walk->ask->limits->now.unix_s;
    int64_t reference = is_yearly(point) ? point->from_s : reference_of(walk->series, point, now);
    int64_t limit = walk->ask->limits->max_age.s, age;

    if (reference < -GL_FAR_S) { /* nobody said when: no evidence of being fresh */
        walk->gaps |= bit(GL_GAP_STALE);
        return;
    }
    if (reference > GL_FAR_S)
        return; /* check_future() has refused it */
    age = now - (is_yearly(point) ? reference + YEAR_S : reference);
    if (limit <= 0)
        limit = point->evidence == GL_FORECAST ? FORECAST_MAX_AGE_S : LIVE_MAX_AGE_S;
    if (is_yearly(point) || is_standing(point->evidence)) {
        if (year_of(now) - year_of(reference) > STANDING_YEARS)
            walk->gaps |= bit(GL_GAP_STALE);
    } else if (age > limit) {
        walk->gaps |= bit(GL_GAP_STALE);
    }
    walk->age_s = newer(walk->age_s, age > 0 ? age : 0);
}

static void check_future(struct walk *walk, const struct gl_point *point)
{
    int64_t horizon = walk->ask->limits->now.unix_s + FUTURE_TOLERANCE_S;
    bool is_past_kind = point->evidence == GL_MEASURED || point->evidence == GL_PRELIMINARY ||
                        point->evidence == GL_ESTIMATED || is_yearly(point);

    if ((is_past_kind && point->from_s > horizon) || point->updated_s > horizon)
        walk->gaps |= bit(GL_GAP_FUTURE);
}

static void add_bounds(struct walk *walk, const struct gl_point *point)
{
    /* Grade D and E evidence has no bound to state; who admits the grade takes the value. */
    bool stands_alone = gl_grade_of_evidence(point->evidence) >= GL_GRADE_D;
    int64_t low = point->low_u, high = point->high_u;

    if (low == GL_UNKNOWN && stands_alone)
        low = point->value_u;
    if (high == GL_UNKNOWN && stands_alone)
        high = point->value_u;
    if (low == GL_UNKNOWN || (walk->low != GL_UNKNOWN && low < walk->low))
        walk->low = low;
    if (high == GL_UNKNOWN || (walk->high != GL_UNKNOWN && high > walk->high))
        walk->high = high;
}

static void use_point(struct walk *walk, const struct gl_point *point, int64_t seconds)
{
    enum gl_grade grade = gl_grade_of_evidence(point->evidence);

    if (point->value_u == GL_UNKNOWN) {
        walk->gaps |= bit(GL_GAP_COVERAGE);
        return;
    }
    if (!is_possible(walk->ask->want->quantity, point)) {
        walk->gaps |= bit(GL_GAP_SUSPECT);
        return;
    }
    if (point->evidence == GL_PROVIDER_CLAIM && walk->ask->want->accounting == GL_LOCATION)
        walk->gaps |= bit(GL_GAP_MARKET);
    if (walk->ask->limits->needs_hourly && point->until_s - point->from_s > HOUR_S)
        walk->gaps |= bit(GL_GAP_NOT_HOURLY);
    if (grade > walk->ask->limits->min_grade)
        walk->gaps |= bit(GL_GAP_GRADE);
    check_future(walk, point);
    check_age(walk, point);
    add_bounds(walk, point);
    if (grade > walk->grade)
        walk->grade = grade;
    walk->weighted += (wide)point->value_u * seconds;
}

static bool is_far(int64_t unix_s)
{
    return unix_s < -GL_FAR_S || unix_s > GL_FAR_S;
}

/* Points ordered and apart, as the contract says; a series that is not contradicts itself. */
static bool is_sound(const struct gl_series *series)
{
    for (size_t i = 0; i < series->count; i++) {
        const struct gl_point *point = &series->points[i];

        if (point->until_s <= point->from_s || is_far(point->from_s) || is_far(point->until_s))
            return false;
        if (i > 0 && point->from_s < series->points[i - 1].until_s)
            return false;
    }
    return true;
}

/* Index of the first point that begins after `at`. */
static size_t first_after(const struct gl_series *series, int64_t at)
{
    size_t low = 0, high = series->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (series->points[middle].from_s <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct gl_point *gl_figure_points(const struct gl_series *series, int64_t from_s,
                                        int64_t until_s, size_t *out_count)
{
    size_t first = first_after(series, from_s), end = first;

    if (first > 0 && series->points[first - 1].until_s > from_s)
        first--;
    while (end < series->count && series->points[end].from_s < until_s)
        end++;
    *out_count = end - first;
    return series->points + first;
}

/* Go through [from, until) without leaving a second out. */
static void walk_points(struct walk *walk)
{
    const struct gl_series *series = walk->series;
    int64_t cursor = walk->ask->from_s, until = walk->ask->until_s;
    size_t next = first_after(series, cursor);

    while (cursor < until) {
        const struct gl_point *point;
        int64_t end;

        while (next < series->count && series->points[next].from_s <= cursor)
            next++;
        point = next > 0 ? &series->points[next - 1] : NULL;
        if (point == NULL || (cursor >= point->until_s && !stands_on(point))) {
            walk->gaps |= bit(GL_GAP_COVERAGE);
            return;
        }
        end = cursor < point->until_s && point->until_s < until ? point->until_s : until;
        if (next < series->count && end > series->points[next].from_s)
            end = series->points[next].from_s;
        use_point(walk, point, end - cursor);
        cursor = end;
    }
}

/* An uncovered interval is explained best by how old the newest point is. */
static void explain_coverage(struct walk *walk)
{
    const struct gl_series *series = walk->series;
    const struct gl_point *last = &series->points[series->count - 1];

    if (last->until_s <= walk->ask->limits->now.unix_s && !stands_on(last))
        check_age(walk, last);
}

static struct gl_figure unknown_figure(enum gl_gap gap)
{
    return (struct gl_figure){
        .value_u = GL_UNKNOWN,
        .low_u = GL_UNKNOWN,
        .high_u = GL_UNKNOWN,
        .grade = GL_GRADE_E,
        .age_s = GL_UNKNOWN,
        .gap = gap,
    };
}

static struct gl_figure figure_of_walk(const struct walk *walk)
{
    wide length = (wide)walk->ask->until_s - walk->ask->from_s;
    int64_t needed = walk->ask->want->quantity == GL_INTENSITY ? walk->high : walk->low;

    return (struct gl_figure){
        .value_u = (int64_t)((walk->weighted + length / 2) / length),
        .low_u = walk->low,
        .high_u = walk->high,
        .grade = walk->grade,
        .series = walk->series,
        .age_s = walk->age_s,
        .gap = needed == GL_UNKNOWN ? GL_GAP_NO_BOUND : GL_GAP_NONE,
    };
}

#define SOUND_BITS 64

uint64_t gl_figure_sound(const struct gl_zone_facts *zone)
{
    uint64_t sound = 0;

    for (size_t i = 0; i < zone->count && i < SOUND_BITS; i++)
        if (is_sound(zone->series[i]))
            sound |= UINT64_C(1) << i;
    return sound;
}

/* One series over [from, until): a figure, or an unknown one with its gap. */
static struct gl_figure figure_of_series(const struct gl_figure_ask *ask, size_t index)
{
    const struct gl_series *series = ask->zone->series[index];
    struct walk walk = {.ask = ask, .series = series, .low = INT64_MAX, .age_s = GL_UNKNOWN};
    enum gl_gap gap = gl_figure_gap(&series->meaning, ask->want);
    int64_t horizon = ask->limits->now.unix_s + FUTURE_TOLERANCE_S;

    if (gap != GL_GAP_NONE)
        return unknown_figure(gap);
    if (series->count == 0)
        return unknown_figure(series->is_suspect ? GL_GAP_SUSPECT : GL_GAP_MISSING);
    if (series->is_suspect || !(index < SOUND_BITS ? (ask->sound >> index) & 1 : is_sound(series)))
        return unknown_figure(GL_GAP_SUSPECT);
    if (series->issued_s > horizon || series->retrieved_s > horizon)
        return unknown_figure(GL_GAP_FUTURE);
    walk_points(&walk);
    if (walk.gaps & bit(GL_GAP_COVERAGE))
        explain_coverage(&walk);
    return walk.gaps != 0 ? unknown_figure(most_telling(walk.gaps)) : figure_of_walk(&walk);
}

static bool is_far_apart(enum gl_quantity quantity, int64_t a, int64_t b)
{
    int64_t larger = newer(a, b), difference = a > b ? a - b : b - a;

    if (quantity == GL_INTENSITY)
        return difference > larger / CONFLICT_RATIO;
    return difference > CONFLICT_SHARE_U;
}

/* Does a series of the same meaning and grade say something else? Figures of another meaning
 * cannot be compared at all, and a worse grade does not contradict a better one. */
static bool is_contradicted(const struct gl_figure_ask *ask, const struct gl_figure *chosen)
{
    for (size_t i = 0; i < ask->zone->count; i++) {
        const struct gl_series *other = ask->zone->series[i];
        struct gl_error differs = {0};
        struct gl_figure figure;

        if (other == chosen->series || other->meaning.quantity != ask->want->quantity ||
            gl_meaning_join(&other->meaning, &chosen->series->meaning, &differs) != 0)
            continue;
        figure = figure_of_series(ask, i);
        if (figure.series != NULL && figure.grade == chosen->grade &&
            is_far_apart(ask->want->quantity, figure.value_u, chosen->value_u))
            return true;
    }
    return false;
}

/* For a rule the first that has a bound, else the first; for reports the first of the best grade.
 */
static bool is_preferred(const struct gl_figure_ask *ask, const struct gl_figure *figure,
                         const struct gl_figure *chosen)
{
    if (figure->series == NULL)
        return false;
    if (chosen->series == NULL)
        return true;
    return ask->limits->wants_best ? figure->grade < chosen->grade : figure->gap == GL_GAP_NONE;
}

struct gl_figure gl_figure_over(const struct gl_figure_ask *ask)
{
    struct gl_figure chosen = unknown_figure(GL_GAP_MISSING);
    unsigned gaps = 0;

    if (ask->from_s >= ask->until_s || is_far(ask->from_s) || is_far(ask->until_s) ||
        is_far(ask->limits->now.unix_s))
        return unknown_figure(GL_GAP_COVERAGE);
    for (size_t i = 0; i < ask->zone->count; i++) {
        struct gl_figure figure = figure_of_series(ask, i);

        gaps |= bit(figure.gap);
        if (is_preferred(ask, &figure, &chosen))
            chosen = figure;
        if (figure.gap == GL_GAP_NONE && !ask->limits->wants_best)
            break;
    }
    if (gaps & bit(GL_GAP_NOT_HOURLY)) /* that one had the grade: nearer than one below it */
        gaps &= ~bit(GL_GAP_GRADE);
    if (chosen.series == NULL)
        return unknown_figure(most_telling(gaps));
    if (is_contradicted(ask, &chosen))
        return unknown_figure(GL_GAP_CONFLICT);
    return chosen;
}

struct gl_figure gl_figure_of(const struct gl_zone_facts *zone, const struct gl_meaning *want,
                              struct gl_instant from, struct gl_instant until,
                              const struct gl_figure_limits *limits)
{
    struct gl_figure_ask ask = {zone, want, limits, from.unix_s, until.unix_s, 0};

    if (zone == NULL)
        return unknown_figure(GL_GAP_MISSING);
    ask.sound = gl_figure_sound(zone);
    return gl_figure_over(&ask);
}
