/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_YAMLTREE_H
#define GL_BROKER_HOOK_YAMLTREE_H

/* YAML of infrastructure tools as the trees of base/jsonpull.h: a stream of documents, plain
 * scalars typed by YAML 1.1 as those tools read them, short tags of CloudFormation spelled out.
 * Aliases and merge keys (<<) are copied and count against the ceilings, so that a bomb of them
 * ends early; with short tags, merge keys are refused, and always where the tools do not agree on
 * what they mean. Errors show no bytes of the document. Sources: YAML 1.1; "Merge Key
 * Language-Independent Type"; go.yaml.in/yaml v2 and v3 (decode.go); AWS CloudFormation User Guide,
 * "Intrinsic function reference" and "Template format". */

#include "base/jsonpull.h"

#define GL_YAMLTREE_MAX_BYTES                                                        \
    ((size_t)16 << 20)               /* of the stream, and of a document spelled out \
                                      */
#define GL_YAMLTREE_MAX_DEPTH   90   /* a short tag adds a level of its own */
#define GL_YAMLTREE_MAX_ANCHORS 1000 /* of a document */

struct gl_yamltree;

/* Reads the borrowed bytes. Never NULL. `has_short_tags`: !Ref X becomes {"Ref":"X"}, !GetAtt A.B
 * {"Fn::GetAtt":["A","B"]}, !Condition C {"Condition":"C"}, any other !Name {"Fn::Name":...}. */
struct gl_yamltree *gl_yamltree_new(const char *bytes, size_t length, const char *name,
                                    bool has_short_tags);
void gl_yamltree_free(struct gl_yamltree *yaml);

/* The next document into `tree`; *out_has false after the last, when the tree is left alone. An
 * empty document is null. -1: SYNTAX, TOO_LARGE with name and line, DUPLICATE_KEY with name. */
int gl_yamltree_next(struct gl_yamltree *yaml, struct gl_jtree *tree, bool *out_has,
                     struct gl_error *err);

/* A JSON string in its quotes, for trees that are built rather than read. */
void gl_yamltree_quote(struct gl_str *out, const char *bytes, size_t length);

#endif
