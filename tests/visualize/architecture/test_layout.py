"""Boxes do not lie on each other, lines go round boxes, and the main path is straight."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from zoo.visualize.architecture.column_breaks import break_into_columns
from zoo.visualize.architecture.layout import GAP, Link, Node, lay_out


def boxes(where, bodies):
    return [
        (x - body.left, top, x + body.right, top + body.height)
        for x, top, body in zip(where.x, where.top, bodies, strict=True)
    ]


def check(bodies, lines, where):
    found = boxes(where, bodies)
    for number, (left, top, right, bottom) in enumerate(found):
        assert left >= -0.01 and right <= where.width + 0.01 and bottom <= where.height + 0.01
        for other in found[number + 1 :]:
            apart = right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
            assert apart, (number, other)
    for line, points in zip(lines, where.paths, strict=True):
        assert points[0] == (pytest.approx(where.x[line.source]), pytest.approx(found[line.source][3]))
        for (x1, y1), (x2, y2) in itertools.pairwise(points):
            assert abs(x1 - x2) < 0.51 or abs(y1 - y2) < 0.01, "lines go down or sideways"
            assert y2 >= y1 - 0.01
            for number, (left, top, right, bottom) in enumerate(found):
                if number in (line.source, line.target):
                    continue
                passes = max(x1, x2) > left and min(x1, x2) < right and max(y1, y2) > top and min(y1, y2) < bottom
                assert not passes, (line, number)


def test_a_residual_block_is_straight_and_its_shortcut_goes_round():
    bodies = [Node(0, 0, 0), *[Node(50, 50, 24)] * 3, Node(9, 30, 18, side=9), Node(0, 0, 0)]
    lines = [Link(0, 1), Link(1, 2), Link(2, 3), Link(3, 4), Link(0, 4), Link(4, 5)]
    where = lay_out(bodies, lines, last=[5], in_line=True)
    check(bodies, lines, where)
    assert np.ptp(where.x) < 0.01
    end = where.paths[4][-1]
    assert end == (pytest.approx(where.x[4] + 9), pytest.approx(where.top[4] + 9)), (
        "the shortcut comes in from the side"
    )
    assert max(x for x, _ in where.paths[4]) > where.x[1] + 50


def test_branches_stand_side_by_side_and_meet_in_the_middle():
    bodies = [Node(30, 30, 20), *[Node(40, 40, 20)] * 3, Node(20, 20, 18, side=20)]
    lines = [*(Link(0, branch) for branch in (1, 2, 3)), *(Link(branch, 4) for branch in (1, 2, 3))]
    where = lay_out(bodies, lines)
    check(bodies, lines, where)
    assert where.top[1] == where.top[2] == where.top[3]
    assert where.x[0] == pytest.approx(where.x[4]) == pytest.approx(sorted(where.x[1:4])[1])
    assert np.diff(sorted(where.x[1:4])) == pytest.approx(80 + GAP)


@pytest.mark.parametrize("seed", range(60))
def test_no_line_goes_through_a_box_in_any_graph(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(3, 18))
    bodies = []
    for _ in range(count):
        half = float(rng.integers(10, 60))
        sign = rng.random() < 0.3
        bodies.append(Node(9, half, 18, side=9) if sign else Node(half, half, float(rng.integers(18, 60))))
    lines = []
    for target in range(1, count):
        sources = rng.choice(target, size=min(target, int(rng.integers(1, 4))), replace=False)
        lines += [Link(int(source), target) for source in sorted(sources)]
    check(bodies, lines, lay_out(bodies, lines))


def test_the_same_graph_gives_the_same_drawing():
    bodies = [Node(20, 20, 20)] * 9
    lines = [Link(a, b) for a in range(9) for b in range(a + 1, 9) if (a * b + a + b) % 3 == 0]
    assert lay_out(bodies, lines) == lay_out(bodies, lines)


def test_a_long_drawing_is_divided_into_even_columns():
    columns = break_into_columns([100.0] * 24, 10, lambda a, b: 300, 30)
    assert len(columns) > 1 and columns[0][0] == 0 and columns[-1][1] == 24
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(columns))
    sizes = [b - a for a, b in columns]
    assert max(sizes) - min(sizes) <= len(columns)


@pytest.mark.parametrize("heights", [[100.0] * 5, [2000.0, 50.0, 50.0]])
def test_a_short_drawing_and_one_that_is_one_part_stay_in_one_column(heights):
    assert break_into_columns(heights, 10, lambda a, b: 300, 30) == [(0, len(heights))]
