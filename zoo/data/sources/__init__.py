"""Dataset layouts on disk, one file each; ``base`` is their protocol and ``registry`` their table."""
