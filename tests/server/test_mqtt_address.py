"""Where a broker is, as YIWANG_MQTT_URL states it."""

from __future__ import annotations

from pathlib import Path

import pytest

from yiwang.core.kernel.refusals import Invalid
from yiwang.server.mqtt.address import Address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://broker.example", Address("broker.example", 1883)),
        ("mqtts://broker.example", Address("broker.example", 8883, tls=True)),
        ("mqtt://[::1]:2883", Address("::1", 2883)),
        ("mqtt://city:p%40ss%2Fword@broker.example:1884", Address("broker.example", 1884, "city", "p@ss/word")),
    ],
)
def test_an_address_is_read(url: str, address: Address) -> None:
    assert Address.read(url) == address


def test_the_files_of_tls_stand_in_the_query(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("")
    assert Address.read(f"mqtts://broker.example?ca={ca}").ca == str(ca)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "scheme"),
        ("broker.example:1883", "scheme"),
        ("http://broker.example", "scheme"),
        ("mqtt://", "host"),
        ("mqtt://broker.example:seven", "port"),
        ("mqtt://broker.example:70000", "port"),
        ("mqtts://broker.example?cafile=/x", "cafile"),
        ("mqtt://broker.example?ca=/x", "mqtts"),
        ("mqtts://broker.example?ca=/not/there.pem", "/not/there.pem"),
    ],
)
def test_what_is_no_address_is_refused_without_its_password(url: str, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        Address.read(url.replace("://", "://user:geheim@", 1) if "://b" in url else url)
    for language in ("zh", "en"):
        text = refused.value.text.into(language)
        assert "mqtts://user:password@broker.example" in text
        assert "geheim" not in text
    assert says in refused.value.text.into("en")


def test_a_key_without_a_certificate_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("")
    with pytest.raises(Invalid, match="cert"):
        Address.read(f"mqtts://broker.example?key={key}")
