/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CONFIG_H
#define GL_BROKER_CONFIG_H

/* The configuration file, $XDG_CONFIG_HOME/greenlaunch/config.yaml, written by `greenlaunch init`
 * and changed line by line by `provider` and `source` (config_edit.h):
 *   greenlaunch_config: 1
 *   zone: SE-SE3                  # grid zone this machine stands in
 *   country: SE
 *   policies: [~/green.yaml]
 *   waivers: ~/waivers.yaml
 *   sources: [neso, energy-charts, {file: ~/grid.csv, zone: DE}, energinet]
 *   # a secret is named, never written: the environment variable or the file that holds it
 *   # - {source: electricity-maps, key_env: EM_TOKEN}
 *   # - {source: watttime, key_file: ~/.watttime}
 *   places: [{name: cellar, zone: DE}, {name: attic, zone: FR, folder: /mnt/attic}]
 *   clouds: {aws: {profile: green}, hetzner: {}}
 *   meter: {url: https://meters.example/greenlaunch-meter, sha256: ...}
 *   account: org/{team}/{project}  # what launches are charged to (docs/budgets.md)
 *   reserve_at: 95%                # quantile of its futures that a launch reserves
 *   request: {refused: 5, days: 3} # when demand is worth a request (docs/requests.md)
 *   venues: {email: {from: me@example.com}, aws/email: {to: team@example.com}}
 * Unknown keys are errors with file:line:column. Holds no secret. */

#include "base/world.h"
#include "policy/demand.h"
#include "providers/cloud/cloud.h"
#include "providers/cloud/userdata.h"
#include "providers/signal/store.h"
#include "providers/venue/venue.h"

#define GL_CONFIG_SOURCES_MAX  16
#define GL_CONFIG_POLICIES_MAX 8
#define GL_CONFIG_CLOUDS_MAX   16
#define GL_CONFIG_SETTINGS_MAX 24
#define GL_CONFIG_VENUES_MAX   32
#define GL_CONFIG_SECTIONS_MAX 32 /* the larger of the two */

/* What a cloud or a venue of requests is set to. Never a secret: those have their environment
 * variables. */
struct gl_config_section {
    const char *name;     /* of the registry: "aws", "email" */
    const char *provider; /* of the venue "aws/email", a constant; NULL = all, and of clouds */
    size_t setting_count;
    struct gl_setting settings[GL_CONFIG_SETTINGS_MAX]; /* names of its keys, fresh values */
};
struct gl_config_sections {
    size_t count;
    struct gl_config_section items[GL_CONFIG_SECTIONS_MAX];
};

struct gl_config {
    char *path;           /* it was read from; NULL = there is none */
    char *zone, *country; /* NULL = not said */
    char *policies[GL_CONFIG_POLICIES_MAX + 1];
    char *waivers;
    size_t source_count;
    bool has_sources; /* false = the default order */
    struct gl_signal_config sources[GL_CONFIG_SOURCES_MAX];
    size_t place_count; /* of the local cloud; 0 = one, in `zone` */
    struct gl_cloud_place places[GL_CLOUD_PLACES_MAX];
    struct gl_config_sections clouds;   /* that are to be used at all, beside local */
    struct gl_carried_meter meter;      /* of rented machines; all NULL = none */
    char *account;                      /* tree of accounts; NULL = the built-in one */
    int64_t reserve_ppm;                /* policy/budget_reserve.h; 0 = the built-in one */
    struct gl_demand_threshold request; /* a member 0 = the built-in one */
    struct gl_config_sections venues;
};

/* Read `path`, or the default place when NULL (absent there is fine: an empty configuration).
 * Errors: CONFIG (unknown keys too), SYNTAX, BAD_VALUE, DUPLICATE_KEY with position; IO. */
int gl_config_read(const char *path, const struct gl_world *world, struct gl_config *out,
                   struct gl_error *err);
/* The same of a text; `path` is what it is called, and where its relative paths lie. */
int gl_config_read_text(struct gl_view text, const char *path, const struct gl_world *world,
                        struct gl_config *out, struct gl_error *err);
/* The default path, fresh; NULL when neither XDG_CONFIG_HOME nor HOME is set. */
char *gl_config_path(const struct gl_world *world);
/* A configuration as the text of a file, appended: the same text, the same meaning. */
void gl_config_text(const struct gl_config *config, struct gl_str *out);
/* Write a configuration (for init); refuses to replace an existing file unless `is_forced`. */
int gl_config_write(const char *path, const struct gl_config *config, bool is_forced,
                    struct gl_error *err);
/* The settings of a cloud; NULL when it was not added. */
const struct gl_config_section *gl_config_cloud(const struct gl_config *config, const char *name);
/* The settings of a venue, of that provider or (NULL) of all; NULL when nothing is said. */
const struct gl_config_section *gl_config_venue(const struct gl_config *config,
                                                const char *provider, const char *venue);
/* The value of a setting; NULL when it is not set, or of no section (NULL). */
const char *gl_config_setting(const struct gl_config_section *section, const char *name);

/* ---- changing what was read ---- */

/* The settings of a cloud, empty when it is new; `name` is of the registry. NULL: CONFIG, too many
 * clouds. */
struct gl_config_section *gl_config_cloud_add(struct gl_config *config, const char *name,
                                              struct gl_error *err);
void gl_config_cloud_drop(struct gl_config *config, const char *name);
/* Set what a key (a constant) says; "" = no more. USAGE: too many settings. */
int gl_config_set(struct gl_config_section *section, const char *key, const char *value,
                  struct gl_error *err);

void gl_config_done(struct gl_config *config);

#endif
