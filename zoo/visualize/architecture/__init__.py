"""The architecture of a network as a drawing: read the graph, group it, arrange it, draw it."""
