"""From an encoder and some labels to a classifier, and what it is worth."""
