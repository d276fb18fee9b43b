"""The database of the studies: one process at a time."""

import pytest
from studying import STORAGE, run

from augsearch.errors import StudyError


@pytest.mark.long
def test_a_study_is_driven_by_one_process_at_a_time(small_here):
    from augsearch.store.database import owner_lock

    with (
        owner_lock(STORAGE, "small"),
        pytest.raises(StudyError, match="run by another process"),
    ):
        run()
    run()
