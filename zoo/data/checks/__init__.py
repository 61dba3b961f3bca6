"""What is wrong with a dataset: ``check`` runs all checks, ``findings`` is the table of kinds."""
