/* SPDX-License-Identifier: Apache-2.0 */
#include <expat.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <yaml.h>
#include <zlib.h>

#include "broker/cli/help.h"

static const char compiler[] =
#if defined(__clang__)
    "clang " __clang_version__;
#else
    "gcc " __VERSION__;
#endif

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    json_t *libraries;

    /* `greenlaunch COMMAND --version` comes here with the operands of COMMAND. */
    if (!context->globals.is_version && gl_help_operands(&gl_command_version, call, 0, 0, err) != 0)
        return -1;
    libraries =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "expat", XML_ExpatVersion(), "jansson",
                  jansson_version_str(), "libsodium", sodium_version_string(), "libyaml",
                  yaml_get_version_string(), "sqlite", sqlite3_libversion(), "zlib", zlibVersion());
    context->reply.data = json_pack("{s:s,s:s,s:o}", "version", GL_VERSION, "compiler", compiler,
                                    "libraries", libraries);
    gl_str_add(&context->reply.text, "greenlaunch " GL_VERSION "\n");
    return GL_EXIT_OK;
}

const struct gl_command gl_command_version = {
    .name = "version",
    .group = "Help",
    .summary = "the version of this program",
    .operands = "",
    .description = "Prints the version. With --json also the compiler and the libraries in use.",
    .example = "$ greenlaunch version\n"
               "greenlaunch " GL_VERSION,
    .run = run,
    .needs_no_config = true,
};
