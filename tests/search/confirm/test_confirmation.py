"""The confirmation on real runs: stopped midway, gone on with."""

import pytest
from studying import STORAGE, Heard, run

from augsearch.store.database import open_storage
from augsearch.store.study_store import Store


@pytest.mark.long
def test_a_confirmation_stopped_midway_ends_in_the_same_verdict(small_here):
    class Interrupting(Heard):
        def run_ended(self, run, score, remark):
            super().run_ended(run, score, remark)
            if sum("seed" in name for name in self.ended) == 7:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(name="stopped", progress=Interrupting())
    kept = Store(open_storage(STORAGE), "stopped").runs("confirmation")
    assert 7 <= len(kept) < 20
    heard = Heard()
    resumed = run(name="stopped", progress=heard)
    assert len(heard.ended) == 20 - len(kept)
    assert resumed.verdict == small_here.verdict
