/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/config_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "policy/budget.h"
#include "policy/budget_reserve.h"

#define ZONE_MAX 39 /* struct gl_signal_query.zone */

/* The file as written: texts of the arena, paths not yet made whole. */
struct draft {
    const char *zone, *country, *waivers;
    const char *policies[GL_CONFIG_POLICIES_MAX];
    size_t policy_count;
    struct gl_config_sources sources;
    struct gl_cloud_place places[GL_CLOUD_PLACES_MAX];
    size_t place_count;
    struct gl_config_sections clouds, venues;
    struct gl_carried_meter meter;
    const char *account;
    int64_t reserve_ppm;
    struct gl_demand_threshold request;
};

/* ---- values ---- */

/* As the names that a series file may hold. */
static const char zone_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_:.";

static bool is_zone(const char *text)
{
    size_t length = strspn(text, zone_letters);

    return length > 0 && length <= ZONE_MAX && text[length] == '\0';
}

static bool is_country(const char *text)
{
    return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 2 && text[2] == '\0';
}

/* A text that `is_good`, else an error that shows an example. */
static int read_checked(const struct gl_reader *reader, const struct gl_field *field,
                        const struct gl_node *node, void *slot)
{
    bool is_zone_field = strcmp(field->name, "zone") == 0;
    const char *text = gl_value_text(reader, field->name, node, GL_TEXT_MAX);
    char shown[GL_TEXT_SHOWN];

    if (text == NULL)
        return -1;
    if (!(is_zone_field ? is_zone(text) : is_country(text)))
        return gl_diagnose(&reader->source, &node->mark, GL_E_CONFIG, "%s: \"%s\" is no %s",
                           field->name, gl_text_show(text, shown),
                           is_zone_field ? "grid zone, as in SE-SE3"
                                         : "country, two letters as in SE");
    *(const char **)slot = gl_arena_text(reader->arena, text, strlen(text));
    return 0;
}

const struct gl_type gl_config_type_checked = {read_checked, NULL, false};

static int read_account(const struct gl_reader *reader, const struct gl_field *field,
                        const struct gl_node *node, void *slot)
{
    const char *text = gl_value_text(reader, field->name, node, GL_ACCOUNT_PATH - 1);

    if (text == NULL)
        return -1;
    if (!gl_account_is_pattern(text))
        return gl_diagnose(&reader->source, &node->mark, GL_E_CONFIG,
                           "%s is a tree of accounts, as in org/{team}/{project}", field->name);
    *(const char **)slot = gl_arena_text(reader->arena, text, strlen(text));
    return 0;
}

static int read_reserve(const struct gl_reader *reader, const struct gl_field *field,
                        const struct gl_node *node, void *slot)
{
    const char *text = gl_value_text(reader, field->name, node, 16);
    struct gl_error why = {0};
    int64_t ppm;

    if (text == NULL)
        return -1;
    if (gl_quantity_parse(GL_DIM_SHARE, text, &ppm, &why) != 0 || ppm < GL_RESERVE_LEAST_PPM ||
        ppm > GL_RESERVE_MOST_PPM)
        return gl_diagnose(&reader->source, &node->mark, GL_E_CONFIG,
                           "%s is how sure a reservation is, 50%% to 99.9%%, as in 95%%",
                           field->name);
    *(int64_t *)slot = ppm;
    return 0;
}

/* One path or a list of them. */
static int read_policies(const struct gl_reader *reader, const struct gl_field *field,
                         const struct gl_node *node, void *slot)
{
    struct draft *draft = slot;
    const struct gl_node *item = node->kind == GL_NODE_LIST ? node->first : node;

    while (item != NULL) {
        const char *text = gl_value_text(reader, field->name, item, GL_TEXT_MAX);

        if (text == NULL)
            return -1;
        if (draft->policy_count == GL_CONFIG_POLICIES_MAX)
            return gl_diagnose(&reader->source, &item->mark, GL_E_CONFIG,
                               "more than %d policies; let one include the others",
                               GL_CONFIG_POLICIES_MAX);
        draft->policies[draft->policy_count++] = gl_arena_text(reader->arena, text, strlen(text));
        item = node->kind == GL_NODE_LIST ? item->next : NULL;
    }
    return 0;
}

