/* SPDX-License-Identifier: Apache-2.0 */
#include "base/option.h"

#include "base/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 256
#define SEEN_MAX  128 /* options that hold one value, given in one call */

/* One table with the struct its values go to. */
struct target {
    const struct gl_option *options;
    void *values;
};

/* An option that holds one value, and what it was given. */
struct seen {
    const struct gl_option *option;
    const char *value;
};

/* A command line being read. */
struct parse {
    struct target targets[2]; /* own first: it may shadow a global option */
    int argc;
    const char *const *argv;
    int next; /* index in argv of the next word */
    struct gl_operands operands;
    struct seen seen[SEEN_MAX];
    size_t seen_count;
    struct gl_error *err;
};

/* One option as written. */
struct given {
    const struct gl_option *option;
    void *member;     /* where its value goes */
    const char *word; /* for messages: "--name" or "-n" */
    char word_text[4];
    const char *value; /* NULL when none was attached */
};

/* The member of a values struct: the offset came from offsetof() of its type. */
static void *member_of(const struct gl_option *option, void *values)
{
    return (char *)values + option->offset;
}

static void clear_member(const struct gl_option *option, void *member)
{
    switch (option->kind) {
    case GL_OPT_FLAG:
        *(bool *)member = false;
        break;
    case GL_OPT_TEXT:
    case GL_OPT_OPTIONAL:
        *(const char **)member = NULL;
        break;
    case GL_OPT_LIST:
        *(struct gl_option_list *)member = (struct gl_option_list){0};
        break;
    case GL_OPT_COUNT:
        *(int *)member = 0;
        break;
    case GL_OPT_INTEGER:
    case GL_OPT_QUANTITY:
    case GL_OPT_SPAN:
        *(int64_t *)member = INT64_MIN;
        break;
    }
}

void gl_options_clear(const struct gl_option *options, void *values)
{
    for (const struct gl_option *option = options; option && option->name; option++)
        clear_member(option, member_of(option, values));
}

void gl_options_done(const struct gl_option *options, void *values)
{
    for (const struct gl_option *option = options; option && option->name; option++) {
        struct gl_option_list *list = member_of(option, values);

        if (option->kind != GL_OPT_LIST)
            continue;
        for (size_t i = 0; i < list->copy_count; i++)
            free(list->copies[i]);
        clear_member(option, list);
    }
}

static bool takes_value(const struct gl_option *option)
{
    return option->kind != GL_OPT_FLAG && option->kind != GL_OPT_COUNT;
}

/* Does the whole `name` stand among "a|b|c"? */
static bool is_choice(const char *choices, const char *name)
{
    size_t length = strlen(name);

    if (strchr(name, '|') != NULL)
        return false;
    for (const char *at = choices; at != NULL; at = strchr(at, '|')) {
        at += *at == '|';
        if (strncmp(at, name, length) == 0 && (at[length] == '|' || at[length] == '\0'))
            return true;
    }
    return false;
}

static int check_choice(const struct given *given, const char *value, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    if (given->option->choices == NULL || is_choice(given->option->choices, value))
        return 0;
    return gl_fail(err, GL_E_USAGE, "%s: \"%s\" is not one of %s", given->word,
                   gl_text_show(value, shown), given->option->choices);
}

static int set_text(const struct given *given, const char *value, struct gl_error *err)
{
    if (check_choice(given, value, err))
        return -1;
    *(const char **)given->member = value;
    return 0;
}

static int add_item(const struct given *given, const char *item, struct gl_error *err)
{
    struct gl_option_list *list = given->member;

    if (*item == '\0')
        return gl_fail(err, GL_E_USAGE, "%s: an item of the list is empty", given->word);
    if (list->count == GL_OPTION_LIST_MAX)
        return gl_fail(err, GL_E_USAGE, "%s: more than %d items", given->word, GL_OPTION_LIST_MAX);
    if (check_choice(given, item, err))
        return -1;
    list->items[list->count++] = item;
    return 0;
}

/* argv may not be changed, so a value of several items is copied once and cut in the copy. */
static int add_items(const struct given *given, const char *value, struct gl_error *err)
{
    struct gl_option_list *list = given->member;
    char *item, *comma;

    if (strchr(value, ',') == NULL || list->count == GL_OPTION_LIST_MAX ||
        given->option->low == GL_OPT_WHOLE)
        return add_item(given, value, err);
    item = list->copies[list->copy_count++] = gl_strdup(value); /* never more copies than items */
    for (comma = strchr(item, ','); comma != NULL; comma = strchr(item, ',')) {
        *comma = '\0';
        if (add_item(given, item, err))
            return -1;
        item = comma + 1;
    }
    return add_item(given, item, err);
}

