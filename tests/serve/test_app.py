"""The endpoint and its guards: what is answered, what is refused, and how."""

import io
from dataclasses import replace

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from tessera.serve import app, body, schema
from tessera.serve.site import Site
from tessera.serve.work import Worker

PNG = {"Content-Type": "image/png"}


def test_an_image_is_answered_as_documented(client: TestClient, digit: bytes) -> None:
    reply = client.post("/api/predict?method=gradcam", content=digit, headers=PNG)
    assert reply.status_code == 200
    answer = schema.Answer.model_validate(reply.json())
    assert len(answer.answers) == 10
    assert sum(share.probability for share in answer.answers) == pytest.approx(1)
    assert answer.heatmap is not None
    assert answer.heatmap.target == answer.answers[0].name


def test_a_class_may_be_asked_about(client: TestClient, digit: bytes) -> None:
    url = "/api/predict?method=hirescam&target=3"
    reply = client.post(url, content=digit, headers=PNG).json()
    assert (reply["heatmap"]["target"], reply["branches"]["target"]) == ("3", "3")


@pytest.mark.parametrize(
    ("query", "content", "kind", "status", "word"),
    [
        ("", b"no image", "image/png", 422, "not a JPEG, PNG"),
        ("", b"no image", "Image/PNG", 422, "not a JPEG, PNG"),
        ("", b"", "image/png", 422, "an empty file"),
        ("", b"\x89PNG\r\n\x1a\n", "image/png", 422, "no answer"),
        ("", b"x", "text/plain", 415, "Content-Type"),
        ("", b"x" * (body.MAX_BYTES + 1), "image/png", 413, "at most 10 MiB"),
        ("?target=cat", b"x", "image/png", 422, "expected one of 0, 1"),
        ("?method=magic", b"x", "image/png", 422, "expected one of gradcam, hirescam"),
    ],
)
def test_what_cannot_be_answered_is_a_problem_document(
    client: TestClient, query: str, content: bytes, kind: str, status: int, word: str
) -> None:
    reply = client.post(
        f"/api/predict{query}", content=content, headers={"Content-Type": kind}
    )
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert word in reply.json()["detail"]


def test_a_class_whose_name_has_a_comma_is_offered_in_quotes(built: Site) -> None:
    record = built.trained.record
    names = ("cat, wild", *record.data.class_names[1:])
    data = record.data.model_copy(update={"class_names": names})
    named = replace(built.trained, record=record.model_copy(update={"data": data}))
    client = TestClient(app.create(replace(built, trained=named), hosts=()))
    reply = client.post("/api/predict?target=cat", content=b"x", headers=PNG)
    assert 'expected one of "cat, wild", 1, 2' in reply.json()["detail"]


@pytest.mark.parametrize("form", ["TIFF", "PPM", "ICO", "PDF"])
def test_formats_that_are_not_listed_never_meet_a_decoder(
    client: TestClient, form: str
) -> None:
    file = io.BytesIO()
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(file, form)
    reply = client.post("/api/predict", content=file.getvalue(), headers=PNG)
    assert reply.status_code == 422
    assert "not a JPEG, PNG, WebP, BMP or GIF image" in reply.json()["detail"]


