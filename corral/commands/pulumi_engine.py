"""The Pulumi engine, driven through its Automation API: the program and stack files that the
`pulumi` command uses, and the state that it keeps."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from corral.commands.pulumi_events import PulumiEvents
from corral.commands.screen import Screen
from corral.commands.stacks import Stack
from corral.errors import BadInput, UserError
from corral.settings.loading import STACK_FOLDER
from corral.teardown.state import StackState

if TYPE_CHECKING:
    from pulumi import automation

# Figures for a fair and quick run: the provider's default client stops at 5 requests a second.
CLIENT_LIMITS = {"PULUMI_K8S_CLIENT_QPS": "400", "PULUMI_K8S_CLIENT_BURST": "800"}
PARALLEL = 64


def pulumi_up(stack: Stack, *, screen: Screen, local_backend: bool) -> Mapping[str, int]:
    """`pulumi up`; the count of resources by what became of them."""
    with _workspace(stack, screen=screen, local_backend=local_backend) as (selected, events):
        result = selected.up(parallel=PARALLEL, on_event=events)
        return _counted(result.summary.resource_changes)


def pulumi_plan(stack: Stack, *, screen: Screen, local_backend: bool) -> Mapping[str, int]:
    """`pulumi preview`; the count of resources by what would become of them."""
    with _workspace(stack, screen=screen, local_backend=local_backend) as (selected, events):
        result = selected.preview(parallel=PARALLEL, on_event=events)
        return _counted(result.change_summary)


def pulumi_destroy(stack: Stack, *, screen: Screen, local_backend: bool) -> Mapping[str, int]:
    """`pulumi destroy`; the count of resources by what became of them."""
    with _workspace(stack, screen=screen, local_backend=local_backend) as (selected, events):
        result = selected.destroy(parallel=PARALLEL, on_event=events)
        return _counted(result.summary.resource_changes)


def missing_before(stack: Stack, *, screen: Screen, local_backend: bool) -> str:
    """The stack whose outputs this one takes, where it has none yet; "" where nothing is missing:
    only a part of several takes any."""
    before = stack.before
    if before is None:
        return ""
    try:
        with _workspace(before, screen=screen, local_backend=local_backend, create=False) as (
            selected,
            _,
        ):
            return "" if selected.outputs() else before.name
    except NoSuchStack:
        return before.name


def pulumi_state(stack: Stack, *, screen: Screen, local_backend: bool) -> StackState:
    """What the stack's state holds, secrets encrypted; nothing for a stack that was never made."""
    try:
        with _workspace(stack, screen=screen, local_backend=local_backend, create=False) as (
            selected,
            _,
        ):
            return StackState.of(stack.name, selected.export_stack().deployment)
    except NoSuchStack:
        return StackState.of(stack.name, None)


class NoSuchStack(UserError):
    """The backend has no stack of that name."""


@contextmanager
def _workspace(
    stack: Stack, *, screen: Screen, local_backend: bool, create: bool = True
) -> Iterator[tuple[automation.Stack, PulumiEvents]]:
    from pulumi import automation  # noqa: PLC0415 - 0.3 s that the embedded engine need not pay

    environment = {**CLIENT_LIMITS, **backend(stack, allow_local=local_backend)}
    command = _cli(screen)
    events = PulumiEvents(screen)
    with _stack_file_kept(stack), _readable(stack, events):
        select = automation.create_or_select_stack if create else automation.select_stack
        selected = select(
            stack_name=stack.name,
            work_dir=str(stack.project.root),
            opts=automation.LocalWorkspaceOptions(env_vars=environment, pulumi_command=command),
        )
        yield selected, events


@contextmanager
def _readable(stack: Stack, events: PulumiEvents) -> Iterator[None]:
    from pulumi import automation  # noqa: PLC0415 - as above

    try:
        yield
    except automation.ConcurrentUpdateError as error:
        raise UserError(
            f"Another update of stack {stack.name} is under way, or was killed. Wait for it, or, "
            f"when you know that none is running: pulumi cancel -s {stack.name}"
        ) from error
    except automation.StackNotFoundError as error:
        raise NoSuchStack(f"There is no stack {stack.name} in this backend") from error
    except automation.CommandError as error:
        said = _told([*events.errors, events.stderr()]).strip() or _tail(str(error))
        raise UserError(f"Pulumi failed for stack {stack.name}:\n{said}") from error


