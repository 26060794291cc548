"""`amlkit job plot`: what is drawn of any sweep, and that nothing in it can run or break the page."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amlkit.errors import AmlkitError, UsageError
from amlkit.records import Job, Status
from amlkit.services import plots
from amlkit.services.leaderboard import TrialRow, rank
from amlkit.services.plots import page, scales

SVG = "{http://www.w3.org/2000/svg}"
NASTY = "<script>alert(1)</script>\"' onload=x &amp; \x00\x1b ]]> --> \u202e"


def sweep(name="s", metric="score", goal="maximize", space=None):
    return Job(
        name=name,
        type="sweep",
        status=Status.COMPLETED,
        display_name=name,
        experiment_name="e",
        spec={
            "objective": {"goal": goal, "primary_metric": metric},
            "search_space": space or {},
        },
    )


def trial(number, parameters, curve, status="Completed", goal="maximize"):
    finite = [value for value in curve if math.isfinite(value)]
    best = (max if goal == "maximize" else min)(finite) if finite else None
    return TrialRow(
        name=f"s_{number}",
        parameters=parameters,
        objective=best,
        status=status,
        duration_seconds=1.0,
        curve=tuple(enumerate(curve)),
        number=number,
    )


def drawn(trials, goal="maximize", **job):
    return plots.figure(sweep(goal=goal, **job), rank(trials, goal))


def dots(svg):
    return list(ET.fromstring(svg).iter(f"{SVG}circle"))


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *each) for each in attrs]

    def handle_data(self, data):
        self.texts.append(data)


values = st.one_of(
    st.text(max_size=8),
    st.just(NASTY),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.lists(st.integers(), max_size=2),
    st.none(),
)
sweeps = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(["a", "b", NASTY]), values),
        st.lists(st.floats(), max_size=4),
        st.sampled_from(["Completed", "Failed", "Canceled", "Running"]),
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(trials=sweeps, goal=st.sampled_from(["maximize", "minimize"]))
def test_any_sweep_makes_a_drawing_that_can_be_parsed(trials, goal):
    rows = [trial(n, *each, goal=goal) for n, each in enumerate(trials)]
    figure = drawn(rows, goal, name=NASTY, metric=NASTY)
    svg = ET.fromstring(page.svg(figure).encode("utf-8", "replace"))
    places = [
        each.get(key)
        for each in svg.iter()
        for key in ("cx", "cy", "x", "y", "points", "d")
        if each.get(key)
    ]
    assert not any("nan" in each or "inf" in each for each in places)
    parsed = Page(page.html(figure))
    assert parsed.tags.count("script") == 1
    assert not [each for each in parsed.attributes if each[1].startswith("on")]


def test_a_parameter_that_holds_a_script_is_shown_as_text_and_the_page_runs_only_its_own():
    figure = drawn([trial(0, {"opt": NASTY}, [0.5]), trial(1, {"opt": "adam"}, [0.7])])
    text = page.html(figure)
    parsed = Page(text)
    assert any("<script>alert(1)</script>" in each for each in parsed.texts)
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL).group(1)
    known = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = next(value for _, key, value in parsed.attributes if "default-src" in str(value))
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{known}'"
    assert "alert" not in script


def test_a_page_asks_for_nothing_from_elsewhere():
    text = page.html(drawn([trial(n, {"x": n / 7}, [n, n + 1]) for n in range(9)]))
    assert not re.search(r"https?:|url\(|@import|src=|href=", text)


def test_every_trial_with_a_metric_has_a_dot_in_the_history_and_against_each_parameter():
    rows = [trial(n, {"x": 1.5**n, "y": n * n}, [n / 10]) for n in range(10)]
    rows.append(trial(10, {"x": 3.0, "y": 2}, [], status="Failed"))
    found = dots(page.svg(drawn(rows)))
    assert len(found) == 10 * 3
    assert {each.get("data-t") for each in found} == {str(n) for n in range(10)}


def test_higher_values_are_drawn_higher_and_later_trials_further_right():
    history = dots(page.svg(drawn([trial(n, {}, [n]) for n in range(5)])))
    xs, ys = [float(d.get("cx")) for d in history], [float(d.get("cy")) for d in history]
    assert xs == sorted(xs) and len(set(xs)) == 5
    assert ys == sorted(ys, reverse=True) and len(set(ys)) == 5


def test_a_log_parameter_is_drawn_on_a_log_scale():
    space = {"lr": {"type": "loguniform", "min_value": -9, "max_value": 0}}
    rows = [trial(n, {"lr": 10.0**-n}, [0.1 * n]) for n in range(4)]
    xs = sorted(float(d.get("cx")) for d in dots(page.svg(drawn(rows, space=space)))[4:])
    gaps = [b - a for a, b in pairwise(xs)]
    assert max(gaps) - min(gaps) < 0.3
    plain = sorted(float(d.get("cx")) for d in dots(page.svg(drawn(rows)))[4:])
    assert plain[1] - plain[0] < (plain[3] - plain[2]) / 50


def test_a_log_distribution_within_a_nested_space_is_found():
    nested = {"type": "choice", "values": [{"lr": {"type": "loguniform"}}, {"c": 1}]}
    rows = [trial(0, {"model": {"lr": 0.1}, "lr": 0.1}, [1.0]), trial(1, {"c": 1}, [2.0])]
    figure = drawn(rows, space={"model": nested})
    assert figure.logarithmic == {"lr"}
    assert figure.parameters == ("lr", "c")


@pytest.mark.parametrize(("goal", "best"), [("maximize", "s_2"), ("minimize", "s_0")])
def test_the_best_completed_trial_is_outlined(goal, best):
    rows = [trial(n, {"x": n}, [n], goal=goal) for n in range(3)]
    rows.append(trial(3, {"x": 9}, [99 if goal == "maximize" else -99], "Canceled", goal=goal))
    figure = drawn(rows, goal)
    assert figure.trials[figure.best].name == best
    outlined = [d for d in dots(page.svg(figure)) if "top" in d.get("class")]
    assert {d.get("data-t") for d in outlined} == {best[-1]}


def test_a_long_curve_keeps_its_last_value_and_few_points():
    figure = drawn([trial(0, {}, [math.sin(n) for n in range(5000)])])
    line = next(ET.fromstring(page.svg(figure)).iter(f"{SVG}polyline"))
    points = line.get("points").split()
    assert len(points) <= 202
    assert float(points[-1].split(",")[0]) == max(float(p.split(",")[0]) for p in points)


@pytest.mark.parametrize(
    ("given_values", "shown"),
    [
        ([0, 11], ["0", "5", "10"]),
        ([0.1, 0.52], ["0.1", "0.2", "0.3", "0.4", "0.5"]),
        ([1e300, -1e300], None),
        ([5, 5], None),
        ([True, False, True], ["true", "false"]),
        (["b", "a", "b"], ["b", "a"]),
    ],
)
def test_axes_are_marked_with_numbers_that_people_read(given_values, shown):
    scale = scales.of_values(given_values)
    assert all(0 <= scale.place(each) <= 1 for each in given_values)
    assert all(0 <= place <= 1 for place, _ in scale.ticks)
    if shown is not None:
        assert [text for _, text in scale.ticks] == shown


def test_a_file_of_another_kind_is_refused_and_says_which_there_are(tmp_path):
    with pytest.raises(UsageError) as refused:
        plots.save(drawn([]), tmp_path / "sweep.png")
    assert ".html" in str(refused.value.hint)


def test_a_folder_that_is_not_there_is_an_error_and_not_a_bug(tmp_path):
    with pytest.raises(AmlkitError, match="cannot be written"):
        plots.save(drawn([]), tmp_path / "none" / "sweep.html")


@pytest.mark.parametrize("low", [5e-324, 1e-323, -1.7976931348623157e308, 1e308, 0])
def test_one_value_alone_has_a_place_however_large_or_small(low):
    scale = scales.of_values([low], measured=True)
    assert 0 <= scale.place(low) <= 1
    assert all(0 <= place <= 1 for place, _ in scale.ticks)
