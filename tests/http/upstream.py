"""An upstream of image sets in memory, one fault away from whatever a test needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from starlette.applications import Starlette

from gateway.healthimaging.body import Body
from gateway.healthimaging.walks import Calls
from gateway.qido.query import Dialect
from gateway.search.imageset import ImageSet, Page
from gateway.search.plan import Plan, SearchOptions
from gateway.server.routes import ServerOptions, create_app
from gateway.server.searches import Limits
from gateway.wado.upstream import Retrieval
from tests.building import service_over


def image_set(number: int, *, date: str = "20200101", **tags: str | int) -> ImageSet:
    """The only image set of study `number`."""
    values: dict[str, str | int] = {
        "DICOMStudyInstanceUID": f"1.2.{number}",
        "DICOMSeriesInstanceUID": f"1.2.{number}.1",
        "DICOMSeriesModality": "CT",
        "DICOMStudyDate": date,
        "DICOMStudyTime": "1015",
        "DICOMPatientName": "DOE^JANE",
        "DICOMPatientId": f"PAT{number}",
        "DICOMNumberOfStudyRelatedInstances": 1,
    }
    return ImageSet(f"{number:032x}", {**values, **tags}, 1, 0.0, float(number), True)


@dataclass
class ListedCalls:
    """Gives the same image sets to every plan; `fault` is asked before each call, by its number."""

    image_sets: Sequence[ImageSet]
    fault: Callable[[int], None] = lambda number: None
    served: int = 0
    plans: list[Plan] = field(default_factory=list)

    async def search_image_sets(self, one: Plan, page_size: int, next_token: str) -> Page:
        """The page that begins at the number that the token is."""
        self.served += 1
        self.plans.append(one)
        self.fault(self.served)
        first = int(next_token or 0)
        page = tuple(self.image_sets[first : first + page_size])
        after = first + page_size
        return Page(page, str(after) if after < len(self.image_sets) else "")

    async def image_set_metadata(self, image_set_id: str, version: int) -> Body:
        """That it is gone."""
        return Body(None)


def app_over(
    calls: Calls,
    options: ServerOptions = ServerOptions(),  # noqa: B008 - frozen
    limits: Limits = Limits(),  # noqa: B008 - frozen
    dialect: Dialect = Dialect(),  # noqa: B008 - frozen
    search: SearchOptions = SearchOptions(),  # noqa: B008 - frozen
    retrieval: Retrieval | None = None,
) -> Starlette:
    """The application over `calls` and `retrieval`."""

    async def nothing() -> None:
        return None

    return create_app(service_over(calls, search, limits, dialect), options, nothing, retrieval)
