"""Explanations: maps of where a model finds evidence for a class, and scores of how faithful they are.

``methods/`` has the table of methods and one file for each; ``base`` what they share. ``explain`` runs them on many
images, ``faithfulness`` scores their maps by deletion and insertion. ``overlay`` and ``sheet`` draw maps, ``page/``
writes the HTML report, ``functions`` makes ``zoo.visualize.gradcam`` and the like.
"""
