/* SPDX-License-Identifier: Apache-2.0 */
/* Manual pages from the tables, as mdoc. Nothing here is written twice: what a page says of an
 * option, a key, an exit status or a unit is the row that the program itself uses. */
#include <stdio.h>
#include <string.h>

#include "base/wrap.h"
#include "broker/cli/help.h"
#include "policy/draft.h"

/* Of the last release; a page must not change with the day it is built. */
#define PAGE_DATE       "November 21, 2026"
#define OPTIONS_MAX     64
#define EXAMPLE_COLUMNS 68 /* an indented display in a page of 78 */

/* Text as mdoc: what would be an escape or a request is made harmless. */
static void add_literal(struct gl_str *out, const char *text)
{
    bool is_line_start = true;

    for (; *text != '\0'; text++) {
        if (is_line_start && (*text == '.' || *text == '\''))
            gl_str_add(out, "\\&");
        is_line_start = *text == '\n';
        if (*text == '\\')
            gl_str_add(out, "\\e");
        else
            gl_str_add_char(out, *text);
    }
}

static bool is_sentence_end(const char *at)
{
    return at[0] == '.' && at[1] == ' ' && ((at[2] >= 'A' && at[2] <= 'Z') || at[2] == '-');
}

/* The same, each sentence on a line of its own, so that the formatter knows where they end. */
static void add_text(struct gl_str *out, const char *text)
{
    while (*text != '\0') {
        GL_AUTO(gl_str_done) struct gl_str sentence = {0};

        while (*text != '\0' && !is_sentence_end(text))
            gl_str_add_char(&sentence, *text++);
        if (*text != '\0') {
            gl_str_add(&sentence, ".\n");
            text += 2;
        }
        add_literal(out, gl_str_text(&sentence));
    }
}

static void add_sentence(struct gl_str *out, const char *text)
{
    size_t length = strlen(text);

    add_text(out, text);
    gl_str_add(out, length > 0 && text[length - 1] == '.' ? "\n" : ".\n");
}

static void add_head(struct gl_str *out, const char *title, int section, const char *name,
                     const char *what)
{
    gl_str_addf(out, ".Dd " PAGE_DATE "\n.Dt %s %d\n.Os\n.Sh NAME\n.Nm %s\n.Nd %s\n", title,
                section, name, what);
}

/* A literal block. */
static void add_display(struct gl_str *out, const char *text)
{
    gl_str_add(out, ".Bd -literal -offset indent\n");
    add_literal(out, text);
    gl_str_add(out, "\n.Ed\n");
}

/* Break long lines of text, which the formatter fills anyway; a display stays as it is. A macro
 * line cannot be broken. */
static void break_lines(struct gl_str *page)
{
    struct gl_str out = {0};
    bool is_display = false;

    for (const char *at = gl_str_text(page); *at != '\0';) {
        GL_AUTO(gl_str_done) struct gl_str line = {0};
        size_t length = strcspn(at, "\n");

        gl_str_add_bytes(&line, at, length);
        is_display = strncmp(at, ".Bd", 3) == 0 || (is_display && strncmp(at, ".Ed", 3) != 0);
        if (is_display || *at == '.')
            gl_str_addf(&out, "%s\n", gl_str_text(&line));
        else
            gl_wrap_long(gl_str_text(&line), (struct gl_margins){0, 0, GL_WRAP_COLUMNS}, &out);
        at += length + (at[length] == '\n');
    }
    gl_str_done(page);
    *page = out;
}

/* ---- greenlaunch(1) ---- */

/* Those of offers that state rules and requests stand in a section of their own. */
static bool is_shared(const struct gl_option *option)
{
    const struct gl_option *known = gl_command_find("offers")->options;

    if (option->group == NULL ||
        (strcmp(option->group, "Rules") != 0 && strcmp(option->group, "Request") != 0))
        return false;
    while (known->name != NULL && strcmp(known->name, option->name) != 0)
        known++;
    return known->name != NULL;
}

