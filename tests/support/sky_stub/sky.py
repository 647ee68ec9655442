# SPDX-License-Identifier: Apache-2.0
"""As much of SkyPilot's interface of admin policies (0.14) as examples/skypilot uses."""


class Resources:
    def __init__(self, infra, instance_type=None):
        parts = infra.split('/')
        self.cloud, self.region = parts[0], parts[1] if len(parts) > 1 else None
        self.instance_type = instance_type

    def copy(self, region):
        return Resources(f'{self.cloud}/{region}', self.instance_type)


class Task:
    def __init__(self, run=None):
        self.run, self.resources = run, set()

    def set_resources(self, resources):
        self.resources = {resources} if isinstance(resources, Resources) else resources


class AdminPolicy:
    pass


class UserRequest:
    def __init__(self, task, skypilot_config, request_name):
        self.task, self.skypilot_config = task, skypilot_config
        self.request_name = request_name


class MutatedUserRequest:
    def __init__(self, task, skypilot_config):
        self.task, self.skypilot_config = task, skypilot_config
