/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/context.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "base/wrap.h"
#include "broker/hint.h"
#include "broker/hook/escape.h"
#include "broker/ledger_file.h"

static const char *environment(const struct gl_context *context, const char *name)
{
    return context->world.getenv(context->world.cookie, name);
}

/* ---- state ---- */

static char *state_path(const struct gl_context *context)
{
    const char *state = environment(context, "XDG_STATE_HOME");
    const char *home = environment(context, "HOME");
    struct gl_str path = {0};

    if (context->globals.state != NULL)
        return gl_strdup(context->globals.state);
    if (state != NULL && state[0] == '/')
        gl_str_addf(&path, "%s/greenlaunch", state);
    else if (home != NULL && home[0] == '/')
        gl_str_addf(&path, "%s/.local/state/greenlaunch", home);
    else
        return NULL;
    return gl_str_take(&path);
}

const char *gl_context_state(struct gl_context *context, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = NULL;

    if (context->state_folder != NULL)
        return context->state_folder;
    path = state_path(context);
    if (path == NULL) {
        gl_fail(
            err, GL_E_CONFIG,
            "no place for the ledger: neither XDG_STATE_HOME nor HOME is set to an absolute path");
        return NULL;
    }
    if (gl_dir_make(path, err) != 0) {
        gl_wrap(err, "cannot make the state folder %s", path);
        return NULL;
    }
    context->state_folder = gl_strdup(path);
    return context->state_folder;
}

static char *ledger_path(struct gl_context *context, struct gl_error *err)
{
    const char *folder = gl_context_state(context, err);

    return folder != NULL ? gl_path_join(folder, "ledger.db") : NULL;
}

struct gl_ledger *gl_context_ledger(struct gl_context *context, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = NULL;

    if (context->ledger != NULL)
        return context->ledger;
    path = ledger_path(context, err);
    if (path != NULL)
        context->ledger = gl_ledger_open(path, &context->world, 0, err);
    return context->ledger;
}

bool gl_context_has_ledger(const struct gl_context *context)
{
    GL_AUTO(gl_auto_free) char *folder = state_path(context);
    GL_AUTO(gl_auto_free) char *path = folder != NULL ? gl_path_join(folder, "ledger.db") : NULL;
    struct stat info;

    /* What cannot be looked at may be one. */
    return context->ledger != NULL ||
           (path != NULL && (lstat(path, &info) == 0 || (errno != ENOENT && errno != ENOTDIR)));
}

struct gl_ledger *gl_context_ledger_to_look(struct gl_context *context, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = NULL;
    struct gl_error why = {0}, ignored = {0}, look = {0};

    if (gl_context_ledger(context, &why) != NULL)
        return context->ledger;
    path = ledger_path(context, &ignored);
    if ((why.code == GL_E_DISK_FULL || why.code == GL_E_IO) && path != NULL)
        context->ledger = gl_ledger_open_to_look(path, &context->world, &why, &look);
    if (context->ledger == NULL) {
        /* Why it cannot be written matters less than why it cannot be read. */
        gl_fail(err, why.code, "%s", look.code == why.code ? look.text : why.text);
        return NULL;
    }
    gl_warn(context, why.code == GL_E_DISK_FULL ? "GL1003" : "GL1002",
            "the ledger cannot be written (%s): this is what is known", why.text);
    return context->ledger;
}

void gl_context_ledger_renew(struct gl_context *context)
{
    if (context->ledger == NULL || !gl_ledger_was_written(context->ledger))
        return;
    gl_ledger_close(context->ledger);
    context->ledger = NULL;
}

const char *gl_context_zone(struct gl_context *context, const char *given)
{
    if (given != NULL)
        return given;
    if (context->config.zone != NULL)
        return context->config.zone;
    return context->is_demo ? GL_DEMO_ZONE : NULL;
}

int gl_context_now(struct gl_context *context, struct gl_instant *out, struct gl_error *err)
{
    if (context->globals.at != NULL)
        return gl_instant_parse(context->globals.at, out, err) == 0
                   ? 0
                   : gl_wrap(err, "--at %s", context->globals.at);
    *out = gl_now(&context->world);
    return 0;
}

