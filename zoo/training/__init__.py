"""Training: recipes, runs that can be interrupted and resumed, and what they leave behind."""
