# SPDX-License-Identifier: Apache-2.0
"""What a venue would send, held against its vendor's own description: venue_described.py FILE.
Google Cloud Support: the discovery document that google-api-python-client carries. Azure Support:
the models and addresses of azure-mgmt-support."""
import json
import pathlib
import sys

import azure.mgmt.support.models as azure_models
import azure.mgmt.support.operations._support_tickets_operations as azure_operations
import googleapiclient
from googleapiclient.discovery import build_from_document
from googleapiclient.http import HttpMock

steps = json.loads(pathlib.Path(sys.argv[1]).read_text())


def one(name):
    (step,) = steps[name]
    return step["method"], step["where"], json.loads(step["body"])


TYPES = {"string": str, "boolean": bool, "array": list}


def fits(value, schema, schemas, path):
    """Every member is described, of its type, one of its words, and ours to set."""
    if "$ref" in schema:
        described = schemas[schema["$ref"]]["properties"]
        assert isinstance(value, dict), path
        for name, member in value.items():
            assert name in described, f"{path}.{name} is not described"
            fits(member, described[name], schemas, f"{path}.{name}")
        return
    assert isinstance(value, TYPES[schema["type"]]), path
    assert not schema.get("readOnly"), path
    assert "enum" not in schema or value in schema["enum"], path


def google():
    folder = pathlib.Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
    document = json.loads((folder / "cloudsupport.v2.json").read_text())
    cases = build_from_document(document, http=HttpMock(headers={"status": "200"})).cases()
    for name, call in (("google", cases.create(parent="projects/green", body={})),
                       ("google-close", cases.close(name="projects/green/cases/181", body={}))):
        method, where, _ = one(name)
        assert (method, where) == (call.method, call.uri.replace("?alt=json", "")), (where, call.uri)
    body = one("google")[2]
    fits(body, {"$ref": "Case"}, document["schemas"], "case")
    assert body["testCase"] is True and body["displayName"].endswith("[GL-7f3a91c2]")


def complete(model):
    """What the model asks for is there, and nothing that only the server says."""
    for name, rule in model._validation.items():
        value = getattr(model, name)
        assert value is not None or not rule.get("required"), name
        assert value is None or not rule.get("readonly"), name
        assert not isinstance(value, str) or len(value) >= rule.get("min_length", 0), name


def azure():
    method, where, body = one("azure")
    request = azure_operations.build_create_request(
        support_ticket_name=where.split("/supportTickets/")[1].split("?")[0],
        subscription_id="11111111-2222-3333-4444-555555555555")
    assert (method, where) == (request.method, "https://management.azure.com" + request.url), request.url
    model = azure_models.SupportTicketDetails.deserialize(body)
    complete(model)
    complete(model.contact_details)
    assert model.serialize() == body, (model.serialize(), body)
    consent = {word.value for word in azure_models.Consent}
    severity = {word.value for word in azure_models.SeverityLevel}
    contact = {word.value for word in azure_models.PreferredContactMethod}
    properties = body["properties"]
    assert properties["advancedDiagnosticConsent"] in consent
    assert properties["severity"] in severity
    assert properties["contactDetails"]["preferredContactMethod"] in contact


{"google": google, "azure": azure}[sys.argv[2]]()