/* The options of a command that are, or are not, the ones shared by all that ask. Returns how
 * many. */
static size_t filter(const struct gl_option *options, bool wants_shared,
                     struct gl_option out[OPTIONS_MAX])
{
    size_t count = 0;

    for (; options != NULL && options->name != NULL && count + 1 < OPTIONS_MAX; options++)
        if (is_shared(options) == wants_shared)
            out[count++] = *options;
    out[count] = (struct gl_option){0};
    return count;
}

/* A line for every alternative. */
static void add_operands(struct gl_str *out, const char *operands)
{
    const char *bar;

    for (; (bar = strstr(operands, " | ")) != NULL; operands = bar + 3) {
        GL_AUTO(gl_str_done) struct gl_str one = {0};

        gl_str_add_bytes(&one, operands, (size_t)(bar - operands));
        gl_str_add(out, ".Li ");
        add_text(out, gl_str_text(&one));
        gl_str_add(out, " |\n");
    }
    gl_str_add(out, ".Li ");
    add_text(out, operands);
    gl_str_add_char(out, '\n');
}

static void add_command(struct gl_str *out, const struct gl_command *command)
{
    struct gl_option own[OPTIONS_MAX], shared[OPTIONS_MAX];
    size_t own_count = filter(command->options, false, own);
    size_t shared_count = filter(command->options, true, shared);
    GL_AUTO(gl_str_done) struct gl_str example = {0};

    gl_str_add(out, ".Sh ");
    for (const char *at = command->name; *at != '\0'; at++)
        gl_str_add_char(out, (char)(*at - ('a' <= *at && *at <= 'z' ? 32 : 0)));
    gl_str_addf(out, "\n.Nm\n.Cm %s\n", command->name);
    if (command->options != NULL)
        gl_str_add(out, ".Op Ar options\n");
    if (command->operands[0] != '\0')
        add_operands(out, command->operands);
    gl_str_add(out, ".Pp\n");
    add_sentence(out, command->description);
    if (shared_count > 0)
        gl_str_add(out, ".Pp\nTakes the options of\n.Sx RULES AND REQUESTS .\n");
    gl_help_example(command, 0, EXAMPLE_COLUMNS, &example);
    example.text[example.length - 1] = '\0'; /* the display ends the line */
    add_display(out, gl_str_text(&example));
    if (own_count > 0)
        gl_options_man(own, out);
}

static void add_shared_options(struct gl_str *out)
{
    struct gl_option shared[OPTIONS_MAX];

    filter(gl_command_find("offers")->options, true, shared);
    gl_str_add(out, ".Sh RULES AND REQUESTS\nSeveral commands take a request (what is to run) and "
                    "rules (what must hold).\nRules are added to those of the policy files and can "
                    "only tighten them.\n");
    gl_options_man(shared, out);
}

static void add_exits(struct gl_str *out)
{
    unsigned count;
    const struct gl_exit_row *rows = gl_exit_rows(&count);

    gl_str_add(out, ".Sh EXIT STATUS\n.Bl -tag -width 124x\n");
    for (unsigned i = 0; i < count; i++) {
        gl_str_addf(out, ".It %d\n%s: ", (int)rows[i].status, rows[i].name);
        add_sentence(out, rows[i].meaning);
        if (!rows[i].can_occur)
            gl_str_add(out, "Kept for later versions; this one never ends with it.\n");
    }
    gl_str_add(out, ".El\n");
}

struct entry {
    const char *name, *text;
};

static void add_entries(struct gl_str *out, const char *title, const char *macro,
                        const struct entry *entries)
{
    gl_str_addf(out, ".Sh %s\n.Bl -tag -width Ds\n", title);
    for (; entries->name != NULL; entries++) {
        gl_str_addf(out, ".It %s %s\n", macro, entries->name);
        add_sentence(out, entries->text);
    }
    gl_str_add(out, ".El\n");
}

