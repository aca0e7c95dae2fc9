"""The server of one application: settings, hooks and what answers need of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from wireflight.exchange.checks import admit
from wireflight.exchange.codes import Refusal
from wireflight.exchange.manifest import manifest
from wireflight.exchange.replies import Replier, Reply
from wireflight.exchange.stamps import Stamps
from wireflight.runtime.answering import Answer
from wireflight.runtime.connection import Connection, Disconnected
from wireflight.runtime.ending import Judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireflight.exchange.head import RequestHead
    from wireflight.exchange.settings import Settings
    from wireflight.runtime.hooks import Hooks

__all__ = ["Server"]

logger = logging.getLogger("wireflight")


class Server:
    """Answers requests for the functions of one application."""

    def __init__(
        self,
        settings: Settings,
        hooks: Hooks,
        *,
        process: str,
        new_error_id: Callable[[], str],
        refresh_concurrency: int = 1,
        sends_details: bool = False,
    ) -> None:
        self.settings = settings
        self.hooks = hooks
        self.stamps = Stamps(process)
        self.replier = Replier(settings)
        self.judge = Judge(settings, hooks, new_error_id=new_error_id, sends_details=sends_details)
        self.refresh_concurrency = refresh_concurrency

    async def answer(self, head: RequestHead, connection: Connection) -> Reply:
        """Answer a request.

        Raises:
            Disconnected: When the client has gone before there was an answer.

        Spec: CHK-1, ERR-2.
        """
        try:
            admit(head, self.settings)
            if head.method == "OPTIONS":
                return self.replier.preflight(head)
            entry = head.entry
            if entry is None:
                return self.replier.document(head, manifest(self.settings))
            answer = Answer(self, head, connection, entry)
            if self.hooks.handle is None:
                return await answer.make()
            return await answer.make_within(self.hooks.handle)
        except Refusal as refusal:
            # SEC-12: the code and the place, nothing of what came.
            logger.info("refused: %s %s", refusal.body.code, refusal.body.position or "")
            return self.replier.refusal(head, refusal)
        except Disconnected:
            raise
        except Exception as error:  # noqa: BLE001 - a fault of the server itself (ERR-3)
            return self.replier.error(head, self.judge.unexpected(error))
