"""Every way a request can fail, split by whose fault it is.

YuzuiError
├── ClientFault            the caller can change something
│   ├── InvalidRequest         400  the body or a field is wrong
│   ├── UnsupportedFeature     400  the chosen target cannot do what the field asks
│   ├── Unauthenticated        401  no key, a wrong key, a revoked key
│   ├── NotAllowed             403  the key may not use this model
│   ├── NoPermittedTarget      403  sovereignty: nothing that may see this request can answer it
│   │   └── MaskingIncomplete  403  a masked request still holds what its target may not see: it was not sent
│   ├── NotFound               404  no such model, path or method
│   ├── RequestTooLarge        413
│   ├── RateExceeded           429  requests, tokens or concurrency; `retry_after_s` says when
│   └── BudgetExceeded         429  the key's money for this period is spent
├── UpstreamFault          the target failed; other permitted targets may be tried before the first byte
│   ├── UpstreamUnreachable    502  no connection; nothing was sent
│   ├── UpstreamTLS            502  the certificate or handshake is not acceptable
│   ├── UpstreamRedirect       502  redirects are never followed
│   ├── UpstreamTimeout        504  connect, first token, between tokens, total
│   ├── UpstreamRefused        502  it answered with an error status
│   ├── UpstreamBusy           429/503  it asked us to slow down, or our queue in front of it is full
│   ├── UpstreamInvalid        502  the answer is not what its protocol promises
│   └── UpstreamInterrupted    502  the answer stopped before its end
├── AnswerWithheld         403  the answer holds what the operator lets nobody be told, or could not be searched for it
└── GatewayFault           our own state forbids going on (books, audit, shutdown)

Messages say what to change. Codes are stable: they appear in answers, metrics, the audit log and the documentation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from yuzui.core.decision import Verdict


class YuzuiError(Exception):
    """Anything that Yuzui reports on purpose. `str(error)` is safe to show to the client."""

    status: int = 500
    code: str = "internal_error"
    kind: ClassVar[str] = "api_error"  # OpenAI's `error.type`
    retryable: bool = False
    refused: tuple[Verdict, ...] = ()
    """Why each candidate was refused, when routing found no target."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        param: str | None = None,
        retry_after_s: float | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s
        if retryable is not None:
            self.retryable = retryable
        if code is not None:
            self.code = code
        if status is not None:
            self.status = status


class ClientFault(YuzuiError):
    status = 400
    kind = "invalid_request_error"


class InvalidRequest(ClientFault):
    code = "invalid_request"


class UnsupportedFeature(ClientFault):
    code = "unsupported_feature"


class Unauthenticated(ClientFault):
    status = 401
    code = "invalid_api_key"
    kind = "authentication_error"


class NotAllowed(ClientFault):
    status = 403
    code = "model_not_allowed"
    kind = "permission_error"


class NoPermittedTarget(ClientFault):
    status = 403
    code = "no_permitted_target"
    kind = "permission_error"


class MaskingIncomplete(NoPermittedTarget):
    code = "masking_incomplete"


class NotFound(ClientFault):
    status = 404
    code = "model_not_found"


class RequestTooLarge(ClientFault):
    status = 413
    code = "request_too_large"


class RateExceeded(ClientFault):
    status = 429
    code = "rate_limit_exceeded"
    kind = "rate_limit_error"
    retryable = True


class BudgetExceeded(ClientFault):
    status = 429
    code = "budget_exceeded"
    kind = "insufficient_quota"


class UpstreamFault(YuzuiError):
    status = 502
    code = "upstream_error"
    kind = "upstream_error"
    retryable = True
    counts_for_breaker: bool = True
    may_have_run: bool = True
    """Whether the target may have done (and billed) work before it failed."""


class UpstreamUnreachable(UpstreamFault):
    code = "upstream_unreachable"
    may_have_run = False


class UpstreamTLS(UpstreamFault):
    code = "upstream_tls"
    may_have_run = False


class UpstreamRedirect(UpstreamFault):
    code = "upstream_redirect"
    may_have_run = False


class UpstreamTimeout(UpstreamFault):
    status = 504
    code = "upstream_timeout"


class UpstreamRefused(UpstreamFault):
    """`upstream_status` is what the target answered; 4xx other than 408/409/429 is not retried on the same target."""

    code = "upstream_refused"
    may_have_run = False

    def __init__(
        self,
        message: str,
        *,
        upstream_status: int,
        code: str | None = None,
        status: int | None = None,
        retry_after_s: float | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message, code=code, status=status, retry_after_s=retry_after_s, param=param)
        self.upstream_status = upstream_status


class UpstreamBusy(UpstreamFault):
    status = 429
    code = "upstream_rate_limited"
    kind = "rate_limit_error"
    may_have_run = False


class UpstreamInvalid(UpstreamFault):
    code = "upstream_invalid_response"


class UpstreamInterrupted(UpstreamFault):
    code = "upstream_stream_interrupted"


class AnswerWithheld(YuzuiError):
    """Its target has answered and is paid: nobody else is asked."""

    status = 403
    code = "answer_withheld"
    kind = "permission_error"


class GatewayFault(YuzuiError):
    status = 503
    code = "gateway_unavailable"
    kind = "api_error"
    retryable = True


class ConfigError(YuzuiError):
    """The configuration is wrong. The message names the TOML path and what to write instead."""

    code = "config_error"