/* ---- places ---- */

#define PLACE(member) offsetof(struct gl_cloud_place, member)
static const struct gl_field place_fields[] = {
    {.name = "name",
     .type = &gl_type_text,
     .offset = PLACE(name),
     .is_needed = true,
     .help = "Name of a region of the local cloud"},
    {.name = "zone",
     .type = &gl_config_type_checked,
     .offset = PLACE(zone),
     .is_needed = true,
     .help = "Grid zone that it stands in"},
    {.name = "folder",
     .type = &gl_config_type_path,
     .offset = PLACE(folder),
     .help = "Where it keeps suspended machines"},
    {.name = NULL},
};
static const struct gl_form place_form = {.what = "a place", .fields = place_fields};

static int read_places(const struct gl_reader *reader, const struct gl_field *field,
                       const struct gl_node *node, void *slot)
{
    struct draft *draft = slot;
    int result = 0;

    if (node->kind != GL_NODE_LIST)
        return gl_diagnose(&reader->source, &node->mark, GL_E_CONFIG,
                           "%s is a list, as in [{name: cellar, zone: DE}]", field->name);
    for (const struct gl_node *item = node->first; item != NULL; item = item->next) {
        if (draft->place_count == GL_CLOUD_PLACES_MAX)
            return gl_diagnose(&reader->source, &item->mark, GL_E_CONFIG, "more than %d places",
                               GL_CLOUD_PLACES_MAX);
        result |= gl_form_read(reader, &place_form, item, &draft->places[draft->place_count++]);
    }
    return result;
}

/* ---- the file ---- */

static const struct gl_type type_policies = {read_policies, NULL, false};
static const struct gl_type type_places = {read_places, NULL, false};
static const struct gl_type type_account = {read_account, NULL, false};
static const struct gl_type type_reserve = {read_reserve, NULL, false};

#define CONFIG(member) offsetof(struct draft, member)
static const struct gl_field config_fields[] = {
    {.name = "greenlaunch_config",
     .type = &gl_type_version,
     .is_needed = true,
     .help = "Version of the form"},
    {.name = "zone",
     .type = &gl_config_type_checked,
     .offset = CONFIG(zone),
     .help = "Grid zone this machine stands in"},
    {.name = "country",
     .type = &gl_config_type_checked,
     .offset = CONFIG(country),
     .help = "Country this machine stands in"},
    {.name = "policies", .type = &type_policies, .help = "Policy files"},
    {.name = "waivers", .type = &gl_type_text, .offset = CONFIG(waivers), .help = "Waiver file"},
    {.name = "sources",
     .type = &gl_config_type_sources,
     .offset = CONFIG(sources),
     .help = "Signal sources, best first"},
    {.name = "places", .type = &type_places, .help = "Regions of the local cloud"},
    {.name = "clouds",
     .type = &gl_config_type_clouds,
     .offset = CONFIG(clouds),
     .help = "Clouds that launches may go to, with their settings"},
    {.name = "meter",
     .type = &gl_type_form,
     .offset = CONFIG(meter),
     .form = &gl_config_meter_form,
     .help = "How a rented machine gets its meter"},
    {.name = "account",
     .type = &type_account,
     .offset = CONFIG(account),
     .help = "Account that launches are charged to"},
    {.name = "reserve_at",
     .type = &type_reserve,
     .offset = CONFIG(reserve_ppm),
     .help = "Quantile of a launch's futures that its budget reserves; else 95%"},
    {.name = "request",
     .type = &gl_type_form,
     .offset = CONFIG(request),
     .form = &gl_config_request_form,
     .help = "When unmet demand is worth a request"},
    {.name = "venues",
     .type = &gl_config_type_venues,
     .offset = CONFIG(venues),
     .help = "Settings of the places that requests go to; no secrets"},
    {.name = NULL},
};
static const struct gl_form config_form = {.what = "the configuration", .fields = config_fields};

