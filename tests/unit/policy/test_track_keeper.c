/* SPDX-License-Identifier: Apache-2.0 */
/* A track that is gone on with is, byte by byte, the one that would have been built anew. */
#include "policy/guarantee/forecast.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HOURS   (40 * 24)
#define FIRST_S (INT64_C(490000) * 3600)
#define AHEAD_H 12
#define LAG_H   2
#define ISSUES  (HOURS / 6)

struct scene {
    float value[HOURS], issued[ISSUES][24];
    uint8_t state[HOURS];
    struct gl_issue issue[ISSUES];
    struct gl_history history;
    struct gl_track_keeper keeper;
};

/* A wave with a slow swing, gaps of one, five and forty hours, and rough forecasts every six hours.
 */
static void fill(struct scene *scene, bool has_issues)
{
    memset(scene, 0, sizeof *scene);
    for (int h = 0; h < HOURS; h++) {
        bool is_missing = h % 97 == 5 || (h >= 500 && h < 505) || (h >= 700 && h < 740);

        scene->value[h] =
            (float)(200 + 80 * sin(h * 0.2618) + 40 * sin(h * 0.031) + (h * 7919 % 23));
        scene->state[h] = is_missing ? GL_HOUR_MISSING : GL_HOUR_KNOWN;
    }
    for (int i = 0; i < ISSUES; i++) {
        for (int k = 0; k < 24 && i * 6 + k < HOURS; k++)
            scene->issued[i][k] = scene->value[i * 6 + k] + (float)(k * (i % 5 - 2));
        scene->issue[i] = (struct gl_issue){.received_s = FIRST_S + (int64_t)i * 6 * 3600,
                                            .start_s = FIRST_S + (int64_t)i * 6 * 3600,
                                            .count = 24,
                                            .value = scene->issued[i]};
    }
    scene->history.actuals =
        (struct gl_actuals){.start_s = FIRST_S, .value = scene->value, .state = scene->state};
    scene->history.actuals.lag_h = LAG_H;
    scene->history.issues =
        (struct gl_issues){.count = has_issues ? ISSUES : 0, .issue = scene->issue};
}

static void know(struct scene *scene, int hour)
{
    scene->history.actuals.count = hour > LAG_H ? (size_t)(hour - LAG_H) : 0;
}

static struct gl_track_options between(int from, int until)
{
    return (struct gl_track_options){AHEAD_H, FIRST_S + (int64_t)from * 3600,
                                     FIRST_S + (int64_t)until * 3600};
}

static void assert_same(const struct gl_track *a, const struct gl_track *b)
{
    assert_int_equal(a->from_s, b->from_s);
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->hours, b->hours);
    assert_int_equal(a->lag_h, b->lag_h);
    assert_memory_equal(a->path, b->path, a->count * AHEAD_H * sizeof *a->path);
    assert_memory_equal(a->known, b->known, a->count * sizeof *a->known);
    assert_memory_equal(a->age, b->age, a->count * sizeof *a->age);
    assert_memory_equal(a->settled, b->settled, a->count * sizeof *a->settled);
    assert_memory_equal(a->hour, b->hour, a->hours * sizeof *a->hour);
    assert_memory_equal(a->state, b->state, a->hours);
    for (size_t i = 0; i < a->count; i++)
        assert_memory_equal(a->residual + i * AHEAD_H, b->residual + i * AHEAD_H,
                            a->settled[i] * sizeof *a->residual);
}

static void go_on_and_compare(bool has_issues)
{
    static struct scene scene;

    fill(&scene, has_issues);
    scene.history.keeper = &scene.keeper;
    for (int now = 300; now < HOURS; now += now % 50 == 0 ? 7 : 1) {
        struct gl_track_options options = between(250, now);
        struct gl_arena arena = {0};
        struct gl_track kept, fresh;

        know(&scene, now);
        assert_true(gl_track_of(&arena, &scene.history, &options, &kept));
        assert_true(gl_track_build(&arena, &scene.history.actuals, &scene.history.issues, &options,
                                   &fresh));
        assert_same(&kept, &fresh);
        gl_arena_done(&arena);
    }
    gl_track_keeper_done(&scene.keeper);
}

static void test_goes_on(void **state)
{
    (void)state;
    go_on_and_compare(false);
}

static void test_goes_on_with_issues(void **state)
{
    (void)state;
    go_on_and_compare(true);
}

/* A later beginning is a part of the same track; an earlier one is another track. */
static void test_parts(void **state)
{
    static struct scene scene;
    struct gl_arena arena = {0};
    struct gl_track whole, part, earlier;
    struct gl_track_options options = between(250, 600);

    (void)state;
    fill(&scene, false);
    scene.history.keeper = &scene.keeper;
    know(&scene, 600);
    assert_true(gl_track_of(&arena, &scene.history, &options, &whole));
    options = between(400, 601);
    assert_true(gl_track_of(&arena, &scene.history, &options, &part));
    assert_int_equal(part.count, 202);
    assert_ptr_equal(part.path, whole.path + 150 * AHEAD_H);
    assert_int_equal(part.hours - part.count, whole.hours - whole.count);
    options = between(100, 601);
    assert_true(gl_track_of(&arena, &scene.history, &options, &earlier));
    assert_int_equal(earlier.count, 502);
    options = between(400, 300);
    assert_false(gl_track_of(&arena, &scene.history, &options, &part));
    gl_track_keeper_done(&scene.keeper);
    gl_arena_done(&arena);
}

/* Without a keeper nothing is kept. */
static void test_without(void **state)
{
    static struct scene scene;
    struct gl_arena arena = {0};
    struct gl_track a, b;
    struct gl_track_options options = between(250, 600);

    (void)state;
    fill(&scene, true);
    know(&scene, 600);
    assert_true(gl_track_of(&arena, &scene.history, &options, &a));
    assert_true(
        gl_track_build(&arena, &scene.history.actuals, &scene.history.issues, &options, &b));
    assert_same(&a, &b);
    assert_ptr_not_equal(a.path, b.path);
    gl_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goes_on),
        cmocka_unit_test(test_goes_on_with_issues),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_without),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
