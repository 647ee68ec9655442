/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_METER_RECEIVE_H
#define GL_BROKER_CLI_METER_RECEIVE_H

/* meter receive: a server for the readings that the meters of rented machines push. It believes
 * what a launch of this ledger has signed, and nothing else; it asks no cloud and ends nothing. */

#include "broker/cli/command.h"

struct gl_receive_values {
    const char *listen, *tls_cert, *tls_key;
};

/* Serve until SIGINT or SIGTERM: 0. USAGE, NETWORK, and those of the ledger. */
int gl_meter_receive(struct gl_context *context, const struct gl_receive_values *values,
                     struct gl_error *err);

#endif
