/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/path.h"

#include <string.h>

#define NAME_MAX_BYTES 128

struct parser {
    const char *text, *at;
    struct gl_arena *arena;
    struct gl_path_fault *fault;
    unsigned depth;
    bool is_inside; /* parentheses */
};

static const struct gl_path *parse_path(struct parser *parser);

static void *fail(struct parser *parser, const char *reason)
{
    if (parser->fault->reason == NULL)
        *parser->fault = (struct gl_path_fault){reason, (size_t)(parser->at - parser->text)};
    return NULL;
}

static void skip_spaces(struct parser *parser)
{
    parser->at += strspn(parser->at, " ");
}

static bool take(struct parser *parser, const char *token)
{
    size_t length = strlen(token);

    if (strncmp(parser->at, token, length) != 0)
        return false;
    parser->at += length;
    return true;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == ':' || c == '/';
}

static bool begins_arrow(const char *at)
{
    return at[0] == '-' && at[1] == '>';
}

/* A name, bare or in double quotes; NULL with a fault. */
static const char *parse_name(struct parser *parser)
{
    const char *start = parser->at, *name;
    size_t length = 0;
    bool is_quoted = *start == '"';

    if (is_quoted)
        length = strcspn(++start, "\"");
    else
        while (is_name_char(start[length]) && !begins_arrow(start + length))
            length++;
    if (length == 0 || length > NAME_MAX_BYTES || (is_quoted && start[length] != '"'))
        return fail(parser, "a name of an attribute belongs here");
    name = gl_arena_text(parser->arena, start, length);
    parser->at = start + length + is_quoted;
    return name;
}

/* "node_pool" as "nodePool": Pulumi writes names that way. */
static const char *camel_of(const char *name, struct gl_arena *arena)
{
    char *camel = gl_arena_text(arena, name, strlen(name));
    size_t length = 0;
    bool is_upper = false;

    for (; *name != '\0'; name++) {
        if (*name == '_') {
            is_upper = length > 0;
            continue;
        }
        camel[length++] = is_upper && *name >= 'a' && *name <= 'z' ? (char)(*name - 32) : *name;
        is_upper = false;
    }
    camel[length] = '\0';
    return camel;
}

/* "policy" as "policies", "config" as "configs": lists are named so there. */
static const char *plural_of(const char *camel, struct gl_arena *arena)
{
    size_t length = strlen(camel);
    char *plural = gl_arena_take(arena, length + sizeof "ies");
    bool is_y = length > 1 && camel[length - 1] == 'y' && strchr("aeou", camel[length - 2]) == NULL;

    memcpy(plural, camel, length);
    memcpy(plural + (is_y ? length - 1 : length), is_y ? "ies" : "s", is_y ? 4 : 2);
    return plural;
}

static struct gl_path_step step_of(const char *name, struct gl_arena *arena)
{
    const char *camel = camel_of(name, arena);

    return (struct gl_path_step){name, camel, plural_of(camel, arena)};
}

/* "a.b" of the names; what a reader knows the attribute by. */
static const char *attribute_of(const struct gl_path_step *steps, size_t count,
                                struct gl_arena *arena)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    for (size_t i = 0; i < count; i++)
        gl_str_addf(&text, "%s%s", i > 0 ? "." : "", steps[i].name);
    return gl_arena_text(arena, gl_str_text(&text), text.length);
}

static const struct gl_path *parse_nested(struct parser *parser)
{
    const struct gl_path *path;

    if (parser->depth >= GL_PATH_MAX_DEPTH)
        return fail(parser, "too many references within each other");
    parser->depth++;
    path = parse_path(parser);
    parser->depth--;
    return path;
}

/* "(b ; c)": read in every item. */
static const struct gl_path *parse_group(struct parser *parser)
{
    bool was_inside = parser->is_inside;
    const struct gl_path *path;

    parser->is_inside = true;
    path = parse_nested(parser);
    parser->is_inside = was_inside;
    if (path != NULL && !take(parser, ")"))
        return fail(parser, "\")\" belongs here");
    return path;
}

/* "a.b[*].c" or "a.(b ; c)". */
static int parse_steps(struct parser *parser, struct gl_path_term *term)
{
    struct gl_path_step steps[GL_PATH_MAX_STEPS], *kept;
    size_t count = 0;

    do {
        const char *name;

        if (count > 0 && take(parser, "(")) {
            term->rest = parse_group(parser);
            if (term->rest == NULL)
                return -1;
            break;
        }
        name = count < GL_PATH_MAX_STEPS ? parse_name(parser) : fail(parser, "too many steps");
        if (name == NULL)
            return -1;
        steps[count++] = step_of(name, parser->arena);
        (void)(take(parser, "[*]") || take(parser, "[0]"));
    } while (take(parser, "."));
    kept = gl_arena_take(parser->arena, count * sizeof *kept);
    memcpy(kept, steps, count * sizeof *kept);
    term->steps = kept;
    term->step_count = count;
    term->attribute = attribute_of(kept, count, parser->arena);
    return 0;
}

