"""`amlkit job graph`: layouts by property, drawings parsed, runs drawn through the real executable."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from itertools import pairwise
from types import SimpleNamespace

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from amlkit.records import Job, Status
from amlkit.services.graphs import Edge, Graph, Node, of_file, of_job, render
from amlkit.services.graphs.layout import lay_out

NAMES = [f"n{n}" for n in range(9)]
DAGS = st.builds(
    lambda sizes, arcs: (
        dict(zip(NAMES, sizes, strict=False)),
        sorted({(NAMES[a], NAMES[b]) for a, b in arcs if a < b < len(sizes)}),
    ),
    st.lists(st.tuples(st.floats(40, 300), st.floats(30, 200)), min_size=1, max_size=9),
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=16),
)


@given(DAGS)
@settings(max_examples=60, deadline=None)
def test_boxes_never_overlap_and_edges_lead_down(dag):
    sizes, arcs = dag
    found = lay_out(sizes, arcs)
    boxes = {n: (*found.places[n], *sizes[n]) for n in sizes}
    for one, (x, y, w, h) in boxes.items():
        assert x >= -1e-6 and y >= -1e-6
        assert x + w <= found.size[0] + 1e-6 and y + h <= found.size[1] + 1e-6
        for other, (x2, y2, w2, h2) in boxes.items():
            apart = x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y
            assert one == other or apart, (one, other)
    for (source, target), route in found.routes.items():
        x, y, w, h = boxes[source]
        assert route[0] == pytest.approx((x + w / 2, y + h))
        x, y, w, _ = boxes[target]
        assert route[-1] == pytest.approx((x + w / 2, y))
        heights = [each[1] for each in route]
        assert heights == sorted(heights)


@given(DAGS)
@settings(max_examples=60, deadline=None)
def test_no_line_runs_through_the_box_of_another_step(dag):
    """The vertical pieces of a route pass between boxes; the bent ones are between layers."""
    sizes, arcs = dag
    found = lay_out(sizes, arcs)
    for (source, target), route in found.routes.items():
        for (x1, y1), (x2, y2) in pairwise(route):
            for name in sizes.keys() - {source, target}:
                left, top = found.places[name]
                width, height = sizes[name]
                beside_in_y = y2 <= top + 1e-6 or y1 >= top + height - 1e-6
                beside_in_x = x1 == x2 and (x1 <= left or x1 >= left + width)
                assert beside_in_y or beside_in_x, (source, target, name)


def test_a_circle_is_drawn_all_the_same():
    sizes = {"a": (50.0, 50.0), "b": (50.0, 50.0)}
    found = lay_out(sizes, [("a", "b"), ("b", "a"), ("a", "a")])
    assert found.places["a"][1] < found.places["b"][1]
    assert set(found.routes) == {("a", "b"), ("b", "a"), ("a", "a")}


NASTY = "<script>alert(\"x\")</script> & 'y' [z] {w} | #; end\n```"


@pytest.fixture
def nasty():
    inner = Graph("i", (Node("a", NASTY, type="command", error=NASTY, status="Failed"),), ())
    nodes = (
        Node("input i", NASTY, kind="input", type="uri_folder"),
        Node("end", NASTY, type="pipeline", inner=inner, component=NASTY),
        Node("b", "b", type="command", status="Completed", duration_seconds=75),
    )
    return Graph(NASTY, nodes, (Edge("input i", "end", (NASTY,)), Edge("end", "b", (NASTY,))))


def test_an_svg_holds_every_name_as_text_and_no_markup_of_it(nasty):
    root = ET.fromstring(render(nasty, "svg"))
    tags = {each.tag.rsplit("}", 1)[-1] for each in root.iter()}
    assert "script" not in tags
    assert {"svg", "title", "style", "path", "rect", "text"} <= tags
    texts = ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "command · Completed · 1 min 15 s" in texts
    titles = [each.text for each in root.iter("{http://www.w3.org/2000/svg}title")]
    assert NASTY in titles


def test_a_page_has_a_row_a_step_and_nothing_from_elsewhere(nasty):
    page = render(nasty, "html")
    found = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attributes):
            found.append((tag, dict(attributes)))

    Reader().feed(page)
    tags = [tag for tag, _ in found]
    assert "script" not in tags
    assert tags.count("tr") == 1 + 3
    assert not [each for _, each in found if {"src", "href"} & each.keys()]
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page)


def test_mermaid_gets_codes_for_what_means_something_to_it(nasty):
    text = render(nasty, "mermaid")
    lines = text.splitlines()
    assert lines[3] == "flowchart TD"
    body = lines[4:]
    assert all(line.count('"') in {0, 2} for line in body)
    assert "<script>" not in "\n".join(body)
    assert "  n1 -->|" in text
    assert "```" not in "\n".join(body)
    assert text.count("subgraph") == text.count("\n  end\n") == 1


FLOW = """type: pipeline
display_name: digits
settings: {default_compute: azureml:local}
inputs:
  raw: {type: uri_folder, path: ./raw}
  rate: 0.1
