"""The tree of the gateway's errors.

No HTTP in here: `gateway.server.responses` holds the one table from error to status. Every
message is fixed text: it names the parameter and the rule, never a value, so that no patient data
can travel in an error.

    GatewayError
    ├── ConfigError                    never an answer; exit status 2
    ├── RequestError
    │   ├── QueryError                 a parameter breaks a rule
    │   ├── NotAcceptableError         no media type that both sides know
    │   ├── NotFoundError              what the path names is not there, or not shown
    │   └── UriTooLongError            longer than the gateway reads
    ├── ResultTooLargeError            past the request's budget or a study window's bound
    └── UpstreamError
        ├── UpstreamThrottledError     the account's quota is used up
        ├── UpstreamUnavailableError   no answer, or an answer of its own failure
        │   ├── StudyWindowError       the upstream's order broke the study window
        │   └── WalkLostError          a next token is not taken any more
        ├── UpstreamRejectedError      it refuses what we ask: our fault or our operator's
        │   └── UpstreamValidationError
        └── UpstreamTimeoutError       the request's time ran out before an answer
"""

from __future__ import annotations


class GatewayError(Exception):
    """Base of every error that the gateway raises on purpose."""


class ConfigError(GatewayError):
    """One or more settings are missing or wrong; `problems` lists every one, without secrets."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class RequestError(GatewayError):
    """The client's request cannot be answered as it stands."""


class QueryError(RequestError):
    """A parameter breaks a rule. `parameter` is its name, `problem` what was expected."""

    def __init__(self, parameter: str, problem: str) -> None:
        super().__init__(f"{parameter}: {problem}")
        self.parameter = parameter
        self.problem = problem


class NotAcceptableError(RequestError):
    """None of the media types that the client accepts is offered."""


class NotFoundError(RequestError):
    """There is no such study, series, instance, frame or bulk data, or it is not shown."""


class UriTooLongError(RequestError):
    """The request's URI is longer than the gateway reads."""


class ResultTooLargeError(GatewayError):
    """The search was too broad; the message says how to narrow it."""


class UpstreamError(GatewayError):
    """HealthImaging did not give an answer that can be used.

    `request_id` is its own, if any; `attempts` how many calls it took to learn that.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.request_id = ""
        self.attempts = 1


class UpstreamThrottledError(UpstreamError):
    """The account's calls a second are used up; `retry_after_s` is when there may be some."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.retry_after_s = 1


class UpstreamUnavailableError(UpstreamError):
    """The upstream cannot be reached, or failed by its own fault."""


class StudyWindowError(UpstreamUnavailableError):
    """Image sets came in an order in which an answer cannot be streamed whole."""


class WalkLostError(UpstreamUnavailableError):
    """The upstream takes a walk's next token no longer: the walk has to begin anew."""


class UpstreamRejectedError(UpstreamError):
    """The upstream refuses the call: credentials, permissions, the data store, or its form."""


class UpstreamValidationError(UpstreamRejectedError):
    """The upstream calls the criteria invalid; another rung of the ladder may do."""


class UpstreamTimeoutError(UpstreamError):
    """The request's time ran out before the upstream answered."""
