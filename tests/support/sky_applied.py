# SPDX-License-Identifier: Apache-2.0
"""Asks SkyPilot's own machinery, as `sky launch` does, where a task may run that names no region."""
import sky
from sky.server.requests import request_names
from sky.utils import admin_policy_utils

task = sky.Task(run='true')
task.set_resources(sky.Resources(infra='aws', instance_type='m7g.large'))
dag, _ = admin_policy_utils.apply(task, request_names.AdminPolicyRequestName.CLUSTER_LAUNCH)
for chosen in dag.tasks[0].resources:
    print(chosen.region)
