/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/again.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"

static const struct gl_option options[] = {
#include "broker/cli/ask_options.def"
    {0},
};

void gl_again_add(struct gl_again *again, const char *word)
{
    if (again->count < GL_AGAIN_WORDS)
        again->words[again->count++] = word;
}

/* "--name" "value". */
static void add_pair(struct gl_again *again, const char *name, const char *value)
{
    char flag[64];
    int length = snprintf(flag, sizeof flag, "--%s", name);

    gl_again_add(again, gl_arena_text(&again->arena, flag, (size_t)length));
    gl_again_add(again, gl_arena_text(&again->arena, value, strlen(value)));
}

/* The value of an optional one must hang on its name. */
static void add_joined(struct gl_again *again, const char *name, const char *value)
{
    GL_AUTO(gl_str_done) struct gl_str word = {0};

    gl_str_addf(&word, "--%s=%s", name, value);
    gl_again_add(again, gl_arena_text(&again->arena, gl_str_text(&word), word.length));
}

/* Exact, and no longer than it needs to be. */
static void write_share(int64_t ppm, char out[32])
{
    int length = snprintf(out, 32, "%" PRId64 ".%04" PRId64, ppm / 10000, ppm % 10000);

    while (out[length - 1] == '0')
        length--;
    length -= out[length - 1] == '.';
    snprintf(out + length, 32 - (size_t)length, "%%");
}

static void add_number(struct gl_again *again, const struct gl_option *option, int64_t number)
{
    char text[32];

    if (number == INT64_MIN)
        return;
    if (option->kind == GL_OPT_SPAN)
        snprintf(text, sizeof text, "%" PRId64 "%s",
                 number % 3600 == 0 ? number / 3600
                 : number % 60 == 0 ? number / 60
                                    : number,
                 number % 3600 == 0 ? "h"
                 : number % 60 == 0 ? "min"
                                    : "s");
    else if (option->kind == GL_OPT_QUANTITY)
        write_share(number, text);
    else
        snprintf(text, sizeof text, "%" PRId64, number);
    add_pair(again, option->name, text);
}

static void add_option(struct gl_again *again, const struct gl_option *option, const char *values)
{
    const void *at = values + option->offset;
    const struct gl_option_list *list = at;
    const char *text;
    char flag[64];

    switch (option->kind) {
    case GL_OPT_FLAG:
        snprintf(flag, sizeof flag, "--%s", option->name);
        if (*(const bool *)at)
            gl_again_add(again, gl_arena_text(&again->arena, flag, strlen(flag)));
        return;
    case GL_OPT_TEXT:
        text = *(const char *const *)at;
        if (text != NULL)
            add_pair(again, option->name, text);
        return;
    case GL_OPT_OPTIONAL:
        text = *(const char *const *)at;
        if (text != NULL)
            add_joined(again, option->name, text);
        return;
    case GL_OPT_LIST:
        for (size_t i = 0; i < list->count; i++)
            add_pair(again, option->name, list->items[i]);
        return;
    default:
        add_number(again, option, *(const int64_t *)at);
    }
}

/* --confidence speaks of the limits given beside it. */
static bool has_limit(const struct gl_ask *ask)
{
    return ask->renewable_only != NULL || ask->max_intensity != NULL ||
           ask->min_renewable != NULL || ask->min_carbon_free != NULL;
}

void gl_again_ask(struct gl_again *out, const char *command, const struct gl_ask *ask,
                  double confidence)
{
    char share[32];

    *out = (struct gl_again){0};
    gl_again_add(out, command);
    for (const struct gl_option *option = options; option->name != NULL; option++)
        add_option(out, option, (const char *)ask);
    if (confidence <= 0 || ask->confidence != NULL || !has_limit(ask))
        return;
    snprintf(share, sizeof share, "%.4g%%", confidence * 100);
    add_pair(out, "confidence", share);
}

/* All that was said of what is to be started: the question stands first in the values. */
static void add_start(struct gl_again *again, const struct gl_context *context)
{
    const struct gl_call *start = context->start;
    const struct gl_option *option = gl_command_find(context->command)->options;

    for (; option->name != NULL; option++)
        if (option->offset >= sizeof(struct gl_ask))
            add_option(again, option, start->values);
    if (start->rest == NULL || start->rest[0] == NULL)
        return;
    gl_again_add(again, "--");
    for (size_t i = 0; start->rest[i] != NULL; i++)
        gl_again_add(again, start->rest[i]);
}

