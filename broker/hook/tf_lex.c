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

/* From after the opening quote to after the closing one, through templates and the strings inside
 * them: `braces` counts the open ones of each template. False when a template or escape was met. */
static bool skip_string(struct gl_tf_lex *lex, size_t *out_end)
{
    unsigned braces[TEMPLATES_MAX] = {0}, depth = 0;
    bool is_literal = true, is_in_string = true;

    while (lex->at < lex->length) {
        char c = peek(lex, 0);
        size_t at = lex->at;

        step(lex);
        if (is_in_string && c == '"') {
            if (depth == 0) {
                *out_end = at;
                return is_literal;
            }
            is_in_string = false;
        } else if (is_in_string && c == '\\') {
            is_literal = false;
            step(lex);
        } else if (is_in_string && (c == '$' || c == '%') && peek(lex, 0) == c) {
            is_literal = false; /* "$${" is a dollar sign */
            step(lex);
        } else if (is_in_string && (c == '$' || c == '%') && peek(lex, 0) == '{') {
            is_literal = false;
            step(lex);
            if (depth == TEMPLATES_MAX)
                break;
            braces[depth++] = 1;
            is_in_string = false;
        } else if (is_in_string && c == '\n' && depth == 0) {
            lex->at = at; /* not closed, which the language does not allow: the line end counts */
            lex->line--;
            break;
        } else if (!is_in_string && c == '"') {
            is_in_string = true;
        } else if (!is_in_string && c == '{') {
            braces[depth - 1]++;
        } else if (!is_in_string && c == '}' && --braces[depth - 1] == 0) {
            depth--;
            is_in_string = true;
        }
    }
    *out_end = lex->at;
    return false;
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
