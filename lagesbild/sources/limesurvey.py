"""Answers straight from a LimeSurvey server, through RemoteControl 2."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any, Literal, cast

import httpx
from citric import Client
from citric.exceptions import (
    InvalidJSONResponseError,
    LimeSurveyError,
    LimeSurveyStatusError,
    ResponseMismatchError,
    RPCInterfaceNotEnabledError,
)

from lagesbild.errors import SourceError
from lagesbild.polite import PoliteClient

if TYPE_CHECKING:
    import requests

ResponseType = Literal["short", "long"]
_NO_ANSWERS_YET = "could not get max id"


class _PoliteSession:
    """What citric needs of a requests session, over our own client and its time-outs and limits."""

    def __init__(self, client: PoliteClient) -> None:
        self.headers: dict[str, str] = {}  # citric writes its name here; ours is sent instead
        self._client = client

    def post(self, url: str, *, data: str, headers: dict[str, str]) -> httpx.Response:  # noqa: ARG002
        return self._client.post_json(url, json.loads(data))

    def close(self) -> None:
        """The polite client belongs to whoever made it."""


def export_answers(
    client: PoliteClient,
    url: str,
    survey_id: int,
    login: tuple[str, str],
    *,
    language: str | None = None,
    response_type: ResponseType = "short",
) -> bytes:
    """Every completed answer of a survey as LimeSurvey's JSON. Raises SourceError.

    The whole survey each time: pulling from the last id would miss answers edited afterwards.
    """
    session = cast("requests.Session", _PoliteSession(client))
    try:
        lime = Client(url, *login, requests_session=session)
        try:
            return lime.export_responses(
                survey_id,
                file_format="json",
                language=language,
                completion_status="complete",
                heading_type="code",
                response_type=response_type,
            )
        finally:
            # a key that is not released runs out by itself; the answers are worth more
            with contextlib.suppress(LimeSurveyError, ResponseMismatchError, SourceError):
                lime.close()
    except LimeSurveyStatusError as error:
        if _NO_ANSWERS_YET in str(error):
            return b'{"responses": []}'
        raise SourceError(f"LimeSurvey, enkät {survey_id}: {_status(str(error))}") from None
    except (RPCInterfaceNotEnabledError, InvalidJSONResponseError):
        raise SourceError(
            "LimeSurvey svarade inte med JSON; slå på JSON-RPC under Globala inställningar, "
            "Gränssnitt, och kontrollera att adressen slutar på admin/remotecontrol."
        ) from None
    except (LimeSurveyError, ResponseMismatchError) as error:
        raise SourceError(
            f"LimeSurvey, enkät {survey_id}: felsvar ({type(error).__name__})."
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(
            f"LimeSurvey, enkät {survey_id}: svaret har okänd form ({type(error).__name__})."
        ) from None


def _status(message: str) -> str:
    known: dict[str, Any] = {
        "invalid user name or password": "fel användarnamn eller lösenord.",
        "invalid session key": "inloggningen godtogs inte längre; försök igen.",
        "no permission": "kontot får inte exportera svar; ge det rättigheten.",
        "survey table does not exist": "enkäten är inte aktiv och har inga svar.",
        "error: invalid survey id": "enkäten finns inte; kontrollera survey_id.",
    }
    for words, told in known.items():
        if words in message.casefold():
            return str(told)
    return f"servern sade nej ({message[:80]})."