static int set_integer(const struct given *given, const char *value, struct gl_error *err)
{
    const struct gl_option *option = given->option;
    char shown[GL_TEXT_SHOWN];
    char *end;
    bool has_start = value[0] == '-' || (value[0] >= '0' && value[0] <= '9');
    long long number;

    errno = 0;
    number = strtoll(value, &end, 10);
    if (!has_start || end == value || *end != '\0' || errno != 0 || number < option->low ||
        number > option->high)
        return gl_fail(err, GL_E_USAGE,
                       "%s: \"%s\" is not a whole number from %" PRId64 " to %" PRId64, given->word,
                       gl_text_show(value, shown), option->low, option->high);
    *(int64_t *)given->member = number;
    return 0;
}

static int set_quantity(const struct given *given, const char *value, struct gl_error *err)
{
    if (gl_quantity_parse((enum gl_dimension)given->option->dim, value, given->member, err))
        return gl_wrap(err, "%s", given->word);
    return 0;
}

static int set_span(const struct given *given, const char *value, struct gl_error *err)
{
    struct gl_span span;

    if (gl_span_parse(value, &span, err))
        return gl_wrap(err, "%s", given->word);
    *(int64_t *)given->member = span.s;
    return 0;
}

static int set_value(const struct given *given, const char *value, struct gl_error *err)
{
    switch (given->option->kind) {
    case GL_OPT_LIST:
        return add_items(given, value, err);
    case GL_OPT_INTEGER:
        return set_integer(given, value, err);
    case GL_OPT_QUANTITY:
        return set_quantity(given, value, err);
    case GL_OPT_SPAN:
        return set_span(given, value, err);
    default:
        return set_text(given, value, err);
    }
}

/* A word that looks like an option is no value; a dash and a digit do not, for no letter of an
 * option is a digit. The form --name=VALUE takes anything. */
static bool is_value(const char *word)
{
    const char *digit = word + 1 + (word[0] == '-' && word[1] == '.');

    return word[0] != '-' || word[1] == '\0' || (*digit >= '0' && *digit <= '9');
}

static int fail_no_value(const struct parse *parse, const struct given *given)
{
    const struct gl_option *option = given->option;
    const char *argument = option->argument != NULL ? option->argument : "VALUE";
    char shown[GL_TEXT_SHOWN];

    if (parse->next >= parse->argc || strcmp(parse->argv[parse->next], "--") == 0)
        return gl_fail(parse->err, GL_E_USAGE, "%s needs a value: --%s=%s", given->word,
                       option->name, argument);
    gl_text_show(parse->argv[parse->next], shown);
    return gl_fail(parse->err, GL_E_USAGE,
                   "%s needs a value, and \"%s\" looks like an option; if it is the value, write "
                   "--%s=%s",
                   given->word, shown, option->name, shown);
}

/* A second value would silently win over the first; the same one again harms nobody. */
static int check_once(struct parse *parse, const struct given *given, const char *value)
{
    char shown[GL_TEXT_SHOWN], shown_first[GL_TEXT_SHOWN];

    for (size_t i = 0; i < parse->seen_count; i++) {
        if (parse->seen[i].option != given->option)
            continue;
        if (strcmp(parse->seen[i].value, value) == 0)
            return 0;
        return gl_fail(parse->err, GL_E_USAGE, "%s is given twice: \"%s\" and \"%s\"; keep one",
                       given->word, gl_text_show(parse->seen[i].value, shown_first),
                       gl_text_show(value, shown));
    }
    if (parse->seen_count == SEEN_MAX)
        return gl_fail(parse->err, GL_E_USAGE, "more than %d options", SEEN_MAX);
    parse->seen[parse->seen_count++] = (struct seen){given->option, value};
    return 0;
}

/* Store an option that takes a value, attached or in the next word. */
static int take_value(struct parse *parse, const struct given *given)
{
    const struct gl_option *option = given->option;
    const char *value = given->value;
    if (value == NULL && option->kind == GL_OPT_OPTIONAL)
        value = option->bare;
    else if (value == NULL && parse->next < parse->argc && is_value(parse->argv[parse->next]))
        value = parse->argv[parse->next++];
    if (value == NULL)
        return fail_no_value(parse, given);
    if (option->kind != GL_OPT_LIST && check_once(parse, given, value) != 0)
        return -1;
    return set_value(given, value, parse->err);
}

static int take_option(struct parse *parse, const struct given *given)
{
    if (takes_value(given->option))
        return take_value(parse, given);
    if (given->value != NULL)
        return gl_fail(parse->err, GL_E_USAGE, "%s takes no value", given->word);
    if (given->option->kind == GL_OPT_FLAG)
        *(bool *)given->member = true;
    else
        ++*(int *)given->member;
    return 0;
}