/* Every variable that the programs read: tests/integration/terminal.sh compares. */
static const struct entry environment[] = {
    {"HOME", "Where the configuration and the state are when the next two say nothing"},
    {"XDG_CONFIG_HOME", "Folder of greenlaunch/config.yaml; ~/.config when not set"},
    {"XDG_STATE_HOME", "Folder of greenlaunch/, the ledger, the cache of signals and local "
                       "instances; ~/.local/state when not set"},
    {"USER", "Who approves a request at a terminal, when --approved-by says nothing"},
    {"PATH", "Where QEMU, busybox and the programs of --with are found"},
    {"AZURE_SUBSCRIPTION_ID",
     "Whose machines are believed to be ours when Azure signs where one runs; the other variables "
     "of "
     "rented clouds and signals: greenlaunch provider list, greenlaunch source list"},
    {"HTTPS_PROXY",
     "Proxy by which grid signals are asked, as libcurl reads it; NO_PROXY names what needs none"},
    {"COLUMNS", "Width of what is printed, as --width; else that of the terminal, else 80"},
    {"TERM", "A terminal that is \"dumb\" gets no colour and no line that is redrawn"},
    {"CI", "Set to anything but 0: no line that is redrawn"},
    {"NO_COLOR", "No colour, as --no-color"},
    {"NO_PROGRESS", "No progress lines, as --no-progress"},
    {"ACCESSIBLE", "Text without tables, as --accessible"},
    {"TMPDIR", "Where a demonstration keeps its scratch folder; /tmp when not set"},
    {"GREENLAUNCH_ACCEL",
     "How local instances run: tcg emulates, kvm uses the processor and fails without, probe tries "
     "KVM again whatever earlier launches showed; when not set, KVM where a launch since the boot "
     "has shown that it works, and else emulation"},
    {"GREENLAUNCH_BOOT_TIMEOUT",
     "Seconds that a local instance may take to boot, 1 to 3600; for slow machines"},
    {"GREENLAUNCH_CPUINFO",
     "A file in the form of /proc/cpuinfo that says which processor this machine has, where the "
     "kernel's own does not"},
    {"GREENLAUNCH_GUEST", "Folder of the guest kernel of local instances"},
    {"GREENLAUNCH_METER", "The static greenlaunch-meter that local instances run"},
    {NULL, NULL},
};

static const struct entry files[] = {
    {"~/.config/greenlaunch/config.yaml", "The configuration; written by greenlaunch init"},
    {"~/.local/state/greenlaunch/ledger.db", "The ledger: an append-only, hash-chained record"},
    {"~/.local/state/greenlaunch/cache/", "Answers of signal sources, with their issue time"},
    {"~/.local/state/greenlaunch/archive/", "What sources forecast and measured, for guarantees"},
    {"~/.local/state/greenlaunch/learnt/", "What was learnt of each rule; made again when gone"},
    {NULL, NULL},
};

void gl_man_program(struct gl_str *out)
{
    add_head(out, "GREENLAUNCH", 1, "greenlaunch",
             "launch compute only where and when it is green");
    gl_str_add(out, ".Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar options\n.Nm\n.Fl -renewable-only\n"
                    ".Op Ar rules\n.Op Fl - Ar command\n.Sh DESCRIPTION\n.Nm\nlaunches cloud "
                    "compute only where and when it is green, meters it, and proves afterwards "
                    "what it cost.\nThe second form is short for\n.Cm launch ,\nor for\n.Cm run\n"
                    "when a command follows.\nMissing, stale or contradictory evidence is unknown, "
                    "and unknown is never green.\n");
    for (size_t i = 0; gl_commands[i] != NULL; i++)
        if (gl_commands[i]->group != NULL)
            add_command(out, gl_commands[i]);
    add_shared_options(out);
    gl_str_add(out, ".Sh OPTIONS OF EVERY COMMAND\n");
    gl_options_man(gl_global_options, out);
    add_entries(out, "ENVIRONMENT", "Ev", environment);
    add_entries(out, "FILES", "Pa", files);
    add_exits(out);
    gl_str_add(out, ".Sh SEE ALSO\n.Xr greenlaunch-policy 5\n");
    break_lines(out);
}

