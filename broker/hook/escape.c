/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/escape.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define NAME_MOST 256 /* bytes of a code span */

/* What is replaced by what. */
enum where {
    ANY,
    WORD, /* at the beginning of a word: a line may be broken before it */
    CASE, /* anywhere, in small letters or large */
};
struct row {
    const char *what, *with;
    enum where where;
};

/* After the rows of a format. Azure Pipelines looks for its prefix anywhere in a line, as GitHub's
 * runner does for the older "##["; "::" counts at the start of a line. */
static const struct row runner_rows[] = {
    {"##vso[", "# #vso[", CASE}, {"##[", "# #[", ANY}, {"::", ": :", WORD}, {0}};

static const struct row log_rows[] = {{0}};
static const struct row quiet_rows[] = {{"fail", "f~ail", CASE}, {0}};
static const struct row tap_rows[] = {{"\\", "\\\\", ANY}, {"#", "\\#", ANY}, {0}};
/* XML 1.0 section 2.2 has no U+FFFE and U+FFFF. */
static const struct row xml_rows[] = {
    {"&", "&amp;", ANY},
    {"<", "&lt;", ANY},
    {">", "&gt;", ANY},
    {"\"", "&quot;", ANY},
    {"'", "&#39;", ANY},
    {"\xef\xbf\xbe", "\\ufffe", ANY},
    {"\xef\xbf\xbf", "\\uffff", ANY},
    {0},
};
/* A zero-width space after what would ring somebody, refer to an issue or become a link. */
#define GAP "\xe2\x80\x8b"
static const struct row markdown_rows[] = {
    {"&", "&amp;", ANY},
    {"<", "&lt;", ANY},
    {">", "&gt;", ANY},
    {"\\", "\\\\", ANY},
    {"`", "\\`", ANY},
    {"*", "\\*", ANY},
    {"_", "\\_", ANY},
    {"~", "\\~", ANY},
    {"|", "\\|", ANY},
    {"[", "\\[", ANY},
    {"]", "\\]", ANY},
    {"!", "\\!", ANY},
    {"$", "\\$", ANY},
    {"#", "\\#" GAP, ANY},
    {"@", "@" GAP, ANY},
    {"://", ":" GAP "//", ANY},
    {"www.", "www" GAP ".", CASE},
    {"GH-", "GH" GAP "-", CASE},
    {"::", ":" GAP ":", ANY},
    {0},
};
static const struct row command_rows[] = {{"%", "%25", ANY}, {0}};
static const struct row property_rows[] = {
    {"%", "%25", ANY}, {":", "%3A", ANY}, {",", "%2C", ANY}, {0}};
static const struct row azure_rows[] = {{"%", "%AZP25", ANY}, {0}};
static const struct row azure_property_rows[] = {
    {"%", "%AZP25", ANY}, {";", "%3B", ANY}, {"]", "%5D", ANY}, {0}};
/* Within a string of JSON: the same character by its number, also where it cannot be seen. */
static const struct row json_rows[] = {
    {"#", "\\u0023", ANY},
    {"\xe2\x80\x8b", "\\u200b", ANY},
    {"\xe2\x80\x8c", "\\u200c", ANY},
    {"\xe2\x80\x8d", "\\u200d", ANY},
    {"\xe2\x80\x8e", "\\u200e", ANY},
    {"\xe2\x80\x8f", "\\u200f", ANY},
    {"\xe2\x80\xa8", "\\u2028", ANY},
    {"\xe2\x80\xa9", "\\u2029", ANY},
    {"\xe2\x80\xaa", "\\u202a", ANY},
    {"\xe2\x80\xab", "\\u202b", ANY},
    {"\xe2\x80\xac", "\\u202c", ANY},
    {"\xe2\x80\xad", "\\u202d", ANY},
    {"\xe2\x80\xae", "\\u202e", ANY},
    {"\xe2\x81\xa6", "\\u2066", ANY},
    {"\xe2\x81\xa7", "\\u2067", ANY},
    {"\xe2\x81\xa8", "\\u2068", ANY},
    {"\xe2\x81\xa9", "\\u2069", ANY},
    {"\xef\xbb\xbf", "\\ufeff", ANY},
    {0},
};

