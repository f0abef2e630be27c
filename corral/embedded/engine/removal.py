"""What goes and what stays when objects leave a stack, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from corral.embedded.engine.inventory import NAMESPACE, Inventory
from corral.embedded.engine.objects import ANNOTATIONS, PART_OF, PROTECT, Key, Live
from corral.embedded.engine.report import Action, Change, Record
from corral.embedded.engine.waiting import TookTooLong, Waiting
from corral.kubernetes import Api, ApiError, Unreachable

_MANAGER: Final = "corral-inventory"
_CONFLICT: Final = 409


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What becomes of the members that nobody wants any more."""

    waves: tuple[tuple[Live, ...], ...]
    """To delete; each wave after the one before it is gone."""
    release: tuple[tuple[Live, str], ...]
    """To leave in the cluster without our labels, each with the reason."""
    refused: tuple[tuple[Live, str], ...]
    """Neither, each with the reason."""


def decide(members: Mapping[Key, Live], staying: Set[Key], *, namespace_in_use: bool) -> Decision:
    """`staying`: objects that stay in the stack. `namespace_in_use`: whether something needs the
    inventories' namespace after this.

    Deepest first; then namespaces, then definitions, since both take along what is in them, and at
    the very end the namespace with the inventory. A namespace or definition that still holds
    something which stays is not deleted.
    """
    going = [live for key, live in members.items() if key not in staying]
    refused = [(live, _protected(live)) for live in going if live.protect]
    release = [(live, _RETAINED) for live in going if live.retain and not live.protect]
    delete = [live for live in going if not live.retain and not live.protect]
    held = _Holders(staying=staying, refused=refused, released=release)
    plain: list[Live] = []
    last: dict[str, list[Live]] = {"namespaces": [], "definitions": [], "home": []}
    for live in delete:
        home = live.key.is_namespace and live.key.name == NAMESPACE
        stays, leaves = held.within(live)
        if home and namespace_in_use:
            release.append((live, "it holds inventories of stacks"))
        elif stays:
            refused.append((live, f"{stays} in it stays"))
        elif leaves:
            release.append((live, f"{leaves} in it is kept"))
        elif home:
            last["home"].append(live)
        elif live.key.is_namespace:
            last["namespaces"].append(live)
        elif live.key.is_definition:
            last["definitions"].append(live)
        else:
            plain.append(live)
    depths = sorted({live.depth for live in plain}, reverse=True)
    waves = [[live for live in plain if live.depth == depth] for depth in depths]
    return Decision(
        waves=tuple(tuple(wave) for wave in (*waves, *last.values()) if wave),
        release=tuple(release),
        refused=tuple(refused),
    )


def _protected(live: Live) -> str:
    """Why it stays, and the one command that lets it go: there is no switch that lets all go."""
    where = f" --namespace {live.key.namespace}" if live.key.namespace else ""
    return (
        "it is protected. Lift that where you mean it: kubectl annotate "
        f"{live.key.kind.lower()} {live.key.name}{where} {PROTECT}-"
    )


_RETAINED: Final = "it is to be kept on deletion"


class _Holders:
    """Which namespaces and kinds hold an object that stays, or one that is let go."""

    def __init__(
        self,
        *,
        staying: Set[Key],
        refused: Sequence[tuple[Live, str]],
        released: Sequence[tuple[Live, str]],
    ) -> None:
        self._stays = _places((*staying, *(live.key for live, _ in refused)))
        self._leaves = _places([live.key for live, _ in released])

    def within(self, live: Live) -> tuple[Key | None, Key | None]:
        """One object in this namespace, or of this defined kind, that stays; one that is let go."""
        place = _place_of(live)
        return self._stays.get(place), self._leaves.get(place)


def _places(keys: Collection[Key]) -> dict[str, Key]:
    found: dict[str, Key] = {}
    for key in keys:
        found[f"kind {key.group_kind}"] = key
        if key.namespace:
            found[f"namespace {key.namespace}"] = key
    return found


def _place_of(live: Live) -> str:
    if live.key.is_namespace:
        return f"namespace {live.key.name}"
    if live.key.is_definition:
        spec = live.document()["spec"]
        return f"kind {spec['names']['kind']}.{spec['group']}"
    return ""


