"""The operations of HealthImaging: parameters as the model names them in, an answer out.

Everything but SearchImageSets, whose criteria have a reader of their own.
"""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from gateway.emulator.account import Account
from gateway.emulator.changing import Changes
from gateway.emulator.errors import WireError, invalid
from gateway.emulator.htj2k import FramesAs, ImageFrames
from gateway.emulator.imagesets import DELETED, ImageSets
from gateway.emulator.jobs import Jobs
from gateway.emulator.versions import Version, not_found

PAGE = 50
"""Entries of a list where no number is asked for."""

Parameters = Mapping[str, Any]
Answer = dict[str, Any]


class Operations:
    """What each operation does; `table` has them by their names."""

    def __init__(self, account: Account, jobs: Jobs, frames_as: FramesAs = "stored") -> None:
        self._account, self._jobs = account, jobs
        self._frames = ImageFrames(frames_as)
        self.table: Mapping[str, Callable[[Parameters], Answer]] = {
            "CopyImageSet": self._copy,
            "CreateDatastore": self._create_datastore,
            "DeleteDatastore": lambda p: account.delete(p["datastoreId"]),
            "DeleteImageSet": self._delete,
            "GetDICOMImportJob": self._get_job,
            "GetDatastore": lambda p: {"datastoreProperties": account.properties(p["datastoreId"])},
            "GetImageFrame": self._get_frame,
            "GetImageSet": self._get_image_set,
            "GetImageSetMetadata": self._get_metadata,
            "ListDICOMImportJobs": self._list_jobs,
            "ListDatastores": self._list_datastores,
            "ListImageSetVersions": self._list_versions,
            "ListTagsForResource": lambda p: {"tags": account.tags(p["resourceArn"])},
            "StartDICOMImportJob": lambda p: account.once(
                "StartDICOMImportJob", p, lambda: jobs.start(p)
            ),
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "UpdateImageSetMetadata": self._update,
        }

    # --- data stores, tags, jobs ------------------------------------------------------------------

    def _create_datastore(self, given: Parameters) -> Answer:
        return self._account.once("CreateDatastore", given, lambda: self._account.create(given))

    def _list_datastores(self, given: Parameters) -> Answer:
        wanted = given.get("datastoreStatus")
        found = [
            {k: v for k, v in one.items() if k in _DATASTORE_SUMMARY}
            for one in self._account.all_properties()
            if wanted in (None, one["datastoreStatus"])
        ]
        return _page("datastoreSummaries", found, given)

    def _tag(self, given: Parameters) -> Answer:
        self._account.tag(given["resourceArn"], given["tags"])
        return {}

    def _untag(self, given: Parameters) -> Answer:
        self._account.untag(given["resourceArn"], given["tagKeys"])
        return {}

    def _get_job(self, given: Parameters) -> Answer:
        return {"jobProperties": self._jobs.get(given["datastoreId"], given["jobId"])}

    def _list_jobs(self, given: Parameters) -> Answer:
        wanted = given.get("jobStatus")
        found = [
            {k: v for k, v in one.items() if k in _JOB_SUMMARY}
            for one in self._jobs.all(given["datastoreId"])
            if wanted in (None, one["jobStatus"])
        ]
        return _page("jobSummaries", found, given)

    # --- image sets -------------------------------------------------------------------------------

    def _image_sets(self, given: Parameters) -> ImageSets:
        store = self._account.store(given["datastoreId"])
        return ImageSets(store, self._account.settle_s)

    def _get_image_set(self, given: Parameters) -> Answer:
        sets = self._image_sets(given)
        with sets.store.reading() as sql:
            version = sets.version(sql, given["imageSetId"], given.get("versionId"))
        return {
            **self._properties(sets, version),
            "datastoreId": given["datastoreId"],
            "imageSetArn": self._account.arn(given["datastoreId"], given["imageSetId"]),
        }

    def _list_versions(self, given: Parameters) -> Answer:
        sets = self._image_sets(given)
        with sets.store.reading() as sql:
            versions = sets.versions(sql, given["imageSetId"])
        found = []
        for version in versions:
            one = self._properties(sets, version)
            one["ImageSetWorkflowStatus"] = one.pop("imageSetWorkflowStatus")
            found.append(one)
        return _page("imageSetPropertiesList", found, given)

    def _properties(self, sets: ImageSets, version: Version) -> Answer:
        state, status = sets.state(version)
        found: Answer = {
            "imageSetId": version.image_set_id,
            "versionId": str(version.number),
            "imageSetState": state,
            "imageSetWorkflowStatus": status,
            "createdAt": version.created_at,
            "updatedAt": version.updated_at,
        }
        if version.deleted_at is not None:
            found["deletedAt"] = version.deleted_at
        if version.is_primary is not None:
            found["isPrimary"] = version.is_primary
        if version.forced:
            found["overrides"] = {"forced": True}
        return found

    def _get_metadata(self, given: Parameters) -> Answer:
        sets = self._image_sets(given)
        with sets.store.reading() as sql:
            version = sets.version(sql, given["imageSetId"], given.get("versionId"))
            if sets.state(sets.version(sql, given["imageSetId"]))[0] == DELETED:
                raise not_found("the image set has been deleted")
            document = sets.document(version, sets.instances(sql, version))
        document = self._frames.described(document)
        return {
            "imageSetMetadataBlob": gzip.compress(orjson.dumps(document), 5, mtime=0),
            "contentType": "text/plain",
            "contentEncoding": "gzip",
        }

    def _get_frame(self, given: Parameters) -> Answer:
        sets = self._image_sets(given)
        frame_id = given["imageFrameInformation"]["imageFrameId"]
        try:
            frame, kind = self._frames.frame(*sets.frame(given["imageSetId"], frame_id))
        except WireError:
            raise
        except Exception:  # the file is gone, or another one by now
            message = "the file that was imported cannot be read any more"
            raise WireError("InternalServerException", 500, message) from None
        return {"imageFrameBlob": frame, "contentType": kind}

    def _update(self, given: Parameters) -> Answer:
        sets = self._image_sets(given)
        version = Changes(sets).update(
            given["imageSetId"],
            given["latestVersionId"],
            given["updateImageSetMetadataUpdates"],
            force=given.get("force", False),
            whole_study=given.get("includeStudyImageSets", False),
        )
        properties = self._begun(version)
        return {**properties, "datastoreId": given["datastoreId"]}

    def _copy(self, given: Parameters) -> Answer:
        sets = self._image_sets(given)
        source, copied = Changes(sets).copy(
            given["sourceImageSetId"],
            given["copyImageSetInformation"],
            force=given.get("force", False),
            promote=given.get("promoteToPrimary", False),
        )
        of = self._account.arn
        store_id = given["datastoreId"]
        return {
            "datastoreId": store_id,
            "sourceImageSetProperties": {
                **self._begun(source),
                "imageSetArn": of(store_id, source.image_set_id),
            },
            "destinationImageSetProperties": {
                **self._begun(copied),
                "imageSetArn": of(store_id, copied.image_set_id),
            },
        }

    def _delete(self, given: Parameters) -> Answer:
        version = Changes(self._image_sets(given)).delete(given["imageSetId"])
        begun = self._begun(version)
        wanted = ("imageSetId", "imageSetState", "imageSetWorkflowStatus")
        return {"datastoreId": given["datastoreId"], **{name: begun[name] for name in wanted}}

    def _begun(self, version: Version) -> Answer:
        """What the answer to a change says: that it has begun."""
        return {
            "imageSetId": version.image_set_id,
            "latestVersionId": str(version.number),
            "imageSetState": "LOCKED",
            "imageSetWorkflowStatus": version.working,
            "createdAt": version.created_at,
            "updatedAt": version.updated_at,
        }


_DATASTORE_SUMMARY = (
    "datastoreId", "datastoreName", "datastoreStatus", "datastoreArn", "createdAt", "updatedAt"
)  # fmt: skip
_JOB_SUMMARY = (
    "jobId", "jobName", "jobStatus", "datastoreId", "dataAccessRoleArn", "endedAt", "submittedAt",
    "message",
)  # fmt: skip


def _page(name: str, found: Sequence[Answer], given: Parameters) -> Answer:
    """One page of a list; its next token is the place of the next entry."""
    start = 0
    if "nextToken" in given:
        try:
            text = base64.b64decode(given["nextToken"], validate=True)
        except ValueError:
            text = b""
        if not re.fullmatch(rb"[0-9]{1,9}", text):
            raise invalid("nextToken is not one that was given")
        start = int(text)
    end = start + given.get("maxResults", PAGE)
    answer: Answer = {name: list(found[start:end])}
    if end < len(found):
        answer["nextToken"] = base64.b64encode(str(end).encode()).decode()
    return answer
