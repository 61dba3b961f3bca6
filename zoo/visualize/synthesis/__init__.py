"""Images that a network makes: of what it responds to, of what it sees in an image, and of a style."""
