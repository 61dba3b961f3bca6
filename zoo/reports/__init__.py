"""What pages and plots are made of."""
