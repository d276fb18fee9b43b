"""A study as its database alone knows it, for where its images are gone."""

from __future__ import annotations

from dataclasses import dataclass

from augsearch.augment.baselines import for_channels
from augsearch.augment.build import Renderer
from augsearch.progress import Progress
from augsearch.space.policy import Policy
from augsearch.space.space import Space
from augsearch.store.stored import stored_config, stored_space
from augsearch.store.study_store import Store
from augsearch.study.mirrored import identity_tags, params_of, profile_of
from augsearch.study_file import StudyConfig
from augsearch.tracking.mirror import Mirror
from augsearch.tracking.tracker import DataReference


@dataclass(frozen=True)
class Remembered:
    """A stored study without its images.

    Attributes:
        space, config: that it was run with.
    """

    store: Store
    space: Space
    config: StudyConfig

    @classmethod
    def of(cls, store: Store) -> Remembered:
        """Of a study in the database.

        Raises:
            ValidationError, KeyError: another version made it.
            ConfigError: an operation of the user's own is gone.
        """
        return cls(store, stored_space(store), stored_config(store))

    def as_found(self, policy: Policy) -> Policy:
        """The policy with what the winner was found on, once there is one."""
        winner = self.store.kept.winner
        return policy.model_copy(update={"found_on": winner.found_on}) if winner else policy

    def executor_of(self, policy: Policy) -> str:
        """Who renders a policy's views, in words."""
        facts = self.store.kept.result.get("data", {})
        fitting = for_channels(policy, facts["channels"]) if "channels" in facts else policy
        return Renderer.build(fitting, self.config.compute.executor).executor

    def mirror(self, progress: Progress) -> Mirror:
        """The study's place in MLflow."""
        kept = self.store.kept
        settings, asked, data = kept.settings, kept.asked, kept.settings["data"]
        return Mirror(
            study=self.store.name,
            params=params_of(
                self.config,
                space=self.space.name,
                study_file=asked["study_file"],
                data=data["name"],
                seed=settings["seed"],
                facts={"weights": settings["weights"]} if "weights" in settings else {},
                image_size=self.config.data.side,
            ),
            data=DataReference(
                name=data["name"],
                digest=data["digest"],
                source=asked["data"],
                profile=profile_of(kept.result.get("data", {})),
            ),
            warn=progress.warn,
            tags=identity_tags(self.space.digest, data["digest"], kept.digits),
            identity=lambda: kept.identity,
            pictures=False,
        )
