/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CONFIG_PART_H
#define GL_BROKER_CONFIG_PART_H

/* What the parts of the configuration's reader share: the file (config.c) its list of signal
 * sources (config_source.c), its clouds and their meter (config_cloud.c). */

#include "broker/config.h"
#include "policy/form.h"

/* The list as written: texts of the reader's arena, paths not yet made whole. */
struct gl_config_sources {
    struct gl_signal_config items[GL_CONFIG_SOURCES_MAX];
    size_t count;
    bool is_given;
};

extern const struct gl_form gl_config_source_form;  /* struct gl_signal_config */
extern const struct gl_type gl_config_type_sources; /* struct gl_config_sources */
extern const struct gl_type gl_config_type_checked; /* const char *: a zone or a country */

/* "~/x" is below HOME; a relative path is taken from the folder of the configuration. Fresh. */
char *gl_config_whole_path(const char *path, const char *config, const struct gl_world *world);
/* Text in single quotes, where nothing is special but the quote itself. */
void gl_config_add_quoted(struct gl_str *out, const char *text);

/* Copies of the texts, paths made whole; to be freed by gl_config_source_done(). */
struct gl_signal_config gl_config_source_dup(const struct gl_signal_config *source,
                                             const char *config, const struct gl_world *world);
void gl_config_source_done(struct gl_signal_config *source);
/* The line of a list that says the source. */
void gl_config_add_source(struct gl_str *out, const struct gl_signal_config *source);

/* `what` "key"; did you mean ...; known: ... at the key of the node. Returns -1. */
int gl_config_fail_near(const struct gl_reader *reader, const struct gl_node *node,
                        const char *what, const char *const *names, size_t count);

/* ---- clouds and the meter: config_cloud.c ---- */

struct gl_config_clouds {
    struct gl_config_cloud items[GL_CONFIG_CLOUDS_MAX];
    size_t count;
};
extern const struct gl_type gl_config_type_clouds; /* struct gl_config_clouds */
extern const struct gl_form gl_config_meter_form;  /* struct gl_carried_meter */

struct gl_config_cloud gl_config_cloud_dup(const struct gl_config_cloud *cloud);
void gl_config_cloud_done(struct gl_config_cloud *cloud);
void gl_config_add_cloud(struct gl_str *out, const struct gl_config_cloud *cloud);
struct gl_carried_meter gl_config_meter_dup(const struct gl_carried_meter *meter,
                                            const char *config, const struct gl_world *world);
void gl_config_meter_done(struct gl_carried_meter *meter);
/* Nothing when there is none. */
void gl_config_add_meter(struct gl_str *out, const struct gl_carried_meter *meter);

/* ---- thresholds of requests: config_request.c ---- */

extern const struct gl_form gl_config_request_form; /* struct gl_demand_threshold */
/* Nothing when there is none. */
void gl_config_add_request(struct gl_str *out, const struct gl_demand_threshold *threshold);

/* ---- venues of requests: config_venue.c ---- */

struct gl_config_venues {
    struct gl_config_venue items[GL_CONFIG_VENUES_MAX];
    size_t count;
};
extern const struct gl_type gl_config_type_venues; /* struct gl_config_venues */

/* Copies into `out`, its folders made whole; freed by gl_config_venues_done(). */
void gl_config_venues_take(const struct gl_config_venues *venues, const struct gl_world *world,
                           struct gl_config *out);
void gl_config_venues_done(struct gl_config *config);
/* Nothing when there are none. */
void gl_config_add_venues(struct gl_str *out, const struct gl_config *config);

#endif