/* ---- greenlaunch-policy(5) ---- */

#define DEPTH_MAX 4

/* The fields of a form, and below them those of the forms they hold. */
static void add_form(struct gl_str *out, const struct gl_form *form, unsigned depth)
{
    gl_str_add(out, ".Bl -tag -width Ds\n");
    for (const struct gl_field *field = form->fields; field->name != NULL; field++) {
        gl_str_addf(out, ".It Cm %s\n", field->name);
        add_text(out, field->help);
        gl_str_add(out, field->is_needed ? ".\nCompulsory.\n" : ".\n");
        for (unsigned i = 0; field->words != NULL && field->words[i] != NULL; i++)
            gl_str_addf(out, "%s%s%s", i == 0 ? "One of " : ", ", field->words[i],
                        field->words[i + 1] == NULL ? ".\n" : "");
        if (field->form != NULL && field->form->fields[0].name != NULL && depth < DEPTH_MAX)
            add_form(out, field->form, depth + 1);
    }
    gl_str_add(out, ".El\n");
}

static void add_keys(struct gl_str *out)
{
    size_t count;
    const struct gl_key *keys = gl_keys(&count);

    gl_str_add(out, ".Sh LIMITS\nA rule holds one or more of these, in\n.Cm require\nor directly.\n"
                    "All of them must hold.\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < count; i++) {
        gl_str_addf(out, ".It Cm %s : Li ", keys[i].name);
        /* Quotes would be eaten by the macro. */
        for (const char *at = keys[i].example; *at != '\0'; at++)
            gl_str_add(out, *at == '"' ? "\\(dq" : (const char[]){*at, '\0'});
        gl_str_add_char(out, '\n');
        add_sentence(out, keys[i].help);
        if (!gl_key_is_limit(&keys[i]))
            gl_str_add(out, "Says how the limits of its rule are judged.\n");
    }
    gl_str_add(out, ".El\n");
}

static void add_units(struct gl_str *out)
{
    gl_str_add(out, ".Sh UNITS\nUnits are compulsory; a bare number is an error.\n"
                    ".Bl -tag -width Ds\n");
    for (int dim = 0; dim < GL_DIM_COUNT_KINDS; dim++) {
        const struct gl_dimension_row *row = gl_dimension_row((enum gl_dimension)dim);

        gl_str_addf(out, ".It %s\n", row->name);
        add_text(out, row->units);
        gl_str_add(out, row->units[0] != '\0' ? "; as in " : "as in ");
        add_sentence(out, row->example);
    }
    gl_str_add(out, ".El\n");
}

void gl_man_policy(struct gl_str *out)
{
    add_head(out, "GREENLAUNCH-POLICY", 5, "greenlaunch-policy", "rules for green launches");
    gl_str_add(out, ".Sh DESCRIPTION\nA policy is a YAML file of rules.\nAll rules that match an "
                    "offer must hold; their order does not matter.\nAn including policy can only "
                    "tighten what it includes.\nUnknown keys, duplicate keys, anchors, tags and "
                    "missing units are errors.\n.Pp\nThe smallest policy:\n");
    add_display(out, "greenlaunch: 1\nrules:\n  - max_intensity: 100 gCO2e/kWh");
    gl_str_add(out, ".Pp\nThe keys:\n");
    add_form(out, &gl_policy_form, 0);
    add_keys(out);
    add_units(out);
    gl_str_add(out, ".Sh WAIVERS\nA waivers file names exceptions, each for one rule and a limited "
                    "time.\n");
    add_form(out, &gl_waivers_form, 0);
    gl_str_add(out, ".Sh SEE ALSO\n.Xr greenlaunch 1 ;\nthe same keys as JSON Schema:\n.Dl "
                    "greenlaunch policy schema\n");
    break_lines(out);
}
