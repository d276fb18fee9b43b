"""How what a study tells is shown: on a terminal, in a log, in a notebook, or not at all."""
