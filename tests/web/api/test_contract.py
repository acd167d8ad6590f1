"""The OpenAPI document: complete, stable, and what the server really does."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from leadline.web.api.app import openapi_document
from web.api.world import PREFIX, Service, service

#: Every operation, by the name clients are generated from. A name is never changed, only added.
OPERATIONS = {
    "searchStudies", "countFacets", "getStudy", "getProtocol", "getReport", "getCertificate", "listStatements",
    "listAttempts", "listJudgements", "listSiblings", "getAuthor", "listKeys", "checkProtocol", "findSimilar",
    "getSchema", "submitStatements", "putBlob", "getBlob", "getLog", "listEntries", "getFeed", "proveInclusion",
    "proveConsistency", "getCheckpoint", "listCosignatures", "listTimestamps", "listTables", "listRows", "lookUpRows",
    "countRows", "countGroups", "matchText", "submitSeal", "depositSlot",
    "signHazardSeal", "askOwn", "holdSeal", "openHazardFields", "sendRequest",
}  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """A served registry with a reported study and a registered one."""
    made = service(tmp_path_factory.mktemp("contract") / "world")
    made.world.honest_study().publish()
    made.world.register(made.world.protocol(title="Another study"))
    return made


def test_the_document_is_openapi_and_names_every_operation(served: Service) -> None:
    """Version 3.1, one id per operation, each with a summary, an answer and the problem that may come instead."""
    document = served.get("/openapi.json")
    assert document == json.loads(json.dumps(openapi_document(served.site)))
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": PREFIX}]
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert {one["operationId"] for one in operations} == OPERATIONS
    assert len(operations) == len(OPERATIONS)
    for one in operations:
        assert one["summary"]
        assert "default" in one["responses"]
        assert "422" not in one["responses"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_reference_in_the_document_leads_somewhere(served: Service) -> None:
    """No schema is named that is not there, and none is there that FastAPI made up beside ours."""
    document = served.get("/openapi.json")
    schemas = document["components"]["schemas"]

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            reference = value.get("$ref")
            if isinstance(reference, str):
                assert reference.removeprefix("#/components/schemas/") in schemas, reference
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    walk(document)


def test_no_documentation_page_loads_scripts_of_others(served: Service) -> None:
    """There is the document, and no page that would fetch a viewer from elsewhere."""
    for path in ("/docs", "/redoc"):
        assert served.client.get(PREFIX + path).status_code == 404


_CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_whatever_is_asked_the_answer_is_as_documented(served: Service, operation: str) -> None:
    """Generated requests, sensible and not: never a fault, always a documented answer."""
    schema = schemathesis.openapi.from_asgi(f"{PREFIX}/openapi.json", served.client.app)
    asked = schema.find_operation_by_id(operation)
    (study,) = served.get("/studies?status=reported")["studies"]
    exists = {"study": study["id"], "sha256": study["protocol"], "table": "study", "key": study["key"]}
    for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
        strategy = asked.as_strategy(generation_mode=mode)

        @settings(
            max_examples=8,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=strategy, real=st.booleans())
        def ask(case: Any, real: bool) -> None:
            if real:  # names that exist lead further in than names made up
                known = {name: value for name, value in exists.items() if name in case.path_parameters}
                case.path_parameters = {**case.path_parameters, **known}
            case.validate_response(case.call(), checks=_CHECKS)

        with suppress(Unsatisfiable):  # an operation without parameters cannot be asked wrongly
            ask()


def test_the_published_copy_is_current(served: Service) -> None:
    """The copy in the documentation is this document; `python -m tools.openapi` writes it anew."""
    path = Path(__file__).resolve().parents[3] / "docs" / "openapi.json"
    assert json.loads(path.read_text(encoding="utf-8")) == served.get("/openapi.json")
