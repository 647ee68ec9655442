/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hint.h"

#include <string.h>

/* What is right where the hint of the code would mislead: where a command looks names and values
 * up, when it is not among offers, signals or launches; and what to write instead. The first row
 * that fits. */
static const struct {
    const char *command; /* NULL = any */
    enum gl_errc code;
    const char *says; /* somewhere in the message; "" = any */
    const char *hint;
} rows[] = {
    {NULL, GL_E_USAGE, "unknown option --tag",
     "--tag is of what is to run (launch, run, wait, plan, offers, index availability); accounts "
     "are named by their path: greenlaunch budget show org/ml"},
    {NULL, GL_E_CONFIG, "no place for the ledger",
     "say where it may stand: --state DIR, or set HOME or XDG_STATE_HOME"},
    {"init", GL_E_CONFIG, "no place for it",
     "say where it may stand: --config FILE, or set HOME or XDG_CONFIG_HOME"},
    {NULL, GL_E_CONFIG, "no place for a configuration",
     "say where it may stand: --config FILE, or set HOME or XDG_CONFIG_HOME"},
    {NULL, GL_E_USAGE, "cannot open ", "check that the path exists and is yours"},
    {NULL, GL_E_USAGE, "cannot find the program ", "check that the path exists and is yours"},
    {"request", GL_E_UNKNOWN_NAME, "no venue",
     "say one of: aws-support, azure-support, browser, email, file, github, gitlab, "
     "google-support, "
     "jira, ovh, smtp, webhook, zendesk"},
    {"request", GL_E_UNKNOWN_NAME, "",
     "list them with: greenlaunch request observe, or request status"},
    {"request", GL_E_BAD_VALUE, "", "mend what the message names; nothing was sent or written"},
    {"request", GL_E_NOT_VERIFIED, "not the digest of its last preview",
     "preview it again, read it, and approve that digest"},
    {"request", GL_E_OUTCOME, "",
     "approve the same once more: it is looked for first; see: greenlaunch request status"},
    {"request", GL_E_PERMISSION, "",
     "look there before anything more is sent; see: greenlaunch request status"},
    {"request", GL_E_RATE_LIMIT, "",
     "look there before anything more is sent; see: greenlaunch request status"},
    {"index", GL_E_UNKNOWN_NAME, "", "list the providers with: greenlaunch index disclosure"},
    {NULL, GL_E_UNKNOWN_NAME, "no time zone",
     "write a name as in Europe/Berlin, or UTC; those known here: ls /usr/share/zoneinfo"},
    {"budget", GL_E_UNKNOWN_NAME, "", "list the accounts with: greenlaunch budget show"},
    {"guarantee", GL_E_UNKNOWN_NAME, "", "list what was promised with: greenlaunch guarantee list"},
    {"verify", GL_E_UNKNOWN_NAME, "", "list the launches with: greenlaunch status --all"},
    {NULL, GL_E_UNKNOWN_NAME, "no launch ", "list them with: greenlaunch status --all"},
    {NULL, GL_E_UNKNOWN_NAME, "no grid zone", "list them with: greenlaunch signals --limit 400"},
};

static bool fits(size_t row, const char *command, const struct gl_error *err)
{
    const char *of = rows[row].command;

    return rows[row].code == err->code &&
           (of == NULL || (command != NULL && strcmp(of, command) == 0)) &&
           strstr(err->text, rows[row].says) != NULL;
}

const char *gl_hint_of(const char *command, const struct gl_error *err)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (fits(i, command, err))
            return rows[i].hint;
    return gl_errc_row(err->code)->hint;
}
