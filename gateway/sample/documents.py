"""Documents: a letter as PDF, a report as SR."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.sample.instance import Instance, Place, Values, code, moment

PDF_STORAGE = "1.2.840.10008.5.1.4.1.1.104.1"
BASIC_TEXT_SR_STORAGE = "1.2.840.10008.5.1.4.1.1.88.11"

_LETTER = (
    "Hospital of Nowhere",
    "",
    "To whom it may concern",
    "",
    "This letter is made up, as its patient is. It is here so that",
    "viewers have a document to show. Nobody was examined.",
    "",
    "Yours faithfully",
    "Dr. Petra Poe",
)


def pdf_letter(place: Place) -> Iterator[Instance]:
    """A letter, encapsulated."""
    document = pdf(_LETTER)
    values = {
        **_document_values(place),
        "SOPClassUID": PDF_STORAGE,
        "ConversionType": "WSD",
        "AcquisitionDateTime": "",
        "BurnedInAnnotation": "YES",
        "ConceptNameCodeSequence": code("57133-1", "LN", "Referral note"),
        "DocumentTitle": "Letter",
        "MIMETypeOfEncapsulatedDocument": "application/pdf",
        "EncapsulatedDocument": document + b"\0" * (len(document) % 2),
        "EncapsulatedDocumentLength": len(document),
    }
    yield Instance(values)


def sr_report(place: Place) -> Iterator[Instance]:
    """A report in Basic Text SR."""
    nodule = f"Nodule of {2 * place.study.lesion_mm:.0f} mm in diameter."
    sections = (
        ("121060", "History", "Invented for this archive."),
        ("121070", "Findings", nodule + " Else as the phantom was drawn."),
        ("121072", "Impressions", "A made-up finding in a made-up patient."),
    )
    values = {
        **_document_values(place),
        "SOPClassUID": BASIC_TEXT_SR_STORAGE,
        "ReferencedPerformedProcedureStepSequence": (),
        "PerformedProcedureCodeSequence": (),
        "CompletionFlag": "COMPLETE",
        "VerificationFlag": "UNVERIFIED",
        "ValueType": "CONTAINER",
        "ContinuityOfContent": "SEPARATE",
        "ConceptNameCodeSequence": code("18748-4", "LN", "Diagnostic imaging report"),
        "ContentSequence": tuple(_section(*section) for section in sections),
    }
    yield Instance(values)


def _section(value: str, meaning: str, text: str) -> Values:
    return {
        "RelationshipType": "CONTAINS",
        "ValueType": "CONTAINER",
        "ContinuityOfContent": "SEPARATE",
        "ConceptNameCodeSequence": code(value, "DCM", meaning),
        "ContentSequence": (
            {
                "RelationshipType": "CONTAINS",
                "ValueType": "TEXT",
                "ConceptNameCodeSequence": code("121071", "DCM", "Finding"),
                "TextValue": text,
            },
        ),
    }


def _document_values(place: Place) -> Values:
    times = moment(place, 0)
    return {
        "ContentDate": times["ContentDate"],
        "ContentTime": times["ContentTime"],
        "SOPInstanceUID": place.uid(1),
        "InstanceNumber": 1,
    }


def pdf(lines: Sequence[str]) -> bytes:
    """A page with lines of ASCII text without parentheses or backslashes."""
    shown = "".join(f"({line}) Tj T*\n" for line in lines)
    drawn = f"BT /F1 12 Tf 18 TL 72 740 Td\n{shown}ET"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842]"
        " /Resources << /Font << /F1 4 0 R >> >> /Contents 5 0 R >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream",
    )
    written, starts = "%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        starts.append(len(written))
        written += f"{number} 0 obj\n{one}\nendobj\n"
    table = "".join(f"{start:010} 00000 n \n" for start in starts)
    count = len(objects) + 1
    end = (
        f"xref\n0 {count}\n0000000000 65535 f \n{table}"
        f"trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{len(written)}\n%%EOF\n"
    )
    return (written + end).encode("ascii")
