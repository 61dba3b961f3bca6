"""Vectors by many machines: shards of the images, each of which is made whole or not at all, and who makes them."""