@contextmanager
def _stack_file_kept(stack: Stack) -> Iterator[None]:
    """Pulumi writes the salt of its passphrase into the stack file, without its comments. In a
    stack whose state is ours that salt is of this machine and belongs into no commit."""
    file = stack.project.root / STACK_FOLDER / f"Pulumi.{stack.name}.yaml"
    before = file.read_bytes() if file.is_file() else None
    try:
        yield
    finally:
        if stack.simulated and before is None:
            file.unlink(missing_ok=True)
        elif stack.simulated and before is not None and file.read_bytes() != before:
            file.write_bytes(before)


def _cli(screen: Screen) -> automation.PulumiCommand:
    from pulumi.automation import PulumiCommand  # noqa: PLC0415 - as above

    if shutil.which("pulumi"):
        return PulumiCommand()
    screen.step("pulumi", "no CLI on PATH: installing the SDK's own version below ~/.pulumi")
    try:
        return PulumiCommand.install()
    except Exception as error:
        raise UserError(
            "There is no Pulumi CLI on PATH and its installer could not be reached. Install it "
            "(https://www.pulumi.com/docs/install/), or use --engine embedded"
        ) from error


def backend(stack: Stack, *, allow_local: bool) -> dict[str, str]:
    """Where Pulumi keeps the stack's state, as environment variables.

    An embedded cluster's state goes below `.corral/`, with a passphrase made for it: both belong
    to this machine. Any other stack uses the backend that its people logged in to; a backend in a
    folder is refused unless asked for, since a second person would start from an empty state.
    """
    named = os.environ.get("PULUMI_BACKEND_URL", "")
    if stack.simulated and not named:
        return _own_backend(stack.project.state)
    url = named or _logged_in()
    if url.startswith("file://") and not (allow_local or stack.simulated):
        raise BadInput(
            f"Stack {stack.name} would keep its state in {url}, where nobody else finds it. "
            "Log in to a shared backend (pulumi login s3://… or pulumi login), "
            "or say --local-backend if this machine is the only one"
        )
    return {}


def _own_backend(state: Path) -> dict[str, str]:
    folder = state / "pulumi"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    passphrase = folder / "passphrase"
    if not passphrase.exists():
        with os.fdopen(os.open(passphrase, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as f:
            f.write(secrets.token_urlsafe(32))
    return {
        "PULUMI_BACKEND_URL": f"file://{folder}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase),
    }


def _logged_in() -> str:
    program = shutil.which("pulumi")
    if program is None:
        return ""
    answer = subprocess.run(
        [program, "whoami", "--json", "--non-interactive"],
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        raise BadInput(
            "Pulumi is not logged in to a backend: pulumi login (or set PULUMI_BACKEND_URL). "
            f"It said: {_tail(answer.stderr, lines=2)}"
        )
    return str(orjson.loads(answer.stdout).get("url", ""))


def _counted(changes: Mapping[automation.OpType, int] | None) -> dict[str, int]:
    return {str(getattr(change, "value", change)): n for change, n in (changes or {}).items()}


def _told(errors: list[str]) -> str:
    """The first error whole, the others by their first two paragraphs: what follows is advice that
    repeats itself. What the embedded engine made, Pulumi refuses to create."""
    said = [*errors[:1], *("\n".join(error.split("\n\n")[:2]) for error in errors[1:])]
    if any("already exists" in error for error in errors):
        said.append(
            "If the embedded engine made them: corral destroy STACK --engine embedded goes first"
        )
    return "\n".join(said)


def _tail(text: str, *, lines: int = 25) -> str:
    return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])


def cli_version() -> str:
    """The version of the CLI on PATH; "" where there is none."""
    program = shutil.which("pulumi")
    if program is None:
        return ""
    answer = subprocess.run([program, "version"], capture_output=True, text=True, check=False)
    return answer.stdout.strip()
