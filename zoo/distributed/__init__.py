"""Feature vectors on many machines: the images are divided into shards, and Ray computes each of them somewhere.

- ``ray_runner``: the runner for :func:`zoo.inference.feature_file.write_features`
- ``ray_cluster``: connecting to a Ray cluster, or starting one on this machine
- ``shard_task``: computing one shard, on any machine
- ``shard_folder``: the folder of shards that is written
"""
