/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_SIGNAL_ADAPTER_H
#define GL_PROVIDERS_SIGNAL_ADAPTER_H

/* What the adapters share, and nobody else: their declarations and the few steps each of them would
 * otherwise write again. */

#include "providers/signal/signal.h"

extern const struct gl_signal_ops gl_signal_builtin;
extern const struct gl_signal_ops gl_signal_file;
extern const struct gl_signal_ops gl_signal_neso;
extern const struct gl_signal_ops gl_signal_energy_charts;
extern const struct gl_signal_ops gl_signal_energinet;
extern const struct gl_signal_ops gl_signal_electricity_maps;
extern const struct gl_signal_ops gl_signal_watttime;
extern const struct gl_signal_ops gl_signal_carbon_aware;
extern const struct gl_signal_ops gl_signal_entsoe;
extern const struct gl_signal_ops gl_signal_eia;
extern const struct gl_signal_ops gl_signal_ember;
extern const struct gl_signal_ops gl_signal_oracle;

/* How many intervals one answer may hold: 96 hours of five minutes, with room. */
#define GL_SIGNAL_MAX_POINTS 20000

/* Solar, wind, hydro, geothermal, biomass: what Electricity Maps and most grid operators count as
 * renewable. Carbon-free adds nuclear. */
#define GL_OF_RENEWABLE (GL_OF_SOLAR | GL_OF_WIND | GL_OF_HYDRO | GL_OF_GEOTHERMAL | GL_OF_BIOMASS)

/* What a series is called, and for an answer what was asked. */
struct gl_signal_label {
    const struct gl_signal_ops *ops; /* provider, licence and credit line */
    const char *zone;
    const char *dataset;
    struct gl_instant retrieved;
    const struct gl_signal_query *query;
    unsigned request;
};

/* gl_signal_add() and the label filled in; count is 0, issue time and bounds unknown. */
struct gl_series *gl_signal_begin(struct gl_signal_result *result, size_t points,
                                  const struct gl_signal_label *label,
                                  const struct gl_meaning *meaning);

/* An unknown point of [from, until): no value, bounds or update time. */
struct gl_point gl_signal_point(int64_t from_s, int64_t until_s, enum gl_evidence evidence);

/* How far a published figure of the recent past still moves: 11.4 % is the 95th percentile of the
 * change between the first and the last publication of an hour, in 502,298 polls of 47 grids
 * (docs/signals.md). */
#define GL_REVISION_PPM      114000
#define GL_REVISION_PERMILLE 950

/* Bounds of an observed intensity, +-GL_REVISION_PPM; a negative value is left without. */
void gl_signal_bound_observed(struct gl_point *point);

/* Bounds of an observed share: +-GL_REVISION_PPM of the part that it leaves. */
void gl_signal_bound_share(struct gl_point *point);

/* WattTime's region of a zone where it is the same area; NULL when there is none or several. */
const char *gl_watttime_region(const char *zone);

/* Millionths of a finite number, rounded; -1 when it is not finite or beyond 1e9. */
int gl_signal_micro(double number, int64_t *out);

/* Parse an answer: its bytes as a JSON object (an empty one is UNKNOWN_DATA, an error report sent
 * with status 200 BAD_REPLY), then `read`, which adds series. What it added before it failed is
 * dropped. */
typedef int gl_signal_reader(json_t *root, const struct gl_signal_label *label,
                             struct gl_signal_result *result, struct gl_error *err);
int gl_signal_parse(const struct gl_signal_label *label, struct gl_view bytes,
                    gl_signal_reader *read, struct gl_signal_result *result, struct gl_error *err);
/* The same of a source whose answers are JSON arrays. */
int gl_signal_parse_list(const struct gl_signal_label *label, struct gl_view bytes,
                         gl_signal_reader *read, struct gl_signal_result *result,
                         struct gl_error *err);

/* A member that is a time with its zone, in Unix seconds; BAD_REPLY otherwise. */
int gl_signal_time(const json_t *object, const char *key, int64_t *out_s, struct gl_error *err);

/* Move all series of *from to the end of *to; *from is empty afterwards. */
void gl_signal_result_take(struct gl_signal_result *to, struct gl_signal_result *from);

/* Mark a series as never to be used; the first reason stays. */
void gl_series_suspect(struct gl_series *series, const char *why);

/* The largest believable figure of a meaning, in millionths. */
int64_t gl_series_ceiling(const struct gl_meaning *meaning);

/* Give the points of a series that lack an end one: the smallest distance between two starts, so
 * that a longer one stays a gap. Points are sorted on the way. -1 with BAD_VALUE when that distance
 * is not known or longer than `max_s`. */
int gl_series_close(struct gl_series *series, int64_t max_s, struct gl_error *err);

#endif
