"""`[[adapter]]` in `sensing.toml`: topics, streams, units and facts, and every fault named with its key."""

from __future__ import annotations

from pathlib import Path

import pytest

from yiwang.packs import check_pack, read_pack

MINI = Path(__file__).parent / "fixtures" / "mini"
WELL = '[[adapter]]\nid = "a"\nkind = "senml"\n'
TOPIC = 'topics = ["well/{device}"]\n'


def test_what_an_adapter_says() -> None:
    found = read_pack(MINI).sensing.adapters
    assert list(found) == ["well", "node", "meter"]
    well, node = found["well"], found["node"]
    assert [topic.filter for topic in well.topics] == ["well/+", "wells/+/up"]
    assert (well.absolute, well.stream, well.units, well.make_streams) == (
        False,
        "{device}-{name}",
        {"level": "cm"},
        True,
    )
    assert (node.absolute, node.stream, node.make_streams) == (True, "{device}-{channel}", False)


@pytest.mark.parametrize(
    ("text", "column", "fault"),
    [
        ("adapter = 5\n", "adapter", "list of tables"),
        (WELL, "adapter a: topics", "missing"),
        (WELL + 'topics = ["well/x"]\n', "adapter a: topics", "{device}"),
        (WELL + 'topics = ["#/{device}"]\n', "adapter a: topics", "end of a topic"),
        (WELL + 'topics = ["well-{device}"]\n', "adapter a: topics", "whole levels"),
        (WELL + 'topics = ["a+/{device}"]\n', "adapter a: topics", "whole levels"),
        (WELL + 'topics = ["{device}/{device}"]\n', "adapter a: topics", "once"),
        (WELL + 'topics = ["streams/{device}"]\n', "adapter a: topics", "meaning already"),
        (WELL + 'topics = ["yiwang/x/{device}"]\n', "adapter a: topics", "from behind yiwang/CITY/"),
        (WELL + 'topics = ["+/{device}"]\nabsolute = true\n', "adapter a: topics", "messages of others"),
        (WELL + "topics = [5]\n", "adapter a: topics", ""),
        (WELL + TOPIC + 'stream = "{dev}"\n', "adapter a: stream", "{device}-{name}"),
        (WELL + TOPIC + 'stream = "fixed"\n', "adapter a: stream", "{device}-{name}"),
        (WELL + TOPIC + 'stream = "{name}}"\n', "adapter a: stream", "cannot be taken"),
        (WELL + TOPIC + 'units = { t = "parsnip" }\n', "adapter a: units.t", "parsnip"),
        (WELL + TOPIC + 'facts = { batery_percent = "b" }\n', "adapter a: facts", "battery_percent"),
        (WELL + TOPIC + 'facts = { rssi = "b", snr = "b" }\n', "adapter a: facts", "twice"),
        (WELL + TOPIC + "make_streams = 1\n", "adapter a: make_streams", ""),
        (WELL + TOPIC + "make_stream = true\n", "adapter 1: make_stream", "make_streams"),
        (WELL.replace("senml", "sennml") + TOPIC, "adapter 1: kind", "senml"),
        (WELL + TOPIC + WELL + TOPIC, "adapter 2: id", "twice"),
        ("[layout.cayenne]\n", "layout cayenne", "layout of the platform"),
    ],
)
def test_every_fault_is_named(pack_copy: Path, text: str, column: str, fault: str) -> None:
    (pack_copy / "sensing.toml").write_text(text, encoding="utf-8")
    found = [one for one in check_pack(pack_copy).problems if one.file == "sensing.toml" and one.column == column]
    assert found, [str(one) for one in check_pack(pack_copy).problems]
    assert fault in str(found[0])


@pytest.mark.parametrize(
    "text",
    [
        WELL + 'topic = "well/{device}"\n',
        WELL + 'topics = ["zigbee2mqtt/{device}"]\nabsolute = true\n',
        WELL + 'topics = ["x"]\nfacts = { id = "device" }\n',
        '[[adapter]]\nid = "a"\nkind = "frame"\nlayout = "l"\ntopics = ["x"]\n'
        '[layout.l]\nhead = [{ fields = [{ fact = "id", type = "hex", size = 4 }] }]\n',
    ],
)
def test_what_can_be_taken(pack_copy: Path, text: str) -> None:
    (pack_copy / "sensing.toml").write_text(text, encoding="utf-8")
    assert [one for one in check_pack(pack_copy).problems if one.file == "sensing.toml"] == []
    assert list(read_pack(pack_copy).sensing.adapters) == ["a"]
