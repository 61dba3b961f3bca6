"""The engine for CPUs: networks compiled once by OpenVINO, which then run without Keras.

- ``engine``: runs a compiled network; ``batch_tuning`` measures its fastest batch size
- ``compiled_cache``: compiled networks on disk; ``convert`` makes one from Keras, ``nchw`` removes its transpositions
- ``int8``: quantised networks, checked against float32; ``nncf_quantize`` makes one
- ``runtime``: importing OpenVINO without telemetry
"""
