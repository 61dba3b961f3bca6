"""Training: recipes, runs that can be stopped and resumed, callbacks, and the report.

- ``scratch/``, ``finetuning/``: the two commands, each a subclass of :class:`zoo.training.job.Job`
- ``job``, ``phase``, ``epochs``, ``learner``: from a whole training down to a step
- ``settings``, ``recipe``, ``schedule``, ``losses``, ``optimizers``, ``precision``: how a network is trained
- ``distillation``, ``rate_finder``; ``distribution``: several devices; ``clock``: limited time
- ``callbacks/``: the files of a run folder, TensorBoard, and the protocol for your own; ``report/``: the page of a run
- ``run``, ``checkpoint``: the run folder; ``predict``: evaluation
"""
