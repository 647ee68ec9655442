#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# PrologSlurmctld: a batch job whose prolog fails is put back into the queue. What the grid is like
# counts at the start of a job, not when it was submitted.
set -eu
greenlaunch offers --offline --cloud local --zone "${GREENLAUNCH_ZONE:?the grid zone of the cluster}" \
    --policy "${GREENLAUNCH_POLICY:-/etc/greenlaunch/policy.yaml}" \
    --duration "${GREENLAUNCH_DURATION:-1h}" --limit 1 >/dev/null
