/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_SIGNAL_ORACLE_CONFIG_H
#define GL_PROVIDERS_SIGNAL_ORACLE_CONFIG_H

/* Who we are to Oracle Cloud, as its own tools say it: a profile of ~/.oci/config (what it lacks
 * comes from the profile DEFAULT) and the OCI_CLI_ environment variables, which go before it.
 * https://docs.oracle.com/en-us/iaas/Content/API/Concepts/sdkconfig.htm
 * https://docs.oracle.com/en-us/iaas/Content/API/SDKDocs/clienvironmentvariables.htm
 * Reads API keys and the tokens of `oci session authenticate`; refuses other ways to sign in, files
 * that anybody may write, and names that would not fit into a header. No text holds a name, a
 * fingerprint, a key or a pass phrase. */

#include "providers/signal/signal.h"

/* Row of struct gl_signal_signer. `key_file` of the configuration names another file than
 * $OCI_CLI_CONFIG_FILE and ~/.oci/config, `user_env` another variable for the profile. */
bool gl_oracle_look(const struct gl_signal_config *config, const struct gl_world *world,
                    struct gl_str *out);

/* The same; the key has signed once, so that it is known to be of use. NO_CREDENTIAL (missing,
 * unreadable, no pass phrase, a session that is over), CONFIG, SYNTAX, TOO_LARGE. */
int gl_oracle_open(const struct gl_signal_config *config, const struct gl_world *world,
                   struct gl_signal_credential *out, struct gl_error *err);

#endif
