# SPDX-License-Identifier: Apache-2.0
"""What a CI file of examples/ would run: example_parts.py KIND FILE. Each command on its own line,
shell-quoted or as it is written; for `yaml` nothing but whether the files can be read."""
import json
import shlex
import sys

import yaml


def one_line(text):
    return ' '.join(text.split('\n')).strip()


def action(path):
    for step in yaml.safe_load(open(path))['runs']['steps']:
        print(step['run'])


def gitlab(path):
    for job in yaml.safe_load(open(path)).values():
        for line in job['script']:
            print(one_line(line))


def atlantis(path):
    flow = yaml.safe_load(open(path))['workflows']['greenlaunch']
    for stage in ('policy_check', 'apply'):
        for step in flow[stage]['steps']:
            if isinstance(step, dict):
                print(one_line(step['run']))


def plain(text):
    """A literal of HCL as this parser gives it."""
    if isinstance(text, str) and len(text) > 1 and text[0] == text[-1] == '"':
        return json.loads(text.replace('${', '$ {')).replace('$ {', '${')
    return text


def terragrunt(path):
    import hcl2
    for block in hcl2.load(open(path))['terraform']:
        for hook in block['after_hook']:
            for body in hook.values():
                print(shlex.join(plain(word) for word in body['execute']))


def external(path):
    import hcl2
    for block in hcl2.load(open(path))['data']:
        for body in list(list(block.values())[0].values()):
            query = {plain(k): plain(v) for k, v in body['query'].items()
                     if not str(k).startswith('__')}
            query = {k: '' if 'var.' in v else v for k, v in query.items()}
            print("printf '%s' " + shlex.quote(json.dumps(query)) + ' | ' +
                  shlex.join(plain(word) for word in body['program']))


def read(*paths):
    for path in paths:
        list(yaml.load_all(open(path), Loader=yaml.BaseLoader if 'cloudformation' not in path
                           else Tagged))


class Tagged(yaml.SafeLoader):
    """CloudFormation's short tags are fine."""


Tagged.add_multi_constructor('!', lambda loader, tag, node: None)
{'action': action, 'gitlab': gitlab, 'atlantis': atlantis, 'terragrunt': terragrunt,
 'external': external, 'yaml': read}[sys.argv[1]](*sys.argv[2:])
