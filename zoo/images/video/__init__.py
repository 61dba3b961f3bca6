"""Frames of videos as pictures."""
