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

        if (row == NULL)
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

/* Within a cell a backslash keeps a "|" from ending it (GitHub Flavored Markdown 4.10); those that
 * stand before one are doubled, so that they take away none of that. Others are what they are. */
static void keep_cell(const char *text, struct gl_str *out)
{
    for (const char *at = text; *at != '\0'; at++) {
        bool is_before_bar = at[strspn(at, "\\")] == '|';

        if (is_before_bar)
            gl_str_add_char(out, '\\');
        gl_str_add_char(out, *at);
    }
}

/* A fence longer than any run of backticks inside (CommonMark 6.1). */
void gl_escape_code(const char *text, bool is_cell, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str visible = {0};
    GL_AUTO(gl_str_done) struct gl_str kept = {0};
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
    if (is_cell)
        keep_cell(shown, &kept);
    translate(log_rows, is_cell ? gl_str_text(&kept) : shown, out);
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

/* ---- finished JSON ---- */

/* The character at `at`, of text that is known to be UTF-8; how many bytes it takes. */
static size_t character(const char *at, uint32_t *out)
{
    unsigned char first = (unsigned char)*at;
    size_t length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    *out = length == 1 ? first : first & (0x7fU >> length);
    for (size_t i = 1; i < length; i++)
        *out = *out << 6 | ((unsigned char)at[i] & 0x3f);
    return length;
}

/* What cannot be seen, ends a line for some reader, or turns the direction of writing. What is
 * below U+0020 JSON writes by its number anyway. */
static bool is_hidden(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},    {0x180e, 0x180e},
                  {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},  {0xfeff, 0xfeff},
                  {0xfff9, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0xe007f}};

    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

static void add_number(uint32_t code, struct gl_str *out)
{
    if (code < 0x10000)
        gl_str_addf(out, "\\u%04x", (unsigned)code);
    else /* RFC 8259 section 7: as the pair of UTF-16 */
        gl_str_addf(out, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (code >> 10)),
                    (unsigned)(0xdc00 + (code & 0x3ff)));
}

/* A '#' beside another begins a command of a runner. */
static bool is_command(const char *text, const char *at)
{
    return *at == '#' && (at[1] == '#' || (at > text && at[-1] == '#'));
}

/* JSON has all these within strings only. */
void gl_escape_json(struct gl_str *text)
{
    struct gl_str changed = {.ceiling = text->ceiling};
    uint32_t code;

    if (text->length == 0)
        return;
    for (const char *at = text->text, *plain = at;; at = plain) {
        while (*plain != '\0' && *plain != '#' && *plain > 0 && *plain < 0x7f)
            plain++;
        gl_str_add_bytes(&changed, at, (size_t)(plain - at));
        if (*plain == '\0')
            break;
        at = plain;
        plain += character(at, &code);
        if (is_hidden(code) || is_command(text->text, at))
            add_number(code, &changed);
        else
            gl_str_add_bytes(&changed, at, (size_t)(plain - at));
    }
    gl_str_done(text);
    *text = changed;
}
