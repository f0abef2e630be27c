"""An account to look at: moto answers what it can, and recorded answers stand in for the rest.

Of a recorded answer no more is claimed than that botocore takes its shape for AWS' own; so with
the question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.session import Session  # type: ignore[import-untyped] # ships no types
from botocore.validate import ParamValidator  # type: ignore[import-untyped] # ships no types

from corral.aws_account.errors import Refused
from corral.aws_account.reading import AwsAccount, Identity
from corral.settings.aws.account import Aws

_SESSION = Session()
_CLIENTS: dict[str, dict[str, Any]] = {}
"""By region. One of each for all tests: what botocore knows of a service takes a second to read."""

Answer = Mapping[str, Any] | Exception | Callable[[Mapping[str, Any]], Mapping[str, Any]]
Answers = Mapping[tuple[str, str], Answer]
"""By service and operation."""


def refusal(service: str, operation: str, code: str, message: str = "no") -> Refused:
    """What AWS answers instead."""
    return Refused(service=service, operation=operation, code=code, message=message)


class RecordedAccount(AwsAccount):
    """Moto, but for what `answers` has."""

    def __init__(
        self,
        aws: Aws,
        answers: Answers,
        *,
        arn: str = "arn:aws:iam::123456789012:user/engineer",
    ) -> None:
        super().__init__(aws, _SESSION)
        self._clients = _CLIENTS.setdefault(aws.region, {})
        self.identity = Identity(account=aws.account_id, arn=arn)
        self._answers = answers
        self.asked: list[tuple[str, str, Mapping[str, Any]]] = []

    def ask(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        self.asked.append((service, operation, parameters))
        answer = self._answers.get((service, operation))
        if answer is None:
            return super().ask(service, operation, **parameters)
        if isinstance(answer, Exception):
            raise answer
        found = answer(parameters) if callable(answer) else answer
        self._shaped(service, operation, parameters, found)
        return dict(found)

    def every(self, service: str, operation: str, key: str, **parameters: Any) -> Iterator[Any]:
        if (service, operation) in self._answers:
            yield from self.ask(service, operation, **parameters)[key]
        else:
            self.asked.append((service, operation, parameters))
            yield from super().every(service, operation, key, **parameters)

    def _shaped(
        self, service: str, operation: str, parameters: Mapping[str, Any], answer: Mapping[str, Any]
    ) -> None:
        client = self._client(service)
        name = client.meta.method_to_api_mapping[operation]
        model = client.meta.service_model.operation_model(name)
        for document, shape in ((parameters, model.input_shape), (answer, model.output_shape)):
            report = ParamValidator().validate(document, shape)
            assert not report.has_errors(), f"{service} {operation}: {report.generate_report()}"
            unknown = document.keys() - shape.members.keys()
            assert not unknown, f"{service} {operation} knows no {', '.join(unknown)}"
