"""The inspected model, and what the other rooms of ``visualize`` need of it.

``inspected_model`` opens a model and runs it, ``flat_graph`` unnests its layers, ``gradients`` differentiates it on any
Keras backend, ``display`` prepares input images for people to look at.
"""
