"""Foundations without any knowledge of images or networks: errors, the description of a network, output, files."""
