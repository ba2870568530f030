"""Signatures in PDF files (PAdES, ETSI EN 319 142-1, level B-B) with the key of the installation.

The key signs for the installation: it says that these people signed the file with their accounts, and that the file has not been changed
since. It is no qualified signature of a person.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from django.conf import settings

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.server.common.environment import private

KEY_FILE, KEY_SETTING, PASSWORD_SETTING = "signing-key.p12", "YIWANG_SIGNING_KEY", "YIWANG_SIGNING_PASSWORD"
VALID_DAYS = 3650


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSignature:
    """A signature in a file.

    Attributes:
        field: Name of its field.
        name, reason: What it says.
        at: When, by the installation's clock.
        unchanged: What it covers is as it was signed, and nothing but further signatures was added.
        certificate: SHA-256 of the certificate, hexadecimal.
        ours: Whether that is the certificate which is trusted here.
    """

    field: str
    name: str
    reason: str
    at: datetime | None
    unchanged: bool
    certificate: str
    ours: bool

    @property
    def holds(self) -> bool:
        """Whether it can be relied on."""
        return self.unchanged and self.ours


def sign(content: bytes, *, field: str, name: str, reason: str) -> bytes:
    """A PDF with a further signature; what stands there already is not touched.

    Args:
        content: The file.
        field: Name of the signature's field, one that has none yet.
        name: Who signs, for people.
        reason: What for.
    """
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import fields, signers

    writer = IncrementalPdfFileWriter(BytesIO(content))
    about = signers.PdfSignatureMetadata(
        field_name=field, md_algorithm="sha256", name=name, reason=reason, subfilter=fields.SigSeedSubFilter.PADES
    )
    return bytes(signers.sign_pdf(writer, about, signer=_signer()).getvalue())


def signatures_in(content: bytes, *, trusted: str = "") -> list[FoundSignature]:
    """Every signature of a PDF, checked.

    Args:
        content: The file.
        trusted: SHA-256 of the certificate that is trusted, hexadecimal; this installation's own by default.

    Raises:
        BadInput: When it cannot be read as a PDF.
    """
    from pyhanko.pdf_utils.misc import PdfError
    from pyhanko.pdf_utils.reader import PdfFileReader

    own = trusted.lower() or own_certificate()
    try:
        signed = list(PdfFileReader(BytesIO(content)).embedded_signatures)
        return [_checked(one, own, last=one is signed[-1]) for one in signed]
    except (PdfError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        message = Text("不是能读的 PDF，或已被损坏。", "This is no PDF that can be read, or it was damaged.")
        raise BadInput(Problem(message)) from error


def own_certificate() -> str:
    """SHA-256 of the certificate of this installation, hexadecimal: what others compare with."""
    certificate = _signer().signing_cert
    assert certificate is not None
    return hashlib.sha256(certificate.dump()).hexdigest()


def _checked(signature: Any, own: str, *, last: bool) -> FoundSignature:
    from pyhanko.sign.general import SigningError
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.errors import SignatureValidationError
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    certificate = signature.signer_cert
    digest = hashlib.sha256(certificate.dump()).hexdigest()
    try:
        context = ValidationContext(trust_roots=[certificate], allow_fetching=False)
        status = validate_pdf_signature(signature, context)
        # intact says nothing of what was put after it: the last signature covers the whole file, the others all but further signatures
        whole = status.coverage == SignatureCoverageLevel.ENTIRE_FILE
        unchanged = bool(status.intact and status.valid and status.bottom_line and (whole or not last))
    except (SignatureValidationError, SigningError):
        unchanged = False
    said = signature.sig_object
    return FoundSignature(
        field=str(signature.field_name),
        name=str(said.get("/Name", "")),
        reason=str(said.get("/Reason", "")),
        at=signature.self_reported_timestamp,
        unchanged=unchanged,
        certificate=digest,
        ours=digest == own,
    )


def _signer() -> Any:
    from pyhanko.sign import signers

    given = os.environ.get(KEY_SETTING, "").strip()
    password = os.environ.get(PASSWORD_SETTING, "").encode() or None
    path = Path(given).expanduser() if given else _made_once(Path(settings.YIWANG_HOME, KEY_FILE))
    found = signers.SimpleSigner.load_pkcs12(str(path), passphrase=password if given else None)
    if found is None:
        raise BadInput(
            Problem(
                Text("读不了签名密钥。", "The signing key cannot be read."),
                Text(
                    "{key} 要指向 PKCS#12 文件，密码写在 {password}。",
                    "{key} must name a PKCS#12 file, with its password in {password}.",
                    key=KEY_SETTING,
                    password=PASSWORD_SETTING,
                ),
            )
        )
    return found


def _made_once(path: Path) -> Path:
    """The installation's own key, made when it is first needed and readable by its owner only."""
    if path.is_file():
        private(path)
        return path
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_new_key())
        os.link(unfinished, path)  # whole, or another process was first
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()
    return path


def _new_key() -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Yiwang installation")])
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=False, data_encipherment=False, key_agreement=False,
        key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return pkcs12.serialize_key_and_certificates(b"yiwang", key, certificate, None, NoEncryption())
