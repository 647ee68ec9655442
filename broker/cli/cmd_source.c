/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/file.h"
#include "broker/cli/sources.h"
#include "broker/render/table.h"
#include "broker/render/text.h"

#define NAMES_MAX 32

static const struct gl_option options[] = {
    {"zone", 0, GL_OPT_TEXT, offsetof(struct gl_source_values, zone), "ZONE",
     "check: the grid zone to ask about", NULL, NULL, NULL, 0, 0, 0, "zone"},
    {"last", 0, GL_OPT_FLAG, offsetof(struct gl_source_values, is_last), NULL,
     "add: ask it after the others, not before them", NULL, NULL, NULL, 0, 0, 0, NULL},
    {0},
};

const struct gl_signal_config *gl_sources_asked(const struct gl_context *context, size_t *out_count)
{
    if (!context->config.has_sources)
        return gl_context_default_sources(out_count);
    *out_count = context->config.source_count;
    return context->config.sources;
}

int gl_sources_fail_name(const char *name, struct gl_error *err)
{
    const char *names[NAMES_MAX];
    size_t count;
    const struct gl_signal_ops *const *known = gl_signal_registry(&count);

    count = count < NAMES_MAX ? count : NAMES_MAX;
    for (size_t i = 0; i < count; i++)
        names[i] = known[i]->name;
    return gl_setup_fail_name("signal source", name, names, count, err);
}

bool gl_sources_keys(const struct gl_context *context, const struct gl_signal_config *source,
                     struct gl_str *out)
{
    const struct gl_signal_ops *ops = gl_signal_find(source->name);
    const struct gl_world *world = &context->world;
    bool has_all = true;

    if (ops->signer != NULL)
        return ops->signer->look(source, world, out);
    if (ops->keys == NULL) {
        gl_str_add(out, "none needed");
        return true;
    }
    if (source->key_file != NULL) {
        has_all = gl_file_exists(source->key_file);
        gl_str_addf(out, "%s %s", source->key_file, has_all ? "found" : "is not there");
        return has_all;
    }
    for (const struct gl_signal_key *key = ops->keys; key->variable != NULL; key++) {
        const char *other = key->is_user ? source->user_env : source->key_env;
        const char *name = other != NULL ? other : key->variable;
        const char *value = world->getenv(world->cookie, name);
        bool is_set = value != NULL && value[0] != '\0';

        gl_str_addf(out, "%s$%s %s", key != ops->keys ? ", " : "", name,
                    is_set ? "found" : "not set");
        has_all = has_all && is_set;
    }
    return has_all;
}

/* ---- list ---- */

static const struct gl_column columns[] = {
    {"NUMBER", true, 0}, {"SOURCE", false, 0}, {"KEY", false, 0}, {"LICENCE", false, 9}};
#define COLUMNS (sizeof columns / sizeof columns[0])

/* `number` 0: it is not asked. */
static json_t *add_row(struct gl_context *context, struct gl_table *table,
                       const struct gl_signal_config *source, size_t number)
{
    const struct gl_signal_ops *ops = gl_signal_find(source->name);
    GL_AUTO(gl_str_done) struct gl_str keys = {0};
    bool has_keys = gl_sources_keys(context, source, &keys);
    bool is_last = strcmp(source->name, "builtin") == 0;
    char text[24];

    snprintf(text, sizeof text, "%zu", number);
    gl_table_row(table,
                 (const char *const[COLUMNS]){number > 0 ? text
                                              : is_last  ? "last"
                                                         : "-",
                                              source->path != NULL ? source->path : source->name,
                                              gl_str_text(&keys), ops->licence});
    return json_pack("{s:s,s:s,s:o,s:b,s:s,s:b,s:s,s:s,s:s?,s:s?,s:s?}", "source", source->name,
                     "title", ops->title, "number",
                     number > 0 ? json_integer((json_int_t)number) : json_null(), "asked",
                     number > 0 || is_last, "keys", gl_str_text(&keys), "has_keys", has_keys,
                     "licence", ops->licence, "homepage", ops->homepage, "endpoint",
                     source->endpoint, "zone", source->zone, "file", source->path);
}

static bool is_asked(const struct gl_signal_config *asked, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(asked[i].name, name) == 0)
            return true;
    return false;
}

int gl_source_list(struct gl_context *context, const struct gl_source_call *call,
                   struct gl_error *err)
{
    struct gl_table *table = gl_table_new(columns, COLUMNS);
    size_t count, known_count;
    const struct gl_signal_config *asked = gl_sources_asked(context, &count);
    const struct gl_signal_ops *const *known = gl_signal_registry(&known_count);
    json_t *list = json_array();

