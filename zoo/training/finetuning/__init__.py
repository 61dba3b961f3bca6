"""Fine-tuning: a trained network becomes a classifier of other things."""
