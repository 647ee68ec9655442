/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/guarantee/ensemble.h"

#include <string.h>

#include "base/mix.h"
#include "policy/guarantee/evidence.h"

_Static_assert(GL_EVIDENCE_MAX_ROWS <= GL_ENSEMBLE_MAX_PATHS, "every past issue is a path");
_Static_assert(GL_TRACK_MAX_HORIZON <= GL_ENSEMBLE_MAX_HOURS, "a track fits an ensemble");

/* Forecasts are wrong as never before: it may go on either way, and turn. */
static float astray(float surprise, size_t path, size_t ahead)
{
    return (gl_mix(path) >> (ahead / 6 % 64) & 1) != 0 ? surprise : -surprise;
}

static float within(float value, float at_most)
{
    if (value < 0)
        return 0;
    return at_most > 0 && value > at_most ? at_most : value;
}

static void fill(struct gl_arena *arena, const struct gl_track *track, const size_t *rows,
                 float at_most, struct gl_ensemble *ensemble)
{
    size_t row = gl_evidence_row(track, ensemble->start_s), hours = ensemble->hours, i, k;
    const float *path = track->path + row * track->horizon_h;
    const float surprise = gl_evidence_surprise(track, row, hours, rows, ensemble->paths);
    float *central = gl_arena_take(arena, hours * sizeof *central);
    float *value = gl_arena_take(arena, ensemble->paths * hours * sizeof *value);

    for (k = 0; k < hours; k++)
        central[k] = within(path[k], at_most);
    for (i = 0; i < ensemble->paths; i++) {
        const float *residual = track->residual + rows[i] * track->horizon_h;

        for (k = 0; k < hours; k++)
            value[i * hours + k] = within(path[k] + residual[k] + astray(surprise, i, k), at_most);
    }
    ensemble->central = central;
    ensemble->value = value;
}

size_t gl_ensemble_fill(struct gl_arena *arena, const struct gl_track *const *tracks, size_t count,
                        const struct gl_ensemble_options *options,
                        struct gl_ensemble *out_ensembles)
{
    size_t rows[GL_EVIDENCE_MAX_ROWS], row, paths, i;

    if (count == 0 || !gl_evidence_tracks_fit(tracks, count) || options->hours < 1 ||
        options->hours > tracks[0]->horizon_h)
        return 0;
    row = gl_evidence_row(tracks[0], options->now_s);
    if (row == SIZE_MAX)
        return 0;
    for (i = 0; i < count; i++)
        if (tracks[i]->known[row] == 0)
            return 0;
    paths = gl_evidence_rows(tracks, count, row, options->hours, rows);
    if (paths == 0 || paths < options->min_paths)
        return 0;
    for (i = 0; i < count; i++) {
        out_ensembles[i] = (struct gl_ensemble){
            .start_s = options->now_s, .hours = options->hours, .paths = paths};
        fill(arena, tracks[i], rows, options->at_most == NULL ? 0 : options->at_most[i],
             &out_ensembles[i]);
    }
    return paths;
}
