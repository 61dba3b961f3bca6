"""From what a user types to uint8 RGB pixels: ``discovery`` finds images, ``decode`` gives their pixels."""
