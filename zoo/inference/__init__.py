"""From images to outputs, in order, in bounded memory."""
