"""The documented schema is complete: every part of an answer, every failure."""

from fastapi.testclient import TestClient

from tessera.serve import schema


def test_openapi_documents_the_answer_the_upload_and_the_failures(
    client: TestClient,
) -> None:
    document = client.get("/openapi.json").json()
    predict = document["paths"]["/api/predict"]["post"]
    assert predict["requestBody"]["content"].keys() == {
        "image/*",
        "application/octet-stream",
    }
    assert {"200", "408", "413", "415", "422", "503"} <= predict["responses"].keys()
    parts = document["components"]["schemas"]
    for kind in (schema.Answer, schema.Heatmap, schema.Branches, schema.Share):
        assert parts[kind.__name__]["properties"].keys() == kind.model_fields.keys()
    assert {p["name"] for p in predict["parameters"]} == {"method", "target"}


def test_units_are_said_where_a_name_does_not_say_them() -> None:
    assert "calibration" in (schema.Share.model_fields["probability"].description or "")
    assert "null" in (schema.ClassFacts.model_fields["precision"].description or "")
    assert "logits" in (schema.Heatmap.model_fields["values"].description or "")
    assert "95 %" in (schema.ClassFacts.model_fields["recall_interval"].description)