char *gl_context_archive(struct gl_context *context)
{
    struct gl_error ignored = {0};
    const char *folder = gl_context_state(context, &ignored);

    return folder != NULL ? gl_path_join(folder, "archive") : NULL;
}

bool gl_context_is_utf8(const struct gl_context *context)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = environment(context, names[i]);

        if (value != NULL && value[0] != '\0')
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
    }
    return false;
}

/* The cache folder, NULL when it cannot be made: looking needs no place to write. */
static char *cache_folder(struct gl_context *context)
{
    struct gl_error ignored = {0};
    const char *folder = gl_context_state(context, &ignored);
    char *cache = folder != NULL ? gl_path_join(folder, "cache") : NULL;

    if (cache != NULL && gl_dir_make(cache, &ignored) != 0) {
        free(cache);
        return NULL;
    }
    return cache;
}

const struct gl_signal_config *gl_context_default_sources(size_t *out_count)
{
    static const struct gl_signal_config defaults[] = {
        {.name = "neso"}, {.name = "energy-charts"}, {.name = "energinet"}};

    *out_count = sizeof defaults / sizeof defaults[0];
    return defaults;
}

void gl_context_online(struct gl_context *context)
{
    if (context->globals.at == NULL && !context->globals.is_offline && context->world.http == NULL)
        context->world.http = gl_http_curl_new();
}

struct gl_signal_store *gl_context_signals(struct gl_context *context, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *cache = cache_folder(context);
    GL_AUTO(gl_auto_free) char *archive = gl_context_archive(context);
    const struct gl_config *config = &context->config;
    const struct gl_world *world = &context->world;
    bool is_standing = context->globals.at != NULL;
    size_t default_count;
    const struct gl_signal_config *defaults = gl_context_default_sources(&default_count);
    struct gl_instant at;

    if (gl_context_now(context, &at, err) != 0)
        return NULL;
    if (is_standing) {
        gl_standing_world_init(&context->standing, &context->world, at);
        world = &context->standing.world;
    }
    gl_context_online(context);
    return gl_signal_store_new(&(struct gl_signal_store_options){
        .world = world,
        .cache_folder = cache,
        .archive_folder = archive,
        .sources = config->has_sources ? config->sources : defaults,
        .source_count = config->has_sources ? config->source_count : default_count,
        .is_offline = context->globals.is_offline || is_standing,
        .is_replay = is_standing,
    });
}

/* ---- talk ---- */

static const char *demo_mark(const struct gl_context *context)
{
    return context->is_demo ? "DEMO " : "";
}

static void clear_live_line(struct gl_context *context)
{
    if (context->is_live && context->progress_ms != 0)
        fputs("\r\033[K", stderr);
}

/* Lines of talk, marked and as wide as the terminal. */
static void talk(struct gl_context *context, const char *text, unsigned indent)
{
    GL_AUTO(gl_str_done) struct gl_str lines = {0};
    const char *line;

    gl_wrap_long(text, (struct gl_margins){0, indent, context->columns}, &lines);
    for (line = gl_str_text(&lines); *line != '\0'; line++) {
        size_t length = strcspn(line, "\n");

        fprintf(stderr, "%s%.*s\n", demo_mark(context), (int)length, line);
        line += length;
    }
}

void gl_say(struct gl_context *context, const char *format, ...)
{
    char line[1024];
    va_list args;

    if (context->globals.is_quiet)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    clear_live_line(context);
    talk(context, line, 2);
}

void gl_progress(struct gl_context *context, const char *format, ...)
{
    va_list args;

    gl_progress_end(context);
    va_start(args, format);
    vsnprintf(context->progress, sizeof context->progress, format, args);
    va_end(args);
    context->progress_ms = context->world.monotonic_ms(context->world.cookie);
    gl_progress_tick(context);
}

