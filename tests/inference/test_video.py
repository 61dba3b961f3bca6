"""What the frames of a video say together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.images.source import Source
from zoo.images.video.frame import Frame, Video
from zoo.inference.video import FramePrediction, Segment, VideoPrediction, segments, video_of


def test_the_mean_and_the_votes():
    tally = VideoPrediction()
    assert (tally.mean, tally.votes, tally.error) == (None, {}, None)
    for time, label, scores in ((0, "cat", [0.9, 0.1]), (1, "dog", [0.4, 0.6]), (2, "cat", [0.8, 0.2])):
        tally.add(FramePrediction(time, label, 0, 0.5), np.array(scores, np.float32))
    assert tally.mean == pytest.approx([0.7, 0.3])
    assert list(tally.votes.items()) == [("cat", 2), ("dog", 1)]


def test_what_is_missing_has_no_vote_but_a_reason():
    tally = VideoPrediction()
    tally.add(FramePrediction(0, "cat", 0, 0.9), np.array([0.9, 0.1]))
    tally.fail(1.0, "damaged from 0:01 on")
    assert tally.error == "damaged from 0:01 on"
    tally.fail(5.0, "other")
    assert tally.error == "damaged from 0:01 on (and 1 more such place)"
    tally.fail(None, "other")
    assert tally.error == "damaged from 0:01 on (and 2 more such places)"
    assert tally.votes == {"cat": 1}
    assert [moment.error for moment in tally.frames] == [None, "damaged from 0:01 on", "other"]


def test_the_mean_of_many_does_not_drift():
    tally = VideoPrediction()
    for _ in range(20_000):
        tally.add(FramePrediction(0, "a", 0, 0.1), np.array([0.1, 0.9], np.float32))
    assert tally.mean == pytest.approx([0.1, 0.9], abs=1e-7)


def test_frames_of_a_video_have_one_key_and_images_none_in_common():
    one, two = Video("clip.mp4"), Video("clip.mp4")
    keys = [video_of((Source("x", frame=Frame(video, 0)), None)) for video in (one, one, two)]
    assert keys[0] == keys[1] != keys[2]
    assert video_of((Source("a.png"), None)) != video_of((Source("a.png"), None))


def test_segments():
    moments = [
        FramePrediction(0, "cat"),
        FramePrediction(1, "cat"),
        FramePrediction(2, error="lost"),
        FramePrediction(3, "cat"),
        FramePrediction(4, "dog"),
    ]
    assert list(segments(moments)) == [Segment(0, 1, "cat", 2), Segment(3, 3, "cat", 1), Segment(4, 4, "dog", 1)]


@given(st.lists(st.sampled_from(["cat", "dog", None])))
def test_segments_hold_every_frame_once(labels):
    rows = list(segments([FramePrediction(time, label) for time, label in enumerate(labels)]))
    assert [(time, row.label) for row in rows for time in range(int(row.start), int(row.end) + 1)] == [
        (time, label) for time, label in enumerate(labels) if label is not None
    ]
    assert sum(row.frames for row in rows) == sum(label is not None for label in labels)
