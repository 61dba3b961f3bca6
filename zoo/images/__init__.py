"""From what a person types to uint8 RGB pixels: sources, formats, decoding, resizing, video."""