void gl_progress_signals(struct gl_context *context)
{
    bool asks = !context->globals.is_offline && context->globals.at == NULL;

    gl_progress(context, "%s the grid signals", asks ? "asking" : "reading");
}

/* Bytes of a step that fit one line with its seconds: a line that wraps cannot be redrawn. */
static int live_room(const struct gl_context *context)
{
    return context->columns > 40 ? (int)context->columns - 20 : 20;
}

void gl_progress_tick(struct gl_context *context)
{
    int64_t now = context->world.monotonic_ms(context->world.cookie);
    int64_t waited;

    if (context->progress_ms == 0 || context->globals.is_quiet || context->globals.has_no_progress)
        return;
    waited = now - context->progress_ms;
    if (context->is_live) {
        fprintf(stderr, "\r\033[K%s%.*s ... %" PRId64 " s", demo_mark(context), live_room(context),
                context->progress, waited / 1000);
    } else if (waited >= 1000) {
        fprintf(stderr, "%s%s ...\n", demo_mark(context), context->progress);
        context->progress_ms = now + 29000; /* again in 30 s */
    }
}

void gl_progress_end(struct gl_context *context)
{
    clear_live_line(context);
    context->progress_ms = 0;
}

/* ---- reply ---- */

void gl_warn(struct gl_context *context, const char *code, const char *format, ...)
{
    GL_AUTO(gl_str_done) struct gl_str shown = {0};
    char text[768];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    gl_str_add_printable(&shown, text, strlen(text));
    if (context->reply.warnings == NULL)
        context->reply.warnings = json_array();
    json_array_append_new(context->reply.warnings,
                          json_pack("{s:s,s:s}", "code", code, "message", gl_str_text(&shown)));
    if (!context->globals.is_json)
        gl_say(context, "warning: %s", gl_str_text(&shown));
}

json_t *gl_words_json(const char *const *words)
{
    json_t *list = json_array();

    for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
        json_t *word = json_string(words[i]);

        json_array_append_new(list, word != NULL ? word : json_string("(not UTF-8)"));
    }
    return list;
}

static size_t add_word(const char **out, size_t count, const char *flag, const char *value)
{
    out[count++] = flag;
    if (value != NULL)
        out[count++] = value;
    return count;
}

/* What fetches or sends cannot do so offline. */
static bool can_be_offline(const char *const *argv)
{
    static const char *const names[] = {"launch", "run",    "wait", "offers", "why",
                                        "plan",   "status", "stop", "resume", "guard"};

    bool is_known = false;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        is_known = is_known || strcmp(argv[0], names[i]) == 0;
    while (*argv != NULL && strcmp(*argv, "--") != 0 && strcmp(*argv, "--refresh") != 0)
        argv++;
    return is_known && (*argv == NULL || strcmp(*argv, "--") == 0);
}

size_t gl_context_same(const struct gl_context *context, const char *const *argv,
                       const char *out[GL_SAME_WORDS])
{
    const struct gl_globals *globals = &context->globals;
    size_t count = 0;

    if (globals->config != NULL)
        count = add_word(out, count, "--config", globals->config);
    if (globals->state != NULL)
        count = add_word(out, count, "--state", globals->state);
    for (size_t i = 0; i < globals->policies.count; i++)
        count = add_word(out, count, "--policy", globals->policies.items[i]);
    if (globals->waivers != NULL)
        count = add_word(out, count, "--waivers", globals->waivers);
    if (globals->is_demo)
        count = add_word(out, count, "--demo", NULL);
    if (globals->is_offline && can_be_offline(argv))
        count = add_word(out, count, "--offline", NULL);
    out[count] = NULL;
    return count;
}

