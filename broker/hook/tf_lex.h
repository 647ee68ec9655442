/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_TF_LEX_H
#define GL_BROKER_HOOK_TF_LEX_H

/* Words of Terraform's language (HCL native syntax, hashicorp/hcl spec.md): just enough to tell
 * code from comments, strings and heredocs. Evaluates nothing, and takes any bytes. */

#include "base/str.h"

enum gl_tf_kind {
    GL_TF_END,
    GL_TF_NAME,    /* aws_instance; dashes too */
    GL_TF_STRING,  /* what is between the quotes */
    GL_TF_NEWLINE, /* ends an attribute */
    GL_TF_SIGN,    /* one byte of punctuation */
    GL_TF_OTHER,   /* a heredoc, a number */
};

struct gl_tf_token {
    enum gl_tf_kind kind;
    size_t start, length;
    uint32_t line;   /* 1-based, where it begins */
    bool is_literal; /* STRING: no template and no escape inside */
};

struct gl_tf_lex {
    const char *text;
    size_t length, at;
    uint32_t line;
};

struct gl_tf_lex gl_tf_lex_of(const char *text, size_t length);
/* The next word; END for ever after the last. */
struct gl_tf_token gl_tf_lex_next(struct gl_tf_lex *lex);
/* Is it this name, or this sign? */
bool gl_tf_token_is(const struct gl_tf_lex *lex, const struct gl_tf_token *token, const char *text);

#endif