outputs:
  model: {type: uri_folder}
jobs:
  prepare:
    type: command
    command: cp ${{inputs.raw}}/* ${{outputs.clean}}
    environment: {image: ubuntu}
    inputs: {raw: '${{parent.inputs.raw}}'}
    outputs: {clean: {type: uri_folder}}
  fit:
    type: pipeline
    component: ./fit.yml
    inputs: {data: '${{parent.jobs.prepare.outputs.clean}}', rate: '${{parent.inputs.rate}}'}
    outputs: {model: '${{parent.outputs.model}}'}
"""
FIT = """type: pipeline
name: fit
inputs: {data: {type: uri_folder}, rate: {type: number}}
outputs: {model: {type: uri_folder}}
jobs:
  train:
    type: command
    command: test ${{inputs.rate}} = 0.1 && cp ${{inputs.data}}/* ${{outputs.model}}
    environment: {image: ubuntu}
    inputs: {data: '${{parent.inputs.data}}', rate: '${{parent.inputs.rate}}'}
    outputs: {model: '${{parent.outputs.model}}'}
"""


@pytest.fixture
def flow(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.txt").write_text("a")
    (tmp_path / "fit.yml").write_text(FIT)
    (tmp_path / "flow.yml").write_text(FLOW)
    return tmp_path / "flow.yml"


def arcs(graph):
    return [(each.source, each.target, each.ports) for each in graph.edges]


def test_the_graph_of_a_file_follows_bindings_into_component_files(flow):
    graph = of_file(flow)
    assert graph.title == "digits"
    assert arcs(graph) == [
        ("input raw", "prepare", ("raw",)),
        ("prepare", "fit", ("clean",)),
        ("fit", "output model", ("model",)),
    ]
    (fit,) = (each for each in graph.nodes if each.id == "fit")
    assert (fit.type, fit.component) == ("pipeline", "./fit.yml")
    assert arcs(fit.inner) == [
        ("input data", "train", ("data",)),
        ("train", "output model", ("model",)),
    ]


def test_the_graph_of_a_run_has_the_state_of_every_step(amlkit, flow):
    arguments = ["job", "submit", flow, "--current-python", "--wait", "-o", "none"]
    assert amlkit(*arguments, "--name", "good").returncode == 0
    assert amlkit(*arguments, "--name", "bad", "--set", "inputs.rate=2").returncode == 1
    good = ET.fromstring(amlkit("job", "graph", "good").stdout)
    texts = ["".join(each.itertext()) for each in good.iter("{http://www.w3.org/2000/svg}text")]
    assert {"prepare", "fit", "train"} <= set(texts)
    assert sum("Completed" in text for text in texts) == 4
    bad = amlkit("job", "graph", "bad", "-o", "mermaid").stdout
    assert re.search(r'"train<br/>command · Failed.*:::Failed', bad)
    assert re.search(r'"prepare<br/>command · Completed · reused"', bad)
    assert '-->|"clean"|' in bad
    assert (
        "the command ended with exit code 1" in amlkit("job", "graph", "bad", "-o", "html").stdout
    )


def test_a_drawing_is_written_to_a_file(amlkit, flow, tmp_path):
    done = amlkit("job", "graph", "flow.yml", "-o", "html", "--file", "out.html")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "out.html").read_text().startswith("<!doctype html>")
    done = amlkit("job", "graph", "-", "-o", "mermaid", stdin=flow.read_text())
    assert "flowchart TD" in done.stdout
    done = amlkit("job", "graph", "flow.yml", "--file", "no/such/folder.svg")
    assert (done.returncode, "cannot be written" in done.stderr) == (1, True)


def test_the_ending_of_the_file_says_what_is_drawn(amlkit, flow, tmp_path):
    assert amlkit("job", "graph", "flow.yml", "-f", "out.html").returncode == 0
    assert (tmp_path / "out.html").read_text().startswith("<!doctype html>")
    assert amlkit("job", "graph", "flow.yml", "-f", "out.mmd").returncode == 0
    assert "flowchart TD" in (tmp_path / "out.mmd").read_text()
    for options in (["-f", "x.png"], ["-o", "svg", "-f", "x.html"], ["-f", "x"]):
        done = amlkit("job", "graph", "flow.yml", *options)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"`{options[-1]}`" in done.stderr
        assert not (tmp_path / options[-1]).exists()


@pytest.mark.parametrize(
    ("source", "code", "told"),
    [("nothing", 3, "nothing"), ("command.yml", 2, "is not a pipeline"), ("no.yml", 3, "no.yml")],
)
def test_what_is_no_pipeline_has_no_graph(amlkit, tmp_path, source, code, told):
    (tmp_path / "command.yml").write_text(
        "type: command\ncommand: echo\nenvironment: {image: ubuntu}\n"
    )
    done = amlkit("job", "graph", source)
    assert (done.returncode, told in done.stderr) == (code, True)


def test_a_run_shows_what_flows_into_a_pipeline_within_a_pipeline(amlkit, flow, tmp_path):
    (tmp_path / "outer.yml").write_text(
        "type: pipeline\nname: outer\ninputs: {raw: {type: uri_folder}}\njobs:\n"
        + FLOW.partition("jobs:\n")[2]
        .replace("${{parent.inputs.rate}}", "0.1")
        .replace("    outputs: {model: '${{parent.outputs.model}}'}\n", "")
    )
    (tmp_path / "top.yml").write_text(
        "type: pipeline\nsettings: {default_compute: azureml:local}\njobs:\n  all:\n"
        "    type: pipeline\n    component: ./outer.yml\n"
        "    inputs: {raw: {type: uri_folder, path: ./raw}}\n"
    )
    done = amlkit("job", "submit", "top.yml", "--current-python", "--wait", "--name", "j")
    assert done.returncode == 0, done.stderr
    text = amlkit("job", "graph", "j", "-o", "mermaid").stdout
    assert text.count("subgraph") == 2
    assert text.count('-->|"clean"|') == 1


def test_child_jobs_with_names_of_azure_are_the_steps_that_they_are_shown_as():
    """There a child job is called by a GUID, and its display name is the step's."""
    rest = {"jobInputType": "literal", "value": "${{parent.jobs.prepare.outputs.clean}}"}
    document = yaml.safe_load(FLOW)
    document["jobs"]["fit"]["inputs"]["data"] = rest
    raw = document.pop("inputs")
    parent = Job("j", "pipeline", Status.RUNNING, "digits", "e", spec=document, inputs=raw)
    guids = ("4be0", "9c1d")
    children = [
        Job(guid, kind, status, name, "e", parent="j")
        for guid, kind, status, name in zip(
            guids,
            ("command", "command"),
            (Status.COMPLETED, Status.RUNNING),
            ("prepare", "fit"),
            strict=True,
        )
    ]
    jobs = SimpleNamespace(get=lambda name: parent, list=lambda wanted: children[::-1])
    graph = of_job(jobs, "j")
    assert [(each.id, each.status) for each in graph.nodes if each.kind == "step"] == [
        ("prepare", "Completed"),
        ("fit", "Running"),
    ]
    assert ("prepare", "fit", ("clean",)) in arcs(graph)
    assert ("input raw", "prepare", ("raw",)) in arcs(graph)
