"""How good a network is: metrics, calibration, evaluation, comparison."""
