"""The network that is looked at: a flat graph, its classes, its gradients."""
