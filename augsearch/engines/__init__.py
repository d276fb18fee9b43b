"""Where training runs happen. Knows nothing of policies or studies: it is given functions."""