static const struct row *const tables[] = {
    [GL_ESCAPE_LOG] = log_rows,
    [GL_ESCAPE_QUIET] = quiet_rows,
    [GL_ESCAPE_TAP] = tap_rows,
    [GL_ESCAPE_XML] = xml_rows,
    [GL_ESCAPE_MARKDOWN] = markdown_rows,
    [GL_ESCAPE_COMMAND] = command_rows,
    [GL_ESCAPE_COMMAND_PROPERTY] = property_rows,
    [GL_ESCAPE_AZURE] = azure_rows,
    [GL_ESCAPE_AZURE_PROPERTY] = azure_property_rows,
};

static bool fits(const struct row *row, const char *from, const char *at)
{
    size_t length = strlen(row->what);

    if (row->where == CASE)
        return strncasecmp(at, row->what, length) == 0;
    if (strncmp(at, row->what, length) != 0)
        return false;
    return row->where != WORD || at == from || isspace((unsigned char)at[-1]);
}

/* With CASE the letters stay as they are: what `with` has more is put between them. */
static void add_with(const struct row *row, const char *at, struct gl_str *out)
{
    if (row->where != CASE) {
        gl_str_add(out, row->with);
        return;
    }
    for (const char *with = row->with, *what = row->what; *with != '\0'; with++) {
        bool is_kept = *what != '\0' && *with == *what;

        gl_str_add_char(out, is_kept ? *at : *with);
        at += is_kept;
        what += is_kept;
    }
}

static const struct row *row_for(const struct row *rows, const char *from, const char *at)
{
    for (; rows->what != NULL; rows++)
        if (fits(rows, from, at))
            return rows;
    return NULL;
}

static void translate(const struct row *rows, const char *text, struct gl_str *out)
{
    for (const char *at = text; *at != '\0';) {
        const struct row *row = row_for(rows, text, at);

        if (row == NULL && rows != json_rows)
            row = row_for(runner_rows, text, at);
        if (row == NULL) {
            gl_str_add_char(out, *at++);
            continue;
        }
        add_with(row, at, out);
        at += strlen(row->what);
    }
}

void gl_escape_visible(const char *text, size_t most, struct gl_str *out)
{
    size_t length = strnlen(text, most + 1);
    bool is_cut = length > most;

    if (is_cut)
        for (length = most; length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80;)
            length--;
    gl_str_add_printable(out, text, length);
    if (is_cut)
        gl_str_add(out, "...");
}

void gl_escape_add(enum gl_escape how, const char *text, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str visible = {0};

    if (text == NULL)
        return;
    gl_escape_visible(text, GL_ESCAPE_MOST, &visible);
    translate(tables[how], gl_str_text(&visible), out);
}

/* A fence longer than any run of backticks inside (CommonMark 6.1). A backslash is doubled, so that
 * none stands before the one that keeps a "|" from ending the cell. */
void gl_escape_code(const char *text, struct gl_str *out)
{
    static const struct row rows[] = {{"\\", "\\\\", ANY}, {"|", "\\|", ANY}, {0}};
    GL_AUTO(gl_str_done) struct gl_str visible = {0};
    size_t run = 0, longest = 0;
    const char *shown;

    gl_escape_visible(text != NULL ? text : "", NAME_MOST, &visible);
    shown = gl_str_text(&visible);
    if (*shown == '\0')
        return;
    for (const char *c = shown; *c != '\0'; c++) {
        run = *c == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    for (size_t i = 0; i <= longest; i++)
        gl_str_add_char(out, '`');
    gl_str_add(out, longest > 0 ? " " : "");
    translate(rows, shown, out);
    gl_str_add(out, longest > 0 ? " " : "");
    for (size_t i = 0; i <= longest; i++)
        gl_str_add_char(out, '`');
}

void gl_escape_uri(const char *path, struct gl_str *out)
{
    while (path[0] == '.' && path[1] == '/')
        path += 2;
    while (path[0] == '/')
        path++;
    for (const char *c = path; *c != '\0'; c++) {
        if (isascii((unsigned char)*c) &&
            (isalnum((unsigned char)*c) || strchr("-._~/", *c) != NULL))
            gl_str_add_char(out, *c);
        else
            gl_str_addf(out, "%%%02X", (unsigned)(unsigned char)*c);
    }
}

static void replace(const struct row *rows, struct gl_str *text)
{
    struct gl_str changed = {.ceiling = text->ceiling};

    if (text->length == 0)
        return;
    translate(rows, text->text, &changed);
    gl_str_done(text);
    *text = changed;
}

void gl_escape_lines(struct gl_str *text)
{
    replace(log_rows, text);
}

void gl_escape_json(struct gl_str *text)
{
    replace(json_rows, text);
}
