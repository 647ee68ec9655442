# SPDX-License-Identifier: Apache-2.0
"""SkyPilot admin policy: a task may use only the regions that greenlaunch allows now.

In ~/.sky/config.yaml:  admin_policy: green_policy.GreenPolicy
GREENLAUNCH_POLICY names the policy file. Every candidate of the task's resources is asked about by
itself; what is not allowed is taken out, and a task with nothing left is refused with the reason.
"""
import json
import os
import subprocess

import sky

TIMEOUT_S = 60


class NotGreen(RuntimeError):
    """No place that the task may use is allowed by the rules."""


def ask(cloud, region, machine_type):
    """The best allowed (cloud, region), or None with the reason."""
    command = ['greenlaunch', 'offers', '--json', '--limit', '1',
               '--policy', os.environ.get('GREENLAUNCH_POLICY', 'policy.yaml')]
    for option, value in (('--cloud', cloud), ('--region', region), ('--type', machine_type)):
        if value:
            command += [option, value]
    if os.environ.get('GREENLAUNCH_OFFLINE'):
        command.append('--offline')
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=TIMEOUT_S, check=False)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise NotGreen(f'greenlaunch does not answer (exit {done.returncode})') from None
    if done.returncode != 0:
        return None, f"{answer.get('verdict') or 'error'} (exit {done.returncode})"
    best = answer['data']['offers'][0]
    return (best['cloud'], best['region']), ''


def judge(resources):
    """The resources pinned to a region that is allowed, or None with the reason."""
    cloud = str(resources.cloud).lower() if resources.cloud is not None else None
    best, reason = ask(cloud, resources.region, resources.instance_type)
    if best is None:
        return None, f'{cloud or "any cloud"}/{resources.region or "any region"}: {reason}'
    if resources.region is not None:
        return resources, ''
    if cloud is None:
        return None, 'the task names no cloud, so its region cannot be set'
    return resources.copy(region=best[1]), ''


class GreenPolicy(sky.AdminPolicy):
    """Refuses, or pins tasks to regions that are allowed."""

    @classmethod
    def validate_and_mutate(cls, user_request):
        task = user_request.task
        allowed, reasons = [], []
        for resources in task.resources:
            kept, reason = judge(resources)
            if kept is not None:
                allowed.append(kept)
            else:
                reasons.append(reason)
        if not allowed:
            raise NotGreen('greenlaunch: ' + '; '.join(reasons or ['the task has no resources']))
        task.set_resources(type(task.resources)(allowed))
        return sky.MutatedUserRequest(task, user_request.skypilot_config)
