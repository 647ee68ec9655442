/* SPDX-License-Identifier: Apache-2.0 */
#include "base/xml.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct gl_xml *parse(const char *text)
{
    struct gl_error err = {0};
    struct gl_xml *doc = NULL;

    if (gl_xml_parse(text, strlen(text), &doc, &err))
        fail_msg("%s: %s", text, err.text);
    return doc;
}

static void assert_refused(const char *bytes, size_t length, enum gl_errc code, const char *says)
{
    struct gl_error err = {0};
    struct gl_xml *doc = NULL;

    if (gl_xml_parse(bytes, length, &doc, &err) == 0)
        fail_msg("\"%.60s\" was taken", bytes);
    assert_null(doc);
    assert_int_equal(err.code, code);
    if (strstr(err.text, says) == NULL)
        fail_msg("\"%.60s\": %s", bytes, err.text);
}

static void test_tree(void **state)
{
    GL_AUTO(gl_auto_xml)
    struct gl_xml *doc = parse("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                               "<!-- a comment --><a x='1'>\n <b> one <c/>two </b>\n"
                               " <d>&lt;&amp;&gt;&quot;&apos;&#228;</d><b><![CDATA[<raw> ]]></b>\n"
                               "</a>\n<!-- after -->\n");
    const struct gl_xml_node *root = gl_xml_root(doc);
    const struct gl_xml_node *b = gl_xml_child(root, "b");

    (void)state;
    assert_string_equal(root->name, "a");
    assert_string_equal(root->text, "");
    assert_null(root->next);
    assert_ptr_equal(root->first, b);
    assert_string_equal(b->text, "one two");
    assert_string_equal(gl_xml_text(b, "c"), "");
    assert_string_equal(b->next->name, "d");
    assert_string_equal(b->next->text, "<&>\"'\xc3\xa4");
    b = gl_xml_next(b, "b");
    assert_string_equal(b->text, "<raw>");
    assert_null(gl_xml_next(b, "b"));
    assert_null(gl_xml_child(b, "c"));
}

static void test_paths(void **state)
{
    GL_AUTO(gl_auto_xml)
    struct gl_xml *doc = parse("<r><a><b>1</b><b>2</b><bc>3</bc></a><a><z>4</z></a></r>");
    const struct gl_xml_node *root = gl_xml_root(doc);

    (void)state;
    assert_string_equal(gl_xml_text(root, "a/b"), "1");
    assert_string_equal(gl_xml_text(root, "a/bc"), "3");
    assert_string_equal(gl_xml_text(root, ""), "");
    assert_null(gl_xml_text(root, "a/z")); /* of the first child of each name only */
    assert_null(gl_xml_text(root, "a/b/c"));
    assert_null(gl_xml_text(root, "b"));
    assert_null(gl_xml_text(root, "a//b"));
    assert_null(gl_xml_text(NULL, "a"));
    assert_null(gl_xml_child(NULL, "a"));
    assert_null(gl_xml_next(NULL, "a"));
    gl_xml_free(NULL);
}

static void test_namespaces(void **state)
{
    GL_AUTO(gl_auto_xml)
    struct gl_xml *doc = parse("<n:a xmlns:n='urn:x' xmlns='urn:y'><b/><n:b>2</n:b></n:a>");
    const struct gl_xml_node *b = gl_xml_child(gl_xml_root(doc), "b");

    (void)state;
    assert_string_equal(gl_xml_root(doc)->name, "a");
    assert_string_equal(gl_xml_next(b, "b")->text, "2");
}

static void test_encodings(void **state)
{
    static const char utf16[] = "\xff\xfe<\0a\0/\0>\0";
    static const char *const named[] = {"ISO-8859-1", "UTF-16", "windows-1252", "EBCDIC"};
    struct gl_xml *doc = parse("\xef\xbb\xbf<a>\xe2\x82\xac</a>");

    (void)state;
    assert_string_equal(gl_xml_root(doc)->text, "\xe2\x82\xac");
    gl_xml_free(doc);
    gl_xml_free(parse("<?xml version='1.0' encoding='US-ASCII' standalone='yes'?><a/>"));
    assert_refused(utf16, sizeof utf16 - 1, GL_E_BAD_REPLY, "encoding other than UTF-8");
    assert_refused("<a>\0</a>", 8, GL_E_BAD_REPLY, "encoding other than UTF-8");
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        GL_AUTO(gl_str_done) struct gl_str text = {0};

        gl_str_addf(&text, "<?xml version='1.0' encoding='%s'?><a>x</a>", named[i]);
        assert_refused(gl_str_text(&text), text.length, GL_E_BAD_REPLY,
                       "encoding other than UTF-8");
    }
    assert_refused("<a>\xe4</a>", 8, GL_E_BAD_REPLY, "line 1, column 4");
}

