"""A problem is a document with a status, and says when to come back."""

import json
from http import HTTPStatus

from tessera.serve.problem import Problem, response


def test_a_problem_is_a_document_of_its_own_type() -> None:
    sent = response(Problem(HTTPStatus.NOT_FOUND, "There is no such picture."))
    assert sent.status_code == 404
    assert sent.headers["content-type"] == "application/problem+json"
    assert "retry-after" not in sent.headers
    assert json.loads(sent.body) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no such picture.",
    }


def test_a_busy_server_says_when_to_come_back() -> None:
    busy = Problem(HTTPStatus.SERVICE_UNAVAILABLE, "busy", retry_after=7)
    assert response(busy).headers["retry-after"] == "7"
