"""A page on images: what a network says of each, where it sees that, and how much the maps can be believed."""

from __future__ import annotations

from zoo.visualize.explain.page.page import Page

__all__ = ["Page"]
