"""Where a broker is: ``mqtt://user:password@host:port``, or ``mqtts://`` with TLS, as `YIWANG_MQTT_URL` has it.

In the query of an ``mqtts`` address stand the files of TLS: ``ca`` (certificates that we trust; those of the system where it is
left out), and ``cert`` and ``key`` for a broker that wants to know us by a certificate.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from yiwang.core.kernel.refusals import Invalid
from yiwang.core.kernel.text import Text

PORTS = {"mqtt": 1883, "mqtts": 8883}
_FILES = ("ca", "cert", "key")
_LIKE = "mqtts://user:password@broker.example:8883?ca=/etc/ssl/ca.pem"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a broker is, and how we sign in there.

    Attributes:
        host, port: Of the broker.
        user, password: Empty for none.
        tls: Whether the connection is encrypted.
        ca, cert, key: Files of TLS; empty for none.
    """

    host: str
    port: int
    user: str = ""
    password: str = ""
    tls: bool = False
    ca: str = ""
    cert: str = ""
    key: str = ""

    @classmethod
    def read(cls, url: str) -> Address:
        """The address that a URL states.

        Raises:
            Invalid: It states none; the text says why, and never the password.
        """
        parts = urlsplit(url)
        if parts.scheme not in PORTS:
            raise _wrong(Text("协议应为 mqtt 或 mqtts。", "The scheme is mqtt or mqtts."))
        try:
            port = parts.port or PORTS[parts.scheme]
        except ValueError:
            raise _wrong(Text("端口应为 1 到 65535 的整数。", "The port is a number from 1 to 65535.")) from None
        if not parts.hostname:
            raise _wrong(Text("缺少主机名。", "The host is missing."))
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        tls = parts.scheme == "mqtts"
        for name, value in query.items():
            if name not in _FILES:
                raise _wrong(
                    Text(
                        "没有参数 {name}；可用 ca、cert、key。",
                        "There is no {name}; there are ca, cert and key.",
                        name=name,
                    )
                )
            if not tls:
                raise _wrong(Text("{name} 只用于 mqtts。", "{name} is for mqtts only.", name=name))
            if not Path(value).is_file():
                raise _wrong(
                    Text(
                        "{name} 指向的文件不存在：{file}",
                        "The file of {name} is not there: {file}",
                        name=name,
                        file=value,
                    )
                )
        if ("cert" in query) != ("key" in query):
            raise _wrong(Text("cert 与 key 须同时给出。", "cert and key go together."))
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, port, user, password, tls, **query)

    def context(self) -> ssl.SSLContext | None:
        """How the connection is encrypted; None for one that is not."""
        if not self.tls:
            return None
        made = ssl.create_default_context(cafile=self.ca or None)
        if self.cert:
            made.load_cert_chain(self.cert, self.key)
        return made

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


def _wrong(why: Text) -> Invalid:
    return Invalid(
        Text(
            "MQTT 地址无效：{why}例如 {like}",
            "The MQTT address cannot be read. {why} For example {like}",
            why=why,
            like=_LIKE,
        ),
        field="YIWANG_MQTT_URL",
    )
