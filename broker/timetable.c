/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/timetable.h"

#include "broker/shift.h"

json_t *gl_timetable_json(const struct gl_timetable *timetable)
{
    json_t *runs = json_array();

    for (size_t i = 0; i < timetable->count; i++)
        json_array_append_new(runs, json_pack("{s:I,s:I}", "from_s",
                                              (json_int_t)timetable->runs[i].from_s, "until_s",
                                              (json_int_t)timetable->runs[i].until_s));
    return json_pack("{s:I,s:I,s:o}", "work_s", (json_int_t)timetable->work_s, "deadline_s",
                     (json_int_t)timetable->deadline_s, "runs", runs);
}

static int read_runs(const json_t *list, struct gl_timetable_kept *out, struct gl_error *err)
{
    const json_t *item;
    size_t i;

    if (json_array_size(list) > GL_TIMETABLE_RUNS_MAX)
        return gl_fail(err, GL_E_NOT_VERIFIED, "a timetable of %zu stretches",
                       json_array_size(list));
    json_array_foreach(list, i, item)
    {
        if (gl_json_int(item, "from_s", 0, INT64_MAX / 4, &out->runs[i].from_s, err) != 0 ||
            gl_json_int(item, "until_s", 0, INT64_MAX / 4, &out->runs[i].until_s, err) != 0)
            return -1;
    }
    out->timetable.count = json_array_size(list);
    out->timetable.runs = out->runs;
    return 0;
}

int gl_timetable_read(const json_t *plan, struct gl_timetable_kept *out, struct gl_error *err)
{
    const json_t *stated = json_object_get(plan, "timetable");
    struct gl_timetable *timetable = &out->timetable;
    struct gl_error why = {0};

    out->timetable = (struct gl_timetable){.count = 0};
    if (stated == NULL || json_is_null(stated))
        return 0;
    if (gl_json_int(stated, "work_s", 1, INT64_MAX / 4, &timetable->work_s, &why) != 0 ||
        gl_json_int(stated, "deadline_s", 1, INT64_MAX / 4, &timetable->deadline_s, &why) != 0 ||
        read_runs(json_object_get(stated, "runs"), out, &why) != 0)
        return gl_fail(err, GL_E_NOT_VERIFIED, "the timetable of its plan: %s", why.text);
    if (!gl_timetable_is_sound(timetable))
        return gl_fail(err, GL_E_NOT_VERIFIED, "the timetable of its plan is in disorder");
    return 0;
}

static int64_t within(int64_t at, int64_t from, int64_t until)
{
    return at < from ? from : at > until ? until : at;
}

int gl_timetable_done(struct gl_launcher *launcher, const struct gl_launch_row *row,
                      int64_t *out_done_s, struct gl_error *err)
{
    struct gl_cloud *cloud = launcher->open(launcher->cookie, row->cloud, row->zone, err);
    int64_t now_ms = launcher->world->now_ms(launcher->world->cookie), done_ms = 0;
    struct gl_shift_times times;
    int result;

    if (cloud == NULL)
        return -1;
    result = gl_shift_times(launcher, row, cloud, &times, err);
    gl_cloud_close(cloud);
    if (result != 0)
        return -1;
    now_ms = now_ms > row->started_ms ? now_ms : row->started_ms;
    for (size_t i = 0; i < times.spans.count; i++) {
        const struct gl_run_span *span = &times.spans.items[i];

        if (span->is_running)
            done_ms += within(span->until_ms, row->started_ms, now_ms) -
                       within(span->from_ms, row->started_ms, now_ms);
    }
    if (times.spans.count == 0)
        done_ms = now_ms - row->started_ms;
    gl_shift_times_done(&times);
    *out_done_s = done_ms / 1000;
    return 0;
}