static int read_draft(struct gl_view text, const char *name, struct gl_arena *arena,
                      struct draft *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct gl_diagnostics *diagnostics = gl_alloc(sizeof *diagnostics);
    struct gl_reader reader = {gl_source_of(text, name, diagnostics), arena};
    const struct gl_error *first = &diagnostics->errors[0];
    const struct gl_node *node;

    if (text.text[strspn(text.text, " \t\r\n")] == '\0')
        return gl_fail(err, GL_E_CONFIG, "%s is empty: its first line is greenlaunch_config: 1",
                       name);
    node = gl_yaml_read(&reader.source, arena);
    if (node != NULL)
        gl_form_read(&reader, &config_form, node, out);
    if (gl_diagnosed(diagnostics) == 0)
        return 0;
    /* The remedy of UNKNOWN_KEY is for policies. */
    return gl_fail_at(err, first->code == GL_E_UNKNOWN_KEY ? GL_E_CONFIG : first->code, &first->pos,
                      "%s", first->text);
}

/* ---- paths ---- */

static const char *environment(const struct gl_world *world, const char *name)
{
    return world->getenv(world->cookie, name);
}

/* "~/x" is below HOME; a relative path is taken from the folder of the configuration. */
char *gl_config_whole_path(const char *path, const char *config, const struct gl_world *world)
{
    const char *home = environment(world, "HOME");
    const char *slash = strrchr(config, '/');
    struct gl_str whole = {0};

    if (strncmp(path, "~/", 2) == 0 && home != NULL)
        return gl_path_join(home, path + 2);
    if (path[0] == '/' || slash == NULL)
        return gl_strdup(path);
    gl_str_addf(&whole, "%.*s/%s", (int)(slash - config), config, path);
    return gl_str_take(&whole);
}

char *gl_config_path(const struct gl_world *world)
{
    const char *folder = environment(world, "XDG_CONFIG_HOME");
    const char *home = environment(world, "HOME");

    if (folder != NULL && folder[0] == '/')
        return gl_path_join(folder, "greenlaunch/config.yaml");
    if (home != NULL && home[0] == '/')
        return gl_path_join(home, ".config/greenlaunch/config.yaml");
    return NULL;
}

/* ---- reading ---- */

static char *dup_or_null(const char *text)
{
    return text != NULL ? gl_strdup(text) : NULL;
}

static void take_places(const struct draft *draft, const char *path, const struct gl_world *world,
                        struct gl_config *out)
{
    out->place_count = draft->place_count;
    for (size_t i = 0; i < draft->place_count; i++) {
        out->places[i] = draft->places[i];
        gl_config_texts_keep(&place_form, &out->places[i], path, world);
    }
}

static void take_draft(const struct draft *draft, const char *path, const struct gl_world *world,
                       struct gl_config *out)
{
    *out = (struct gl_config){
        .path = gl_strdup(path),
        .zone = dup_or_null(draft->zone),
        .country = dup_or_null(draft->country),
        .waivers =
            draft->waivers != NULL ? gl_config_whole_path(draft->waivers, path, world) : NULL,
        .source_count = draft->sources.count,
        .has_sources = draft->sources.is_given,
    };
    for (size_t i = 0; i < draft->policy_count; i++)
        out->policies[i] = gl_config_whole_path(draft->policies[i], path, world);
    for (size_t i = 0; i < draft->sources.count; i++)
        out->sources[i] = gl_config_source_dup(&draft->sources.items[i], path, world);
    take_places(draft, path, world, out);
    out->clouds = gl_config_sections_dup(&draft->clouds, path, world);
    out->venues = gl_config_sections_dup(&draft->venues, path, world);
    out->meter = draft->meter;
    gl_config_texts_keep(&gl_config_meter_form, &out->meter, path, world);
    out->account = dup_or_null(draft->account);
    out->reserve_ppm = draft->reserve_ppm;
    out->request = draft->request;
}

int gl_config_read_text(struct gl_view text, const char *path, const struct gl_world *world,
                        struct gl_config *out, struct gl_error *err)
{
    GL_AUTO(gl_arena_done) struct gl_arena arena = {0};
    struct draft draft = {0};

    if (read_draft(text, path, &arena, &draft, err) != 0)
        return -1;
    take_draft(&draft, path, world, out);
    return 0;
}

