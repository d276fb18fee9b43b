"""Full pretraining with one policy: from images to an encoder that other programs load."""
