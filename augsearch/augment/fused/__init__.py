"""The fast executor: as few passes over the pixels as the policy's order allows.

`plan` groups operations into passes, `coordinates` holds the geometric ones, `smoothing` the blur,
`pointwise` those that look at one pixel at a time. What none of them knows runs on the reference.
"""