/* "type.path" or "type.(b ; c)" after the arrow. The path ends where the alternative does. */
static int parse_follow(struct parser *parser, struct gl_path_term *term)
{
    struct gl_path_term *there;
    struct gl_path_choice *choice;
    struct gl_path *rest;

    skip_spaces(parser);
    if (parser->is_inside || term->rest != NULL)
        return fail(parser, "a reference cannot be followed from inside ( )"), -1;
    if (parser->depth >= GL_PATH_MAX_DEPTH)
        return fail(parser, "too many references within each other"), -1;
    term->follow = parse_name(parser);
    if (term->follow == NULL)
        return -1;
    if (!take(parser, "."))
        return fail(parser, "an attribute of that type belongs here: type.attribute"), -1;
    if (take(parser, "(")) {
        term->rest = parse_group(parser);
        skip_spaces(parser);
        return term->rest != NULL ? 0 : -1;
    }
    there = gl_arena_take(parser->arena, sizeof *there);
    choice = gl_arena_take(parser->arena, sizeof *choice);
    rest = gl_arena_take(parser->arena, sizeof *rest);
    choice->terms = there;
    *rest = (struct gl_path){parser->text, choice};
    term->rest = rest;
    if (parse_steps(parser, there))
        return -1;
    skip_spaces(parser);
    if (!take(parser, "->"))
        return 0;
    parser->depth++;
    return parse_follow(parser, there);
}

/* "count", "=1", "(a ; =1)" or, with the `guard` that stands before it, "enabled ? count". */
static const struct gl_path_term *parse_term(struct parser *parser,
                                             const struct gl_path_term *guard)
{
    struct gl_path_term *term = gl_arena_take(parser->arena, sizeof *term);

    term->guard = guard;
    skip_spaces(parser);
    if (take(parser, "=")) {
        term->constant = parse_name(parser);
        skip_spaces(parser);
        return term->constant != NULL ? term : NULL;
    }
    if (take(parser, "(")) {
        term->attribute = "";
        term->rest = parse_group(parser);
        skip_spaces(parser);
        return term->rest != NULL ? term : NULL;
    }
    if (parse_steps(parser, term))
        return NULL;
    skip_spaces(parser);
    if (term->rest == NULL && guard == NULL && take(parser, "?"))
        return parse_term(parser, term);
    if (take(parser, "->")) {
        unsigned depth = parser->depth;
        int failed = parse_follow(parser, term);

        parser->depth = depth;
        return failed ? NULL : term;
    }
    return term;
}

static const struct gl_path_choice *parse_choice(struct parser *parser)
{
    struct gl_path_choice *choice = gl_arena_take(parser->arena, sizeof *choice);
    const struct gl_path_term **place = &choice->terms;

    do {
        *place = parse_term(parser, NULL);
        if (*place == NULL)
            return NULL;
        place = (const struct gl_path_term **)(uintptr_t) & (*place)->next;
    } while (take(parser, "+"));
    return choice;
}

static const struct gl_path *parse_path(struct parser *parser)
{
    struct gl_path *path = gl_arena_take(parser->arena, sizeof *path);
    const struct gl_path_choice **place = &path->first;

    path->text = parser->text;
    do {
        *place = parse_choice(parser);
        if (*place == NULL)
            return NULL;
        place = (const struct gl_path_choice **)(uintptr_t) & (*place)->next;
    } while (take(parser, ";"));
    return path;
}

const struct gl_path *gl_path_parse(const char *text, struct gl_arena *arena,
                                    struct gl_path_fault *out_fault)
{
    const char *kept = gl_arena_text(arena, text, strlen(text));
    struct parser parser = {.text = kept, .at = kept, .arena = arena, .fault = out_fault};
    const struct gl_path *path;

    *out_fault = (struct gl_path_fault){0};
    path = parse_path(&parser);
    if (path != NULL && *parser.at != '\0')
        return fail(&parser, "\".\", \";\", \"+\" or \"->\" belongs here, or the end");
    return path;
}

static bool is_head(const struct gl_path_term *term, const char *name)
{
    const struct gl_path_step *step = term->steps;

    if (term->constant != NULL)
        return false;
    if (step == NULL)
        return gl_path_has_head(term->rest, name);
    return strcmp(step->name, name) == 0 || strcmp(step->camel, name) == 0 ||
           strcmp(step->plural, name) == 0;
}

bool gl_path_is_followed(const struct gl_path *path)
{
    return path->first->terms->constant != NULL || path->first->terms->follow != NULL;
}

const char *gl_path_head(const struct gl_path *path)
{
    for (const struct gl_path_choice *choice = path->first; choice != NULL; choice = choice->next)
        for (const struct gl_path_term *term = choice->terms; term != NULL; term = term->next)
            if (term->constant == NULL)
                return term->steps != NULL ? term->steps[0].name : gl_path_head(term->rest);
    return "";
}

const char *gl_path_attribute(const struct gl_path *path)
{
    return path->first->terms->constant == NULL ? path->first->terms->attribute : "";
}

bool gl_path_has_head(const struct gl_path *path, const char *attribute)
{
    for (const struct gl_path_choice *choice = path->first; choice != NULL; choice = choice->next)
        for (const struct gl_path_term *term = choice->terms; term != NULL; term = term->next)
            if (is_head(term, attribute) ||
                (term->guard != NULL && is_head(term->guard, attribute)))
                return true;
    return false;
}

static bool term_follows(const struct gl_path_term *term, const char *type, const char *attribute)
{
    if (term->follow == NULL)
        return false;
    if (strcmp(term->follow, type) == 0 &&
        (attribute == NULL || gl_path_has_head(term->rest, attribute)))
        return true;
    return gl_path_follows(term->rest, type, attribute);
}

bool gl_path_follows(const struct gl_path *path, const char *type, const char *attribute)
{
    for (const struct gl_path_choice *choice = path->first; choice != NULL; choice = choice->next)
        for (const struct gl_path_term *term = choice->terms; term != NULL; term = term->next)
            if (term_follows(term, type, attribute))
                return true;
    return false;
}