static void test_refusals(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"<!DOCTYPE a><a/>", "document type"},
        {"<!DOCTYPE a [<!ENTITY b 'b'>]><a>&b;</a>", "document type"},
        {"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "document type"},
        {"<?xml-stylesheet href='x'?><a/>", "processing instruction"},
        {"<a><?php x?></a>", "processing instruction"},
        {"<a>&nbsp;</a>", "undefined entity"},
        {"<a b='&nbsp;'/>", "undefined entity"},
        {"<a>&#0;</a>", "line 1"},
        {"", "no element found"},
        {"   ", "no element found"},
        {"<a>", "line 1"},
        {"<a></b>", "mismatched"},
        {"<a/><b/>", "line 1, column 5"},
        {"<a/>x", "line 1"},
        {"<a\n x=1/>", "line 2"},
        {"<a x='1' x='2'/>", "duplicate"},
        {"{\"a\": 1}", "line 1"},
        {"PK\3\4", "line 1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_refused(rows[i].text, strlen(rows[i].text), GL_E_BAD_REPLY, rows[i].says);
    assert_refused(NULL, 0, GL_E_BAD_REPLY, "no element found");
}

/* Nothing of the input is in the error: it may hold a secret. */
static void test_error_quotes_nothing(void **state)
{
    static const char *const texts[] = {"<a>SECRET-7</b>", "<SECRET-7>", "<a>&SECRET-7;</a>",
                                        "<?SECRET-7 ?><a/>", "<!DOCTYPE SECRET-7><a/>"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct gl_error err = {0};
        struct gl_xml *doc = NULL;

        assert_int_equal(gl_xml_parse(texts[i], strlen(texts[i]), &doc, &err), -1);
        assert_null(strstr(err.text, "SECRET"));
    }
}

static void add_times(struct gl_str *text, const char *piece, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        gl_str_add(text, piece);
}

static void test_depth(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_xml *doc;

    (void)state;
    add_times(&text, "<a>", GL_XML_MAX_DEPTH);
    add_times(&text, "</a>", GL_XML_MAX_DEPTH);
    doc = parse(gl_str_text(&text));
    gl_xml_free(doc);
    gl_str_clear(&text);
    add_times(&text, "<a>", GL_XML_MAX_DEPTH + 1);
    add_times(&text, "</a>", GL_XML_MAX_DEPTH + 1);
    assert_refused(gl_str_text(&text), text.length, GL_E_TOO_LARGE, "deep");
    gl_str_clear(&text);
    add_times(&text, "<a>", GL_XML_MAX_DEPTH);
    gl_str_add(&text, "<b/>");
    assert_refused(gl_str_text(&text), text.length, GL_E_TOO_LARGE, "deep");
}

static void test_nodes(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_xml *doc;
    unsigned count = 0;

    (void)state;
    gl_str_add(&text, "<r>");
    add_times(&text, "<a/>", GL_XML_MAX_NODES - 1);
    gl_str_add(&text, "</r>");
    doc = parse(gl_str_text(&text));
    for (const struct gl_xml_node *a = gl_xml_child(gl_xml_root(doc), "a"); a != NULL;
         a = gl_xml_next(a, "a"))
        count++;
    assert_int_equal(count, GL_XML_MAX_NODES - 1);
    gl_xml_free(doc);
    gl_str_clear(&text);
    gl_str_add(&text, "<r>");
    add_times(&text, "<a/>", GL_XML_MAX_NODES);
    gl_str_add(&text, "</r>");
    assert_refused(gl_str_text(&text), text.length, GL_E_TOO_LARGE, "too many");
}

static void test_bytes(void **state)
{
    char *bytes = gl_alloc(GL_XML_MAX_BYTES + 1);
    struct gl_error err = {0};
    struct gl_xml *doc = NULL;

    (void)state;
    memset(bytes, ' ', GL_XML_MAX_BYTES + 1);
    memcpy(bytes, "<a>", 3);
    memcpy(bytes + GL_XML_MAX_BYTES - 5, "x</a>", 5);
    assert_int_equal(gl_xml_parse(bytes, GL_XML_MAX_BYTES, &doc, &err), 0);
    assert_string_equal(gl_xml_root(doc)->text, "x");
    gl_xml_free(doc);
    assert_refused(bytes, GL_XML_MAX_BYTES + 1, GL_E_TOO_LARGE, "16 MiB");
    memset(bytes, 'y', GL_XML_MAX_BYTES);
    memcpy(bytes, "<a>", 3);
    memcpy(bytes + GL_XML_MAX_BYTES - 4, "</a>", 4);
    assert_int_equal(gl_xml_parse(bytes, GL_XML_MAX_BYTES, &doc, &err), 0);
    assert_int_equal(strlen(gl_xml_root(doc)->text), GL_XML_MAX_BYTES - 7);
    gl_xml_free(doc);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree),       cmocka_unit_test(test_paths),
        cmocka_unit_test(test_namespaces), cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_refusals),   cmocka_unit_test(test_error_quotes_nothing),
        cmocka_unit_test(test_depth),      cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_bytes),
    };

    return cmocka_run_group_tests_name("xml", tests, NULL, NULL);
}
