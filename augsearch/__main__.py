"""`python -m augsearch` is `augsearch`; torchrun starts it so."""

from augsearch.cli import main

main()