@pytest.mark.parametrize(
    "path", ["/", "/page.js", "/style.css", "/api/model", "/absent", "/healthz"]
)
def test_every_reply_forbids_what_is_not_from_here(
    client: TestClient, path: str
) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"] == app.PAGE_POLICY
    assert "'unsafe" not in app.PAGE_POLICY and "http" not in app.PAGE_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path",
    [
        *("/../app.py", "/%2e%2e/app.py", "/..%2fapp.py", "/page/index.html", "/x.py"),
        *("/api/examples/0/../../app.py", "/api/examples/0/999", "/api/examples/-1/0"),
        *("/etc/passwd", "//etc/passwd", "/api/examples/99/0"),
    ],
)
def test_no_path_opens_a_file(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (404, 422)


def test_examples_are_pictures(client: TestClient, built: Site) -> None:
    reply = client.get("/api/examples/4/2")
    assert reply.headers["content-type"] == "image/png"
    assert reply.content == built.examples[4][2]


def test_the_report_runs_no_script_and_may_only_be_framed_here(built: Site) -> None:
    with_report = app.create(replace(built, report=b"<p>the study"))
    reply = TestClient(with_report, base_url="http://127.0.0.1").get("/report")
    assert reply.text == "<p>the study"
    policy = reply.headers["content-security-policy"]
    assert "sandbox" in policy and "script" not in policy
    assert "frame-ancestors 'self'" in policy


def test_without_a_report_its_page_says_so(client: TestClient) -> None:
    assert "no study" in client.get("/report").json()["detail"]


def test_a_foreign_name_that_points_here_gets_no_answer(built: Site) -> None:
    foreign = TestClient(app.create(built), base_url="http://evil.example")
    assert foreign.get("/api/model").status_code == 421
    open_to_all = TestClient(app.create(built, hosts=()), base_url="http://any.example")
    assert open_to_all.get("/api/model").status_code == 200


@pytest.mark.parametrize(
    "name", ["localhost:8000", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000"]
)
def test_the_machines_own_names_are_answered(client: TestClient, name: str) -> None:
    assert client.get("/healthz", headers={"Host": name}).json()["status"] == "ok"


def test_a_fault_of_ours_shows_no_trace(
    built: Site, digit: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("tessera.serve.site.answer", broken)
    client = TestClient(
        app.create(built), base_url="http://127.0.0.1", raise_server_exceptions=False
    )
    reply = client.post("/api/predict", content=digit, headers=PNG)
    assert reply.status_code == 500
    assert reply.headers["content-type"] == "application/problem+json"
    assert "secret" not in reply.text and "Traceback" not in reply.text


def test_a_busy_server_says_when_to_come_back(built: Site, digit: bytes) -> None:
    idle = Worker(waiting=1, seconds=0.0)
    client = TestClient(app.create(built, worker=idle), base_url="http://127.0.0.1")
    reply = client.post("/api/predict", content=digit, headers=PNG)
    assert reply.status_code == 503
    assert int(reply.headers["retry-after"]) > 0


def test_the_page_does_not_say_that_it_learned_from_pictures_of_the_test(
    client: TestClient,
) -> None:
    page = client.get("/").text  # where the data has moved, test images are shown
    assert "Pictures from the data it was trained and tested on." in page


def test_the_page_names_no_other_server(client: TestClient) -> None:
    for path in ("/", "/page.js", "/style.css"):
        text = client.get(path).text
        assert "http://" not in text and "https://" not in text
        assert "innerHTML" not in text


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/page.js", "/report", "/healthz"),
        *("/api/model", "/api/examples/0/0", "/openapi.json"),
    ],
)
def test_a_page_may_be_asked_for_its_head_alone(built: Site, path: str) -> None:
    client = TestClient(app.create(replace(built, report=b"<p>"), hosts=()))
    head, whole = client.head(path), client.get(path)
    assert head.status_code == whole.status_code == 200
    assert head.headers["content-type"] == whole.headers["content-type"]
    assert set(client.put(path).headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_a_method_that_is_not_answered_names_those_that_are(client: TestClient) -> None:
    reply = client.put("/api/predict", content=b"")
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
    assert reply.headers["content-type"] == "application/problem+json"


def test_the_schema_says_which_classes_methods_and_problems_there_are(
    client: TestClient,
) -> None:
    asked = client.get("/openapi.json").json()["paths"]["/api/predict"]["post"]
    (target,) = (p for p in asked["parameters"] if p["name"] == "target")
    assert target["schema"]["enum"] == [str(digit) for digit in range(10)]
    (method,) = (p for p in asked["parameters"] if p["name"] == "method")
    offered = [m["key"] for m in client.get("/api/model").json()["methods"]]
    assert method["schema"]["enum"] == offered
    failures = set(asked["responses"]) - {"200"}
    assert failures == {"400", "408", "413", "415", "421", "422", "503"}
    for status in failures:
        assert list(asked["responses"][status]["content"]) == [
            "application/problem+json"
        ]
    read = client.get("/openapi.json").json()["paths"]["/api/model"]
    assert list(read) == ["get"]