    (void)call, (void)err;
    context->reply.data =
        json_pack("{s:o,s:b}", "sources", list, "default", !context->config.has_sources);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, add_row(context, table, &asked[i], i + 1));
    for (size_t i = 0; i < known_count; i++) {
        const struct gl_signal_config bare = {.name = known[i]->name};

        if (!is_asked(asked, count, bare.name))
            json_array_append_new(list, add_row(context, table, &bare, 0));
    }
    gl_table_text(table, context->columns, context->globals.is_accessible, &context->reply.text);
    gl_table_free(table);
    gl_render_wrap(context->config.has_sources
                       ? "They are believed in the order of their numbers; - is not asked."
                       : "The configuration lists none: these are the ones that are asked then, in "
                         "the order of their numbers; - is not asked.",
                   0, context->columns, &context->reply.text);
    gl_str_add(&context->reply.text, "\nNext:\n");
    gl_setup_step(context, "do they answer?", (const char *const[]){"source", "check", NULL});
    return GL_EXIT_OK;
}

/* ---- the command ---- */

static const struct action {
    const char *name;
    enum { NO_SOURCE, MAY_NAME, MUST_NAME } naming;
    bool takes_words;
    int (*run)(struct gl_context *context, const struct gl_source_call *call, struct gl_error *err);
} actions[] = {
    {"list", NO_SOURCE, false, gl_source_list},
    {"add", MUST_NAME, true, gl_source_add},
    {"check", MAY_NAME, false, gl_source_check},
    {"remove", MUST_NAME, false, gl_source_remove},
};
#define ACTIONS (sizeof actions / sizeof *actions)

static const struct action *find_action(const char *word, struct gl_error *err)
{
    const char *names[ACTIONS], *nearest;
    char shown[GL_TEXT_SHOWN];

    for (size_t i = 0; i < ACTIONS; i++) {
        names[i] = actions[i].name;
        if (strcmp(names[i], word) == 0)
            return &actions[i];
    }
    nearest = gl_text_nearest(word, names, ACTIONS);
    gl_fail(err, GL_E_USAGE, "source can list, add, check and remove, not \"%s\"%s%s%s",
            gl_text_show(word, shown), nearest != NULL ? "; did you mean " : "",
            nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
    return NULL;
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct gl_operands *operands = call->operands;
    const struct gl_source_values *values = call->values;
    struct gl_source_call asked = {.values = values};
    const struct action *action;

    if (operands->count == 0)
        return gl_help_operands(&gl_command_source, call, 1, 64, err);
    action = find_action(operands->words[0], err);
    if (action == NULL || gl_help_operands(&gl_command_source, call, 1,
                                           action->naming == NO_SOURCE ? 1
                                           : action->takes_words       ? 64
                                                                       : 2,
                                           err) != 0)
        return -1;
    if (action->naming == MUST_NAME && operands->count < 2)
        return gl_fail(err, GL_E_USAGE,
                       "source %s: which one? All of them: greenlaunch source list", action->name);
    if (values->zone != NULL && action->run != gl_source_check)
        return gl_fail(err, GL_E_USAGE,
                       "--zone is for check; a source's own zone is a setting: "
                       "zone=ZONE");
    if (values->is_last && action->run != gl_source_add)
        return gl_fail(err, GL_E_USAGE, "--last is for add");
    asked.name = operands->count > 1 ? operands->words[1] : NULL;
    if (operands->count > 2) {
        asked.words = operands->words + 2;
        asked.word_count = operands->count - 2;
    }
    return action->run(context, &asked, err);
}

const struct gl_command gl_command_source = {
    .name = "source",
    .group = "Set up",
    .summary = "add, check and remove the sources of grid signals",
    .operands = "list|add|check|remove [SOURCE] [KEY=VALUE...]",
    .description =
        "list shows every source of carbon intensity and shares: its place in the order in which "
        "they are believed, the key that it needs and whether that was found, its licence. add "
        "writes a source into the configuration, before the others or with --last after them: it "
        "shows the lines that change, leaves all others as they are, and asks (--yes answers). "
        "Settings are those of docs/signals.md, as in endpoint=URL, zone=ZONE, file=PATH; a key is "
        "never written, only where it is: key_env=VARIABLE or key_file=PATH. check asks each "
        "source "
        "about one zone and shows what its figures mean, how old they are and under which licence "
        "they come. remove takes a source out, by name or number. check ends with 4 when a key is "
        "missing or refused, 5 when a source does not answer, 8 when it has nothing to say, 10 "
        "when some do well and others do not.",
    .example = "$ greenlaunch source list\n"
               "NUMBER  SOURCE            KEY",
    .options = options,
    .values_size = sizeof(struct gl_source_values),
    .run = run,
};
