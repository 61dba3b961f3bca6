"""Generated images: activation maximization, DeepDream and style transfer.

``maximize``, ``dream`` and ``style`` are the three algorithms. ``objectives/`` has the table of what can be maximized.
``fourier``, ``colour``, ``transformations``, ``diversity`` and ``ascent`` are the parts of feature visualization;
``sheet`` and ``animation`` write its images.
"""
