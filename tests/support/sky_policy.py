# SPDX-License-Identifier: Apache-2.0
"""Drives examples/skypilot/green_policy.py with whatever `sky` is: the real one or the stub.
Prints TAP lines without numbers for tests/integration/hook_examples.sh."""
import sys

import sky

import green_policy


def after(*places, policy=green_policy.GreenPolicy):
    task = sky.Task(run='true')
    task.set_resources({sky.Resources(infra=place, instance_type='m7g.large')
                        for place in places})
    request = sky.UserRequest(task=task, skypilot_config=None, request_name='cluster_launch')
    return sorted(r.region for r in policy.validate_and_mutate(request).task.resources)


def refusal(*places):
    try:
        after(*places)
    except green_policy.NotGreen as reason:
        return str(reason)
    return ''


CHECKS = [
    ('a task without a region is pinned to a green one', lambda: after('aws') == ['eu-north-1']),
    ('a green region stays', lambda: after('aws/eu-north-1') == ['eu-north-1']),
    ('of two the dirty one is taken out',
     lambda: after('aws/eu-central-1', 'aws/eu-north-1') == ['eu-north-1']),
    ('a dirty one alone is refused, with the reason',
     lambda: 'aws/eu-central-1: refuse (exit 3)' in refusal('aws/eu-central-1')),
]

failed = 0
for text, holds in CHECKS:
    good = holds()
    failed += not good
    print('ok' if good else 'not ok', text)
sys.exit(failed != 0)
