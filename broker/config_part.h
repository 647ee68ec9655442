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

/* ---- forms that hold texts and nothing else: config_texts.c ---- */

extern const struct gl_type gl_config_type_path; /* const char *: gl_config_texts_keep() */

/* Fresh copies of the texts in place of them, paths made whole; freed by gl_config_texts_done(). */
void gl_config_texts_keep(const struct gl_form *form, void *texts, const char *config,
                          const struct gl_world *world);
void gl_config_texts_done(const struct gl_form *form, void *texts);
/* The line of a list that says those that are there. */
void gl_config_add_texts(struct gl_str *out, const struct gl_form *form, const void *texts);

/* ---- signal sources: config_source.c ---- */

/* A copy that is kept; freed by gl_config_source_done(). */
struct gl_signal_config gl_config_source_dup(const struct gl_signal_config *source,
                                             const char *config, const struct gl_world *world);
void gl_config_source_done(struct gl_signal_config *source);
/* The line of a list that says the source. */
void gl_config_add_source(struct gl_str *out, const struct gl_signal_config *source);

/* `what` "key"; did you mean ...; known: ... at the key of the node. Returns -1. */
int gl_config_fail_near(const struct gl_reader *reader, const struct gl_node *node,
                        const char *what, const char *const *names, size_t count);

/* ---- clouds and venues: config_section.c ---- */

/* A map of names, each with a map of settings. */
struct gl_config_kind {
    const char *word;                /* "cloud" */
    const char *sections, *settings; /* how they are written: examples for errors */
    size_t most;                     /* sections; at most GL_CONFIG_SECTIONS_MAX */
    bool may_be_bare;                /* `hetzner:` is `hetzner: {}` */
    /* Whose section the node is: its name (and provider), and the keys of its settings (NULL = it
     * has none). -1 with a diagnosis. */
    int (*find)(const struct gl_reader *reader, const struct gl_node *node,
                struct gl_config_section *out, const struct gl_setting_key **out_keys);
};

/* Values of the reader's arena, to be kept by gl_config_sections_dup(). */
int gl_config_sections_read(const struct gl_reader *reader, const struct gl_field *field,
                            const struct gl_node *node, const struct gl_config_kind *kind,
                            struct gl_config_sections *out);
struct gl_config_sections gl_config_sections_dup(const struct gl_config_sections *sections,
                                                 const char *config, const struct gl_world *world);
void gl_config_sections_done(struct gl_config_sections *sections);
/* The line of one. */
void gl_config_add_section(struct gl_str *out, const struct gl_config_section *section);
/* `key:` and a line each; nothing when there are none. */
void gl_config_add_sections(struct gl_str *out, const char *key,
                            const struct gl_config_sections *sections);

extern const struct gl_type gl_config_type_clouds; /* struct gl_config_sections: config_cloud.c */
extern const struct gl_type gl_config_type_venues; /* the same: config_venue.c */

/* ---- the meter: config_cloud.c ---- */

extern const struct gl_form gl_config_meter_form; /* struct gl_carried_meter */

/* Nothing when there is none. */
void gl_config_add_meter(struct gl_str *out, const struct gl_carried_meter *meter);

/* ---- thresholds of requests: config_request.c ---- */

extern const struct gl_form gl_config_request_form; /* struct gl_demand_threshold */
/* Nothing when there is none. */
void gl_config_add_request(struct gl_str *out, const struct gl_demand_threshold *threshold);

#endif
