"""What every room may use: errors, the description of a network, rows and files out, paths, hardware."""