static int read_file(const char *path, const struct gl_world *world, struct gl_config *out,
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    size_t length;

    if (gl_file_read_given(path, GL_POLICY_MAX_BYTES, &text, &length, err) != 0)
        return -1;
    return gl_config_read_text((struct gl_view){text, length}, path, world, out, err);
}

int gl_config_read(const char *path, const struct gl_world *world, struct gl_config *out,
                   struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *standard = path == NULL ? gl_config_path(world) : NULL;

    if (path == NULL && (standard == NULL || !gl_file_exists(standard))) {
        *out = (struct gl_config){0};
        return 0;
    }
    if (path != NULL && !gl_file_exists(path) && strcmp(path, "-") != 0)
        return gl_fail(err, GL_E_USAGE, "--config %s: there is no such file", path);
    return read_file(path != NULL ? path : standard, world, out, err);
}

/* ---- writing ---- */

/* In single quotes nothing is special but the quote itself. */
void gl_config_add_quoted(struct gl_str *out, const char *text)
{
    gl_str_add_char(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            gl_str_add_char(out, '\'');
        gl_str_add_char(out, *text);
    }
    gl_str_add_char(out, '\'');
}

static void add_line(struct gl_str *out, const char *key, const char *value)
{
    if (value == NULL)
        return;
    gl_str_addf(out, "%s: ", key);
    gl_config_add_quoted(out, value);
    gl_str_add_char(out, '\n');
}

void gl_config_text(const struct gl_config *config, struct gl_str *out)
{
    gl_str_add(out, "greenlaunch_config: 1\n");
    add_line(out, "zone", config->zone);
    add_line(out, "country", config->country);
    if (config->policies[0] != NULL)
        gl_str_add(out, "policies:\n");
    for (size_t i = 0; config->policies[i] != NULL; i++) {
        gl_str_add(out, "  - ");
        gl_config_add_quoted(out, config->policies[i]);
        gl_str_add_char(out, '\n');
    }
    add_line(out, "waivers", config->waivers);
    if (config->has_sources)
        gl_str_add(out, config->source_count > 0 ? "sources:\n" : "sources: []\n");
    for (size_t i = 0; i < config->source_count; i++)
        gl_config_add_source(out, &config->sources[i]);
    if (config->place_count > 0)
        gl_str_add(out, "places:\n");
    for (size_t i = 0; i < config->place_count; i++)
        gl_config_add_texts(out, &place_form, &config->places[i]);
    gl_config_add_sections(out, "clouds", &config->clouds);
    gl_config_add_meter(out, &config->meter);
    add_line(out, "account", config->account);
    if (config->reserve_ppm > 0)
        gl_str_addf(out, "reserve_at: %.6g%%\n", (double)config->reserve_ppm / 1e4);
    gl_config_add_request(out, &config->request);
    gl_config_add_sections(out, "venues", &config->venues);
}

int gl_config_write(const char *path, const struct gl_config *config, bool is_forced,
                    struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = gl_strdup(path);
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    char *slash = strrchr(folder, '/');

    if (!is_forced && gl_file_exists(path))
        return gl_fail(err, GL_E_CONFIG, "%s exists already; --force replaces it", path);
    if (slash != NULL && slash != folder) {
        *slash = '\0';
        if (gl_dir_make(folder, err) != 0)
            return -1;
    }
    gl_config_text(config, &text);
    return gl_file_write(path, gl_str_text(&text), text.length, 0600, err);
}

void gl_config_done(struct gl_config *config)
{
    free(config->path);
    free(config->zone);
    free(config->country);
    free(config->waivers);
    for (size_t i = 0; config->policies[i] != NULL; i++)
        free(config->policies[i]);
    for (size_t i = 0; i < config->source_count; i++)
        gl_config_source_done(&config->sources[i]);
    for (size_t i = 0; i < config->place_count; i++)
        gl_config_texts_done(&place_form, &config->places[i]);
    gl_config_sections_done(&config->clouds);
    gl_config_sections_done(&config->venues);
    gl_config_texts_done(&gl_config_meter_form, &config->meter);
    free(config->account);
    *config = (struct gl_config){0};
}
