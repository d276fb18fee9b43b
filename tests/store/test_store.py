"""What a study's store remembers beyond its trials."""

import optuna
import pytest
from studying import STORAGE, run

from augsearch.store.database import open_storage
from augsearch.store.listing import delete_study
from augsearch.store.study_store import Store


@pytest.mark.long
def test_the_sealed_split_remembers_every_look(small_here):
    assert small_here.sealed_split_uses == 1
    assert run().sealed_split_uses == 1  # the same look again
    storage = open_storage(STORAGE)
    marks = Store(storage, "small").kept.sealed

    def look(name, marks=marks, trials=0):
        store = Store(storage, name, settings={})
        for _ in range(trials):
            store.trials_study.add_trial(optuna.create_trial(value=0.5))
        return store.count_sealed_use(marks)

    assert look("other") == 2
    assert look("other", trials=1) == 3  # at what more trials have found
    delete_study(storage, "other")
    assert look("other") == 4  # another study of that name
    assert look("part", marks[:5]) == 5
    assert look("elsewhere", ["ffffffffffff"]) == 1