@dataclass(kw_only=True)
class Remover:
    """Carries a decision out."""

    api: Api
    inventory: Inventory
    waiting: Waiting
    record: Record
    workers: int
    left: list[Key] = field(default_factory=list)
    """What should have gone and is still a member."""

    def carry_out(self, decision: Decision) -> bool:
        """Whether everything is as decided. What goes wrong is in the record; after a wave that
        isn't gone, what it may depend on is left alone."""
        for live, reason in decision.refused:
            self._fail(live, f"{live.key} is not deleted: {reason}")
        released = self._each((live for live, _ in decision.release), self._release)
        total = sum(map(len, decision.waves))
        gone = 0
        for wave in decision.waves:
            if not self._delete(wave):
                self.left.extend(live.key for later in decision.waves for live in later)
                if total - gone - len(wave):
                    self.record.note(
                        f"{total - gone - len(wave)} objects that these may depend on were not "
                        "deleted. The same command goes on from here"
                    )
                return False
            gone += len(wave)
            if total > 1:
                self.record.progress(f"{gone} of {total} objects deleted")
        return released and not decision.refused

    def _delete(self, wave: Sequence[Live]) -> bool:
        waits: list[Live] = []

        def delete(live: Live) -> None:
            if self._begin_deletion(live):
                self._gone(live)
            else:
                waits.append(live)

        ok = self._each(wave, delete)
        return self._await(waits) and ok

    def _begin_deletion(self, live: Live) -> bool:
        """Whether it is gone already; otherwise its finalizers hold it."""
        try:
            answer = self.api.delete(live.path, uid=live.uid)
        except ApiError as error:
            if error.status == _CONFLICT:  # another object has taken its name
                return True
            raise
        return answer is None or answer.get("kind") == "Status"

    def _await(self, waits: list[Live]) -> bool:
        """Waits as long as something goes; the bound counts from the last one that went."""
        left = {live.uid: live for live in waits}
        while left:
            before = len(left)

            def fewer(count: int = before) -> bool:
                present = self._present(left.values())
                for uid in [uid for uid in left if uid not in present]:
                    self._gone(left.pop(uid))
                return len(left) < count

            some = next(iter(left.values()))
            what = f"{some.key} and {before - 1} more" if before > 1 else str(some.key)
            try:
                self.waiting.until(fewer, f"{what} to be gone")
            except (TookTooLong, ApiError, Unreachable) as error:
                for live in left.values():
                    held = ", ".join(self._finalizers(live)) or "nothing that shows"
                    self._fail(live, f"{live.key} is not gone: {error}; held by {held}")
                return False
        return True

    def _present(self, lives: Collection[Live]) -> set[str]:
        """Uids of those that are still there: one listing per kind."""
        resources = {live.resource for live in lives}
        label = f"{PART_OF}={self.inventory.id}"
        return {
            found["metadata"]["uid"]
            for resource in resources
            for found in self.api.list(resource.collection(), labels=label)
        }

    def _finalizers(self, live: Live) -> list[str]:
        try:
            found = self.api.find(live.path) or {}
        except (ApiError, Unreachable):
            return []
        finalizers: list[str] = found.get("metadata", {}).get("finalizers") or []
        return finalizers + (found.get("spec", {}).get("finalizers") or [])

    def _release(self, live: Live) -> None:
        nothing = dict.fromkeys(ANNOTATIONS)
        self.api.patch(
            live.path,
            {"metadata": {"labels": {PART_OF: None}, "annotations": nothing}},
            manager=_MANAGER,
        )
        self._record(Action.RELEASE, live)

    def _gone(self, live: Live) -> None:
        self._record(Action.DELETE, live)

    def _record(self, action: Action, live: Live) -> None:
        self.record.change(
            Change(action=action, kind=live.key.group_kind, id=live.key.id, urn=live.urn)
        )

    def _fail(self, live: Live, reason: str) -> None:
        self.left.append(live.key)
        self.record.fail(live.urn or str(live.key), reason)

    def _each(self, lives: Iterable[Live], work: Callable[[Live], None]) -> bool:
        """Whether the work was done for all of them; failures are recorded one by one."""

        def attempt(live: Live) -> bool:
            try:
                work(live)
            except (ApiError, Unreachable) as error:
                self._fail(live, f"{live.key} could not be removed: {error}")
                return False
            return True

        with ThreadPoolExecutor(self.workers, thread_name_prefix="removal") as executor:
            return all(list(executor.map(attempt, lives)))
