"""Stand-ins for what a study talks to, a few lines each."""

from augsearch.tracking.tracker import Page


class RecordingTracker:
    """Remembers what a study showed; says that all of it worked, or, if `away`, that none did."""

    def __init__(self, away=False):
        self.away, self.records, self.pages, self.registered = away, {}, {}, []

    def sync(self, makers, *, at_end=False):
        if not self.away:
            self.records |= {key: make() for key, make in makers.items() if key not in self.records}
        return not self.away

    def finish(self, page: Page):
        return self.amend("", page)

    def amend(self, section, page: Page):
        self.pages[section] = page
        return not self.away

    def register(self, wanted):
        self.registered.append(wanted)
        return True


class InOrder:
    """Does every job here, last one first: no result may depend on the order."""

    def __init__(self):
        self.jobs = []

    def at_once(self, jobs):
        return 1

    def is_here(self, jobs):
        return True

    def run(self, work, shared, jobs):
        for job in reversed(jobs):
            self.jobs.append(job)
            yield job, work(shared, job)
