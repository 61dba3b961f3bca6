"""Layers that stock Keras has not, on ``keras.ops`` alone: they run on every backend."""