/* Find by long name (of `length` bytes) or, when name is NULL, by letter. */
static bool find(const struct parse *parse, const char *name, size_t length, char letter,
                 struct given *out)
{
    for (size_t t = 0; t < 2; t++) {
        const struct gl_option *option = parse->targets[t].options;

        for (; option && option->name; option++) {
            if (name != NULL ? strncmp(option->name, name, length) != 0 || option->name[length]
                             : option->letter != letter)
                continue;
            out->option = option;
            out->member = member_of(option, parse->targets[t].values);
            return true;
        }
    }
    return false;
}

/* The known name nearest to an unknown one: the only one it abbreviates, or the least distant. */
static const char *nearest_name(const struct parse *parse, const char *name)
{
    const char *names[NAMES_MAX];
    const char *longer = NULL;
    size_t count = 0, longer_count = 0;

    for (size_t t = 0; t < 2; t++) {
        const struct gl_option *option = parse->targets[t].options;

        for (; option && option->name && count < NAMES_MAX; option++) {
            names[count++] = option->name;
            if (strlen(name) > 1 && strncmp(option->name, name, strlen(name)) == 0) {
                longer = option->name;
                longer_count++;
            }
        }
    }
    return longer_count == 1 ? longer : gl_text_nearest(name, names, count);
}

static int fail_unknown(const struct parse *parse, const char *word, size_t length)
{
    char name[GL_TEXT_SHOWN], shown[GL_TEXT_SHOWN];
    const char *nearest;

    snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name), word);
    nearest = nearest_name(parse, name);
    gl_text_show(name, shown);
    if (nearest == NULL)
        return gl_fail(parse->err, GL_E_USAGE, "unknown option --%s", shown);
    return gl_fail(parse->err, GL_E_USAGE, "unknown option --%s; did you mean --%s?", shown,
                   nearest);
}

/* "--no-name" for a flag that may have been set by what came before. */
static bool clear_flag(const struct parse *parse, const char *name, size_t length)
{
    struct given given;

    if (length < 4 || strncmp(name, "no-", 3) != 0 ||
        !find(parse, name + 3, length - 3, 0, &given) || given.option->kind != GL_OPT_FLAG)
        return false;
    *(bool *)given.member = false;
    return true;
}

static int read_long(struct parse *parse, const char *word)
{
    const char *name = word + 2;
    size_t length = strcspn(name, "=");
    struct given given = {.value = name[length] == '=' ? name + length + 1 : NULL};
    char shown[GL_TEXT_SHOWN];

    if (length > 0 && find(parse, name, length, 0, &given)) {
        snprintf(shown, sizeof shown, "--%s", given.option->name);
        given.word = shown;
        return take_option(parse, &given);
    }
    if (given.value == NULL && clear_flag(parse, name, length))
        return 0;
    return fail_unknown(parse, name, length);
}

/* "-n", "-nVALUE", or letters of flags together: "-qv". */
static int read_letters(struct parse *parse, const char *word)
{
    for (const char *at = word + 1; *at != '\0'; at++) {
        struct given given = {.word_text = {'-', *at, '\0'}};
        char shown[GL_TEXT_SHOWN];

        given.word = given.word_text;
        if (!find(parse, NULL, 0, *at, &given))
            return gl_fail(parse->err, GL_E_USAGE, "unknown option -%s",
                           gl_text_show((const char[]){*at, '\0'}, shown));
        if (!takes_value(given.option)) {
            if (take_option(parse, &given))
                return -1;
            continue;
        }
        given.value = at[1] != '\0' ? at + 1 : NULL;
        return take_option(parse, &given);
    }
    return 0;
}

static int read_word(struct parse *parse, const char *word)
{
    struct gl_operands *operands = &parse->operands;

    if (word[0] == '-' && word[1] == '-')
        return read_long(parse, word);
    if (word[0] == '-' && word[1] != '\0')
        return read_letters(parse, word);
    if (operands->count == sizeof operands->words / sizeof operands->words[0])
        return gl_fail(parse->err, GL_E_USAGE, "more than %zu operands", operands->count);
    operands->words[operands->count++] = word;
    return 0;
}

int gl_options_parse(const struct gl_option *global, void *global_values,
                     const struct gl_option *own, void *own_values, int argc,
                     const char *const *argv, struct gl_operands *out_operands,
                     struct gl_error *err)
{
    struct parse parse = {
        .targets = {{own, own_values}, {global, global_values}},
        .argc = argc,
        .argv = argv,
        .next = 1,
        .operands = {.rest = argc},
        .err = err,
    };

    while (parse.next < argc) {
        const char *word = argv[parse.next++];

        if (strcmp(word, "--") == 0) {
            parse.operands.has_rest = true;
            parse.operands.rest = parse.next;
            break;
        }
        if (read_word(&parse, word)) {
            *out_operands = parse.operands; /* those before: they may tell why */
            return -1;
        }
    }
    *out_operands = parse.operands;
    return 0;
}
