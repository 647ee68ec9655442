/* SPDX-License-Identifier: Apache-2.0 */
#include "base/xml.h"

#include <stdlib.h>
#include <string.h>

/* The XML reader: a tree within its ceilings, or an error. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

/* Elements below and beside `node`; the levels bound the recursion. */
static size_t count(const struct gl_xml_node *node, unsigned levels)
{
    size_t found = 0;

    demand(node == NULL || levels > 0);
    for (; node != NULL; node = node->next) {
        size_t length = strlen(node->text);

        demand(strchr(" \t\r\n", node->text[0]) == NULL || length == 0);
        demand(length == 0 || strchr(" \t\r\n", node->text[length - 1]) == NULL);
        found += 1 + count(node->first, levels - 1);
    }
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct gl_error err = {0};
    struct gl_xml *doc = NULL;

    if (gl_xml_parse((const char *)bytes, size, &doc, &err) < 0) {
        demand(doc == NULL && (err.code == GL_E_BAD_REPLY || err.code == GL_E_TOO_LARGE));
        return 0;
    }
    demand(gl_xml_root(doc)->next == NULL);
    demand(count(gl_xml_root(doc), GL_XML_MAX_DEPTH) <= GL_XML_MAX_NODES);
    demand(gl_xml_text(gl_xml_root(doc), "") == gl_xml_root(doc)->text);
    gl_xml_free(doc);
    return 0;
}