void gl_again_start(struct gl_again *out, const struct gl_context *context, const char *command,
                    const struct gl_ask *ask)
{
    const struct gl_call *start = context->start;
    bool has_command = start != NULL && start->rest != NULL && start->rest[0] != NULL;

    gl_again_ask(out, command, ask, 0);
    if (has_command || (start != NULL && strcmp(command, "wait") != 0))
        add_start(out, context);
}

/* In quotes unless every shell leaves it alone. */
static void add_quoted(struct gl_str *out, const char *word)
{
    GL_AUTO(gl_str_done) struct gl_str quoted = {0};
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./:,%+@";

    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        gl_str_add(out, word);
        return;
    }
    gl_str_add_char(&quoted, '\'');
    for (; *word != '\0'; word++)
        if (*word == '\'')
            gl_str_add(&quoted, "'\\''");
        else
            gl_str_add_char(&quoted, *word);
    gl_str_add_char(&quoted, '\'');
    gl_str_add_printable(out, gl_str_text(&quoted), quoted.length);
}

static void add_words(struct gl_str *out, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        gl_str_add_char(out, ' ');
        add_quoted(out, words[i]);
    }
}

void gl_again_line(const struct gl_context *context, const char *const *words, struct gl_str *out)
{
    const char *same[GL_SAME_WORDS];
    size_t before = 0, count = 0;

    for (; words[count] != NULL; count++)
        if (strcmp(words[count], "--") != 0 && before == count)
            before++;
    gl_str_add(out, "greenlaunch");
    add_words(out, words, before);
    add_words(out, same, gl_context_same(context, words, same));
    add_words(out, words + before, count - before);
}

/* A quoted word may hold spaces. */
static size_t word_length(const char *at)
{
    bool is_quoted = false;
    size_t length = 0;

    for (; at[length] != '\0' && (is_quoted || at[length] != ' '); length++)
        if (at[length] == '\'')
            is_quoted = !is_quoted;
        else if (!is_quoted && at[length] == '\\' && at[length + 1] != '\0')
            length++;
    return length;
}

/* Lines that a shell takes as one, hanging at `indent`: a backslash where it goes on. */
static void add_broken(struct gl_str *out, const char *line, size_t indent, unsigned columns)
{
    size_t used = indent, length;

    for (; *line != '\0'; line += length) {
        line += *line == ' ';
        length = word_length(line);
        if (used > indent && used + 1 + length + 2 > columns) {
            gl_str_addf(out, " \\\n%*s", (int)indent, "");
            used = indent;
        } else if (used > indent) {
            gl_str_add_char(out, ' ');
            used++;
        }
        gl_str_add_bytes(out, line, length);
        used += length;
    }
    gl_str_add_char(out, '\n');
}

void gl_again_show(struct gl_context *context, const char *const *words)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    gl_again_line(context, words, &line);
    gl_str_add(&context->reply.text, "  ");
    add_broken(&context->reply.text, gl_str_text(&line), 6, context->columns);
}

void gl_again_times(const struct gl_ask_result *asked, struct gl_again_clock *clock,
                    struct gl_ask *ask)
{
    if (ask->finish_by != NULL)
        ask->finish_by = gl_instant_text(asked->finish_by, clock->finish_by);
    if (ask->start_by != NULL)
        ask->start_by = gl_instant_text(asked->request.latest_start, clock->start_by);
}

void gl_again_wait(struct gl_context *context, const struct gl_ask_result *asked)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    struct gl_ask ask = *asked->ask;
    struct gl_again_clock clock;
    struct gl_again again;

    if (asked->decision->verdict != GL_LATER)
        return;
    gl_again_times(asked, &clock, &ask);
    gl_again_start(&again, context, "wait", &ask);
    gl_next(context, "wait for that start", again.words);
    gl_again_line(context, again.words, &line);
    gl_str_add(&context->reply.text, "  wait    ");
    add_broken(&context->reply.text, gl_str_text(&line), 10, context->columns);
    gl_again_done(&again);
}

void gl_again_next(struct gl_context *context, const char *why, const char *command,
                   const struct gl_ask *ask, const char *const *extra)
{
    struct gl_again again;

    gl_again_ask(&again, command, ask, 0);
    for (; extra != NULL && *extra != NULL; extra++)
        gl_again_add(&again, *extra);
    gl_next(context, why, again.words);
    gl_again_done(&again);
}

void gl_again_done(struct gl_again *again)
{
    gl_arena_done(&again->arena);
    *again = (struct gl_again){0};
}