void gl_next(struct gl_context *context, const char *why, const char *const *argv)
{
    const char *same[GL_SAME_WORDS];
    json_t *words = gl_words_json(argv), *more;
    size_t end = 0;

    gl_context_same(context, argv, same);
    more = gl_words_json(same);
    while (argv[end] != NULL && strcmp(argv[end], "--") != 0)
        end++;
    for (size_t i = json_array_size(more); i > 0; i--)
        json_array_insert(words, end, json_array_get(more, i - 1));
    json_decref(more);
    if (context->reply.next == NULL)
        context->reply.next = json_array();
    json_array_append_new(context->reply.next, json_pack("{s:o,s:s}", "argv", words, "why", why));
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *gl_quantity_json(const struct gl_quantity_facts *facts)
{
    json_t *object =
        json_pack("{s:o,s:o,s:o,s:s}", "value", number(facts->value), "low", number(facts->low),
                  "high", number(facts->high), "unit", facts->unit);
    char grade[2] = {facts->grade, '\0'};

    if (facts->accounting != NULL)
        json_object_set_new(object, "accounting", json_string(facts->accounting));
    if (facts->grade != '\0')
        json_object_set_new(object, "grade", json_string(grade));
    if (facts->source != NULL)
        json_object_set_new(object, "source", json_string(facts->source));
    if (facts->age_s != GL_UNKNOWN)
        json_object_set_new(object, "age_s", json_integer(facts->age_s));
    return object;
}

static json_t *error_json(const struct gl_context *context, const struct gl_error *err)
{
    const struct gl_errc_row *row = gl_errc_row(err->code);
    const char *fix = gl_hint_of(context->command, err);
    char code[16];
    json_t *object;

    snprintf(code, sizeof code, "GL%04d", (int)row->code);
    object = json_pack("{s:s,s:s,s:s,s:b}", "code", code, "message", err->text, "fix", fix,
                       "retryable", row->is_retryable);
    if (object == NULL) /* foreign bytes in the message are no UTF-8 */
        object = json_pack("{s:s,s:s,s:s}", "code", code, "message", row->sentence, "fix", fix);
    if (err->pos.line > 0)
        json_object_set_new(object, "where",
                            json_pack("{s:s,s:I,s:I}", "file", err->pos.file, "line",
                                      (json_int_t)err->pos.line, "column",
                                      (json_int_t)err->pos.column));
    return object;
}

static int print_to(FILE *stream, const char *text)
{
    size_t length = strlen(text);

    return fwrite(text, 1, length, stream) == length && fflush(stream) == 0 ? 0 : -1;
}

static int print_envelope(struct gl_context *context, int status, const struct gl_error *err)
{
    struct gl_reply *reply = &context->reply;
    char at[GL_INSTANT_TEXT];
    json_t *envelope =
        json_pack("{s:i,s:s,s:s,s:s?,s:i,s:o,s:o,s:o}", "greenlaunch", 1, "command",
                  context->command != NULL ? context->command : "", "at",
                  gl_instant_text(gl_now(&context->world), at), "verdict", reply->verdict, "exit",
                  status, "data", reply->data != NULL ? json_incref(reply->data) : json_null(),
                  "warnings", reply->warnings != NULL ? json_incref(reply->warnings) : json_array(),
                  "next", reply->next != NULL ? json_incref(reply->next) : json_array());
    GL_AUTO(gl_auto_json) json_t *owned = envelope;
    GL_AUTO(gl_auto_free) char *pretty = NULL;
    GL_AUTO(gl_str_done) struct gl_str text = {.ceiling = SIZE_MAX / 2};

    if (err->code != GL_OK)
        json_object_set_new(envelope, "error", error_json(context, err));
    if (context->is_demo)
        json_object_set_new(envelope, "demo", json_true());
    pretty = gl_json_pretty(owned);
    gl_str_add(&text, pretty);
    gl_str_add_char(&text, '\n');
    gl_escape_json(&text);
    return print_to(stdout, gl_str_text(&text));
}

/* Every line of a demonstration says so. Where the instance's own output went to stdout, ours is
 * talk. */
static int print_text(struct gl_context *context)
{
    FILE *stream = context->reply.is_streamed ? stderr : stdout;
    const char *line = gl_str_text(&context->reply.text);

    if (!context->is_demo || context->reply.is_document)
        return print_to(stream, line);
    while (*line != '\0') {
        size_t length = strcspn(line, "\n");

        if (fprintf(stream, "%s%.*s\n", demo_mark(context), (int)length, line) < 0)
            return -1;
        line += length + (line[length] == '\n');
    }
    return fflush(stream) == 0 ? 0 : -1;
}

/* "FILE:LINE: ", with the column where one is known. */
static void add_place(const struct gl_error *err, struct gl_str *out)
{
    if (err->pos.line == 0)
        return;
    gl_str_addf(out, "%s:%u:", err->pos.file, err->pos.line);
    if (err->pos.column > 0)
        gl_str_addf(out, "%u:", err->pos.column);
    gl_str_add_char(out, ' ');
}

static void print_error(struct gl_context *context, const struct gl_error *err)
{
    const struct gl_errc_row *row = gl_errc_row(err->code);
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    const char *said = err->text;

    add_place(err, &text);
    if (text.length > 0 && strncmp(said, gl_str_text(&text), text.length) == 0)
        said += text.length; /* the message names its place itself */
    gl_str_addf(&text, "error GL%04d: ", (int)row->code);
    gl_str_add_printable(&text, said, strlen(said));
    clear_live_line(context);
    talk(context, gl_str_text(&text), 4);
    gl_str_clear(&text);
    gl_str_addf(&text, "  %s", gl_hint_of(context->command, err));
    talk(context, gl_str_text(&text), 0);
}

static int advise(struct gl_context *context, int status)
{
    bool is_verdict = status == GL_EXIT_REFUSED || status == GL_EXIT_LATER ||
                      status == GL_EXIT_BUDGET || status == GL_EXIT_UNKNOWN;

    if (!context->globals.is_advisory || context->reply.is_command_status || !is_verdict)
        return status;
    fprintf(stderr, "%sadvisory: exit %d (%s) reported as 0\n", demo_mark(context), status,
            gl_exit_row(status)->name);
    return GL_EXIT_OK;
}

/* In an envelope every end but success has an error, unless it is a verdict: those are answers. */
static void add_reason(const struct gl_context *context, int status, struct gl_error *err)
{
    if (!context->globals.is_json || status == GL_EXIT_OK || err->code != GL_OK)
        return;
    if (context->reply.is_command_status)
        gl_fail(err, GL_E_COMMAND, "the command ended with status %d", status);
    else if (context->reply.verdict == NULL)
        gl_fail(err, GL_E_FINDING, "%s%s%s", gl_exit_row(status)->meaning,
                context->reply.failing.length > 0 ? "; what failed: " : "",
                gl_str_text(&context->reply.failing));
}

int gl_context_finish(struct gl_context *context, int status, struct gl_error *err)
{
    int printed;

    gl_progress_end(context);
    if (status < 0) {
        if (err->code == GL_OK)
            gl_fail(err, GL_E_INTERNAL, "command %s failed without a reason", context->command);
        status = (int)gl_errc_row(err->code)->exit;
    }
    status = advise(context, status);
    add_reason(context, status, err);
    printed = context->globals.is_json ? print_envelope(context, status, err) : print_text(context);
    if (err->code != GL_OK && !context->globals.is_json)
        print_error(context, err);
    if (printed != 0 && errno == EPIPE)
        return status; /* the reader has seen enough */
    if (printed != 0) {
        fprintf(stderr, "greenlaunch: cannot write to standard output\n");
        return status == GL_EXIT_OK ? GL_EXIT_INTERNAL : status;
    }
    return status;
}

void gl_context_done(struct gl_context *context)
{
    if (context->give_back != NULL)
        context->give_back(context->made_from);
    gl_ledger_close(context->ledger);
    gl_http_close(context->world.http);
    gl_config_done(&context->config);
    json_decref(context->reply.data);
    json_decref(context->reply.warnings);
    json_decref(context->reply.next);
    gl_str_done(&context->reply.text);
    gl_str_done(&context->reply.failing);
    free(context->state_folder);
}
