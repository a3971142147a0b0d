"""Labelled photographs on disk."""

from perception.dataset.photos import LabelledPhoto, PhotoLabel, PhotoSet, read_photos, read_picture

__all__ = ["LabelledPhoto", "PhotoLabel", "PhotoSet", "read_photos", "read_picture"]
