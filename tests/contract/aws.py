"""An emulator over HTTP with boto3 before it; every answer is held against botocore's own model."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore import exceptions
from botocore.config import Config
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from starlette.concurrency import run_in_threadpool

from gateway.emulator.account import Account
from gateway.emulator.store import Store
from gateway.emulator.variants import Variants
from gateway.emulator.wire import create_app
from tests.contract.serving import running

DATASTORE_ID = "0123456789abcdef0123456789abcdef"
ROLE = "arn:aws:iam::123456789012:role/import"
BUCKET = "studies"
MODEL = ServiceModel(Loader().load_service_model("medical-imaging", "service-2"))
SETTLE_S = 10.0


class Aws:
    """HealthImaging as a boto3 user sees it; its clock stands still until a test moves it."""

    def __init__(self, url: str, folder: Path, store: Store) -> None:
        self.folder, self.store, self.url = folder, store, url
        self.now = 1.7e9
        retries: Any = {"mode": "standard", "total_max_attempts": 1}
        self.client = boto3.client(
            "medical-imaging",
            "us-east-1",
            endpoint_url=url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(inject_host_prefix=False, retries=retries),
        )

    async def call(self, operation: str, **given: Any) -> dict[str, Any]:
        """The answer of an operation, valid by the model, streams read to their ends."""

        def run() -> dict[str, Any]:
            answer = getattr(self.client, _method(operation))(**given)
            del answer["ResponseMetadata"]
            return {k: v.read() if hasattr(v, "read") else v for k, v in answer.items()}

        answer = await run_in_threadpool(run)
        report = ParamValidator().validate(answer, MODEL.operation_model(operation).output_shape)
        assert not report.has_errors(), report.generate_report()
        return answer

    async def refused(self, operation: str, **given: Any) -> str:
        """The type of the exception in which an operation ends."""
        try:
            await self.call(operation, **given)
        except exceptions.ClientError as exc:
            return type(exc).__name__
        return "nothing"

    async def imported(self, prefix: str, **given: Any) -> dict[str, Any]:
        """The properties of an import job of what lies below a prefix, once it has ended."""
        job = await self.call(
            "StartDICOMImportJob",
            datastoreId=DATASTORE_ID,
            dataAccessRoleArn=ROLE,
            inputS3Uri=f"s3://{BUCKET}/{prefix}",
            outputS3Uri=f"s3://{BUCKET}/results",
            **given,
        )
        return await self.ended(job["jobId"])

    async def ended(self, job_id: str) -> dict[str, Any]:
        """The properties of a job once it has ended."""
        while True:
            answer = await self.call("GetDICOMImportJob", datastoreId=DATASTORE_ID, jobId=job_id)
            found: dict[str, Any] = answer["jobProperties"]
            if found["jobStatus"] in ("COMPLETED", "FAILED"):
                return found

    async def image_sets(self) -> list[dict[str, Any]]:
        """Every summary."""
        answer = await self.call("SearchImageSets", datastoreId=DATASTORE_ID, searchCriteria={})
        found: list[dict[str, Any]] = answer["imageSetsMetadataSummaries"]
        return found

    async def one(self, **given: Any) -> str:
        """The only image set that a search finds."""
        (key, value), *_ = given.items()
        criteria = {"filters": [{"operator": "EQUAL", "values": [{key: value}]}]}
        answer = await self.call(
            "SearchImageSets", datastoreId=DATASTORE_ID, searchCriteria=criteria
        )
        (found,) = answer["imageSetsMetadataSummaries"]
        return str(found["imageSetId"])

    async def metadata(self, image_set_id: str, **given: Any) -> dict[str, Any]:
        """The document that GetImageSetMetadata gives, unpacked."""
        answer = await self.call(
            "GetImageSetMetadata", datastoreId=DATASTORE_ID, imageSetId=image_set_id, **given
        )
        assert ("text/plain", "gzip") == (answer["contentType"], answer["contentEncoding"])
        document: dict[str, Any] = json.loads(gzip.decompress(answer["imageSetMetadataBlob"]))
        return document

    async def update(self, image_set_id: str, version: str, **given: Any) -> dict[str, Any]:
        """UpdateImageSetMetadata with documents for removable and updatable attributes."""
        names = ("removableAttributes", "updatableAttributes")
        updates = {k: json.dumps(given.pop(k)).encode() for k in names if k in given}
        return await self.call(
            "UpdateImageSetMetadata",
            datastoreId=DATASTORE_ID,
            imageSetId=image_set_id,
            latestVersionId=version,
            updateImageSetMetadataUpdates={"DICOMUpdates": updates},
            **given,
        )


@asynccontextmanager
async def served(folder: Path, **given: Any) -> AsyncIterator[Aws]:
    """An empty data store; `folder` is the bucket. A change takes SETTLE_S to be done.

    What is given besides goes to the application.
    """
    moved: list[Aws] = []
    store = Store(None, Variants(), DATASTORE_ID, clock=lambda: moved[0].now if moved else 1.7e9)
    account = Account(store, settle_s=SETTLE_S)
    app = create_app(store, account=account, roots={BUCKET: folder}, **given)
    async with running(app) as url:
        aws = Aws(url, folder, store)
        moved.append(aws)
        yield aws
        aws.client.close()
    store.close()


def _method(operation: str) -> str:
    known = {v: k for k, v in _METHODS.items()}
    return known[operation]


_METHODS: dict[str, str] = dict(
    boto3.client("medical-imaging", "us-east-1").meta.method_to_api_mapping
)
