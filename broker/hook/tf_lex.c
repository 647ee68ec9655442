/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/tf_lex.h"

#include <ctype.h>
#include <string.h>

#define TEMPLATES_MAX 32 /* a template in a string in a template ... */

struct gl_tf_lex gl_tf_lex_of(const char *text, size_t length)
{
    struct gl_tf_lex lex = {.text = text, .length = length, .line = 1};

    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        lex.at = 3;
    return lex;
}

/* NUL at the end; a NUL byte of the text is like a blank. */
static char peek(const struct gl_tf_lex *lex, size_t ahead)
{
    return lex->length - lex->at > ahead ? lex->text[lex->at + ahead] : '\0';
}

static void step(struct gl_tf_lex *lex)
{
    if (lex->at < lex->length && lex->text[lex->at++] == '\n')
        lex->line++;
}

static bool is_name_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || ((unsigned char)c & 0x80) != 0;
}

/* Blanks and comments; a line end counts. */
static void skip_blank(struct gl_tf_lex *lex)
{
    while (lex->at < lex->length) {
        char c = peek(lex, 0);

        if (c == '#' || (c == '/' && peek(lex, 1) == '/')) {
            while (lex->at < lex->length && peek(lex, 0) != '\n')
                step(lex);
        } else if (c == '/' && peek(lex, 1) == '*') {
            for (step(lex), step(lex);
                 lex->at < lex->length && (peek(lex, 0) != '*' || peek(lex, 1) != '/');)
                step(lex);
            step(lex);
            step(lex);
        } else if (c != '\n' && (isspace((unsigned char)c) || c == '\0')) {
            step(lex);
        } else {
            return;
        }
    }
}

/* ---- strings ---- */

/* Inside a string, or inside one of the templates that stand in each other; `braces` counts the
 * open ones of each template. */
struct quoting {
    unsigned braces[TEMPLATES_MAX], depth;
    bool is_in_string, is_literal, is_over;
};

static bool opens_template(const struct gl_tf_lex *lex, char c)
{
    return (c == '$' || c == '%') && peek(lex, 0) == '{';
}

static void go_into_template(struct gl_tf_lex *lex, struct quoting *quoting)
{
    step(lex);
    quoting->is_literal = false;
    quoting->is_in_string = false;
    if (quoting->depth == TEMPLATES_MAX)
        quoting->is_over = true;
    else
        quoting->braces[quoting->depth++] = 1;
}

/* A byte of a string, which was stepped over. */
static void string_byte(struct gl_tf_lex *lex, struct quoting *quoting, char c)
{
    bool is_doubled = (c == '$' || c == '%') && peek(lex, 0) == c; /* "$${" is a dollar sign */

    if (c == '"') {
        quoting->is_over = quoting->depth == 0;
        quoting->is_in_string = false;
    } else if (c == '\\' || is_doubled) {
        quoting->is_literal = false;
        step(lex);
    } else if (opens_template(lex, c)) {
        go_into_template(lex, quoting);
    } else if (c == '\n' && quoting->depth == 0) {
        lex->at--; /* not closed, which the language does not allow: the line end counts */
        lex->line--;
        quoting->is_literal = false;
        quoting->is_over = true;
    }
}

/* A byte of a template. */
static void template_byte(struct quoting *quoting, char c)
{
    unsigned *open = &quoting->braces[quoting->depth - 1];

    quoting->is_in_string = c == '"';
    *open += c == '{';
    *open -= c == '}';
    if (*open == 0) {
        quoting->depth--;
        quoting->is_in_string = true;
    }
}

/* From after the opening quote to after the closing one, through templates and the strings inside
 * them. False when a template or an escape was met, or no end. */
static bool skip_string(struct gl_tf_lex *lex, size_t *out_end)
{
    struct quoting quoting = {.is_in_string = true, .is_literal = true};

    *out_end = lex->length;
    while (lex->at < lex->length && !quoting.is_over) {
        char c = peek(lex, 0);

        *out_end = lex->at;
        step(lex);
        if (quoting.is_in_string)
            string_byte(lex, &quoting, c);
        else
            template_byte(&quoting, c);
    }
    if (!quoting.is_over)
        *out_end = lex->length;
    return quoting.is_over && quoting.is_literal;
}

/* ---- heredocs ---- */

static bool is_heredoc(const struct gl_tf_lex *lex)
{
    size_t ahead = peek(lex, 2) == '-' ? 3 : 2;

    return peek(lex, 0) == '<' && peek(lex, 1) == '<' && is_name_byte(peek(lex, ahead));
}

/* Up to the line that holds its name only; the line end after that is left. */
static void skip_heredoc(struct gl_tf_lex *lex)
{
    size_t name, length = 0;

    lex->at += peek(lex, 2) == '-' ? 3 : 2;
    name = lex->at;
    while (is_name_byte(peek(lex, length)))
        length++;
    while (lex->at < lex->length) {
        while (lex->at < lex->length && peek(lex, 0) != '\n')
            step(lex);
        step(lex);
        while (peek(lex, 0) == ' ' || peek(lex, 0) == '\t')
            step(lex);
        if (lex->length - lex->at >= length &&
            memcmp(lex->text + lex->at, lex->text + name, length) == 0 &&
            !is_name_byte(peek(lex, length))) {
            lex->at += length;
            return;
        }
    }
}

struct gl_tf_token gl_tf_lex_next(struct gl_tf_lex *lex)
{
    struct gl_tf_token token = {0};
    size_t end;
    char c;

    skip_blank(lex);
    token.start = lex->at;
    token.line = lex->line;
    if (lex->at >= lex->length)
        return token;
    c = peek(lex, 0);
    if (c == '\n') {
        token.kind = GL_TF_NEWLINE;
        step(lex);
    } else if (c == '"') {
        step(lex);
        token.kind = GL_TF_STRING;
        token.start = lex->at;
        token.is_literal = skip_string(lex, &end);
        token.length = end - token.start;
        return token;
    } else if (is_heredoc(lex)) {
        token.kind = GL_TF_OTHER;
        skip_heredoc(lex);
    } else if (is_name_byte(c)) {
        token.kind = isdigit((unsigned char)c) ? GL_TF_OTHER : GL_TF_NAME;
        while (is_name_byte(peek(lex, 0)))
            step(lex);
    } else {
        token.kind = GL_TF_SIGN;
        step(lex);
    }
    token.length = lex->at - token.start;
    return token;
}

bool gl_tf_token_is(const struct gl_tf_lex *lex, const struct gl_tf_token *token, const char *text)
{
    return (token->kind == GL_TF_NAME || token->kind == GL_TF_SIGN) &&
           token->length == strlen(text) &&
           memcmp(lex->text + token->start, text, token->length) == 0;
}
