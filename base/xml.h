/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_XML_H
#define GL_BASE_XML_H

/* Small XML answers of remote services as a tree, read by expat under ceilings. Elements are known
 * by their local name (namespaces and prefixes are dropped), text is trimmed, attributes are not
 * kept. What is refused: document types, entities other than the five of XML, processing
 * instructions, encodings other than UTF-8 and ASCII. */

#include "base/error.h"

#define GL_XML_MAX_BYTES ((size_t)16 << 20)
#define GL_XML_MAX_DEPTH 32
#define GL_XML_MAX_NODES 200000u

struct gl_xml; /* a document; owns every node and text below it */

/* `text` is never NULL: the element's own characters (children's left out) without white space at
 * both ends, UTF-8 without NUL, "" when there are none. */
struct gl_xml_node {
    const char *name;
    const char *text;
    struct gl_xml_node *first; /* the first child element, NULL if none */
    struct gl_xml_node *next;  /* the next sibling element, NULL if none */
};

/* Parse `length` bytes, one whole document. *out is freed with gl_xml_free(). -1 with TOO_LARGE
 * past a ceiling, else BAD_REPLY with line and column; bytes of the input are never quoted. */
int gl_xml_parse(const char *bytes, size_t length, struct gl_xml **out, struct gl_error *err);
/* NULL is fine. */
void gl_xml_free(struct gl_xml *doc);
void gl_auto_xml(struct gl_xml **doc); /* gl_xml_free() for GL_AUTO */

/* Everything returned below is borrowed from the document. */
const struct gl_xml_node *gl_xml_root(const struct gl_xml *doc); /* never NULL */
/* The first child called `name`; NULL if there is none or `node` is NULL. */
const struct gl_xml_node *gl_xml_child(const struct gl_xml_node *node, const char *name);
/* The next sibling called `name`; NULL if there is none or `node` is NULL. */
const struct gl_xml_node *gl_xml_next(const struct gl_xml_node *node, const char *name);
/* The text of the first element at `path` below `node` ("a/b/c", the first child of each name is
 * followed; "" is `node` itself). NULL if absent. */
const char *gl_xml_text(const struct gl_xml_node *node, const char *path);

#endif
