"""From a name to what is known of a network, before any framework is imported."""
