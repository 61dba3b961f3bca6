"""Datasets on a disk: folders, tables, IDX files."""
