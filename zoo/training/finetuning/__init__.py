"""Fine-tuning: a pretrained network becomes a classifier of other classes.

- ``finetune``: the functions; ``dry_run``: the plan and an estimate of its time
- ``recipe``: recipes; ``plan``: which part of the network is trained
- ``job``: the phases; ``training_data``: their batches, of images or of cached features
- ``heads``: the network to start from with its new head
- ``trunk``, ``views``, ``cached_features``: the outputs of the frozen part, computed once
"""
