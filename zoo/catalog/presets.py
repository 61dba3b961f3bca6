"""Preprocessings that have a name."""

from __future__ import annotations

from zoo.core.spec import Preprocessing

#: The three conventions of keras.applications, networks that scale their own input, and those of small networks:
#: ``unit`` is x/255, ``grey`` the same on one grey channel.
PREPROCESSING = {
    "none": Preprocessing("none"),
    "caffe": Preprocessing("caffe", order="bgr", mean=(103.939, 116.779, 123.68)),
    "tf": Preprocessing("tf", mean=(127.5, 127.5, 127.5), std=(127.5, 127.5, 127.5)),
    "torch": Preprocessing("torch", mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)),
    "cifar10": Preprocessing("cifar10", mean=(125.3, 123.0, 113.9), std=(63.0, 62.1, 66.7)),
    "unit": Preprocessing("unit", std=(255.0, 255.0, 255.0)),
    "grey": Preprocessing("grey", order="grey", mean=(0.0,), std=(255.0,)),
}
