"""Two policies of one study beside each other."""
