# The commands are those of .ci/run; `just` lists them.
_list:
    @just --list --unsorted

# every test but the long and slow ones
test *args:
    @bash .ci/run test {{args}}

# tests that cannot take less than 20 seconds: whole studies killed and resumed, searches replayed
long *args:
    @bash .ci/run long {{args}}

# tests of minutes: planted truth, null tests; not part of ci
slow *args:
    @bash .ci/run slow {{args}}

# ruff: rules and format
lint:
    @bash .ci/run lint

# mypy over the package, tools, benchmarks and tests
types *args:
    @bash .ci/run types {{args}}

# which room may import which
rules:
    @bash .ci/run rules

# links, paths and commands of the pages
docs *args:
    @bash .ci/run docs {{args}}

# the docs site, built and tested
site *args:
    @bash .ci/run site {{args}}

# what breaks on purpose: killed processes, servers that are gone, full disks
faults *args:
    @bash .ci/run faults {{args}}

# damaged and hostile files by the hundred thousand
fuzz *args:
    @bash .ci/run fuzz {{args}}

# many trials, many workers
scale *args:
    @bash .ci/run scale {{args}}

# exports of policies, run in the libraries that they are for
exports *args:
    @bash .ci/run exports {{args}}

# how much of augsearch/ a fast part of the tests runs
coverage *args:
    @bash .ci/run coverage {{args}}

# what runs in processes, started as on Windows
spawn *args:
    @bash .ci/run spawn {{args}}

# a few tests with the newest versions of everything
newest:
    @bash .ci/run newest

# a core of the tests with the oldest versions that are allowed
oldest *args:
    @bash .ci/run oldest {{args}}

# versions with known weaknesses
audit:
    @bash .ci/run audit

# everything, from nothing
ci:
    @bash .ci/run
