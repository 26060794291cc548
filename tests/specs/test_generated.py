"""Specs drawn from the models: they pass, they come back unchanged, and none breaks the reader."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amlkit import specs
from amlkit.errors import InvalidSpec
from amlkit.specs import source, validation
from amlkit.specs.kinds import KINDS, model_of
from tests.specs.generating import documents, mutated

SHAPE = {"unknown-field", "missing-field", "wrong-type", "unknown-word", "name"}
QUICK = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def text_of(document) -> str:
    """Return YAML in which every text is quoted: JSON is YAML."""
    return json.dumps(document, ensure_ascii=False)


def codes(text: str, kind: str) -> set[str]:
    """Return the codes of what is wrong; anything but InvalidSpec breaks the test."""
    try:
        specs.load("-", kind=kind, text=text)
    except InvalidSpec as error:
        assert all(each.message and each.line >= 0 for each in error.problems)
        return {each.code for each in error.problems}
    return set()


@pytest.mark.parametrize("kind", KINDS)
@QUICK
@given(data=st.data())
def test_a_document_of_a_model_passes_it_and_comes_back_unchanged(kind, data):
    document = data.draw(documents(model_of(kind)))
    parsed = source.parse(text_of(document), "x.yml")
    assert parsed.data == document
    model = validation.validate(parsed, model_of(kind))
    assert model is not None, [str(each) for each in parsed.problems]
    codes(text_of(document), kind)


@pytest.mark.parametrize("kind", KINDS)
@QUICK
@given(data=st.data())
def test_no_mutation_breaks_the_reader_and_a_renamed_field_is_told(kind, data):
    document = data.draw(documents(model_of(kind)).filter(bool))
    how, path, changed = data.draw(mutated(document))
    found = codes(text_of(changed), kind)
    if how == "rename" and len(path) == 1:
        assert "unknown-field" in found, (path, found)


@pytest.mark.fuzz
@settings(max_examples=100_000, deadline=None)
@given(text=st.text(max_size=400), data=st.data())
def test_no_text_at_all_breaks_the_reader(text, data):
    kind = data.draw(st.sampled_from([None, *KINDS]))
    if data.draw(st.booleans()) and kind is not None:
        whole = text_of(data.draw(documents(model_of(kind))))
        place = data.draw(st.integers(0, len(whole)))
        text = whole[:place] + text + whole[place:]
    codes(text, kind)
