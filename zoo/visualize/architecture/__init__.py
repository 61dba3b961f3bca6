"""The architecture of a model as a layered SVG drawing (Sugiyama et al., 1981).

``draw`` is the entry. ``graph`` reads the model, ``layer_labels`` names its layers, ``fusion`` joins a convolution with
its normalisation and activation, ``blocks`` finds blocks and stages, ``hierarchy`` nests them. ``layering`` assigns
rows and orders them, ``coordinates`` assigns x coordinates, ``layout`` routes the edges, ``column_breaks`` divides a
long drawing. ``boxes``, ``stage_boxes`` and ``svg`` draw.
"""
