"""Pictures that a network makes: of what it responds to, of what it sees in a picture, and of a style."""
